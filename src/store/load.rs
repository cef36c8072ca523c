//! The reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;

use super::failure::{Failure, int, not_found, uint};
use super::record::{
    ForkPoint, ListPage, ListQuery, Position, SessionRecord, Spending, Transcript, TurnRecord, TurnState,
};
use super::search;
use crate::chat::{Encoding, Item, Message, Role, SessionId, TurnId};

/// The columns of a session, for [`session`].
pub(super) const SESSION: &str =
    "key, id, title, model, simulated, workspace, mode, parent, parent_turn, turns, created_at, updated_at,
     EXISTS (SELECT 1 FROM turns WHERE turns.session = sessions.key AND turns.state = 'running')";

/// How many columns those are.
pub(super) const SESSION_COLUMNS: usize = 13;

/// A session and its key, out of the columns [`SESSION`].
pub(super) fn session(row: &Row<'_>) -> rusqlite::Result<(i64, SessionRecord)> {
    let text = |column| row.get::<_, Option<String>>(column);
    let parent = text(7)?.map(|parent| (parent, text(8)));
    let parent = match parent {
        None => None,
        Some((session, turn)) => Some(ForkPoint {
            session_id: SessionId::from(session.as_str()),
            turn_id: turn?.map(|turn| TurnId::from(turn.as_str())),
        }),
    };
    let record = SessionRecord {
        session_id: SessionId::from(row.get::<_, String>(1)?.as_str()),
        title: row.get(2)?,
        model: row.get(3)?,
        simulated: row.get(4)?,
        workspace_uri: row.get(5)?,
        mode: row.get(6)?,
        parent,
        turns: uint(row.get(9)?),
        created_at: uint(row.get(10)?),
        updated_at: uint(row.get(11)?),
        running: row.get(12)?,
    };
    Ok((row.get(0)?, record))
}

/// A session by its id, with its key.
pub(super) fn record(connection: &Connection, id: &SessionId) -> Result<(i64, SessionRecord), Failure> {
    let sql = format!("SELECT {SESSION} FROM sessions WHERE id = ?");
    connection.query_row(&sql, [id.as_str()], session).optional()?.ok_or_else(|| not_found(id))
}

/// See [`super::Store::list`].
pub(super) fn list(connection: &Connection, query: &ListQuery) -> Result<ListPage, Failure> {
    let words = match &query.text {
        Some(text) => match search::words(text) {
            Some(words) => Some(words),
            None => return Ok(ListPage { sessions: Vec::new(), more: false }),
        },
        None => None,
    };
    let mut sql = format!("SELECT {SESSION} FROM sessions WHERE id < ?1");
    // A condition that is not asked for is not written, so that each query has the index that fits it.
    sql.push_str(if query.workspace_uri.is_some() { " AND workspace = ?2" } else { " AND ?2 IS NULL" });
    sql.push_str(match words {
        Some(_) => " AND key IN (SELECT rowid >> 32 FROM texts WHERE texts MATCH ?3)",
        None => " AND ?3 IS NULL",
    });
    sql.push_str(" ORDER BY id DESC LIMIT ?4");
    // Ids begin with ASCII: all are less than this.
    let before = query.before.as_ref().map_or("\u{10ffff}", SessionId::as_str);
    let limit = query.limit.max(1) as usize;
    let mut statement = connection.prepare(&sql)?;
    let found = statement.query_map(params![before, query.workspace_uri, words, int(limit as u64 + 1)], session)?;
    let mut sessions = found.map(|row| row.map(|(_, record)| record)).collect::<Result<Vec<_>, _>>()?;
    let more = sessions.len() > limit;
    sessions.truncate(limit);
    Ok(ListPage { sessions, more })
}

/// See [`super::Store::latest`].
pub(super) fn latest(connection: &Connection, workspace: Option<&str>) -> Result<Option<SessionRecord>, Failure> {
    let condition = if workspace.is_some() { "workspace = ?1" } else { "?1 IS NULL" };
    let sql = format!("SELECT {SESSION} FROM sessions WHERE {condition} ORDER BY updated_at DESC, id DESC LIMIT 1");
    Ok(connection.query_row(&sql, [workspace], session).optional()?.map(|(_, record)| record))
}

/// See [`super::Store::load`].
pub(super) fn transcript(connection: &Connection, id: &SessionId) -> Result<Transcript, Failure> {
    let (key, session) = record(connection, id)?;
    Ok(Transcript {
        session,
        turns: turns(connection, key)?,
        messages: messages(connection, key, 0)?,
        items: json(connection, "SELECT value FROM items WHERE session = ? ORDER BY number", key)?,
        running: checkpoints(connection, key)?,
        expenses: expenses(connection, key)?,
        values: values(connection, key)?,
    })
}

