//! From a provider's name and settings to the provider itself. Making one costs no time and no network.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::anthropic::{self, Anthropic};
use super::channel::Channel;
use super::credentials::{Vendor, anthropic_options, key_options};
use super::http::Failure;
use super::ollama::{self, Ollama};
use super::openai::{self, Api, OpenAi, Profile};
use super::registry::Registry;
use super::sim::{self, Sim};
use super::{ApiVersion, Error, Provider, RetryPolicy};
use crate::auth::oci::{self, OciAuthorizer};
use crate::auth::{AuthOptions, Authorized, Authorizer, Chain, Origin};
use crate::config::{ProviderSettings, Settings, Source, is_secret_name};
use crate::error::{ErrorCode, UserError};
use crate::net::HttpOptions;
use crate::protocol::KeyHeader;

/// The provider of Oracle's cloud.
pub(super) const OCI: &str = "oci";
/// Where Oracle's keys of the service itself are.
const OCI_KEY: &str = "OCI_GENAI_API_KEY";

type Classify = Arc<dyn Fn(&Failure) -> Error + Send + Sync>;

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

/// Whether the settings name a key.
fn names_key(own: &ProviderSettings) -> bool {
    own.api_key.value.is_some()
        || own.api_key_file.value.is_some()
        || own.api_key_command.value.is_some()
        || own.api_key_env.value.is_some()
}

fn invalid(message: String) -> UserError {
    UserError::new(ErrorCode::ConfigInvalid, message)
}

/// The credential of a provider, however it is found.
pub(super) enum Credential {
    /// Of a chain of places.
    Chain(Box<AuthOptions>),
    /// A signature of Oracle's cloud.
    Oci(oci::Options),
    /// None is needed.
    None,
}

impl Registry {
    /// The provider of this name, as `settings` have it now.
    ///
    /// # Errors
    /// `provider.unknown`, with a list of those there are; `config.invalid` for settings that cannot be used.
    pub fn provider_named(&self, name: &str, settings: &Settings) -> Result<Arc<dyn Provider>, UserError> {
        let own = settings.provider(name);
        match name {
            anthropic::NAME => {
                let chain = self.chain(name, &self.anthropic_options(&own)?);
                let base_url = own.base_url.value.as_deref().unwrap_or_default();
                Ok(Arc::new(Anthropic {
                    endpoint: anthropic::endpoint(base_url).into(),
                    channel: self.channel(name, settings, chain, Arc::new(anthropic::classify)),
                    catalog: self.catalog.clone(),
                    version: ApiVersion::from_setting(own.version.value.as_deref().unwrap_or_default()),
                }))
            }
            sim::NAME => Ok(Arc::new(Sim::new(settings.sim_script.value.clone()))),
            ollama::NAME => self.ollama(settings, &own),
            OCI => self.oci(settings, &own),
            _ => self.openai(name, settings, &own),
        }
    }

    fn channel(&self, name: &str, settings: &Settings, authorizer: Arc<dyn Authorizer>, classify: Classify) -> Channel {
        Channel {
            provider: name.into(),
            http: self.http.clone(),
            http_options: http_options(settings),
            authorizer,
            policy: retry_policy(settings),
            limiter: self.limiter(name, settings.provider(name).requests_per_second.value),
            record: settings.record_dir.value.clone(),
            classify,
        }
    }

    /// The credential that `options` describe: the same for all requests, until the options change.
    fn chain(&self, name: &str, options: &AuthOptions) -> Arc<Chain> {
        let chain = self.credentials.anthropic(options);
        self.chains.insert(name.to_owned(), chain.clone());
        chain
    }

    fn anthropic_options(&self, own: &ProviderSettings) -> Result<AuthOptions, UserError> {
        anthropic_options(own, &self.environment, &self.places)
    }

