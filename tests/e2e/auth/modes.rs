//! Every way to have a credential.

use serde_json::json;

use super::{assert_works, refused_at_once, setup, setup_by_environment, status, unpaired};
use crate::support::platform::Platform;
use crate::support::secrets::{API_KEY, IDENTITY, OTHER_KEY, PLAIN_KEY, SETUP_TOKEN, access_token};
use crate::support::setup::Setup;

/// The credential arrives in its header and in no other, and the status says what it is and where it was found.
fn holds(setup: Setup, platform: &Platform, kind: &str, source: &str) {
    let editor = setup.start();
    assert_works(&editor);
    assert_eq!(platform.messages(), [true]);
    let known = status(&editor, false);
    assert_eq!(known["used"]["kind"], kind, "{known}");
    assert!(known["used"]["source"].as_str().unwrap().contains(source), "{known}");
    assert_eq!(known["used"]["host"], platform.host(), "{known}");
    assert!(known["looked"].as_array().unwrap().iter().any(|looked| looked["outcome"] == "used"), "{known}");
    let tried = status(&editor, true);
    assert_eq!(tried["used"]["check"]["ok"], true, "{tried}");
}

#[test]
fn a_key_from_the_environment() {
    let platform = Platform::taking("x-api-key", PLAIN_KEY);
    let setup = setup_by_environment(&platform, "auth.mode = 'static'").env("ANTHROPIC_API_KEY", PLAIN_KEY);
    holds(setup, &platform, "apiKey", "ANTHROPIC_API_KEY");
}

#[test]
fn a_key_from_the_settings() {
    let platform = Platform::taking("x-api-key", API_KEY);
    let by_reference = setup(&platform, "apiKey = '${MY_KEY}'").env("MY_KEY", API_KEY);
    holds(by_reference, &platform, "apiKey", "`apiKey`");
    let platform = Platform::taking("x-api-key", API_KEY);
    holds(setup(&platform, &format!("apiKey = '{API_KEY}'")), &platform, "apiKey", "`apiKey`");
    let platform = Platform::taking("x-api-key", API_KEY);
    let by_variable = setup(&platform, "apiKeyEnv = 'MY_KEY'").env("MY_KEY", API_KEY);
    holds(by_variable, &platform, "apiKey", "MY_KEY (`apiKeyEnv`)");
}

#[cfg(unix)]
#[test]
fn a_key_from_a_file_and_from_a_program() {
    for how in ["apiKeyFile = '{}'", "apiKeyCommand = ['cat', '{}']"] {
        let platform = Platform::taking("x-api-key", API_KEY);
        let setup = setup(&platform, "");
        let file = setup.secret("key", &format!("{API_KEY}\n"));
        let settings = how.replace("{}", &file.display().to_string());
        let setup =
            setup.user_settings(&format!("[providers.anthropic]\nbaseUrl = '{}'\n{settings}\n", platform.url()));
        holds(setup, &platform, "apiKey", &how[..how.find(' ').unwrap()]);
    }
}

#[test]
fn a_key_in_the_other_header() {
    let platform = Platform::taking("authorization", &format!("Bearer {API_KEY}"));
    let setup = setup(&platform, "apiKey = '${MY_KEY}'\nauth.header = 'authorization'").env("MY_KEY", API_KEY);
    holds(setup, &platform, "apiKey", "`apiKey`");
}

#[test]
fn a_bearer_token_from_the_environment() {
    let platform = Platform::taking("authorization", &format!("Bearer {PLAIN_KEY}"));
    let setup = setup_by_environment(&platform, "auth.mode = 'bearer'").env("ANTHROPIC_AUTH_TOKEN", PLAIN_KEY);
    holds(setup, &platform, "bearer", "ANTHROPIC_AUTH_TOKEN");
    assert_eq!(platform.vendor().request(0).header("anthropic-beta"), None, "no token of the vendor's own");
}

