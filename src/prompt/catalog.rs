//! The modes and slash prompts there are: the program's own, the user's, the workspace's.

use std::path::Path;
use std::sync::Arc;

use super::gather::Place;
use super::mode::Mode;
use super::read::Reader;
use super::slash::SlashPrompt;
use super::source::{Origin, Problem};
use crate::workspace::Workspace;

/// How many files of one folder are read.
const MAX_FILES: usize = 200;

/// Modes and prompts by their names, in the order in which they are listed: the program's own, then the others by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    /// The modes.
    pub modes: Vec<Mode>,
    /// The slash prompts.
    pub prompts: Vec<SlashPrompt>,
    /// Files that could not be used as they are.
    pub problems: Vec<Problem>,
}

impl Default for Catalog {
    fn default() -> Self {
        Self { modes: Mode::built_in(), prompts: SlashPrompt::built_in(), problems: Vec::new() }
    }
}

impl Catalog {
    /// The mode of that name.
    pub fn mode(&self, name: &str) -> Option<&Mode> {
        self.modes.iter().find(|mode| mode.name == name)
    }

    /// The prompt of that name.
    pub fn prompt(&self, name: &str) -> Option<&SlashPrompt> {
        self.prompts.iter().find(|prompt| prompt.name == name)
    }

    /// Adds a mode. One of the same name is replaced.
    fn add_mode(&mut self, mode: Mode) {
        match self.modes.iter_mut().find(|other| other.name == mode.name) {
            Some(other) => *other = mode,
            None => self.modes.push(mode),
        }
    }

    /// Adds a prompt. One of the same name is replaced if `may_replace`, else the new one is left out.
    fn add_prompt(&mut self, prompt: SlashPrompt, may_replace: bool) {
        match self.prompts.iter_mut().find(|other| other.name == prompt.name) {
            Some(other) if may_replace => *other = prompt,
            Some(other) => {
                let (path, name) = (prompt.path.unwrap_or_default(), &other.name);
                let message = format!("there is a /{name} already, and this workspace is not trusted to replace it");
                self.problems.push(Problem { path, message });
            }
            None => self.prompts.push(prompt),
        }
    }
}

/// Reads the user's modes and prompts (`modes/*.md` and `prompts/*.md` of the user's directory), then those of the
/// workspace (below `.souffleur/`). A workspace that is not trusted has no modes, and its prompts replace no others: they
/// do nothing until the user calls them by a name that only they have.
pub async fn load_catalog(workspace: &Arc<Workspace>, place: &Place, is_trusted: bool) -> Catalog {
    let mut catalog = Catalog::default();
    if let Some(user) = &place.user {
        add(&mut catalog, &Reader::User, user, Origin::User, true).await;
    }
    if let Some(root) = &place.root {
        let reader = Reader::Workspace(workspace.clone(), root.clone());
        add(&mut catalog, &reader, &root.join(".souffleur"), Origin::Workspace, is_trusted).await;
    }
    let own = Catalog::default();
    catalog.modes[own.modes.len()..].sort_by(|a, b| a.name.cmp(&b.name));
    catalog.prompts[own.prompts.len()..].sort_by(|a, b| a.name.cmp(&b.name));
    catalog
}

async fn add(catalog: &mut Catalog, reader: &Reader, directory: &Path, origin: Origin, is_trusted: bool) {
    let modes = directory.join("modes");
    let names = if is_trusted { reader.names(&modes, &[".md"], MAX_FILES).await } else { Vec::new() };
    for name in names {
        let path = modes.join(name);
        let Some(read) = reader.read(&path, &mut catalog.problems).await else { continue };
        let mode = Mode::parse(&reader.shown(&path), &read.text, origin, &mut catalog.problems);
        if let Some(mode) = mode {
            catalog.add_mode(mode);
        }
    }
    let prompts = directory.join("prompts");
    for name in reader.names(&prompts, &[".md"], MAX_FILES).await {
        let path = prompts.join(name);
        let Some(read) = reader.read(&path, &mut catalog.problems).await else { continue };
        let prompt = SlashPrompt::parse(&reader.shown(&path), &read.text, origin, &mut catalog.problems);
        if let Some(prompt) = prompt {
            catalog.add_prompt(prompt, is_trusted);
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::workspace::{Root, file_uri};

    fn write(path: &Path, text: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[tokio::test]
    async fn the_nearer_replaces_the_farther_where_it_is_trusted() {
        let directory = tempfile::tempdir().unwrap();
        let (user, root) = (directory.path().join("user"), directory.path().join("p"));
        write(&user.join("modes/zen.md"), "Be calm.");
        write(&user.join("modes/ask.md"), "Ask back.");
        write(&user.join("prompts/tidy.md"), "Tidy.");
        write(&root.join(".souffleur/modes/zen.md"), "Be wild.");
        write(&root.join(".souffleur/modes/own.md"), "Own.");
        write(&root.join(".souffleur/prompts/fix.md"), "Break it.");
        write(&root.join(".souffleur/prompts/ours.md"), "Ours.");
        write(&root.join(".souffleur/prompts/bad.md"), "\0");
        let workspace = Workspace::default();
        workspace.roots.set(vec![Root::new(file_uri(&root).unwrap())]);
        let (workspace, place) =
            (Arc::new(workspace), Place { root: Some(root.clone()), user: Some(user), home: None });

        let wary = load_catalog(&workspace, &place, false).await;
        let names = |catalog: &Catalog| catalog.modes.iter().map(|mode| mode.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&wary), ["ask", "edit", "agent", "zen"]);
        assert_eq!(wary.mode("ask").unwrap().instructions, "# Mode: ask\nAsk back.");
        assert_eq!(wary.mode("zen").unwrap().origin, Origin::User);
        assert_eq!(wary.prompt("fix").unwrap().origin, Origin::BuiltIn);
        assert_eq!(wary.prompt("ours").unwrap().body, "Ours.");
        let paths: Vec<_> = wary.problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, [".souffleur/prompts/bad.md", ".souffleur/prompts/fix.md"]);

        let trusting = load_catalog(&workspace, &place, true).await;
        assert_eq!(names(&trusting), ["ask", "edit", "agent", "own", "zen"]);
        assert_eq!(trusting.mode("zen").unwrap().instructions, "# Mode: zen\nBe wild.");
        assert_eq!(trusting.prompt("fix").unwrap().body, "Break it.");
        let prompts: Vec<_> = trusting.prompts.iter().skip(6).map(|prompt| prompt.name.as_str()).collect();
        assert_eq!(prompts, ["ours", "tidy"]);
    }
}
