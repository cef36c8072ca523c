//! Reading a file of the workspace as the user sees it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ropey::Rope;
use tokio::io::AsyncReadExt;

use super::Workspace;
use super::binary::is_binary;
use super::rules::is_kept_from_models;

/// The largest file that is read.
const MAX_BYTES: u64 = 10 * 1024 * 1024;

/// The text of a file, and where it is from.
#[derive(Clone, Debug)]
pub struct ReadText {
    /// The absolute path.
    pub path: PathBuf,
    /// The text.
    pub text: Rope,
    /// The editor's version, when it is an open buffer.
    pub version: Option<i32>,
}

/// Why a file was not read. The messages are written for a model to read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// There is no workspace folder to read from.
    #[error("no workspace folder is open")]
    NoWorkspace,
    /// The path leads out of the workspace.
    #[error("{0} is outside the workspace; only files inside it can be read")]
    Outside(String),
    /// The file may hold secrets.
    #[error("{0} may hold secrets and is not read; ask the user for what you need from it")]
    Secret(String),
    /// A `.souffleurignore` names it.
    #[error("{0} is kept from models by a .souffleurignore file; ask the user for what you need from it")]
    Ignored(String),
    /// There is no such file.
    #[error("there is no file {0}")]
    NotFound(String),
    /// It is a directory or something else that is not a file.
    #[error("{0} is not a file")]
    NotAFile(String),
    /// It is no directory.
    #[error("{0} is not a directory")]
    NotADirectory(String),
    /// It is larger than what is read.
    #[error("{0} is too large: {1} bytes, the limit is {MAX_BYTES}")]
    TooLarge(String, u64),
    /// It is not text.
    #[error("{0} is not a text file")]
    Binary(String),
    /// The system refused.
    #[error("{0} cannot be read: {1}")]
    Io(String, String),
}

/// Whether a file of this name commonly holds secrets.
pub fn is_secret(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("").to_ascii_lowercase();
    let harmless = [".env.example", ".env.sample", ".env.template"].contains(&name.as_str());
    let exact = [".env", ".netrc", ".npmrc", ".pypirc", ".pgpass", ".git-credentials", "credentials"];
    let ending = [".pem", ".key", ".p12", ".pfx", ".keystore", ".kdbx", ".jks"];
    let starting = [".env.", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"];
    let public = Path::new(&name).extension().is_some_and(|extension| extension == "pub");
    let folder = path.components().any(|part| part.as_os_str() == ".ssh" || part.as_os_str() == ".gnupg");
    !harmless
        && !public
        && (folder
            || exact.contains(&name.as_str())
            || ending.iter().any(|end| name.ends_with(end))
            || starting.iter().any(|start| name.starts_with(start)))
}

impl Workspace {
    /// The text of the file at `path` (absolute, or relative to `base` or the first folder): the open buffer if there
    /// is one, else the file. Only inside the workspace, links followed; never files that commonly hold secrets.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn read_text(self: &Arc<Self>, path: &str, base: Option<&Path>) -> Result<ReadText, ReadError> {
        let shown = || path.to_owned();
        let (absolute, real) = self.place(path, base).await?;
        let open = self.overlay.get_path(&absolute).or_else(|| self.overlay.get_path(real.as_deref().ok()?));
        if let Some(document) = open {
            return Ok(ReadText { path: absolute, text: document.text.clone(), version: Some(document.version) });
        }
        let real = real.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ReadError::NotFound(shown()),
            _ => ReadError::Io(shown(), error.to_string()),
        })?;
        let text = read_file(&real, path).await?;
        Ok(ReadText { path: absolute, text, version: None })
    }

    /// Whether what is at `path` (as in [`Workspace::read_text`]) is there and may be read or listed.
    pub async fn may_read(self: &Arc<Self>, path: &str) -> bool {
        matches!(self.place(path, None).await, Ok((_, Ok(_))))
    }

    /// Whether what is known of the file at `path` (absolute) without reading it may be told to a model.
    ///
    /// # Errors
    /// [`ReadError::Secret`] and [`ReadError::Ignored`], nothing else.
    pub async fn may_tell(self: &Arc<Self>, path: &Path) -> Result<(), ReadError> {
        let shown = path.display().to_string();
        let real = tokio::fs::canonicalize(path).await;
        if is_secret(path) || real.is_ok_and(|real| is_secret(&real)) {
            return Err(ReadError::Secret(shown));
        }
        match self.place(&shown, None).await {
            Err(error @ (ReadError::Secret(_) | ReadError::Ignored(_))) => Err(error),
            _ => Ok(()),
        }
    }

    /// The absolute path that `path` means, and where it is when links are followed, if it exists. Refuses what may
    /// not be read.
    pub(super) async fn place(
        self: &Arc<Self>,
        path: &str,
        base: Option<&Path>,
    ) -> Result<(PathBuf, std::io::Result<PathBuf>), ReadError> {
        let shown = || path.to_owned();
        if self.roots.all().iter().all(|root| root.path.is_none()) {
            return Err(ReadError::NoWorkspace);
        }
        let absolute = self.roots.absolute(Path::new(path), base).ok_or_else(|| ReadError::Outside(shown()))?;
        if is_secret(&absolute) {
            return Err(ReadError::Secret(shown()));
        }
        let real = tokio::fs::canonicalize(&absolute).await;
        let inside = match &real {
            Ok(real) => self.roots.contains_real(real),
            Err(_) => self.roots.contains(&absolute),
        };
        if !inside {
            return Err(ReadError::Outside(shown()));
        }
        if real.as_deref().is_ok_and(is_secret) {
            return Err(ReadError::Secret(shown()));
        }
        let looked_at = (self.clone(), absolute.clone(), real.as_ref().ok().cloned());
        let kept = tokio::task::spawn_blocking(move || {
            let (workspace, absolute, real) = looked_at;
            let roots = workspace.roots.all();
            let mut roots = roots.iter().filter_map(|root| root.path.as_deref());
            roots.any(|root| {
                let real_root = root.canonicalize();
                is_kept_from_models(root, &absolute)
                    || real_root.is_ok_and(|root| real.as_deref().is_some_and(|real| is_kept_from_models(&root, real)))
            })
        });
        // What could not be looked at is not read either.
        if kept.await.unwrap_or(true) {
            return Err(ReadError::Ignored(shown()));
        }
        Ok((absolute, real))
    }
}

