use super::*;

use std::fs;
use std::path::PathBuf;

use reqwest::Method;
use secrecy::SecretString;
use serde_json::json;
use tempfile::{TempDir, tempdir};

use crate::auth::files;
use crate::auth::options::{KeyOptions, OauthOptions, Origin, Target};
use crate::auth::store::StoredKey;
use crate::auth::testing::{Answer, Asked, Hand, Scripted, places};
use crate::protocol::{AuthMode, KeyHeader};

const NOW: u64 = 1_795_176_000;

/// A server that is vendor and issuer, and a machine that has credentials for it.
struct Setup {
    folder: TempDir,
    server: Scripted,
    hand: Hand,
    options: AuthOptions,
    environment: Vec<(String, String)>,
}

impl Setup {
    /// The vendor takes requests that `accepts` likes; the issuer gives `hidden-fresh`.
    async fn new(accepts: fn(&Asked) -> bool) -> Self {
        let judge = move |asked: &Asked| {
            let is_token = asked.head.starts_with("POST /v1/oauth/token ");
            (!is_token).then(|| Answer::new(if accepts(asked) { 200 } else { 401 }, "{}"))
        };
        let server = Scripted::by(|_| Answer::token("hidden-fresh", "hidden-next", 3600), judge).await;
        let target = Target {
            base_url: server.url.clone(),
            origin: Origin::Environment,
            origin_words: "ANTHROPIC_BASE_URL".into(),
            ..Target::anthropic().unwrap()
        };
        let (folder, hand) = (tempdir().unwrap(), Hand::at(NOW));
        Self { folder, server, hand, options: AuthOptions::anthropic(target), environment: Vec::new() }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn host(&self) -> String {
        host::authority(&self.server.url)
    }

    fn put_bundle(&mut self, path: &str, access: &str, expires_at: u64) {
        let text = json!({
            "access_token": access, "refresh_token": "hidden-r", "expires_at": expires_at, "host": self.host(),
        });
        files::write(&self.path(path), &text.to_string()).unwrap();
        self.options.oauth = Some(OauthOptions {
            authorize_url: self.server.url.join("/authorize").unwrap(),
            token_url: self.server.url.join("/v1/oauth/token").unwrap(),
            client_id: "client-one".into(),
            scopes: Vec::new(),
            redirect_port: None,
            paste_redirect_url: None,
            token_format: None,
        });
    }

    fn chain(&self) -> Arc<Chain> {
        let places = places(self.folder.path());
        let get = |number: usize| self.environment.get(number).map_or(("", ""), |(name, value)| (name, value));
        let environment = Environment::from([get(0), get(1), get(2)]);
        let context = Context {
            http: Arc::default(),
            environment: Arc::new(environment),
            store: Store::in_file(&places),
            places,
            clock: self.hand.clock(),
        };
        Arc::new(Chain::new(Arc::new(context), self.options.clone()))
    }

    fn request(&self) -> Request {
        Request::new(Method::POST, self.server.url.join("/v1/messages").unwrap())
    }

    /// Sends a request as a provider does: once more, and only once, when another credential may help.
    async fn send(&self, chain: &Chain) -> Result<u16, UserError> {
        let client = chain.context.http.client().await?;
        let first = chain.authorize(self.request()).await?;
        let status = client.execute(first.request).await.unwrap().status().as_u16();
        if status != 401 || !chain.refused(first.generation).await? {
            return Ok(status);
        }
        let second = chain.authorize(self.request()).await?;
        assert!(second.generation > first.generation);
        Ok(client.execute(second.request).await.unwrap().status().as_u16())
    }

    fn tokens_asked(&self) -> usize {
        self.server.asked().iter().filter(|asked| asked.head.starts_with("POST /v1/oauth/token ")).count()
    }

    fn last(&self, header: &str) -> Option<String> {
        self.server.asked().last().unwrap().header(header).map(str::to_owned)
    }
}

fn is_fresh(asked: &Asked) -> bool {
    asked.header("authorization") == Some("Bearer hidden-fresh")
}

#[tokio::test]
async fn a_refused_token_is_renewed_and_the_request_is_accepted() {
    let mut setup = Setup::new(is_fresh).await;
    setup.put_bundle("data/anthropic-oauth.json", "hidden-revoked", NOW + 3600);
    let chain = setup.chain();
    assert!(chain.ready().is_ok());
    assert!(setup.server.asked().is_empty(), "being ready costs no request");
    assert_eq!(setup.send(&chain).await.unwrap(), 200);
    assert_eq!(setup.send(&chain).await.unwrap(), 200);
    assert_eq!(setup.tokens_asked(), 1);
    assert_eq!(setup.last("anthropic-beta").as_deref(), Some("oauth-2025-04-20"));
    let kept = fs::read_to_string(setup.path("data/anthropic-oauth.json")).unwrap();
    assert!(kept.contains("hidden-fresh") && kept.contains("hidden-next"));
    assert!(!format!("{chain:?}").contains("hidden"));
}

#[tokio::test]
async fn a_vendor_that_refuses_everything_is_asked_twice_and_not_more() {
    let mut setup = Setup::new(|_| false).await;
    setup.put_bundle("data/anthropic-oauth.json", "hidden-a", NOW + 3600);
    assert_eq!(setup.send(&setup.chain()).await.unwrap(), 401);
    assert_eq!(setup.server.asked().len(), 3, "two requests and one renewal between them");
}

#[tokio::test]
async fn fifty_turns_at_the_end_of_a_token_cause_one_renewal() {
    for expires_at in [NOW - 1, NOW + 10, NOW + 3600] {
        let mut setup = Setup::new(is_fresh).await;
        setup.put_bundle("data/anthropic-oauth.json", "hidden-old", expires_at);
        let chain = setup.chain();
        let sent = futures_util::future::join_all((0..50).map(|_| setup.send(&chain))).await;
        assert!(sent.into_iter().all(|status| status.unwrap() == 200));
        assert_eq!(setup.tokens_asked(), 1);
    }
}

#[tokio::test]
async fn each_mode_sends_its_own_headers() {
    let setup_token = format!("sk-ant-oat01-hidden{}", "h".repeat(80));
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    let beta = Some("oauth-2025-04-20".to_owned());
    for (mode, expected) in [
        (AuthMode::Static, (Some("hidden-key".to_owned()), None, None)),
        (AuthMode::Bearer, (None, bearer("hidden-bearer"), None)),
        (AuthMode::SetupToken, (None, bearer(&setup_token), beta.clone())),
        (AuthMode::OauthBundle, (None, bearer("hidden-bundle"), beta.clone())),
        (AuthMode::Profile, (None, bearer("hidden-profile"), beta.clone())),
        (AuthMode::Auto, (Some("hidden-key".to_owned()), None, None)),
    ] {
        let mut setup = Setup::new(|_| true).await;
        setup.environment =
            [("ANTHROPIC_API_KEY", "hidden-key"), ("ANTHROPIC_AUTH_TOKEN", "hidden-bearer")].map(own).to_vec();
        setup.options.setup_token = Some(SecretString::from(setup_token.as_str()));
        setup.options.key.target.hosts = vec![setup.host()];
        setup.put_bundle("data/anthropic-oauth.json", "hidden-bundle", NOW + 3600);
        let profile = json!({"authentication": {"type": "user_oauth"}, "base_url": setup.server.url.as_str()});
        files::write(&setup.path("home/.config/anthropic/configs/default.json"), &profile.to_string()).unwrap();
        setup.put_bundle("home/.config/anthropic/credentials/default.json", "hidden-profile", NOW + 3600);
        setup.options.mode = mode;
        assert_eq!(setup.send(&setup.chain()).await.unwrap(), 200);
        let sent = (setup.last("x-api-key"), setup.last("authorization"), setup.last("anthropic-beta"));
        assert_eq!(sent, expected, "{mode:?}");
    }
}

fn own((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test]
async fn a_profile_and_a_workload_are_renewed_at_the_api_itself() {
    let mut setup = Setup::new(is_fresh).await;
    let profile = json!({
        "authentication": {"type": "user_oauth", "client_id": "client-p"}, "base_url": setup.server.url.as_str(),
    });
    files::write(&setup.path("home/.config/anthropic/configs/default.json"), &profile.to_string()).unwrap();
    setup.put_bundle("home/.config/anthropic/credentials/default.json", "hidden-old", NOW);
    setup.options.oauth = None;
    assert_eq!(setup.send(&setup.chain()).await.unwrap(), 200);
    let asked = setup.server.asked()[0].json();
    assert_eq!((&asked["client_id"], &asked["refresh_token"]), (&json!("client-p"), &json!("hidden-r")));

    let mut setup = Setup::new(is_fresh).await;
    setup.environment = [
        ("ANTHROPIC_FEDERATION_RULE_ID", "rule"),
        ("ANTHROPIC_ORGANIZATION_ID", "org"),
        ("ANTHROPIC_IDENTITY_TOKEN", "hidden-identity"),
    ]
    .map(own)
    .to_vec();
    assert_eq!(setup.send(&setup.chain()).await.unwrap(), 200);
    assert_eq!(setup.server.asked()[0].json()["assertion"], "hidden-identity");
}

#[tokio::test]
async fn a_key_that_was_replaced_is_used_without_a_restart() {
    let mut setup = Setup::new(|asked| asked.header("x-api-key") == Some("hidden-new")).await;
    files::write(&setup.path("key"), "hidden-old\n").unwrap();
    setup.options.key.api_key_file = Some(setup.path("key"));
    setup.options.key.origin = Origin::Environment;
    let chain = setup.chain();
    assert_eq!(setup.send(&chain).await.unwrap(), 401);
    assert_eq!(setup.server.asked().len(), 1, "the same key is not sent twice");
    let old = chain.authorize(setup.request()).await.unwrap().generation;
    files::write(&setup.path("key"), "hidden-new\n").unwrap();
    assert!(chain.refused(old).await.unwrap());
    assert_eq!(setup.send(&chain).await.unwrap(), 200);
}

#[tokio::test]
async fn what_appears_later_is_found_and_what_goes_is_missed() {
    let mut setup = Setup::new(|_| true).await;
    let chain = setup.chain();
    assert_eq!(chain.ready().unwrap_err().code, ErrorCode::AuthMissingKey);
    assert_eq!(setup.send(&chain).await.unwrap_err().provider.as_deref(), Some("anthropic"));
    let stored = StoredKey { key: SecretString::from("hidden-stored"), host: setup.host() };
    chain.context.store.set("anthropic", &stored).unwrap();
    setup.send(&chain).await.unwrap();
    assert_eq!(setup.last("x-api-key").as_deref(), Some("hidden-stored"));
    setup.put_bundle("data/anthropic-oauth.json", "hidden-bundle", NOW + 3600);
    setup.send(&chain).await.unwrap();
    assert_eq!(setup.last("authorization").as_deref(), Some("Bearer hidden-bundle"));
    fs::remove_file(setup.path("data/anthropic-oauth.json")).unwrap();
    setup.send(&chain).await.unwrap();
    assert_eq!(setup.last("x-api-key").as_deref(), Some("hidden-stored"));
    chain.context.store.remove("anthropic").unwrap();
    assert_eq!(chain.ready().unwrap_err().code, ErrorCode::AuthMissingKey);
}

#[tokio::test]
async fn another_search_keeps_the_renewal_that_is_under_way() {
    let mut setup = Setup::new(|_| true).await;
    setup.put_bundle("data/anthropic-oauth.json", "hidden-bundle", NOW + 3600);
    let chain = setup.chain();
    let before = chain.authorize(setup.request()).await.unwrap().generation;
    chain.search().unwrap();
    assert_eq!(chain.authorize(setup.request()).await.unwrap().generation, before);
}

#[tokio::test]
async fn a_key_is_not_put_on_a_request_to_another_host() {
    let mut setup = Setup::new(|_| true).await;
    setup.environment = vec![own(("ANTHROPIC_API_KEY", "hidden-key"))];
    let chain = setup.chain();
    let elsewhere = Request::new(Method::POST, url::Url::parse("https://other.example/v1/messages").unwrap());
    let error = chain.authorize(elsewhere).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::AuthWrongHost);
    setup.options.key.target.origin = Origin::Other;
    assert_eq!(setup.chain().ready().unwrap_err().code, ErrorCode::AuthWrongHost);
    assert!(setup.server.asked().is_empty());
}

#[tokio::test]
async fn a_provider_that_needs_no_key_gets_the_request_as_it_is() {
    let mut setup = Setup::new(|_| true).await;
    let mut key = KeyOptions::new("ollama", &["OLLAMA_API_KEY"], setup.options.key.target.clone());
    key.target.origin = Origin::UserFile;
    key.optional = true;
    key.header = KeyHeader::Authorization;
    setup.options = AuthOptions::keys_only(key);
    // A key for the vendor's own host is no obstacle, and stays here.
    setup.environment = vec![own(("OLLAMA_API_KEY", "hidden-cloud"))];
    let chain = setup.chain();
    assert!(chain.ready().is_ok());
    assert_eq!(setup.send(&chain).await.unwrap(), 200);
    assert_eq!(setup.last("authorization"), None);
    assert!(!chain.refused(0).await.unwrap());
    assert_eq!(chain.survey().1.unwrap().kind, CredentialKind::None);
    setup.options.key.target.hosts = vec![setup.host()];
    setup.send(&setup.chain()).await.unwrap();
    assert_eq!(setup.last("authorization").as_deref(), Some("Bearer hidden-cloud"));
}

#[tokio::test]
#[cfg(unix)]
async fn a_command_is_run_when_its_key_is_needed_and_not_before() {
    let mut setup = Setup::new(|asked| asked.header("x-api-key") == Some("hidden-2")).await;
    let count = setup.path("count").display().to_string();
    let script = format!("echo x >> '{count}'; echo hidden-$(wc -l < '{count}' | tr -d ' ')");
    setup.options.key.api_key_command = Some(["sh", "-c", &script].map(str::to_owned).to_vec());
    setup.options.key.origin = Origin::Environment;
    let chain = setup.chain();
    assert!(chain.ready().is_ok() && chain.survey().1.is_ok());
    assert!(!setup.path("count").exists());
    assert_eq!(setup.send(&chain).await.unwrap(), 200, "the first key was refused, the second one is taken");
    assert!(!format!("{chain:?}").contains("hidden"));
}
