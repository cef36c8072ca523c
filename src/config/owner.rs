//! The owner of the settings.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::environment::Environment;
use super::settings::{Layer, Settings, Source};
use crate::error::UserError;
use crate::protocol::EditorSettings;

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
    pub fn new(environment: &Environment, command_line: Layer) -> Result<Self, UserError> {
        let owner = Self {
            environment: Layer::from_environment(environment)?,
            command_line,
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
