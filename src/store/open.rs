//! Opening the database, and what is done when that fails.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, MAIN_DB, OpenFlags};

use super::failure::Failure;
use super::lease;
use super::presence::Presence;
use super::readers::Readers;
use super::record::{Interrupted, StoreNotice};
use super::schema::{self, Kind};
use super::writer::Writer;
use super::{Inner, Opened, Store};
use crate::error::UserError;

/// The database's name in the data directory.
const FILE: &str = "sessions.db";
/// The file whose lock a server holds while it opens the database.
const LOCK: &str = "sessions.lock";
/// How long another server may take to open the database.
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// How long a write waits for one of another server.
const BUSY_WAIT: Duration = Duration::from_secs(5);
/// Above this size the log of changes is cut when it was carried over, in bytes.
const LOG_LIMIT: i64 = 16 * 1024 * 1024;

/// See [`Store::open`].
pub(super) fn open(folder: Option<&Path>, at: u64) -> Result<Opened, UserError> {
    let mut notices = Vec::new();
    if let Some(folder) = folder {
        match on_disk(folder, at, &mut notices) {
            Ok((store, interrupted)) => return Ok(Opened { store, notices, interrupted }),
            Err(failure) => notices.push(in_memory_because(&failure, folder)),
        }
    } else {
        notices.push(StoreNotice {
            code: "store.in_memory",
            message: "sessions are not kept: there is no data directory".to_owned(),
            hint: "set HOME or XDG_DATA_HOME".to_owned(),
        });
    }
    Ok(Opened { store: in_memory().map_err(|failure| failure.to_user())?, notices, interrupted: Vec::new() })
}

fn in_memory_because(failure: &Failure, folder: &Path) -> StoreNotice {
    let message = format!("sessions are not kept: {} cannot be used: {failure}", folder.join(FILE).display());
    let hint = match failure {
        Failure::User(UserError { hint: Some(hint), .. }) => hint.clone(),
        _ => "see to it that the directory can be written and has room, then restart the server".to_owned(),
    };
    StoreNotice { code: "store.in_memory", message, hint }
}

fn in_memory() -> Result<Store, Failure> {
    let connection = Connection::open_in_memory()?;
    set_up(&connection)?;
    schema::migrate(&connection, schema::STEPS)?;
    let (writer, presence) = (Writer::start(connection)?, Arc::new(Presence::alone()));
    Ok(Store { inner: Arc::new(Inner { readers: None, writer, presence, file: None }) })
}

fn on_disk(folder: &Path, at: u64, notices: &mut Vec<StoreNotice>) -> Result<(Store, Vec<Interrupted>), Failure> {
    make_folder(folder)?;
    // Held until the end of this function: what is decided here about the file is decided by one server at a time.
    let _lock = lock(&folder.join(LOCK))?;
    let file = folder.join(FILE);
    let connection = match ready(&file) {
        Err(failure) if failure.is_corrupt() => {
            notices.push(set_aside(&file, at, &failure)?);
            ready(&file)?
        }
        other => other?,
    };
    let presence = Presence::announce(folder)?;
    let interrupted = lease::close_abandoned(&connection, &presence, at)?;
    let inner = Inner {
        readers: Some(Readers::new(file.clone())),
        writer: Writer::start(connection)?,
        presence: Arc::new(presence),
        file: Some(file),
    };
    Ok((Store { inner: Arc::new(inner) }, interrupted))
}

/// Makes a folder that only its owner can enter.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A file for reading and writing that only its owner can read. What is in it stays.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn lock(path: &Path) -> io::Result<File> {
    let file = private_file(path)?;
    let since = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if since.elapsed() < LOCK_WAIT => thread::sleep(Duration::from_millis(10)),
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "another server does not finish opening it"));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// The database, of our version and with our settings.
fn ready(file: &Path) -> Result<Connection, Failure> {
    // Made by us, so that it is private from its first moment. The log next to it gets the same mode.
    // Never opened by hand once it is there: closing it would drop the locks that this process has on it.
    if !file.exists() {
        drop(private_file(file)?);
    }
    let connection = connect(file, false)?;
    match schema::kind(&connection)? {
        Kind::Ours => {}
        Kind::Newer(version) => {
            return Err(refusal(
                &format!("it was written by a newer version of this program (schema {version})"),
                "use that version, or another data directory; the file was left as it is",
            ));
        }
        Kind::Foreign => {
            return Err(refusal("it is another program's", "move it away; the file was left as it is"));
        }
    }
    // The log is a property of the file. Where it cannot be had, the database is slower and as safe.
    connection.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "journal_size_limit", LOG_LIMIT)?;
    schema::migrate(&connection, schema::STEPS)?;
    Ok(connection)
}

fn refusal(message: &str, hint: &str) -> Failure {
    UserError::new(crate::error::ErrorCode::StoreFailed, message).with_hint(hint).into()
}

/// A connection to the database's file, which is there.
pub(super) fn connect(file: &Path, reading: bool) -> Result<Connection, Failure> {
    // Reading, too, needs the log's index, which is written to: so no connection is opened read-only.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY_WAIT)?;
    if connection.is_readonly(MAIN_DB)? {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it can be read, but not written").into());
    }
    set_up(&connection)?;
    if reading {
        connection.pragma_update(None, "query_only", true)?;
    }
    Ok(connection)
}

/// What holds for a connection, not for the file.
fn set_up(connection: &Connection) -> Result<(), Failure> {
    connection.pragma_update(None, "foreign_keys", true)?;
    // What the user deletes is overwritten.
    connection.pragma_update(None, "secure_delete", true)?;
    // On a Mac a flush reaches the disk only so; elsewhere this means nothing.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(())
}

/// Gives a broken database and its log another name, one that is not taken.
fn set_aside(file: &Path, at: u64, failure: &Failure) -> Result<StoreNotice, Failure> {
    let named = |number: u64| file.with_file_name(format!("sessions.damaged-{number}.db"));
    let free = (at..at + 1_000).map(named).find(|path| !path.exists());
    let aside = free.ok_or_else(|| io::Error::from(io::ErrorKind::AlreadyExists))?;
    for suffix in ["-wal", "-shm"] {
        match fs::rename(beside(file, suffix), beside(&aside, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    fs::rename(file, &aside)?;
    Ok(StoreNotice {
        code: "store.set_aside",
        message: format!("the database of sessions is damaged ({failure}) and was kept as {}", aside.display()),
        hint: "a new one was begun; sqlite3's .recover may save sessions of the old one".to_owned(),
    })
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
