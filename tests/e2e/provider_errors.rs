//! What goes wrong between us and each vendor besides Anthropic, whose failures are in `upstream.rs`: each is told by
//! its class, with what can be done, and is sent again only where that may help.

use serde_json::json;
use souffleur::chat::{SessionUpdate, TurnStopReason};

use crate::support::script::{Script, Step};
use crate::support::secrets::PLAIN_KEY;
use crate::support::setup::Setup;
use crate::support::turn::Turn;
use crate::support::vendors::apis::{APIS, Api};
use crate::support::vendors::chat::{self, Chunks};
use crate::support::vendors::responses;

/// One prompt to a vendor that answers every request so.
fn ask(api: &Api, script: Script, retries: u32) -> (Turn, usize) {
    let vendor = api.vendor();
    vendor.answer_with(move |_| script.clone());
    let setup = api.setup(&vendor).env("SOUFFLEUR_RETRY_BASE_DELAY_MS", "2");
    let editor = setup.env("SOUFFLEUR_MAX_RETRIES", &retries.to_string()).start();
    let turn = editor.ask(&editor.new_session(), "hi");
    (turn, api.asked(&vendor).len())
}

fn hint(turn: &Turn) -> String {
    turn.end().error.as_ref().and_then(|error| error.hint.clone()).unwrap_or_default()
}

#[test]
fn an_error_status_is_told_by_its_code_and_tried_again_only_where_that_may_help() {
    // Status, type, code, message, our code, how often it is sent with two retries.
    let openai = [
        (400, "invalid_request_error", "context_length_exceeded", "too long", "provider.context_too_long", 1),
        (400, "invalid_request_error", "unsupported_parameter", "no top_k", "provider.bad_request", 1),
        (401, "invalid_request_error", "invalid_api_key", "bad key", "auth.rejected", 1),
        (403, "permission_error", "unsupported_country", "not here", "provider.permission", 1),
        (404, "invalid_request_error", "model_not_found", "no such model", "model.not_found", 1),
        (413, "invalid_request_error", "", "huge", "provider.payload_too_large", 1),
        (422, "invalid_request_error", "", "odd", "provider.bad_request", 1),
        (429, "insufficient_quota", "insufficient_quota", "no money", "provider.billing", 1),
        (429, "tokens", "rate_limit_exceeded", "slow down", "provider.rate_limited", 3),
        (500, "server_error", "", "broken", "provider.server_error", 3),
        (502, "server_error", "", "broken", "provider.server_error", 3),
        (503, "service_unavailable_error", "server_is_overloaded", "busy", "provider.overloaded", 3),
        (504, "server_error", "", "late", "provider.timeout", 3),
    ];
    let ollama = [
        (400, "the prompt is longer than the context length currently available", "provider.context_too_long", 1),
        (400, "invalid options", "provider.bad_request", 1),
        (401, "unauthorized", "auth.rejected", 1),
        (403, "cloud is disabled", "provider.permission", 1),
        (404, "model 'qwen3:8b' not found", "model.not_found", 1),
        (500, "llama runner process has terminated", "provider.server_error", 3),
        (500, "model requires more system memory (9 GiB) than is available", "provider.server_error", 1),
        (503, "server busy, please try again.  maximum pending requests exceeded", "provider.overloaded", 3),
    ];
    for api in APIS {
        let rows: Vec<_> = match api.provider {
            "ollama" => ollama.iter().map(|row| (row.0, "", "", row.1, row.2, row.3)).collect(),
            _ => openai.to_vec(),
        };
        for (status, kind, code, message, expected, sent) in rows {
            let row = format!("{} {status} {code} {message}", api.provider);
            let (turn, count) = ask(&api, (api.error)(status, kind, code, message), 2);
            assert_eq!(turn.end().stop_reason, TurnStopReason::Error, "{row}");
            let error = turn.end().error.as_ref().unwrap();
            assert_eq!((error.code.as_str(), count), (expected, sent), "{row}: {error:?}");
            assert!(error.message.contains(message) && !error.message.contains(PLAIN_KEY), "{row}: {error:?}");
            assert_eq!(error.provider.as_deref(), Some(api.provider), "{row}");
            assert_eq!(error.request_id.is_some(), api.provider != "ollama", "{row}: {error:?}");
        }
    }
}

