//! Stop means stop: for the turn, the request and the connection, at any moment.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use souffleur::chat::{Item, ItemContent, ItemStatus, TurnStopReason};
use souffleur::protocol::SessionStatus;

use crate::support::answer::Answer;
use crate::support::editor::Editor;
use crate::support::script::{Gate, Script, Step};
use crate::support::setup::Setup;
use crate::support::turn::Turn;
use crate::support::vendor::{Outcome, Vendor};

#[derive(Clone, Copy, Debug)]
enum How {
    Session,
    Turn,
    WorkDone,
}

/// Cancels; gives the moment before the request was written and, for requests, the id.
fn cancel(editor: &Editor, session: &str, turn: &Turn, how: How) -> (Instant, Option<Value>) {
    let at = Instant::now();
    let method = "souffleur/session/cancel";
    let id = match how {
        How::Session => Some(editor.request(method, json!({"sessionId": session}))),
        How::Turn => Some(editor.request(method, json!({"sessionId": session, "turnId": turn.turn_id}))),
        How::WorkDone => {
            editor.notify("window/workDoneProgress/cancel", json!({"token": turn.token}));
            None
        }
    };
    (at, id)
}

fn message(item: &Item) -> Option<(&str, ItemStatus)> {
    match &item.content {
        ItemContent::Message { text } => Some((text, item.status)),
        _ => None,
    }
}

#[test]
fn each_way_of_cancelling_ends_the_turn_and_the_request() {
    for how in [How::Session, How::Turn, How::WorkDone] {
        let vendor = Vendor::start();
        vendor.push(Answer::new().open_text().deltas(&["so ", "far"]).step(Step::Hang).script());
        vendor.push(Answer::says("back again"));
        let editor = Setup::anthropic(&vendor).start();
        let session = editor.new_session();
        let mut turn = editor.prompt(&session, "hi");
        editor.wait_text(&mut turn, "so far");
        let (_, id) = cancel(&editor, &session, &turn, how);
        editor.finish(&mut turn);
        turn.assert_stop(TurnStopReason::Cancelled);
        assert_eq!(turn.end().error, None, "a wish of the user's is no error");
        if let Some(id) = id {
            assert_eq!(editor.response(&id).1.unwrap(), json!({"cancelled": true}), "{how:?}");
        }
        assert_eq!(vendor.outcome(0), Outcome::ClientGone, "{how:?}");
        let kept = [("so far", ItemStatus::Cancelled)];
        assert_eq!(turn.items().iter().filter_map(message).collect::<Vec<_>>(), kept);
        let loaded = editor.load(&session);
        assert_eq!(loaded.items.iter().filter_map(message).collect::<Vec<_>>(), kept);
        assert_eq!((loaded.session.status, loaded.running), (SessionStatus::Idle, None));
        assert_eq!(editor.ask(&session, "go on").text(), "back again");
        vendor.wait_no_connections();
    }
}

#[test]
fn cancelling_nothing_changes_nothing() {
    let vendor = Vendor::start();
    vendor.push(Answer::says("one"));
    vendor.push(Answer::says("two"));
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    let not = json!({"cancelled": false});
    assert_eq!(editor.call_ok("souffleur/session/cancel", json!({"sessionId": session})), not);
    let over = editor.ask(&session, "hi");
    let late = json!({"sessionId": session, "turnId": over.turn_id});
    assert_eq!(editor.call_ok("souffleur/session/cancel", late), not);
    editor.notify("window/workDoneProgress/cancel", json!({"token": over.token}));
    editor.notify("window/workDoneProgress/cancel", json!({"token": "never used"}));
    assert_eq!(editor.ask(&session, "again").text(), "two");
}

#[test]
fn only_the_named_turn_is_cancelled() {
    let (vendor, gate) = (Vendor::start(), Gate::new());
    vendor.push(
        Answer::new().open_text().deltas(&["a"]).gate(&gate).deltas(&["b"]).close_block().end("end_turn").script(),
    );
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    let mut turn = editor.prompt(&session, "hi");
    editor.wait_text(&mut turn, "a");
    let other = json!({"sessionId": session, "turnId": "turn_of_yesterday"});
    assert_eq!(editor.call_ok("souffleur/session/cancel", other), json!({"cancelled": false}));
    gate.open();
    editor.finish(&mut turn);
    assert_eq!(turn.text(), "ab");
    turn.assert_stop(TurnStopReason::EndTurn);
}

