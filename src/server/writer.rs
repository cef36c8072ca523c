//! The one writer of standard output: the pump of all updates, the server's own requests, and the responses.
//!
//! Whatever was said before a response is written before it. While the editor reads slowly, nothing is taken out of the
//! outbox, where deltas merge; while it keeps up, each update leaves at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{FutureExt, StreamExt};
use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tower_lsp::jsonrpc::Response;
use tower_lsp::{ClientSocket, Loopback};

use super::stdio::Output;
use crate::protocol::{ProgressValue, SessionUpdateParams, StreamToken};
use crate::session::{Batch, Outbox};

type RequestStream = <ClientSocket as Loopback>::RequestStream;

/// How many requests may be unanswered, or their answers unread, before no more are read.
const MAX_UNANSWERED: usize = 4_096;
/// How many bytes are gathered before they are written.
const GATHER: usize = 64 * 1024;

/// The right to one answer. It is given back when the answer is written.
pub(super) type Permit = OwnedSemaphorePermit;

/// The way of responses to the writer.
#[derive(Clone)]
pub(super) struct ResponseSender {
    channel: mpsc::UnboundedSender<(Permit, Answer)>,
    permits: Arc<Semaphore>,
}

enum Answer {
    One(Response),
    Batch(Vec<Response>),
}

impl ResponseSender {
    /// Waits until one more answer may be given. The channel itself needs no limit: no one sends without a permit.
    pub(super) async fn permit(&self) -> Permit {
        match self.permits.clone().acquire_owned().await {
            Ok(permit) => permit,
            // Never closed while a sender lives; if it were, nothing more could be answered.
            Err(_) => std::future::pending().await,
        }
    }

    /// Sends a response.
    pub(super) fn send(&self, permit: Permit, response: Response) {
        // Without a writer there is no editor to answer.
        let _ = self.channel.send((permit, Answer::One(response)));
    }

    /// Sends the responses of a batch, as one message.
    pub(super) fn send_batch(&self, permit: Permit, responses: Vec<Response>) {
        let _ = self.channel.send((permit, Answer::Batch(responses)));
    }
}

/// The writer.
pub(super) struct Writer {
    outbox: Arc<Outbox>,
    requests: RequestStream,
    requests_over: bool,
    responses: mpsc::UnboundedReceiver<(Permit, Answer)>,
    /// Responses that the next pass writes, after all that was said before them.
    answers: Vec<(Permit, Answer)>,
    /// Whether the client takes `souffleur/session/update`.
    session_updates: Arc<AtomicBool>,
    buffer: Vec<u8>,
    scratch: Vec<u8>,
}

/// The editor is gone.
struct Closed;

impl Writer {
    /// A writer, and the way to it.
    pub(super) fn new(
        outbox: Arc<Outbox>,
        requests: RequestStream,
        session_updates: Arc<AtomicBool>,
    ) -> (Self, ResponseSender) {
        let (channel, responses) = mpsc::unbounded_channel();
        let permits = Arc::new(Semaphore::new(MAX_UNANSWERED));
        let writer = Self {
            outbox,
            requests,
            requests_over: false,
            responses,
            answers: Vec::new(),
            session_updates,
            buffer: Vec::with_capacity(GATHER),
            scratch: Vec::with_capacity(1024),
        };
        (writer, ResponseSender { channel, permits })
    }

    /// Writes until `finish`, and then what still waits. Sets `stop` when the editor is gone.
    pub(super) async fn run(mut self, mut output: Output, finish: CancellationToken, stop: CancellationToken) {
        loop {
            let finishing = finish.is_cancelled();
            match self.pass(&mut output).await {
                Err(Closed) => {
                    stop.cancel();
                    return;
                }
                Ok(false) if finishing => return,
                Ok(true) => {}
                Ok(false) => self.wait(&finish).await,
            }
        }
    }

