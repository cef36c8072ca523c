//! `souffleur config` and `souffleur trust`: the settings, and whose settings count.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

use super::args::{ConfigCommand, TrustArguments};
use super::print::{self, Style};
use crate::config::{self, Source};
use crate::error::{ErrorCode, UserError};
use crate::protocol::{ConfigShowResult, SettingProblem, SettingsFileState};
use crate::session::{Shared, Start};
use crate::workspace::{Root, file_uri};

/// Runs a command about settings.
pub(super) fn run(start: Start, command: ConfigCommand) -> Result<ExitCode, UserError> {
    match command {
        ConfigCommand::Schema => {
            print::line(&pretty(&config::schema()));
            Ok(ExitCode::SUCCESS)
        }
        ConfigCommand::Check { file: Some(file) } => check_file(&start, &file),
        ConfigCommand::Check { file: None } => {
            let (shared, uri) = here(start, None)?;
            let mut problems = words(&shared.show_settings(uri.as_deref()).problems);
            problems.extend(unusable(&shared));
            Ok(report(&problems))
        }
        ConfigCommand::Path => {
            let (shared, uri) = here(start, None)?;
            paths(&shared.show_settings(uri.as_deref()));
            Ok(ExitCode::SUCCESS)
        }
        ConfigCommand::Show { sources, json } => {
            let (shared, uri) = here(start, None)?;
            let shown = shared.show_settings(uri.as_deref());
            if json && !sources {
                let root = uri.as_deref().and_then(crate::workspace::file_path);
                print::line(&pretty(&shared.settings(root.as_deref()).to_json()));
            } else if json {
                print::line(&pretty(&serde_json::to_value(&shown).unwrap_or_default()));
            } else {
                list(&shown, sources);
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Trusts a workspace's settings as they are now, or no longer. What is trusted is shown.
pub(super) fn trust(start: Start, arguments: TrustArguments) -> Result<ExitCode, UserError> {
    let (shared, uri) = here(start, arguments.directory)?;
    let uri = uri.ok_or_else(|| UserError::new(ErrorCode::ConfigInvalid, "there is no such directory"))?;
    let result = shared.set_trust(&uri, !arguments.revoke)?;
    let Some(file) = result.file else { return Ok(ExitCode::SUCCESS) };
    match file.state {
        SettingsFileState::Used => {
            print::line(&format!("{} counts now; when it changes, it has to be trusted again:", file.path));
            let root = crate::workspace::file_path(&uri).unwrap_or_default();
            let content = shared.settings.workspace_content(&root).unwrap_or_default();
            let content = String::from_utf8_lossy(&content).replace("\r\n", "\n");
            print::line(print::plain(&content).trim_end());
        }
        SettingsFileState::Absent | SettingsFileState::Untrusted | SettingsFileState::Unreadable => {
            print::line(&format!("{} has no say", file.path));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What all sessions share, with this directory (or another) as the workspace.
pub(super) fn here(start: Start, directory: Option<PathBuf>) -> Result<(Shared, Option<String>), UserError> {
    let shared = Shared::new(start)?;
    let directory = match directory {
        Some(directory) => std::fs::canonicalize(&directory).map_err(|error| {
            UserError::new(ErrorCode::ConfigInvalid, format!("{} cannot be opened: {error}", directory.display()))
        })?,
        None => std::env::current_dir().unwrap_or_default(),
    };
    let uri = file_uri(&directory);
    shared.workspace.roots.set(uri.iter().cloned().map(Root::new).collect());
    shared.roots_changed();
    Ok((shared, uri))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn list(shown: &ConfigShowResult, sources: bool) {
    let width = shown.settings.iter().map(|setting| setting.key.len()).max().unwrap_or_default();
    let style = Style::stdout();
    for setting in &shown.settings {
        let value = match &setting.value {
            // Where it was set, it is a secret.
            Value::Null if setting.source != Source::Default => style.dim("(not shown)"),
            Value::Null => style.dim("-"),
            Value::String(text) => print::plain(text),
            other => other.to_string(),
        };
        let source = match (sources, &setting.at) {
            (false, _) => String::new(),
            (true, Some(at)) => style.dim(&format!("  {}, {at}", setting.source)),
            (true, None) => style.dim(&format!("  {}", setting.source)),
        };
        print::line(&format!("{:<width$}  {value}{source}", setting.key));
    }
    for problem in &shown.problems {
        print::line_to_stderr(&print::plain(&format!("not used: {problem}")));
    }
}

fn paths(shown: &ConfigShowResult) {
    for file in &shown.files {
        print::line(&format!("{}  {}  {}", file.source, file.path, state(file.state)));
    }
}

/// What became of a file of settings, in words.
pub(super) fn state(state: SettingsFileState) -> &'static str {
    match state {
        SettingsFileState::Absent => "is not there",
        SettingsFileState::Used => "is used",
        SettingsFileState::Untrusted => "is not used: this workspace is not trusted (souffleur trust)",
        SettingsFileState::Unreadable => "cannot be read",
    }
}

fn words(problems: &[SettingProblem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// What is wrong in the settings of providers taken together: a profile that there is not, half an issuer. Who uses such
/// a provider gets an error; here it is told before.
fn unusable(shared: &Shared) -> Vec<String> {
    let settings = shared.settings(None);
    let wrong = |name: &String| {
        let error = shared.registry.provider_named(name, &settings).err()?;
        let hint = error.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        Some(format!("providers.{name}: {}{hint}", error.message))
    };
    settings.providers.keys().filter_map(wrong).collect()
}

fn report(problems: &[String]) -> ExitCode {
    for problem in problems {
        print::line(&print::plain(problem));
    }
    if problems.is_empty() {
        print::line("no problem was found");
        return ExitCode::SUCCESS;
    }
    ExitCode::FAILURE
}

/// Checks one file: a workspace's by its place, any other as the user's own.
fn check_file(start: &Start, file: &Path) -> Result<ExitCode, UserError> {
    let source = if file.ends_with(config::WORKSPACE_FILE) { Source::Workspace } else { Source::User };
    let (_, problems) = config::check_file(file, source, &start.environment).map_err(|error| {
        UserError::new(ErrorCode::ConfigInvalid, format!("{} cannot be read: {error}", file.display()))
            .with_hint("souffleur config path says which files are looked at")
    })?;
    Ok(report(&words(&problems)))
}
