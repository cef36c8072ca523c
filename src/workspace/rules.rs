//! Which files of a project are not looked at: `.gitignore`, `.ignore`, `.souffleurignore`.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// The files with rules, the strongest first. A rule of a stronger file holds against weaker files of any directory;
/// among files of one name the deeper directory holds. It is the order that the `ignore` crate and ripgrep have.
const FILES: [&str; 3] = [OWN_FILE, ".ignore", ".gitignore"];
/// The file with rules for this program alone.
pub const OWN_FILE: &str = ".souffleurignore";
/// Git's rules of one clone, weaker than all others.
const EXCLUDE: &str = ".git/info/exclude";
/// How much of a file with rules is read, in bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// The rules that hold in one directory: its own and those of the directories above it.
#[derive(Clone, Debug, Default)]
pub struct Rules(Option<Arc<Level>>);

#[derive(Debug)]
struct Level {
    above: Option<Arc<Level>>,
    /// By the places of [`FILES`], then `EXCLUDE`.
    own: [Option<Gitignore>; 4],
}

impl Rules {
    /// The rules in `root`, those of the repository around it included. Reads files; what cannot be read has no rules.
    pub fn of_root(root: &Path) -> Self {
        let mut chain: Vec<&Path> = Vec::new();
        let repository = root.ancestors().find(|directory| directory.join(".git").exists());
        for directory in root.ancestors() {
            chain.push(directory);
            if Some(directory) == repository || repository.is_none() {
                break;
            }
        }
        chain.iter().rev().fold(Self::default(), |rules, directory| rules.enter(directory, |_| true))
    }

    /// The rules in `directory`, which lies directly in the one of `self`. `has` says which files there are in it.
    #[must_use]
    pub fn enter(&self, directory: &Path, has: impl Fn(&str) -> bool) -> Self {
        let file = |name: &str| if has(name) { read(directory, &directory.join(name)) } else { None };
        let exclude = if has(".git") { read(directory, &directory.join(EXCLUDE)) } else { None };
        let own = [file(FILES[0]), file(FILES[1]), file(FILES[2]), exclude];
        if own.iter().all(Option::is_none) {
            return self.clone();
        }
        Self(Some(Arc::new(Level { above: self.0.clone(), own })))
    }

    /// Whether the rules leave out `path`, an absolute path of an entry of this directory.
    pub fn ignores(&self, path: &Path, is_directory: bool) -> bool {
        (0..4).find_map(|kind| self.verdict(kind, path, is_directory)).unwrap_or(false)
    }

    /// Whether the rules for this program alone leave out `path`.
    fn ignores_for_us(&self, path: &Path, is_directory: bool) -> bool {
        self.verdict(0, path, is_directory).unwrap_or(false)
    }

    fn verdict(&self, kind: usize, path: &Path, is_directory: bool) -> Option<bool> {
        let mut level = self.0.as_deref();
        while let Some(at) = level {
            match at.own[kind].as_ref().map(|own| own.matched(path, is_directory)) {
                Some(Match::Ignore(_)) => return Some(true),
                Some(Match::Whitelist(_)) => return Some(false),
                _ => level = at.above.as_deref(),
            }
        }
        None
    }
}

/// Whether `.souffleurignore` files between `root` and the file at `path` below it leave the file out. Reads files.
pub fn is_kept_from_models(root: &Path, path: &Path) -> bool {
    let Ok(below) = path.strip_prefix(root) else { return false };
    let (mut directory, mut rules) = (root.to_owned(), Rules::default());
    let mut parts = below.components().peekable();
    while let Some(part) = parts.next() {
        rules = rules.enter(&directory, |name| name == OWN_FILE);
        directory.push(part);
        if rules.ignores_for_us(&directory, parts.peek().is_some()) {
            return true;
        }
    }
    false
}

/// The rules of one file. Nothing for what is no file: opening a pipe would wait for its other end.
fn read(directory: &Path, file: &PathBuf) -> Option<Gitignore> {
    if !std::fs::metadata(file).is_ok_and(|metadata| metadata.is_file()) {
        return None;
    }
    let mut bytes = Vec::new();
    std::fs::File::open(file).ok()?.take(MAX_BYTES).read_to_end(&mut bytes).ok()?;
    let mut builder = GitignoreBuilder::new(directory);
    for line in String::from_utf8_lossy(&bytes).lines() {
        // A line that is no pattern is left out, as git does.
        let _ = builder.add_line(None, line);
    }
    builder.build().ok().filter(|rules| !rules.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deeper_and_stronger_files_hold() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::create_dir_all(root.join(".git/info")).unwrap();
        std::fs::write(root.join(".gitignore"), "*.log\n/build/\n").unwrap();
        std::fs::write(root.join(".git/info/exclude"), "mine\n").unwrap();
        std::fs::write(root.join("a/.gitignore"), "!keep.log\n").unwrap();
        std::fs::write(root.join("a/b/.souffleurignore"), "keep.log\n").unwrap();
        let top = Rules::of_root(root);
        let below = top.enter(&root.join("a"), |_| true);
        let deepest = below.enter(&root.join("a/b"), |_| true);
        assert!(top.ignores(&root.join("x.log"), false) && top.ignores(&root.join("mine"), false));
        assert!(top.ignores(&root.join("build"), true) && !top.ignores(&root.join("build"), false));
        assert!(!below.ignores(&root.join("a/keep.log"), false) && below.ignores(&root.join("a/x.log"), false));
        assert!(deepest.ignores(&root.join("a/b/keep.log"), false));
        let inner = Rules::of_root(&root.join("a"));
        assert!(inner.ignores(&root.join("a/x.log"), false), "the repository around a root counts");
        assert!(!inner.ignores(&root.join("a/keep.log"), false));
    }

    #[test]
    fn our_own_file_keeps_from_models_and_gits_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::fs::write(root.join(".gitignore"), "target\n").unwrap();
        std::fs::write(root.join(OWN_FILE), "private/\n").unwrap();
        assert!(is_kept_from_models(root, &root.join("private/deep/x.txt")));
        assert!(!is_kept_from_models(root, &root.join("target/x.txt")));
        assert!(!is_kept_from_models(root, Path::new("/elsewhere/private/x")));
    }
}
