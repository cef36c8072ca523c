//! What all sessions share, and how it is made.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::outbox::Outbox;
use crate::config::{Environment, IsTrusted, Layer, Places, Settings, SettingsOwner};
use crate::error::UserError;
use crate::provider::Registry;
use crate::tools::Tools;
use crate::workspace::{Trust, Workspace};

/// What all sessions share.
#[derive(Debug)]
pub struct Shared {
    /// The settings.
    pub settings: Arc<SettingsOwner>,
    /// Which workspaces the user trusts.
    pub trust: Arc<Trust>,
    /// The providers.
    pub registry: Registry,
    /// The project.
    pub workspace: Arc<Workspace>,
    /// The tools.
    pub tools: Tools,
    /// Where updates go.
    pub outbox: Arc<Outbox>,
}

/// What a process was started with.
#[derive(Debug, Default)]
pub struct Start {
    /// The environment's variables.
    pub environment: Environment,
    /// The settings of the command line.
    pub command_line: Layer,
    /// A file of settings to read instead of the user's own.
    pub user_file: Option<PathBuf>,
}

impl Shared {
    /// Makes it all. Reads the user's settings; nothing goes over the network and nothing else is read.
    ///
    /// # Errors
    /// `config.invalid` when the environment has a setting that cannot be used.
    pub fn new(start: Start) -> Result<Self, UserError> {
        let environment = Arc::new(start.environment);
        let places = Places::new(&environment);
        let trust = Arc::new(Trust::new(places.state.as_deref()));
        let asked = trust.clone();
        let is_trusted: IsTrusted = Arc::new(move |root, configuration| asked.is_trusted(root, configuration));
        let settings = SettingsOwner::new(environment.clone(), start.command_line, start.user_file, is_trusted)?;
        Ok(Self {
            settings: Arc::new(settings),
            trust,
            registry: Registry::new(environment),
            workspace: Arc::new(Workspace::default()),
            tools: Tools::builtin(),
            outbox: Arc::new(Outbox::default()),
        })
    }

    /// The settings that hold in the workspace `root` now. A file that was changed is read first, so that no turn
    /// depends on an event that may be late.
    pub fn settings(&self, root: Option<&Path>) -> Arc<Settings> {
        self.settings.refresh();
        self.settings.current().for_root(root).clone()
    }

    /// The workspace's folders changed: their files have a say, where they are trusted.
    pub fn roots_changed(&self) {
        self.settings.roots_changed(self.workspace.roots.all().iter().filter_map(|root| root.path.clone()));
    }
}
