//! The workspace folders.

use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::uri::file_path;

/// A workspace folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Its URI as the editor spells it.
    pub uri: String,
    /// Its path, if it is a directory of this machine.
    pub path: Option<PathBuf>,
}

impl Root {
    /// The folder at `uri`.
    pub fn new(uri: impl Into<String>) -> Self {
        let uri = uri.into();
        Self { path: file_path(&uri), uri }
    }
}

/// The workspace folders, in the editor's order.
#[derive(Debug, Default)]
pub struct Roots(RwLock<Arc<[Root]>>);

impl Roots {
    /// The folders as they are now.
    pub fn all(&self) -> Arc<[Root]> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces all folders.
    pub fn set(&self, roots: Vec<Root>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = roots.into();
    }

    /// Removes the folders at `removed`, then adds those at `added` that are not there yet.
    pub fn change(&self, added: Vec<Root>, removed: &[String]) {
        let mut roots: Vec<Root> = self.all().iter().filter(|root| !removed.contains(&root.uri)).cloned().collect();
        for root in added {
            if !roots.contains(&root) {
                roots.push(root);
            }
        }
        self.set(roots);
    }

    /// The absolute path that `path` means: as it is, or below `base`, or below the first folder. Without `.` and `..`;
    /// links are not followed.
    pub fn absolute(&self, path: &Path, base: Option<&Path>) -> Option<PathBuf> {
        let roots = self.all();
        let base = base.or_else(|| roots.iter().find_map(|root| root.path.as_deref()));
        if path.is_absolute() {
            return lexical(path);
        }
        lexical(&base?.join(path))
    }

    /// Whether `path` (absolute, without `..`) lies below a folder.
    pub fn contains(&self, path: &Path) -> bool {
        self.all().iter().filter_map(|root| root.path.as_deref()).any(|root| path.starts_with(root))
    }

    /// As [`Roots::contains`], for a path whose links were followed.
    pub fn contains_real(&self, path: &Path) -> bool {
        let roots = self.all();
        let mut real = roots.iter().filter_map(|root| root.path.as_deref()?.canonicalize().ok());
        real.any(|root| path.starts_with(root))
    }
}

/// `path` without `.` and `..`, no links followed; nothing when it goes up beyond the root of the file system.
pub fn lexical(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                if !clean.pop() {
                    return None;
                }
            }
            other => clean.push(other),
        }
    }
    Some(clean)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_below_a_folder_or_not() {
        let roots = Roots::default();
        roots.set(vec![Root::new("file:///w/a"), Root::new("file:///w/b")]);
        let absolute = |path: &str| roots.absolute(Path::new(path), None).unwrap();
        assert_eq!(absolute("src/./x.rs"), Path::new("/w/a/src/x.rs"));
        assert!(roots.contains(&absolute("../b/y")));
        assert!(!roots.contains(&absolute("../c/y")));
        assert!(!roots.contains(&absolute("/w/ab")));
        assert_eq!(roots.absolute(Path::new("/../../etc"), None), None);
    }

    #[test]
    fn folders_come_and_go() {
        let roots = Roots::default();
        roots.set(vec![Root::new("file:///a")]);
        roots.change(vec![Root::new("file:///b"), Root::new("file:///b")], &["file:///a".to_owned()]);
        assert_eq!(roots.all().iter().map(|root| root.uri.as_str()).collect::<Vec<_>>(), ["file:///b"]);
    }
}
