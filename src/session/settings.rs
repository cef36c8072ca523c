//! Settings as they are shown, and trust in workspaces.

use std::path::Path;

use super::shared::Shared;
use crate::error::{ErrorCode, UserError};
use crate::protocol::{ConfigShowResult, SettingValue, SettingsFileInfo, WorkspaceTrustResult};
use crate::workspace::file_path;

impl Shared {
    /// The settings that hold in a workspace, or in none: each with where it came from.
    pub fn show_settings(&self, workspace_uri: Option<&str>) -> ConfigShowResult {
        let root = workspace_uri.and_then(file_path);
        self.settings.refresh();
        let resolved = self.settings.current();
        let settings = resolved.for_root(root.as_deref()).list().into_iter().map(|listed| SettingValue {
            key: listed.key,
            value: listed.shown.value,
            source: listed.shown.source,
            at: listed.shown.at.map(|at| at.to_string()),
        });
        ConfigShowResult {
            settings: settings.collect(),
            files: resolved.files.iter().map(SettingsFileInfo::from).collect(),
            problems: resolved.problems.clone(),
        }
    }

    /// Remembers whether the user trusts a workspace's settings as they are now.
    ///
    /// # Errors
    /// `protocol.invalid_params` when it is no open folder, or has no settings; `config.invalid` when trust cannot be
    /// kept.
    pub fn set_trust(&self, workspace_uri: &str, trusted: bool) -> Result<WorkspaceTrustResult, UserError> {
        let root = file_path(workspace_uri).filter(|root| self.is_open(root)).ok_or_else(|| {
            UserError::new(
                ErrorCode::ProtocolInvalidParams,
                format!("{workspace_uri:?} is not an open workspace folder"),
            )
            .with_hint("name a folder as the editor opened it")
        })?;
        self.settings.refresh();
        let content = self.settings.workspace_content(&root);
        if trusted && content.is_none() {
            return Err(UserError::new(
                ErrorCode::ProtocolInvalidParams,
                format!("{} has no settings to trust", root.display()),
            )
            .with_hint(format!("they would be in {}", crate::config::WORKSPACE_FILE)));
        }
        self.trust.set(&root, content.as_deref().filter(|_| trusted))?;
        self.settings.trust_changed();
        let resolved = self.settings.current();
        let file = resolved.files.iter().find(|file| file.root.as_deref() == Some(root.as_path()));
        Ok(WorkspaceTrustResult { file: file.map(SettingsFileInfo::from) })
    }

    fn is_open(&self, root: &Path) -> bool {
        self.workspace.roots.all().iter().any(|open| open.path.as_deref() == Some(root))
    }
}
