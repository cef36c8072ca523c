//! Params and results of `souffleur/session/usage` and `souffleur/session/warm`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::chat::{Cost, SessionId, Usage};

/// Params of `souffleur/session/usage`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionUsageParams {
    /// Which session.
    pub session_id: SessionId,
    /// Whether the provider is asked to count the conversation. Without it nothing goes over the network.
    #[serde(default)]
    pub count: bool,
}

/// Result of `souffleur/session/usage`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionUsageResult {
    /// Tokens used by all turns, the running one included.
    pub usage: Usage,
    /// What they cost; absent when the price of one of them is not known, and before the first. Simulated turns cost
    /// nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// How many turns there were, the running one included.
    pub turns: u64,
    /// The last model request; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_request: Option<LastRequest>,
    /// How many tokens the context of the session's model holds; absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u32>,
    /// The provider's own count of the conversation with its tools and system prompt, up to the last message that was
    /// sent; the model's words after that are not in it. Only when it was asked for, and absent when there is nothing
    /// to count yet or the provider does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<u64>,
}

/// What the last model request used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastRequest {
    /// Its tokens.
    pub usage: Usage,
    /// What the context held after it: all of its input and its output.
    pub context_tokens: u64,
}

/// Params of `souffleur/session/warm`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WarmParams {
    /// Which session.
    pub session_id: SessionId,
}

/// Result of `souffleur/session/warm`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WarmResult {
    /// What was written to the cache, or found there; absent when the provider or the settings allow no such thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What that cost; absent when the price is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}
