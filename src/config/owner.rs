//! The owner of the settings.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

use super::environment::Environment;
use super::file::SettingsFile;
use super::places::Places;
use super::read::{Origin, Problem, read};
use super::settings::{Layer, Settings};
use super::source::Source;
use crate::error::UserError;
use crate::protocol::SettingsFileInfo;
pub use crate::protocol::SettingsFileState as FileState;

/// The user's file, below the directory of the user's settings.
const USER_FILE: &str = "config.toml";
/// A workspace's file, below its root.
pub const WORKSPACE_FILE: &str = ".souffleur/config.toml";

/// Says whether the user trusts a workspace to have these settings: its root, and the bytes of its file.
pub type IsTrusted = Arc<dyn Fn(&Path, &[u8]) -> bool + Send + Sync>;

/// A file of settings, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// The file.
    pub path: PathBuf,
    /// Whose it is.
    pub source: Source,
    /// The root of its workspace.
    pub root: Option<PathBuf>,
    /// What became of it.
    pub state: FileState,
}

impl From<&FileInfo> for SettingsFileInfo {
    fn from(file: &FileInfo) -> Self {
        Self { path: file.path.display().to_string(), source: file.source, state: file.state }
    }
}

/// The settings as they are at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resolved {
    /// Where no workspace has a say.
    pub settings: Arc<Settings>,
    /// In each workspace root.
    pub roots: Vec<(PathBuf, Arc<Settings>)>,
    /// The files that were looked at.
    pub files: Vec<FileInfo>,
    /// What is not used, and why.
    pub problems: Vec<Problem>,
}

impl Resolved {
    /// The settings that hold in the workspace `root`.
    pub fn for_root(&self, root: Option<&Path>) -> &Arc<Settings> {
        let own = root.and_then(|root| self.roots.iter().find(|(known, _)| known == root));
        own.map_or(&self.settings, |(_, settings)| settings)
    }
}

/// Owns the layers of settings; everyone else sees resolved snapshots.
pub struct SettingsOwner {
    variables: Arc<Environment>,
    environment: Layer,
    command_line: Layer,
    is_trusted: IsTrusted,
    state: Mutex<State>,
    resolved: watch::Sender<Arc<Resolved>>,
}

#[derive(Debug, Default)]
struct State {
    user: Option<SettingsFile>,
    workspaces: Vec<(PathBuf, SettingsFile)>,
    editor: Layer,
    editor_problems: Vec<Problem>,
}

impl SettingsOwner {
    /// The settings before the editor said anything. `user_file` is read instead of the one in the user's own directory.
    ///
    /// # Errors
    /// `config.invalid` when the environment has a setting that cannot be used.
    pub fn new(
        variables: Arc<Environment>,
        command_line: Layer,
        user_file: Option<PathBuf>,
        is_trusted: IsTrusted,
    ) -> Result<Self, UserError> {
        let user_file = user_file.or_else(|| Places::new(&variables).config.map(|place| place.join(USER_FILE)));
        let user = user_file.map(|path| SettingsFile::new(path, Source::User));
        let environment = Layer::from_environment(&variables)?;
        let state = Mutex::new(State { user, ..State::default() });
        let resolved = watch::Sender::default();
        let owner = Self { variables, environment, command_line, is_trusted, state, resolved };
        let mut state = owner.state();
        state.refresh(&owner.variables);
        owner.resolve(&state);
        drop(state);
        Ok(owner)
    }

    /// The settings as they are now.
    pub fn current(&self) -> Arc<Resolved> {
        self.resolved.borrow().clone()
    }

