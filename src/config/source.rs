//! Where a value came from.

use std::sync::Arc;

pub use crate::protocol::SettingSource as Source;

/// A resolved value and its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it came from.
    pub source: Source,
    /// Where exactly: a file and line, or a variable's name.
    pub at: Option<Arc<str>>,
}

/// Who may set a setting, besides the user: the user's file, the environment and the command line may set all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// No one else: it names an address, a file, a program or a secret.
    User,
    /// The editor's settings, too.
    Editor,
    /// The editor's settings, and the file of a trusted workspace.
    Workspace,
    /// As [`Reach::Workspace`]; but the workspace can only lower it.
    Lower,
}

impl Reach {
    /// Whether values from `source` count.
    pub fn admits(self, source: Source) -> bool {
        match source {
            Source::Default | Source::User | Source::Environment | Source::CommandLine => true,
            Source::Editor => self != Self::User,
            Source::Workspace => matches!(self, Self::Workspace | Self::Lower),
        }
    }
}
