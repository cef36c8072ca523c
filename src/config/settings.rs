//! The settings and their layers.

use std::fmt;
use std::path::PathBuf;

use crate::chat::{CacheTtl, Effort, Sampling, Thinking, ThinkingDisplay};

/// Where a value came from. The order is that of precedence, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Built in.
    Default,
    /// The editor's settings.
    Editor,
    /// An environment variable.
    Environment,
    /// An option on the command line.
    CommandLine,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "built-in default",
            Self::Editor => "editor settings",
            Self::Environment => "environment",
            Self::CommandLine => "command line",
        })
    }
}

/// A resolved value and its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub source: Source,
}

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:expr;)+) => {
        /// One layer's say. What is `None` is left to the layers below.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Layer {
            $($(#[doc = $doc])+ pub $name: Option<$type>,)+
        }

        /// All settings, resolved.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Settings {
            $($(#[doc = $doc])+ pub $name: Setting<$type>,)+
        }

        impl Settings {
            /// Resolves the layers, the weakest first.
            pub fn resolve(layers: &[(Source, &Layer)]) -> Self {
                Self { $($name: pick(layers, |layer| layer.$name.clone(), $default),)+ }
            }
        }
    };
}

settings! {
    /// The model of new sessions, as `provider:model`; `None` leaves the choice to the credentials there are.
    model: Option<String> = None;
    /// The most tokens one answer may have, thinking included.
    max_output_tokens: u32 = 32_000;
    /// Whether and how models think.
    thinking: Thinking = Thinking::Auto;
    /// What they show of it.
    thinking_display: ThinkingDisplay = ThinkingDisplay::Summarized;
    /// How hard they try; `None` for each model's own default.
    effort: Option<Effort> = None;
    /// Sampling parameters.
    sampling: Sampling = Sampling::default();
    /// Whether the provider's prompt cache is used.
    prompt_cache: bool = true;
    /// How long its entries live.
    prompt_cache_ttl: CacheTtl = CacheTtl::FiveMinutes;
    /// How often a failed request is sent again.
    max_retries: u32 = 2;
    /// The first wait before that, in milliseconds.
    retry_base_delay_ms: u64 = 500;
    /// How long to wait after a 429 that does not say, in milliseconds; 0: as after any other failure.
    rate_limit_fallback_ms: u64 = 0;
    /// The base URL of Anthropic's API, without `/v1`.
    anthropic_base_url: String = "https://api.anthropic.com".to_owned();
    /// The version of Anthropic's API.
    anthropic_version: String = "2026-10-21".to_owned();
    /// Beta features of Anthropic's API.
    anthropic_betas: Vec<String> = Vec::new();
    /// Anthropic's service tier.
    anthropic_service_tier: Option<String> = None;
    /// An opaque name of the user, for Anthropic.
    anthropic_user_id: Option<String> = None;
    /// At most so many requests a second to Anthropic.
    anthropic_requests_per_second: Option<f64> = None;
    /// A file with the answers of the simulated provider.
    sim_script: Option<PathBuf> = None;
    /// A directory to which providers' answers are recorded.
    record_dir: Option<PathBuf> = None;
}

fn pick<T>(layers: &[(Source, &Layer)], get: impl Fn(&Layer) -> Option<T>, default: T) -> Setting<T> {
    let strongest = layers.iter().rev().find_map(|(source, layer)| Some((*source, get(layer)?)));
    let (source, value) = strongest.unwrap_or((Source::Default, default));
    Setting { value, source }
}

impl Default for Settings {
    fn default() -> Self {
        Self::resolve(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_layer_wins_and_is_named() {
        let editor = Layer { model: Some(Some("sim:a".into())), max_output_tokens: Some(5), ..Layer::default() };
        let environment = Layer { model: Some(Some("sim:b".into())), ..Layer::default() };
        let settings = Settings::resolve(&[(Source::Editor, &editor), (Source::Environment, &environment)]);
        assert_eq!(settings.model, Setting { value: Some("sim:b".into()), source: Source::Environment });
        assert_eq!(settings.max_output_tokens, Setting { value: 5, source: Source::Editor });
        assert_eq!(settings.anthropic_base_url.source, Source::Default);
    }
}
