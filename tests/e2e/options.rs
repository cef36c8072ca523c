//! What settings and prompts ask of the model arrives there, and what it would refuse is refused before.

use serde_json::{Value, json};
use souffleur::chat::TurnStopReason;

use crate::support::answer::Answer;
use crate::support::editor::Editor;
use crate::support::script::Script;
use crate::support::setup::Setup;
use crate::support::turn::Turn;
use crate::support::vendor::Vendor;

fn prompt_with(editor: &Editor, session: &str, content: &Value, options: &Value) -> Turn {
    let token = editor.token();
    let params = json!({"sessionId": session, "streamToken": token, "content": content, "options": options});
    let result = editor.call_ok("souffleur/session/prompt", params);
    let mut turn = editor.turn_of(token, result["turnId"].as_str().unwrap());
    editor.finish(&mut turn);
    turn
}

fn text(text: &str) -> Value {
    json!([{"type": "text", "text": text}])
}

#[test]
fn settings_and_options_reach_the_model() {
    let vendor = Vendor::start();
    vendor.answer_with(|_| Answer::says("ok"));
    let settings = json!({
        "effort": "low", "thinkingDisplay": "omitted", "maxOutputTokens": 9000,
        "promptCache": {"ttl": "1h"},
        "providers": {"anthropic": {"betas": ["x-2026"], "userId": "u", "serviceTier": "standard_only",
            "version": "2023-06-01"}}
    });
    let editor = Setup::anthropic(&vendor).options(settings).start();
    let session = editor.new_session();
    editor.ask(&session, "hi");
    let options = json!({
        "effort": "max", "maxOutputTokens": 5000, "stopSequences": ["END"], "toolChoice": {"type": "none"},
        "thinking": {"type": "adaptive"}
    });
    prompt_with(&editor, &session, &text("again"), &options);
    let (first, second) = (vendor.request(0), vendor.request(1));
    assert_eq!(first.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(first.header("anthropic-beta"), Some("x-2026"));
    let body = &first.body;
    assert_eq!((&body["output_config"]["effort"], &body["max_tokens"]), (&json!("low"), &json!(9000)));
    assert_eq!(body["thinking"], json!({"type": "adaptive", "display": "omitted"}));
    assert_eq!((&body["metadata"]["user_id"], &body["service_tier"]), (&json!("u"), &json!("standard_only")));
    assert_eq!(body["system"].as_array().unwrap().last().unwrap()["cache_control"]["ttl"], "1h");
    let body = &second.body;
    assert_eq!((&body["output_config"]["effort"], &body["max_tokens"]), (&json!("max"), &json!(5000)));
    assert_eq!((&body["stop_sequences"], &body["tool_choice"]), (&json!(["END"]), &json!({"type": "none"})));
}

#[test]
fn the_cache_is_used_unless_it_is_turned_off() {
    for (settings, used) in [(json!({}), true), (json!({"promptCache": {"enabled": false}}), false)] {
        let vendor = Vendor::start();
        vendor.push(Answer::says("ok"));
        let editor = Setup::anthropic(&vendor).options(settings).start();
        editor.ask(&editor.new_session(), "hi");
        let raw = String::from_utf8(vendor.request(0).raw).unwrap();
        assert_eq!(raw.matches("cache_control").count(), if used { 3 } else { 0 });
    }
}

#[test]
fn what_the_model_would_refuse_is_refused_before_it_is_sent() {
    let vendor = Vendor::start();
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    for (options, says) in [
        (json!({"thinking": {"type": "disabled"}}), "disabled"),
        (json!({"thinking": {"type": "enabled", "budgetTokens": 2000}}), "enabled"),
        (json!({"toolChoice": {"type": "any"}}), "forced"),
    ] {
        let turn = prompt_with(&editor, &session, &text("hi"), &options);
        let error = turn.assert_error("provider.bad_request");
        assert!(error.message.contains(says) && error.hint.is_some(), "{error:?}");
    }
    assert_eq!(vendor.request_count(), 0);
}

#[test]
fn images_and_documents_are_sent_and_bad_ones_are_not() {
    let pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
    let vendor = Vendor::start();
    vendor.answer_with(|_| Answer::says("a pixel"));
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    let image = |kind: &str| json!({"type": "image", "source": {"type": "base64", "mediaType": kind, "data": pixel}});
    let document = json!({"type": "document", "title": "Notes", "source": {"type": "text", "text": "plain"}});
    let content = json!([image("image/png"), document, {"type": "text", "text": "What is it?"}]);
    prompt_with(&editor, &session, &content, &json!({})).assert_stop(TurnStopReason::EndTurn);
    let sent = &vendor.request(0).body["messages"][0]["content"];
    assert_eq!(sent[0]["source"], json!({"type": "base64", "media_type": "image/png", "data": pixel}));
    assert_eq!((&sent[1]["type"], &sent[1]["title"]), (&json!("document"), &json!("Notes")));
    let loaded = editor.load(&session);
    assert_eq!(serde_json::to_value(&loaded.items[0]).unwrap()["content"], content);
    let other = editor.new_session();
    let turn = prompt_with(&editor, &other, &json!([image("image/gif")]), &json!({}));
    assert!(turn.assert_error("provider.bad_request").message.contains("image/png"));
    assert_eq!(vendor.request_count(), 1);
}

#[test]
fn a_model_that_will_be_retired_is_told() {
    let vendor = Vendor::start();
    vendor.answer_with(|_| Answer::says("ok"));
    let editor = Setup::anthropic(&vendor).env("SOUFFLEUR_MODEL", "anthropic:claude-mythos-preview").start();
    let turn = editor.ask(&editor.new_session(), "hi");
    assert_eq!(turn.notices(), ["model.retired"]);
    let editor = Setup::anthropic(&vendor).env("SOUFFLEUR_MODEL", "anthropic:claude-of-tomorrow").start();
    let turn = editor.ask(&editor.new_session(), "hi");
    assert_eq!((turn.notices().len(), turn.end().cost), (0, None), "any id is taken, its price is not known");
}

#[test]
fn the_cost_is_exact_and_shows_what_the_cache_saved() {
    let vendor = Vendor::start();
    let usage = json!({"input_tokens": 100, "output_tokens": 1, "cache_read_input_tokens": 40_000,
        "cache_creation_input_tokens": 2_000, "cache_creation": {"ephemeral_5m_input_tokens": 1_500,
        "ephemeral_1h_input_tokens": 500}});
    let answer = Answer::with_usage(crate::support::answer::Style::Plain, &usage).text(&["x"]);
    vendor.push(answer.end_with("end_turn", &json!({"output_tokens": 300})).script());
    let editor = Setup::anthropic(&vendor).start();
    let turn = editor.ask(&editor.new_session(), "hi");
    // claude-sonnet-5-5: 2 $ in, 10 $ out, 0.10 $ read: 200 + 3000 + 4000 + 1500*2.5 + 500*4 = 12950 millionths;
    // without a cache 42100*2 + 3000 = 87200.
    let cost = turn.end().cost.unwrap();
    assert_eq!((cost.micro_usd, cost.saved_micro_usd), (12_950, 74_250));
}

#[test]
fn the_cache_is_warmed_on_the_users_word() {
    let vendor = Vendor::start();
    let answer = json!({"type": "message", "content": [], "stop_reason": "max_tokens",
        "usage": {"input_tokens": 3, "output_tokens": 0, "cache_creation_input_tokens": 1000}});
    vendor.push(Script::status(200).header("content-type", "application/json").body(answer.to_string()));
    vendor.push(Answer::says("quick"));
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    assert_eq!(vendor.request_count(), 0, "nothing leaves before the user says so");
    let warmed = editor.call_ok("souffleur/session/warm", json!({"sessionId": session}));
    // claude-sonnet-5-5: 3*2 + 1000*2.5.
    assert_eq!((&warmed["usage"]["cacheWriteTokens"], &warmed["cost"]["microUsd"]), (&json!(1000), &json!(2506)));
    editor.ask(&session, "hi");
    let (warm, first) = (vendor.request(0).body, vendor.request(1).body);
    assert_eq!((&warm["max_tokens"], warm.get("stream")), (&json!(0), None));
    assert_eq!(
        (&warm["tools"], &warm["system"]),
        (&first["tools"], &first["system"]),
        "the same prefix, marks included"
    );
    assert_eq!(warm["thinking"], first["thinking"]);
    assert!(!warm["messages"].to_string().contains("cache_control"), "the placeholder is not cached");
    let used = editor.call_ok("souffleur/session/usage", json!({"sessionId": session}));
    assert_eq!(used["usage"]["cacheWriteTokens"], 1000);
    let simulated = editor.new_session_with(json!({"model": "sim:default"})).session_id;
    assert_eq!(editor.call_ok("souffleur/session/warm", json!({"sessionId": simulated})), json!({}));
}
