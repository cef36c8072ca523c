//! Connections for reading. In the write-ahead log they see the last commit and block nobody.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::failure::Failure;
use crate::error::{ErrorCode, UserError};

/// How many idle connections are kept. More are opened when more are read with at once.
const IDLE: usize = 2;

/// The connections.
#[derive(Clone, Debug)]
pub(super) struct Readers {
    file: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    /// Readers of `file`. Nothing is opened yet.
    pub(super) fn new(file: PathBuf) -> Self {
        Self { file: Arc::new(file), idle: Arc::default() }
    }

    /// Reads, on a thread for blocking work. All that `work` reads is of one moment.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, UserError> {
        let readers = self.clone();
        let reading = tokio::task::spawn_blocking(move || readers.read_now(work));
        match reading.await {
            Ok(result) => result.map_err(|failure| failure.to_user()),
            Err(_) => Err(UserError::new(ErrorCode::ServerInternal, "reading a session failed by a defect")),
        }
    }

    fn read_now<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => super::open::connect(&self.file, true)?,
        };
        connection.execute_batch("BEGIN")?;
        let result = work(&connection);
        // One that cannot end its transaction is not used again.
        if connection.execute_batch("ROLLBACK").is_ok() {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < IDLE {
                idle.push(connection);
            }
        }
        result
    }
}
