//! Errors inside a stream, whose HTTP status was 200.

use serde_json::Value;

use crate::provider::{Category, Error};

/// The error that an event reports: `error` nested in the event, the fields of the event itself, or the `error` of a
/// failed response. Servers that are not `OpenAI`'s also send a mere text.
pub fn stream_error(event: &Value) -> Error {
    let nested = [event.get("error"), event.pointer("/response/error")];
    let error = nested.into_iter().flatten().find(|error| !error.is_null()).unwrap_or(event);
    let text = |name: &str| match error.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    // The type of the event itself says no more than "error".
    let kind = text("type").filter(|kind| kind != "error" && kind != "response.failed");
    let code = text("code").or(kind.clone());
    let said = text("message").or_else(|| error.as_str().map(str::to_owned));
    let message = said.unwrap_or_else(|| "the provider reported an error".to_owned());
    let category = category(code.as_deref(), kind.as_deref(), &message);
    let request_id = event.get("request_id").and_then(Value::as_str).map(str::to_owned);
    Error { vendor_type: code, request_id, ..Error::new(category, message) }
}

/// Codes that no waiting lifts.
const BILLING: [&str; 4] =
    ["insufficient_quota", "credit_balance_exhausted", "billing_hard_limit_reached", "spend_limit_reached"];

/// Words of messages that say that a conversation is too long.
const TOO_LONG: [&str; 3] = ["maximum context length", "context window", "too many tokens"];

fn category(code: Option<&str>, kind: Option<&str>, message: &str) -> Category {
    let named = |name: &str| code == Some(name) || kind == Some(name);
    if BILLING.iter().any(|name| named(name)) {
        return Category::Billing;
    }
    let lower = message.to_lowercase();
    if named("context_length_exceeded") || TOO_LONG.iter().any(|words| lower.contains(words)) {
        return Category::ContextTooLong;
    }
    let rows: [(&[&str], Category); 8] = [
        (&["rate_limit_exceeded", "rate_limit_error", "slow_down", "429"], Category::RateLimit),
        (&["server_is_overloaded", "service_unavailable_error", "overloaded_error", "503"], Category::Overloaded),
        (&["invalid_api_key", "authentication_error", "401"], Category::Auth),
        (&["permission_error", "permission_denied", "403"], Category::Permission),
        (&["model_not_found", "404"], Category::ModelNotFound),
        (&["402"], Category::Billing),
        (&["408", "504", "timeout", "vector_store_timeout"], Category::Timeout),
        (&["invalid_request_error", "invalid_prompt", "invalid_value", "400"], Category::BadRequest),
    ];
    let known = rows.into_iter().find(|(names, _)| names.iter().any(|name| named(name)));
    let about_input =
        || code.is_some_and(|code| code.starts_with("invalid_") || code.starts_with("unsupported_") || is_image(code));
    known.map_or_else(|| if about_input() { Category::BadRequest } else { Category::Server }, |(_, category)| category)
}

/// Codes about an image that was sent: `invalid_image`, `image_too_large`, `empty_image_file` and their kin.
fn is_image(code: &str) -> bool {
    code.contains("image")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_form_is_read_and_classed() {
        let rows = [
            (
                json!({"type":"error","error":{"type":"invalid_request_error","code":"context_length_exceeded","message":"m"}}),
                Category::ContextTooLong,
            ),
            (json!({"type":"error","code":"rate_limit_exceeded","message":"m","param":null}), Category::RateLimit),
            (
                json!({"type":"error","error":{"type":"insufficient_quota","code":"insufficient_quota","message":"m"}}),
                Category::Billing,
            ),
            (
                json!({"type":"response.failed","response":{"error":{"code":"server_error","message":"m"}}}),
                Category::Server,
            ),
            (
                json!({"type":"response.failed","response":{"error":{"code":"server_is_overloaded","message":"m"}}}),
                Category::Overloaded,
            ),
            (
                json!({"type":"response.failed","response":{"error":{"code":"image_too_large","message":"m"}}}),
                Category::BadRequest,
            ),
            (
                json!({"type":"response.failed","response":{"error":{"code":"invalid_prompt","message":"m"}}}),
                Category::BadRequest,
            ),
            (json!({"error":{"code":429,"message":"m"}}), Category::RateLimit),
            (json!({"error":"the maximum context length is 5"}), Category::ContextTooLong),
            (json!({"type":"response.failed","response":{"error":null}}), Category::Server),
        ];
        for (event, expected) in rows {
            let error = stream_error(&event);
            assert_eq!(error.category, expected, "{event}");
            assert!(!error.message.is_empty());
        }
    }

    #[test]
    fn the_code_is_kept_and_the_events_type_is_none() {
        let error = stream_error(&json!({"type":"error","code":null,"message":"boom","request_id":"req_1"}));
        assert_eq!((error.vendor_type, error.message, error.request_id), (None, "boom".into(), Some("req_1".into())));
        let error = stream_error(&json!({"type":"error","error":{"type":"server_error","code":null,"message":"m"}}));
        assert_eq!(error.vendor_type.as_deref(), Some("server_error"));
    }
}
