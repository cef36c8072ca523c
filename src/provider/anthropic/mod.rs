//! Anthropic's Messages API.

mod errors;
mod request;
mod stream;
mod wire;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream as streams};
use secrecy::ExposeSecret;

use super::http::{self, Failure, Http};
use super::{Category, CompletionRequest, CompletionStream, Error, Provider};
use crate::auth::Credential;
use crate::chat::CompletionEvent;
use crate::error::UserError;

pub use errors::classify;
pub use request::body;
pub use stream::{Mapper, events};

/// The version of the API that requests are written for.
pub const API_VERSION: &str = "2026-10-21";

/// Anthropic's models, over HTTP.
pub struct Anthropic {
    base_url: String,
    credential: Result<Credential, UserError>,
    http: Arc<Http>,
}

impl Anthropic {
    /// Talks to `base_url` (with or without `/v1`) with `credential`.
    pub fn new(base_url: String, credential: Result<Credential, UserError>, http: Arc<Http>) -> Self {
        Self { base_url, credential, http }
    }
}

impl Provider for Anthropic {
    fn complete(&self, request: CompletionRequest) -> CompletionStream {
        let url = endpoint(&self.base_url);
        let credential = self.credential.clone();
        let http = self.http.clone();
        let connect = async move {
            let body = Bytes::from(request::body(&request)?);
            drop(request);
            connect(&http, url, credential?, body).await
        };
        streams::once(connect).try_flatten().boxed()
    }

    fn ready(&self) -> Result<(), UserError> {
        self.credential.as_ref().map(drop).map_err(Clone::clone)
    }
}

fn endpoint(base_url: &str) -> String {
    let base = base_url.trim().trim_end_matches('/');
    let base = base.strip_suffix("/v1").unwrap_or(base);
    format!("{base}/v1/messages")
}

async fn connect(
    http: &Http,
    url: String,
    credential: Credential,
    body: Bytes,
) -> Result<impl Stream<Item = Result<CompletionEvent, Error>> + use<>, Error> {
    let request = http
        .client()?
        .post(url)
        .header("content-type", "application/json")
        .header("accept", "text/event-stream")
        .header("anthropic-version", API_VERSION)
        .header("x-api-key", key_header(&credential)?)
        .body(body);
    let response = http::send(request).await?;
    let request_id = response.headers().get("request-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    if !response.status().is_success() {
        return Err(classify(&Failure::read(response).await));
    }
    http::expect_event_stream(&response).map_err(|error| Error { request_id: request_id.clone(), ..error })?;
    let bytes = response.bytes_stream().map_err(Error::from).boxed();
    Ok(events(bytes)
        .with_rest(http::finish)
        .map_err(move |error| Error { request_id: error.request_id.or(request_id.clone()), ..error }))
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
