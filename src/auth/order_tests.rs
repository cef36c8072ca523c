use super::*;

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;
use serde_json::json;
use tempfile::{TempDir, tempdir};
use url::Url;

use crate::auth::files;
use crate::auth::found::Material;
use crate::auth::options::{Origin, Target};
use crate::auth::store::{Store, StoredKey};
use crate::auth::testing::{Hand, places};
use crate::config::Environment;
use crate::protocol::CredentialKind;

const NOW: u64 = 1_795_176_000;
const LATER: u64 = NOW + 3600;

/// A machine with what is put there.
struct Machine {
    folder: TempDir,
    environment: Environment,
    options: AuthOptions,
}

impl Machine {
    fn new<const N: usize>(environment: [(&str, &str); N]) -> Self {
        let options = AuthOptions::anthropic(Target::anthropic().unwrap());
        Self { folder: tempdir().unwrap(), environment: environment.into(), options }
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.folder.path().join(path)
    }

    fn put(&self, path: &str, text: &str) {
        files::write(&self.path(path), text).unwrap();
    }

    fn put_token(&self, path: &str, expires_at: u64) {
        let token =
            json!({"access_token": "hidden-token", "refresh_token": "hidden-refresh", "expires_at": expires_at});
        self.put(path, &token.to_string());
    }

    fn put_profile(&self, folder: &str, name: &str, config: &serde_json::Value) {
        self.put(&format!("{folder}/configs/{name}.json"), &config.to_string());
        self.put_token(&format!("{folder}/credentials/{name}.json"), LATER);
    }

