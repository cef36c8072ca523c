//! The main job: a prompt goes out, text and thinking come back.

use serde_json::{Value, json};
use souffleur::chat::{ItemContent, ItemStatus, TurnStopReason};
use souffleur::protocol::{METHODS, PROTOCOL_VERSION, SessionStatus};

use crate::support::answer::{Answer, Style};
use crate::support::script::{Framing, Gate, Script};
use crate::support::secrets;
use crate::support::setup::{Client, Setup};
use crate::support::vendor::Vendor;

fn thoughtful(style: Style) -> Answer {
    let usage = json!({
        "input_tokens": 25, "output_tokens": 1, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 7,
        "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 3}});
    Answer::with_usage(style, &usage)
        .thinking(&["The user ", "greets me."], "c2lnbmF0dXJl")
        .ping()
        .unknown_event()
        .text(&["Hello", ", ", "wörld ", "🎭", "!"])
        .end_with("end_turn", &json!({"output_tokens": 42, "output_tokens_details": {"thinking_tokens": 30}}))
}

#[test]
fn text_and_thinking_arrive_in_order_with_usage_and_stop_reason() {
    let vendor = Vendor::start();
    vendor.push(thoughtful(Style::Plain).script());
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session_with(json!({}));
    assert_eq!((session.model.as_str(), session.simulated), ("anthropic:claude-sonnet-5-5", false));
    let turn = editor.ask(session.session_id.as_str(), "hi");
    assert_eq!(turn.begin().session_id, session.session_id);
    assert_eq!((turn.begin().model.as_str(), turn.begin().simulated), ("anthropic:claude-sonnet-5-5", false));
    assert_eq!(turn.thinking(), "The user greets me.");
    assert_eq!(turn.text(), "Hello, wörld 🎭!");
    let said: Vec<_> = turn
        .items()
        .iter()
        .filter_map(|item| match &item.content {
            ItemContent::Thinking { .. } => Some("thinking"),
            ItemContent::Message { .. } => Some("message"),
            _ => None,
        })
        .collect();
    assert_eq!(said, ["thinking", "message"]);
    assert!(turn.items().iter().all(|item| item.status == ItemStatus::Completed));
    turn.assert_stop(TurnStopReason::EndTurn);
    let usage = turn.end().usage;
    assert_eq!((usage.input_tokens, usage.output_tokens), (25, 42));
    assert_eq!((usage.cache_read_tokens, usage.cache_write_tokens, usage.cache_write_1h_tokens), (5, 7, 3));
    assert_eq!(usage.thinking_tokens, 30);
    assert_eq!(turn.end().error, None);
}

#[test]
fn the_request_is_what_the_vendor_documents() {
    let vendor = Vendor::start();
    vendor.push(Answer::says("Hello"));
    let editor = Setup::anthropic(&vendor).start();
    editor.ask(&editor.new_session(), "What is a souffleur?");
    let request = vendor.request(0);
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v1/messages"));
    assert_eq!(request.header("x-api-key"), Some(secrets::API_KEY));
    assert_eq!(request.header("authorization"), None);
    assert_eq!(request.header("anthropic-version"), Some("2026-10-21"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    let body = &request.body;
    assert_eq!(body["model"], "claude-sonnet-5-5");
    assert_eq!(body["stream"], true);
    assert!(body["max_tokens"].as_u64().is_some_and(|tokens| tokens > 0), "max_tokens: {}", body["max_tokens"]);
    let system = match &body["system"] {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => blocks.iter().filter_map(|block| block["text"].as_str()).collect(),
        other => panic!("no system prompt: {other}"),
    };
    assert!(!system.trim().is_empty());
    assert_eq!(body["messages"].as_array().map(Vec::len), Some(1));
    assert_eq!(body["messages"][0]["role"], "user");
    assert!(request.last_text().contains("What is a souffleur?"));
    for gone in ["temperature", "top_p", "top_k"] {
        assert!(body.get(gone).is_none(), "{gone} is refused by this version of the API");
    }
    assert!(!String::from_utf8_lossy(&request.raw).contains(secrets::API_KEY), "the key is not in the body");
}

#[test]
fn the_next_turn_sends_what_came_before_unchanged_and_its_thinking_back() {
    let vendor = Vendor::start();
    vendor.push(
        Answer::new()
            .thinking(&["Hm, ", "a greeting."], "c2lnLW9uZQ==")
            .redacted_thinking("b3BhcXVl")
            .text(&["Hello!"])
            .end("end_turn")
            .script(),
    );
    vendor.push(Answer::says("Fine."));
    vendor.push(Answer::says("Bye."));
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    for prompt in ["hi", "how are you?", "bye"] {
        editor.ask(&session, prompt);
    }
    let [first, second, third] = [0, 1, 2].map(|index| vendor.request(index));
    let (first_messages, second_messages, third_messages) = (first.messages(), second.messages(), third.messages());
    assert_eq!((first_messages.len(), second_messages.len(), third_messages.len()), (1, 3, 5));
    assert_eq!(second_messages[..1], first_messages[..], "sent messages never change, not by a byte");
    assert_eq!(third_messages[..3], second_messages[..], "sent messages never change, not by a byte");
    for same in ["system", "tools", "model", "max_tokens", "thinking"] {
        let texts = [&first, &second, &third].map(|request| request.body[same].to_string());
        assert!(texts[0] == texts[1] && texts[1] == texts[2], "{same} changed between turns");
    }
    let answer = &second.body["messages"][1];
    assert_eq!(answer["role"], "assistant");
    assert_eq!(
        answer["content"],
        json!([
            {"type": "thinking", "thinking": "Hm, a greeting.", "signature": "c2lnLW9uZQ=="},
            {"type": "redacted_thinking", "data": "b3BhcXVl"},
            {"type": "text", "text": "Hello!"},
        ])
    );
}

#[test]
fn the_wire_may_be_cut_and_padded_in_any_way() {
    for style in [Style::Plain, Style::Padded, Style::Sorted, Style::CrLf] {
        for (framing, size) in [(Framing::Chunked, 1), (Framing::Length, 7), (Framing::UntilClose, 1000)] {
            let vendor = Vendor::start();
            vendor.push(thoughtful(style).script().framing(framing).chunk(size));
            let editor = Setup::anthropic(&vendor).start();
            let turn = editor.ask(&editor.new_session(), "hi");
            assert_eq!(turn.text(), "Hello, wörld 🎭!", "{style:?} {framing:?} {size}");
            assert_eq!(turn.thinking(), "The user greets me.", "{style:?} {framing:?} {size}");
            assert_eq!(turn.end().usage.output_tokens, 42, "{style:?} {framing:?} {size}");
        }
    }
}

#[test]
fn each_delta_leaves_at_once() {
    let (vendor, gate) = (Vendor::start(), Gate::new());
    let mut answer = Answer::new().open_text();
    let words: Vec<String> = (0..50).map(|number| format!("{number} ")).collect();
    for word in &words {
        answer = answer.gate(&gate).deltas(&[word]);
    }
    vendor.push(answer.close_block().end("end_turn").script());
    let editor = Setup::anthropic(&vendor).start();
    let mut turn = editor.prompt(&editor.new_session(), "count");
    let mut said = String::new();
    for word in &words {
        gate.pass(1);
        said.push_str(word);
        // The vendor says the next word only when this one has arrived: a server that waits for more hangs here.
        editor.wait_text(&mut turn, &said);
    }
    editor.finish(&mut turn);
    assert_eq!(turn.deltas(), words.len());
}

#[test]
fn every_stop_reason_has_its_word() {
    let vendor = Vendor::start();
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    for (reason, expected) in [
        ("end_turn", TurnStopReason::EndTurn),
        ("max_tokens", TurnStopReason::MaxTokens),
        ("stop_sequence", TurnStopReason::StopSequence),
        ("model_context_window_exceeded", TurnStopReason::ContextWindowExceeded),
        ("refusal", TurnStopReason::Refusal),
    ] {
        vendor.push(Answer::new().text(&["so far"]).end(reason).script());
        let turn = editor.ask(&session, reason);
        assert_eq!(turn.end().stop_reason, expected, "{reason}");
    }
}

#[test]
fn a_stop_reason_of_tomorrow_loses_nothing() {
    let vendor = Vendor::start();
    vendor.push(Answer::new().text(&["all of it"]).end("moon_phase").script());
    vendor.push(Answer::says("next"));
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    assert_eq!(editor.ask(&session, "hi").text(), "all of it");
    editor.ask(&session, "and?").assert_stop(TurnStopReason::EndTurn);
    assert!(vendor.request(1).messages()[1].contains("all of it"));
}

#[test]
fn an_answer_may_be_empty() {
    let vendor = Vendor::start();
    vendor.push(Answer::new().end("end_turn").script());
    vendor.push(Answer::says("Now I speak."));
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    editor.ask(&session, "hi").assert_stop(TurnStopReason::EndTurn);
    assert_eq!(editor.ask(&session, "and now?").text(), "Now I speak.");
    for message in vendor.request(1).body["messages"].as_array().unwrap() {
        assert_ne!(message["content"], json!([]), "an empty message is refused by the API");
    }
}

#[test]
fn a_session_shows_what_it_is_and_what_it_holds() {
    let vendor = Vendor::start();
    vendor.push(Answer::says("Hello"));
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session_with(json!({"title": "Mine", "workspaceUri": editor.uri("")}));
    assert_eq!((session.title.as_str(), session.turns, session.status), ("Mine", 0, SessionStatus::Idle));
    let id = session.session_id.as_str();
    editor.ask(id, "hi");
    let loaded = editor.load(id);
    assert_eq!((loaded.session.turns, loaded.session.status, loaded.running), (1, SessionStatus::Idle, None));
    let kinds: Vec<_> = loaded.items.iter().map(|item| serde_json::to_value(item).unwrap()["type"].clone()).collect();
    assert_eq!(kinds, ["userMessage", "message"]);
    let listed = editor.call_ok("souffleur/session/list", json!({}));
    assert_eq!(listed["sessions"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["sessions"][0]["sessionId"], id);
    assert_eq!(editor.call_ok("souffleur/session/close", json!({"sessionId": id})), json!({}));
}

#[test]
fn the_server_says_what_it_can_to_every_editor() {
    for client in Client::ALL {
        let editor = Setup::sim().client(client).start();
        let capabilities = &editor.initialize_result()["capabilities"];
        let own = &capabilities["experimental"]["souffleur"];
        assert_eq!(own["protocolVersion"], PROTOCOL_VERSION, "{client:?}");
        let methods: Vec<_> = own["methods"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for method in METHODS.iter().filter(|method| method.name.starts_with("souffleur/")) {
            assert!(methods.contains(&method.name), "{} is not said to {client:?}", method.name);
        }
        let offered = editor.initialize_params()["capabilities"]["general"]["positionEncodings"].clone();
        let encoding = editor.position_encoding();
        assert!(offered.as_array().unwrap().contains(&json!(encoding)), "{client:?} does not offer {encoding}");
        assert_eq!(editor.initialize_result()["serverInfo"]["name"], "souffleur");
    }
}

#[test]
fn a_turn_may_change_the_session_model_and_keys_stay_home() {
    let vendor = Vendor::start();
    vendor.push(Answer::says("one"));
    vendor.answer_with(|_| Script::error(500, "api_error", "no second request"));
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    editor.ask(&session, "hi");
    let token = editor.token();
    let params = json!({"sessionId": session, "streamToken": token, "model": "sim:default",
        "content": [{"type": "text", "text": "sim> text two"}]});
    editor.call_ok("souffleur/session/prompt", params);
    let end = editor.wait_for("the end of the simulated turn", |message| {
        message.is_progress_of(&token) && message.body["params"]["value"]["kind"] == "end"
    });
    editor.ignore(move |message| message.is_progress_of(&token));
    assert_eq!(end.body["params"]["value"]["stopReason"], "end_turn");
    assert_eq!(editor.load(&session).session.model, "sim:default");
    assert_eq!(vendor.request_count(), 1);
}

#[test]
fn thinking_goes_back_to_the_model_that_thought_it_only() {
    let vendor = Vendor::start();
    let editor = Setup::anthropic(&vendor).start();
    let session = editor.new_session();
    let mut kinds = Vec::new();
    for (number, model) in ["claude-sonnet-5-5", "claude-opus-5-5", "claude-sonnet-5-5"].into_iter().enumerate() {
        vendor.push(Answer::new().thinking(&["hm"], "c2ln").text(&["ok"]).end("end_turn").script());
        let token = editor.token();
        let params = json!({"sessionId": session, "streamToken": token, "model": format!("anthropic:{model}"),
            "content": [{"type": "text", "text": "hi"}]});
        let result = editor.call_ok("souffleur/session/prompt", params);
        editor.finish(&mut editor.turn_of(token, result["turnId"].as_str().unwrap()));
        let messages = vendor.request(number).body["messages"].as_array().unwrap().clone();
        let first_answer = messages.get(1).map(|message| message["content"].as_array().unwrap().clone());
        kinds.push(first_answer.unwrap_or_default().iter().map(|block| block["type"].clone()).collect::<Vec<_>>());
    }
    assert_eq!(kinds, [vec![], vec![json!("text")], vec![json!("thinking"), json!("text")]]);
}
