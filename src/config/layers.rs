//! How the environment and an editor become layers of settings.

use std::path::PathBuf;
use std::str::FromStr;

use super::environment::Environment;
use super::settings::Layer;
use crate::error::{ErrorCode, UserError};
use crate::protocol::EditorSettings;

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
    Variable { name: "SOUFFLEUR_EFFORT", setting: "effort" },
    Variable { name: "SOUFFLEUR_MAX_RETRIES", setting: "retry.maxRetries" },
    Variable { name: "SOUFFLEUR_RETRY_BASE_DELAY_MS", setting: "retry.baseDelayMs" },
    Variable { name: "ANTHROPIC_BASE_URL", setting: "anthropic.baseUrl" },
    Variable { name: "SOUFFLEUR_SIM_SCRIPT", setting: "sim.script" },
    Variable { name: "SOUFFLEUR_RECORD", setting: "record.dir" },
];

impl Layer {
    /// The layer of the environment.
    ///
    /// # Errors
    /// `config.invalid` when a value is not of its setting's type.
    pub fn from_environment(environment: &Environment) -> Result<Self, UserError> {
        let text = |name: &str| environment.get(name).map(str::to_owned);
        let effort = text("SOUFFLEUR_EFFORT").map(|word| {
            serde_json::from_value(serde_json::Value::String(word.trim().to_owned())).map_err(|_| {
                UserError::new(ErrorCode::ConfigInvalid, format!("SOUFFLEUR_EFFORT is no effort: {word}"))
                    .with_hint("set it to low, medium, high, xhigh or max, or unset it")
            })
        });
        Ok(Self {
            model: text("SOUFFLEUR_MODEL").map(Some),
            max_output_tokens: number(environment, "SOUFFLEUR_MAX_OUTPUT_TOKENS")?,
            effort: effort.transpose()?.map(Some),
            max_retries: number(environment, "SOUFFLEUR_MAX_RETRIES")?,
            retry_base_delay_ms: number(environment, "SOUFFLEUR_RETRY_BASE_DELAY_MS")?,
            anthropic_base_url: text("ANTHROPIC_BASE_URL"),
            sim_script: text("SOUFFLEUR_SIM_SCRIPT").map(PathBuf::from).map(Some),
            record_dir: text("SOUFFLEUR_RECORD").map(PathBuf::from).map(Some),
            ..Self::default()
        })
    }
}

fn number<T: FromStr>(environment: &Environment, name: &str) -> Result<Option<T>, UserError> {
    let Some(text) = environment.get(name) else { return Ok(None) };
    text.trim().parse().map(Some).map_err(|_| {
        UserError::new(ErrorCode::ConfigInvalid, format!("{name} is not a whole number: {text}"))
            .with_hint(format!("set {name} to a whole number, or unset it"))
    })
}

impl From<&EditorSettings> for Layer {
    /// An editor's settings may come from a repository, so they can set neither a URL nor a file.
    fn from(settings: &EditorSettings) -> Self {
        let settings = settings.clone();
        let (cache, retry) = (settings.prompt_cache.unwrap_or_default(), settings.retry.unwrap_or_default());
        let anthropic = settings.anthropic.unwrap_or_default();
        Self {
            model: settings.model.filter(|model| !model.trim().is_empty()).map(Some),
            max_output_tokens: settings.max_output_tokens,
            thinking: settings.thinking,
            thinking_display: settings.thinking_display,
            effort: settings.effort.map(Some),
            sampling: settings.sampling,
            prompt_cache: cache.enabled,
            prompt_cache_ttl: cache.ttl,
            max_retries: retry.max_retries,
            retry_base_delay_ms: retry.base_delay_ms,
            rate_limit_fallback_ms: retry.rate_limit_fallback_ms,
            anthropic_base_url: None,
            anthropic_version: anthropic.version,
            anthropic_betas: anthropic.betas,
            anthropic_service_tier: anthropic.service_tier.map(Some),
            anthropic_user_id: anthropic.user_id.map(Some),
            anthropic_requests_per_second: anthropic.requests_per_second.map(Some),
            sim_script: None,
            record_dir: None,
        }
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
            assert!(error.message.contains(value) && error.message.contains(name));
        }
    }

    #[test]
    fn every_variable_sets_something() {
        for variable in VARIABLES {
            let value = if variable.name == "SOUFFLEUR_EFFORT" { "low" } else { "7" };
            let layer = Layer::from_environment(&Environment::from([(variable.name, value)])).unwrap();
            assert_ne!(layer, Layer::default(), "{}", variable.name);
        }
    }

    #[test]
    fn an_editor_cannot_set_a_url_or_a_file() {
        let settings =
            r#"{"model":"sim:x","anthropic":{"baseUrl":"http://evil"},"sim":{"script":"/x"},"record":{"dir":"/x"}}"#;
        let settings: EditorSettings = serde_json::from_str(settings).unwrap();
        let layer = Layer::from(&settings);
        assert_eq!(layer, Layer { model: Some(Some("sim:x".into())), ..Layer::default() });
    }
}
