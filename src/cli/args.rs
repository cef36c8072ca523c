//! The commands and their options.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{GeneralLayer, Layer};
use crate::protocol::export::Format;

/// Souffleur: a language server for AI.
#[derive(Debug, Parser)]
#[command(name = "souffleur", version, about, max_term_width = 100)]
pub(super) struct Arguments {
    /// What to do; the language server when nothing is said.
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    /// The model of new sessions, as provider:model; sim:default needs no key and no network.
    #[arg(long, global = true, value_name = "PROVIDER:MODEL")]
    model: Option<String>,
    /// The most tokens one answer may have, thinking included.
    #[arg(long, global = true, value_name = "TOKENS")]
    max_output_tokens: Option<u32>,
    /// Read this file of settings, TOML or JSON, instead of your own.
    #[arg(long, global = true, value_name = "FILE", env = "SOUFFLEUR_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// Append the log to this file instead of standard error.
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) log: Option<PathBuf>,
    /// How much is logged: error, warn, info, debug or trace.
    #[arg(long, global = true, value_name = "LEVEL", env = "SOUFFLEUR_LOG_LEVEL", default_value = "warn")]
    pub(super) log_level: String,
}

impl Arguments {
    /// The settings that the command line sets.
    pub(super) fn layer(&self) -> Layer {
        let general = GeneralLayer {
            model: self.model.clone().map(Some),
            max_output_tokens: self.max_output_tokens,
            ..GeneralLayer::default()
        };
        Layer { general, ..Layer::default() }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve an editor on standard input and output (the default).
    Serve {
        /// Accepted for editors that always pass it; there is no other way.
        #[arg(long)]
        stdio: bool,
    },
    /// Send one prompt about the current directory and stream the answer.
    Ask(AskArguments),
    /// Start the server, play the editor, and show what happens.
    Demo(DemoArguments),
    /// List the models, what they can do and what they cost.
    Models(ModelsArguments),
    /// List, search, export, import and delete the sessions that are kept.
    #[command(subcommand)]
    Sessions(SessionsCommand),
    /// Give this program a credential: log in where an issuer is configured, else store an API key.
    Login(LoginArguments),
    /// Remove the key and the login that this program stored.
    Logout(LogoutArguments),
    /// Say what is found on this machine: settings, credentials, and what is wrong with them.
    Doctor(DoctorArguments),
    /// Show and check the settings.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Trust the settings that a workspace brings, as they are now.
    Trust(TrustArguments),
    /// Write the protocol's types for editors.
    Export {
        /// What to write.
        format: ExportFormat,
        /// The directory to write to.
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
    },
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

/// What to do with the sessions that are kept.
#[derive(Debug, Subcommand)]
pub(super) enum SessionsCommand {
    /// List those of this directory, the one made last first.
    List {
        /// Those of all directories.
        #[arg(long)]
        all: bool,
        /// Print the list as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Find where words were said.
    Search {
        /// The words; of the last one its beginning is enough.
        text: String,
        /// In the sessions of all directories.
        #[arg(long)]
        all: bool,
    },
    /// Print a session as Markdown.
    Export {
        /// Its id.
        session: String,
        /// As JSON, which holds everything and can be imported.
        #[arg(long)]
        json: bool,
    },
    /// Add a session that was exported as JSON.
    Import {
        /// The file.
        file: PathBuf,
    },
    /// Delete a session for good.
    Delete {
        /// Its id.
        session: String,
    },
}

/// What to do with the settings.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// Show the settings that hold in this directory. Secrets are not shown.
    Show {
        /// Say where each value came from.
        #[arg(long)]
        sources: bool,
        /// Print JSON: without --sources in the form that --config reads.
        #[arg(long)]
        json: bool,
    },
    /// Say what is wrong in the files of settings; exit with 1 when something is.
    Check {
        /// A file to check instead of those that are used.
        file: Option<PathBuf>,
    },
    /// Say which files of settings are looked at, and what became of them.
    Path,
    /// Print a JSON Schema of the files.
    Schema,
}

/// Arguments of `trust`.
#[derive(Debug, Args)]
pub(super) struct TrustArguments {
    /// The workspace; this directory when nothing is said.
    pub(super) directory: Option<PathBuf>,
    /// Take the trust back.
    #[arg(long)]
    pub(super) revoke: bool,
}

/// Arguments of `login`.
#[derive(Debug, Args)]
pub(super) struct LoginArguments {
    /// The provider.
    #[arg(default_value = "anthropic")]
    pub(super) provider: String,
    /// Store an API key, also where a login would be possible. The key is asked for, or read from standard input.
    #[arg(long, conflicts_with = "paste")]
    pub(super) key: bool,
    /// Paste the code that the browser shows, instead of letting it come back to this machine.
    #[arg(long)]
    pub(super) paste: bool,
    /// Only print the address, and do not open the browser.
    #[arg(long)]
    pub(super) no_browser: bool,
}

/// Arguments of `logout`.
#[derive(Debug, Args)]
pub(super) struct LogoutArguments {
    /// The provider.
    #[arg(default_value = "anthropic")]
    pub(super) provider: String,
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// Try each credential with one cheap request. Without it nothing goes over the network.
    #[arg(long)]
    pub(super) online: bool,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// Arguments of `ask`.
#[derive(Debug, Args)]
pub(super) struct AskArguments {
    /// The prompt; read from standard input when it is `-`.
    pub(super) prompt: String,
    /// Go on with the session used last in this directory.
    #[arg(long = "continue", short = 'c', conflicts_with = "session")]
    pub(super) go_on: bool,
    /// Go on with this session.
    #[arg(long, value_name = "ID")]
    pub(super) session: Option<String>,
    /// Print the turn's stream as JSON, one value a line.
    #[arg(long)]
    pub(super) json: bool,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(super) struct DemoArguments {
    /// The prompt to send instead of the demo's own.
    pub(super) prompt: Option<String>,
}

/// Arguments of `models`.
#[derive(Debug, Args)]
pub(super) struct ModelsArguments {
    /// Ask the providers first. Without it nothing goes over the network.
    #[arg(long)]
    pub(super) refresh: bool,
    /// Print the list as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// What `export` writes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum ExportFormat {
    /// JSON Schema of all messages.
    JsonSchema,
    /// TypeScript types.
    #[value(name = "typescript")]
    TypeScript,
    /// Lua with `LuaCATS` annotations.
    Lua,
}

impl From<ExportFormat> for Format {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::JsonSchema => Self::JsonSchema,
            ExportFormat::TypeScript => Self::TypeScript,
            ExportFormat::Lua => Self::Lua,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_commands_are_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn options_may_stand_behind_the_command() {
        let arguments = Arguments::parse_from(["souffleur", "ask", "hi", "--model", "sim:x"]);
        assert_eq!(arguments.layer().general.model, Some(Some("sim:x".to_owned())));
        assert!(Arguments::parse_from(["souffleur", "--log", "f"]).command.is_none());
        assert!(Arguments::try_parse_from(["souffleur", "serve", "--stdio"]).is_ok());
    }
}
