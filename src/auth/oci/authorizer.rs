//! Signing requests as they leave, with a credential that is read when first needed and renewed as it grows old.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Request};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::load::{Loaded, load};
use super::options::{Endpoint, Resolved};
use super::problem;
use super::sign::{ToSign, has_body, sign};
use crate::auth::{Authorized, Authorizer};
use crate::config::Environment;
use crate::error::{ErrorCode, UserError};

/// How long a session token is used before its file is read again.
const RENEW_AFTER: Duration = Duration::from_secs(600);
/// How long before its end a session token is no longer relied on.
const MARGIN: Duration = Duration::from_secs(60);
/// Other ways to say who is asking. None of them may stand beside a signature.
const OTHER_CREDENTIALS: [HeaderName; 3] =
    [AUTHORIZATION, HeaderName::from_static("x-api-key"), HeaderName::from_static("x-goog-api-key")];
const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-content-sha256");
const COMPARTMENT: HeaderName = HeaderName::from_static("opc-compartment-id");
const DELEGATION: &str = "opc-obo-token";

/// A kind of credential, as it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OciKind {
    /// A user's API key.
    ApiKey,
    /// A user's session, signed in with `oci session authenticate`.
    SessionToken,
    /// A resource principal.
    ResourcePrincipal,
}

impl OciKind {
    /// Whether it can become another one while the program runs.
    fn is_renewed(self) -> bool {
        matches!(self, Self::SessionToken | Self::ResourcePrincipal)
    }
}

/// What is known about a credential that was read. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OciFacts {
    /// The kind of credential.
    pub kind: OciKind,
    /// Where it was found, for people.
    pub source: String,
    /// The fingerprint of its key.
    pub fingerprint: String,
    /// When it expires, where that is known.
    pub expires: Option<SystemTime>,
    /// Where its requests go, and on whose account.
    pub endpoint: Endpoint,
    /// What is wrong with it without keeping it from being used; the last failure to renew it among them.
    pub warnings: Vec<String>,
}

/// Signs requests with the credential that [`resolve`](super::resolve) found to be meant.
#[derive(Debug)]
pub struct OciAuthorizer {
    plan: Arc<Plan>,
    /// Locked while the credential is read, so that it is read once for all who wait.
    state: Mutex<State>,
}

/// What is read, and from where.
#[derive(Debug)]
struct Plan {
    resolved: Resolved,
    environment: Environment,
    home: PathBuf,
    /// How often it was read.
    #[cfg(test)]
    reads: std::sync::atomic::AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    current: Option<Arc<Signer>>,
    /// When the credential was last read, or last failed to be.
    read_at: Option<Instant>,
    /// Why it could not be renewed when it was last tried.
    failure: Option<UserError>,
}

#[derive(Debug)]
struct Signer {
    loaded: Loaded,
    endpoint: Endpoint,
    generation: u64,
}

impl OciAuthorizer {
    /// An authorizer for what `resolved` means. Nothing is read yet.
    pub fn new(resolved: Resolved, environment: Environment, home: PathBuf) -> Self {
        let plan = Plan {
            resolved,
            environment,
            home,
            #[cfg(test)]
            reads: std::sync::atomic::AtomicUsize::default(),
        };
        Self { plan: Arc::new(plan), state: Mutex::default() }
    }

    /// Where requests go. Reads the credential, which may name the region.
    ///
    /// # Errors
    /// As for [`Authorizer::authorize`].
    pub async fn endpoint(&self) -> Result<Endpoint, UserError> {
        Ok(self.current().await?.endpoint.clone())
    }

    /// What is known about the credential. Reads it.
    ///
    /// # Errors
    /// `auth.*` and `config.invalid` when there is none that can be read. An expired one is no error here.
    pub async fn facts(&self) -> Result<OciFacts, UserError> {
        let mut state = self.state.lock().await;
        let signer = self.fresh(&mut state).await?;
        let loaded = &signer.loaded;
        let failure = state.failure.iter().map(|error| format!("it could not be renewed: {error}"));
        Ok(OciFacts {
            kind: loaded.kind,
            source: loaded.source.clone(),
            fingerprint: loaded.key.fingerprint().to_owned(),
            expires: loaded.expires,
            endpoint: signer.endpoint.clone(),
            warnings: loaded.warnings.iter().cloned().chain(failure).collect(),
        })
    }

    /// The credential, renewed if it was due.
    async fn current(&self) -> Result<Arc<Signer>, UserError> {
        let signer = self.fresh(&mut *self.state.lock().await).await?;
        if signer.expires_within(Duration::ZERO) { Err(expired(&signer.loaded)) } else { Ok(signer) }
    }

    /// The credential, which may have expired; renewed if it was due and could be.
    async fn fresh(&self, state: &mut State) -> Result<Arc<Signer>, UserError> {
        if let Some(signer) = state.current.as_ref().filter(|signer| !state.is_due(signer)) {
            return Ok(signer.clone());
        }
        self.renew(state).await
    }

