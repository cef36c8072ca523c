//! Params and results of `souffleur/prompt/*`: what a session tells its model before the conversation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::chat::SessionId;

/// Params of `souffleur/prompt/show`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PromptShowParams {
    /// Which session.
    pub session_id: SessionId,
}

/// Result of `souffleur/prompt/show`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PromptShowResult {
    /// The sections in the order in which the model reads them.
    pub sections: Vec<PromptSection>,
    /// The SHA-256 over all of them, in hexadecimal digits.
    pub fingerprint: String,
    /// The files of the project that are not as they were when the prompt was made or the model was last told.
    pub changed: Vec<String>,
    /// What of the project's files could not be used as it is.
    pub problems: Vec<String>,
}

/// A section of a system prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PromptSection {
    /// Its name.
    pub id: String,
    /// Its title.
    pub title: String,
    /// The files it is made of.
    pub sources: Vec<String>,
    /// What the model is told.
    pub text: String,
    /// How many tokens that is, as estimated.
    pub tokens: u64,
    /// The SHA-256 of the text, in hexadecimal digits.
    pub hash: String,
}

/// Params of `souffleur/prompt/refresh`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PromptRefreshParams {
    /// Which session.
    pub session_id: SessionId,
}

/// Result of `souffleur/prompt/refresh`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PromptRefreshResult {
    /// Whether the new prompt is another one. The provider's cache of the conversation is lost then.
    pub changed: bool,
    /// The new prompt's fingerprint.
    pub fingerprint: String,
}

/// Params of `souffleur/prompt/list`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PromptListParams {
    /// The workspace folder whose prompts are listed too; the first one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_uri: Option<String>,
}

/// Result of `souffleur/prompt/list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PromptListResult {
    /// The slash prompts: those of the program, then the others by name.
    pub prompts: Vec<SlashPromptInfo>,
    /// Files that could not be used as they are, and why.
    pub problems: Vec<String>,
}

/// A slash prompt: `/name` at the beginning of a prompt stands for a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SlashPromptInfo {
    /// Its name, without the slash.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What may follow the name, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argument_hint: Option<String>,
    /// Where it comes from.
    pub origin: PromptOrigin,
    /// Its file: from the workspace folder, absolute for a file of the user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// Where a slash prompt comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PromptOrigin {
    /// It is part of the program.
    BuiltIn,
    /// From the user's own directory.
    User,
    /// From the workspace.
    Workspace,
}
