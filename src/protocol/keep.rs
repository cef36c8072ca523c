//! Params and results of what is done with sessions that are kept: `souffleur/session/{rename, delete, fork, export,
//! import, search}`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::session::SessionInfo;
use crate::chat::{ItemId, SessionId, TurnId};

/// Params of `souffleur/session/rename`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RenameParams {
    /// Which session.
    pub session_id: SessionId,
    /// Its title from now on.
    pub title: String,
}

/// Result of `souffleur/session/rename`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RenameResult {
    /// The session as it is now.
    pub session: SessionInfo,
}

/// Params of `souffleur/session/delete`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeleteParams {
    /// Which session. A turn that runs is cancelled first.
    pub session_id: SessionId,
}

/// Result of `souffleur/session/delete`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeleteResult {}

/// Params of `souffleur/session/fork`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForkParams {
    /// Which session.
    pub session_id: SessionId,
    /// The last turn that is copied. Absent: the last turn that ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_id: Option<TurnId>,
    /// The copy's title. Absent: the session's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// Result of `souffleur/session/fork`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForkResult {
    /// The copy.
    pub session: SessionInfo,
}

/// Params of `souffleur/session/export`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportParams {
    /// Which session.
    pub session_id: SessionId,
    /// How it is written.
    #[serde(default)]
    pub format: ExportFormat,
}

/// How a session is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ExportFormat {
    /// For people.
    #[default]
    Markdown,
    /// For `souffleur/session/import`: nothing is left out.
    Json,
}

/// Result of `souffleur/session/export`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportResult {
    /// The session as text.
    pub text: String,
}

/// Params of `souffleur/session/import`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportParams {
    /// What `souffleur/session/export` gave as JSON.
    pub text: String,
}

/// Result of `souffleur/session/import`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportResult {
    /// The session. Its id is a new one when its own is taken.
    pub session: SessionInfo,
}

/// Params of `souffleur/session/search`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchParams {
    /// Words that all occur; of the last one, its beginning.
    pub text: String,
    /// Only in sessions of this workspace folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_uri: Option<String>,
    /// How many hits at most; 50 when absent, never more than 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where to go on: `nextCursor` of the result before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Result of `souffleur/session/search`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchResult {
    /// Where the words were said: in the session made last first.
    pub hits: Vec<SearchHit>,
    /// Present when there may be more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Where something was said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchHit {
    /// The session.
    pub session: SessionInfo,
    /// The item; absent for the title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_id: Option<ItemId>,
    /// The text around the words.
    pub excerpt: String,
}
