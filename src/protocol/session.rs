//! Params and results of `souffleur/session/*`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::context::ContextItem;
use super::stream::StreamToken;
use crate::chat::{ContentBlock, Effort, Item, SessionId, Thinking, ToolChoice, TurnId};

/// Params of `souffleur/session/new`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewParams {
    /// The URI of the workspace folder the session is about. Absent: the first folder of the workspace, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_uri: Option<String>,
    /// The session's model, as `provider:model`. Absent: the configured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The session's title. Absent: made from the first prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// Result of `souffleur/session/new`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewResult {
    /// The new session.
    pub session: SessionInfo,
}

/// A session as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionInfo {
    /// Its name.
    pub session_id: SessionId,
    /// Its title; empty before the first prompt.
    pub title: String,
    /// Its model, as `provider:model`.
    pub model: String,
    /// Whether its answers are simulated, not a model's.
    pub simulated: bool,
    /// The workspace folder it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_uri: Option<String>,
    /// Whether a turn runs.
    pub status: SessionStatus,
    /// How many turns it has had.
    pub turns: u64,
    /// When it was made, in milliseconds since 1970.
    pub created_at: u64,
    /// When its last turn began or ended, in milliseconds since 1970.
    pub updated_at: u64,
}

/// Whether a turn runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SessionStatus {
    /// It takes a prompt.
    Idle,
    /// A turn runs; a prompt is refused with `session.busy`.
    Running,
}

/// Params of `souffleur/session/list`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListParams {
    /// Only the sessions of this workspace folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_uri: Option<String>,
    /// Only the sessions that have all these words in their title or in one prompt or answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How many sessions at most; 100 when absent, never more than 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where to go on: `nextCursor` of the result before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Result of `souffleur/session/list`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListResult {
    /// The sessions, the one made last first.
    pub sessions: Vec<SessionInfo>,
    /// Present when there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Params of `souffleur/session/load`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoadParams {
    /// Which session.
    pub session_id: SessionId,
    /// A token of the client's making. When a turn runs, what it says after the snapshot is streamed with this token
    /// too, exactly from where the snapshot ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_token: Option<StreamToken>,
}

/// Result of `souffleur/session/load`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoadResult {
    /// The session.
    pub session: SessionInfo,
    /// All its items in order. Those of the running turn that still grow have the status `running` and what they
    /// hold so far.
    pub items: Vec<Item>,
    /// The turn that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<RunningTurn>,
}

/// A turn that runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunningTurn {
    /// Which turn.
    pub turn_id: TurnId,
    /// Whether its further updates come with the `streamToken` of the params.
    pub streaming: bool,
}

/// Params of `souffleur/session/prompt`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PromptParams {
    /// Which session.
    pub session_id: SessionId,
    /// What the user sends.
    pub content: Vec<ContentBlock>,
    /// A token of the client's making, different from all others in use; the turn streams as `$/progress` with it.
    pub stream_token: StreamToken,
    /// The session's model from this turn on, as `provider:model`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What else is asked of the model in this turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<PromptOptions>,
    /// What the user gives along. It is sent behind the content; what may not be read is left out, and a notice says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<ContextItem>,
}

/// What else is asked of the model in one turn. What is absent is as the settings have it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PromptOptions {
    /// How hard it tries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    /// Whether and how it thinks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking: Option<Thinking>,
    /// The most tokens one answer may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// Whether it calls tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may call several tools at once; true when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel_tools: Option<bool>,
    /// Texts that end the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop_sequences: Vec<String>,
    /// A JSON Schema: the turn's last answer is then a value that fits it, given in `output` of the stream's `end`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<serde_json::Value>,
}

/// Result of `souffleur/session/prompt`. It means that the prompt was taken; the stream's `end` means that the turn
/// is over. The first values of the stream may come before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PromptResult {
    /// The turn that began.
    pub turn_id: TurnId,
}

/// Params of `souffleur/session/cancel`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CancelParams {
    /// Which session.
    pub session_id: SessionId,
    /// Only this turn. Absent: whichever runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_id: Option<TurnId>,
}

/// Result of `souffleur/session/cancel`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CancelResult {
    /// Whether a turn was stopped. False when none ran, or another than the one named.
    pub cancelled: bool,
}

/// Params of `souffleur/session/close`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CloseParams {
    /// Which session. A turn that runs is cancelled first.
    pub session_id: SessionId,
}

/// Result of `souffleur/session/close`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CloseResult {}

/// Params of the notification `souffleur/session/update`: something about a session changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionUpdateParams {
    /// The session as it is now.
    pub session: SessionInfo,
}
