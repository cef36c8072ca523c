use super::*;
use crate::prompt::environment::Environment;
use crate::prompt::mode::Mode;
use crate::prompt::source::Origin;
use crate::prompt::{Facts, Prefix, assemble, drift};
use crate::workspace::{Document, Root, file_uri};
use proptest::prelude::*;

struct Project {
    directory: tempfile::TempDir,
    workspace: Arc<Workspace>,
    place: Place,
}

impl Project {
    /// A workspace folder `p` next to the user's directory, with these files; a path that begins with `/` is the user's.
    fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("p");
        std::fs::create_dir_all(&root).unwrap();
        let workspace = Workspace::default();
        workspace.roots.set(vec![Root::new(file_uri(&root).unwrap())]);
        let user = directory.path().join("home/.config/souffleur");
        let place = Place { root: Some(root), user: Some(user), home: Some(directory.path().join("home")) };
        let project = Self { directory, workspace: Arc::new(workspace), place };
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("p")
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let full = match path.strip_prefix('/') {
            Some(path) => self.place.user.clone().unwrap().join(path),
            None => self.root().join(path),
        };
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        std::fs::write(full, text).unwrap();
    }

    fn link(&self, target: &str, path: &str) {
        std::os::unix::fs::symlink(target, self.root().join(path)).unwrap();
    }

    async fn gather(&self) -> Gathered {
        gather(&self.workspace, &self.place).await
    }

    /// The files, as `path` or `path<included by`, without the user's directory.
    async fn paths(&self) -> Vec<String> {
        let shown = |source: &Source| {
            let by = source.included_by.as_ref().map_or_else(String::new, |by| format!("<{by}"));
            format!("{}{by}", source.path).replace(&format!("{}/", self.directory.path().display()), "")
        };
        self.gather().await.sources.files.iter().map(shown).collect()
    }
}

fn prefix(gathered: &Gathered) -> Prefix {
    let (mode, environment) = (&Mode::built_in()[0], &Environment::default());
    let (sources, map) = (&gathered.sources, gathered.map.as_ref());
    assemble(&Facts { mode, environment, sources, map, own: &[], map_tokens: 2_000 })
}

fn messages(gathered: &Gathered) -> Vec<String> {
    gathered.sources.problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect()
}

#[tokio::test]
async fn every_place_is_looked_into_in_its_order() {
    let project = Project::new(&[
        ("README.md", "# It"),
        ("Cargo.toml", "[package]"),
        (".souffleur/b.md", "b"),
        (".souffleur/a.md", "a"),
        (".souffleur/modes/m.md", "no instructions of the project"),
        (".cursor/rules/always.mdc", "---\nalwaysApply: true\n---\nalways"),
        (".cursor/rules/some.mdc", "---\ndescription: For tables\nglobs: *.sql, db/**\n---\nsome"),
        (".cursor/rules/wanted.mdc", "---\nalwaysApply: false\n---\nwhen wanted"),
        (".github/copilot-instructions.md", "copilot"),
        ("CLAUDE.md", "claude"),
        ("AGENTS.md", "agents"),
        ("sub/AGENTS.md", "below"),
        ("target/AGENTS.md", "made"),
        (".gitignore", "target\n"),
        ("/AGENTS.md", "mine"),
        ("/instructions.md", "mine too"),
    ]);
    let expected = [
        "home/.config/souffleur/AGENTS.md",
        "home/.config/souffleur/instructions.md",
        "AGENTS.md",
        "CLAUDE.md",
        ".github/copilot-instructions.md",
        ".cursor/rules/always.mdc",
        ".souffleur/a.md",
        ".souffleur/b.md",
        "sub/AGENTS.md",
        "Cargo.toml",
        "README.md",
    ];
    assert_eq!(project.paths().await, expected);
    let gathered = project.gather().await;
    let listed: Vec<_> =
        gathered.sources.listed.iter().map(|one| (one.path.as_str(), one.holds_for.as_str())).collect();
    assert_eq!(listed, [(".cursor/rules/some.mdc", "files like `*.sql`, `db/**`; For tables")]);
    assert_eq!(messages(&gathered), [""; 0]);
    let text = prefix(&gathered).texts().join("\n");
    for part in ["\nalways\n", "path=\"sub/AGENTS.md\" scope=\"sub\"", "`.cursor/rules/some.mdc`: files like", "# It"] {
        assert!(text.contains(part), "{part}");
    }
}

