//! What Anthropic answers whole: the list of its models, and counts of tokens.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use reqwest::RequestBuilder;
use serde_json::Value;
use url::Url;

use super::{Anthropic, Planned, request, wire, with_headers};
use crate::chat::{Usage, UsagePatch};
use crate::models::{RemoteModel, Stage, Support};
use crate::provider::channel::Channel;
use crate::provider::{ApiVersion, Category, CompletionRequest, Error};

/// How many models are asked for at once; the most there may be.
const PAGE: &str = "1000";
/// More pages than there will ever be.
const MAX_PAGES: usize = 50;

/// All models, page by page.
pub(super) fn models(provider: &Anthropic) -> BoxFuture<'static, Result<Vec<RemoteModel>, Error>> {
    let version = provider.version.clone().map_err(Error::from);
    let api = version.map(|version| Api::of(provider, version));
    Box::pin(async move { api?.models().await })
}

/// The count of a request's tokens; `None` when what answers does not count.
pub(super) fn count_tokens(
    provider: &Anthropic,
    request: CompletionRequest,
) -> BoxFuture<'static, Result<Option<u64>, Error>> {
    let planned = plan(provider, request).and_then(|(api, planned)| {
        let body = request::count_body(&planned.request, &planned.plan)?;
        Ok((api, planned.plan.betas, Bytes::from(body)))
    });
    Box::pin(async move {
        let (api, betas, body) = planned?;
        match api.post(&format!("{}/count_tokens", api.endpoint), &betas, &body).await {
            Ok(answer) => Ok(Some(answer["input_tokens"].as_u64().ok_or_else(|| unexpected("no count of tokens"))?)),
            Err(error) if error.is_not_offered() => Ok(None),
            Err(error) => Err(error),
        }
    })
}

/// Fills the cache with a request's tools and system prompt; `None` where there is no such thing.
pub(super) fn warm(
    provider: &Anthropic,
    request: CompletionRequest,
) -> BoxFuture<'static, Result<Option<Usage>, Error>> {
    let planned = plan(provider, request).and_then(|(api, planned)| {
        let body = request::warm_body(&planned.request, &planned.plan)?;
        Ok((api, planned.plan.betas, body))
    });
    Box::pin(async move {
        let (api, betas, body) = planned?;
        let Some(body) = body.map(Bytes::from) else { return Ok(None) };
        let mut answer = api.post(&api.endpoint, &betas, &body).await?;
        let said = serde_json::from_value::<wire::Usage>(answer["usage"].take());
        let mut usage = Usage::default();
        UsagePatch::from(said.map_err(|_| unexpected("no usage"))?).apply(&mut usage);
        Ok(Some(usage))
    })
}

fn plan(provider: &Anthropic, request: CompletionRequest) -> Result<(Api, Planned), Error> {
    let api = Api::of(provider, request.options.anthropic.version);
    Ok((api, Planned::new(request, &provider.catalog)?))
}

struct Api {
    /// Where messages are sent; the others are next to it.
    endpoint: Arc<str>,
    channel: Channel,
    version: ApiVersion,
}

impl Api {
    fn of(provider: &Anthropic, version: ApiVersion) -> Self {
        Self { endpoint: provider.endpoint.clone(), channel: provider.channel.clone(), version }
    }

    async fn models(&self) -> Result<Vec<RemoteModel>, Error> {
        let mut models = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let url = self.models_url(after.as_deref())?;
            let page = self.ask(&[], |client| client.get(url.clone())).await?;
            let entries = page["data"].as_array().ok_or_else(|| unexpected("no list of models"))?;
            models.extend(entries.iter().filter_map(model));
            let last = page["last_id"].as_str().or_else(|| entries.last()?["id"].as_str()).map(str::to_owned);
            if page["has_more"] != true || last.is_none() || last == after {
                break;
            }
            after = last;
        }
        Ok(models)
    }

    fn models_url(&self, after: Option<&str>) -> Result<Url, Error> {
        let base = self.endpoint.strip_suffix("messages").unwrap_or(&self.endpoint);
        let mut url = Url::parse(&format!("{base}models"))
            .map_err(|error| Error::new(Category::Config, format!("the provider's address cannot be used: {error}")))?;
        url.query_pairs_mut().append_pair("limit", PAGE);
        if let Some(after) = after {
            url.query_pairs_mut().append_pair("after_id", after);
        }
        Ok(url)
    }

    async fn post(&self, url: &str, betas: &[String], body: &Bytes) -> Result<Value, Error> {
        let post =
            |client: reqwest::Client| client.post(url).header("content-type", "application/json").body(body.clone());
        self.ask(betas, post).await
    }

    async fn ask(&self, betas: &[String], build: impl Fn(reqwest::Client) -> RequestBuilder) -> Result<Value, Error> {
        self.channel.json(|client| with_headers(build(client), self.version, betas)).await
    }
}

