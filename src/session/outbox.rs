//! Where updates wait for their one reader.
//!
//! While the reader keeps up, each update is taken at once. While it does not, deltas of the same item become one
//! delta: nothing is dropped, and the queue stays short. A stream that still holds too much has no space; its writer
//! then stops taking from the provider until the reader goes on.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::stream::StreamQueue;
use crate::chat::{SessionId, SessionUpdate, TurnEnd, TurnId};
use crate::error::{ErrorCode, UserError};
use crate::protocol::{ProgressBegin, ProgressEnd, ProgressReport, ProgressValue, SessionInfo, StreamToken};

pub use super::stream::UpdateSender;

/// What a turn says of itself when it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnBegin {
    /// The session.
    pub session_id: SessionId,
    /// The turn.
    pub turn_id: TurnId,
    /// The model that answers.
    pub model: Arc<str>,
    /// Whether the answer is simulated.
    pub simulated: bool,
}

/// One value of a turn's stream.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamEvent {
    /// The first value.
    Begin(TurnBegin),
    /// Something happened.
    Update(SessionUpdate),
    /// The last value.
    End(TurnEnd),
}

impl StreamEvent {
    /// The value as it travels, as number `seq` of its stream.
    pub fn into_progress(self, seq: u64) -> ProgressValue {
        match self {
            Self::Begin(begin) => ProgressValue::Begin(ProgressBegin {
                seq,
                title: "Souffleur".to_owned(),
                cancellable: true,
                session_id: begin.session_id,
                turn_id: begin.turn_id,
                model: begin.model.to_string(),
                simulated: begin.simulated,
            }),
            Self::Update(update) => ProgressValue::Report(ProgressReport { seq, update }),
            Self::End(end) => ProgressValue::End(ProgressEnd { seq, end }),
        }
    }
}

/// What the reader takes at once.
#[derive(Debug, PartialEq)]
pub enum Batch {
    /// Values of one stream, in order.
    Stream {
        /// The stream's token.
        token: Arc<StreamToken>,
        /// The number of the first of them.
        first_seq: u64,
        /// The values.
        events: VecDeque<StreamEvent>,
    },
    /// A session changed.
    Session(SessionInfo),
    /// A message to the user that belongs to no session.
    Message(String),
}

/// How many messages wait at most; there are never so many.
const MAX_MESSAGES: usize = 32;

/// Updates of all sessions, waiting for their one reader.
#[derive(Debug, Default)]
pub struct Outbox {
    inner: Mutex<Inner>,
    ready: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    streams: HashMap<u64, StreamQueue>,
    tokens: HashSet<Arc<StreamToken>>,
    waiting: VecDeque<u64>,
    sessions: VecDeque<SessionInfo>,
    messages: VecDeque<String>,
    next: u64,
}

impl Outbox {
    /// Opens a stream for `token`.
    ///
    /// # Errors
    /// `protocol.invalid_params` when the token is in use.
    pub fn open(self: &Arc<Self>, token: StreamToken) -> Result<UpdateSender, UserError> {
        let mut inner = self.lock();
        let token = Arc::new(token);
        if !inner.tokens.insert(token.clone()) {
            return Err(UserError::new(ErrorCode::ProtocolInvalidParams, "streamToken is in use by another turn")
                .with_hint("mint a new token for each prompt"));
        }
        let id = inner.next;
        inner.next += 1;
        let space = Arc::new(Notify::new());
        inner.streams.insert(id, StreamQueue::new(token, space.clone()));
        drop(inner);
        Ok(UpdateSender::new(self.clone(), id, space))
    }

    /// A session changed outside its turns' streams. Until it is read, only the latest state of a session counts.
    pub fn session_changed(&self, session: SessionInfo) {
        let mut inner = self.lock();
        inner.sessions.retain(|waiting| waiting.session_id != session.session_id);
        inner.sessions.push_back(session);
        drop(inner);
        self.ready.notify_one();
    }

    /// Tells the user something that belongs to no session.
    pub fn tell(&self, messages: impl IntoIterator<Item = String>) {
        let mut inner = self.lock();
        inner.messages.extend(messages);
        inner.messages.truncate(MAX_MESSAGES);
        drop(inner);
        self.ready.notify_one();
    }

    /// Takes what waits of the stream that waits longest. `None` when nothing waits.
    pub fn take(&self) -> Option<Batch> {
        let mut inner = self.lock();
        if let Some(message) = inner.messages.pop_front() {
            return Some(Batch::Message(message));
        }
        if let Some(session) = inner.sessions.pop_front() {
            return Some(Batch::Session(session));
        }
        let id = inner.waiting.pop_front()?;
        let queue = inner.streams.get_mut(&id)?;
        let batch = queue.take();
        if queue.is_over() {
            let token = queue.token.clone();
            inner.streams.remove(&id);
            inner.tokens.remove(&token);
        }
        Some(batch)
    }

    /// How often something can be taken now.
    pub fn waiting(&self) -> usize {
        let inner = self.lock();
        inner.waiting.len() + inner.sessions.len() + inner.messages.len()
    }

    /// Waits until something can be taken. May return although nothing can.
    pub async fn ready(&self) {
        self.ready.notified().await;
    }

    /// How many streams are open.
    pub fn open_streams(&self) -> usize {
        self.lock().streams.len()
    }

    pub(super) fn push(&self, id: u64, event: StreamEvent) {
        let mut inner = self.lock();
        let Some(queue) = inner.streams.get_mut(&id) else { return };
        if queue.push(event) {
            inner.waiting.push_back(id);
            drop(inner);
            self.ready.notify_one();
        }
    }

    pub(super) fn has_space(&self, id: u64) -> bool {
        self.lock().streams.get(&id).is_none_or(StreamQueue::has_space)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that holds the lock can leave it half changed.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
