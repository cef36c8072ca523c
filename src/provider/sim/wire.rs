//! Steps as the bytes that Anthropic's API would send.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::script::Step;

/// A part of a simulated response body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Bytes, written at once.
    Bytes(Bytes),
    /// Silence.
    Pause(Duration),
    /// Text deltas that count upwards; made one by one, since there may be very many.
    Count {
        /// The index of their block.
        block: usize,
        /// How many.
        count: u32,
        /// The silence after each.
        pause: Duration,
    },
}

/// The `number`th delta of a [`Part::Count`].
pub(super) fn counted(block: usize, number: u32) -> Bytes {
    Bytes::from(format!(
        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{block},\
         \"delta\":{{\"type\":\"text_delta\",\"text\":\"{number} \"}}}}\n\n"
    ))
}

/// Bytes of text that count as one token here.
const BYTES_PER_TOKEN: usize = 4;

struct Encoder {
    parts: Vec<Part>,
    block: usize,
    output_bytes: usize,
    thinking_bytes: usize,
    stop: Option<Value>,
}

/// The response body of an answer to a request of `request_bytes` bytes.
pub(super) fn encode(steps: &[Step], model: &str, request_bytes: usize) -> Vec<Part> {
    let mut encoder = Encoder { parts: Vec::new(), block: 0, output_bytes: 0, thinking_bytes: 0, stop: None };
    encoder.event(&json!({"type": "message_start", "message": {
        "id": "msg_sim", "type": "message", "role": "assistant", "content": [], "model": model,
        "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": request_bytes.div_ceil(BYTES_PER_TOKEN), "output_tokens": 1}
    }}));
    encoder.event(&json!({"type": "ping"}));
    for step in steps {
        if !encoder.step(step) {
            return encoder.parts;
        }
    }
    let stop = encoder.stop.take().unwrap_or_else(|| json!({"stop_reason": "end_turn", "stop_sequence": null}));
    let usage = json!({
        "output_tokens": encoder.output_bytes.div_ceil(BYTES_PER_TOKEN),
        "output_tokens_details": {"thinking_tokens": encoder.thinking_bytes.div_ceil(BYTES_PER_TOKEN)}
    });
    encoder.event(&json!({"type": "message_delta", "delta": stop, "usage": usage}));
    encoder.event(&json!({"type": "message_stop"}));
    encoder.parts
}

/// The body of a failed response.
pub(super) fn error_body(kind: &str) -> String {
    json!({
        "type": "error",
        "error": {"type": kind, "message": "A simulated failure"},
        "request_id": "req_sim"
    })
    .to_string()
}

impl Encoder {
    /// Encodes `step`. False when the stream ends with it.
    fn step(&mut self, step: &Step) -> bool {
        match step {
            Step::Think(text) => self.think(text),
            Step::Text(text) => self.text(text),
            Step::Stream(count, pause) => {
                self.output_bytes += *count as usize * 6;
                self.start(&json!({"type": "text", "text": ""}));
                self.parts.push(Part::Count { block: self.block, count: *count, pause: *pause });
                self.stop();
            }
            Step::Tool(name, input) => self.tool(name, input),
            Step::Wait(duration) => self.parts.push(Part::Pause(*duration)),
            Step::Stop(reason) => self.stop = Some(json!({"stop_reason": reason, "stop_sequence": null})),
            Step::Refuse(category) => {
                self.stop = Some(json!({"stop_reason": "refusal", "stop_sequence": null, "stop_details": {
                    "type": "refusal", "category": category, "explanation": "A simulated refusal"
                }}));
            }
            Step::Error(kind) => {
                self.event(&json!({"type": "error", "error": {"type": kind, "message": "A simulated failure"}}));
                return false;
            }
            Step::Status(_) | Step::Html | Step::Cut => return false,
        }
        true
    }

    fn event(&mut self, data: &Value) {
        let name = data["type"].as_str().unwrap_or_default();
        self.parts.push(Part::Bytes(Bytes::from(format!("event: {name}\ndata: {data}\n\n"))));
    }

    fn start(&mut self, block: &Value) {
        self.event(&json!({"type": "content_block_start", "index": self.block, "content_block": block}));
    }

    fn delta(&mut self, delta: &Value) {
        self.event(&json!({"type": "content_block_delta", "index": self.block, "delta": delta}));
    }

    fn stop(&mut self) {
        self.event(&json!({"type": "content_block_stop", "index": self.block}));
        self.block += 1;
    }

    fn think(&mut self, text: &str) {
        self.output_bytes += text.len();
        self.thinking_bytes += text.len();
        self.start(&json!({"type": "thinking", "thinking": "", "signature": ""}));
        for word in text.split_inclusive(' ') {
            self.delta(&json!({"type": "thinking_delta", "thinking": word}));
        }
        self.delta(&json!({"type": "signature_delta", "signature": "c2ltdWxhdGVk"}));
        self.stop();
    }

    fn text(&mut self, text: &str) {
        self.output_bytes += text.len();
        self.start(&json!({"type": "text", "text": ""}));
        for word in text.split_inclusive(' ') {
            self.delta(&json!({"type": "text_delta", "text": word}));
        }
        self.stop();
    }

    fn tool(&mut self, name: &str, input: &str) {
        self.output_bytes += name.len() + input.len();
        let id = format!("toolu_sim_{}", self.block);
        self.start(&json!({"type": "tool_use", "id": id, "name": name, "input": {}}));
        self.delta(&json!({"type": "input_json_delta", "partial_json": ""}));
        let characters: Vec<char> = input.chars().collect();
        for piece in characters.chunks(8) {
            self.delta(&json!({"type": "input_json_delta", "partial_json": piece.iter().collect::<String>()}));
        }
        self.stop();
        self.stop = Some(json!({"stop_reason": "tool_use", "stop_sequence": null}));
    }
}
