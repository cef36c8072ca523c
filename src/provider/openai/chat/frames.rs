//! From a body to the events in it, whatever the server made of the format.
//!
//! Some servers answer a request for a stream with one JSON value (an error, or the whole answer), with one on each
//! line, or with a page. Such a body begins with `{`, `[` or `<`, which no event stream does.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;

use crate::provider::openai::errors::page;
use crate::provider::sse::SseEvents;
use crate::provider::{Category, Error};

/// The most bytes of a body that is no event stream.
const MAX_WHOLE_BYTES: usize = 16 * 1024 * 1024;

/// A part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// An event.
    Event {
        /// Its name; `message` where it has none.
        name: String,
        /// Its data.
        data: String,
    },
    /// The body is over.
    End,
}

/// The frames of a body. The last one is [`Frame::End`].
pub struct Frames<S> {
    events: Option<SseEvents<Sniffed<S>>>,
}

impl<S> Frames<S>
where
    S: Stream<Item = Result<Bytes, Error>> + Unpin,
{
    /// Reads frames from `body`.
    pub fn new(body: S) -> Self {
        Self { events: Some(SseEvents::new(Sniffed { body, state: State::Unknown(Vec::new()) })) }
    }
}

impl<S> Stream for Frames<S>
where
    S: Stream<Item = Result<Bytes, Error>> + Unpin,
{
    type Item = Result<Frame, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(events) = self.events.as_mut() else { return Poll::Ready(None) };
        let Some(event) = std::task::ready!(Pin::new(events).poll_next(cx)) else {
            self.events = None;
            return Poll::Ready(Some(Ok(Frame::End)));
        };
        Poll::Ready(Some(event.map(|event| Frame::Event { name: event.event, data: event.data })))
    }
}

/// A body that is passed on as an event stream if it is one, and made one if it is not.
struct Sniffed<S> {
    body: S,
    state: State,
}

enum State {
    /// Nothing but blanks so far.
    Unknown(Vec<u8>),
    /// It is an event stream.
    Events,
    /// It is none: all of it is needed.
    Whole(Vec<u8>),
    Over,
}

impl<S> Stream for Sniffed<S>
where
    S: Stream<Item = Result<Bytes, Error>> + Unpin,
{
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if matches!(this.state, State::Over) {
                return Poll::Ready(None);
            }
            let chunk = match std::task::ready!(Pin::new(&mut this.body).poll_next(cx)) {
                Some(Ok(chunk)) => chunk,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    return Poll::Ready(match std::mem::replace(&mut this.state, State::Over) {
                        State::Whole(bytes) => Some(as_events(&bytes)),
                        State::Unknown(bytes) => Some(Ok(Bytes::from(bytes))),
                        State::Events | State::Over => None,
                    });
                }
            };
            match &mut this.state {
                State::Events | State::Over => return Poll::Ready(Some(Ok(chunk))),
                State::Whole(bytes) => {
                    bytes.extend_from_slice(&chunk);
                    if bytes.len() > MAX_WHOLE_BYTES {
                        this.state = State::Over;
                        let error =
                            Error::new(Category::UnexpectedResponse, "the provider answered with no event stream");
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                State::Unknown(bytes) => {
                    bytes.extend_from_slice(&chunk);
                    match first(bytes) {
                        None => {}
                        Some(b'{' | b'[' | b'<') => this.state = State::Whole(std::mem::take(bytes)),
                        Some(_) => {
                            let bytes = std::mem::take(bytes);
                            this.state = State::Events;
                            return Poll::Ready(Some(Ok(Bytes::from(bytes))));
                        }
                    }
                }
            }
        }
    }
}

/// The first byte that is neither blank nor of a byte order mark; `None` while it is not there.
fn first(bytes: &[u8]) -> Option<u8> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    let bytes = match bytes.strip_prefix(MARK) {
        Some(rest) => rest,
        None if MARK.starts_with(bytes) => return None,
        None => bytes,
    };
    bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

/// A body of JSON as events: one for the value, or one for each line.
fn as_events(bytes: &[u8]) -> Result<Bytes, Error> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('<') {
        return Err(page());
    }
    let mut events = String::with_capacity(text.len() + 16);
    let mut event = |data: &str| {
        events.push_str("data: ");
        events.push_str(data);
        events.push_str("\n\n");
    };
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(value) => event(&value.to_string()),
        Err(_) => text.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(event),
    }
    Ok(Bytes::from(events))
}
