//! The way of a request to a provider and back, the same for every vendor: credential, recording, failure, retries.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream as streams};
use reqwest::{Client, Request, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use super::http::{self, Failure};
use super::recorder::Recording;
use super::retry::{Attempt, retried, with_retries};
use super::{CompletionStream, Error, Limiter, RetryPolicy, observe};
use crate::auth::Authorizer;
use crate::chat::CompletionEvent;
use crate::error::UserError;
use crate::net::{Http, HttpOptions};

/// Everything that is between a provider's mapper and the network.
#[derive(Clone)]
pub(super) struct Channel {
    /// The provider's name.
    pub(super) provider: Arc<str>,
    pub(super) http: Arc<Http>,
    pub(super) http_options: HttpOptions,
    /// Puts the credential on each request.
    pub(super) authorizer: Arc<dyn Authorizer>,
    pub(super) policy: RetryPolicy,
    pub(super) limiter: Option<Arc<Limiter>>,
    /// The directory to record to.
    pub(super) record: Option<PathBuf>,
    /// Makes an error of a failed response.
    pub(super) classify: Arc<dyn Fn(&Failure) -> Error + Send + Sync>,
}

/// A response that streams.
pub(super) struct Streaming {
    /// Its bytes as they arrive.
    pub(super) bytes: BoxStream<'static, Result<Bytes, Error>>,
    /// The provider's id of the request.
    pub(super) request_id: Option<String>,
}

impl Channel {
    /// Checks without any network that a request could be sent.
    pub(super) fn ready(&self) -> Result<(), UserError> {
        self.authorizer.ready()
    }

    /// The client.
    pub(super) async fn client(&self) -> Result<Client, Error> {
        Ok(self.http.client_with(self.http_options).await?)
    }

    /// Answers through `begin`, as often as the policy says, after `notices`.
    pub(super) fn answer<S>(
        &self,
        model: &str,
        notices: Vec<CompletionEvent>,
        begin: impl Fn(Attempt) -> S + Send + 'static,
    ) -> CompletionStream
    where
        S: Future<Output = Result<CompletionStream, Error>> + Send + 'static,
    {
        let begin = move |attempt: Attempt| streams::once(begin(attempt)).try_flatten().boxed();
        let answer =
            with_retries(self.provider.clone(), model, self.policy.clone(), self.limiter.clone(), Box::new(begin));
        if notices.is_empty() { answer } else { streams::iter(notices.into_iter().map(Ok)).chain(answer).boxed() }
    }

    /// Sends `body` and gives back the response's bytes as they arrive. `expect` checks the response's head.
    pub(super) async fn stream(
        &self,
        post: RequestBuilder,
        body: Bytes,
        expect: fn(&Response) -> Result<(), Error>,
    ) -> Result<Streaming, Error> {
        let mut recording = self.record.as_ref().map(|directory| Recording::new(directory, &self.provider, &body));
        let response = self.send(post.body(body).build()?).await?;
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
            return Err((self.classify)(&failure));
        }
        expect(&response).map_err(|error| Error { request_id: request_id.clone(), ..error })?;
        let bytes = response.bytes_stream().map_err(Error::from);
        let bytes = match recording {
            Some(mut recording) => bytes.inspect_ok(move |chunk| recording.body(chunk)).boxed(),
            None => bytes.boxed(),
        };
        Ok(Streaming { bytes, request_id })
    }

    /// Sends a request, again where that may help, and reads its answer, which is one JSON value.
    pub(super) async fn json<F>(&self, build: F) -> Result<Value, Error>
    where
        F: Fn(Client) -> RequestBuilder,
    {
        retried(&self.policy, self.limiter.clone(), || async {
            let request = build(self.client().await?).header("accept", "application/json").build()?;
            let response = self.send(request).await?;
            let request_id = http::request_id(&response);
            if !response.status().is_success() {
                return Err((self.classify)(&Failure::read(response).await));
            }
            http::read_json(response).await.map_err(|error| Error { request_id, ..error })
        })
        .await
    }

    /// Sends a request with its credential. One that is refused, and can be renewed, is renewed, and the request is sent
    /// once more.
    async fn send(&self, request: Request) -> Result<Response, Error> {
        let client = self.client().await?;
        let again = request.try_clone();
        let authorized = self.authorizer.authorize(request).await?;
        let response = http::send(&client, authorized.request).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let Some(again) = again else { return Ok(response) };
        if !self.authorizer.refused(authorized.generation).await? {
            return Ok(response);
        }
        tracing::info!(provider = %self.provider, "the credential was refused and renewed; the request is sent again");
        http::send(&client, self.authorizer.authorize(again).await?.request).await
    }
}

impl Streaming {
    /// Lets the events that come of the bytes name the request.
    pub(super) fn named<S>(request_id: Option<String>, events: S) -> CompletionStream
    where
        S: futures_util::Stream<Item = Result<CompletionEvent, Error>> + Send + 'static,
    {
        events
            .map_err(move |error| Error { request_id: error.request_id.clone().or(request_id.clone()), ..error })
            .boxed()
    }
}
