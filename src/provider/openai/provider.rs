//! A server that speaks one of OpenAI's APIs, over HTTP.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream as streams};
use reqwest::RequestBuilder;
use serde_json::Value;
use uuid::Uuid;

use super::chat::{self, MapperOptions};
use super::{Api, Profile, responses};
use crate::auth::oci::OciAuthorizer;
use crate::chat::CompletionEvent;
use crate::error::{ErrorCode, UserError};
use crate::models::RemoteModel;
use crate::provider::channel::{Channel, Streaming};
use crate::provider::{Category, CompletionRequest, CompletionStream, Error, Provider, http};

/// A server's models, over HTTP.
pub struct OpenAi {
    pub(in crate::provider) profile: Profile,
    pub(in crate::provider) channel: Channel,
    /// Where the address depends on a credential: that of Oracle's cloud.
    pub(in crate::provider) oci: Option<Arc<OciAuthorizer>>,
    /// Models that the user named.
    pub(in crate::provider) listed: Vec<String>,
}

/// A request on its way, as often as it is sent.
struct Sending {
    profile: Profile,
    channel: Channel,
    oci: Option<Arc<OciAuthorizer>>,
    model: String,
    body: Bytes,
    mapper: MapperOptions,
}

impl Provider for OpenAi {
    fn complete(&self, request: CompletionRequest) -> CompletionStream {
        let (sending, notices) = match self.prepare(&request) {
            Ok((sending, notices)) => (Arc::new(sending), notices),
            Err(error) => return streams::iter([Err(error)]).boxed(),
        };
        let model = request.model;
        self.channel.answer(model.model(), notices, move |attempt| {
            let sending = sending.clone();
            async move { sending.connect(attempt.number).await }
        })
    }

    fn ready(&self) -> Result<(), UserError> {
        self.channel.ready().map_err(|error| self.with_other_ways(error))
    }

    fn models(&self) -> BoxFuture<'static, Result<Vec<RemoteModel>, Error>> {
        let named = |id: &String| RemoteModel { id: id.clone(), ..RemoteModel::default() };
        let listed: Vec<_> = self.listed.iter().map(named).collect();
        let (url, profile, channel) = (self.profile.models_url(), self.profile.clone(), self.channel.clone());
        Box::pin(async move {
            let Some(url) = url? else {
                let none =
                    Error { status: Some(404), ..Error::new(Category::UnexpectedResponse, "it has no such list") };
                return if listed.is_empty() { Err(none) } else { Ok(listed) };
            };
            let answer = channel.json(|client| with_headers(client.get(&url), &profile)).await?;
            let mut models = models(&answer)?;
            models.extend(
                listed.into_iter().filter(|named| !models.iter().any(|model| model.id == named.id)).collect::<Vec<_>>(),
            );
            Ok(models)
        })
    }
}

impl OpenAi {
    /// Where a key is missing that is not the only credential there could be.
    fn with_other_ways(&self, mut error: UserError) -> UserError {
        if self.profile.name == "oci" && error.code == ErrorCode::AuthMissingKey {
            let ways = "or set providers.oci.profile (or OCI_PROFILE) to a profile of ~/.oci/config, such as DEFAULT";
            error.hint = Some(error.hint.map_or(ways.to_owned(), |hint| format!("{hint}; {ways}")));
        }
        error
    }

    fn prepare(&self, request: &CompletionRequest) -> Result<(Sending, Vec<CompletionEvent>), Error> {
        if self.profile.name == "oci" {
            speaks_openai(request.model.model())?;
        }
        let (body, notices) = match self.profile.api {
            Api::Chat => {
                let plan = chat::plan(request, &self.profile)?;
                (chat::body(request, &self.profile, &plan)?, plan.notices)
            }
            Api::Responses => {
                let target = responses::Target {
                    store_field: !self.profile.refused_fields.iter().any(|field| field == "store"),
                    obfuscation_field: self.profile.include_obfuscation,
                    encrypted_reasoning: true,
                    prompt_cache_key: chat::prompt_cache_key(request, &self.profile),
                    extra_body: self.profile.extra_body.clone(),
                };
                let built = responses::build(request, &target)?;
                (built.body, built.notices)
            }
        };
        let sending = Sending {
            profile: self.profile.clone(),
            channel: self.channel.clone(),
            oci: self.oci.clone(),
            model: request.model.model().to_owned(),
            body: body.into(),
            mapper: MapperOptions::new(request, &self.profile, Uuid::new_v4().simple().to_string()),
        };
        Ok((sending, notices))
    }
}

