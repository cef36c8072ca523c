//! A client that comes late sees the same as one that was there.

use serde_json::json;
use souffleur::chat::{Item, ItemStatus, TurnStopReason};
use souffleur::protocol::SessionStatus;

use crate::support::answer::Answer;
use crate::support::script::Gate;
use crate::support::setup::Setup;
use crate::support::turn::message_text;
use crate::support::vendor::Vendor;

#[test]
fn a_late_joiner_gets_a_snapshot_and_exactly_what_follows() {
    let (vendor, gate) = (Vendor::start(), Gate::new());
    let words: Vec<String> = (0..60).map(|number| format!("{number} ")).collect();
    let mut answer = Answer::new().thinking(&["hm"], "c2ln").open_text();
    for word in &words {
        answer = answer.gate(&gate).deltas(&[word]);
    }
    vendor.push(answer.close_block().end("end_turn").script());
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    let mut turn = editor.prompt(&session, "count");
    let mut late = Vec::new();
    for part in 0..6 {
        let seen: String = words[..part * 10].concat();
        if part > 0 {
            gate.pass(10);
            editor.wait_text(&mut turn, &seen);
        }
        // The vendor waits: nothing more can come, so the snapshot holds exactly what was seen.
        let (_, loaded, joined) = editor.join(&session);
        assert_eq!(loaded.session.status, SessionStatus::Running);
        let running = loaded.running.as_ref().expect("a running turn");
        assert_eq!((running.turn_id.as_str(), running.streaming), (turn.turn_id.as_str(), true));
        assert_eq!(message_text(&loaded.items), seen);
        late.push((seen, joined));
    }
    gate.open();
    editor.finish(&mut turn);
    for (seen, mut joined) in late {
        // The rules of streams already demand that the snapshot plus the deltas is the completed item.
        editor.finish(&mut joined);
        assert_eq!(joined.begin().turn_id.as_str(), turn.turn_id);
        assert_eq!(joined.end(), turn.end());
        assert_eq!(seen + &joined.text(), words.concat());
        assert_eq!(message_text(joined.items()), words.concat());
    }
}

#[test]
fn a_late_joiner_loses_nothing_in_full_flow() {
    let vendor = Vendor::start();
    let words: Vec<String> = (0..3000).map(|number| format!("{number} ")).collect();
    let deltas: Vec<&str> = words.iter().map(String::as_str).collect();
    let gate = Gate::new();
    vendor.push(Answer::new().open_text().gate(&gate).deltas(&deltas).close_block().end("end_turn").script());
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    let mut turn = editor.prompt(&session, "count");
    vendor.wait_busy(1);
    gate.open();
    let mut joined_running = 0;
    for _ in 0..20 {
        editor.catch_up(&mut turn);
        let (_, loaded, mut joined) = editor.join(&session);
        if loaded.running.is_none() {
            assert_eq!(message_text(&loaded.items), words.concat());
            continue;
        }
        joined_running += 1;
        let before = message_text(&loaded.items);
        if joined_running % 2 == 0 {
            editor.finish(&mut joined);
            assert_eq!(before + &joined.text(), words.concat());
        } else {
            editor.ignore_stream(&joined);
        }
    }
    editor.finish(&mut turn);
    assert_eq!(turn.text(), words.concat());
}

#[test]
fn a_session_at_rest_streams_nothing() {
    let editor = Setup::sim().start();
    let session = editor.new_session();
    let turn = editor.ask(&session, "sim> think hm\nsim> text hello");
    let (_, loaded, _joined) = editor.join(&session);
    assert_eq!((loaded.running, loaded.session.status), (None, SessionStatus::Idle));
    assert!(loaded.items.iter().all(|item| item.status == ItemStatus::Completed));
    let streamed: Vec<&Item> = loaded.items.iter().filter(|item| turn.items().contains(item)).collect();
    assert_eq!(streamed.len(), turn.items().len(), "what was streamed as completed is what is kept");
    // A stream for the token of the load would be left unread, and fail the test.
    editor.ask(&session, "sim> text again").assert_stop(TurnStopReason::EndTurn);
}

#[test]
fn sessions_are_listed_in_pages_the_latest_first() {
    let editor = Setup::sim().start();
    let mut made: Vec<String> = (0..25).map(|_| editor.new_session()).collect();
    made.reverse();
    let (mut listed, mut cursor) = (Vec::new(), None);
    for page in 0..4 {
        let params = match &cursor {
            None => json!({"limit": 10}),
            Some(cursor) => json!({"limit": 10, "cursor": cursor}),
        };
        let result = editor.call_ok("souffleur/session/list", params);
        let sessions = result["sessions"].as_array().unwrap();
        listed.extend(sessions.iter().map(|session| session["sessionId"].as_str().unwrap().to_owned()));
        cursor = result.get("nextCursor").cloned();
        if cursor.is_none() {
            assert_eq!(page, 2);
            break;
        }
    }
    assert_eq!(listed, made);
    let elsewhere = json!({"workspaceUri": "file:///elsewhere"});
    assert_eq!(editor.call_ok("souffleur/session/list", elsewhere)["sessions"], json!([]));
}
