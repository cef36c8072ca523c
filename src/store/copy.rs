//! Copies: forks of sessions, and sessions that come from an export.

use rusqlite::{Connection, OptionalExtension, params};

use super::closing;
use super::failure::{Failure, int};
use super::load;
use super::presence::Presence;
use super::record::{Entries, ForkPoint, Position, SessionRecord, Spending, Transcript, TurnState};
use super::search;
use super::write;
use crate::chat::{SessionId, TurnId, Usage};
use crate::error::{ErrorCode, UserError};

/// See [`super::Store::fork`].
pub(super) fn fork(
    connection: &Connection,
    presence: &Presence,
    source: &SessionId,
    up_to: Option<&TurnId>,
    mut new: SessionRecord,
) -> Result<SessionRecord, Failure> {
    let (from, _) = load::record(connection, source)?;
    let turns = load::turns(connection, from)?;
    let count = match up_to {
        None => turns.iter().take_while(|turn| turn.state != TurnState::Running).count(),
        Some(id) => {
            let at = turns.iter().position(|turn| turn.turn_id == *id && turn.state != TurnState::Running);
            1 + at.ok_or_else(|| {
                UserError::new(ErrorCode::SessionNotFound, format!("the session {source} has no ended turn {id}"))
                    .with_hint("fork at one of the turns that souffleur/session/load shows")
            })?
        }
    };
    let end = match turns.get(count) {
        Some(next) => Position { messages: next.first_message, items: next.first_item },
        None => load::position(connection, from)?,
    };
    new.turns = count as u64;
    new.running = false;
    new.parent =
        Some(ForkPoint { session_id: source.clone(), turn_id: turns[..count].last().map(|turn| turn.turn_id.clone()) });
    let to = write::insert(connection, Some(presence), &new)?;
    for turn in &turns[..count] {
        let mut turn = turn.clone();
        turn.spent = Spending { usage: Usage::default(), cost: None, ..turn.spent };
        write::insert_turn(connection, to, &turn)?;
    }
    // Byte for byte, without a look inside.
    connection.execute(
        "INSERT INTO messages (session, number, role, author, content)
         SELECT ?, number, role, author, content FROM messages WHERE session = ? AND number < ?",
        params![to, from, int(end.messages)],
    )?;
    connection.execute(
        "INSERT INTO items (session, number, messages, id, value)
         SELECT ?, number, messages, id, value FROM items WHERE session = ? AND number < ?",
        params![to, from, int(end.items)],
    )?;
    connection.execute(
        "INSERT INTO session_values (session, name, value) SELECT ?, name, value FROM session_values WHERE session = ?",
        params![to, from],
    )?;
    search::copy(connection, from, to, end.items)?;
    Ok(new)
}

/// See [`super::Store::import`].
pub(super) fn import(connection: &Connection, transcript: Transcript, at: u64) -> Result<SessionRecord, Failure> {
    let Transcript { mut session, turns, mut messages, items, running: _, expenses, values } = transcript;
    let taken = connection
        .query_row("SELECT 1 FROM sessions WHERE id = ?", [session.session_id.as_str()], |_| Ok(()))
        .optional()?;
    if taken.is_some() {
        session.session_id = SessionId::generate();
    }
    session.turns = turns.len() as u64;
    session.running = false;
    let key = write::insert(connection, None, &session)?;
    for mut turn in turns {
        if turn.state == TurnState::Running {
            turn.state = TurnState::Interrupted;
            turn.ended_at = Some(at);
        }
        write::insert_turn(connection, key, &turn)?;
    }
    // The export may have been made while tools ran.
    messages.extend(messages.last().and_then(|last| closing::answers(last)));
    write::add(connection, key, &Entries { messages, items })?;
    for spent in &expenses {
        write::insert_expense(connection, key, spent)?;
    }
    for (name, value) in &values {
        write::insert_value(connection, key, name, value)?;
    }
    Ok(session)
}
