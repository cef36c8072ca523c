//! A frozen request as the body of `POST /api/chat`.

use serde_json::{Map, Value, json};

use super::messages::{Reader, messages};
use super::show::ModelFacts;
use crate::chat::{CompletionEvent, Effort, Thinking, ToolChoice, ToolSpec};
use crate::provider::notice::warning;
use crate::provider::options::{ParallelTools, RequestOptions};
use crate::provider::{Category, CompletionRequest, Error};

/// The size of the context window when nobody says one. The server's own default may be 4096 tokens, out of which it
/// drops the oldest messages without a word.
const DEFAULT_CONTEXT: u32 = 65_536;

/// What the user set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// Tokens that the context window is to have.
    pub num_ctx: Option<u32>,
    /// How long the model stays loaded after an answer: seconds, or a duration as `5m`; negative for ever.
    pub keep_alive: Option<String>,
}

/// A body, and what goes with it.
#[derive(Clone, Debug)]
pub struct Built {
    /// The body.
    pub body: Vec<u8>,
    /// The size of the context window that it asks for. It is the same for all requests of a session, as another one
    /// has the model loaded anew.
    pub num_ctx: u32,
    /// What the model has no word for and what is sent instead.
    pub notices: Vec<CompletionEvent>,
}

/// Whether a model runs in Ollama's cloud, which holds no answer to a schema.
pub fn is_cloud(model: &str) -> bool {
    model.ends_with(":cloud") || model.ends_with("-cloud")
}

/// The body of `request`, for a model of which `facts` are known.
///
/// # Errors
/// [`Category::BadRequest`] for images and documents that the model cannot take.
pub fn build(request: &CompletionRequest, facts: &ModelFacts, settings: &Settings) -> Result<Built, Error> {
    let (model, options) = (request.model.model(), &*request.options);
    let mut notices = Vec::new();
    let author = request.model.to_string();
    let reader = Reader { author: &author, model, sees_images: facts.can("vision").unwrap_or(true) };
    let messages = messages(&request.system, &request.messages, reader)?;
    if let Some(what) = messages.left_out.first() {
        let message = format!("{model} cannot take {what}; what the conversation has of the kind was left out");
        notices.push(warning("content.left_out", message));
    }
    let num_ctx = context(facts, settings);
    let mut body = Map::new();
    let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
    set("model", json!(model));
    set("stream", json!(true));
    // A conversation that is too long is an error then, instead of losing its beginning without a word.
    set("truncate", json!(false));
    set("shift", json!(false));
    if let Some(think) = think(model, facts, options, &mut notices) {
        set("think", think);
    }
    if let Some(schema) = &options.output_schema {
        if is_cloud(model) {
            notices.push(warning("output.not_held", format!("{model} is not held to a schema of its answer")));
        } else {
            set("format", (**schema).clone());
        }
    }
    if let Some(keep_alive) = &settings.keep_alive {
        set("keep_alive", duration(keep_alive));
    }
    set("options", sampling(options, num_ctx, request.max_output_tokens));
    if let Some(tools) = tools(model, facts, request, &mut notices) {
        set("tools", tools);
    }
    set("messages", Value::Array(messages.all));
    let body = serde_json::to_vec(&body).map_err(|error| Error::new(Category::BadRequest, error.to_string()))?;
    Ok(Built { body, num_ctx, notices })
}

/// The size of the context window: what the user set, or else the model's Modelfile, or else a default; and never more
/// than the model can have.
fn context(facts: &ModelFacts, settings: &Settings) -> u32 {
    let wanted = settings.num_ctx.or(facts.configured_context).unwrap_or(DEFAULT_CONTEXT);
    facts.context_length.map_or(wanted, |most| wanted.min(most)).max(1)
}

/// Seconds go as a number, all else as it is.
fn duration(text: &str) -> Value {
    let text = text.trim();
    text.parse::<i64>().map_or_else(|_| json!(text), |seconds| json!(seconds))
}

