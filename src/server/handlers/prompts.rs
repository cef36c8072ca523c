//! `souffleur/prompt/*`.

use tower_lsp::jsonrpc::Result;

use crate::protocol::{
    PromptListParams, PromptListResult, PromptRefreshParams, PromptRefreshResult, PromptShowParams, PromptShowResult,
};
use crate::server::backend::Backend;
use crate::server::errors::{Params, to_rpc};

/// `souffleur/prompt/show`.
pub(in crate::server) async fn show(backend: &Backend, params: Params<PromptShowParams>) -> Result<PromptShowResult> {
    backend.manager.show_prompt(params.0.map_err(to_rpc)?).await.map_err(to_rpc)
}

/// `souffleur/prompt/refresh`.
pub(in crate::server) async fn refresh(
    backend: &Backend,
    params: Params<PromptRefreshParams>,
) -> Result<PromptRefreshResult> {
    backend.manager.refresh_prompt(params.0.map_err(to_rpc)?).await.map_err(to_rpc)
}

/// `souffleur/prompt/list`.
pub(in crate::server) async fn list(backend: &Backend, params: Params<PromptListParams>) -> Result<PromptListResult> {
    Ok(backend.manager.list_prompts(params.0.map_err(to_rpc)?).await)
}
