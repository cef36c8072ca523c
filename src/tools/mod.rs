//! Tools: what the model may do.
//!
//! *For*: running a complete tool call and giving back a result that the model can read, whatever happens.
//! *Owns*: the registry of tools, the runner, the built-in tools.
//! *Must not know*: providers, sessions, LSP.

mod builtin;
mod registry;
mod runner;

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use crate::chat::{ContentBlock, ToolSpec};
use crate::workspace::Workspace;

pub use registry::Tools;
pub use runner::run;

/// What a tool may use.
#[derive(Clone, Debug)]
pub struct ToolContext {
    /// The project.
    pub workspace: Arc<Workspace>,
    /// The folder the session is about.
    pub root: Option<PathBuf>,
}

/// What a tool gives back: content, or a failure that says what to try.
pub type ToolOutput = Result<Vec<ContentBlock>, String>;

/// The work of a tool. Dropping it ends it.
pub type ToolFuture = Pin<Box<dyn Future<Output = ToolOutput> + Send>>;

/// Something the model can call.
pub trait Tool: Send + Sync {
    /// What the model is told of it.
    fn spec(&self) -> ToolSpec;

    /// Does the work. `input` is an object; whether it fits the schema is for the tool to see.
    fn call(&self, input: serde_json::Value, context: ToolContext) -> ToolFuture;
}
