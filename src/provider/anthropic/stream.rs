//! The event stream of the Messages API, mapped to [`CompletionEvent`]s.
//!
//! What recordings of real streams show, and what is therefore done: the kind of an event is decided by `type` inside
//! the data, not by the event's name; keys come in any order; data is padded with blanks; blocks such as
//! `redacted_thinking` have no deltas; a tool call without arguments streams one empty fragment; gateways add
//! `[DONE]` or a second `message_start`. Events and deltas of unknown types are skipped. Data that is not JSON, and a
//! stream that ends without `message_stop`, are errors: an answer is never silently shortened.

use std::collections::VecDeque;

use bytes::Bytes;
use eventsource_stream::Event as SseEvent;
use futures_util::Stream;

use super::wire::{Delta, Event, StartedMessage, Usage};
use crate::chat::{BlockDelta, BlockStart, CompletionEvent, Refusal, StopReason, UsagePatch};
use crate::provider::mapped::{FrameMapper, Mapped, broke_off};
use crate::provider::sse::SseEvents;
use crate::provider::{Category, Error};

/// Maps the data of events, one by one. No clock, no socket.
#[derive(Debug, Default)]
pub struct Mapper {
    started: bool,
    completed: bool,
    next_block: usize,
    /// The block that each index on the wire stands for now. A gateway may begin to count anew.
    open: Vec<(usize, Open)>,
    /// How many events were of a type that is not known.
    unknown: u64,
}

#[derive(Debug)]
struct Open {
    block: usize,
    /// For a block we have no word for: its start, and the input that streams in after it.
    other: Option<(serde_json::Value, String)>,
}

impl Mapper {
    /// Takes in the data of one event and appends to `out` what it means.
    ///
    /// # Errors
    /// What the provider reports in an `error` event; [`Category::StreamBroken`] for data that is not JSON.
    pub fn map(&mut self, data: &str, out: &mut VecDeque<CompletionEvent>) -> Result<(), Error> {
        let data = data.trim();
        if self.completed || data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        let event = match serde_json::from_str::<Event>(data) {
            Ok(event) => event,
            Err(error) => return self.unreadable(data, &error),
        };
        match event.kind.as_ref() {
            "content_block_delta" => self.delta(event.index, event.delta.unwrap_or_default(), out),
            "content_block_start" => self.block_start(event.index, event.content_block, out)?,
            "content_block_stop" => self.block_stop(event.index, out),
            "message_start" => self.start(event.message.unwrap_or_default(), out),
            "message_delta" => message_delta(event.delta.unwrap_or_default(), event.usage, out),
            "message_stop" => {
                self.completed = true;
                out.push_back(CompletionEvent::Completed);
            }
            "error" => return Err(event.error.unwrap_or_default().into_error(None, event.request_id)),
            "ping" => {}
            unknown => self.skip(unknown),
        }
        Ok(())
    }

    /// What the end of the stream means.
    ///
    /// # Errors
    /// [`Category::StreamBroken`] when no `message_stop` came.
    pub fn finish(&self) -> Result<(), Error> {
        if self.completed { Ok(()) } else { Err(broke_off(self.started)) }
    }

