//! Reading a project's files for its prompt. All input is here; what is made of it is pure.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::environment::read_branch;
use super::front_matter::FrontMatter;
use super::include::{is_surely_path, references};
use super::map::MapFacts;
use super::outline::read_outlines;
use super::read::{Reader, relative};
use super::source::{Listed, Problem, Source, SourceKind, Sources};
use super::text::{hash, head};
use crate::workspace::{WalkLimits, Workspace, lexical, walk};

/// The most of one file of instructions that a prompt has, in bytes.
pub const MAX_FILE: usize = 32 * 1024;
/// The same of a file of a folder below the session's.
const MAX_NESTED: usize = 4 * 1024;
/// How many files of folders below the session's are in a prompt; more are only named.
const MAX_NESTED_FILES: usize = 16;
/// How many are named.
const MAX_LISTED: usize = 60;
/// The most of a manifest and of the beginning of a README, in bytes.
const MAX_EXCERPT: usize = 4 * 1024;
/// How deep includes go, and how many files one file brings in at most.
const MAX_DEPTH: usize = 5;
const MAX_INCLUDES: usize = 50;
/// How many files of one folder of rules are read.
const MAX_RULES: usize = 100;

/// Names of files that hold instructions, in the order in which they are told.
const INSTRUCTIONS: [&str; 3] = ["AGENTS.md", "CLAUDE.md", ".github/copilot-instructions.md"];
/// Names of the user's own files of instructions, in the user's configuration directory.
const OF_USER: [&str; 2] = ["AGENTS.md", "instructions.md"];
/// Files that say what a project is.
const MANIFESTS: &[&str] = &[
    "Cargo.toml",
    "package.json",
    "pyproject.toml",
    "go.mod",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "CMakeLists.txt",
    "Makefile",
    "composer.json",
    "Gemfile",
    "mix.exs",
    "Package.swift",
    "build.zig",
    "deno.json",
];
/// Files that tell people about a project; the first that is there is taken.
const READMES: [&str; 5] = ["README.md", "readme.md", "Readme.md", "README.rst", "README"];

/// What a prompt is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The folder of the session: a workspace folder, or one below.
    pub root: Option<PathBuf>,
    /// The user's configuration directory.
    pub user: Option<PathBuf>,
    /// The user's home directory, for `@~/…` in the user's own files.
    pub home: Option<PathBuf>,
}

/// What was read for a new prompt.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// The files.
    pub sources: Sources,
    /// What the project map is made of besides; nothing without a folder.
    pub map: Option<MapFacts>,
}

/// Reads what a new prompt is made of. What cannot be used is a problem of its [`Sources`], never a failure.
pub async fn gather(workspace: &Arc<Workspace>, place: &Place) -> Gathered {
    let Some((folder, root)) = folders(workspace, place) else {
        return Gathered { sources: read_sources(workspace, place, &[]).await, map: None };
    };
    let walked = {
        let folder = folder.clone();
        let walking = tokio::task::spawn_blocking(move || walk(&folder, &WalkLimits::default()));
        walking.await.unwrap_or_default()
    };
    let below = relative(&folder, &root);
    let nested: Vec<String> = nested_files(walked.entries.iter().map(|entry| entry.path.as_str()), &below);
    let sources = read_sources(workspace, place, &nested).await;
    let outlines = read_outlines(workspace, &folder, &below, &walked.entries).await;
    Gathered { sources, map: Some(MapFacts { entries: walked.entries, cut: walked.cut, outlines }) }
}

/// Reads the files of a prompt again, and those that came to places where instructions are looked for. Folders below the
/// session's are not searched anew: `before` says which files there are.
pub async fn gather_again(workspace: &Arc<Workspace>, place: &Place, before: &Sources) -> Sources {
    let is_nested = |source: &&Source| source.kind == SourceKind::Nested && source.included_by.is_none();
    let read = before.files.iter().filter(is_nested).map(|source| source.path.clone());
    let named = before.listed.iter().map(|listed| listed.path.clone());
    let nested: Vec<String> = read.chain(named.filter(|path| is_instructions(path))).collect();
    read_sources(workspace, place, &nested).await
}

/// The workspace folder of the session, and the session's own.
fn folders(workspace: &Arc<Workspace>, place: &Place) -> Option<(PathBuf, PathBuf)> {
    let root = place.root.clone()?;
    let roots = workspace.roots.all();
    let around = roots.iter().filter_map(|other| other.path.clone()).filter(|other| root.starts_with(other));
    Some((around.max_by_key(|other| other.components().count())?, root))
}

