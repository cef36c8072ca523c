//! What Ollama says when it fails: a text, before or within a stream.

use serde_json::Value;

use crate::provider::http::Failure;
use crate::provider::{Category, Error};

/// Classes a response that is not a success. `model` is the one that was asked.
pub fn classify(failure: &Failure, model: &str) -> Error {
    let body: Option<Value> = serde_json::from_str(&failure.body).ok();
    let said = body.as_ref().and_then(|body| said(body.get("error")?));
    let Some(message) = said else {
        // Not Ollama's own words: a proxy's page, which is not shown.
        let message = format!("the provider answered with HTTP {}", failure.status);
        return Error { status: Some(failure.status), ..Error::new(by_status(Some(failure.status)), message) };
    };
    let mut error = from_text(message, Some(failure.status), model);
    if error.category == Category::Auth {
        error.hint = Some(sign_in(body.as_ref().and_then(|body| body.get("signin_url")?.as_str())));
    }
    error
}

/// The error of a line in a stream.
pub(super) fn of_line(error: &Value, model: &str) -> Error {
    from_text(said(error).unwrap_or_else(|| "the provider reported an error".to_owned()), None, model)
}

/// That nobody listens at `base_url`; `cause` is what was found out.
pub fn unreachable(base_url: &str, cause: &Error) -> Error {
    let hint = "start it with `ollama serve`, or say with OLLAMA_HOST where it runs".to_owned();
    let message = format!("Ollama is not running at {}: {}", without_secrets(base_url), cause.message);
    // It starts when somebody starts it, not by waiting.
    Error { hint: Some(hint), should_retry: Some(false), ..Error::new(Category::Unreachable, message) }
}

/// The text of an error, which is a text or, behind gateways, an object that has one.
fn said(error: &Value) -> Option<String> {
    let text = error.as_str().or_else(|| error.get("message")?.as_str())?;
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

fn from_text(message: String, status: Option<u16>, model: &str) -> Error {
    let lower = message.to_lowercase();
    let has = |words: &str| lower.contains(words);
    let capability = ["tools", "thinking", "images", "vision", "insert"]
        .into_iter()
        .find(|name| has(&format!("does not support {name}")) || has(&format!("not support {name}")));
    let no_model = status == Some(404) || (has("model") && has("not found"));
    let (category, hint) = if has("longer than the context") || has("context length") || has("context window") {
        (Category::ContextTooLong, Some("raise num_ctx, start a new session or attach less".to_owned()))
    } else if let Some(name) = capability {
        (
            Category::BadRequest,
            Some(format!("use a model that has {name}: `ollama show {model}` lists what this one has")),
        )
    } else if no_model {
        (Category::ModelNotFound, Some(format!("run `ollama pull {model}`, or `ollama list` to see what is there")))
    } else if has("more system memory") || has("out of memory") {
        (Category::Server, Some("use a smaller model or a smaller num_ctx".to_owned()))
    } else if has("unauthorized") {
        (Category::Auth, Some(sign_in(None)))
    } else if has("server busy") || has("maximum pending requests") {
        (Category::Overloaded, None)
    } else {
        (by_status(status), None)
    };
    // Memory does not grow by asking again.
    let should_retry = (category == Category::Server && hint.is_some()).then_some(false);
    let vendor_type = (category == Category::ModelNotFound && no_model).then(|| "model_not_found".to_owned());
    Error { status, vendor_type, should_retry, hint, ..Error::new(category, message) }
}

fn by_status(status: Option<u16>) -> Category {
    match status {
        // With 499 the server saw its client leave, which a proxy in between may cause. (503: OLLAMA_MAX_QUEUE.)
        None | Some(499) => Category::Server,
        Some(status) => Category::of_status(status),
    }
}

fn sign_in(url: Option<&str>) -> String {
    let at = url.map(|url| format!(" (at {})", without_secrets(url))).unwrap_or_default();
    format!("run `ollama signin`{at}, or set OLLAMA_API_KEY")
}

/// A URL as far as it may be shown: what names a user or a key is left out.
fn without_secrets(url: &str) -> String {
    let Ok(mut url) = url::Url::parse(url) else { return "its address".to_owned() };
    url.set_query(None);
    url.set_fragment(None);
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.as_str().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classed(status: u16, body: &str) -> Error {
        classify(&Failure { status, headers: Vec::new(), body: body.into() }, "qwen3:8b")
    }

    #[test]
    fn each_failure_has_its_class_and_its_advice() {
        let rows = [
            (400, "registry.ollama.ai/library/x does not support tools", Category::BadRequest, "ollama show qwen3:8b"),
            (400, "\\\"x\\\" does not support thinking", Category::BadRequest, "has thinking"),
            (
                400,
                "the prompt is longer than the context length currently available",
                Category::ContextTooLong,
                "num_ctx",
            ),
            (400, "invalid options", Category::BadRequest, ""),
            (401, "unauthorized", Category::Auth, "ollama signin"),
            (403, "cloud is disabled", Category::Permission, ""),
            (404, "model 'qwen3:8b' not found", Category::ModelNotFound, "ollama pull qwen3:8b"),
            (499, "client closed", Category::Server, ""),
            (500, "model requires more system memory (9 GiB) than is available", Category::Server, "smaller"),
            (500, "llama runner process has terminated", Category::Server, ""),
            (502, "upstream", Category::Server, ""),
            (503, "server busy, please try again. maximum pending requests exceeded", Category::Overloaded, ""),
        ];
        for (status, text, expected, advice) in rows {
            let error = classed(status, &format!(r#"{{"error":"{text}"}}"#));
            assert_eq!(error.category, expected, "{text}");
            assert!(error.hint.unwrap_or_default().contains(advice), "{text}");
        }
        assert_eq!(classed(500, r#"{"error":"more system memory"}"#).should_retry, Some(false));
        assert_eq!(classed(500, r#"{"error":"x"}"#).should_retry, None);
    }

    #[test]
    fn a_missing_model_is_no_missing_path() {
        assert!(!classed(404, r#"{"error":"model 'x' not found"}"#).is_not_offered());
        assert!(classed(404, "404 page not found").is_not_offered());
    }

    #[test]
    fn no_secret_is_shown() {
        let body = r#"{"error":"unauthorized","signin_url":"https://ollama.com/connect?name=me&key=c2VjcmV0"}"#;
        let hint = classed(401, body).hint.unwrap();
        assert!(hint.contains("https://ollama.com/connect") && !hint.contains("c2VjcmV0"), "{hint}");
        let cause = Error::new(Category::Unreachable, "connection refused");
        let error = unreachable("http://me:pw@127.0.0.1:11434", &cause);
        assert_eq!(error.message, "Ollama is not running at http://127.0.0.1:11434: connection refused");
        assert!(!classed(502, "<html>secret</html>").message.contains("secret"));
    }
}
