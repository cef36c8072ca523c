//! The sections of instructions: the user's and the project's. Pure.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::fence::{escaped, fence, mark};
use super::source::{Source, Sources};
use super::text::head;

/// The most that all instructions together have, in bytes.
pub(super) const MAX_TOTAL: usize = 96 * 1024;
/// With less room than this nothing of a file is shown.
const MIN_ROOM: usize = 256;

/// How much room is left for instructions, and which texts were told already.
#[derive(Debug)]
pub(super) struct Room<'a> {
    left: usize,
    told: HashMap<&'a str, &'a str>,
}

impl Default for Room<'_> {
    fn default() -> Self {
        Self { left: MAX_TOTAL, told: HashMap::new() }
    }
}

impl<'a> Room<'a> {
    /// `files`, each in its tags; what was told before is only named.
    pub(super) fn tell(&mut self, files: impl Iterator<Item = &'a Source>) -> String {
        let mut parts = Vec::new();
        for source in files {
            let mut attributes = vec![("path", source.path.as_str())];
            if !source.scope.is_empty() {
                attributes.push(("scope", source.scope.as_str()));
            }
            if let Some(by) = &source.included_by {
                attributes.push(("included-by", by.as_str()));
            }
            if source.text.is_empty() {
                continue;
            }
            if let Some(same) = self.told.get(source.hash.as_str()) {
                attributes.push(("same-as", same));
                parts.push(mark("instructions", &attributes));
                continue;
            }
            self.told.insert(&source.hash, &source.path);
            let shown = if self.left < MIN_ROOM { "" } else { head(&source.text, self.left) };
            self.left -= shown.len();
            let text = if shown.len() < source.bytes {
                let mark = format!(
                    "[cut here: {} of {} bytes are shown; read the file for the rest]",
                    shown.len(),
                    source.bytes
                );
                format!("{shown}\n{mark}")
            } else {
                shown.to_owned()
            };
            parts.push(fence("instructions", &attributes, text.trim_start_matches('\n')));
        }
        parts.join("\n")
    }
}

/// The names of what is not shown, in a list; empty when there is none.
pub(super) fn listed(sources: &Sources) -> String {
    if sources.listed.is_empty() {
        return String::new();
    }
    let mut listed: Vec<_> = sources.listed.iter().collect();
    listed.sort_by(|a, b| a.path.cmp(&b.path));
    let mut text = include_str!("templates/listed.md").trim_end().to_owned();
    for one in listed {
        // Writing to a text does not fail.
        let _ = write!(text, "\n- `{}`: {}", escaped(&one.path), escaped(&one.holds_for));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::source::{Listed, SourceKind};
    use super::super::text::hash;
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        let (path, text, hash) = (path.to_owned(), text.to_owned(), hash(text));
        let bytes = text.len();
        Source { path, kind: SourceKind::Project, scope: String::new(), included_by: None, text, bytes, hash }
    }

    #[test]
    fn the_same_text_is_told_once() {
        let (first, mut second) = (source("AGENTS.md", "Be kind."), source("CLAUDE.md", "Be kind."));
        second.scope = "a".into();
        let text = Room::default().tell([&first, &second, &source("empty.md", "")].into_iter());
        assert_eq!(
            text,
            "<instructions path=\"AGENTS.md\">\nBe kind.\n</instructions>\n<instructions path=\"CLAUDE.md\" scope=\"a\" \
             same-as=\"AGENTS.md\"/>"
        );
    }

    #[test]
    fn the_total_is_kept_and_cuts_are_told() {
        let files: Vec<Source> =
            (0..8).map(|at| source(&format!("{at}.md"), &format!("{at} word\n").repeat(3_000))).collect();
        let mut room = Room::default();
        let text = room.tell(files.iter());
        assert!(text.len() < MAX_TOTAL + 8 * 200, "{}", text.len());
        assert!(text.contains("[cut here: 0 of 21000 bytes are shown; read the file for the rest]"));
        assert_eq!(text.matches("</instructions>").count(), 8);
    }

    #[test]
    fn what_is_not_shown_is_named() {
        let listed_one = |path: &str| Listed { path: path.into(), holds_for: "files in `a/`".into() };
        let sources = Sources { listed: vec![listed_one("b"), listed_one("a\n")], ..Sources::default() };
        assert!(listed(&sources).ends_with("there:\n- `a `: files in `a/`\n- `b`: files in `a/`"));
    }
}
