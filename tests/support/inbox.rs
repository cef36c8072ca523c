//! What the server wrote to its standard output, waiting for the test to take it.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::frames::FrameReader;
use super::secrets;

/// One message of the server.
#[derive(Clone, Debug)]
pub struct Message {
    /// How many came before it.
    pub number: usize,
    /// When it was read.
    pub at: Instant,
    /// The message.
    pub body: Value,
}

impl Message {
    /// The method, of requests and notifications.
    pub fn method(&self) -> Option<&str> {
        self.body["method"].as_str()
    }

    /// Whether it answers a request of ours.
    pub fn is_response(&self) -> bool {
        self.body.get("method").is_none()
    }

    /// Whether it is the response to this id.
    pub fn answers(&self, id: &Value) -> bool {
        self.is_response() && self.body.get("id") == Some(id)
    }

    /// Whether it is a progress value of this token.
    pub fn is_progress_of(&self, token: &Value) -> bool {
        self.method() == Some("$/progress") && &self.body["params"]["token"] == token
    }
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Message>,
    log: VecDeque<String>,
    received: usize,
    faults: Vec<String>,
    held: bool,
    may_be_cut: bool,
    ended: bool,
}

/// The messages that nobody took yet, and a log of the latest ones.
#[derive(Default)]
pub struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
}

const LOGGED_MESSAGES: usize = 150;
const LOGGED_CHARS: usize = 400;

impl Inbox {
    /// Reads until the end; runs on a thread of its own. `intercept` may take a message away.
    pub fn fill(&self, mut output: impl Read, intercept: impl Fn(&Value) -> bool) {
        let mut reader = FrameReader::default();
        let mut chunk = vec![0; 64 * 1024];
        loop {
            drop(self.changed.wait_while(self.lock(), |state| state.held).unwrap());
            let count = output.read(&mut chunk).unwrap_or(0);
            if count == 0 {
                break;
            }
            reader.push(&chunk[..count]);
            if let Err(fault) = self.take_in(&mut reader, &intercept) {
                self.lock().faults.push(format!("standard output carries something else than frames: {fault}"));
                self.changed.notify_all();
                let _ = std::io::copy(&mut output, &mut std::io::sink());
                break;
            }
        }
        let mut state = self.lock();
        if reader.unread() > 0 && state.faults.is_empty() && !state.may_be_cut {
            state.faults.push(format!("standard output ended inside a frame, {} bytes in", reader.unread()));
        }
        state.ended = true;
        self.changed.notify_all();
    }

    fn take_in(&self, reader: &mut FrameReader, intercept: &impl Fn(&Value) -> bool) -> Result<(), String> {
        while let Some(body) = reader.next_body()? {
            if let Some(before) = secrets::find(&body) {
                return Err(format!("a secret, after {before:?}"));
            }
            let at = Instant::now();
            let value: Value = serde_json::from_slice(&body)
                .map_err(|error| format!("{error} in {:?}", String::from_utf8_lossy(&body)))?;
            let values = if let Value::Array(batch) = value { batch } else { vec![value] };
            for body in values {
                if body["jsonrpc"] != "2.0" {
                    return Err(format!("a message without jsonrpc 2.0: {body}"));
                }
                let taken = intercept(&body);
                let mut state = self.lock();
                let number = state.received;
                state.received += 1;
                state.note(number, &body);
                if !taken {
                    state.waiting.push_back(Message { number, at, body });
                }
            }
            self.changed.notify_all();
        }
        Ok(())
    }

    /// Stops reading: what was begun is finished, then the pipe fills up.
    pub fn hold(&self) {
        self.lock().held = true;
    }

    /// Reads on.
    pub fn release(&self) {
        self.lock().held = false;
        self.changed.notify_all();
    }

    /// Accepts an end inside a frame: nobody read while the server ended.
    pub fn accept_cut(&self) {
        self.lock().may_be_cut = true;
    }

    /// Takes the first message that `wanted` accepts, waiting for it if need be. For one thread at a time.
    ///
    /// # Errors
    /// The server's output ended, or the guard ran out.
    pub fn take(&self, guard: Duration, wanted: impl Fn(&Message) -> bool) -> Result<Message, &'static str> {
        let deadline = Instant::now() + guard;
        let mut state = self.lock();
        let mut looked_at = 0;
        loop {
            while looked_at < state.waiting.len() {
                if wanted(&state.waiting[looked_at]) {
                    return Ok(state.waiting.remove(looked_at).unwrap());
                }
                looked_at += 1;
            }
            if !state.faults.is_empty() {
                return Err("the server wrote something else than frames");
            }
            if state.ended {
                return Err("the server closed its output");
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("the guard ran out");
            }
            state = self.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Takes the first message that `wanted` accepts, if it is here already.
    pub fn take_now(&self, wanted: impl Fn(&Message) -> bool) -> Option<Message> {
        let mut state = self.lock();
        let place = state.waiting.iter().position(wanted)?;
        state.waiting.remove(place)
    }

    /// Waits for the end of the server's output.
    pub fn wait_end(&self, guard: Duration) -> bool {
        let (state, _) = self.changed.wait_timeout_while(self.lock(), guard, |state| !state.ended).unwrap();
        state.ended
    }

    /// The messages that nobody took, as text.
    pub fn left(&self, ignorable: impl Fn(&Message) -> bool) -> Vec<String> {
        self.lock().waiting.iter().filter(|message| !ignorable(message)).map(|m| clip(&m.body.to_string())).collect()
    }

    /// What was wrong with the output's form.
    pub fn faults(&self) -> Vec<String> {
        self.lock().faults.clone()
    }

    /// The latest messages, for a human.
    pub fn log(&self) -> String {
        let state = self.lock();
        let lines: Vec<_> = state.log.iter().map(String::as_str).collect();
        format!("{} messages received; the latest:\n{}", state.received, lines.join("\n"))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn note(&mut self, number: usize, body: &Value) {
        if self.log.len() == LOGGED_MESSAGES {
            self.log.pop_front();
        }
        self.log.push_back(format!("  {number}: {}", clip(&body.to_string())));
    }
}

fn clip(text: &str) -> String {
    if text.len() <= LOGGED_CHARS {
        return text.to_owned();
    }
    let start: String = text.chars().take(LOGGED_CHARS).collect();
    format!("{start}… ({} bytes)", text.len())
}
