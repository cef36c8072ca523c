//! A frozen request as the body of `POST /v1/messages`.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::blocks::{Block, CacheControl, Wire, system_block, wire_messages};
use super::plan::Plan;
use crate::chat::{Message, MessageBlock, Role, Thinking, ThinkingDisplay, ToolChoice, ToolSpec};
use crate::provider::options::{ParallelTools, RequestOptions};
use crate::provider::{Category, CompletionRequest, Error};

/// Larger bodies are refused before they reach the API (32 MB, the vendor says; a little is left for headers).
const MAX_BODY_BYTES: usize = 32_000_000;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    messages: Vec<Wire<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'a str,
    description: &'a str,
    input_schema: &'a serde_json::Value,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    strict: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    eager_input_streaming: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

/// The body of a planned request. The same request always gives the same bytes.
///
/// With `drop_thinking`, thinking that the provider says is bound to another conversation is dropped by it.
///
/// # Errors
/// When a kept block is not JSON any more, or the body is too large.
pub(super) fn body(request: &CompletionRequest, plan: &Plan, drop_thinking: bool) -> Result<Vec<u8>, Error> {
    encode(&shape(request, plan, drop_thinking)?)
}

/// The body of `POST /v1/messages/count_tokens` for the same request: what it holds, without what only an answer needs.
///
/// # Errors
/// As [`body`].
pub(super) fn count_body(request: &CompletionRequest, plan: &Plan) -> Result<Vec<u8>, Error> {
    let body = shape(request, plan, false)?;
    encode(&Body {
        max_tokens: None,
        stream: None,
        stop_sequences: &[],
        temperature: None,
        top_p: None,
        top_k: None,
        service_tier: None,
        metadata: None,
        ..body
    })
}

/// The body of a request that only fills the cache: its tools and system prompt, no answer. `None` where the API refuses
/// that (it does while a model thinks by budget) or nothing would be cached.
///
/// # Errors
/// As [`body`].
pub(super) fn warm_body(request: &CompletionRequest, plan: &Plan) -> Result<Option<Vec<u8>>, Error> {
    if request.options.cache.is_none() || matches!(plan.thinking, Some(Thinking::Enabled { .. })) {
        return Ok(None);
    }
    let placeholder = [Arc::new(Message::user(vec![MessageBlock::Text { text: "Hello".to_owned() }]))];
    let body = shape(request, plan, false)?;
    let messages = wire_messages(&placeholder, "", &[], None)?;
    encode(&Body {
        max_tokens: Some(0),
        stream: None,
        output_config: effort_only(plan),
        tool_choice: None,
        messages,
        ..body
    })
    .map(Some)
}

/// The effort is a part of what is cached, the schema of an answer is not allowed here.
fn effort_only(plan: &Plan) -> Option<serde_json::Value> {
    plan.effort.map(|effort| json!({ "effort": effort }))
}

fn shape<'a>(request: &'a CompletionRequest, plan: &Plan, drop_thinking: bool) -> Result<Body<'a>, Error> {
    let options = &request.options;
    let author = request.model.to_string();
    let mut tools: Vec<_> = request.tools.iter().map(wire_tool).collect();
    let mut system: Vec<_> = request.system.iter().map(|text| system_block(text)).collect();
    let mark = options.cache.map(CacheControl::new);
    if let Some(mark) = mark {
        mark_prefix(mark, &mut tools, &mut system);
    }
    let messages = wire_messages(&request.messages, &author, &rolling(&request.messages), mark)?;
    Ok(Body {
        model: request.model.model(),
        max_tokens: Some(plan.max_tokens),
        stream: Some(true),
        thinking: thinking(plan.thinking, options.thinking_display, drop_thinking),
        output_config: output_config(plan, options),
        tool_choice: plan.tool_choice.as_ref().map(|(choice, parallel)| tool_choice(choice, *parallel)),
        stop_sequences: &options.stop_sequences,
        temperature: plan.sampling.temperature,
        top_p: plan.sampling.top_p,
        top_k: plan.sampling.top_k,
        service_tier: options.anthropic.service_tier.as_deref(),
        metadata: options.anthropic.user_id.as_ref().map(|id| json!({ "user_id": id })),
        tools,
        system,
        messages,
    })
}

