//! From the chunks of a body to what stands whole in it: the part of framing that every format has alike.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;

use super::Error;

/// Cuts a format into frames, wherever the chunks end.
pub trait Guard: Default + Unpin {
    /// Takes in a chunk and appends to `frames` what is whole now.
    ///
    /// # Errors
    /// A frame is too large.
    fn push(&mut self, chunk: &[u8], frames: &mut VecDeque<String>) -> Result<(), Error>;

    /// What is left when the body is over.
    fn finish(self, frames: &mut VecDeque<String>);
}

/// The frames of a response body.
pub struct Framed<S, G> {
    body: S,
    guard: Option<G>,
    ready: VecDeque<String>,
}

impl<S, G: Default> Framed<S, G> {
    /// Reads frames from `body`.
    pub fn new(body: S) -> Self {
        Self { body, guard: Some(G::default()), ready: VecDeque::new() }
    }
}

impl<S, G> Stream for Framed<S, G>
where
    S: Stream<Item = Result<Bytes, Error>> + Unpin,
    G: Guard,
{
    type Item = Result<String, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(frame) = this.ready.pop_front() {
                return Poll::Ready(Some(Ok(frame)));
            }
            let Some(guard) = this.guard.as_mut() else { return Poll::Ready(None) };
            match std::task::ready!(Pin::new(&mut this.body).poll_next(cx)) {
                Some(Ok(chunk)) => {
                    // What was whole before a frame that is too large is still said.
                    if let Err(error) = guard.push(&chunk, &mut this.ready) {
                        this.guard = None;
                        return Poll::Ready(Some(Err(error)));
                    }
                }
                Some(Err(error)) => {
                    this.guard = None;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    if let Some(guard) = this.guard.take() {
                        guard.finish(&mut this.ready);
                    }
                }
            }
        }
    }
}
