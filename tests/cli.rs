//! The commands, as a person or a script runs them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "support/mod.rs"]
pub mod support;

#[path = "cli/accounts.rs"]
mod accounts;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use support::answer::Answer;
use support::secrets;
use support::vendor::Vendor;

/// The program, with nothing of the test's environment but `PATH`, in `directory`.
fn souffleur(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_souffleur"));
    command.env_clear().current_dir(directory).stdin(Stdio::null());
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
}

fn run(arguments: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    souffleur(directory.path()).args(arguments).output().unwrap()
}

/// Standard output, which carries no secret.
fn out(output: &Output) -> String {
    secrets::assert_none("standard output", &output.stdout);
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard error, which carries no secret.
fn err(output: &Output) -> String {
    secrets::assert_none("standard error", &output.stderr);
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn ask_writes_the_answer_to_stdout_and_all_else_to_stderr() {
    let output = run(&["ask", "sim> think hm\nsim> text The answer", "--model", "sim:default"]);
    assert!(output.status.success());
    assert_eq!(out(&output), "The answer\n");
    for word in ["simulated", "hm", "end_turn", "tokens in"] {
        assert!(err(&output).contains(word), "{word} is not in {}", err(&output));
    }
}

#[test]
fn ask_asks_the_real_provider_when_there_is_a_key() {
    let vendor = Vendor::start();
    vendor.push(Answer::says("From the vendor"));
    let directory = tempfile::tempdir().unwrap();
    let mut command = souffleur(directory.path());
    command.env("ANTHROPIC_API_KEY", secrets::API_KEY).env("ANTHROPIC_BASE_URL", vendor.url());
    let output = command.args(["ask", "hi"]).output().unwrap();
    assert_eq!(out(&output), "From the vendor\n");
    assert_eq!(vendor.request(0).header("x-api-key"), Some(secrets::API_KEY));
    assert!(err(&output).contains('$'), "{}", err(&output));
}

#[test]
fn ask_without_a_credential_says_what_it_looked_for_and_what_needs_none() {
    let output = run(&["ask", "hi"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(out(&output), "");
    for word in ["model.not_configured", "ANTHROPIC_API_KEY", "platform.claude.com", "--model sim:default"] {
        assert!(err(&output).contains(word), "{word} is not in {}", err(&output));
    }
    let chosen = run(&["ask", "hi", "--model", "anthropic:claude-sonnet-5-5"]);
    assert!(err(&chosen).contains("auth.missing_key"), "{}", err(&chosen));
}

#[test]
fn an_address_that_is_none_is_told_with_the_variable_to_look_at() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = souffleur(directory.path());
    command.env("ANTHROPIC_API_KEY", secrets::API_KEY).env("ANTHROPIC_BASE_URL", "not an address");
    let output = command.args(["ask", "hi"]).output().unwrap();
    assert!(err(&output).contains("config.invalid") && err(&output).contains("ANTHROPIC_BASE_URL"), "{}", err(&output));
}

#[test]
fn ask_prints_the_stream_as_json() {
    let output = run(&["ask", "sim> stream 3", "--json", "--model", "sim:default"]);
    let lines = out(&output);
    let values: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<_> = values.iter().map(|value| value["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..values.len() as u64).collect::<Vec<_>>());
    assert_eq!(values.first().unwrap()["kind"], "begin");
    assert_eq!(values.last().unwrap()["stopReason"], "end_turn");
}

#[test]
fn ask_fails_when_the_turn_does() {
    let output = run(&["ask", "sim> text so far\nsim> cut", "--model", "sim:default"]);
    assert_eq!((output.status.code(), out(&output).as_str()), (Some(1), "so far\n"));
    assert!(err(&output).contains("provider.stream_broken"));
}

#[test]
fn ask_takes_the_prompt_from_stdin() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = souffleur(directory.path());
    let command = command.args(["ask", "-", "--model", "sim:default"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"sim> text piped").unwrap();
    assert_eq!(out(&child.wait_with_output().unwrap()), "piped\n");
}

#[cfg(unix)]
#[test]
fn ask_is_interrupted_by_the_user() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = souffleur(directory.path());
    let command = command.args(["ask", "sim> text first\nsim> wait 1h", "--model", "sim:default"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "first\n");
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn the_demo_shows_the_main_job() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("README.md"), "# The demo's project\n").unwrap();
    let output = souffleur(directory.path()).arg("demo").output().unwrap();
    assert!(output.status.success(), "{}", err(&output));
    let shown = out(&output);
    let steps = ["initialize", "session", "prompt", "thinking", "text", "tool call", "end_turn", "usage", "shutdown"];
    let mut from = 0;
    for step in steps {
        let at = shown[from..].find(step).unwrap_or_else(|| panic!("no {step} after byte {from} of {shown}"));
        from += at;
    }
    assert!(shown.contains("# The demo's project") && shown.contains("simulated"), "{shown}");
}

#[test]
fn the_demo_works_in_an_empty_directory_and_with_another_prompt() {
    let directory = tempfile::tempdir().unwrap();
    let output = souffleur(directory.path()).args(["demo", "sim> text as you like"]).output().unwrap();
    assert!(output.status.success() && out(&output).contains("as you like"), "{}", out(&output));
    assert!(souffleur(directory.path()).arg("demo").status().unwrap().success());
}

#[test]
fn models_are_listed_without_a_key_or_a_network() {
    let output = run(&["models"]);
    assert!(output.status.success(), "{}", err(&output));
    let (shown, line) = (out(&output), |name: &str| {
        let shown = out(&output);
        shown.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap_or_default().to_owned()
    });
    assert!(shown.starts_with("MODEL"), "{shown}");
    let haiku = line("anthropic:claude-haiku-5-5");
    for word in ["1M", "128k", "adaptive disabled", "medium*", "0.10", "0.50", "0.01", "above 100k"] {
        assert!(haiku.contains(word), "no {word} in {haiku}");
    }
    let retired = line("anthropic:claude-mythos-preview");
    assert!(retired.ends_with("retired 2026-06-30, use anthropic:claude-mythos-5-2"), "{retired}");
    assert!(line("sim:default").contains("simulated"), "{shown}");
    assert_eq!(err(&output), "");
    let refused = run(&["models", "--refresh"]);
    assert!(refused.status.code() == Some(1) && err(&refused).contains("auth.missing_key"), "{}", err(&refused));
}

#[test]
fn models_are_asked_for_on_demand_and_printed_as_json() {
    let vendor = Vendor::start();
    let entry = r#"{"data": [{"id": "claude-opus-6", "max_input_tokens": 3000000}], "has_more": false}"#;
    vendor.push(support::script::Script::status(200).header("content-type", "application/json").body(entry));
    vendor.push(support::script::Script::status(404));
    let directory = tempfile::tempdir().unwrap();
    let models = |arguments: &[&str]| {
        let mut command = souffleur(directory.path());
        command.env("ANTHROPIC_API_KEY", secrets::API_KEY).env("ANTHROPIC_BASE_URL", vendor.url());
        command.arg("models").args(arguments).output().unwrap()
    };
    let output = models(&["--refresh", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    let new = list["models"].as_array().unwrap().iter().find(|model| model["model"] == "anthropic:claude-opus-6");
    assert_eq!(new.unwrap()["contextTokens"], 3_000_000);
    let output = models(&["--refresh"]);
    assert!(output.status.success() && out(&output).contains("anthropic:claude-sonnet-5-5"));
    assert!(err(&output).starts_with("note: anthropic does not list its models"), "{}", err(&output));
    models(&[]);
    assert_eq!(vendor.request_count(), 2);
}

#[test]
fn export_and_completions_write_what_they_should() {
    let directory = tempfile::tempdir().unwrap();
    for format in ["json-schema", "typescript", "lua"] {
        let output = souffleur(directory.path()).args(["export", format, "--out", "new/folder"]).output().unwrap();
        assert!(output.status.success(), "{}", err(&output));
        assert!(std::fs::read_to_string(directory.path().join(out(&output).trim())).unwrap().len() > 1_000);
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(out(&run(&["completions", shell])).contains("souffleur"), "{shell}");
    }
    assert!(out(&run(&["--version"])).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_log_goes_to_its_file_and_holds_no_key() {
    let vendor = Vendor::start();
    vendor.push(Answer::says("hello"));
    let directory = tempfile::tempdir().unwrap();
    let mut command = souffleur(directory.path());
    command.env("ANTHROPIC_API_KEY", secrets::PLAIN_KEY).env("ANTHROPIC_BASE_URL", vendor.url());
    let output = command.args(["--log", "the.log", "--log-level", "trace", "ask", "hi"]).output().unwrap();
    assert!(output.status.success(), "{}", err(&output));
    let log = std::fs::read_to_string(directory.path().join("the.log")).unwrap();
    let completed = log.lines().find(|line| line.contains("request completed")).unwrap_or_else(|| panic!("{log}"));
    for field in [
        "turn=",
        "model=",
        "req_test_stream",
        "status=200",
        "first_byte_ms=",
        "first_token_ms=",
        "input_tokens=",
        "retries=0",
    ] {
        assert!(completed.contains(field), "{field} is not in {completed}");
    }
    assert!(log.contains("turn ends"), "{log}");
    secrets::assert_none("the log", &log);
    secrets::assert_none("standard error", err(&output));
}

/// A whole conversation with the server, as it is written.
fn conversation() -> Vec<u8> {
    let messages = [
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":null,"capabilities":{}}}"#,
        r#"{"jsonrpc":"2.0","method":"initialized","params":{}}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"shutdown"}"#,
        r#"{"jsonrpc":"2.0","method":"exit"}"#,
    ];
    messages.iter().flat_map(|text| format!("Content-Length: {}\r\n\r\n{text}", text.len()).into_bytes()).collect()
}

#[cfg(unix)]
#[test]
fn the_server_speaks_over_sockets_as_node_connects_them() {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    let directory = tempfile::tempdir().unwrap();
    let (mut to_server, server_in) = UnixStream::pair().unwrap();
    let (mut from_server, server_out) = UnixStream::pair().unwrap();
    let mut command = souffleur(directory.path());
    command.stdin(OwnedFd::from(server_in)).stdout(OwnedFd::from(server_out)).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    // The command holds the server's ends, too; without them gone the server's end would not be seen.
    drop(command);
    to_server.write_all(&conversation()).unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut from_server, &mut said).unwrap();
    assert!(said.contains("serverInfo") && said.contains(r#""id":2"#), "{said}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_server_reads_and_writes_files_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("in"), conversation()).unwrap();
    let mut command = souffleur(directory.path());
    command.stdin(std::fs::File::open(path("in")).unwrap()).stdout(std::fs::File::create(path("out")).unwrap());
    assert_eq!(command.status().unwrap().code(), Some(0));
    let said = std::fs::read_to_string(path("out")).unwrap();
    assert!(said.contains("serverInfo") && said.contains(r#""id":2"#), "{said}");
}

#[test]
fn ask_goes_on_with_the_last_session_of_the_directory() {
    let (home, project, other) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let in_project =
        |arguments: &[&str]| souffleur(project.path()).env("HOME", home.path()).args(arguments).output().unwrap();
    let nothing = in_project(&["ask", "hi", "--continue", "--model", "sim:default"]);
    assert!(err(&nothing).contains("session.not_found"), "{}", err(&nothing));
    let vendor = Vendor::start();
    vendor.push(Answer::says("first"));
    vendor.push(Answer::says("second"));
    let with_vendor = |arguments: &[&str]| {
        let mut command = souffleur(project.path());
        command.env("HOME", home.path()).env("ANTHROPIC_API_KEY", "test-key").env("ANTHROPIC_BASE_URL", vendor.url());
        command.args(arguments).output().unwrap()
    };
    assert_eq!(out(&with_vendor(&["ask", "one"])), "first\n");
    assert_eq!(out(&with_vendor(&["ask", "two", "--continue"])), "second\n");
    assert_eq!(vendor.request(1).messages().len(), 3, "the first turn came along");
    let list = out(&in_project(&["sessions", "list"]));
    assert!(list.contains("one") && list.contains("2 turns") && list.lines().count() == 1, "{list}");
    let id = list.split_whitespace().next().unwrap().to_owned();
    let elsewhere = souffleur(other.path()).env("HOME", home.path()).args(["sessions", "list"]).output().unwrap();
    assert_eq!(out(&elsewhere), "");
    assert!(out(&in_project(&["sessions", "search", "secon"])).contains(&id));
    let exported = in_project(&["sessions", "export", &id, "--json"]);
    let file = project.path().join("session.json");
    std::fs::write(&file, &exported.stdout).unwrap();
    assert!(in_project(&["sessions", "delete", &id]).status.success());
    assert_eq!(out(&in_project(&["sessions", "list"])), "");
    assert!(in_project(&["sessions", "import", file.to_str().unwrap()]).status.success());
    assert!(out(&in_project(&["sessions", "export", &id])).contains("second"));
}
