//! A module uses only what stands below it.

use crate::lexer::{closing, words};
use crate::{Source, hold};

/// The modules at the top of the crate, the lowest level first. Within a level nothing is used sideways.
const LEVELS: &[&[&str]] = &[
    &["error"],
    &["chat"],
    &["protocol"],
    &["telemetry", "config", "net"],
    &["models", "auth", "workspace", "edit", "store"],
    &["prompt", "provider", "tools"],
    &["session"],
    &["assist"],
    &["server"],
    &["cli"],
];

fn level(module: &str) -> Option<usize> {
    LEVELS.iter().position(|level| level.contains(&module))
}

#[test]
fn a_module_uses_only_what_stands_below_it() {
    hold(upward_uses);
}

#[test]
fn every_module_has_a_level() {
    hold(without_level);
}

#[test]
fn the_binary_uses_the_command_line_only() {
    hold(|source| if source.path == "main.rs" { uses_of_main(source) } else { Vec::new() });
}

/// Uses of modules on the same level or above, in code and in its tests alike.
fn upward_uses(source: &Source) -> Vec<String> {
    let own = source.top();
    let Some(own_level) = level(own) else { return Vec::new() };
    let allowed = |name: &str| name == own || level(name).is_some_and(|other| other < own_level);
    let mut wrong = Vec::new();
    for (offset, name) in paths_from(&source.code, "crate") {
        if !allowed(&name) {
            wrong.push(format!("src/{}:{}: `{own}` may not use `crate::{name}`", source.path, source.line(offset)));
        }
    }
    for offset in supers_to_the_root(source) {
        let line = source.line(offset);
        wrong.push(format!("src/{}:{line}: `super` goes up to the crate's root; write `crate::`", source.path));
    }
    wrong
}

/// A file whose module is not in the table, and uses in `lib.rs`, which only declares.
fn without_level(source: &Source) -> Vec<String> {
    if source.path == "main.rs" {
        return Vec::new();
    }
    if source.path != "lib.rs" {
        let known = level(source.top()).is_some();
        return if known { Vec::new() } else { vec![format!("src/{}: its module has no level", source.path)] };
    }
    let all: Vec<_> = words(&source.code).collect();
    let declared: Vec<_> = all.windows(2).filter(|pair| pair[0].1 == "mod").map(|pair| pair[1].1).collect();
    let mut wrong: Vec<_> = declared
        .iter()
        .filter(|name| level(name).is_none())
        .map(|name| format!("src/lib.rs: `{name}` has no level"))
        .collect();
    if !declared.is_sorted_by_key(|name| level(name)) {
        wrong.push("src/lib.rs: the modules do not stand in the order of their levels".to_owned());
    }
    if all.iter().any(|(_, word)| matches!(*word, "use" | "fn")) {
        wrong.push("src/lib.rs: it declares modules and does nothing else".to_owned());
    }
    wrong
}

fn uses_of_main(source: &Source) -> Vec<String> {
    let mut wrong = Vec::new();
    for (_, name) in paths_from(&source.code, "souffleur") {
        if name != "cli" {
            wrong.push(format!("src/main.rs: it may use `souffleur::cli`, not `souffleur::{name}`"));
        }
    }
    if words(&source.code).any(|(_, word)| word == "mod") {
        wrong.push("src/main.rs: its modules belong into the library".to_owned());
    }
    wrong
}

/// The names that follow `root::`, those of a group `root::{a, b::c}` one by one, each with its offset.
fn paths_from(code: &str, root: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (offset, _) in words(code).filter(|(_, word)| *word == root) {
        let Some(rest) = code[offset + root.len()..].trim_start().strip_prefix("::") else {
            if is_renamed(&code[..offset], &code[offset + root.len()..]) {
                found.push((offset, "self".to_owned()));
            }
            continue;
        };
        let rest = rest.trim_start();
        let items = match rest.strip_prefix('{') {
            Some(group) => split(&group[..closing(rest, 0).map_or(group.len(), |end| end - 1)]),
            None => vec![rest],
        };
        found.extend(items.into_iter().map(|item| (offset, first_name(item))));
    }
    found
}

/// Whether the root itself is imported under another name, as in `use crate as root`.
fn is_renamed(before: &str, after: &str) -> bool {
    before.trim_end().ends_with("use") && after.trim_start().starts_with("as ")
}

