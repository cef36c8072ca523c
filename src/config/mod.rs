//! Settings: from several layers to one resolved value each, which knows where it came from.
//!
//! *For*: default < user file < trusted workspace < editor settings < environment < command line.
//! *Owns*: the names of settings and environment variables, the order of the layers, and who may set what.
//! *Must not know*: providers' wire formats, sessions, LSP. It reads no network and runs no program.

mod environment;
mod expand;
mod file;
mod key;
mod layers;
mod list;
mod owner;
mod parse;
mod places;
mod provider;
mod read;
mod schema;
mod secret;
mod settings;
mod source;

pub use environment::Environment;
pub use expand::expand;
pub use file::check_file;
pub use key::{Key, Shown, nearest};
pub use layers::{OPTIONS, VARIABLES, Variable};
pub use list::Listed;
pub use owner::{FileInfo, FileState, IsTrusted, Resolved, SettingsOwner, WORKSPACE_FILE};
pub use places::Places;
pub use provider::{PROVIDER, ProviderLayer, ProviderSettings, is_provider_name, is_secret_name};
pub use read::Problem;
pub use schema::schema;
pub use secret::Secret;
pub use settings::{GENERAL, General, GeneralLayer, Layer, Settings};
pub use source::{Reach, Setting, Source};
