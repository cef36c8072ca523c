//! Files with secrets: read with suspicion, written in one piece.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use uuid::Uuid;

use crate::error::{ErrorCode, UserError};

/// No file with a credential is larger, in bytes.
const LARGEST: u64 = 1 << 20;
/// How long another program may hold a file's lock. It holds it for one request of at most 30 s.
const LOCK_TIMEOUT: Duration = Duration::from_secs(45);
/// How often the lock is tried.
const LOCK_POLL: Duration = Duration::from_millis(50);

/// What is asked of a file's permissions. They are looked at on Unix only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// No one else may read or write it, and it is no symbolic link.
    Secret,
    /// No one else may write it.
    Config,
    /// Nothing: the system put it there.
    Any,
}

/// Tells whether a file is the one that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

#[cfg(test)]
impl Stamp {
    /// A stamp that is of no file.
    pub fn of_test(length: u64) -> Self {
        Self { modified: None, length, inode: 0 }
    }
}

/// The stamp of the file at `path`; nothing when there is none.
pub fn stamp(path: &Path) -> Option<Stamp> {
    let data = fs::symlink_metadata(path).ok()?;
    Some(Stamp { modified: data.modified().ok(), length: data.len(), inode: inode(&data) })
}

/// The text of the file at `path`; nothing when there is no such file.
///
/// # Errors
/// `auth.invalid`: others may read it (or write it), it is no plain file, it cannot be read, or it is no text.
pub fn read(path: &Path, privacy: Privacy) -> Result<Option<String>, UserError> {
    let data = match if privacy == Privacy::Secret { fs::symlink_metadata(path) } else { fs::metadata(path) } {
        Ok(data) => data,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(path, &error)),
    };
    check(path, &data, privacy)?;
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    let opened = file.metadata().map_err(|error| unreadable(path, &error))?;
    // Between the look and the opening someone may have put another file there.
    check(path, &opened, privacy)?;
    if inode(&opened) != inode(&data) {
        return Err(invalid(path, "changed while it was read").with_hint("try again"));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > LARGEST {
        return Err(invalid(path, "is too large to be a credential"));
    }
    String::from_utf8(bytes).map(Some).map_err(|_| invalid(path, "is not text"))
}

fn check(path: &Path, data: &Metadata, privacy: Privacy) -> Result<(), UserError> {
    if data.file_type().is_symlink() {
        return Err(invalid(path, "is a symbolic link").with_hint("put the file itself there"));
    }
    if !data.is_file() {
        return Err(invalid(path, "is not a plain file"));
    }
    let (forbidden, what, advice) = match privacy {
        Privacy::Secret => (0o077, "is open to other users", "600"),
        Privacy::Config => (0o022, "can be changed by other users", "go-w"),
        Privacy::Any => return Ok(()),
    };
    let mode = mode(data);
    if mode & forbidden == 0 {
        return Ok(());
    }
    let error = invalid(path, &format!("{what} (mode {mode:04o})"));
    Err(error.with_hint(format!("run: chmod {advice} {}", path.display())))
}

/// An error about what is at `path`.
pub fn invalid(path: &Path, what: &str) -> UserError {
    UserError::new(ErrorCode::AuthInvalid, format!("the file {} {what}", path.display()))
}

fn unreadable(path: &Path, error: &io::Error) -> UserError {
    invalid(path, &format!("cannot be read: {error}"))
}

/// Puts a file with `text` at `path`, for this user only: all of it, or nothing.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    make_folder(folder)?;
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let temporary = folder.join(format!(".{name}.{}.tmp", Uuid::new_v4().simple()));
    let written = fill(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
        return written;
    }
    // So that the new name outlives a power cut; not every system can do it.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn fill(path: &Path, text: &str) -> io::Result<()> {
    let mut file = private(OpenOptions::new().write(true).create_new(true)).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Holds the lock of the file at `path`, which is a file beside it, until it is dropped. It holds between programs and
/// within one. Where the file system has no locks, nothing is held.
///
/// # Errors
/// `auth.refresh_failed` when the lock's file cannot be made, or another program holds it for too long.
pub async fn lock(path: &Path) -> Result<File, UserError> {
    let beside = lock_path(path);
    let failed = |why: String| UserError::new(ErrorCode::AuthRefreshFailed, why);
    let open = || {
        make_folder(beside.parent().unwrap_or(Path::new(".")))?;
        private(OpenOptions::new().write(true).create(true).truncate(false)).open(&beside)
    };
    let file = open().map_err(|error| failed(format!("{} cannot be made: {error}", beside.display())))?;
    let deadline = Instant::now() + LOCK_TIMEOUT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) if Instant::now() < deadline => tokio::time::sleep(LOCK_POLL).await,
            Err(fs::TryLockError::WouldBlock) => {
                return Err(failed(format!("another program keeps {} locked", path.display())));
            }
            Err(fs::TryLockError::Error(error)) => {
                tracing::debug!(%error, "the file system has no locks");
                return Ok(file);
            }
        }
    }
}

/// Where the lock of the file at `path` is.
pub fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn mode(data: &Metadata) -> u32 {
    use std::os::unix::fs::MetadataExt;
    data.mode() & 0o7777
}

#[cfg(not(unix))]
fn mode(_: &Metadata) -> u32 {
    0
}

#[cfg(unix)]
fn inode(data: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(data)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
