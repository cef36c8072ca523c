//! Where tokens come from: a file, an issuer, or both.

use std::fs::File;
use std::path::PathBuf;

use futures_util::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};

use super::issuer::{Issuer, Refusal};
use super::refresh::Renewer;
use crate::auth::clock::Clock;
use crate::auth::files::{self, Privacy, Stamp};
use crate::auth::headers::OAUTH_BETA;
use crate::auth::options::TokenFormat;
use crate::auth::token::{Token, TokenFile};
use crate::error::{ErrorCode, UserError};

/// What the exchange of a workload's identity needs besides [`OAUTH_BETA`] (vendor's constant of 2026-04-01).
const FEDERATION_BETA: &str = "oidc-federation-2026-04-01";
/// No identity token is larger, in bytes.
const LARGEST_ASSERTION: usize = 16 * 1024;

/// How a new token is had.
#[derive(Clone, Debug)]
pub enum Grant {
    /// Not at all: whoever wrote the file renews it. The text says to the user what to do.
    None(String),
    /// For the refresh token.
    Refresh {
        /// The issuer.
        issuer: Issuer,
        /// The client's id there.
        client_id: String,
        /// The format of the request.
        format: TokenFormat,
        /// What the user does when the issuer refuses.
        advice: String,
    },
    /// For the workload's identity.
    Workload {
        /// The issuer.
        issuer: Issuer,
        /// The identity.
        workload: Workload,
    },
}

/// The identity of a workload, as a cloud or a cluster gives it to a program.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The identity token itself.
    pub assertion: Option<SecretString>,
    /// The file with it, which its owner keeps fresh.
    pub assertion_file: Option<PathBuf>,
    /// The rule that accepts it.
    pub federation_rule_id: String,
    /// The organization.
    pub organization_id: String,
    /// The account that the token is for.
    pub service_account_id: Option<String>,
    /// The workspace that the token is for.
    pub workspace_id: Option<String>,
}

/// A file with a token, an issuer of tokens, or both.
#[derive(Clone, Debug)]
pub struct TokenSource {
    /// Where the token is kept. Without one it lives in memory.
    pub file: Option<TokenFile>,
    /// How a new one is had.
    pub grant: Grant,
    /// Tells what has expired.
    pub clock: Clock,
}

impl Renewer for TokenSource {
    fn load(&self) -> Result<Option<Token>, UserError> {
        let loaded = self.file.as_ref().map(TokenFile::load).transpose();
        match loaded {
            // What an exchange leaves in a file is only kept to save the next one.
            Err(_) if matches!(self.grant, Grant::Workload { .. }) => Ok(None),
            loaded => Ok(loaded?.flatten().map(|loaded| loaded.token)),
        }
    }

    fn stamp(&self) -> Option<Stamp> {
        self.file.as_ref().and_then(TokenFile::stamp)
    }

    fn can_renew(&self) -> bool {
        !matches!(self.grant, Grant::None(_))
    }

    fn renew<'a>(&'a self, current: Option<&'a Token>) -> BoxFuture<'a, Result<Token, UserError>> {
        Box::pin(async move {
            let _lock = self.lock().await?;
            // Another program may have renewed it while this one waited for the lock.
            let stored = self.load()?;
            if let Some(token) = self.newer(stored.as_ref(), current) {
                return Ok(token);
            }
            match &self.grant {
                Grant::None(advice) => {
                    let message = match &self.file {
                        Some(file) => format!("the token in {} has expired", file.path.display()),
                        None => "the token has expired".to_owned(),
                    };
                    Err(UserError::new(ErrorCode::AuthExpired, message).with_hint(advice))
                }
                Grant::Refresh { issuer, client_id, format, advice } => {
                    let old = stored.as_ref().or(current);
                    self.refresh(old, issuer, client_id, *format, advice).await
                }
                Grant::Workload { issuer, workload } => self.exchange(issuer, workload).await,
            }
        })
    }
}

impl TokenSource {
    /// Whether it is the same file and the same way of renewal as `other`.
    pub fn is(&self, other: &Self) -> bool {
        let path = |source: &Self| source.file.as_ref().map(|file| file.path.clone());
        let grant = match (&self.grant, &other.grant) {
            (Grant::None(one), Grant::None(two)) => one == two,
            (
                Grant::Refresh { issuer: one, client_id, format, .. },
                Grant::Refresh { issuer: two, client_id: id, format: other, .. },
            ) => one.url == two.url && client_id == id && format == other,
            (Grant::Workload { issuer: one, workload: a }, Grant::Workload { issuer: two, workload: b }) => {
                // The assertion's text comes from the environment, which stays as it is.
                one.url == two.url && format!("{a:?}") == format!("{b:?}")
            }
            _ => false,
        };
        grant && path(self) == path(other)
    }

