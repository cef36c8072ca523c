//! The chunks of an answer, mapped to [`CompletionEvent`]s.
//!
//! What is certain is said at once; why the model stopped and that the answer is whole is said last, because usage and
//! even errors follow the chunk that has the `finish_reason`. `[DONE]` is taken where it comes and missed nowhere; a
//! body that ends without a `finish_reason` is an error.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::Stream;
use serde_json::Value;

use super::calls::Calls;
use super::details;
use super::frames::{Frame, Frames};
use super::wire::{self, CallDelta, Choice, Chunk, Content, Delta};
use crate::chat::{BlockDelta, BlockStart, CompletionEvent, MessageBlock, Refusal, StopReason, UsagePatch};
use crate::provider::openai::{Profile, ReasoningField, stream_error};
use crate::provider::{Category, CompletionRequest, Error, FrameMapper, Mapped};

/// What a mapper has to know of the request.
#[derive(Clone, Debug, Default)]
pub struct MapperOptions {
    /// A text that no other request of the conversation has: ids that we make hold it.
    pub seed: String,
    /// The ids of tool calls that the conversation has.
    pub taken: Vec<String>,
    /// Where thinking is found; as most have it when empty.
    pub reasoning_in: Vec<ReasoningField>,
}

impl MapperOptions {
    /// Those of a request to a server.
    pub fn new(request: &CompletionRequest, profile: &Profile, seed: impl Into<String>) -> Self {
        let blocks = request.messages.iter().flat_map(|message| &message.content);
        let taken = blocks.filter_map(|block| match block {
            MessageBlock::ToolCall(call) => Some(call.id.clone()),
            _ => None,
        });
        Self { seed: seed.into(), taken: taken.collect(), reasoning_in: profile.reasoning_in.clone() }
    }
}

/// Maps the events of a body, one by one. No clock, no socket.
#[derive(Debug, Default)]
pub struct Mapper {
    reasoning_in: Vec<ReasoningField>,
    started: bool,
    completed: bool,
    next_block: usize,
    open: Option<Open>,
    calls: Calls,
    called: bool,
    refusal: String,
    usage: UsagePatch,
    stop: Option<StopReason>,
}

/// The block of text or thinking that grows now.
#[derive(Debug)]
struct Open {
    index: usize,
    is_thinking: bool,
    details: Vec<Value>,
}

impl Mapper {
    /// A mapper of one answer.
    pub fn new(options: MapperOptions) -> Self {
        let mut reasoning_in = options.reasoning_in;
        for field in [ReasoningField::ReasoningContent, ReasoningField::Reasoning] {
            if !reasoning_in.contains(&field) {
                reasoning_in.push(field);
            }
        }
        Self { reasoning_in, calls: Calls::new(options.seed, options.taken), ..Self::default() }
    }

    /// Takes in an event and appends to `out` what it means.
    ///
    /// # Errors
    /// What the provider reports; [`Category::StreamBroken`] for data that cannot be read.
    pub fn map(&mut self, name: &str, data: &str, out: &mut VecDeque<CompletionEvent>) -> Result<(), Error> {
        let data = data.trim();
        if self.completed || data.is_empty() {
            return Ok(());
        }
        if name == "error" {
            return Err(stream_error(&serde_json::from_str(data).unwrap_or_else(|_| Value::String(data.to_owned()))));
        }
        if data == "[DONE]" {
            return self.end(out);
        }
        match serde_json::from_str::<Chunk>(data) {
            Ok(chunk) => self.chunk(chunk, data, out),
            Err(error) => unreadable(data, &error),
        }
    }

    fn chunk(&mut self, chunk: Chunk, data: &str, out: &mut VecDeque<CompletionEvent>) -> Result<(), Error> {
        let said_instead = chunk.choices.is_none() && (chunk.message.is_some() || chunk.detail.is_some());
        if chunk.error.as_ref().is_some_and(is_error) || said_instead {
            return Err(stream_error(&serde_json::from_str(data).unwrap_or_default()));
        }
        let choices = chunk.choices.unwrap_or_default();
        let (id, model) = (chunk.id.unwrap_or_default(), chunk.model.unwrap_or_default());
        let says_something = !id.is_empty() || !choices.is_empty();
        if says_something && !self.started {
            self.started = true;
            out.push_back(CompletionEvent::Started { message_id: id.into_owned(), model: model.into_owned() });
        }
        if let Some(groq) = &chunk.x_groq {
            if groq.get("error").is_some_and(is_error) {
                return Err(stream_error(groq));
            }
            self.usage(groq.get("usage"), out);
        }
        for choice in choices.into_iter().filter(|choice| choice.index.unwrap_or(0) == 0) {
            self.choice(choice, out)?;
        }
        self.usage(chunk.usage.as_ref(), out);
        Ok(())
    }

