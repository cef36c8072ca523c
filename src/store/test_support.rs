//! Sessions and turns for the tests of the store.

use std::sync::Arc;

use super::{Entries, Opened, SessionRecord, Spending, Store, TurnFinish, TurnStart};
use crate::chat::{
    ContentBlock, Cost, Item, ItemContent, ItemId, ItemStatus, Message, MessageBlock, SessionId, ToolCall, ToolResult,
    TurnEnd, TurnId, TurnStopReason, Usage,
};

pub(super) const MODEL: &str = "sim:default";

/// A store of its own folder, which is new.
pub(super) fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let opened = open(&folder);
    assert_eq!(opened.notices, []);
    (folder, opened.store)
}

pub(super) fn open(folder: &tempfile::TempDir) -> Opened {
    Store::open(Some(folder.path()), 1_000).unwrap()
}

pub(super) fn record(id: &str) -> SessionRecord {
    SessionRecord {
        session_id: SessionId::from(id),
        title: String::new(),
        model: MODEL.to_owned(),
        simulated: true,
        workspace_uri: Some("file:///w".to_owned()),
        mode: None,
        parent: None,
        turns: 0,
        running: false,
        created_at: 10,
        updated_at: 10,
    }
}

pub(super) fn item(turn: &TurnId, number: usize, content: ItemContent) -> Item {
    Item { id: ItemId::nth(turn, number), turn_id: turn.clone(), status: ItemStatus::Completed, content }
}

pub(super) fn running(turn: &TurnId, number: usize, content: ItemContent) -> Item {
    Item { status: ItemStatus::Running, ..item(turn, number, content) }
}

pub(super) fn said(text: &str) -> ItemContent {
    ItemContent::Message { text: text.to_owned() }
}

pub(super) fn text(text: &str) -> MessageBlock {
    MessageBlock::Text { text: text.to_owned() }
}

pub(super) fn user(words: &str) -> Arc<Message> {
    Arc::new(Message::user(vec![text(words)]))
}

pub(super) fn assistant(content: Vec<MessageBlock>) -> Arc<Message> {
    Arc::new(Message::assistant(content, MODEL.into()))
}

pub(super) fn call(id: &str) -> MessageBlock {
    MessageBlock::ToolCall(ToolCall { id: id.to_owned(), name: "look".to_owned(), input: "{\"at\" : 1}".to_owned() })
}

pub(super) fn answer(id: &str) -> MessageBlock {
    MessageBlock::ToolResult(ToolResult::ok(id, "seen"))
}

pub(super) fn start(turn: &str, prompt: &str, at: u64) -> TurnStart {
    let turn_id = TurnId::from(turn);
    let content = ItemContent::UserMessage { content: vec![ContentBlock::text(prompt)] };
    let entries = Entries { messages: vec![user(prompt)], items: vec![item(&turn_id, 0, content)] };
    TurnStart { turn_id, model: MODEL.to_owned(), simulated: true, title: prompt.to_owned(), entries, at }
}

pub(super) fn spending(input_tokens: u64) -> Spending {
    let usage = Usage { input_tokens, output_tokens: 3, ..Usage::default() };
    let cost = Some(Cost { micro_usd: input_tokens * 5, saved_micro_usd: -7 });
    Spending { usage, cost, last_request: Some(usage), simulated: false }
}

pub(super) fn finish(turn: &str, reply: &str, at: u64) -> TurnFinish {
    let turn = TurnId::from(turn);
    let entries = Entries { messages: vec![assistant(vec![text(reply)])], items: vec![item(&turn, 1, said(reply))] };
    let spent = spending(100);
    let end = TurnEnd {
        stop_reason: TurnStopReason::EndTurn,
        usage: spent.usage,
        cost: spent.cost,
        output: None,
        error: None,
    };
    TurnFinish { entries, end, spent, at }
}

/// One whole turn.
pub(super) async fn turn(store: &Store, session: &SessionId, name: &str, prompt: &str, reply: &str, at: u64) {
    store.begin_turn(session, start(name, prompt, at)).await.unwrap();
    store.end_turn(session, finish(name, reply, at + 1)).await.unwrap();
}
