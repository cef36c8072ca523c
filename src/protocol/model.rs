//! Params and results of `souffleur/model/*`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Params of `souffleur/model/list`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelListParams {
    /// Only the models of this provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Whether providers are asked first. Without it nothing goes over the network.
    #[serde(default)]
    pub refresh: bool,
}

/// Result of `souffleur/model/list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelListResult {
    /// The models, those of one provider together, always in the same order. Any other model that a provider has can be
    /// named, too.
    pub models: Vec<ModelEntry>,
    /// What the user should know about the list, one sentence each.
    pub notes: Vec<String>,
}

/// A model as lists show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelEntry {
    /// Its name, as `provider:model`.
    pub model: String,
    /// What the provider calls it before people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Its provider.
    pub provider: String,
    /// Tokens that input and output may have together; absent when that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u32>,
    /// Tokens that one answer may have, thinking included; absent when that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// The ways in which it can be told to think, in the provider's words.
    pub thinking: Vec<String>,
    /// How hard it can be told to try; empty when it cannot.
    pub efforts: Vec<String>,
    /// How hard it tries when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_effort: Option<String>,
    /// What it costs; absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<ModelPrice>,
    /// Where it is in its life.
    pub lifecycle: ModelLifecycle,
    /// The day (`YYYY-MM-DD`) on which it was or will be retired, or the earliest on which it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retires: Option<String>,
    /// What to use instead, as `provider:model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
    /// Whether its answers are simulated, not a model's.
    pub simulated: bool,
}

/// Prices in millionths of a US dollar per million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModelPrice {
    /// Of input.
    pub input_per_million: u64,
    /// Of output.
    pub output_per_million: u64,
    /// Of input read from the prompt cache.
    pub cache_read_per_million: u64,
    /// Other prices for long requests, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_request: Option<LongRequestPrice>,
}

/// Prices of the whole of a request that is long, in millionths of a US dollar per million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LongRequestPrice {
    /// A request is long when its input has more tokens than this.
    pub above_tokens: u64,
    /// Of input.
    pub input_per_million: u64,
    /// Of output.
    pub output_per_million: u64,
    /// Of input read from the prompt cache.
    pub cache_read_per_million: u64,
}

/// Where a model is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ModelLifecycle {
    /// It is served.
    Active,
    /// It is served, but not for long.
    Retiring,
    /// It is not served any more.
    Retired,
}
