//! Credentials that are refused, that expire, and that many need at once.

use serde_json::{Value, json};

use super::{assert_works, setup, setup_by_environment};
use crate::support::editor::Editor;
use crate::support::platform::{Platform, SAID};
use crate::support::script::Gate;
use crate::support::secrets::{API_KEY, OTHER_KEY, access_token, refresh_token, write_private};
use crate::support::setup::Setup;

/// A server with a bundle at `file`, and this platform as its issuer.
fn with_bundle(platform: &Platform, file: &std::path::Path) -> Setup {
    let issuer = platform.issuer_settings();
    setup(platform, &format!("auth.mode = 'oauth_bundle'\nauth.bundleFile = '{}'\n{issuer}", file.display()))
}

/// A directory for a bundle, and the bundle with the token number 0.
fn bundle(platform: &Platform, expires_in: i64) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bundle.json");
    write_private(&file, &platform.bundle(0, expires_in));
    (folder, file)
}

fn read(file: &std::path::Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn a_token_that_is_refused_is_renewed_and_the_request_sent_once_more() {
    let platform = Platform::start();
    let (_folder, file) = bundle(&platform, 3600);
    let editor = with_bundle(&platform, &file).start();
    assert_works(&editor);
    // Twice in a row: the second renewal uses what the first one gave.
    for (round, expected) in [(1, vec![true, false, true]), (2, vec![true, false, true, false, true])] {
        platform.revoke();
        assert_works(&editor);
        assert_eq!(platform.messages(), expected);
        let asked = platform.asked();
        assert_eq!(asked.len(), round);
        assert_eq!(asked[round - 1]["refresh_token"], refresh_token(round - 1).as_str());
        assert_eq!(read(&file)["access_token"], access_token(round).as_str());
    }
    assert_eq!(read(&file)["kept"], "as it is");
}

#[test]
fn a_renewed_token_that_is_refused_too_ends_the_turn() {
    let platform = Platform::taking("x-api-key", API_KEY);
    let (_folder, file) = bundle(&platform, 3600);
    let editor = with_bundle(&platform, &file).start();
    let turn = editor.ask(&editor.new_session(), "hi");
    turn.assert_error("auth.rejected");
    assert_eq!((platform.messages(), platform.asked().len()), (vec![false, false], 1), "once more, and only once");
}

#[test]
fn a_workloads_token_that_is_refused_is_exchanged_anew() {
    let platform = Platform::start();
    let setup = setup_by_environment(&platform, "");
    let token = setup.secret("identity", crate::support::secrets::IDENTITY);
    let editor = setup
        .env("ANTHROPIC_FEDERATION_RULE_ID", "fdrl_1")
        .env("ANTHROPIC_ORGANIZATION_ID", "org_1")
        .env("ANTHROPIC_IDENTITY_TOKEN_FILE", &token.display().to_string())
        .start();
    assert_works(&editor);
    platform.revoke();
    assert_works(&editor);
    assert_eq!((platform.messages(), platform.asked().len()), (vec![true, false, true], 2));
}

#[cfg(unix)]
#[test]
fn a_program_is_asked_again_for_a_key_that_is_refused_and_a_file_is_read_again() {
    for how in ["apiKeyCommand = ['cat', '{}']", "apiKeyFile = '{}'"] {
        let platform = Platform::taking("x-api-key", API_KEY);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        write_private(&file, API_KEY);
        let editor = setup(&platform, &how.replace("{}", &file.display().to_string())).start();
        assert_works(&editor);
        write_private(&file, OTHER_KEY);
        platform.take("x-api-key", OTHER_KEY);
        assert_works(&editor);
        assert_eq!(platform.messages().last(), Some(&true));
    }
}

#[test]
fn a_key_that_cannot_be_renewed_is_sent_once() {
    let platform = Platform::taking("x-api-key", OTHER_KEY);
    let editor = setup_by_environment(&platform, "").env("ANTHROPIC_API_KEY", API_KEY).start();
    editor.ask(&editor.new_session(), "hi").assert_error("auth.rejected");
    assert_eq!(platform.messages(), [false]);
}

#[test]
fn fifty_turns_at_expiry_cause_one_renewal() {
    let platform = Platform::start();
    let (_folder, file) = bundle(&platform, 5);
    let editor = with_bundle(&platform, &file).start();
    let gate = Gate::new();
    platform.hold_tokens(&gate);
    let sessions: Vec<_> = (0..50).map(|_| editor.new_session()).collect();
    let mut turns: Vec<_> = sessions.iter().map(|session| editor.prompt(session, "hi")).collect();
    // All turns have begun: whoever needs a token is waiting for it, or will find the new one.
    platform.vendor().request(0);
    gate.open();
    for turn in &mut turns {
        editor.finish(turn);
        assert_eq!(turn.text(), SAID, "{:?}", turn.end());
    }
    assert_eq!(platform.asked().len(), 1, "exactly one renewal");
    assert_eq!(platform.messages(), vec![true; 50]);
}

#[test]
fn fifty_turns_whose_token_is_refused_cause_one_renewal() {
    let platform = Platform::start();
    let (_folder, file) = bundle(&platform, 3600);
    let editor = with_bundle(&platform, &file).start();
    assert_works(&editor);
    platform.revoke();
    let sessions: Vec<_> = (0..50).map(|_| editor.new_session()).collect();
    let mut turns: Vec<_> = sessions.iter().map(|session| editor.prompt(session, "hi")).collect();
    for turn in &mut turns {
        editor.finish(turn);
        assert_eq!(turn.text(), SAID, "{:?}", turn.end());
    }
    assert_eq!(platform.asked().len(), 1, "exactly one renewal");
}

#[test]
fn two_servers_with_one_bundle_renew_it_once() {
    let platform = Platform::start();
    let (_folder, file) = bundle(&platform, 5);
    let editors: [Editor; 2] = std::array::from_fn(|_| with_bundle(&platform, &file).start());
    let gate = Gate::new();
    platform.hold_tokens(&gate);
    let mut turns: Vec<_> = editors.iter().map(|editor| editor.prompt(&editor.new_session(), "hi")).collect();
    platform.vendor().request(0);
    gate.open();
    for (editor, turn) in editors.iter().zip(&mut turns) {
        editor.finish(turn);
        assert_eq!(turn.text(), SAID, "{:?}", turn.end());
    }
    assert_eq!(platform.asked().len(), 1, "one renews, the other reads what it wrote");
    assert_eq!(platform.messages(), [true, true]);
    assert_eq!(read(&file)["access_token"], access_token(1).as_str());
}

#[test]
fn a_token_is_renewed_in_the_background_before_it_expires() {
    let platform = Platform::start();
    // Short-lived tokens have smaller margins: it is renewed after its half.
    platform.lifetime(2);
    let (_folder, file) = bundle(&platform, 1);
    let editor = with_bundle(&platform, &file).start();
    assert_works(&editor);
    assert_eq!(platform.asked().len(), 1);
    // No turn asks for it: the platform's next request is the background's.
    let second = platform.vendor().request(2);
    assert_eq!(second.body["grant_type"], json!("refresh_token"));
    assert_eq!(second.body["refresh_token"], json!(refresh_token(1)));
}
