//! A vendor that does what the test says: real HTTP/1.1 on loopback, scripted down to the byte.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

use super::GUARD;
use super::script::{Framing, Script, Step};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path with the query.
    pub path: String,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub raw: Vec<u8>,
    /// The body as JSON; null when it is not.
    pub body: Value,
}

impl Request {
    /// The value of a header that may come at most once.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(key, _)| key == name);
        let first = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "the header {name} came more than once");
        first
    }

    /// The messages of the body, each as its exact JSON text, without the cache breakpoints: those say where to look
    /// in the cache and are not part of what is looked up.
    pub fn messages(&self) -> Vec<String> {
        #[derive(serde::Deserialize)]
        struct Body {
            messages: Vec<Box<RawValue>>,
        }
        let body: Body = serde_json::from_slice(&self.raw).expect("a body with messages");
        let marks = [r#","cache_control":{"type":"ephemeral"}"#, r#","cache_control":{"type":"ephemeral","ttl":"1h"}"#];
        let bare = |raw: Box<RawValue>| marks.iter().fold(raw.get().to_owned(), |text, mark| text.replace(mark, ""));
        body.messages.into_iter().map(bare).collect()
    }

    /// All texts of the last message, joined.
    pub fn last_text(&self) -> String {
        let last = self.body["messages"].as_array().and_then(|messages| messages.last());
        match last.map(|message| &message["content"]) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(blocks)) => {
                blocks.iter().filter_map(|block| block["text"].as_str()).collect::<Vec<_>>().join("\n")
            }
            _ => String::new(),
        }
    }

    /// The tool results of the last message: the call's id, the text, whether it is an error.
    pub fn tool_results(&self) -> Vec<(String, String, bool)> {
        let last = self.body["messages"].as_array().and_then(|messages| messages.last()).cloned().unwrap_or_default();
        let blocks = last["content"].as_array().cloned().unwrap_or_default();
        let results = blocks.into_iter().filter(|block| block["type"] == "tool_result");
        results
            .map(|block| {
                let text = match &block["content"] {
                    Value::String(text) => text.clone(),
                    Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
                    _ => String::new(),
                };
                let id = block["tool_use_id"].as_str().unwrap_or_default().to_owned();
                (id, text, block["is_error"].as_bool().unwrap_or(false))
            })
            .collect()
    }
}

/// How the exchange of one request and its answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The whole script was played.
    Finished,
    /// The client closed the connection before.
    ClientGone,
}

type Answerer = dyn Fn(&Request) -> Script + Send + Sync;
type Doorkeeper = dyn Fn(&Request) -> Option<Script> + Send + Sync;

#[derive(Default)]
struct State {
    scripts: VecDeque<Script>,
    answerer: Option<Arc<Answerer>>,
    doorkeeper: Option<Arc<Doorkeeper>>,
    requests: Vec<Request>,
    outcomes: Vec<Option<Outcome>>,
    open: usize,
    made: usize,
    busy: usize,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    hang_up: watch::Sender<u64>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn update<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.lock());
        self.changed.notify_all();
        result
    }
}

