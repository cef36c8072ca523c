use super::*;

use std::collections::HashMap;

use serde_json::json;
use tempfile::{TempDir, tempdir};

use crate::auth::options::{Check, OauthOptions};
use crate::auth::testing::{Answer, Hand, Scripted, places};
use crate::protocol::{AuthStep, LookedOutcome};

const NOW: u64 = 1_795_176_000;

fn credentials<const N: usize>(folder: &TempDir, environment: [(&str, &str); N]) -> Credentials {
    let places = places(folder.path());
    Credentials::with(Context {
        http: Arc::default(),
        environment: Arc::new(environment.into()),
        store: Store::in_file(&places),
        places,
        clock: Hand::at(NOW).clock(),
    })
}

fn options(base_url: &Url) -> AuthOptions {
    let target = Target {
        base_url: base_url.clone(),
        origin: Origin::Environment,
        origin_words: "ANTHROPIC_BASE_URL".into(),
        ..Target::anthropic().unwrap()
    };
    let mut options = AuthOptions::anthropic(target);
    let headers = vec![("anthropic-version".to_owned(), "2023-06-01".to_owned())];
    options.key.check = Some(Check { url: base_url.join("/v1/models?limit=1").unwrap(), headers });
    options
}

fn issuer(url: &Url) -> OauthOptions {
    OauthOptions {
        authorize_url: url.join("/authorize").unwrap(),
        token_url: url.join("/token").unwrap(),
        client_id: "client-one".into(),
        scopes: vec!["a".into()],
        redirect_port: None,
        paste_redirect_url: Some(url.join("/code").unwrap()),
        token_format: None,
    }
}

#[test]
fn equal_options_share_one_credential_for_as_long_as_somebody_has_it() {
    let folder = tempdir().unwrap();
    let credentials = credentials(&folder, []);
    let one = options(&Url::parse("http://127.0.0.1:9").unwrap());
    let mut other = one.clone();
    other.key.api_key = Some(SecretString::from("hidden"));
    let first = credentials.anthropic(&one);
    assert!(Arc::ptr_eq(&first, &credentials.anthropic(&one.clone())));
    let second = credentials.anthropic(&other);
    assert!(!Arc::ptr_eq(&first, &second));
    assert!(!format!("{credentials:?} {second:?}").contains("hidden"));
    drop((first, second));
    credentials.anthropic(&one);
    assert_eq!(credentials.chains.len(), 1, "what nobody has is forgotten");
}

#[tokio::test]
async fn status_tells_what_is_used_and_tries_it_only_when_asked_to() {
    let folder = tempdir().unwrap();
    let server = Scripted::by(
        |_| Answer::new(200, "{}"),
        |asked| (asked.header("x-api-key") != Some("hidden-key")).then(|| Answer::new(401, "{}")),
    )
    .await;
    let options = options(&server.url);
    let good = credentials(&folder, [("ANTHROPIC_API_KEY", "hidden-key")]);
    let status = good.status(&options, false).await;
    let used = status.used.clone().unwrap();
    assert_eq!((used.kind, used.check), (CredentialKind::ApiKey, None));
    assert_eq!(used.host, authority(&server.url));
    assert!(status.error.is_none() && server.asked().is_empty());
    assert!(
        status
            .looked
            .iter()
            .any(|looked| looked.outcome == LookedOutcome::Used && looked.step == AuthStep::EnvironmentKey)
    );
    let status = good.status(&options, true).await;
    assert!(status.used.clone().unwrap().check.unwrap().ok);
    assert_eq!(server.asked()[0].header("anthropic-version"), Some("2023-06-01"));
    assert!(!serde_json::to_string(&status).unwrap().contains("hidden"));

    let bad = credentials(&folder, [("ANTHROPIC_API_KEY", "hidden-bad")]).status(&options, true).await;
    let check = bad.used.unwrap().check.unwrap();
    assert!(!check.ok && check.detail.starts_with("not accepted"), "{}", check.detail);
    let none = credentials(&folder, []).status(&options, true).await;
    assert!(none.used.is_none());
    assert_eq!(none.error.unwrap().code, ErrorCode::AuthMissingKey);
}