    /// Reads the credential again. When that fails the old one stays.
    async fn renew(&self, state: &mut State) -> Result<Arc<Signer>, UserError> {
        let plan = self.plan.clone();
        #[cfg(test)]
        plan.reads.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let read = tokio::task::spawn_blocking(move || {
            let loaded = load(&plan.resolved, &plan.environment, &plan.home)?;
            let endpoint = plan.resolved.endpoint(loaded.region.as_deref(), loaded.tenancy.as_deref())?;
            Ok((loaded, endpoint))
        });
        let read = read.await.unwrap_or_else(|error| Err(problem(ErrorCode::ServerInternal, error.to_string())));
        state.read_at = Some(Instant::now());
        match (read, &state.current) {
            (Ok((loaded, endpoint)), old) => {
                let generation = match old {
                    Some(old) if old.loaded.is_same(&loaded) => old.generation,
                    Some(old) => old.generation + 1,
                    None => 0,
                };
                for warning in &loaded.warnings {
                    tracing::warn!("{warning}");
                }
                let signer = Arc::new(Signer { loaded, endpoint, generation });
                state.current = Some(signer.clone());
                state.failure = None;
                Ok(signer)
            }
            (Err(error), Some(old)) => {
                tracing::warn!(%error, "the credential for OCI could not be renewed; the old one is used on");
                let old = old.clone();
                state.failure = Some(error);
                Ok(old)
            }
            (Err(error), None) => Err(error),
        }
    }
}

impl Authorizer for OciAuthorizer {
    fn authorize(&self, request: Request) -> BoxFuture<'_, Result<Authorized, UserError>> {
        Box::pin(async move {
            let signer = self.current().await?;
            let request = signer.signed(request, SystemTime::now())?;
            Ok(Authorized { request, generation: signer.generation })
        })
    }

    fn refused(&self, generation: u64) -> BoxFuture<'_, Result<bool, UserError>> {
        Box::pin(async move {
            let mut state = self.state.lock().await;
            let Some(signer) = state.current.clone() else { return Ok(false) };
            // Another request may have been refused before, and renewed it.
            if signer.generation != generation {
                return Ok(true);
            }
            Ok(signer.loaded.kind.is_renewed() && self.renew(&mut state).await?.generation != generation)
        })
    }
}

impl State {
    fn is_due(&self, signer: &Signer) -> bool {
        let old = self.read_at.is_none_or(|at| at.elapsed() >= RENEW_AFTER);
        signer.loaded.kind.is_renewed() && (old || signer.expires_within(MARGIN))
    }
}

impl Signer {
    fn expires_within(&self, margin: Duration) -> bool {
        self.loaded.expires.is_some_and(|end| end <= SystemTime::now() + margin)
    }

    /// `request` with a signature over it, and whatever else OCI wants to see.
    fn signed(&self, mut request: Request, now: SystemTime) -> Result<Request, UserError> {
        let body = match request.body().map(Body::as_bytes) {
            None => Vec::new(),
            Some(Some(bytes)) => bytes.to_vec(),
            Some(None) => return Err(problem(ErrorCode::ServerInternal, "a streamed body cannot be signed")),
        };
        let method = request.method().clone();
        let (url, date) = (request.url().clone(), httpdate::fmt_http_date(now));
        let headers = request.headers_mut();
        for name in OTHER_CREDENTIALS {
            headers.remove(name);
        }
        if has_body(method.as_str()) && !headers.contains_key(CONTENT_TYPE) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let content_type =
            headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let delegation = self.loaded.delegation().map(|token| (DELEGATION, token));
        let to_sign = ToSign {
            method: method.as_str(),
            url: &url,
            date: &date,
            content_type: &content_type,
            body: &body,
            extra: delegation.as_slice(),
            with_host: true,
        };
        let signed = sign(&to_sign, self.loaded.key_id.expose_secret(), &self.loaded.key)
            .map_err(|error| problem(ErrorCode::AuthInvalid, format!("the request cannot be signed: {error}")))?;
        insert(headers, DATE, &date)?;
        if let Some(body) = &signed.body {
            insert(headers, CONTENT_SHA256, &body.sha256)?;
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.length));
        }
        if let Some((name, token)) = delegation {
            insert(headers, HeaderName::from_static(name), token)?;
        }
        if let Some(id) = self.endpoint.compartment.as_deref().filter(|_| !headers.contains_key(COMPARTMENT)) {
            insert(headers, COMPARTMENT, id)?;
        }
        insert(headers, AUTHORIZATION, &signed.authorization)?;
        Ok(request)
    }
}

/// Sets a header. Those that hold a secret are never shown by `Debug`.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), UserError> {
    let wrong = |_| problem(ErrorCode::AuthInvalid, format!("the value for the header {name} has control characters"));
    let mut value = HeaderValue::from_str(value).map_err(wrong)?;
    value.set_sensitive(name == AUTHORIZATION || name == DELEGATION);
    headers.insert(name, value);
    Ok(())
}

fn expired(loaded: &Loaded) -> UserError {
    let end = loaded.expires.map(httpdate::fmt_http_date).unwrap_or_default();
    let error = problem(ErrorCode::AuthExpired, format!("the session token of OCI expired ({end})"));
    error.with_hint(match loaded.kind {
        OciKind::SessionToken => {
            "renew it with oci session refresh while it is valid, or sign in anew with oci session authenticate"
        }
        OciKind::ApiKey | OciKind::ResourcePrincipal => {
            "OCI renews it where the program runs; if it did not, start the program again"
        }
    })
}

#[cfg(test)]
#[path = "authorizer_tests.rs"]
mod tests;
