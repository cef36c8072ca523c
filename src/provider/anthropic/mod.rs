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
use reqwest::RequestBuilder;
use secrecy::ExposeSecret;

use super::http::{self, Failure};
use super::observe;
use super::recorder::Recording;
use super::retry::{Attempt, with_retries};
use super::{ApiVersion, Category, CompletionRequest, CompletionStream, Error, Limiter, Provider, RetryPolicy};
use crate::auth::Credential;
use crate::chat::{CompletionEvent, Usage};
use crate::error::UserError;
use crate::models::{Catalog, ModelInfo, RemoteModel, today_and_soon};
use crate::net::Http;
use plan::Plan;

pub use errors::classify;
pub use stream::{Events, Mapper, events};

/// The part before the colon of these models' names.
pub const NAME: &str = "anthropic";
/// Needed for dropping thinking that is bound to another conversation.
const DROP_THINKING: &str = "thinking-binding-controls-2026-08-01";

/// Anthropic's models, over HTTP.
pub struct Anthropic {
    /// Where messages are sent; see [`endpoint`].
    pub(super) endpoint: Arc<str>,
    pub(super) credential: Result<Credential, UserError>,
    pub(super) http: Arc<Http>,
    pub(super) policy: RetryPolicy,
    pub(super) limiter: Option<Arc<Limiter>>,
    /// The directory to record to.
    pub(super) record: Option<PathBuf>,
    pub(super) catalog: Arc<Catalog>,
    /// The version of the API where no request names one.
    pub(super) version: Result<ApiVersion, UserError>,
}

impl Provider for Anthropic {
    fn complete(&self, request: CompletionRequest) -> CompletionStream {
        let (sending, notices) = match Sending::new(self, request) {
            Ok((sending, notices)) => (Arc::new(sending), notices),
            Err(error) => return streams::iter([Err(error)]).boxed(),
        };
        let model = sending.planned.request.model.clone();
        let begin = move |attempt: Attempt| {
            let sending = sending.clone();
            streams::once(async move { sending.connect(attempt).await }).try_flatten().boxed()
        };
        let answer = with_retries(NAME, model.model(), self.policy.clone(), self.limiter.clone(), Box::new(begin));
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

/// Where messages are sent, of a base URL with or without `/v1`.
pub(super) fn endpoint(base_url: &str) -> String {
    let base = base_url.trim().trim_end_matches('/');
    let base = base.strip_suffix("/v1").unwrap_or(base);
    format!("{base}/v1/messages")
}

/// A request that was checked: what is asked of the model is what it takes.
struct Planned {
    request: CompletionRequest,
    info: Arc<ModelInfo>,
    plan: Plan,
}

impl Planned {
    fn new(request: CompletionRequest, catalog: &Catalog) -> Result<Self, Error> {
        let id = request.model.model();
        let info = catalog.anthropic(id);
        let has_tools = !request.tools.is_empty();
        let plan = plan::plan(id, &info, &request.options, request.max_output_tokens, has_tools)?;
        media::check(request.messages.iter().map(AsRef::as_ref))?;
        Ok(Self { request, info, plan })
    }

    fn body(&self, drop_thinking: bool) -> Result<Bytes, Error> {
        request::body(&self.request, &self.plan, drop_thinking).map(Bytes::from)
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
    Planned::new(request, &Catalog::default())?.body(false)
}

/// A request on its way, as often as it is sent.
struct Sending {
    http: Arc<Http>,
    endpoint: Arc<str>,
    credential: Credential,
    planned: Planned,
    body: Bytes,
    record: Option<PathBuf>,
}

impl Sending {
    /// A request to `provider`, and what the user is told before the answer.
    fn new(
        provider: &Anthropic,
        request: CompletionRequest,
    ) -> Result<(Self, Vec<Result<CompletionEvent, Error>>), Error> {
        let credential = provider.credential.clone()?;
        let planned = Planned::new(request, &provider.catalog)?;
        let notices = planned.notices();
        let (http, endpoint, record) = (provider.http.clone(), provider.endpoint.clone(), provider.record.clone());
        Ok((Self { http, endpoint, credential, body: planned.body(false)?, planned, record }, notices))
    }

    async fn connect(
        &self,
        attempt: Attempt,
    ) -> Result<impl Stream<Item = Result<CompletionEvent, Error>> + use<>, Error> {
        let mut betas = self.planned.plan.betas.clone();
        let mut body = self.body.clone();
        if attempt.drop_thinking {
            betas.push(DROP_THINKING.to_owned());
            body = self.planned.body(true)?;
        }
        let post = self.http.client().await?.post(&*self.endpoint).header("content-type", "application/json");
        let version = self.planned.request.options.anthropic.version;
        let post = with_headers(post.header("accept", "text/event-stream"), version, &self.credential, &betas)?;
        let mut recording = self.record.as_ref().map(|directory| Recording::new(directory, NAME, &body));
        let response = http::send(post.body(body)).await?;
        if let Some(recording) = &mut recording {
            recording.head(&response);
        }
        let request_id = http::request_id(&response);
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
}

/// Adds what every request to the API carries.
fn with_headers(
    request: RequestBuilder,
    version: ApiVersion,
    credential: &Credential,
    betas: &[String],
) -> Result<RequestBuilder, Error> {
    let request = request.header("anthropic-version", version.as_str()).header("x-api-key", key_header(credential)?);
    Ok(if betas.is_empty() { request } else { request.header("anthropic-beta", betas.join(",")) })
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
