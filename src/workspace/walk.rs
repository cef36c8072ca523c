//! All files of a folder, within limits and always in the same order.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::rules::Rules;

/// Folders that are never looked into: what version control keeps for itself.
const NEVER: &[&str] = &[".git", ".hg", ".jj", ".svn"];
/// After so many entries of one folder the clock is looked at again.
const CLOCK_EVERY: usize = 512;

/// How far a walk goes.
#[derive(Clone, Copy, Debug)]
pub struct WalkLimits {
    /// How many entries it gives.
    pub entries: usize,
    /// How many folders deep it goes; 1 is the folder itself.
    pub depth: usize,
    /// How long it may take.
    pub time: Duration,
    /// Whether sizes of files are asked for, which costs a system call each. Without, they are 0.
    pub sizes: bool,
}

impl Default for WalkLimits {
    fn default() -> Self {
        Self { entries: 20_000, depth: 24, time: Duration::from_secs(2), sizes: true }
    }
}

/// A file or a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The path from the walk's root, with `/` between its parts.
    pub path: String,
    /// Whether it is a folder.
    pub is_directory: bool,
    /// The size of a file, in bytes.
    pub size: u64,
}

/// Why a walk is not whole. What comes later in this list says less about the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It took too long. Another walk may give something else.
    Time,
    /// There are more entries.
    Entries,
    /// There are deeper folders.
    Depth,
}

/// What a walk found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// The entries, by path; a folder stands before what is in it.
    pub entries: Vec<Entry>,
    /// Why there may be more.
    pub cut: Option<Cut>,
    /// How many folders could not be read, and entries whose names are not Unicode.
    pub unreadable: usize,
}

/// Walks through `root`, folders nearer to it first, so that a limit cuts off what lies deep. Ignore rules are kept to.
/// A link to a file inside of `root` counts as a file; a link to a folder is not gone into. Blocks on the file system.
pub fn walk(root: &Path, limits: &WalkLimits) -> Walked {
    let Ok(real_root) = root.canonicalize() else { return Walked { unreadable: 1, ..Walked::default() } };
    let start = Folder { path: root.to_owned(), shown: String::new(), rules: Rules::of_root(root), depth: 1 };
    let mut walk = Walk { real_root, limits, began: Instant::now(), found: Walked::default(), queue: VecDeque::new() };
    walk.queue.push_back(start);
    while let Some(folder) = walk.queue.pop_front() {
        if !walk.folder(&folder) {
            break;
        }
    }
    walk.found.entries.sort_by(|a, b| by_path(&a.path, &b.path));
    walk.found
}

/// The order of paths by their parts, so that what is in one folder stands together.
pub fn by_path(a: &str, b: &str) -> Ordering {
    a.split('/').cmp(b.split('/'))
}

struct Folder {
    path: PathBuf,
    shown: String,
    rules: Rules,
    depth: usize,
}

struct Walk<'a> {
    real_root: PathBuf,
    limits: &'a WalkLimits,
    began: Instant,
    found: Walked,
    queue: VecDeque<Folder>,
}

impl Walk<'_> {
    /// Takes in one folder. False when the walk is over.
    fn folder(&mut self, folder: &Folder) -> bool {
        let Some(mut names) = self.names(&folder.path) else { return self.found.cut.is_none() };
        names.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let has = |name: &str| names.binary_search_by(|(other, _)| other.as_str().cmp(name)).is_ok();
        // The rules of the root are known already.
        let rules = if folder.depth == 1 { folder.rules.clone() } else { folder.rules.enter(&folder.path, has) };
        for (name, kind) in names {
            let path = folder.path.join(&name);
            let Some(is_directory) = self.kind(&path, kind) else { continue };
            if (is_directory && NEVER.contains(&name.as_str())) || rules.ignores(&path, is_directory) {
                continue;
            }
            if self.found.entries.len() >= self.limits.entries {
                self.found.cut = Some(Cut::Entries);
                return false;
            }
            let shown = if folder.shown.is_empty() { name } else { format!("{}/{name}", folder.shown) };
            let size = if is_directory || !self.limits.sizes { 0 } else { size(&path) };
            if is_directory && folder.depth < self.limits.depth {
                let (shown, rules) = (shown.clone(), rules.clone());
                self.queue.push_back(Folder { path, shown, rules, depth: folder.depth + 1 });
            } else if is_directory {
                self.found.cut = Some(Cut::Depth);
            }
            self.found.entries.push(Entry { path: shown, is_directory, size });
        }
        !self.is_late()
    }

    /// The names in a folder with their kinds. Nothing when it cannot be read or the time is over.
    fn names(&mut self, folder: &Path) -> Option<Vec<(String, std::fs::FileType)>> {
        let Ok(entries) = std::fs::read_dir(folder) else {
            self.found.unreadable += 1;
            return Some(Vec::new());
        };
        let mut names = Vec::new();
        for (at, entry) in entries.enumerate() {
            if at % CLOCK_EVERY == CLOCK_EVERY - 1 && self.is_late() {
                return None;
            }
            let entry =
                entry.ok().and_then(|entry| Some((entry.file_name().into_string().ok()?, entry.file_type().ok()?)));
            match entry {
                Some(entry) => names.push(entry),
                None => self.found.unreadable += 1,
            }
        }
        Some(names)
    }

    /// Whether the entry is a folder; nothing for what is neither a file nor a folder, or leads out of the root.
    fn kind(&self, path: &Path, kind: std::fs::FileType) -> Option<bool> {
        if kind.is_symlink() {
            let real = path.canonicalize().ok()?;
            return (real.starts_with(&self.real_root) && real.is_file()).then_some(false);
        }
        (kind.is_dir() || kind.is_file()).then_some(kind.is_dir())
    }

    fn is_late(&mut self) -> bool {
        let late = self.began.elapsed() > self.limits.time;
        if late {
            self.found.cut = Some(Cut::Time);
        }
        late
    }
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

#[cfg(test)]
#[path = "walk_tests.rs"]
mod tests;