fn is_instructions(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    INSTRUCTIONS[..2].contains(&name)
}

/// The files of instructions in `paths` that no folder between the workspace's and `below` holds: those nearest first.
fn nested_files<'a>(paths: impl Iterator<Item = &'a str>, below: &str) -> Vec<String> {
    let on_the_way = |folder: &str| folder.is_empty() || below == folder || below.starts_with(&format!("{folder}/"));
    let nested = paths.filter(|path| is_instructions(path)).filter(|path| !on_the_way(folder_of(path)));
    let mut nested: Vec<String> = nested.map(str::to_owned).collect();
    nested.sort_by(|a, b| a.matches('/').count().cmp(&b.matches('/').count()).then(a.cmp(b)));
    nested
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

async fn read_sources(workspace: &Arc<Workspace>, place: &Place, nested: &[String]) -> Sources {
    let mut gathering = Gathering { place, sources: Sources::default(), seen: HashSet::new() };
    if let Some(user) = &place.user {
        for name in OF_USER {
            gathering.instructions(&Reader::User, &user.join(name), SourceKind::User, "").await;
        }
    }
    if let Some((folder, root)) = folders(workspace, place) {
        let reader = Reader::Workspace(workspace.clone(), folder.clone());
        let mut way: Vec<&Path> = root.ancestors().take_while(|above| above.starts_with(&folder)).collect();
        way.reverse();
        for directory in way {
            gathering.directory(&reader, directory, &relative(&folder, directory)).await;
        }
        gathering.nested(&reader, &folder, &relative(&folder, &root), nested).await;
        gathering.excerpts(&reader, &root).await;
        gathering.sources.branch = read_branch(&root).await;
    }
    let problems = &mut gathering.sources.problems;
    problems.sort();
    problems.dedup();
    gathering.sources
}

struct Gathering<'a> {
    place: &'a Place,
    sources: Sources,
    /// Files that were included or read already, by where they are when links are followed, with what they hold for.
    seen: HashSet<(PathBuf, String)>,
}

