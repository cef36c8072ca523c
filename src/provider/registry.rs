//! The providers there are, and what is known about their models.

use std::sync::{Arc, Mutex};

use dashmap::DashMap;

use super::accounts::Begun;
use super::ollama::{self, KnownFacts};
use super::openai::Profile;
use super::{
    CompletionRequest, CompletionStream, Limiter, OutputSupport, Provider, RequestOptions, anthropic, build, sim,
};
use crate::auth::oci::{self, OciAuthorizer};
use crate::auth::{self, Chain, Credentials};
use crate::chat::Thinking;
use crate::config::{Environment, Places, Settings};
use crate::error::{ErrorCode, UserError};
use crate::models::{Catalog, ModelName, Price};
use crate::net::Http;

/// The providers that have a way of their own, by the part before the colon of a model's name.
pub const PROVIDERS: &[&str] = &[anthropic::NAME, "openai", ollama::NAME, build::OCI, sim::NAME];

/// Providers by whose credential a model is chosen when none is configured, in this order, and the model.
const DEFAULT_MODELS: &[(&str, &str)] =
    &[(anthropic::NAME, "anthropic:claude-sonnet-5-5"), ("openai", "openai:gpt-6.1-terra")];

/// All providers that can be named: those with a way of their own, those built in as profiles, the user's own.
pub fn providers(settings: &Settings) -> Vec<String> {
    let mut names: Vec<String> = PROVIDERS.iter().map(|&name| name.to_owned()).collect();
    let own = settings.providers.keys().filter(|name| {
        let own = settings.provider(name);
        own.base_url.value.is_some() || own.profile.value.is_some()
    });
    for name in Profile::names().filter(|name| *name != "openai-compatible").map(str::to_owned).chain(own.cloned()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Whether the answers of `model` are simulated, not a model's.
pub fn is_simulated(model: &ModelName) -> bool {
    model.provider() == sim::NAME
}

/// Finds providers by model names. Making one costs no time and no network.
#[derive(Debug)]
pub struct Registry {
    pub(super) environment: Arc<Environment>,
    pub(super) places: Places,
    pub(super) http: Arc<Http>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) credentials: Credentials,
    /// The credential in use, by provider: so that it lives, and is renewed, between requests.
    pub(super) chains: DashMap<String, Arc<Chain>>,
    /// The signer in use for Oracle's cloud.
    pub(super) oci: Mutex<Option<(oci::Options, Arc<OciAuthorizer>)>>,
    pub(super) ollama_facts: KnownFacts,
    /// Logins that wait for what the user pastes, by provider.
    pub(super) logins: DashMap<String, Begun>,
    /// The limiter in use, by provider, with its rate.
    limiters: DashMap<String, (f64, Arc<Limiter>)>,
}

impl Registry {
    /// A registry that finds credentials in `environment`.
    pub fn new(environment: Arc<Environment>) -> Self {
        let places = Places::new(&environment);
        let http = Arc::new(Http::default());
        // Where there is no such directory nothing is found; above all not in the directory that happens to be open.
        let place = |place: &Option<std::path::PathBuf>| place.clone().unwrap_or_else(|| "/nonexistent".into());
        let for_credentials = auth::Places {
            home: place(&places.home),
            config_dir: place(&places.config),
            data_dir: place(&places.data),
            state_dir: place(&places.state),
        };
        Self {
            credentials: Credentials::new(http.clone(), environment.clone(), for_credentials),
            environment,
            places,
            http,
            catalog: Arc::new(Catalog::default()),
            chains: DashMap::new(),
            oci: Mutex::new(None),
            ollama_facts: KnownFacts::default(),
            logins: DashMap::new(),
            limiters: DashMap::new(),
        }
    }

    /// What is known about models.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The provider of `model`, as `settings` have it now.
    ///
    /// # Errors
    /// As [`Registry::provider_named`].
    pub fn provider(&self, model: &ModelName, settings: &Settings) -> Result<Arc<dyn Provider>, UserError> {
        self.provider_named(model.provider(), settings)
    }

    /// The limiter of a provider for this rate: the same one for all requests, until the rate changes.
    pub(super) fn limiter(&self, name: &str, per_second: Option<f64>) -> Option<Arc<Limiter>> {
        let wanted = per_second?;
        let known = self.limiters.get(name).map(|known| known.clone());
        if let Some((_, limiter)) = known.filter(|(rate, _)| rate.to_bits() == wanted.to_bits()) {
            return Some(limiter);
        }
        let limiter = Arc::new(Limiter::new(wanted)?);
        self.limiters.insert(name.to_owned(), (wanted, limiter.clone()));
        Some(limiter)
    }

    /// The model to use when none is configured: that of the first provider that there is a credential for; else, only
    /// where the user allows it to be looked for, one of a running Ollama.
    ///
    /// # Errors
    /// `model.not_configured`, with a hint that says what was looked for and names `sim`.
    pub async fn default_model(&self, settings: &Settings) -> Result<ModelName, UserError> {
        let mut missing = Vec::new();
        for (provider, model) in DEFAULT_MODELS {
            match self.provider_named(provider, settings).and_then(|provider| provider.ready()) {
                Ok(()) => return model.parse(),
                Err(error) => missing.push(error),
            }
        }
        if let Some(model) = self.running_ollama(settings).await {
            return model.parse();
        }
        // A credential that is there and cannot be used is better told than that there is none.
        if let Some(broken) = missing.iter().find(|error| error.code != ErrorCode::AuthMissingKey) {
            return Err(broken.clone());
        }
        let mut hints = missing.into_iter().filter_map(|error| error.hint);
        let mut hint = hints.next().unwrap_or_default();
        for further in hints {
            // Where it was looked; what to do about it is in the first hint.
            let looked = further.split("; ").next().unwrap_or_default();
            hint = format!("{hint}; also {looked}");
        }
        let why = "no model is configured and no credential was found to choose one by";
        let choose = "or name a model of another provider, as --model ollama:NAME or --model sim:default";
        Err(UserError::new(ErrorCode::ModelNotConfigured, why).with_hint(format!("{hint}; {choose}")))
    }

    async fn running_ollama(&self, settings: &Settings) -> Option<String> {
        let own = settings.provider(ollama::NAME);
        if !own.discover.value {
            return None;
        }
        let base_url = ollama::base_url(own.base_url.value.as_deref()).ok()?;
        Some(format!("{}:{}", ollama::NAME, ollama::discover(&self.http, &base_url).await?))
    }

    /// What the model costs, if that is known.
    pub fn price(&self, model: &ModelName) -> Option<Price> {
        self.catalog.model(model)?.price.clone()
    }

    /// How the model can be held to a schema of its answer, when it thinks as `options` say.
    pub fn output_support(&self, model: &ModelName, options: &RequestOptions, settings: &Settings) -> OutputSupport {
        match model.provider() {
            anthropic::NAME => {
                let info = self.catalog.anthropic(model.model());
                let by_budget = matches!(options.thinking, Thinking::Enabled { .. });
                match (info.structured_output, info.forced_tools && !by_budget) {
                    (true, _) => OutputSupport::Native,
                    (false, true) => OutputSupport::ForcedTool,
                    (false, false) => OutputSupport::None,
                }
            }
            ollama::NAME if ollama::is_cloud(model.model()) => OutputSupport::None,
            sim::NAME | ollama::NAME => OutputSupport::Native,
            name => match build::profile(name, settings, &settings.provider(name)) {
                Ok(profile) if !profile.native_schema => OutputSupport::None,
                Ok(_) | Err(_) => OutputSupport::Native,
            },
        }
    }

    /// Begins to answer `request`.
    ///
    /// # Errors
    /// As [`Registry::provider_named`].
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
        let settings = Settings::default();
        let error = registry([]).provider(&"acme:x".parse().unwrap(), &settings).err().unwrap();
        assert_eq!(error.code, ErrorCode::ProviderUnknown);
        let hint = error.hint.unwrap();
        for provider in PROVIDERS.iter().chain(&["groq", "vllm", "deepseek"]) {
            assert!(hint.contains(provider), "{provider} is not in {hint}");
        }
        let mistyped = registry([]).provider(&"antropic:x".parse().unwrap(), &settings).err().unwrap();
        assert!(mistyped.hint.unwrap().contains("did you mean anthropic?"));
    }

    #[test]
    fn every_built_in_provider_can_be_made_or_says_what_is_missing() {
        let settings = Settings::default();
        for name in providers(&settings) {
            match registry([]).provider_named(&name, &settings) {
                Ok(_) => {}
                Err(error) => assert_eq!((error.code, name.as_str()), (ErrorCode::ConfigInvalid, "azure")),
            }
        }
    }

    #[tokio::test]
    async fn the_default_model_follows_the_credential() {
        let settings = Settings::default();
        for (variable, provider) in [("ANTHROPIC_API_KEY", "anthropic"), ("OPENAI_API_KEY", "openai")] {
            let model = registry([(variable, "k")]).default_model(&settings).await.unwrap();
            assert_eq!(model.provider(), provider);
        }
        let error = registry([]).default_model(&settings).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::ModelNotConfigured);
        let hint = error.hint.unwrap();
        for said in ["sim:default", "ANTHROPIC_API_KEY", "OPENAI_API_KEY"] {
            assert!(hint.contains(said), "{said} is not in {hint}");
        }
    }

    #[test]
    fn a_provider_of_the_users_own_is_one() {
        let mut layer = crate::config::Layer::default();
        for (key, value) in [("baseUrl", "http://127.0.0.1:1/v1"), ("profile", "vllm")] {
            layer.set(&format!("providers.acme.{key}"), value.into(), None).unwrap();
        }
        let settings = Settings::resolve(&[(crate::config::Source::User, &layer)]);
        assert!(providers(&settings).contains(&"acme".to_owned()));
        let profile = build::profile("acme", &settings, &settings.provider("acme")).unwrap();
        assert_eq!((profile.name.as_str(), profile.max_output), ("acme", Some(8192)));
        assert!(registry([]).provider_named("acme", &settings).unwrap().ready().is_ok(), "it needs no key");
    }
}
