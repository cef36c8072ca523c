//! Files that cannot be trusted, issuers that misbehave.

use serde_json::json;

use super::{refused_at_once, setup, status};
use crate::support::editor::Editor;
use crate::support::platform::{Platform, SAID};
use crate::support::script::{Gate, Script, Step};
use crate::support::secrets::{MARKER, refresh_token, set_mode};

/// A server whose user names a bundle file with this content, and the file.
fn with_bundle(platform: &Platform, content: &str) -> (Editor, std::path::PathBuf) {
    let setup = setup(platform, "");
    let file = setup.secret("bundle.json", content);
    let settings = format!(
        "[providers.anthropic]\nbaseUrl = '{}'\nauth.bundleFile = '{}'\n{}",
        platform.url(),
        file.display(),
        platform.issuer_settings()
    );
    (setup.user_settings(&settings).start(), file)
}

/// A turn that fails.
fn fails(editor: &Editor, code: &str) -> String {
    let turn = editor.ask(&editor.new_session(), "hi");
    let error = turn.assert_error(code);
    assert_eq!(error.provider.as_deref(), Some("anthropic"), "{error:?}");
    format!("{}; {}", error.message, error.hint.clone().unwrap_or_default())
}

/// What is wrong with the file, and what to do about it.
fn invalid(editor: &Editor) -> String {
    let error = refused_at_once(editor, "auth.invalid");
    format!("{}; {}", error.message, error.hint.unwrap_or_default())
}

#[cfg(unix)]
#[test]
fn a_bundle_that_others_can_read_is_refused() {
    let platform = Platform::start();
    let (editor, file) = with_bundle(&platform, &platform.bundle(0, 3600));
    set_mode(&file, 0o644);
    let said = invalid(&editor);
    assert!(said.contains("open to other users") && said.contains("chmod 600"), "{said}");
    assert_eq!(platform.vendor().connections_made(), 0);
    // Mended, it works without a new start.
    set_mode(&file, 0o600);
    super::assert_works(&editor);
}

#[cfg(unix)]
#[test]
fn a_bundle_that_is_a_link_cannot_be_read_or_is_no_file_is_refused() {
    let platform = Platform::start();
    let (editor, file) = with_bundle(&platform, &platform.bundle(0, 3600));
    let real = file.with_file_name("real.json");
    std::fs::rename(&file, &real).unwrap();
    std::os::unix::fs::symlink(&real, &file).unwrap();
    assert!(invalid(&editor).contains("symbolic link"));
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert!(invalid(&editor).contains("not a plain file"));
    assert_eq!(platform.vendor().connections_made(), 0);
}

#[test]
fn a_bundle_that_is_half_written_or_of_another_shape_is_refused_and_left_alone() {
    let platform = Platform::start();
    let whole = platform.bundle(0, 3600);
    let rows = [
        (&whole[..whole.len() / 2], "ends in the middle"),
        ("", "ends in the middle"),
        ("[]", "not a JSON object"),
        ("access_token=x", "not JSON"),
        (r#"{"access_token": 5}"#, "access_token"),
        (r#"{"access_token": "H1dd3nOfTests", "expires_at": "soon"}"#, "expires_at"),
    ];
    for (content, words) in rows {
        let (editor, file) = with_bundle(&platform, content);
        let said = invalid(&editor);
        assert!(said.contains(words), "{content:?}: {said}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), content);
        assert_eq!(status(&editor, true)["error"]["code"], "auth.invalid");
    }
    assert_eq!(platform.vendor().connections_made(), 0);
}

#[test]
fn an_issuer_that_answers_with_a_page_is_named_and_its_page_is_not_shown() {
    let platform = Platform::start();
    let page = format!("<html><body>Sign in, {}</body></html>", refresh_token(0));
    platform.answer_token_with(Script::status(200).header("content-type", "text/html").body(page));
    let (editor, file) = with_bundle(&platform, &platform.bundle(0, 5));
    let before = std::fs::read_to_string(&file).unwrap();
    let said = fails(&editor, "auth.refresh_failed");
    assert!(said.contains(&platform.host()) && !said.contains("Sign in") && !said.contains(MARKER), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    // It is not asked again at once.
    fails(&editor, "auth.refresh_failed");
    assert_eq!(platform.asked().len(), 1);
}

#[test]
fn an_issuer_that_refuses_ends_the_login() {
    let platform = Platform::start();
    let body = json!({"error": "invalid_grant", "error_description": format!("{} was revoked", refresh_token(0))});
    let refusal = Script::status(400).header("content-type", "application/json").body(body.to_string());
    platform.answer_token_with(refusal);
    let (editor, _) = with_bundle(&platform, &platform.bundle(0, 5));
    let said = fails(&editor, "auth.expired");
    assert!(said.contains("log in again"), "{said}");
}

#[test]
fn a_slow_issuer_holds_up_nobody_who_does_not_need_it_and_can_be_left() {
    let platform = Platform::start();
    let gate = Gate::new();
    platform.hold_tokens(&gate);
    let (editor, file) = with_bundle(&platform, &platform.bundle(0, 5));
    let (session, other) = (editor.new_session(), editor.new_session());
    let mut waiting = editor.prompt(&session, "hi");
    platform.vendor().request(0);
    // Another provider goes on meanwhile, and so does the protocol.
    let simulated = editor.new_session_with(json!({"model": "sim:default"})).session_id.to_string();
    assert!(editor.ask(&simulated, "sim> text quick").text().contains("quick"));
    editor.call_ok("souffleur/session/cancel", json!({"sessionId": session}));
    editor.finish(&mut waiting);
    waiting.assert_stop(souffleur::chat::TurnStopReason::Cancelled);
    // The renewal goes on: its answer would be lost otherwise, and the login with it.
    let mut next = editor.prompt(&other, "hi");
    gate.open();
    editor.finish(&mut next);
    assert_eq!((next.text().as_str(), platform.asked().len()), (SAID, 1));
    assert!(std::fs::read_to_string(&file).unwrap().contains("access-1"));
}

#[test]
fn an_issuer_that_hangs_up_is_a_failure_that_may_pass() {
    let platform = Platform::start();
    platform.answer_token_with(Script::status(200).body("{\"access_to").then(Step::Reset));
    let (editor, _) = with_bundle(&platform, &platform.bundle(0, 5));
    let turn = editor.ask(&editor.new_session(), "hi");
    assert!(turn.assert_error("auth.refresh_failed").retryable);
}
