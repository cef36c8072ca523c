//! A frozen request as the body of `POST {base}/responses`.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::input::input;
use crate::chat::{CompletionEvent, Effort, Thinking, ThinkingDisplay, ToolChoice, ToolSpec};
use crate::provider::notice::warning;
use crate::provider::openai::{Family, Reasoning, answer_schema, family};
use crate::provider::options::{ParallelTools, RequestOptions};
use crate::provider::structured::is_strict;
use crate::provider::{Category, CompletionRequest, Error};

/// The API is said to refuse a smaller limit; not verified.
const MIN_OUTPUT_TOKENS: u32 = 16;

/// Where a request goes: servers that speak this API differ in what they take.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Whether `store: false` is sent. Some servers have no such field and store nothing.
    pub store_field: bool,
    /// Whether padding of the stream is switched off: `stream_options.include_obfuscation`, `OpenAI`'s own.
    pub obfuscation_field: bool,
    /// Whether encrypted reasoning is asked for, to be sent back.
    pub encrypted_reasoning: bool,
    /// A name of the conversation, so that its requests meet the same cache.
    pub prompt_cache_key: Option<String>,
    /// Fields that are sent as they are. They win over what would be sent else.
    pub extra_body: Map<String, Value>,
}

impl Default for Target {
    /// api.openai.com, without a name of the conversation.
    fn default() -> Self {
        Self {
            store_field: true,
            obfuscation_field: true,
            encrypted_reasoning: true,
            prompt_cache_key: None,
            extra_body: Map::new(),
        }
    }
}

/// A body, and what the user is told of it before the answer.
#[derive(Clone, Debug)]
pub struct Built {
    /// The body.
    pub body: Vec<u8>,
    /// What the model has no word for and what is sent instead.
    pub notices: Vec<CompletionEvent>,
}

/// The fields of a body in their order. Those that are set first win. Values stay text: what goes back verbatim must not
/// be spelt anew.
struct Body(Vec<(String, Box<RawValue>)>);

impl Body {
    fn set(&mut self, name: &str, value: &impl Serialize) -> Result<(), Error> {
        if self.0.iter().all(|(known, _)| known != name) {
            self.0.push((name.to_owned(), serde_json::value::to_raw_value(value).map_err(unencodable)?));
        }
        Ok(())
    }

    fn set_some(&mut self, name: &str, value: Option<&impl Serialize>) -> Result<(), Error> {
        value.map_or(Ok(()), |value| self.set(name, value))
    }
}

impl Serialize for Body {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn unencodable(error: impl std::fmt::Display) -> Error {
    Error::new(Category::BadRequest, error.to_string())
}

/// A tool. `strict` is always said: left out, it would count as true.
#[derive(Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    name: &'a str,
    description: &'a str,
    parameters: &'a Value,
    strict: bool,
}

/// The body of `request`.
///
/// # Errors
/// [`Category::BadRequest`] for what the API has no form for.
pub fn build(request: &CompletionRequest, target: &Target) -> Result<Built, Error> {
    let mut notices = Vec::new();
    let (id, options) = (request.model.model(), &*request.options);
    let family = family(id);
    let (reasoning, thinks) = reasoning(id, family, options, &mut notices);
    let (temperature, top_p) = sampling(options, thinks, &mut notices);
    if !options.stop_sequences.is_empty() {
        notices.push(warning("stop_sequences.ignored", "stop sequences were left out: the API has none"));
    }
    let mut body = Body(Vec::new());
    for (name, value) in &target.extra_body {
        body.set(name, value)?;
    }
    body.set("model", &id)?;
    body.set("stream", &true)?;
    body.set_some("stream_options", target.obfuscation_field.then(|| json!({"include_obfuscation": false})).as_ref())?;
    body.set_some("store", target.store_field.then_some(&false))?;
    if thinks && target.encrypted_reasoning {
        body.set("include", &["reasoning.encrypted_content"])?;
    }
    body.set("max_output_tokens", &request.max_output_tokens.max(MIN_OUTPUT_TOKENS))?;
    body.set_some("reasoning", reasoning.as_ref())?;
    body.set_some("text", options.output_schema.as_deref().map(text_format).transpose()?.as_ref())?;
    body.set_some("temperature", temperature.as_ref())?;
    body.set_some("top_p", top_p.as_ref())?;
    body.set_some("prompt_cache_key", target.prompt_cache_key.as_ref())?;
    if !request.tools.is_empty() {
        body.set_some("tool_choice", tool_choice(&options.tool_choice).as_ref())?;
        // Parallel calls are the default; the field is sent only to switch them off.
        body.set_some("parallel_tool_calls", (options.parallel_tools == ParallelTools::Forbidden).then_some(&false))?;
        body.set("tools", &request.tools.iter().map(tool).collect::<Vec<_>>())?;
    }
    if !request.system.is_empty() {
        body.set("instructions", &request.system.join("\n\n"))?;
    }
    body.set("input", &input(&request.messages, &request.model.to_string())?)?;
    Ok(Built { body: serde_json::to_vec(&body).map_err(unencodable)?, notices })
}

