//! Who waits for whom, and what comes before what.

use std::collections::HashMap;

use serde_json::json;
use souffleur::protocol::SessionStatus;

use crate::support::answer::Answer;
use crate::support::script::Gate;
use crate::support::setup::Setup;
use crate::support::turn::message_text;
use crate::support::vendor::Vendor;

#[test]
fn held_prompts_block_nobody() {
    let (vendor, gate) = (Vendor::start(), Gate::new());
    let held = gate.clone();
    vendor.answer_with(move |_| Answer::says("at last").head_after(&held));
    let editor = Setup::anthropic(&vendor).start();
    let mut turns: Vec<_> = (0..20).map(|_| editor.prompt(&editor.new_session(), "hi")).collect();
    vendor.wait_busy(20);
    for _ in 0..50 {
        let session = editor.new_session();
        editor.load(&session);
        editor.call_ok("souffleur/session/list", json!({}));
        editor.call_ok("souffleur/session/close", json!({"sessionId": session}));
    }
    gate.open();
    for turn in &mut turns {
        editor.finish(turn);
        assert_eq!(turn.text(), "at last");
    }
}

/// Enough requests at once to fill every queue that has an end: all are answered, in their order.
#[test]
fn two_thousand_requests_at_once_are_all_answered_once() {
    let editor = Setup::sim().start();
    let session = editor.new_session();
    let ids: Vec<_> =
        (0..2000).map(|_| editor.request("souffleur/session/load", json!({"sessionId": session}))).collect();
    let mut busy = 0;
    for id in &ids {
        if let Err(error) = editor.response(id).1 {
            error.assert_code("server.busy");
            busy += 1;
        }
    }
    assert!(busy < 2000, "none was served");
    editor.load(&session);
}

#[test]
fn thirty_two_sessions_stream_at_once_and_none_hears_another() {
    let (vendor, gate) = (Vendor::start(), Gate::new());
    let held = gate.clone();
    let words = |name: &str| (0..100).map(|number| format!("{name}.{number} ")).collect::<Vec<_>>();
    vendor.answer_with(move |request| {
        let text = request.last_text();
        let name = text.split_whitespace().find(|word| word.starts_with("session")).unwrap_or("nobody");
        let words = words(name);
        let deltas: Vec<&str> = words.iter().map(String::as_str).collect();
        Answer::new().open_text().gate(&held).deltas(&deltas).close_block().end("end_turn").script()
    });
    let editor = Setup::anthropic(&vendor).start();
    let mut turns = HashMap::new();
    for number in 0..32 {
        let name = format!("session{number}");
        turns.insert(name.clone(), editor.prompt(&editor.new_session(), &name));
    }
    vendor.wait_busy(32);
    gate.open();
    for (name, turn) in &mut turns {
        editor.finish(turn);
        assert_eq!(turn.text(), words(name).concat());
    }
}

/// A response may be relied on: whatever it tells of the stream has been said on the stream before.
#[test]
fn a_response_comes_after_the_notifications_sent_before_it() {
    let (vendor, gate) = (Vendor::start(), Gate::new());
    let words: Vec<String> = (0..500).map(|number| format!("{number} ")).collect();
    let deltas: Vec<&str> = words.iter().map(String::as_str).collect();
    vendor.push(Answer::new().open_text().gate(&gate).deltas(&deltas).close_block().end("end_turn").script());
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    let mut turn = editor.prompt(&session, "count");
    vendor.wait_busy(1);
    gate.open();
    let mut snapshots = Vec::new();
    loop {
        let id = editor.request("souffleur/session/load", json!({"sessionId": session}));
        let (number, result) = editor.response(&id);
        let loaded: souffleur::protocol::LoadResult = serde_json::from_value(result.unwrap()).unwrap();
        let idle = loaded.session.status == SessionStatus::Idle;
        snapshots.push((number, message_text(&loaded.items), idle));
        if idle {
            break;
        }
    }
    editor.finish(&mut turn);
    for (number, text, idle) in snapshots {
        let said = turn.text_before(number);
        assert!(
            said.starts_with(&text),
            "the response {number} knows more than was said before it: {text:?}, {said:?}"
        );
        assert!(!idle || turn.last_number() < number, "the session is idle before its turn has ended");
    }
}

#[test]
fn a_prompt_can_follow_the_end_at_once() {
    let editor = Setup::sim().start();
    let session = editor.new_session();
    for number in 0..100 {
        // The prompt goes out as soon as the end was read: the session must not call itself busy then.
        let turn = editor.ask(&session, &format!("sim> text {number}"));
        assert!(turn.text().contains(&number.to_string()));
    }
}
