use super::*;
use serde_json::json;

struct Bench {
    directory: tempfile::TempDir,
    trusted: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Bench {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), trusted: Arc::default() }
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("project")
    }

    fn owner(&self, environment: Environment) -> SettingsOwner {
        let trusted = self.trusted.clone();
        let is_trusted: IsTrusted =
            Arc::new(move |_, bytes| trusted.lock().unwrap().iter().any(|known| known == bytes));
        let user_file = Some(self.directory.path().join("config.toml"));
        SettingsOwner::new(Arc::new(environment), Layer::default(), user_file, is_trusted).unwrap()
    }
}

#[test]
fn each_layer_is_stronger_than_the_one_below() {
    let bench = Bench::new();
    bench.write("config.toml", "model = 'sim:user'\neffort = 'low'\n[retry]\nbaseDelayMs = 7\n");
    let content = "model = 'sim:workspace'\neffort = 'high'\n";
    bench.write("project/.souffleur/config.toml", content);
    let owner = bench.owner(Environment::from([("SOUFFLEUR_MODEL", "sim:environment")]));
    bench.trusted.lock().unwrap().push(content.into());
    owner.roots_changed([bench.root()]);
    owner.editor_changed(&json!({"maxOutputTokens": 9}));
    let resolved = owner.current();
    let here = resolved.for_root(Some(&bench.root()));
    assert_eq!((here.model.value.as_deref(), here.model.source), (Some("sim:environment"), Source::Environment));
    assert_eq!((here.effort.source, here.max_output_tokens.source), (Source::Workspace, Source::Editor));
    assert_eq!(here.retry_base_delay_ms.source, Source::User);
    assert!(here.retry_base_delay_ms.at.as_deref().unwrap().ends_with("config.toml:4"));
    let elsewhere = resolved.for_root(Some(Path::new("/elsewhere")));
    assert_eq!(elsewhere.effort.source, Source::User, "a workspace has no say elsewhere");
}

#[test]
fn an_untrusted_workspace_has_no_say_and_a_changed_file_is_untrusted_again() {
    let bench = Bench::new();
    let content = "model = 'sim:workspace'\n";
    bench.write("project/.souffleur/config.toml", content);
    let owner = bench.owner(Environment::default());
    owner.roots_changed([bench.root()]);
    let state = |owner: &SettingsOwner| owner.current().files.last().unwrap().state;
    let model = |owner: &SettingsOwner| owner.current().for_root(Some(&bench.root())).model.value.clone();
    assert_eq!((state(&owner), model(&owner)), (FileState::Untrusted, None));
    bench.trusted.lock().unwrap().push(content.into());
    owner.trust_changed();
    assert_eq!((state(&owner), model(&owner)), (FileState::Used, Some("sim:workspace".into())));
    bench.write("project/.souffleur/config.toml", "model = 'sim:other'\n");
    owner.refresh();
    assert_eq!((state(&owner), model(&owner)), (FileState::Untrusted, None));
}

#[test]
fn a_changed_file_is_seen_and_an_unchanged_one_is_not_news() {
    let bench = Bench::new();
    let owner = bench.owner(Environment::default());
    let mut seen = owner.subscribe();
    let before = seen.borrow_and_update().clone();
    bench.write("config.toml", "model = 'sim:one'\nmodle = 1\n");
    owner.refresh();
    assert!(seen.has_changed().unwrap());
    let after = seen.borrow_and_update().clone();
    assert_eq!((&before.settings.model.value, after.settings.model.value.as_deref()), (&None, Some("sim:one")));
    assert_eq!(after.problems.len(), 1);
    assert!(after.problems[0].at.ends_with("config.toml:2"));
    owner.refresh();
    assert!(!seen.has_changed().unwrap());
    std::fs::remove_file(bench.directory.path().join("config.toml")).unwrap();
    owner.refresh();
    assert_eq!(owner.current().settings.model.value, None);
    assert_eq!(owner.current().files[0].state, FileState::Absent);
}

#[test]
fn what_is_no_file_is_a_problem_not_a_wait() {
    let bench = Bench::new();
    std::fs::create_dir(bench.directory.path().join("config.toml")).unwrap();
    let owner = bench.owner(Environment::default());
    assert_eq!(owner.current().files[0].state, FileState::Unreadable);
    assert!(owner.current().problems[0].message.contains("regular file"));
    let large = Bench::new();
    large.write("config.toml", &"#".repeat(1024 * 1024 + 1));
    assert!(large.owner(Environment::default()).current().problems[0].message.contains("MiB"));
}