    fn ollama(&self, settings: &Settings, own: &ProviderSettings) -> Result<Arc<dyn Provider>, UserError> {
        let (base_url, options) = self.ollama_options(own)?;
        Ok(Arc::new(Ollama {
            base_url,
            channel: self.channel(
                ollama::NAME,
                settings,
                self.chain(ollama::NAME, &options),
                Arc::new(|failure| ollama::classify(failure, "")),
            ),
            settings: ollama::Settings { num_ctx: own.num_ctx.value, keep_alive: own.keep_alive.value.clone() },
            facts: self.ollama_facts.clone(),
        }))
    }

    fn ollama_options(&self, own: &ProviderSettings) -> Result<(String, AuthOptions), UserError> {
        let base_url = ollama::base_url(own.base_url.value.as_deref())?;
        let mut said = own.clone();
        said.base_url.value = said.base_url.value.map(|_| base_url.clone());
        let environment = ["OLLAMA_API_KEY".to_owned()];
        let vendor = Vendor {
            provider: ollama::NAME,
            base_url: Some(ollama::DEFAULT_HOST),
            environment: &environment,
            header: KeyHeader::Authorization,
            optional: true,
        };
        let mut key = key_options(&vendor, &said, &self.environment, &self.places)?;
        // The vendor's own service; a server on this machine needs no key.
        key.target.default_host = Some("ollama.com".to_owned());
        // A key that the settings name is meant for the server that is used, also where that is the one on this machine.
        if names_key(own) && key.target.origin == Origin::Default {
            key.target.origin = key.origin;
        }
        Ok((base_url, AuthOptions::keys_only(key)))
    }

    fn openai(&self, name: &str, settings: &Settings, own: &ProviderSettings) -> Result<Arc<dyn Provider>, UserError> {
        let (profile, options) = self.openai_options(name, settings, own)?;
        let chain = self.chain(name, &options);
        let authorizer: Arc<dyn Authorizer> = if profile.key_header.eq_ignore_ascii_case("authorization") {
            chain
        } else {
            Arc::new(KeyIn { header: profile.key_header.clone(), chain })
        };
        Ok(Arc::new(OpenAi {
            channel: self.channel(name, settings, authorizer, Arc::new(openai::classify)),
            profile,
            oci: None,
            listed: own.models.value.clone().unwrap_or_default(),
        }))
    }

    fn openai_options(
        &self,
        name: &str,
        settings: &Settings,
        own: &ProviderSettings,
    ) -> Result<(Profile, AuthOptions), UserError> {
        let profile = profile(name, settings, own)?;
        let header = match profile.key_header.to_ascii_lowercase().as_str() {
            "authorization" => KeyHeader::Authorization,
            _ => KeyHeader::XApiKey,
        };
        let built_in = Profile::builtin(own.profile.value.as_deref().unwrap_or(name)).ok();
        let vendor = Vendor {
            provider: name,
            base_url: built_in.as_ref().and_then(|profile| profile.base_url.as_deref()),
            environment: &profile.key_env,
            header,
            optional: profile.key_optional,
        };
        let options = AuthOptions::keys_only(key_options(&vendor, own, &self.environment, &self.places)?);
        Ok((profile, options))
    }

    fn oci(&self, settings: &Settings, own: &ProviderSettings) -> Result<Arc<dyn Provider>, UserError> {
        let mut profile = Profile::custom(OCI, OCI, own.quirks.value.as_ref().unwrap_or(&serde_json::Map::new()))?;
        profile.extra_headers.extend(own.project.value.clone().map(|project| ("OpenAI-Project".to_owned(), project)));
        profile.extra_headers.extend(own.headers.value.clone());
        profile.extra_body.extend(own.body.value.clone().unwrap_or_default());
        if own.api.value.as_deref() == Some("responses") {
            profile.api = Api::Responses;
        }
        let (authorizer, oci): (Arc<dyn Authorizer>, _) = match self.oci_credential(own)? {
            Credential::Oci(options) => {
                let signer = self.oci_signer(&options)?;
                (signer.clone(), Some(signer))
            }
            Credential::Chain(options) => {
                profile.base_url = Some(options.key.target.base_url.to_string());
                (self.chain(OCI, &options), None)
            }
            Credential::None => return Err(unknown(OCI, settings)),
        };
        let mut channel = self.channel(OCI, settings, authorizer, Arc::new(openai::classify));
        // What is signed are HTTP/1.1's headers.
        channel.http_options.http1_only = true;
        let listed = own.models.value.clone().unwrap_or_default();
        Ok(Arc::new(OpenAi { profile, channel, oci, listed }))
    }

