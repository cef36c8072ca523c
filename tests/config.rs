//! Files of settings, and the commands about them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use souffleur::config::{Environment, Layer, Source, check_file};

fn samples(kind: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config").join(kind);
    let mut files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 3, "{files:?}");
    files
}

fn check(file: &Path) -> (Layer, Vec<souffleur::config::Problem>) {
    check_file(file, Source::User, &Environment::from([("GATEWAY", "gateway.example")])).unwrap()
}

#[test]
fn valid_samples_have_no_problem() {
    for file in samples("valid") {
        let (layer, problems) = check(&file);
        assert_eq!(problems, [], "{}", file.display());
        assert_eq!(layer == Layer::default(), file.ends_with("empty.toml"), "{}", file.display());
    }
}

/// Each line that is wrong says in a comment `LINE: KEY: WORDS`; nothing else is wrong.
#[test]
fn what_is_wrong_is_named_with_its_line_and_the_rest_counts() {
    for file in samples("invalid") {
        let text = std::fs::read_to_string(&file).unwrap();
        let expected = text.lines().filter_map(|line| line.split_once("# "));
        let expected: Vec<_> = expected.map(|(_, said)| said.splitn(3, ": ").collect::<Vec<_>>()).collect();
        let (layer, mut problems) = check(&file);
        problems.dedup_by(|a, b| a.at == b.at);
        assert_eq!(problems.len(), expected.len(), "{}: {problems:#?}", file.display());
        for (problem, said) in problems.iter().zip(expected) {
            assert!(problem.at.ends_with(&format!(":{}", said[0])), "{problem}");
            assert_eq!(problem.key, said[1]);
            assert!(problem.to_string().contains(said[2]), "{problem} does not say {:?}", said[2]);
        }
        assert_ne!(layer, Layer::default(), "{}: the rest counts", file.display());
    }
}

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        for directory in ["home", "project/.souffleur"] {
            std::fs::create_dir_all(bench.0.path().join(directory)).unwrap();
        }
        bench
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_souffleur"));
        command.env_clear().env("HOME", self.0.path().join("home")).env("GATEWAY", "gateway.example");
        command.current_dir(self.0.path().join("project")).stdin(Stdio::null()).args(arguments).output().unwrap()
    }

    fn out(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

const USER: &str = "home/.config/souffleur/config.toml";

#[test]
fn show_tells_values_and_sources_and_no_secret() {
    let bench = Bench::new();
    let user = bench.write(USER, "model = 'sim:a'\n[providers.acme]\napiKey = 'sk-very-hidden'\n");
    let shown = bench.out(&["config", "show", "--sources", "--max-output-tokens", "9"]);
    let line = |key: &str| shown.lines().find(|line| line.starts_with(key)).unwrap().to_owned();
    let user = std::fs::canonicalize(user).unwrap();
    assert!(line("model ").contains("sim:a") && line("model ").contains(&format!("user file, {}:1", user.display())));
    assert!(line("maxOutputTokens").contains("command line"));
    assert!(line("effort").contains("built-in default"));
    assert!(!shown.contains("hidden"), "{shown}");
    let json: Value = serde_json::from_str(&bench.out(&["config", "show", "--sources", "--json"])).unwrap();
    assert_eq!(json["settings"][0]["source"], "user");
}

#[test]
fn what_show_writes_as_json_reads_back_the_same() {
    let bench = Bench::new();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config/valid/everything.toml");
    let written = bench.out(&["--config", sample.to_str().unwrap(), "config", "show", "--json"]);
    assert!(written.contains("https://gateway.example/v1") && written.contains("my-gateway_2"));
    let file = bench.write("written.json", &written);
    let again = bench.out(&["config", "show", "--json", "--config", file.to_str().unwrap()]);
    assert_eq!(again, written);
    assert_eq!(bench.out(&["config", "check", file.to_str().unwrap()]), "no problem was found\n");
}

#[test]
fn what_a_repository_wrote_is_shown_without_control_characters() {
    let bench = Bench::new();
    bench.write("project/.souffleur/config.toml", "model = \"sim:\\u001b[2Jx\"\n# \x1b[1A\x1b[2Khidden\n");
    for arguments in [&["trust"][..], &["config", "show"], &["config", "check"]] {
        let output = bench.run(arguments);
        let said = [output.stdout, output.stderr].concat();
        assert!(!said.is_empty() && !said.contains(&0x1b), "{}", String::from_utf8_lossy(&said));
    }
}

#[test]
fn a_secret_that_is_set_is_told_from_one_that_is_not() {
    let bench = Bench::new();
    bench.write(
        USER,
        "[providers.openai]\napiKey = 'hidden-key'\nheaders = { Authorization = 'Bearer hidden', x-team = 'a' }\n",
    );
    let shown = bench.out(&["config", "show"]);
    let line = |key: &str| shown.lines().find(|line| line.starts_with(key)).unwrap_or_default().to_owned();
    assert!(line("providers.openai.apiKey").ends_with("(not shown)"), "{shown}");
    assert!(line("providers.openai.headers").contains(r#""x-team":"a""#), "{shown}");
    assert!(!shown.contains("hidden"), "{shown}");
    assert_eq!(line("providers.openai.baseUrl"), "", "nobody said one");
}

#[test]
fn check_fails_when_something_is_wrong() {
    let bench = Bench::new();
    assert_eq!(bench.out(&["config", "check"]), "no problem was found\n");
    bench.write(USER, "modle = 1\n");
    let output = bench.run(&["config", "check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("config.toml:1: there is no setting modle"));
    let workspace = bench.write("project/.souffleur/config.toml", "record.dir = '/x'\n");
    let output = bench.run(&["config", "check", workspace.to_str().unwrap()]);
    assert!(String::from_utf8(output.stdout).unwrap().contains("cannot be set by the workspace file"));
    bench.write(USER, "[providers.lab]\nbaseUrl = 'http://h/v1'\napi = 'chta'\n[providers.acme]\nprofile = 'vlm'\n");
    let output = bench.run(&["config", "check"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("chta") && said.contains("did you mean vllm?") && said.lines().count() == 2, "{said}");
    assert_eq!(output.status.code(), Some(1));
    let missing = bench.run(&["config", "check", "/nonexistent.toml"]);
    let said = String::from_utf8(missing.stderr).unwrap();
    assert!(said.contains("config.invalid") && said.contains("there is no such file"), "{said}");
}

#[test]
fn a_workspace_counts_when_it_is_trusted() {
    let bench = Bench::new();
    bench.write("project/.souffleur/config.toml", "maxOutputTokens = 77\n");
    let tokens = || {
        let shown: Value = serde_json::from_str(&bench.out(&["config", "show", "--json"])).unwrap();
        shown["maxOutputTokens"].clone()
    };
    assert_eq!(tokens(), 32_000);
    assert!(bench.out(&["config", "path"]).contains("is not trusted"));
    assert!(bench.out(&["trust"]).contains("maxOutputTokens = 77"), "what is trusted is shown");
    assert_eq!(tokens(), 77);
    assert!(bench.out(&["config", "path"]).contains("is used"));
    assert!(bench.out(&["trust", "--revoke"]).contains("has no say"));
    assert_eq!(tokens(), 32_000);
}

#[test]
fn the_schema_judges_the_samples_as_the_program_does() {
    let schema: Value = serde_json::from_str(&Bench::new().out(&["config", "schema"])).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (kind, valid) in [("valid", true), ("invalid", false)] {
        for file in samples(kind) {
            let text = std::fs::read_to_string(&file).unwrap();
            let value: Value = match file.extension().and_then(|extension| extension.to_str()) {
                Some("json") => serde_json::from_str(&text).unwrap(),
                _ => match toml::from_str(&text) {
                    Ok(value) => value,
                    // What is no TOML has no value to judge.
                    Err(_) => continue,
                },
            };
            let value = without_nulls(value);
            assert_eq!(validator.is_valid(&value), valid, "{}", file.display());
        }
    }
}

/// As the program reads it: null says nothing.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let entries = map.into_iter().filter(|(_, value)| !value.is_null());
            entries.map(|(name, value)| (name, without_nulls(value))).collect::<serde_json::Map<_, _>>().into()
        }
        other => other,
    }
}