impl Sending {
    async fn connect(&self, attempt: u32) -> Result<CompletionStream, Error> {
        let url = match &self.oci {
            Some(oci) => {
                let base_url = Some(oci.endpoint().await?.base_url);
                Profile { base_url, ..self.profile.clone() }.endpoint(&self.model)?
            }
            None => self.profile.endpoint(&self.model)?,
        };
        let post = self.channel.client().await?.post(url).header("content-type", "application/json");
        let post = with_headers(post.header("accept", "text/event-stream"), &self.profile);
        let answer = self.channel.stream(post, self.body.clone(), http::expect_events_or_json).await?;
        Ok(match self.profile.api {
            Api::Chat => {
                let seed = format!("{}{attempt}", self.mapper.seed);
                let events = chat::events(answer.bytes, MapperOptions { seed, ..self.mapper.clone() });
                Streaming::named(answer.request_id, events.with_rest(http::finish))
            }
            Api::Responses => {
                Streaming::named(answer.request_id, responses::events(answer.bytes).with_rest(http::finish))
            }
        })
    }
}

/// Adds the headers that each request to this server carries, besides the credential.
fn with_headers(request: RequestBuilder, profile: &Profile) -> RequestBuilder {
    profile.extra_headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

/// Cohere's older models have an API of their own at Oracle.
fn speaks_openai(model: &str) -> Result<(), Error> {
    if !model.starts_with("cohere.command-r") && !model.starts_with("cohere.command-a") {
        return Ok(());
    }
    let message = format!("{model} does not answer over OCI's OpenAI-compatible interface");
    let hint = "Cohere's models have an interface of their own there, which is not spoken here; use another model, such \
                as oci:meta.llama-3.3-70b-instruct";
    Err(Error { hint: Some(hint.to_owned()), ..Error::new(Category::BadRequest, message) })
}

/// The models of a list: `{"data": [{"id"}]}`, or the list itself.
fn models(answer: &Value) -> Result<Vec<RemoteModel>, Error> {
    let entries = answer["data"].as_array().or_else(|| answer.as_array());
    let entries = entries
        .ok_or_else(|| Error::new(Category::UnexpectedResponse, "the provider answered with no list of models"))?;
    let model = |entry: &Value| {
        let id = entry["id"].as_str().filter(|id| !id.is_empty())?.to_owned();
        let count = |names: &[&str]| names.iter().find_map(|name| u32::try_from(entry[*name].as_u64()?).ok());
        Some(RemoteModel {
            id: id.strip_prefix("models/").map(str::to_owned).unwrap_or(id),
            display_name: entry["display_name"].as_str().or_else(|| entry["name"].as_str()).map(str::to_owned),
            context: count(&["context_length", "context_window", "max_model_len", "max_context_length"]),
            retires: entry["shutdown_date"].as_str().map(str::to_owned),
            ..RemoteModel::default()
        })
    };
    Ok(entries.iter().filter_map(model).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_of_every_server_are_read() {
        let answer =
            json!({"data": [{"id": "a", "max_model_len": 8192}, {"id": ""}, {"id": "models/b", "name": "B"}, 5]});
        let models = models(&answer).unwrap();
        assert_eq!(models.iter().map(|model| model.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((models[0].context, models[1].display_name.as_deref()), (Some(8192), Some("B")));
        assert!(super::models(&json!({"error": "x"})).is_err());
    }

    #[test]
    fn what_oracle_does_not_serve_this_way_is_refused_with_the_reason() {
        let error = speaks_openai("cohere.command-r-plus-08-2024").unwrap_err();
        assert!(error.hint.unwrap().contains("another model"));
        assert!(speaks_openai("meta.llama-3.3-70b-instruct").is_ok());
    }
}
