//! A turn that runs: the machine and the I/O that carries out its effects.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::Sleep;

use super::outbox::{StreamEvent, UpdateSender};
use super::turn::{Effect, TurnMachine, TurnSetup};
use crate::chat::{
    CompletionEvent, ContentBlock, Cost, Item, SessionUpdate, ToolCall, ToolResult, ToolSpec, TurnEnd, TurnId, Usage,
};
use crate::config::Settings;
use crate::error::{ErrorCode, UserError};
use crate::models::ModelName;
use crate::protocol::StreamToken;
use crate::provider::{Category, CompletionStream, Error, RequestOptions};
use crate::tools::{self, ToolContext, Tools};

/// The running turn of a session.
pub(super) struct RunningTurn {
    pub(super) turn_id: TurnId,
    pub(super) asked: Asked,
    machine: TurnMachine,
    effects: Vec<Effect>,
    stream: Option<CompletionStream>,
    tools: JoinSet<(usize, ToolResult)>,
    senders: Vec<(StreamToken, UpdateSender)>,
    /// Until it opens nothing is asked of the model.
    gate: Option<oneshot::Receiver<Result<(), UserError>>>,
    /// Runs out when what grew should be kept.
    keep: Option<Pin<Box<Sleep>>>,
    span: tracing::Span,
}

/// What all requests of a turn have in common, frozen when it begins.
pub(super) struct Asked {
    pub(super) model: ModelName,
    pub(super) options: Arc<RequestOptions>,
    pub(super) tools: Arc<[ToolSpec]>,
    pub(super) max_output_tokens: u32,
    pub(super) settings: Arc<Settings>,
}

/// What happened next in a running turn.
pub(super) enum Happened {
    /// The provider said something, failed, or its stream ended.
    Provider(Option<Result<CompletionEvent, Error>>),
    /// A tool answered.
    Tool(usize, ToolResult),
    /// A reader took something from a full stream.
    Space,
    /// The turn's beginning is on the disk, or cannot be.
    Kept(Result<(), UserError>),
    /// What still grows has not been kept for a while.
    Unkept,
}

/// How long what arrives may be nowhere but in memory.
const KEEP_EVERY: Duration = Duration::from_secs(1);

/// The most streams that one turn writes to.
pub(super) const MAX_STREAMS: usize = 16;

impl RunningTurn {
    pub(super) fn begin(
        setup: TurnSetup,
        asked: Asked,
        content: Vec<ContentBlock>,
        stream: (StreamToken, UpdateSender),
    ) -> Self {
        let mut effects = Vec::with_capacity(8);
        let turn_id = setup.turn_id.clone();
        let span = tracing::info_span!("turn", turn = %turn_id, model = %asked.model);
        let machine = TurnMachine::begin(setup, content, &mut effects);
        Self {
            turn_id,
            asked,
            machine,
            effects,
            stream: None,
            tools: JoinSet::new(),
            senders: vec![stream],
            gate: None,
            keep: None,
            span,
        }
    }

    /// Waits for what happens next. Dropping the wait loses nothing.
    pub(super) async fn next(&mut self) -> Happened {
        let full = self.senders.iter().find(|(_, sender)| !sender.has_space()).map(|(_, sender)| sender.space());
        tokio::select! {
            biased;
            Some(finished) = self.tools.join_next(), if !self.tools.is_empty() => match finished {
                Ok((index, result)) => Happened::Tool(index, result),
                // A tool that panicked or was aborted has no index to tell; its call is answered at the turn's end.
                Err(_) => Happened::Space,
            },
            () = wait(full.as_ref()), if full.is_some() => Happened::Space,
            kept = opened(self.gate.as_mut()), if self.gate.is_some() => Happened::Kept(kept),
            () = over(self.keep.as_mut()), if self.keep.is_some() => Happened::Unkept,
            event = next_event(self.stream.as_mut()), if full.is_none() && self.gate.is_none() && self.stream.is_some() => {
                Happened::Provider(event)
            }
            else => std::future::pending().await,
        }
    }

    /// What is logged within it belongs to the turn.
    pub(super) fn span(&self) -> tracing::Span {
        self.span.clone()
    }

