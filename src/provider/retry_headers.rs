//! What the headers of a failed response say about sending the request again.

use std::time::Duration;

use super::http::Failure;

/// How long the provider asks to wait: `retry-after-ms`, or else `retry-after` in seconds or as a date.
pub(super) fn retry_after(failure: &Failure) -> Option<Duration> {
    let number = |name: &str| failure.header(name)?.trim().parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|ms| ms / 1e3).or_else(|| number("retry-after"));
    if let Some(seconds) = seconds {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(failure.header("retry-after")?.trim()).ok()?;
    date.duration_since(std::time::SystemTime::now()).ok()
}

/// Whether the provider says that the request may be sent again.
pub(super) fn should_retry(failure: &Failure) -> Option<bool> {
    match failure.header("x-should-retry") {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => None,
    }
}
