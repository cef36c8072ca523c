//! One output item as it streams in, and the content block that it becomes.
//!
//! Deltas are a preview: `….done` events and above all `response.output_item.done` say the whole. Where deltas were
//! missed, what is missing is said then. An item has two places among the blocks of an answer, so that what is told
//! beside a text stands directly behind it, and the order is that of the items, however they interleave.

use std::collections::VecDeque;

use serde_json::json;
use serde_json::value::RawValue;

use super::{MESSAGE_META, wire};
use crate::chat::{BlockDelta, BlockStart, CompletionEvent};
use crate::provider::{Category, Error};

type Out = VecDeque<CompletionEvent>;

/// An item.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) output_index: usize,
    pub(super) id: Option<String>,
    /// The first of its two places.
    pub(super) block: usize,
    pub(super) kind: Kind,
    pub(super) done: bool,
    begun: bool,
    /// Its text or thinking as far as it was said, by part.
    parts: Vec<(usize, String)>,
}

/// What it is.
#[derive(Debug)]
pub(super) enum Kind {
    Message { refusal: Option<String> },
    Reasoning { source: Option<Source> },
    Call(Call),
    Other,
}

/// Which of the two texts of a reasoning item is told. Servers that send both mean the same by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Summary,
    Text,
}

#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) id: Option<String>,
    name: Option<String>,
    arguments: String,
}

