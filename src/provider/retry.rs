//! When a failed request is sent again, and after how long.
//!
//! A request is sent again only while nothing of its answer was shown. Each wait is told, with its reason, and ends
//! when the stream is dropped.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tracing::Instrument;

use super::limit::Limiter;
use super::observe::Observed;
use super::{Category, CompletionStream, Error};
use crate::chat::{CompletionEvent, NoticeLevel, WaitReason};

/// The longest wait that our own backing off comes to, in first waits: half a second grows to eight.
const LONGEST: u32 = 16;
/// The longest wait that no one is told of.
const LONGEST_UNSEEN: Duration = Duration::from_secs(30);

/// How often a failed request is sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// At most so often.
    pub max_retries: u32,
    /// The first wait; each further one is twice as long, up to sixteen times the first.
    pub base_delay: Duration,
    /// How long to wait after a 429 whose headers do not say; zero: as after any other failure.
    pub rate_limit_fallback: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_retries: 2, base_delay: Duration::from_millis(500), rate_limit_fallback: Duration::ZERO }
    }
}

impl RetryPolicy {
    /// How long to wait before retry number `retry` (from 0) after `error`; `None` when there is none. `random` is
    /// between 0 and 1 and shortens our own waits by up to a quarter, so that clients do not come back all at once.
    pub fn wait(&self, error: &Error, retry: u32, random: f64) -> Option<Duration> {
        if retry >= self.max_retries || !may_pass(error) {
            return None;
        }
        if let Some(asked) = error.retry_after.filter(|asked| !asked.is_zero()) {
            return Some(asked);
        }
        if error.category == Category::RateLimit && !self.rate_limit_fallback.is_zero() {
            return Some(self.rate_limit_fallback);
        }
        let doubled = self.base_delay.saturating_mul(2u32.saturating_pow(retry).min(LONGEST));
        Some(doubled.mul_f64(1.0 - 0.25 * random.clamp(0.0, 1.0)))
    }
}

/// Whether the same request may succeed later. What the provider says about it counts first, except where money is
/// missing: no waiting brings that.
fn may_pass(error: &Error) -> bool {
    if error.category == Category::Billing {
        return false;
    }
    if let Some(said) = error.should_retry {
        return said;
    }
    match error.category {
        Category::RateLimit
        | Category::Overloaded
        | Category::Server
        | Category::Timeout
        | Category::Unreachable
        | Category::Conflict
        | Category::StreamBroken => true,
        Category::MissingKey
        | Category::Auth
        | Category::Permission
        | Category::Billing
        | Category::ContextTooLong
        | Category::PayloadTooLarge
        | Category::ModelNotFound
        | Category::BadRequest
        | Category::ThinkingMismatch
        | Category::UnexpectedResponse
        | Category::Config => false,
    }
}

/// How one sending of a request differs from the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// How many were sent before.
    pub number: u32,
    /// Ask the provider to drop thinking that it says is bound to another conversation.
    pub drop_thinking: bool,
}

/// Begins a sending.
pub type Begin = Box<dyn Fn(Attempt) -> CompletionStream + Send>;

/// Sends a request, and sends it again as `policy` says.
pub fn with_retries(
    provider: Arc<str>,
    model: &str,
    policy: RetryPolicy,
    limiter: Option<Arc<Limiter>>,
    begin: Begin,
) -> CompletionStream {
    let observed = Observed::new(&provider, model);
    let sending = Sending {
        provider,
        policy,
        limiter,
        begin,
        attempt: Attempt::default(),
        retries: 0,
        shown: false,
        state: State::Begin,
        observed,
    };
    stream::unfold(sending, |mut sending| async move {
        let span = sending.observed.span().clone();
        let item = sending.next().instrument(span).await;
        item.map(|item| (item, sending))
    })
    .boxed()
}

/// Sends a request whose answer comes whole, and sends it again as `policy` says. No one sees these waits, so a
/// provider that asks for a longer one than half a minute is not waited for.
///
/// # Errors
/// The last failure.
pub async fn retried<T, F>(
    policy: &RetryPolicy,
    limiter: Option<Arc<Limiter>>,
    send: impl Fn() -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut retries = 0;
    loop {
        while let Some(wait) = limiter.as_ref().and_then(|limiter| limiter.wait()) {
            tokio::time::sleep(wait).await;
        }
        let error = match send().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        match policy.wait(&error, retries, random()).filter(|wait| *wait <= LONGEST_UNSEEN) {
            Some(wait) => {
                tracing::info!(category = ?error.category, status = error.status, ?wait, "failed; it is sent again");
                retries += 1;
                tokio::time::sleep(wait).await;
            }
            None => return Err(error),
        }
    }
}

struct Sending {
    provider: Arc<str>,
    policy: RetryPolicy,
    limiter: Option<Arc<Limiter>>,
    begin: Begin,
    attempt: Attempt,
    retries: u32,
    /// Whether something of the answer was passed on.
    shown: bool,
    state: State,
    observed: Observed,
}

enum State {
    Begin,
    Streaming(CompletionStream),
    Wait(Duration),
    Over,
}

type Item = Result<CompletionEvent, Error>;

impl Sending {
    async fn next(&mut self) -> Option<Item> {
        loop {
            match &mut self.state {
                State::Over => return None,
                State::Begin => {
                    if let Some(wait) = self.limiter.as_ref().and_then(|limiter| limiter.wait()) {
                        self.state = State::Wait(wait);
                        return Some(Ok(waiting(WaitReason::RateLimit, wait, 0, None)));
                    }
                    self.state = State::Streaming((self.begin)(self.attempt));
                }
                State::Wait(wait) => {
                    tokio::time::sleep(*wait).await;
                    self.state = State::Begin;
                }
                State::Streaming(stream) => match stream.next().await {
                    Some(Ok(event)) => {
                        self.passed_on(&event);
                        return Some(Ok(event));
                    }
                    Some(Err(error)) => return Some(self.failed(error)),
                    None => {
                        self.state = State::Over;
                        return None;
                    }
                },
            }
        }
    }

    fn passed_on(&mut self, event: &CompletionEvent) {
        self.observed.event(event, self.retries);
        self.shown |= event.is_content();
    }

    /// What is said after a failure: a wait, a notice, or the error itself.
    fn failed(&mut self, error: Error) -> Item {
        self.state = State::Over;
        self.observed.failed(&error);
        if self.shown {
            return Err(error);
        }
        if error.category == Category::ThinkingMismatch && !self.attempt.drop_thinking {
            self.attempt = Attempt { number: self.attempt.number + 1, drop_thinking: true };
            self.state = State::Begin;
            return Ok(CompletionEvent::Notice {
                level: NoticeLevel::Warning,
                code: "thinking.dropped".to_owned(),
                message: "the provider refused earlier thinking of this conversation; it is asked to drop it"
                    .to_owned(),
            });
        }
        match self.policy.wait(&error, self.retries, random()) {
            None => Err(error),
            Some(wait) => {
                self.retries += 1;
                self.attempt.number += 1;
                self.state = State::Wait(wait);
                Ok(waiting(WaitReason::Retry, wait, self.retries, Some(error.to_user(&self.provider))))
            }
        }
    }
}

fn waiting(
    reason: WaitReason,
    wait: Duration,
    attempt: u32,
    error: Option<crate::error::UserError>,
) -> CompletionEvent {
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
    CompletionEvent::Waiting { reason, wait_ms, attempt, error }
}

/// A number between 0 and 1 that differs between processes and moments. Nothing secret depends on it.
fn random() -> f64 {
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    (high >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
