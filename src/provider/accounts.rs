//! Accounts: what a user sees of each provider's credential, and the ways to give and take one.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::build::{Credential, profile, unknown};
use super::listing::lists_none;
use super::registry::{Registry, providers};
use crate::auth::oci::{self, OciFacts};
use crate::auth::{AuthOptions, PendingLogin};
use crate::config::Settings;
use crate::error::{ErrorCode, UserError};
use crate::protocol::{
    AuthStatusParams, AuthStatusResult, AuthStep, CredentialCheck, CredentialInfo, CredentialKind, LoginBegun,
    LoginMethod, LoginParams, LoginResult, LogoutResult, Looked, LookedOutcome, ProviderAuth, SetParams, SetResult,
};

/// How long a user may take to paste what the page showed.
const PASTE_TIMEOUT: Duration = Duration::from_secs(600);
/// How long a credential is tried.
const CHECK_TIMEOUT: Duration = Duration::from_secs(15);

/// A login that waits for what the user pastes.
#[derive(Debug)]
pub(super) struct Begun {
    at: Instant,
    login: PendingLogin,
}

impl Registry {
    /// What is known of the credentials of one provider, or of all. Only when it is asked for anything goes over the
    /// network.
    ///
    /// # Errors
    /// `provider.unknown`. What is wrong with a credential is no error here: it is part of what is known.
    pub async fn auth_status(
        &self,
        params: &AuthStatusParams,
        settings: &Settings,
    ) -> Result<AuthStatusResult, UserError> {
        let known = providers(settings);
        let wanted = match &params.provider {
            Some(name) if known.contains(name) => vec![name.clone()],
            Some(name) => return Err(unknown(name, settings)),
            None => known,
        };
        let each = wanted.iter().map(|name| self.account(name, params.online, settings));
        Ok(AuthStatusResult { providers: join_all(each).await })
    }

    async fn account(&self, name: &str, online: bool, settings: &Settings) -> ProviderAuth {
        let mut account = match self.credential(name, settings) {
            Ok(Credential::Chain(options)) => self.credentials.status(&options, online).await,
            Ok(Credential::Oci(options)) => self.oci_account(name, &options).await,
            Ok(Credential::None) => none_needed(name),
            Err(error) => {
                let error = Some(error.from_provider(name));
                ProviderAuth { provider: name.to_owned(), used: None, looked: Vec::new(), error }
            }
        };
        if let Some(used) = account.used.as_mut().filter(|used| online && used.check.is_none()) {
            // A server that needs no credential is tried only when the user has said something of it.
            if used.kind != CredentialKind::None || settings.providers.contains_key(name) {
                used.check = self.check(name, &used.host, settings).await;
            }
        }
        account
    }

    /// Tries a credential by asking for the list of models; nothing where there is no such list.
    async fn check(&self, name: &str, host: &str, settings: &Settings) -> Option<CredentialCheck> {
        let provider = self.provider_named(name, settings).ok()?;
        // Where the user's own list stands for the server's, no answer would be one.
        let lists_itself = profile(name, settings, &settings.provider(name)).and_then(|profile| profile.models_url());
        if matches!(lists_itself, Ok(None)) {
            return None;
        }
        let failed = |detail: String| Some(CredentialCheck { ok: false, detail });
        match tokio::time::timeout(CHECK_TIMEOUT, provider.models()).await {
            Ok(Ok(_)) => Some(CredentialCheck { ok: true, detail: format!("accepted: {host} listed its models") }),
            Ok(Err(error)) if lists_none(&error) => None,
            Ok(Err(error)) => failed(error.to_user(name).message),
            Err(_) => failed(format!("{host} did not answer within {} s", CHECK_TIMEOUT.as_secs())),
        }
    }

    async fn oci_account(&self, name: &str, options: &oci::Options) -> ProviderAuth {
        let provider = name.to_owned();
        let signer = match self.oci_signer(options) {
            Ok(signer) => signer,
            Err(error) => {
                return ProviderAuth {
                    provider,
                    used: None,
                    looked: Vec::new(),
                    error: Some(error.from_provider(name)),
                };
            }
        };
        match signer.facts().await {
            Ok(facts) => {
                let (used, looked) = oci_facts(&facts);
                // It may have expired.
                let error = signer.endpoint().await.err().map(|error| error.from_provider(name));
                ProviderAuth { provider, used: Some(used), looked, error }
            }
            Err(error) => {
                let outcome = LookedOutcome::Invalid;
                let looked = vec![Looked { step: AuthStep::Profile, outcome, detail: error.message.clone() }];
                ProviderAuth { provider, used: None, looked, error: Some(error.from_provider(name)) }
            }
        }
    }

