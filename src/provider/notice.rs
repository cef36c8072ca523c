//! What the user is told before or beside an answer.

use crate::chat::{CompletionEvent, NoticeLevel};

/// A notice that something is not as the user may expect. `message` is one sentence without a final period.
pub(super) fn warning(code: &str, message: impl Into<String>) -> CompletionEvent {
    CompletionEvent::Notice { level: NoticeLevel::Warning, code: code.to_owned(), message: message.into() }
}
