//! Chat Completions: `POST {base}/chat/completions`, answered with an event stream.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::dialects::{Counted, Dialect, Effort, Goes, Thinks};
use super::{Asked, Called, Entry, Said, bearer, check, halves, json_script, need, parse, post};
use crate::support::script::{Gate, Script, Step};
use crate::support::vendor::Request;

/// An answer in the making.
#[derive(Clone, Debug, Default)]
pub struct Chunks {
    steps: Vec<Step>,
}

impl Chunks {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes as they are.
    pub fn raw(self, text: &str) -> Self {
        self.step(Step::Bytes(text.as_bytes().to_vec()))
    }

    /// Any step.
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Waits for the test.
    pub fn gate(self, gate: &Gate) -> Self {
        self.step(Step::Gate(gate.clone()))
    }

    /// An event.
    pub fn event(self, data: &Value) -> Self {
        self.raw(&format!("data: {data}\n\n"))
    }

    /// A chunk with this choice.
    fn chunk(self, choice: &Value, more: &Value) -> Self {
        let mut chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "served",
            "choices": [choice]});
        for (key, value) in more.as_object().into_iter().flatten() {
            chunk[key] = value.clone();
        }
        self.event(&chunk)
    }

    /// More of the message.
    pub fn delta(self, delta: &Value) -> Self {
        self.chunk(&json!({"index": 0, "delta": delta, "finish_reason": null}), &json!({"usage": null}))
    }

    /// Text in two pieces.
    pub fn text(self, text: &str) -> Self {
        halves(text).into_iter().fold(self, |chunks, half| chunks.delta(&json!({"content": half})))
    }

    /// The reason to stop.
    pub fn finish(self, reason: &str) -> Self {
        self.chunk(&json!({"index": 0, "delta": {}, "finish_reason": reason}), &Value::Null)
    }

    /// `[DONE]`.
    pub fn done(self) -> Self {
        self.raw("data: [DONE]\n\n")
    }

    /// As a script.
    pub fn script(self) -> Script {
        Script::stream(self.steps).header("x-request-id", "req_chat")
    }
}

/// A whole answer that says `text`.
pub fn says(text: &str) -> Script {
    Chunks::new().text(text).finish("stop").done().script()
}

/// An error as the API words it.
pub fn error(status: u16, kind: &str, code: &str, message: &str) -> Script {
    let body = json!({"error": {"message": message, "type": kind, "code": code, "param": null}});
    json_script(status, &body).header("x-request-id", "req_chat")
}

fn usage(counted: Counted) -> Value {
    match counted {
        Counted::DeepSeek => json!({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
            "prompt_cache_hit_tokens": 40, "prompt_cache_miss_tokens": 60,
            "completion_tokens_details": {"reasoning_tokens": 8}}),
        _ => json!({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
            "prompt_tokens_details": {"cached_tokens": 40}, "completion_tokens_details": {"reasoning_tokens": 8}}),
    }
}

