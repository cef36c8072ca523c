//! What is logged of one request: a span with its model, the provider's id, times, tokens and retries.

use std::time::Instant;

use tracing::field::Empty;
use tracing::{Span, info, info_span};

use super::Error;
use crate::chat::CompletionEvent;

/// A request that is observed.
#[derive(Debug)]
pub(super) struct Observed {
    span: Span,
    began: Instant,
    first_token: bool,
}

impl Observed {
    /// A request that begins now.
    pub(super) fn new(provider: &str, model: &str) -> Self {
        let span = info_span!(
            "request",
            provider,
            model,
            request_id = Empty,
            status = Empty,
            first_byte_ms = Empty,
            first_token_ms = Empty,
            input_tokens = Empty,
            output_tokens = Empty,
            cache_read_tokens = Empty,
            cache_write_tokens = Empty,
            retries = Empty
        );
        Self { span, began: Instant::now(), first_token: false }
    }

    /// What is logged within it belongs to the request.
    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    /// The provider said something.
    pub(super) fn event(&mut self, event: &CompletionEvent, retries: u32) {
        match event {
            CompletionEvent::Started { .. } => {
                self.span.record("first_byte_ms", self.began.elapsed().as_millis() as u64);
            }
            CompletionEvent::Delta { .. } if !std::mem::replace(&mut self.first_token, true) => {
                self.span.record("first_token_ms", self.began.elapsed().as_millis() as u64);
            }
            CompletionEvent::Usage { usage } => {
                for (field, count) in [
                    ("input_tokens", usage.input_tokens),
                    ("output_tokens", usage.output_tokens),
                    ("cache_read_tokens", usage.cache_read_tokens),
                    ("cache_write_tokens", usage.cache_write_tokens),
                ] {
                    if let Some(count) = count {
                        self.span.record(field, count);
                    }
                }
            }
            CompletionEvent::Completed => {
                self.span.record("retries", retries);
                self.span.in_scope(|| info!(took_ms = self.began.elapsed().as_millis() as u64, "request completed"));
            }
            _ => {}
        }
    }

    /// The request failed; it may be sent again.
    pub(super) fn failed(&self, error: &Error) {
        self.span.in_scope(|| {
            info!(category = ?error.category, status = error.status, request_id = error.request_id, "request failed");
        });
    }
}

/// The provider answered, with this id and status.
pub(super) fn answered(request_id: Option<&str>, status: u16) {
    let span = Span::current();
    span.record("status", status);
    if let Some(id) = request_id {
        span.record("request_id", id);
    }
}
