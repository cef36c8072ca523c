//! Keeps one token fresh for everyone who uses it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use tokio::sync::{Mutex as Gate, OwnedMutexGuard};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::auth::clock::Clock;
use crate::auth::files::Stamp;
use crate::auth::token::Token;
use crate::error::{ErrorCode, UserError};

/// With less left than this a new token is tried for, and the old one is used when that fails.
const ADVISORY: Duration = Duration::from_secs(120);
/// With less left than this there must be a new token.
const MANDATORY: Duration = Duration::from_secs(30);
/// So long before a token expires the background task renews it.
const BACKGROUND: Duration = Duration::from_secs(60);
/// The first wait after a failure; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The longest wait after a failure, and the wait after a refusal.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The background task looks at the time of day at least so often: a machine that slept has lost some of it.
const LONGEST_SLEEP: Duration = Duration::from_secs(300);

/// Where a token comes from.
pub trait Renewer: fmt::Debug + Send + Sync {
    /// The token as it is kept; nothing when there is none.
    ///
    /// # Errors
    /// `auth.invalid`.
    fn load(&self) -> Result<Option<Token>, UserError>;

    /// Changes when the kept token may have changed. Cheap.
    fn stamp(&self) -> Option<Stamp>;

    /// Whether [`renew`](Self::renew) can do more than look at what is kept.
    fn can_renew(&self) -> bool;

    /// Another token than `current`. It is kept before it is given back.
    ///
    /// # Errors
    /// `auth.expired` when there is no way, `auth.refresh_failed` when there may be one later.
    fn renew<'a>(&'a self, current: Option<&'a Token>) -> BoxFuture<'a, Result<Token, UserError>>;
}

/// A token and which of all tokens it is.
#[derive(Clone, Debug)]
pub struct Held {
    /// The token.
    pub token: Token,
    /// Grows with each new token of this program.
    pub generation: u64,
}

/// One token, shared. A task in the background renews it before it expires, as long as it is used.
#[derive(Debug)]
pub struct Renewing {
    shared: Arc<Shared>,
    background: OnceLock<DropGuard>,
}

#[derive(Debug)]
struct Shared {
    renewer: Arc<dyn Renewer>,
    clock: Clock,
    state: Mutex<State>,
    /// Held while the token is renewed, so that one does it for all.
    gate: Arc<Gate<()>>,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    stamp: Option<Stamp>,
    /// The provider refused what is held.
    stale: bool,
    /// It was used since it was renewed.
    used: bool,
    failure: Option<Failure>,
}

#[derive(Clone, Debug)]
struct Failure {
    error: UserError,
    count: u32,
    until: Instant,
}

enum Tier {
    Use(Held),
    Try(Held),
    Must,
}

/// The number of the next token of this program.
pub fn next_generation() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

impl Renewing {
    /// Keeps the token of `renewer` fresh. Nothing is done before the first use.
    pub fn new(renewer: Arc<dyn Renewer>, clock: Clock) -> Self {
        let (state, gate) = (Mutex::default(), Arc::new(Gate::new(())));
        Self { shared: Arc::new(Shared { renewer, clock, state, gate }), background: OnceLock::new() }
    }

    /// A token that lives.
    ///
    /// # Errors
    /// `auth.*`: there is none and none can be had.
    pub async fn current(&self) -> Result<Held, UserError> {
        let held = self.shared.current().await?;
        self.shared.state().used = true;
        if self.shared.renewer.can_renew() {
            self.background.get_or_init(|| {
                let cancelled = CancellationToken::new();
                tokio::spawn(in_background(Arc::downgrade(&self.shared), cancelled.clone()));
                cancelled.drop_guard()
            });
        }
        Ok(held)
    }

    /// The provider refused the token of `generation`: gives back whether there is another one now.
    ///
    /// # Errors
    /// `auth.*`: there should be one, and it cannot be had.
    pub async fn refused(&self, generation: u64) -> Result<bool, UserError> {
        self.shared.refused(generation).await
    }

    /// Whether a request can be authorized, as far as that is known without the network.
    ///
    /// # Errors
    /// `auth.*`.
    pub fn ready(&self) -> Result<(), UserError> {
        let shared = &self.shared;
        shared.reload()?;
        let expires_at = self.expires_at();
        if !shared.renewer.can_renew() && expires_at.is_some_and(|at| at <= shared.clock.now()) {
            return Err(UserError::new(ErrorCode::AuthExpired, "the token has expired and nothing here renews it"));
        }
        Ok(())
    }

