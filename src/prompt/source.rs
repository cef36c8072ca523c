//! What was read for a prompt: plain data.

use serde::{Deserialize, Serialize};

/// Where something a user can write comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// It is part of the program.
    #[default]
    BuiltIn,
    /// From the user's own directory.
    User,
    /// From the workspace.
    Workspace,
}

/// What a file is to the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SourceKind {
    /// The user's own instructions, for all projects.
    User,
    /// Instructions of the project, or of a folder between the workspace's and the session's.
    Project,
    /// Instructions of a folder below the session's.
    Nested,
    /// A file of the project that says what the project is: its manifest.
    Manifest,
    /// The beginning of the file that tells people about the project.
    Readme,
}

impl SourceKind {
    /// Whether it tells the model what to do, rather than what there is.
    pub fn is_instruction(self) -> bool {
        matches!(self, Self::User | Self::Project | Self::Nested)
    }
}

/// A file that was read, as much of it as a prompt may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The path: from the workspace folder, with `/` between its parts; absolute for a file of the user's.
    pub path: String,
    /// What it is to the prompt.
    pub kind: SourceKind,
    /// The folder it holds for, from the workspace folder; empty for all of it.
    pub scope: String,
    /// The file that included it.
    pub included_by: Option<String>,
    /// The beginning of its text, cleaned; see `bytes`.
    pub text: String,
    /// How long its cleaned text is, in bytes. More than `text` has when it was cut.
    pub bytes: usize,
    /// The SHA-256 of its cleaned text, in hexadecimal digits.
    pub hash: String,
}

/// Instructions that hold for a part of the project and are not in the prompt: it says where they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The path from the workspace folder.
    pub path: String,
    /// What they are for, for a model to read: `files in a/`.
    pub holds_for: String,
}

/// A file that could not be used as it is, and why. The prompt is made without it, or with what could be used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// The path, as in [`Source`].
    pub path: String,
    /// What is wrong, without a final period.
    pub message: String,
}

/// All that was read for a prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sources {
    /// The files.
    pub files: Vec<Source>,
    /// Instructions that are only named.
    pub listed: Vec<Listed>,
    /// The branch of version control, as the environment section says it.
    pub branch: Option<String>,
    /// Files that could not be used as they are.
    pub problems: Vec<Problem>,
}