#[tokio::test]
async fn status_of_a_login_tells_when_it_expires() {
    let folder = tempdir().unwrap();
    let url = Url::parse("https://api.anthropic.com").unwrap();
    let token = json!({"access_token": "hidden", "refresh_token": "hidden", "expires_at": NOW + 60});
    files::write(&places(folder.path()).bundle(), &token.to_string()).unwrap();
    let status = credentials(&folder, []).status(&options(&url), false).await;
    let used = status.used.unwrap();
    assert_eq!((used.kind, used.expires_at), (CredentialKind::Oauth, Some((NOW as i64 + 60) * 1000)));
    assert_eq!(used.host, "api.anthropic.com");
}

#[tokio::test]
async fn a_stored_key_is_bound_to_the_host_that_it_was_stored_for() {
    let folder = tempdir().unwrap();
    let server = Scripted::new(vec![Answer::new(200, "{}")]).await;
    let credentials = credentials(&folder, []);
    let options = options(&server.url);
    for bad in ["", " \n", "two words"] {
        let error = credentials.set("anthropic", &options.key.target, &SecretString::from(bad)).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::AuthInvalid);
    }
    let chain = credentials.anthropic(&options);
    let key = SecretString::from(" hidden-key\n");
    let set = credentials.set("anthropic", &options.key.target, &key).await.unwrap();
    assert_eq!(set.host, authority(&server.url));
    assert!(set.stored.contains("keys.json"));
    assert!(chain.ready().is_ok());
    let mut elsewhere = options.clone();
    elsewhere.key.target.base_url = Url::parse("https://other.example").unwrap();
    let error = credentials.anthropic(&elsewhere).ready().unwrap_err();
    assert_eq!(error.code, ErrorCode::AuthWrongHost);

    let removed = credentials.logout(&options).await.unwrap().removed;
    assert_eq!(removed.len(), 1);
    assert!(chain.ready().is_err());
    assert!(credentials.logout(&options).await.unwrap().removed.is_empty());
}

#[tokio::test]
async fn a_base_url_of_others_never_becomes_the_host_of_a_credential() {
    let folder = tempdir().unwrap();
    let credentials = credentials(&folder, []);
    let mut target = options(&Url::parse("https://evil.example").unwrap()).key.target;
    target.origin = Origin::Other;
    let key = SecretString::from("hidden");
    assert_eq!(credentials.set("anthropic", &target, &key).await.unwrap().host, "api.anthropic.com");
    target.default_host = None;
    let error = credentials.set("compatible", &target, &key).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::AuthWrongHost);
}

#[tokio::test]
async fn a_login_is_stored_used_and_removed() {
    let folder = tempdir().unwrap();
    let server = Scripted::new(vec![Answer::token("hidden-a", "hidden-r", 3600)]).await;
    let credentials = credentials(&folder, []);
    let mut options = options(&server.url);
    let error = credentials.login(&options, LoginMethod::Paste).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::AuthLoginFailed);
    assert!(error.hint.unwrap().contains("ant auth login"));
    options.oauth = Some(issuer(&server.url));
    let chain = credentials.anthropic(&options);
    assert!(chain.ready().is_err());
    let login = credentials.login(&options, LoginMethod::Paste).await.unwrap();
    let query: HashMap<_, _> = login.url().query_pairs().into_owned().collect();
    let done = login.paste(&format!("code#{}", query["state"])).await.unwrap();
    assert_eq!((done.credential.kind, done.credential.host), (CredentialKind::Oauth, authority(&server.url)));
    assert_eq!(done.credential.expires_at, Some((NOW as i64 + 3600) * 1000));

    let request = Request::new(Method::POST, server.url.join("/v1/messages").unwrap());
    let sent = chain.authorize(request).await.unwrap().request;
    assert_eq!(sent.headers()["authorization"], "Bearer hidden-a");
    let removed = credentials.logout(&options).await.unwrap().removed;
    assert!(removed[0].contains("anthropic-oauth.json"), "{removed:?}");
    assert_eq!(std::fs::read_dir(places(folder.path()).data_dir).unwrap().count(), 0, "nothing is left");
    assert!(chain.ready().is_err());
}