impl Gathering<'_> {
    /// All instructions of one folder.
    async fn directory(&mut self, reader: &Reader, directory: &Path, scope: &str) {
        for name in INSTRUCTIONS {
            self.instructions(reader, &directory.join(name), SourceKind::Project, scope).await;
        }
        let rules = directory.join(".cursor").join("rules");
        for name in reader.names(&rules, &[".mdc", ".md"], MAX_RULES).await {
            self.rule(reader, &rules.join(name), scope).await;
        }
        let own = directory.join(".souffleur");
        for name in reader.names(&own, &[".md"], MAX_RULES).await {
            self.instructions(reader, &own.join(name), SourceKind::Project, scope).await;
        }
    }

    /// One file of instructions and what it includes.
    async fn instructions(&mut self, reader: &Reader, path: &Path, kind: SourceKind, scope: &str) {
        let Some(read) = reader.read(path, &mut self.sources.problems).await else { return };
        self.seen.insert((read.identity, scope.to_owned()));
        let includes = references(&read.text).into_iter().map(str::to_owned).collect();
        self.push(reader, path, kind, scope, None, &read.text);
        self.includes(reader, path, kind, scope, includes).await;
    }

    /// A rule as Cursor has them: always in the prompt, or named with the files it is for.
    async fn rule(&mut self, reader: &Reader, path: &Path, scope: &str) {
        let Some(read) = reader.read(path, &mut self.sources.problems).await else { return };
        let matter = FrontMatter::parse(&read.text);
        let shown = reader.shown(path);
        for message in &matter.problems {
            self.sources.problems.push(Problem { path: shown.clone(), message: message.clone() });
        }
        if !matter.is_there || matter.flag("alwaysApply") == Some(true) {
            let body = matter.body.trim().to_owned();
            self.seen.insert((read.identity, scope.to_owned()));
            let includes = references(&body).into_iter().map(str::to_owned).collect();
            self.push(reader, path, SourceKind::Project, scope, None, &body);
            self.includes(reader, path, SourceKind::Project, scope, includes).await;
            return;
        }
        let globs = matter.list("globs").unwrap_or_default();
        let globs: Vec<String> = globs.iter().map(|glob| format!("`{glob}`")).collect();
        let parts = [
            (!globs.is_empty()).then(|| format!("files like {}", globs.join(", "))),
            matter.text("description").map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")),
        ];
        let holds_for = parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
        // A rule without either is one that the user names when it is wanted.
        if !holds_for.is_empty() {
            self.list(shown, head(&holds_for, 300).to_owned());
        }
    }

    async fn nested(&mut self, reader: &Reader, folder: &Path, below: &str, nested: &[String]) {
        let mut taken = 0;
        for path in nested {
            let scope = folder_of(path);
            let is_below = below.is_empty() || scope.starts_with(&format!("{below}/"));
            if !is_below || taken == MAX_NESTED_FILES {
                self.list(path.clone(), format!("files in `{scope}/`"));
                continue;
            }
            let full = folder.join(path);
            let Some(read) = reader.read(&full, &mut self.sources.problems).await else { continue };
            self.seen.insert((read.identity, scope.to_owned()));
            self.push(reader, &full, SourceKind::Nested, scope, None, &read.text);
            taken += 1;
        }
    }

    /// The manifests of the session's folder, and the beginning of its README.
    async fn excerpts(&mut self, reader: &Reader, root: &Path) {
        for name in MANIFESTS {
            if let Some(read) = reader.read(&root.join(name), &mut self.sources.problems).await {
                self.excerpt(reader, &root.join(name), SourceKind::Manifest, &read.text);
            }
        }
        for name in READMES {
            if let Some(read) = reader.read(&root.join(name), &mut self.sources.problems).await {
                return self.excerpt(reader, &root.join(name), SourceKind::Readme, &read.text);
            }
        }
    }

    /// What is after the beginning is not in the prompt, so it does not matter when it changes.
    fn excerpt(&mut self, reader: &Reader, path: &Path, kind: SourceKind, text: &str) {
        let text = head(text, MAX_EXCERPT);
        self.push(reader, path, kind, "", None, text);
    }

    /// The files that `from` includes, theirs, and so on, each once.
    async fn includes(&mut self, reader: &Reader, from: &Path, kind: SourceKind, scope: &str, first: Vec<String>) {
        let mut waiting: Vec<(PathBuf, String, usize)> =
            first.into_iter().rev().map(|reference| (from.to_owned(), reference, 1)).collect();
        let mut taken = 0;
        while let Some((from, reference, depth)) = waiting.pop() {
            let by = reader.shown(&from);
            let Some(path) = self.target(reader, &from, &reference) else { continue };
            let problem = |message: String| Problem { path: by.clone(), message };
            if depth > MAX_DEPTH || taken == MAX_INCLUDES {
                let limit =
                    if depth > MAX_DEPTH { "files are included too deeply" } else { "too many files are included" };
                self.sources.problems.push(problem(format!("@{reference} is not included: {limit}")));
                continue;
            }
            let before = self.sources.problems.len();
            let Some(read) = reader.read(&path, &mut self.sources.problems).await else {
                let why = match self.sources.problems.drain(before..).next_back() {
                    Some(why) => why.message,
                    None if is_surely_path(&reference) => "there is no such file".to_owned(),
                    None => continue,
                };
                self.sources.problems.push(problem(format!("@{reference} is not included: {why}")));
                continue;
            };
            if !self.seen.insert((read.identity, scope.to_owned())) {
                continue;
            }
            taken += 1;
            self.push(reader, &path, kind, scope, Some(by), &read.text);
            let more = references(&read.text).into_iter().rev();
            waiting.extend(more.map(|reference| (path.clone(), reference.to_owned(), depth + 1)));
        }
    }

    /// The file that `@reference` in `from` means.
    fn target(&self, reader: &Reader, from: &Path, reference: &str) -> Option<PathBuf> {
        let path = match (reader, reference.strip_prefix("~/")) {
            (Reader::User, Some(rest)) => self.place.home.as_ref()?.join(rest),
            // In a project's files the user's home is nothing but a folder outside.
            (Reader::Workspace(..), Some(rest)) => Path::new("/~").join(rest),
            (_, None) => from.parent()?.join(reference),
        };
        // One that goes up beyond everything stays as it is, and is refused where it is read.
        Some(lexical(&path).unwrap_or(path))
    }

    fn list(&mut self, path: String, holds_for: String) {
        if self.sources.listed.len() < MAX_LISTED {
            self.sources.listed.push(Listed { path, holds_for });
        }
    }

    fn push(&mut self, reader: &Reader, path: &Path, kind: SourceKind, scope: &str, by: Option<String>, text: &str) {
        let limit = if kind == SourceKind::Nested { MAX_NESTED } else { MAX_FILE };
        self.sources.files.push(Source {
            path: reader.shown(path),
            kind,
            scope: scope.to_owned(),
            included_by: by,
            text: head(text, limit).to_owned(),
            bytes: text.len(),
            hash: hash(text),
        });
    }
}

#[cfg(test)]
#[cfg(unix)]
#[path = "gather_tests.rs"]
mod tests;
