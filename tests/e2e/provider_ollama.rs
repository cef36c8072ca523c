//! What is Ollama's own: it is asked what a model can, its context window stays the same, and it is looked for only
//! when the user allows that.

use serde_json::json;
use souffleur::chat::TurnStopReason;

use super::providers::PIXEL;
use crate::support::setup::Setup;
use crate::support::vendor::Vendor;
use crate::support::vendors::{Said, json_script, ollama};

fn setup(vendor: &Vendor, more: &str) -> Setup {
    Setup::of_model("ollama:qwen3:8b", &format!("[providers.ollama]\nbaseUrl = \"{}\"\n{more}", vendor.url()))
}

fn with_image() -> serde_json::Value {
    let source = json!({"type": "base64", "mediaType": "image/png", "data": PIXEL});
    json!({"content": [{"type": "text", "text": "What is it?"}, {"type": "image", "source": source}]})
}

#[test]
fn a_model_is_asked_what_it_can_before_it_gets_tools_thinking_and_images() {
    let vendor = Vendor::start();
    // Such a server refuses what the model cannot.
    ollama::play(&vendor, &["completion"], 40960);
    vendor.push(ollama::says("plain"));
    let editor = setup(&vendor, "").start();
    let session = editor.new_session();
    let turn = editor.ask_with(
        &session,
        json!({"content": [{"type": "text", "text": "hi"}], "options": {"thinking": {"type": "adaptive"}, "effort": "low"}}),
    );
    turn.assert_stop(TurnStopReason::EndTurn);
    let mut notices = turn.notices();
    notices.sort_unstable();
    assert_eq!(notices, ["effort.not_supported", "model.no_tools", "thinking.not_supported"]);
    assert_eq!(vendor.request(0).path, "/api/show");
    assert_eq!(vendor.request(0).body, json!({"model": "qwen3:8b"}));
    let before = vendor.request_count();
    let turn = editor.ask_with(&session, with_image());
    let error = turn.assert_error("provider.bad_request");
    assert!(error.message.contains("cannot take an image"), "{error:?}");
    assert_eq!(vendor.request_count(), before, "nothing is sent, and what the model can is known by now");
}

#[test]
fn an_image_of_an_earlier_turn_does_not_keep_a_model_without_eyes_from_answering() {
    let vendor = Vendor::start();
    vendor.answer_first(|request| {
        let sees = request.body["model"] == "llava";
        let show = ollama::show(if sees { &["completion", "vision"] } else { &["completion"] });
        (request.path == "/api/show").then(|| json_script(200, &show))
    });
    vendor.push(ollama::says("a dot"));
    vendor.push(ollama::says("as I said"));
    let editor = setup(&vendor, "").start();
    let session = editor.new_session();
    let mut params = with_image();
    params["model"] = json!("ollama:llava");
    editor.ask_with(&session, params).assert_stop(TurnStopReason::EndTurn);
    let content = json!([{"type": "text", "text": "again"}]);
    let turn = editor.ask_with(&session, json!({"model": "ollama:qwen3:8b", "content": content}));
    turn.assert_stop(TurnStopReason::EndTurn);
    assert!(turn.notices().contains(&"content.left_out"), "{:?}", turn.asides());
    let asked = ollama::asked(&vendor);
    assert!(!String::from_utf8_lossy(&asked[1].raw).contains(PIXEL));
    assert!(String::from_utf8_lossy(&asked[1].raw).contains("an image was left out"));
}

