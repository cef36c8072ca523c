use super::*;

use std::collections::HashMap;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::auth::testing::{Answer, Hand, Scripted};

async fn flow(answer: Answer) -> (Scripted, Flow) {
    let server = Scripted::new(vec![answer]).await;
    let options = OauthOptions {
        authorize_url: server.url.join("/authorize?tenant=x").unwrap(),
        token_url: server.url.join("/token").unwrap(),
        client_id: "client-one".into(),
        scopes: vec!["a:b".into(), "c".into()],
        redirect_port: None,
        paste_redirect_url: None,
        token_format: None,
    };
    let issuer =
        Issuer { url: options.token_url.clone(), http: Arc::default(), clock: Hand::at(1_795_176_000).clock() };
    (server, Flow { options, issuer })
}

fn query(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}

/// What the browser gets for `target` of the port in `redirect`.
async fn browse(redirect: &Url, target: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", redirect.port().unwrap())).await.unwrap();
    stream.write_all(format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

struct Begun {
    redirect: Url,
    state: String,
    cancel: CancellationToken,
    end: JoinHandle<Result<Token, UserError>>,
}

async fn begin(flow: Flow) -> Begun {
    let login = Login::start(flow, LoginMethod::Browser).await.unwrap();
    let query = query(login.url());
    let redirect = Url::parse(&query["redirect_uri"]).unwrap();
    let cancel = CancellationToken::new();
    let waits = cancel.clone();
    Begun {
        redirect,
        state: query["state"].clone(),
        cancel,
        end: tokio::spawn(async move { login.wait(&waits).await }),
    }
}

#[tokio::test]
async fn the_browser_brings_the_code_and_the_code_is_exchanged() {
    let (server, flow) = flow(Answer::token("hidden-a", "hidden-r", 3600)).await;
    let login = Login::start(flow, LoginMethod::Browser).await.unwrap();
    let asked = query(login.url());
    assert_eq!(login.url().path(), "/authorize");
    for (name, value) in [
        ("tenant", "x"),
        ("response_type", "code"),
        ("client_id", "client-one"),
        ("scope", "a:b c"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(asked[name], value);
    }
    let redirect = Url::parse(&asked["redirect_uri"]).unwrap();
    assert_eq!((redirect.host_str(), redirect.path()), (Some("127.0.0.1"), "/callback"));
    let challenge = asked["code_challenge"].clone();
    let state = asked["state"].clone();
    assert!(!format!("{login:?}").contains(login.pkce.verifier.expose_secret()));

    let end = tokio::spawn(async move { login.wait(&CancellationToken::new()).await });
    let page = browse(&redirect, &format!("/callback?code=hidden%2Bcode&state={state}")).await;
    assert!(page.starts_with("HTTP/1.1 200 ") && !page.contains("hidden"), "{page}");
    let token = end.await.unwrap().unwrap();
    assert_eq!(token.access.expose_secret(), "hidden-a");

    let body = server.asked()[0].body.clone();
    let sent: HashMap<_, _> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    assert_eq!(sent["grant_type"], "authorization_code");
    assert_eq!((sent["code"].as_str(), sent["state"].as_str()), ("hidden+code", state.as_str()));
    assert_eq!((sent["client_id"].as_str(), sent["redirect_uri"].as_str()), ("client-one", redirect.as_str()));
    let digest = ring::digest::digest(&ring::digest::SHA256, sent["code_verifier"].as_bytes());
    let shown = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, digest);
    assert_eq!(shown, challenge);
}

#[tokio::test]
async fn whoever_does_not_know_the_state_is_sent_away_and_the_login_goes_on() {
    let (server, flow) = flow(Answer::token("hidden-a", "hidden-r", 3600)).await;
    let begun = begin(flow).await;
    // A connection that says nothing does not keep the others out.
    let _silent = TcpStream::connect(("127.0.0.1", begun.redirect.port().unwrap())).await.unwrap();
    for (target, status) in [
        ("/callback?code=evil&state=wrong", 400),
        ("/callback?code=evil", 400),
        ("/callback?error=access_denied", 400),
        ("/favicon.ico", 404),
        ("/", 404),
        ("http://evil.example/callback", 400),
    ] {
        let answer = browse(&begun.redirect, target).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{target}: {answer}");
    }
    let long = format!("/callback?x={}", "x".repeat(40_000));
    let mut stream = TcpStream::connect(("127.0.0.1", begun.redirect.port().unwrap())).await.unwrap();
    let _ = stream.write_all(format!("GET {long} HTTP/1.1\r\n\r\n").as_bytes()).await;
    assert!(server.asked().is_empty() && !begun.end.is_finished());
    browse(&begun.redirect, &format!("/callback?code=good&state={}", begun.state)).await;
    assert!(begun.end.await.unwrap().is_ok());
}

#[tokio::test]
async fn a_no_of_the_user_or_of_the_issuer_is_told() {
    let (_server, first) = flow(Answer::new(200, "")).await;
    let begun = begin(first).await;
    let target = format!("/callback?error=access_denied&error_description=You+said+no.&state={}", begun.state);
    assert!(browse(&begun.redirect, &target).await.contains("did not complete"));
    let error = begun.end.await.unwrap().unwrap_err();
    assert_eq!(error.code, ErrorCode::AuthLoginFailed);
    assert_eq!(error.message, "the login was refused: access_denied: You said no");

    let (_server, second) =
        flow(Answer::new(400, "{\"error\": \"invalid_grant\", \"error_description\": \"hidden-code\"}")).await;
    let begun = begin(second).await;
    browse(&begun.redirect, &format!("/callback?code=hidden-code&state={}", begun.state)).await;
    let error = begun.end.await.unwrap().unwrap_err();
    assert_eq!(error.code, ErrorCode::AuthLoginFailed);
    assert!(error.message.contains("invalid_grant") && !format!("{error:?}").contains("hidden"), "{error:?}");
}

#[tokio::test]
async fn a_login_can_be_cancelled_and_does_not_wait_for_ever() {
    let (_server, flow) = flow(Answer::new(200, "")).await;
    let begun = begin(flow.clone()).await;
    begun.cancel.cancel();
    assert!(begun.end.await.unwrap().unwrap_err().message.contains("cancelled"));
    let port = begun.redirect.port().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err(), "the port is free again");
    let begun = begin(flow).await;
    tokio::time::pause();
    assert!(begun.end.await.unwrap().unwrap_err().message.contains("within 10 minutes"));
}

#[tokio::test]
async fn the_code_can_be_pasted_with_its_state_or_as_the_whole_address() {
    let (server, mut flow) = flow(Answer::token("hidden-a", "hidden-r", 3600)).await;
    let start = async |flow: &Flow| Login::start(flow.clone(), LoginMethod::Paste).await.unwrap();
    let login = start(&flow).await;
    let (redirect, state) = (query(login.url())["redirect_uri"].clone(), login.state.clone());
    assert!(TcpStream::connect(("127.0.0.1", Url::parse(&redirect).unwrap().port().unwrap())).await.is_err());
    login.paste(&format!(" {redirect}?code=one&state={state}\n")).await.unwrap();

    flow.options.paste_redirect_url = Some(Url::parse("https://issuer.example/code").unwrap());
    flow.options.token_format = Some(TokenFormat::Json);
    let login = start(&flow).await;
    let state = login.state.clone();
    assert_eq!(query(login.url())["redirect_uri"], "https://issuer.example/code");
    login.paste(&format!("two#{state}")).await.unwrap();
    assert_eq!(server.asked()[1].json()["code"], "two");
    assert_eq!(server.asked()[1].json()["redirect_uri"], "https://issuer.example/code");

    for (text, word) in [
        ("two#wrong", "another login"),
        ("two", "`code#state`"),
        ("", "`code#state`"),
        ("#", "`code#state`"),
        ("https://issuer.example/code?error=access_denied&state=x", "access_denied"),
        ("https://issuer.example/code?x=1", "no code"),
    ] {
        let error = start(&flow).await.paste(text).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::AuthLoginFailed);
        assert!(error.message.contains(word), "{text}: {}", error.message);
    }
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_port_that_is_taken_and_a_page_without_encryption_are_refused() {
    let (_server, mut flow) = flow(Answer::new(200, "")).await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    flow.options.redirect_port = Some(taken.local_addr().unwrap().port());
    let error = Login::start(flow.clone(), LoginMethod::Browser).await.unwrap_err();
    assert!(error.hint.unwrap().contains("pasting"));
    flow.options.authorize_url = Url::parse("http://issuer.example/authorize").unwrap();
    let error = Login::start(flow, LoginMethod::Browser).await.unwrap_err();
    assert!(error.message.contains("https"), "{}", error.message);
}
