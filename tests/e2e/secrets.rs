//! No secret gets out: not at the most talkative level of the log, not into recordings, not by way of what a vendor says.
//! The editor of every other test looks for them, too.

use serde_json::json;

use crate::support::platform::{Platform, SAID};
use crate::support::script::Script;
use crate::support::secrets::{self, API_KEY, MARKER, PLAIN_KEY, access_token, find};
use crate::support::setup::Setup;

fn talkative(platform: &Platform, directory: &std::path::Path) -> Setup {
    Setup::bare()
        .env("SOUFFLEUR_MODEL", "anthropic:claude-sonnet-5-5")
        .env("SOUFFLEUR_MAX_RETRIES", "1")
        .env("SOUFFLEUR_RETRY_BASE_DELAY_MS", "1")
        .env("SOUFFLEUR_LOG_LEVEL", "trace")
        .env("SOUFFLEUR_RECORD", directory.to_str().unwrap())
        .env("ANTHROPIC_BASE_URL", &platform.url())
}

/// An error whose body repeats the key.
fn echo(status: u16, kind: &str, key: &str) -> Script {
    Script::error(status, kind, &format!("invalid x-api-key: {key} (Bearer {key})")).header("x-echo", key)
}

#[test]
fn keys_that_are_used_refused_and_repeated_are_in_no_log_error_or_recording() {
    for key in [API_KEY, PLAIN_KEY] {
        let platform = Platform::taking("x-api-key", key);
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("the.log");
        let setup = talkative(&platform, directory.path()).env("ANTHROPIC_API_KEY", key);
        let editor = setup.args(&["--log", log.to_str().unwrap()]).start();
        let session = editor.new_session();
        assert_eq!(editor.ask(&session, "hi").text(), SAID);
        platform.take("x-api-key", "another");
        for (status, kind, code) in [
            (401, "authentication_error", "auth.rejected"),
            (500, "api_error", "provider.server_error"),
            (400, "invalid_request_error", "provider.bad_request"),
        ] {
            platform.refuse_with(echo(status, kind, key));
            let turn = editor.ask(&session, "again");
            let error = turn.assert_error(code);
            assert!(error.message.contains("[secret]"), "it is masked, not cut: {}", error.message);
        }
        editor.call_ok("souffleur/auth/status", json!({"online": true, "provider": "anthropic"}));
        editor.call_ok("souffleur/config/show", json!({}));
        editor.close();
        let written = std::fs::read(&log).unwrap();
        assert!(written.len() > 1_000 && find(&written).is_none(), "the log was written, without secrets");
        let recordings = std::fs::read_dir(directory.path()).unwrap().count();
        assert!(recordings > 12, "{recordings} files: the recordings were written");
        let secrets = secrets::files_with_secrets(directory.path());
        assert!(secrets.is_empty(), "{secrets:?}");
    }
}

#[test]
fn tokens_that_are_renewed_are_in_no_log_error_or_recording() {
    let platform = Platform::start();
    let directory = tempfile::tempdir().unwrap();
    let setup = talkative(&platform, directory.path());
    let file = setup.secret("bundle.json", &platform.bundle(0, 5));
    let settings = format!("auth.bundleFile = '{}'\n{}", file.display(), platform.issuer_settings());
    let editor = setup.user_settings(&format!("[providers.anthropic]\n{settings}")).start();
    let session = editor.new_session();
    assert_eq!(editor.ask(&session, "hi").text(), SAID);
    platform.revoke();
    assert_eq!(editor.ask(&session, "again").text(), SAID);
    platform.revoke();
    let body = json!({"error": "invalid_grant", "error_description": format!("{} is unknown", access_token(2))});
    platform.answer_token_with(Script::status(400).header("content-type", "application/json").body(body.to_string()));
    editor.ask(&session, "once more").assert_error("auth.expired");
    assert!(editor.stderr().contains("a token was not renewed"), "the log was written");
}

#[test]
fn the_check_finds_a_secret_wherever_it_is() {
    assert!(find(format!("a {API_KEY} b").as_bytes()).is_some_and(|before| before.starts_with("a sk-ant")));
    assert!(find(&API_KEY.as_bytes()[..30]).is_some(), "also one that was cut");
    assert!(find(b"nothing").is_none());
    for secret in [API_KEY, PLAIN_KEY, secrets::SETUP_TOKEN, &access_token(7), &secrets::refresh_token(7)] {
        assert!(secret.contains(MARKER), "{secret}");
    }
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("x{MARKER}x")).unwrap();
        path
    };
    write("data/souffleur/keys.json");
    write("secrets/key");
    let leaks = [write("deep/down/the.log"), write("recording.meta.json")];
    let mut found = secrets::files_with_secrets(folder.path());
    found.sort();
    assert_eq!(found, leaks);
}

/// The editor's own check, with a server that tells what it should not: the simulated provider repeats a prompt.
#[test]
fn the_editor_of_every_test_fails_on_a_secret() {
    let tells = std::panic::catch_unwind(|| {
        let editor = Setup::sim().start();
        editor.ask(&editor.new_session(), &format!("sim> text {MARKER}"));
    });
    let why = tells.unwrap_err();
    let why = why.downcast_ref::<String>().map_or("", String::as_str);
    assert!(why.contains("the server wrote something else than frames") && why.contains("a secret"), "{why}");
}