#[test]
fn cancelling_one_session_leaves_the_others() {
    let (vendor, gate) = (Vendor::start(), Gate::new());
    let held = gate.clone();
    vendor.answer_with(move |_| {
        Answer::new().open_text().deltas(&["a"]).gate(&held).deltas(&["b"]).close_block().end("end_turn").script()
    });
    let editor = Setup::anthropic(&vendor).start();
    let sessions: Vec<_> = (0..8).map(|_| editor.new_session()).collect();
    let mut turns: Vec<_> = sessions.iter().map(|session| editor.prompt(session, "hi")).collect();
    for turn in &mut turns {
        editor.wait_text(turn, "a");
    }
    editor.call_ok("souffleur/session/cancel", json!({"sessionId": sessions[3]}));
    editor.finish(&mut turns[3]);
    gate.open();
    for (number, turn) in turns.iter_mut().enumerate() {
        editor.finish(turn);
        let expected = if number == 3 { TurnStopReason::Cancelled } else { TurnStopReason::EndTurn };
        turn.assert_stop(expected);
    }
}

#[test]
fn closing_a_session_cancels_its_turn() {
    let vendor = Vendor::start();
    vendor.push(Answer::new().open_text().deltas(&["a"]).step(Step::Hang).script());
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    let mut turn = editor.prompt(&session, "hi");
    editor.wait_text(&mut turn, "a");
    let id = editor.request("souffleur/session/close", json!({"sessionId": session}));
    editor.finish(&mut turn);
    turn.assert_stop(TurnStopReason::Cancelled);
    assert_eq!(editor.response(&id).1.unwrap(), json!({}));
    assert_eq!(vendor.outcome(0), Outcome::ClientGone);
}

#[test]
fn a_request_cancelled_by_lsp_is_still_answered() {
    let editor = Setup::sim().start();
    let session = editor.new_session();
    for _ in 0..50 {
        let id = editor.request("souffleur/session/load", json!({"sessionId": session}));
        editor.notify("$/cancelRequest", json!({"id": id}));
        if let Err(error) = editor.response(&id).1 {
            assert_eq!(error.code, -32800, "{error:?}");
        }
    }
}

const TURNS: usize = 200;

/// How many deltas the test sees before it cancels; `None`: not even the vendor's status line is waited for.
const MOMENTS: [Option<usize>; 10] =
    [None, Some(0), Some(0), Some(1), Some(2), Some(3), Some(5), Some(8), Some(20), Some(60)];

/// The vendor's answer for a moment: it says a little more than what the test waits for and then falls silent, or
/// (every other time) floods, so that the cancel meets a stream in full flow.
fn answer(number: usize) -> Script {
    let silent = Answer::new().thinking(&["hm"], "c2ln").open_text();
    let seen = MOMENTS[number % MOMENTS.len()].unwrap_or(0);
    if number % 4 == 1 {
        return silent.script().head_after(&Gate::new());
    }
    let count = if number.is_multiple_of(2) { 2_000 } else { seen + 1 };
    (0..count).fold(silent, |answer, _| answer.deltas(&["word "])).step(Step::Hang).script()
}

#[test]
fn two_hundred_turns_cancelled_at_any_moment_end_cancelled_and_leave_nothing_open() {
    let vendor = Vendor::start();
    vendor.answer_with(|request| {
        let text = request.last_text();
        let number = text.split_whitespace().filter_map(|word| word.parse().ok()).next_back();
        match number {
            Some(number) if !text.contains("now to the end") => answer(number),
            _ => Answer::says("the end"),
        }
    });
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    let mut times = Vec::new();
    for number in 0..TURNS {
        let mut turn = editor.prompt(&session, &format!("turn {number} please"));
        let moment = MOMENTS[number % MOMENTS.len()];
        let head_withheld = number % 4 == 1;
        match moment {
            None => {}
            Some(_) if head_withheld => vendor.wait_busy(1),
            Some(0) => editor.advance(&mut turn),
            Some(count) => wait_text_parts(&editor, &mut turn, count),
        }
        let how = [How::Session, How::Turn, How::WorkDone][number % 3];
        let (at, id) = cancel(&editor, &session, &turn, how);
        editor.finish(&mut turn);
        times.push(turn.last_at().saturating_duration_since(at));
        turn.assert_stop(TurnStopReason::Cancelled);
        if let Some(id) = id {
            assert_eq!(editor.response(&id).1.unwrap(), json!({"cancelled": true}), "turn {number}");
        }
        vendor.wait_busy(0);
    }
    vendor.wait_no_connections();
    assert_times(times);
    assert_eq!(editor.load(&session).session.turns, TURNS as u64);
    assert_eq!(editor.ask(&session, "now to the end").text(), "the end");
}

fn wait_text_parts(editor: &Editor, turn: &mut Turn, count: usize) {
    // Deltas may have been merged: count words, not deltas.
    editor.wait_text(turn, &"word ".repeat(count));
}

/// A turn ends within 100 ms of the cancel. The machine that runs this may be busy with something else, and a test
/// that fails for that would be worse than none: so the limit holds for the median, and each single one gets a second.
fn assert_times(mut times: Vec<Duration>) {
    times.sort_unstable();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    assert!(median <= Duration::from_millis(100), "half of the turns took more than {median:?} to end");
    assert!(longest <= Duration::from_secs(1), "a turn took {longest:?} to end");
}
