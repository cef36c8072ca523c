//! What is known about models.
//!
//! *For*: a model's name, its limits, what it accepts and what it costs.
//! *Owns*: `catalog.toml`. Any id is accepted: the catalog informs, it does not permit.
//! *Must not know*: wire formats, HTTP, sessions.

mod catalog;
mod name;
mod pricing;

pub use catalog::{Lifecycle, ModelInfo, Thinking, anthropic_model};
pub use name::ModelName;
pub use pricing::{Price, cost};
