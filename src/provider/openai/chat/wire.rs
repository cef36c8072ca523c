//! The shapes of chunks, as tolerant as servers make it necessary.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::chat::UsagePatch;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Chunk<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) choices: Option<Vec<Choice<'a>>>,
    pub(super) usage: Option<Value>,
    pub(super) x_groq: Option<Value>,
    pub(super) error: Option<Value>,
    /// What stands in the place of choices where a server says nothing but what went wrong.
    pub(super) message: Option<IgnoredAny>,
    pub(super) detail: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice<'a> {
    pub(super) index: Option<u64>,
    #[serde(borrow)]
    pub(super) delta: Option<Delta<'a>>,
    /// The whole message, of a server that does not stream.
    #[serde(borrow)]
    pub(super) message: Option<Delta<'a>>,
    #[serde(borrow)]
    pub(super) finish_reason: Option<Cow<'a, str>>,
    pub(super) usage: Option<Value>,
    pub(super) error: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Delta<'a> {
    #[serde(borrow)]
    pub(super) content: Option<Content<'a>>,
    #[serde(borrow)]
    pub(super) refusal: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) reasoning_content: Option<Content<'a>>,
    #[serde(borrow)]
    pub(super) reasoning: Option<Content<'a>>,
    pub(super) reasoning_details: Option<Vec<Value>>,
    #[serde(borrow)]
    pub(super) tool_calls: Option<Vec<CallDelta<'a>>>,
    #[serde(borrow)]
    pub(super) function_call: Option<FunctionDelta<'a>>,
}

/// Text, or the parts of a text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Other(Value),
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct CallDelta<'a> {
    pub(super) index: Option<u64>,
    #[serde(borrow)]
    pub(super) id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) function: Option<FunctionDelta<'a>>,
    pub(super) extra_content: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct FunctionDelta<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) arguments: Option<Content<'a>>,
}

/// Token counts in our words. What was read from the cache is a part of `prompt_tokens`; what was thought is a part of
/// `completion_tokens`, but not everywhere: the total tells.
pub(super) fn usage(value: &Value) -> UsagePatch {
    let count = |pointer: &str| value.pointer(pointer).and_then(Value::as_u64);
    let first = |pointers: &[&str]| pointers.iter().find_map(|pointer| count(pointer));
    let prompt = first(&["/prompt_tokens", "/input_tokens"]);
    let completion = first(&["/completion_tokens", "/output_tokens"]);
    let read = first(&["/prompt_tokens_details/cached_tokens", "/prompt_cache_hit_tokens", "/cached_tokens"]);
    let written = first(&["/prompt_tokens_details/cache_write_tokens", "/cache_creation_input_tokens"]);
    let thought = first(&["/completion_tokens_details/reasoning_tokens", "/reasoning_tokens"]);
    let beyond = match (count("/total_tokens"), prompt, completion) {
        (Some(total), Some(prompt), Some(completion)) => total.saturating_sub(prompt + completion),
        _ => 0,
    };
    let thought_beside = beyond > 0 && (thought == Some(beyond) || (thought.is_none() && read.is_none()));
    UsagePatch {
        input_tokens: prompt.map(|all| all.saturating_sub(read.unwrap_or(0) + written.unwrap_or(0))),
        output_tokens: completion.map(|written| if thought_beside { written + beyond } else { written }),
        cache_read_tokens: read,
        cache_write_tokens: written,
        cache_write_1h_tokens: None,
        thinking_tokens: thought.or(thought_beside.then_some(beyond)),
    }
}
