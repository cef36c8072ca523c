//! Sessions: conversations, and the turns that run in them.
//!
//! *For*: taking prompts, running turns, and telling what happens as a stream of updates.
//! *Owns*: each session's history and turn, in one actor a session, changed through its inbox alone; the pure
//! [`TurnMachine`]; the outbox in which updates wait for their reader.
//! *Must not know*: LSP, JSON-RPC, terminals, vendors' wire formats.

mod actor;
mod command;
mod context;
mod kept;
mod manager;
mod mention;
mod options;
mod outbox;
mod prefix;
mod questions;
mod running;
mod scribe;
mod settings;
mod shared;
mod spent;
mod stream;
mod turn;

pub use manager::SessionManager;
pub use outbox::{Batch, Outbox, StreamEvent, TurnBegin, UpdateSender};
pub use shared::{Shared, Start};
pub use turn::{Effect, TurnMachine};
