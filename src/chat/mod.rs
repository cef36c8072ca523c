//! The vocabulary of the whole program: what a conversation is made of.
//!
//! *For*: one set of words at each seam. A provider says only [`CompletionEvent`]s; a session says only
//! [`SessionUpdate`]s; a history is made of [`Message`]s.
//! *Owns*: plain data and pure folds over it ([`MessageAccumulator`]).
//! *Must not know*: any vendor's wire format, LSP, clocks, files, tasks.

mod accumulator;
mod event;
mod id;
mod media;
mod message;
mod options;
mod tool;
mod update;
mod usage;

pub use accumulator::{Finished, MessageAccumulator};
pub use event::{BlockDelta, BlockStart, CompletionEvent, Refusal, StopReason};
pub use id::{ItemId, SessionId, TurnId};
pub use media::MediaSource;
pub use message::{ContentBlock, Encoding, Message, MessageBlock, Role, ToolCall, ToolResult};
pub use options::{CacheTtl, Effort, Sampling, Thinking, ThinkingDisplay, ToolChoice};
pub use tool::ToolSpec;
pub use update::{
    Item, ItemContent, ItemDelta, ItemStatus, NoticeLevel, SessionUpdate, TurnEnd, TurnStopReason, WaitReason,
};
pub use usage::{Cost, Usage, UsagePatch};
