//! The port of this machine that the browser comes back to. It knows one path, answers with a line of text in HTML, and
//! gives out nothing.

use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::Url;

use super::login::{CALLBACK, Received, failed};
use crate::error::UserError;
use crate::telemetry::redact;

/// The head of a request has at most so many bytes.
const LARGEST_HEAD: usize = 16 * 1024;
/// How long a connection may take to say what it wants. Browsers open some that they never use.
const HEAD_TIMEOUT: Duration = Duration::from_secs(20);
/// So many connections are listened to at once.
const MOST_CONNECTIONS: usize = 16;

/// What a connection turned out to be.
enum Visit {
    /// Nothing of ours.
    Other,
    /// The end of the login.
    End(Result<Received, UserError>),
}

/// Waits for the browser to bring the code of the login with `state`. Whoever else comes is sent away.
///
/// # Errors
/// `auth.login_failed`: the issuer said no.
pub async fn receive(listener: &TcpListener, state: &str) -> Result<Received, UserError> {
    let mut visits = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if visits.len() < MOST_CONNECTIONS => {
                let (stream, _) = accepted.map_err(|error| failed(error.to_string()))?;
                visits.spawn(visit(stream, state.to_owned()));
            }
            Some(visited) = visits.join_next() => {
                if let Ok(Visit::End(end)) = visited {
                    return end;
                }
            }
        }
    }
}

async fn visit(mut stream: TcpStream, state: String) -> Visit {
    let head = tokio::time::timeout(HEAD_TIMEOUT, head(&mut stream)).await;
    let Some(target) = head.ok().flatten().as_deref().and_then(target_of) else {
        say(&mut stream, "400 Bad Request", "This is not a page.").await;
        return Visit::Other;
    };
    if target.path() != CALLBACK {
        say(&mut stream, "404 Not Found", "There is nothing here.").await;
        return Visit::Other;
    }
    match answer_in(&target) {
        // Any page can send a browser here. Only the issuer knows the state.
        _ if parameter(&target, "state").as_deref() != Some(state.as_str()) => {
            say(&mut stream, "400 Bad Request", "This is not the login that was begun.").await;
            Visit::Other
        }
        Ok(received) => {
            say(&mut stream, "200 OK", "You can close this page. Souffleur completes the login.").await;
            Visit::End(Ok(received))
        }
        Err(error) => {
            say(&mut stream, "200 OK", "The login did not complete. You can close this page.").await;
            Visit::End(Err(error))
        }
    }
}

/// The head of a request; nothing when it is too long or breaks off.
async fn head(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > LARGEST_HEAD || stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    Some(head)
}

/// What a `GET` asks for.
fn target_of(head: &[u8]) -> Option<Url> {
    let line = std::str::from_utf8(head).ok()?.lines().next()?;
    let target = line.strip_prefix("GET ")?.split(' ').next().filter(|target| target.starts_with('/'))?;
    Url::parse("http://127.0.0.1").ok()?.join(target).ok()
}

/// The issuer's answer in the query of a URL.
///
/// # Errors
/// `auth.login_failed`: it is a refusal, or no answer at all.
pub fn answer_in(url: &Url) -> Result<Received, UserError> {
    if let Some(error) = parameter(url, "error") {
        let description = parameter(url, "error_description").map(|text| format!(": {text}")).unwrap_or_default();
        let said: String = redact(&format!("{error}{description}")).chars().take(200).collect();
        return Err(failed(format!(
            "the login was refused: {}",
            said.replace(char::is_control, " ").trim_end_matches('.')
        )));
    }
    match (parameter(url, "code"), parameter(url, "state")) {
        (Some(code), Some(state)) => Ok(Received { code: SecretString::from(code), state }),
        _ => Err(failed("the answer has no code")),
    }
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.into_owned())
}

async fn say(stream: &mut TcpStream, status: &str, text: &str) {
    let page = format!("<!doctype html><meta charset=utf-8><title>Souffleur</title><p>{text}</p>\n");
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         referrer-policy: no-referrer\r\nconnection: close\r\n\r\n{page}",
        page.len()
    );
    // The browser may be gone; the login goes on.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}
