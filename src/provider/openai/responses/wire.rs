//! The shapes of stream events. Items and responses stay raw until it is known what they are.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::UsagePatch;

/// Any event, as one flat struct: what an event does not have is absent.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Event<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Cow<'a, str>,
    pub(super) output_index: Option<usize>,
    pub(super) content_index: Option<usize>,
    pub(super) summary_index: Option<usize>,
    #[serde(borrow)]
    pub(super) item_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) delta: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) text: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) refusal: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) item: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) response: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
}

/// The `response` of the events that begin and end an answer.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Response<'a> {
    pub(super) id: Option<String>,
    pub(super) model: Option<String>,
    pub(super) status: Option<String>,
    pub(super) incomplete_details: Option<Incomplete>,
    pub(super) usage: Option<Usage>,
    #[serde(borrow)]
    pub(super) output: Option<Vec<&'a RawValue>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Incomplete {
    pub(super) reason: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Usage {
    input_tokens: Option<u64>,
    input_tokens_details: Option<InputDetails>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct InputDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    reasoning_tokens: Option<u64>,
}

impl From<Usage> for UsagePatch {
    /// The vendor counts cached tokens as a part of the input; we count them apart.
    fn from(usage: Usage) -> Self {
        let details = usage.input_tokens_details.unwrap_or_default();
        let cached = details.cached_tokens.unwrap_or(0).saturating_add(details.cache_write_tokens.unwrap_or(0));
        Self {
            input_tokens: usage.input_tokens.map(|all| all.saturating_sub(cached)),
            output_tokens: usage.output_tokens,
            cache_read_tokens: details.cached_tokens,
            cache_write_tokens: details.cache_write_tokens,
            cache_write_1h_tokens: None,
            thinking_tokens: usage.output_tokens_details.and_then(|details| details.reasoning_tokens),
        }
    }
}

/// The type of an item, and what tells it from another.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ItemHead {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) id: Option<String>,
}

/// An item of one of the types that we have a word for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Item<'a> {
    pub(super) call_id: Option<String>,
    pub(super) name: Option<String>,
    #[serde(borrow)]
    pub(super) arguments: Option<&'a RawValue>,
    pub(super) phase: Option<String>,
    pub(super) content: Option<Vec<Part>>,
    pub(super) summary: Option<Vec<Part>>,
}

/// A part of an item's content or summary.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Part {
    pub(super) text: Option<String>,
    pub(super) refusal: Option<String>,
}

/// The JSON text of arguments. The API has a string that holds it; some servers have the object itself.
pub(super) fn arguments(raw: &RawValue) -> String {
    match serde_json::from_str::<Option<String>>(raw.get()) {
        Ok(text) => text.unwrap_or_default(),
        Err(_) => raw.get().to_owned(),
    }
}
