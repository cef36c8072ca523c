//! How the server is started, and the owner of its settings.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::config::{Environment, Layer, Settings, Source};
use crate::error::UserError;
use crate::protocol::EditorSettings;

/// How the server is started.
#[derive(Clone, Debug, Default)]
pub struct ServeOptions {
    /// Settings of the command line.
    pub command_line: Layer,
}

/// Owns the layers of settings; everyone else sees resolved snapshots.
#[derive(Debug)]
pub struct SettingsOwner {
    environment: Layer,
    command_line: Layer,
    editor: Mutex<Layer>,
    resolved: watch::Sender<Arc<Settings>>,
}

impl SettingsOwner {
    /// The settings before the editor said anything.
    ///
    /// # Errors
    /// `config.invalid` when the environment has a setting that cannot be used.
    pub fn new(environment: &Environment, options: ServeOptions) -> Result<Self, UserError> {
        let owner = Self {
            environment: Layer::from_environment(environment)?,
            command_line: options.command_line,
            editor: Mutex::new(Layer::default()),
            resolved: watch::Sender::new(Arc::new(Settings::default())),
        };
        owner.resolve();
        Ok(owner)
    }

    /// Snapshots, now and later.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Settings>> {
        self.resolved.subscribe()
    }

    /// The editor's settings changed.
    pub fn editor_changed(&self, settings: &EditorSettings) {
        *self.editor.lock().unwrap_or_else(PoisonError::into_inner) = Layer::from(settings);
        self.resolve();
    }

    fn resolve(&self) {
        let editor = self.editor.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let settings = Settings::resolve(&[
            (Source::Editor, &editor),
            (Source::Environment, &self.environment),
            (Source::CommandLine, &self.command_line),
        ]);
        self.resolved.send_replace(Arc::new(settings));
    }
}
