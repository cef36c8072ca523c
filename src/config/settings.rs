//! The settings and their layers.

use std::fmt;
use std::path::PathBuf;

use super::environment::Environment;
use crate::error::{ErrorCode, UserError};
use crate::protocol::EditorSettings;

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

/// One layer's say. What is `None` is left to the layers below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    /// The model of new sessions, as `provider:model`.
    pub model: Option<String>,
    /// The most tokens one answer may have.
    pub max_output_tokens: Option<u32>,
    /// The base URL of Anthropic's API, without `/v1`.
    pub anthropic_base_url: Option<String>,
    /// A file with the answers of the simulated provider.
    pub sim_script: Option<PathBuf>,
}

/// An environment variable that is a setting.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// The setting it sets.
    pub setting: &'static str,
}

/// All environment variables that are settings. Credentials are not among them: see the layer `auth`.
pub const VARIABLES: &[Variable] = &[
    Variable { name: "SOUFFLEUR_MODEL", setting: "model" },
    Variable { name: "SOUFFLEUR_MAX_OUTPUT_TOKENS", setting: "maxOutputTokens" },
    Variable { name: "ANTHROPIC_BASE_URL", setting: "anthropic.baseUrl" },
    Variable { name: "SOUFFLEUR_SIM_SCRIPT", setting: "sim.script" },
];

impl Layer {
    /// The layer of the environment.
    ///
    /// # Errors
    /// `config.invalid` when a value is not of its setting's type.
    pub fn from_environment(environment: &Environment) -> Result<Self, UserError> {
        let max_output_tokens = match environment.get("SOUFFLEUR_MAX_OUTPUT_TOKENS") {
            None => None,
            Some(text) => Some(text.trim().parse().map_err(|_| {
                UserError::new(ErrorCode::ConfigInvalid, format!("SOUFFLEUR_MAX_OUTPUT_TOKENS is not a number: {text}"))
                    .with_hint("set it to a whole number of tokens, such as 32000, or unset it")
            })?),
        };
        Ok(Self {
            model: environment.get("SOUFFLEUR_MODEL").map(str::to_owned),
            max_output_tokens,
            anthropic_base_url: environment.get("ANTHROPIC_BASE_URL").map(str::to_owned),
            sim_script: environment.get("SOUFFLEUR_SIM_SCRIPT").map(PathBuf::from),
        })
    }
}

impl From<&EditorSettings> for Layer {
    /// An editor's settings may come from a repository, so they can set neither a URL nor a file.
    fn from(settings: &EditorSettings) -> Self {
        Self {
            model: settings.model.clone().filter(|model| !model.trim().is_empty()),
            max_output_tokens: settings.max_output_tokens,
            anthropic_base_url: None,
            sim_script: None,
        }
    }
}

/// All settings, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The model of new sessions; `None` leaves the choice to the credentials there are.
    pub model: Setting<Option<String>>,
    /// The most tokens one answer may have, thinking included.
    pub max_output_tokens: Setting<u32>,
    /// The base URL of Anthropic's API, without `/v1`.
    pub anthropic_base_url: Setting<String>,
    /// A file with the answers of the simulated provider.
    pub sim_script: Setting<Option<PathBuf>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self::resolve(&[])
    }
}

impl Settings {
    /// Resolves the layers, the weakest first.
    pub fn resolve(layers: &[(Source, &Layer)]) -> Self {
        fn pick<T: Clone>(layers: &[(Source, &Layer)], get: impl Fn(&Layer) -> Option<T>, default: T) -> Setting<T> {
            let strongest = layers.iter().rev().find_map(|(source, layer)| Some((*source, get(layer)?)));
            let (source, value) = strongest.unwrap_or((Source::Default, default));
            Setting { value, source }
        }
        Self {
            model: pick(layers, |layer| layer.model.clone().map(Some), None),
            max_output_tokens: pick(layers, |layer| layer.max_output_tokens, 32_000),
            anthropic_base_url: pick(
                layers,
                |layer| layer.anthropic_base_url.clone(),
                "https://api.anthropic.com".to_owned(),
            ),
            sim_script: pick(layers, |layer| layer.sim_script.clone().map(Some), None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_layer_wins_and_is_named() {
        let editor = Layer { model: Some("sim:a".into()), max_output_tokens: Some(5), ..Layer::default() };
        let environment = Layer { model: Some("sim:b".into()), ..Layer::default() };
        let settings = Settings::resolve(&[(Source::Editor, &editor), (Source::Environment, &environment)]);
        assert_eq!(settings.model, Setting { value: Some("sim:b".into()), source: Source::Environment });
        assert_eq!(settings.max_output_tokens, Setting { value: 5, source: Source::Editor });
        assert_eq!(settings.anthropic_base_url.source, Source::Default);
    }

    #[test]
    fn a_wrong_number_is_named() {
        let error = Layer::from_environment(&Environment::from([("SOUFFLEUR_MAX_OUTPUT_TOKENS", "many")])).unwrap_err();
        assert_eq!(error.code, ErrorCode::ConfigInvalid);
        assert!(error.message.contains("many"));
    }

    #[test]
    fn an_editor_cannot_set_a_url() {
        let settings: EditorSettings =
            serde_json::from_str(r#"{"model":"sim:x","anthropic":{"baseUrl":"http://evil"}}"#).unwrap();
        let layer = Layer::from(&settings);
        assert_eq!(layer, Layer { model: Some("sim:x".into()), ..Layer::default() });
    }
}
