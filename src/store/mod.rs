//! Sessions on disk.
//!
//! *For*: nothing is lost. A prompt is on disk before its request leaves, each item when it is whole, running text
//! every now and then; all of it is found again after a crash.
//! *Owns*: the database: its file and schema, the one thread that writes, which server may write which session, the
//! full-text index.
//! *Must not know*: turns that run, providers, LSP. Nothing of the database library is seen outside.
//!
//! All writes go through one thread ([`Store`]'s methods that give back a [`Written`]); they are carried out in the
//! order of the calls. Reads have connections of their own and wait for no write.

mod closing;
mod copy;
mod export;
mod failure;
mod lease;
mod load;
mod open;
mod presence;
mod readers;
mod record;
mod schema;
mod search;
mod write;
mod writer;

#[cfg(test)]
#[path = "crash_tests.rs"]
mod crash_tests;
#[cfg(test)]
#[path = "open_tests.rs"]
mod open_tests;
#[cfg(test)]
#[path = "property_tests.rs"]
mod property_tests;
#[cfg(test)]
#[path = "search_tests.rs"]
mod search_tests;
#[cfg(test)]
#[path = "server_tests.rs"]
mod server_tests;
#[cfg(test)]
#[path = "store_tests.rs"]
mod store_tests;
#[cfg(test)]
#[path = "test_support.rs"]
mod test_support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chat::{Item, SessionId, TurnId};
use crate::error::UserError;

use presence::Presence;
use readers::Readers;
use writer::Writer;

pub use export::{FORMAT, FORMAT_VERSION, from_json, to_json, to_markdown};
pub use record::{
    Checkpoint, Entries, ForkPoint, Interrupted, ListPage, ListQuery, Position, SearchHit, SearchPage, SearchQuery,
    SessionRecord, Spending, StoreNotice, Transcript, TurnFinish, TurnRecord, TurnStart, TurnState,
};
pub use writer::Written;

/// The sessions that are kept. Cheap to clone; when the last clone is dropped, what was handed in is written first.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    // Dropped in this order: the writer's connection is the last to close the file, and nothing is written once the
    // presence is gone.
    readers: Option<Readers>,
    writer: Writer,
    presence: Arc<Presence>,
    file: Option<PathBuf>,
}

/// A store that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// What the user should know: that nothing is kept, that a broken database was set aside.
    pub notices: Vec<StoreNotice>,
    /// Turns that servers left running which are gone. They are closed already.
    pub interrupted: Vec<Interrupted>,
}

impl Store {
    /// Opens the database in `folder`, which is made when it is not there. Where that cannot be done, and without a
    /// folder, sessions are held in memory, and a notice says so. `at`: the time, in milliseconds since 1970.
    ///
    /// Touches the disk: not for an async task that others wait for.
    ///
    /// # Errors
    /// `store.failed` when not even a database in memory can be had.
    pub fn open(folder: Option<&Path>, at: u64) -> Result<Opened, UserError> {
        open::open(folder, at)
    }

    /// The database's file; `None` when sessions are held in memory.
    pub fn file(&self) -> Option<&Path> {
        self.inner.file.as_deref()
    }

    /// Makes a session, which this server then owns. On the disk when it resolves.
    ///
    /// Resolves with `store.failed`, also when the id is taken.
    pub fn create(&self, session: SessionRecord) -> Written<()> {
        let presence = self.inner.presence.clone();
        self.inner.writer.durably(move |connection| write::create(connection, &presence, &session))
    }

    /// Begins a turn: its prompt is on the disk when it resolves, so the request may leave.
    ///
    /// Resolves with `session.not_found`, `session.in_use`, `session.busy`, `store.failed`; then nothing was written
    /// and nothing may be sent.
    pub fn begin_turn(&self, session: &SessionId, start: TurnStart) -> Written<Position> {
        let (presence, session) = (self.inner.presence.clone(), session.clone());
        self.inner.writer.durably(move |connection| write::begin_turn(connection, &presence, &session, &start))
    }

