//! Holds the documentation and the program together: what the docs say is read and compared with the code.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod architecture;
mod configuration;
mod examples;
#[path = "../support/files.rs"]
mod files;
mod generated;
mod links;
mod markdown;
mod protocol;
mod providers;

use std::fs;
use std::path::Path;

/// The project's folder.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the project.
fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// README.md, if there is one, and all Markdown below docs/, as paths from the project's folder.
fn documents() -> Vec<String> {
    let mut found: Vec<_> =
        files::below(&root().join("docs"), "md").iter().map(|path| format!("docs/{path}")).collect();
    found.extend(Some("README.md".to_owned()).filter(|readme| root().join(readme).exists()));
    assert!(found.len() >= 3, "the documents were found");
    found
}