    async fn lock(&self) -> Result<Option<File>, UserError> {
        match (&self.file, &self.grant) {
            (Some(file), Grant::Refresh { .. }) => files::lock(&file.path).await.map(Some),
            // Two exchanges at once do no harm, and other programs' files are not touched.
            _ => Ok(None),
        }
    }

    /// `stored`, if it is another token than `current` and has not expired.
    fn newer(&self, stored: Option<&Token>, current: Option<&Token>) -> Option<Token> {
        let is_other = |token: &&Token| current.is_none_or(|current| !token.is(current));
        let lives = |token: &&Token| token.expires_at.is_none_or(|at| at > self.clock.now());
        stored.filter(is_other).filter(lives).cloned()
    }

    async fn refresh(
        &self,
        old: Option<&Token>,
        issuer: &Issuer,
        client_id: &str,
        format: TokenFormat,
        advice: &str,
    ) -> Result<Token, UserError> {
        let expired = |message: String| UserError::new(ErrorCode::AuthExpired, message).with_hint(advice);
        let Some(refresh) = old.and_then(|old| old.refresh.clone()) else {
            return Err(expired("the access token has expired, and there is no refresh token".to_owned()));
        };
        let fields =
            [("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret()), ("client_id", client_id)];
        let mut token = match issuer.ask(&fields, format, OAUTH_BETA).await {
            Ok(token) => token,
            Err(refusal) if refusal.denied => {
                // A program that does not use the lock may have been faster: then its token is the one to use.
                let stored = self.load().ok().flatten();
                let newer = self.newer(stored.as_ref(), old);
                return newer.ok_or_else(|| expired(format!("the login cannot be renewed: {}", refusal.message)));
            }
            Err(refusal) => return Err(later(&refusal)),
        };
        token.refresh = token.refresh.or(Some(refresh));
        self.keep(&token).await?;
        Ok(token)
    }

    /// Writes a token before it is used: a refresh token that was used up and is not on disk would end the login.
    async fn keep(&self, token: &Token) -> Result<(), UserError> {
        let Some(file) = self.file.clone() else { return Ok(()) };
        let kept = token.clone();
        let saved = tokio::task::spawn_blocking(move || file.save(&kept, None)).await;
        match saved.unwrap_or_else(|error| Err(UserError::new(ErrorCode::AuthRefreshFailed, error.to_string()))) {
            // The old refresh token is used up either way. Keeping the new one in memory is the lesser loss.
            Err(error) => {
                tracing::warn!(error = %error.message, "a renewed login could not be written");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn exchange(&self, issuer: &Issuer, workload: &Workload) -> Result<Token, UserError> {
        let assertion = workload.assertion()?;
        let mut fields = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", assertion.expose_secret()),
            ("federation_rule_id", workload.federation_rule_id.as_str()),
            ("organization_id", workload.organization_id.as_str()),
        ];
        let optional = [("service_account_id", &workload.service_account_id), ("workspace_id", &workload.workspace_id)];
        fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
        let betas = format!("{OAUTH_BETA},{FEDERATION_BETA}");
        match issuer.ask(&fields, TokenFormat::Json, &betas).await {
            Ok(token) => {
                self.keep(&token).await?;
                Ok(token)
            }
            Err(refusal) if refusal.denied => Err(UserError::new(
                ErrorCode::AuthExpired,
                format!("the workload's identity was not accepted: {}", refusal.message),
            )
            .with_hint(
                "check that the federation rule matches the identity token, and whether a workspace must be named",
            )),
            Err(refusal) => Err(later(&refusal)),
        }
    }
}

impl Workload {
    /// The identity token as it is now.
    ///
    /// # Errors
    /// `auth.invalid`: its file is not there or has something else.
    fn assertion(&self) -> Result<SecretString, UserError> {
        let text = match (&self.assertion_file, &self.assertion) {
            (Some(path), _) => {
                let text = files::read(path, Privacy::Any)?;
                text.ok_or_else(|| files::invalid(path, "with the identity token is not there"))?
            }
            (None, Some(assertion)) => assertion.expose_secret().to_owned(),
            (None, None) => String::new(),
        };
        let text = text.trim();
        if text.is_empty() || text.len() > LARGEST_ASSERTION {
            let what = if text.is_empty() { "is empty" } else { "is too large; it may be a key or a certificate" };
            return Err(UserError::new(ErrorCode::AuthInvalid, format!("the identity token {what}")));
        }
        Ok(SecretString::from(text))
    }
}

/// A failure that may pass.
fn later(refusal: &Refusal) -> UserError {
    UserError::new(ErrorCode::AuthRefreshFailed, format!("the credential could not be renewed: {}", refusal.message))
        .with_hint("the login is kept; try again")
}

#[cfg(test)]
#[path = "renewer_tests.rs"]
mod tests;
