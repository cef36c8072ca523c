//! The system prompt of a session: made once, told of what changed, made anew only on the user's word.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dashmap::DashMap;

use super::shared::Shared;
use crate::config::Settings;
use crate::prompt::{
    Environment, Facts, Mode, OwnSection, Place, Prefix, assemble, drift, format_drift, gather, gather_again,
};
use crate::protocol::{PromptSection, PromptShowResult};

/// How long a new session of a folder takes the prompt of an earlier one, so that both use the same cache.
const SHARED_FOR: Duration = Duration::from_secs(60 * 60);

/// The prompts that were made last, by folder.
pub(super) type Prefixes = DashMap<Option<PathBuf>, Made>;

/// A prompt, and what of the settings is in it.
#[derive(Clone, Debug)]
pub(super) struct Made {
    at: Instant,
    own: Vec<String>,
    map_tokens: u32,
    prefix: Arc<Prefix>,
}

/// What of the project changed since a session's prompt was made.
pub(super) struct Drift {
    /// What the model is told.
    pub(super) words: String,
    /// The paths, for the user.
    pub(super) paths: Vec<String>,
}

/// Where the files of a prompt about `root` are.
pub(super) fn place(shared: &Shared, root: Option<&PathBuf>) -> Place {
    let places = shared.places();
    Place { root: root.cloned(), user: places.config.clone(), home: places.home.clone() }
}

/// The prompt of a new session about `root`. Where an earlier session's is young and still true, it is the same one.
pub(super) async fn prefix(shared: &Shared, root: Option<&PathBuf>) -> Prefix {
    let place = place(shared, root);
    let known = shared.prefixes.get(&root.cloned()).map(|known| known.clone());
    let settings = shared.settings(root.map(PathBuf::as_path));
    let same =
        |made: &Made| made.own == settings.prompt_own.value && made.map_tokens == settings.prompt_map_tokens.value;
    if let Some(made) = known.filter(|made| made.at.elapsed() < SHARED_FOR && same(made)) {
        let now = gather_again(&shared.workspace, &place, &made.prefix.sources).await;
        if drift(&made.prefix.sources, &now).is_empty() {
            tracing::debug!(age = ?made.at.elapsed(), "the prompt of an earlier session is used");
            return (*made.prefix).clone();
        }
    }
    new_prefix(shared, root).await
}

/// A prompt made of the project as it is now.
pub(super) async fn new_prefix(shared: &Shared, root: Option<&PathBuf>) -> Prefix {
    let gathered = gather(&shared.workspace, &place(shared, root)).await;
    let settings = shared.settings(root.map(PathBuf::as_path));
    let variables = shared.settings.variables();
    let shell = variables.get(if cfg!(windows) { "ComSpec" } else { "SHELL" });
    let folders = shared.workspace.roots.all();
    let environment = Environment {
        folders: folders.iter().filter_map(|folder| Some(folder.path.as_ref()?.display().to_string())).collect(),
        root: root.map(|root| root.display().to_string()),
        branch: gathered.sources.branch.clone(),
        ..Environment::of_process(shell)
    };
    let prefix = assemble(&Facts {
        mode: &Mode::built_in().into_iter().next().unwrap_or_default(),
        environment: &environment,
        sources: &gathered.sources,
        map: gathered.map.as_ref(),
        own: &own(&settings),
        map_tokens: settings.prompt_map_tokens.value as usize,
    });
    let (own, map_tokens) = (settings.prompt_own.value.clone(), settings.prompt_map_tokens.value);
    let made = Made { at: Instant::now(), own, map_tokens, prefix: Arc::new(prefix.clone()) };
    shared.prefixes.insert(root.cloned(), made);
    prefix
}

fn own(settings: &Settings) -> Vec<OwnSection> {
    let sections = settings.prompt_own.value.iter().enumerate();
    sections.map(|(at, text)| OwnSection { title: format!("Instructions {}", at + 1), text: text.clone() }).collect()
}

/// What changed since `prefix` was made, or since it was last told. From then on it counts as told.
pub(super) async fn look_again(shared: &Shared, root: Option<&PathBuf>, prefix: &mut Prefix) -> Option<Drift> {
    let now = gather_again(&shared.workspace, &place(shared, root), &prefix.sources).await;
    let changes = drift(&prefix.sources, &now);
    let words = format_drift(&changes)?;
    prefix.sources = now;
    Some(Drift { words, paths: changes.into_iter().map(|change| change.path).collect() })
}

/// A prompt as it is shown.
pub(super) fn show(prefix: &Prefix, changed: Vec<String>) -> PromptShowResult {
    let sections = prefix.sections.iter().map(|section| PromptSection {
        id: section.id.clone(),
        title: section.title.clone(),
        sources: section.sources.clone(),
        text: section.text.clone(),
        tokens: section.tokens as u64,
        hash: section.hash.clone(),
    });
    PromptShowResult {
        sections: sections.collect(),
        fingerprint: prefix.fingerprint.clone(),
        changed,
        problems: prefix.problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect(),
    }
}