impl Kind {
    pub(super) fn of(name: &str) -> Self {
        match name {
            "message" => Self::Message { refusal: None },
            "reasoning" => Self::Reasoning { source: None },
            "function_call" => Self::Call(Call::default()),
            _ => Self::Other,
        }
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

fn broken(message: &str) -> Error {
    Error::new(Category::StreamBroken, message)
}

impl Item {
    /// A new item. Thinking is told of at once, everything else when there is something to tell.
    pub(super) fn new(output_index: usize, block: usize, kind: Kind, out: &mut Out) -> Self {
        let mut item = Self { output_index, id: None, block, kind, done: false, begun: false, parts: Vec::new() };
        if matches!(item.kind, Kind::Reasoning { .. }) {
            item.begin(BlockStart::Thinking { text: String::new(), signature: String::new() }, out);
        }
        item
    }

    /// What is known of the item when it begins.
    pub(super) fn head(&mut self, id: Option<String>, item: wire::Item, out: &mut Out) {
        self.id = id.or(self.id.take());
        if let Kind::Call(call) = &mut self.kind {
            call.id = item.call_id.filter(|id| !id.is_empty()).or(call.id.take());
            call.name = item.name.filter(|name| !name.is_empty()).or(call.name.take());
            self.begin_call(out);
        }
    }

    fn begin(&mut self, block: BlockStart, out: &mut Out) {
        self.begun = true;
        out.push_back(CompletionEvent::BlockStarted { index: self.block, block });
    }

    fn delta(&self, delta: BlockDelta, out: &mut Out) {
        out.push_back(CompletionEvent::Delta { index: self.block, delta });
    }

    /// More of part `part` of a message.
    pub(super) fn text(&mut self, part: usize, more: &str, out: &mut Out) {
        if more.is_empty() {
            return;
        }
        if !self.begun {
            self.begin(BlockStart::Text { text: String::new() }, out);
        }
        said(&mut self.parts, part).push_str(more);
        self.delta(BlockDelta::Text { text: more.to_owned() }, out);
    }

    /// The whole of part `part` of a message.
    pub(super) fn whole_text(&mut self, part: usize, whole: &str, out: &mut Out) {
        if let Some(tail) = tail(said(&mut self.parts, part), whole) {
            self.text(part, tail, out);
        }
    }

    /// Part of what was said refuses.
    pub(super) fn refuses(&mut self, more: &str) {
        if let Kind::Message { refusal } = &mut self.kind {
            refusal.get_or_insert_default().push_str(more);
        }
    }

    /// The whole of a refusal.
    pub(super) fn whole_refusal(&mut self, part: usize, whole: &str, out: &mut Out) {
        self.whole_text(part, whole, out);
        if let Kind::Message { refusal } = &mut self.kind {
            *refusal = Some(whole.to_owned());
        }
    }

    /// More of part `part` of what is told of the thinking. A blank line stands between parts.
    pub(super) fn think(&mut self, from: Source, part: usize, more: &str, out: &mut Out) {
        let Kind::Reasoning { source } = &mut self.kind else { return };
        if more.is_empty() || *source.get_or_insert(from) != from {
            return;
        }
        let apart = !self.parts.is_empty() && self.parts.iter().all(|(known, _)| *known != part);
        said(&mut self.parts, part).push_str(more);
        let text = if apart { format!("\n\n{more}") } else { more.to_owned() };
        self.delta(BlockDelta::Thinking { text }, out);
    }

    /// The whole of part `part` of what is told of the thinking.
    pub(super) fn whole_thinking(&mut self, from: Source, part: usize, whole: &str, out: &mut Out) {
        let sent = self.parts.iter().find(|(known, _)| *known == part).map_or("", |(_, text)| text);
        if let Some(tail) = tail(sent, whole) {
            self.think(from, part, tail, out);
        }
    }

    /// More of a call's arguments.
    pub(super) fn arguments(&mut self, more: &str, out: &mut Out) {
        let Kind::Call(call) = &mut self.kind else { return };
        call.arguments.push_str(more);
        if self.begun && !more.is_empty() {
            self.delta(BlockDelta::Input { json: more.to_owned() }, out);
        }
    }

    /// The whole of a call's arguments, and its name where it comes late.
    ///
    /// # Errors
    /// [`Category::StreamBroken`] when what was said of them is neither the beginning of the whole nor JSON.
    pub(super) fn whole_arguments(
        &mut self,
        name: Option<&str>,
        whole: Option<&str>,
        out: &mut Out,
    ) -> Result<(), Error> {
        let begun = self.begun;
        let Kind::Call(call) = &mut self.kind else { return Ok(()) };
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            call.name.get_or_insert_with(|| name.to_owned());
        }
        if let Some(whole) = whole.filter(|whole| !whole.is_empty()) {
            if !begun {
                whole.clone_into(&mut call.arguments);
            } else if let Some(tail) = whole.strip_prefix(call.arguments.as_str()) {
                self.arguments(tail, out);
            } else if serde_json::from_str::<&RawValue>(&call.arguments).is_err() {
                return Err(broken("the pieces of a tool call's arguments do not make up the whole"));
            }
        }
        self.begin_call(out);
        Ok(())
    }

    /// Tells of a call as soon as its id and its name are known.
    fn begin_call(&mut self, out: &mut Out) {
        let Kind::Call(call) = &self.kind else { return };
        let (Some(id), Some(name), false) = (&call.id, &call.name, self.begun) else { return };
        let (block, arguments) = (BlockStart::ToolCall { id: id.clone(), name: name.clone() }, call.arguments.clone());
        self.begin(block, out);
        if !arguments.is_empty() {
            self.delta(BlockDelta::Input { json: arguments }, out);
        }
    }

    /// The whole item arrived; `spare` is the id of a call that has none.
    ///
    /// # Errors
    /// [`Category::StreamBroken`] for a call of no tool, or whose arguments came to pieces.
    pub(super) fn finish(
        &mut self,
        raw: &RawValue,
        id: Option<String>,
        mut item: wire::Item,
        spare: String,
        out: &mut Out,
    ) -> Result<(), Error> {
        let phase = item.phase.take();
        let (content, summary) = (item.content.take().unwrap_or_default(), item.summary.take().unwrap_or_default());
        let whole = item.arguments.map(wire::arguments);
        self.head(id, item, out);
        match &mut self.kind {
            Kind::Message { .. } => self.finish_message(content, phase, out),
            Kind::Reasoning { .. } => {
                for (source, parts) in [(Source::Summary, summary), (Source::Text, content)] {
                    for (part, text) in parts.into_iter().enumerate().filter_map(|(at, part)| Some((at, part.text?))) {
                        self.whole_thinking(source, part, &text, out);
                    }
                }
                self.delta(BlockDelta::Signature { signature: raw.get().to_owned() }, out);
                self.complete(out);
            }
            Kind::Call(call) => {
                call.id.get_or_insert(spare);
                self.whole_arguments(None, whole.as_deref(), out)?;
                if !self.begun {
                    return Err(broken("the provider sent a tool call without a name"));
                }
                self.complete(out);
            }
            Kind::Other => {
                self.begin(BlockStart::Other { json: raw.get().to_owned() }, out);
                self.complete(out);
            }
        }
        Ok(())
    }

    fn finish_message(&mut self, content: Vec<wire::Part>, phase: Option<String>, out: &mut Out) {
        for (at, part) in content.into_iter().enumerate() {
            match (part.text, part.refusal) {
                (_, Some(refusal)) => self.whole_refusal(at, &refusal, out),
                (Some(text), None) => self.whole_text(at, &text, out),
                (None, None) => {}
            }
        }
        self.complete(out);
        if self.begun && (self.id.is_some() || phase.is_some()) {
            let mut meta = json!({ "type": MESSAGE_META });
            for (name, value) in [("phase", phase), ("id", self.id.clone())] {
                if let Some(value) = value {
                    meta[name] = json!(value);
                }
            }
            let index = self.block + 1;
            out.push_back(CompletionEvent::BlockStarted { index, block: BlockStart::Other { json: meta.to_string() } });
            out.push_back(CompletionEvent::BlockCompleted { index });
        }
    }

    fn complete(&mut self, out: &mut Out) {
        self.done = true;
        if self.begun {
            out.push_back(CompletionEvent::BlockCompleted { index: self.block });
        }
    }

    /// The answer ended and the whole item never arrived: what did arrive is all there is. Thinking without its proof
    /// of origin and half a call stay incomplete.
    pub(super) fn give_up(&mut self, out: &mut Out) {
        let whole = match &self.kind {
            Kind::Message { .. } => true,
            Kind::Call(call) => serde_json::from_str::<&RawValue>(&call.arguments).is_ok(),
            Kind::Reasoning { .. } | Kind::Other => false,
        };
        if whole {
            self.complete(out);
        }
        self.done = true;
    }

    /// What the item refuses with.
    pub(super) fn refusal(&self) -> Option<&str> {
        match &self.kind {
            Kind::Message { refusal } => refusal.as_deref(),
            _ => None,
        }
    }

    /// Whether it is a call that was told of.
    pub(super) fn is_call(&self) -> bool {
        self.begun && matches!(self.kind, Kind::Call(_))
    }
}

fn said(parts: &mut Vec<(usize, String)>, part: usize) -> &mut String {
    let at = parts.iter().position(|(known, _)| *known == part).unwrap_or_else(|| {
        parts.push((part, String::new()));
        parts.len() - 1
    });
    &mut parts[at].1
}

/// What of `whole` was not sent yet. Nothing where the two differ before that: what was shown cannot be taken back.
fn tail<'a>(sent: &str, whole: &'a str) -> Option<&'a str> {
    let tail = whole.strip_prefix(sent);
    if tail.is_none() {
        tracing::debug!("the pieces of a text do not make up the whole");
    }
    tail.filter(|tail| !tail.is_empty())
}
