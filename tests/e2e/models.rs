//! What models there are: known without a network, learnt from the provider when asked.

use serde_json::{Value, json};
use souffleur::chat::TurnStopReason;

use crate::support::answer::Answer;
use crate::support::editor::Editor;
use crate::support::script::Script;
use crate::support::secrets;
use crate::support::setup::Setup;
use crate::support::vendor::Vendor;

fn json_answer(body: &Value) -> Script {
    Script::status(200).header("content-type", "application/json").body(body.to_string())
}

fn list(editor: &Editor, params: Value) -> Value {
    editor.call_ok("souffleur/model/list", params)
}

fn names(list: &Value) -> Vec<&str> {
    list["models"].as_array().unwrap().iter().map(|model| model["model"].as_str().unwrap()).collect()
}

fn model<'a>(list: &'a Value, name: &str) -> &'a Value {
    let mut models = list["models"].as_array().unwrap().iter();
    models.find(|model| model["model"] == name).unwrap_or_else(|| panic!("no {name} in {list}"))
}

#[test]
fn the_list_is_there_without_a_key_and_without_a_request() {
    let vendor = Vendor::start();
    let editor = Setup::bare().env("ANTHROPIC_BASE_URL", &vendor.url()).start();
    let all = list(&editor, json!({}));
    let names = names(&all);
    assert_eq!((names[0], *names.last().unwrap()), ("anthropic:claude-fable-5-2", "sim:default"));
    let at = |name: &str| names.iter().position(|known| *known == name).unwrap();
    assert!(at("anthropic:claude-opus-5-5") < at("anthropic:claude-opus-5"), "the newest of a family comes first");
    let expected = json!({
        "model": "anthropic:claude-haiku-5-5", "provider": "anthropic", "contextTokens": 1_000_000,
        "maxOutputTokens": 128_000, "thinking": ["adaptive", "disabled"],
        "efforts": ["low", "medium", "high", "xhigh", "max"], "defaultEffort": "medium",
        "price": {"inputPerMillion": 100_000, "outputPerMillion": 500_000, "cacheReadPerMillion": 10_000,
            "longRequest": {"aboveTokens": 100_000, "inputPerMillion": 500_000, "outputPerMillion": 2_500_000,
                "cacheReadPerMillion": 50_000}},
        "lifecycle": "active", "simulated": false});
    assert_eq!(*model(&all, "anthropic:claude-haiku-5-5"), expected);
    let retired = model(&all, "anthropic:claude-mythos-preview");
    assert_eq!((&retired["lifecycle"], &retired["retires"]), (&json!("retired"), &json!("2026-06-30")));
    assert_eq!(retired["successor"], "anthropic:claude-mythos-5-2");
    assert_eq!(model(&all, "sim:default")["simulated"], true);
    assert_eq!(all["notes"], json!([]));
    assert_eq!(names_of(&editor, "sim"), ["sim:default"]);
    assert!(!names_of(&editor, "anthropic").contains(&"sim:default".to_owned()));
    editor.call_err("souffleur/model/list", json!({"provider": "oracle"})).assert_code("provider.unknown");
    assert_eq!(vendor.request_count(), 0);
}

