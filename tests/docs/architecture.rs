//! Each invariant of `docs/architecture.md` names a test that exists.

use std::fs;

use crate::markdown::{code, rows, sections};
use crate::{read, root};

const DOCUMENT: &str = "docs/architecture.md";

#[test]
fn each_invariant_names_tests_that_exist() {
    let document = read(DOCUMENT);
    let invariants = invariants(&document);
    assert!(invariants.len() >= 10, "the invariants were found");
    let wrong: Vec<_> = invariants.iter().flat_map(|invariant| without_test(invariant)).collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn the_map_has_every_module() {
    let document = read(DOCUMENT);
    let sections = sections(&document);
    let map = sections.iter().find(|section| section.heading == "The map").unwrap();
    let rows = rows(&map.lines);
    let named: Vec<_> = rows.iter().flat_map(|row| code(row[0])).collect();
    let declared: Vec<_> = read("src/lib.rs").lines().filter_map(module).collect();
    assert!(declared.len() >= 3, "the modules were found");
    for name in declared {
        assert!(named.contains(&name.as_str()), "{DOCUMENT}: the map lacks `{name}`");
    }
}

fn module(line: &str) -> Option<String> {
    line.strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned)
}

/// Each line that begins with `Invariant:`, with the lines of its paragraph that follow it.
fn invariants(document: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut inside = false;
    for line in document.lines() {
        if line.starts_with("Invariant:") {
            found.push(String::new());
            inside = true;
        }
        inside &= !line.trim().is_empty();
        if let Some(last) = found.last_mut().filter(|_| inside) {
            last.push_str(line);
            last.push(' ');
        }
    }
    found
}

/// What is wrong with the tests that an invariant names.
fn without_test(invariant: &str) -> Vec<String> {
    let held = invariant.split_once("Held by").map_or("", |(_, held)| held);
    let names = code(held);
    if names.is_empty() {
        return vec![format!("no test is named: {invariant}")];
    }
    names.iter().filter(|name| !exists(name)).map(|name| format!("there is no test `{name}`: {invariant}")).collect()
}

/// Whether `name`, as `file::test`, is a test of that file.
fn exists(name: &str) -> bool {
    let Some((file, test)) = name.split_once("::") else { return false };
    let Ok(source) = fs::read_to_string(root().join(file)) else { return false };
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let declares = |line: &str| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("fn ").and_then(|rest| rest.split('(').next()) == Some(test)
    };
    let is_test = |at: usize| {
        lines[..at].iter().rev().take_while(|line| line.starts_with("#[")).any(|line| line.contains("test"))
    };
    let declared_in = |at: usize| declares(lines[at]) && is_test(at);
    // A property test stands in a macro, which adds the attribute.
    (0..lines.len()).any(|at| declared_in(at) || (declares(lines[at]) && lines.contains(&"proptest! {")))
}

#[test]
fn an_invariant_without_its_test_is_found() {
    let own = "tests/docs/architecture.rs";
    let wrong = |held: &str| without_test(&format!("x. Held by {held}")).len();
    assert_eq!(wrong(&format!("`{own}::each_invariant_names_tests_that_exist`.")), 0);
    assert_eq!(wrong(&format!("`{own}::nothing`, `{own}::exists`, `nowhere.rs::x`, `PENDING`.")), 4);
    assert_eq!(wrong("nothing at all."), 1);
    assert_eq!(without_test("x.").len(), 1);
    assert_eq!(invariants("a\nInvariant: b\nc\nInvariant: d\n\ne"), ["Invariant: b c ", "Invariant: d "]);
}
