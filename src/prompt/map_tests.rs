use super::*;
use crate::prompt::text::{estimate_tokens, hash};
use crate::workspace::{Language, symbols};
use proptest::prelude::*;

fn source(path: &str, kind: SourceKind, text: &str) -> Source {
    let (path, text, hash) = (path.to_owned(), text.to_owned(), hash(text));
    let bytes = text.len();
    Source { path, kind, scope: String::new(), included_by: None, text, bytes, hash }
}

fn entry(path: &str) -> Entry {
    Entry { path: path.into(), is_directory: false, size: 100 }
}

fn outline(path: &str, rank: usize, text: &str) -> Outline {
    Outline { path: path.into(), rank, symbols: symbols(Language::Rust, text) }
}

#[test]
fn a_small_project_is_shown_whole() {
    let sources = Sources {
        files: vec![
            source("README.md", SourceKind::Readme, "# It"),
            source("Cargo.toml", SourceKind::Manifest, "[package]"),
            source("AGENTS.md", SourceKind::Project, "not here"),
        ],
        ..Sources::default()
    };
    let outlines = vec![outline("src/main.rs", 0, "fn main() {}\nstruct A;\nimpl A {\n    fn go(&self) {}\n}\n")];
    let facts = MapFacts { entries: vec![entry("src/main.rs")], cut: Some(Cut::Time), outlines };
    let text = map(&facts, &sources, 1_000).unwrap();
    let (_, parts) = text.split_once("rely on it.\n").unwrap();
    assert_eq!(
        parts,
        "<manifest path=\"Cargo.toml\">\n[package]\n</manifest>\n<readme path=\"README.md\">\n# It\n</readme>\n<tree>\nsrc/\n  \
         main.rs 100 B\n(not all files were counted: it took too long)\n</tree>\n<symbols>\nsrc/main.rs: fn main, struct A, impl A, fn \
         go\n</symbols>"
    );
    assert_eq!(map(&MapFacts::default(), &Sources::default(), 1_000), None);
    assert_eq!(map(&facts, &sources, 10), None);
}

proptest! {
    #[test]
    fn the_budget_holds_and_no_order_changes_a_byte(
        (paths, shuffled) in proptest::collection::vec("[ab]{1,3}(/[abc]{1,8}){0,3}\\.rs", 0..80)
            .prop_flat_map(|paths| (Just(paths.clone()), Just(paths).prop_shuffle())),
        length in 0usize..9_000,
        tokens in 0usize..3_000,
    ) {
        let facts = |paths: &[String]| {
            let mut paths_by_name = paths.to_vec();
            paths_by_name.sort();
            paths_by_name.dedup();
            let rank = |path: &String| paths_by_name.iter().position(|other| other == path).unwrap();
            let code = "fn something() {}\n".repeat(length / 50);
            let outlines = paths.iter().map(|path| outline(path, rank(path), &code)).collect();
            MapFacts { entries: paths.iter().map(|path| entry(path)).collect(), cut: None, outlines }
        };
        let text = "word\n".repeat(length / 5);
        let mut files = vec![source("Cargo.toml", SourceKind::Manifest, &text), source("go.mod", SourceKind::Manifest, &text),
            source("README.md", SourceKind::Readme, &text)];
        let sources = |files: &[Source]| Sources { files: files.to_vec(), ..Sources::default() };
        let made = map(&facts(&paths), &sources(&files), tokens);
        prop_assert!(made.as_deref().map_or(0, estimate_tokens) <= tokens);
        files.reverse();
        prop_assert_eq!(made, map(&facts(&shuffled), &sources(&files), tokens));
    }
}