/// The server. It answers each request with the next script of the queue, or, when that is empty, with what the
/// closure of [`Vendor::answer_with`] says. A script that nobody came for fails the test in the end.
pub struct Vendor {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Vendor {
    /// Starts a server on a free port of loopback, on a thread of its own.
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener that does not block");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let (stop, stopped) = oneshot::channel();
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    _ = stopped => {}
                    () = accept(&listener, &for_thread) => {}
                }
            });
        });
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Queues the answer to the next request that has none yet.
    pub fn push(&self, script: Script) {
        self.shared.update(|state| state.scripts.push_back(script));
    }

    /// Answers every request for which no script is queued.
    pub fn answer_with(&self, answerer: impl Fn(&Request) -> Script + Send + Sync + 'static) {
        self.shared.update(|state| state.answerer = Some(Arc::new(answerer)));
    }

    /// Asks `doorkeeper` first: what it gives back is sent, and no script is used up. It turns away requests that the
    /// vendor would refuse, and answers those that are not what the scripts are about.
    pub fn answer_first(&self, doorkeeper: impl Fn(&Request) -> Option<Script> + Send + Sync + 'static) {
        self.shared.update(|state| state.doorkeeper = Some(Arc::new(doorkeeper)));
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// The request number `index`, counted from 0; waits for it.
    pub fn request(&self, index: usize) -> Request {
        self.wait(&format!("request {index}"), |state| state.requests.get(index).cloned())
    }

    /// How many requests came so far.
    pub fn request_count(&self) -> usize {
        self.shared.lock().requests.len()
    }

    /// How the exchange number `index` ended; waits for its end.
    pub fn outcome(&self, index: usize) -> Outcome {
        let ended = |state: &State| state.outcomes.get(index).copied().flatten();
        self.wait(&format!("the end of exchange {index}"), ended)
    }

    /// How many connections are open, idle ones included.
    pub fn open_connections(&self) -> usize {
        self.shared.lock().open
    }

    /// How many connections were made so far.
    pub fn connections_made(&self) -> usize {
        self.shared.lock().made
    }

    /// Waits until so many requests are being answered at once.
    pub fn wait_busy(&self, count: usize) {
        self.wait(&format!("{count} requests at once"), |state| (state.busy == count).then_some(()));
    }

    /// Hangs up the connections that carry no request, then waits until none is open. What is left after that
    /// carries a request that the client should have given up.
    pub fn wait_no_connections(&self) {
        self.wait("all requests to end", |state| (state.busy == 0).then_some(()));
        let deadline = Instant::now() + GUARD;
        // A client may still be opening a connection that it no longer needs: hang up as often as one comes.
        while self.open_connections() > 0 {
            assert!(Instant::now() < deadline, "{} connections stay open", self.open_connections());
            self.hang_up_idle();
            drop(self.shared.changed.wait_timeout(self.shared.lock(), Duration::from_millis(20)).unwrap());
        }
    }

    /// Closes the connections that carry no request, as servers do after a while.
    pub fn hang_up_idle(&self) {
        self.shared.hang_up.send_modify(|count| *count += 1);
    }

    fn wait<T>(&self, what: &str, ready: impl Fn(&State) -> Option<T>) -> T {
        let deadline = Instant::now() + GUARD;
        let mut state = self.shared.lock();
        loop {
            if let Some(value) = ready(&state) {
                return value;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let summary = format!(
                    "{} requests came, {} connections open, {} busy, outcomes {:?}",
                    state.requests.len(),
                    state.open,
                    state.busy,
                    state.outcomes
                );
                drop(state);
                panic!("the vendor waited in vain for {what}: {summary}");
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap().0;
        }
    }
}

impl Drop for Vendor {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        let ended = self.thread.take().map(std::thread::JoinHandle::join);
        if !std::thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "the vendor's own thread failed");
            let left = self.shared.lock().scripts.len();
            assert_eq!(left, 0, "scripts were left that no request came for");
        }
    }
}

async fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        shared.update(|state| {
            state.open += 1;
            state.made += 1;
        });
        let shared = Arc::clone(shared);
        let hang_up = shared.hang_up.subscribe();
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            serve(stream, &shared, hang_up).await;
            shared.update(|state| state.open -= 1);
        });
    }
}

async fn serve(stream: TcpStream, shared: &Shared, mut hang_up: watch::Receiver<u64>) {
    let (mut read, mut write) = stream.into_split();
    let mut buffer = Vec::new();
    loop {
        let request = tokio::select! {
            biased;
            request = read_request(&mut read, &mut buffer) => request,
            _ = hang_up.changed() => None,
        };
        let Some(request) = request else { return };
        let (index, script) = take(shared, &request);
        if script.mute {
            return end(shared, index, Outcome::Finished);
        }
        let played = tokio::select! {
            biased;
            played = play(&mut write, &script) => played.unwrap_or(Played::Gone),
            () = peer_gone(&mut read, &mut buffer) => Played::Gone,
        };
        let outcome = match played {
            Played::Gone => Outcome::ClientGone,
            Played::Whole | Played::Close | Played::Reset => Outcome::Finished,
        };
        if matches!(played, Played::Close) {
            let _ = write.shutdown().await;
            peer_gone(&mut read, &mut buffer).await;
        }
        hang_up.mark_unchanged();
        if matches!(played, Played::Reset) {
            let _ = write.as_ref().set_zero_linger();
            drop(read.reunite(write));
            end(shared, index, outcome);
            return;
        }
        end(shared, index, outcome);
        if !matches!(played, Played::Whole) {
            return;
        }
    }
}