fn unexpected(what: &str) -> Error {
    Error::new(Category::UnexpectedResponse, format!("the provider answered with {what}"))
}

/// One entry of the list. What is missing, null or of another kind than it should be is not said.
fn model(entry: &Value) -> Option<RemoteModel> {
    let id = entry["id"].as_str().filter(|id| !id.is_empty())?.to_owned();
    let text = |name: &str| entry[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let count = |name: &str| u32::try_from(entry[name].as_u64()?).ok().filter(|count| *count > 0);
    let capabilities = &entry["capabilities"];
    let stage = match entry["lifecycle"].as_str() {
        Some("active") => Some(Stage::Active),
        Some("deprecated") => Some(Stage::Retiring),
        Some("retired") => Some(Stage::Retired),
        _ => entry["deprecated_at"].as_str().map(|_| Stage::Retiring),
    };
    Some(RemoteModel {
        id,
        display_name: text("display_name"),
        context: count("max_input_tokens"),
        max_output: count("max_tokens"),
        thinking: support(&capabilities["thinking"], &capabilities["thinking"]["types"]),
        effort: support(&capabilities["effort"], &capabilities["effort"]),
        structured_output: flag(&capabilities["structured_outputs"]),
        stage,
        retires: entry["retires_at"].as_str().and_then(day),
    })
}

/// What is said of a set of words: `whole` may say that there are none, `words` has what is said of each.
fn support(whole: &Value, words: &Value) -> Support {
    let each = words.as_object().into_iter().flatten().filter(|(word, _)| *word != "supported");
    Support {
        none: flag(whole) == Some(false),
        words: each.filter_map(|(word, said)| Some((word.clone(), flag(said)?))).collect(),
    }
}

/// A capability: `{"supported": bool}`, or just a bool.
fn flag(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value["supported"].as_bool())
}

/// The day of a time as RFC 3339 has it.
fn day(time: &str) -> Option<String> {
    let day = time.get(..10)?;
    let shape = day
        .bytes()
        .enumerate()
        .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
    shape.then(|| day.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_full_entry_is_read() {
        let entry = json!({
            "id": "claude-opus-6", "type": "model", "display_name": "Claude Opus 6", "created_at": "2026-12-01T00:00:00Z",
            "lifecycle": "deprecated", "deprecated_at": "2027-01-01T00:00:00Z", "retires_at": "2027-06-30T00:00:00Z",
            "max_input_tokens": 2_000_000, "max_tokens": 256_000,
            "capabilities": {
                "structured_outputs": {"supported": false},
                "effort": {"supported": true, "low": {"supported": true}, "max": false, "xhigh": null},
                "thinking": {"supported": true, "types": {"adaptive": {"supported": true}, "enabled": false}}
            }
        });
        let words = |words: &[(&str, bool)]| Support {
            none: false,
            words: words.iter().map(|(word, said)| ((*word).to_owned(), *said)).collect(),
        };
        let expected = RemoteModel {
            id: "claude-opus-6".into(),
            display_name: Some("Claude Opus 6".into()),
            context: Some(2_000_000),
            max_output: Some(256_000),
            thinking: words(&[("adaptive", true), ("enabled", false)]),
            effort: words(&[("low", true), ("max", false)]),
            structured_output: Some(false),
            stage: Some(Stage::Retiring),
            retires: Some("2027-06-30".into()),
        };
        assert_eq!(model(&entry), Some(expected));
    }

    #[test]
    fn what_is_null_or_odd_is_not_said() {
        let bare = RemoteModel { id: "m".into(), ..RemoteModel::default() };
        let odd = json!({"id": "m", "display_name": 5, "max_tokens": -1, "max_input_tokens": 0, "lifecycle": "asleep",
            "retires_at": "soon", "deprecated_at": null, "capabilities": {"thinking": "yes", "effort": null}});
        assert_eq!(model(&odd), Some(bare.clone()));
        assert_eq!(model(&json!({"id": "m", "capabilities": null})), Some(bare));
        assert_eq!(model(&json!({"name": "no id"})), None);
        let none =
            model(&json!({"id": "m", "capabilities": {"thinking": false, "effort": {"supported": false}}})).unwrap();
        assert!(none.thinking.none && none.effort.none);
        assert_eq!(model(&json!({"id": "m", "deprecated_at": "2026-01-01"})).unwrap().stage, Some(Stage::Retiring));
    }
}
