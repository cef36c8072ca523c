//! The writes. Each runs inside the writer's transaction.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::failure::{Failure, int};
use super::lease;
use super::load;
use super::presence::Presence;
use super::record::{
    Checkpoint, Entries, Position, SessionRecord, Spending, TurnFinish, TurnRecord, TurnStart, TurnState,
};
use super::search;
use crate::chat::{Message, Role, SessionId, TurnId};
use crate::error::{ErrorCode, UserError};

/// See [`super::Store::create`].
pub(super) fn create(connection: &Connection, presence: &Presence, session: &SessionRecord) -> Result<(), Failure> {
    insert(connection, Some(presence), session).map(|_| ())
}

/// Adds a session with no turns, of this server or of none. Gives back its key.
pub(super) fn insert(
    connection: &Connection,
    owner: Option<&Presence>,
    session: &SessionRecord,
) -> Result<i64, Failure> {
    let parent = session.parent.as_ref();
    let sql = "INSERT INTO sessions (id, title, model, simulated, workspace, mode, parent, parent_turn, turns, owner,
                   created_at, updated_at)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    connection.execute(
        sql,
        params![
            session.session_id.as_str(),
            session.title,
            session.model,
            session.simulated,
            session.workspace_uri,
            session.mode,
            parent.map(|parent| parent.session_id.as_str()),
            parent.and_then(|parent| parent.turn_id.as_ref()).map(TurnId::as_str),
            int(session.turns),
            owner.map(Presence::name),
            int(session.created_at),
            int(session.updated_at),
        ],
    )?;
    let key = connection.last_insert_rowid();
    search::index_title(connection, key, &session.title)?;
    Ok(key)
}

/// See [`super::Store::begin_turn`].
pub(super) fn begin_turn(
    connection: &Connection,
    presence: &Presence,
    session: &SessionId,
    start: &TurnStart,
) -> Result<Position, Failure> {
    let key = lease::ours(connection, presence, session)?;
    if running_turn(connection, key)?.is_some() {
        return Err(UserError::new(ErrorCode::SessionBusy, "the session is running a turn").into());
    }
    let position = load::position(connection, key)?;
    let turn = TurnRecord {
        turn_id: start.turn_id.clone(),
        model: start.model.clone(),
        state: TurnState::Running,
        end: None,
        spent: Spending { simulated: start.simulated, ..Spending::default() },
        first_message: position.messages,
        first_item: position.items,
        started_at: start.at,
        ended_at: None,
    };
    insert_turn(connection, key, &turn)?;
    let untitled: bool =
        connection.query_row("SELECT title = '' FROM sessions WHERE key = ?", [key], |row| row.get(0))?;
    if untitled {
        set_title(connection, key, &start.title)?;
    }
    connection.execute(
        "UPDATE sessions SET model = ?, simulated = ?, turns = turns + 1, updated_at = ? WHERE key = ?",
        params![start.model, start.simulated, int(start.at), key],
    )?;
    add(connection, key, &start.entries)
}

/// Adds a turn after the last one.
pub(super) fn insert_turn(connection: &Connection, key: i64, turn: &TurnRecord) -> Result<(), Failure> {
    let sql = "INSERT INTO turns (session, number, id, model, state, ending, spent, first_message, first_item,
                   started_at, ended_at)
               SELECT ?1, coalesce(max(number) + 1, 0), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
               FROM turns WHERE session = ?1";
    let state = match turn.state {
        TurnState::Running => "running",
        TurnState::Ended => "ended",
        TurnState::Interrupted => "interrupted",
    };
    connection.execute(
        sql,
        params![
            key,
            turn.turn_id.as_str(),
            turn.model,
            state,
            turn.end.as_ref().map(serde_json::to_string).transpose()?,
            serde_json::to_string(&turn.spent)?,
            int(turn.first_message),
            int(turn.first_item),
            int(turn.started_at),
            turn.ended_at.map(int),
        ],
    )?;
    Ok(())
}

/// See [`super::Store::append`].
pub(super) fn append(
    connection: &Connection,
    presence: &Presence,
    session: &SessionId,
    entries: &Entries,
) -> Result<Position, Failure> {
    let key = lease::ours(connection, presence, session)?;
    add(connection, key, entries)
}

/// Appends to a session; what was running is dropped where it is now complete.
pub(super) fn add(connection: &Connection, key: i64, entries: &Entries) -> Result<Position, Failure> {
    let Position { mut messages, mut items } = load::position(connection, key)?;
    if !entries.items.is_empty() {
        let mut insert =
            connection.prepare("INSERT INTO items (session, number, messages, id, value) VALUES (?, ?, ?, ?, ?)")?;
        let mut forget = connection.prepare("DELETE FROM checkpoints WHERE session = ? AND id = ?")?;
        for item in &entries.items {
            let value = serde_json::to_string(item)?;
            insert.execute(params![key, int(items), int(messages), item.id.as_str(), value])?;
            forget.execute(params![key, item.id.as_str()])?;
            search::index_item(connection, key, items, item)?;
            items += 1;
        }
    }
    for message in &entries.messages {
        insert_message(connection, key, messages, message)?;
        messages += 1;
    }
    Ok(Position { messages, items })
}

fn insert_message(connection: &Connection, key: i64, number: u64, message: &Message) -> Result<(), Failure> {
    let role = match message.role {
        Role::User => "user",
        Role::Assistant => "assistant",
    };
    connection.execute(
        "INSERT INTO messages (session, number, role, author, content) VALUES (?, ?, ?, ?, ?)",
        params![key, int(number), role, message.author.as_deref(), serde_json::to_string(&message.content)?],
    )?;
    Ok(())
}

