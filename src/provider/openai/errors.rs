//! What servers that speak OpenAI's API say when they fail: HTTP errors, and error objects inside a stream.
//!
//! The object is `{"error": {"message", "type", "param", "code"}}` at OpenAI; others send `{"error": "text"}`,
//! `{"message": …}`, `{"detail": …}`, a list of one, Oracle's `{"code", "message"}`, or a page.

use std::time::Duration;

use serde_json::Value;

use crate::provider::http::Failure;
use crate::provider::retry_headers::{retry_after, should_retry};
use crate::provider::{Category, Error};

/// A longer wait that a server asks for is not taken.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// How much of a text that is no JSON is shown.
const SHOWN: usize = 500;
/// Where servers put the id of a request.
const REQUEST_IDS: [&str; 3] = ["x-request-id", "opc-request-id", "request-id"];

/// Parts of codes and types that no waiting lifts.
const QUOTA: [&str; 11] = [
    "insufficient_quota",
    "insufficient_credit",
    "insufficient_balance",
    "credit_balance",
    "billing",
    "spend_limit",
    "usage_limit",
    "hard_limit",
    "quota_exceeded",
    "exceeded_current_quota",
    "payment_required",
];
/// How a conversation that is too long is told, beside the code.
const TOO_LONG: [&str; 10] = [
    "context_length_exceeded",
    "maximum context length",
    "context window",
    "context length",
    "too many tokens",
    "prompt is too long",
    "exceeds the available context size",
    "exceed_context_size",
    "input token count",
    "reduce the length of the messages",
];

/// What an error object says, whatever its shape.
#[derive(Debug, Default)]
struct Said {
    kind: String,
    code: String,
    message: String,
    param: String,
}

impl Said {
    /// Reads an error object; `None` when there is nothing in it.
    fn read(value: &Value) -> Option<Self> {
        let value = match value {
            Value::Array(list) => list.first()?,
            other => other,
        };
        let error = match value.get("error") {
            Some(Value::Null) | None => value,
            Some(error) => error,
        };
        let text = |name: &str| match error.get(name).or_else(|| value.get(name)) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        let told = |name: &str| error.get(name).map(sentence).filter(|text| !text.is_empty());
        let message = match error {
            Value::String(text) => text.clone(),
            _ => told("message").or_else(|| told("detail")).or_else(|| told("msg")).unwrap_or_default(),
        };
        // OpenRouter quotes the server behind it.
        let behind = error.pointer("/metadata/raw").map(sentence).filter(|raw| !raw.is_empty() && *raw != message);
        let message = match behind {
            Some(raw) if message.is_empty() => raw,
            Some(raw) => format!("{message}: {}", beginning(&raw)),
            None => message,
        };
        let kind = match error.get("type").or_else(|| error.get("status")) {
            // The type of an event of Responses says no more than that it is one.
            Some(Value::String(kind)) if kind != "error" && kind != "response.failed" => kind.clone(),
            _ => String::new(),
        };
        let said = Self { kind, code: text("code"), message, param: text("param") };
        let empty = said.kind.is_empty() && said.code.is_empty() && said.message.is_empty();
        (!empty).then_some(said)
    }

    /// The status that a code is: some servers repeat it there.
    fn status(&self) -> Option<u16> {
        self.code.parse().ok().filter(|status| (400..600).contains(status))
    }

    /// The vendor's name for it: the code, or else the type.
    fn name(&self) -> Option<&str> {
        [&self.code, &self.kind].into_iter().map(String::as_str).find(|name| !name.is_empty())
    }

    fn into_error(self, status: Option<u16>) -> Error {
        let category = category(&self, status);
        let mut message = match self.message.trim() {
            "" => format!("the provider reported {}", self.name().unwrap_or("an error")),
            message => message.to_owned(),
        };
        if !self.param.is_empty() && !message.contains(&self.param) {
            message = format!("{} (parameter {})", message.trim_end_matches('.'), self.param);
        }
        let hint = hint(&self, category, &message);
        // Groq's model wrote a call that is none: it may do better the next time.
        let again = (self.code == "tool_use_failed").then_some(true);
        let should_retry = if category == Category::Billing { Some(false) } else { again };
        Error {
            status,
            vendor_type: self.name().map(str::to_owned),
            hint: hint.map(str::to_owned),
            should_retry,
            ..Error::new(category, message)
        }
    }
}

/// What a value says: a text, or the texts in it (`FastAPI`'s lists of what is wrong where).
fn sentence(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Array(list) => list.iter().map(sentence).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => {
            let told = ["message", "msg", "detail", "error"].into_iter().find_map(|name| fields.get(name));
            let text = told.map(sentence).unwrap_or_default();
            match fields.get("loc").and_then(Value::as_array) {
                Some(place) => {
                    let place: Vec<String> = place
                        .iter()
                        .map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned))
                        .collect();
                    format!("{}: {text}", place.join("."))
                }
                None => text,
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}

