//! HTTP: one shared client.
//!
//! *For*: everything that goes over the network, a provider's requests and those for credentials alike.
//! *Owns*: the client, its timeouts, and the rule that a redirect is never followed.
//! *Must not know*: providers, credentials, what is in a request.

use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::sync::OnceCell;

use crate::error::{ErrorCode, UserError};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a stream may be silent, its headers included. Models think for long; providers send pings meanwhile.
const READ_TIMEOUT: Duration = Duration::from_secs(180);

/// The client of all requests. Making it reads the system's certificates, so it is made when first used, and on a
/// thread of its own: opening an editor costs no time for it, and no other session waits for it.
#[derive(Debug, Default)]
pub struct Http(OnceCell<Client>);

impl Http {
    /// The client.
    ///
    /// # Errors
    /// `server.internal` when TLS cannot be set up.
    pub async fn client(&self) -> Result<Client, UserError> {
        let failed = |why: String| UserError::new(ErrorCode::ServerInternal, format!("no HTTP client: {why}"));
        let made = self.0.get_or_try_init(|| async {
            let made = tokio::task::spawn_blocking(make).await.map_err(|error| failed(error.to_string()))?;
            made.map_err(|error| failed(error.to_string()))
        });
        made.await.cloned()
    }
}

fn make() -> reqwest::Result<Client> {
    // The cryptography is ring's. A second installation in one process is refused and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // No total timeout: an answer may stream for an hour. No redirects: a key must not follow one to another host.
    Client::builder()
        .user_agent(concat!("souffleur/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .pool_idle_timeout(Duration::from_secs(30))
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(10))
        .redirect(Policy::none())
        .build()
}
