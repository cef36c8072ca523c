//! The lines of `/api/chat`, mapped to [`CompletionEvent`]s.
//!
//! Tool calls arrive whole, in any line; the reason for the end stays `stop` when there are some. A line with `error`
//! may come at any place, with HTTP status 200. `done` or a `done_reason` is the end; a stream without either broke off.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::Stream;
use serde_json::Value;
use serde_json::value::RawValue;

use super::errors;
use super::wire::{Call, Line, Message};
use crate::chat::{BlockDelta, BlockStart, CompletionEvent, StopReason, UsagePatch};
use crate::provider::mapped::{FrameMapper, Mapped, broke_off};
use crate::provider::ndjson::Lines;
use crate::provider::notice::warning;
use crate::provider::{Category, Error};

type Out = VecDeque<CompletionEvent>;

/// Maps lines, one by one. No clock, no socket.
#[derive(Debug)]
pub struct Mapper {
    /// What makes the names of this answer its own.
    seed: String,
    /// Tokens that the context window has.
    num_ctx: u32,
    /// As it was asked for, which advice names.
    model: String,
    started: bool,
    completed: bool,
    next_block: usize,
    open: Option<Open>,
    /// The ids of the calls so far.
    calls: Vec<String>,
}

/// The kind of the block that grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Text,
    Thinking,
}

impl Mapper {
    /// A mapper of one answer of `model`. `seed` is a text that no other answer of the conversation has: calls without
    /// an id are named by it. `num_ctx` is the size of the context window that was asked for.
    pub fn new(model: impl Into<String>, seed: impl Into<String>, num_ctx: u32) -> Self {
        Self {
            seed: seed.into(),
            num_ctx,
            model: model.into(),
            started: false,
            completed: false,
            next_block: 0,
            open: None,
            calls: Vec::new(),
        }
    }

    /// Takes in one line and appends to `out` what it means.
    ///
    /// # Errors
    /// What Ollama reports; [`Category::StreamBroken`] for a line that cannot be read.
    pub fn map(&mut self, line: &str, out: &mut Out) -> Result<(), Error> {
        let line = line.trim();
        if self.completed || line.is_empty() {
            return Ok(());
        }
        let unreadable = |error: serde_json::Error| {
            Error::new(Category::StreamBroken, format!("the provider sent data that cannot be read: {error}"))
        };
        let line: Line = serde_json::from_str(line).map_err(unreadable)?;
        if let Some(error) = line.error {
            let error: Value = serde_json::from_str(error.get()).map_err(unreadable)?;
            return Err(errors::of_line(&error, &self.model));
        }
        if !std::mem::replace(&mut self.started, true) {
            let model = line.model.as_deref().unwrap_or(&self.model).to_owned();
            out.push_back(CompletionEvent::Started { message_id: format!("ollama_{}", self.seed), model });
        }
        if let Some(message) = &line.message {
            self.message(message, out)?;
        }
        if line.done == Some(true) || line.done_reason.as_deref().is_some_and(|reason| !reason.is_empty()) {
            self.end(&line, out);
        }
        Ok(())
    }

    /// What the end of the stream means.
    ///
    /// # Errors
    /// [`Category::StreamBroken`] when the last line did not come.
    pub fn finish(&self) -> Result<(), Error> {
        if self.completed { Ok(()) } else { Err(broke_off(self.started)) }
    }

    fn message(&mut self, message: &Message, out: &mut Out) -> Result<(), Error> {
        if let Some(text) = message.thinking.as_deref().filter(|text| !text.is_empty()) {
            self.grow(Open::Thinking, text, out);
        }
        if let Some(text) = message.content.as_deref().filter(|text| !text.is_empty()) {
            self.grow(Open::Text, text, out);
        }
        message.tool_calls.iter().flatten().try_for_each(|call| self.call(call, out))
    }

