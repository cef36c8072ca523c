//! What tests of this module share: places on a disk of their own, a clock, and an issuer on a port of this machine.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

use super::clock::Clock;
use super::options::Places;

/// Directories below `root`.
pub fn places(root: &Path) -> Places {
    Places {
        home: root.join("home"),
        config_dir: root.join("config"),
        data_dir: root.join("data"),
        state_dir: root.join("state"),
    }
}

/// A time of day that stands still until it is moved, in seconds since 1970.
#[derive(Clone, Debug)]
pub struct Hand(Arc<AtomicU64>);

impl Hand {
    pub fn at(seconds: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seconds)))
    }

    pub fn forward(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub fn clock(&self) -> Clock {
        let hand = self.0.clone();
        Clock::of(move || time(hand.load(Ordering::SeqCst)))
    }
}

pub fn time(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// One answer of the issuer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: &'static str,
    pub body: String,
    /// It is never sent.
    pub held: bool,
}

impl Answer {
    pub fn json(body: &serde_json::Value) -> Self {
        Self::new(200, &body.to_string())
    }

    pub fn new(status: u16, body: &str) -> Self {
        Self { status, headers: "", body: body.to_owned(), held: false }
    }

    pub fn never() -> Self {
        Self { held: true, ..Self::new(200, "") }
    }

    /// A token that lives `expires_in` seconds, with the next refresh token.
    pub fn token(access: &str, refresh: &str, expires_in: u64) -> Self {
        Self::json(&serde_json::json!({
            "access_token": access, "refresh_token": refresh, "expires_in": expires_in, "token_type": "Bearer",
        }))
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub head: String,
    pub body: String,
}

impl Asked {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A server that gives its answers in their order, the last one for ever. It serves as issuer and as vendor.
pub struct Scripted {
    pub url: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
    count: watch::Receiver<usize>,
}

impl Scripted {
    pub async fn new(answers: Vec<Answer>) -> Self {
        Self::by(move |asked| answers[asked.min(answers.len() - 1)].clone(), |_| None).await
    }

    /// Answers by the number of the request, or where `judge` says something, by what it says of the request.
    pub async fn by(
        script: impl Fn(usize) -> Answer + Send + Sync + 'static,
        judge: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (counter, count) = watch::channel(0);
        let (script, judge, all) = (Arc::new(script), Arc::new(judge), asked.clone());
        let counter = Arc::new(counter);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, judge, all, counter) = (script.clone(), judge.clone(), all.clone(), counter.clone());
                tokio::spawn(async move {
                    serve(stream, |asked| {
                        let number = {
                            let mut all = all.lock().unwrap();
                            all.push(asked.clone());
                            all.len()
                        };
                        counter.send_replace(number);
                        judge(asked).unwrap_or_else(|| script(number - 1))
                    })
                    .await;
                });
            }
        });
        Self { url, asked, count }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Waits until so many requests have come.
    pub async fn came(&self, number: usize) {
        self.count.clone().wait_for(|&count| count >= number).await.unwrap();
    }
}

async fn serve(mut stream: TcpStream, answer: impl Fn(&Asked) -> Answer) {
    let mut bytes = Vec::new();
    let (end, length) = loop {
        if let Some(end) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            let asked = Asked { head: String::from_utf8_lossy(&bytes[..end]).into_owned(), body: String::new() };
            break (end + 4, asked.header("content-length").map_or(0, |length| length.parse().unwrap()));
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    };
    while bytes.len() < end + length {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let Answer { status, headers, body, held } =
        answer(&Asked { head: text(&bytes[..end]), body: text(&bytes[end..end + length]) });
    if held {
        std::future::pending::<()>().await;
    }
    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body.as_bytes()).await;
    let _ = stream.shutdown().await;
}