#[tokio::test]
async fn a_session_below_the_folder_has_what_is_above_it_and_names_what_is_beside() {
    let mut project = Project::new(&[
        ("AGENTS.md", "top"),
        ("a/AGENTS.md", "on the way"),
        ("a/b/x.rs", "fn x() {}"),
        ("a/b/c/AGENTS.md", "below"),
        ("z/AGENTS.md", "beside"),
        (".git/HEAD", "ref: refs/heads/main\n"),
    ]);
    project.place.root = Some(project.root().join("a/b"));
    assert_eq!(project.paths().await, ["AGENTS.md", "a/AGENTS.md", "a/b/c/AGENTS.md"]);
    let gathered = project.gather().await;
    let scopes: Vec<_> = gathered.sources.files.iter().map(|source| source.scope.as_str()).collect();
    assert_eq!(scopes, ["", "a", "a/b/c"]);
    assert_eq!(gathered.sources.listed, [Listed { path: "z/AGENTS.md".into(), holds_for: "files in `z/`".into() }]);
    assert_eq!(gathered.sources.branch.as_deref(), Some("git, branch main"));
    assert_eq!(gathered.map.as_ref().unwrap().outlines[0].path, "a/b/x.rs");
    assert_eq!(gather_again(&project.workspace, &project.place, &gathered.sources).await, gathered.sources);
}

#[tokio::test]
async fn includes_come_once_and_go_neither_round_nor_deep_nor_out() {
    let project = Project::new(&[
        ("AGENTS.md", "@docs/a.md @b.md @../outside.md @~/x.md @none.md @not/there, a@b.c and `@code.md`"),
        ("docs/a.md", "@../b.md @../AGENTS.md @./a.md"),
        ("b.md", "@1.md"),
        ("1.md", "@2.md"),
        ("2.md", "@3.md"),
        ("3.md", "@4.md"),
        ("4.md", "@5.md"),
        ("5.md", "too deep"),
        ("code.md", "no"),
        ("/AGENTS.md", "@~/own.md"),
        ("/../../own.md", "the user's"),
        ("../outside.md", "secret of others"),
    ]);
    let expected = [
        "home/.config/souffleur/AGENTS.md",
        "home/own.md<home/.config/souffleur/AGENTS.md",
        "AGENTS.md",
        "docs/a.md<AGENTS.md",
        "b.md<docs/a.md",
        "1.md<b.md",
        "2.md<1.md",
        "3.md<2.md",
    ];
    let shown: Vec<String> = project
        .paths()
        .await
        .iter()
        .map(|path| path.replace(&format!("{}/", project.directory.path().display()), ""))
        .collect();
    assert_eq!(shown, expected);
    let gathered = project.gather().await;
    let expected = [
        "3.md: @4.md is not included: files are included too deeply",
        "AGENTS.md: @../outside.md is not included: it leads out of the workspace and is not read",
        "AGENTS.md: @none.md is not included: there is no such file",
        "AGENTS.md: @~/x.md is not included: it leads out of the workspace and is not read",
    ];
    assert_eq!(messages(&gathered), expected);
    assert!(!prefix(&gathered).texts().concat().contains("secret of others"));
}

