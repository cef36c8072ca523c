//! Anthropic's Messages API.

mod api;
mod blocks;
mod errors;
mod media;
mod plan;
mod request;
mod stream;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{Stream, StreamExt, TryStreamExt, stream as streams};
use secrecy::ExposeSecret;

use super::http::{self, Failure, Http};
use super::observe;
use super::recorder::Recording;
use super::retry::{Attempt, with_retries};
use super::{ApiVersion, Category, CompletionRequest, CompletionStream, Error, Limiter, Provider, RetryPolicy};
use crate::auth::Credential;
use crate::chat::{CompletionEvent, Usage};
use crate::error::UserError;
use crate::models::{Catalog, ModelInfo, RemoteModel, today_and_soon};
use plan::Plan;

pub use errors::classify;
pub use stream::{Events, Mapper, events};

/// The part before the colon of these models' names.
pub const NAME: &str = "anthropic";
/// Needed for dropping thinking that is bound to another conversation.
const DROP_THINKING: &str = "thinking-binding-controls-2026-08-01";

/// Anthropic's models, over HTTP.
pub struct Anthropic {
    endpoint: Arc<str>,
    credential: Result<Credential, UserError>,
    http: Arc<Http>,
    policy: RetryPolicy,
    limiter: Option<Arc<Limiter>>,
    record: Option<PathBuf>,
    catalog: Arc<Catalog>,
    version: Result<ApiVersion, UserError>,
}

impl Anthropic {
    /// Talks to `base_url` (with or without `/v1`) with `credential`. Records to the directory `record`.
    pub fn new(
        base_url: &str,
        credential: Result<Credential, UserError>,
        http: Arc<Http>,
        policy: RetryPolicy,
        limiter: Option<Arc<Limiter>>,
        record: Option<PathBuf>,
    ) -> Self {
        let endpoint = endpoint(base_url).into();
        let (catalog, version) = (Arc::default(), Ok(ApiVersion::default()));
        Self { endpoint, credential, http, policy, limiter, record, catalog, version }
    }

    /// Takes what it knows about models from `catalog`, and speaks this version of the API where no request names one.
    #[must_use]
    pub fn with(mut self, catalog: Arc<Catalog>, version: Result<ApiVersion, UserError>) -> Self {
        self.catalog = catalog;
        self.version = version;
        self
    }
}

impl Provider for Anthropic {
    fn complete(&self, request: CompletionRequest) -> CompletionStream {
        let prepared = self.credential.clone().map_err(Error::from).and_then(|credential| {
            let prepared = Prepared { record: self.record.clone(), ..Prepared::new(request, &self.catalog)? };
            Ok((prepared, credential))
        });
        let (prepared, credential) = match prepared {
            Ok((prepared, credential)) => (Arc::new(prepared), credential),
            Err(error) => return streams::iter([Err(error)]).boxed(),
        };
        let notices: Vec<_> = prepared.notices();
        let model = prepared.request.model.model().to_owned();
        let (endpoint, http) = (self.endpoint.clone(), self.http.clone());
        let begin = move |attempt: Attempt| {
            let (prepared, credential) = (prepared.clone(), credential.clone());
            let (endpoint, http) = (endpoint.clone(), http.clone());
            streams::once(async move { connect(&http, &endpoint, &credential, &prepared, attempt).await })
                .try_flatten()
                .boxed()
        };
        let answer = with_retries(NAME, &model, self.policy.clone(), self.limiter.clone(), Box::new(begin));
        if notices.is_empty() { answer } else { streams::iter(notices).chain(answer).boxed() }
    }

    fn ready(&self) -> Result<(), UserError> {
        self.credential.as_ref().map(drop).map_err(Clone::clone)
    }

    fn models(&self) -> BoxFuture<'static, Result<Vec<RemoteModel>, Error>> {
        api::models(self)
    }

    fn count_tokens(&self, request: CompletionRequest) -> BoxFuture<'static, Result<Option<u64>, Error>> {
        api::count_tokens(self, request)
    }

    fn warm(&self, request: CompletionRequest) -> BoxFuture<'static, Result<Option<Usage>, Error>> {
        api::warm(self, request)
    }
}

