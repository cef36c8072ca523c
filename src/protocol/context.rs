//! What a user gives along with a prompt, and finding it: params and results of `souffleur/context/*`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::session::SessionInfo;

/// Something that the user gives along with a prompt. It is read as the user sees it: the open buffer, if there is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ContextItem {
    /// A file, or lines of it.
    File {
        /// Which file.
        uri: String,
        /// Only the lines that this touches.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        range: Option<TextRange>,
    },
    /// What is selected.
    Selection {
        /// In which file.
        uri: String,
        /// Where.
        range: TextRange,
        /// What is selected. Absent: the lines that the range touches are read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// What compilers and linters say about a file.
    Diagnostics {
        /// About which file.
        uri: String,
        /// What they say.
        items: Vec<ContextDiagnostic>,
    },
    /// A difference.
    Diff {
        /// The difference, as `diff -u` writes it.
        text: String,
        /// What it is of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
    /// What a terminal shows.
    Terminal {
        /// What is shown.
        text: String,
        /// The command.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
    /// A declaration.
    Symbol {
        /// In which file.
        uri: String,
        /// Its name.
        name: String,
        /// Where. The lines that it touches are read.
        range: TextRange,
    },
}

/// A part of a text, as LSP has it: the end is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TextRange {
    /// Where it begins.
    pub start: TextPosition,
    /// Where it ends.
    pub end: TextPosition,
}

/// A place in a text, as LSP has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TextPosition {
    /// The line, counted from 0.
    pub line: u32,
    /// The character within the line, counted from 0.
    pub character: u32,
}

/// What a compiler or a linter says: LSP's `Diagnostic`, of which these fields are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContextDiagnostic {
    /// About which part of the file.
    pub range: TextRange,
    /// 1 is an error, 2 a warning, 3 an information, 4 a hint; an error when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<u8>,
    /// Who says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Its code, a number or a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<serde_json::Value>,
    /// What is said.
    pub message: String,
}

/// Params of `souffleur/context/search`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContextSearchParams {
    /// What was typed. Empty: what is likely.
    pub query: String,
    /// Only what belongs to this workspace folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_uri: Option<String>,
    /// Only hits of these kinds; all kinds when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<ContextKind>>,
    /// How many hits of each kind at most; 50 when absent, never more than 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ContextKind {
    /// Files of the workspace folders.
    File,
    /// Sessions.
    Session,
}

/// Result of `souffleur/context/search`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContextSearchResult {
    /// The files, those that fit best first, then the sessions.
    pub hits: Vec<ContextHit>,
    /// Whether the files of a folder are being listed for the first time. The same search finds more in a moment.
    pub indexing: bool,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ContextHit {
    /// A file.
    File {
        /// Its URI, as `context` of a prompt takes it.
        uri: String,
        /// Its path from the workspace folder, with `/` between its parts.
        path: String,
        /// The workspace folder.
        workspace_uri: String,
    },
    /// A session.
    Session {
        /// The session.
        session: SessionInfo,
    },
}
