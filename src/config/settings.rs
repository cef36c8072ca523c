//! The settings and their layers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use super::key::settings;
use super::provider::{ProviderLayer, ProviderSettings};
use super::source::{Reach, Source};
use crate::chat::{CacheTtl, Effort, Thinking, ThinkingDisplay};

settings! {
    /// One layer's say on the general settings. What is `None` is left to the layers below.
    layer GeneralLayer;
    /// The general settings, resolved.
    settings General;
    /// The general settings: those of no provider.
    table GENERAL;

    /// The model of new sessions, as `provider:model`; without one the credentials there are decide.
    "model", Workspace, "text, `provider:model`", model: Option<String> = None;
    /// The most tokens one answer may have, thinking included.
    "maxOutputTokens", Lower, "whole number of tokens", max_output_tokens: u32 = 32_000;
    /// How hard models try; without it each model's own default.
    "effort", Workspace, "`low`, `medium`, `high`, `xhigh`, `max`", effort: Option<Effort> = None;
    /// Whether and how models think.
    "thinking", Workspace, "object, see below", thinking: Thinking = Thinking::Auto;
    /// What they show of it.
    "thinkingDisplay", Workspace, "`summarized`, `omitted`", thinking_display: ThinkingDisplay = ThinkingDisplay::Summarized;
    /// The sampling temperature, for models and API versions that take one.
    "sampling.temperature", Workspace, "number, 0 to 2", temperature: Option<f64> = None;
    /// The share of the likeliest tokens that are sampled from, for models and API versions that take it.
    "sampling.topP", Workspace, "number, 0 to 1", top_p: Option<f64> = None;
    /// How many of the likeliest tokens are sampled from, for models and API versions that take it.
    "sampling.topK", Workspace, "whole number", top_k: Option<u32> = None;
    /// Whether the provider's prompt cache is used.
    "promptCache.enabled", Editor, "true or false", prompt_cache: bool = true;
    /// How long its entries live.
    "promptCache.ttl", Editor, "`5m`, `1h`", prompt_cache_ttl: CacheTtl = CacheTtl::FiveMinutes;
    /// How often a failed request is sent again.
    "retry.maxRetries", Lower, "whole number", max_retries: u32 = 2;
    /// The first wait before that, in milliseconds.
    "retry.baseDelayMs", Editor, "milliseconds", retry_base_delay_ms: u64 = 500;
    /// How long to wait after a 429 that does not say, in milliseconds; 0: as after any other failure.
    "retry.rateLimitFallbackMs", Editor, "milliseconds", rate_limit_fallback_ms: u64 = 0;
    /// How long a connection may take to be made, in milliseconds.
    "http.connectTimeoutMs", Editor, "milliseconds", connect_timeout_ms: u64 = 10_000;
    /// How long a response may be silent, in milliseconds, the loading of a local model included.
    "http.idleTimeoutMs", Editor, "milliseconds", idle_timeout_ms: u64 = 300_000;
    /// Whether HTTP/2 is not offered, for proxies that break it.
    "http.http1Only", Editor, "true or false", http1_only: bool = false;
    /// Instructions of yours that each session's system prompt ends with.
    "prompt.own", Workspace, "list of texts", prompt_own: Vec<String> = Vec::new();
    /// How long the overview of the project in the system prompt may be, in tokens as estimated; 0 for none.
    "prompt.mapTokens", Lower, "whole number of tokens", prompt_map_tokens: u32 = 3_000;
    /// Whether sessions are kept on disk; else they are gone with the server.
    "sessions.keep", User, "true or false", sessions_keep: bool = true;
    /// After how many days without a turn a kept session is deleted; without it none ever is.
    "sessions.retentionDays", User, "whole number of days", retention_days: Option<u32> = None;
    /// A file with the answers of the simulated provider.
    "sim.script", User, "path of a file", sim_script: Option<PathBuf> = None;
    /// A directory to which providers' answers are recorded.
    "record.dir", User, "path of a directory", record_dir: Option<PathBuf> = None;
}

