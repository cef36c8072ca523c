//! What is in a folder, as `ls` would say it.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::read::ReadError;
use super::walk::{Cut, Entry, WalkLimits, walk};
use super::{Workspace, is_kept_from_models};

/// How long a listing may take.
const MAX_TIME: Duration = Duration::from_secs(2);

/// What is in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The entries by path, from the folder that was listed.
    pub entries: Vec<Entry>,
    /// Why there may be more.
    pub cut: Option<Cut>,
}

impl Listing {
    /// A line for each entry: folders end with `/`, files have their size. The last line says what is missing.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for entry in &self.entries {
            // Writing to a text does not fail.
            let _ = if entry.is_directory {
                writeln!(text, "{}/", entry.path)
            } else {
                writeln!(text, "{}  {}", entry.path, human_size(entry.size))
            };
        }
        match self.cut {
            None if self.entries.is_empty() => text.push_str("(the folder is empty)\n"),
            Some(Cut::Entries) => text.push_str("(there is more; list a folder below)\n"),
            Some(Cut::Time) => text.push_str("(there may be more; listing took too long)\n"),
            Some(Cut::Depth) | None => {}
        }
        text
    }
}

/// A size for reading: `999 B`, `1.5 KB`, `20 MB`. A KB is 1,000 bytes.
pub fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let (mut size, mut unit) = (bytes as f64 / 1_000.0, 0);
    // What would be rounded to 1000 is one of the next unit.
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1_000.0;
        unit += 1;
    }
    let digits = usize::from(size < 9.95);
    format!("{size:.digits$} {}", UNITS[unit])
}

impl Workspace {
    /// What is in the folder at `path` (as in [`Workspace::read_text`]), `depth` folders deep and at most `entries`.
    /// What is ignored is left out.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn list(
        self: &Arc<Self>,
        path: &str,
        base: Option<&Path>,
        depth: usize,
        entries: usize,
    ) -> Result<Listing, ReadError> {
        let (_, real) = self.place(path, base).await?;
        let io = |error: std::io::Error| ReadError::Io(path.to_owned(), error.to_string());
        let real = real.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ReadError::NotFound(path.to_owned()),
            _ => io(error),
        })?;
        if !tokio::fs::metadata(&real).await.map_err(io)?.is_dir() {
            return Err(ReadError::NotADirectory(path.to_owned()));
        }
        let workspace = self.clone();
        let listing = tokio::task::spawn_blocking(move || {
            let limits = WalkLimits { entries, depth, time: MAX_TIME, sizes: true };
            let mut walked = walk(&real, &limits);
            // The rules of folders between the workspace's and this one.
            let roots = workspace.roots.all();
            let roots: Vec<_> = roots.iter().filter_map(|root| root.path.as_ref()?.canonicalize().ok()).collect();
            walked.entries.retain(|entry| {
                let path = real.join(&entry.path);
                !roots.iter().any(|root| is_kept_from_models(root, &path))
            });
            Listing { entries: walked.entries, cut: walked.cut }
        });
        listing.await.map_err(|error| ReadError::Io(path.to_owned(), error.to_string()))
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::super::{Root, file_uri};
    use super::*;

    #[test]
    fn sizes_are_short() {
        let cases = [(0, "0 B"), (999, "999 B"), (1_000, "1.0 KB"), (1_540, "1.5 KB"), (9_960, "10 KB")];
        for (bytes, text) in cases.into_iter().chain([(999_600, "1.0 MB"), (20_000_000, "20 MB")]) {
            assert_eq!(human_size(bytes), text, "{bytes}");
        }
    }

    #[tokio::test]
    async fn a_folder_is_listed_within_the_workspace_alone() {
        let (directory, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = directory.path();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::create_dir_all(root.join("private")).unwrap();
        std::fs::write(root.join("a/x.txt"), "12").unwrap();
        std::fs::write(root.join(".souffleurignore"), "private\n/a/b\n").unwrap();
        std::os::unix::fs::symlink(outside.path(), root.join("out")).unwrap();
        let workspace = Workspace::default();
        workspace.roots.set(vec![Root::new(file_uri(root).unwrap())]);
        let workspace = Arc::new(workspace);
        let all = workspace.list(".", None, 2, 100).await.unwrap();
        assert_eq!(all.to_text(), ".souffleurignore  13 B\na/\na/x.txt  2 B\n");
        assert_eq!(workspace.list("a", None, 1, 100).await.unwrap().to_text(), "x.txt  2 B\n");
        let error = |path: &'static str| {
            let workspace = workspace.clone();
            async move { workspace.list(path, None, 1, 9).await.unwrap_err() }
        };
        assert_eq!(error("a/x.txt").await, ReadError::NotADirectory("a/x.txt".into()));
        assert_eq!(error("out").await, ReadError::Outside("out".into()));
        assert_eq!(error("private").await, ReadError::Ignored("private".into()));
        assert_eq!(error("none").await, ReadError::NotFound("none".into()));
    }
}
