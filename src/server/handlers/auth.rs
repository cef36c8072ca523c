//! `souffleur/auth/*`.

use tower_lsp::Client;
use tower_lsp::jsonrpc::Result;
use tower_lsp::ls_types::{MessageType, ShowDocumentParams};

use crate::protocol::{
    AuthStatusParams, AuthStatusResult, LoginParams, LoginResult, LogoutParams, LogoutResult, SetParams, SetResult,
};
use crate::server::backend::Backend;
use crate::server::errors::{Params, to_rpc};

/// `souffleur/auth/status`.
pub(in crate::server) async fn status(backend: &Backend, params: Params<AuthStatusParams>) -> Result<AuthStatusResult> {
    let params = params.0.map_err(to_rpc)?;
    let shared = backend.manager.shared();
    shared.registry.auth_status(&params, &shared.settings(None)).await.map_err(to_rpc)
}

/// `souffleur/auth/login`: a login in the browser is answered when the browser came back. Cancelling the request ends it.
pub(in crate::server) async fn login(backend: &Backend, params: Params<LoginParams>) -> Result<LoginResult> {
    let params = params.0.map_err(to_rpc)?;
    let shared = backend.manager.shared();
    let can_open = backend.capabilities.get().is_some_and(|capabilities| capabilities.show_document);
    let open = |url: String| open(&backend.client, url, can_open);
    let settings = shared.settings(None);
    shared.registry.login(&params, &settings, open, &backend.closing).await.map_err(to_rpc)
}

/// Has the client open an address in the user's browser; where it cannot, the user is told the address.
async fn open(client: &Client, url: String, can_open: bool) {
    if can_open && let Ok(uri) = url.parse() {
        let params = ShowDocumentParams { uri, external: Some(true), take_focus: Some(true), selection: None };
        match client.show_document(params).await {
            Ok(true) => return,
            Ok(false) => tracing::info!("the editor did not open the browser"),
            Err(error) => tracing::info!(%error, "the editor did not open the browser"),
        }
    }
    client.show_message(MessageType::INFO, format!("Souffleur: to log in, open {url}")).await;
}

/// `souffleur/auth/logout`.
pub(in crate::server) async fn logout(backend: &Backend, params: Params<LogoutParams>) -> Result<LogoutResult> {
    let params = params.0.map_err(to_rpc)?;
    let shared = backend.manager.shared();
    shared.registry.logout(&params.provider, &shared.settings(None)).await.map_err(to_rpc)
}

/// `souffleur/auth/set`.
pub(in crate::server) async fn set(backend: &Backend, params: Params<SetParams>) -> Result<SetResult> {
    let params = params.0.map_err(to_rpc)?;
    let shared = backend.manager.shared();
    shared.registry.set_key(&params, &shared.settings(None)).await.map_err(to_rpc)
}
