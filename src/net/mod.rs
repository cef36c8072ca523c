//! HTTP: one shared client.
//!
//! *For*: everything that goes over the network, a provider's requests and those for credentials alike.
//! *Owns*: the client, its timeouts, and the rule that a redirect is never followed.
//! *Must not know*: providers, credentials, what is in a request.

use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::sync::Mutex;

use crate::error::{ErrorCode, UserError};

/// How a client connects and waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How long a response may be silent, its headers included. Models think for long, and a local one may have to be
    /// loaded first.
    pub idle_timeout: Duration,
    /// Whether HTTP/2 is not offered: for proxies that break it, and for signatures that cover HTTP/1.1 headers.
    pub http1_only: bool,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self { connect_timeout: Duration::from_secs(10), idle_timeout: Duration::from_secs(300), http1_only: false }
    }
}

/// The clients of all requests: one for each set of options, in practice one. Making one reads the system's
/// certificates, so it is made when first used, and on a thread of its own: opening an editor costs no time for it, and
/// no other session waits for it.
#[derive(Debug, Default)]
pub struct Http(Mutex<Vec<(HttpOptions, Client)>>);

impl Http {
    /// The client of the default options.
    ///
    /// # Errors
    /// `server.internal` when TLS cannot be set up.
    pub async fn client(&self) -> Result<Client, UserError> {
        self.client_with(HttpOptions::default()).await
    }

    /// The client of these options.
    ///
    /// # Errors
    /// `server.internal` when TLS cannot be set up.
    pub async fn client_with(&self, options: HttpOptions) -> Result<Client, UserError> {
        let mut made = self.0.lock().await;
        if let Some((_, client)) = made.iter().find(|(known, _)| *known == options) {
            return Ok(client.clone());
        }
        let failed = |why: String| UserError::new(ErrorCode::ServerInternal, format!("no HTTP client: {why}"));
        let client =
            tokio::task::spawn_blocking(move || make(options)).await.map_err(|error| failed(error.to_string()))?;
        let client = client.map_err(|error| failed(error.to_string()))?;
        made.push((options, client.clone()));
        Ok(client)
    }
}

fn make(options: HttpOptions) -> reqwest::Result<Client> {
    // The cryptography is ring's. A second installation in one process is refused and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // No total timeout: an answer may stream for an hour. No redirects: a key must not follow one to another host.
    let builder = Client::builder()
        .user_agent(concat!("souffleur/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(options.connect_timeout)
        .read_timeout(options.idle_timeout)
        .pool_idle_timeout(Duration::from_secs(30))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(10))
        .redirect(Policy::none());
    if options.http1_only { builder.http1_only() } else { builder }.build()
}

/// What lies at the bottom of an error: `Connection refused`, where the error itself only says that sending failed.
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
