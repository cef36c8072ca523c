use std::sync::Arc;

use super::*;
use crate::chat::{ContentBlock, MediaSource, Message, MessageBlock, Sampling, ToolCall, ToolResult};

const MODEL: &str = "ollama:qwen3:8b";

fn request(messages: Vec<Message>, options: RequestOptions) -> CompletionRequest {
    CompletionRequest {
        model: MODEL.parse().unwrap(),
        system: Arc::from(["You help".to_owned(), "Be brief".to_owned()]),
        tools: Arc::from([ToolSpec {
            name: "read_file".into(),
            description: "Reads".into(),
            input_schema: json!({"type": "object", "properties": {"path": {"type": "string"}}}),
            ..ToolSpec::default()
        }]),
        messages: messages.into_iter().map(Arc::new).collect(),
        max_output_tokens: 8_000,
        options: Arc::new(options),
    }
}

fn facts(capabilities: &[&str]) -> ModelFacts {
    let capabilities = Some(capabilities.iter().map(|name| (*name).to_owned()).collect());
    ModelFacts { capabilities, context_length: Some(40_960), ..ModelFacts::default() }
}

fn text(text: &str) -> MessageBlock {
    MessageBlock::Text { text: text.into() }
}

fn user(words: &str) -> Message {
    Message::user(vec![text(words)])
}

fn image() -> ContentBlock {
    let source = MediaSource::Base64 { media_type: "image/png".into(), data: "aW1n".into() };
    ContentBlock::Image { source }
}

fn conversation(author: &str) -> Vec<Message> {
    let call = |id: &str, input: &str| {
        MessageBlock::ToolCall(ToolCall { id: id.into(), name: "read_file".into(), input: input.into() })
    };
    let file =
        ContentBlock::Document { source: MediaSource::Text { text: "plain".into() }, title: Some("a.txt".to_owned()) };
    vec![
        Message::user(vec![
            text("look"),
            MessageBlock::Attachment { content: image() },
            MessageBlock::Attachment { content: file },
        ]),
        Message::assistant(
            vec![
                MessageBlock::Thinking { text: "hm".into(), signature: String::new() },
                text("I read"),
                call("call_1", "{\"path\": \"a\"}"),
                call("call_2", "{\"path\":"),
            ],
            author.into(),
        ),
        Message::user(vec![
            MessageBlock::ToolResult(ToolResult {
                call_id: "call_1".into(),
                content: vec![ContentBlock::text("here"), image()],
                is_error: false,
            }),
            MessageBlock::ToolResult(ToolResult::error("call_2", "not JSON")),
        ]),
    ]
}

fn built(request: &CompletionRequest, facts: &ModelFacts) -> (Value, Vec<String>) {
    let built = build(request, facts, &Settings::default()).unwrap();
    let code = |notice| match notice {
        CompletionEvent::Notice { code, .. } => code,
        other => panic!("{other:?}"),
    };
    (serde_json::from_slice(&built.body).unwrap(), built.notices.into_iter().map(code).collect())
}

