//! The turn: a pure state machine and the items it shows.

mod items;
mod machine;

pub use machine::{Effect, TurnMachine, TurnSetup};
