//! Workspace folders.

use tower_lsp::ls_types::DidChangeWorkspaceFoldersParams;

use crate::server::backend::Backend;
use crate::server::capabilities::root;

/// `workspace/didChangeWorkspaceFolders`.
pub(in crate::server) fn folders_changed(backend: &Backend, params: &DidChangeWorkspaceFoldersParams) {
    let added = params.event.added.iter().map(root).collect();
    let removed: Vec<String> = params.event.removed.iter().map(|folder| folder.uri.as_str().to_owned()).collect();
    let shared = backend.manager.shared();
    shared.workspace.roots.change(added, &removed);
    shared.roots_changed();
}
