//! Between LSP's types and ours.

use tower_lsp::ls_types;

use crate::workspace::{Position, TextChange};

/// A change of a text.
pub(super) fn text_change(change: ls_types::TextDocumentContentChangeEvent) -> TextChange {
    let position = |position: ls_types::Position| Position { line: position.line, character: position.character };
    TextChange { range: change.range.map(|range| (position(range.start), position(range.end))), text: change.text }
}
