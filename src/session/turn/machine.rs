//! The turn, as a pure state machine: an input comes in, a list of effects goes out. No clock, socket or task.

use std::sync::Arc;

use super::items::Items;
use super::output::{Output, OutputPlan, Verdict, cut_off};
use crate::chat::{
    CompletionEvent, ContentBlock, Cost, Finished, ItemContent, ItemStatus, Message, MessageAccumulator, MessageBlock,
    SessionUpdate, StopReason, ToolCall, ToolResult, TurnEnd, TurnId, TurnStopReason, Usage,
};
use crate::error::{ErrorCode, UserError};
use crate::models::{Price, cost};

/// What the turn wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Tell the outside.
    Emit(SessionUpdate),
    /// Add to the history. What is added never changes.
    Append(Message),
    /// Ask the model with the history as it is now.
    Request,
    /// Run a tool; its result comes back with the same index.
    RunTool {
        /// Which of the open calls.
        index: usize,
        /// The call.
        call: ToolCall,
    },
    /// Stop the model's stream and all tools.
    Abort,
    /// The turn is over. The last effect, exactly once.
    End(TurnEnd),
}

/// How a turn is set up.
#[derive(Clone, Debug)]
pub struct TurnSetup {
    /// The turn.
    pub turn_id: TurnId,
    /// The model, as `provider:model`.
    pub author: Arc<str>,
    /// How many model requests it may make.
    pub max_requests: u32,
    /// What the model costs, if that is known.
    pub price: Option<Price>,
    /// What the last answer has to be.
    pub output: Option<OutputPlan>,
    /// Words of ours that are sent behind the user's.
    pub instructions: Option<String>,
}

/// One turn: from the prompt until it stops.
#[derive(Debug)]
pub struct TurnMachine {
    setup: TurnSetup,
    state: State,
    items: Items,
    requests: u32,
    usage: Usage,
    cost: Cost,
    judge: Option<Output>,
    last_request: Option<Usage>,
}

#[derive(Debug)]
enum State {
    Model(MessageAccumulator),
    Tools(Vec<OpenCall>),
    Over,
}

#[derive(Debug)]
struct OpenCall {
    call: ToolCall,
    result: Option<ToolResult>,
}

/// What a call gets as its result when it was not run or not finished.
const CANCELLED: &str = "The user stopped the turn before this tool had finished.";
const BROKE_OFF: &str = "Not run: the answer that called this tool broke off.";
const ANSWERED: &str = "Taken as the answer.";
const CUT: &str = "Not run: the answer was cut by its length limit, so the call may be incomplete.";

impl TurnMachine {
    /// A turn that begins with the user's `content`.
    pub fn begin(mut setup: TurnSetup, content: Vec<ContentBlock>, out: &mut Vec<Effect>) -> Self {
        let mut items = Items::new(setup.turn_id.clone());
        let instructions = setup.instructions.take().map(|text| MessageBlock::Text { text });
        let message = Message::user(content.iter().filter_map(user_block).chain(instructions).collect());
        items.whole(ItemContent::UserMessage { content }, out);
        out.push(Effect::Append(message));
        let judge = setup.output.take().map(Output::new);
        let mut turn = Self {
            setup,
            state: State::Over,
            items,
            requests: 0,
            usage: Usage::default(),
            cost: Cost::default(),
            judge,
            last_request: None,
        };
        turn.request(out);
        turn
    }

    /// Whether the turn has ended.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// What all requests used so far, what that cost, and what the last one used.
    pub fn spent(&self) -> (Usage, Option<Cost>, Option<Usage>) {
        (self.usage, self.cost(), self.last_request)
    }

    /// The items that still grow, with what they hold so far.
    pub fn running_items(&self) -> Vec<crate::chat::Item> {
        match &self.state {
            State::Model(accumulator) => self.items.running(|index| accumulator.block(index)),
            State::Tools(_) | State::Over => self.items.running(|_| None),
        }
    }

    /// The provider said something.
    pub fn event(&mut self, event: CompletionEvent, out: &mut Vec<Effect>) {
        let State::Model(accumulator) = &mut self.state else { return };
        accumulator.push(&event);
        match event {
            CompletionEvent::BlockStarted { index, block } => self.items.start(index, &block, out),
            CompletionEvent::Delta { index, delta } => self.items.grow(index, delta, out),
            CompletionEvent::BlockCompleted { index } => {
                if let Some(block) = accumulator.block(index) {
                    self.items.complete(index, block, ItemStatus::Completed, out);
                }
            }
            CompletionEvent::Completed => self.answered(out),
            CompletionEvent::Waiting { reason, wait_ms, attempt, error } => {
                out.push(Effect::Emit(SessionUpdate::Waiting { reason, wait_ms, attempt, error }));
            }
            CompletionEvent::Notice { level, code, message } => {
                out.push(Effect::Emit(SessionUpdate::Notice { level, code, message }));
            }
            CompletionEvent::Started { .. } | CompletionEvent::Usage { .. } | CompletionEvent::Stopped { .. } => {}
        }
    }

