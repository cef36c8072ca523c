//! The event stream of the Responses API, mapped to [`CompletionEvent`]s.
//!
//! The kind of an event is decided by `type` inside the data, never by the event's name, which some servers leave out.
//! Items may interleave; events of types that are not known are skipped. An error may come at any place, nested or flat,
//! with HTTP status 200. A stream that ends without `response.completed`, `response.incomplete` or an error broke off.

use std::collections::VecDeque;

use bytes::Bytes;
use eventsource_stream::Event as SseEvent;
use futures_util::Stream;
use serde_json::Value;
use serde_json::value::RawValue;

use super::item::{Call, Item, Kind, Source};
use super::wire::{self, Event, Response};
use crate::chat::{CompletionEvent, Refusal, StopReason, UsagePatch};
use crate::provider::mapped::{FrameMapper, Mapped, broke_off};
use crate::provider::openai::stream_error;
use crate::provider::sse::SseEvents;
use crate::provider::{Category, Error};

type Out = VecDeque<CompletionEvent>;

/// The types of events that mean something here, besides those that begin with `response.` and end in the same words.
const KNOWN: [&str; 19] = [
    "response.created",
    "response.in_progress",
    "response.queued",
    "response.output_item.added",
    "response.output_item.done",
    "response.output_text.delta",
    "response.output_text.done",
    "response.refusal.delta",
    "response.refusal.done",
    "response.reasoning_summary_text.delta",
    "response.reasoning_summary_text.done",
    "response.reasoning_text.delta",
    "response.reasoning_text.done",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.completed",
    "response.incomplete",
    "response.failed",
    "error",
];

/// Maps the data of events, one by one. No clock, no socket.
#[derive(Debug, Default)]
pub struct Mapper {
    /// The id of the response, once it is known.
    started: Option<String>,
    completed: bool,
    items: Vec<Item>,
    unknown: u64,
}

impl Mapper {
    /// Takes in the data of one event and appends to `out` what it means.
    ///
    /// # Errors
    /// What the provider reports; [`Category::StreamBroken`] for data that is not JSON or makes no whole.
    pub fn map(&mut self, data: &str, out: &mut Out) -> Result<(), Error> {
        let data = data.trim();
        if self.completed || data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        let event = match serde_json::from_str::<Event>(data) {
            Ok(event) => event,
            Err(error) => return self.unreadable(data, &error),
        };
        let kind = event.kind.as_ref();
        if event.error.is_some() || matches!(kind, "error" | "response.failed") {
            return Err(reported(data));
        }
        match kind {
            "response.created" | "response.in_progress" | "response.queued" => {
                self.start(&response(event.response)?, out);
            }
            "response.output_item.added" => self.added(&event, out)?,
            "response.output_item.done" => self.item_done(event.output_index, event.item, out)?,
            "response.completed" | "response.incomplete" => self.end(kind, event.response, data, out)?,
            _ if KNOWN.contains(&kind) => self.content(&event, out)?,
            _ => self.skip(kind),
        }
        Ok(())
    }

    /// What the end of the stream means.
    ///
    /// # Errors
    /// [`Category::StreamBroken`] when the answer's end did not come.
    pub fn finish(&self) -> Result<(), Error> {
        let begun = self.started.is_some() || !self.items.is_empty();
        if self.completed { Ok(()) } else { Err(broke_off(begun)) }
    }

    /// How many events were of a type that means nothing here. They change nothing.
    pub fn unknown(&self) -> u64 {
        self.unknown
    }

    fn skip(&mut self, kind: &str) {
        self.unknown += 1;
        tracing::trace!(kind, "skipped a stream event");
    }

    /// An event of a known type that does not have its shape is an error; one of an unknown type may have any.
    fn unreadable(&mut self, data: &str, error: &serde_json::Error) -> Result<(), Error> {
        let value: Value = serde_json::from_str(data).map_err(|_| unreadable(error))?;
        if value.get("error").is_some_and(|error| !error.is_null()) {
            return Err(stream_error(&value));
        }
        let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
        match kind {
            "error" | "response.failed" => Err(stream_error(&value)),
            _ if KNOWN.contains(&kind) => Err(unreadable(error)),
            _ => {
                self.skip(kind);
                Ok(())
            }
        }
    }

    fn start(&mut self, response: &Response, out: &mut Out) {
        if self.started.is_none()
            && let Some(id) = &response.id
        {
            self.started = Some(id.clone());
            let model = response.model.clone().unwrap_or_default();
            out.push_back(CompletionEvent::Started { message_id: id.clone(), model });
        }
    }

