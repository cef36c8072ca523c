//! What only certain modules may touch.

use crate::lexer::words;
use crate::{Source, hold};

/// Vendors with a folder under `src/provider/`.
const VENDORS: &[&str] = &["anthropic", "openai", "ollama"];

#[test]
fn only_the_command_line_and_the_stdio_loop_write_to_stdout() {
    hold(writes_to_stdout);
}

#[test]
fn only_the_server_knows_lsp() {
    hold(knows_lsp);
}

#[test]
fn only_providers_and_credentials_use_http() {
    hold(uses_http);
}

#[test]
fn only_the_store_knows_its_database() {
    hold(knows_the_database);
}

#[test]
fn a_vendors_types_never_leave_the_providers() {
    hold(names_a_vendor);
}

#[test]
fn each_level_opens_with_what_it_is_for() {
    hold(without_purpose);
    let levels = crate::sources().iter().filter(|source| is_level(source)).count();
    assert!(levels >= 2, "the levels were found");
}

fn found(source: &Source, offset: usize, what: &str) -> String {
    format!("src/{}:{}: {what}", source.path, source.line(offset))
}

/// Macros that print, and the standard output itself. (`child.stdout` is a pipe and may be used.)
fn writes_to_stdout(source: &Source) -> Vec<String> {
    if source.path.starts_with("cli/") || source.path == "cli.rs" {
        return Vec::new();
    }
    let mut wrong = Vec::new();
    for (offset, word) in words(&source.code) {
        let (before, after) = (source.code[..offset].trim_end(), source.code[offset + word.len()..].trim_start());
        let prints = matches!(word, "println" | "print" | "eprintln" | "eprint" | "dbg") && after.starts_with('!');
        let opens = matches!(word, "stdout" | "Stdout" | "raw_stdout" | "take_stdout")
            && !before.ends_with('.')
            && (before.ends_with("::") || after.starts_with('('));
        if prints || (opens && source.path != "server/stdio.rs") {
            wrong.push(found(source, offset, &format!("`{word}` outside of src/cli/")));
        }
    }
    wrong
}

fn knows_lsp(source: &Source) -> Vec<String> {
    outside(source, &["server/"], &["tower_lsp", "tower_lsp_server", "ls_types", "lsp_types"])
}

fn uses_http(source: &Source) -> Vec<String> {
    outside(source, &["net/", "provider/", "auth/"], &["reqwest"])
}

fn knows_the_database(source: &Source) -> Vec<String> {
    outside(source, &["store/"], &["rusqlite", "libsqlite3_sys"])
}

/// Uses of `names` in files that are in none of `folders`.
fn outside(source: &Source, folders: &[&str], names: &[&str]) -> Vec<String> {
    if folders.iter().any(|folder| source.path.starts_with(folder)) {
        return Vec::new();
    }
    let uses = words(&source.code).filter(|(_, word)| names.contains(word));
    uses.map(|(offset, word)| found(source, offset, &format!("`{word}` outside of {folders:?}"))).collect()
}

fn names_a_vendor(source: &Source) -> Vec<String> {
    if source.path.starts_with("provider/") {
        return Vec::new();
    }
    let is_path = |offset: usize, word: &str| {
        let (before, after) = (&source.code[..offset], &source.code[offset + word.len()..]);
        after.starts_with("::") || before.ends_with("provider::")
    };
    words(&source.code)
        .filter(|(offset, word)| VENDORS.contains(word) && is_path(*offset, word))
        .map(|(offset, word)| found(source, offset, &format!("`{word}::` outside of src/provider/")))
        .collect()
}

fn is_level(source: &Source) -> bool {
    source.path.split('/').count() == 2 && source.path.ends_with("/mod.rs")
}

/// A level whose `mod.rs` does not open with its purpose, what it owns and what it must not know.
fn without_purpose(source: &Source) -> Vec<String> {
    if !is_level(source) {
        return Vec::new();
    }
    let opening: Vec<_> = source.text.lines().take_while(|line| line.starts_with("//!")).collect();
    let opening = opening.join("\n");
    ["*For*", "*Owns*", "*Must not know*"]
        .iter()
        .filter(|part| !opening.contains(&format!("\n//! {part}: ")))
        .map(|part| format!("src/{}: its opening comment has no line `{part}: …`", source.path))
        .collect()
}

#[test]
fn writing_to_stdout_is_found() {
    let find = |path: &str, text: &str| writes_to_stdout(&Source::new(path, text)).len();
    for bad in [
        "println!(\"x\")",
        "std::print ! (\"x\")",
        "eprintln!()",
        "std::io::stdout().lock()",
        "use tokio::io::{stdin, stdout}; let x = stdout();",
    ] {
        assert_eq!(find("chat/a.rs", bad), 1, "{bad}");
        assert_eq!(find("cli/ask.rs", bad), 0, "{bad}");
    }
    assert_eq!(find("server/stdio.rs", "println!(\"x\"); tokio::io::stdout()"), 1);
    assert_eq!(find("tools/a.rs", "command.stdout(Stdio::piped()); child.stdout.take(); writeln!(x)"), 0);
    assert_eq!(find("tools/a.rs", "/// println!(\"x\")\nlet x = \"println!()\";"), 0);
}

#[test]
fn reaching_for_what_belongs_to_others_is_found() {
    let lsp = |path: &str| knows_lsp(&Source::new(path, "use tower_lsp::ls_types::Uri;")).len();
    assert_eq!((lsp("session/a.rs"), lsp("server/a.rs")), (2, 0));
    let http = |path: &str| uses_http(&Source::new(path, "fn f(client: reqwest::Client) {}")).len();
    assert_eq!((http("cli/a.rs"), http("provider/http.rs"), http("auth/a.rs")), (1, 0, 0));
    let database = |path: &str| knows_the_database(&Source::new(path, "use rusqlite::Connection;")).len();
    assert_eq!((database("session/a.rs"), database("store/load.rs")), (1, 0));
    let vendor = |text: &str| names_a_vendor(&Source::new("session/a.rs", text)).len();
    assert_eq!(vendor("crate::provider::anthropic::wire::Event"), 1);
    assert_eq!(vendor("use crate::provider::anthropic;"), 1);
    assert_eq!(vendor("let model = \"anthropic::x\"; let anthropic = 1;"), 0);
}

#[test]
fn a_level_without_its_purpose_is_found() {
    let find = |path: &str, text: &str| without_purpose(&Source::new(path, text)).len();
    assert_eq!(
        find("edit/mod.rs", "//! Edits.\n//!\n//! *For*: x\n//! *Owns*: y\nmod a;\n//! *Must not know*: z\n"),
        1
    );
    assert_eq!(find("edit/mod.rs", "mod a;\n"), 3);
    assert_eq!(
        find("edit/mod.rs", "//! Edits.\n//!\n//! *For*: x\n//! *Owns*: y\n//! *Must not know*: z\nmod a;\n"),
        0
    );
    assert_eq!(find("edit/diff/mod.rs", "mod a;\n"), 0);
}
