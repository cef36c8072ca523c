use std::sync::Arc;

use serde_json::{Value, json};

use crate::chat::{
    CacheTtl, ContentBlock, Effort, MediaSource, Message, MessageBlock, Thinking, ThinkingDisplay, ToolCall,
    ToolChoice, ToolResult, ToolSpec,
};
use crate::provider::anthropic::body;
use crate::provider::{AnthropicOptions, CompletionRequest, ParallelTools, RequestOptions};

fn request(model: &str, messages: Vec<Message>) -> CompletionRequest {
    CompletionRequest {
        model: model.parse().unwrap(),
        system: Arc::from(["You help".to_owned()]),
        tools: Arc::from([ToolSpec {
            name: "read_file".into(),
            description: "Reads".into(),
            input_schema: json!({"type":"object","properties":{"path":{"type":"string"}}}),
            ..ToolSpec::default()
        }]),
        messages: messages.into_iter().map(Arc::new).collect(),
        max_output_tokens: 200_000,
        options: Arc::default(),
    }
}

fn user(text: &str) -> Message {
    Message::user(vec![MessageBlock::Text { text: text.into() }])
}

fn conversation() -> Vec<Message> {
    let call = ToolCall { id: "t1".into(), name: "read_file".into(), input: "{\"b\":1, \"a\":2}".into() };
    vec![
        user("hi"),
        Message::assistant(
            vec![
                MessageBlock::Thinking { text: String::new(), signature: "sig".into() },
                MessageBlock::RedactedThinking { data: "blob".into() },
                MessageBlock::ToolCall(call),
            ],
            Arc::from("anthropic:claude-sonnet-5-5"),
        ),
        Message::user(vec![MessageBlock::ToolResult(ToolResult::error("t1", "no such file"))]),
    ]
}

fn built(request: CompletionRequest) -> Value {
    serde_json::from_slice(&body(request).unwrap()).unwrap()
}

fn with_options(model: &str, options: RequestOptions) -> Value {
    built(CompletionRequest { options: Arc::new(options), ..request(model, vec![user("hi")]) })
}

#[test]
fn a_whole_request() {
    let expected = json!({
        "model": "claude-sonnet-5-5",
        "max_tokens": 128_000,
        "stream": true,
        "thinking": {"type": "adaptive", "display": "summarized"},
        "tools": [{
            "name": "read_file",
            "description": "Reads",
            "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}}
        }],
        "system": [{"type": "text", "text": "You help"}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "", "signature": "sig"},
                {"type": "redacted_thinking", "data": "blob"},
                {"type": "tool_use", "id": "t1", "name": "read_file", "input": {"b": 1, "a": 2}}
            ]},
            {"role": "user", "content": [{
                "type": "tool_result",
                "tool_use_id": "t1",
                "content": [{"type": "text", "text": "no such file"}],
                "is_error": true
            }]}
        ]
    });
    assert_eq!(built(request("anthropic:claude-sonnet-5-5", conversation())), expected);
}

#[test]
fn every_option_has_its_place() {
    let options = RequestOptions {
        thinking: Thinking::Disabled,
        effort: Some(Effort::Low),
        tool_choice: ToolChoice::Tool { name: "read_file".into() },
        parallel_tools: ParallelTools::Forbidden,
        output_schema: Some(Arc::new(json!({"type": "object"}))),
        stop_sequences: vec!["END".into()],
        anthropic: AnthropicOptions {
            service_tier: Some("standard_only".into()),
            user_id: Some("u-1".into()),
            ..AnthropicOptions::default()
        },
        ..RequestOptions::default()
    };
    let body = with_options("anthropic:claude-haiku-5-5", options);
    assert_eq!(body["thinking"], json!({"type": "disabled"}));
    let format = json!({"type": "json_schema", "schema": {"type": "object"}});
    assert_eq!(body["output_config"], json!({"effort": "low", "format": format}));
    let choice = json!({"type": "tool", "name": "read_file", "disable_parallel_tool_use": true});
    assert_eq!(body["tool_choice"], choice);
    assert_eq!((&body["stop_sequences"], &body["service_tier"]), (&json!(["END"]), &json!("standard_only")));
    assert_eq!(body["metadata"], json!({"user_id": "u-1"}));
}

#[test]
fn thinking_says_what_it_shows_in_every_form() {
    let thinking = |thinking, display| {
        let options = RequestOptions { thinking, thinking_display: display, ..RequestOptions::default() };
        with_options("anthropic:claude-opus-4-6", options)["thinking"].clone()
    };
    let budget = Thinking::Enabled { budget_tokens: 2_048 };
    assert_eq!(
        thinking(budget, ThinkingDisplay::Omitted),
        json!({"type": "enabled", "budget_tokens": 2048, "display": "omitted"})
    );
    assert_eq!(
        thinking(Thinking::Adaptive, ThinkingDisplay::Summarized),
        json!({"type": "adaptive", "display": "summarized"})
    );
}

#[test]
fn a_tools_input_goes_back_byte_for_byte() {
    let bytes = body(request("anthropic:claude-sonnet-5-5", conversation())).unwrap();
    assert!(String::from_utf8(bytes.to_vec()).unwrap().contains("\"input\":{\"b\":1, \"a\":2}"));
}

