//! `souffleur/session/*`.

use tower_lsp::jsonrpc::Result;

use crate::protocol::{
    CancelParams, CancelResult, CloseParams, CloseResult, DeleteParams, DeleteResult, ExportParams, ExportResult,
    ForkParams, ForkResult, ImportParams, ImportResult, ListParams, ListResult, LoadParams, LoadResult, NewParams,
    NewResult, PromptParams, PromptResult, RenameParams, RenameResult, SearchParams, SearchResult, SessionUsageParams,
    SessionUsageResult, WarmParams, WarmResult,
};
use crate::server::backend::{Backend, ProgressCancelParams};
use crate::server::errors::{Params, to_rpc};

/// `souffleur/session/new`.
pub(in crate::server) async fn new(backend: &Backend, params: Params<NewParams>) -> Result<NewResult> {
    backend.manager.create(params.0.map_err(to_rpc)?).await.map_err(to_rpc)
}

/// `souffleur/session/list`.
pub(in crate::server) async fn list(backend: &Backend, params: Params<ListParams>) -> Result<ListResult> {
    backend.manager.list(&params.0.map_err(to_rpc)?).await.map_err(to_rpc)
}

/// `souffleur/session/load`.
pub(in crate::server) async fn load(backend: &Backend, params: Params<LoadParams>) -> Result<LoadResult> {
    backend.manager.load(params.0.map_err(to_rpc)?).await.map_err(to_rpc)
}

/// `souffleur/session/prompt`: answers when the prompt is taken, not when the turn is over.
pub(in crate::server) async fn prompt(backend: &Backend, params: Params<PromptParams>) -> Result<PromptResult> {
    backend.manager.prompt(params.0.map_err(to_rpc)?).await.map_err(to_rpc)
}

/// `souffleur/session/cancel`.
pub(in crate::server) async fn cancel(backend: &Backend, params: Params<CancelParams>) -> Result<CancelResult> {
    backend.manager.cancel(params.0.map_err(to_rpc)?).await.map_err(to_rpc)
}

/// `souffleur/session/warm`.
pub(in crate::server) async fn warm(backend: &Backend, params: Params<WarmParams>) -> Result<WarmResult> {
    backend.manager.warm(params.0.map_err(to_rpc)?).await.map_err(to_rpc)
}

/// `souffleur/session/close`.
pub(in crate::server) async fn close(backend: &Backend, params: Params<CloseParams>) -> Result<CloseResult> {
    backend.manager.close(params.0.map_err(to_rpc)?).await.map_err(to_rpc)
}

/// `souffleur/session/usage`.
pub(in crate::server) async fn usage(
    backend: &Backend,
    params: Params<SessionUsageParams>,
) -> Result<SessionUsageResult> {
    backend.manager.usage(params.0.map_err(to_rpc)?).await.map_err(to_rpc)
}

/// `window/workDoneProgress/cancel`, with the token of a turn's stream.
pub(in crate::server) fn progress_cancel(backend: &Backend, params: Params<ProgressCancelParams>) {
    match params.0 {
        Ok(params) => backend.manager.cancel_stream(&params.token),
        Err(error) => tracing::warn!(%error, "window/workDoneProgress/cancel was ignored"),
    }
}

/// `souffleur/session/rename`.
pub(in crate::server) async fn rename(backend: &Backend, params: Params<RenameParams>) -> Result<RenameResult> {
    backend.manager.rename(params.0.map_err(to_rpc)?).await.map_err(to_rpc)
}

/// `souffleur/session/delete`.
pub(in crate::server) async fn delete(backend: &Backend, params: Params<DeleteParams>) -> Result<DeleteResult> {
    backend.manager.delete(params.0.map_err(to_rpc)?).await.map_err(to_rpc)
}

/// `souffleur/session/fork`.
pub(in crate::server) async fn fork(backend: &Backend, params: Params<ForkParams>) -> Result<ForkResult> {
    backend.manager.fork(params.0.map_err(to_rpc)?).await.map_err(to_rpc)
}

/// `souffleur/session/export`.
pub(in crate::server) async fn export(backend: &Backend, params: Params<ExportParams>) -> Result<ExportResult> {
    backend.manager.export(params.0.map_err(to_rpc)?).await.map_err(to_rpc)
}

/// `souffleur/session/import`.
pub(in crate::server) async fn import(backend: &Backend, params: Params<ImportParams>) -> Result<ImportResult> {
    backend.manager.import(params.0.map_err(to_rpc)?).await.map_err(to_rpc)
}

/// `souffleur/session/search`.
pub(in crate::server) async fn search(backend: &Backend, params: Params<SearchParams>) -> Result<SearchResult> {
    backend.manager.search(params.0.map_err(to_rpc)?).await.map_err(to_rpc)
}