    fn grow(&mut self, kind: Open, text: &str, out: &mut Out) {
        if self.open != Some(kind) {
            self.close(out);
            let block = match kind {
                Open::Text => BlockStart::Text { text: String::new() },
                Open::Thinking => BlockStart::Thinking { text: String::new(), signature: String::new() },
            };
            out.push_back(CompletionEvent::BlockStarted { index: self.next_block, block });
            self.open = Some(kind);
        }
        let text = text.to_owned();
        let delta = match kind {
            Open::Text => BlockDelta::Text { text },
            Open::Thinking => BlockDelta::Thinking { text },
        };
        out.push_back(CompletionEvent::Delta { index: self.next_block, delta });
    }

    fn close(&mut self, out: &mut Out) {
        if self.open.take().is_some() {
            out.push_back(CompletionEvent::BlockCompleted { index: self.next_block });
            self.next_block += 1;
        }
    }

    fn call(&mut self, call: &Call, out: &mut Out) -> Result<(), Error> {
        if call.function.name.is_empty() {
            return Err(Error::new(Category::StreamBroken, "the provider sent a tool call without a name"));
        }
        self.close(out);
        let number = self.calls.len();
        let given = call.id.clone().filter(|id| !id.is_empty() && !self.calls.contains(id));
        let id = given.unwrap_or_else(|| format!("call_{}_{number}", self.seed));
        self.calls.push(id.clone());
        let (index, name) = (self.next_block, call.function.name.clone());
        self.next_block += 1;
        out.push_back(CompletionEvent::BlockStarted { index, block: BlockStart::ToolCall { id, name } });
        let json = call.function.arguments.map(arguments).unwrap_or_default();
        if !json.is_empty() {
            out.push_back(CompletionEvent::Delta { index, delta: BlockDelta::Input { json } });
        }
        out.push_back(CompletionEvent::BlockCompleted { index });
        Ok(())
    }

    fn end(&mut self, line: &Line, out: &mut Out) {
        self.close(out);
        let cached = line.prompt_eval_cached_count;
        let usage = UsagePatch {
            input_tokens: line.prompt_eval_count.map(|all| all.saturating_sub(cached.unwrap_or(0))),
            cache_read_tokens: cached,
            output_tokens: line.eval_count,
            ..UsagePatch::default()
        };
        if usage != UsagePatch::default() {
            out.push_back(CompletionEvent::Usage { usage });
        }
        let (prompt, window) = (line.prompt_eval_count.unwrap_or(0), u64::from(self.num_ctx));
        if prompt * 10 >= window * 9 && prompt > 0 {
            let message = format!(
                "the conversation fills {prompt} of the {window} tokens of the context window; start a new session or \
                 raise num_ctx"
            );
            out.push_back(warning("context.nearly_full", message));
        }
        let full = prompt + line.eval_count.unwrap_or(0) >= window;
        let reason = match line.done_reason.as_deref().unwrap_or_default() {
            "length" if full => StopReason::ContextWindowExceeded,
            "length" => StopReason::MaxTokens,
            _ if !self.calls.is_empty() => StopReason::ToolUse,
            "" | "stop" => StopReason::EndTurn,
            other => StopReason::Other(other.to_owned()),
        };
        out.push_back(CompletionEvent::Stopped { reason, refusal: None });
        self.completed = true;
        out.push_back(CompletionEvent::Completed);
    }
}

/// The JSON text of arguments, which are an object. Where a text stands instead, it holds the object.
fn arguments(raw: &RawValue) -> String {
    match serde_json::from_str::<Option<String>>(raw.get()) {
        Ok(text) => text.unwrap_or_default(),
        Err(_) => raw.get().to_owned(),
    }
}

impl FrameMapper for Mapper {
    type Frame = String;

    fn frame(&mut self, frame: String, out: &mut Out) -> Result<(), Error> {
        self.map(&frame, out)
    }

    fn finish(&self) -> Result<(), Error> {
        Mapper::finish(self)
    }

    fn is_complete(&self) -> bool {
        self.completed
    }
}

/// See [`events`].
pub type Events<S> = Mapped<Lines<S>, Mapper>;

/// The events of a response body. The stream ends after [`CompletionEvent::Completed`] or after the first error.
pub fn events<S>(body: S, mapper: Mapper) -> Events<S>
where
    S: Stream<Item = Result<Bytes, Error>> + Unpin,
{
    Mapped::new(Lines::new(body), mapper)
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