    /// Logs in. A login in the browser hands the address to `open`, and waits for the browser to come back; one by
    /// pasting is begun by one call and completed by a second.
    ///
    /// # Errors
    /// `provider.unknown`, `config.invalid`; `auth.login_failed`: there is no issuer, or the login was refused or
    /// cancelled, or nobody came back in time.
    pub async fn login<S: Future<Output = ()>>(
        &self,
        params: &LoginParams,
        settings: &Settings,
        open: impl FnOnce(String) -> S,
        cancel: &CancellationToken,
    ) -> Result<LoginResult, UserError> {
        let name = params.provider.as_str();
        let named = |error: UserError| error.from_provider(name);
        let options = self.own_options(name, settings)?;
        if let Some(text) = &params.pasted {
            let begun = self.logins.remove(name).map(|(_, begun)| begun);
            let begun = begun.filter(|begun| begun.at.elapsed() < PASTE_TIMEOUT).ok_or_else(|| {
                let error = UserError::new(ErrorCode::AuthLoginFailed, "no login waits for what was pasted");
                named(error.with_hint("begin one with the method paste, and paste within ten minutes"))
            })?;
            return begun.login.paste(text).await.map(LoginResult::LoggedIn).map_err(named);
        }
        let login = self.credentials.login(&options, params.method).await.map_err(named)?;
        let url = login.url().to_string();
        if params.method == LoginMethod::Paste {
            self.logins.insert(name.to_owned(), Begun { at: Instant::now(), login });
            return Ok(LoginResult::Begun(LoginBegun { url }));
        }
        let (waiting, opening) = (login.wait(cancel), open(url));
        tokio::pin!(waiting);
        let logged_in = tokio::select! {
            biased;
            logged_in = &mut waiting => logged_in,
            // Whoever opens it may take its time, or never say that it did.
            () = opening => waiting.await,
        };
        logged_in.map(LoginResult::LoggedIn).map_err(named)
    }

    /// Whether an issuer is configured that a login could be made at.
    pub fn can_log_in(&self, name: &str, settings: &Settings) -> bool {
        self.own_options(name, settings).is_ok_and(|options| options.oauth.is_some())
    }

    /// Removes what this program stored for a provider.
    ///
    /// # Errors
    /// `provider.unknown`, `config.invalid`; `auth.invalid`: it cannot be removed.
    pub async fn logout(&self, name: &str, settings: &Settings) -> Result<LogoutResult, UserError> {
        self.logins.remove(name);
        match self.credential(name, settings)? {
            Credential::Chain(options) => self.credentials.logout(&options).await,
            Credential::Oci(_) | Credential::None => Ok(LogoutResult::default()),
        }
    }

    /// Checks that a provider takes a key.
    ///
    /// # Errors
    /// As [`Registry::set_key`] for whatever key.
    pub fn takes_key(&self, name: &str, settings: &Settings) -> Result<(), UserError> {
        self.own_options(name, settings).map(drop)
    }

    /// Stores a key for a provider, bound to its host.
    ///
    /// # Errors
    /// `provider.unknown`, `config.invalid`; `auth.invalid`: it is no key, the provider takes none, or it cannot be
    /// stored; `auth.wrong_host`: the provider's address is not the user's own.
    pub async fn set_key(&self, params: &SetParams, settings: &Settings) -> Result<SetResult, UserError> {
        let options = self.own_options(&params.provider, settings)?;
        let key = SecretString::from(params.key.as_str());
        self.credentials.set(&params.provider, &options.key.target, &key).await
    }

    /// What is said of the credential of a provider that takes one of ours.
    fn own_options(&self, name: &str, settings: &Settings) -> Result<Box<AuthOptions>, UserError> {
        let (message, hint) = match self.credential(name, settings)? {
            Credential::Chain(options) => return Ok(options),
            Credential::Oci(_) => (
                format!("{name} signs its requests with a profile of Oracle's configuration file"),
                "oci setup config and oci session authenticate make such profiles",
            ),
            Credential::None => (format!("{name} needs no credential"), "use its models as they are"),
        };
        Err(UserError::new(ErrorCode::AuthInvalid, message).with_hint(hint).from_provider(name))
    }
}

fn none_needed(name: &str) -> ProviderAuth {
    let used = CredentialInfo {
        kind: CredentialKind::None,
        source: "none is needed".to_owned(),
        expires_at: None,
        host: "this program".to_owned(),
        check: None,
    };
    ProviderAuth { provider: name.to_owned(), used: Some(used), looked: Vec::new(), error: None }
}

fn oci_facts(facts: &OciFacts) -> (CredentialInfo, Vec<Looked>) {
    let expires_at = facts.expires.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let host = url::Url::parse(&facts.endpoint.base_url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let used = CredentialInfo {
        kind: CredentialKind::Oci,
        source: format!("{}, key {}", facts.source, facts.fingerprint),
        expires_at: expires_at.and_then(|since| i64::try_from(since.as_millis()).ok()),
        host: host.unwrap_or_else(|| facts.endpoint.base_url.clone()),
        check: None,
    };
    let said = std::iter::once(facts.source.clone()).chain(facts.warnings.iter().cloned()).collect::<Vec<_>>();
    let detail = said.join("; ");
    (used, vec![Looked { step: AuthStep::Profile, outcome: LookedOutcome::Used, detail }])
}

#[cfg(test)]
#[path = "accounts_tests.rs"]
mod tests;
