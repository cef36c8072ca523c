//! A login in the browser: the authorization code grant with PKCE.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::issuer::Issuer;
use super::loopback;
use super::pkce::{Pkce, random};
use crate::auth::headers::OAUTH_BETA;
use crate::auth::options::{OauthOptions, TokenFormat};
use crate::auth::token::Token;
use crate::error::{ErrorCode, UserError};
use crate::protocol::LoginMethod;

/// How long the user has for it.
const TIMEOUT: Duration = Duration::from_secs(600);
/// The path that the browser comes back to.
pub const CALLBACK: &str = "/callback";

/// What a login is made with.
#[derive(Clone, Debug)]
pub struct Flow {
    /// What the user's configuration says of the issuer.
    pub options: OauthOptions,
    /// The same issuer, to be asked for the token.
    pub issuer: Issuer,
}

/// The code that a browser brought back, or that was pasted.
#[derive(Debug)]
pub struct Received {
    pub(super) code: SecretString,
    pub(super) state: String,
}

/// A login that was begun. The caller shows or opens [`url`](Self::url), and then waits or pastes. Dropping it ends it.
#[derive(Debug)]
pub struct Login {
    flow: Flow,
    pkce: Pkce,
    state: String,
    redirect: Url,
    url: Url,
    listener: Option<TcpListener>,
}

impl Login {
    /// Begins one.
    ///
    /// # Errors
    /// `auth.login_failed` when the port is taken, or a URL of the configuration cannot be used.
    pub async fn start(flow: Flow, method: LoginMethod) -> Result<Self, UserError> {
        let options = &flow.options;
        if !crate::auth::host::is_private(&options.authorize_url) {
            return Err(failed("the authorization URL does not use https"));
        }
        let (listener, redirect) = match (method, &options.paste_redirect_url) {
            (LoginMethod::Paste, Some(url)) => (None, url.clone()),
            (method, _) => {
                let listener = listen(options.redirect_port).await?;
                let port = listener.local_addr().map_err(|error| failed(error.to_string()))?.port();
                let url = Url::parse(&format!("http://127.0.0.1:{port}{CALLBACK}"));
                // Where nobody listens the browser shows the address with the code at once.
                let listener = Some(listener).filter(|_| method == LoginMethod::Browser);
                (listener, url.map_err(|error| failed(error.to_string()))?)
            }
        };
        let (pkce, state) = (Pkce::new()?, random()?);
        let mut url = options.authorize_url.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &options.client_id)
            .append_pair("redirect_uri", redirect.as_str())
            .append_pair("scope", &options.scopes.join(" "))
            .append_pair("code_challenge", &pkce.challenge)
            .append_pair("code_challenge_method", "S256")
            .append_pair("state", &state);
        Ok(Self { flow, pkce, state, redirect, url, listener })
    }

    /// Where the browser goes.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Waits for the browser to come back, for at most ten minutes.
    ///
    /// # Errors
    /// `auth.login_failed`: the user or the issuer said no, nobody came in time, or it was cancelled.
    pub async fn wait(mut self, cancel: &CancellationToken) -> Result<Token, UserError> {
        let Some(listener) = self.listener.take() else {
            return Err(failed("this login waits for a pasted code, not for the browser"));
        };
        let received = tokio::select! {
            received = loopback::receive(&listener, &self.state) => received?,
            () = cancel.cancelled() => return Err(failed("the login was cancelled")),
            () = tokio::time::sleep(TIMEOUT) => {
                return Err(failed(format!("the browser did not come back within {} minutes", TIMEOUT.as_secs() / 60)));
            }
        };
        drop(listener);
        tokio::select! {
            token = self.exchange(&received) => token,
            () = cancel.cancelled() => Err(failed("the login was cancelled")),
        }
    }

    /// Takes what the user pasted: `code#state`, or the address that the browser was sent to.
    ///
    /// # Errors
    /// `auth.login_failed`: it is no such text, it is of another login, or the issuer refused it.
    pub async fn paste(self, text: &str) -> Result<Token, UserError> {
        let received = pasted(text)?;
        if received.state != self.state {
            return Err(failed("the code belongs to another login").with_hint("begin the login again"));
        }
        self.exchange(&received).await
    }

    async fn exchange(&self, received: &Received) -> Result<Token, UserError> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", received.code.expose_secret()),
            // Not in the standard, but Anthropic's issuer wants it (reference of 2026-07).
            ("state", received.state.as_str()),
            ("client_id", self.flow.options.client_id.as_str()),
            ("redirect_uri", self.redirect.as_str()),
            ("code_verifier", self.pkce.verifier.expose_secret()),
        ];
        let format = self.flow.options.token_format.unwrap_or(TokenFormat::Form);
        let answer = self.flow.issuer.ask(&fields, format, OAUTH_BETA).await;
        answer.map_err(|refusal| failed(format!("the login was not accepted: {}", refusal.message)))
    }
}

async fn listen(port: Option<u16>) -> Result<TcpListener, UserError> {
    TcpListener::bind(("127.0.0.1", port.unwrap_or(0))).await.map_err(|error| {
        failed(format!("port {} of this machine cannot be used: {error}", port.unwrap_or(0)))
            .with_hint("free it, or log in by pasting the code")
    })
}

fn pasted(text: &str) -> Result<Received, UserError> {
    let text = text.trim();
    if let Ok(url) = Url::parse(text)
        && url.query().is_some()
    {
        return loopback::answer_in(&url);
    }
    match text.split_once('#') {
        Some((code, state)) if !code.is_empty() && !state.is_empty() => {
            Ok(Received { code: SecretString::from(code), state: state.to_owned() })
        }
        _ => Err(failed("what was pasted is not `code#state`").with_hint("copy all of what the page shows")),
    }
}

/// A login that came to nothing.
pub(super) fn failed(message: impl Into<String>) -> UserError {
    UserError::new(ErrorCode::AuthLoginFailed, message)
}

#[cfg(test)]
#[path = "login_tests.rs"]
mod tests;
