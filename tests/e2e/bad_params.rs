//! Requests that are frames and JSON-RPC, and yet wrong.

use serde_json::{Value, json};
use souffleur::chat::TurnStopReason;

use crate::support::answer::Answer;
use crate::support::script::Gate;
use crate::support::setup::Setup;
use crate::support::vendor::Vendor;

const INVALID_PARAMS: i64 = -32602;

fn text(text: &str) -> Value {
    json!([{"type": "text", "text": text}])
}

#[test]
fn an_unknown_session_is_named_by_every_method() {
    let editor = Setup::sim().start();
    for (method, params) in [
        ("souffleur/session/load", json!({"sessionId": "ses_nowhere"})),
        ("souffleur/session/cancel", json!({"sessionId": "ses_nowhere"})),
        ("souffleur/session/close", json!({"sessionId": "ses_nowhere"})),
        ("souffleur/session/prompt", json!({"sessionId": "ses_nowhere", "content": text("hi"), "streamToken": "t"})),
    ] {
        let error = editor.call_err(method, params).assert_code("session.not_found");
        assert!(error.message.contains("ses_nowhere"), "{method}: {}", error.message);
        assert!(!error.retryable);
    }
}

#[test]
fn a_closed_session_is_gone() {
    let editor = Setup::sim().start();
    let session = editor.new_session();
    editor.call_ok("souffleur/session/close", json!({"sessionId": session}));
    let params = json!({"sessionId": session, "content": text("hi"), "streamToken": "t"});
    let code = editor.call_err("souffleur/session/prompt", params).user().code;
    assert!(["session.not_found", "session.closed"].contains(&code.as_str()), "{code}");
}

#[test]
fn an_unknown_provider_lists_those_there_are() {
    let editor = Setup::sim().start();
    let session = editor.new_session();
    let prompt = json!({"sessionId": session, "content": text("hi"), "streamToken": "t", "model": "oracle:delphi"});
    for (method, params) in
        [("souffleur/session/new", json!({"model": "oracle:delphi"})), ("souffleur/session/prompt", prompt)]
    {
        let error = editor.call_err(method, params).assert_code("provider.unknown");
        let said = format!("{} {}", error.message, error.hint.unwrap_or_default());
        for word in ["oracle", "anthropic", "sim"] {
            assert!(said.contains(word), "{method}: {word} is not in {said:?}");
        }
    }
    // The refused prompt took nothing: the session still has its model and takes a prompt.
    assert_eq!(editor.load(&session).session.model, "sim:default");
    editor.ask(&session, "sim> text hi").assert_stop(TurnStopReason::EndTurn);
}

#[test]
fn a_model_without_a_name_or_a_provider_is_refused() {
    let editor = Setup::sim().start();
    for model in ["", ":", "anthropic:", "sim:", "  "] {
        let error = editor.call_err("souffleur/session/new", json!({"model": model}));
        let code = error.user().code;
        assert!(["model.invalid", "provider.unknown"].contains(&code.as_str()), "{model:?}: {code}");
    }
    editor.call_err("souffleur/session/new", json!({"model": "anthropic:"})).assert_code("model.invalid");
    editor.call_err("souffleur/session/new", json!({"model": "claude"})).assert_code("model.invalid");
}

#[test]
fn a_model_name_may_contain_colons() {
    let editor = Setup::sim().start();
    let session = editor.new_session_with(json!({"model": "sim:a:b"}));
    assert_eq!(session.model, "sim:a:b");
}

#[test]
fn an_empty_prompt_is_refused_and_takes_nothing() {
    let editor = Setup::sim().start();
    let session = editor.new_session();
    for content in
        [json!([]), text(""), text(" \n\t"), json!([{"type": "text", "text": ""}, {"type": "text", "text": " "}])]
    {
        let params = json!({"sessionId": session, "content": content, "streamToken": "t"});
        editor.call_err("souffleur/session/prompt", params).assert_code("session.empty_prompt");
    }
    let loaded = editor.load(&session);
    assert_eq!((loaded.session.turns, loaded.items.len()), (0, 0));
}

#[test]
fn an_unknown_content_block_is_refused_not_dropped() {
    let editor = Setup::sim().start();
    let session = editor.new_session();
    let content = json!([{"type": "text", "text": "look"}, {"type": "hologram", "data": "…"}]);
    let params = json!({"sessionId": session, "content": content, "streamToken": "t"});
    editor.call_err("souffleur/session/prompt", params).assert_code("session.unsupported_content");
    assert_eq!(editor.load(&session).items.len(), 0);
}

#[test]
fn a_prompt_while_a_turn_runs_is_refused_and_nothing_is_lost() {
    let (vendor, gate) = (Vendor::start(), Gate::new());
    vendor.push(
        Answer::new()
            .open_text()
            .deltas(&["first "])
            .gate(&gate)
            .deltas(&["turn"])
            .close_block()
            .end("end_turn")
            .script(),
    );
    vendor.push(Answer::says("second turn"));
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    let mut first = editor.prompt(&session, "one");
    editor.wait_deltas(&mut first, 1);
    for _ in 0..10 {
        let params = json!({"sessionId": session, "content": text("two"), "streamToken": editor.token()});
        let error = editor.call_err("souffleur/session/prompt", params).assert_code("session.busy");
        assert!(error.retryable);
    }
    gate.open();
    editor.finish(&mut first);
    assert_eq!(first.text(), "first turn");
    assert_eq!(editor.ask(&session, "two").text(), "second turn");
    assert_eq!(vendor.request(1).messages().len(), 3, "the refused prompts are not in the history");
}

