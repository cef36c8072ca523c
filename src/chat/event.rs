//! All that a provider may say while it answers one request.

use serde::{Deserialize, Serialize};

use super::update::{NoticeLevel, WaitReason};
use super::usage::UsagePatch;
use crate::error::UserError;

/// One step of a model's answer, free of any vendor's framing. `index` counts the answer's content blocks from 0.
///
/// A well-formed answer ends with [`CompletionEvent::Completed`]; a stream that ends without it broke off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum CompletionEvent {
    /// The provider took the request.
    Started {
        /// The provider's id of the answer.
        message_id: String,
        /// The model that answers, as the provider resolved it.
        model: String,
    },
    /// A content block begins.
    BlockStarted {
        /// Which block.
        index: usize,
        /// What it is.
        block: BlockStart,
    },
    /// A content block grows.
    Delta {
        /// Which block.
        index: usize,
        /// By what.
        delta: BlockDelta,
    },
    /// A content block is complete.
    BlockCompleted {
        /// Which block.
        index: usize,
    },
    /// Token counts so far: cumulative within the request.
    Usage {
        /// The counts that are known.
        usage: UsagePatch,
    },
    /// Why the model stopped. May be said more than once; the last one holds.
    Stopped {
        /// The reason.
        reason: StopReason,
        /// What a refusal says about itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refusal: Option<Refusal>,
    },
    /// The provider waits before it sends the request (again).
    Waiting {
        /// What for.
        reason: WaitReason,
        /// How long, in milliseconds.
        wait_ms: u64,
        /// Which retry comes after it, counted from 1; 0 when it is none.
        attempt: u32,
        /// What went wrong before, when it is a retry.
        error: Option<UserError>,
    },
    /// Something the user should know about this answer.
    Notice {
        /// How much it matters.
        level: NoticeLevel,
        /// A stable name.
        code: String,
        /// One sentence.
        message: String,
    },
    /// The answer arrived whole.
    Completed,
}

impl CompletionEvent {
    /// Whether something of the answer itself was said, so that it cannot be begun again unseen.
    pub fn is_content(&self) -> bool {
        match self {
            Self::BlockStarted { .. } | Self::Delta { .. } | Self::BlockCompleted { .. } | Self::Completed => true,
            Self::Started { .. }
            | Self::Usage { .. }
            | Self::Stopped { .. }
            | Self::Waiting { .. }
            | Self::Notice { .. } => false,
        }
    }
}

/// What a content block is when it begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum BlockStart {
    /// Text for the user.
    Text {
        /// Text that came with the start; usually empty.
        text: String,
    },
    /// Readable thinking.
    Thinking {
        /// Thinking that came with the start; usually empty.
        text: String,
        /// The signature that came with the start; usually empty.
        signature: String,
    },
    /// Thinking that only the provider can read.
    RedactedThinking {
        /// Opaque; goes back unchanged.
        data: String,
    },
    /// A call of one of our tools.
    ToolCall {
        /// The provider's id of the call.
        id: String,
        /// The tool's name.
        name: String,
    },
    /// A block of a kind that we have no word for; goes back to the same provider unchanged.
    Other {
        /// The block as it was received, as JSON text.
        json: String,
    },
}

/// How a content block grows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum BlockDelta {
    /// More text: appended.
    Text {
        /// The addition.
        text: String,
    },
    /// More thinking: appended.
    Thinking {
        /// The addition.
        text: String,
    },
    /// The thinking block's signature: replaced.
    Signature {
        /// Opaque; goes back unchanged.
        signature: String,
    },
    /// More of a tool call's input, as JSON text: appended.
    Input {
        /// The addition; not JSON by itself.
        json: String,
    },
}

/// Why the model stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// It had said all it wanted to say.
    EndTurn,
    /// The output limit was reached; the answer is cut.
    MaxTokens,
    /// A stop sequence matched.
    StopSequence,
    /// It waits for the results of its tool calls.
    ToolUse,
    /// The provider paused a long answer; it goes on when asked again.
    PauseTurn,
    /// The provider's safety policy declined; what was said is to be discarded.
    Refusal,
    /// The context window is full; the answer is cut.
    ContextWindowExceeded,
    /// A reason that we have no word for.
    Other(String),
}

/// What a refusal says about itself. Display text: not stable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// The policy's area.
    pub category: Option<String>,
    /// A sentence for the user.
    pub explanation: Option<String>,
}
