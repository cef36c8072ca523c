//! Folds a model's events into the message they make.

use std::collections::BTreeMap;

use super::event::{BlockDelta, BlockStart, CompletionEvent, Refusal, StopReason};
use super::message::{MessageBlock, ToolCall};
use super::usage::Usage;

/// Folds [`CompletionEvent`]s of one answer into its content blocks, usage and stop reason. Pure: the same events
/// give the same message. Events that make no sense (a delta for a block that never began) change nothing.
#[derive(Clone, Debug, Default)]
pub struct MessageAccumulator {
    blocks: BTreeMap<usize, Partial>,
    usage: Usage,
    stop: Option<(StopReason, Option<Refusal>)>,
    completed: bool,
}

#[derive(Clone, Debug)]
struct Partial {
    block: MessageBlock,
    complete: bool,
}

/// The message that the events made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// The content blocks in order.
    pub content: Vec<MessageBlock>,
    /// Tokens of this request.
    pub usage: Usage,
    /// Why the model stopped, if it said so.
    pub stop: Option<StopReason>,
    /// What a refusal said about itself.
    pub refusal: Option<Refusal>,
    /// Whether the answer arrived whole.
    pub completed: bool,
}

impl MessageAccumulator {
    /// Takes in the next event.
    pub fn push(&mut self, event: &CompletionEvent) {
        match event {
            CompletionEvent::Started { .. } | CompletionEvent::Waiting { .. } | CompletionEvent::Notice { .. } => {}
            CompletionEvent::BlockStarted { index, block } => {
                self.blocks.insert(*index, Partial { block: begin(block), complete: false });
            }
            CompletionEvent::Delta { index, delta } => {
                if let Some(partial) = self.blocks.get_mut(index) {
                    extend(&mut partial.block, delta);
                }
            }
            CompletionEvent::BlockCompleted { index } => {
                if let Some(partial) = self.blocks.get_mut(index) {
                    partial.complete = true;
                }
            }
            CompletionEvent::Usage { usage } => usage.apply(&mut self.usage),
            CompletionEvent::Stopped { reason, refusal } => {
                self.stop = Some((reason.clone(), refusal.clone()));
            }
            CompletionEvent::Completed => self.completed = true,
        }
    }

    /// The block at `index` as far as it arrived.
    pub fn block(&self, index: usize) -> Option<&MessageBlock> {
        self.blocks.get(&index).map(|partial| &partial.block)
    }

    /// Tokens of this request so far.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// The whole message.
    pub fn finish(self) -> Finished {
        let (stop, refusal) = self.stop.map_or((None, None), |(stop, refusal)| (Some(stop), refusal));
        Finished {
            content: self.blocks.into_values().map(|partial| partial.block).collect(),
            usage: self.usage,
            stop,
            refusal,
            completed: self.completed,
        }
    }

    /// What of an answer that broke off may stay in a history: text as far as it arrived, everything else only if
    /// it is whole (half a thinking block has no signature, half a tool call must never run).
    pub fn salvage(self) -> Vec<MessageBlock> {
        let keep = |partial: Partial| match partial.block {
            MessageBlock::Text { ref text } if text.trim().is_empty() => None,
            MessageBlock::Text { .. } => Some(partial.block),
            _ if partial.complete => Some(partial.block),
            _ => None,
        };
        self.blocks.into_values().filter_map(keep).collect()
    }
}

fn begin(start: &BlockStart) -> MessageBlock {
    match start.clone() {
        BlockStart::Text { text } => MessageBlock::Text { text },
        BlockStart::Thinking { text, signature } => MessageBlock::Thinking { text, signature },
        BlockStart::RedactedThinking { data } => MessageBlock::RedactedThinking { data },
        BlockStart::ToolCall { id, name } => MessageBlock::ToolCall(ToolCall { id, name, input: String::new() }),
        BlockStart::Other { json } => MessageBlock::Other { json },
    }
}

fn extend(block: &mut MessageBlock, delta: &BlockDelta) {
    match (block, delta) {
        (MessageBlock::Text { text }, BlockDelta::Text { text: more })
        | (MessageBlock::Thinking { text, .. }, BlockDelta::Thinking { text: more }) => text.push_str(more),
        (MessageBlock::Thinking { signature, .. }, BlockDelta::Signature { signature: whole }) => {
            signature.clone_from(whole);
        }
        (MessageBlock::ToolCall(call), BlockDelta::Input { json }) => call.input.push_str(json),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delta(index: usize, delta: BlockDelta) -> CompletionEvent {
        CompletionEvent::Delta { index, delta }
    }

    fn fold(events: &[CompletionEvent]) -> MessageAccumulator {
        let mut accumulator = MessageAccumulator::default();
        for event in events {
            accumulator.push(event);
        }
        accumulator
    }

    #[test]
    fn blocks_grow_by_index_and_a_signature_replaces() {
        let thinking = BlockStart::Thinking { text: String::new(), signature: String::new() };
        let finished = fold(&[
            CompletionEvent::BlockStarted { index: 0, block: thinking },
            CompletionEvent::BlockStarted { index: 1, block: BlockStart::Text { text: String::new() } },
            delta(0, BlockDelta::Thinking { text: "hm".into() }),
            delta(0, BlockDelta::Signature { signature: "x".into() }),
            delta(0, BlockDelta::Signature { signature: "sig".into() }),
            delta(1, BlockDelta::Text { text: "he".into() }),
            delta(1, BlockDelta::Text { text: "llo".into() }),
            delta(7, BlockDelta::Text { text: "nowhere".into() }),
            CompletionEvent::Completed,
        ])
        .finish();
        assert_eq!(
            finished.content,
            [
                MessageBlock::Thinking { text: "hm".into(), signature: "sig".into() },
                MessageBlock::Text { text: "hello".into() }
            ]
        );
        assert!(finished.completed);
        assert_eq!(finished.stop, None);
    }

    #[test]
    fn salvage_keeps_text_and_drops_half_a_tool_call() {
        let call = BlockStart::ToolCall { id: "c".into(), name: "rm".into() };
        let kept = fold(&[
            CompletionEvent::BlockStarted { index: 0, block: BlockStart::Text { text: "so far".into() } },
            CompletionEvent::BlockStarted { index: 1, block: call },
            delta(1, BlockDelta::Input { json: "{\"path\":\"/".into() }),
        ])
        .salvage();
        assert_eq!(kept, [MessageBlock::Text { text: "so far".into() }]);
    }
}
