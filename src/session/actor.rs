//! A session's actor: the one owner of its history and its turn.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::command::{Command, Prompt};
use super::context::{self, Along};
use super::manager::now;
use super::options::{plan_output, request_options};
use super::outbox::{StreamEvent, TurnBegin};
use super::prefix::{self, Drift};
use super::running::{Asked, Happened, RunningTurn};
use super::scribe::Scribe;
use super::shared::Shared;
use super::spent::Spent;
use super::turn::{Effect, TurnSetup};
use crate::chat::{ContentBlock, Cost, Item, Message, NoticeLevel, SessionUpdate, TurnId, Usage};
use crate::error::{ErrorCode, UserError};
use crate::models::ModelName;
use crate::prompt::Prefix;
use crate::protocol::{SessionInfo, SessionStatus};
use crate::provider::{CompletionRequest, is_simulated};
use crate::store::{Checkpoint, Entries, SessionRecord, Spending, TurnFinish};
use crate::tools::ToolContext;

/// How many model requests one turn may make.
const MAX_TURN_REQUESTS: u32 = 50;

/// A session.
pub(super) struct Actor {
    pub(super) shared: Arc<Shared>,
    pub(super) inbox: mpsc::Receiver<Command>,
    /// What lists show; written by this actor alone.
    pub(super) info: Arc<Mutex<SessionInfo>>,
    pub(super) model: ModelName,
    pub(super) root: Option<PathBuf>,
    /// The system prompt: the same bytes for as long as the session lives, unless the user wants another.
    pub(super) system: Arc<[String]>,
    /// What it was made of; nothing before it is made.
    pub(super) prefix: Option<Prefix>,
    pub(super) history: Vec<Arc<Message>>,
    pub(super) items: Vec<Item>,
    /// What the turns that ended used.
    pub(super) spent: Spent,
    pub(super) turn: Option<RunningTurn>,
    /// Writes it all down.
    pub(super) scribe: Scribe,
}

/// What a session begins with: nothing, or what was kept of it.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Its system prompt; made anew when there is none.
    pub(super) prefix: Option<Prefix>,
    pub(super) history: Vec<Arc<Message>>,
    pub(super) items: Vec<Item>,
    pub(super) spent: Spent,
    /// Whether it is in the store.
    pub(super) is_stored: bool,
}

impl Actor {
    pub(super) fn new(
        shared: Arc<Shared>,
        inbox: mpsc::Receiver<Command>,
        info: Arc<Mutex<SessionInfo>>,
        model: ModelName,
        root: Option<PathBuf>,
        kept: Kept,
    ) -> Self {
        let Kept { prefix, history, items, spent, is_stored } = kept;
        let system = prefix.as_ref().map(Prefix::texts).unwrap_or_default();
        let session = info.lock().unwrap_or_else(PoisonError::into_inner).session_id.clone();
        let scribe = Scribe::new(shared.clone(), session, is_stored);
        Self { shared, inbox, info, model, root, system, prefix, history, items, spent, turn: None, scribe }
    }

    /// Lives until it is closed or its last handle is gone.
    pub(super) async fn run(mut self) {
        if self.prefix.is_none() {
            self.has_prefix(prefix::prefix(&self.shared, self.root.as_ref()).await);
        }
        loop {
            let Some(turn) = self.turn.as_mut() else {
                match self.inbox.recv().await {
                    Some(Command::Prompt { prompt, reply }) => {
                        let drift = self.look_again().await;
                        let along = context::along(&self.shared, self.root.as_ref(), &prompt).await;
                        let _ = reply.send(self.prompt(*prompt, drift, along));
                        self.carry_out();
                    }
                    Some(Command::RefreshPrompt { reply }) => {
                        let _ = reply.send(Ok(self.refresh_prompt().await));
                    }
                    Some(Command::ShowPrompt { reply }) => {
                        let _ = reply.send(Ok(self.show_prompt().await));
                    }
                    Some(command) => {
                        if self.command(command) {
                            return;
                        }
                    }
                    None => return,
                }
                continue;
            };
            tokio::select! {
                biased;
                command = self.inbox.recv() => match command {
                    Some(command) => {
                        if self.command(command) {
                            return;
                        }
                    }
                    None => return self.stop(),
                },
                happened = turn.next() => self.happened(happened),
                error = self.scribe.failed() => self.not_kept(&error),
            }
            // A provider that always has something more must not keep all others waiting.
            tokio::task::consume_budget().await;
        }
    }