/// The parts between the commas that are in no inner group.
fn split(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0usize, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// The first name of a path; `*` and the like are given back as they are.
fn first_name(path: &str) -> String {
    let path = path.trim();
    words(path)
        .next()
        .filter(|(at, _)| *at == 0)
        .map_or_else(|| path.chars().take(1).collect(), |(_, name)| name.into())
}

/// Offsets of `super::super::…` that leave the top module of their file.
fn supers_to_the_root(source: &Source) -> Vec<usize> {
    let code = &source.code;
    let folders = source.path.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count();
    let inline: Vec<_> = inline_modules(code);
    let mut found = Vec::new();
    for (offset, _) in words(code).filter(|(_, word)| *word == "super") {
        if code[..offset].trim_end().ends_with("super::") {
            continue;
        }
        let mut rest = &code[offset..];
        let mut supers = 0;
        while let Some(more) = rest.strip_prefix("super") {
            supers += 1;
            rest = more.strip_prefix("::").unwrap_or_default();
        }
        let depth = folders + inline.iter().filter(|(from, to)| (*from..*to).contains(&offset)).count();
        if supers >= depth {
            found.push(offset);
        }
    }
    found
}

/// From where to where each `mod name { … }` goes.
fn inline_modules(code: &str) -> Vec<(usize, usize)> {
    let all: Vec<_> = words(code).collect();
    let mut found = Vec::new();
    for pair in all.windows(2).filter(|pair| pair[0].1 == "mod") {
        let after = pair[1].0 + pair[1].1.len();
        let open = after + code[after..].len() - code[after..].trim_start().len();
        if code[open..].starts_with('{') {
            found.push((open, closing(code, open).unwrap_or(code.len())));
        }
    }
    found
}

#[test]
fn uses_sideways_and_upward_are_found() {
    let find = |path: &str, text: &str| {
        let name = |wrong: &String| {
            let after = wrong.split("not use `").nth(1).unwrap_or("super`");
            after.trim_end_matches('`').chars().take_while(|&c| c != '`').collect()
        };
        upward_uses(&Source::new(path, text)).iter().map(name).collect::<Vec<String>>()
    };
    let group = "use crate::{\n    chat::{self, Item},\n    server::{a, b},\n    tools,\n};\n";
    assert_eq!(find("provider/mod.rs", group), ["crate::server", "crate::tools"]);
    assert_eq!(find("config/mod.rs", "fn f() { crate::session::g(); }"), ["crate::session"]);
    assert_eq!(find("chat/a.rs", "#[cfg(test)] mod tests { use crate::protocol::X; }"), ["crate::protocol"]);
    assert_eq!(find("chat/a.rs", "use crate::*;"), ["crate::*"]);
    assert_eq!(find("chat/a.rs", "use crate as root;"), ["crate::self"]);
    assert_eq!(find("chat/a.rs", "macro_rules! m { () => { $crate::cli::x() } }"), ["crate::cli"]);
    assert_eq!(find("chat/a.rs", "use super::super::server::X;"), ["super"]);
    assert_eq!(find("error.rs", "use super::chat;"), ["super"]);

    assert_eq!(find("chat/a.rs", "use crate::{error::E, chat::b}; // crate::cli\nlet x = \"crate::cli\";"), [""; 0]);
    assert_eq!(find("error.rs", "mod tests { use super::*; }"), [""; 0]);
    assert_eq!(find("chat/mod.rs", "mod tests { use super::id::X; }"), [""; 0]);
    assert_eq!(find("provider/sim/a.rs", "use super::super::http::X;\npub(crate) fn f() {}"), [""; 0]);
}

#[test]
fn a_module_without_a_level_is_found() {
    let find = |path: &str, text: &str| without_level(&Source::new(path, text)).len();
    assert_eq!(find("helpers/mod.rs", ""), 1);
    assert_eq!(find("helpers.rs", ""), 1);
    assert_eq!(find("lib.rs", "pub mod error;\npub mod helpers;"), 2, "no level, and so no place in the order");
    assert_eq!(find("lib.rs", "pub mod chat;\npub mod error;"), 1);
    assert_eq!(find("lib.rs", "pub mod error;\npub use error::X;"), 1);
    assert_eq!(find("lib.rs", "//! use it\npub mod error;\npub mod chat;"), 0);
}

#[test]
fn what_the_binary_may_not_use_is_found() {
    let find = |text: &str| uses_of_main(&Source::new("main.rs", text)).len();
    assert_eq!(find("fn main() { souffleur::server::serve(); }"), 1);
    assert_eq!(find("use souffleur::{cli, chat};"), 1);
    assert_eq!(find("mod helpers;"), 1);
    assert_eq!(find("fn main() -> X { souffleur::cli::main() }"), 0);
}
