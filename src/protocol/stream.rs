//! A turn's stream: the values of `$/progress`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::chat::{SessionId, SessionUpdate, TurnEnd, TurnId};

/// A token of the client's making; LSP's `ProgressToken`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum StreamToken {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

/// Params of `$/progress`, as this server sends it for a turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgressParams {
    /// The token of the prompt.
    pub token: StreamToken,
    /// One value of the stream.
    pub value: ProgressValue,
}

/// One value of a turn's stream: a superset of LSP's work-done progress values. `seq` counts the values of a token
/// from 0 without gaps. `end` comes exactly once and last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum ProgressValue {
    /// The turn begins.
    Begin(ProgressBegin),
    /// Something happened.
    Report(ProgressReport),
    /// The turn is over.
    End(ProgressEnd),
}

/// The turn begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgressBegin {
    /// Always 0.
    pub seq: u64,
    /// For generic progress displays.
    pub title: String,
    /// Always true: `window/workDoneProgress/cancel` with this token cancels the turn.
    pub cancellable: bool,
    /// The session.
    pub session_id: SessionId,
    /// The turn.
    pub turn_id: TurnId,
    /// The model that answers, as `provider:model`.
    pub model: String,
    /// Whether the answer is simulated, not a model's.
    pub simulated: bool,
}

/// Something happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgressReport {
    /// The value's number.
    pub seq: u64,
    /// What happened.
    pub update: SessionUpdate,
}

/// The turn is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgressEnd {
    /// The value's number.
    pub seq: u64,
    /// How it ended.
    #[serde(flatten)]
    pub end: TurnEnd,
}
