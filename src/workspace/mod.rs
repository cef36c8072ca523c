//! The project as the user sees it.
//!
//! *For*: reading files through the open, possibly unsaved buffers, and only inside the workspace.
//! *Owns*: the roots, the overlay of open buffers, the rules of what may be read, the user's trust in workspaces.
//! *Must not know*: providers, sessions, LSP's types.

mod document;
mod overlay;
mod position;
mod read;
mod roots;
mod trust;
mod uri;

pub use document::Document;
pub use overlay::Overlay;
pub use position::{Position, PositionEncoding, TextChange};
pub use read::{ReadError, ReadText, is_secret};
pub use roots::{Root, Roots};
pub use trust::Trust;
pub use uri::{file_path, file_uri};

/// The roots and the open buffers.
#[derive(Debug, Default)]
pub struct Workspace {
    /// The workspace folders.
    pub roots: Roots,
    /// The open buffers.
    pub overlay: Overlay,
}