    /// The provider failed. What arrived is kept.
    pub fn failed(&mut self, error: UserError, out: &mut Vec<Effect>) {
        self.interrupt(ItemStatus::Failed, BROKE_OFF, out);
        self.end(TurnStopReason::Error, Some(error), out);
    }

    /// The user stops the turn. What arrived is kept.
    pub fn cancel(&mut self, out: &mut Vec<Effect>) {
        self.interrupt(ItemStatus::Cancelled, CANCELLED, out);
        self.end(TurnStopReason::Cancelled, None, out);
    }

    /// A tool answered.
    pub fn tool_finished(&mut self, index: usize, mut result: ToolResult, out: &mut Vec<Effect>) {
        let State::Tools(calls) = &mut self.state else { return };
        let Some(open) = calls.get_mut(index).filter(|open| open.result.is_none()) else { return };
        result.call_id.clone_from(&open.call.id);
        let status = if result.is_error { ItemStatus::Failed } else { ItemStatus::Completed };
        self.items.answer(&open.call, &result, status, out);
        open.result = Some(result);
        if calls.iter().all(|open| open.result.is_some()) {
            let results = std::mem::take(calls).into_iter().filter_map(|open| open.result);
            out.push(Effect::Append(Message::user(results.map(MessageBlock::ToolResult).collect())));
            self.request(out);
        }
    }

    fn request(&mut self, out: &mut Vec<Effect>) {
        if self.requests >= self.setup.max_requests {
            return self.end(TurnStopReason::MaxTurnRequests, None, out);
        }
        self.requests += 1;
        self.items.next_request();
        self.state = State::Model(MessageAccumulator::default());
        out.push(Effect::Request);
    }

    /// The model's answer arrived whole.
    fn answered(&mut self, out: &mut Vec<Effect>) {
        let State::Model(accumulator) = std::mem::replace(&mut self.state, State::Over) else { return };
        let finished = accumulator.finish();
        for (index, block) in finished.content.iter().enumerate() {
            self.items.complete(index, block, ItemStatus::Completed, out);
        }
        self.bill(finished.usage, out);
        match finished.stop.clone().unwrap_or(StopReason::EndTurn) {
            StopReason::Refusal => self.refused(finished, out),
            StopReason::MaxTokens => self.cut(finished.content, TurnStopReason::MaxTokens, out),
            StopReason::ContextWindowExceeded => {
                self.cut(finished.content, TurnStopReason::ContextWindowExceeded, out);
            }
            StopReason::PauseTurn if calls(&finished.content).is_empty() => {
                self.append(finished.content, out);
                self.request(out);
            }
            stop => self.run_tools(finished.content, &stop, out),
        }
    }

    fn run_tools(&mut self, content: Vec<MessageBlock>, stop: &StopReason, out: &mut Vec<Effect>) {
        let calls = calls(&content);
        let answers = self.judge.as_ref().is_some_and(|judge| calls.iter().any(|call| judge.is_answer(&call.name)));
        if calls.is_empty() || answers {
            return self.said(content, stop, out);
        }
        self.append(content, out);
        for (index, call) in calls.iter().enumerate() {
            out.push(Effect::RunTool { index, call: call.clone() });
        }
        self.state = State::Tools(calls.into_iter().map(|call| OpenCall { call, result: None }).collect());
    }

    /// The model had its last word, unless it has to mend it.
    fn said(&mut self, content: Vec<MessageBlock>, stop: &StopReason, out: &mut Vec<Effect>) {
        let verdict = self.judge.as_mut().map(|judge| judge.judge(&content));
        self.close(content, ItemStatus::Completed, ANSWERED, out);
        match verdict {
            None => {
                let reason = match stop {
                    StopReason::StopSequence => TurnStopReason::StopSequence,
                    _ => TurnStopReason::EndTurn,
                };
                self.end(reason, None, out);
            }
            Some(Verdict::Accept(value)) => {
                let end = self.ending(TurnStopReason::EndTurn, None);
                out.push(Effect::End(TurnEnd { output: Some(value), ..end }));
            }
            Some(Verdict::Repair(text)) => {
                out.push(Effect::Append(Message::user(vec![MessageBlock::Text { text }])));
                self.request(out);
            }
            Some(Verdict::Reject(error)) => self.end(TurnStopReason::Error, Some(error), out),
        }
    }

    /// A cut answer may end within a tool call, so none of its calls is run.
    fn cut(&mut self, content: Vec<MessageBlock>, reason: TurnStopReason, out: &mut Vec<Effect>) {
        self.close(content, ItemStatus::Failed, CUT, out);
        let error = self.judge.as_ref().map(|_| cut_off());
        self.end(reason, error, out);
    }