    /// Waits until there may be something to write.
    async fn wait(&mut self, finish: &CancellationToken) {
        let outbox = self.outbox.clone();
        tokio::select! {
            // Whatever else is in hand already goes first: one write then takes it along. Nothing is waited for.
            () = outbox.ready() => tokio::task::yield_now().await,
            request = self.requests.next(), if !self.requests_over => self.request(request),
            Some(answer) = self.responses.recv() => self.answers.push(answer),
            () = finish.cancelled() => {}
        }
    }

    /// Writes all that waits. False when nothing did.
    async fn pass(&mut self, output: &mut Output) -> Result<bool, Closed> {
        // Responses that wait now come after all that waits now.
        let mut answers = std::mem::take(&mut self.answers);
        while let Ok(answer) = self.responses.try_recv() {
            answers.push(answer);
        }
        for _ in 0..self.outbox.waiting() {
            let Some(batch) = self.outbox.take() else { break };
            self.batch(batch);
            if self.buffer.len() >= GATHER {
                self.flush(output).await?;
            }
        }
        self.gather_requests();
        let mut permits = Vec::with_capacity(answers.len());
        for (permit, answer) in answers {
            self.answer(answer);
            permits.push(permit);
        }
        let wrote = !self.buffer.is_empty();
        self.flush(output).await?;
        Ok(wrote)
    }

    async fn flush(&mut self, output: &mut Output) -> Result<(), Closed> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = output.write_all(&self.buffer).await;
        let flushed = output.flush().await;
        self.buffer.clear();
        if self.buffer.capacity() > 4 * GATHER {
            self.buffer.shrink_to(GATHER);
        }
        written.and(flushed).map_err(|_| Closed)
    }

    fn gather_requests(&mut self) {
        while !self.requests_over {
            match self.requests.next().now_or_never() {
                Some(request) => self.request(request),
                None => break,
            }
        }
    }

    fn request(&mut self, request: Option<tower_lsp::jsonrpc::Request>) {
        match request {
            Some(request) => self.frame(&request),
            None => self.requests_over = true,
        }
    }

    fn answer(&mut self, answer: Answer) {
        match answer {
            Answer::One(response) => self.frame(&response),
            Answer::Batch(responses) => self.frame(&responses),
        }
    }

    fn batch(&mut self, batch: Batch) {
        match batch {
            Batch::Session(session) => {
                if self.session_updates.load(Ordering::Relaxed) {
                    self.notification("souffleur/session/update", &SessionUpdateParams { session });
                }
            }
            Batch::Message(message) => {
                let message = format!("Souffleur: {message}");
                self.notification("window/showMessage", &serde_json::json!({"type": 2, "message": message}));
            }
            Batch::Stream { token, first_seq, events } => {
                for (seq, event) in (first_seq..).zip(events) {
                    self.notification("$/progress", &Progress { token: &token, value: event.into_progress(seq) });
                }
            }
        }
    }

    fn notification<P: Serialize>(&mut self, method: &'static str, params: &P) {
        self.frame(&Notification { jsonrpc: "2.0", method, params });
    }

    fn frame<M: Serialize>(&mut self, message: &M) {
        self.scratch.clear();
        if let Err(error) = serde_json::to_writer(&mut self.scratch, message) {
            // Our own types always serialise; should one not, no half message is written.
            tracing::error!(%error, "a message could not be written");
            return;
        }
        self.buffer.extend_from_slice(b"Content-Length: ");
        self.buffer.extend_from_slice(self.scratch.len().to_string().as_bytes());
        self.buffer.extend_from_slice(b"\r\n\r\n");
        self.buffer.extend_from_slice(&self.scratch);
    }
}

#[derive(Serialize)]
struct Notification<'a, P> {
    jsonrpc: &'static str,
    method: &'static str,
    params: &'a P,
}

#[derive(Serialize)]
struct Progress<'a> {
    token: &'a StreamToken,
    value: ProgressValue,
}
