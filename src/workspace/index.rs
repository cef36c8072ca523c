//! All paths of the workspace, kept small, and quickly searched.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::fuzzy::{Query, letters};
use super::walk::{Cut, WalkLimits, walk};

/// How many paths are kept.
pub const MAX_FILES: usize = 200_000;
/// How long the files of one folder are gathered.
const MAX_TIME: Duration = Duration::from_secs(10);

/// The files of the workspace: one text with all paths, and where each begins.
#[derive(Clone, Debug, Default)]
pub struct FileIndex {
    roots: Vec<PathBuf>,
    /// How many files the roots up to this one have together.
    ends: Vec<usize>,
    text: String,
    starts: Vec<u32>,
    letters: Vec<u64>,
    cut: Option<Cut>,
}

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The workspace folder it lies in.
    pub root: PathBuf,
    /// The path from that folder, with `/` between its parts.
    pub path: String,
    /// How well it fits. More is better; 0 for all when nothing was typed.
    pub score: i32,
}

impl FileIndex {
    /// Gathers the files of `roots`. Blocks on the file system.
    pub fn read(roots: &[PathBuf]) -> Self {
        let mut index = Self::default();
        for root in roots {
            let limits = WalkLimits { entries: 2 * MAX_FILES, depth: 64, time: MAX_TIME, sizes: false };
            let walked = walk(root, &limits);
            let files = walked.entries.iter().filter(|entry| !entry.is_directory);
            index.add(root.clone(), files.map(|entry| entry.path.as_str()));
            index.cut = index.cut.or(walked.cut);
        }
        index
    }

    /// Adds a folder with the paths of its files.
    pub fn add<'a>(&mut self, root: PathBuf, paths: impl IntoIterator<Item = &'a str>) {
        for path in paths {
            let (true, Ok(start)) = (self.starts.len() < MAX_FILES, u32::try_from(self.text.len())) else {
                self.cut = Some(Cut::Entries);
                break;
            };
            self.starts.push(start);
            self.letters.push(letters(path.as_bytes()));
            self.text.push_str(path);
        }
        self.roots.push(root);
        self.ends.push(self.starts.len());
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Why there may be more files.
    pub fn cut(&self) -> Option<Cut> {
        self.cut
    }

    /// The files that fit what was `typed`, the best first and at most `limit`. When nothing was typed: those that lie
    /// least deep.
    pub fn search(&self, typed: &str, limit: usize) -> Vec<Hit> {
        let query = Query::new(typed);
        let mut found: Vec<(i32, usize)> = if query.is_empty() {
            let depth = |at| self.path(at).bytes().filter(|byte| *byte == b'/').count();
            (0..self.len()).map(|at| (-i32::try_from(depth(at)).unwrap_or(i32::MAX), at)).collect()
        } else {
            let may = (0..self.len()).filter(|at| query.may_fit(self.letters[*at]));
            may.filter_map(|at| Some((query.score(self.path(at).as_bytes())?, at))).collect()
        };
        let order = |a: &(i32, usize), b: &(i32, usize)| {
            let (first, second) = (self.path(a.1), self.path(b.1));
            b.0.cmp(&a.0).then(first.len().cmp(&second.len())).then(first.cmp(second)).then(a.1.cmp(&b.1))
        };
        if found.len() > limit && limit > 0 {
            found.select_nth_unstable_by(limit - 1, order);
        }
        found.truncate(limit);
        found.sort_unstable_by(order);
        let hit = |(score, at): (i32, usize)| {
            let root = self.ends.partition_point(|end| *end <= at);
            let score = if query.is_empty() { 0 } else { score };
            Some(Hit { root: self.roots.get(root)?.clone(), path: self.path(at).to_owned(), score })
        };
        found.into_iter().filter_map(hit).collect()
    }

    fn path(&self, at: usize) -> &str {
        let end = self.starts.get(at + 1).map_or(self.text.len(), |start| *start as usize);
        self.text.get(self.starts[at] as usize..end).unwrap_or_default()
    }
}

