//! What changed since a prompt was made, told in a few lines. Pure.

use std::collections::BTreeMap;

use similar::TextDiff;

use super::fence::fence;
use super::source::{Source, Sources};
use super::text::head;

/// The most of one file's difference, and of all together, in bytes.
const MAX_NOTE: usize = 4 * 1024;
const MAX_NOTES: usize = 16 * 1024;
/// Lines around a change.
const CONTEXT: usize = 2;

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It came.
    Added,
    /// It has another text.
    Changed,
    /// It is gone, or it can no longer be used.
    Removed,
}

impl ChangeKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}

/// A file that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its path, as in [`Source`]; `.git/HEAD` for the branch.
    pub path: String,
    /// What happened.
    pub kind: ChangeKind,
    /// What is different, for a model to read, within a limit.
    pub note: String,
}

/// What is different in `now` from what was told `before`, by path. After it was told, `now` is what was told.
pub fn drift(before: &Sources, now: &Sources) -> Vec<Change> {
    let (old, new) = (by_path(before), by_path(now));
    let mut changes = Vec::new();
    if before.branch != now.branch {
        let name = |branch: &Option<String>| branch.clone().unwrap_or_else(|| "no version control".to_owned());
        let note = format!("It is now: {}. It was: {}.", name(&now.branch), name(&before.branch));
        changes.push(Change { path: ".git/HEAD".to_owned(), kind: ChangeKind::Changed, note });
    }
    for (path, source) in &old {
        match new.get(path) {
            None => {
                let note =
                    if source.kind.is_instruction() { "Its instructions no longer hold." } else { "It is gone." };
                changes.push(Change { path: source.path.clone(), kind: ChangeKind::Removed, note: note.to_owned() });
            }
            Some(other) if other.hash != source.hash => {
                let (path, note) = (source.path.clone(), difference(&source.text, &other.text));
                changes.push(Change { path, kind: ChangeKind::Changed, note });
            }
            Some(_) => {}
        }
    }
    for (_, source) in new.iter().filter(|(path, _)| !old.contains_key(*path)) {
        let note = bounded(&source.text, source.bytes);
        changes.push(Change { path: source.path.clone(), kind: ChangeKind::Added, note });
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

/// The changes as the next message of the user carries them; nothing when there is none.
pub fn format_drift(changes: &[Change]) -> Option<String> {
    let mut text = String::new();
    for change in changes {
        let note = if text.len() + change.note.len() > MAX_NOTES { "(read the file)" } else { &change.note };
        let part = fence("change", &[("path", &change.path), ("kind", change.kind.as_str())], note);
        text = format!("{text}{part}\n");
    }
    let about = "These files are no longer as the beginning of this conversation says. What is said here holds now.\n";
    (!changes.is_empty()).then(|| fence("project-changes", &[], &format!("{about}{text}")))
}

/// Files by path and by what they are: one file may be read twice, for two purposes.
fn by_path(sources: &Sources) -> BTreeMap<(&str, bool), &Source> {
    let mut map = BTreeMap::new();
    for source in &sources.files {
        map.entry((source.path.as_str(), source.kind.is_instruction())).or_insert(source);
    }
    map
}

fn difference(old: &str, new: &str) -> String {
    let diff = TextDiff::configure().timeout(std::time::Duration::from_millis(200)).diff_lines(old, new);
    let text = diff.unified_diff().context_radius(CONTEXT).missing_newline_hint(false).to_string();
    if text.is_empty() {
        return "It changed after the part that is shown; read the file.".to_owned();
    }
    bounded(text.trim_end(), text.trim_end().len())
}

/// `text` within the limit; it has `bytes` when it is whole.
fn bounded(text: &str, bytes: usize) -> String {
    let shown = head(text, MAX_NOTE);
    if shown.len() == bytes {
        return shown.to_owned();
    }
    format!("{shown}\n[cut here: {} of {bytes} bytes are shown; read the file for the rest]", shown.len())
}

#[cfg(test)]
mod tests {
    use super::super::source::SourceKind;
    use super::super::text::hash;
    use super::*;
    use proptest::prelude::*;

    fn sources(files: &[(&str, &str)]) -> Sources {
        let source = |(path, text): &(&str, &str)| Source {
            path: (*path).into(),
            kind: SourceKind::Project,
            scope: String::new(),
            included_by: None,
            text: (*text).into(),
            bytes: text.len(),
            hash: hash(text),
        };
        Sources { files: files.iter().map(source).collect(), ..Sources::default() }
    }

    #[test]
    fn what_changed_is_told() {
        let before = sources(&[("a.md", "one\ntwo\nthree"), ("b.md", "gone"), ("c.md", "same")]);
        let mut now = sources(&[("a.md", "one\n2\nthree"), ("c.md", "same"), ("d.md", "new")]);
        now.branch = Some("git, branch main".into());
        let changes = drift(&before, &now);
        let told: Vec<_> = changes.iter().map(|change| (change.path.as_str(), change.kind.as_str())).collect();
        assert_eq!(told, [(".git/HEAD", "changed"), ("a.md", "changed"), ("b.md", "removed"), ("d.md", "added")]);
        assert!(changes[1].note.contains("\n-two\n+2\n"), "{}", changes[1].note);
        assert_eq!(changes[3].note, "new");
        let text = format_drift(&changes).unwrap();
        assert!(text.starts_with("<project-changes>\n") && text.ends_with("</change>\n</project-changes>"));
        assert_eq!((drift(&now, &now), format_drift(&[])), (Vec::new(), None));
    }

    #[test]
    fn a_change_after_the_cut_is_told_too() {
        let before = sources(&[("a.md", "head")]);
        let mut now = before.clone();
        now.files[0].hash = hash("other");
        assert_eq!(drift(&before, &now)[0].note, "It changed after the part that is shown; read the file.");
    }

    #[test]
    fn notes_keep_to_their_limits() {
        let long = "a line\n".repeat(4_000);
        let names: Vec<String> = (0..20).map(|at| format!("{at}.md")).collect();
        let files: Vec<_> = names.iter().map(|name| (name.as_str(), long.as_str())).collect();
        let changes = drift(&Sources::default(), &sources(&files));
        assert!(changes.iter().all(|change| change.note.len() < MAX_NOTE + 100));
        let text = format_drift(&changes).unwrap();
        assert!(text.len() < MAX_NOTES + 2_500 && text.contains("(read the file)"), "{}", text.len());
    }

    proptest! {
        /// Drift is empty when nothing changed, and names each file that did.
        #[test]
        fn each_change_is_found(before in proptest::collection::btree_map("[a-d]", "[xy\n]{0,6}", 0..4),
                                now in proptest::collection::btree_map("[a-d]", "[xy\n]{0,6}", 0..4)) {
            let of = |map: &BTreeMap<String, String>| {
                sources(&map.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect::<Vec<_>>())
            };
            let changed: Vec<String> = drift(&of(&before), &of(&now)).into_iter().map(|change| change.path).collect();
            let mut names: Vec<&String> = before.keys().chain(now.keys()).collect();
            names.sort();
            names.dedup();
            let expected: Vec<String> = names.into_iter().filter(|name| before.get(*name) != now.get(*name)).cloned().collect();
            prop_assert_eq!(changed, expected);
        }
    }
}
