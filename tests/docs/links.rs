//! Links lead somewhere, and nothing is left unsaid.

use std::path::{Component, Path, PathBuf};

use crate::markdown::sections;
use crate::{documents, read, root};

#[test]
fn every_relative_link_leads_to_a_file_and_its_heading() {
    let broken: Vec<_> = documents().iter().flat_map(|path| broken_links(path, &read(path))).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

#[test]
fn no_document_has_a_note_to_its_author() {
    let left: Vec<_> = documents().iter().flat_map(|path| notes(path, &read(path))).collect();
    assert!(left.is_empty(), "\n{}\n", left.join("\n"));
}

fn broken_links(path: &str, document: &str) -> Vec<String> {
    let prose: Vec<_> = sections(document).into_iter().flat_map(|section| section.lines).collect();
    let prose = prose.join("\n");
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let relative = targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:"));
    relative.filter(|target| !leads(path, document, target)).map(|target| format!("{path}: {target}")).collect()
}

fn leads(path: &str, document: &str, target: &str) -> bool {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    if file.is_empty() {
        return has_heading(document, anchor);
    }
    let target = below_root(&Path::new(path).parent().unwrap_or(Path::new("")).join(file));
    let Some(target) = target.filter(|target| root().join(target).exists()) else { return false };
    anchor.is_empty() || has_heading(&read(target.to_str().unwrap()), anchor)
}

/// `path` without `..`; nothing when it leaves the project.
fn below_root(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir if clean.pop() => {}
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(clean)
}

fn has_heading(document: &str, anchor: &str) -> bool {
    sections(document).iter().any(|section| slug(section.heading) == anchor)
}

/// A heading as the anchor that GitHub makes of it.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn notes(path: &str, document: &str) -> Vec<String> {
    let is_note = |word: &str| matches!(word, "TODO" | "FIXME" | "TBD" | "XXX");
    let has_note = |line: &str| line.split(|c: char| !c.is_alphanumeric()).any(is_note);
    let numbered = document.lines().enumerate().filter(|(_, line)| has_note(line));
    numbered.map(|(number, line)| format!("{path}:{}: {line}", number + 1)).collect()
}

#[test]
fn broken_links_are_found() {
    let find = |text: &str| broken_links("docs/architecture.md", text).len();
    assert_eq!(find("[a](nowhere.md) [b](../src/nothing.rs) [c](#nothing) [d](protocol.md#nothing)"), 4);
    assert_eq!(find("[a](../../outside.md)"), 1);
    assert_eq!(find("[a](protocol.md) [b](../Cargo.toml) [c](https://example.org/x)\n# A heading\n[d](#a-heading)"), 0);
    assert_eq!(find("[a](protocol.md#souffleursessionnew)"), 0);
}

#[test]
fn notes_are_found() {
    assert_eq!(notes("a.md", "fine\nx TODO: y\n(FIXME)"), ["a.md:2: x TODO: y", "a.md:3: (FIXME)"]);
    assert_eq!(notes("a.md", "todos are fine"), [""; 0]);
}
