//! A tree of files that fits into a budget. Pure.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

use crate::workspace::{Entry, human_size};

/// How many files of one folder are shown.
const MAX_FILES: usize = 40;

#[derive(Default)]
struct Folder {
    folders: BTreeMap<String, Folder>,
    files: BTreeMap<String, u64>,
}

impl Folder {
    fn count(&self) -> (usize, u64) {
        let own = (self.files.len(), self.files.values().sum::<u64>());
        self.folders.values().map(Self::count).fold(own, |sum, more| (sum.0 + more.0, sum.1 + more.1))
    }

    fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |folder, name| folder.folders.get(*name))
    }

    /// What showing the folder's content costs, its folders closed, at most.
    fn cost(&self, depth: usize) -> usize {
        let files = self.files.keys().take(MAX_FILES).map(|name| name.len() + 12 + 2 * depth).sum::<usize>();
        files + 40 + self.folders.keys().map(|name| name.len() + 32 + 2 * depth).sum::<usize>()
    }
}

/// The tree of `entries` in any order, at most `bytes` long: folders nearer to the top are opened first, the rest stay
/// closed with the count and size of what is in them.
pub(super) fn tree(entries: &[Entry], bytes: usize) -> String {
    let mut top = Folder::default();
    for entry in entries {
        let mut parts: Vec<&str> = entry.path.split('/').collect();
        let name = if entry.is_directory { None } else { parts.pop() };
        let mut folder = &mut top;
        for part in parts {
            folder = folder.folders.entry(part.to_owned()).or_default();
        }
        if let Some(name) = name {
            folder.files.insert(name.to_owned(), entry.size);
        }
    }
    let (mut open, mut left) = (std::collections::BTreeSet::new(), bytes);
    let mut waiting: VecDeque<Vec<&str>> = VecDeque::from([Vec::new()]);
    while let Some(path) = waiting.pop_front() {
        let Some(folder) = top.at(&path) else { continue };
        let cost = folder.cost(path.len());
        if cost > left {
            continue;
        }
        left -= cost;
        waiting.extend(folder.folders.keys().map(|name| [&path[..], &[name.as_str()]].concat()));
        open.insert(path);
    }
    let mut text = String::new();
    if open.contains(&Vec::new()) {
        write_folder(&top, &mut Vec::new(), &open, &mut text);
    } else if !entries.is_empty() && bytes >= 40 {
        let (count, size) = top.count();
        let _ = write!(text, "({count} files, {})", human_size(size));
    }
    text.trim_end().to_owned()
}

fn write_folder<'a>(
    folder: &'a Folder,
    path: &mut Vec<&'a str>,
    open: &std::collections::BTreeSet<Vec<&str>>,
    text: &mut String,
) {
    let indent = "  ".repeat(path.len());
    // Writing to a text does not fail.
    for (name, below) in &folder.folders {
        path.push(name);
        if open.contains(path) {
            let _ = writeln!(text, "{indent}{name}/");
            write_folder(below, path, open, text);
        } else {
            let (count, size) = below.count();
            let _ = writeln!(text, "{indent}{name}/ ({count} files, {})", human_size(size));
        }
        path.pop();
    }
    for (name, size) in folder.files.iter().take(MAX_FILES) {
        let _ = writeln!(text, "{indent}{name} {}", human_size(*size));
    }
    if folder.files.len() > MAX_FILES {
        let _ = writeln!(text, "{indent}({} more files)", folder.files.len() - MAX_FILES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(path: &str, size: u64) -> Entry {
        Entry { path: path.into(), is_directory: false, size }
    }

    #[test]
    fn near_folders_are_opened_first() {
        let mut entries = vec![file("README.md", 2_000), file("src/main.rs", 10), file("src/deep/a.rs", 1_500)];
        entries.push(Entry { path: "empty".into(), is_directory: true, size: 0 });
        let whole = "empty/\nsrc/\n  deep/\n    a.rs 1.5 KB\n  main.rs 10 B\nREADME.md 2.0 KB";
        assert_eq!(tree(&entries, 1_000), whole);
        assert_eq!(tree(&entries, 150), "empty/ (0 files, 0 B)\nsrc/ (2 files, 1.5 KB)\nREADME.md 2.0 KB");
        assert_eq!(tree(&entries, 50), "(3 files, 3.5 KB)");
        assert_eq!(tree(&[], 1_000), "");
    }

    proptest! {
        #[test]
        fn no_order_and_no_size_breaks_it(
            (paths, shuffled) in proptest::collection::vec("[ab]{1,3}(/[abc]{1,4}){0,4}\\.rs", 0..60)
                .prop_flat_map(|paths| (Just(paths.clone()), Just(paths).prop_shuffle())),
            bytes in 0usize..2_000) {
            let entries = |paths: &[String]| paths.iter().map(|path| file(path, path.len() as u64)).collect::<Vec<_>>();
            let text = tree(&entries(&paths), bytes);
            prop_assert!(text.len() <= bytes, "{} > {bytes}", text.len());
            prop_assert_eq!(text, tree(&entries(&shuffled), bytes));
        }
    }
}
