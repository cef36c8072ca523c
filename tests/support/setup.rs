//! How a test wants its server: environment, project, and the editor that it plays.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::editor::Editor;
use super::secrets;
use super::vendor::Vendor;

/// The `initialize` parameters of a real editor: the members that a server may look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// Emacs with Eglot 1.17.
    Eglot,
    /// Helix 25.07.
    Helix,
    /// Kakoune with kakoune-lsp 22.
    Kakoune,
    /// Neovim 0.10.
    Neovim010,
    /// Neovim 0.12: offers UTF-8 first.
    Neovim,
    /// VS Code 1.139: UTF-16 only.
    VsCode,
}

impl Client {
    /// All of them.
    pub const ALL: [Client; 6] = [Self::Eglot, Self::Helix, Self::Kakoune, Self::Neovim010, Self::Neovim, Self::VsCode];

    fn params(self) -> Value {
        let text = match self {
            Self::Eglot => include_str!("../fixtures/capabilities/eglot-1.17.30.json"),
            Self::Helix => include_str!("../fixtures/capabilities/helix-25.07.1.json"),
            Self::Kakoune => include_str!("../fixtures/capabilities/kakoune-lsp-22.0.0.json"),
            Self::Neovim010 => include_str!("../fixtures/capabilities/neovim-0.10.4.json"),
            Self::Neovim => include_str!("../fixtures/capabilities/neovim-0.12.4.json"),
            Self::VsCode => include_str!("../fixtures/capabilities/vscode-1.139.1.json"),
        };
        serde_json::from_str(text).expect("parameters of initialize")
    }
}

/// What to start. The server sees none of the environment of the test but `PATH`.
#[derive(Clone)]
pub struct Setup {
    pub(super) env: BTreeMap<String, String>,
    pub(super) args: Vec<String>,
    pub(super) root: Arc<TempDir>,
    client: Client,
    recorded: Option<Value>,
    process_id: u32,
    options: Option<Value>,
    pub(super) configuration: Value,
    experimental: Option<Value>,
}

impl Setup {
    /// No credential, no model.
    pub fn bare() -> Self {
        let root = tempfile::Builder::new().prefix("souffleur-test-").tempdir().expect("a temporary directory");
        let mut env = BTreeMap::new();
        for (key, place) in [
            ("HOME", "home"),
            ("USERPROFILE", "home"),
            ("XDG_CONFIG_HOME", "home/config"),
            ("XDG_DATA_HOME", "home/data"),
            ("XDG_STATE_HOME", "home/state"),
            ("XDG_CACHE_HOME", "home/cache"),
            ("XDG_RUNTIME_DIR", "home/run"),
        ] {
            let path = root.path().join(place);
            std::fs::create_dir_all(&path).expect("a directory");
            env.insert(key.to_owned(), path.to_string_lossy().into_owned());
        }
        for kept in ["PATH", "SystemRoot", "TMPDIR", "TEMP", "LLVM_PROFILE_FILE"] {
            if let Ok(value) = std::env::var(kept) {
                env.insert(kept.to_owned(), value);
            }
        }
        std::fs::create_dir_all(root.path().join("project")).expect("a directory");
        let process_id = std::process::id();
        Self {
            env,
            args: Vec::new(),
            root: Arc::new(root),
            client: Client::Neovim,
            recorded: None,
            process_id,
            options: None,
            configuration: Value::Null,
            experimental: None,
        }
    }

    /// Answers are simulated.
    pub fn sim() -> Self {
        Self::bare().env("SOUFFLEUR_MODEL", "sim:default")
    }

    /// Answers come from the scripted vendor, in Anthropic's format.
    pub fn anthropic(vendor: &Vendor) -> Self {
        Self::bare()
            .env("ANTHROPIC_API_KEY", secrets::API_KEY)
            .env("ANTHROPIC_BASE_URL", &vendor.url())
            // Failures are seen at once; tests of retries set their own.
            .env("SOUFFLEUR_MAX_RETRIES", "0")
            .env("SOUFFLEUR_MODEL", "anthropic:claude-sonnet-5-5")
    }