fn endpoint(base_url: &str) -> String {
    let base = base_url.trim().trim_end_matches('/');
    let base = base.strip_suffix("/v1").unwrap_or(base);
    format!("{base}/v1/messages")
}

/// A request that was checked and encoded.
struct Prepared {
    request: CompletionRequest,
    info: Arc<ModelInfo>,
    plan: Plan,
    body: Bytes,
    record: Option<PathBuf>,
}

impl Prepared {
    fn new(request: CompletionRequest, catalog: &Catalog) -> Result<Self, Error> {
        let id = request.model.model();
        let info = catalog.anthropic(id);
        let has_tools = !request.tools.is_empty();
        let plan = plan::plan(id, &info, &request.options, request.max_output_tokens, has_tools)?;
        media::check(request.messages.iter().map(AsRef::as_ref))?;
        let body = Bytes::from(request::body(&request, &plan, false)?);
        Ok(Self { request, info, plan, body, record: None })
    }

    /// What the user is told before the answer.
    fn notices(&self) -> Vec<Result<CompletionEvent, Error>> {
        let (today, soon) = today_and_soon();
        let retirement = plan::lifecycle(self.request.model.model(), &self.info, &today, &soon);
        let notices = self.plan.notices.iter().cloned().chain(retirement);
        notices
            .map(|notice| {
                let (level, code, message) = (notice.level, notice.code.to_owned(), notice.message);
                Ok(CompletionEvent::Notice { level, code, message })
            })
            .collect()
    }
}

/// The body of `request` as it would be sent.
///
/// # Errors
/// What is wrong with the request.
pub fn body(request: CompletionRequest) -> Result<Bytes, Error> {
    Ok(Prepared::new(request, &Catalog::default())?.body)
}

async fn connect(
    http: &Http,
    endpoint: &str,
    credential: &Credential,
    prepared: &Prepared,
    attempt: Attempt,
) -> Result<impl Stream<Item = Result<CompletionEvent, Error>> + use<>, Error> {
    let mut betas = prepared.plan.betas.clone();
    let mut body = prepared.body.clone();
    if attempt.drop_thinking {
        betas.push(DROP_THINKING.to_owned());
        body = Bytes::from(request::body(&prepared.request, &prepared.plan, true)?);
    }
    let mut request = http
        .client()
        .await?
        .post(endpoint)
        .header("content-type", "application/json")
        .header("accept", "text/event-stream")
        .header("anthropic-version", prepared.request.options.anthropic.version.as_str())
        .header("x-api-key", key_header(credential)?);
    if !betas.is_empty() {
        request = request.header("anthropic-beta", betas.join(","));
    }
    let mut recording = prepared.record.as_ref().map(|directory| Recording::new(directory, NAME, &body));
    let response = http::send(request.body(body)).await?;
    if let Some(recording) = &mut recording {
        recording.head(&response);
    }
    let request_id = response.headers().get("request-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    observe::answered(request_id.as_deref(), response.status().as_u16());
    if !response.status().is_success() {
        let failure = Failure::read(response).await;
        if let Some(recording) = &mut recording {
            recording.body(failure.body.as_bytes());
        }
        return Err(classify(&failure));
    }
    http::expect_event_stream(&response).map_err(|error| Error { request_id: request_id.clone(), ..error })?;
    let bytes = response.bytes_stream().map_err(Error::from);
    let bytes = match recording {
        Some(mut recording) => bytes.inspect_ok(move |chunk| recording.body(chunk)).boxed(),
        None => bytes.boxed(),
    };
    let events = events(bytes).with_rest(http::finish);
    Ok(events.map_err(move |error| Error { request_id: error.request_id.or(request_id.clone()), ..error }))
}

fn key_header(credential: &Credential) -> Result<reqwest::header::HeaderValue, Error> {
    let mut value = reqwest::header::HeaderValue::from_str(credential.secret.expose_secret()).map_err(|_| {
        Error::new(Category::Auth, format!("the key in {} has characters no key has", credential.source))
    })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_url_may_end_in_v1_or_a_slash() {
        for base in ["http://h", "http://h/", "http://h/v1", "http://h/v1/"] {
            assert_eq!(endpoint(base), "http://h/v1/messages");
        }
    }
}
