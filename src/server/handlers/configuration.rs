//! Settings: those of the editor, what became of all of them, and whom the user trusts.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use notify::{RecursiveMode, Watcher};
use serde_json::Value;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tower_lsp::Client;
use tower_lsp::jsonrpc::Result;
use tower_lsp::ls_types::{ConfigurationItem, DidChangeConfigurationParams, MessageType, Registration};

use crate::config::{FileState, Resolved, SettingsOwner};
use crate::protocol::{ConfigShowParams, ConfigShowResult, WorkspaceTrustParams, WorkspaceTrustResult};
use crate::server::backend::Backend;
use crate::server::errors::{Params, to_rpc};

/// The section of an editor's settings that is ours.
const SECTION: &str = "souffleur";
/// How many problems one message names.
const MAX_TOLD: usize = 5;
/// How long a file may take to be written after its first change.
const SETTLE: Duration = Duration::from_millis(50);

/// `workspace/didChangeConfiguration`: the settings under `souffleur` replace those the editor sent before. An editor
/// that sends none, and can be asked, is asked.
pub(in crate::server) async fn changed(backend: &Backend, params: DidChangeConfigurationParams) {
    let settings = &backend.manager.shared().settings;
    if let Some(sent) = params.settings.get(SECTION).filter(|sent| !sent.is_null()) {
        settings.editor_changed(sent);
    } else if backend.capabilities.get().is_some_and(|capabilities| capabilities.configuration) {
        pull(&backend.client, settings).await;
    }
}

/// Asks the editor for its settings. An answer that is no object says nothing: some editors answer null to all.
pub(in crate::server) async fn pull(client: &Client, settings: &SettingsOwner) {
    let item = ConfigurationItem { scope_uri: None, section: Some(SECTION.to_owned()) };
    match client.configuration(vec![item]).await {
        Ok(answer) => {
            if let Some(sent) = answer.into_iter().next().filter(Value::is_object) {
                settings.editor_changed(&sent);
            }
        }
        Err(error) => tracing::debug!(%error, "the editor did not say its settings"),
    }
}

/// Asks the editor to tell when its settings change.
pub(in crate::server) async fn register(client: &Client) {
    let registration = Registration {
        id: "souffleur.configuration".to_owned(),
        method: "workspace/didChangeConfiguration".to_owned(),
        register_options: Some(serde_json::json!({ "section": SECTION })),
    };
    if let Err(error) = client.register_capability(vec![registration]).await {
        tracing::debug!(%error, "the editor does not tell when its settings change");
    }
}

/// Tells what is wrong with the settings, and which workspace's settings wait for trust, whenever either changes.
pub(in crate::server) async fn tell_problems(
    client: Client,
    mut settings: watch::Receiver<Arc<Resolved>>,
    stop: CancellationToken,
) {
    let mut told: (Vec<String>, Vec<PathBuf>) = (Vec::new(), Vec::new());
    loop {
        let resolved = settings.borrow_and_update().clone();
        let problems: Vec<String> = resolved.problems.iter().map(ToString::to_string).collect();
        let untrusted: Vec<PathBuf> = (resolved.files.iter())
            .filter(|file| file.state == FileState::Untrusted)
            .map(|file| file.path.clone())
            .collect();
        if problems != told.0 && !problems.is_empty() {
            client.show_message(MessageType::WARNING, words(&problems)).await;
        }
        for path in untrusted.iter().filter(|path| !told.1.contains(path)) {
            let message = format!(
                "Souffleur: {} has no say until you trust this workspace: souffleur trust, or souffleur/workspace/trust",
                path.display()
            );
            client.show_message(MessageType::INFO, message).await;
        }
        told = (problems, untrusted);
        tokio::select! {
            changed = settings.changed() => if changed.is_err() { return },
            () = stop.cancelled() => return,
        }
    }
}

fn words(problems: &[String]) -> String {
    let shown = problems.iter().take(MAX_TOLD).map(String::as_str).collect::<Vec<_>>().join("\n");
    let more = problems.len().saturating_sub(MAX_TOLD);
    let more = if more == 0 { String::new() } else { format!("\n… and {more} more: souffleur config check") };
    format!("Souffleur: some settings are not used:\n{shown}{more}")
}

/// Reads the files of settings again when they change. Where they cannot be watched they are still read when a turn
/// begins.
pub(in crate::server) async fn watch_files(settings: Arc<SettingsOwner>, stop: CancellationToken) {
    let changed = Arc::new(Notify::new());
    let notify = changed.clone();
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| !event.kind.is_access()) {
            notify.notify_one();
        }
    });
    let mut watcher = match watcher {
        Ok(watcher) => watcher,
        Err(error) => return tracing::info!(%error, "files of settings are not watched"),
    };
    let mut resolved = settings.subscribe();
    let mut watched: Vec<PathBuf> = Vec::new();
    loop {
        let files = resolved.borrow_and_update().files.clone();
        for directory in files.iter().filter_map(|file| file.path.parent()) {
            // The directory, not the file: an editor that saves puts another file in its place.
            if !watched.iter().any(|known| known == directory)
                && watcher.watch(directory, RecursiveMode::NonRecursive).is_ok()
            {
                watched.push(directory.to_owned());
            }
        }
        tokio::select! {
            () = changed.notified() => {
                tokio::time::sleep(SETTLE).await;
                settings.refresh();
            }
            changed = resolved.changed() => if changed.is_err() { return },
            () = stop.cancelled() => return,
        }
    }
}

/// `souffleur/config/show`.
pub(in crate::server) fn show(backend: &Backend, params: Params<ConfigShowParams>) -> Result<ConfigShowResult> {
    let params = params.0.map_err(to_rpc)?;
    let shared = backend.manager.shared();
    Ok(shared.show_settings(params.workspace_uri.as_deref()))
}

/// `souffleur/workspace/trust`.
pub(in crate::server) fn trust(
    backend: &Backend,
    params: Params<WorkspaceTrustParams>,
) -> Result<WorkspaceTrustResult> {
    let params = params.0.map_err(to_rpc)?;
    backend.manager.shared().set_trust(&params.workspace_uri, params.trusted).map_err(to_rpc)
}
