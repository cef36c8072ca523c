use super::*;

use secrecy::ExposeSecret;
use serde_json::json;

use crate::auth::testing::{Answer, Hand, Scripted, time};

const NOW: u64 = 1_795_176_000;
const FIELDS: [(&str, &str); 3] =
    [("grant_type", "refresh_token"), ("refresh_token", "hidden&refresh"), ("client_id", "client-one")];

fn issuer(url: &Url) -> Issuer {
    Issuer { url: url.join("/v1/oauth/token").unwrap(), http: Arc::default(), clock: Hand::at(NOW).clock() }
}

async fn ask(answer: Answer) -> Result<Token, Refusal> {
    let server = Scripted::new(vec![answer]).await;
    issuer(&server.url).ask(&FIELDS, TokenFormat::Json, "beta-1").await
}

#[tokio::test]
async fn both_formats_say_the_same() {
    let server = Scripted::new(vec![Answer::token("hidden-a", "hidden-r", 3600)]).await;
    let issuer = issuer(&server.url);
    for format in [TokenFormat::Json, TokenFormat::Form] {
        let token = issuer.ask(&FIELDS, format, "beta-1").await.unwrap();
        assert_eq!(token.access.expose_secret(), "hidden-a");
        assert_eq!(token.refresh.unwrap().expose_secret(), "hidden-r");
        assert_eq!(token.expires_at, Some(time(NOW + 3600)));
    }
    let asked = server.asked();
    let form: Vec<_> = form_urlencoded::parse(asked[1].body.as_bytes()).into_owned().collect();
    for (number, (name, value)) in FIELDS.iter().enumerate() {
        assert_eq!(asked[0].json()[name], *value);
        assert_eq!(form[number], ((*name).to_owned(), (*value).to_owned()));
    }
    assert!(asked[0].head.starts_with("POST /v1/oauth/token "));
    assert_eq!(asked[0].header("anthropic-beta"), Some("beta-1"));
    assert_eq!(asked[0].header("content-type"), Some("application/json"));
    assert_eq!(asked[1].header("content-type"), Some("application/x-www-form-urlencoded"));
}

#[tokio::test]
async fn odd_answers_are_named_and_worth_another_try() {
    let moved = Answer { headers: "location: https://evil.example/\r\n", ..Answer::new(302, "") };
    for (answer, word) in [
        (Answer::new(200, "<!doctype html><p>Please log in to the network"), "a web page"),
        (Answer::new(502, " <html>Bad gateway"), "a web page"),
        (Answer::new(200, ""), "an empty body"),
        (Answer::new(200, "hidden"), "not JSON"),
        (Answer::new(200, "[1]"), "JSON that is no answer"),
        (Answer::new(404, "<html>"), "a web page"),
        (moved, "redirection"),
        (Answer::json(&json!({"token": "hidden"})), "no `access_token`"),
        (Answer::json(&json!({"access_token": "hidden", "token_type": "mac"})), "no bearer"),
        (Answer::json(&json!({"access_token": "hidden", "expires_in": "soon"})), "`expires_in`"),
        (Answer::json(&json!({"access_token": "hidden", "expires_in": -5})), "`expires_in`"),
        (Answer::new(429, "{\"error\": \"slow_down\"}"), "slow_down"),
        (Answer::new(500, "{\"error\": {\"type\": \"api_error\", \"message\": \"Oops.\"}}"), "api_error: Oops"),
    ] {
        let shown = format!("{answer:?}");
        let refusal = ask(answer).await.unwrap_err();
        assert!(!refusal.denied, "{shown}");
        assert!(refusal.message.contains(word), "{shown}: {}", refusal.message);
        assert!(!refusal.message.contains("hidden") && !refusal.message.ends_with('.'), "{}", refusal.message);
    }
}

#[tokio::test]
async fn a_refusal_tells_why_and_no_secret() {
    let echo = json!({"error": "invalid_grant", "error_description": "token hidden&refresh\nsk-ant-ort01-abcdefghijkl is used."});
    let refusal = ask(Answer::new(400, &echo.to_string())).await.unwrap_err();
    assert!(refusal.denied);
    assert!(
        refusal.message.ends_with("answered 400: invalid_grant: token [secret] [secret] is used"),
        "{}",
        refusal.message
    );
    let long = json!({"error": "x".repeat(10_000)});
    assert!(ask(Answer::new(401, &long.to_string())).await.unwrap_err().message.len() < 300);
}

#[tokio::test]
async fn what_an_answer_leaves_out_is_assumed() {
    let token = ask(Answer::json(&json!({"access_token": " a "}))).await.unwrap();
    assert_eq!((token.access.expose_secret(), token.expires_at), ("a", Some(time(NOW + 3600))));
    assert!(token.refresh.is_none());
    let token = ask(Answer::json(&json!({"access_token": "a", "expires_in": "60"}))).await.unwrap();
    assert_eq!(token.expires_at, Some(time(NOW + 60)));
}

#[tokio::test]
async fn tokens_are_asked_for_over_https_only() {
    let issuer = issuer(&Url::parse("http://issuer.example").unwrap());
    let refusal = issuer.ask(&FIELDS, TokenFormat::Json, "").await.unwrap_err();
    assert!(refusal.denied && refusal.message.contains("https"), "{}", refusal.message);
}

#[tokio::test]
async fn a_slow_issuer_is_given_up() {
    let server = Scripted::new(vec![Answer::never()]).await;
    let issuer = issuer(&server.url);
    let asking = tokio::spawn(async move { issuer.ask(&FIELDS, TokenFormat::Json, "").await });
    server.came(1).await;
    tokio::time::pause();
    let refusal = asking.await.unwrap().unwrap_err();
    assert!(!refusal.denied && refusal.message.contains("within 30 s"), "{}", refusal.message);
}

#[tokio::test]
async fn an_issuer_that_is_not_there_is_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let refusal = issuer(&url).ask(&FIELDS, TokenFormat::Json, "").await.unwrap_err();
    assert!(!refusal.denied && refusal.message.contains("cannot be reached"), "{}", refusal.message);
}