#[tokio::test]
async fn bad_files_are_problems_and_never_failures() {
    let project = Project::new(&[("AGENTS.md", "\u{feff}one\r\ntwo\r\n"), ("../outside.md", "not ours")]);
    project.write("CLAUDE.md", b"bin\0ary");
    project.write(".github/copilot-instructions.md", b"caf\xe9");
    project.write(".souffleur/huge.md", "x".repeat(2 * 1024 * 1024));
    project.write(".souffleur/long.md", "a line\n".repeat(10_000));
    std::fs::create_dir_all(project.root().join(".souffleur/folder.md")).unwrap();
    project.link("../../outside.md", ".souffleur/out.md");
    project.link("loop.md", ".souffleur/loop.md");
    project.write("README.md", "");
    let gathered = project.gather().await;
    let found = messages(&gathered);
    let expected = [
        (".github/copilot-instructions.md", "not all UTF-8"),
        (".souffleur/folder.md", "it is not a file"),
        (".souffleur/huge.md", "it is too large: 2097152 bytes"),
        (".souffleur/loop.md", "it cannot be read"),
        (".souffleur/out.md", "it leads out of the workspace"),
        ("CLAUDE.md", "it is not a text file"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (message, (path, why)) in found.iter().zip(expected) {
        assert!(message.starts_with(&format!("{path}: ")) && message.contains(why), "{message}");
    }
    let text = prefix(&gathered).texts().join("\n");
    assert!(text.contains("\none\ntwo\n</instructions>") && text.contains("caf\u{fffd}"));
    assert!(text.contains("of 69999 bytes are shown; read the file for the rest]") && !text.contains("not ours"));
    assert_eq!(prefix(&gathered).problems, gathered.sources.problems);
}

#[tokio::test]
async fn a_copy_or_a_link_of_instructions_is_told_once() {
    let project = Project::new(&[("AGENTS.md", "Say it once.\n"), (".souffleur/copy.md", "Say it once.\r\n")]);
    project.link("AGENTS.md", "CLAUDE.md");
    let text = prefix(&project.gather().await).texts().concat();
    assert_eq!(text.matches("Say it once.").count(), 1);
    assert_eq!(text.matches("same-as=\"AGENTS.md\"").count(), 2);
}

#[tokio::test]
async fn the_buffer_is_what_is_read_and_drift_is_found() {
    let project = Project::new(&[
        ("AGENTS.md", "Use tabs.\n"),
        ("CLAUDE.md", "Be brief.\n"),
        ("sub/AGENTS.md", "Below.\n"),
        ("Cargo.toml", "[package]\n"),
        ("src/lib.rs", "fn a() {}\n"),
    ]);
    let before = project.gather().await.sources;
    let again = || gather_again(&project.workspace, &project.place, &before);
    assert_eq!(drift(&before, &again().await), []);

    let uri = file_uri(&project.root().join("AGENTS.md")).unwrap();
    project.workspace.overlay.open(Document::new(uri, "markdown".into(), 1, "Use spaces.\n"));
    std::fs::remove_file(project.root().join("CLAUDE.md")).unwrap();
    project.write("sub/AGENTS.md", "Deeper.\n");
    project.write(".souffleur/new.md", "Newer.\n");
    project.write("src/lib.rs", "fn b() {}\n");
    project.write("Cargo.toml", "[package]\r\n");
    let now = again().await;
    let changes = drift(&before, &now);
    let told: Vec<_> = changes.iter().map(|change| (change.path.as_str(), change.kind.as_str())).collect();
    let expected = [
        (".souffleur/new.md", "added"),
        ("AGENTS.md", "changed"),
        ("CLAUDE.md", "removed"),
        ("sub/AGENTS.md", "changed"),
    ];
    assert_eq!(told, expected, "other line breaks and code are no drift");
    assert!(changes[1].note.contains("-Use tabs.\n+Use spaces."));
    assert_eq!(drift(&now, &again().await), []);
}

#[tokio::test]
async fn without_a_folder_there_are_the_users_own_words() {
    let mut project = Project::new(&[("/AGENTS.md", "mine"), ("AGENTS.md", "theirs")]);
    project.place.root = None;
    assert_eq!(project.paths().await, ["home/.config/souffleur/AGENTS.md"]);
    // A folder that is none of the workspace's is not read.
    project.place.root = Some(project.directory.path().join("elsewhere"));
    assert_eq!(project.paths().await, ["home/.config/souffleur/AGENTS.md"]);
    assert_eq!(Mode::built_in()[0].origin, Origin::BuiltIn);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// In whatever order the files came into their folders, the prompt is the same.
    #[test]
    fn the_order_in_which_files_were_made_changes_no_byte(
        order in Just((0usize..12).collect::<Vec<_>>()).prop_shuffle()) {
        let paths = [
            "AGENTS.md", "CLAUDE.md", ".souffleur/x.md", ".souffleur/y.md", ".cursor/rules/q.mdc", "a/AGENTS.md",
            "b/AGENTS.md", "src/main.rs", "src/b.rs", "Cargo.toml", "package.json", "README.md",
        ];
        let made = |order: &[usize]| {
            let project = Project::new(&[]);
            for at in order {
                project.write(paths[*at], format!("fn f{at}() {{}}\n@b/AGENTS.md\n"));
            }
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            prefix(&runtime.block_on(project.gather()))
        };
        let sorted: Vec<usize> = (0..12).collect();
        let (one, two) = (made(&order), made(&sorted));
        prop_assert_eq!(&one, &two);
        prop_assert_eq!(one.sections.len(), 5);
    }
}