    /// How many events were of a type that is not known. They change nothing.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    fn skip(&mut self, kind: &str) {
        self.unknown += 1;
        tracing::debug!(kind, "skipped a stream event of an unknown type");
    }

    /// An event of a known type that does not have its shape is an error; one of an unknown type may have any.
    fn unreadable(&mut self, data: &str, error: &serde_json::Error) -> Result<(), Error> {
        const KNOWN: [&str; 7] = [
            "content_block_delta",
            "content_block_start",
            "content_block_stop",
            "message_start",
            "message_delta",
            "message_stop",
            "error",
        ];
        let broken =
            || Error::new(Category::StreamBroken, format!("the provider sent data that cannot be read: {error}"));
        let value: serde_json::Value = serde_json::from_str(data).map_err(|_| broken())?;
        let text = |value: &serde_json::Value| value.get("type").and_then(|kind| kind.as_str()).map(str::to_owned);
        let kind = text(&value).unwrap_or_default();
        let delta = value.get("delta").and_then(text).unwrap_or_default();
        let foreign = kind == "content_block_delta" && !Delta::KNOWN.contains(&delta.as_str());
        if KNOWN.contains(&kind.as_str()) && !foreign {
            return Err(broken());
        }
        self.skip(&kind);
        Ok(())
    }

    fn start(&mut self, message: StartedMessage, out: &mut VecDeque<CompletionEvent>) {
        if !std::mem::replace(&mut self.started, true) {
            let (message_id, model) = (message.id.into_owned(), message.model.into_owned());
            out.push_back(CompletionEvent::Started { message_id, model });
        }
        push_usage(message.usage, out);
    }

    fn open(&self, index: usize) -> Option<usize> {
        self.open.iter().find(|(wire, _)| *wire == index).map(|(_, open)| open.block)
    }

    fn begin(&mut self, index: usize, other: Option<(serde_json::Value, String)>) -> usize {
        let block = self.next_block;
        self.next_block += 1;
        self.open.retain(|(wire, _)| *wire != index);
        self.open.push((index, Open { block, other }));
        block
    }

    fn block_start(
        &mut self,
        index: usize,
        block: Option<serde_json::Value>,
        out: &mut VecDeque<CompletionEvent>,
    ) -> Result<(), Error> {
        let block = block.unwrap_or_default();
        let text = |name: &str| block.get(name).and_then(|value| value.as_str()).unwrap_or("").to_owned();
        let start = match text("type").as_str() {
            "text" => BlockStart::Text { text: text("text") },
            "thinking" => BlockStart::Thinking { text: text("thinking"), signature: text("signature") },
            "redacted_thinking" => BlockStart::RedactedThinking { data: text("data") },
            "tool_use" => BlockStart::ToolCall { id: text("id"), name: text("name") },
            "" => return Err(Error::new(Category::StreamBroken, "the provider began a content block of no type")),
            _ => {
                // Said as a whole when it is whole.
                self.begin(index, Some((block, String::new())));
                return Ok(());
            }
        };
        let index = self.begin(index, None);
        out.push_back(CompletionEvent::BlockStarted { index, block: start });
        Ok(())
    }

    fn delta(&mut self, wire: usize, delta: Delta, out: &mut VecDeque<CompletionEvent>) {
        if let Some((_, Open { other: Some((_, input)), .. })) = self.open.iter_mut().find(|(open, _)| *open == wire) {
            input.push_str(&delta.partial_json.unwrap_or_default());
            return;
        }
        let delta = match delta.kind.as_deref() {
            Some("text_delta") => BlockDelta::Text { text: delta.text.unwrap_or_default().into_owned() },
            Some("thinking_delta") => BlockDelta::Thinking { text: delta.thinking.unwrap_or_default().into_owned() },
            Some("signature_delta") => {
                BlockDelta::Signature { signature: delta.signature.unwrap_or_default().into_owned() }
            }
            Some("input_json_delta") => BlockDelta::Input { json: delta.partial_json.unwrap_or_default().into_owned() },
            unknown => {
                let unknown = unknown.unwrap_or("").to_owned();
                return self.skip(&unknown);
            }
        };
        let index = match (self.open(wire), &delta) {
            (Some(index), _) => index,
            // Some gateways leave the start of a text block out.
            (None, BlockDelta::Text { .. }) => {
                let index = self.begin(wire, None);
                let block = BlockStart::Text { text: String::new() };
                out.push_back(CompletionEvent::BlockStarted { index, block });
                index
            }
            (None, _) => return self.skip("a delta of no block"),
        };
        out.push_back(CompletionEvent::Delta { index, delta });
    }

    fn block_stop(&mut self, wire: usize, out: &mut VecDeque<CompletionEvent>) {
        let Some(at) = self.open.iter().position(|(open, _)| *open == wire) else { return };
        let (_, open) = self.open.swap_remove(at);
        let index = open.block;
        if let Some((mut block, input)) = open.other {
            if let (Ok(input), Some(object)) = (serde_json::from_str(&input), block.as_object_mut()) {
                object.insert("input".to_owned(), input);
            }
            out.push_back(CompletionEvent::BlockStarted {
                index,
                block: BlockStart::Other { json: block.to_string() },
            });
        }
        out.push_back(CompletionEvent::BlockCompleted { index });
    }
}

fn message_delta(delta: Delta, usage: Option<Usage>, out: &mut VecDeque<CompletionEvent>) {
    push_usage(usage, out);
    let Some(reason) = delta.stop_reason else { return };
    let reason = match reason.as_ref() {
        "end_turn" => StopReason::EndTurn,
        "max_tokens" => StopReason::MaxTokens,
        "stop_sequence" => StopReason::StopSequence,
        "tool_use" => StopReason::ToolUse,
        "pause_turn" => StopReason::PauseTurn,
        "refusal" => StopReason::Refusal,
        "model_context_window_exceeded" => StopReason::ContextWindowExceeded,
        other => StopReason::Other(other.to_owned()),
    };
    let refusal = delta
        .stop_details
        .filter(|_| reason == StopReason::Refusal)
        .map(|details| Refusal { category: details.category, explanation: details.explanation });
    out.push_back(CompletionEvent::Stopped { reason, refusal });
}

fn push_usage(usage: Option<Usage>, out: &mut VecDeque<CompletionEvent>) {
    let Some(usage) = usage else { return };
    let patch = UsagePatch::from(usage);
    if patch != UsagePatch::default() {
        out.push_back(CompletionEvent::Usage { usage: patch });
    }
}

impl From<Usage> for UsagePatch {
    fn from(usage: Usage) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
            cache_read_tokens: usage.cache_read_input_tokens,
            cache_write_tokens: usage.cache_creation_input_tokens,
            cache_write_1h_tokens: usage.cache_creation.and_then(|split| split.ephemeral_1h_input_tokens),
            thinking_tokens: usage.output_tokens_details.and_then(|details| details.thinking_tokens),
        }
    }
}

/// The events of a response body. The stream ends after [`CompletionEvent::Completed`] or after the first error.
pub fn events<S>(body: S) -> Events<S>
where
    S: Stream<Item = Result<Bytes, Error>> + Unpin,
{
    Mapped::new(SseEvents::new(body), Mapper::default())
}

impl FrameMapper for Mapper {
    type Frame = SseEvent;

    fn frame(&mut self, frame: SseEvent, out: &mut VecDeque<CompletionEvent>) -> Result<(), Error> {
        self.map(&frame.data, out)
    }

    fn finish(&self) -> Result<(), Error> {
        Mapper::finish(self)
    }

    fn is_complete(&self) -> bool {
        self.completed
    }
}

/// See [`events`].
pub type Events<S> = Mapped<SseEvents<S>, Mapper>;

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
