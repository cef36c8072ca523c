//! What goes wrong with the database, and how the user is told.

use rusqlite::ErrorCode as Sqlite;

use crate::chat::SessionId;
use crate::error::{ErrorCode, UserError};

/// Why something could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The database's own error.
    #[error(transparent)]
    Database(#[from] rusqlite::Error),
    /// What was kept cannot be read as what it was.
    #[error("something kept cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// A file or a folder.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// A rule of the store.
    #[error(transparent)]
    User(#[from] UserError),
}

impl Failure {
    /// Whether the file is not, or no longer, a database.
    pub(super) fn is_corrupt(&self) -> bool {
        matches!(self.code(), Some(Sqlite::DatabaseCorrupt | Sqlite::NotADatabase))
    }

    fn code(&self) -> Option<Sqlite> {
        match self {
            Self::Database(error) => error.sqlite_error_code(),
            _ => None,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        Some(match self.code()? {
            Sqlite::DiskFull => "the disk is full: make room and send it again",
            Sqlite::ReadOnly | Sqlite::PermissionDenied | Sqlite::CannotOpen => {
                "see to it that the data directory can be written"
            }
            Sqlite::DatabaseBusy | Sqlite::DatabaseLocked => {
                "another program holds the database; send it again in a moment"
            }
            Sqlite::DatabaseCorrupt | Sqlite::NotADatabase => {
                "the database is damaged; export the sessions that can still be read, and start the server anew"
            }
            Sqlite::SystemIoFailure => "the disk failed, or is full",
            _ => return None,
        })
    }

    /// As the user is told.
    pub(super) fn to_user(&self) -> UserError {
        if let Self::User(error) = self {
            return error.clone();
        }
        let error = UserError::new(ErrorCode::StoreFailed, format!("the session could not be kept or read: {self}"));
        match self.hint() {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

/// There is no such session.
pub(super) fn not_found(session: &SessionId) -> Failure {
    UserError::new(ErrorCode::SessionNotFound, format!("there is no session {session}"))
        .with_hint("list the sessions with souffleur/session/list")
        .into()
}

/// A number as the database has it. None of ours comes near the limit.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number as we have it.
pub(super) fn uint(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
