//! OpenAI's APIs, and the many servers that speak them.
//!
//! How servers differ is data: a [`Profile`] each, in `providers.toml`, and a [`Family`] for models that differ.

pub mod chat;
pub mod responses;

mod errors;
mod families;
mod profile;
mod provider;
mod quirks;
mod schema;

pub use errors::{classify, stream_error};
pub use families::{Family, Reasoning, ToolsWithEffort, family};
pub use profile::Profile;
pub use provider::OpenAi;
pub use quirks::{
    Allowed, Api, EffortField, ReasoningField, ReasoningOut, RequiredForm, SystemPlacement, SystemRole, ThinkingOff,
    TokenField,
};
pub use schema::{answer_schema, inline_refs, sanitise};