    /// True when the actor is to end.
    fn command(&mut self, command: Command) -> bool {
        match command {
            Command::Prompt { prompt, reply } => {
                let _ = reply.send(self.prompt(*prompt, None, Along::default()));
                self.carry_out();
            }
            Command::ShowPrompt { reply } => {
                let prefix = self.prefix.clone().unwrap_or_default();
                let _ = reply.send(Ok(prefix::show(&prefix, Vec::new())));
            }
            Command::RefreshPrompt { reply } => {
                let _ = reply.send(Err(busy()));
            }
            Command::Cancel { turn_id, reply } => {
                let matches = |turn: &RunningTurn| turn_id.as_ref().is_none_or(|wanted| *wanted == turn.turn_id);
                let cancelled = self.turn.as_ref().is_some_and(matches);
                if cancelled {
                    self.stop();
                }
                let _ = reply.send(Ok(cancelled));
            }
            Command::CancelStream { stream_token } => {
                if self.turn.as_ref().is_some_and(|turn| turn.streams_with(&stream_token)) {
                    self.stop();
                }
            }
            Command::Load { stream_token, reply } => {
                let _ = reply.send(self.load(stream_token));
            }
            Command::Usage { count, reply } => {
                let _ = reply.send(self.usage(count));
            }
            Command::Warm { reply } => {
                let _ = reply.send(self.request_of(Vec::new()).map(Box::new));
            }
            Command::Spent { usage, cost } => {
                self.spent.add((usage, cost, None), false);
                self.scribe.spent(Spending { usage, cost, last_request: None, simulated: false });
            }
            Command::Rename { title } => self.with_info(|info| info.title = title),
            Command::Close { reply } => {
                self.stop();
                let released = self.scribe.release();
                tokio::spawn(async move {
                    // Nobody to release it means that there is nothing to release.
                    let _ = released.await;
                    let _ = reply.send(Ok(()));
                });
                return true;
            }
        }
        false
    }

    fn prompt(&mut self, prompt: Prompt, drift: Option<Drift>, along: Along) -> Result<TurnId, UserError> {
        if self.turn.is_some() {
            return Err(busy());
        }
        let settings = self.shared.settings(self.root.as_deref());
        let model = prompt.model.unwrap_or_else(|| self.model.clone());
        self.shared.registry.provider(&model, &settings)?.ready()?;
        let mut options = request_options(&settings, &prompt.options)?;
        let output = match &prompt.options.output_schema {
            None => None,
            Some(schema) => {
                let support = self.shared.registry.output_support(&model, &options, &settings);
                Some(plan_output(schema, support, &mut options)?)
            }
        };
        let (output, tool, instructions) =
            output.map_or((None, None, None), |output| (Some(output.plan), output.tool, output.instructions));
        let asked = Asked {
            options: Arc::new(options),
            tools: tool.map_or_else(|| self.shared.tools.specs(), |tool| Arc::from([tool])),
            max_output_tokens: prompt.options.max_output_tokens.unwrap_or(settings.max_output_tokens.value),
            model: model.clone(),
            settings,
        };
        let sender = self.shared.outbox.open(prompt.stream_token.clone())?;
        let turn_id = TurnId::generate();
        sender.push(self.turn_begins(&turn_id, &model));
        self.begins(&model, &prompt.content);
        let setup = TurnSetup {
            turn_id: turn_id.clone(),
            author: model.to_shared(),
            max_requests: MAX_TURN_REQUESTS,
            price: self.shared.registry.price(&model),
            output,
            instructions: joined([drift.as_ref().map(|drift| drift.words.clone()), along.words, instructions]),
        };
        tracing::info!(turn = %turn_id, model = %model, "turn begins");
        self.model = model;
        let turn = RunningTurn::begin(setup, asked, prompt.content, (prompt.stream_token, sender));
        if let Some(drift) = drift {
            let message = format!("changed since the model was last told, and told now: {}", drift.paths.join(", "));
            turn.emit(SessionUpdate::Notice { level: NoticeLevel::Info, code: "prompt.changed".to_owned(), message });
        }
        for message in along.refused {
            turn.emit(SessionUpdate::Notice {
                level: NoticeLevel::Warning,
                code: "context.refused".to_owned(),
                message,
            });
        }
        self.turn = Some(turn);
        Ok(turn_id)
    }

