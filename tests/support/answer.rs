//! Builds the event streams that Anthropic's Messages API sends.

use std::time::Duration;

use serde_json::{Value, json};

use super::script::{Gate, Script, Step};

/// The oddities in which the same events are seen on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As the documentation prints them.
    Plain,
    /// Spaces before the last brace, as the service itself sends them.
    Padded,
    /// Keys in alphabetical order, so that `type` comes last, as some gateways send them.
    Sorted,
    /// Lines end with CR LF, comments between the events.
    CrLf,
}

/// An answer in the making. Each call adds what goes over the wire at that point.
#[derive(Clone, Debug)]
pub struct Answer {
    style: Style,
    steps: Vec<Step>,
    index: u64,
    events: usize,
}

impl Answer {
    /// An answer that begins with a `message_start` whose usage counts 25 tokens of input.
    pub fn new() -> Self {
        Self::styled(Style::Plain)
    }

    /// The same in another style.
    pub fn styled(style: Style) -> Self {
        Self::with_usage(style, &json!({"input_tokens": 25, "output_tokens": 1}))
    }

    /// An answer that begins with a `message_start` of this usage.
    pub fn with_usage(style: Style, usage: &Value) -> Self {
        let mut answer = Self { style, steps: Vec::new(), index: 0, events: 0 };
        answer.push(
            "message_start",
            json!({"type": "message_start", "message": {
                "id": "msg_01TestTestTestTestTest", "type": "message", "role": "assistant", "content": [],
                "model": "claude-sonnet-5-5", "stop_reason": null, "stop_sequence": null, "usage": usage}}),
        );
        answer
    }

    /// A whole answer that says `text`.
    pub fn says(text: &str) -> Script {
        Self::new().text(&[text]).end("end_turn").script()
    }

    /// A text block in these deltas.
    pub fn text(self, deltas: &[&str]) -> Self {
        self.open_text().deltas(deltas).close_block()
    }

    /// Begins a text block.
    pub fn open_text(self) -> Self {
        self.open_block(&json!({"type": "text", "text": ""}))
    }

    /// Text deltas of the open block.
    pub fn deltas(mut self, deltas: &[&str]) -> Self {
        for text in deltas {
            self = self.delta(&json!({"type": "text_delta", "text": text}));
        }
        self
    }

    /// A thinking block in these deltas, with its signature.
    pub fn thinking(mut self, deltas: &[&str], signature: &str) -> Self {
        self = self.open_block(&json!({"type": "thinking", "thinking": "", "signature": ""}));
        for thinking in deltas {
            self = self.delta(&json!({"type": "thinking_delta", "thinking": thinking}));
        }
        self.delta(&json!({"type": "signature_delta", "signature": signature})).close_block()
    }

    /// Thinking that only the vendor can read.
    pub fn redacted_thinking(self, data: &str) -> Self {
        self.open_block(&json!({"type": "redacted_thinking", "data": data})).close_block()
    }

    /// A tool call whose input comes in these fragments.
    pub fn tool_use(mut self, id: &str, name: &str, fragments: &[&str]) -> Self {
        self = self.open_block(&json!({"type": "tool_use", "id": id, "name": name, "input": {}}));
        self = self.delta(&json!({"type": "input_json_delta", "partial_json": ""}));
        for partial in fragments {
            self = self.delta(&json!({"type": "input_json_delta", "partial_json": partial}));
        }
        self.close_block()
    }

    /// A sign of life.
    pub fn ping(mut self) -> Self {
        self.push("ping", json!({"type": "ping"}));
        self
    }

    /// An event of a kind that nobody knows yet.
    pub fn unknown_event(mut self) -> Self {
        self.push("weather_report", json!({"type": "weather_report", "sky": "blue"}));
        self
    }

    /// An error in the middle of the stream.
    pub fn error(mut self, kind: &str, message: &str) -> Self {
        self.push("error", json!({"type": "error", "error": {"type": kind, "message": message}}));
        self
    }

    /// The stop reason, 15 tokens of output, and `message_stop`.
    pub fn end(self, stop_reason: &str) -> Self {
        self.end_with(stop_reason, &json!({"output_tokens": 15}))
    }

    /// The stop reason, this usage, and `message_stop`.
    pub fn end_with(mut self, stop_reason: &str, usage: &Value) -> Self {
        let delta = json!({"stop_reason": stop_reason, "stop_sequence": null});
        self.push("message_delta", json!({"type": "message_delta", "delta": delta, "usage": usage}));
        self.push("message_stop", json!({"type": "message_stop"}));
        self
    }

    /// Waits for the test.
    pub fn gate(self, gate: &Gate) -> Self {
        self.step(Step::Gate(gate.clone()))
    }

    /// Lets time pass.
    pub fn pause(self, time: Duration) -> Self {
        self.step(Step::Pause(time))
    }

    /// Adds any other step.
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Begins a content block.
    pub fn open_block(mut self, block: &Value) -> Self {
        let event = json!({"type": "content_block_start", "index": self.index, "content_block": block});
        self.push("content_block_start", event);
        self
    }

    /// A delta of the open block.
    pub fn delta(mut self, delta: &Value) -> Self {
        let event = json!({"type": "content_block_delta", "index": self.index, "delta": delta});
        self.push("content_block_delta", event);
        self
    }

    /// Ends the open block.
    pub fn close_block(mut self) -> Self {
        self.push("content_block_stop", json!({"type": "content_block_stop", "index": self.index}));
        self.index += 1;
        self
    }

    /// The steps so far: each event is one write.
    pub fn steps(self) -> Vec<Step> {
        self.steps
    }

    /// As a script.
    pub fn script(self) -> Script {
        Script::stream(self.steps).header("request-id", "req_test_stream")
    }

    fn push(&mut self, name: &str, event: Value) {
        self.events += 1;
        let line = match self.style {
            Style::Padded => {
                let text = event.to_string();
                let padding = " ".repeat(self.events % 5 + 1);
                format!("{}{padding}}}", &text[..text.len() - 1])
            }
            Style::Sorted => sorted(event).to_string(),
            Style::Plain | Style::CrLf => event.to_string(),
        };
        let frame = match self.style {
            Style::CrLf => format!(": keep-alive\r\n\r\nevent: {name}\r\ndata: {line}\r\n\r\n"),
            _ => format!("event: {name}\ndata: {line}\n\n"),
        };
        self.steps.push(Step::Bytes(frame.into_bytes()));
    }
}

impl Default for Answer {
    fn default() -> Self {
        Self::new()
    }
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}
