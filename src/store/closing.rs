//! Closing a turn whose server died: what had arrived is kept, and open tool calls get an answer, so that the
//! conversation can go on.

use std::collections::HashSet;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::failure::{Failure, int, uint};
use super::load;
use super::record::{Entries, Interrupted};
use super::write;
use crate::chat::{
    ContentBlock, Item, ItemContent, ItemId, ItemStatus, Message, MessageBlock, Role, SessionId, ToolCall, ToolResult,
    TurnId,
};

/// What the model and the user read in place of the answer of a call that was open.
const NO_ANSWER: &str = "the server stopped before this tool answered; it may have done its work or a part of it: look \
                         before you call it again";

/// Closes the turn of the session that is marked as running, if there is one. Its server must be gone.
pub(super) fn close(
    connection: &Connection,
    key: i64,
    session: &SessionId,
    at: u64,
) -> Result<Option<Interrupted>, Failure> {
    let running = "SELECT number, id, model, first_message, first_item FROM turns
                   WHERE session = ? AND state = 'running'";
    let turn = connection
        .query_row(running, [key], |row| {
            let (id, model): (String, String) = (row.get(1)?, row.get(2)?);
            Ok((row.get::<_, i64>(0)?, id, model, row.get::<_, i64>(3)?, row.get::<_, i64>(4)?))
        })
        .optional()?;
    let Some((number, id, model, first_message, first_item)) = turn else { return Ok(None) };
    let turn_id = TurnId::from(id.as_str());
    let messages = load::messages(connection, key, first_message)?;
    let said = load::items_after(connection, key, first_message + int(messages.len() as u64))?;
    let made = load::position(connection, key)?.items.saturating_sub(uint(first_item));
    let left = Left {
        turn_id: turn_id.clone(),
        author: model.into(),
        messages,
        said,
        growing: load::checkpoints(connection, key)?,
        made: made as usize,
    };
    let entries = left.close();
    write::add(connection, key, &entries)?;
    connection.execute("DELETE FROM checkpoints WHERE session = ?", [key])?;
    connection.execute(
        "UPDATE turns SET state = 'interrupted', ended_at = ? WHERE session = ? AND number = ?",
        params![int(at), key, number],
    )?;
    let Entries { messages, items } = entries;
    Ok(Some(Interrupted { session_id: session.clone(), turn_id, messages, items }))
}

/// What a server left of a turn.
#[derive(Debug)]
struct Left {
    turn_id: TurnId,
    author: Arc<str>,
    /// The turn's messages.
    messages: Vec<Arc<Message>>,
    /// The completed items that came after the last message: they are not in any.
    said: Vec<Item>,
    /// The items that grew, at the last checkpoint.
    growing: Vec<Item>,
    /// How many items of the turn were completed.
    made: usize,
}

impl Left {
    /// What is to be added so that the turn is closed.
    fn close(self) -> Entries {
        let mut messages = Vec::new();
        let last = self.messages.last();
        let open: Vec<ToolCall> = last.map(|last| calls(last)).unwrap_or_default();
        if let Some(answers) = last.and_then(|last| answers(last)) {
            messages.push(answers);
        } else if last.is_some_and(|message| message.role == Role::User) {
            // The answer that broke off: its text, as when the user had stopped it. Thinking has no proof of origin yet.
            let texts = self.said.iter().chain(&self.growing).filter_map(text).map(str::to_owned);
            let texts: Vec<_> = texts.map(|text| MessageBlock::Text { text }).collect();
            if !texts.is_empty() {
                messages.push(Arc::new(Message::assistant(texts, self.author)));
            }
        }
        let shown: HashSet<String> = self.growing.iter().chain(&self.said).filter_map(call_id).collect();
        let mut items: Vec<Item> = self.growing.into_iter().map(broken_off).collect();
        for call in open.into_iter().filter(|call| !shown.contains(&call.id)) {
            let content = ItemContent::ToolCall {
                input: call.parsed_input().unwrap_or_default(),
                call_id: call.id,
                name: call.name,
                output: Vec::new(),
                is_error: false,
            };
            let id = ItemId::nth(&self.turn_id, self.made + items.len());
            items.push(broken_off(Item { id, turn_id: self.turn_id.clone(), status: ItemStatus::Running, content }));
        }
        Entries { messages, items }
    }
}

/// Errors for all calls of the conversation's last message, which nothing answers any more.
pub(super) fn answers(last: &Message) -> Option<Arc<Message>> {
    let answer = |call: ToolCall| MessageBlock::ToolResult(ToolResult::error(call.id, NO_ANSWER));
    let answers: Vec<_> = calls(last).into_iter().map(answer).collect();
    (!answers.is_empty()).then(|| Arc::new(Message::user(answers)))
}

fn calls(message: &Message) -> Vec<ToolCall> {
    let call = |block: &MessageBlock| match block {
        MessageBlock::ToolCall(call) => Some(call.clone()),
        _ => None,
    };
    message.content.iter().filter_map(call).collect()
}

fn text(item: &Item) -> Option<&str> {
    match &item.content {
        ItemContent::Message { text } if !text.trim().is_empty() => Some(text.trim_end()),
        _ => None,
    }
}

fn call_id(item: &Item) -> Option<String> {
    match &item.content {
        ItemContent::ToolCall { call_id, .. } => Some(call_id.clone()),
        _ => None,
    }
}

fn broken_off(mut item: Item) -> Item {
    item.status = ItemStatus::Failed;
    if let ItemContent::ToolCall { output, is_error, .. } = &mut item.content {
        *output = vec![ContentBlock::text(NO_ANSWER)];
        *is_error = true;
    }
    item
}

#[cfg(test)]
#[path = "closing_tests.rs"]
mod tests;
