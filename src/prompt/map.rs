//! The map of a project, within a budget. Pure.

use std::fmt::Write as _;

use super::fence::fence;
use super::source::{Source, SourceKind, Sources};
use super::text::head;
use super::tree::tree;
use crate::workspace::{Cut, Entry, Symbol, SymbolKind};

/// What fences and headings around the parts take, in bytes.
const OVERHEAD: usize = 240;
/// With less room than this a part is left out.
const MIN_ROOM: usize = 120;
/// How many bytes of a file's symbols are shown.
const MAX_OUTLINE: usize = 1_200;

/// What a file declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// The path from the workspace folder.
    pub path: String,
    /// Its place among the files that say most about the project, from 0.
    pub rank: usize,
    /// What it declares.
    pub symbols: Vec<Symbol>,
}

/// What a map is made of, besides the manifests and the README, which are sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapFacts {
    /// Files and folders.
    pub entries: Vec<Entry>,
    /// Why there may be more.
    pub cut: Option<Cut>,
    /// What the most telling files declare.
    pub outlines: Vec<Outline>,
}

/// The map, about `tokens` long at most; nothing when there is nothing to show.
pub(super) fn map(facts: &MapFacts, sources: &Sources, tokens: usize) -> Option<String> {
    let heading = include_str!("templates/map.md").trim_end();
    let mut left = (tokens * 4).checked_sub(heading.len() + OVERHEAD)?;
    let mut parts = vec![heading.to_owned()];
    // Each part may have its share of what is left, so that what one does not need goes to the next.
    let of_kind = |kind: SourceKind| sorted(sources.files.iter().filter(move |source| source.kind == kind));
    let manifests = of_kind(SourceKind::Manifest);
    let share = left / 4;
    take(&mut parts, &mut left, excerpts("manifest", &manifests, share));
    let share = left / 4;
    take(&mut parts, &mut left, excerpts("readme", &of_kind(SourceKind::Readme), share));
    let files = tree(&facts.entries, if facts.outlines.is_empty() { left } else { left / 2 });
    if !files.is_empty() {
        let note = match facts.cut {
            None => "",
            Some(Cut::Depth | Cut::Entries) => "\n(not all files were counted)",
            Some(Cut::Time) => "\n(not all files were counted: it took too long)",
        };
        take(&mut parts, &mut left, fence("tree", &[], &format!("{files}{note}")));
    }
    let outline = outlines(&facts.outlines, left);
    take(&mut parts, &mut left, outline);
    (parts.len() > 1).then(|| parts.join("\n"))
}

fn take(parts: &mut Vec<String>, left: &mut usize, part: String) {
    *left = left.saturating_sub(part.len());
    if !part.is_empty() {
        parts.push(part);
    }
}

fn sorted<'a>(sources: impl Iterator<Item = &'a Source>) -> Vec<&'a Source> {
    let mut sources: Vec<_> = sources.filter(|source| !source.text.is_empty()).collect();
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

fn excerpts(tag: &str, sources: &[&Source], bytes: usize) -> String {
    let mut parts = Vec::new();
    let mut left = bytes;
    for (at, source) in sources.iter().enumerate() {
        let share = left / (sources.len() - at);
        let frame = 2 * tag.len() + source.path.len() + 80;
        let Some(room) = share.checked_sub(frame).filter(|room| *room >= MIN_ROOM) else { continue };
        let shown = head(&source.text, room);
        let more = if shown.len() < source.bytes { "\n[cut here]" } else { "" };
        let part = fence(tag, &[("path", &source.path)], &format!("{shown}{more}"));
        left = left.saturating_sub(part.len() + 1);
        parts.push(part);
    }
    parts.join("\n")
}

fn outlines(outlines: &[Outline], bytes: usize) -> String {
    let Some(room) = bytes.checked_sub(MIN_ROOM) else { return String::new() };
    let mut ranked: Vec<_> = outlines.iter().collect();
    ranked.sort_by(|a, b| a.rank.cmp(&b.rank).then_with(|| a.path.cmp(&b.path)));
    let mut text = String::new();
    for outline in ranked {
        let lines = outline_text(outline);
        if text.len() + lines.len() <= room {
            text.push_str(&lines);
        }
    }
    if text.is_empty() { text } else { fence("symbols", &[], &text) }
}

/// The file's path, then its symbols, separated by commas: lines would cost more than they say.
fn outline_text(outline: &Outline) -> String {
    let mut text = format!("{}: ", outline.path);
    let mut is_first = true;
    for symbol in &outline.symbols {
        // What stands within something else is most often a detail of it.
        if symbol.indent > 0 && symbol.kind != SymbolKind::Function {
            continue;
        }
        let word = if symbol.word.is_empty() { String::new() } else { format!("{} ", symbol.word) };
        let between = if is_first { "" } else { ", " };
        if text.len() + word.len() + symbol.name.len() > MAX_OUTLINE {
            text.push_str(", …");
            break;
        }
        // Writing to a text does not fail.
        let _ = write!(text, "{between}{word}{}", symbol.name);
        is_first = false;
    }
    text.push('\n');
    text
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
