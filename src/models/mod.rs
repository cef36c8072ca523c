//! What is known about models.
//!
//! *For*: a model's name, its limits, what it accepts and what it costs.
//! *Owns*: `catalog.toml`. Any id is accepted: the catalog informs, it does not permit.
//! *Must not know*: wire formats, HTTP, sessions.

mod catalog;
mod learnt;
mod lifecycle;
mod name;
mod pricing;
mod remote;

pub use catalog::{ModelInfo, Thinking, anthropic_ids, anthropic_model};
pub use learnt::Catalog;
pub use lifecycle::{Lifecycle, Stage, today_and_soon};
pub use name::ModelName;
pub use pricing::{Price, PricePerMillion, cost};
pub use remote::{RemoteModel, Support};