    /// When the token that is held expires.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.shared.state().held.as_ref().and_then(|held| held.token.expires_at)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn current(self: &Arc<Self>) -> Result<Held, UserError> {
        self.reload()?;
        match self.tier() {
            Tier::Use(held) => Ok(held),
            Tier::Try(held) => match self.gate.clone().try_lock_owned() {
                Ok(gate) => Ok(self.renew(gate).await.unwrap_or(held)),
                Err(_) => Ok(held),
            },
            Tier::Must => {
                let gate = self.gate.clone().lock_owned().await;
                match self.tier() {
                    Tier::Use(held) | Tier::Try(held) => Ok(held),
                    Tier::Must => self.renew(gate).await,
                }
            }
        }
    }

    async fn refused(self: &Arc<Self>, generation: u64) -> Result<bool, UserError> {
        let gate = self.gate.clone().lock_owned().await;
        let is_held = |state: &State| state.held.as_ref().is_some_and(|held| held.generation == generation);
        self.state().stamp = None;
        let reloaded = self.reload();
        if !is_held(&self.state()) {
            return Ok(true);
        }
        if !self.renewer.can_renew() {
            return reloaded.map(|()| false);
        }
        self.state().stale = true;
        self.renew(gate).await.map(|_| true)
    }

    /// Takes over what another program, or the user, put in the place of what is held.
    fn reload(&self) -> Result<(), UserError> {
        let stamp = self.renewer.stamp();
        let mut state = self.state();
        if state.held.is_some() && (stamp == state.stamp || stamp.is_none()) {
            return Ok(());
        }
        let loaded = match self.renewer.load() {
            Ok(loaded) => loaded,
            // A file that is just being written: what is held still holds.
            Err(_) if state.held.is_some() => return Ok(()),
            Err(error) => return Err(error),
        };
        if let Some(token) = loaded
            && state.held.as_ref().is_none_or(|held| !held.token.is(&token))
        {
            *state = State { held: Some(Held { token, generation: next_generation() }), ..State::default() };
        }
        state.stamp = stamp;
        Ok(())
    }

    fn tier(&self) -> Tier {
        let state = self.state();
        let Some(held) = state.held.clone().filter(|_| !state.stale) else { return Tier::Must };
        let Some(expires_at) = held.token.expires_at else { return Tier::Use(held) };
        let left = self.clock.until(expires_at);
        let waits = state.failure.as_ref().is_some_and(|failure| failure.until > Instant::now());
        if !self.renewer.can_renew() {
            if left.is_zero() { Tier::Must } else { Tier::Use(held) }
        } else if left <= margin(&held.token, MANDATORY) {
            Tier::Must
        } else if left <= margin(&held.token, ADVISORY) && !waits {
            Tier::Try(held)
        } else {
            Tier::Use(held)
        }
    }

    /// Renews the token, unless that failed just now. It goes on when the caller is gone: an answer that is lost would
    /// take the login with it.
    async fn renew(self: &Arc<Self>, gate: OwnedMutexGuard<()>) -> Result<Held, UserError> {
        if let Some(failure) = &self.state().failure
            && failure.until > Instant::now()
        {
            return Err(failure.error.clone());
        }
        let shared = self.clone();
        let renewal = tokio::spawn(async move {
            let _gate = gate;
            let current = shared.state().held.clone();
            let result = shared.renewer.renew(current.as_ref().map(|held| &held.token)).await;
            shared.settle(result)
        });
        let lost = |error: tokio::task::JoinError| Err(UserError::new(ErrorCode::ServerInternal, error.to_string()));
        renewal.await.unwrap_or_else(lost)
    }

    fn settle(&self, result: Result<Token, UserError>) -> Result<Held, UserError> {
        let mut state = self.state();
        match result {
            Ok(token) => {
                let held = Held { token, generation: next_generation() };
                *state = State { held: Some(held.clone()), stamp: self.renewer.stamp(), ..State::default() };
                Ok(held)
            }
            Err(error) => {
                let count = state.failure.as_ref().map_or(0, |failure| failure.count) + 1;
                let doubled = FIRST_WAIT.saturating_mul(1 << (count - 1).min(8)).min(LONGEST_WAIT);
                let wait = if error.retryable { doubled } else { LONGEST_WAIT };
                tracing::warn!(code = %error.code, message = %error.message, "a token was not renewed");
                state.failure = Some(Failure { error: error.clone(), count, until: Instant::now() + wait });
                Err(error)
            }
        }
    }

    /// How long the background task has nothing to do; nothing when it is time.
    fn idle_for(&self) -> Option<Duration> {
        let state = self.state();
        let Some(held) = state.held.as_ref().filter(|_| state.used) else { return Some(LONGEST_SLEEP) };
        let Some(expires_at) = held.token.expires_at else { return Some(LONGEST_SLEEP) };
        let left = self.clock.until(expires_at).saturating_sub(margin(&held.token, BACKGROUND));
        // What was refused is not asked for again unless somebody needs it.
        if state.failure.as_ref().is_some_and(|failure| !failure.error.retryable) {
            return Some(LONGEST_SLEEP);
        }
        let since = |failure: &Failure| failure.until.saturating_duration_since(Instant::now());
        let wait = state.failure.as_ref().map_or(Duration::ZERO, since);
        Some(left.max(wait).min(LONGEST_SLEEP)).filter(|wait| !wait.is_zero())
    }
}

/// A margin before the end of a token; less for one that was made for a short time, so that it can be used at all.
fn margin(token: &Token, most: Duration) -> Duration {
    let share = if most == MANDATORY { 8 } else { 2 };
    token.lifetime.map_or(most, |lifetime| most.min(lifetime / share))
}

async fn in_background(shared: Weak<Shared>, cancelled: CancellationToken) {
    loop {
        let Some(wait) = shared.upgrade().map(|shared| shared.idle_for()) else { return };
        if let Some(wait) = wait {
            tokio::select! {
                () = cancelled.cancelled() => return,
                () = tokio::time::sleep(wait) => continue,
            }
        }
        let Some(shared) = shared.upgrade() else { return };
        let Ok(gate) = tokio::time::timeout(LONGEST_WAIT, shared.gate.clone().lock_owned()).await else { continue };
        if shared.idle_for().is_none() {
            // What failed is remembered, and waited for.
            let _ = shared.renew(gate).await;
        }
    }
}

#[cfg(test)]
#[path = "refresh_tests.rs"]
mod tests;
