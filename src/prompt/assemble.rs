//! From what was read to the sections of a system prompt. Pure: the same facts give the same bytes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::environment::Environment;
use super::instructions::{Room, listed};
use super::map::{MapFacts, map};
use super::mode::Mode;
use super::source::{Origin, Problem, SourceKind, Sources};
use super::text::{clean, cut, estimate_tokens, hash};

/// The most of one section of the user's own, in bytes.
const MAX_OWN: usize = 32 * 1024;

/// What a prompt is made of.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The mode.
    pub mode: &'a Mode,
    /// Where the work happens.
    pub environment: &'a Environment,
    /// The files that were read.
    pub sources: &'a Sources,
    /// What the map is made of besides.
    pub map: Option<&'a MapFacts>,
    /// The user's own sections, in the user's order.
    pub own: &'a [OwnSection],
    /// How long the map may be, in tokens as estimated; 0 for none.
    pub map_tokens: usize,
}

/// A section that the user wrote, for instance in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSection {
    /// Its title.
    pub title: String,
    /// Its text.
    pub text: String,
}

/// A part of a system prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Its name: `base`, `mode`, `user`, `environment`, `instructions`, `map`, `own1`.
    pub id: String,
    /// Its title, for people.
    pub title: String,
    /// Where it comes from: paths of files, `template base.md`, or nothing for facts about the place.
    pub sources: Vec<String>,
    /// What the model is told.
    pub text: String,
    /// How long it is, as estimated.
    pub tokens: usize,
    /// The SHA-256 of its text, in hexadecimal digits.
    pub hash: String,
}

/// A system prompt, frozen: what a session says first in every request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefix {
    /// Its sections, from what all requests share to what few do.
    pub sections: Vec<Section>,
    /// The SHA-256 over all of them, in hexadecimal digits.
    pub fingerprint: String,
    /// What it was made of. See [`super::drift`].
    pub sources: Sources,
    /// What could not be used as it is.
    pub problems: Vec<Problem>,
}

impl Prefix {
    /// The texts of the sections, as a request has them.
    pub fn texts(&self) -> Arc<[String]> {
        self.sections.iter().map(|section| section.text.clone()).collect()
    }

    /// How long it is, as estimated.
    pub fn tokens(&self) -> usize {
        self.sections.iter().map(|section| section.tokens).sum()
    }
}

/// Makes the prompt. What is the same for all stands first, what belongs to one project after it, so that as much as can
/// be is shared by the caches of providers.
pub fn assemble(facts: &Facts<'_>) -> Prefix {
    let mut sections = Sections::default();
    let template = |name: &str| vec![format!("template {name}")];
    sections.add("base", "Base instructions", template("base.md"), include_str!("templates/base.md").trim_end());
    let mode = facts.mode;
    let source = match (mode.origin, &mode.path) {
        (Origin::BuiltIn, _) | (_, None) => template(&format!("{}.md", mode.name)),
        (_, Some(path)) => vec![path.clone()],
    };
    sections.add("mode", &format!("Mode {}", mode.name), source, &mode.instructions);

    let mut room = Room::default();
    let files =
        |kinds: &'static [SourceKind]| facts.sources.files.iter().filter(move |file| kinds.contains(&file.kind));
    let paths = |kinds| files(kinds).map(|file| file.path.clone()).collect::<Vec<_>>();
    let of_user = room.tell(files(&[SourceKind::User]));
    if !of_user.is_empty() {
        let text = format!("{}\n{of_user}", include_str!("templates/user.md").trim_end());
        sections.add("user", "The user's instructions", paths(&[SourceKind::User]), &text);
    }
    sections.add("environment", "Environment", Vec::new(), &facts.environment.to_text());

    let kinds = &[SourceKind::Project, SourceKind::Nested];
    let parts = [room.tell(files(kinds)), listed(facts.sources)];
    let parts: Vec<_> = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
    if !parts.is_empty() {
        let text = format!("{}\n{}", include_str!("templates/instructions.md").trim_end(), parts.join("\n"));
        sections.add("instructions", "The project's instructions", paths(kinds), &text);
    }
    if let Some(text) = facts.map.and_then(|found| map(found, facts.sources, facts.map_tokens)) {
        sections.add("map", "Map of the project", paths(&[SourceKind::Manifest, SourceKind::Readme]), &text);
    }
    for (at, own) in facts.own.iter().enumerate() {
        let (title, text) = (clean(&own.title).replace('\n', " "), clean(&own.text));
        if !text.is_empty() {
            let text = format!("# {title}\n{}", cut(&text, MAX_OWN));
            sections.add(&format!("own{}", at + 1), &title, Vec::new(), &text);
        }
    }
    sections.freeze(facts.sources)
}

#[derive(Default)]
struct Sections(Vec<Section>);

impl Sections {
    fn add(&mut self, id: &str, title: &str, sources: Vec<String>, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        let (tokens, hash) = (estimate_tokens(text), hash(text));
        self.0.push(Section {
            id: id.to_owned(),
            title: title.to_owned(),
            sources,
            text: text.to_owned(),
            tokens,
            hash,
        });
    }

    fn freeze(self, sources: &Sources) -> Prefix {
        let all: Vec<String> = self.0.iter().map(|section| format!("{} {}\n", section.id, section.hash)).collect();
        let (sources, problems) = (sources.clone(), sources.problems.clone());
        Prefix { sections: self.0, fingerprint: hash(&all.concat()), sources, problems }
    }
}

#[cfg(test)]
#[path = "assemble_tests.rs"]
mod tests;
