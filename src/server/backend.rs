//! The router's object: one line a method. The work is in the handlers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc::Result;
use tower_lsp::ls_types::{
    DidChangeConfigurationParams, DidChangeTextDocumentParams, DidChangeWorkspaceFoldersParams,
    DidCloseTextDocumentParams, DidOpenTextDocumentParams, InitializeParams, InitializeResult, InitializedParams,
};
use tower_lsp::{Client, LanguageServer};

use super::capabilities::Capabilities;
use super::errors::Params;
use super::handlers::{auth, configuration, context, documents, lifecycle, models, prompts, sessions, workspace};
use crate::protocol::{
    AuthStatusParams, AuthStatusResult, CancelParams, CancelResult, CloseParams, CloseResult, ConfigShowParams,
    ConfigShowResult, ContextSearchParams, ContextSearchResult, DeleteParams, DeleteResult, ExportParams, ExportResult,
    ForkParams, ForkResult, ImportParams, ImportResult, ListParams, ListResult, LoadParams, LoadResult, LoginParams,
    LoginResult, LogoutParams, LogoutResult, ModelListParams, ModelListResult, NewParams, NewResult, PromptListParams,
    PromptListResult, PromptParams, PromptRefreshParams, PromptRefreshResult, PromptResult, PromptShowParams,
    PromptShowResult, RenameParams, RenameResult, SearchParams, SearchResult, SessionUsageParams, SessionUsageResult,
    SetParams, SetResult, StreamToken, WarmParams, WarmResult, WorkspaceTrustParams, WorkspaceTrustResult,
};
use crate::session::SessionManager;

/// What the handlers work with.
pub(super) struct Backend {
    pub(super) client: Client,
    pub(super) manager: Arc<SessionManager>,
    pub(super) capabilities: OnceLock<Capabilities>,
    pub(super) stop: CancellationToken,
    pub(super) session_updates: Arc<AtomicBool>,
    pub(super) shut_down: AtomicBool,
    /// Cancelled by `shutdown`: nobody waits for a browser any more.
    pub(super) closing: CancellationToken,
}

/// Params of `window/workDoneProgress/cancel`.
#[derive(Deserialize)]
pub(super) struct ProgressCancelParams {
    pub(super) token: StreamToken,
}

#[allow(clippy::unused_async, reason = "the router wants its handlers async")]
impl Backend {
    pub(super) fn new(client: Client, manager: Arc<SessionManager>, stop: CancellationToken) -> Self {
        Self {
            client,
            manager,
            capabilities: OnceLock::new(),
            stop,
            session_updates: Arc::default(),
            shut_down: AtomicBool::new(false),
            closing: CancellationToken::new(),
        }
    }

    /// Set when the client takes `souffleur/session/update`.
    pub(super) fn session_updates(&self) -> Arc<AtomicBool> {
        self.session_updates.clone()
    }

    /// Whether `shutdown` came.
    pub(super) fn was_shut_down(&self) -> bool {
        self.shut_down.load(Ordering::Relaxed)
    }

    pub(super) async fn session_new(&self, params: Params<NewParams>) -> Result<NewResult> {
        sessions::new(self, params).await
    }

    pub(super) async fn session_list(&self, params: Params<ListParams>) -> Result<ListResult> {
        sessions::list(self, params).await
    }

    pub(super) async fn session_load(&self, params: Params<LoadParams>) -> Result<LoadResult> {
        sessions::load(self, params).await
    }

    pub(super) async fn session_prompt(&self, params: Params<PromptParams>) -> Result<PromptResult> {
        sessions::prompt(self, params).await
    }

    pub(super) async fn session_cancel(&self, params: Params<CancelParams>) -> Result<CancelResult> {
        sessions::cancel(self, params).await
    }

    pub(super) async fn session_warm(&self, params: Params<WarmParams>) -> Result<WarmResult> {
        sessions::warm(self, params).await
    }

    pub(super) async fn session_close(&self, params: Params<CloseParams>) -> Result<CloseResult> {
        sessions::close(self, params).await
    }

    pub(super) async fn session_usage(&self, params: Params<SessionUsageParams>) -> Result<SessionUsageResult> {
        sessions::usage(self, params).await
    }

    pub(super) async fn session_rename(&self, params: Params<RenameParams>) -> Result<RenameResult> {
        sessions::rename(self, params).await
    }

    pub(super) async fn session_delete(&self, params: Params<DeleteParams>) -> Result<DeleteResult> {
        sessions::delete(self, params).await
    }

    pub(super) async fn session_fork(&self, params: Params<ForkParams>) -> Result<ForkResult> {
        sessions::fork(self, params).await
    }

    pub(super) async fn session_export(&self, params: Params<ExportParams>) -> Result<ExportResult> {
        sessions::export(self, params).await
    }

    pub(super) async fn session_import(&self, params: Params<ImportParams>) -> Result<ImportResult> {
        sessions::import(self, params).await
    }

    pub(super) async fn session_search(&self, params: Params<SearchParams>) -> Result<SearchResult> {
        sessions::search(self, params).await
    }

    pub(super) async fn prompt_show(&self, params: Params<PromptShowParams>) -> Result<PromptShowResult> {
        prompts::show(self, params).await
    }

    pub(super) async fn prompt_refresh(&self, params: Params<PromptRefreshParams>) -> Result<PromptRefreshResult> {
        prompts::refresh(self, params).await
    }

    pub(super) async fn prompt_list(&self, params: Params<PromptListParams>) -> Result<PromptListResult> {
        prompts::list(self, params).await
    }

    pub(super) async fn context_search(&self, params: Params<ContextSearchParams>) -> Result<ContextSearchResult> {
        context::search(self, params).await
    }

    pub(super) async fn model_list(&self, params: Params<ModelListParams>) -> Result<ModelListResult> {
        models::list(self, params).await
    }

    pub(super) async fn auth_status(&self, params: Params<AuthStatusParams>) -> Result<AuthStatusResult> {
        auth::status(self, params).await
    }

    pub(super) async fn auth_login(&self, params: Params<LoginParams>) -> Result<LoginResult> {
        auth::login(self, params).await
    }

    pub(super) async fn auth_logout(&self, params: Params<LogoutParams>) -> Result<LogoutResult> {
        auth::logout(self, params).await
    }

    pub(super) async fn auth_set(&self, params: Params<SetParams>) -> Result<SetResult> {
        auth::set(self, params).await
    }

    pub(super) async fn config_show(&self, params: Params<ConfigShowParams>) -> Result<ConfigShowResult> {
        configuration::show(self, params)
    }

    pub(super) async fn workspace_trust(&self, params: Params<WorkspaceTrustParams>) -> Result<WorkspaceTrustResult> {
        configuration::trust(self, params)
    }

    pub(super) async fn progress_cancel(&self, params: Params<ProgressCancelParams>) {
        sessions::progress_cancel(self, params);
    }
}

impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        Ok(lifecycle::initialize(self, &params))
    }

    async fn initialized(&self, _: InitializedParams) {
        lifecycle::initialized(self).await;
    }

    async fn shutdown(&self) -> Result<()> {
        lifecycle::shutdown(self).await;
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        documents::opened(self, params);
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        documents::changed(self, params);
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        documents::closed(self, &params);
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        configuration::changed(self, params).await;
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        workspace::folders_changed(self, &params);
    }
}
