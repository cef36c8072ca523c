//! Settings: from several layers to one resolved value each, which knows where it came from.
//!
//! *For*: default < editor settings < environment < command line.
//! *Owns*: the names of settings and environment variables, and the order of the layers.
//! *Must not know*: providers' wire formats, sessions, LSP. It reads no network and runs no program.

mod environment;
mod layers;
mod owner;
mod settings;

pub use environment::Environment;
pub use layers::{VARIABLES, Variable};
pub use owner::SettingsOwner;
pub use settings::{Layer, Setting, Settings, Source};
