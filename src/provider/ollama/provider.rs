//! Ollama over HTTP.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dashmap::DashMap;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use reqwest::Response;
use serde_json::json;
use uuid::Uuid;

use super::{Built, Mapper, ModelFacts, Settings, build, classify, events, facts, models, unreachable, version};
use crate::error::UserError;
use crate::models::RemoteModel;
use crate::net::Http;
use crate::provider::channel::{Channel, Streaming};
use crate::provider::{Category, CompletionRequest, CompletionStream, Error, Provider, http};

/// How long a server may take to say that it is there, when it is looked for.
const DISCOVERY: Duration = Duration::from_millis(500);

/// What servers said of their models, by address and model. It is asked for once: the size of a context window must
/// not change within a session.
pub type KnownFacts = Arc<DashMap<(String, String), Arc<ModelFacts>>>;

/// A server's models.
pub struct Ollama {
    pub(in crate::provider) base_url: String,
    pub(in crate::provider) channel: Channel,
    pub(in crate::provider) settings: Settings,
    pub(in crate::provider) facts: KnownFacts,
}

impl Provider for Ollama {
    fn complete(&self, request: CompletionRequest) -> CompletionStream {
        let asked = Arc::new(Asked { server: self.clone(), request });
        let model = asked.request.model.clone();
        self.channel.answer(model.model(), Vec::new(), move |attempt| {
            let asked = asked.clone();
            async move { asked.connect(attempt.number).await }
        })
    }

    fn ready(&self) -> Result<(), UserError> {
        self.channel.ready()
    }

    fn models(&self) -> BoxFuture<'static, Result<Vec<RemoteModel>, Error>> {
        let server = self.clone();
        Box::pin(async move {
            let url = format!("{}/api/tags", server.base_url);
            let tags = server.channel_for("").json(|client| client.get(&url)).await;
            Ok(models(&tags.map_err(|error| server.told(error))?))
        })
    }
}

impl Clone for Ollama {
    fn clone(&self) -> Self {
        Self {
            base_url: self.base_url.clone(),
            channel: self.channel.clone(),
            settings: self.settings.clone(),
            facts: self.facts.clone(),
        }
    }
}

impl Ollama {
    /// Errors name the model that was asked.
    fn channel_for(&self, model: &str) -> Channel {
        let model = model.to_owned();
        Channel { classify: Arc::new(move |failure| classify(failure, &model)), ..self.channel.clone() }
    }

    /// What a failure to connect means here.
    fn told(&self, error: Error) -> Error {
        if error.category == Category::Unreachable { unreachable(&self.base_url, &error) } else { error }
    }

    async fn facts(&self, model: &str) -> Result<Arc<ModelFacts>, Error> {
        let key = (self.base_url.clone(), model.to_owned());
        if let Some(known) = self.facts.get(&key).map(|known| known.clone()) {
            return Ok(known);
        }
        let url = format!("{}/api/show", self.base_url);
        let body = json!({ "model": model }).to_string();
        let post =
            |client: reqwest::Client| client.post(&url).header("content-type", "application/json").body(body.clone());
        let show = self.channel_for(model).json(post).await.map_err(|error| self.told(error))?;
        let known = Arc::new(facts(&show));
        self.facts.insert(key, known.clone());
        Ok(known)
    }
}

/// A request on its way, as often as it is sent.
struct Asked {
    server: Ollama,
    request: CompletionRequest,
}

impl Asked {
    async fn connect(&self, attempt: u32) -> Result<CompletionStream, Error> {
        let model = self.request.model.model();
        let facts = self.server.facts(model).await?;
        let Built { body, num_ctx, notices } = build(&self.request, &facts, &self.server.settings)?;
        let channel = self.server.channel_for(model);
        let url = format!("{}/api/chat", self.server.base_url);
        let post = channel.client().await?.post(url).header("content-type", "application/json");
        let answer = channel.stream(post, Bytes::from(body), expect_lines).await;
        let answer = answer.map_err(|error| self.server.told(error))?;
        let mapper = Mapper::new(model, Uuid::new_v4().simple().to_string(), num_ctx);
        let events = Streaming::named(answer.request_id, events(answer.bytes, mapper).with_rest(http::finish));
        // Said once, however often the request is sent.
        let notices = if attempt == 0 { notices } else { Vec::new() };
        Ok(futures_util::stream::iter(notices.into_iter().map(Ok)).chain(events).boxed())
    }
}

/// Checks that a response can be lines of JSON, so that a page is not read as an answer.
fn expect_lines(response: &Response) -> Result<(), Error> {
    let kind = http::content_type(response);
    match kind.as_str() {
        "application/x-ndjson" | "application/json" | "text/plain" | "application/octet-stream" | "" => Ok(()),
        other => Err(Error {
            status: Some(response.status().as_u16()),
            ..Error::new(Category::UnexpectedResponse, format!("the provider answered with {other} instead of JSON"))
        }),
    }
}

/// Looks for a server that runs at `base_url`, and gives back the model that it lists first. Nothing at all when there
/// is none: that is no failure, only nothing found.
pub async fn discover(http: &Http, base_url: &str) -> Option<String> {
    let client = http.client().await.ok()?;
    let get = async |path: &str| {
        let response = client.get(format!("{base_url}{path}")).timeout(DISCOVERY).send().await.ok()?;
        http::read_json(response.error_for_status().ok()?).await.ok()
    };
    version(&get("/api/version").await?)?;
    models(&get("/api/tags").await?).into_iter().map(|model| model.id).next()
}
