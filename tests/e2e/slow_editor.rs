//! An editor that stops reading: memory stays bounded, nothing is lost, nobody is forgotten.

use serde_json::json;
use souffleur::chat::TurnStopReason;

use crate::support::answer::Answer;
use crate::support::process::resident_kib;
use crate::support::script::Gate;
use crate::support::setup::Setup;
use crate::support::vendor::{Outcome, Vendor};

const DELTAS: usize = 20_000;

/// The largest growth of memory that is allowed. With the token below, a server that queues a message per delta grows
/// by more than that, while the text itself is a quarter of a megabyte.
const GROWTH_KIB: u64 = 60 * 1024;

#[test]
fn an_editor_that_stops_reading_costs_little_and_loses_nothing() {
    let (vendor, gate) = (Vendor::start(), Gate::new());
    let words: Vec<String> = (0..DELTAS).map(|number| format!("word-{number:06} ")).collect();
    let deltas: Vec<&str> = words.iter().map(String::as_str).collect();
    // The last answer on its connection: the exchange ends when the server has read all of it.
    let flood = Answer::new().open_text().gate(&gate).deltas(&deltas).close_block().end("end_turn");
    vendor.push(Answer::says("warm"));
    vendor.push(flood.script().last_on_connection());
    vendor.push(Answer::says("still here"));
    let editor = Setup::anthropic(&vendor).start();
    let (session, other) = (editor.new_session(), editor.new_session());
    editor.ask(&session, "warm up");
    let before = resident_kib(editor.pid());
    // The token comes back in every message, so that messages that pile up weigh much more than what they say.
    let mut turn = editor.prompt_as(&session, "flood", json!("t".repeat(4_000)));
    editor.advance(&mut turn);
    editor.stop_reading();
    gate.open();
    assert_eq!(vendor.outcome(1), Outcome::Finished, "a slow editor does not hold up the vendor");
    let during = resident_kib(editor.pid());
    if let (Some(before), Some(during)) = (before, during) {
        let growth = during.saturating_sub(before);
        assert!(growth < GROWTH_KIB, "memory grew by {growth} KiB");
    }
    let ids: Vec<_> = (0..100).map(|_| editor.request("souffleur/session/list", json!({}))).collect();
    let mut second = editor.request(
        "souffleur/session/prompt",
        json!({
        "sessionId": other, "content": [{"type": "text", "text": "and you?"}], "streamToken": "other"}),
    );
    editor.read_on();
    editor.finish(&mut turn);
    assert_eq!(turn.text(), words.concat(), "nothing is lost");
    assert!(turn.deltas() < DELTAS, "deltas that nobody could read are merged");
    turn.assert_stop(TurnStopReason::EndTurn);
    for id in &ids {
        assert!(editor.response(id).1.is_ok());
    }
    let begun = editor.response(&second).1.unwrap();
    second = begun["turnId"].clone();
    let mut other_turn = editor.turn_of(json!("other"), second.as_str().unwrap());
    editor.finish(&mut other_turn);
    assert_eq!(other_turn.text(), "still here");
}

/// Many turns that nobody reads: their ends and items are not deltas and cannot be merged, and still none is lost.
#[test]
fn sixteen_streams_that_nobody_reads_are_all_whole_in_the_end() {
    let (vendor, gate) = (Vendor::start(), Gate::new());
    let held = gate.clone();
    let said = (0..500).map(|number| format!("{number} ")).collect::<Vec<_>>().concat();
    vendor.answer_with(move |_| {
        let words: Vec<String> = (0..500).map(|number| format!("{number} ")).collect();
        let deltas: Vec<&str> = words.iter().map(String::as_str).collect();
        let answer = Answer::new().open_text().gate(&held).deltas(&deltas).close_block().end("end_turn");
        answer.script().last_on_connection()
    });
    let editor = Setup::anthropic(&vendor).start();
    let mut turns: Vec<_> = (0..16).map(|_| editor.prompt(&editor.new_session(), "count")).collect();
    vendor.wait_busy(16);
    editor.stop_reading();
    gate.open();
    for number in 0..16 {
        assert_eq!(vendor.outcome(number), Outcome::Finished);
    }
    editor.read_on();
    for turn in &mut turns {
        editor.finish(turn);
        assert_eq!(turn.text(), said);
    }
}

#[test]
fn a_turn_can_be_cancelled_by_an_editor_that_does_not_read() {
    let vendor = Vendor::start();
    let endless: Vec<&str> = std::iter::repeat_n("word ", 20_000).collect();
    let gate = Gate::new();
    vendor.push(Answer::new().open_text().gate(&gate).deltas(&endless).gate(&Gate::new()).script());
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    let mut turn = editor.prompt(&session, "flood");
    vendor.wait_busy(1);
    editor.stop_reading();
    gate.open();
    let id = editor.request("souffleur/session/cancel", json!({"sessionId": session}));
    assert_eq!(vendor.outcome(0), Outcome::ClientGone, "the request is given up although nobody reads");
    editor.read_on();
    editor.finish(&mut turn);
    turn.assert_stop(TurnStopReason::Cancelled);
    assert_eq!(editor.response(&id).1.unwrap(), json!({"cancelled": true}));
}