/// The field `reasoning`, and whether the model reasons.
fn reasoning(
    id: &str,
    family: &Family,
    options: &RequestOptions,
    notices: &mut Vec<CompletionEvent>,
) -> (Option<Value>, bool) {
    if family.reasoning == Reasoning::None {
        if matches!(options.thinking, Thinking::Adaptive | Thinking::Enabled { .. } | Thinking::BetweenTools) {
            notices.push(warning("thinking.not_supported", format!("{id} does not reason")));
        }
        if options.effort.is_some() {
            notices.push(warning("effort.not_supported", format!("{id} has no efforts; none is sent")));
        }
        return (None, false);
    }
    match options.thinking {
        Thinking::Disabled => match family.reasoning {
            Reasoning::OptIn | Reasoning::On => return (Some(json!({"effort": "none"})), false),
            _ => notices.push(warning("thinking.always_on", format!("{id} always reasons; it cannot be switched off"))),
        },
        Thinking::Enabled { .. } | Thinking::BetweenTools => {
            let message = format!("{id} does not take thinking {}; it reasons by effort", options.thinking.as_str());
            notices.push(warning("thinking.not_supported", message));
        }
        Thinking::Auto | Thinking::Adaptive => {}
    }
    let wanted = match options.effort {
        // A model that reasons only when an effort is asked for.
        None if family.reasoning == Reasoning::OptIn => Some(Effort::Medium),
        wanted => wanted,
    };
    let effort = wanted.map(|wanted| {
        let taken = family.effort_over_responses(wanted);
        if taken != wanted {
            let message = format!("{id} has no effort {}; {} is used", wanted.as_str(), taken.as_str());
            notices.push(warning("effort.not_supported", message));
        }
        taken.as_str()
    });
    let summary = (options.thinking_display == ThinkingDisplay::Summarized).then_some("auto");
    let mut fields = Map::new();
    for (name, value) in [("effort", effort), ("summary", summary)] {
        fields.extend(value.map(|value| (name.to_owned(), json!(value))));
    }
    ((!fields.is_empty()).then_some(Value::Object(fields)), true)
}

/// `temperature` and `top_p`, which a model refuses while it reasons.
fn sampling(options: &RequestOptions, thinks: bool, notices: &mut Vec<CompletionEvent>) -> (Option<f64>, Option<f64>) {
    let wanted = options.sampling;
    let (temperature, top_p) = if thinks { (None, None) } else { (wanted.temperature, wanted.top_p) };
    if temperature != wanted.temperature || top_p != wanted.top_p || wanted.top_k.is_some() {
        notices.push(warning("sampling.ignored", "sampling parameters that the model refuses were left out"));
    }
    (temperature, top_p)
}

fn tool_choice(choice: &ToolChoice) -> Option<Value> {
    Some(match choice {
        ToolChoice::Auto => return None,
        ToolChoice::Any => json!("required"),
        ToolChoice::Tool { name } => json!({"type": "function", "name": name}),
        ToolChoice::None => json!("none"),
    })
}

fn tool(tool: &ToolSpec) -> Tool<'_> {
    Tool {
        r#type: "function",
        name: &tool.name,
        description: &tool.description,
        parameters: &tool.input_schema,
        strict: is_strict(&tool.input_schema),
    }
}

/// The field `text` that holds the answer to `schema`.
fn text_format(schema: &Value) -> Result<Value, Error> {
    let schema = answer_schema(schema)?;
    Ok(json!({"format": {"type": "json_schema", "name": "answer", "schema": schema, "strict": true}}))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