/// See [`super::Store::checkpoint`].
pub(super) fn checkpoint(
    connection: &Connection,
    presence: &Presence,
    session: &SessionId,
    checkpoint: &Checkpoint,
) -> Result<(), Failure> {
    let key = lease::ours(connection, presence, session)?;
    connection.execute("DELETE FROM checkpoints WHERE session = ?", [key])?;
    let mut insert = connection.prepare("INSERT INTO checkpoints (session, place, id, value) VALUES (?, ?, ?, ?)")?;
    for (place, item) in checkpoint.items.iter().enumerate() {
        insert.execute(params![key, int(place as u64), item.id.as_str(), serde_json::to_string(item)?])?;
    }
    connection.execute(
        "UPDATE turns SET spent = ? WHERE session = ? AND state = 'running'",
        params![serde_json::to_string(&checkpoint.spent)?, key],
    )?;
    Ok(())
}

/// See [`super::Store::end_turn`].
pub(super) fn end_turn(
    connection: &Connection,
    presence: &Presence,
    session: &SessionId,
    finish: &TurnFinish,
) -> Result<Position, Failure> {
    let key = lease::ours(connection, presence, session)?;
    let Some(number) = running_turn(connection, key)? else {
        return Err(UserError::new(ErrorCode::StoreFailed, "the session has no turn that could end").into());
    };
    let position = add(connection, key, &finish.entries)?;
    connection.execute("DELETE FROM checkpoints WHERE session = ?", [key])?;
    let (end, spent) = (serde_json::to_string(&finish.end)?, serde_json::to_string(&finish.spent)?);
    connection.execute(
        "UPDATE turns SET state = 'ended', ending = ?, spent = ?, ended_at = ? WHERE session = ? AND number = ?",
        params![end, spent, int(finish.at), key, number],
    )?;
    connection.execute("UPDATE sessions SET updated_at = ? WHERE key = ?", params![int(finish.at), key])?;
    Ok(position)
}

fn running_turn(connection: &Connection, key: i64) -> Result<Option<i64>, Failure> {
    let sql = "SELECT number FROM turns WHERE session = ? AND state = 'running'";
    Ok(connection.query_row(sql, [key], |row| row.get(0)).optional()?)
}

/// See [`super::Store::spend`].
pub(super) fn spend(
    connection: &Connection,
    presence: &Presence,
    session: &SessionId,
    spent: &Spending,
) -> Result<(), Failure> {
    let key = lease::ours(connection, presence, session)?;
    insert_expense(connection, key, spent)
}

/// Adds an expense after the last one.
pub(super) fn insert_expense(connection: &Connection, key: i64, spent: &impl Serialize) -> Result<(), Failure> {
    let sql = "INSERT INTO expenses (session, number, spent)
               SELECT ?1, coalesce(max(number) + 1, 0), ?2 FROM expenses WHERE session = ?1";
    connection.execute(sql, params![key, serde_json::to_string(spent)?])?;
    Ok(())
}

/// See [`super::Store::put`].
pub(super) fn put(
    connection: &Connection,
    presence: &Presence,
    session: &SessionId,
    name: &str,
    value: &str,
) -> Result<(), Failure> {
    let key = lease::ours(connection, presence, session)?;
    insert_value(connection, key, name, value)
}

/// Keeps a value, in place of the one before.
pub(super) fn insert_value(connection: &Connection, key: i64, name: &str, value: &str) -> Result<(), Failure> {
    let sql = "INSERT INTO session_values (session, name, value) VALUES (?, ?, ?)
               ON CONFLICT (session, name) DO UPDATE SET value = excluded.value";
    connection.execute(sql, params![key, name, value])?;
    Ok(())
}

/// See [`super::Store::change`].
pub(super) fn change(
    connection: &Connection,
    presence: &Presence,
    session: &SessionId,
    title: Option<&str>,
    mode: Option<&str>,
) -> Result<(), Failure> {
    let key = lease::not_anothers(connection, presence, session)?;
    if let Some(title) = title {
        set_title(connection, key, title)?;
    }
    if let Some(mode) = mode {
        connection.execute("UPDATE sessions SET mode = ? WHERE key = ?", params![mode, key])?;
    }
    Ok(())
}

fn set_title(connection: &Connection, key: i64, title: &str) -> Result<(), Failure> {
    connection.execute("UPDATE sessions SET title = ? WHERE key = ?", params![title, key])?;
    search::index_title(connection, key, title)
}

/// See [`super::Store::delete`].
pub(super) fn delete(connection: &Connection, presence: &Presence, session: &SessionId) -> Result<(), Failure> {
    let key = lease::not_anothers(connection, presence, session)?;
    remove(connection, key)
}

fn remove(connection: &Connection, key: i64) -> Result<(), Failure> {
    search::forget(connection, key)?;
    connection.execute("DELETE FROM sessions WHERE key = ?", [key])?;
    Ok(())
}

/// See [`super::Store::prune`].
pub(super) fn prune(connection: &Connection, presence: &Presence, before: u64) -> Result<Vec<SessionId>, Failure> {
    let old: Vec<(i64, String, Option<String>)> = {
        let mut statement = connection.prepare("SELECT key, id, owner FROM sessions WHERE updated_at < ?")?;
        let rows = statement.query_map([int(before)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect::<Result<_, _>>()?
    };
    let mut deleted = Vec::new();
    for (key, id, owner) in old {
        if !owner.is_some_and(|owner| presence.is_alive(&owner)) {
            remove(connection, key)?;
            deleted.push(SessionId::from(id.as_str()));
        }
    }
    Ok(deleted)
}
