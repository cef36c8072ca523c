//! Reading for prompts: from the workspace as the user sees it, or from the user's own directory. Nothing fails here: what
//! cannot be used is a problem that is told.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::AsyncReadExt as _;

use super::source::Problem;
use super::text::clean;
use crate::workspace::{ReadError, Workspace, is_binary, is_secret};

/// The most that is read of a file, in bytes. What is larger is no text that someone wrote for a prompt.
const MAX_BYTES: u64 = 1024 * 1024;

/// Where files are read from.
#[derive(Clone, Debug)]
pub(super) enum Reader {
    /// The workspace, and nothing outside of it.
    Workspace(Arc<Workspace>, PathBuf),
    /// The user's own files, wherever they are.
    User,
}

/// A text that was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) text: String,
    /// Where the file is when links are followed, so that it is known again.
    pub(super) identity: PathBuf,
}

impl Reader {
    /// The cleaned text of the file at `path`, which is absolute. `Ok(None)` when there is no such file.
    pub(super) async fn read(&self, path: &Path, problems: &mut Vec<Problem>) -> Option<Read> {
        let read = match self {
            Self::Workspace(workspace, _) => of_workspace(workspace, path).await,
            Self::User => of_user(path).await,
        };
        match read {
            Ok(Some(text)) => {
                if text.contains('\u{fffd}') {
                    let message = "it is not all UTF-8; what is not was replaced".to_owned();
                    problems.push(Problem { path: self.shown(path), message });
                }
                let identity = tokio::fs::canonicalize(path).await.unwrap_or_else(|_| path.to_owned());
                Some(Read { text: clean(&text), identity })
            }
            Ok(None) => None,
            Err(message) => {
                problems.push(Problem { path: self.shown(path), message });
                None
            }
        }
    }

    /// `path` as the model is told it.
    pub(super) fn shown(&self, path: &Path) -> String {
        match self {
            Self::Workspace(_, folder) => relative(folder, path),
            Self::User => path.display().to_string(),
        }
    }

    /// The names of the files right in `folder` that end in one of `endings`, sorted, at most `limit`.
    pub(super) async fn names(&self, folder: &Path, endings: &[&str], limit: usize) -> Vec<String> {
        if let Self::Workspace(workspace, _) = self {
            let inside = workspace.may_read(&folder.to_string_lossy()).await;
            if !inside {
                return Vec::new();
            }
        }
        let Ok(mut entries) = tokio::fs::read_dir(folder).await else { return Vec::new() };
        let mut names = Vec::new();
        while let Ok(Some(entry)) = entries.next_entry().await {
            let name = entry.file_name().into_string().unwrap_or_default();
            if endings.iter().any(|ending| name.ends_with(ending)) {
                names.push(name);
            }
        }
        names.sort_unstable();
        names.truncate(limit);
        names
    }
}

/// `path` from `folder`, with `/` between its parts.
pub(super) fn relative(folder: &Path, path: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let text = below.to_string_lossy();
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

async fn of_workspace(workspace: &Arc<Workspace>, path: &Path) -> Result<Option<String>, String> {
    let why = |error: ReadError| match error {
        ReadError::Outside(_) => "it leads out of the workspace and is not read".to_owned(),
        ReadError::Binary(_) => "it is not a text file".to_owned(),
        ReadError::NotAFile(_) => "it is not a file".to_owned(),
        ReadError::Ignored(_) => "a .souffleurignore file keeps it from models".to_owned(),
        ReadError::Secret(_) => "it may hold secrets and is not read".to_owned(),
        ReadError::TooLarge(_, bytes) => too_large(bytes),
        ReadError::Io(_, why) => format!("it cannot be read: {why}"),
        other => other.to_string(),
    };
    match workspace.read_text(&path.to_string_lossy(), None).await {
        Ok(read) if read.text.len_bytes() as u64 > MAX_BYTES => Err(too_large(read.text.len_bytes() as u64)),
        Ok(read) => Ok(Some(read.text.to_string())),
        Err(ReadError::NotFound(_) | ReadError::NoWorkspace) => Ok(None),
        Err(error) => Err(why(error)),
    }
}

async fn of_user(path: &Path) -> Result<Option<String>, String> {
    let io = |error: std::io::Error| format!("it cannot be read: {error}");
    // Looked at before it is opened: opening a pipe would wait for its other end.
    let metadata = match tokio::fs::metadata(path).await {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    let real = tokio::fs::canonicalize(path).await.map_err(io)?;
    if is_secret(path) || is_secret(&real) {
        return Err("it may hold secrets and is not read".to_owned());
    }
    if !metadata.is_file() {
        return Err("it is not a file".to_owned());
    }
    if metadata.len() > MAX_BYTES {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::new();
    let file = tokio::fs::File::open(path).await.map_err(io)?;
    file.take(MAX_BYTES).read_to_end(&mut bytes).await.map_err(io)?;
    if is_binary(&bytes) {
        return Err("it is not a text file".to_owned());
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn too_large(bytes: u64) -> String {
    format!("it is too large: {bytes} bytes, the limit is {MAX_BYTES}")
}
