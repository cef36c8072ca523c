//! OpenAI's Responses API: `POST {base}/responses`, answered with an event stream.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Asked, Called, Entry, Said, bearer, check, halves, json_script, need, parse, post};
use crate::support::script::{Gate, Script, Step};
use crate::support::vendor::Request;

/// An answer in the making.
#[derive(Clone, Debug)]
pub struct Events {
    steps: Vec<Step>,
    sequence: u64,
    output: Vec<Value>,
}

impl Events {
    /// An answer that begins.
    pub fn new() -> Self {
        let events = Self { steps: Vec::new(), sequence: 0, output: Vec::new() };
        let response = json!({"id": "resp_1", "object": "response", "status": "in_progress", "model": "served",
            "output": []});
        events
            .event(json!({"type": "response.created", "response": response}))
            .event(json!({"type": "response.in_progress", "response": response}))
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
    pub fn event(mut self, mut event: Value) -> Self {
        event["sequence_number"] = json!(self.sequence);
        self.sequence += 1;
        let name = event["type"].as_str().unwrap_or_default();
        let frame = format!("event: {name}\ndata: {event}\n\n");
        self.step(Step::Bytes(frame.into_bytes()))
    }

    fn added(self, item: &Value) -> Self {
        let index = self.output.len();
        self.event(json!({"type": "response.output_item.added", "output_index": index, "item": item}))
    }

    fn done(mut self, item: Value) -> Self {
        let index = self.output.len();
        self = self.event(json!({"type": "response.output_item.done", "output_index": index, "item": item}));
        self.output.push(item);
        self
    }

    /// An item of reasoning.
    pub fn reasoning(self, text: &str) -> Self {
        let (index, id) = (self.output.len(), format!("rs_{}", self.output.len()));
        let place = json!({"item_id": id, "output_index": index, "summary_index": 0});
        let events = self.added(&json!({"type": "reasoning", "id": id, "summary": []}));
        let events = halves(text).into_iter().fold(events, |events, half| {
            events.event(with(&place, json!({"type": "response.reasoning_summary_text.delta", "delta": half})))
        });
        // Spelt with an escape and in an order of its own: it has to come back as it is.
        events.done(json!({"encrypted_content": format!("gAAA{index}=="), "type": "reasoning", "id": id,
            "summary": [{"type": "summary_text", "text": text}]}))
    }

    /// A message.
    pub fn message(self, text: &str) -> Self {
        let (index, id) = (self.output.len(), format!("msg_{}", self.output.len()));
        let head = json!({"type": "message", "id": id, "role": "assistant", "status": "in_progress", "content": []});
        let events = self.added(&head).text(&id, index, text);
        events.done(json!({"type": "message", "id": id, "role": "assistant", "status": "completed",
            "phase": "final_answer", "content": [{"type": "output_text", "text": text, "annotations": []}]}))
    }

    /// Deltas of a message that is open.
    pub fn text(self, id: &str, index: usize, text: &str) -> Self {
        let place = json!({"item_id": id, "output_index": index, "content_index": 0});
        halves(text).into_iter().fold(self, |events, half| {
            events.event(with(&place, json!({"type": "response.output_text.delta", "delta": half, "logprobs": []})))
        })
    }

    /// A tool call.
    pub fn call(self, id: &str, name: &str, input: &str) -> Self {
        let (index, item) = (self.output.len(), format!("fc_{}", self.output.len()));
        let head = |arguments: &str, status: &str| {
            json!({"type": "function_call", "id": item, "call_id": id, "name": name, "arguments": arguments,
                "status": status})
        };
        let place = json!({"item_id": item, "output_index": index});
        let events = self.added(&head("", "in_progress"));
        let events = halves(input).into_iter().fold(events, |events, half| {
            events.event(with(&place, json!({"type": "response.function_call_arguments.delta", "delta": half})))
        });
        let whole = json!({"type": "response.function_call_arguments.done", "arguments": input});
        events.event(with(&place, whole)).done(head(input, "completed"))
    }

    /// The end, with usage.
    pub fn completed(self) -> Self {
        let usage = json!({"input_tokens": 100, "input_tokens_details": {"cached_tokens": 40}, "output_tokens": 20,
            "output_tokens_details": {"reasoning_tokens": 8}, "total_tokens": 120});
        let response = json!({"id": "resp_1", "status": "completed", "model": "served", "output": self.output,
            "usage": usage});
        self.event(json!({"type": "response.completed", "response": response}))
    }

    /// As a script.
    pub fn script(self) -> Script {
        Script::stream(self.steps).header("x-request-id", "req_responses")
    }
}

fn with(place: &Value, mut event: Value) -> Value {
    for (key, value) in place.as_object().into_iter().flatten() {
        event[key] = value.clone();
    }
    event
}

impl Default for Events {
    fn default() -> Self {
        Self::new()
    }
}

/// A whole answer that says `text`.
pub fn says(text: &str) -> Script {
    Events::new().message(text).completed().script()
}

/// An answer as the API streams it.
pub fn answer(said: &Said) -> Script {
    let mut events = Events::new();
    if !said.thinking.is_empty() {
        events = events.reasoning(said.thinking);
    }
    if !said.text.is_empty() {
        events = events.message(said.text);
    }
    if let Some((id, name, input)) = said.call {
        events = events.call(id, name, input);
    }
    events.completed().script()
}

/// An error as the API words it.
pub fn error(status: u16, kind: &str, code: &str, message: &str) -> Script {
    let body = json!({"error": {"message": message, "type": kind, "code": code, "param": null}});
    json_script(status, &body).header("x-request-id", "req_responses")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    model: String,
    stream: bool,
    stream_options: StreamOptions,
    store: bool,
    #[serde(default)]
    include: Vec<String>,
    instructions: String,
    max_output_tokens: u64,
    reasoning: Option<Reasoning>,
    temperature: Option<f64>,
    text: Option<Text>,
    prompt_cache_key: String,
    tools: Option<Vec<Tool>>,
    input: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StreamOptions {
    include_obfuscation: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reasoning {
    effort: Option<String>,
    summary: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    format: Format,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Format {
    r#type: String,
    name: String,
    schema: Value,
    strict: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    r#type: String,
    name: String,
    description: String,
    parameters: Map<String, Value>,
    strict: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Typed(Typed),
    User(User),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    role: String,
    content: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Typed {
    Message { role: String, content: Vec<Output>, phase: Option<String>, id: Option<String>, status: Option<String> },
    FunctionCall { call_id: String, name: String, arguments: String },
    FunctionCallOutput { call_id: String, output: String },
    Reasoning { id: String, summary: Vec<Summary>, encrypted_content: String },
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Part {
    InputText { text: String },
    InputImage { image_url: String, detail: String },
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Output {
    OutputText { text: String, annotations: Vec<Value> },
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Summary {
    SummaryText { text: String },
}

/// Reads a request as the API would, with the key `key`. Neighbouring items of the model become one entry.
///
/// # Errors
/// What would be refused, and why.
pub fn decode(key: &str, request: &Request) -> Result<Asked, String> {
    post(request, "/v1/responses")?;
    bearer(request, key)?;
    let body: Body = parse(request)?;
    need(body.stream && !body.stream_options.include_obfuscation, "the answer streams, without padding")?;
    need(!body.store, "nothing is stored")?;
    need(body.prompt_cache_key.starts_with("souffleur-"), "the conversation has a name for the cache")?;
    let reasons = body.reasoning.is_some();
    need(!reasons || body.temperature.is_none(), "while it reasons, no temperature is taken")?;
    need(!reasons || body.include == ["reasoning.encrypted_content"], "reasoning comes back encrypted")?;
    let summary = body.reasoning.as_ref().and_then(|reasoning| reasoning.summary.as_deref());
    need(!reasons || summary == Some("auto"), "reasoning is summarised")?;
    let mut asked = Asked {
        model: body.model,
        system: body.instructions,
        limit: body.max_output_tokens,
        effort: body.reasoning.and_then(|reasoning| reasoning.effort),
        temperature: body.temperature,
        schema: body.text.map(|text| schema(text.format)).transpose()?,
        ..Asked::default()
    };
    for tool in body.tools.unwrap_or_default() {
        need(tool.r#type == "function" && !tool.description.is_empty(), "a tool is described")?;
        need(!tool.strict && tool.parameters["type"] == "object", "a tool whose schema is not strict says so")?;
        asked.tools.push(tool.name);
    }
    body.input.into_iter().try_for_each(|item| entry(item, &mut asked.history))?;
    check(&asked)?;
    Ok(asked)
}

fn schema(format: Format) -> Result<Value, String> {
    need(format.r#type == "json_schema" && format.name == "answer" && format.strict, "a strict schema")?;
    let properties = format.schema["properties"].as_object().ok_or("the schema has properties")?;
    let all: Vec<Value> = properties.keys().map(|key| json!(key)).collect();
    need(format.schema["required"] == json!(all), "every property is required")?;
    need(format.schema["additionalProperties"] == false, "objects of the schema are closed")?;
    Ok(format.schema)
}

fn entry(item: Item, history: &mut Vec<Entry>) -> Result<(), String> {
    match item {
        Item::User(User { role, content }) => {
            need(role == "user" && !content.is_empty(), "a message of the user's")?;
            let (mut texts, mut images) = (Vec::new(), 0);
            for part in content {
                match part {
                    Part::InputText { text } => texts.push(text),
                    Part::InputImage { image_url, detail } => {
                        need(image_url.starts_with("data:image/png;base64,iVBOR") && detail == "auto", "an image")?;
                        images += 1;
                    }
                }
            }
            history.push(Entry::User { text: texts.join("\n\n"), images });
        }
        Item::Typed(Typed::FunctionCallOutput { call_id: id, output: text }) => {
            history.push(Entry::Result { id, text });
        }
        Item::Typed(typed) => {
            if !matches!(history.last(), Some(Entry::Assistant { .. })) {
                history.push(Entry::Assistant { thinking: None, text: String::new(), calls: Vec::new() });
            }
            let Some(Entry::Assistant { thinking, text, calls }) = history.last_mut() else { return Ok(()) };
            match typed {
                Typed::Message { role, content, phase, id, status } => {
                    need(role == "assistant" && content.len() == 1, "a message of the model's")?;
                    need(id.is_some() == status.is_some() && id.is_some() == phase.is_some(), "its own items whole")?;
                    for Output::OutputText { text: more, annotations } in content {
                        need(annotations.is_empty(), "annotations are a list")?;
                        text.push_str(&more);
                    }
                }
                Typed::FunctionCall { call_id: id, name, arguments } => {
                    let input = serde_json::from_str(&arguments).map_err(|error| error.to_string())?;
                    calls.push(Called { id, name, input });
                }
                Typed::Reasoning { id, summary, encrypted_content } => {
                    need(id == "rs_0" && encrypted_content == "gAAA0==", "reasoning comes back as it was")?;
                    need(text.is_empty() && calls.is_empty(), "reasoning stands before what it led to")?;
                    *thinking = summary.into_iter().map(|Summary::SummaryText { text }| text).next();
                }
                Typed::FunctionCallOutput { .. } => {}
            }
        }
    }
    Ok(())
}
