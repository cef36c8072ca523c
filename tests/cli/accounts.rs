//! `login`, `logout` and `doctor`.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::platform::{Platform, field, visit};
use crate::support::secrets::{self, API_KEY, CODE, PLAIN_KEY, set_mode, write_private};
use crate::{err, out, souffleur};

/// A user with a home directory and settings of their own.
struct User(tempfile::TempDir);

impl User {
    fn new(settings: &str) -> Self {
        let user = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir_all(user.path("project")).unwrap();
        let file = user.path(".config/souffleur/config.toml");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, settings).unwrap();
        user
    }

    /// One whose base URL is the platform.
    fn of(platform: &Platform, settings: &str) -> Self {
        Self::new(&format!("[providers.anthropic]\nbaseUrl = '{}'\n{settings}\n", platform.url()))
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = souffleur(&self.path("project"));
        command.env("HOME", self.0.path()).env("USERPROFILE", self.0.path()).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn run_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A program that refuses what it was told first reads nothing.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// What `doctor` finds, and its exit code.
    fn doctor(&self, arguments: &[&str]) -> (Value, Option<i32>) {
        let output = self.run(&[&["doctor", "--json"], arguments].concat());
        (serde_json::from_str(&out(&output)).unwrap_or_else(|_| panic!("{}", err(&output))), output.status.code())
    }
}

fn anthropic(findings: &Value) -> Value {
    let all = findings["providers"].as_array().unwrap();
    all.iter().find(|entry| entry["provider"] == "anthropic").unwrap().clone()
}

#[test]
#[cfg_attr(any(target_os = "macos", windows), ignore = "it would write to the keychain of whoever runs it")]
fn a_key_is_piped_in_used_and_removed() {
    let platform = Platform::taking("x-api-key", API_KEY);
    let user = User::of(&platform, "");
    let output = user.run_with_input(&["login"], &format!("{API_KEY}\n"));
    assert!(output.status.success(), "{}", err(&output));
    assert!(out(&output).contains(&platform.host()) && err(&output).contains("uses a stored key"), "{}", err(&output));
    let answer = user.run(&["ask", "hi", "--model", "anthropic:claude-sonnet-5-5"]);
    assert!(answer.status.success(), "{}", err(&answer));
    assert_eq!(platform.messages(), [true]);

    let output = user.run(&["logout"]);
    assert!(out(&output).contains("removed the key for anthropic"), "{}", out(&output));
    assert!(out(&user.run(&["logout", "anthropic"])).contains("nothing was stored for anthropic"));
    let answer = user.run(&["ask", "hi", "--model", "anthropic:claude-sonnet-5-5"]);
    assert!(err(&answer).contains("auth.missing_key"));
}