    fn choice(&mut self, choice: Choice, out: &mut VecDeque<CompletionEvent>) -> Result<(), Error> {
        if let Some(error) = choice.error.filter(is_error) {
            return Err(stream_error(&serde_json::json!({ "error": error })));
        }
        if let Some(delta) = choice.delta.or(choice.message) {
            self.delta(delta, out);
        }
        self.usage(choice.usage.as_ref(), out);
        match choice.finish_reason.as_deref() {
            None | Some("") => {}
            Some(reason) => self.stop = Some(stop_reason(reason)?),
        }
        Ok(())
    }

    fn delta(&mut self, delta: Delta, out: &mut VecDeque<CompletionEvent>) {
        self.thinking(delta.reasoning_content, delta.reasoning, delta.reasoning_details, out);
        match delta.content {
            Some(Content::Text(text)) => self.grow(false, &text, out),
            Some(Content::Other(parts)) => self.parts(&parts, out),
            None => {}
        }
        self.refusal.push_str(&delta.refusal.unwrap_or_default());
        let legacy = delta.function_call.map(|function| CallDelta {
            index: Some(0),
            function: Some(function),
            ..CallDelta::default()
        });
        for piece in delta.tool_calls.unwrap_or_default().into_iter().chain(legacy) {
            self.close(out);
            self.called = true;
            self.calls.piece(piece, &mut self.next_block, out);
        }
    }

    /// Thinking stands in one of two fields, or in both; or only in `OpenRouter`'s details.
    fn thinking(
        &mut self,
        content: Option<Content>,
        reasoning: Option<Content>,
        pieces: Option<Vec<Value>>,
        out: &mut VecDeque<CompletionEvent>,
    ) {
        let (content, reasoning) = (plain(content), plain(reasoning));
        let fields = self.reasoning_in.iter().map(|field| match field {
            ReasoningField::ReasoningContent => &content,
            ReasoningField::Reasoning => &reasoning,
        });
        let pieces = pieces.unwrap_or_default();
        let text = match fields.into_iter().find(|text| !text.is_empty()) {
            Some(text) => text.clone(),
            None => pieces.iter().filter_map(details::text).collect(),
        };
        self.grow(true, &text, out);
        if pieces.is_empty() {
            return;
        }
        let open = self.opened(true, out);
        for piece in pieces {
            details::merge(&mut open.details, piece);
        }
    }

    /// Content in parts, as Mistral's models that reason send it.
    fn parts(&mut self, parts: &Value, out: &mut VecDeque<CompletionEvent>) {
        for part in parts.as_array().into_iter().flatten() {
            let is_thinking = part["type"] == "thinking";
            let text = if is_thinking { inner_text(&part["thinking"]) } else { inner_text(part) };
            self.grow(is_thinking, &text, out);
        }
    }

    /// Adds text to the block that is open, or to a new one.
    fn grow(&mut self, is_thinking: bool, text: &str, out: &mut VecDeque<CompletionEvent>) {
        if text.is_empty() {
            return;
        }
        let index = self.opened(is_thinking, out).index;
        let text = text.to_owned();
        let delta = if is_thinking { BlockDelta::Thinking { text } } else { BlockDelta::Text { text } };
        out.push_back(CompletionEvent::Delta { index, delta });
    }

    fn opened(&mut self, is_thinking: bool, out: &mut VecDeque<CompletionEvent>) -> &mut Open {
        if self.open.as_ref().is_some_and(|open| open.is_thinking != is_thinking) {
            self.close(out);
        }
        let next = &mut self.next_block;
        self.open.get_or_insert_with(|| {
            let index = *next;
            *next += 1;
            let text = String::new();
            let block = if is_thinking {
                BlockStart::Thinking { text, signature: String::new() }
            } else {
                BlockStart::Text { text }
            };
            out.push_back(CompletionEvent::BlockStarted { index, block });
            Open { index, is_thinking, details: Vec::new() }
        })
    }

    fn close(&mut self, out: &mut VecDeque<CompletionEvent>) {
        let Some(Open { index, details, .. }) = self.open.take() else { return };
        if !details.is_empty() {
            let signature = Value::Array(details).to_string();
            out.push_back(CompletionEvent::Delta { index, delta: BlockDelta::Signature { signature } });
        }
        out.push_back(CompletionEvent::BlockCompleted { index });
    }

    fn usage(&mut self, value: Option<&Value>, out: &mut VecDeque<CompletionEvent>) {
        let Some(value) = value.filter(|value| value.is_object()) else { return };
        let usage = wire::usage(value);
        if usage != self.usage {
            self.usage = usage;
            out.push_back(CompletionEvent::Usage { usage });
        }
    }

