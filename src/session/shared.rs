//! What all sessions share, and how it is made.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::manager::now;
use super::mention::Folders;
use super::outbox::Outbox;
use super::prefix::Prefixes;
use crate::config::{Environment, IsTrusted, Layer, Places, Settings, SettingsOwner};
use crate::error::{ErrorCode, UserError};
use crate::provider::Registry;
use crate::store::Store;
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
    /// Where sessions are kept, once it was opened.
    store: OnceCell<Store>,
    /// Where this program keeps what is its own.
    places: Places,
    /// The prompts that were made last.
    pub(super) prefixes: Prefixes,
    /// The files that can be mentioned.
    pub(super) folders: Folders,
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
            store: OnceCell::new(),
            places,
            prefixes: Prefixes::default(),
            folders: Folders::default(),
        })
    }

    /// Where sessions are kept. It is opened when it is first needed, and never again.
    ///
    /// # Errors
    /// `store.failed` when not even a database in memory can be had.
    pub async fn store(&self) -> Result<Store, UserError> {
        let opened = self.store.get_or_try_init(|| async {
            let settings = self.settings.current().settings.clone();
            let folder = self.places.data.clone().filter(|_| settings.sessions_keep.value);
            let lost = |error: tokio::task::JoinError| {
                UserError::new(ErrorCode::StoreFailed, format!("the store could not be opened: {error}"))
            };
            let opened =
                tokio::task::spawn_blocking(move || Store::open(folder.as_deref(), now())).await.map_err(lost)??;
            // That nothing is kept is no news to who asked for it.
            if settings.sessions_keep.value {
                self.outbox.tell(opened.notices.iter().map(|notice| format!("{} ({})", notice.message, notice.hint)));
            }
            if let Some(days) = settings.retention_days.value {
                let before = now().saturating_sub(u64::from(days) * 24 * 60 * 60 * 1000);
                tokio::spawn(opened.store.prune(before));
            }
            Ok(opened.store)
        });
        opened.await.cloned()
    }

    /// The settings that hold in the workspace `root` now. A file that was changed is read first, so that no turn
    /// depends on an event that may be late.
    pub fn settings(&self, root: Option<&Path>) -> Arc<Settings> {
        self.settings.refresh();
        self.settings.current().for_root(root).clone()
    }

    /// Where this program keeps what is its own.
    pub(super) fn places(&self) -> &Places {
        &self.places
    }

    /// The workspace's folders changed: their files have a say, where they are trusted.
    pub fn roots_changed(&self) {
        self.settings.roots_changed(self.workspace.roots.all().iter().filter_map(|root| root.path.clone()));
    }
}
