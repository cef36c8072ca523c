//! The project as the user sees it.
//!
//! *For*: reading files through the open, possibly unsaved buffers, and only inside the workspace.
//! *Owns*: the roots, the overlay of open buffers, the rules of what may be read and what is ignored, the walk through a
//! folder, the index of its files, the user's trust in workspaces.
//! *Must not know*: providers, sessions, LSP's types.

mod binary;
mod document;
mod fuzzy;
mod index;
mod language;
mod listing;
mod overlay;
mod position;
mod read;
mod roots;
mod rules;
mod symbols;
mod trust;
mod uri;
mod walk;

pub use binary::{is_binary, is_binary_name};
pub use document::Document;
pub use index::{FileIndex, Files, Hit, MAX_FILES};
pub use language::{Language, SymbolKind};
pub use listing::{Listing, human_size};
pub use overlay::Overlay;
pub use position::{Position, PositionEncoding, TextChange};
pub use read::{ReadError, ReadText, is_secret};
pub use roots::{Root, Roots, lexical};
pub use rules::{OWN_FILE as IGNORE_FILE, Rules, is_kept_from_models};
pub use symbols::{Symbol, symbols};
pub use trust::Trust;
pub use uri::{file_path, file_uri};
pub use walk::{Cut, Entry, WalkLimits, Walked, by_path, walk};

/// The roots and the open buffers.
#[derive(Debug, Default)]
pub struct Workspace {
    /// The workspace folders.
    pub roots: Roots,
    /// The open buffers.
    pub overlay: Overlay,
}