#[test]
fn a_whole_request() {
    let schema = Some(Arc::new(json!({"type": "object"})));
    let sampling = Sampling { temperature: Some(0.0), top_p: None, top_k: Some(3) };
    let options = RequestOptions {
        output_schema: schema,
        sampling,
        stop_sequences: vec!["x".into()],
        ..RequestOptions::default()
    };
    let request = request(conversation(MODEL), options);
    let (body, told) = built(&request, &facts(&["completion", "tools", "thinking", "vision"]));
    insta::assert_json_snapshot!(body);
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn another_models_thinking_and_what_cannot_be_seen_stay_away() {
    let request = request(conversation("anthropic:claude-opus-5"), RequestOptions::default());
    let (body, told) = built(&request, &facts(&["tools"]));
    insta::assert_json_snapshot!(body["messages"]);
    assert_eq!(told, ["content.left_out"]);
}

#[test]
fn the_window_is_always_said_and_never_too_large() {
    let window = |context: Option<u32>, modelfile: Option<u32>, num_ctx: Option<u32>| {
        let facts = ModelFacts { context_length: context, configured_context: modelfile, ..ModelFacts::default() };
        let settings = Settings { num_ctx, keep_alive: Some("300".into()) };
        let built = build(&request(vec![user("hi")], RequestOptions::default()), &facts, &settings).unwrap();
        let body: Value = serde_json::from_slice(&built.body).unwrap();
        assert_eq!(body["options"]["num_ctx"], built.num_ctx);
        assert_eq!((&body["truncate"], &body["shift"]), (&json!(false), &json!(false)));
        assert_eq!(body["keep_alive"], 300);
        assert!(body["options"].get("temperature").is_none());
        built.num_ctx
    };
    assert_eq!(window(None, None, None), 65_536);
    assert_eq!(window(Some(40_960), None, None), 40_960);
    assert_eq!(window(Some(262_144), None, None), 65_536);
    assert_eq!(window(Some(262_144), Some(16_384), None), 16_384);
    assert_eq!(window(Some(262_144), Some(16_384), Some(131_072)), 131_072);
    assert_eq!(window(Some(8_192), None, Some(131_072)), 8_192);
    assert_eq!(duration("5m"), json!("5m"));
    assert_eq!(duration("-1"), json!(-1));
}

#[test]
fn a_model_is_asked_only_for_what_it_can() {
    let ask = |facts: &ModelFacts, thinking, effort| {
        let options = RequestOptions { thinking, effort, ..RequestOptions::default() };
        let (body, told) = built(&request(vec![user("hi")], options), facts);
        (body["think"].clone(), body.get("tools").is_some(), told)
    };
    let all = facts(&["tools", "thinking"]);
    let gpt_oss = ModelFacts { family: Some("gptoss".into()), ..all.clone() };
    let none = Vec::<String>::new();
    assert_eq!(ask(&all, Thinking::Auto, None), (json!(true), true, none.clone()));
    assert_eq!(ask(&all, Thinking::Disabled, None), (json!(false), true, none.clone()));
    assert_eq!(ask(&all, Thinking::Auto, Some(Effort::Low)).2, ["effort.not_supported"]);
    assert_eq!(ask(&gpt_oss, Thinking::Auto, Some(Effort::Low)), (json!("low"), true, none.clone()));
    assert_eq!(ask(&gpt_oss, Thinking::Auto, Some(Effort::Max)).0, "high");
    assert_eq!(ask(&gpt_oss, Thinking::Auto, None).0, Value::Null);
    assert_eq!(ask(&gpt_oss, Thinking::Disabled, None), (json!("low"), true, vec!["thinking.always_on".to_owned()]));
    assert_eq!(ask(&facts(&["completion"]), Thinking::Auto, None), (Value::Null, false, vec!["model.no_tools".into()]));
    assert_eq!(ask(&facts(&["tools"]), Thinking::Adaptive, None).2, ["thinking.not_supported"]);
    // An old server does not say what a model can: tools are tried, thinking is left to it.
    assert_eq!(ask(&ModelFacts::default(), Thinking::Auto, None), (Value::Null, true, none));
}

#[test]
fn an_image_in_the_prompt_needs_eyes() {
    let with = |content: ContentBlock, facts: &ModelFacts| {
        let messages = vec![Message::user(vec![MessageBlock::Attachment { content }])];
        build(&request(messages, RequestOptions::default()), facts, &Settings::default())
    };
    let error = with(image(), &facts(&["tools"])).unwrap_err();
    assert_eq!(error.category, Category::BadRequest);
    assert!(error.message.contains("qwen3:8b") && error.hint.unwrap().contains("vision"));
    assert!(with(image(), &facts(&["vision"])).is_ok());
    let source = MediaSource::Url { url: "https://example.org/a.png".into() };
    assert!(with(ContentBlock::Image { source }, &facts(&["vision"])).is_err());
    let source = MediaSource::Base64 { media_type: "application/pdf".into(), data: "JVBERi0=".into() };
    assert!(with(ContentBlock::Document { source, title: None }, &facts(&["vision"])).is_err());
}

#[test]
fn the_choice_of_tools_is_the_models_and_the_user_is_told() {
    let ask = |tool_choice| {
        let options = RequestOptions { tool_choice, ..RequestOptions::default() };
        let (body, told) = built(&request(vec![user("hi")], options), &facts(&["tools"]));
        (body.get("tools").is_some(), told)
    };
    assert_eq!(ask(ToolChoice::None), (false, Vec::new()));
    assert_eq!(ask(ToolChoice::Any), (true, vec!["tool_choice.ignored".to_owned()]));
}

#[test]
fn the_cloud_is_not_sent_a_schema() {
    assert!(is_cloud("gpt-oss:120b-cloud") && is_cloud("x:cloud") && !is_cloud("qwen3:8b"));
    let options = RequestOptions { output_schema: Some(Arc::new(json!({}))), ..RequestOptions::default() };
    let mut request = request(vec![user("hi")], options);
    request.model = "ollama:big:cloud".parse().unwrap();
    let (body, told) = built(&request, &facts(&["tools"]));
    assert!(body.get("format").is_none());
    assert_eq!(told, ["output.not_held"]);
}