/// The index as it was read last. Searches never wait for a reading that goes on.
#[derive(Debug, Default)]
pub struct Files {
    current: RwLock<Arc<FileIndex>>,
    reading: tokio::sync::Mutex<()>,
}

impl Files {
    /// The index as it is now; empty before it was read.
    pub fn current(&self) -> Arc<FileIndex> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the files of `roots` anew. Who asks while they are read waits for a reading that began after it asked.
    pub async fn refresh(&self, roots: Vec<PathBuf>) -> Arc<FileIndex> {
        let _one_at_a_time = self.reading.lock().await;
        let read = tokio::task::spawn_blocking(move || Arc::new(FileIndex::read(&roots))).await;
        if let Ok(read) = read {
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = read;
        }
        self.current()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// A repository of `count` files with names like those that people give.
    fn repository(count: usize) -> FileIndex {
        let words = ["session", "provider", "widget", "parser", "index", "server", "handler", "model", "view", "test"];
        let word = |number: usize| words[number % words.len()];
        let path =
            |at: usize| format!("packages/{}-{}/src/{}/{}_{at}.ts", word(at / 7), at % 97, word(at / 31), word(at / 3));
        let paths: Vec<String> = (0..count).map(path).collect();
        let mut index = FileIndex::default();
        index.add("/w".into(), paths.iter().map(String::as_str));
        index
    }

    #[test]
    fn the_best_come_first_from_every_root() {
        let mut index = FileIndex::default();
        index.add("/a".into(), ["src/main.rs", "src/domain.rs"]);
        index.add("/empty".into(), []);
        index.add("/b".into(), ["docs/main.md", "x"]);
        let found: Vec<_> = index.search("main", 10).into_iter().map(|hit| (hit.root, hit.path)).collect();
        let pair = |root: &str, path: &str| (PathBuf::from(root), path.to_owned());
        assert_eq!(found, [pair("/a", "src/main.rs"), pair("/b", "docs/main.md"), pair("/a", "src/domain.rs")]);
        assert_eq!(index.search("", 1)[0].path, "x");
        assert!(index.search("main", 0).is_empty() && index.search("zz", 5).is_empty());
        assert!(FileIndex::default().search("a", 5).is_empty());
    }

    #[test]
    fn no_more_is_kept_than_the_limit() {
        let index = repository(MAX_FILES + 5);
        assert_eq!((index.len(), index.cut()), (MAX_FILES, Some(Cut::Entries)));
    }

    #[test]
    fn a_large_repository_is_searched_and_the_time_printed() {
        let index = repository(100_000);
        for typed in ["", "s", "provider", "pkgsesshand", "widget parser 99", "nothing fits this"] {
            let began = std::time::Instant::now();
            let found = index.search(typed, 50);
            let took = began.elapsed();
            writeln!(
                std::io::stderr(),
                "{typed:?}: {} hits in {took:?} among {} files, not optimized",
                found.len(),
                index.len()
            )
            .unwrap();
            assert!(found.is_sorted_by(|a, b| a.score >= b.score));
            assert_eq!(found.is_empty(), typed == "nothing fits this");
        }
    }

    #[tokio::test]
    async fn it_is_read_when_asked() {
        let directory = tempfile::tempdir().unwrap();
        let files = Files::default();
        std::fs::write(directory.path().join("one.rs"), "").unwrap();
        assert!(files.current().is_empty());
        assert_eq!(files.refresh(vec![directory.path().to_owned()]).await.len(), 1);
        std::fs::write(directory.path().join("two.rs"), "").unwrap();
        assert_eq!(files.current().len(), 1);
        files.refresh(vec![directory.path().to_owned()]).await;
        assert_eq!(files.current().search("two", 5)[0].root, directory.path());
    }
}
