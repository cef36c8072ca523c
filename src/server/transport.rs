//! The loop that reads messages and starts their handlers.
//!
//! Each handler is polled once, here, before the next message is read: so what it does before it first waits happens
//! in the order of the messages. If it then waits, it goes on in a task of its own: so a slow handler holds up nobody,
//! and `$/cancelRequest` reaches it.

use std::task::Poll;

use bytes::BytesMut;
use futures_util::SinkExt;
use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;
use tower::Service;
use tower_lsp::jsonrpc::{Error, Id, Request, Response};
use tower_lsp::{ClientSocket, ExitedError, Loopback, LspService};

use super::backend::Backend;
use super::frame::{Decoder, Frame};
use super::incoming::{self, Incoming, Parsed};
use super::stdio::Input;
use super::writer::{Permit, ResponseSender};

/// The exit code after `shutdown`.
const CLEAN: u8 = 0;
/// The exit code without it.
const UNCLEAN: u8 = 1;

type ResponseSink = <ClientSocket as Loopback>::ResponseSink;
type Handler = <LspService<Backend> as Service<Request>>::Future;
type Outcome = Result<Option<Response>, ExitedError>;

/// Reads messages until `exit`, the end of the input, or `stop`. Gives back the process's exit code.
pub(super) async fn read(
    mut input: Input,
    service: LspService<Backend>,
    replies: ResponseSink,
    sender: ResponseSender,
    stop: CancellationToken,
) -> u8 {
    let mut transport = Transport { service, replies, sender };
    let mut buffer = BytesMut::with_capacity(64 * 1024);
    let mut decoder = Decoder::default();
    loop {
        while let Some(frame) = decoder.next(&mut buffer) {
            let exit = tokio::select! {
                exit = transport.frame(frame) => exit,
                () = stop.cancelled() => true,
            };
            if exit {
                return transport.exit_code();
            }
        }
        buffer.reserve(decoder.missing(&buffer).clamp(16 * 1024, 1024 * 1024));
        let read = tokio::select! {
            read = input.read_buf(&mut buffer) => read,
            () = stop.cancelled() => return transport.exit_code(),
        };
        if !matches!(read, Ok(length) if length > 0) {
            return transport.exit_code();
        }
    }
}

struct Transport {
    service: LspService<Backend>,
    replies: ResponseSink,
    sender: ResponseSender,
}

impl Transport {
    fn exit_code(&self) -> u8 {
        if self.service.inner().was_shut_down() { CLEAN } else { UNCLEAN }
    }

    /// True when the server is to exit.
    async fn frame(&mut self, frame: Frame) -> bool {
        let invalid = match frame {
            Frame::Message(bytes) => match incoming::parse(&bytes) {
                Parsed::One(message) => return self.message(message).await,
                Parsed::Batch(messages) => return self.batch(messages).await,
            },
            Frame::TooLarge(length) => incoming::too_large(length),
            Frame::BadHeader => incoming::bad_header(),
        };
        let permit = self.sender.permit().await;
        self.sender.send(permit, invalid);
        false
    }

    async fn message(&mut self, message: Incoming) -> bool {
        match message {
            Incoming::Call(request) => {
                let exit = request.method() == "exit";
                let permit = match request.id() {
                    Some(_) => Some(self.sender.permit().await),
                    None => None,
                };
                match self.start(request) {
                    Started::Done(response) => self.sender.answer(permit, response),
                    Started::Waiting(handler) => {
                        let sender = self.sender.clone();
                        tokio::spawn(async move { sender.answer(permit, handler.finish().await) });
                    }
                }
                exit
            }
            Incoming::Reply(response) => {
                // The one who asked may have stopped waiting.
                let _ = self.replies.send(response).await;
                false
            }
            Incoming::Invalid(response) => {
                let permit = self.sender.permit().await;
                self.sender.send(permit, response);
                false
            }
        }
    }

    /// Starts all messages of a batch in their order, and answers with one array when all are done.
    async fn batch(&mut self, messages: Vec<Incoming>) -> bool {
        let permit = self.sender.permit().await;
        let mut started = Vec::with_capacity(messages.len());
        let mut exit = false;
        for message in messages {
            match message {
                Incoming::Call(request) => {
                    exit |= request.method() == "exit";
                    started.push(self.start(request));
                }
                Incoming::Reply(response) => {
                    let _ = self.replies.send(response).await;
                }
                Incoming::Invalid(response) => started.push(Started::Done(Some(response))),
            }
        }
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let mut responses = Vec::new();
            for handler in started {
                let response = match handler {
                    Started::Done(response) => response,
                    Started::Waiting(handler) => handler.finish().await,
                };
                responses.extend(response);
            }
            sender.answer_batch(permit, responses);
        });
        exit
    }

    /// Polls a message's handler once.
    fn start(&mut self, request: Request) -> Started {
        let asked = request.id().cloned().map(|id| (id, request.method().to_owned()));
        let mut waiting = Waiting { handler: self.service.call(request), asked };
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        // The waker of this one poll does nothing: a handler that is not done is polled again by its task.
        match waiting.handler.as_mut().poll(&mut context) {
            Poll::Ready(outcome) => Started::Done(answer(outcome, waiting.asked)),
            Poll::Pending => Started::Waiting(waiting),
        }
    }
}

enum Started {
    Done(Option<Response>),
    Waiting(Waiting),
}

struct Waiting {
    handler: Handler,
    asked: Option<(Id, String)>,
}

impl Waiting {
    async fn finish(self) -> Option<Response> {
        answer(self.handler.await, self.asked)
    }
}

/// The answer to a message. Every request has one, also those that the router has none for.
fn answer(outcome: Outcome, asked: Option<(Id, String)>) -> Option<Response> {
    let (id, method) = asked?;
    Some(match outcome {
        Ok(Some(response)) => response,
        Ok(None) => {
            let mut error = Error::method_not_found();
            error.data = Some(serde_json::Value::String(method));
            Response::from_error(id, error)
        }
        Err(ExitedError { .. }) => Response::from_error(id, Error::invalid_request()),
    })
}

impl ResponseSender {
    fn answer(&self, permit: Option<Permit>, response: Option<Response>) {
        if let (Some(permit), Some(response)) = (permit, response) {
            self.send(permit, response);
        }
    }

    fn answer_batch(&self, permit: Permit, responses: Vec<Response>) {
        if !responses.is_empty() {
            self.send_batch(permit, responses);
        }
    }
}
