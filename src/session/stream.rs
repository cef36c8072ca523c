//! One turn's stream of updates: its queue, and the end that writes to it.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::Notify;

use super::outbox::{Batch, Outbox, StreamEvent};
use crate::chat::{SessionUpdate, TurnEnd, TurnStopReason, Usage};
use crate::error::{ErrorCode, UserError};
use crate::protocol::StreamToken;

/// How many bytes of text may wait in one stream before its writer has to: more than any answer has, so that an editor
/// that stalls for a moment does not stall the provider's connection, too.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// How many values may wait in one stream before its writer has to.
const MAX_EVENTS: usize = 4_096;

/// The queue of one stream.
#[derive(Debug)]
pub(super) struct StreamQueue {
    pub(super) token: Arc<StreamToken>,
    events: VecDeque<StreamEvent>,
    bytes: usize,
    seq: u64,
    ended: bool,
    space: Arc<Notify>,
}

impl StreamQueue {
    pub(super) fn new(token: Arc<StreamToken>, space: Arc<Notify>) -> Self {
        Self { token, events: VecDeque::new(), bytes: 0, seq: 0, ended: false, space }
    }

    /// Adds a value. True when the queue was empty before.
    pub(super) fn push(&mut self, event: StreamEvent) -> bool {
        if self.ended {
            return false;
        }
        self.ended = matches!(event, StreamEvent::End(_));
        self.bytes += size(&event);
        let was_empty = self.events.is_empty();
        if let Some(event) = self.merge(event) {
            self.events.push_back(event);
        }
        was_empty
    }

    /// Merges a delta into the last value if that is a delta of the same item and kind.
    fn merge(&mut self, event: StreamEvent) -> Option<StreamEvent> {
        let StreamEvent::Update(SessionUpdate::ItemDelta { item_id, delta }) = event else { return Some(event) };
        let delta = match self.events.back_mut() {
            Some(StreamEvent::Update(SessionUpdate::ItemDelta { item_id: last, delta: waiting }))
                if *last == item_id =>
            {
                match waiting.merge(delta) {
                    Ok(()) => return None,
                    Err(delta) => delta,
                }
            }
            _ => delta,
        };
        Some(StreamEvent::Update(SessionUpdate::ItemDelta { item_id, delta }))
    }

    pub(super) fn take(&mut self) -> Batch {
        let events = std::mem::take(&mut self.events);
        let first_seq = self.seq;
        self.seq += events.len() as u64;
        self.bytes = 0;
        self.space.notify_one();
        Batch::Stream { token: self.token.clone(), first_seq, events }
    }

    /// Whether its last value was taken.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.events.is_empty()
    }

    pub(super) fn has_space(&self) -> bool {
        self.bytes < MAX_BYTES && self.events.len() < MAX_EVENTS
    }
}

fn size(event: &StreamEvent) -> usize {
    match event {
        StreamEvent::Update(SessionUpdate::ItemDelta { delta, .. }) => delta.len(),
        _ => 256,
    }
}

/// The end of a stream that a turn writes to. Exactly one [`StreamEvent::End`] is written: by [`UpdateSender::end`],
/// or, should the turn be lost, when this is dropped.
#[derive(Debug)]
pub struct UpdateSender {
    outbox: Arc<Outbox>,
    id: u64,
    space: Arc<Notify>,
    ended: bool,
}

impl UpdateSender {
    pub(super) fn new(outbox: Arc<Outbox>, id: u64, space: Arc<Notify>) -> Self {
        Self { outbox, id, space, ended: false }
    }

    /// Writes a value.
    pub fn push(&self, event: StreamEvent) {
        self.outbox.push(self.id, event);
    }

    /// Writes the last value.
    pub fn end(mut self, end: TurnEnd) {
        self.ended = true;
        self.outbox.push(self.id, StreamEvent::End(end));
    }

    /// Whether more may be written now. What is written all the same is kept.
    pub fn has_space(&self) -> bool {
        self.outbox.has_space(self.id)
    }

    /// Waits until the reader took something.
    pub fn space(&self) -> Arc<Notify> {
        self.space.clone()
    }
}

impl Drop for UpdateSender {
    fn drop(&mut self) {
        if !self.ended {
            let error = UserError::new(ErrorCode::ServerInternal, "the turn was lost by a defect of the server");
            self.outbox.push(
                self.id,
                StreamEvent::End(TurnEnd {
                    stop_reason: TurnStopReason::Error,
                    usage: Usage::default(),
                    cost: None,
                    output: None,
                    error: Some(error),
                }),
            );
        }
    }
}
