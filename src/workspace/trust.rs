//! Which workspaces the user trusts.
//!
//! Opening a repository is safe: what is in it has no say until its user says so. Trust is in a workspace's
//! configuration as it was then: when it changes, it has no say again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::error::{ErrorCode, UserError};

/// The file, below the directory of what this program remembers.
const FILE: &str = "trust.json";

/// The user's word on workspaces, kept in a file of the user's own. Each question reads it anew: another server may have
/// changed it.
#[derive(Debug, Default)]
pub struct Trust {
    file: Option<PathBuf>,
}

/// What is kept: by a workspace's path, the SHA-256 of the configuration that is trusted.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    #[serde(default)]
    workspaces: BTreeMap<String, String>,
}

impl Trust {
    /// Kept below `directory`. Without one nothing can be trusted.
    pub fn new(directory: Option<&Path>) -> Self {
        Self { file: directory.map(|directory| directory.join(FILE)) }
    }

    /// Whether the user trusts the workspace at `root` to have this configuration. What cannot be read is not trusted.
    pub fn is_trusted(&self, root: &Path, configuration: &[u8]) -> bool {
        let kept = self.read().unwrap_or_default();
        kept.workspaces.get(&name(root)).is_some_and(|known| *known == fingerprint(configuration))
    }

    /// Remembers that the user trusts the workspace at `root` to have this configuration; `None`: no longer.
    ///
    /// # Errors
    /// `config.invalid` when it cannot be remembered.
    pub fn set(&self, root: &Path, configuration: Option<&[u8]>) -> Result<(), UserError> {
        let failed = |why: String| {
            UserError::new(ErrorCode::ConfigInvalid, format!("the trust in {} cannot be kept: {why}", root.display()))
        };
        let file = self.file.as_ref().ok_or_else(|| {
            failed("this user has no home directory".to_owned()).with_hint("set HOME, or XDG_STATE_HOME")
        })?;
        let mut kept = self
            .read()
            .map_err(|error| failed(error.to_string()).with_hint(format!("repair or remove {}", file.display())))?;
        match configuration {
            Some(configuration) => kept.workspaces.insert(name(root), fingerprint(configuration)),
            None => kept.workspaces.remove(&name(root)),
        };
        write(file, &kept).map_err(|error| failed(error.to_string()))
    }

    fn read(&self) -> std::io::Result<Kept> {
        let Some(file) = &self.file else { return Ok(Kept::default()) };
        match std::fs::read(file) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Kept::default()),
            Err(error) => Err(error),
        }
    }
}

/// A workspace's path without links, so that one workspace has one name.
fn name(root: &Path) -> String {
    std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned()).to_string_lossy().into_owned()
}

fn fingerprint(configuration: &[u8]) -> String {
    digest(&SHA256, configuration).as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Writes the whole file or nothing: it is never seen half.
fn write(file: &Path, kept: &Kept) -> std::io::Result<()> {
    let directory = file.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
    std::fs::create_dir_all(directory)?;
    let temporary = file.with_extension(format!("json.{}", std::process::id()));
    let mut writing = std::fs::File::create(&temporary)?;
    writing.write_all(&serde_json::to_vec_pretty(kept)?)?;
    writing.sync_all()?;
    std::fs::rename(&temporary, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_is_in_one_configuration_of_one_workspace() {
        let directory = tempfile::tempdir().unwrap();
        let trust = Trust::new(Some(&directory.path().join("state")));
        let (one, two) = (directory.path().join("one"), directory.path().join("two"));
        assert!(!trust.is_trusted(&one, b"a"));
        trust.set(&one, Some(b"a")).unwrap();
        assert!(trust.is_trusted(&one, b"a"));
        assert!(!trust.is_trusted(&one, b"b") && !trust.is_trusted(&two, b"a"));
        assert!(Trust::new(Some(&directory.path().join("state"))).is_trusted(&one, b"a"), "it is remembered");
        trust.set(&one, None).unwrap();
        assert!(!trust.is_trusted(&one, b"a"));
    }

    #[test]
    fn a_file_that_cannot_be_read_trusts_nothing_and_is_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(FILE);
        std::fs::write(&file, "{\"workspaces\": {").unwrap();
        let trust = Trust::new(Some(directory.path()));
        assert!(!trust.is_trusted(directory.path(), b"a"));
        assert!(trust.set(directory.path(), Some(b"a")).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"workspaces\": {");
        assert!(Trust::new(None).set(directory.path(), Some(b"a")).is_err());
    }
}
