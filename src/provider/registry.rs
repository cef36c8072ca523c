//! From `provider:model` to a provider.

use std::sync::Arc;

use super::anthropic::Anthropic;
use super::http::Http;
use super::sim::{self, Sim};
use super::{CompletionRequest, CompletionStream, Provider};
use crate::auth;
use crate::config::{Environment, Settings};
use crate::error::{ErrorCode, UserError};
use crate::models::ModelName;

/// The providers there are, by the part before the colon of a model's name.
pub const PROVIDERS: &[&str] = &["anthropic", "sim"];

/// Whether the answers of `model` are simulated, not a model's.
pub fn is_simulated(model: &ModelName) -> bool {
    model.provider() == sim::NAME
}

/// Finds providers by model names. Making one costs no time and no network.
#[derive(Debug)]
pub struct Registry {
    environment: Arc<Environment>,
    http: Arc<Http>,
}

impl Registry {
    /// A registry that finds credentials in `environment`.
    pub fn new(environment: Arc<Environment>) -> Self {
        Self { environment, http: Arc::new(Http::default()) }
    }

    /// The provider of `model`, as `settings` have it now.
    ///
    /// # Errors
    /// `provider.unknown`, with a list of those there are.
    pub fn provider(&self, model: &ModelName, settings: &Settings) -> Result<Arc<dyn Provider>, UserError> {
        match model.provider() {
            "anthropic" => Ok(Arc::new(Anthropic::new(
                settings.anthropic_base_url.value.clone(),
                auth::anthropic(&self.environment),
                self.http.clone(),
            ))),
            sim::NAME => Ok(Arc::new(Sim::new(settings.sim_script.value.clone()))),
            unknown => Err(UserError::new(ErrorCode::ProviderUnknown, format!("there is no provider {unknown:?}"))
                .with_hint(format!("the providers are {}; write provider:model", PROVIDERS.join(", ")))),
        }
    }

    /// The model to use when none is configured: that of the credential there is.
    ///
    /// # Errors
    /// `model.not_configured`, with a hint that says what was looked for and names `sim`.
    pub fn default_model(&self) -> Result<ModelName, UserError> {
        match auth::anthropic(&self.environment) {
            Ok(_) => "anthropic:claude-sonnet-5-5".parse(),
            Err(missing) => Err(UserError::new(
                ErrorCode::ModelNotConfigured,
                "no model is configured and no credential was found to choose one by",
            )
            .with_hint(missing.hint.unwrap_or_default())),
        }
    }

    /// Begins to answer `request`.
    ///
    /// # Errors
    /// As [`Registry::provider`].
    pub fn complete(&self, request: CompletionRequest, settings: &Settings) -> Result<CompletionStream, UserError> {
        Ok(self.provider(&request.model, settings)?.complete(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry<const N: usize>(variables: [(&str, &str); N]) -> Registry {
        Registry::new(Arc::new(Environment::from(variables)))
    }

    #[test]
    fn an_unknown_provider_is_told_which_there_are() {
        let error = registry([]).provider(&"acme:x".parse().unwrap(), &Settings::default()).err().unwrap();
        assert_eq!(error.code, ErrorCode::ProviderUnknown);
        for provider in PROVIDERS {
            assert!(error.hint.as_deref().unwrap().contains(provider));
            assert!(registry([]).provider(&format!("{provider}:x").parse().unwrap(), &Settings::default()).is_ok());
        }
    }

    #[test]
    fn the_default_model_follows_the_credential() {
        assert_eq!(registry([("ANTHROPIC_API_KEY", "k")]).default_model().unwrap().provider(), "anthropic");
        let error = registry([]).default_model().unwrap_err();
        assert_eq!(error.code, ErrorCode::ModelNotConfigured);
        assert!(error.hint.unwrap().contains("sim:default"));
    }
}
