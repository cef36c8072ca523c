//! The log: to standard error or to a file.

use std::fs::OpenOptions;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// Where the log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// Standard error, which editors show or keep.
    Stderr,
    /// A file, appended to.
    File(PathBuf),
}

/// Starts logging of all that `filter` (a level such as `info`, or `tracing` directives) lets through. A second call
/// in one process changes nothing.
///
/// # Errors
/// When the file cannot be opened.
pub fn init(target: &LogTarget, filter: &str) -> io::Result<()> {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("warn"));
    let (writer, ansi) = match target {
        LogTarget::Stderr => (BoxMakeWriter::new(io::stderr), false),
        LogTarget::File(path) => {
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            (BoxMakeWriter::new(Mutex::new(file)), false)
        }
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(ansi)
        .with_target(true)
        .finish();
    // Only the first subscriber of a process counts; tests may come here twice.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}