#[test]
fn a_setup_token_from_its_file_and_from_the_environment() {
    for by_file in [true, false] {
        let platform = Platform::taking("authorization", &format!("Bearer {SETUP_TOKEN}"));
        let settings = format!("auth.mode = 'setup_token'\nauth.hosts = ['{}']\n", platform.host());
        let setup = setup(&platform, &settings);
        let (setup, source) = if by_file {
            let file = setup.secret("setup", SETUP_TOKEN);
            let settings =
                format!("{settings}baseUrl = '{}'\nauth.setupTokenFile = '{}'", platform.url(), file.display());
            (setup.user_settings(&format!("[providers.anthropic]\n{settings}\n")), "/setup")
        } else {
            (setup.env("CLAUDE_CODE_OAUTH_TOKEN", SETUP_TOKEN), "CLAUDE_CODE_OAUTH_TOKEN")
        };
        let editor = setup.start();
        assert_works(&editor);
        let beta = platform.vendor().request(0).header("anthropic-beta").map(str::to_owned);
        assert!(beta.unwrap().contains("oauth-2025-04-20"));
        let known = status(&editor, false);
        assert_eq!(known["used"]["kind"], "setupToken");
        assert!(known["used"]["source"].as_str().unwrap().contains(source), "{known}");
    }
}

#[test]
fn a_setup_token_that_was_cut_is_refused() {
    let platform = Platform::start();
    let settings = format!("auth.mode = 'setup_token'\nauth.hosts = ['{}']", platform.host());
    let editor = setup(&platform, &settings).env("CLAUDE_CODE_OAUTH_TOKEN", &SETUP_TOKEN[..79]).start();
    let error = refused_at_once(&editor, "auth.invalid");
    assert!(error.message.contains("79 characters"), "{}", error.message);
    assert_eq!(platform.vendor().connections_made(), 0);
}

#[test]
fn an_oauth_bundle() {
    let platform = Platform::start();
    let setup = setup(&platform, "");
    let file = setup.secret("bundle.json", &platform.bundle(0, 3600));
    let settings = format!("auth.mode = 'oauth_bundle'\nauth.bundleFile = '{}'", file.display());
    let setup = setup.user_settings(&format!("[providers.anthropic]\nbaseUrl = '{}'\n{settings}\n", platform.url()));
    let editor = setup.start();
    assert_works(&editor);
    let known = status(&editor, true);
    assert_eq!((&known["used"]["kind"], &known["used"]["check"]["ok"]), (&json!("oauth"), &json!(true)), "{known}");
    assert!(known["used"]["expiresAt"].as_i64().is_some_and(|at| at > 1_700_000_000_000), "{known}");
}

/// A profile as the vendor's own command line writes it.
fn with_profile(setup: Setup, platform: &Platform, name: &str, expires_in: i64) -> Setup {
    let folder = setup.home().join(".config/anthropic");
    std::fs::create_dir_all(folder.join("configs")).unwrap();
    let config = json!({
        "base_url": platform.url(), "authentication": {"type": "user_oauth", "client_id": "the-vendors-own"},
    });
    let path = folder.join("configs").join(format!("{name}.json"));
    std::fs::write(&path, config.to_string()).unwrap();
    crate::support::secrets::set_mode(&path, 0o644);
    let credentials = folder.join("credentials").join(format!("{name}.json"));
    crate::support::secrets::write_private(&credentials, &platform.bundle(0, expires_in));
    setup
}

#[test]
fn an_official_profile_by_each_way_to_name_it() {
    let rows = ["default", "active_config", "auth.profile", "ANTHROPIC_PROFILE"];
    for by in rows {
        let platform = Platform::start();
        let name = if by == "default" { "default" } else { "work" };
        let settings = if by == "auth.profile" { "auth.profile = 'work'" } else { "" };
        let mut setup = with_profile(setup(&platform, settings), &platform, name, 3600);
        if by == "active_config" {
            let pointer = setup.home().join(".config/anthropic/active_config");
            std::fs::write(&pointer, "work\n").unwrap();
            crate::support::secrets::set_mode(&pointer, 0o644);
        }
        if by == "ANTHROPIC_PROFILE" {
            setup = setup.env("ANTHROPIC_PROFILE", "work");
        }
        holds(setup, &platform, "oauth", &format!("the profile `{name}`"));
    }
}

