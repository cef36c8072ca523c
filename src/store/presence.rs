//! Which servers are alive. Each holds a lock on a file of its own; the system drops it with the process, however that
//! ends, so no clock and no process number is trusted.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// The folder of the servers' files, below the data directory.
const FOLDER: &str = "servers";

/// This server among those that share a database.
#[derive(Debug)]
pub(super) struct Presence {
    name: String,
    /// The folder of the files, and our own, locked. `None` for a database that nobody shares.
    place: Option<(PathBuf, File)>,
}

impl Presence {
    /// The only server there is.
    pub(super) fn alone() -> Self {
        Self { name: name(), place: None }
    }

    /// This server, alive from now on. Files of servers that are gone are removed. To be called under the lock of the
    /// data directory, so that no file is removed between its making and its locking.
    pub(super) fn announce(data: &Path) -> io::Result<Self> {
        let folder = data.join(FOLDER);
        super::open::make_folder(&folder)?;
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if !is_locked(&path) {
                // Another's leftover; it stays when it cannot be removed.
                let _ = fs::remove_file(path);
            }
        }
        let name = name();
        let file = OpenOptions::new().write(true).create_new(true).open(folder.join(&name))?;
        file.lock()?;
        Ok(Self { name, place: Some((folder, file)) })
    }

    /// What the database calls this server.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether the server of this name is alive.
    pub(super) fn is_alive(&self, name: &str) -> bool {
        if name == self.name {
            return true;
        }
        // The name comes out of a file; it must not lead elsewhere.
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric());
        self.place.as_ref().is_some_and(|(folder, _)| is_name && is_locked(&folder.join(name)))
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        if let Some((folder, _)) = &self.place {
            // One that stays is removed by the next server.
            let _ = fs::remove_file(folder.join(&self.name));
        }
    }
}

fn name() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

/// Whether somebody holds the file's lock. Two who ask at once do not take each other for its holder. When in doubt,
/// yes.
fn is_locked(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock | TryLockError::Error(_))),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}