    /// Which credential is meant for Oracle's cloud: what the settings name, else a key of the service, else the profile
    /// that the environment names.
    fn oci_credential(&self, own: &ProviderSettings) -> Result<Credential, UserError> {
        let options = oci::Options {
            profile: own.profile.value.clone(),
            auth_type: own.auth_type.value.clone(),
            compartment_id: own.compartment_id.value.clone(),
            region: own.region.value.clone(),
            config_file: own.config_file.value.clone(),
            base_url: own.base_url.value.clone(),
        };
        let is_signed = options.profile.is_some() || options.auth_type.is_some();
        let has_key = names_key(own) || self.environment.get(OCI_KEY).is_some();
        if is_signed || (!has_key && self.environment.get("OCI_PROFILE").is_some()) {
            return Ok(Credential::Oci(options));
        }
        // For its address alone: a key of the service names no profile.
        let named = oci::Options {
            profile: Some(String::new()),
            region: options.region.or_else(|| self.environment.get("OCI_GENAI_REGION").map(str::to_owned)),
            ..options
        };
        let home = self.places.home.clone().unwrap_or_default();
        let address = oci::resolve(&named, &self.environment, &home)?.endpoint(None, None)?.base_url;
        let environment = [OCI_KEY.to_owned()];
        let vendor = Vendor {
            provider: OCI,
            base_url: Some(&address),
            environment: &environment,
            header: KeyHeader::Authorization,
            optional: false,
        };
        let options = AuthOptions::keys_only(key_options(&vendor, own, &self.environment, &self.places)?);
        Ok(Credential::Chain(Box::new(options)))
    }

    /// The signer that `options` describe: the same for all requests, until the options change.
    pub(super) fn oci_signer(&self, options: &oci::Options) -> Result<Arc<OciAuthorizer>, UserError> {
        let mut current = self.oci.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((_, signer)) = current.as_ref().filter(|(known, _)| known == options) {
            return Ok(signer.clone());
        }
        let home = self.places.home.clone().unwrap_or_default();
        let resolved = oci::resolve(options, &self.environment, &home)?;
        let signer = Arc::new(OciAuthorizer::new(resolved, (*self.environment).clone(), home));
        *current = Some((options.clone(), signer.clone()));
        Ok(signer)
    }

    /// Whether a provider is used without a credential: a server on this machine, or the simulated one.
    pub(super) fn needs_no_credential(&self, name: &str, settings: &Settings) -> bool {
        match self.credential(name, settings) {
            Ok(Credential::None) => true,
            Ok(Credential::Chain(options)) => options.key.optional,
            Ok(Credential::Oci(_)) | Err(_) => false,
        }
    }

    /// How the credential of a provider is found.
    ///
    /// # Errors
    /// As [`Registry::provider_named`].
    pub(super) fn credential(&self, name: &str, settings: &Settings) -> Result<Credential, UserError> {
        let own = settings.provider(name);
        match name {
            anthropic::NAME => Ok(Credential::Chain(Box::new(self.anthropic_options(&own)?))),
            sim::NAME => Ok(Credential::None),
            ollama::NAME => Ok(Credential::Chain(Box::new(self.ollama_options(&own)?.1))),
            OCI => self.oci_credential(&own),
            _ => Ok(Credential::Chain(Box::new(self.openai_options(name, settings, &own)?.1))),
        }
    }
}

