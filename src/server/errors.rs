//! Errors and params, as JSON-RPC has them.

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use tower_lsp::jsonrpc::{Error, ErrorCode as RpcCode};

use crate::error::{ErrorCode, UserError};

/// LSP's code for a request that was understood and failed.
const REQUEST_FAILED: i64 = -32803;

/// The error as a JSON-RPC response has it: the sentence as the message, everything else in `data`.
#[allow(clippy::needless_pass_by_value, reason = "it is the last step of an error, as `map_err` calls it")]
pub(super) fn to_rpc(error: UserError) -> Error {
    let code = match error.code {
        ErrorCode::ProtocolInvalidParams => RpcCode::InvalidParams,
        _ => RpcCode::ServerError(REQUEST_FAILED),
    };
    Error { code, message: error.message.clone().into(), data: serde_json::to_value(&error).ok() }
}

/// Params that name the field that is wrong.
#[derive(Debug)]
pub(super) struct Params<T>(pub(super) Result<T, UserError>);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Params<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let decoded = serde_path_to_error::deserialize::<_, T>(value).map_err(|error| {
            let (path, cause) = (error.path().to_string(), error.inner().to_string());
            let message = if path == "." { cause } else { format!("{path}: {cause}") };
            UserError::new(ErrorCode::ProtocolInvalidParams, message)
                .with_hint("docs/protocol.md has the params of each method, with examples")
        });
        Ok(Self(decoded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::PromptParams;

    fn message(json: serde_json::Value) -> String {
        serde_json::from_value::<Params<PromptParams>>(json).unwrap().0.unwrap_err().message
    }

    #[test]
    fn the_wrong_field_is_named() {
        let params = |content: serde_json::Value, token: serde_json::Value| serde_json::json!({"sessionId": "s", "content": content, "streamToken": token});
        let text = |text: serde_json::Value| serde_json::json!([{"type": "text", "text": text}]);
        assert!(message(params(text(5.into()), "t".into())).starts_with("content[0].text: invalid type"));
        assert!(message(params("x".into(), "t".into())).starts_with("content: invalid type"));
        assert!(message(params(text("x".into()), serde_json::json!([]))).starts_with("streamToken: "));
        assert!(message(serde_json::json!({"sessionId": "s"})).contains("content"));
        assert!(message(serde_json::json!([{"type": "text"}])).contains("invalid"));
    }
}