    fn look<T>(&self, with: impl FnOnce(&Surroundings<'_>) -> T) -> T {
        let places = places(self.folder.path());
        let (store, watched, http) = (Store::in_file(&places), RefCell::default(), Arc::default());
        let clock = Hand::at(NOW).clock();
        with(&Surroundings {
            options: &self.options,
            environment: &self.environment,
            places: &places,
            http: &http,
            clock: &clock,
            store: &store,
            watched: &watched,
        })
    }

    fn store(&self, host: &str) {
        let stored = StoredKey { key: SecretString::from("hidden-stored"), host: host.into() };
        Store::in_file(&places(self.folder.path())).set("anthropic", &stored).unwrap();
    }

    fn found(&self) -> Found {
        self.look(search).unwrap()
    }

    fn fails(&self, code: ErrorCode, word: &str) -> UserError {
        let error = self.look(search).unwrap_err();
        assert_eq!(error.code, code, "{error:?}");
        assert!(error.message.contains(word), "{}", error.message);
        assert!(!format!("{error:?}").contains("hidden"), "{error:?}");
        error
    }

    fn outcomes(&self) -> Vec<(AuthStep, LookedOutcome)> {
        let (looked, _) = self.look(survey);
        assert!(!format!("{looked:?}").contains("hidden"), "{looked:?}");
        looked.iter().map(|looked| (looked.step, looked.outcome)).collect()
    }
}

fn user_oauth(client_id: Option<&str>) -> serde_json::Value {
    json!({"version": "1.0", "authentication": {"type": "user_oauth", "client_id": client_id}})
}

/// A machine that has everything, each credential by its own step.
fn everything() -> Machine {
    let mut machine = Machine::new([("ANTHROPIC_API_KEY", "hidden-key"), ("ANTHROPIC_AUTH_TOKEN", "hidden-bearer")]);
    machine.put_profile("home/.config/anthropic", "default", &user_oauth(Some("client")));
    machine.put_token("data/anthropic-oauth.json", LATER);
    let login = json!({"claudeAiOauth": {"accessToken": "hidden-claude", "expiresAt": LATER * 1000}});
    machine.put("home/.claude/.credentials.json", &login.to_string());
    machine.put("setup", &format!("sk-ant-oat01-{}\n", "h".repeat(80)));
    machine.store("api.anthropic.com");
    machine.options.key.api_key = Some(SecretString::from("hidden-setting"));
    machine.options.setup_token_file = Some(machine.path("setup"));
    machine.options.import_claude_code = true;
    machine
}

#[test]
fn the_first_of_the_documented_order_is_used_and_the_rest_is_reported() {
    let machine = everything();
    let outcomes = machine.outcomes();
    assert_eq!(outcomes.iter().map(|(step, _)| *step).collect::<Vec<_>>(), {
        let mut steps = AUTO.to_vec();
        // The workload identity has a line of its own.
        steps.insert(3, AuthStep::Profile);
        steps
    });
    assert_eq!(outcomes[0], (AuthStep::Setting, LookedOutcome::Used));
    for (step, outcome) in &outcomes[1..] {
        let is_workload = *step == AuthStep::Profile && *outcome == LookedOutcome::Absent;
        assert!(*outcome == LookedOutcome::Found || is_workload, "{step:?} {outcome:?}");
    }
}

#[test]
fn any_order_can_be_chosen() {
    let mut machine = everything();
    let kinds = [
        (AuthStep::OauthBundle, "anthropic-oauth.json"),
        (AuthStep::ClaudeCode, ".claude"),
        (AuthStep::SetupToken, "setup"),
        (AuthStep::Setting, "apiKey"),
        (AuthStep::EnvironmentBearer, "ANTHROPIC_AUTH_TOKEN"),
        (AuthStep::Profile, "profile"),
        (AuthStep::StoredKey, "stored"),
    ];
    for (step, word) in kinds {
        machine.options.order = vec![step, AuthStep::EnvironmentKey, step];
        let source = machine.found().source;
        assert!(source.contains(word), "{step:?}: {source}");
    }
    machine.options.order = vec![AuthStep::OauthBundle];
    fs::remove_file(machine.path("data/anthropic-oauth.json")).unwrap();
    machine.fails(ErrorCode::AuthMissingKey, "no credential for Anthropic");
}

#[test]
fn a_mode_pins_its_own_places() {
    let mut machine = everything();
    for (mode, kind) in [
        (AuthMode::Static, CredentialKind::ApiKey),
        (AuthMode::Bearer, CredentialKind::Bearer),
        (AuthMode::SetupToken, CredentialKind::SetupToken),
        (AuthMode::OauthBundle, CredentialKind::Oauth),
        (AuthMode::Profile, CredentialKind::Oauth),
    ] {
        machine.options.mode = mode;
        assert_eq!(machine.found().kind, kind, "{mode:?}");
        let mut bare = Machine::new([]);
        bare.options.mode = mode;
        bare.fails(ErrorCode::AuthMissingKey, "no credential");
    }
    let mut machine = Machine::new([("CLAUDE_CODE_OAUTH_TOKEN", &*format!("sk-ant-oat01-{}", "h".repeat(80)))]);
    machine.fails(ErrorCode::AuthMissingKey, "no credential");
    machine.options.mode = AuthMode::SetupToken;
    assert_eq!(machine.found().kind, CredentialKind::SetupToken);
}

#[test]
fn with_nothing_at_all_the_hint_lists_what_was_looked_for() {
    let machine = Machine::new([("ANTHROPIC_API_KEY", " ")]);
    let hint = machine.fails(ErrorCode::AuthMissingKey, "Anthropic").hint.unwrap();
    let words = [
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "profile",
        "anthropic-oauth.json",
        "keys.json",
        "sim:default",
        "ant auth login",
    ];
    for word in words {
        assert!(hint.contains(word), "{word}: {hint}");
    }
    assert!(hint.contains("switched off"), "{hint}");
}

#[test]
#[cfg(unix)]
fn what_is_met_by_chance_is_passed_over_and_what_was_asked_for_is_an_error() {
    use std::os::unix::fs::PermissionsExt;
    let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    let mut machine = Machine::new([]);
    machine.put_token("data/anthropic-oauth.json", LATER);
    open(&machine.path("data/anthropic-oauth.json"));
    machine.store("api.anthropic.com");
    assert_eq!(machine.found().kind, CredentialKind::ApiKey);
    assert!(machine.outcomes().contains(&(AuthStep::OauthBundle, LookedOutcome::Invalid)));
    machine.options.bundle_file = Some(machine.path("data/anthropic-oauth.json"));
    machine.fails(ErrorCode::AuthInvalid, "open to other users");
    machine.options.bundle_file = None;
    machine.options.mode = AuthMode::OauthBundle;
    machine.fails(ErrorCode::AuthInvalid, "open to other users");
}

#[test]
fn a_setting_that_gives_no_key_is_an_error_whatever_else_there_is() {
    let name_file = |machine: &mut Machine, text: Option<&str>| {
        if let Some(text) = text {
            machine.put("key", text);
        }
        machine.options.key.api_key_file = Some(machine.path("key"));
    };
    for (text, word) in
        [(None, "is not there"), (Some(" \n"), "is empty"), (Some("hidden\nhidden"), "more than one line")]
    {
        let mut machine = everything();
        machine.options.key.api_key = None;
        name_file(&mut machine, text);
        machine.fails(ErrorCode::AuthInvalid, word);
    }
    let mut machine = everything();
    machine.options.key.api_key = Some(SecretString::from(" "));
    machine.fails(ErrorCode::AuthInvalid, "`apiKey` is empty");
    machine.options.key.api_key = None;
    machine.options.key.api_key_env = Some("OTHER_KEY".into());
    machine.fails(ErrorCode::AuthInvalid, "OTHER_KEY is not set");
    let mut machine = Machine::new([("OTHER_KEY", "hidden"), ("ANTHROPIC_API_KEY", "hidden")]);
    machine.options.key.api_key_env = Some("OTHER_KEY".into());
    assert!(machine.found().source.contains("OTHER_KEY"));
}

#[test]
fn setup_tokens_are_checked_before_they_are_used() {
    let mut machine = Machine::new([]);
    let long = format!("sk-ant-oat01-{}", "h".repeat(67));
    for (token, word) in [
        (format!("sk-ant-oat01-{}", "h".repeat(66)), "has 79 characters"),
        (format!("sk-ant-api03-{}", "h".repeat(80)), "no setup token"),
        (format!("{long} {long}"), "no setup token"),
    ] {
        machine.options.setup_token = Some(SecretString::from(token));
        machine.fails(ErrorCode::AuthInvalid, word);
    }
    machine.options.setup_token = Some(SecretString::from(long));
    assert_eq!(machine.found().kind, CredentialKind::SetupToken);
}

#[test]
fn claude_codes_login_is_used_only_when_its_import_is_on_and_it_lives() {
    let mut machine = Machine::new([]);
    let login = |expires: u64| json!({"accessToken": "hidden-claude", "expiresAt": expires * 1000}).to_string();
    machine.put("home/.claude/.credentials.json", &login(LATER));
    machine.fails(ErrorCode::AuthMissingKey, "no credential");
    assert!(machine.outcomes().contains(&(AuthStep::ClaudeCode, LookedOutcome::Skipped)));
    machine.options.import_claude_code = true;
    assert!(machine.found().source.contains("Claude Code"));
    machine.put("home/.claude/.credentials.json", &login(NOW));
    let hint = machine.fails(ErrorCode::AuthExpired, "has expired").hint.unwrap();
    assert!(hint.contains("run `claude`"), "{hint}");
    machine.put("home/.claude/.credentials.json", "{\"mcpOAuth\": {}}");
    machine.fails(ErrorCode::AuthMissingKey, "no credential");
}

#[test]
fn profiles_are_found_as_the_vendors_libraries_find_them() {
    let folder = "home/.config/anthropic";
    let mut machine = Machine::new([]);
    machine.put_profile(folder, "default", &user_oauth(None));
    assert!(machine.found().source.contains("`default`"));
    machine.put_profile(folder, "work", &user_oauth(None));
    machine.put(&format!("{folder}/active_config"), "work\n");
    assert!(machine.found().source.contains("`work`"));
    machine.environment = [("ANTHROPIC_PROFILE", "default")].into();
    assert!(machine.found().source.contains("`default`"));
    machine.options.profile = Some("work".into());
    assert!(machine.found().source.contains("`work`"));
    for name in ["none", "../work", "a/b", ""] {
        machine.options.profile = Some(name.into());
        machine.fails(ErrorCode::AuthInvalid, "profile");
    }
    let elsewhere = machine.path("elsewhere");
    machine.options.profile = None;
    machine.environment = [("ANTHROPIC_CONFIG_DIR", elsewhere.to_str().unwrap())].into();
    machine.put_profile("elsewhere", "default", &user_oauth(None));
    assert!(machine.found().source.contains("elsewhere"));
}

#[test]
fn what_is_wrong_with_a_profile_is_told() {
    let config = |config: &serde_json::Value| {
        let machine = Machine::new([("ANTHROPIC_PROFILE", "p")]);
        machine.put_profile("home/.config/anthropic", "p", config);
        machine
    };
    config(&json!({"authentication": {"type": "magic"}})).fails(ErrorCode::AuthInvalid, "not known");
    config(&json!({"authentication": {"type": "user_oauth"}, "base_url": "::"}))
        .fails(ErrorCode::AuthInvalid, "base_url");
    config(&json!({"authentication": {"type": "oidc_federation"}})).fails(ErrorCode::AuthInvalid, "federation_rule_id");
    let token = json!({"source": "url"});
    let federation = json!({"type": "oidc_federation", "federation_rule_id": "r", "identity_token": token});
    config(&json!({"authentication": federation, "organization_id": "o"})).fails(ErrorCode::AuthInvalid, "source");
    let elsewhere = json!({"authentication": {"type": "user_oauth"}, "base_url": "https://staging.example"});
    config(&elsewhere).fails(ErrorCode::AuthWrongHost, "staging.example");

    let machine = config(&user_oauth(None));
    machine.put_token("home/.config/anthropic/credentials/p.json", NOW);
    let hint = machine.fails(ErrorCode::AuthExpired, "has expired").hint.unwrap();
    assert!(hint.contains("ant auth login"));
    fs::remove_file(machine.path("home/.config/anthropic/credentials/p.json")).unwrap();
    machine.fails(ErrorCode::AuthInvalid, "is not there");
    let machine = config(&user_oauth(Some("client")));
    machine.put_token("home/.config/anthropic/credentials/p.json", NOW);
    assert_eq!(machine.found().kind, CredentialKind::Oauth, "it can be renewed");
}

#[test]
fn a_workloads_identity_needs_all_of_its_variables() {
    let machine = Machine::new([
        ("ANTHROPIC_FEDERATION_RULE_ID", "rule"),
        ("ANTHROPIC_ORGANIZATION_ID", "org"),
        ("ANTHROPIC_IDENTITY_TOKEN", "hidden"),
    ]);
    let found = machine.found();
    assert_eq!(found.kind, CredentialKind::WorkloadIdentity);
    assert!(matches!(found.material, Material::Renewed(_)) && !format!("{found:?}").contains("hidden"));
    let machine = Machine::new([("ANTHROPIC_FEDERATION_RULE_ID", "rule"), ("ANTHROPIC_ORGANIZATION_ID", "org")]);
    let hint = machine.fails(ErrorCode::AuthMissingKey, "no credential").hint.unwrap();
    assert!(hint.contains("ANTHROPIC_IDENTITY_TOKEN_FILE is not set"), "{hint}");
}

#[test]
fn no_credential_goes_to_a_host_that_it_was_not_meant_for() {
    let gateway = |origin| Target {
        base_url: Url::parse("https://gateway.example").unwrap(),
        origin,
        origin_words: "the user file".into(),
        ..Target::anthropic().unwrap()
    };
    let mut machine = Machine::new([("ANTHROPIC_API_KEY", "hidden-key")]);
    machine.options.key.target = gateway(Origin::UserFile);
    machine.store("api.anthropic.com");
    machine.fails(ErrorCode::AuthWrongHost, "gateway.example (base URL from the user file)");
    assert!(machine.outcomes().contains(&(AuthStep::EnvironmentKey, LookedOutcome::Skipped)));
    machine.store("gateway.example");
    assert!(machine.found().source.contains("stored"), "the key of the other host is passed over");
    machine.options.key.target = gateway(Origin::Environment);
    assert!(machine.found().source.contains("ANTHROPIC_API_KEY"));
    machine.options.key.target = gateway(Origin::Other);
    machine.options.key.api_key = Some(SecretString::from("hidden"));
    machine.fails(ErrorCode::AuthWrongHost, "gateway.example");
    machine.options.key.target.hosts = vec!["gateway.example".into()];
    assert!(machine.found().source.contains("`apiKey`"));
}
