use std::sync::Arc;

use super::*;
use crate::chat::{ContentBlock, MediaSource, Message, MessageBlock, Sampling, ToolCall, ToolResult};

const MODEL: &str = "openai:gpt-6-sol";
/// Spelt as no encoder of ours would spell it.
const REASONING: &str = r#"{"type":"reasoning", "id":"rs_1","summary":[],"n":1.50,"encrypted_content":"YWJj/Q=="}"#;

fn request(model: &str, messages: Vec<Message>, options: RequestOptions) -> CompletionRequest {
    let tool = |name: &str, input_schema: Value| ToolSpec {
        name: name.into(),
        description: "Reads".into(),
        input_schema,
        ..ToolSpec::default()
    };
    let open = json!({"type": "object", "properties": {"path": {"type": "string"}}});
    let mut closed = open.clone();
    closed["required"] = json!(["path"]);
    closed["additionalProperties"] = json!(false);
    CompletionRequest {
        model: model.parse().unwrap(),
        system: Arc::from(["You help".to_owned(), "Be brief".to_owned()]),
        tools: Arc::from([tool("read_file", open), tool("list_dir", closed)]),
        messages: messages.into_iter().map(Arc::new).collect(),
        max_output_tokens: 8_000,
        options: Arc::new(options),
    }
}

fn text(text: &str) -> MessageBlock {
    MessageBlock::Text { text: text.into() }
}

fn user(words: &str) -> Message {
    Message::user(vec![text(words)])
}

fn call(id: &str, input: &str) -> MessageBlock {
    MessageBlock::ToolCall(ToolCall { id: id.into(), name: "read_file".into(), input: input.into() })
}

fn image() -> ContentBlock {
    let source = MediaSource::Base64 { media_type: "image/png".into(), data: "aW1n".into() };
    ContentBlock::Image { source }
}

