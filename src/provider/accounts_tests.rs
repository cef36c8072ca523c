use std::sync::Arc;

use super::*;
use crate::config::{Environment, Layer, Source};

fn settings(user: &[(&str, &str)], environment: &[(&str, &str)]) -> Settings {
    let layer = |pairs: &[(&str, &str)]| {
        let mut layer = Layer::default();
        for (key, value) in pairs {
            let value = serde_json::from_str(value).unwrap_or_else(|_| (*value).into());
            layer.set(key, value, None).unwrap();
        }
        layer
    };
    Settings::resolve(&[(Source::User, &layer(user)), (Source::Environment, &layer(environment))])
}

fn registry<const N: usize>(variables: [(&str, &str); N]) -> Registry {
    Registry::new(Arc::new(Environment::from(variables)))
}

async fn status(registry: &Registry, name: &str, settings: &Settings) -> ProviderAuth {
    let params = AuthStatusParams { provider: Some(name.to_owned()), online: false };
    registry.auth_status(&params, settings).await.unwrap().providers.remove(0)
}

#[tokio::test]
async fn ollamas_key_goes_to_its_own_service_unless_it_is_paired_with_another() {
    let registry = registry([("OLLAMA_API_KEY", "hidden-cloud")]);
    let cases = [
        (settings(&[], &[]), CredentialKind::None, "127.0.0.1:11434"),
        (settings(&[("providers.ollama.baseUrl", "https://ollama.com")], &[]), CredentialKind::ApiKey, "ollama.com"),
        (settings(&[("providers.ollama.baseUrl", "http://other:1")], &[]), CredentialKind::None, "other:1"),
        (settings(&[("providers.ollama.apiKey", "hidden")], &[]), CredentialKind::ApiKey, "127.0.0.1:11434"),
        (settings(&[], &[("providers.ollama.baseUrl", "http://other:1")]), CredentialKind::ApiKey, "other:1"),
    ];
    for (settings, kind, host) in cases {
        let used = status(&registry, "ollama", &settings).await.used.unwrap();
        assert_eq!((used.kind, used.host.as_str()), (kind, host));
    }
}

#[tokio::test]
#[cfg(all(unix, not(target_os = "macos")))] // There the user's own Keychain would be written.
async fn a_key_stored_for_a_server_on_this_machine_is_used_there() {
    let home = tempfile::tempdir().unwrap();
    let registry = registry([("HOME", home.path().to_str().unwrap())]);
    let settings = Settings::default();
    let params = SetParams { provider: "vllm".into(), key: "hidden-key".into() };
    assert_eq!(registry.set_key(&params, &settings).await.unwrap().host, "localhost:8000");
    let used = status(&registry, "vllm", &settings).await.used.unwrap();
    assert_eq!((used.kind, used.host.as_str()), (CredentialKind::ApiKey, "localhost:8000"));
}

#[test]
fn a_credential_among_the_headers_does_not_follow_the_environments_address() {
    let said = ("providers.openai.headers", r#"{"Authorization": "Bearer hidden", "x-team": "a"}"#);
    let elsewhere = ("providers.openai.baseUrl", "https://other.example");
    let ready = |settings: &Settings| registry([]).provider_named("openai", settings).map(drop);
    let error = ready(&settings(&[said], &[elsewhere])).unwrap_err();
    assert_eq!(error.code, ErrorCode::AuthWrongHost);
    assert!(error.message.contains("Authorization") && !error.message.contains("hidden"), "{}", error.message);
    assert!(ready(&settings(&[said, elsewhere], &[])).is_ok(), "they were set together");
    assert!(ready(&settings(&[said], &[])).is_ok());
    assert!(ready(&settings(&[("providers.openai.headers", r#"{"x-team": "a"}"#)], &[elsewhere])).is_ok());
}

#[tokio::test]
async fn no_password_of_an_address_is_shown() {
    for address in ["me:hidden@host.example", "ftp://me:hidden@host.example"] {
        let settings = settings(&[], &[("providers.anthropic.baseUrl", address)]);
        let account = status(&registry([("ANTHROPIC_API_KEY", "k")]), "anthropic", &settings).await;
        let error = account.error.unwrap();
        assert_eq!(error.code, ErrorCode::ConfigInvalid);
        assert!(!error.message.contains("hidden"), "{}", error.message);
    }
}