async fn read_file(real: &Path, shown: &str) -> Result<Rope, ReadError> {
    let io = |error: std::io::Error| ReadError::Io(shown.to_owned(), error.to_string());
    // Looked at before it is opened: opening a pipe would wait for its other end.
    let metadata = tokio::fs::metadata(real).await.map_err(io)?;
    if !metadata.is_file() {
        return Err(ReadError::NotAFile(shown.to_owned()));
    }
    if metadata.len() > MAX_BYTES {
        return Err(ReadError::TooLarge(shown.to_owned(), metadata.len()));
    }
    let file = tokio::fs::File::open(real).await.map_err(io)?;
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).await.map_err(io)?;
    if is_binary(&bytes) {
        return Err(ReadError::Binary(shown.to_owned()));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Rope::from_str(&text)),
        Err(error) => Ok(Rope::from_str(&String::from_utf8_lossy(error.as_bytes()))),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::super::{Document, Root, file_uri};
    use super::*;

    fn workspace(directory: &Path) -> Arc<Workspace> {
        let workspace = Workspace::default();
        workspace.roots.set(vec![Root::new(file_uri(directory).unwrap())]);
        Arc::new(workspace)
    }

    #[tokio::test]
    async fn the_open_buffer_is_the_truth() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a.txt"), "saved").unwrap();
        let workspace = workspace(directory.path());
        assert_eq!(workspace.read_text("a.txt", None).await.unwrap().text, "saved");
        let uri = file_uri(&directory.path().join("a.txt")).unwrap();
        workspace.overlay.open(Document::new(uri, "text".into(), 7, "typed"));
        let read = workspace.read_text("./a.txt", None).await.unwrap();
        assert_eq!((read.text.to_string(), read.version), ("typed".to_owned(), Some(7)));
    }

    #[tokio::test]
    async fn nothing_outside_and_nothing_secret_is_read() {
        let (outside, directory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(outside.path().join("x"), "x").unwrap();
        std::fs::write(directory.path().join(".env"), "KEY=1").unwrap();
        std::os::unix::fs::symlink(outside.path().join("x"), directory.path().join("link")).unwrap();
        std::os::unix::fs::symlink(".env", directory.path().join("innocent")).unwrap();
        let workspace = workspace(directory.path());
        let error = |path: String| {
            let workspace = workspace.clone();
            async move { workspace.read_text(&path, None).await.unwrap_err() }
        };
        let shown = outside.path().join("x").display().to_string();
        for path in ["link", "../x", "/etc/hostname", shown.as_str()] {
            assert!(matches!(error(path.to_owned()).await, ReadError::Outside(_)), "{path}");
        }
        for path in [".env", "innocent"] {
            assert!(matches!(error(path.to_owned()).await, ReadError::Secret(_)), "{path}");
        }
        assert!(matches!(error("none".to_owned()).await, ReadError::NotFound(_)));
        assert!(matches!(error(".".to_owned()).await, ReadError::NotAFile(_)));
    }

    #[tokio::test]
    async fn what_the_user_keeps_from_models_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(".souffleurignore"), "private\n").unwrap();
        std::fs::create_dir(directory.path().join("private")).unwrap();
        std::fs::write(directory.path().join("private/a"), "x").unwrap();
        std::os::unix::fs::symlink("private/a", directory.path().join("link")).unwrap();
        let workspace = workspace(directory.path());
        for path in ["private/a", "link", "private/none"] {
            let error = workspace.read_text(path, None).await.unwrap_err();
            assert_eq!(error, ReadError::Ignored(path.to_owned()));
        }
    }

    #[test]
    fn names_of_secrets() {
        for name in [".env", ".env.local", "id_rsa", "server.PEM", "/home/u/.ssh/config"] {
            assert!(is_secret(Path::new(name)), "{name}");
        }
        for name in [".env.example", "id_rsa.pub", "keyboard.rs", "environment.md"] {
            assert!(!is_secret(Path::new(name)), "{name}");
        }
    }
}
