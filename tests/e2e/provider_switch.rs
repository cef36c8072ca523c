//! One session, several providers: the history goes along, tool calls with it; what one model thought stays with it.

use serde_json::json;
use souffleur::chat::TurnStopReason;

use crate::support::setup::Setup;
use crate::support::vendor::Vendor;
use crate::support::vendors::dialects::dialect;
use crate::support::vendors::{Asked, Called, Entry, Said, anthropic, chat, demand, ollama, responses};

const CAPABILITIES: &[&str] = &["completion", "tools", "thinking"];

/// The texts of the user's messages and of the answers, and the calls; `None` where thinking went along.
fn told(asked: &Asked) -> Vec<(String, Option<String>)> {
    let told = asked.history.iter().map(|entry| match entry {
        Entry::User { text, .. } => (format!("user: {text}"), None),
        Entry::Assistant { thinking, text, calls } => {
            let calls: Vec<String> =
                calls.iter().map(|Called { id, name, input }| format!("{id} {name} {input}")).collect();
            (format!("model: {text}{}", calls.join(", ")), thinking.clone())
        }
        Entry::Result { id, text } => (format!("{id}: {text}"), None),
    });
    told.collect()
}

#[test]
fn a_session_goes_from_provider_to_provider_and_back() {
    let [claude, gpt, local, groq] = [(); 4].map(|()| Vendor::start());
    demand(&claude, |request| anthropic::decode("key", request));
    demand(&gpt, |request| responses::decode("key", request));
    ollama::play(&local, CAPABILITIES, 40960);
    demand(&groq, |request| chat::decode(dialect("groq"), "key", request));
    let provider = |name: &str, url: &str| format!("[providers.{name}]\nbaseUrl = \"{url}\"\napiKey = \"key\"\n");
    let settings = [
        provider("anthropic", &claude.url()),
        provider("openai", &format!("{}/v1", gpt.url())),
        format!("[providers.ollama]\nbaseUrl = \"{}\"\n", local.url()),
        provider("groq", &format!("{}/v1", groq.url())),
    ];
    let editor = Setup::of_model("anthropic:claude-sonnet-5-5", &settings.concat()).file("a.txt", "42\n").start();
    let session = editor.new_session();
    let call = |id| Some((id, "read_file", r#"{"path":"a.txt"}"#));
    let ask = |model: &str, text: &str| {
        let turn = editor.ask_with(&session, json!({"model": model, "content": [{"type": "text", "text": text}]}));
        assert_eq!(turn.end().stop_reason, TurnStopReason::EndTurn, "{model}: {:?}", turn.end());
        turn
    };

    claude.push(anthropic::answer(&Said { thinking: "Claude thinks.", text: "Let me see.", call: call("toolu_01A") }));
    claude.push(anthropic::answer(&Said { text: "One.", ..Said::default() }));
    ask("anthropic:claude-sonnet-5-5", "first");
    gpt.push(responses::answer(&Said { thinking: "GPT thinks.", text: "", call: call("call_B") }));
    gpt.push(responses::answer(&Said { text: "Two.", ..Said::default() }));
    ask("openai:gpt-6.1-terra", "second");
    local.push(ollama::answer(&Said { thinking: "Qwen thinks.", text: "", call: call("call_c") }));
    local.push(ollama::answer(&Said { text: "Three.", ..Said::default() }));
    ask("ollama:qwen3:8b", "third");
    groq.push(chat::answer(dialect("groq"), &Said { thinking: "Hm.", text: "Four.", ..Said::default() }));
    ask("groq:openai/gpt-oss-120b", "fourth");
    claude.push(anthropic::answer(&Said { text: "Five.", ..Said::default() }));
    ask("anthropic:claude-sonnet-5-5", "fifth");

    let input = r#"read_file {"path":"a.txt"}"#;
    let whole = [
        "user: first".to_owned(),
        format!("model: Let me see.toolu_01A {input}"),
        "toolu_01A: 42\n".to_owned(),
        "model: One.".to_owned(),
        "user: second".to_owned(),
        format!("model: call_B {input}"),
        "call_B: 42\n".to_owned(),
        "model: Two.".to_owned(),
        "user: third".to_owned(),
        format!("model: call_c {input}"),
        "call_c: 42\n".to_owned(),
        "model: Three.".to_owned(),
        "user: fourth".to_owned(),
        "model: Four.".to_owned(),
        "user: fifth".to_owned(),
    ];
    let check = |asked: Result<Asked, String>, entries: usize, thinking: &[(usize, &str)]| {
        let told = told(&asked.unwrap());
        let texts: Vec<&String> = told.iter().map(|(text, _)| text).collect();
        assert_eq!(texts, whole.iter().take(entries).collect::<Vec<_>>());
        let thought: Vec<_> =
            told.iter().enumerate().filter_map(|(at, (_, thinking))| Some((at, thinking.as_deref()?))).collect();
        assert_eq!(thought, thinking, "of thinking, a model gets back its own only");
    };
    check(anthropic::decode("key", &claude.request(1)), 3, &[(1, "Claude thinks.")]);
    check(responses::decode("key", &gpt.request(0)), 5, &[]);
    check(responses::decode("key", &gpt.request(1)), 7, &[(5, "GPT thinks.")]);
    let local = ollama::asked(&local);
    check(ollama::decode(CAPABILITIES, 40960, &local[0]), 9, &[]);
    check(ollama::decode(CAPABILITIES, 40960, &local[1]), 11, &[(9, "Qwen thinks.")]);
    check(chat::decode(dialect("groq"), "key", &groq.request(0)), 13, &[]);
    check(anthropic::decode("key", &claude.request(2)), 15, &[(1, "Claude thinks.")]);
}

#[test]
fn ids_of_calls_fit_a_server_that_wants_them_in_its_own_form() {
    let (claude, mistral) = (Vendor::start(), Vendor::start());
    demand(&claude, |request| anthropic::decode("key", request));
    demand(&mistral, |request| chat::decode(dialect("mistral"), "key", request));
    let settings = format!(
        "[providers.anthropic]\nbaseUrl = \"{}\"\napiKey = \"key\"\n[providers.mistral]\nbaseUrl = \"{}/v1\"\napiKey = \"key\"\n",
        claude.url(),
        mistral.url()
    );
    let editor = Setup::of_model("anthropic:claude-sonnet-5-5", &settings).file("a.txt", "42\n").start();
    let session = editor.new_session();
    let call = Some(("toolu_01ABCDEF", "read_file", r#"{"path":"a.txt"}"#));
    claude.push(anthropic::answer(&Said { call, ..Said::default() }));
    claude.push(anthropic::answer(&Said { text: "One.", ..Said::default() }));
    editor.ask(&session, "first").assert_stop(TurnStopReason::EndTurn);
    mistral.push(chat::answer(dialect("mistral"), &Said { text: "Two.", ..Said::default() }));
    let content = json!([{"type": "text", "text": "second"}]);
    let turn = editor.ask_with(&session, json!({"model": "mistral:mistral-large-latest", "content": content}));
    turn.assert_stop(TurnStopReason::EndTurn);
    let asked = chat::decode(dialect("mistral"), "key", &mistral.request(0)).unwrap();
    let Entry::Assistant { calls, .. } = &asked.history[1] else { panic!("{asked:?}") };
    let Entry::Result { id, .. } = &asked.history[2] else { panic!("{asked:?}") };
    assert_eq!(&calls[0].id, id, "the call and its result have the same id");
}