fn names_of(editor: &Editor, provider: &str) -> Vec<String> {
    names(&list(editor, json!({"provider": provider}))).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_refresh_reads_all_pages_and_what_they_say_counts_from_then_on() {
    let vendor = Vendor::start();
    vendor.push(json_answer(&json!({
        "data": [{
            "id": "claude-opus-6", "type": "model", "display_name": "Claude Opus 6", "lifecycle": "active",
            "max_input_tokens": 2_000_000, "max_tokens": 256_000, "capabilities": null}],
        "has_more": true, "first_id": "claude-opus-6", "last_id": "claude-opus-6"})));
    vendor.push(json_answer(&json!({
        "data": [{
            "id": "claude-opus-5-5", "type": "model", "display_name": "Claude Opus 5.5", "lifecycle": "deprecated",
            "retires_at": "2099-03-01T00:00:00Z", "max_input_tokens": null, "max_tokens": null,
            "capabilities": {
                "thinking": {"supported": true, "types": {"adaptive": {"supported": true}, "disabled": true}},
                "effort": {"supported": true, "max": {"supported": false}}}}],
        "has_more": false, "first_id": "claude-opus-5-5", "last_id": "claude-opus-5-5"})));
    let editor = Setup::anthropic(&vendor).start();
    let before = list(&editor, json!({}));
    let refreshed = list(&editor, json!({"refresh": true}));
    assert_eq!(refreshed["notes"], json!([]));
    let paths = [vendor.request(0).path, vendor.request(1).path];
    assert_eq!(paths, ["/v1/models?limit=1000", "/v1/models?limit=1000&after_id=claude-opus-6"]);
    let asked = vendor.request(0);
    assert_eq!((asked.method.as_str(), asked.header("x-api-key")), ("GET", Some(secrets::API_KEY)));
    assert_eq!(asked.header("anthropic-version"), Some("2026-10-21"));

    let new = model(&refreshed, "anthropic:claude-opus-6");
    assert_eq!((&new["contextTokens"], &new["maxOutputTokens"]), (&json!(2_000_000), &json!(256_000)));
    assert_eq!((&new["displayName"], new.get("price")), (&json!("Claude Opus 6"), None));
    let at = |name: &str| names(&refreshed).iter().position(|known| *known == name).unwrap();
    assert_eq!(at("anthropic:claude-opus-6") + 1, at("anthropic:claude-opus-5-5"));

    let (old, known) = (model(&before, "anthropic:claude-opus-5-5"), model(&refreshed, "anthropic:claude-opus-5-5"));
    assert_eq!((&old["lifecycle"], &known["lifecycle"]), (&json!("active"), &json!("retiring")));
    assert_eq!((&known["retires"], &known["displayName"]), (&json!("2099-03-01"), &json!("Claude Opus 5.5")));
    assert_eq!(known["thinking"], json!(["adaptive", "disabled"]));
    assert_eq!(known["efforts"], json!(["low", "medium", "high", "xhigh"]));
    for unsaid in ["contextTokens", "maxOutputTokens", "price", "defaultEffort"] {
        assert_eq!(known[unsaid], old[unsaid], "{unsaid}");
    }

    assert_eq!(list(&editor, json!({})), refreshed, "later lists know it without asking");
    assert_eq!(vendor.request_count(), 2);
}

#[test]
fn requests_are_made_by_what_was_learnt() {
    let vendor = Vendor::start();
    let editor = Setup::anthropic(&vendor).env("SOUFFLEUR_MODEL", "anthropic:claude-opus-5-5").start();
    let session = editor.new_session();
    let ask = |options: Value| {
        let token = editor.token();
        let content = json!([{"type": "text", "text": "hi"}]);
        let params = json!({"sessionId": session, "streamToken": token, "content": content, "options": options});
        let result = editor.call_ok("souffleur/session/prompt", params);
        let mut turn = editor.turn_of(token, result["turnId"].as_str().unwrap());
        editor.finish(&mut turn);
        turn
    };
    ask(json!({"thinking": {"type": "disabled"}})).assert_error("provider.bad_request");
    vendor.push(json_answer(&json!({"has_more": false, "data": [{
        "id": "claude-opus-5-5", "max_tokens": 9_000,
        "capabilities": {"thinking": {"types": {"disabled": true}}, "effort": {"max": {"supported": false}}}}]})));
    list(&editor, json!({"refresh": true}));
    vendor.push(Answer::says("ok"));
    vendor.push(Answer::says("ok"));
    ask(json!({"thinking": {"type": "disabled"}})).assert_stop(TurnStopReason::EndTurn);
    let sent = vendor.request(1).body;
    assert_eq!((&sent["thinking"], &sent["max_tokens"]), (&json!({"type": "disabled"}), &json!(9_000)));
    assert_eq!(ask(json!({"effort": "max"})).notices(), ["effort.not_supported"]);
    assert_eq!(vendor.request(2).body["output_config"]["effort"], "xhigh");
    assert_eq!(editor.call_ok("souffleur/session/usage", json!({"sessionId": session}))["turns"], 3);
}

#[test]
fn a_gateway_without_a_list_costs_a_note_and_nothing_else() {
    let page = "<html><body>Sign in</body></html>";
    let html = |status: u16| Script::status(status).header("content-type", "text/html").body(page);
    let gateways = [
        html(404),
        html(200),
        Script::error(404, "not_found_error", "Not found"),
        Script::status(405),
        json_answer(&json!({"models": []})),
    ];
    for gateway in gateways {
        let vendor = Vendor::start();
        vendor.push(gateway);
        let editor = Setup::anthropic(&vendor).start();
        let before = list(&editor, json!({}));
        let refreshed = list(&editor, json!({"refresh": true}));
        assert_eq!(refreshed["models"], before["models"]);
        let notes = refreshed["notes"].as_array().unwrap();
        assert!(notes.len() == 1 && notes[0].as_str().unwrap().starts_with("anthropic does not list"), "{notes:?}");
        assert!(!notes[0].to_string().contains("Sign in"));
        assert_eq!(vendor.request_count(), 1);
    }
}

#[test]
fn a_refresh_is_tried_again_and_fails_as_a_prompt_would() {
    let vendor = Vendor::start();
    vendor.push(Script::error(529, "overloaded_error", "Overloaded"));
    vendor.push(Script::error(500, "api_error", "Oops"));
    vendor.push(json_answer(&json!({"data": [], "has_more": false})));
    let patient = |vendor: &Vendor| {
        let setup = Setup::anthropic(vendor).env("SOUFFLEUR_MAX_RETRIES", "2");
        setup.env("SOUFFLEUR_RETRY_BASE_DELAY_MS", "4").start()
    };
    list(&patient(&vendor), json!({"refresh": true}));
    assert_eq!(vendor.request_count(), 3);

    let rows = [
        (Script::error(401, "authentication_error", "no").header("request-id", "req_7"), "auth.rejected"),
        (Script::error(429, "rate_limit_error", "later").header("retry-after", "3600"), "provider.rate_limited"),
    ];
    for (script, code) in rows {
        let vendor = Vendor::start();
        vendor.push(script);
        let editor = patient(&vendor);
        let error = editor.call_err("souffleur/model/list", json!({"refresh": true})).assert_code(code);
        assert_eq!(error.provider.as_deref(), Some("anthropic"));
        assert_eq!(vendor.request_count(), 1, "{code}");
    }
}

#[test]
fn a_refresh_needs_a_credential() {
    let vendor = Vendor::start();
    let editor = Setup::bare().env("ANTHROPIC_BASE_URL", &vendor.url()).start();
    let error = editor.call_err("souffleur/model/list", json!({"refresh": true})).assert_code("auth.missing_key");
    assert!(error.hint.unwrap().contains("ANTHROPIC_API_KEY"));
    assert_eq!(list(&editor, json!({"provider": "sim", "refresh": true}))["models"].as_array().unwrap().len(), 1);
    assert_eq!(vendor.request_count(), 0);
}
