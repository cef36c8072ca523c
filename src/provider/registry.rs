//! From `provider:model` to a provider.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::anthropic::{self, Anthropic};
use super::channel::Channel;
use super::sim::{self, Sim};
use super::{
    ApiVersion, CompletionRequest, CompletionStream, Limiter, OutputSupport, Provider, RequestOptions, RetryPolicy,
};
use crate::auth;
use crate::chat::Thinking;
use crate::config::{Environment, Settings};
use crate::error::{ErrorCode, UserError};
use crate::models::{Catalog, ModelName, Price};
use crate::net::{Http, HttpOptions};

/// The providers there are, by the part before the colon of a model's name.
pub const PROVIDERS: &[&str] = &[anthropic::NAME, sim::NAME];

/// Whether the answers of `model` are simulated, not a model's.
pub fn is_simulated(model: &ModelName) -> bool {
    model.provider() == sim::NAME
}

/// Finds providers by model names. Making one costs no time and no network.
#[derive(Debug)]
pub struct Registry {
    environment: Arc<Environment>,
    http: Arc<Http>,
    catalog: Arc<Catalog>,
    /// The limiter of the rate that is configured now.
    limiter: Mutex<Option<(f64, Arc<Limiter>)>>,
}

fn retry_policy(settings: &Settings) -> RetryPolicy {
    RetryPolicy {
        max_retries: settings.max_retries.value,
        base_delay: Duration::from_millis(settings.retry_base_delay_ms.value),
        rate_limit_fallback: Duration::from_millis(settings.rate_limit_fallback_ms.value),
    }
}

fn http_options(settings: &Settings) -> HttpOptions {
    HttpOptions {
        connect_timeout: Duration::from_millis(settings.connect_timeout_ms.value),
        idle_timeout: Duration::from_millis(settings.idle_timeout_ms.value),
        http1_only: settings.http1_only.value,
    }
}

impl Registry {
    /// A registry that finds credentials in `environment`.
    pub fn new(environment: Arc<Environment>) -> Self {
        Self {
            environment,
            http: Arc::new(Http::default()),
            catalog: Arc::new(Catalog::default()),
            limiter: Mutex::new(None),
        }
    }

    /// What is known about models.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The provider of `model`, as `settings` have it now.
    ///
    /// # Errors
    /// `provider.unknown`, with a list of those there are.
    pub fn provider(&self, model: &ModelName, settings: &Settings) -> Result<Arc<dyn Provider>, UserError> {
        self.provider_named(model.provider(), settings)
    }

    /// The provider of this name, as `settings` have it now.
    ///
    /// # Errors
    /// As [`Registry::provider`].
    pub fn provider_named(&self, name: &str, settings: &Settings) -> Result<Arc<dyn Provider>, UserError> {
        let own = settings.provider(name);
        match name {
            anthropic::NAME => Ok(Arc::new(Anthropic {
                endpoint: anthropic::endpoint(own.base_url.value.as_deref().unwrap_or_default()).into(),
                channel: Channel {
                    provider: name.into(),
                    http: self.http.clone(),
                    http_options: http_options(settings),
                    authorizer: Arc::new(auth::EnvironmentKey(self.environment.clone())),
                    policy: retry_policy(settings),
                    limiter: self.limiter(own.requests_per_second.value),
                    record: settings.record_dir.value.clone(),
                    classify: Arc::new(anthropic::classify),
                },
                catalog: self.catalog.clone(),
                version: ApiVersion::from_setting(own.version.value.as_deref().unwrap_or_default()),
            })),
            sim::NAME => Ok(Arc::new(Sim::new(settings.sim_script.value.clone()))),
            unknown => Err(UserError::new(ErrorCode::ProviderUnknown, format!("there is no provider {unknown:?}"))
                .with_hint(format!("the providers are {}; write provider:model", PROVIDERS.join(", ")))),
        }
    }

    /// The limiter for this rate: the same one for all requests, until the rate changes.
    fn limiter(&self, per_second: Option<f64>) -> Option<Arc<Limiter>> {
        let mut current = self.limiter.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = per_second?;
        if let Some((_, limiter)) = current.as_ref().filter(|(rate, _)| rate.to_bits() == wanted.to_bits()) {
            return Some(limiter.clone());
        }
        let limiter = Arc::new(Limiter::new(wanted)?);
        *current = Some((wanted, limiter.clone()));
        Some(limiter)
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

    /// What the model costs, if that is known.
    pub fn price(&self, model: &ModelName) -> Option<Price> {
        self.catalog.model(model)?.price.clone()
    }

    /// How the model can be held to a schema of its answer, when it thinks as `options` say.
    pub fn output_support(&self, model: &ModelName, options: &RequestOptions) -> OutputSupport {
        match self.catalog.model(model).filter(|_| model.provider() == anthropic::NAME) {
            Some(info) => {
                let by_budget = matches!(options.thinking, Thinking::Enabled { .. });
                match (info.structured_output, info.forced_tools && !by_budget) {
                    (true, _) => OutputSupport::Native,
                    (false, true) => OutputSupport::ForcedTool,
                    (false, false) => OutputSupport::None,
                }
            }
            None => OutputSupport::Native,
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
