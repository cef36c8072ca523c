//! Sending requests, and reading what comes back.

use std::time::Duration;

use futures_util::{Stream, StreamExt};
use reqwest::{Client, Request, Response};

use super::error::{Category, Error};

/// How long the end of a body may take after its last event.
const FINISH_TIMEOUT: Duration = Duration::from_secs(1);
/// The headers in which vendors name a request.
const REQUEST_IDS: [&str; 3] = ["request-id", "x-request-id", "opc-request-id"];
/// How much of an answer that comes whole is read.
const MAX_JSON_BYTES: usize = 16 * 1024 * 1024;
/// How much of an error's body is read.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// Sends a request. A kept connection that the provider closed just then fails before anything of a response arrived;
/// the request is sent once more then, over a new one.
///
/// # Errors
/// As [`Error::from`] classes them.
pub async fn send(client: &Client, request: Request) -> Result<Response, Error> {
    let again = request.try_clone();
    match (client.execute(request).await, again) {
        (Err(error), Some(again)) if error.is_request() && !error.is_connect() && !error.is_timeout() => {
            tracing::debug!("a kept connection was gone; the request is sent again");
            Ok(client.execute(again).await?)
        }
        (result, _) => Ok(result?),
    }
}

/// The provider's id of the request.
pub fn request_id(response: &Response) -> Option<String> {
    let header = |name: &str| response.headers().get(name)?.to_str().ok();
    REQUEST_IDS.iter().find_map(|name| header(name)).map(str::to_owned)
}

/// Reads what follows the last event of a body, so that its connection can be used again. Not for long: a provider
/// that keeps it open loses it.
pub fn finish<S>(mut rest: S)
where
    S: Stream + Send + Unpin + 'static,
{
    tokio::spawn(tokio::time::timeout(FINISH_TIMEOUT, async move { while rest.next().await.is_some() {} }));
}

/// What of a failed response tells about the failure.
#[derive(Clone, Debug, Default)]
pub struct Failure {
    /// The HTTP status.
    pub status: u16,
    /// The headers, by lower-case name.
    pub headers: Vec<(String, String)>,
    /// The beginning of the body.
    pub body: String,
}

impl Failure {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Reads a failed response, a bounded part of its body, for a bounded time.
    pub async fn read(response: Response) -> Self {
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect();
        let mut body = Vec::new();
        let mut chunks = response.bytes_stream();
        let read = async {
            while let Some(Ok(chunk)) = chunks.next().await {
                body.extend_from_slice(&chunk[..chunk.len().min(MAX_ERROR_BYTES - body.len())]);
                if body.len() >= MAX_ERROR_BYTES {
                    break;
                }
            }
        };
        // What arrived in time is enough to say what went wrong.
        let _ = tokio::time::timeout(Duration::from_secs(5), read).await;
        Self { status, headers, body: String::from_utf8_lossy(&body).into_owned() }
    }
}

/// Reads a successful response that is one JSON value.
///
/// # Errors
/// [`Category::UnexpectedResponse`] for what is none or is too large.
pub async fn read_json(response: Response) -> Result<serde_json::Value, Error> {
    let status = response.status().as_u16();
    let unexpected = |what: &str| Error {
        status: Some(status),
        ..Error::new(Category::UnexpectedResponse, format!("the provider answered with {what}"))
    };
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk?);
        if body.len() > MAX_JSON_BYTES {
            return Err(unexpected("more than is read of a list"));
        }
    }
    serde_json::from_slice(&body).map_err(|_| unexpected("something that is not JSON"))
}

/// The kind of a response's content, without its parameters, in lower case; empty when it is not said.
pub fn content_type(response: &Response) -> String {
    let kind = response.headers().get(reqwest::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

/// As [`expect_event_stream`], for servers that answer in JSON when they do not stream; the body decides then.
///
/// # Errors
/// [`Category::UnexpectedResponse`] for HTML.
pub fn expect_events_or_json(response: &Response) -> Result<(), Error> {
    match content_type(response).as_str() {
        "application/json" | "application/x-ndjson" | "text/plain" => Ok(()),
        _ => expect_event_stream(response),
    }
}

/// Checks that a successful response is an event stream, so that a login page is not read as an empty answer.
///
/// # Errors
/// [`Category::UnexpectedResponse`] for HTML and plain text.
pub fn expect_event_stream(response: &Response) -> Result<(), Error> {
    let kind = content_type(response);
    if response.status() == reqwest::StatusCode::NO_CONTENT {
        return Err(Error::new(Category::UnexpectedResponse, "the provider answered with nothing (HTTP 204)"));
    }
    match kind.as_str() {
        // Some gateways forget the type or send a neutral one; the body decides then.
        "text/event-stream" | "" | "application/octet-stream" => Ok(()),
        other => Err(Error {
            status: Some(response.status().as_u16()),
            ..Error::new(
                Category::UnexpectedResponse,
                format!("the provider answered with {other} instead of an event stream"),
            )
        }),
    }
}
