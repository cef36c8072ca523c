//! `souffleur ask`: one turn in the current directory, through the same sessions as an editor's.

use std::io::Read;
use std::process::ExitCode;

use super::args::AskArguments;
use super::print::{self, Style};
use super::sessions;
use crate::chat::{ContentBlock, Item, ItemContent, ItemDelta, SessionUpdate, TurnEnd, TurnStopReason};
use crate::error::{ErrorCode, UserError};
use crate::protocol::{CancelParams, NewParams, PromptParams, StreamToken};
use crate::session::{Batch, SessionManager, Shared, Start, StreamEvent};
use crate::workspace::{Root, file_uri};

/// The exit code of a program that the user interrupted.
const INTERRUPTED: u8 = 130;

/// Sends the prompt and streams the answer.
pub(super) async fn run(start: Start, arguments: AskArguments) -> Result<ExitCode, UserError> {
    let prompt = prompt(arguments.prompt)?;
    let shared = Shared::new(start)?;
    let here = std::env::current_dir().ok().and_then(|directory| file_uri(&directory));
    shared.workspace.roots.set(here.into_iter().map(Root::new).collect());
    shared.roots_changed();
    let outbox = shared.outbox.clone();
    let manager = SessionManager::new(shared);
    let session_id = match (&arguments.session, arguments.go_on) {
        (Some(session), _) => sessions::id(session)?,
        (None, true) => match manager.latest(sessions::here()).await? {
            Some(session) => session.session_id,
            None => {
                return Err(UserError::new(ErrorCode::SessionNotFound, "there is no session of this directory yet")
                    .with_hint("ask without --continue; souffleur sessions list --all shows those of others"));
            }
        },
        (None, false) => manager.create(NewParams::default()).await?.session.session_id,
    };
    let stream_token = StreamToken::Text("ask".to_owned());
    let content = vec![ContentBlock::text(prompt)];
    let (session, context) = (session_id.clone(), Vec::new());
    let params = PromptParams { session_id: session, content, stream_token, model: None, options: None, context };
    manager.prompt(params).await?;
    let mut view = View::new(arguments.json);
    let mut interrupted = false;
    let mut interrupt = tokio::spawn(tokio::signal::ctrl_c());
    // The signal is listened for before anything is shown.
    tokio::task::yield_now().await;
    loop {
        while let Some(batch) = outbox.take() {
            let (first_seq, events) = match batch {
                Batch::Stream { first_seq, events, .. } => (first_seq, events),
                Batch::Message(message) => {
                    view.aside(&format!("note: {message}\n"));
                    continue;
                }
                Batch::Session(_) => continue,
            };
            for (seq, event) in (first_seq..).zip(events) {
                if let Some(end) = view.show(seq, event) {
                    // What is not written yet is written now.
                    manager.close_all().await;
                    return Ok(exit_code(&end));
                }
            }
        }
        tokio::select! {
            () = outbox.ready() => {}
            signal = &mut interrupt, if !interrupted => {
                interrupted = true;
                if matches!(signal, Ok(Ok(()))) {
                    manager.cancel(CancelParams { session_id: session_id.clone(), turn_id: None }).await?;
                }
            }
        }
    }
}

fn prompt(argument: String) -> Result<String, UserError> {
    if argument != "-" {
        return Ok(argument);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| {
        UserError::new(ErrorCode::SessionEmptyPrompt, format!("standard input cannot be read: {error}"))
    })?;
    Ok(text)
}

fn exit_code(end: &TurnEnd) -> ExitCode {
    match end.stop_reason {
        TurnStopReason::Cancelled => ExitCode::from(INTERRUPTED),
        TurnStopReason::Error | TurnStopReason::Refusal => ExitCode::FAILURE,
        TurnStopReason::EndTurn
        | TurnStopReason::MaxTokens
        | TurnStopReason::StopSequence
        | TurnStopReason::MaxTurnRequests
        | TurnStopReason::ContextWindowExceeded => ExitCode::SUCCESS,
    }
}

/// Shows a turn: the answer on standard output, everything about it on standard error.
struct View {
    json: bool,
    style: Style,
    /// Whether text was written that no line break ended.
    open_line: bool,
    open_aside: bool,
}

impl View {
    fn new(json: bool) -> Self {
        Self { json, style: Style::stderr(), open_line: false, open_aside: false }
    }

    /// Shows one value. Gives back the last one.
    fn show(&mut self, seq: u64, event: StreamEvent) -> Option<TurnEnd> {
        let end = if let StreamEvent::End(end) = &event { Some(end.clone()) } else { None };
        if self.json {
            print::line(&serde_json::to_string(&event.into_progress(seq)).unwrap_or_default());
            return end;
        }
        match event {
            StreamEvent::Begin(begin) if begin.simulated => self.aside("simulated answer: no model is asked\n"),
            StreamEvent::Begin(_) => {}
            StreamEvent::Update(update) => self.update(update),
            StreamEvent::End(end) => self.end(&end),
        }
        end
    }

    fn update(&mut self, update: SessionUpdate) {
        match update {
            SessionUpdate::ItemDelta { delta: ItemDelta::Text { text }, .. } => {
                self.close_aside();
                self.open_line = !text.ends_with('\n');
                print::text(&text);
            }
            SessionUpdate::ItemDelta { delta: ItemDelta::Thinking { text }, .. } => self.aside(&text),
            SessionUpdate::ItemCompleted { item } => self.completed(&item),
            SessionUpdate::Waiting { wait_ms, attempt, error, .. } => {
                self.aside(&format!("{}\n", print::waiting(wait_ms, attempt, error.as_ref())));
            }
            SessionUpdate::Notice { message, .. } => self.aside(&format!("note: {message}\n")),
            SessionUpdate::ItemDelta { .. } | SessionUpdate::ItemStarted { .. } | SessionUpdate::Usage { .. } => {}
        }
    }

    fn completed(&mut self, item: &Item) {
        match &item.content {
            ItemContent::ToolCall { name, input, is_error, .. } => {
                self.close_line();
                let outcome = if *is_error { "failed" } else { "done" };
                self.aside(&format!("tool {name} {input}: {outcome}\n"));
            }
            ItemContent::Message { .. } => self.close_line(),
            ItemContent::Thinking { .. } => self.close_aside(),
            ItemContent::UserMessage { .. } => {}
        }
    }

    fn end(&mut self, end: &TurnEnd) {
        self.close_line();
        self.close_aside();
        if let Some(error) = &end.error {
            print::error(error);
        }
        let reason = serde_json::to_value(end.stop_reason).unwrap_or_default();
        let reason = reason.as_str().unwrap_or_default();
        self.aside(&format!("{reason}: {}\n", print::usage(&end.usage, end.cost)));
    }

    fn aside(&mut self, text: &str) {
        self.close_line();
        self.open_aside = !text.ends_with('\n');
        print::text_to_stderr(&self.style.dim(text));
    }

    fn close_line(&mut self) {
        if std::mem::take(&mut self.open_line) {
            print::text("\n");
        }
    }

    fn close_aside(&mut self) {
        if std::mem::take(&mut self.open_aside) {
            print::text_to_stderr("\n");
        }
    }
}
