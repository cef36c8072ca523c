use super::*;

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tempfile::tempdir;
use url::Url;

use crate::auth::testing::{Answer, Hand, Scripted};
use crate::auth::token::TokenFile;

const NOW: u64 = 1_795_176_000;

fn bundle(folder: &Path, access: &str, refresh: &str, expires_at: u64) -> TokenFile {
    let path = folder.join("bundle.json");
    let text = json!({"access_token": access, "refresh_token": refresh, "expires_at": expires_at, "kept": true});
    files::write(&path, &text.to_string()).unwrap();
    TokenFile::bundle(path)
}

fn issuer(url: &Url) -> Issuer {
    Issuer { url: url.join("/v1/oauth/token").unwrap(), http: Arc::default(), clock: Hand::at(NOW).clock() }
}

fn source(file: &TokenFile, url: &Url) -> TokenSource {
    let grant = Grant::Refresh {
        issuer: issuer(url),
        client_id: "client-one".into(),
        format: TokenFormat::Json,
        advice: "log in again".into(),
    };
    TokenSource { file: Some(file.clone()), grant, clock: Hand::at(NOW).clock() }
}

fn on_disk(file: &TokenFile) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(&file.path).unwrap()).unwrap()
}

async fn renew(source: &TokenSource) -> Result<String, UserError> {
    let current = source.load().unwrap();
    let token = source.renew(current.as_ref()).await?;
    Ok(token.access.expose_secret().to_owned())
}

#[tokio::test]
async fn a_renewed_login_is_on_disk_before_it_is_used() {
    let folder = tempdir().unwrap();
    let file = bundle(folder.path(), "hidden-a", "hidden-r", NOW - 1);
    let server =
        Scripted::new(vec![Answer::token("hidden-b", "hidden-s", 3600), Answer::token("hidden-c", "hidden-t", 3600)])
            .await;
    let source = source(&file, &server.url);
    assert_eq!(renew(&source).await.unwrap(), "hidden-b");
    let written = on_disk(&file);
    assert_eq!((&written["access_token"], &written["refresh_token"]), (&json!("hidden-b"), &json!("hidden-s")));
    assert_eq!((&written["expires_at"], &written["kept"]), (&json!(NOW + 3600), &json!(true)));
    // Rotated again: the second renewal shows what the first one gave.
    assert_eq!(renew(&source).await.unwrap(), "hidden-c");
    let shown: Vec<_> = server.asked().iter().map(|asked| asked.json()["refresh_token"].clone()).collect();
    assert_eq!(shown, ["hidden-r", "hidden-s"]);
    assert_eq!(server.asked()[0].json()["client_id"], "client-one");
    assert!(!format!("{source:?}").contains("hidden"));
}

#[tokio::test]
async fn an_issuer_that_does_not_rotate_leaves_the_refresh_token() {
    let folder = tempdir().unwrap();
    let file = bundle(folder.path(), "a", "r", NOW - 1);
    let server = Scripted::new(vec![Answer::json(&json!({"access_token": "b", "expires_in": 60}))]).await;
    renew(&source(&file, &server.url)).await.unwrap();
    assert_eq!(on_disk(&file)["refresh_token"], "r");
}

