//! A frozen request as the body of `POST /v1/messages`.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::chat::{ContentBlock, Message, MessageBlock, Role, ToolCall, ToolResult, ToolSpec};
use crate::models::{ModelInfo, anthropic_model};
use crate::provider::{Category, CompletionRequest, Error};

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Thinking>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    messages: Vec<WireMessage<'a>>,
}

#[derive(Serialize)]
struct Thinking {
    r#type: &'static str,
    display: &'static str,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'a str,
    description: &'a str,
    input_schema: &'a serde_json::Value,
}

#[derive(Serialize)]
struct WireMessage<'a> {
    role: &'static str,
    content: Vec<Block<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Block<'a> {
    Known(Known<'a>),
    Raw(Box<RawValue>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Known<'a> {
    Text {
        text: &'a str,
    },
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
    RedactedThinking {
        data: &'a str,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: Box<RawValue>,
    },
    ToolResult {
        tool_use_id: &'a str,
        content: Vec<Block<'a>>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        is_error: bool,
    },
}

/// The body of the request. The same request always gives the same bytes, and a longer conversation begins with the
/// bytes of the shorter one, up to its last message.
///
/// # Errors
/// When a kept block is not JSON any more.
pub fn body(request: &CompletionRequest) -> Result<Vec<u8>, Error> {
    let info = anthropic_model(request.model.model());
    let author = request.model.to_string();
    let messages = request.messages.iter().map(|message| wire_message(message, &author)).collect::<Result<Vec<_>, _>>();
    let body = Body {
        model: request.model.model(),
        max_tokens: request.max_output_tokens.clamp(1, info.max_output),
        stream: true,
        thinking: thinking(&info),
        tools: request.tools.iter().map(wire_tool).collect(),
        system: request.system.iter().map(|text| Block::Known(Known::Text { text })).collect(),
        messages: messages?.into_iter().filter(|message| !message.content.is_empty()).collect(),
    };
    serde_json::to_vec(&body).map_err(|error| Error::new(Category::BadRequest, error.to_string()))
}

/// Models that think adaptively are asked to show it: from Claude 4.7 on they hide it unless told otherwise, and an
/// editor would be silent meanwhile. Models that think by budget only are left at their default, which is off.
fn thinking(info: &ModelInfo) -> Option<Thinking> {
    info.thinking.accepts("adaptive").then_some(Thinking { r#type: "adaptive", display: "summarized" })
}

fn wire_tool(tool: &ToolSpec) -> Tool<'_> {
    Tool { name: &tool.name, description: &tool.description, input_schema: &tool.input_schema }
}

fn wire_message<'a>(message: &'a Message, author: &str) -> Result<WireMessage<'a>, Error> {
    let role = match message.role {
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    // Thinking is bound to the model that wrote it; another model ignores it but bills it.
    let own = message.author.as_deref() == Some(author);
    let content = message.content.iter().filter_map(|block| wire_block(block, own).transpose());
    Ok(WireMessage { role, content: content.collect::<Result<_, _>>()? })
}

fn wire_block(block: &MessageBlock, own: bool) -> Result<Option<Block<'_>>, Error> {
    let known = match block {
        MessageBlock::Text { text } if !text.is_empty() => Known::Text { text },
        MessageBlock::Thinking { text, signature } if own => Known::Thinking { thinking: text, signature },
        MessageBlock::RedactedThinking { data } if own => Known::RedactedThinking { data },
        MessageBlock::ToolCall(call) => Known::ToolUse { id: &call.id, name: &call.name, input: tool_input(call)? },
        MessageBlock::ToolResult(result) => tool_result(result),
        MessageBlock::Other { json } if own => return Ok(Some(Block::Raw(raw(json.clone())?))),
        MessageBlock::Text { .. }
        | MessageBlock::Thinking { .. }
        | MessageBlock::RedactedThinking { .. }
        | MessageBlock::Other { .. } => return Ok(None),
    };
    Ok(Some(Block::Known(known)))
}

/// The input exactly as the model wrote it, so that the prefix's bytes stay the same. The API wants an object; input
/// that is none was answered with an error, which shows it.
fn tool_input(call: &ToolCall) -> Result<Box<RawValue>, Error> {
    match call.parsed_input() {
        Ok(serde_json::Value::Object(_)) if !call.input.trim().is_empty() => raw(call.input.clone()),
        _ => raw("{}".to_owned()),
    }
}

fn tool_result(result: &ToolResult) -> Known<'_> {
    let text = |block: &'_ ContentBlock| block.as_text().is_some_and(|text| !text.is_empty());
    let content = result.content.iter().filter(|block| text(block)).filter_map(ContentBlock::as_text);
    Known::ToolResult {
        tool_use_id: &result.call_id,
        content: content.map(|text| Block::Known(Known::Text { text })).collect(),
        is_error: result.is_error,
    }
}

fn raw(json: String) -> Result<Box<RawValue>, Error> {
    RawValue::from_string(json)
        .map_err(|error| Error::new(Category::BadRequest, format!("a kept content block is not JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::sync::Arc;

    fn request(model: &str, messages: Vec<Message>) -> CompletionRequest {
        CompletionRequest {
            model: model.parse().unwrap(),
            system: Arc::from(["You help".to_owned()]),
            tools: Arc::from([ToolSpec {
                name: "read_file".into(),
                description: "Reads".into(),
                input_schema: json!({"type":"object","properties":{"path":{"type":"string"}}}),
            }]),
            messages: messages.into_iter().map(Arc::new).collect(),
            max_output_tokens: 200_000,
        }
    }

    fn conversation() -> Vec<Message> {
        let call = ToolCall { id: "t1".into(), name: "read_file".into(), input: "{\"b\":1, \"a\":2}".into() };
        vec![
            Message::user(vec![MessageBlock::Text { text: "hi".into() }]),
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

    fn built(request: &CompletionRequest) -> Value {
        serde_json::from_slice(&body(request).unwrap()).unwrap()
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
        assert_eq!(built(&request("anthropic:claude-sonnet-5-5", conversation())), expected);
    }

    #[test]
    fn a_tools_input_goes_back_byte_for_byte() {
        let bytes = body(&request("anthropic:claude-sonnet-5-5", conversation())).unwrap();
        assert!(String::from_utf8(bytes).unwrap().contains("\"input\":{\"b\":1, \"a\":2}"));
    }

    #[test]
    fn thinking_goes_back_to_its_author_only() {
        let other = built(&request("anthropic:claude-opus-5-5", conversation()));
        let kinds: Vec<_> = other["messages"][1]["content"].as_array().unwrap().iter().map(|b| &b["type"]).collect();
        assert_eq!(kinds, ["tool_use"]);
    }

    #[test]
    fn models_get_only_what_they_take() {
        let old = built(&request("anthropic:claude-haiku-4-5", vec![]));
        assert_eq!(old.get("thinking"), None);
        assert_eq!(old["max_tokens"], 64_000);
        let new = built(&request("anthropic:claude-opus-5-5", vec![]));
        assert_eq!(new["thinking"], json!({"type":"adaptive","display":"summarized"}));
    }
}
