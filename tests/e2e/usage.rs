//! What a session used, and how full its context is.

use serde_json::{Value, json};

use crate::support::answer::{Answer, Style};
use crate::support::editor::Editor;
use crate::support::script::{Gate, Script};
use crate::support::setup::Setup;
use crate::support::vendor::Vendor;

fn usage(editor: &Editor, session: &str) -> Value {
    editor.call_ok("souffleur/session/usage", json!({"sessionId": session}))
}

fn counted(editor: &Editor, session: &str) -> Value {
    editor.call_ok("souffleur/session/usage", json!({"sessionId": session, "count": true}))
}

fn answer(input: u64, read: u64, output: u64) -> Answer {
    let usage = json!({"input_tokens": input, "output_tokens": 1, "cache_read_input_tokens": read});
    let answer = Answer::with_usage(Style::Plain, &usage);
    answer.text(&["x"]).end_with("end_turn", &json!({"output_tokens": output}))
}

fn count_of(tokens: u64) -> Script {
    let body = json!({"input_tokens": tokens}).to_string();
    Script::status(200).header("content-type", "application/json").body(body)
}

#[test]
fn the_sums_are_of_all_turns_and_the_last_request_fills_the_context() {
    let vendor = Vendor::start();
    vendor.push(answer(100, 0, 10).script());
    vendor.push(answer(7, 1_000, 20).script());
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    let none = json!({"inputTokens": 0, "outputTokens": 0, "cacheReadTokens": 0, "cacheWriteTokens": 0,
        "cacheWrite1hTokens": 0, "thinkingTokens": 0});
    assert_eq!(usage(&editor, &session), json!({"usage": none, "turns": 0, "contextWindow": 1_000_000}));
    let ends = [editor.ask(&session, "one"), editor.ask(&session, "two")].map(|turn| turn.end().cost.unwrap());
    let said = usage(&editor, &session);
    assert_eq!((&said["usage"]["inputTokens"], &said["usage"]["outputTokens"]), (&json!(107), &json!(30)));
    // claude-sonnet-5-5: 100*2 + 10*10 = 300 millionths; 7*2 + 1000*0.1 + 20*10 = 314.
    assert_eq!(ends.map(|cost| cost.micro_usd), [300, 314]);
    assert_eq!((&said["cost"]["microUsd"], &said["turns"]), (&json!(614), &json!(2)));
    assert_eq!(said["cost"]["savedMicroUsd"], 1_900);
    assert_eq!(said["lastRequest"]["usage"]["cacheReadTokens"], 1_000);
    assert_eq!(said["lastRequest"]["contextTokens"], 1_027);
    assert_eq!(said.get("counted"), None);
    assert_eq!(vendor.request_count(), 2);
}

#[test]
fn a_running_turn_counts_with_what_is_known_of_it() {
    let vendor = Vendor::start();
    let gate = Gate::new();
    let call = Answer::new().tool_use("t1", "read_file", &["{\"path\":\"a\"}"]).end("tool_use");
    vendor.push(call.script());
    vendor.push(Answer::new().gate(&gate).text(&["done"]).end("end_turn").script());
    let editor = Setup::anthropic(&vendor).file("a", "A").start();
    let session = editor.new_session();
    let mut turn = editor.prompt(&session, "hi");
    vendor.request(1);
    let said = usage(&editor, &session);
    assert_eq!((&said["usage"]["inputTokens"], &said["usage"]["outputTokens"]), (&json!(25), &json!(15)));
    assert_eq!((&said["turns"], &said["lastRequest"]["contextTokens"]), (&json!(1), &json!(40)));
    gate.open();
    editor.finish(&mut turn);
    assert_eq!(usage(&editor, &session)["usage"]["inputTokens"], 50);
}