#[test]
fn a_profile_that_expires_is_renewed_and_written_back() {
    let platform = Platform::start();
    let setup = with_profile(setup(&platform, "auth.mode = 'profile'"), &platform, "default", 5);
    let file = setup.home().join(".config/anthropic/credentials/default.json");
    let editor = setup.start();
    assert_works(&editor);
    let asked = platform.asked();
    assert_eq!((asked.len(), &asked[0]["client_id"]), (1, &json!("the-vendors-own")), "one renewal");
    let written: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(written["access_token"], access_token(1).as_str());
    assert!(written["expires_at"].is_u64() && written["kept"] == "as it is", "in the form it had");
}

#[test]
fn a_workloads_identity_is_exchanged() {
    let platform = Platform::start();
    platform.revoke();
    let setup = setup_by_environment(&platform, "");
    let token = setup.secret("identity", IDENTITY);
    let editor = setup
        .env("ANTHROPIC_FEDERATION_RULE_ID", "fdrl_1")
        .env("ANTHROPIC_ORGANIZATION_ID", "org_1")
        .env("ANTHROPIC_IDENTITY_TOKEN_FILE", &token.display().to_string())
        .start();
    assert_works(&editor);
    assert_works(&editor);
    let asked = platform.asked();
    assert_eq!((asked.len(), &asked[0]["assertion"]), (1, &json!(IDENTITY)), "one exchange for both");
    assert_eq!(asked[0]["federation_rule_id"], "fdrl_1");
    assert_eq!(status(&editor, false)["used"]["kind"], "workloadIdentity");
}

#[test]
fn the_login_of_claude_code_only_when_its_import_is_on_and_in_both_shapes() {
    for (import, nested) in [(false, true), (true, true), (true, false)] {
        let platform = Platform::start();
        let settings = format!("auth.hosts = ['{}']\nauth.importClaudeCode = {import}", platform.host());
        let setup = setup(&platform, &settings);
        let login = json!({
            "accessToken": access_token(0), "refreshToken": "H1dd3nOfTests-never-used", "expiresAt": 4_000_000_000_000_u64,
        });
        let login = if nested { json!({"claudeAiOauth": login}) } else { login }.to_string();
        let file = setup.home().join(".claude/.credentials.json");
        crate::support::secrets::write_private(&file, &login);
        let editor = setup.start();
        if import {
            assert_works(&editor);
            platform.revoke();
            let turn = editor.ask(&editor.new_session(), "again");
            turn.assert_error("auth.rejected");
            assert!(platform.asked().is_empty(), "its token is never renewed");
        } else {
            let error = refused_at_once(&editor, "auth.missing_key");
            assert!(error.hint.as_deref().unwrap().contains("its import is switched off"), "{error:?}");
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), login, "it is never written");
    }
}

#[test]
fn auto_follows_its_order_or_the_one_that_is_set() {
    let platform = Platform::taking("x-api-key", API_KEY);
    let setup = || setup_by_environment(&platform, "").env("ANTHROPIC_AUTH_TOKEN", PLAIN_KEY);
    let editor = setup().env("ANTHROPIC_API_KEY", API_KEY).start();
    assert_works(&editor);
    let known = status(&editor, false);
    let outcomes: Vec<_> = known["looked"].as_array().unwrap().iter().map(|looked| looked["outcome"].clone()).collect();
    assert_eq!(outcomes[..3], [json!("absent"), json!("used"), json!("found")], "{known}");
    editor.close();

    platform.take("authorization", &format!("Bearer {PLAIN_KEY}"));
    let order = "auth.order = ['environment_bearer', 'environment_key']";
    let setup = setup_by_environment(&platform, order).env("ANTHROPIC_AUTH_TOKEN", PLAIN_KEY);
    let editor = setup.env("ANTHROPIC_API_KEY", OTHER_KEY).start();
    assert_works(&editor);
    assert_eq!(status(&editor, false)["looked"].as_array().unwrap().len(), 2);
}

#[test]
fn without_a_credential_the_error_lists_what_was_looked_for() {
    let editor = unpaired("").start();
    let hint = refused_at_once(&editor, "auth.missing_key").hint.unwrap();
    let places = [
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        ".config/anthropic",
        "anthropic-oauth.json",
        "Claude Code",
        "keys.json",
        "ant auth login",
    ];
    for place in places {
        assert!(hint.contains(place), "{place} is not in {hint}");
    }
    let known = status(&editor, true);
    assert_eq!(known["error"]["code"], "auth.missing_key");
    assert!(known.get("used").is_none());
}
