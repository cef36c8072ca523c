//! `initialize` to `shutdown`.

use std::sync::atomic::Ordering;

use tower_lsp::ls_types::{
    InitializeParams, InitializeResult, OneOf, ServerCapabilities, ServerInfo, TextDocumentSyncCapability,
    TextDocumentSyncKind, TextDocumentSyncOptions, WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
};

use crate::protocol::{METHODS, PROTOCOL_VERSION, ServerExperimental};
use crate::provider::providers;
use crate::server::backend::Backend;
use crate::server::capabilities::{Capabilities, encoding_kind};
use crate::server::handlers::configuration;
use crate::server::parent;

/// `initialize`: what the client can do is read once, what the server can do is told.
pub(in crate::server) fn initialize(backend: &Backend, params: &InitializeParams) -> InitializeResult {
    let capabilities = Capabilities::negotiate(params);
    let shared = backend.manager.shared();
    shared.workspace.roots.set(capabilities.roots.clone());
    shared.roots_changed();
    backend.session_updates.store(capabilities.souffleur.session_update, Ordering::Relaxed);
    if let Some(settings) = &capabilities.settings {
        shared.settings.editor_changed(settings);
    }
    if let Some(process) = capabilities.process_id {
        let stop = backend.stop.clone();
        tokio::spawn(async move {
            parent::gone(process).await;
            tracing::info!(process, "the editor's process is gone");
            stop.cancel();
        });
    }
    let encoding = encoding_kind(capabilities.position_encoding);
    // The router lets `initialize` through once only.
    let _ = backend.capabilities.set(capabilities);
    let sync = TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::INCREMENTAL),
        ..TextDocumentSyncOptions::default()
    };
    let folders =
        WorkspaceFoldersServerCapabilities { supported: Some(true), change_notifications: Some(OneOf::Left(true)) };
    let experimental = ServerExperimental {
        protocol_version: PROTOCOL_VERSION,
        methods: METHODS.iter().map(|method| method.name.to_owned()).collect(),
        providers: providers(&shared.settings(None)),
    };
    InitializeResult {
        capabilities: ServerCapabilities {
            position_encoding: Some(encoding),
            text_document_sync: Some(TextDocumentSyncCapability::Options(sync)),
            workspace: Some(WorkspaceServerCapabilities {
                workspace_folders: Some(folders),
                ..WorkspaceServerCapabilities::default()
            }),
            experimental: Some(serde_json::json!({ "souffleur": experimental })),
            ..ServerCapabilities::default()
        },
        server_info: Some(ServerInfo {
            name: "souffleur".to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }),
        ..InitializeResult::default()
    }
}

/// `initialized`: from now on the client takes messages and requests. Its settings are asked for, where it has any, and
/// what is wrong with the settings is told, now and whenever that changes.
pub(in crate::server) async fn initialized(backend: &Backend) {
    let Some(capabilities) = backend.capabilities.get() else { return };
    let (pull, register) = (capabilities.configuration, capabilities.registers_configuration);
    let shared = backend.manager.shared();
    tokio::spawn(configuration::tell_problems(
        backend.client.clone(),
        shared.settings.subscribe(),
        backend.stop.clone(),
    ));
    tokio::spawn(configuration::watch_files(shared.settings.clone(), backend.stop.clone()));
    if register {
        configuration::register(&backend.client).await;
    }
    if pull {
        configuration::pull(&backend.client, &shared.settings).await;
    }
}

/// `shutdown`: all turns end.
pub(in crate::server) async fn shutdown(backend: &Backend) {
    backend.shut_down.store(true, Ordering::Relaxed);
    backend.closing.cancel();
    backend.manager.close_all().await;
}