    /// A piece of an item, or a whole part of one.
    fn content(&mut self, event: &Event, out: &mut Out) -> Result<(), Error> {
        let kind = event.kind.as_ref();
        let (is, part) = match kind {
            "response.function_call_arguments.delta" | "response.function_call_arguments.done" => {
                (Kind::Call(Call::default()), 0)
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_summary_text.done" => {
                (Kind::Reasoning { source: None }, event.summary_index.unwrap_or(0))
            }
            "response.reasoning_text.delta" | "response.reasoning_text.done" => {
                (Kind::Reasoning { source: None }, event.content_index.unwrap_or(0))
            }
            _ => (Kind::Message { refusal: None }, event.content_index.unwrap_or(0)),
        };
        let Some(item) = self.item(event, is, out) else {
            self.skip(kind);
            return Ok(());
        };
        let delta = event.delta.as_deref().unwrap_or_default();
        let text = event.text.as_deref().unwrap_or_default();
        match kind {
            "response.output_text.delta" => item.text(part, delta, out),
            "response.output_text.done" => item.whole_text(part, text, out),
            "response.refusal.delta" => {
                item.refuses(delta);
                item.text(part, delta, out);
            }
            "response.refusal.done" => item.whole_refusal(part, event.refusal.as_deref().unwrap_or_default(), out),
            "response.reasoning_summary_text.delta" => item.think(Source::Summary, part, delta, out),
            "response.reasoning_summary_text.done" => item.whole_thinking(Source::Summary, part, text, out),
            "response.reasoning_text.delta" => item.think(Source::Text, part, delta, out),
            "response.reasoning_text.done" => item.whole_thinking(Source::Text, part, text, out),
            "response.function_call_arguments.delta" => item.arguments(delta, out),
            _ => {
                let whole = event.arguments.map(wire::arguments);
                item.whole_arguments(event.name.as_deref(), whole.as_deref(), out)?;
            }
        }
        Ok(())
    }

    /// The open item that an event is about; a new one where its beginning was never told. Ids are believed only where
    /// there is no index: some gateways change them from event to event.
    fn item(&mut self, event: &Event, kind: Kind, out: &mut Out) -> Option<&mut Item> {
        let found = match (event.output_index, event.item_id.as_deref()) {
            (Some(index), _) => self.items.iter().rposition(|item| item.output_index == index),
            (None, Some(id)) => self.items.iter().rposition(|item| item.id.as_deref() == Some(id)),
            (None, None) => self.items.iter().rposition(|item| !item.done && item.kind.is_same(&kind)),
        };
        if let Some(at) = found {
            return Some(&mut self.items[at]).filter(|item| !item.done && item.kind.is_same(&kind));
        }
        let at = self.open(event.output_index, kind, out);
        self.items[at].id = event.item_id.as_ref().map(|id| id.clone().into_owned());
        Some(&mut self.items[at])
    }

    /// A new item; its position in `items`. An index that was used before stands for what comes next.
    fn open(&mut self, output_index: Option<usize>, kind: Kind, out: &mut Out) -> usize {
        let next = self.items.iter().map(|item| item.block + 2).max().unwrap_or(0);
        let output_index = output_index.unwrap_or(next / 2);
        let wanted = output_index.saturating_mul(2);
        let block = if self.items.iter().any(|item| item.block == wanted) { next } else { wanted };
        self.items.push(Item::new(output_index, block, kind, out));
        self.items.len() - 1
    }

    fn added(&mut self, event: &Event, out: &mut Out) -> Result<(), Error> {
        let Some(raw) = event.item else { return Ok(()) };
        let (head, kind) = head(raw)?;
        let index = event.output_index;
        let known = self.items.iter().rposition(|item| index.is_some_and(|index| item.output_index == index));
        let at = match known.map(|at| (at, &self.items[at])) {
            Some((at, item)) if !item.done && item.kind.is_same(&kind) => at,
            Some((_, item)) if item.done && item.id.is_some() && item.id == head.id => return Ok(()),
            _ => self.open(index, kind, out),
        };
        let item = item_of(&self.items[at].kind, raw)?;
        self.items[at].head(head.id, item, out);
        Ok(())
    }

    fn item_done(&mut self, index: Option<usize>, raw: Option<&RawValue>, out: &mut Out) -> Result<(), Error> {
        let Some(raw) = raw else { return Ok(()) };
        let (head, kind) = head(raw)?;
        let named = |item: &Item| head.id.is_some() && item.id == head.id;
        let placed = |item: &Item| index.is_none_or(|index| item.output_index == index);
        let open = |item: &Item| !item.done && item.kind.is_same(&kind) && (placed(item) || named(item));
        let at = match self.items.iter().rposition(open) {
            Some(at) => at,
            None if self.items.iter().any(|item| item.done && named(item)) => return Ok(()),
            None => self.open(index, kind, out),
        };
        self.finish_item(at, raw, head.id, out)
    }

    fn finish_item(&mut self, at: usize, raw: &RawValue, id: Option<String>, out: &mut Out) -> Result<(), Error> {
        let response = self.started.as_deref().unwrap_or_default();
        let item = &mut self.items[at];
        let spare = id.clone().unwrap_or_else(|| format!("call_{response}_{}", item.block));
        let whole = item_of(&item.kind, raw)?;
        item.finish(raw, id, whole, spare, out)
    }