#[test]
fn thinking_goes_back_to_its_author_only() {
    let other = built(request("anthropic:claude-opus-5-5", conversation()));
    let kinds: Vec<_> = other["messages"][1]["content"].as_array().unwrap().iter().map(|b| &b["type"]).collect();
    assert_eq!(kinds, ["tool_use"]);
}

#[test]
fn models_get_only_what_they_take() {
    let old = built(request("anthropic:claude-haiku-4-5", vec![]));
    assert_eq!(old.get("thinking"), None);
    assert_eq!(old["max_tokens"], 64_000);
    let new = built(request("anthropic:claude-opus-5-5", vec![]));
    assert_eq!(new["thinking"], json!({"type":"adaptive","display":"summarized"}));
}

/// Where the breakpoints are, as `tools`, `system` and `message.block`.
fn breakpoints(body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let marked = |block: &Value| block.get("cache_control").is_some();
    found.extend(body["tools"].as_array().unwrap().iter().filter(|tool| marked(tool)).map(|_| "tools".to_owned()));
    found.extend(body["system"].as_array().unwrap().iter().filter(|block| marked(block)).map(|_| "system".to_owned()));
    for (at, message) in body["messages"].as_array().unwrap().iter().enumerate() {
        for (block_at, block) in message["content"].as_array().unwrap().iter().enumerate() {
            if marked(block) {
                found.push(format!("{at}.{block_at}"));
            }
        }
    }
    found
}

#[test]
fn breakpoints_are_behind_the_prefix_and_roll_with_the_conversation() {
    let options = RequestOptions { cache: Some(CacheTtl::OneHour), ..RequestOptions::default() };
    let with = |messages: Vec<Message>| {
        let mut request = request("anthropic:claude-sonnet-5-5", messages);
        request.options = Arc::new(options.clone());
        built(request)
    };
    let first = with(vec![user("hi")]);
    assert_eq!(breakpoints(&first), ["tools", "system", "0.0"]);
    assert_eq!(first["system"][0]["cache_control"], json!({"type": "ephemeral", "ttl": "1h"}));
    // A turn of thirty tool calls: the request before ended at 0.0, which is marked again, so that it is found.
    let call = |n: usize| MessageBlock::ToolCall(ToolCall { id: n.to_string(), name: "t".into(), input: "{}".into() });
    let result = |n: usize| MessageBlock::ToolResult(ToolResult::ok(n.to_string(), "ok"));
    let author = Arc::from("anthropic:claude-sonnet-5-5");
    let many = vec![
        user("hi"),
        Message::assistant((0..30).map(call).collect(), author),
        Message::user((0..30).map(result).collect()),
    ];
    assert_eq!(breakpoints(&with(many)), ["tools", "system", "0.0", "2.29"]);
    let mut plain = request("anthropic:claude-sonnet-5-5", vec![user("hi")]);
    plain.options = Arc::default();
    assert_eq!(breakpoints(&built(plain)), [] as [&str; 0]);
}

#[test]
fn attachments_travel_as_the_api_has_them() {
    let pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
    let image = MediaSource::Base64 { media_type: "image/png".into(), data: pixel.into() };
    let attached = |content| MessageBlock::Attachment { content };
    let message = Message::user(vec![
        attached(ContentBlock::Image { source: image.clone() }),
        attached(ContentBlock::Document { source: MediaSource::Text { text: "t".into() }, title: Some("T".into()) }),
        MessageBlock::ToolResult(ToolResult {
            call_id: "c".into(),
            content: vec![ContentBlock::Image { source: image }],
            is_error: false,
        }),
    ]);
    let body = built(request("anthropic:claude-sonnet-5-5", vec![message]));
    let image = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": pixel}});
    let document =
        json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "t"}, "title": "T"});
    let content = body["messages"][0]["content"].as_array().unwrap();
    assert_eq!(content[0], image);
    assert_eq!(content[1], document);
    assert_eq!(content[2]["content"], json!([image]));
}

/// What each family of models is sent for the same wishes: read the difference when this changes.
#[test]
fn every_family_of_models_is_asked_in_its_own_way() {
    let ids = [
        "claude-fable-5-2",
        "claude-mythos-5-1",
        "claude-opus-5-5",
        "claude-opus-5",
        "claude-opus-4-8",
        "claude-opus-4-7",
        "claude-opus-4-6",
        "claude-opus-4-5-20251101",
        "claude-sonnet-5-5",
        "claude-sonnet-5",
        "claude-sonnet-4-6",
        "claude-sonnet-4-5",
        "claude-haiku-5-5",
        "claude-haiku-4-5",
        "claude-sonnet-4-20250514",
        "claude-3-haiku-20240307",
        "claude-of-tomorrow",
    ];
    let mut asked = serde_json::Map::new();
    for id in ids {
        let options = RequestOptions {
            effort: Some(Effort::Xhigh),
            cache: Some(CacheTtl::FiveMinutes),
            ..RequestOptions::default()
        };
        let mut body = with_options(&format!("anthropic:{id}"), options);
        let body = body.as_object_mut().unwrap();
        for same in ["model", "messages", "tools", "system", "stream"] {
            assert!(body.remove(same).is_some(), "{id}: {same}");
        }
        asked.insert(id.to_owned(), Value::Object(body.clone()));
    }
    insta::assert_json_snapshot!(asked);
}