    /// The first value of a turn's stream.
    pub(super) fn turn_begins(&self, turn_id: &TurnId, model: &ModelName) -> StreamEvent {
        StreamEvent::Begin(TurnBegin {
            session_id: self.with_info(|info| info.session_id.clone()),
            turn_id: turn_id.clone(),
            model: model.to_shared(),
            simulated: is_simulated(model),
        })
    }

    /// Notes for lists that a turn begins.
    fn begins(&self, model: &ModelName, content: &[ContentBlock]) {
        let title = content.iter().find_map(ContentBlock::as_text).map(title).unwrap_or_default();
        let info = self.with_info(|info| {
            info.model = model.to_string();
            info.simulated = is_simulated(model);
            info.status = SessionStatus::Running;
            info.turns += 1;
            info.updated_at = now();
            if info.title.is_empty() {
                info.title = title;
            }
            info.clone()
        });
        self.shared.outbox.session_changed(info);
    }

    fn happened(&mut self, happened: Happened) {
        let Some(turn) = &mut self.turn else { return };
        let unkept = matches!(happened, Happened::Unkept);
        turn.take_in(happened);
        if unkept {
            let spent = spending(turn.spent(), is_simulated(&turn.asked.model));
            self.scribe.checkpoint(Checkpoint { items: turn.running_items(), spent });
        }
        self.carry_out();
    }

    /// The turn goes on, but the user knows.
    fn not_kept(&mut self, error: &UserError) {
        if let Some(turn) = &mut self.turn {
            let message = format!("what is said now is not kept: {}", error.message);
            turn.emit(SessionUpdate::Notice { level: NoticeLevel::Warning, code: "store.failed".to_owned(), message });
        }
    }

    /// Ends the turn that runs, for the user.
    fn stop(&mut self) {
        if let Some(turn) = &mut self.turn {
            turn.cancel();
            self.carry_out();
        }
    }

    /// Carries out the turn's effects, and those that follow from them.
    fn carry_out(&mut self) {
        while let Some(turn) = self.turn.as_mut() {
            let mut effects = turn.effects();
            if effects.is_empty() {
                turn.reuse(effects);
                return;
            }
            for effect in effects.drain(..) {
                self.effect(effect);
            }
            self.scribe.flush();
            if let Some(turn) = self.turn.as_mut() {
                turn.reuse(effects);
            }
        }
    }