    /// Appends messages and completed items, all or none of them. They survive the process when it resolves, and the
    /// machine from the next turn's beginning or end on.
    ///
    /// Resolves with `session.not_found`, `session.in_use`, `store.failed`.
    pub fn append(&self, session: &SessionId, entries: Entries) -> Written<Position> {
        let (presence, session) = (self.inner.presence.clone(), session.clone());
        self.inner.writer.soon(move |connection| write::append(connection, &presence, &session, &entries))
    }

    /// Replaces what is known of the items that still grow. To be called at least every second while they do.
    ///
    /// Resolves with `session.not_found`, `session.in_use`, `store.failed`.
    pub fn checkpoint(&self, session: &SessionId, checkpoint: Checkpoint) -> Written<()> {
        let (presence, session) = (self.inner.presence.clone(), session.clone());
        self.inner.writer.soon(move |connection| write::checkpoint(connection, &presence, &session, &checkpoint))
    }

    /// Ends the turn that runs. On the disk when it resolves.
    ///
    /// Resolves with `session.not_found`, `session.in_use`, `store.failed`.
    pub fn end_turn(&self, session: &SessionId, finish: TurnFinish) -> Written<Position> {
        let (presence, session) = (self.inner.presence.clone(), session.clone());
        self.inner.writer.durably(move |connection| write::end_turn(connection, &presence, &session, &finish))
    }

    /// Adds what was used outside a turn.
    ///
    /// Resolves with `session.not_found`, `session.in_use`, `store.failed`.
    pub fn spend(&self, session: &SessionId, spent: Spending) -> Written<()> {
        let (presence, session) = (self.inner.presence.clone(), session.clone());
        self.inner.writer.soon(move |connection| write::spend(connection, &presence, &session, &spent))
    }

    /// Keeps a value of the session's under a name, in place of the one before: its frozen prefix, its mode's choices.
    ///
    /// Resolves with `session.not_found`, `session.in_use`, `store.failed`.
    pub fn put(&self, session: &SessionId, name: &'static str, value: String) -> Written<()> {
        let (presence, session) = (self.inner.presence.clone(), session.clone());
        self.inner.writer.soon(move |connection| write::put(connection, &presence, &session, name, &value))
    }

    /// Changes what the user can change of a session: its title, its mode. What is `None` stays.
    ///
    /// Resolves with `session.not_found`, `session.in_use`, `store.failed`.
    pub fn change(&self, session: &SessionId, title: Option<String>, mode: Option<String>) -> Written<()> {
        let (presence, session) = (self.inner.presence.clone(), session.clone());
        self.inner.writer.durably(move |connection| {
            write::change(connection, &presence, &session, title.as_deref(), mode.as_deref())
        })
    }

    /// Deletes a session, its text in the search index included: the words are no longer in the file.
    ///
    /// Resolves with `session.not_found`, `session.in_use`, `store.failed`.
    pub fn delete(&self, session: &SessionId) -> Written<()> {
        let (presence, session) = (self.inner.presence.clone(), session.clone());
        self.inner.writer.wiping(move |connection| write::delete(connection, &presence, &session))
    }

    /// Deletes the sessions whose last turn began or ended before `before`, in milliseconds since 1970, but none that a
    /// server runs. Only for a retention that the user set. Resolves with the deleted ones.
    ///
    /// Resolves with `store.failed`.
    pub fn prune(&self, before: u64) -> Written<Vec<SessionId>> {
        let presence = self.inner.presence.clone();
        self.inner.writer.wiping(move |connection| write::prune(connection, &presence, before))
    }

