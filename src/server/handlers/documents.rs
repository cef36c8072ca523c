//! Text synchronisation: the overlay follows the editor's buffers.

use tower_lsp::ls_types::{DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams};

use crate::server::backend::Backend;
use crate::server::convert::text_change;
use crate::workspace::Document;

/// `textDocument/didOpen`.
pub(in crate::server) fn opened(backend: &Backend, params: DidOpenTextDocumentParams) {
    let document = params.text_document;
    let uri = document.uri.as_str().to_owned();
    let overlay = &backend.manager.shared().workspace.overlay;
    overlay.open(Document::new(uri, document.language_id, document.version, &document.text));
}

/// `textDocument/didChange`.
pub(in crate::server) fn changed(backend: &Backend, params: DidChangeTextDocumentParams) {
    let encoding = backend.capabilities.get().map(|known| known.position_encoding).unwrap_or_default();
    let changes: Vec<_> = params.content_changes.into_iter().map(text_change).collect();
    let (uri, version) = (params.text_document.uri.as_str(), params.text_document.version);
    if !backend.manager.shared().workspace.overlay.change(uri, version, &changes, encoding) {
        tracing::warn!(uri, "a change of a document that is not open was ignored");
    }
}

/// `textDocument/didClose`.
pub(in crate::server) fn closed(backend: &Backend, params: &DidCloseTextDocumentParams) {
    backend.manager.shared().workspace.overlay.close(params.text_document.uri.as_str());
}
