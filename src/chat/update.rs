//! All that a session may say to the outside while a turn runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::{ItemId, TurnId};
use super::message::ContentBlock;
use super::usage::{Cost, Usage};
use crate::error::UserError;

/// One streamed value of a turn. Items are patched by their id: `itemStarted`, any number of `itemDelta`s, then
/// `itemCompleted`, whose item is authoritative; the deltas are a preview of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SessionUpdate {
    /// An item begins.
    ItemStarted {
        /// The item so far.
        item: Item,
    },
    /// An item grows.
    ItemDelta {
        /// Which item.
        item_id: ItemId,
        /// By what.
        delta: ItemDelta,
    },
    /// An item is final.
    ItemCompleted {
        /// The whole item.
        item: Item,
    },
    /// Tokens used by the turn so far, after each model request.
    Usage {
        /// The turn's sum.
        usage: Usage,
        /// What the turn cost so far; absent where the price is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost: Option<Cost>,
    },
    /// The turn waits before it asks the model (again). Cancelling ends the wait.
    Waiting {
        /// What for.
        reason: WaitReason,
        /// How long, in milliseconds.
        wait_ms: u64,
        /// Which retry comes after it, counted from 1; 0 when it is none.
        attempt: u32,
        /// What went wrong before, when it is a retry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<UserError>,
    },
    /// Something the user should know about the turn, which goes on.
    Notice {
        /// How much it matters.
        level: NoticeLevel,
        /// A stable name: `model.retiring`, `thinking.dropped`.
        code: String,
        /// One sentence.
        message: String,
    },
}

/// What a turn waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WaitReason {
    /// The provider failed; the request is sent again.
    Retry,
    /// The configured rate of requests is reached.
    RateLimit,
}

/// How much a notice matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NoticeLevel {
    /// Good to know.
    Info,
    /// Something is not as the user may expect.
    Warning,
}

/// Something a turn produced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Its name within the session.
    pub id: ItemId,
    /// The turn it belongs to.
    pub turn_id: TurnId,
    /// How far it is.
    pub status: ItemStatus,
    /// What it is.
    #[serde(flatten)]
    pub content: ItemContent,
}

/// How far an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ItemStatus {
    /// It still grows.
    Running,
    /// It is whole.
    Completed,
    /// It ended with an error; what arrived is kept.
    Failed,
    /// The user stopped it; what arrived is kept.
    Cancelled,
}

/// What an item is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ItemContent {
    /// What the user sent.
    UserMessage {
        /// As it was sent.
        content: Vec<ContentBlock>,
    },
    /// What the model says to the user, in Markdown.
    Message {
        /// The text.
        text: String,
    },
    /// What the model shows of its thinking.
    Thinking {
        /// The text; empty when the provider shows none.
        text: String,
        /// Whether the provider keeps it unreadable.
        #[serde(default)]
        redacted: bool,
    },
    /// The model calls a tool.
    ToolCall {
        /// The provider's id of the call.
        call_id: String,
        /// The tool's name.
        name: String,
        /// The input; null while it streams in or when it is malformed (the output then says so).
        #[serde(default)]
        input: serde_json::Value,
        /// What the tool answered.
        #[serde(default)]
        output: Vec<ContentBlock>,
        /// Whether the tool failed.
        #[serde(default)]
        is_error: bool,
    },
}

/// How an item grows. Each is appended to the field it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ItemDelta {
    /// More of a message's text.
    Text {
        /// The addition.
        text: String,
    },
    /// More of a thinking item's text.
    Thinking {
        /// The addition.
        text: String,
    },
    /// More of a tool call's input, as JSON text that is not whole yet.
    Input {
        /// The addition.
        json: String,
    },
}

impl ItemDelta {
    /// Appends `next` if it is of the same kind; hands it back otherwise.
    ///
    /// # Errors
    /// `next`, unchanged, when the two cannot be one delta.
    pub fn merge(&mut self, next: ItemDelta) -> Result<(), ItemDelta> {
        match (self, next) {
            (Self::Text { text: a }, Self::Text { text: b })
            | (Self::Thinking { text: a }, Self::Thinking { text: b })
            | (Self::Input { json: a }, Self::Input { json: b }) => {
                a.push_str(&b);
                Ok(())
            }
            (_, next) => Err(next),
        }
    }

    /// Bytes of text in it.
    pub fn len(&self) -> usize {
        match self {
            Self::Text { text } | Self::Thinking { text } | Self::Input { json: text } => text.len(),
        }
    }

    /// Whether it adds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How a turn ended. It comes exactly once, as the last word of the turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TurnEnd {
    /// Why it ended.
    pub stop_reason: TurnStopReason,
    /// Tokens used by all of the turn's requests.
    pub usage: Usage,
    /// What the turn cost; absent where the price is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// The answer as a value, when the prompt asked for one by `outputSchema`. It fits the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<serde_json::Value>,
    /// What went wrong, when `stopReason` is `error`, and what the provider said, when it is `refusal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<UserError>,
}

/// Why a turn ended. The values are the field's (those of the Agent Client Protocol, and a few more).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TurnStopReason {
    /// The model had said all it wanted to say.
    EndTurn,
    /// The output limit was reached; the answer is cut.
    MaxTokens,
    /// A stop sequence matched.
    StopSequence,
    /// As many model requests were made as one turn may make.
    MaxTurnRequests,
    /// The context window is full; the answer is cut.
    ContextWindowExceeded,
    /// The provider's safety policy declined.
    Refusal,
    /// The user stopped it.
    Cancelled,
    /// It failed; `error` says how.
    Error,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deltas_of_one_kind_merge_and_others_stay_apart() {
        let mut a = ItemDelta::Text { text: "a".into() };
        assert!(a.merge(ItemDelta::Text { text: "b".into() }).is_ok());
        assert_eq!(a, ItemDelta::Text { text: "ab".into() });
        let other = ItemDelta::Thinking { text: "c".into() };
        assert_eq!(a.merge(other.clone()), Err(other));
    }

    #[test]
    fn an_item_is_flat_and_tagged_on_the_wire() {
        let item = Item {
            id: ItemId::from("i"),
            turn_id: TurnId::from("t"),
            status: ItemStatus::Running,
            content: ItemContent::Thinking { text: String::new(), redacted: false },
        };
        let value = serde_json::to_value(&item).unwrap();
        assert_eq!(
            value,
            serde_json::json!({"id":"i","turnId":"t","status":"running","type":"thinking","text":"","redacted":false})
        );
        assert_eq!(serde_json::from_value::<Item>(value).unwrap(), item);
    }
}