#[test]
fn what_passes_is_sat_out_for_as_long_as_the_vendor_says_and_no_longer_than_two_minutes() {
    for api in APIS {
        let vendor = api.vendor();
        vendor.push((api.error)(429, "tokens", "rate_limit_exceeded", "slow").header("retry-after-ms", "31"));
        vendor.push((api.error)(503, "service_unavailable_error", "slow_down", "slow").header("retry-after", "0.02"));
        vendor.push((api.says)("at last"));
        let editor = api.setup(&vendor).env("SOUFFLEUR_MAX_RETRIES", "2").start();
        let session = editor.new_session();
        let turn = editor.ask(&session, "hi");
        assert_eq!(turn.text(), "at last", "{}: {:?}", api.provider, turn.end());
        let waits = turn.asides().iter().filter_map(|update| match update {
            SessionUpdate::Waiting { wait_ms, .. } => Some(*wait_ms),
            _ => None,
        });
        // Ollama itself never says how long; a proxy before it may.
        if api.provider != "ollama" {
            assert_eq!(waits.collect::<Vec<_>>(), [31, 20], "{}", api.provider);
            vendor.push((api.error)(429, "tokens", "rate_limit_exceeded", "much later").header("retry-after", "121"));
            let turn = editor.ask(&session, "hi");
            turn.assert_error("provider.rate_limited");
            assert!(turn.asides().is_empty(), "{}: {:?}", api.provider, turn.asides());
        }
    }
}

#[test]
fn a_stream_that_fails_or_ends_too_early_keeps_what_was_said() {
    for api in APIS {
        let failed = |step: Step| (api.begins)("so far").then(step);
        let overloaded = "server busy, please try again";
        for (script, expected) in [
            ((api.begins)("so far"), "provider.stream_broken"),
            (failed(Step::Close), "provider.stream_broken"),
            (failed((api.fails)("server_error", "it broke")), "provider.server_error"),
            (failed((api.fails)("server_is_overloaded", overloaded)), "provider.overloaded"),
        ] {
            let vendor = api.vendor();
            vendor.push(script);
            let editor = api.setup(&vendor).env("SOUFFLEUR_MAX_RETRIES", "2").start();
            let session = editor.new_session();
            let turn = editor.ask(&session, "hi");
            turn.assert_error(expected);
            assert_eq!((turn.text().as_str(), api.asked(&vendor).len()), ("so far", 1), "{}", api.provider);
            vendor.push((api.says)("back again"));
            assert_eq!(editor.ask(&session, "still there?").text(), "back again", "{}", api.provider);
            let raw = String::from_utf8(api.asked(&vendor)[1].raw.clone()).unwrap();
            assert!(raw.contains("so far") && raw.contains("still there?"), "{}: {raw}", api.provider);
        }
    }
}

#[test]
fn an_error_before_the_first_word_is_tried_again() {
    for api in APIS {
        let vendor = api.vendor();
        let kind = if api.provider == "ollama" { "application/x-ndjson" } else { "text/event-stream" };
        let script = Script::status(200).header("content-type", kind);
        vendor.push(script.then((api.fails)("server_is_overloaded", "server busy, please try again")));
        vendor.push((api.says)("at last"));
        let setup = api.setup(&vendor).env("SOUFFLEUR_RETRY_BASE_DELAY_MS", "2");
        let editor = setup.env("SOUFFLEUR_MAX_RETRIES", "1").start();
        assert_eq!(editor.ask(&editor.new_session(), "hi").text(), "at last", "{}", api.provider);
    }
}

