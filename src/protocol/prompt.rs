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
