//! Server-sent events: from bytes to whole events.
//!
//! `eventsource-stream` 0.2.3 parses the fields of an event well, but fed with raw chunks it panics on a byte order
//! mark, waits for ever after a bad byte, and takes quadratic time for a long line. So a guard stands before it that
//! cuts the bytes at blank lines, in linear time, and hands over whole, clean events only.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use eventsource_stream::{Event, EventStream, EventStreamError, Eventsource};
use futures_util::Stream;

use super::error::{Category, Error};
use super::framed::{Framed, Guard};

/// The most bytes one event may have. The largest real ones (search results, images) stay well below.
pub const MAX_EVENT_BYTES: usize = 64 * 1024 * 1024;

/// Cuts a byte stream into whole events. No clock, no socket: bytes in, events out. Drops the byte order mark, turns CR
/// and CRLF into LF, and replaces bytes that are not UTF-8.
#[derive(Debug, Default)]
pub struct SseGuard {
    event: Vec<u8>,
    line_start: usize,
    skip_line_feed: bool,
    started: bool,
}

impl Guard for SseGuard {
    fn push(&mut self, mut chunk: &[u8], events: &mut VecDeque<String>) -> Result<(), Error> {
        while !chunk.is_empty() {
            if std::mem::take(&mut self.skip_line_feed) && chunk[0] == b'\n' {
                chunk = &chunk[1..];
                continue;
            }
            let Some(end) = memchr::memchr2(b'\n', b'\r', chunk) else {
                self.event.extend_from_slice(chunk);
                break;
            };
            self.event.extend_from_slice(&chunk[..end]);
            self.skip_line_feed = chunk[end] == b'\r';
            chunk = &chunk[end + 1..];
            self.end_line(events);
        }
        if self.event.len() > MAX_EVENT_BYTES {
            return Err(Error::new(Category::StreamBroken, "the provider sent an event that is too large"));
        }
        Ok(())
    }

    /// What a stream that ended without a last blank line still holds, as far as its lines are whole.
    fn finish(mut self, events: &mut VecDeque<String>) {
        self.event.truncate(self.line_start);
        if !self.event.is_empty() {
            self.emit(events);
        }
    }
}

impl SseGuard {
    fn end_line(&mut self, events: &mut VecDeque<String>) {
        if self.event.len() > self.line_start {
            self.event.push(b'\n');
            self.line_start = self.event.len();
        } else if !self.event.is_empty() {
            self.emit(events);
        }
    }

    fn emit(&mut self, events: &mut VecDeque<String>) {
        if !std::mem::replace(&mut self.started, true) && self.event.starts_with(b"\xef\xbb\xbf") {
            self.event.drain(..3);
        }
        self.event.push(b'\n');
        let event = std::mem::replace(&mut self.event, Vec::with_capacity(256));
        self.line_start = 0;
        events.push_back(
            String::from_utf8(event).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        );
    }
}

/// The events of a response body, parsed. Comments and events without data are left out, as the format demands.
pub struct SseEvents<S>(EventStream<Framed<S, SseGuard>>);

impl<S> SseEvents<S>
where
    S: Stream<Item = Result<Bytes, Error>> + Unpin,
{
    /// Reads events from `body`.
    pub fn new(body: S) -> Self {
        Self(Framed::new(body).eventsource())
    }
}

impl<S> Stream for SseEvents<S>
where
    S: Stream<Item = Result<Bytes, Error>> + Unpin,
{
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.0).poll_next(cx).map(|event| {
            event.map(|event| {
                event.map_err(|error| match error {
                    EventStreamError::Transport(error) => error,
                    EventStreamError::Utf8(_) | EventStreamError::Parser(_) => {
                        Error::new(Category::StreamBroken, "the provider sent an event that cannot be read")
                    }
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt, stream};
    use proptest::prelude::*;

    fn cut(chunks: &[&[u8]]) -> Vec<String> {
        let (mut guard, mut events) = (SseGuard::default(), VecDeque::new());
        for chunk in chunks {
            guard.push(chunk, &mut events).unwrap();
        }
        guard.finish(&mut events);
        events.into()
    }

    fn parse(bytes: &[u8]) -> Vec<(String, String)> {
        let body = stream::iter(vec![Ok(Bytes::copy_from_slice(bytes))]);
        let events = futures_util::future::FutureExt::now_or_never(SseEvents::new(body).collect::<Vec<_>>()).unwrap();
        events.into_iter().map(|event| event.map(|event| (event.event, event.data)).unwrap()).collect()
    }

    #[test]
    fn the_traps_of_the_field_parser_are_kept_from_it() {
        assert_eq!(cut(&[b"\xef\xbb\xbfdata: a\n\n"]), ["data: a\n\n"]);
        assert_eq!(cut(&[b"data: a\r\rdata: b\r\n\r\n"]), ["data: a\n\n", "data: b\n\n"]);
        assert_eq!(cut(&[b"data: \xff\n\n"]), ["data: \u{fffd}\n\n"]);
        assert_eq!(cut(&[b"\n\n\ndata: a\n\n\n\n"]), ["data: a\n\n"]);
        assert_eq!(cut(&[b"data: a\ndata: half"]), ["data: a\n\n"]);
    }

    #[test]
    fn fields_are_parsed() {
        let bytes = b": comment\n\nevent: x\ndata: 1\ndata:2\n\nevent: none\n\ndata: {\"a\": \"\\u2028\"}\n\n";
        assert_eq!(
            parse(bytes),
            [("x".to_owned(), "1\n2".to_owned()), ("message".to_owned(), "{\"a\": \"\\u2028\"}".to_owned())]
        );
    }

    #[test]
    fn an_event_has_a_limit() {
        let (mut guard, mut events) = (SseGuard::default(), VecDeque::new());
        let block = vec![b'x'; 8 * 1024 * 1024];
        let results: Vec<_> = (0..9).map(|_| guard.push(&block, &mut events).is_ok()).collect();
        assert_eq!(results.iter().filter(|ok| !**ok).count(), 1);
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_events(bytes in proptest::collection::vec(prop_oneof![
            Just(b'\n'), Just(b'\r'), Just(b'd'), Just(b':'), Just(0xc3), Just(0xa9), Just(0xef), any::<u8>()], 0..200),
            cuts in proptest::collection::vec(0usize..200, 0..8)) {
            let whole = cut(&[&bytes]);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|at| at.min(bytes.len())).collect();
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut start = 0;
            for at in cuts.into_iter().chain([bytes.len()]) {
                chunks.push(&bytes[start..at]);
                start = at;
            }
            prop_assert_eq!(cut(&chunks), whole);
        }
    }
}