#[test]
fn an_error_after_the_reason_to_stop_is_one() {
    let api = APIS[0];
    let error = json!({"error": {"code": 502, "message": "Upstream went away"}});
    let (turn, _) = ask(&api, Chunks::new().text("so far").finish("stop").event(&error).done().script(), 0);
    turn.assert_error("provider.server_error");
    assert_eq!(turn.text(), "so far");
    // Groq names the event, and ends without a word.
    let named = Chunks::new().text("so far").raw(
        "event: error\ndata: {\"error\":{\"message\":\"bad call\",\"type\":\"invalid_request_error\",\"code\":\"tool_use_failed\"}}\n\n",
    );
    let (turn, _) = ask(&api, named.script(), 0);
    turn.assert_error("provider.bad_request");
    // A failed response repeats the error that came before it; the first one counts.
    let failed = json!({"type": "response.failed", "response": {"id": "resp_1", "status": "failed",
        "error": {"code": "server_error", "message": "it broke"}}});
    let (turn, _) = ask(&APIS[1], responses::Events::new().event(failed).script(), 0);
    turn.assert_error("provider.server_error");
}

#[test]
fn a_page_and_other_strangers_are_unexpected() {
    for api in APIS {
        let page = Script::status(200).header("content-type", "text/html").body("<!doctype html><p>Please log in</p>");
        let (turn, count) = ask(&api, page, 2);
        let error = turn.assert_error("provider.unexpected_response");
        assert!(!error.message.contains("doctype"), "{}: {error:?}", api.provider);
        assert_eq!(count, 1, "{}", api.provider);
        let gateway = Script::status(502).header("content-type", "text/html").body("<html>Bad gateway</html>");
        let (turn, _) = ask(&api, gateway, 0);
        let error = turn.assert_error("provider.server_error");
        assert!(!error.message.contains("<html>"), "{}: {error:?}", api.provider);
    }
    // The wrong path says so: the base URL goes up to and with /v1.
    let missing = Script::status(404).header("content-type", "application/json").body(r#"{"detail":"Not Found"}"#);
    for api in &APIS[..2] {
        let (turn, _) = ask(api, missing.clone(), 0);
        turn.assert_error("provider.unexpected_response");
        assert!(hint(&turn).contains("/v1"), "{}: {}", api.provider, hint(&turn));
    }
}

#[test]
fn nobody_there_is_said_and_for_ollama_by_its_name() {
    for api in APIS {
        let editor = Setup::of_model(api.model, &api.settings("http://127.0.0.1:1")).start();
        let turn = editor.ask(&editor.new_session(), "hi");
        let error = turn.assert_error("provider.unreachable");
        if api.provider == "ollama" {
            assert!(error.message.contains("Ollama is not running at http://127.0.0.1:1"), "{error:?}");
            assert!(hint(&turn).contains("ollama serve"), "{error:?}");
        }
    }
}

#[test]
fn a_failure_says_what_can_be_done() {
    let rows = [
        (2, 404, "", "model 'qwen3:8b' not found", "ollama pull qwen3:8b"),
        (2, 401, "", "unauthorized", "ollama signin"),
        (2, 400, "", "the prompt is longer than the context length currently available", "num_ctx"),
        (
            0,
            400,
            "invalid_request_error",
            "Function tools with reasoning_effort are not supported for m in /v1/chat/completions. To use function \
             tools, use /v1/responses or set reasoning_effort to 'none'.",
            "api to responses",
        ),
        (0, 503, "unavailable_error", "Loading model", "loading the model"),
    ];
    for (api, status, kind, message, expected) in rows {
        let (turn, _) = ask(&APIS[api], (APIS[api].error)(status, kind, "", message), 0);
        assert!(hint(&turn).contains(expected), "{message}: {:?}", turn.end().error);
    }
    // What a vendor quotes of a key is masked.
    let (turn, _) = ask(&APIS[0], chat::error(401, "x", "invalid_api_key", "bad key sk-proj-0123456789abcdef0123"), 0);
    assert!(!turn.end().error.as_ref().unwrap().message.contains("0123456789abcdef"), "{:?}", turn.end().error);
}
