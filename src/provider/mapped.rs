//! From a vendor's frames to [`CompletionEvent`]s, for every vendor alike.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;

use super::{Category, Error};
use crate::chat::CompletionEvent;

/// Maps a vendor's frames, one by one. No clock, no socket.
pub trait FrameMapper {
    /// A frame, as the framing cuts it: the data of an event, a line.
    type Frame;

    /// Takes in a frame and appends to `out` what it means.
    ///
    /// # Errors
    /// What the provider reports, and frames that cannot be read.
    fn frame(&mut self, frame: Self::Frame, out: &mut VecDeque<CompletionEvent>) -> Result<(), Error>;

    /// What the end of the stream means.
    ///
    /// # Errors
    /// When the answer is not complete.
    fn finish(&self) -> Result<(), Error>;

    /// Whether the answer arrived whole, so that nothing that follows counts.
    fn is_complete(&self) -> bool;
}

/// What it means that a stream ended before its answer did; `begun`: whether anything of the answer had come.
pub(super) fn broke_off(begun: bool) -> Error {
    let what = if begun { "the answer ended before it was complete" } else { "the answer was empty" };
    Error::new(Category::StreamBroken, what)
}

/// The events of a stream of frames. It ends after [`CompletionEvent::Completed`] or after the first error.
pub struct Mapped<S, M> {
    source: Option<S>,
    mapper: M,
    ready: VecDeque<CompletionEvent>,
    failed: Option<Error>,
    rest: Option<fn(S)>,
}

impl<S, M> Mapped<S, M> {
    /// What `mapper` makes of the frames of `source`.
    pub fn new(source: S, mapper: M) -> Self {
        Self { source: Some(source), mapper, ready: VecDeque::new(), failed: None, rest: None }
    }

    /// Gives what follows the last event to `rest`. Without it the source is dropped there, and its connection closed.
    #[must_use]
    pub fn with_rest(mut self, rest: fn(S)) -> Self {
        self.rest = Some(rest);
        self
    }
}

impl<S, M> Stream for Mapped<S, M>
where
    S: Stream<Item = Result<M::Frame, Error>> + Unpin,
    M: FrameMapper + Unpin,
{
    type Item = Result<CompletionEvent, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(event) = this.ready.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            if let Some(error) = this.failed.take() {
                return Poll::Ready(Some(Err(error)));
            }
            let Some(source) = this.source.as_mut() else { return Poll::Ready(None) };
            let outcome = match std::task::ready!(Pin::new(source).poll_next(cx)) {
                Some(Ok(frame)) => this.mapper.frame(frame, &mut this.ready),
                Some(Err(error)) => Err(error),
                None => {
                    this.source = None;
                    this.mapper.finish()
                }
            };
            if let Err(error) = outcome {
                this.failed = Some(error);
                this.source = None;
            } else if this.mapper.is_complete()
                && let (Some(source), Some(rest)) = (this.source.take(), this.rest)
            {
                rest(source);
            }
        }
    }
}
