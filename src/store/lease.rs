//! Which server may write a session: the one whose name stands in it, for as long as that server is alive.

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::closing;
use super::failure::{Failure, not_found};
use super::presence::Presence;
use super::record::Interrupted;
use crate::chat::SessionId;
use crate::error::{ErrorCode, UserError};

/// The key of a session and the server that has it.
fn owner(connection: &Connection, session: &SessionId) -> Result<(i64, Option<String>), Failure> {
    connection
        .query_row("SELECT key, owner FROM sessions WHERE id = ?", [session.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?
        .ok_or_else(|| not_found(session))
}

fn in_use(session: &SessionId) -> Failure {
    UserError::new(ErrorCode::SessionInUse, format!("another server runs the session {session}"))
        .with_hint("close it there, fork it, or go on in another session")
        .into()
}

/// The key of a session that is ours.
///
/// A session that nobody alive has is not ours either: between our release of it and now another server may have
/// written it, and what we hold of it would be stale.
pub(super) fn ours(connection: &Connection, presence: &Presence, session: &SessionId) -> Result<i64, Failure> {
    match owner(connection, session)? {
        (key, Some(owner)) if owner == presence.name() => Ok(key),
        _ => Err(in_use(session)),
    }
}

/// The key of a session that is nobody else's: enough for a change that does not depend on what is in it.
pub(super) fn not_anothers(connection: &Connection, presence: &Presence, session: &SessionId) -> Result<i64, Failure> {
    match owner(connection, session)? {
        (_, Some(owner)) if owner != presence.name() && presence.is_alive(&owner) => Err(in_use(session)),
        (key, _) => Ok(key),
    }
}

/// See [`super::Store::take`].
pub(super) fn take(
    connection: &Connection,
    presence: &Presence,
    session: &SessionId,
    at: u64,
) -> Result<Option<Interrupted>, Failure> {
    let (key, before) = owner(connection, session)?;
    if before.as_deref() == Some(presence.name()) {
        return Ok(None);
    }
    if before.is_some_and(|owner| presence.is_alive(&owner)) {
        return Err(in_use(session));
    }
    connection.execute("UPDATE sessions SET owner = ? WHERE key = ?", params![presence.name(), key])?;
    closing::close(connection, key, session, at)
}

/// See [`super::Store::release`].
pub(super) fn release(connection: &Connection, presence: &Presence, session: &SessionId) -> Result<(), Failure> {
    let key = ours(connection, presence, session)?;
    connection.execute("UPDATE sessions SET owner = NULL WHERE key = ?", [key])?;
    Ok(())
}

/// Closes the turns that were left running by servers that are gone, and frees their sessions.
pub(super) fn close_abandoned(
    connection: &Connection,
    presence: &Presence,
    at: u64,
) -> Result<Vec<Interrupted>, Failure> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let owners = strings(&transaction, "SELECT DISTINCT owner FROM sessions WHERE owner IS NOT NULL")?;
    for owner in owners.iter().filter(|owner| !presence.is_alive(owner)) {
        transaction.execute("UPDATE sessions SET owner = NULL WHERE owner = ?", [owner])?;
    }
    let running = "SELECT sessions.id FROM turns JOIN sessions ON sessions.key = turns.session
                   WHERE turns.state = 'running' AND sessions.owner IS NULL ORDER BY sessions.key";
    let mut closed = Vec::new();
    for id in strings(&transaction, running)? {
        let session = SessionId::from(id.as_str());
        let (key, _) = owner(&transaction, &session)?;
        closed.extend(closing::close(&transaction, key, &session, at)?);
    }
    transaction.commit()?;
    Ok(closed)
}

fn strings(connection: &Connection, query: &str) -> Result<Vec<String>, Failure> {
    let mut statement = connection.prepare(query)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
