//! Settings as they are shown, and trust in workspaces.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a value came from. The order is that of precedence, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SettingSource {
    /// Built in.
    Default,
    /// The user's own file.
    User,
    /// The file of a workspace that the user trusts.
    Workspace,
    /// The editor's settings.
    Editor,
    /// An environment variable.
    Environment,
    /// An option on the command line.
    CommandLine,
}

impl fmt::Display for SettingSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "built-in default",
            Self::User => "user file",
            Self::Workspace => "workspace file",
            Self::Editor => "editor settings",
            Self::Environment => "environment",
            Self::CommandLine => "command line",
        })
    }
}

/// Params of `souffleur/config/show`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigShowParams {
    /// The workspace folder whose settings are meant; without one, those of no workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_uri: Option<String>,
}

/// Result of `souffleur/config/show`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigShowResult {
    /// The settings that hold now.
    pub settings: Vec<SettingValue>,
    /// The files that were looked at.
    pub files: Vec<SettingsFileInfo>,
    /// What is not used, and why.
    pub problems: Vec<SettingProblem>,
}

/// A setting, and where it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingValue {
    /// Its key in dotted form.
    pub key: String,
    /// Its value; null when it has none, and for a secret that is not merely a reference.
    pub value: serde_json::Value,
    /// Where it came from.
    pub source: SettingSource,
    /// Where exactly: a file and line, or a variable's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// A file of settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingsFileInfo {
    /// The file.
    pub path: String,
    /// Whose it is: the user's or a workspace's.
    pub source: SettingSource,
    /// What became of it.
    pub state: SettingsFileState,
}

/// What became of a file of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SettingsFileState {
    /// There is none.
    Absent,
    /// It counts.
    Used,
    /// It does not count, because the user has not trusted its workspace, or not since it was changed.
    Untrusted,
    /// It is there and cannot be read.
    Unreadable,
}

/// Something in a source of settings that is not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingProblem {
    /// Where: a file and line, or whose settings.
    pub at: String,
    /// The setting in dotted form; empty when it is about the whole.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl fmt::Display for SettingProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, " ({hint})"))
    }
}

/// Params of `souffleur/workspace/trust`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceTrustParams {
    /// The workspace folder.
    pub workspace_uri: String,
    /// Whether the user trusts it.
    pub trusted: bool,
}

/// Result of `souffleur/workspace/trust`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WorkspaceTrustResult {
    /// The workspace's file of settings, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<SettingsFileInfo>,
}
