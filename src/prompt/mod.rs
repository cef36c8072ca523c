//! The system prompt, and what else of a project is told to a model.
//!
//! *For*: what the model is told before the conversation begins, and what goes along with what the user says.
//! *Owns*: the templates, as Markdown files; the order of the sections; modes and slash prompts; the form of attachments.
//! The same facts give the same bytes.
//! *Must not know*: providers, sessions, LSP. Nothing volatile (dates, cursors, open files) goes into the system prompt.
//!
//! [`gather`] reads a project's files, [`assemble`] makes a [`Prefix`] of what was read. At the start of a turn
//! [`gather_again`] reads the same files again, and [`drift`] says what changed since.

mod assemble;
mod attach;
mod catalog;
mod context;
mod drift;
mod environment;
mod fence;
mod front_matter;
mod gather;
mod include;
mod instructions;
mod map;
mod mode;
mod outline;
mod read;
mod slash;
mod source;
mod text;
mod tree;

pub use assemble::{Facts, OwnSection, Prefix, Section, assemble};
pub use attach::{attach_buffer, attach_file, attach_name};
pub use catalog::{Catalog, load_catalog};
pub use context::{Attachment, Diagnostic, LineRange, Severity, format_context};
pub use drift::{Change, ChangeKind, drift, format_drift};
pub use environment::Environment;
pub use fence::fence;
pub use gather::{Gathered, Place, gather, gather_again};
pub use map::{MapFacts, Outline};
pub use mode::{Mode, Reach, ToolRule};
pub use slash::{SlashCall, SlashPrompt, parse_slash};
pub use source::{Listed, Origin, Problem, Source, SourceKind, Sources};
pub use text::{estimate_tokens, hash};
