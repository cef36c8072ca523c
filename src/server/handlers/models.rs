//! `souffleur/model/*`.

use tower_lsp::jsonrpc::Result;

use crate::protocol::{ModelListParams, ModelListResult};
use crate::server::backend::Backend;
use crate::server::errors::{Params, to_rpc};

/// `souffleur/model/list`.
pub(in crate::server) async fn list(backend: &Backend, params: Params<ModelListParams>) -> Result<ModelListResult> {
    let params = params.0.map_err(to_rpc)?;
    let shared = backend.manager.shared();
    shared.registry.list_models(&params, &shared.settings(None)).await.map_err(to_rpc)
}
