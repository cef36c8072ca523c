//! What the scripted vendor does with one request.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

/// A door that the test opens. Whoever comes after it was opened walks through.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Opens it for good.
    pub fn open(&self) {
        self.0.close();
    }

    /// Lets `count` steps through that wait at it now or later.
    pub fn pass(&self, count: usize) {
        self.0.add_permits(count);
    }

    /// Waits until it is open.
    pub async fn passed(&self) {
        if let Ok(permit) = self.0.acquire().await {
            permit.forget();
        }
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

/// One step of an answer's body.
#[derive(Clone, Debug)]
pub enum Step {
    /// Send these bytes.
    Bytes(Vec<u8>),
    /// Let time pass. For tests about time; others use a [`Gate`].
    Pause(Duration),
    /// Wait for the test.
    Gate(Gate),
    /// Break the connection with a RST.
    Reset,
    /// End the connection in the middle of the body, as a dying proxy does.
    Close,
    /// Keep the connection open and say nothing more.
    Hang,
}

/// How the body's length is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `transfer-encoding: chunked`; each write is one chunk.
    Chunked,
    /// `content-length`, the sum of all [`Step::Bytes`].
    Length,
    /// Neither: the body ends with the connection.
    UntilClose,
}

/// One scripted answer.
#[derive(Clone, Debug)]
pub struct Script {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) before_head: Option<Gate>,
    pub(super) mute: bool,
    pub(super) framing: Framing,
    pub(super) steps: Vec<Step>,
}

impl Script {
    /// An answer with this status and an empty body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            before_head: None,
            mute: false,
            framing: Framing::Chunked,
            steps: Vec::new(),
        }
    }

    /// An event stream that takes these steps.
    pub fn stream(steps: Vec<Step>) -> Self {
        let mut script = Self::status(200).header("content-type", "text/event-stream; charset=utf-8");
        script.steps = steps;
        script
    }

    /// An error as the vendor words it.
    pub fn error(status: u16, kind: &str, message: &str) -> Self {
        let body = serde_json::json!({"type": "error", "error": {"type": kind, "message": message}});
        Self::status(status).header("content-type", "application/json").body(body.to_string())
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds bytes to the body.
    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.steps.push(Step::Bytes(bytes.into()));
        self
    }

    /// All bytes of the body.
    pub fn body_bytes(&self) -> Vec<u8> {
        let bytes = |step: &Step| if let Step::Bytes(bytes) = step { bytes.clone() } else { Vec::new() };
        self.steps.iter().flat_map(bytes).collect()
    }

    /// Adds a step to the body.
    pub fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Sends not even the status line before the gate is open.
    pub fn head_after(mut self, gate: &Gate) -> Self {
        self.before_head = Some(gate.clone());
        self
    }

    /// Hangs up without a word, as a server does whose keep-alive time has just run out.
    pub fn hang_up() -> Self {
        Self { mute: true, ..Self::status(200) }
    }

    /// Tells the body's length in this way.
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Ends the connection after the answer. The exchange then counts as ended when the client has read all of it
    /// and closed its side too.
    pub fn last_on_connection(self) -> Self {
        self.header("connection", "close")
    }

    /// Cuts the body into writes of `size` bytes, wherever that falls.
    pub fn chunk(mut self, size: usize) -> Self {
        let cut = |step| match step {
            Step::Bytes(bytes) => bytes.chunks(size).map(|part| Step::Bytes(part.to_vec())).collect(),
            other => vec![other],
        };
        self.steps = self.steps.into_iter().flat_map(cut).collect();
        self
    }

    pub(super) fn closes(&self) -> bool {
        let says_close = |(name, value): &(String, String)| name == "connection" && value == "close";
        self.framing == Framing::UntilClose || self.headers.iter().any(says_close)
    }

    /// Whether HTTP forbids a body: a client would take one for the next response.
    pub(super) fn has_no_body(&self) -> bool {
        self.status == 204
    }

    pub(super) fn head(&self) -> Vec<u8> {
        use std::fmt::Write as _;
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        match self.framing {
            _ if self.has_no_body() => {}
            Framing::Chunked => head.push_str("transfer-encoding: chunked\r\n"),
            Framing::Length => {
                let length = |step: &Step| if let Step::Bytes(bytes) = step { bytes.len() } else { 0 };
                let _ = write!(head, "content-length: {}\r\n", self.steps.iter().map(length).sum::<usize>());
            }
            Framing::UntilClose => {}
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}