    /// The answer is over: `[DONE]`, or the end of the body.
    fn end(&mut self, out: &mut VecDeque<CompletionEvent>) -> Result<(), Error> {
        let Some(stop) = self.stop.take() else { return Err(self.broken()) };
        self.close(out);
        self.calls.close(&mut self.next_block, out)?;
        let (reason, refusal) = self.stopped(stop);
        out.push_back(CompletionEvent::Stopped { reason, refusal });
        out.push_back(CompletionEvent::Completed);
        self.completed = true;
        Ok(())
    }

    /// Why the model stopped. Servers disagree on what to call a stop for tools.
    fn stopped(&mut self, said: StopReason) -> (StopReason, Option<Refusal>) {
        if !self.refusal.is_empty() {
            let explanation = Some(std::mem::take(&mut self.refusal));
            return (StopReason::Refusal, Some(Refusal { category: None, explanation }));
        }
        match said {
            StopReason::EndTurn if self.called => (StopReason::ToolUse, None),
            StopReason::ToolUse if !self.called => (StopReason::EndTurn, None),
            StopReason::Refusal => {
                let category = Some("content_filter".to_owned());
                (StopReason::Refusal, Some(Refusal { category, explanation: None }))
            }
            said => (said, None),
        }
    }

    fn broken(&self) -> Error {
        let what = if self.started { "the answer ended before it was complete" } else { "the answer was empty" };
        Error::new(Category::StreamBroken, what)
    }
}

impl FrameMapper for Mapper {
    type Frame = Frame;

    fn frame(&mut self, frame: Frame, out: &mut VecDeque<CompletionEvent>) -> Result<(), Error> {
        match frame {
            Frame::Event { name, data } => self.map(&name, &data, out),
            Frame::End if self.completed => Ok(()),
            Frame::End => self.end(out),
        }
    }

    fn finish(&self) -> Result<(), Error> {
        if self.completed { Ok(()) } else { Err(self.broken()) }
    }

    fn is_complete(&self) -> bool {
        self.completed
    }
}

/// Whether the value of an `error` field is one.
fn is_error(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && *value != ""
}

/// Data that is no chunk may still say what went wrong.
fn unreadable(data: &str, error: &serde_json::Error) -> Result<(), Error> {
    match serde_json::from_str::<Value>(data) {
        Ok(Value::Null | Value::Bool(_) | Value::Number(_)) => Ok(()),
        Ok(value @ Value::String(_)) => Err(stream_error(&serde_json::json!({ "error": value }))),
        Ok(Value::Array(list)) if list.is_empty() => Ok(()),
        Ok(value) if value.get("error").is_some_and(is_error) || value.pointer("/0/error").is_some_and(is_error) => {
            Err(stream_error(&value))
        }
        _ => Err(Error::new(Category::StreamBroken, format!("the provider sent data that cannot be read: {error}"))),
    }
}

fn stop_reason(said: &str) -> Result<StopReason, Error> {
    Ok(match said {
        "stop" | "end_turn" | "eos" | "STOP" => StopReason::EndTurn,
        "tool_calls" | "function_call" | "tool_use" => StopReason::ToolUse,
        "length" | "max_tokens" | "model_length" | "MAX_TOKENS" => StopReason::MaxTokens,
        "content_filter" | "safety" | "SAFETY" => StopReason::Refusal,
        "insufficient_system_resource" => {
            return Err(Error::new(
                Category::Overloaded,
                "the provider ran out of resources in the middle of the answer",
            ));
        }
        "error" | "network_error" => {
            return Err(Error::new(Category::Server, "the provider failed in the middle of the answer"));
        }
        other => StopReason::Other(other.to_owned()),
    })
}

/// The text of a field that should be one.
fn plain(content: Option<Content>) -> String {
    match content {
        Some(Content::Text(text)) => text.into_owned(),
        Some(Content::Other(value)) => inner_text(&value),
        None => String::new(),
    }
}

/// The text in a part, or in the parts of a part.
fn inner_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(inner_text).collect(),
        Value::Object(part) => part.get("text").map(inner_text).unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}

/// The events of a response body. The stream ends after [`CompletionEvent::Completed`] or after the first error.
pub type Events<S> = Mapped<Frames<S>, Mapper>;

/// See [`Events`].
pub fn events<S>(body: S, options: MapperOptions) -> Events<S>
where
    S: Stream<Item = Result<Bytes, Error>> + Unpin,
{
    Mapped::new(Frames::new(body), Mapper::new(options))
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
