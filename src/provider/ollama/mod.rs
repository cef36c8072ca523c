//! Ollama's own API: `POST {host}/api/chat`, one JSON object a line.
//!
//! Its compatible endpoints are not used: they cannot set the size of the context window, and they swallow errors in
//! the middle of a stream.

mod errors;
mod host;
mod messages;
mod provider;
mod request;
mod show;
mod stream;
mod wire;

pub use errors::{classify, unreachable};
pub use host::{DEFAULT_HOST, VARIABLE, base_url};
pub use provider::{KnownFacts, Ollama, discover};
pub use request::{Built, Settings, build, is_cloud};
pub use show::{ModelFacts, Running, facts, models, running, version};
pub use stream::{Events, Mapper, events};

/// The part before the colon of these models' names.
pub const NAME: &str = "ollama";
