//! `docs/protocol.md` has what the table of methods and the error codes have.

use std::collections::BTreeSet;

use serde_json::Value;
use souffleur::error::ErrorCode;
use souffleur::protocol::export::{Format, export};
use souffleur::protocol::{Direction, METHODS, MethodInfo, MethodKind, PROTOCOL_VERSION};

use crate::files::below;
use crate::markdown::{Section, code, rows, sections};
use crate::{read, root};

pub const DOCUMENT: &str = "docs/protocol.md";

/// The method whose section this is, by its heading.
pub fn method_of(section: &Section) -> Option<&'static str> {
    let name = section.heading.strip_prefix('`')?.strip_suffix('`')?;
    METHODS.iter().map(|method| method.name).find(|method| *method == name)
}

#[test]
fn methods_and_sections_are_the_same_set() {
    let document = read(DOCUMENT);
    let is_name = |heading: &&str| heading.starts_with("`souffleur/") || heading.starts_with("`$/");
    let mut headings: Vec<_> = sections(&document).iter().map(|section| section.heading).filter(is_name).collect();
    let mut names: Vec<_> = METHODS.iter().map(|method| format!("`{}`", method.name)).collect();
    headings.sort_unstable();
    names.sort_unstable();
    assert_eq!(headings, names);
}

#[test]
fn each_section_says_what_the_table_says() {
    let document = read(DOCUMENT);
    for method in METHODS {
        let sections = sections(&document);
        let section = sections.iter().find(|section| method_of(section) == Some(method.name)).unwrap();
        for line in facts(method) {
            assert!(section.lines.contains(&line.as_str()), "{}: no line `{line}`", method.name);
        }
        if let Some(errors) = section.lines.iter().find_map(|line| line.strip_prefix("- Errors: ")) {
            for name in code(errors) {
                assert!(ErrorCode::ALL.iter().any(|code| code.as_str() == name), "{}: {name}", method.name);
            }
        } else {
            assert!(method.kind == MethodKind::Notification, "{}: no line of errors", method.name);
        }
    }
}

/// What a method's section says in a line of its own.
fn facts(method: &MethodInfo) -> Vec<String> {
    let direction = match method.direction {
        Direction::ClientToServer => "- Direction: client to server",
        Direction::ServerToClient => "- Direction: server to client",
    };
    let kind = match method.kind {
        MethodKind::Request => "- Kind: request",
        MethodKind::Notification => "- Kind: notification",
    };
    let result = method.result.map(|name| format!("- Result: `{name}`"));
    let params = format!("- Params: `{}`", method.params);
    [direction.to_owned(), kind.to_owned(), params].into_iter().chain(result).collect()
}

#[test]
fn the_table_of_error_codes_is_true() {
    let document = read(DOCUMENT);
    let sections = sections(&document);
    let section = sections.iter().find(|section| section.heading == "Error codes").unwrap();
    let written: Vec<_> = rows(&section.lines).into_iter().map(|row| row.join(" | ")).collect();
    let schema: Value = serde_json::from_str(&export(Format::JsonSchema).remove(0).text).unwrap();
    let meanings = schema["$defs"]["ErrorCode"]["oneOf"].as_array().unwrap();
    let expected: Vec<_> = ErrorCode::ALL
        .iter()
        .map(|code| {
            let meaning = meanings.iter().find(|entry| entry["const"] == code.as_str()).unwrap();
            let retryable = if code.is_retryable() { "yes" } else { "no" };
            format!("`{code}` | {} | {retryable}", meaning["description"].as_str().unwrap())
        })
        .collect();
    assert_eq!(written, expected);
}

/// The codes of notices that stand in the sources.
fn notices() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in below(&root().join("src/provider"), "rs").iter().filter(|path| !path.ends_with("_tests.rs")) {
        let text = read(&format!("src/provider/{path}"));
        for before in ["warning(", ".tell(", "code: "] {
            let words = text.split(before).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
            found.extend(words.filter_map(|word| Some(word.split_once('"')?.0.to_owned())));
        }
    }
    found.retain(|code| code.contains('.') && !code.contains(' '));
    found
}

#[test]
fn the_table_of_notices_is_true() {
    let document = read(DOCUMENT);
    let sections = sections(&document);
    let is_table = |section: &&Section| section.lines.contains(&"| Code | When |");
    let section = sections.iter().find(is_table).unwrap();
    let written: Vec<_> = rows(&section.lines).into_iter().map(|row| code(row[0])[0].to_owned()).collect();
    let sources = notices();
    assert!(sources.len() >= 10, "the codes were found");
    assert_eq!(written, sources.into_iter().collect::<Vec<_>>());
}

#[test]
fn the_version_is_the_programs() {
    let line = format!("Protocol version: {PROTOCOL_VERSION}");
    assert!(read(DOCUMENT).lines().any(|written| written == line), "no line `{line}`");
}
