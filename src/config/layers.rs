//! How the environment becomes a layer of settings.

use serde_json::Value;

use super::environment::Environment;
use super::settings::Layer;
use crate::error::{ErrorCode, UserError};

/// An environment variable, or an option of the command line, that is a setting.
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
    Variable { name: "SOUFFLEUR_EFFORT", setting: "effort" },
    Variable { name: "SOUFFLEUR_MAX_RETRIES", setting: "retry.maxRetries" },
    Variable { name: "SOUFFLEUR_RETRY_BASE_DELAY_MS", setting: "retry.baseDelayMs" },
    Variable { name: "ANTHROPIC_BASE_URL", setting: "providers.anthropic.baseUrl" },
    Variable { name: "OPENAI_BASE_URL", setting: "providers.openai.baseUrl" },
    Variable { name: "OPENAI_ORG_ID", setting: "providers.openai.organization" },
    Variable { name: "OPENAI_PROJECT_ID", setting: "providers.openai.project" },
    Variable { name: "AZURE_OPENAI_ENDPOINT", setting: "providers.azure.baseUrl" },
    Variable { name: "OLLAMA_HOST", setting: "providers.ollama.baseUrl" },
    Variable { name: "SOUFFLEUR_KEEP_SESSIONS", setting: "sessions.keep" },
    Variable { name: "SOUFFLEUR_SIM_SCRIPT", setting: "sim.script" },
    Variable { name: "SOUFFLEUR_RECORD", setting: "record.dir" },
];

/// All options of the command line that are settings.
pub const OPTIONS: &[Variable] = &[
    Variable { name: "--model", setting: "model" },
    Variable { name: "--max-output-tokens", setting: "maxOutputTokens" },
];

impl Layer {
    /// The layer of the environment.
    ///
    /// # Errors
    /// `config.invalid` when a value is not of its setting's type.
    pub fn from_environment(environment: &Environment) -> Result<Self, UserError> {
        let mut layer = Self::default();
        for Variable { name, setting } in VARIABLES {
            let Some(text) = environment.get(name).map(str::trim) else { continue };
            let at = Some((*name).into());
            // As text, where the setting is one; else as the value that the text is.
            let outcome = layer.set(setting, Value::String(text.to_owned()), at.clone()).or_else(|error| {
                let value = serde_json::from_str(text).map_err(|_| error)?;
                layer.set(setting, value, at)
            });
            outcome.map_err(|error| {
                UserError::new(ErrorCode::ConfigInvalid, format!("the environment variable {name}: {error}"))
                    .with_hint(format!("set {name} to a value of that kind, or unset it"))
            })?;
        }
        Ok(layer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_is_named() {
        for (name, value) in [("SOUFFLEUR_MAX_OUTPUT_TOKENS", "many"), ("SOUFFLEUR_EFFORT", "heroic")] {
            let error = Layer::from_environment(&Environment::from([(name, value)])).unwrap_err();
            assert_eq!(error.code, ErrorCode::ConfigInvalid);
            assert!(error.message.contains(value) && error.message.contains(name), "{}", error.message);
        }
    }

    #[test]
    fn every_variable_sets_something() {
        for variable in VARIABLES {
            let value = match variable.name {
                "SOUFFLEUR_EFFORT" => "low",
                "SOUFFLEUR_KEEP_SESSIONS" => "false",
                _ => "7",
            };
            let layer = Layer::from_environment(&Environment::from([(variable.name, value)])).unwrap();
            assert_ne!(layer, Layer::default(), "{}", variable.name);
        }
        let model = Layer::from_environment(&Environment::from([("SOUFFLEUR_MODEL", "7")])).unwrap().general.model;
        assert_eq!(model, Some(Some("7".into())), "what looks like a number may be text");
    }
}