    /// Copies a session as `new`, up to and including `up_to` or its last turn. A turn that runs is not copied. The
    /// copied turns keep their ids, and what they used is the source's expense, not the copy's. This server owns the copy.
    ///
    /// Resolves with `session.not_found`, also when the session has no ended turn `up_to`, and `store.failed`.
    pub fn fork(&self, source: &SessionId, up_to: Option<TurnId>, new: SessionRecord) -> Written<SessionRecord> {
        let (presence, source) = (self.inner.presence.clone(), source.clone());
        self.inner.writer.durably(move |connection| copy::fork(connection, &presence, &source, up_to.as_ref(), new))
    }

    /// Adds a session that was exported. It gets a new id when its own is taken, and is nobody's until it is taken.
    /// Resolves with it as it is now.
    ///
    /// Resolves with `store.failed`.
    pub fn import(&self, transcript: Transcript, at: u64) -> Written<SessionRecord> {
        self.inner.writer.durably(move |connection| copy::import(connection, transcript, at))
    }

    /// Makes this server the one that may write a session, and closes the turn that a server left running in it which
    /// is gone. To be called before a session that was not made here goes on.
    ///
    /// Resolves with `session.not_found`, `session.in_use`, `store.failed`.
    pub fn take(&self, session: &SessionId, at: u64) -> Written<Option<Interrupted>> {
        let (presence, session) = (self.inner.presence.clone(), session.clone());
        self.inner.writer.durably(move |connection| lease::take(connection, &presence, &session, at))
    }

    /// Lets other servers write a session.
    ///
    /// Resolves with `session.not_found`, `session.in_use`, `store.failed`.
    pub fn release(&self, session: &SessionId) -> Written<()> {
        let (presence, session) = (self.inner.presence.clone(), session.clone());
        self.inner.writer.soon(move |connection| lease::release(connection, &presence, &session))
    }

    /// Resolves when all that was handed in before is on the disk.
    pub fn flush(&self) -> Written<()> {
        self.inner.writer.durably(|_| Ok(()))
    }

    /// Sessions, the one made last first.
    ///
    /// # Errors
    /// `store.failed`.
    pub async fn list(&self, query: ListQuery) -> Result<ListPage, UserError> {
        self.read(move |connection| load::list(connection, &query)).await
    }

    /// The session used last, of one workspace folder or of all.
    ///
    /// # Errors
    /// `store.failed`.
    pub async fn latest(&self, workspace_uri: Option<String>) -> Result<Option<SessionRecord>, UserError> {
        self.read(move |connection| load::latest(connection, workspace_uri.as_deref())).await
    }

    /// What lists show of a session.
    ///
    /// # Errors
    /// `session.not_found`, `store.failed`.
    pub async fn session(&self, session: &SessionId) -> Result<SessionRecord, UserError> {
        let session = session.clone();
        self.read(move |connection| load::record(connection, &session).map(|(_, record)| record)).await
    }

    /// All of a session, whoever runs it.
    ///
    /// # Errors
    /// `session.not_found`, `store.failed`.
    pub async fn load(&self, session: &SessionId) -> Result<Transcript, UserError> {
        let session = session.clone();
        self.read(move |connection| load::transcript(connection, &session)).await
    }

    /// The completed items from number `from` on, counted from 0, at most `limit` of them.
    ///
    /// # Errors
    /// `session.not_found`, `store.failed`.
    pub async fn load_items(&self, session: &SessionId, from: u64, limit: u32) -> Result<Vec<Item>, UserError> {
        let session = session.clone();
        self.read(move |connection| load::items(connection, &session, from, limit)).await
    }

    /// Where the words of a query were said, in titles, prompts and answers: the newest session first.
    ///
    /// # Errors
    /// `store.failed`.
    pub async fn search(&self, query: SearchQuery) -> Result<SearchPage, UserError> {
        self.read(move |connection| search::search(connection, &query)).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> Result<T, failure::Failure> + Send + 'static,
    ) -> Result<T, UserError> {
        match &self.inner.readers {
            Some(readers) => readers.read(work).await,
            // A database in memory has one connection.
            None => self.inner.writer.soon(work).await,
        }
    }
}
