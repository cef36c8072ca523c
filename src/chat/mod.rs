//! The vocabulary of the whole program: what a conversation is made of.
//!
//! *For*: one set of words at each seam. A provider says only [`CompletionEvent`]s; a session says only
//! [`SessionUpdate`]s; a history is made of [`Message`]s.
//! *Owns*: plain data and pure folds over it ([`MessageAccumulator`]).
//! *Must not know*: any vendor's wire format, LSP, clocks, files, tasks.

mod accumulator;
mod event;
mod id;
mod message;
mod tool;
mod update;
mod usage;

pub use accumulator::{Finished, MessageAccumulator};
pub use event::{BlockDelta, BlockStart, CompletionEvent, Refusal, StopReason};
pub use id::{ItemId, SessionId, TurnId};
pub use message::{ContentBlock, Message, MessageBlock, Role, ToolCall, ToolResult};
pub use tool::ToolSpec;
pub use update::{Item, ItemContent, ItemDelta, ItemStatus, SessionUpdate, TurnEnd, TurnStopReason};
pub use usage::{Cost, Usage, UsagePatch};
