//! The simulated provider: answers without a key, a network or a model, in Anthropic's wire format, through the same
//! decoder and mapper as Anthropic's own answers. The same prompt always gets the same answer.

mod respond;
mod script;
mod wire;

use std::path::PathBuf;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream as streams};

use super::anthropic::{self, classify};
use super::http::Failure;
use super::{Category, CompletionRequest, CompletionStream, Error, Provider};
use script::Step;

/// The part before the colon of the simulated models' names.
pub const NAME: &str = "sim";

/// The simulated provider.
pub struct Sim {
    script: Option<PathBuf>,
}

impl Sim {
    /// Answers by the script file, if one is named, else by the prompt.
    pub fn new(script: Option<PathBuf>) -> Self {
        Self { script }
    }
}

impl Provider for Sim {
    fn complete(&self, request: CompletionRequest) -> CompletionStream {
        let file = self.script.clone();
        let answer = async move {
            let script = match file {
                Some(path) => Some(tokio::fs::read_to_string(&path).await.map_err(|error| {
                    Error::new(Category::Config, format!("the sim script {} cannot be read: {error}", path.display()))
                })?),
                None => None,
            };
            let steps = respond::steps(&request, script.as_deref())?;
            if let Some(Step::Status(status)) = steps.first() {
                return Err(classify(&failure(*status)));
            }
            if steps.first() == Some(&Step::Html) {
                let message = "the provider answered with text/html instead of an event stream";
                return Err(Error::new(Category::UnexpectedResponse, message));
            }
            // The body is built as it would be for the wire, so that a request that cannot be sent fails here too.
            let model = request.model.clone();
            let body = anthropic::body(request)?;
            Ok(anthropic::events(bytes(wire::encode(&steps, model.model(), body.len())).boxed()))
        };
        streams::once(answer).try_flatten().boxed()
    }
}

fn failure(status: u16) -> Failure {
    Failure {
        status,
        headers: vec![("request-id".to_owned(), "req_sim".to_owned())],
        body: wire::error_body(match status {
            400 => "invalid_request_error",
            401 => "authentication_error",
            429 => "rate_limit_error",
            529 => "overloaded_error",
            _ => "api_error",
        }),
    }
}

fn bytes(parts: Vec<wire::Part>) -> impl futures_util::Stream<Item = Result<Bytes, Error>> {
    streams::iter(parts).flat_map(|part| match part {
        wire::Part::Bytes(bytes) => streams::iter([Ok(bytes)]).boxed(),
        wire::Part::Pause(pause) => streams::once(tokio::time::sleep(pause)).filter_map(|()| async { None }).boxed(),
        wire::Part::Count { block, count, pause } => streams::iter(0..count)
            .then(move |number| async move {
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
                Ok(wire::counted(block, number))
            })
            .boxed(),
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
