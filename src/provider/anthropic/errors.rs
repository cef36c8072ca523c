//! What Anthropic's API says when it fails: HTTP errors, and the `error` event of a stream.

use serde::Deserialize;

use crate::provider::http::Failure;
use crate::provider::retry_headers::{retry_after, should_retry};
use crate::provider::{Category, Error};

#[derive(Deserialize)]
struct Envelope {
    error: VendorError,
    #[serde(default)]
    request_id: Option<String>,
}

/// The `error` object of a response or an event.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct VendorError {
    #[serde(rename = "type")]
    kind: String,
    message: String,
    details: Option<Details>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    error_code: Option<String>,
}

/// Codes of a 429 that no waiting lifts.
const SPEND_LIMITS: [&str; 3] = ["enforced_spend_limit_reached", "contract_spend_limit_reached", "ramp_limit_exceeded"];

impl VendorError {
    /// The error, classed by its type, or by the status where the type is not known.
    pub(super) fn into_error(self, status: Option<u16>, request_id: Option<String>) -> Error {
        let code = self.details.and_then(|details| details.error_code);
        let category = category(&self.kind, code.as_deref(), &self.message, status);
        let message = if self.message.is_empty() { "the provider reported an error".to_owned() } else { self.message };
        Error { status, vendor_type: Some(code.unwrap_or(self.kind)), request_id, ..Error::new(category, message) }
    }
}

fn category(kind: &str, code: Option<&str>, message: &str, status: Option<u16>) -> Category {
    if code.is_some_and(|code| SPEND_LIMITS.contains(&code)) {
        return Category::Billing;
    }
    match kind {
        "invalid_request_error" if message.contains("prompt is too long") => Category::ContextTooLong,
        "invalid_request_error" if message.contains("API usage limits") => Category::Billing,
        "invalid_request_error" if message.contains("bound to a different conversation") => Category::ThinkingMismatch,
        "invalid_request_error" => Category::BadRequest,
        "conflict_error" => Category::Conflict,
        "authentication_error" => Category::Auth,
        "billing_error" => Category::Billing,
        "permission_error" => Category::Permission,
        "not_found_error" => Category::ModelNotFound,
        "request_too_large" => Category::PayloadTooLarge,
        "rate_limit_error" => Category::RateLimit,
        "api_error" => Category::Server,
        "timeout_error" => Category::Timeout,
        "overloaded_error" => Category::Overloaded,
        _ => by_status(status),
    }
}

fn by_status(status: Option<u16>) -> Category {
    match status {
        // The API says 529 when it is overloaded.
        None | Some(503) => Category::Server,
        Some(status) => Category::of_status(status),
    }
}

/// Classes a response that is not a success. Bodies that are not the API's own (a proxy's page, Cloudflare's 413) are
/// classed by the status alone, and not shown.
pub fn classify(failure: &Failure) -> Error {
    let header_id = failure.header("request-id").map(str::to_owned);
    let mut error = match serde_json::from_str::<Envelope>(&failure.body) {
        Ok(envelope) => envelope.error.into_error(Some(failure.status), header_id.clone().or(envelope.request_id)),
        Err(_) => Error {
            status: Some(failure.status),
            request_id: header_id,
            ..Error::new(by_status(Some(failure.status)), format!("the provider answered with HTTP {}", failure.status))
        },
    };
    error.retry_after = retry_after(failure);
    error.should_retry = should_retry(failure);
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn failure(status: u16, body: &str) -> Failure {
        Failure { status, headers: vec![("request-id".into(), "req_1".into())], body: body.into() }
    }

    fn vendor(status: u16, kind: &str) -> Category {
        let body = format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"m"}},"request_id":null}}"#);
        classify(&failure(status, &body)).category
    }

    #[test]
    fn each_status_and_type_has_its_class() {
        let rows = [
            (400, "invalid_request_error", Category::BadRequest),
            (401, "authentication_error", Category::Auth),
            (402, "billing_error", Category::Billing),
            (403, "permission_error", Category::Permission),
            (404, "not_found_error", Category::ModelNotFound),
            (409, "conflict_error", Category::Conflict),
            (413, "request_too_large", Category::PayloadTooLarge),
            (429, "rate_limit_error", Category::RateLimit),
            (500, "api_error", Category::Server),
            (504, "timeout_error", Category::Timeout),
            (529, "overloaded_error", Category::Overloaded),
            (529, "a_new_type", Category::Overloaded),
        ];
        for (status, kind, expected) in rows {
            assert_eq!(vendor(status, kind), expected, "{status} {kind}");
        }
    }

    #[test]
    fn a_spend_limit_is_billing_and_names_its_code() {
        let body = r#"{"type":"error","error":{"type":"rate_limit_error","message":"limits",
            "details":{"error_code":"enforced_spend_limit_reached"}},"request_id":"req_2"}"#;
        let error = classify(&failure(429, body));
        assert_eq!(error.category, Category::Billing);
        assert_eq!(error.vendor_type.as_deref(), Some("enforced_spend_limit_reached"));
        assert_eq!(error.request_id.as_deref(), Some("req_1"));
    }

    #[test]
    fn a_page_is_classed_by_its_status_and_not_shown() {
        let error = classify(&failure(413, "<html>secret</html>"));
        assert_eq!(error.category, Category::PayloadTooLarge);
        assert!(!error.message.contains("secret"));
    }

    #[test]
    fn waits_are_read_in_every_form() {
        let waits = |name: &str, value: &str| {
            let headers = vec![(name.to_owned(), value.to_owned())];
            classify(&Failure { status: 429, headers, body: String::new() }).retry_after
        };
        assert_eq!(waits("retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(waits("retry-after-ms", "1500.5"), Some(Duration::from_micros(1_500_500)));
        assert_eq!(waits("retry-after", "soon"), None);
        assert_eq!(waits("retry-after", "-1"), None);
        let later = std::time::SystemTime::now() + Duration::from_secs(100);
        let wait = waits("retry-after", &httpdate::fmt_http_date(later)).unwrap();
        assert!(wait > Duration::from_secs(90) && wait <= Duration::from_secs(100));
    }

    #[test]
    fn refused_thinking_is_told_apart() {
        let body = r#"{"type":"error","error":{"type":"invalid_request_error","message":"messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation. Remove the block"}}"#;
        assert_eq!(classify(&failure(400, body)).category, Category::ThinkingMismatch);
    }
}