    fn effect(&mut self, effect: Effect) {
        let Some(turn) = self.turn.as_mut() else { return };
        match effect {
            Effect::Emit(update) => {
                if let SessionUpdate::ItemCompleted { item } = &update {
                    self.items.push(item.clone());
                    self.scribe.item(item.clone());
                }
                turn.emit(update);
            }
            Effect::Append(message) => {
                let message = Arc::new(message);
                self.scribe.message(message.clone());
                self.history.push(message);
            }
            Effect::Request => {
                let request = CompletionRequest {
                    model: turn.asked.model.clone(),
                    system: self.system.clone(),
                    tools: turn.asked.tools.clone(),
                    messages: self.history.clone(),
                    max_output_tokens: turn.asked.max_output_tokens,
                    options: turn.asked.options.clone(),
                };
                let answer = turn.span().in_scope(|| self.shared.registry.complete(request, &turn.asked.settings));
                match answer {
                    Ok(stream) => turn.answer(stream),
                    Err(error) => turn.fail(error),
                }
                if !self.scribe.has_begun(&turn.turn_id) {
                    let turn = (turn.turn_id.clone(), is_simulated(&turn.asked.model));
                    let gate = self.begin_kept(turn);
                    if let Some(turn) = &mut self.turn {
                        turn.wait_for(gate);
                    }
                }
            }
            Effect::RunTool { index, call } => {
                let context = ToolContext { workspace: self.shared.workspace.clone(), root: self.root.clone() };
                turn.run_tool(index, call, self.shared.tools.clone(), context);
            }
            Effect::Abort => turn.abort(),
            Effect::End(end) => {
                turn.span().in_scope(|| {
                    let cost_micro_usd = end.cost.map(|cost| cost.micro_usd);
                    let (input, output) = (end.usage.total_input(), end.usage.output_tokens);
                    tracing::info!(reason = ?end.stop_reason, input, output, cost_micro_usd, "turn ends");
                });
                let info = self.with_info(|info| {
                    info.status = SessionStatus::Idle;
                    info.updated_at = now();
                    info.clone()
                });
                if let Some(turn) = self.turn.take() {
                    let turn_spent = turn.spent();
                    let simulated = is_simulated(&turn.asked.model);
                    self.spent.add(turn.spent(), simulated);
                    turn.end(&end);
                    let (entries, spent) = (Entries::default(), spending(turn_spent, simulated));
                    self.scribe.end(TurnFinish { entries, end, spent, at: now() });
                }
                self.shared.outbox.session_changed(info);
            }
        }
    }

    /// Hands the turn's beginning over to be kept.
    fn begin_kept(&mut self, turn: (TurnId, bool)) -> tokio::sync::oneshot::Receiver<Result<(), UserError>> {
        let record = self.with_info(|info| record(info));
        let prefix = serde_json::to_string(&self.prefix).unwrap_or_default();
        self.scribe.begin(record, prefix, turn, now())
    }

    pub(super) fn with_info<T>(&self, work: impl FnOnce(&mut SessionInfo) -> T) -> T {
        work(&mut self.info.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A session as it is kept.
pub(super) fn record(info: &SessionInfo) -> SessionRecord {
    SessionRecord {
        session_id: info.session_id.clone(),
        title: info.title.clone(),
        model: info.model.clone(),
        simulated: info.simulated,
        workspace_uri: info.workspace_uri.clone(),
        mode: None,
        parent: None,
        turns: 0,
        running: false,
        created_at: info.created_at,
        updated_at: info.updated_at,
    }
}

fn spending((usage, cost, last_request): (Usage, Option<Cost>, Option<Usage>), simulated: bool) -> Spending {
    Spending { usage, cost, last_request, simulated }
}

fn busy() -> UserError {
    UserError::new(ErrorCode::SessionBusy, "the session is running a turn")
        .with_hint("wait for its end, cancel it, or use another session")
}

/// Words of ours that go with the user's.
fn joined(words: [Option<String>; 3]) -> Option<String> {
    let words: Vec<String> = words.into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join("\n\n"))
}

/// A title from a prompt: its first line, shortened at a word.
fn title(prompt: &str) -> String {
    const LONGEST: usize = 60;
    let line = prompt.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    if line.chars().count() <= LONGEST {
        return line.to_owned();
    }
    let cut: String = line.chars().take(LONGEST).collect();
    let whole = cut.rsplit_once(' ').map_or(cut.as_str(), |(words, _)| words);
    format!("{}…", whole.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_first_line_cut_at_a_word() {
        assert_eq!(title("\n  Fix the bug \nplease"), "Fix the bug");
        let long = "word ".repeat(40);
        let title = title(&long);
        assert!(title.ends_with("word…") && title.chars().count() <= 61, "{title}");
    }
}
