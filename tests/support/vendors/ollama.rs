//! Ollama: `POST /api/chat`, answered with a JSON object a line, and what it says about itself.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Asked, Called, Entry, Said, check, halves, json_script, need, parse, post, refusal};
use crate::support::script::{Gate, Script, Step};
use crate::support::vendor::{Request, Vendor};

/// An answer in the making.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    steps: Vec<Step>,
}

impl Lines {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
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

    /// A line.
    pub fn line(self, value: &Value) -> Self {
        self.step(Step::Bytes(format!("{value}\n").into_bytes()))
    }

    /// More of the message.
    pub fn message(self, mut message: Value) -> Self {
        message["role"] = json!("assistant");
        self.line(&json!({"model": "served", "created_at": "2026-11-20T12:00:00Z", "message": message, "done": false}))
    }

    /// Text in two pieces.
    pub fn text(self, text: &str) -> Self {
        halves(text).into_iter().fold(self, |lines, half| lines.message(json!({"content": half})))
    }

    /// The last line, with so many tokens of input.
    pub fn done(self, reason: &str, prompt: u64) -> Self {
        self.line(&json!({"model": "served", "created_at": "2026-11-20T12:00:01Z",
            "message": {"role": "assistant", "content": ""}, "done": true, "done_reason": reason,
            "total_duration": 5, "load_duration": 1, "prompt_eval_count": prompt, "prompt_eval_cached_count": 40,
            "prompt_eval_duration": 2, "eval_count": 20, "eval_duration": 2}))
    }

    /// As a script.
    pub fn script(self) -> Script {
        let mut script = Script::status(200).header("content-type", "application/x-ndjson");
        script.steps = self.steps;
        script
    }
}

/// A whole answer that says `text`.
pub fn says(text: &str) -> Script {
    Lines::new().text(text).done("stop", 100).script()
}

/// An answer as Ollama streams it. The reason stays `stop`, whatever it calls.
pub fn answer(said: &Said) -> Script {
    let mut lines = Lines::new();
    if !said.thinking.is_empty() {
        let both = halves(said.thinking);
        lines = both.into_iter().fold(lines, |lines, half| lines.message(json!({"content": "", "thinking": half})));
    }
    if !said.text.is_empty() {
        lines = lines.text(said.text);
    }
    if let Some((id, name, input)) = said.call {
        let arguments: Value = serde_json::from_str(input).unwrap();
        let call = json!({"id": id, "function": {"index": 0, "name": name, "arguments": arguments}});
        lines = lines.message(json!({"content": "", "tool_calls": [call]}));
    }
    lines.done("stop", 100).script()
}

/// An error as Ollama words it.
pub fn error(status: u16, message: &str) -> Script {
    json_script(status, &json!({ "error": message }))
}

/// What the server says about a model with these capabilities.
pub fn show(capabilities: &[&str]) -> Value {
    json!({"capabilities": capabilities, "details": {"family": "qwen3"}, "parameters": "stop \"<|im_end|>\"",
        "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40960}, "template": "{{ .Prompt }}"})
}

/// Plays a server with one model of these capabilities: answers all but `/api/chat` by itself and turns away sloppy
/// requests. Each request is to have a context window of `num_ctx` tokens.
pub fn play(vendor: &Vendor, capabilities: &'static [&'static str], num_ctx: u64) {
    vendor.answer_first(move |request| match request.path.as_str() {
        "/api/show" => Some(json_script(200, &show(capabilities))),
        "/api/version" => Some(json_script(200, &json!({"version": "0.34.3"}))),
        "/api/tags" => {
            let model = json!({"name": "qwen3:8b", "model": "qwen3:8b", "size": 5, "details": {"family": "qwen3",
                "context_length": 40960}, "capabilities": capabilities});
            Some(json_script(200, &json!({"models": [model]})))
        }
        _ => decode(capabilities, num_ctx, request).err().map(|why| refusal(&why)),
    });
}

/// The requests for answers so far.
pub fn asked(vendor: &Vendor) -> Vec<Request> {
    vendor.requests().into_iter().filter(|request| request.path == "/api/chat").collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    model: String,
    stream: bool,
    truncate: bool,
    shift: bool,
    think: Option<Value>,
    format: Option<Value>,
    keep_alive: Option<Value>,
    options: Options,
    tools: Option<Vec<Tool>>,
    messages: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    num_ctx: u64,
    num_predict: u64,
    temperature: Option<f64>,
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
    User {
        content: String,
        #[serde(default)]
        images: Vec<String>,
    },
    Assistant {
        content: String,
        thinking: Option<String>,
        #[serde(default)]
        tool_calls: Vec<Call>,
    },
    Tool {
        content: String,
        tool_name: String,
        tool_call_id: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    id: String,
    function: CalledFunction,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CalledFunction {
    index: u64,
    name: String,
    arguments: Value,
}

/// Reads a request as a model of these capabilities would.
///
/// # Errors
/// What would be refused, and why.
pub fn decode(capabilities: &[&str], num_ctx: u64, request: &Request) -> Result<Asked, String> {
    post(request, "/api/chat")?;
    let can = |name: &str| capabilities.contains(&name);
    let body: Body = parse(request)?;
    need(body.stream && !body.truncate && !body.shift, "nothing is cut off in silence")?;
    need(body.options.num_ctx == num_ctx, &format!("num_ctx is {num_ctx}, not {}", body.options.num_ctx))?;
    need(can("thinking") || body.think.is_none(), "the model does not support thinking")?;
    need(can("tools") || body.tools.is_none(), "the model does not support tools")?;
    need(body.tools.as_ref().is_none_or(|tools| !tools.is_empty()), "tools are not an empty list")?;
    need(body.keep_alive.is_none(), "keep_alive is the user's to say")?;
    let mut asked = Asked {
        model: body.model,
        limit: body.options.num_predict,
        effort: body.think.map(|think| think.to_string()),
        temperature: body.options.temperature,
        schema: body.format,
        ..Asked::default()
    };
    for tool in body.tools.unwrap_or_default() {
        need(tool.r#type == "function" && !tool.function.description.is_empty(), "a tool is described")?;
        need(tool.function.parameters["type"] == "object", "a tool takes an object")?;
        asked.tools.push(tool.function.name);
    }
    for (at, message) in body.messages.into_iter().enumerate() {
        asked.history.push(match message {
            Message::System { content } => {
                need(at == 0, "the system prompt stands first")?;
                asked.system = content;
                continue;
            }
            Message::User { content, images } => {
                need(can("vision") || images.is_empty(), "the model has no vision")?;
                need(images.iter().all(|image| image.starts_with("iVBOR")), "images are base64 alone")?;
                Entry::User { text: content, images: images.len() }
            }
            Message::Assistant { content, thinking, tool_calls } => {
                let numbered = tool_calls.iter().zip(0..).all(|(call, index)| call.function.index == index);
                need(numbered, "calls are numbered")?;
                let calls = tool_calls.into_iter().map(|Call { id, function }| Called {
                    id,
                    name: function.name,
                    input: function.arguments,
                });
                Entry::Assistant { thinking, text: content, calls: calls.collect() }
            }
            Message::Tool { content, tool_name, tool_call_id } => {
                need(!tool_name.is_empty(), "older servers know the tool's name only")?;
                Entry::Result { id: tool_call_id, text: content }
            }
        });
    }
    check(&asked)?;
    Ok(asked)
}