fn encode(body: &Body) -> Result<Vec<u8>, Error> {
    let bytes = serde_json::to_vec(body).map_err(|error| Error::new(Category::BadRequest, error.to_string()))?;
    if bytes.len() > MAX_BODY_BYTES {
        let message = format!("the request has {} bytes; the limit is {MAX_BODY_BYTES}", bytes.len());
        return Err(Error::new(Category::PayloadTooLarge, message));
    }
    Ok(bytes)
}

/// Sets two of the four breakpoints that a request may have: behind the tools, and behind the system prompt.
fn mark_prefix(mark: CacheControl, tools: &mut [Tool], system: &mut [Block]) {
    if let Some(tool) = tools.last_mut() {
        tool.cache_control = Some(mark);
    }
    if let Some(block) = system.last_mut() {
        block.mark(mark);
    }
}

/// The messages with the other two breakpoints: the end of the conversation, and where it ended in the request before.
/// The latter is what makes a turn of many blocks hit: a lookup goes back over 20 blocks only, and this one need not go
/// back at all.
fn rolling(messages: &[Arc<Message>]) -> Vec<usize> {
    let users = messages.iter().enumerate().rev().filter(|(_, message)| message.role == Role::User);
    users.map(|(at, _)| at).take(2).collect()
}

fn thinking(thinking: Option<Thinking>, display: ThinkingDisplay, drop: bool) -> Option<serde_json::Value> {
    let display = display.as_str();
    let mut value = match thinking? {
        Thinking::Auto => return None,
        Thinking::Adaptive => json!({"type": "adaptive", "display": display}),
        Thinking::Enabled { budget_tokens } => {
            json!({"type": "enabled", "budget_tokens": budget_tokens, "display": display})
        }
        Thinking::BetweenTools => json!({"type": "between_tools"}),
        Thinking::Disabled => json!({"type": "disabled"}),
    };
    if drop {
        value["block_binding"] = json!({"prefix_mismatch_behavior": "drop_block"});
    }
    Some(value)
}

fn output_config(plan: &Plan, options: &RequestOptions) -> Option<serde_json::Value> {
    let mut config = serde_json::Map::new();
    if let Some(effort) = plan.effort {
        config.insert("effort".to_owned(), json!(effort));
    }
    if let Some(schema) = &options.output_schema {
        config.insert("format".to_owned(), json!({"type": "json_schema", "schema": schema}));
    }
    (!config.is_empty()).then_some(serde_json::Value::Object(config))
}

fn tool_choice(choice: &ToolChoice, parallel: ParallelTools) -> serde_json::Value {
    let mut value = match choice {
        ToolChoice::Auto => json!({"type": "auto"}),
        ToolChoice::Any => json!({"type": "any"}),
        ToolChoice::Tool { name } => json!({"type": "tool", "name": name}),
        ToolChoice::None => return json!({"type": "none"}),
    };
    if parallel == ParallelTools::Forbidden {
        value["disable_parallel_tool_use"] = json!(true);
    }
    value
}

fn wire_tool(tool: &ToolSpec) -> Tool<'_> {
    Tool {
        name: &tool.name,
        description: &tool.description,
        input_schema: &tool.input_schema,
        strict: tool.strict,
        eager_input_streaming: tool.eager_input_streaming,
        cache_control: None,
    }
}

/// Text that is JSON, to be sent as it is.
pub(super) fn raw(json: String) -> Result<Box<RawValue>, Error> {
    RawValue::from_string(json)
        .map_err(|error| Error::new(Category::BadRequest, format!("a kept content block is not JSON: {error}")))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
