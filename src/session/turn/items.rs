//! The items of a turn: what the outside sees of an answer's content blocks.

use super::machine::Effect;
use crate::chat::{
    BlockDelta, BlockStart, Item, ItemContent, ItemDelta, ItemId, ItemStatus, MessageBlock, SessionUpdate, ToolCall,
    ToolResult, TurnId,
};

/// Names a turn's items and tells of their lives: started, grown, completed, each exactly once.
#[derive(Debug)]
pub(super) struct Items {
    turn_id: TurnId,
    made: usize,
    /// The items of the current answer that still grow, by their block.
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    block: usize,
    id: ItemId,
    /// What it was when it began. Tool calls are told of whole only when they are answered.
    start: ItemContent,
    /// For a tool call whose input is whole: the call.
    call: Option<ToolCall>,
}

impl Items {
    pub(super) fn new(turn_id: TurnId) -> Self {
        Self { turn_id, made: 0, open: Vec::new() }
    }

    /// An item that is whole when it begins.
    pub(super) fn whole(&mut self, content: ItemContent, out: &mut Vec<Effect>) {
        let id = self.next_id();
        out.push(self.started(&id, content.clone()));
        out.push(self.completed(id, content, ItemStatus::Completed));
    }

    /// Block indices count from 0 again.
    pub(super) fn next_request(&mut self) {
        self.open.clear();
    }

    /// A content block begins. Blocks that we have no word for are not shown.
    pub(super) fn start(&mut self, block: usize, start: &BlockStart, out: &mut Vec<Effect>) {
        let start = match start {
            BlockStart::Text { text } => ItemContent::Message { text: text.clone() },
            BlockStart::Thinking { text, .. } => ItemContent::Thinking { text: text.clone(), redacted: false },
            BlockStart::RedactedThinking { .. } => ItemContent::Thinking { text: String::new(), redacted: true },
            BlockStart::ToolCall { id, name } => tool(id, name),
            BlockStart::Other { .. } => return,
        };
        let id = self.next_id();
        out.push(self.started(&id, start.clone()));
        self.open.push(Open { block, id, start, call: None });
    }

    /// A content block grows.
    pub(super) fn grow(&mut self, block: usize, delta: BlockDelta, out: &mut Vec<Effect>) {
        let Some(open) = self.open.iter().find(|open| open.block == block) else { return };
        let delta = match delta {
            BlockDelta::Text { text } => ItemDelta::Text { text },
            BlockDelta::Thinking { text } => ItemDelta::Thinking { text },
            BlockDelta::Input { json } => ItemDelta::Input { json },
            BlockDelta::Signature { .. } => return,
        };
        if !delta.is_empty() {
            out.push(Effect::Emit(SessionUpdate::ItemDelta { item_id: open.id.clone(), delta }));
        }
    }

    /// A content block is whole. A tool call's item goes on until it is answered.
    pub(super) fn complete(&mut self, block: usize, whole: &MessageBlock, status: ItemStatus, out: &mut Vec<Effect>) {
        let Some(at) = self.open.iter().position(|open| open.block == block) else { return };
        if let MessageBlock::ToolCall(call) = whole {
            self.open[at].call = Some(call.clone());
            return;
        }
        let open = self.open.remove(at);
        let content = content(&open, Some(whole));
        out.push(self.completed(open.id, content, status));
    }

    /// A tool call was answered.
    pub(super) fn answer(&mut self, call: &ToolCall, result: &ToolResult, status: ItemStatus, out: &mut Vec<Effect>) {
        let same = |open: &Open| open.call.as_ref().is_some_and(|known| known.id == call.id);
        let Some(at) = self.open.iter().position(same) else { return };
        let open = self.open.remove(at);
        let content = ItemContent::ToolCall {
            call_id: call.id.clone(),
            name: call.name.clone(),
            input: call.parsed_input().unwrap_or_default(),
            output: result.content.clone(),
            is_error: result.is_error,
        };
        out.push(self.completed(open.id, content, status));
    }

    /// Ends all items whose block is not whole, with what they hold.
    pub(super) fn stop<'a>(
        &mut self,
        block: impl Fn(usize) -> Option<&'a MessageBlock>,
        status: ItemStatus,
        out: &mut Vec<Effect>,
    ) {
        let (whole, cut): (Vec<_>, Vec<_>) = std::mem::take(&mut self.open).into_iter().partition(|o| o.call.is_some());
        self.open = whole;
        for open in cut {
            let content = content(&open, block(open.block));
            out.push(self.completed(open.id, content, status));
        }
    }

    /// The items that still grow.
    pub(super) fn running<'a>(&self, block: impl Fn(usize) -> Option<&'a MessageBlock>) -> Vec<Item> {
        let item = |open: &Open| Item {
            id: open.id.clone(),
            turn_id: self.turn_id.clone(),
            status: ItemStatus::Running,
            content: content(open, block(open.block)),
        };
        self.open.iter().map(item).collect()
    }

    fn next_id(&mut self) -> ItemId {
        self.made += 1;
        ItemId::nth(&self.turn_id, self.made - 1)
    }

    fn started(&self, id: &ItemId, content: ItemContent) -> Effect {
        let (id, turn_id) = (id.clone(), self.turn_id.clone());
        Effect::Emit(SessionUpdate::ItemStarted { item: Item { id, turn_id, status: ItemStatus::Running, content } })
    }

    fn completed(&self, id: ItemId, content: ItemContent, status: ItemStatus) -> Effect {
        let turn_id = self.turn_id.clone();
        Effect::Emit(SessionUpdate::ItemCompleted { item: Item { id, turn_id, status, content } })
    }
}

fn tool(id: &str, name: &str) -> ItemContent {
    ItemContent::ToolCall {
        call_id: id.to_owned(),
        name: name.to_owned(),
        input: serde_json::Value::Null,
        output: Vec::new(),
        is_error: false,
    }
}

/// What an item holds, given its block as far as that arrived.
fn content(open: &Open, block: Option<&MessageBlock>) -> ItemContent {
    match (block, open.call.as_ref()) {
        (Some(MessageBlock::Text { text }), _) => ItemContent::Message { text: text.clone() },
        (Some(MessageBlock::Thinking { text, .. }), _) => ItemContent::Thinking { text: text.clone(), redacted: false },
        (_, Some(call)) => ItemContent::ToolCall {
            call_id: call.id.clone(),
            name: call.name.clone(),
            input: call.parsed_input().unwrap_or_default(),
            output: Vec::new(),
            is_error: false,
        },
        _ => open.start.clone(),
    }
}