/// An answer as this server streams it.
pub fn answer(dialect: &Dialect, said: &Said) -> Script {
    let mut chunks = Chunks::new();
    match dialect.name {
        "azure" => {
            chunks = chunks.event(&json!({"id": "", "object": "", "created": 0, "model": "", "choices": [],
                "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]}));
        }
        "openrouter" => chunks = chunks.raw(": OPENROUTER PROCESSING\n\n"),
        "gemini" => {}
        _ => chunks = chunks.delta(&json!({"role": "assistant", "content": ""})),
    }
    if !said.thinking.is_empty() {
        chunks = halves(said.thinking).into_iter().fold(chunks, |chunks, half| match dialect.thinks {
            Thinks::Not => chunks,
            Thinks::Content => chunks.delta(&json!({"content": null, "reasoning_content": half})),
            Thinks::Reasoning => chunks.delta(&json!({"reasoning": half})),
            Thinks::Parts => chunks.delta(&json!({
                "content": [{"type": "thinking", "thinking": [{"type": "text", "text": half}]}]})),
            Thinks::Details => chunks.delta(&json!({"reasoning": half, "reasoning_details": [
                {"type": "reasoning.text", "text": half, "format": "anthropic-claude-v1", "index": 0}]})),
        });
        if dialect.thinks == Thinks::Details {
            chunks = chunks.delta(&json!({"reasoning_details": [
                {"type": "reasoning.text", "signature": "c2ln", "format": "anthropic-claude-v1", "index": 0}]}));
        }
    }
    if !said.text.is_empty() {
        chunks = chunks.text(said.text);
    }
    if let Some((id, name, input)) = said.call {
        chunks = call(chunks, dialect.name, id, name, input);
    }
    // Some servers stop for their tools and do not say so.
    let silent = matches!(dialect.name, "llamacpp" | "gemini" | "ollama-openai");
    let reason = if said.call.is_some() && !silent { "tool_calls" } else { "stop" };
    let last = json!({"index": 0, "delta": {}, "finish_reason": reason});
    chunks = match dialect.counted {
        Counted::Apart => {
            let chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "served", "choices": [],
                "usage": usage(dialect.counted)});
            chunks.chunk(&last, &json!({"usage": null})).event(&chunk)
        }
        Counted::WithTheLast | Counted::DeepSeek => chunks.chunk(&last, &json!({"usage": usage(dialect.counted)})),
        Counted::Groq => chunks.chunk(&last, &json!({"x_groq": {"usage": usage(dialect.counted)}})),
    };
    // LM Studio has been seen to end without it.
    if dialect.name == "lmstudio" { chunks.script() } else { chunks.done().script() }
}

fn call(chunks: Chunks, server: &str, id: &str, name: &str, input: &str) -> Chunks {
    let [first, second] = halves(input);
    match server {
        "xai" => chunks.delta(&json!({"tool_calls": [{"index": 0, "id": id, "type": "function",
            "function": {"name": name, "arguments": input}}]})),
        "gemini" => chunks.delta(&json!({"tool_calls": [{"id": id, "type": "function",
            "extra_content": {"google": {"thought_signature": "c2ln"}},
            "function": {"name": name, "arguments": input}}]})),
        "mistral" => chunks
            .delta(&json!({"tool_calls": [{"index": 0, "id": id, "function": {"name": name, "arguments": first}}]}))
            .delta(&json!({"tool_calls": [{"index": 0, "id": "null", "function": {"name": "", "arguments": second}}]})),
        _ => chunks
            .delta(&json!({"tool_calls": [{"index": 0, "id": id, "type": "function",
                "function": {"name": name, "arguments": ""}}]}))
            .delta(&json!({"tool_calls": [{"index": 0, "function": {"arguments": first}}]}))
            .delta(&json!({"tool_calls": [{"index": 0, "function": {"arguments": second}}]})),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    model: String,
    stream: bool,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    reasoning_effort: Option<String>,
    reasoning: Option<Reasoning>,
    temperature: Option<f64>,
    response_format: Option<ResponseFormat>,
    prompt_cache_key: Option<String>,
    tools: Option<Vec<Tool>>,
    messages: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamOptions {
    include_usage: bool,
    include_obfuscation: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reasoning {
    effort: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponseFormat {
    r#type: String,
    json_schema: JsonSchema,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonSchema {
    name: String,
    schema: Value,
    strict: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    r#type: String,
    function: Function,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Function {
    name: String,
    description: String,
    parameters: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(tag = "role", rename_all = "snake_case", deny_unknown_fields)]
enum Message {
    System {
        content: String,
    },
    Developer {
        content: String,
    },
    User {
        content: Content,
    },
    Assistant {
        content: Option<String>,
        reasoning_content: Option<String>,
        reasoning_details: Option<Vec<Value>>,
        tool_calls: Option<Vec<Call>>,
    },
    Tool {
        tool_call_id: String,
        content: String,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Part {
    Text { text: String },
    ImageUrl { image_url: ImageUrl },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageUrl {
    url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    id: String,
    r#type: String,
    function: Called2,
    extra_content: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Called2 {
    name: String,
    arguments: String,
}

/// Reads a request as this server would, with the key `key`.
///
/// # Errors
/// What would be refused, and why.
pub fn decode(dialect: &Dialect, key: &str, request: &Request) -> Result<Asked, String> {
    post(request, dialect.path)?;
    if dialect.name == "azure" {
        need(request.header("api-key") == Some(key), "the key is in api-key")?;
        need(request.header("authorization").is_none(), "the key is sent once")?;
    } else if dialect.name != "oci" {
        bearer(request, key)?;
    }
    read(dialect, request)
}

/// Reads a request whose credential was looked at already.
///
/// # Errors
/// What would be refused, and why.
pub fn read(dialect: &Dialect, request: &Request) -> Result<Asked, String> {
    let body: Body = parse(request)?;
    need(body.stream, "the answer streams")?;
    let obfuscation = body.stream_options.as_ref().and_then(|options| options.include_obfuscation);
    let own = body.prompt_cache_key.is_none() && obfuscation.is_none();
    need(own || dialect.name == "openai", "fields of OpenAI's own are not known")?;
    let asked_for_usage = body.stream_options.map(|options| options.include_usage);
    need(asked_for_usage == dialect.usage_option.then_some(true), "stream_options as the server knows it")?;
    let (limit, other) = match dialect.limit {
        "max_tokens" => (body.max_tokens, body.max_completion_tokens),
        _ => (body.max_completion_tokens, body.max_tokens),
    };
    need(other.is_none(), "the limit stands in the field of the server")?;
    let effort = match dialect.effort {
        Effort::Word => {
            need(body.reasoning.is_none(), "reasoning is not known")?;
            body.reasoning_effort
        }
        Effort::Object => {
            need(body.reasoning_effort.is_none(), "reasoning_effort is not known")?;
            body.reasoning.map(|reasoning| reasoning.effort)
        }
        Effort::None => {
            need(body.reasoning.is_none() && body.reasoning_effort.is_none(), "no effort is known")?;
            None
        }
    };
    need(dialect.sampling || body.temperature.is_none(), "temperature is not known")?;
    need(body.tools.as_ref().is_none_or(|tools| !tools.is_empty()), "tools are not an empty list")?;
    let mut asked = Asked {
        model: body.model,
        limit: limit.ok_or("there is no limit")?,
        effort,
        temperature: body.temperature,
        schema: body.response_format.map(|format| schema(dialect, format)).transpose()?,
        ..Asked::default()
    };
    for tool in body.tools.unwrap_or_default() {
        need(tool.r#type == "function" && !tool.function.description.is_empty(), "a tool is described")?;
        need(tool.function.parameters["type"] == "object", "a tool takes an object")?;
        asked.tools.push(tool.function.name);
    }
    for (at, message) in body.messages.into_iter().enumerate() {
        entry(dialect, at, message, &mut asked)?;
    }
    check(&asked)?;
    Ok(asked)
}

fn schema(dialect: &Dialect, format: ResponseFormat) -> Result<Value, String> {
    need(dialect.schema, "response_format is not known")?;
    need(format.r#type == "json_schema" && format.json_schema.strict, "the schema is strict")?;
    need(!format.json_schema.name.is_empty(), "the schema has a name")?;
    let schema = format.json_schema.schema;
    need(schema["type"] == "object" && schema["additionalProperties"] == false, "objects of the schema are closed")?;
    let properties = schema["properties"].as_object().ok_or("the schema has properties")?;
    let all: Vec<Value> = properties.keys().map(|key| json!(key)).collect();
    need(schema["required"] == json!(all), "every property is required")?;
    need(dialect.name != "gemini" || !schema.to_string().contains("$ref"), "$ref is not known")?;
    Ok(schema)
}

fn entry(dialect: &Dialect, at: usize, message: Message, asked: &mut Asked) -> Result<(), String> {
    match message {
        Message::System { content } => {
            need(at == 0 && dialect.role == "system", "the system prompt stands first")?;
            asked.system = content;
        }
        Message::Developer { content } => {
            need(at == 0 && dialect.role == "developer", "the system prompt stands first")?;
            asked.system = content;
        }
        Message::User { content: Content::Text(text) } => asked.history.push(Entry::User { text, images: 0 }),
        Message::User { content: Content::Parts(parts) } => {
            let (mut texts, mut images) = (Vec::new(), 0);
            for part in parts {
                match part {
                    Part::Text { text } => texts.push(text),
                    Part::ImageUrl { image_url } => {
                        need(dialect.images, "images are not known")?;
                        need(image_url.url.starts_with("data:image/png;base64,iVBOR"), "an image is a data URL")?;
                        images += 1;
                    }
                }
            }
            asked.history.push(Entry::User { text: texts.join("\n\n"), images });
        }
        Message::Assistant { content, reasoning_content, reasoning_details, tool_calls } => {
            let goes = dialect.goes;
            need(reasoning_content.is_none() || matches!(goes, Goes::Always | Goes::LastTurn), "reasoning_content")?;
            need(reasoning_details.is_none() || goes == Goes::Details, "reasoning_details")?;
            need(content.is_some() || tool_calls.is_some(), "content is null only beside calls")?;
            need(goes != Goes::Always || reasoning_content.is_some(), "reasoning_content must always be there")?;
            let thinking = match reasoning_details {
                None => reasoning_content.filter(|text| !text.is_empty()),
                Some(details) => {
                    let whole = details.len() == 1 && details[0]["signature"] == "c2ln" && details[0]["index"] == 0;
                    need(whole, "reasoning_details come back as one, with the signature")?;
                    Some(details[0]["text"].as_str().unwrap_or_default().to_owned())
                }
            };
            let calls = tool_calls.unwrap_or_default().into_iter();
            let calls = calls.map(|call| called(dialect, call)).collect::<Result<_, _>>()?;
            asked.history.push(Entry::Assistant { thinking, text: content.unwrap_or_default(), calls });
        }
        Message::Tool { tool_call_id: id, content: text } => asked.history.push(Entry::Result { id, text }),
    }
    Ok(())
}

fn called(dialect: &Dialect, call: Call) -> Result<Called, String> {
    need(call.r#type == "function", "a call is one of a function")?;
    let signed = call.extra_content.as_ref().map(|extra| extra["google"]["thought_signature"].as_str());
    match (dialect.goes, signed) {
        // The signature itself, or what stands for it in calls of other models.
        (Goes::Google, Some(Some("c2ln" | "skip_thought_signature_validator"))) => {}
        (Goes::Google, _) => return Err("a call comes back with its thought signature".to_owned()),
        (_, None) => {}
        (_, Some(_)) => return Err("extra_content is not known".to_owned()),
    }
    if dialect.name == "mistral" {
        let fits = call.id.len() == 9 && call.id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        need(fits, "a call's id has nine letters or digits")?;
    }
    let input = serde_json::from_str(&call.function.arguments).map_err(|error| error.to_string())?;
    Ok(Called { id: call.id, name: call.function.name, input })
}
