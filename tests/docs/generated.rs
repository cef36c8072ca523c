//! The committed copies of the exported files are the ones that this program writes.

use souffleur::protocol::export::{Format, export};

use crate::read;

/// Where the copies of each format lie.
fn folder(format: Format) -> &'static str {
    match format {
        Format::JsonSchema => "docs",
        Format::TypeScript => "editors/vscode/src",
        Format::Lua => "editors/nvim/lua/souffleur",
    }
}

#[test]
fn exported_files_are_fresh() {
    let mut stale = Vec::new();
    for &format in Format::ALL {
        let folder = folder(format);
        for file in export(format) {
            if is_stale(&read(&format!("{folder}/{}", file.name)), &file.text) {
                stale.push(format!("cargo run -- export {} --out {folder}", format.name()));
            }
        }
    }
    assert!(stale.is_empty(), "stale; to renew, run:\n{}\n", stale.join("\n"));
}

/// Whether a copy differs in more than the line endings that a checkout may have changed.
fn is_stale(copy: &str, text: &str) -> bool {
    copy.replace("\r\n", "\n") != text
}

#[test]
fn a_stale_copy_is_found() {
    assert!(is_stale("a\n", "b\n"));
    assert!(!is_stale("a\r\n", "a\n"));
}
