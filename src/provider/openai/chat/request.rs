//! A planned request as the body of `POST /chat/completions`.

use serde::Serialize;
use serde_json::{Value, json};

use super::messages::{Message, messages};
use super::plan::Plan;
use crate::chat::ToolSpec;
use crate::provider::openai::{Allowed, Family, Profile, answer_schema, family, inline_refs, sanitise};
use crate::provider::structured::is_strict;
use crate::provider::{Category, CompletionRequest, Error};

/// The name of the schema of an answer.
const SCHEMA_NAME: &str = "answer";

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_template_kwargs: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_cache_key: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    messages: Vec<Message<'a>>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    include_obfuscation: Option<bool>,
}

#[derive(Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    parameters: Value,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    strict: bool,
}

/// The body of a planned request. The same request always gives the same bytes.
///
/// # Errors
/// [`Category::BadRequest`] for a document or a schema that the server does not take.
pub fn body(request: &CompletionRequest, profile: &Profile, plan: &Plan) -> Result<Vec<u8>, Error> {
    let id = request.model.model();
    let family = family(id);
    let body = Body {
        model: id,
        stream: true,
        stream_options: profile.send_usage_option.then(|| StreamOptions {
            include_usage: true,
            include_obfuscation: profile.include_obfuscation.then_some(false),
        }),
        max_tokens: plan.max_tokens,
        max_completion_tokens: plan.max_completion_tokens,
        reasoning_effort: plan.reasoning_effort.as_deref(),
        reasoning: plan.reasoning.as_ref(),
        thinking: plan.thinking.as_ref(),
        chat_template_kwargs: plan.chat_template_kwargs.as_ref(),
        temperature: plan.temperature,
        top_p: plan.top_p,
        top_k: plan.top_k,
        stop: &plan.stop,
        tool_choice: plan.tool_choice.as_ref(),
        parallel_tool_calls: plan.one_tool_at_a_time.then_some(false),
        response_format: response_format(request, profile, family, plan)?,
        prompt_cache_key: prompt_cache_key(request, profile),
        tools: request.tools.iter().map(|tool| wire_tool(tool, profile, family)).collect(),
        messages: messages(request, profile, family)?,
    };
    let broken = |error: serde_json::Error| Error::new(Category::BadRequest, error.to_string());
    let extra = profile.extra_body.iter().filter(|(field, _)| !profile.refused_fields.contains(field));
    let mut extra = extra.peekable();
    if extra.peek().is_none() {
        return serde_json::to_vec(&body).map_err(broken);
    }
    let mut whole = serde_json::to_value(&body).map_err(broken)?;
    for (field, value) in extra {
        whole[field] = value.clone();
    }
    serde_json::to_vec(&whole).map_err(broken)
}

/// A schema as the server takes it.
fn wire_schema(schema: &Value, profile: &Profile, family: &Family) -> Value {
    let inlined = match profile.schema_inline_refs {
        Allowed::Yes => true,
        Allowed::No => false,
        Allowed::ByModel => family.inline_refs,
    };
    let schema = if inlined { inline_refs(schema) } else { schema.clone() };
    if profile.schema_sanitise { sanitise(&schema) } else { schema }
}

fn wire_tool<'a>(tool: &'a ToolSpec, profile: &Profile, family: &Family) -> Tool<'a> {
    let strict = tool.strict && profile.strict_tools && is_strict(&tool.input_schema);
    let parameters = wire_schema(&tool.input_schema, profile, family);
    Tool {
        r#type: "function",
        function: Function { name: &tool.name, description: &tool.description, parameters, strict },
    }
}

fn response_format(
    request: &CompletionRequest,
    profile: &Profile,
    family: &Family,
    plan: &Plan,
) -> Result<Option<Value>, Error> {
    let Some(schema) = request.options.output_schema.as_ref().filter(|_| plan.with_schema) else { return Ok(None) };
    let schema = wire_schema(&answer_schema(schema)?, profile, family);
    let named = json!({"name": SCHEMA_NAME, "schema": schema, "strict": true});
    Ok(Some(json!({"type": "json_schema", "json_schema": named})))
}

/// What requests of one conversation have in common, where the server knows such a key and the cache is wanted.
pub(in crate::provider::openai) fn prompt_cache_key(request: &CompletionRequest, profile: &Profile) -> Option<String> {
    (profile.prompt_cache_key && request.options.cache.is_some()).then(|| cache_key(request))
}

/// A key that is the same for all requests that begin alike, so that they meet the same cache: a hash of the tools and
/// the system prompt (FNV-1a, which is the same in every version and on every machine).
fn cache_key(request: &CompletionRequest) -> String {
    let tools = request.tools.iter().flat_map(|tool| [tool.name.as_str(), tool.description.as_str()]);
    let pieces = tools.chain(request.system.iter().map(String::as_str));
    format!("souffleur-{:016x}", fnv(pieces.flat_map(|piece| piece.bytes().chain([0]))))
}

/// FNV-1a of 64 bits.
pub(super) fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
