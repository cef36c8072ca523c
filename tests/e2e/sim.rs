//! The simulated provider: same path, no key, no network, and it says that it is simulated.

use serde_json::json;
use souffleur::chat::{ItemContent, TurnStopReason};

use crate::support::process::resident_kib;
use crate::support::setup::Setup;
use crate::support::vendor::Vendor;

#[test]
fn sim_says_that_it_is_simulated() {
    let editor = Setup::sim().start();
    let session = editor.new_session_with(json!({}));
    assert!(session.simulated);
    assert_eq!(session.model, "sim:default");
    let turn = editor.ask(session.session_id.as_str(), "Tell me about the theatre.");
    assert!(turn.begin().simulated);
    assert_eq!(turn.begin().model, "sim:default");
    assert!(turn.text().to_lowercase().contains("simulated"), "{:?}", turn.text());
    turn.assert_stop(TurnStopReason::EndTurn);
    assert!(turn.end().usage.output_tokens > 0);
    assert!(editor.load(session.session_id.as_str()).session.simulated);
}

#[test]
fn sim_needs_neither_key_nor_network() {
    let vendor = Vendor::start();
    let editor = Setup::sim().env("ANTHROPIC_BASE_URL", &vendor.url()).env("HTTPS_PROXY", &vendor.url()).start();
    editor.ask(&editor.new_session(), "hi");
    assert_eq!((vendor.request_count(), vendor.open_connections()), (0, 0));
}

#[test]
fn sim_plays_its_script() {
    let editor = Setup::sim().start();
    let session = editor.new_session();
    let turn = editor.ask(&session, "Please:\nsim> think about it\nsim> text the answer\nsim> stop max_tokens");
    assert!(turn.thinking().contains("about it"), "{:?}", turn.thinking());
    assert!(turn.text().contains("the answer"), "{:?}", turn.text());
    turn.assert_stop(TurnStopReason::MaxTokens);
    let turn = editor.ask(&session, "sim> stream 250");
    assert!(turn.deltas() > 0);
    turn.assert_stop(TurnStopReason::EndTurn);
}

#[test]
fn sim_is_deterministic() {
    let say = || {
        let editor = Setup::sim().start();
        let turn = editor.ask(&editor.new_session(), "sim> think a\nsim> stream 40\nsim> text b");
        (turn.thinking(), turn.text(), turn.end().usage)
    };
    assert_eq!(say(), say());
}

#[test]
fn sim_fails_on_demand() {
    let editor = Setup::sim().start();
    let session = editor.new_session();
    for (line, code) in [
        ("error overloaded_error", "provider.overloaded"),
        ("error rate_limit_error", "provider.rate_limited"),
        ("status 401", "auth.rejected"),
        ("status 429", "provider.rate_limited"),
        ("status 529", "provider.overloaded"),
        ("status 500", "provider.server_error"),
        ("html", "provider.unexpected_response"),
        ("cut", "provider.stream_broken"),
    ] {
        let turn = editor.ask(&session, &format!("sim> {line}"));
        turn.assert_error(code);
    }
    let refused = editor.ask(&session, "sim> refuse cyber");
    refused.assert_stop(TurnStopReason::Refusal);
    editor.ask(&session, "sim> text well again").assert_stop(TurnStopReason::EndTurn);
}

#[test]
fn sim_keeps_what_came_before_the_failure() {
    let editor = Setup::sim().start();
    let session = editor.new_session();
    for line in ["cut", "error api_error"] {
        let turn = editor.ask(&session, &format!("sim> text so far\nsim> {line}"));
        turn.assert_stop(TurnStopReason::Error);
        assert!(turn.text().contains("so far"), "{line}: {:?}", turn.text());
    }
}

#[test]
fn sim_follows_a_script_file_request_by_request() {
    let setup = Setup::bare().file("notes.txt", "read me\n");
    let script = setup.project().join("script.sim");
    let setup = setup
        .file("script.sim", "think first\ntool read_file {\"path\":\"notes.txt\"}\n---\ntext second\n---\ntext third\n")
        .env("SOUFFLEUR_SIM_SCRIPT", &script.to_string_lossy())
        .env("SOUFFLEUR_MODEL", "sim:default");
    let editor = setup.start();
    let session = editor.new_session();
    let turn = editor.ask(&session, "go");
    assert!(turn.thinking().contains("first"));
    assert!(turn.text().contains("second"), "{:?}", turn.text());
    let called = turn.items().iter().find_map(|item| match &item.content {
        ItemContent::ToolCall { name, input, output, is_error, .. } => {
            Some((name.clone(), input.clone(), output.clone(), *is_error))
        }
        _ => None,
    });
    let (name, input, output, is_error) = called.expect("a tool call");
    assert_eq!((name.as_str(), input, is_error), ("read_file", json!({"path": "notes.txt"}), false));
    assert!(output.iter().any(|block| block.as_text().is_some_and(|text| text.contains("read me"))), "{output:?}");
    assert!(editor.ask(&session, "and?").text().contains("third"));
}

#[test]
fn a_slow_simulated_stream_is_cancelled_in_the_middle() {
    let editor = Setup::sim().start();
    let session = editor.new_session();
    for line in ["stream 100000 5ms", "wait 1h"] {
        let mut turn = editor.prompt(&session, &format!("sim> text begun\nsim> {line}"));
        editor.wait_text(&mut turn, "begun");
        editor.call_ok("souffleur/session/cancel", json!({"sessionId": session}));
        editor.finish(&mut turn);
        turn.assert_stop(TurnStopReason::Cancelled);
    }
}

#[test]
fn a_thousand_turns_in_a_row_each_end_exactly_once() {
    let editor = Setup::sim().start();
    let session = editor.new_session();
    let mut after_a_hundred = None;
    for number in 0..1000 {
        if number == 100 {
            after_a_hundred = resident_kib(editor.pid());
        }
        // That seq has no gap and that the end is one and last is checked in every stream.
        let turn = editor.ask(&session, &format!("sim> think hm\nsim> text turn {number} is over"));
        assert!(turn.text().contains(&format!("turn {number} is over")), "{:?}", turn.text());
        turn.assert_stop(TurnStopReason::EndTurn);
    }
    if let (Some(before), Some(after)) = (after_a_hundred, resident_kib(editor.pid())) {
        // What 900 short turns say is kept; nothing else is.
        assert!(after < before + 12 * 1024, "{before} KiB after 100 turns, {after} KiB after 1000");
    }
    let loaded = editor.load(&session);
    assert_eq!(loaded.session.turns, 1000);
    let users = loaded.items.iter().filter(|item| matches!(item.content, ItemContent::UserMessage { .. }));
    assert_eq!(users.count(), 1000);
}