#[test]
#[cfg_attr(any(target_os = "macos", windows), ignore = "it would write to the keychain of whoever runs it")]
fn a_stronger_credential_is_named_when_a_key_is_stored() {
    let platform = Platform::start();
    let user = User::of(&platform, "apiKey = '${MY_KEY}'");
    let mut command = user.command(&["login"]);
    command.env("MY_KEY", PLAIN_KEY).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(API_KEY.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(err(&output).contains("anthropic uses the setting `apiKey` now"), "{}", err(&output));
}

#[test]
#[cfg_attr(any(target_os = "macos", windows), ignore = "it would write to the keychain of whoever runs it")]
fn keys_of_other_providers_are_stored_and_what_takes_none_says_so() {
    let user = User::new("");
    for provider in ["openai", "groq"] {
        let output = user.run_with_input(&["login", provider], PLAIN_KEY);
        assert!(output.status.success(), "{}", err(&output));
    }
    let (findings, code) = user.doctor(&[]);
    let found = |name: &str| findings["providers"].as_array().unwrap().iter().any(|entry| entry["provider"] == name);
    assert!(found("openai") && found("groq") && !found("mistral"), "{findings}");
    assert_eq!(code, Some(0), "nothing that was asked for is broken");
    for (arguments, code) in [
        (&["login", "sim"][..], "auth.invalid"),
        (&["login", "antropic"], "provider.unknown"),
        (&["login", "--paste"], "auth.login_failed"),
        (&["logout", "antropic"], "provider.unknown"),
    ] {
        let output = user.run_with_input(arguments, PLAIN_KEY);
        assert!(output.status.code() == Some(1) && err(&output).contains(code), "{arguments:?}: {}", err(&output));
    }
    let empty = user.run_with_input(&["login"], "\n");
    assert!(err(&empty).contains("auth.invalid"), "{}", err(&empty));
    let argument = user.run(&["login", "anthropic", PLAIN_KEY]);
    assert_eq!(argument.status.code(), Some(2), "a key is never an argument");
}

/// Reads lines until one with an address.
fn address(lines: &mut impl BufRead) -> String {
    loop {
        let mut line = String::new();
        assert!(lines.read_line(&mut line).unwrap() > 0, "no address was shown");
        if line.starts_with("http") {
            return line.trim().to_owned();
        }
    }
}

#[test]
fn a_login_in_the_browser() {
    let platform = Platform::start();
    let user = User::of(&platform, &platform.issuer_settings());
    let mut command = user.command(&["login", "--no-browser"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let address = address(&mut lines);
    let callback = format!("{}?code={CODE}&state={}", field(&address, "redirect_uri"), field(&address, "state"));
    assert_eq!(visit(&callback), 200);
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(rest.contains("logged in") && rest.contains(&platform.host()), "{rest}");
    secrets::assert_none("standard output", &rest);
    assert_eq!(platform.asked()[0]["code"], CODE);
    let (findings, code) = user.doctor(&["--online"]);
    let account = anthropic(&findings);
    assert_eq!((&account["used"]["check"]["ok"], code), (&Value::Bool(true), Some(0)), "{findings}");
    assert!(out(&user.run(&["logout"])).contains("removed the login in"));
}

#[test]
fn a_login_by_pasting() {
    let platform = Platform::start();
    let user = User::of(&platform, &platform.issuer_settings());
    let mut command = user.command(&["login", "--paste"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let state = field(&address(&mut lines), "state");
    child.stdin.take().unwrap().write_all(format!("{CODE}#{state}\n").as_bytes()).unwrap();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(child.wait().unwrap().success() && rest.contains("logged in"), "{rest}");
    let wrong = user.run_with_input(&["login", "--paste"], &format!("{CODE}#other"));
    assert!(err(&wrong).contains("auth.login_failed") && wrong.status.code() == Some(1));
}

/// The lines of the report that begin with `subject`.
fn lines<'a>(report: &'a str, subject: &str) -> Vec<&'a str> {
    report.lines().filter(|line| line.split_whitespace().next() == Some(subject)).collect()
}

#[test]
fn the_doctor_tells_every_fact_in_a_line() {
    let platform = Platform::taking("x-api-key", API_KEY);
    let user = User::of(&platform, &format!("auth.hosts = ['{}']", platform.host()));
    let doctor = |online: &[&str]| {
        let mut command = user.command(&[&["doctor"], online].concat());
        command.env("ANTHROPIC_API_KEY", API_KEY).output().unwrap()
    };
    let output = doctor(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    let report = out(&output);
    let facts = lines(&report, "anthropic").join("\n");
    for fact in ["API key", "the environment variable ANTHROPIC_API_KEY", &platform.host()] {
        assert!(facts.contains(fact), "no {fact} in {facts}");
    }
    assert!(lines(&report, "version")[0].contains(env!("CARGO_PKG_VERSION")));
    assert!(report.contains("log level   warn") && report.contains("config.toml (user file) is used"), "{report}");
    assert_eq!(lines(&report, "trust").len(), 1);
    assert_eq!(platform.vendor().connections_made(), 0, "nothing goes over the network");

    assert!(out(&doctor(&["--online"])).contains("answered 200"));
    platform.take("x-api-key", "another");
    let refused = doctor(&["--online"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(out(&refused).contains("not accepted") && out(&refused).contains("answered 401"), "{}", out(&refused));
}

#[test]
fn the_doctor_finds_nothing_wrong_with_an_empty_machine() {
    let user = User::new("");
    let (findings, code) = user.doctor(&[]);
    assert_eq!((code, &findings["ok"]), (Some(0), &Value::Bool(true)), "{findings}");
    assert_eq!(anthropic(&findings)["error"]["code"], "auth.missing_key");
    let report = out(&user.run(&["doctor"]));
    assert!(report.contains("ANTHROPIC_API_KEY (nothing there)") && report.contains("no credential"), "{report}");
}

#[test]
fn the_doctor_fails_when_something_that_was_configured_is_broken() {
    let broken = |user: &User, words: &str| {
        let output = user.run(&["doctor"]);
        assert_eq!(output.status.code(), Some(1), "{words}: {}", out(&output));
        assert!(out(&output).contains(words), "no {words} in {}", out(&output));
        let (findings, code) = user.doctor(&[]);
        assert_eq!((code, &findings["ok"]), (Some(1), &Value::Bool(false)));
    };
    broken(&User::new("modle = 'x'\n"), "did you mean model?");
    broken(&User::new("model = 'anthropic:claude-sonnet-5-5'\n"), "no credential for Anthropic was found");
    let user = User::new("[providers.anthropic]\napiKeyFile = '~/key'\n");
    broken(&user, "is not there");
    write_private(&user.path("key"), PLAIN_KEY);
    assert!(user.run(&["doctor"]).status.success());
    if cfg!(unix) {
        set_mode(&user.path("key"), 0o644);
        broken(&user, "chmod 600");
    }
    broken(&User::new("[providers.anthropic]\nauth.mode = 'bearer'\n"), "ANTHROPIC_AUTH_TOKEN");
    broken(&User::new("[providers.oci]\nprofile = 'NOBODY'\n"), "oci");
}

#[test]
fn the_doctor_says_whether_the_directory_is_trusted() {
    let user = User::new("");
    let file = user.path("project/.souffleur/config.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "maxOutputTokens = 5\n").unwrap();
    let trust = |user: &User| lines(&out(&user.run(&["doctor"])), "trust")[0].to_owned();
    assert!(trust(&user).contains("do not trust"));
    assert!(user.run(&["trust"]).status.success());
    assert!(trust(&user).contains("you trust"), "{}", trust(&user));
    assert!(Path::new(&user.path(".local/state/souffleur")).exists() || cfg!(windows));
}
