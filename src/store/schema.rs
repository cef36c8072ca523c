//! The tables, and how a database of an older version gets them.

use rusqlite::Connection;

use super::failure::Failure;
use crate::error::{ErrorCode, UserError};

/// Says whose file this is: "Souf".
pub(super) const APPLICATION_ID: i64 = 0x536f_7566;

/// What brings a database from each version to the next. A step that was released never changes; new ones come last.
pub(super) const STEPS: &[&str] = &[FIRST];

/// The version of the schema that this program writes.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// `key` is the session's number in this file, never used again. Messages, items and texts lie in the order of their
/// session, so that a session is read from neighbouring pages. `items.messages` is how many messages there were before
/// the item, which tells after a crash what of an answer is not in a message yet. The rowid of a text is its session's
/// key and its item's number, see `search.rs`.
const FIRST: &str = "
CREATE TABLE sessions (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    model TEXT NOT NULL,
    simulated INTEGER NOT NULL,
    workspace TEXT,
    mode TEXT,
    parent TEXT,
    parent_turn TEXT,
    turns INTEGER NOT NULL,
    owner TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_workspace ON sessions (workspace, id);
CREATE INDEX sessions_by_use ON sessions (updated_at);
CREATE INDEX sessions_by_workspace_and_use ON sessions (workspace, updated_at);
CREATE INDEX sessions_owned ON sessions (owner) WHERE owner IS NOT NULL;
CREATE TABLE turns (
    session INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    id TEXT NOT NULL,
    model TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'ended', 'interrupted')),
    ending TEXT,
    spent TEXT NOT NULL,
    first_message INTEGER NOT NULL,
    first_item INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    PRIMARY KEY (session, number),
    UNIQUE (session, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX turns_running ON turns (session) WHERE state = 'running';
CREATE TABLE messages (
    session INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    role TEXT NOT NULL,
    author TEXT,
    content TEXT NOT NULL,
    PRIMARY KEY (session, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE items (
    session INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    id TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (session, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoints (
    session INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    id TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (session, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE expenses (
    session INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    spent TEXT NOT NULL,
    PRIMARY KEY (session, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE session_values (
    session INTEGER NOT NULL REFERENCES sessions (key) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (session, name)
) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE texts USING fts5 (text, item UNINDEXED, tokenize = 'unicode61 remove_diacritics 2');
INSERT INTO texts (texts, rank) VALUES ('secure-delete', 1);
";

/// Whose database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Ours, or an empty one; of a version that we can read or bring up to date.
    Ours,
    /// Of a later version of this program.
    Newer(i64),
    /// Another program's.
    Foreign,
}

/// Whose database this is. Reads the tables' definitions on the way, and so finds damage there.
pub(super) fn kind(connection: &Connection) -> Result<Kind, Failure> {
    let application = pragma(connection, "application_id")?;
    let version = version(connection)?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (application, version) {
        (0, 0) if tables == 0 => Kind::Ours,
        (APPLICATION_ID, version) if version > VERSION => Kind::Newer(version),
        (APPLICATION_ID, _) => Kind::Ours,
        _ => Kind::Foreign,
    })
}

/// Brings the database to the version of `steps`, each step in a transaction of its own.
pub(super) fn migrate(connection: &Connection, steps: &[&str]) -> Result<(), Failure> {
    loop {
        let transaction = rusqlite::Transaction::new_unchecked(connection, rusqlite::TransactionBehavior::Immediate)?;
        let version = version(&transaction)?;
        let Some(step) = usize::try_from(version).ok().and_then(|version| steps.get(version)) else { return Ok(()) };
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version + 1)?;
        transaction.commit()?;
    }
}

/// Refuses to write to a database that a later version of this program took over meanwhile.
pub(super) fn check_version(connection: &Connection) -> Result<(), Failure> {
    if version(connection)? == VERSION {
        return Ok(());
    }
    let message = "a newer version of this program has taken over the database of sessions";
    Err(UserError::new(ErrorCode::StoreFailed, message).with_hint("restart the server with that version").into())
}

fn version(connection: &Connection) -> Result<i64, Failure> {
    pragma(connection, "user_version")
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, Failure> {
    Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
}