/// See [`super::Store::load_items`].
pub(super) fn items(connection: &Connection, id: &SessionId, from: u64, limit: u32) -> Result<Vec<Item>, Failure> {
    let (key, _) = record(connection, id)?;
    let sql = "SELECT value FROM items WHERE session = ? AND number >= ? ORDER BY number LIMIT ?";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(params![key, int(from), limit])?;
    parsed(&mut rows)
}

/// The completed items that came after a session's first `messages` messages.
pub(super) fn items_after(connection: &Connection, key: i64, messages: i64) -> Result<Vec<Item>, Failure> {
    let mut statement =
        connection.prepare("SELECT value FROM items WHERE session = ? AND messages >= ? ORDER BY number")?;
    let mut rows = statement.query(params![key, messages])?;
    parsed(&mut rows)
}

/// How much of a session there is.
pub(super) fn position(connection: &Connection, key: i64) -> Result<Position, Failure> {
    let sql = "SELECT (SELECT coalesce(max(number) + 1, 0) FROM messages WHERE session = ?1),
                      (SELECT coalesce(max(number) + 1, 0) FROM items WHERE session = ?1)";
    let position = |row: &Row<'_>| Ok(Position { messages: uint(row.get(0)?), items: uint(row.get(1)?) });
    Ok(connection.query_row(sql, [key], position)?)
}

/// The items that grow, as they were kept last.
pub(super) fn checkpoints(connection: &Connection, key: i64) -> Result<Vec<Item>, Failure> {
    json(connection, "SELECT value FROM checkpoints WHERE session = ? ORDER BY place", key)
}

/// What was used outside of turns.
pub(super) fn expenses(connection: &Connection, key: i64) -> Result<Vec<Spending>, Failure> {
    json(connection, "SELECT spent FROM expenses WHERE session = ? ORDER BY number", key)
}

/// The messages of a session from number `from` on.
pub(super) fn messages(connection: &Connection, key: i64, from: i64) -> Result<Vec<Arc<Message>>, Failure> {
    let sql = "SELECT role, author, content FROM messages WHERE session = ? AND number >= ? ORDER BY number";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(params![key, from])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let role =
            if row.get_ref(0)?.as_str().is_ok_and(|role| role == "assistant") { Role::Assistant } else { Role::User };
        let author: Option<Arc<str>> = row.get(1)?;
        let content = serde_json::from_str(text(row, 2)?)?;
        found.push(Arc::new(Message { role, content, author, encoding: Encoding::default() }));
    }
    Ok(found)
}

/// A session's turns.
pub(super) fn turns(connection: &Connection, key: i64) -> Result<Vec<TurnRecord>, Failure> {
    let sql = "SELECT id, model, state, ending, spent, first_message, first_item, started_at, ended_at
               FROM turns WHERE session = ? ORDER BY number";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([key])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let state = match text(row, 2)? {
            "running" => TurnState::Running,
            "ended" => TurnState::Ended,
            _ => TurnState::Interrupted,
        };
        let end: Option<String> = row.get(3)?;
        found.push(TurnRecord {
            turn_id: TurnId::from(text(row, 0)?),
            model: row.get(1)?,
            state,
            end: end.as_deref().map(serde_json::from_str).transpose()?,
            spent: serde_json::from_str(text(row, 4)?)?,
            first_message: uint(row.get(5)?),
            first_item: uint(row.get(6)?),
            started_at: uint(row.get(7)?),
            ended_at: row.get::<_, Option<i64>>(8)?.map(uint),
        });
    }
    Ok(found)
}

fn values(connection: &Connection, key: i64) -> Result<BTreeMap<String, String>, Failure> {
    let mut statement = connection.prepare("SELECT name, value FROM session_values WHERE session = ?")?;
    let rows = statement.query_map([key], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A column of JSON texts of the session `key`.
fn json<T: DeserializeOwned>(connection: &Connection, query: &str, key: i64) -> Result<Vec<T>, Failure> {
    let mut statement = connection.prepare(query)?;
    let mut rows = statement.query([key])?;
    parsed(&mut rows)
}

fn parsed<T: DeserializeOwned>(rows: &mut rusqlite::Rows<'_>) -> Result<Vec<T>, Failure> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(serde_json::from_str(text(row, 0)?)?);
    }
    Ok(found)
}

/// A column's text, not copied.
fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, Failure> {
    row.get_ref(column)?.as_str().map_err(|error| rusqlite::Error::from(error).into())
}