fn category(said: &Said, status: Option<u16>) -> Category {
    let (code, kind) = (said.code.to_ascii_lowercase(), said.kind.to_ascii_lowercase());
    let message = said.message.to_ascii_lowercase();
    let named = |names: &[&str]| names.iter().any(|name| code == *name || kind == *name);
    if QUOTA.iter().any(|part| code.contains(part) || kind.contains(part)) {
        return Category::Billing;
    }
    let may_be_length = matches!(status.or(said.status()), None | Some(400 | 413 | 422 | 500));
    if may_be_length && TOO_LONG.iter().any(|part| code.contains(part) || kind.contains(part) || message.contains(part))
    {
        return Category::ContextTooLong;
    }
    // Names come in two kinds: the code is the closer one, but a bare `invalid_request_error` says nothing beside a
    // status that says more.
    if named(&["invalid_api_key", "notauthenticated", "authentication_error", "invalid_authentication_error"]) {
        Category::Auth
    } else if named(&["notauthorizedornotfound", "permission_error", "permission_denied", "notauthorized"]) {
        Category::Permission
    } else if named(&["model_not_found", "deploymentnotfound", "model_not_supported"]) {
        Category::ModelNotFound
    } else if named(&["rate_limit_exceeded", "rate_limit_error", "slow_down", "toomanyrequests", "rate_limit_reached"])
    {
        Category::RateLimit
    } else if named(&["server_is_overloaded", "service_unavailable_error", "overloaded_error", "unavailable_error"]) {
        Category::Overloaded
    } else if named(&[
        "tool_use_failed",
        "unsupported_parameter",
        "unsupported_value",
        "invalid_value",
        "invalid_prompt",
    ]) {
        Category::BadRequest
    } else if let Some(status) = status.filter(|status| *status >= 300).or_else(|| said.status()) {
        Category::of_status(status)
    } else if named(&["invalid_request_error", "invalid_request", "bad_request"]) || is_about_input(&code) {
        Category::BadRequest
    } else if named(&["timeout", "timeout_error", "vector_store_timeout"]) {
        Category::Timeout
    } else {
        Category::Server
    }
}

/// Codes about what was sent: `unsupported_…`, and those of images (`image_too_large`, `empty_image_file` and their kin).
fn is_about_input(code: &str) -> bool {
    code.starts_with("invalid_") || code.starts_with("unsupported_") || code.contains("image")
}

fn hint(said: &Said, category: Category, message: &str) -> Option<&'static str> {
    let code = said.code.to_ascii_lowercase();
    if message.contains("reasoning_effort") && message.contains("/v1/responses") {
        return Some("set the provider's api to responses, or its thinking to disabled");
    }
    match (code.as_str(), category) {
        ("notauthenticated", _) => {
            Some("check the key, and the clock: more than five minutes off, a signature is refused")
        }
        ("notauthorizedornotfound", _) => {
            Some("a policy may be missing, or the compartment, the region or the model is a wrong one")
        }
        (_, Category::Overloaded) if message.to_ascii_lowercase().contains("loading model") => {
            Some("the server is loading the model; send the prompt again in a moment")
        }
        _ => None,
    }
}

/// The error that an object inside a stream is: the value of `error`, of a failed response's `error`, or the object
/// around it.
pub fn stream_error(value: &Value) -> Error {
    let of_response = value.pointer("/response/error").filter(|error| !error.is_null());
    let said = Said::read(of_response.unwrap_or(value)).unwrap_or_default();
    let status = said.status();
    let request_id = value.get("request_id").and_then(Value::as_str).map(str::to_owned);
    Error { status: None, request_id, ..said.into_error(status) }
}

/// The error of a page in the place of an answer.
pub(super) fn page() -> Error {
    Error::new(Category::UnexpectedResponse, "the provider answered with a page instead of an event stream")
}

/// Classes a response that is not a success.
pub fn classify(failure: &Failure) -> Error {
    let status = failure.status;
    let said = serde_json::from_str::<Value>(&failure.body).ok().and_then(|value| Said::read(&value));
    let mut error = match said {
        // A server that does not have the path has no word for it, or one that names no model.
        Some(said)
            if status == 404 && said.name().is_none() && !said.message.to_ascii_lowercase().contains("model") =>
        {
            not_there(&said.message)
        }
        Some(said) => said.into_error(Some(status)),
        None if status == 404 => not_there(""),
        None => Error::new(Category::of_status(status), in_words(failure)),
    };
    error.status = Some(status);
    error.request_id = REQUEST_IDS.iter().find_map(|name| failure.header(name)).map(str::to_owned);
    error.retry_after = retry_after(failure).filter(|wait| !wait.is_zero());
    if error.category != Category::Billing {
        error.should_retry = should_retry(failure).or(error.should_retry);
    }
    if error.retry_after.is_some_and(|wait| wait > LONGEST_WAIT) {
        error.should_retry = Some(false);
    }
    error
}

fn not_there(message: &str) -> Error {
    let message = match message.trim() {
        "" => "the provider has nothing at this address (HTTP 404)".to_owned(),
        message => format!("the provider has nothing at this address: {message}"),
    };
    let hint = Some("check the base URL: it goes up to and with /v1".to_owned());
    Error { hint, ..Error::new(Category::UnexpectedResponse, message) }
}

/// A body that is no JSON: its beginning, unless it is a page.
fn in_words(failure: &Failure) -> String {
    let text = failure.body.trim();
    let status = failure.status;
    if text.is_empty() || text.starts_with('<') {
        return format!("the provider answered with HTTP {status}");
    }
    format!("the provider answered with HTTP {status}: {}", beginning(text))
}

fn beginning(text: &str) -> &str {
    text.char_indices().nth(SHOWN).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
#[path = "errors_tests.rs"]
mod tests;
