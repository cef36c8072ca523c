//! The endpoint that gives tokens.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Response, StatusCode};
use secrecy::SecretString;
use serde_json::{Map, Value};
use url::Url;
use url::form_urlencoded;

use crate::auth::clock::Clock;
use crate::auth::host::is_private;
use crate::auth::options::TokenFormat;
use crate::auth::token::Token;
use crate::net::Http;
use crate::telemetry::redact;

/// How long a request for a token may take, as the official clients have it.
const TIMEOUT: Duration = Duration::from_secs(30);
/// No answer is larger, in bytes.
const LARGEST: usize = 1 << 20;
/// So much of what an issuer says is shown, in characters.
const SHOWN: usize = 200;
/// How long a token lives when the issuer does not say.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(3600);
/// Fields of a request whose values are no secrets.
const PLAIN: [&str; 3] = ["grant_type", "client_id", "redirect_uri"];

/// Gives tokens.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// Where it is asked.
    pub url: Url,
    /// What asks it.
    pub http: Arc<Http>,
    /// What times of expiry are counted from.
    pub clock: Clock,
}

/// Why there is no token.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Whether the issuer refused what it was shown: then showing it again is of no use.
    pub denied: bool,
    /// Why, without any secret and without a final period.
    pub message: String,
}

impl Refusal {
    fn failed(message: impl Into<String>) -> Self {
        Self { denied: false, message: message.into() }
    }
}

impl Issuer {
    /// Asks for a token. `betas` are the vendor's names of features that the request needs.
    ///
    /// # Errors
    /// The issuer refused, could not be reached in time, or answered something else.
    pub async fn ask(&self, fields: &[(&str, &str)], format: TokenFormat, betas: &str) -> Result<Token, Refusal> {
        if !is_private(&self.url) {
            let message = format!("{} is not asked for a token: it does not use https", shown_url(&self.url));
            return Err(Refusal { denied: true, message });
        }
        // The token's life is counted from before it was made: never too long, whatever the issuer's clock says.
        let asked_at = self.clock.now();
        let client = self.http.client().await.map_err(|error| Refusal::failed(error.message))?;
        let (content_type, body) = encode(fields, format);
        let request = client
            .post(self.url.clone())
            .header(CONTENT_TYPE, content_type)
            .header(ACCEPT, "application/json")
            .header("anthropic-beta", betas)
            .timeout(TIMEOUT)
            .body(body);
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let body = read(response).await.map_err(|error| self.unreachable(&error))?;
        let answer = self.understand(status, &body, fields)?;
        self.token(&answer, asked_at)
    }

    fn unreachable(&self, error: &reqwest::Error) -> Refusal {
        let host = shown_url(&self.url);
        if error.is_timeout() {
            return Refusal::failed(format!("{host} did not answer within {} s", TIMEOUT.as_secs()));
        }
        let mut cause: &dyn std::error::Error = error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        Refusal::failed(format!("{host} cannot be reached: {cause}"))
    }

    /// The fields of a good answer.
    fn understand(
        &self,
        status: StatusCode,
        body: &[u8],
        asked: &[(&str, &str)],
    ) -> Result<Map<String, Value>, Refusal> {
        let host = shown_url(&self.url);
        let odd = |what: &str| Refusal::failed(format!("{host} answered {} with {what}", status.as_u16()));
        if status.is_redirection() {
            return Err(odd("a redirection, which is not followed"));
        }
        let parsed = serde_json::from_slice::<Value>(body);
        if status.is_success() {
            return match parsed {
                Ok(Value::Object(fields)) => Ok(fields),
                _ => Err(odd(&format!("{}; the URL or a proxy on the way may be wrong", kind_of(body)))),
            };
        }
        let said = parsed.as_ref().ok().and_then(said).map(|said| clean(&said, asked));
        // Too many requests, conflicts and timeouts pass; other refusals do not.
        let denied = status.is_client_error() && !matches!(status.as_u16(), 408 | 409 | 429) && parsed.is_ok();
        let message = format!("{host} answered {}: {}", status.as_u16(), said.as_deref().unwrap_or(kind_of(body)));
        Err(Refusal { denied, message })
    }

    fn token(&self, answer: &Map<String, Value>, asked_at: std::time::SystemTime) -> Result<Token, Refusal> {
        let host = shown_url(&self.url);
        let text = |name: &str| answer.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let Some(access) = text("access_token") else {
            return Err(Refusal::failed(format!("the answer of {host} has no `access_token`")));
        };
        if text("token_type").is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(Refusal::failed(format!("{host} gave a token that is no bearer token")));
        }
        let lifetime = match answer.get("expires_in") {
            None | Some(Value::Null) => Some(DEFAULT_LIFETIME),
            Some(Value::String(text)) => text.trim().parse().ok().map(Duration::from_secs),
            Some(value) => value.as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
        };
        let Some((lifetime, expires_at)) = lifetime.and_then(|life| Some((life, asked_at.checked_add(life)?))) else {
            return Err(Refusal::failed(format!("the answer of {host} has an `expires_in` that is no time")));
        };
        Ok(Token {
            access: SecretString::from(access.trim()),
            refresh: text("refresh_token").map(|text| SecretString::from(text.trim())),
            expires_at: Some(expires_at),
            lifetime: Some(lifetime),
        })
    }
}

fn encode(fields: &[(&str, &str)], format: TokenFormat) -> (&'static str, String) {
    match format {
        TokenFormat::Json => {
            let fields: Map<_, _> = fields.iter().map(|&(name, value)| (name.to_owned(), value.into())).collect();
            ("application/json", Value::Object(fields).to_string())
        }
        TokenFormat::Form => {
            let mut form = form_urlencoded::Serializer::new(String::new());
            ("application/x-www-form-urlencoded", form.extend_pairs(fields).finish())
        }
    }
}

/// As much of the body as an answer may have; the rest is left.
async fn read(mut response: Response) -> reqwest::Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST {
            break;
        }
    }
    Ok(body)
}

/// What a body is that is not the JSON that was expected.
fn kind_of(body: &[u8]) -> &'static str {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => "an empty body",
        Some(b'<') => "a web page",
        Some(b'{' | b'[') => "JSON that is no answer",
        Some(_) => "something that is not JSON",
    }
}

/// What a refusal says: the fields of the standard, or those of the vendor's API.
fn said(answer: &Value) -> Option<String> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let (kind, description) = match answer.get("error") {
        Some(Value::Object(error)) => {
            let error = Value::Object(error.clone());
            (text(&error, "type"), text(&error, "message"))
        }
        _ => (text(answer, "error"), text(answer, "error_description")),
    };
    match (kind, description) {
        (Some(kind), Some(description)) => Some(format!("{kind}: {description}")),
        (kind, description) => kind.or(description),
    }
}

/// `text` of an issuer without what was sent to it, in one line and not too long.
fn clean(text: &str, asked: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (_, secret) in asked.iter().filter(|(name, value)| !PLAIN.contains(name) && value.len() >= 8) {
        text = text.replace(secret, "[secret]");
    }
    let line: String = redact(&text).chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect();
    line.trim().trim_end_matches('.').to_owned()
}

/// A URL without its query, which may say too much.
fn shown_url(url: &Url) -> String {
    format!("{}{}", crate::auth::host::authority(url), url.path())
}

#[cfg(test)]
#[path = "issuer_tests.rs"]
mod tests;
