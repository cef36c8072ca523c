//! Holds what `docs/architecture.md` says about the source: who may use whom, and how large things may grow.
//!
//! Each rule is a function from a file to what is wrong in it, a test that runs it over `src/`, and a test that it
//! finds what is wrong in a small bad sample.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/files.rs"]
mod files;
mod layers;
mod lexer;
mod reach;
mod size;

use std::fs;
use std::path::Path;

/// One file of `src/`.
struct Source {
    /// Its path below `src/`, with slashes: `chat/mod.rs`.
    path: String,
    /// All of it.
    text: String,
    /// The same with comments and the insides of literals blanked; every line and column stays where it was.
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), code: lexer::blanked(text) }
    }

    /// The module at the top of the crate that the file belongs to.
    fn top(&self) -> &str {
        let first = self.path.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The number of the line, counted from 1, that `offset` is in.
    fn line(&self, offset: usize) -> usize {
        self.code[..offset].matches('\n').count() + 1
    }
}

/// All files of `src/`, in the order of their paths.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = |path: &String| Source::new(path, &fs::read_to_string(root.join(path)).unwrap());
    files::below(&root, "rs").iter().map(read).collect()
}

/// Runs `rule` over all of `src/` and fails with everything it finds.
fn hold(rule: impl Fn(&Source) -> Vec<String>) {
    let sources = sources();
    assert!(sources.iter().any(|source| source.path == "lib.rs"), "src/ was read");
    let wrong: Vec<String> = sources.iter().flat_map(rule).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