#[test]
fn the_context_window_is_the_same_for_a_whole_session_and_its_filling_is_told() {
    for (more, num_ctx) in [("", 40960), ("numCtx = 8192\n", 8192), ("numCtx = 1000000\n", 40960)] {
        let vendor = Vendor::start();
        // Each request with another window is turned away.
        ollama::play(&vendor, &["completion", "tools"], num_ctx);
        let call = Some(("call_a", "read_file", r#"{"path":"a.txt"}"#));
        vendor.push(ollama::answer(&Said { call, ..Said::default() }));
        vendor.push(ollama::says("42"));
        vendor.push(ollama::Lines::new().text("long").done("stop", (num_ctx * 9).div_ceil(10)).script());
        vendor.push(ollama::Lines::new().text("cut").done("length", num_ctx - 10).script());
        let editor = setup(&vendor, more).file("a.txt", "42\n").start();
        let session = editor.new_session();
        let turn = editor.ask(&session, "hi");
        turn.assert_stop(TurnStopReason::EndTurn);
        assert_eq!(turn.notices(), Vec::<&str>::new());
        let turn = editor.ask(&session, "more");
        assert_eq!(turn.notices(), ["context.nearly_full"]);
        let turn = editor.ask(&session, "even more");
        turn.assert_stop(TurnStopReason::ContextWindowExceeded);
        assert_eq!(ollama::asked(&vendor).len(), 4);
    }
}

#[test]
fn keep_alive_is_sent_as_it_is_set() {
    for (set, sent) in [("5m", json!("5m")), ("-1", json!(-1))] {
        let vendor = Vendor::start();
        vendor.answer_first(|request| {
            (request.path == "/api/show").then(|| json_script(200, &ollama::show(&["completion"])))
        });
        vendor.push(ollama::says("hello"));
        let editor = setup(&vendor, &format!("keepAlive = \"{set}\"\n")).start();
        editor.ask(&editor.new_session(), "hi").assert_stop(TurnStopReason::EndTurn);
        assert_eq!(ollama::asked(&vendor)[0].body["keep_alive"], sent);
    }
}

#[test]
fn a_running_ollama_is_looked_for_only_when_that_is_allowed() {
    for allowed in [false, true] {
        let vendor = Vendor::start();
        ollama::play(&vendor, &["completion", "tools"], 40960);
        let settings = format!("[providers.ollama]\nbaseUrl = \"{}\"\ndiscover = {allowed}\n", vendor.url());
        let editor = Setup::bare().user_settings(&settings).start();
        if !allowed {
            let error = editor.call_err("souffleur/session/new", json!({}));
            let error = error.assert_code("model.not_configured");
            assert!(error.hint.unwrap().contains("sim:default"));
            assert_eq!(vendor.connections_made(), 0, "it was not looked for");
            continue;
        }
        vendor.push(ollama::says("found"));
        let session = editor.new_session_with(json!({}));
        assert_eq!(session.model, "ollama:qwen3:8b");
        let paths: Vec<String> = vendor.requests().into_iter().map(|request| request.path).collect();
        assert_eq!(paths, ["/api/version", "/api/tags"]);
        assert_eq!(editor.ask(session.session_id.as_str(), "hi").text(), "found");
    }
    // With a credential, or a model that is named, nothing is looked for.
    let vendor = Vendor::start();
    let settings = format!("[providers.ollama]\nbaseUrl = \"{}\"\ndiscover = true\n", vendor.url());
    for (variable, value) in [("ANTHROPIC_API_KEY", "key"), ("SOUFFLEUR_MODEL", "sim:default")] {
        let editor = Setup::bare().user_settings(&settings).env(variable, value).start();
        editor.new_session();
        assert_eq!(vendor.connections_made(), 0);
    }
}

#[test]
fn the_variable_that_ollama_itself_knows_says_where_it_is() {
    let vendor = Vendor::start();
    ollama::play(&vendor, &["completion"], 40960);
    vendor.push(ollama::says("here"));
    let editor = Setup::of_model("ollama:qwen3:8b", "").env("OLLAMA_HOST", &vendor.address().to_string()).start();
    assert_eq!(editor.ask(&editor.new_session(), "hi").text(), "here");
    assert_eq!(vendor.request(0).header("authorization"), None, "a server on this machine needs no key");
}