#[test]
fn a_sum_with_an_unknown_price_has_no_cost_and_simulated_turns_have_none() {
    let vendor = Vendor::start();
    vendor.answer_with(|_| answer(100, 0, 10).script());
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    let with_model = |model: &str| {
        let token = editor.token();
        let params = json!({"sessionId": session, "streamToken": token, "model": model,
            "content": [{"type": "text", "text": "hi"}]});
        let result = editor.call_ok("souffleur/session/prompt", params);
        let mut turn = editor.turn_of(token, result["turnId"].as_str().unwrap());
        editor.finish(&mut turn);
        usage(&editor, &session)
    };
    let said = with_model("sim:default");
    assert_eq!((said.get("cost"), &said["contextWindow"]), (None, &json!(200_000)));
    assert_eq!(with_model("anthropic:claude-opus-5")["cost"]["microUsd"], 750);
    assert_eq!(with_model("sim:default")["cost"]["microUsd"], 750);
    assert_eq!(with_model("anthropic:claude-of-tomorrow").get("cost"), None);
    assert_eq!(with_model("anthropic:claude-opus-5").get("cost"), None);
}

#[test]
fn the_provider_counts_the_conversation_that_was_sent() {
    let vendor = Vendor::start();
    vendor.push(Answer::new().tool_use("t1", "read_file", &["{\"path\":\"a\"}"]).end("tool_use").script());
    vendor.push(Answer::says("done"));
    vendor.push(count_of(4_321));
    let settings = json!({"effort": "low", "providers": {"anthropic": {"betas": ["x-2026"], "userId": "u"}}});
    let editor = Setup::anthropic(&vendor).options(settings).file("a", "A").start();
    let session = editor.new_session();
    assert_eq!(counted(&editor, &session).get("counted"), None, "there is nothing to count yet");
    editor.ask(&session, "hi");
    let said = counted(&editor, &session);
    assert_eq!((&said["counted"], &said["usage"]["inputTokens"]), (&json!(4_321), &json!(50)));
    let (sent, asked) = (vendor.request(1), vendor.request(2));
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/v1/messages/count_tokens"));
    for header in ["x-api-key", "anthropic-version", "anthropic-beta", "content-type"] {
        assert_eq!(asked.header(header), sent.header(header), "{header}");
    }
    assert_eq!(asked.messages(), sent.messages());
    let kept = |body: &Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let only_for_answers = ["max_tokens", "stream", "metadata"];
    let expected: Vec<_> = kept(&sent.body).into_iter().filter(|key| !only_for_answers.contains(&&**key)).collect();
    assert_eq!(kept(&asked.body), expected);
    for key in expected {
        assert_eq!(asked.body[&key], sent.body[&key], "{key}");
    }
    assert_eq!(vendor.request_count(), 3);
}

#[test]
fn counting_fails_as_a_prompt_would_and_a_gateway_that_does_not_count_is_no_failure() {
    let vendor = Vendor::start();
    vendor.push(Answer::says("hello"));
    vendor.push(Script::error(403, "permission_error", "no"));
    vendor.push(Script::status(404).header("content-type", "text/html").body("<html>"));
    vendor.push(Script::status(200).header("content-type", "text/html").body("<html>"));
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    editor.ask(&session, "hi");
    let params = json!({"sessionId": session, "count": true});
    editor.call_err("souffleur/session/usage", params).assert_code("provider.permission");
    for _ in 0..2 {
        let said = counted(&editor, &session);
        assert_eq!((said.get("counted"), &said["turns"]), (None, &json!(1)));
    }
    let nowhere = json!({"sessionId": "ses_nowhere"});
    editor.call_err("souffleur/session/usage", nowhere).assert_code("session.not_found");
}

#[test]
fn counting_needs_a_credential_and_the_rest_does_not() {
    let vendor = Vendor::start();
    let setup = Setup::bare().env("ANTHROPIC_BASE_URL", &vendor.url());
    let editor = setup.env("SOUFFLEUR_MODEL", "anthropic:claude-opus-5").start();
    let session = editor.new_session();
    assert_eq!(usage(&editor, &session)["contextWindow"], 1_000_000);
    let params = json!({"sessionId": session, "count": true});
    editor.call_err("souffleur/session/usage", params).assert_code("auth.missing_key");
    let editor = Setup::sim().start();
    let session = editor.new_session();
    editor.ask(&session, "hi");
    assert_eq!(counted(&editor, &session).get("counted"), None, "the simulated provider does not count");
    assert_eq!(vendor.request_count(), 0);
}