fn conversation(author: &str) -> Vec<Message> {
    let meta = r#"{"type":"message_meta","phase":"commentary","id":"msg_1"}"#;
    let document = |source, title: Option<&str>| MessageBlock::Attachment {
        content: ContentBlock::Document { source, title: title.map(str::to_owned) },
    };
    let pdf = MediaSource::Base64 { media_type: "application/pdf".into(), data: "JVBERi0=".into() };
    vec![
        Message::user(vec![
            text("look"),
            MessageBlock::Attachment { content: image() },
            document(pdf, Some("Plan")),
            document(MediaSource::Text { text: "plain".into() }, Some("a.txt")),
        ]),
        Message::assistant(
            vec![
                MessageBlock::Thinking { text: "hm".into(), signature: REASONING.into() },
                text("I read"),
                MessageBlock::Other { json: meta.into() },
                MessageBlock::Other { json: r#"{"type":"compaction","id":"c","encrypted_content":"x"}"#.into() },
                call("call_1", "{\"b\":1, \"a\":2}"),
                call("call_2", ""),
            ],
            author.into(),
        ),
        Message::user(vec![
            MessageBlock::ToolResult(ToolResult::error("call_1", "no such file")),
            MessageBlock::ToolResult(ToolResult {
                call_id: "call_2".into(),
                content: vec![ContentBlock::text("here"), image()],
                is_error: false,
            }),
            text("and now?"),
        ]),
    ]
}

fn sent(request: &CompletionRequest) -> Value {
    serde_json::from_slice(&build(request, &Target::default()).unwrap().body).unwrap()
}

fn told(request: &CompletionRequest) -> Vec<String> {
    let notices = build(request, &Target::default()).unwrap().notices;
    let code = |notice| match notice {
        CompletionEvent::Notice { code, .. } => code,
        other => panic!("{other:?}"),
    };
    notices.into_iter().map(code).collect()
}

#[test]
fn a_whole_request() {
    insta::assert_json_snapshot!(sent(&request(MODEL, conversation(MODEL), RequestOptions::default())));
}

#[test]
fn another_model_gets_text_calls_and_results_only() {
    insta::assert_json_snapshot!(
        sent(&request(MODEL, conversation("anthropic:claude-opus-5"), RequestOptions::default()))["input"]
    );
}

#[test]
fn what_the_model_wrote_goes_back_byte_for_byte_every_time() {
    let request = request(MODEL, conversation(MODEL), RequestOptions::default());
    let body = || String::from_utf8(build(&request, &Target::default()).unwrap().body).unwrap();
    let first = body();
    assert!(first.contains(REASONING), "{first}");
    assert!(first.contains(r#""arguments":"{\"b\":1, \"a\":2}""#), "{first}");
    assert!(first.find(REASONING) < first.find("function_call"));
    assert_eq!(body(), first, "from what was kept");
    let mut other = request.clone();
    other.model = "openai:gpt-5.6-sol".parse().unwrap();
    assert!(!String::from_utf8(build(&other, &Target::default()).unwrap().body).unwrap().contains("rs_1"));
}

#[test]
fn reasoning_that_led_to_nothing_and_what_another_api_kept_stay_away() {
    let thinking = |signature: &str| MessageBlock::Thinking { text: "t".into(), signature: signature.into() };
    let answer = |content| vec![user("hi"), Message::assistant(content, MODEL.into()), user("go on")];
    let input = |content| sent(&request(MODEL, answer(content), RequestOptions::default()))["input"].clone();
    assert_eq!(input(vec![thinking(REASONING)]).as_array().unwrap().len(), 2);
    for foreign in ["", "sig", "{}", r#"[{"type":"reasoning.text"}]"#, r#"{"type":"thinking"}"#] {
        let made = input(vec![thinking(foreign), text("so")]);
        assert_eq!(made.as_array().unwrap().len(), 3, "{foreign}: {made}");
    }
}

#[test]
fn each_family_is_asked_in_its_own_way() {
    let models = ["gpt-4.1", "o3", "gpt-5", "gpt-5.4", "gpt-5.6-sol", "gpt-6-astra", "of-tomorrow"];
    let kinds = [Thinking::Auto, Thinking::Disabled, Thinking::Enabled { budget_tokens: 2000 }];
    let mut rows = Vec::new();
    for model in models {
        for thinking in kinds {
            let sampling = Sampling { temperature: Some(0.5), ..Sampling::default() };
            let options = RequestOptions { thinking, sampling, effort: Some(Effort::Max), ..RequestOptions::default() };
            let request = request(&format!("openai:{model}"), vec![user("hi")], options);
            let body = sent(&request);
            rows.push(format!(
                "{model} {}: reasoning {} include {} temperature {} told {:?}",
                thinking.as_str(),
                body["reasoning"],
                body["include"],
                body["temperature"],
                told(&request)
            ));
        }
    }
    insta::assert_snapshot!(rows.join("\n"));
}

#[test]
fn tools_are_chosen_in_the_apis_words() {
    let choose = |tool_choice, parallel_tools| {
        let options = RequestOptions { tool_choice, parallel_tools, ..RequestOptions::default() };
        let body = sent(&request(MODEL, vec![user("hi")], options));
        (body["tool_choice"].clone(), body["parallel_tool_calls"].clone())
    };
    let allowed = ParallelTools::Allowed;
    assert_eq!(choose(ToolChoice::Auto, allowed), (Value::Null, Value::Null));
    assert_eq!(choose(ToolChoice::Any, ParallelTools::Forbidden), (json!("required"), json!(false)));
    assert_eq!(choose(ToolChoice::None, allowed).0, "none");
    let named = choose(ToolChoice::Tool { name: "read_file".into() }, allowed).0;
    assert_eq!(named, json!({"type": "function", "name": "read_file"}));
}

#[test]
fn an_answers_schema_is_made_strict_or_refused() {
    let with = |schema: Value| {
        let options = RequestOptions { output_schema: Some(Arc::new(schema)), ..RequestOptions::default() };
        build(&request(MODEL, vec![user("hi")], options), &Target::default())
    };
    let body = with(json!({"type": "object", "properties": {"a": {"type": "string"}}})).unwrap().body;
    let format = serde_json::from_slice::<Value>(&body).unwrap()["text"]["format"].clone();
    assert_eq!((&format["type"], &format["strict"]), (&json!("json_schema"), &json!(true)));
    assert_eq!(
        (&format["schema"]["required"], &format["schema"]["additionalProperties"]),
        (&json!(["a"]), &json!(false))
    );
    assert_eq!(with(json!({"type": "array"})).unwrap_err().category, Category::BadRequest);
}

#[test]
fn a_server_gets_the_fields_it_knows_and_those_that_are_added() {
    let extra = json!({"service_tier": "flex", "store": true});
    let target = Target {
        store_field: false,
        obfuscation_field: false,
        encrypted_reasoning: false,
        prompt_cache_key: Some("ses_1".into()),
        extra_body: extra.as_object().cloned().unwrap(),
    };
    let options = RequestOptions { stop_sequences: vec!["x".into()], ..RequestOptions::default() };
    let built = build(&request(MODEL, vec![user("hi")], options), &target).unwrap();
    let body: Value = serde_json::from_slice(&built.body).unwrap();
    for absent in ["include", "stream_options", "stop", "seed", "presence_penalty"] {
        assert!(body.get(absent).is_none(), "{absent}");
    }
    assert_eq!((&body["store"], &body["service_tier"]), (&json!(true), &json!("flex")));
    assert_eq!(body["prompt_cache_key"], "ses_1");
    assert!(String::from_utf8(built.body).unwrap().matches("\"store\"").count() == 1);
    assert_eq!(built.notices.len(), 1, "stop sequences");
}

#[test]
fn what_has_no_form_is_refused() {
    let source = MediaSource::Base64 { media_type: "application/msword".into(), data: "AAAA".into() };
    let content = ContentBlock::Document { source, title: None };
    let request =
        request(MODEL, vec![Message::user(vec![MessageBlock::Attachment { content }])], RequestOptions::default());
    let error = build(&request, &Target::default()).unwrap_err();
    assert!(error.category == Category::BadRequest && error.hint.is_some());
}
