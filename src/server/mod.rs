//! The LSP face: JSON-RPC on standard input and output.
//!
//! *For*: translating between an editor and the sessions.
//! *Owns*: the transport loop, the one writer of standard output, what was negotiated with the client.
//! *Must not know*: providers, prompts, how a turn works. LSP's own types stay in here.

mod backend;
mod capabilities;
mod convert;
mod errors;
mod frame;
mod handlers;
mod incoming;
mod parent;
mod stdio;
mod transport;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tower_lsp::LspService;

use crate::error::UserError;
use crate::session::{SessionManager, Shared, Start};
use backend::Backend;

/// How long sessions may take to end, and to be written, when the server does.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the last messages may take to be read by the editor.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(300);

/// Serves one editor on standard input and output until it says `exit`, closes the input, or dies. Gives back the
/// process's exit code, as LSP has it: 0 after `shutdown`, else 1. The caller then ends the process, whatever threads
/// still wait.
///
/// # Errors
/// `config.invalid` when the environment has a setting that cannot be used.
pub async fn serve(start: Start) -> Result<u8, UserError> {
    let shared = Shared::new(start)?;
    let outbox = shared.outbox.clone();
    let manager = Arc::new(SessionManager::new(shared));
    let stop = CancellationToken::new();
    let (service, socket) = service(manager.clone(), stop.clone());
    let (requests, replies) = socket.split();
    let session_updates = service.inner().session_updates();
    let (writer, sender) = writer::Writer::new(outbox, requests, session_updates);
    let finish = CancellationToken::new();
    let writing = tokio::spawn(writer.run(stdio::output(), finish.clone(), stop.clone()));
    let code = transport::read(stdio::input(), service, replies, sender, stop).await;
    // Whatever hangs, the process ends.
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, manager.close_all()).await;
    finish.cancel();
    let _ = tokio::time::timeout(FLUSH_TIMEOUT, writing).await;
    Ok(code)
}

fn service(manager: Arc<SessionManager>, stop: CancellationToken) -> (LspService<Backend>, tower_lsp::ClientSocket) {
    LspService::build(|client| Backend::new(client, manager, stop))
        .custom_method("souffleur/session/new", Backend::session_new)
        .custom_method("souffleur/session/list", Backend::session_list)
        .custom_method("souffleur/session/load", Backend::session_load)
        .custom_method("souffleur/session/prompt", Backend::session_prompt)
        .custom_method("souffleur/session/cancel", Backend::session_cancel)
        .custom_method("souffleur/session/close", Backend::session_close)
        .custom_method("souffleur/session/usage", Backend::session_usage)
        .custom_method("souffleur/session/warm", Backend::session_warm)
        .custom_method("souffleur/session/rename", Backend::session_rename)
        .custom_method("souffleur/session/delete", Backend::session_delete)
        .custom_method("souffleur/session/fork", Backend::session_fork)
        .custom_method("souffleur/session/export", Backend::session_export)
        .custom_method("souffleur/session/import", Backend::session_import)
        .custom_method("souffleur/session/search", Backend::session_search)
        .custom_method("souffleur/prompt/show", Backend::prompt_show)
        .custom_method("souffleur/prompt/refresh", Backend::prompt_refresh)
        .custom_method("souffleur/prompt/list", Backend::prompt_list)
        .custom_method("souffleur/context/search", Backend::context_search)
        .custom_method("souffleur/model/list", Backend::model_list)
        .custom_method("souffleur/auth/status", Backend::auth_status)
        .custom_method("souffleur/auth/login", Backend::auth_login)
        .custom_method("souffleur/auth/logout", Backend::auth_logout)
        .custom_method("souffleur/auth/set", Backend::auth_set)
        .custom_method("souffleur/config/show", Backend::config_show)
        .custom_method("souffleur/workspace/trust", Backend::workspace_trust)
        .custom_method("window/workDoneProgress/cancel", Backend::progress_cancel)
        .finish()
}