/// A provider that there is not, and those there are.
pub(super) fn unknown(name: &str, settings: &Settings) -> UserError {
    let known = super::registry::providers(settings);
    let near = crate::config::nearest(name, known.iter().map(String::as_str));
    let hint = near.map(|near| format!("did you mean {near}? ")).unwrap_or_default();
    UserError::new(ErrorCode::ProviderUnknown, format!("there is no provider {name:?}")).with_hint(format!(
        "{hint}the providers are {}; write provider:model, or set providers.NAME.baseUrl for a server of your own",
        known.join(", ")
    ))
}

/// What the server called `name` takes and says.
pub(super) fn profile(name: &str, settings: &Settings, own: &ProviderSettings) -> Result<Profile, UserError> {
    headers_stay_home(name, own)?;
    let is_own = own.base_url.value.is_some() || own.profile.value.is_some();
    let base = match (own.profile.value.as_deref(), Profile::builtin(name).is_ok()) {
        (Some(base), _) => base,
        (None, true) => name,
        (None, false) if is_own => "openai-compatible",
        (None, false) => return Err(unknown(name, settings)),
    };
    let nothing = serde_json::Map::new();
    let mut profile = Profile::custom(name, base, own.quirks.value.as_ref().unwrap_or(&nothing))?;
    if let Some(url) = &own.base_url.value {
        profile.base_url = Some(url.clone());
    }
    if profile.base_url.is_none() {
        let hint = match name {
            "azure" => "set AZURE_OPENAI_ENDPOINT, or the address in your own file, as https://NAME.openai.azure.com",
            _ => "set the server's address, up to and with /v1, in your own file",
        };
        return Err(invalid(format!("providers.{name}.baseUrl is not set")).with_hint(hint));
    }
    profile.api = match own.api.value.as_deref() {
        None => profile.api,
        Some("chat") => Api::Chat,
        Some("responses") => Api::Responses,
        Some(other) => {
            return Err(invalid(format!("providers.{name}.api is {other:?}")).with_hint("set it to chat or responses"));
        }
    };
    let said = [("OpenAI-Organization", &own.organization.value), ("OpenAI-Project", &own.project.value)];
    for (header, value) in said {
        profile.extra_headers.extend(value.clone().map(|value| (header.to_owned(), value)));
    }
    profile.extra_headers.extend(own.headers.value.clone());
    profile.extra_body.extend(own.body.value.clone().unwrap_or_default());
    Ok(profile)
}

/// A credential among the headers of the user's file does not follow an address of the environment: as for keys, the
/// two have to be set at the same place.
fn headers_stay_home(name: &str, own: &ProviderSettings) -> Result<(), UserError> {
    let moved = own.base_url.value.is_some() && own.base_url.source == Source::Environment;
    let secret = own.headers.value.keys().find(|header| is_secret_name(header));
    match secret.filter(|_| moved && own.headers.source != Source::Environment) {
        None => Ok(()),
        Some(header) => {
            let at = own.base_url.at.as_deref().unwrap_or("the environment");
            let message =
                format!("providers.{name}.headers has {header}, which is not sent to the base URL that {at} sets");
            let hint = format!("unset {at} and set providers.{name}.baseUrl beside the headers");
            Err(UserError::new(ErrorCode::AuthWrongHost, message).with_hint(hint))
        }
    }
}

/// A key in a header of the vendor's own.
#[derive(Debug)]
struct KeyIn {
    header: String,
    chain: Arc<Chain>,
}

impl Authorizer for KeyIn {
    fn authorize(&self, request: reqwest::Request) -> BoxFuture<'_, Result<Authorized, UserError>> {
        Box::pin(async move {
            let mut authorized = self.chain.authorize(request).await?;
            let headers = authorized.request.headers_mut();
            if let Some(key) = headers.remove("x-api-key") {
                let name = self.header.parse::<reqwest::header::HeaderName>();
                headers.insert(name.map_err(|_| invalid(format!("{:?} is no header's name", self.header)))?, key);
            }
            Ok(authorized)
        })
    }

    fn ready(&self) -> Result<(), UserError> {
        Authorizer::ready(&*self.chain)
    }

    fn refused(&self, generation: u64) -> BoxFuture<'_, Result<bool, UserError>> {
        self.chain.refused(generation)
    }
}