    /// Tells the machine what happened.
    pub(super) fn take_in(&mut self, happened: Happened) {
        match happened {
            Happened::Provider(Some(Ok(event))) => {
                if self.keep.is_none() && matches!(event, CompletionEvent::Delta { .. }) {
                    self.keep = Some(Box::pin(tokio::time::sleep(KEEP_EVERY)));
                }
                if event == CompletionEvent::Completed {
                    self.stream = None;
                }
                self.machine.event(event, &mut self.effects);
            }
            Happened::Provider(Some(Err(error))) => {
                let error = error.to_user(self.asked.model.provider());
                self.fail(error);
            }
            Happened::Provider(None) => {
                self.stream = None;
                // A provider says how its answer ends; one that does not broke off.
                let error = Error::new(Category::StreamBroken, "the answer ended before it was complete");
                self.fail(error.to_user(self.asked.model.provider()));
            }
            Happened::Tool(index, result) => self.machine.tool_finished(index, result, &mut self.effects),
            Happened::Kept(kept) => {
                self.gate = None;
                if let Err(error) = kept {
                    self.fail(error);
                }
            }
            Happened::Unkept => self.keep = None,
            Happened::Space => {}
        }
    }

    /// Nothing is asked of the model before this opens.
    pub(super) fn wait_for(&mut self, gate: oneshot::Receiver<Result<(), UserError>>) {
        self.gate = Some(gate);
    }

    /// Ends the turn with an error.
    pub(super) fn fail(&mut self, error: UserError) {
        if !self.machine.is_over() {
            self.machine.failed(error, &mut self.effects);
        }
    }

    /// Ends the turn for the user.
    pub(super) fn cancel(&mut self) {
        if !self.machine.is_over() {
            self.machine.cancel(&mut self.effects);
        }
    }

    /// The effects that wait to be carried out.
    pub(super) fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Gives back the emptied list of effects, to be filled again.
    pub(super) fn reuse(&mut self, effects: Vec<Effect>) {
        if self.effects.is_empty() {
            self.effects = effects;
        }
    }

    /// The model's answer streams in from here.
    pub(super) fn answer(&mut self, stream: CompletionStream) {
        self.stream = Some(stream);
    }

    /// Runs a tool.
    pub(super) fn run_tool(&mut self, index: usize, call: ToolCall, tools: Tools, context: ToolContext) {
        self.tools.spawn(async move {
            let (id, name) = (call.id.clone(), call.name.clone());
            // In a task of its own, so that a panic is this call's failure and nothing else's.
            let mut work = JoinSet::new();
            work.spawn(tools::run(tools, call, context));
            let result = match work.join_next().await {
                Some(Ok(result)) => result,
                _ => ToolResult::error(id, format!("the tool {name} failed by a defect of the server")),
            };
            (index, result)
        });
    }

    /// Stops the model's stream and all tools, at once.
    pub(super) fn abort(&mut self) {
        self.stream = None;
        self.tools.abort_all();
        self.tools.detach_all();
    }

    pub(super) fn running_items(&self) -> Vec<Item> {
        self.machine.running_items()
    }

    /// See [`TurnMachine::spent`].
    pub(super) fn spent(&self) -> (Usage, Option<Cost>, Option<Usage>) {
        self.machine.spent()
    }

    /// Whether the turn streams with `token`.
    pub(super) fn streams_with(&self, token: &StreamToken) -> bool {
        self.senders.iter().any(|(known, _)| known == token)
    }

    pub(super) fn streams(&self) -> usize {
        self.senders.len()
    }

    /// One more reader, from now on.
    pub(super) fn add_stream(&mut self, token: StreamToken, sender: UpdateSender) {
        self.senders.push((token, sender));
    }

    /// Tells all readers.
    pub(super) fn emit(&self, update: SessionUpdate) {
        if let Some(((_, last), others)) = self.senders.split_last() {
            for (_, sender) in others {
                sender.push(StreamEvent::Update(update.clone()));
            }
            last.push(StreamEvent::Update(update));
        }
    }

    /// Ends all streams. The turn is over.
    pub(super) fn end(self, end: &TurnEnd) {
        for (_, sender) in self.senders {
            sender.end(end.clone());
        }
    }
}

async fn wait(space: Option<&Arc<Notify>>) {
    if let Some(space) = space {
        space.notified().await;
    }
}

async fn over(sleep: Option<&mut Pin<Box<Sleep>>>) {
    match sleep {
        Some(sleep) => sleep.await,
        None => std::future::pending().await,
    }
}

async fn opened(gate: Option<&mut oneshot::Receiver<Result<(), UserError>>>) -> Result<(), UserError> {
    let Some(gate) = gate else { return std::future::pending().await };
    gate.await.unwrap_or_else(|_| {
        Err(UserError::new(ErrorCode::StoreFailed, "the prompt could not be kept, so it was not sent")
            .with_hint("too much waits to be written; send it again in a moment"))
    })
}

async fn next_event(stream: Option<&mut CompletionStream>) -> Option<Result<CompletionEvent, Error>> {
    match stream {
        Some(stream) => stream.next().await,
        None => std::future::pending().await,
    }
}
