//! Workspace folders and settings.

use tower_lsp::ls_types::{DidChangeConfigurationParams, DidChangeWorkspaceFoldersParams, MessageType};

use crate::protocol::EditorSettings;
use crate::server::backend::Backend;
use crate::server::capabilities::root;

/// `workspace/didChangeWorkspaceFolders`.
pub(in crate::server) fn folders_changed(backend: &Backend, params: &DidChangeWorkspaceFoldersParams) {
    let added = params.event.added.iter().map(root).collect();
    let removed: Vec<String> = params.event.removed.iter().map(|folder| folder.uri.as_str().to_owned()).collect();
    backend.manager.shared().workspace.roots.change(added, &removed);
}

/// `workspace/didChangeConfiguration`: the settings under `souffleur` replace those the editor sent before. Without
/// that key nothing changes.
pub(in crate::server) async fn configuration_changed(backend: &Backend, params: DidChangeConfigurationParams) {
    let Some(settings) = params.settings.get("souffleur").filter(|settings| !settings.is_null()) else { return };
    match serde_path_to_error::deserialize::<_, EditorSettings>(settings) {
        Ok(settings) => backend.settings.editor_changed(&settings),
        Err(error) => {
            let message = format!("Souffleur: the changed settings are ignored: {error}");
            backend.client.show_message(MessageType::WARNING, message).await;
        }
    }
}