#[tokio::test]
async fn of_two_programs_one_renews_and_the_other_reads() {
    let folder = tempdir().unwrap();
    let file = bundle(folder.path(), "a", "r", NOW - 1);
    // Shown the first refresh token twice, this issuer ends the login.
    let server = Scripted::by(
        |_| Answer::token("b", "s", 3600),
        |asked| (asked.json()["refresh_token"] != "r").then(|| Answer::new(400, "{\"error\": \"invalid_grant\"}")),
    )
    .await;
    let (one, two) = (source(&file, &server.url), source(&file, &server.url));
    let (one, two) = tokio::join!(renew(&one), renew(&two));
    assert_eq!((one.unwrap().as_str(), two.unwrap().as_str()), ("b", "b"));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_program_without_the_lock_may_be_faster() {
    let folder = tempdir().unwrap();
    let file = bundle(folder.path(), "a", "r", NOW - 1);
    let elsewhere = file.clone();
    let server = Scripted::by(
        |_| Answer::new(400, "{\"error\": \"invalid_grant\"}"),
        move |_| {
            let fresh = json!({"access_token": "theirs", "refresh_token": "x", "expires_at": NOW + 60});
            files::write(&elsewhere.path, &fresh.to_string()).unwrap();
            None
        },
    )
    .await;
    assert_eq!(renew(&source(&file, &server.url)).await.unwrap(), "theirs");
}

#[tokio::test]
async fn a_refusal_ends_the_login_and_a_failure_keeps_it() {
    let folder = tempdir().unwrap();
    let file = bundle(folder.path(), "hidden-a", "hidden-refresh", NOW - 1);
    for (answer, code) in [
        (
            Answer::new(400, "{\"error\": \"invalid_grant\", \"error_description\": \"hidden-refresh\"}"),
            ErrorCode::AuthExpired,
        ),
        (Answer::new(503, "hidden-refresh"), ErrorCode::AuthRefreshFailed),
        (Answer::new(200, "<html>hidden-refresh"), ErrorCode::AuthRefreshFailed),
    ] {
        let server = Scripted::new(vec![answer]).await;
        let error = renew(&source(&file, &server.url)).await.unwrap_err();
        assert_eq!(error.code, code);
        assert_eq!(error.retryable, code == ErrorCode::AuthRefreshFailed);
        assert!(error.hint.is_some() && !format!("{error:?}").contains("hidden"), "{error:?}");
        assert_eq!(on_disk(&file)["refresh_token"], "hidden-refresh");
    }
}

#[tokio::test]
async fn a_file_that_others_renew_is_only_read() {
    let folder = tempdir().unwrap();
    let file = bundle(folder.path(), "a", "r", NOW - 1);
    let source =
        TokenSource { grant: Grant::None("run x".into()), ..source(&file, &Url::parse("http://127.0.0.1:9").unwrap()) };
    let old = source.load().unwrap();
    let error = source.renew(old.as_ref()).await.unwrap_err();
    assert_eq!((error.code, error.hint.as_deref()), (ErrorCode::AuthExpired, Some("run x")));
    bundle(folder.path(), "b", "s", NOW + 60);
    assert_eq!(source.renew(old.as_ref()).await.unwrap().access.expose_secret(), "b");
    assert!(!files::lock_path(&file.path).exists(), "nothing is put beside another program's file");
}

#[tokio::test]
async fn a_workloads_identity_is_read_anew_for_each_exchange() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("identity");
    let server = Scripted::new(vec![Answer::token("hidden-b", "", 600)]).await;
    let workload = Workload {
        assertion: None,
        assertion_file: Some(path.clone()),
        federation_rule_id: "rule".into(),
        organization_id: "org".into(),
        service_account_id: Some("account".into()),
        workspace_id: None,
    };
    let kept = TokenFile::bundle(folder.path().join("credentials/ci.json"));
    let grant = Grant::Workload { issuer: issuer(&server.url), workload };
    let source = TokenSource { file: Some(kept.clone()), grant, clock: Hand::at(NOW).clock() };
    assert_eq!(renew(&source).await.unwrap_err().code, ErrorCode::AuthInvalid, "there is no identity");
    for identity in ["hidden-one\n", "hidden-two\n"] {
        std::fs::write(&path, identity).unwrap();
        assert_eq!(renew(&source).await.unwrap(), "hidden-b");
    }
    let asked = server.asked();
    assert_eq!(
        asked.iter().map(|asked| asked.json()["assertion"].clone()).collect::<Vec<_>>(),
        ["hidden-one", "hidden-two"]
    );
    assert_eq!(
        asked[0].json(),
        json!({
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "hidden-one",
            "federation_rule_id": "rule", "organization_id": "org", "service_account_id": "account",
        })
    );
    assert_eq!(asked[0].header("anthropic-beta"), Some("oauth-2025-04-20,oidc-federation-2026-04-01"));
    assert_eq!(on_disk(&kept)["access_token"], "hidden-b");
    std::fs::write(&path, "h".repeat(LARGEST_ASSERTION + 1)).unwrap();
    assert!(renew(&source).await.unwrap_err().message.contains("too large"));
    std::fs::write(&kept.path, "{\"half").unwrap();
    assert!(source.load().unwrap().is_none(), "what was kept is only a short way");
}
