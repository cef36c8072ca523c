//! Tool calls, put together from the pieces that servers send.
//!
//! The rules are the union of what servers do: pieces with and without an index or an id, index 0 for all calls, names
//! that come late or again as an empty text, arguments as text or as an object.

use std::collections::{HashSet, VecDeque};

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::wire::{CallDelta, Content, FunctionDelta};
use crate::chat::{BlockDelta, BlockStart, CompletionEvent};
use crate::provider::{Category, Error};

/// The type of the block that keeps what belongs to a call and has no place in it.
pub(super) const EXTRA: &str = "tool_call_extra";

/// The ids of calls: those a conversation has, and how new ones are made.
#[derive(Debug, Default)]
struct Ids {
    seed: String,
    taken: HashSet<String>,
    made: usize,
}

impl Ids {
    /// The server's id, or one of our own where it has none or one that is taken.
    fn claim(&mut self, id: &str) -> String {
        if !id.is_empty() && self.taken.insert(id.to_owned()) {
            return id.to_owned();
        }
        loop {
            let made = format!("call_{}_{}", self.seed, self.made);
            self.made += 1;
            if self.taken.insert(made.clone()) {
                return made;
            }
        }
    }
}

/// The calls of an answer.
#[derive(Debug, Default)]
pub(super) struct Calls {
    ids: Ids,
    calls: Vec<Call>,
}

#[derive(Debug, Default)]
struct Call {
    index: Option<u64>,
    /// As the server says it.
    id: String,
    /// As we say it: the same, where it is one and no other call has it.
    ours: String,
    name: String,
    arguments: String,
    /// How much of the arguments was passed on.
    sent: usize,
    extra: Option<Value>,
    /// Its block, once it was begun.
    block: Option<usize>,
}

impl Calls {
    /// No calls yet. Ids that are made hold `seed`, and differ from those that are `taken`.
    pub(super) fn new(seed: String, taken: impl IntoIterator<Item = String>) -> Self {
        Self { ids: Ids { seed, taken: taken.into_iter().collect(), made: 0 }, calls: Vec::new() }
    }

    /// Takes in a piece of a call and passes on what of it is certain. `next_block` counts blocks.
    pub(super) fn piece(&mut self, piece: CallDelta, next_block: &mut usize, out: &mut VecDeque<CompletionEvent>) {
        let CallDelta { index, id, function, extra_content } = piece;
        let FunctionDelta { name, arguments } = function.unwrap_or_default();
        let (id, name) = (id.unwrap_or_default(), name.unwrap_or_default());
        let at = self.find(index, &id, &name).unwrap_or_else(|| {
            self.calls.push(Call { index, ..Call::default() });
            self.calls.len() - 1
        });
        let Some(call) = self.calls.get_mut(at) else { return };
        if call.id.is_empty() {
            call.id = id.into_owned();
        }
        if call.name.is_empty() {
            call.name = name.into_owned();
        }
        if let Some(extra) = extra_content.filter(|extra| !extra.is_null()) {
            call.extra = Some(extra);
        }
        match arguments {
            Some(Content::Text(text)) => call.arguments.push_str(&text),
            // As a whole, not in pieces.
            Some(Content::Other(value)) if !value.is_null() && call.arguments.is_empty() => {
                call.arguments = value.to_string();
            }
            Some(Content::Other(_)) | None => {}
        }
        if call.block.is_none() && !call.name.is_empty() && !call.id.is_empty() {
            call.begin(&mut self.ids, next_block, out);
        }
        call.pass_on(out);
    }

    /// The call that a piece belongs to; `None` when it begins a new one.
    fn find(&self, index: Option<u64>, id: &str, name: &str) -> Option<usize> {
        let last = |is_it: &dyn Fn(&Call) -> bool| self.calls.iter().rposition(is_it);
        match index {
            // Some servers count every call 0, and some give each piece an id of its own: a name tells the two apart.
            Some(_) => last(&|call| call.index == index)
                .filter(|at| {
                    let known = &self.calls[*at].id;
                    id.is_empty() || known.is_empty() || known == id || name.is_empty()
                })
                .or_else(|| last(&|call| !id.is_empty() && call.id == id && call.index.is_none())),
            None if !id.is_empty() => {
                last(&|call| call.id == id).or_else(|| last(&|call| call.id.is_empty() && call.name.is_empty()))
            }
            // A name after a call that is whole begins another one.
            None => self.calls.len().checked_sub(1).filter(|at| {
                let call = &self.calls[*at];
                name.is_empty() || call.name.is_empty() || serde_json::from_str::<IgnoredAny>(&call.arguments).is_err()
            }),
        }
    }

    /// Ends all calls.
    ///
    /// # Errors
    /// [`Category::StreamBroken`] when one has no name.
    pub(super) fn close(&mut self, next_block: &mut usize, out: &mut VecDeque<CompletionEvent>) -> Result<(), Error> {
        for mut call in std::mem::take(&mut self.calls) {
            if call.name.is_empty() {
                return Err(Error::new(Category::StreamBroken, "the provider sent a tool call without a name"));
            }
            let index = match call.block {
                Some(index) => index,
                None => call.begin(&mut self.ids, next_block, out),
            };
            call.pass_on(out);
            call.pass_on_quoted(index, out);
            out.push_back(CompletionEvent::BlockCompleted { index });
            if let Some(extra) = call.extra {
                let kept = json!({"type": EXTRA, "callId": call.ours, "extra_content": extra});
                let index = *next_block;
                *next_block += 1;
                let block = BlockStart::Other { json: kept.to_string() };
                out.push_back(CompletionEvent::BlockStarted { index, block });
                out.push_back(CompletionEvent::BlockCompleted { index });
            }
        }
        Ok(())
    }
}

impl Call {
    fn begin(&mut self, ids: &mut Ids, next_block: &mut usize, out: &mut VecDeque<CompletionEvent>) -> usize {
        let index = *next_block;
        *next_block += 1;
        self.block = Some(index);
        self.ours = ids.claim(&self.id);
        let block = BlockStart::ToolCall { id: self.ours.clone(), name: self.name.clone() };
        out.push_back(CompletionEvent::BlockStarted { index, block });
        index
    }

    /// Passes on the arguments that are new. Those that are a text in quotes wait until it is whole.
    fn pass_on(&mut self, out: &mut VecDeque<CompletionEvent>) {
        let Some(index) = self.block else { return };
        let begins = self.arguments.trim_start();
        if begins.is_empty() || begins.starts_with('"') || self.sent == self.arguments.len() {
            return;
        }
        let json = self.arguments[self.sent..].to_owned();
        self.sent = self.arguments.len();
        out.push_back(CompletionEvent::Delta { index, delta: BlockDelta::Input { json } });
    }

    /// Passes on arguments that a server encoded twice: the object in the text, if there is one.
    fn pass_on_quoted(&mut self, index: usize, out: &mut VecDeque<CompletionEvent>) {
        if self.sent > 0 || self.arguments.trim().is_empty() {
            return;
        }
        let inner = serde_json::from_str::<String>(&self.arguments).ok();
        let object = inner.filter(|text| matches!(serde_json::from_str::<Value>(text), Ok(Value::Object(_))));
        let json = object.unwrap_or_else(|| std::mem::take(&mut self.arguments));
        out.push_back(CompletionEvent::Delta { index, delta: BlockDelta::Input { json } });
    }
}