    /// Answers come from `model`; `settings` is the user's own file. Failures are seen at once.
    pub fn of_model(model: &str, settings: &str) -> Self {
        Self::bare().env("SOUFFLEUR_MAX_RETRIES", "0").env("SOUFFLEUR_MODEL", model).user_settings(settings)
    }

    /// Sets a variable of the server's environment.
    pub fn env(mut self, key: &str, value: &str) -> Self {
        self.env.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Starts the server with these arguments instead of none.
    pub fn args(mut self, args: &[&str]) -> Self {
        self.args = args.iter().map(|&arg| arg.to_owned()).collect();
        self
    }

    /// Plays this editor.
    pub fn client(mut self, client: Client) -> Self {
        self.client = client;
        self
    }

    /// Plays the editor whose `initialize` parameters these are.
    pub fn recorded(mut self, params: Value) -> Self {
        self.recorded = Some(params);
        self
    }

    /// Names another process as the editor.
    pub fn process_id(mut self, pid: u32) -> Self {
        self.process_id = pid;
        self
    }

    /// Sends these `initializationOptions`.
    pub fn options(mut self, options: Value) -> Self {
        self.options = Some(options);
        self
    }

    /// Answers with these settings when the server asks for them.
    pub fn configuration(mut self, settings: Value) -> Self {
        self.configuration = settings;
        self
    }

    /// Writes the user's own file of settings.
    pub fn user_settings(self, text: &str) -> Self {
        let path = self.user_file();
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(path, text).expect("a file");
        self
    }

    /// The user's own file of settings.
    pub fn user_file(&self) -> PathBuf {
        self.root.path().join("home/config/souffleur/config.toml")
    }

    /// Puts a file that only its owner can read below the directory for secrets; gives the path.
    pub fn secret(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home().join("secrets").join(name);
        secrets::write_private(&path, text);
        path
    }

    /// The user's home directory.
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// Directories outside of the test's own in which the server writes: checked for secrets, too.
    pub(super) fn written(&self) -> Vec<PathBuf> {
        let after = |option: &str| self.args.iter().skip_while(|arg| *arg != option).nth(1).cloned();
        let log = after("--log").map(PathBuf::from).and_then(|path| Some(path.parent()?.to_owned()));
        let recordings = self.env.get("SOUFFLEUR_RECORD").map(PathBuf::from);
        [Some(self.root.path().to_owned()), log, recordings].into_iter().flatten().collect()
    }

    /// Declares these `experimental.souffleur` capabilities.
    pub fn experimental(mut self, capabilities: Value) -> Self {
        self.experimental = Some(capabilities);
        self
    }

    /// Puts a file into the project.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.project().join(path);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(path, content).expect("a file");
        self
    }

    /// The project's directory.
    pub fn project(&self) -> PathBuf {
        self.root.path().join("project")
    }

    /// The parameters of `initialize`.
    pub fn initialize_params(&self) -> Value {
        let mut params = self.recorded.clone().unwrap_or_else(|| self.client.params());
        let (path, uri) = (self.project(), uri(&self.project()));
        params["processId"] = json!(self.process_id);
        params["rootPath"] = json!(path);
        params["rootUri"] = json!(uri);
        params["workspaceFolders"] = json!([{"uri": uri, "name": "project"}]);
        if let Some(options) = &self.options {
            params["initializationOptions"] = options.clone();
        }
        if let Some(experimental) = &self.experimental {
            params["capabilities"]["experimental"]["souffleur"] = experimental.clone();
        }
        params
    }

    /// Gives a command the environment and the directory that the server would have.
    pub fn command<'c>(&self, command: &'c mut std::process::Command) -> &'c mut std::process::Command {
        command.env_clear().envs(&self.env).current_dir(self.project())
    }

    /// Starts the server and says nothing yet.
    pub fn spawn(self) -> Editor {
        Editor::spawn(self)
    }

    /// Starts the server and initializes it.
    pub fn start(self) -> Editor {
        let mut editor = self.spawn();
        editor.initialize();
        editor
    }
}

/// A path as a `file:` URI. Test paths need no escapes.
pub fn uri(path: &Path) -> String {
    let path = path.to_string_lossy().replace('\\', "/");
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("file://{slash}{path}")
}
