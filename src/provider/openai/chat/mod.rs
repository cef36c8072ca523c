//! The Chat Completions API, as OpenAI and the servers that follow it speak it.
//!
//! [`plan`] decides what of a request the model takes, [`body`] writes it down, [`events`] reads the answer. No clock,
//! socket or file in any of them.

mod calls;
mod details;
mod frames;
mod messages;
mod plan;
mod request;
mod stream;
mod wire;

pub use frames::{Frame, Frames};
pub use plan::{Plan, plan};
pub use request::body;
pub(super) use request::prompt_cache_key;
pub use stream::{Events, Mapper, MapperOptions, events};