/// The field `think`: a model that cannot think refuses it, and some know levels only.
fn think(
    model: &str,
    facts: &ModelFacts,
    options: &RequestOptions,
    notices: &mut Vec<CompletionEvent>,
) -> Option<Value> {
    let wants = !matches!(options.thinking, Thinking::Auto | Thinking::Disabled);
    if facts.can("thinking") != Some(true) {
        if wants {
            notices.push(warning("thinking.not_supported", format!("{model} does not think")));
        }
        if options.effort.is_some() {
            notices.push(warning("effort.not_supported", format!("{model} has no efforts; none is sent")));
        }
        return None;
    }
    if matches!(options.thinking, Thinking::Enabled { .. } | Thinking::BetweenTools) {
        let message = format!("{model} does not take thinking {}; it thinks as it likes", options.thinking.as_str());
        notices.push(warning("thinking.not_supported", message));
    }
    if takes_levels(model, facts) {
        if options.thinking == Thinking::Disabled {
            notices.push(warning("thinking.always_on", format!("{model} always thinks; it thinks little instead")));
            return Some(json!("low"));
        }
        return options.effort.map(|effort| json!(level(model, effort, notices)));
    }
    if let Some(effort) = options.effort {
        let message = format!("{model} has no effort {}; none is sent", effort.as_str());
        notices.push(warning("effort.not_supported", message));
    }
    Some(json!(options.thinking != Thinking::Disabled))
}

/// Whether a model's thinking has levels and cannot be switched off.
fn takes_levels(model: &str, facts: &ModelFacts) -> bool {
    let name = model.rsplit('/').next().unwrap_or(model);
    name.starts_with("gpt-oss") || facts.family.as_deref() == Some("gptoss")
}

fn level(model: &str, effort: Effort, notices: &mut Vec<CompletionEvent>) -> &'static str {
    if effort > Effort::High {
        let message = format!("{model} has no effort {}; high is used", effort.as_str());
        notices.push(warning("effort.not_supported", message));
    }
    effort.min(Effort::High).as_str()
}

/// The field `options`: names that the server does not know would only be logged there.
fn sampling(options: &RequestOptions, num_ctx: u32, max_output_tokens: u32) -> Value {
    let mut made = Map::new();
    made.insert("num_ctx".to_owned(), json!(num_ctx));
    made.insert("num_predict".to_owned(), json!(max_output_tokens));
    let sampling = options.sampling;
    for (name, value) in [("temperature", sampling.temperature), ("top_p", sampling.top_p)] {
        made.extend(value.map(|value| (name.to_owned(), json!(value))));
    }
    made.extend(sampling.top_k.map(|value| ("top_k".to_owned(), json!(value))));
    if !options.stop_sequences.is_empty() {
        made.insert("stop".to_owned(), json!(options.stop_sequences));
    }
    Value::Object(made)
}

fn tools(
    model: &str,
    facts: &ModelFacts,
    request: &CompletionRequest,
    notices: &mut Vec<CompletionEvent>,
) -> Option<Value> {
    let options = &request.options;
    if request.tools.is_empty() || options.tool_choice == ToolChoice::None {
        return None;
    }
    if facts.can("tools") == Some(false) {
        let message = format!("{model} cannot call tools; it is asked without them");
        notices.push(warning("model.no_tools", message));
        return None;
    }
    if options.tool_choice != ToolChoice::Auto || options.parallel_tools == ParallelTools::Forbidden {
        let message = "Ollama leaves it to the model which tools it calls, and how many at once";
        notices.push(warning("tool_choice.ignored", message));
    }
    Some(request.tools.iter().map(tool).collect())
}

fn tool(tool: &ToolSpec) -> Value {
    let (name, description, parameters) = (&tool.name, &tool.description, &tool.input_schema);
    json!({"type": "function", "function": {"name": name, "description": description, "parameters": parameters}})
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