#[test]
fn a_stream_token_in_use_is_refused() {
    let (vendor, gate) = (Vendor::start(), Gate::new());
    vendor.push(Answer::new().gate(&gate).text(&["done"]).end("end_turn").script());
    let editor = Setup::anthropic(&vendor).start();
    let (one, other) = (editor.new_session(), editor.new_session());
    let mut turn = editor.prompt_as(&one, "hi", json!(7));
    vendor.request(0);
    let params = json!({"sessionId": other, "content": text("hi"), "streamToken": 7});
    let error = editor.call_err("souffleur/session/prompt", params);
    assert!(error.message.contains("streamToken"), "{error:?}");
    gate.open();
    editor.finish(&mut turn);
}

#[test]
fn wrong_types_are_answered_with_the_field() {
    let editor = Setup::sim().start();
    let session = editor.new_session();
    let good = json!({"sessionId": session, "content": text("hi"), "streamToken": "t"});
    let with = |field: &str, value: Value| {
        let mut params = good.clone();
        params[field] = value;
        params
    };
    let prompt = "souffleur/session/prompt";
    for (method, params, field) in [
        (prompt, with("content", json!([{"type": "text", "text": 5}])), "content[0].text"),
        (prompt, with("content", json!([{"type": "text", "text": "a"}, {"type": "text"}])), "content[1]"),
        (prompt, with("content", json!("hi")), "content"),
        (prompt, with("streamToken", json!({"a": 1})), "streamToken"),
        (prompt, with("streamToken", json!(1.5)), "streamToken"),
        (prompt, with("sessionId", json!(7)), "sessionId"),
        (prompt, with("model", json!([])), "model"),
        (prompt, json!({"sessionId": session, "content": text("hi")}), "streamToken"),
        ("souffleur/session/new", json!({"title": 1}), "title"),
        ("souffleur/session/list", json!({"limit": "many"}), "limit"),
        ("souffleur/session/list", json!({"limit": -1}), "limit"),
        ("souffleur/session/load", json!({}), "sessionId"),
        ("souffleur/session/cancel", json!({"sessionId": session, "turnId": 1}), "turnId"),
    ] {
        let error = editor.call_err(method, params.clone());
        assert_eq!(error.code, INVALID_PARAMS, "{method} {params}: {error:?}");
        assert!(error.message.contains(field), "{method} {params}: {field} is not in {:?}", error.message);
        error.assert_code("protocol.invalid_params");
    }
    for params in [json!([]), json!([1, 2]), Value::Null] {
        let error = editor.call_err(prompt, params.clone());
        assert_eq!(error.code, INVALID_PARAMS, "{params}: {error:?}");
    }
    assert_eq!(editor.load(&session).session.turns, 0);
}

#[test]
fn unknown_fields_are_tolerated() {
    let editor = Setup::sim().start();
    let session = editor.new_session_with(json!({"colour": "red"}));
    let token = editor.token();
    let params = json!({"sessionId": session.session_id, "streamToken": token, "mood": {"a": [1]},
        "content": [{"type": "text", "text": "hi", "font": "serif"}]});
    editor.call_ok("souffleur/session/prompt", params);
    editor.wait_for("the end of the turn", |message| {
        message.is_progress_of(&token) && message.body["params"]["value"]["kind"] == "end"
    });
    editor.ignore(move |message| message.is_progress_of(&token));
}

#[test]
fn unknown_methods_are_answered() {
    let editor = Setup::sim().start();
    for method in ["souffleur/session/levitate", "textDocument/levitate", "$/levitate"] {
        let error = editor.call_err(method, json!({}));
        assert_eq!(error.code, -32601, "{method}: {error:?}");
    }
    editor.notify("$/levitate", json!({}));
    editor.notify("souffleur/levitated", json!({}));
    editor.call_ok("souffleur/session/list", json!({}));
}

#[test]
fn a_missing_key_is_said_before_anything_leaves() {
    let vendor = Vendor::start();
    let editor = Setup::bare()
        .env("ANTHROPIC_BASE_URL", &vendor.url())
        .env("SOUFFLEUR_MODEL", "anthropic:claude-sonnet-5-5")
        .start();
    let session = editor.new_session();
    let token = editor.token();
    let params = json!({"sessionId": session, "content": text("hi"), "streamToken": token});
    // Where it is said is the server's choice: as the answer to the prompt, or as the end of the turn.
    let error = if let Err(error) = editor.call("souffleur/session/prompt", params) {
        error.user()
    } else {
        let end = editor.wait_for("the end of the turn", |message| {
            message.is_progress_of(&token) && message.body["params"]["value"]["kind"] == "end"
        });
        editor.ignore(move |message| message.is_progress_of(&token));
        serde_json::from_value(end.body["params"]["value"]["error"].clone()).unwrap()
    };
    assert_eq!(error.code.as_str(), "auth.missing_key");
    let said = format!("{} {}", error.message, error.hint.unwrap_or_default());
    assert!(said.contains("ANTHROPIC_API_KEY"), "{said}");
    assert_eq!(vendor.request_count(), 0);
}
