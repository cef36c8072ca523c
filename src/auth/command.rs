//! A key that a program prints. Only the user's own settings name one.

use std::fmt;
use std::process::Stdio;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::sync::Mutex;

use super::oauth::next_generation;
use crate::error::{ErrorCode, UserError};

/// How long the program may take. It may ask the user for a finger or a password.
const TIMEOUT: Duration = Duration::from_secs(60);
/// No key is longer, in bytes.
const LARGEST: u64 = 16 * 1024;

/// A program and its arguments.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandLine(pub Vec<String>);

/// Without the arguments: some people put secrets there.
impl fmt::Debug for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CommandLine").field(&self.0.first()).finish()
    }
}

/// The program, and what it printed last.
#[derive(Debug)]
pub struct CommandKey {
    command: CommandLine,
    printed: Mutex<Option<(SecretString, u64)>>,
}

impl CommandKey {
    /// The key that `command` prints. It is run when the key is needed.
    pub fn new(command: CommandLine) -> Self {
        Self { command, printed: Mutex::default() }
    }

    /// The key, and which one of this program's it is. The command is run once for all who wait.
    ///
    /// # Errors
    /// `auth.invalid`: the command failed, took too long, or printed no key.
    pub async fn current(&self) -> Result<(SecretString, u64), UserError> {
        let mut printed = self.printed.lock().await;
        if let Some(printed) = printed.as_ref() {
            return Ok(printed.clone());
        }
        let new = (run(&self.command.0).await?, next_generation());
        Ok(printed.insert(new).clone())
    }

    /// The key of `generation` was refused: runs the command again. Gives back whether there is another key now.
    ///
    /// # Errors
    /// As of [`current`](Self::current).
    pub async fn refused(&self, generation: u64) -> Result<bool, UserError> {
        let mut printed = self.printed.lock().await;
        let Some((old, number)) = printed.as_ref() else { return Ok(true) };
        if *number != generation {
            return Ok(true);
        }
        let new = run(&self.command.0).await?;
        if new.expose_secret() == old.expose_secret() {
            return Ok(false);
        }
        *printed = Some((new, next_generation()));
        Ok(true)
    }
}

/// Runs `command` without a shell and takes what it prints. What it says on its standard error is thrown away: it may
/// have the key in it.
async fn run(command: &[String]) -> Result<SecretString, UserError> {
    let [program, arguments @ ..] = command else { return Err(failed("names no program")) };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(&format!("cannot be run: {program}: {}", error.kind())))?;
    let mut text = Vec::new();
    let ends = async {
        if let Some(stdout) = child.stdout.take() {
            stdout.take(LARGEST + 1).read_to_end(&mut text).await?;
        }
        child.wait().await
    };
    let status = match tokio::time::timeout(TIMEOUT, ends).await {
        Ok(Ok(status)) => status,
        Ok(Err(error)) => return Err(failed(&format!("cannot be read from: {}", error.kind()))),
        Err(_) => return Err(failed(&format!("did not end within {} s", TIMEOUT.as_secs()))),
    };
    if !status.success() {
        return Err(failed(&format!("ended with {status}: {program}")));
    }
    match String::from_utf8(text).map(|text| text.trim().to_owned()) {
        Ok(key) if !key.is_empty() && key.len() as u64 <= LARGEST => Ok(SecretString::from(key)),
        _ => Err(failed(&format!("printed no key: {program}"))),
    }
}

fn failed(what: &str) -> UserError {
    UserError::new(ErrorCode::AuthInvalid, format!("the command of `apiKeyCommand` {what}"))
        .with_hint("run it in a terminal: it prints the key and nothing else, and does not wait for input")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn key(script: &str) -> CommandKey {
        CommandKey::new(CommandLine(["sh", "-c", script].map(str::to_owned).to_vec()))
    }

    #[tokio::test]
    async fn the_command_is_run_once_and_again_when_its_key_was_refused() {
        let folder = tempfile::tempdir().unwrap();
        let count = folder.path().join("count");
        let script = format!("echo x >> '{0}'; echo \"  hidden-$(wc -l < '{0}' | tr -d ' ')\"", count.display());
        let key = key(&script);
        let (first, generation) = key.current().await.unwrap();
        assert_eq!(first.expose_secret(), "hidden-1");
        assert_eq!(key.current().await.unwrap().1, generation);
        assert!(key.refused(generation).await.unwrap());
        let (second, newer) = key.current().await.unwrap();
        assert_eq!(second.expose_secret(), "hidden-2");
        assert!(newer > generation);
        assert!(key.refused(generation).await.unwrap(), "the old one was replaced already");
        assert_eq!(std::fs::read_to_string(&count).unwrap().lines().count(), 2);
        assert!(!format!("{key:?}").contains("hidden-"));
    }

    #[tokio::test]
    async fn a_command_that_prints_the_same_again_is_no_help() {
        let key = key("echo hidden");
        let (_, generation) = key.current().await.unwrap();
        assert!(!key.refused(generation).await.unwrap());
    }

    #[tokio::test]
    async fn a_command_that_fails_tells_nothing_of_what_it_said() {
        for script in
            ["echo hidden >&2; echo hidden; exit 3", "true", "head -c 20000 /dev/zero | tr '\\0' h", "printf '\\377'"]
        {
            let error = key(script).current().await.unwrap_err();
            assert_eq!(error.code, ErrorCode::AuthInvalid);
            assert!(!format!("{error:?}").contains("hidden"), "{script}");
        }
        let missing = CommandKey::new(CommandLine(vec!["/nowhere/program".into()])).current().await.unwrap_err();
        assert!(missing.message.contains("/nowhere/program"), "{}", missing.message);
        assert!(CommandKey::new(CommandLine(Vec::new())).current().await.is_err());
    }

    #[tokio::test]
    async fn the_command_has_no_input() {
        let key = key("read line; echo got-$?");
        assert_eq!(key.current().await.unwrap().0.expose_secret(), "got-1");
    }
}