/// One layer's say. What it does not say is left to the layers below.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layer {
    /// On the general settings.
    pub general: GeneralLayer,
    /// On each provider's, by the part before the colon of its models' names.
    pub providers: BTreeMap<String, ProviderLayer>,
}

/// All settings, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The general settings.
    pub general: General,
    /// The providers that something is said of.
    pub providers: BTreeMap<String, Arc<ProviderSettings>>,
}

/// So that the general settings read as what they are: the settings.
impl std::ops::Deref for Settings {
    type Target = General;

    fn deref(&self) -> &General {
        &self.general
    }
}

static SAID_NOTHING: LazyLock<Arc<ProviderSettings>> = LazyLock::new(|| Arc::new(ProviderSettings::from_layers(&[])));

impl Settings {
    /// Resolves the layers, the weakest first.
    pub fn resolve(layers: &[(Source, &Layer)]) -> Self {
        let general: Vec<_> = layers.iter().map(|(source, layer)| (*source, &layer.general)).collect();
        let built_in = Layer::built_in();
        let mut providers: BTreeMap<String, Vec<(Source, &ProviderLayer)>> = BTreeMap::new();
        for (source, layer) in [(Source::Default, &built_in)].iter().chain(layers) {
            for (name, provider) in &layer.providers {
                providers.entry(name.clone()).or_default().push((*source, provider));
            }
        }
        let resolved =
            providers.into_iter().map(|(name, layers)| (name, Arc::new(ProviderSettings::from_layers(&layers))));
        Self { general: General::from_layers(&general), providers: resolved.collect() }
    }

    /// The settings of a provider.
    pub fn provider(&self, name: &str) -> Arc<ProviderSettings> {
        self.providers.get(name).unwrap_or(&SAID_NOTHING).clone()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::resolve(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn layer(pairs: &[(&str, serde_json::Value)]) -> Layer {
        let mut layer = Layer::default();
        for (key, value) in pairs {
            layer.set(key, value.clone(), None).unwrap();
        }
        layer
    }

    #[test]
    fn the_strongest_layer_wins_and_is_named() {
        let editor = layer(&[("model", json!("sim:a")), ("maxOutputTokens", json!(5))]);
        let environment = layer(&[("model", json!("sim:b"))]);
        let settings = Settings::resolve(&[(Source::Editor, &editor), (Source::Environment, &environment)]);
        assert_eq!(settings.model.value.as_deref(), Some("sim:b"));
        assert_eq!((settings.model.source, settings.max_output_tokens.source), (Source::Environment, Source::Editor));
        assert_eq!(settings.max_output_tokens.value, 5);
        let anthropic = settings.provider("anthropic");
        assert_eq!(anthropic.base_url.value.as_deref(), Some("https://api.anthropic.com"));
        assert_eq!(anthropic.base_url.source, Source::Default);
        assert_eq!(settings.provider("acme").base_url.value, None);
    }

    #[test]
    fn providers_are_resolved_key_by_key() {
        let user = layer(&[("providers.acme.baseUrl", json!("http://a")), ("providers.acme.profile", json!("vllm"))]);
        let command_line = layer(&[("providers.acme.baseUrl", json!("http://b"))]);
        let acme = Settings::resolve(&[(Source::User, &user), (Source::CommandLine, &command_line)]).provider("acme");
        assert_eq!(acme.base_url.value.as_deref(), Some("http://b"));
        assert_eq!(acme.profile.value.as_deref(), Some("vllm"));
    }

    #[test]
    fn a_workspace_lowers_limits_and_never_raises_them() {
        let user = layer(&[("maxOutputTokens", json!(1000))]);
        for (said, counts) in [(500, 500), (2000, 1000)] {
            let workspace = layer(&[("maxOutputTokens", json!(said))]);
            let settings = Settings::resolve(&[(Source::User, &user), (Source::Workspace, &workspace)]);
            assert_eq!(settings.max_output_tokens.value, counts);
        }
    }
}
