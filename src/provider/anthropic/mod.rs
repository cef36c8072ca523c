//! Anthropic's Messages API.

mod api;
mod blocks;
mod errors;
mod media;
mod plan;
mod request;
mod stream;
mod wire;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream as streams};
use reqwest::RequestBuilder;

use super::channel::{Channel, Streaming};
use super::http;
use super::retry::Attempt;
use super::{ApiVersion, CompletionRequest, CompletionStream, Error, Provider};
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
    /// Where messages are sent; see [`endpoint`].
    pub(super) endpoint: Arc<str>,
    pub(super) channel: Channel,
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
        self.channel.answer(model.model(), notices, move |attempt| {
            let sending = sending.clone();
            async move { sending.connect(attempt).await }
        })
    }

    fn ready(&self) -> Result<(), UserError> {
        self.channel.ready()
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
    fn notices(&self) -> Vec<CompletionEvent> {
        let (today, soon) = today_and_soon();
        let retirement = plan::lifecycle(self.request.model.model(), &self.info, &today, &soon);
        let notices = self.plan.notices.iter().cloned().chain(retirement);
        notices
            .map(|notice| {
                let (level, code, message) = (notice.level, notice.code.to_owned(), notice.message);
                CompletionEvent::Notice { level, code, message }
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
    channel: Channel,
    endpoint: Arc<str>,
    planned: Planned,
    body: Bytes,
}

impl Sending {
    /// A request to `provider`, and what the user is told before the answer.
    fn new(provider: &Anthropic, request: CompletionRequest) -> Result<(Self, Vec<CompletionEvent>), Error> {
        let planned = Planned::new(request, &provider.catalog)?;
        let notices = planned.notices();
        let (channel, endpoint) = (provider.channel.clone(), provider.endpoint.clone());
        Ok((Self { channel, endpoint, body: planned.body(false)?, planned }, notices))
    }

    async fn connect(&self, attempt: Attempt) -> Result<CompletionStream, Error> {
        let mut betas = self.planned.plan.betas.clone();
        let mut body = self.body.clone();
        if attempt.drop_thinking {
            betas.push(DROP_THINKING.to_owned());
            body = self.planned.body(true)?;
        }
        let post = self.channel.client().await?.post(&*self.endpoint).header("content-type", "application/json");
        let version = self.planned.request.options.anthropic.version;
        let post = with_headers(post.header("accept", "text/event-stream"), version, &betas);
        let answer = self.channel.stream(post, body, http::expect_event_stream).await?;
        Ok(Streaming::named(answer.request_id, events(answer.bytes).with_rest(http::finish)))
    }
}

/// Adds what every request to the API carries, besides the credential.
fn with_headers(request: RequestBuilder, version: ApiVersion, betas: &[String]) -> RequestBuilder {
    let request = request.header("anthropic-version", version.as_str());
    if betas.is_empty() { request } else { request.header("anthropic-beta", betas.join(",")) }
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