    /// Snapshots, now and later.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Resolved>> {
        self.resolved.subscribe()
    }

    /// The environment that `${VAR}` is looked up in.
    pub fn variables(&self) -> &Arc<Environment> {
        &self.variables
    }

    /// The user's file, where there can be one.
    pub fn user_file(&self) -> Option<PathBuf> {
        self.state().user.as_ref().map(|file| file.path.clone())
    }

    /// The editor's settings changed. What was said before is forgotten.
    pub fn editor_changed(&self, settings: &Value) {
        let origin = Origin { source: Source::Editor, name: "the editor's settings", variables: None };
        let (layer, problems) = read(&settings.clone().into(), &origin);
        let mut state = self.state();
        (state.editor, state.editor_problems) = (layer, problems);
        self.resolve(&state);
    }

    /// The workspace has these roots now.
    pub fn roots_changed(&self, roots: impl IntoIterator<Item = PathBuf>) {
        let mut state = self.state();
        let known = std::mem::take(&mut state.workspaces);
        for root in roots {
            let file = known.iter().find(|(path, _)| *path == root).map(|(_, file)| file.clone());
            let file = file.unwrap_or_else(|| SettingsFile::new(root.join(WORKSPACE_FILE), Source::Workspace));
            state.workspaces.push((root, file));
        }
        state.refresh(&self.variables);
        self.resolve(&state);
    }

    /// Reads the files again that are others than the last time.
    pub fn refresh(&self) {
        let mut state = self.state();
        if state.refresh(&self.variables) {
            self.resolve(&state);
        }
    }

    /// The user's trust in a workspace changed.
    pub fn trust_changed(&self) {
        let mut state = self.state();
        state.refresh(&self.variables);
        self.resolve(&state);
    }

    /// The bytes of a workspace's file as they were read last.
    pub fn workspace_content(&self, root: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        state.workspaces.iter().find(|(known, _)| known == root)?.1.content.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn resolve(&self, state: &State) {
        let nothing = Layer::default();
        let user = state.user.as_ref().map_or(&nothing, |file| &file.layer);
        let resolve = |workspace: &Layer| {
            Arc::new(Settings::resolve(&[
                (Source::User, user),
                (Source::Workspace, workspace),
                (Source::Editor, &state.editor),
                (Source::Environment, &self.environment),
                (Source::CommandLine, &self.command_line),
            ]))
        };
        let mut resolved = Resolved { settings: resolve(&nothing), ..Resolved::default() };
        if let Some(file) = &state.user {
            resolved.add(file, None, true);
        }
        for (root, file) in &state.workspaces {
            let trusted = file.content.as_ref().is_some_and(|content| (self.is_trusted)(root, content));
            resolved.add(file, Some(root), trusted);
            if trusted {
                resolved.roots.push((root.clone(), resolve(&file.layer)));
            }
        }
        resolved.problems.extend(state.editor_problems.iter().cloned());
        let resolved = Arc::new(resolved);
        self.resolved.send_if_modified(|current| {
            let changed = *current != resolved;
            *current = resolved;
            changed
        });
    }
}

impl State {
    fn refresh(&mut self, environment: &Environment) -> bool {
        let files = self.user.iter_mut().chain(self.workspaces.iter_mut().map(|(_, file)| file));
        // Each of them is read, whatever became of the one before.
        files.map(|file| file.refresh(environment)).filter(|changed| *changed).count() > 0
    }
}

impl Resolved {
    fn add(&mut self, file: &SettingsFile, root: Option<&PathBuf>, trusted: bool) {
        let state = match (&file.content, trusted) {
            (None, _) if file.problems.is_empty() => FileState::Absent,
            (None, _) => FileState::Unreadable,
            (Some(_), true) => FileState::Used,
            (Some(_), false) => FileState::Untrusted,
        };
        let source = if root.is_some() { Source::Workspace } else { Source::User };
        self.files.push(FileInfo { path: file.path.clone(), source, root: root.cloned(), state });
        if trusted || state == FileState::Unreadable {
            self.problems.extend(file.problems.iter().cloned());
        }
    }
}

impl fmt::Debug for SettingsOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettingsOwner").field("resolved", &self.current()).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "owner_tests.rs"]
mod tests;