    /// The answer's last word. It repeats all items, so those whose own last word was missed are whole now.
    fn end(&mut self, kind: &str, raw: Option<&RawValue>, data: &str, out: &mut Out) -> Result<(), Error> {
        let response = response(raw)?;
        self.start(&response, out);
        match response.status.as_deref() {
            Some("failed") => return Err(reported(data)),
            Some("cancelled") => {
                return Err(Error::new(Category::StreamBroken, "the answer was cancelled at the provider"));
            }
            _ => {}
        }
        for (index, raw) in response.output.unwrap_or_default().into_iter().enumerate() {
            self.repeated(index, raw, out)?;
        }
        for item in self.items.iter_mut().filter(|item| !item.done) {
            item.give_up(out);
        }
        if let Some(usage) = response.usage {
            out.push_back(CompletionEvent::Usage { usage: UsagePatch::from(usage) });
        }
        let incomplete = kind == "response.incomplete" || response.status.as_deref() == Some("incomplete");
        let cut = response.incomplete_details.and_then(|details| details.reason);
        let (reason, refusal) = self.stop(incomplete.then(|| cut.as_deref().unwrap_or("incomplete")));
        out.push_back(CompletionEvent::Stopped { reason, refusal });
        self.completed = true;
        out.push_back(CompletionEvent::Completed);
        Ok(())
    }

    /// An item as the last event repeats it.
    fn repeated(&mut self, index: usize, raw: &RawValue, out: &mut Out) -> Result<(), Error> {
        let (head, kind) = head(raw)?;
        let call_id = if matches!(kind, Kind::Call(_)) { item_of(&kind, raw)?.call_id } else { None };
        let same = |item: &Item| {
            let same_call = matches!(&item.kind, Kind::Call(call) if call_id.is_some() && call.id == call_id);
            same_call || head.id.is_some() && item.id == head.id
        };
        let placed = |item: &Item| item.output_index == index && item.kind.is_same(&kind);
        let known = self.items.iter().position(same).or_else(|| self.items.iter().position(placed));
        let at = match known {
            Some(at) if self.items[at].done => return Ok(()),
            Some(at) => at,
            None => self.open(Some(index), kind, out),
        };
        self.finish_item(at, raw, head.id, out)
    }

    /// Why the model stopped. A cut answer may end within a call, so that it was cut weighs more than its calls.
    fn stop(&self, cut: Option<&str>) -> (StopReason, Option<Refusal>) {
        let filtered = || Refusal { category: Some("content_filter".to_owned()), explanation: None };
        match cut {
            Some("max_output_tokens") => return (StopReason::MaxTokens, None),
            Some("content_filter") => return (StopReason::Refusal, Some(filtered())),
            Some(other) => return (StopReason::Other(other.to_owned()), None),
            None => {}
        }
        if let Some(words) = self.items.iter().find_map(Item::refusal) {
            let explanation = Some(words.to_owned()).filter(|words| !words.is_empty());
            return (StopReason::Refusal, Some(Refusal { category: None, explanation }));
        }
        let calls = self.items.iter().any(Item::is_call);
        (if calls { StopReason::ToolUse } else { StopReason::EndTurn }, None)
    }
}

fn unreadable(error: &serde_json::Error) -> Error {
    Error::new(Category::StreamBroken, format!("the provider sent data that cannot be read: {error}"))
}

fn reported(data: &str) -> Error {
    serde_json::from_str::<Value>(data).map_or_else(|error| unreadable(&error), |event| stream_error(&event))
}

fn response(raw: Option<&RawValue>) -> Result<Response<'_>, Error> {
    raw.map_or_else(|| Ok(Response::default()), |raw| serde_json::from_str(raw.get()).map_err(|e| unreadable(&e)))
}

fn head(raw: &RawValue) -> Result<(wire::ItemHead, Kind), Error> {
    let head: wire::ItemHead = serde_json::from_str(raw.get()).map_err(|error| unreadable(&error))?;
    let kind = Kind::of(head.kind.as_deref().unwrap_or_default());
    Ok((head, kind))
}

/// The fields of an item. One that we have no word for may have any.
fn item_of<'a>(kind: &Kind, raw: &'a RawValue) -> Result<wire::Item<'a>, Error> {
    if matches!(kind, Kind::Other) {
        return Ok(wire::Item::default());
    }
    serde_json::from_str(raw.get()).map_err(|error| unreadable(&error))
}

impl FrameMapper for Mapper {
    type Frame = SseEvent;

    fn frame(&mut self, frame: SseEvent, out: &mut Out) -> Result<(), Error> {
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

/// The events of a response body. The stream ends after [`CompletionEvent::Completed`] or after the first error.
pub fn events<S>(body: S) -> Events<S>
where
    S: Stream<Item = Result<Bytes, Error>> + Unpin,
{
    Mapped::new(SseEvents::new(body), Mapper::default())
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
