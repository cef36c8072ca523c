//! `souffleur/context/*`.

use tower_lsp::jsonrpc::Result;

use crate::protocol::{ContextSearchParams, ContextSearchResult};
use crate::server::backend::Backend;
use crate::server::errors::{Params, to_rpc};

/// `souffleur/context/search`.
pub(in crate::server) async fn search(
    backend: &Backend,
    params: Params<ContextSearchParams>,
) -> Result<ContextSearchResult> {
    backend.manager.search_context(params.0.map_err(to_rpc)?).await.map_err(to_rpc)
}
