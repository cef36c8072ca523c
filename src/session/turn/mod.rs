//! The turn: a pure state machine and the items it shows.

mod items;
mod machine;
mod output;

pub use machine::{Effect, TurnMachine, TurnSetup};
pub use output::{ANSWER_TOOL, OutputPlan, Told};
