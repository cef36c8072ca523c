//! What is said once, in `initialize`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::chat::{CacheTtl, Effort, Sampling, Thinking, ThinkingDisplay};

/// The version of this contract. It grows by one when something that worked before would no longer work.
pub const PROTOCOL_VERSION: u32 = 1;

/// What a client can do beyond LSP: `capabilities.experimental.souffleur` of `initialize`, or `capabilities` in its
/// `initializationOptions` where an editor's configuration cannot reach the former.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientCapabilities {
    /// The client handles the notification `souffleur/session/update`.
    pub session_update: bool,
}

/// Settings as an editor sends them: as `initializationOptions`, and as `settings.souffleur` of
/// `workspace/didChangeConfiguration`. A key that is absent leaves the setting to the layers below.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct EditorSettings {
    /// The model of new sessions, as `provider:model`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The most tokens one answer may have, thinking included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// Whether and how models think.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking: Option<Thinking>,
    /// What they show of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking_display: Option<ThinkingDisplay>,
    /// How hard they try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    /// Sampling parameters, for models and API versions that take them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling: Option<Sampling>,
    /// The provider's prompt cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_cache: Option<PromptCacheSettings>,
    /// What is done when a request fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetrySettings>,
    /// The system prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<PromptSettings>,
    /// How connections are made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpSettings>,
    /// Settings of providers, by the part before the colon of their models' names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub providers: BTreeMap<String, EditorProviderSettings>,
    /// See [`ClientCapabilities`]. Read in `initializationOptions` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<ClientCapabilities>,
}

/// The provider's prompt cache.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PromptCacheSettings {
    /// Whether it is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// How long its entries live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<CacheTtl>,
}

/// What is done when a request fails.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RetrySettings {
    /// How often it is sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
    /// The first wait before that, in milliseconds; each further one is twice as long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_delay_ms: Option<u64>,
    /// How long to wait after a 429 that does not say, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit_fallback_ms: Option<u64>,
}

/// What the system prompt is made of, besides the project's own files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PromptSettings {
    /// Instructions that it ends with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own: Option<Vec<String>>,
    /// How long the overview of the project may be, in tokens as estimated; 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map_tokens: Option<u32>,
}

/// How connections to providers are made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HttpSettings {
    /// How long a connection may take to be made, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_timeout_ms: Option<u64>,
    /// How long a response may be silent, in milliseconds, the loading of a local model included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout_ms: Option<u64>,
    /// Whether HTTP/2 is not offered, for proxies that break it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http1_only: Option<bool>,
}

/// What an editor can set of a provider. Addresses, keys and files are the user's own to set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct EditorProviderSettings {
    /// At most so many requests a second, for all sessions together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<f64>,
    /// Anthropic: the API's version: `2026-10-21` or `2023-06-01`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Anthropic: names of beta features.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub betas: Option<Vec<String>>,
    /// Anthropic: `auto` or `standard_only`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// Anthropic: an opaque name of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Ollama: the tokens that input and output may have together, at most the model's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_ctx: Option<u32>,
    /// Ollama: how long a model stays loaded: a duration such as `5m`, or a number of seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_alive: Option<String>,
}

/// What the server tells about itself: `capabilities.experimental.souffleur` of the result of `initialize`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerExperimental {
    /// See [`PROTOCOL_VERSION`].
    pub protocol_version: u32,
    /// The names of all custom methods that the server answers or sends.
    pub methods: Vec<String>,
    /// The providers whose models can be used, as the part before the colon of a model's name.
    pub providers: Vec<String>,
}
