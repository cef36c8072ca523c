//! The one front of this module: everyone who needs a credential gets it here.

use std::path::Path;
use std::sync::{Arc, Weak};

use dashmap::DashMap;
use reqwest::{Method, Request, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::authorizer::Authorizer;
use super::chain::{Chain, Context};
use super::clock::{Clock, milliseconds};
use super::files;
use super::host::authority;
use super::oauth::{Flow, Issuer, Login};
use super::options::{AuthOptions, Fingerprint, KeyOptions, Origin, Places, Target};
use super::store::{Store, StoredKey};
use super::token::{Token, TokenFile};
use crate::config::Environment;
use crate::error::{ErrorCode, UserError};
use crate::net::Http;
use crate::protocol::{
    CredentialCheck, CredentialInfo, CredentialKind, LoggedIn, LoginMethod, LogoutResult, ProviderAuth, SetResult,
};

/// Credentials of all providers. Equal options give the same credential, so that all sessions share its renewal.
#[derive(Debug)]
pub struct Credentials {
    context: Arc<Context>,
    chains: DashMap<Fingerprint, Weak<Chain>>,
}

impl Credentials {
    /// Nothing is read or sent before it is needed.
    pub fn new(http: Arc<Http>, environment: Arc<Environment>, places: Places) -> Self {
        let store = Store::new(&places);
        Self::with(Context { http, environment, places, store, clock: Clock::system() })
    }

    pub(super) fn with(context: Context) -> Self {
        Self { context: Arc::new(context), chains: DashMap::new() }
    }

    /// The credential for Anthropic that `options` describe.
    pub fn anthropic(&self, options: &AuthOptions) -> Arc<Chain> {
        self.chain(options)
    }

    /// The credential of a provider that knows only keys.
    pub fn key_for(&self, options: &KeyOptions) -> Arc<Chain> {
        self.chain(&AuthOptions::keys_only(options.clone()))
    }

    fn chain(&self, options: &AuthOptions) -> Arc<Chain> {
        let fingerprint = options.fingerprint();
        if let Some(chain) = self.chains.get(&fingerprint).and_then(|chain| chain.upgrade()) {
            return chain;
        }
        // Settings that are gone take their credentials with them.
        self.chains.retain(|_, chain| chain.strong_count() > 0);
        let chain = Arc::new(Chain::new(self.context.clone(), options.clone()));
        self.chains.insert(fingerprint, Arc::downgrade(&chain));
        chain
    }

    /// What is known of the credential that `options` describe. Only when `online` is it tried, with one request; and
    /// only then is a command run.
    pub async fn status(&self, options: &AuthOptions, online: bool) -> ProviderAuth {
        let chain = self.chain(options);
        let (looked, info) = chain.survey();
        let provider = options.key.provider.clone();
        match info {
            Err(error) => ProviderAuth { provider, used: None, looked, error: Some(error) },
            Ok(mut info) => {
                if online && let Some(check) = &options.key.check {
                    let tried = self.check(chain.as_ref(), &check.url, &check.headers).await;
                    info.check =
                        Some(tried.unwrap_or_else(|error| CredentialCheck { ok: false, detail: error.message }));
                    // It may have been renewed for that.
                    info.expires_at = chain.survey().1.map_or(info.expires_at, |now| now.expires_at);
                }
                let error = chain.ready().err();
                ProviderAuth { provider, used: Some(info), looked, error }
            }
        }
    }

    async fn check(
        &self,
        chain: &dyn Authorizer,
        url: &Url,
        headers: &[(String, String)],
    ) -> Result<CredentialCheck, UserError> {
        let client = self.context.http.client().await?;
        let unreachable = |error: reqwest::Error| {
            let why = crate::net::innermost(&error.without_url());
            UserError::new(ErrorCode::ProviderUnreachable, format!("no answer: {why}"))
        };
        let request = || {
            let mut builder = client.request(Method::GET, url.clone()).timeout(std::time::Duration::from_secs(15));
            for (name, value) in headers {
                builder = builder.header(name, value);
            }
            builder.build().map_err(unreachable)
        };
        let send = async |request: Request| {
            let authorized = chain.authorize(request).await?;
            let status = client.execute(authorized.request).await.map_err(unreachable)?.status();
            Ok::<_, UserError>((status, authorized.generation))
        };
        let (mut status, generation) = send(request()?).await?;
        if status == StatusCode::UNAUTHORIZED && chain.refused(generation).await? {
            (status, _) = send(request()?).await?;
        }
        let said = match status {
            status if status.is_success() => "accepted",
            StatusCode::UNAUTHORIZED => "not accepted",
            StatusCode::FORBIDDEN => "accepted, but without permission for this",
            _ => "neither accepted nor refused",
        };
        let detail = format!("{said}: {} answered {}", authority(url), status.as_u16());
        Ok(CredentialCheck { ok: status.is_success(), detail })
    }

    /// Stores a key for `provider`, bound to the host of `target`.
    ///
    /// # Errors
    /// `auth.invalid`: it is no key, or it cannot be stored.
    pub async fn set(&self, provider: &str, target: &Target, key: &SecretString) -> Result<SetResult, UserError> {
        let text = key.expose_secret().trim();
        if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(UserError::new(ErrorCode::AuthInvalid, "the key is empty or has spaces in it")
                .with_hint("store the key and nothing else")
                .from_provider(provider));
        }
        let host = own_host(target)?;
        let stored = StoredKey { key: SecretString::from(text), host: host.clone() };
        let (context, name) = (self.context.clone(), provider.to_owned());
        blocking(move || context.store.set(&name, &stored)).await?;
        Ok(SetResult { stored: self.context.store.place(), host })
    }

    /// Removes what this program stored for the provider of `options`: its key and its login. Other programs' logins, and
    /// a bundle file that somebody else keeps fresh, are left alone.
    ///
    /// # Errors
    /// `auth.invalid`: something cannot be removed.
    pub async fn logout(&self, options: &AuthOptions) -> Result<LogoutResult, UserError> {
        let provider = options.key.provider.clone();
        // Logins are written there only with an issuer.
        let named = options.bundle_file.clone().filter(|_| options.oauth.is_some());
        let own = Some(self.context.places.bundle()).filter(|_| provider == "anthropic");
        let context = self.context.clone();
        let removed = blocking(move || {
            let mut removed = Vec::new();
            if context.store.remove(&provider)? {
                removed.push(format!("the key for {provider} in {}", context.store.place()));
            }
            for bundle in named.into_iter().chain(own) {
                if remove(&bundle)? {
                    removed.push(format!("the login in {}", bundle.display()));
                }
            }
            Ok(removed)
        });
        Ok(LogoutResult { removed: removed.await? })
    }

    /// Begins a login at the issuer of `options`.
    ///
    /// # Errors
    /// `auth.login_failed`: there is no issuer, or the login cannot begin.
    pub async fn login(&self, options: &AuthOptions, method: LoginMethod) -> Result<PendingLogin, UserError> {
        let Some(oauth) = options.oauth.clone() else {
            return Err(UserError::new(ErrorCode::AuthLoginFailed, "no issuer is configured for a login").with_hint(
                "run `ant auth login`, whose profiles are used as they are, or store an API key; docs/credentials.md \
                 says how an issuer of your own is configured",
            ));
        };
        let issuer =
            Issuer { url: oauth.token_url.clone(), http: self.context.http.clone(), clock: self.context.clock.clone() };
        let host = own_host(&options.key.target)?;
        let login = Login::start(Flow { options: oauth, issuer }, method).await?;
        let path = options.bundle_file.clone().unwrap_or_else(|| self.context.places.bundle());
        Ok(PendingLogin { login, file: TokenFile::bundle(path), host })
    }
}