fn take(shared: &Shared, request: &Request) -> (usize, Script) {
    let (index, doorkeeper) = shared.update(|state| {
        state.requests.push(request.clone());
        state.outcomes.push(None);
        state.busy += 1;
        (state.requests.len() - 1, state.doorkeeper.clone())
    });
    if let Some(script) = doorkeeper.and_then(|doorkeeper| doorkeeper(request)) {
        return (index, script);
    }
    let (queued, answerer) = shared.update(|state| (state.scripts.pop_front(), state.answerer.clone()));
    let unscripted = || Script::error(500, "api_error", "the test has no script for this request");
    let made = || answerer.map_or_else(unscripted, |answerer| answerer(request));
    (index, queued.unwrap_or_else(made))
}

fn end(shared: &Shared, index: usize, outcome: Outcome) {
    shared.update(|state| {
        state.busy -= 1;
        state.outcomes[index] = Some(outcome);
    });
}

enum Played {
    Whole,
    Close,
    Reset,
    Gone,
}

async fn play(write: &mut OwnedWriteHalf, script: &Script) -> std::io::Result<Played> {
    if let Some(gate) = &script.before_head {
        gate.passed().await;
    }
    write.write_all(&script.head()).await?;
    for step in &script.steps {
        match step {
            Step::Bytes(bytes) if bytes.is_empty() => {}
            Step::Bytes(bytes) => {
                write_body(write, bytes, script.framing).await?;
                tokio::task::yield_now().await;
            }
            Step::Pause(time) => tokio::time::sleep(*time).await,
            Step::Gate(gate) => gate.passed().await,
            Step::Reset => return Ok(Played::Reset),
            Step::Close => return Ok(Played::Close),
            Step::Hang => std::future::pending().await,
        }
    }
    if script.framing == Framing::Chunked && !script.has_no_body() {
        write.write_all(b"0\r\n\r\n").await?;
    }
    Ok(if script.closes() { Played::Close } else { Played::Whole })
}

async fn write_body(write: &mut OwnedWriteHalf, bytes: &[u8], framing: Framing) -> std::io::Result<()> {
    if framing != Framing::Chunked {
        return write.write_all(bytes).await;
    }
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    write.write_all(&chunk).await
}

/// Returns when the client closed its side or broke the connection.
async fn peer_gone(read: &mut OwnedReadHalf, buffer: &mut Vec<u8>) {
    while let Ok(1..) = read.read_buf(buffer).await {}
}

/// The next request; `None` when the connection ends instead.
async fn read_request(read: &mut OwnedReadHalf, buffer: &mut Vec<u8>) -> Option<Request> {
    loop {
        if let Some((request, used)) = parse(buffer) {
            buffer.drain(..used);
            return Some(request);
        }
        match read.read_buf(buffer).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return None,
        }
    }
}

/// A whole request at the front of the bytes, and how many it took.
fn parse(bytes: &[u8]) -> Option<(Request, usize)> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(start) = head.parse(bytes).expect("a well-formed request") else { return None };
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers: Vec<_> = head.headers.iter().map(|h| (h.name.to_ascii_lowercase(), text(h.value))).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    assert!(!headers.iter().any(|(name, _)| name == "transfer-encoding"), "requests tell their length");
    let length: usize = length.map_or(0, |(_, value)| value.parse().expect("a length"));
    let raw = bytes.get(start..start + length)?.to_vec();
    let body = serde_json::from_slice(&raw).unwrap_or(Value::Null);
    let method = head.method.unwrap_or_default().to_owned();
    let path = head.path.unwrap_or_default().to_owned();
    Some((Request { method, path, headers, raw, body }, start + length))
}