    /// What was said is discarded: it does not become part of the history.
    fn refused(&mut self, finished: Finished, out: &mut Vec<Effect>) {
        for call in calls(&finished.content) {
            let result = ToolResult::error(&call.id, "Not run: the provider refused the request.");
            self.items.answer(&call, &result, ItemStatus::Failed, out);
        }
        let refusal = finished.refusal.unwrap_or_default();
        let area = refusal.category.map(|category| format!(" ({category})")).unwrap_or_default();
        let said = refusal.explanation.unwrap_or_else(|| "the provider's safety policy declined".to_owned());
        let error = UserError::new(ErrorCode::ProviderRefused, format!("{}{area}", said.trim_end_matches('.')))
            .from_provider(self.setup.author.split(':').next().unwrap_or_default())
            .with_hint("rephrase the prompt or use another model");
        self.end(TurnStopReason::Refusal, Some(error), out);
    }

    /// Keeps what arrived of an answer that will not go on, and closes its tool calls.
    fn interrupt(&mut self, status: ItemStatus, why: &str, out: &mut Vec<Effect>) {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Over => {}
            State::Model(accumulator) => {
                out.push(Effect::Abort);
                self.items.stop(|index| accumulator.block(index), status, out);
                let usage = accumulator.usage();
                let content = accumulator.salvage();
                self.bill(usage, out);
                self.close(content, status, why, out);
            }
            State::Tools(open) => {
                out.push(Effect::Abort);
                let mut results = Vec::with_capacity(open.len());
                for OpenCall { call, result } in open {
                    results.push(result.unwrap_or_else(|| {
                        let result = ToolResult::error(&call.id, why);
                        self.items.answer(&call, &result, status, out);
                        result
                    }));
                }
                let results = results.into_iter().map(MessageBlock::ToolResult).collect();
                out.push(Effect::Append(Message::user(results)));
            }
        }
    }

    /// Appends an answer whose tool calls are not run: each gets an error as its result, as the API demands.
    fn close(&mut self, content: Vec<MessageBlock>, status: ItemStatus, why: &str, out: &mut Vec<Effect>) {
        let calls = calls(&content);
        self.append(content, out);
        let results: Vec<_> = calls
            .iter()
            .map(|call| {
                let mut result = ToolResult::error(&call.id, why);
                result.is_error = status != ItemStatus::Completed;
                self.items.answer(call, &result, status, out);
                MessageBlock::ToolResult(result)
            })
            .collect();
        if !results.is_empty() {
            out.push(Effect::Append(Message::user(results)));
        }
    }

    /// Adds the model's message to the history. Thinking that nothing follows is left out: it is of no use to a later
    /// request, and a message of thinking alone is refused. Text of nothing is refused, too.
    fn append(&self, mut content: Vec<MessageBlock>, out: &mut Vec<Effect>) {
        content.retain(|block| !matches!(block, MessageBlock::Text { text } if text.is_empty()));
        let thinking = |block: &MessageBlock| {
            matches!(block, MessageBlock::Thinking { .. } | MessageBlock::RedactedThinking { .. })
        };
        while content.last().is_some_and(thinking) {
            content.pop();
        }
        if !content.is_empty() {
            out.push(Effect::Append(Message::assistant(content, self.setup.author.clone())));
        }
    }

    fn bill(&mut self, usage: Usage, out: &mut Vec<Effect>) {
        if usage == Usage::default() {
            return;
        }
        self.usage.add(&usage);
        self.last_request = Some(usage);
        if let Some(price) = &self.setup.price {
            self.cost.add(&cost(price, &usage));
        }
        out.push(Effect::Emit(SessionUpdate::Usage { usage: self.usage, cost: self.cost() }));
    }

    fn cost(&self) -> Option<Cost> {
        self.setup.price.as_ref().map(|_| self.cost)
    }

    fn end(&mut self, stop_reason: TurnStopReason, error: Option<UserError>, out: &mut Vec<Effect>) {
        let end = self.ending(stop_reason, error);
        out.push(Effect::End(end));
    }

    fn ending(&mut self, stop_reason: TurnStopReason, error: Option<UserError>) -> TurnEnd {
        self.state = State::Over;
        TurnEnd { stop_reason, usage: self.usage, cost: self.cost(), output: None, error }
    }
}

/// What the user sent, as a block of the history.
fn user_block(content: &ContentBlock) -> Option<MessageBlock> {
    match content {
        ContentBlock::Text { text } => Some(MessageBlock::Text { text: text.clone() }),
        ContentBlock::Image { .. } | ContentBlock::Document { .. } => {
            Some(MessageBlock::Attachment { content: content.clone() })
        }
        ContentBlock::Unknown => None,
    }
}

fn calls(content: &[MessageBlock]) -> Vec<ToolCall> {
    let call = |block: &MessageBlock| match block {
        MessageBlock::ToolCall(call) => Some(call.clone()),
        _ => None,
    };
    content.iter().filter_map(call).collect()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