/// A login that was begun. Dropping it ends it.
#[derive(Debug)]
pub struct PendingLogin {
    login: Login,
    file: TokenFile,
    host: String,
}

impl PendingLogin {
    /// Where the browser goes. It holds no secret that another program could use.
    pub fn url(&self) -> &Url {
        self.login.url()
    }

    /// Waits for the browser to come back, and stores the login.
    ///
    /// # Errors
    /// `auth.login_failed`: it was refused, cancelled, or nobody came in time.
    pub async fn wait(self, cancel: &CancellationToken) -> Result<LoggedIn, UserError> {
        let token = self.login.wait(cancel).await?;
        store(self.file, self.host, token).await
    }

    /// Takes what the user pasted, `code#state` or the address in the browser, and stores the login.
    ///
    /// # Errors
    /// `auth.login_failed`: it is of no use, or was refused.
    pub async fn paste(self, text: &str) -> Result<LoggedIn, UserError> {
        let token = self.login.paste(text).await?;
        store(self.file, self.host, token).await
    }
}

async fn store(file: TokenFile, host: String, token: Token) -> Result<LoggedIn, UserError> {
    let stored = format!("the file {}", file.path.display());
    let _lock = files::lock(&file.path).await?;
    let credential = CredentialInfo {
        kind: CredentialKind::Oauth,
        source: stored.clone(),
        expires_at: token.expires_at.map(milliseconds),
        host: host.clone(),
        check: None,
    };
    blocking(move || file.save(&token, Some(&host))).await?;
    Ok(LoggedIn { credential, stored })
}

/// The host that a new credential is bound to. A base URL that others may have written is not taken for it.
fn own_host(target: &Target) -> Result<String, UserError> {
    match (target.origin, &target.default_host) {
        (Origin::Other | Origin::Default, Some(host)) => Ok(host.clone()),
        (Origin::Other, None) => {
            let message = format!("the base URL (from {}) is not one of your own settings", target.origin_words);
            Err(UserError::new(ErrorCode::AuthWrongHost, message).with_hint("set it in your own settings"))
        }
        _ => Ok(authority(&target.base_url)),
    }
}

fn remove(path: &Path) -> Result<bool, UserError> {
    match std::fs::remove_file(path) {
        Ok(()) => {
            let _ = std::fs::remove_file(files::lock_path(path));
            Ok(true)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(files::invalid(path, &format!("cannot be removed: {error}"))),
    }
}

/// Does what may wait for a disk or for the user elsewhere than on the one thread.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, UserError> + Send + 'static,
) -> Result<T, UserError> {
    let lost = |error: tokio::task::JoinError| Err(UserError::new(ErrorCode::ServerInternal, error.to_string()));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(lost)
}

#[cfg(test)]
#[path = "credentials_tests.rs"]
mod tests;
