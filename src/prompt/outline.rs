//! Which files of a project say most about it, and what they declare.

use std::path::Path;
use std::sync::Arc;

use super::map::Outline;
use crate::workspace::{Entry, Language, Workspace, by_path, symbols};

/// How many files are read.
const MAX_FILES: usize = 40;
/// Larger files are most likely made by a program; in bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// Names, without their endings, of files in which a program begins or a module says what it is.
const FIRST: [&str; 12] =
    ["main", "lib", "mod", "index", "app", "server", "cli", "__init__", "__main__", "init", "program", "root"];
/// Folders of what is not the project's own, or not its substance.
const LAST: [&str; 14] = [
    "test",
    "tests",
    "spec",
    "specs",
    "__tests__",
    "testdata",
    "fixtures",
    "examples",
    "example",
    "benches",
    "vendor",
    "third_party",
    "node_modules",
    "docs",
];

/// The files to look into, the most telling first. Pure.
fn choose<'a>(entries: &'a [Entry], below: &str) -> Vec<&'a Entry> {
    let is_inside = |path: &str| below.is_empty() || path.strip_prefix(below).is_some_and(|rest| rest.starts_with('/'));
    let mut files: Vec<&Entry> = entries
        .iter()
        .filter(|entry| !entry.is_directory && entry.size > 0 && entry.size <= MAX_BYTES && is_inside(&entry.path))
        .filter(|entry| Language::of_path(Path::new(&entry.path)).is_some() && !entry.path.contains(".min."))
        .collect();
    let rank = |entry: &Entry| {
        let (folder, name) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
        let stem = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
        let is_last =
            folder.split('/').any(|part| LAST.contains(&part)) || stem.ends_with("_test") || name.contains(".test.");
        let is_first = FIRST.contains(&stem.as_str());
        (is_last, !is_first, entry.path.matches('/').count(), std::cmp::Reverse(entry.size))
    };
    files.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| by_path(&a.path, &b.path)));
    files.truncate(MAX_FILES);
    files
}

/// What the most telling of `entries` declare, the folder `below` alone; paths are from `folder`.
pub(super) async fn read_outlines(
    workspace: &Arc<Workspace>,
    folder: &Path,
    below: &str,
    entries: &[Entry],
) -> Vec<Outline> {
    let mut outlines = Vec::new();
    for entry in choose(entries, below) {
        let full = folder.join(&entry.path);
        // What cannot be read has no outline; that it is there, the tree says.
        let Ok(read) = workspace.read_text(&full.to_string_lossy(), None).await else { continue };
        let Some(language) = Language::of_path(&full) else { continue };
        let symbols = symbols(language, &read.text.to_string());
        if !symbols.is_empty() {
            outlines.push(Outline { path: entry.path.clone(), rank: outlines.len(), symbols });
        }
    }
    outlines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_come_first_and_tests_last() {
        let file = |path: &str, size| Entry { path: path.into(), is_directory: false, size };
        let entries = [
            file("tests/main.rs", 10),
            file("src/deep/er/mod.rs", 10),
            file("src/small.rs", 5),
            file("src/large.rs", 50),
            file("src/main.rs", 1),
            file("src/made.rs", MAX_BYTES + 1),
            file("x.min.js", 9),
            file("README.md", 9),
        ];
        let paths = |below: &str| choose(&entries, below).iter().map(|entry| entry.path.clone()).collect::<Vec<_>>();
        assert_eq!(paths(""), ["src/main.rs", "src/deep/er/mod.rs", "src/large.rs", "src/small.rs", "tests/main.rs"]);
        assert_eq!(paths("src/deep"), ["src/deep/er/mod.rs"]);
    }
}
