//! `souffleur demo`: starts the server as a child, plays the editor, and shows what happens.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::process::Command;

use super::args::DemoArguments;
use super::lsp_client::LspClient;
use super::print::{self, Style};
use crate::chat::{ContentBlock, Item, ItemContent, ItemDelta, ItemId, ItemStatus, SessionUpdate, TurnStopReason};
use crate::error::{ErrorCode, UserError};
use crate::protocol::{NewResult, ProgressValue};
use crate::session::{Shared, Start};
use crate::workspace::file_uri;

/// The stream's token.
const TOKEN: &str = "demo-1";

/// Shows the main job.
pub(super) async fn run(start: Start, demo: DemoArguments) -> Result<ExitCode, UserError> {
    let user_file = start.user_file.clone();
    let shared = Shared::new(start)?;
    let settings = shared.settings(None);
    let (model, why) = match &settings.model.value {
        Some(model) => (model.clone(), format!("from the {}", settings.model.source)),
        None => match shared.registry.default_model(&settings).await {
            Ok(model) => (model.to_string(), "a credential was found".to_owned()),
            Err(_) => ("sim:default".to_owned(), "simulated: no credential was found, none is needed".to_owned()),
        },
    };
    let show = Show { style: Style::stdout(), start: Instant::now() };
    print::line(&show.style.bold(&format!("Souffleur {}: a demo", env!("CARGO_PKG_VERSION"))));
    let directory = std::env::current_dir().map_err(|error| {
        UserError::new(ErrorCode::ServerInternal, format!("there is no current directory: {error}"))
    })?;
    let prompt = demo.prompt.unwrap_or_else(|| own_prompt(&directory));
    let mut client = start_server(&show, user_file.as_deref())?;
    let root = file_uri(&directory);
    initialize(&mut client, &show, root.as_deref()).await?;
    let params = json!({"workspaceUri": root, "model": model});
    let session = client.request("souffleur/session/new", params).await?;
    let session: NewResult = serde_json::from_value(session).map_err(|error| odd(&error))?;
    show.step("session", &format!("{} with {model} ({why})", session.session.session_id));
    show.step("prompt", &prompt);
    let content = [ContentBlock::text(prompt)];
    let params = json!({"sessionId": session.session.session_id, "content": content, "streamToken": TOKEN});
    client.request("souffleur/session/prompt", params).await?;
    let success = stream(&mut client, &show).await?;
    let code = client.stop().await?;
    show.step("shutdown", &format!("the server ended with code {}", code.unwrap_or(-1)));
    Ok(if success && code == Some(0) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn odd(error: &serde_json::Error) -> UserError {
    UserError::new(ErrorCode::ServerInternal, format!("the server's answer cannot be read: {error}"))
}

/// A prompt about the project in this directory.
fn own_prompt(directory: &Path) -> String {
    let candidates = ["README.md", "README", "Cargo.toml", "package.json", "pyproject.toml", "go.mod"];
    match candidates.iter().find(|name| directory.join(name).is_file()) {
        Some(name) => format!("What is this project about? Read {name} first."),
        None => "Hello! What can you do in this editor?".to_owned(),
    }
}

fn start_server(show: &Show, user_file: Option<&Path>) -> Result<LspClient, UserError> {
    let program = std::env::current_exe()
        .map_err(|error| UserError::new(ErrorCode::ServerInternal, format!("this program cannot be found: {error}")))?;
    let mut command = Command::new(program);
    // A demo leaves nothing behind.
    command.arg("serve").env("SOUFFLEUR_KEEP_SESSIONS", "false");
    if let Some(file) = user_file {
        command.arg("--config").arg(file);
    }
    let client = LspClient::start(command)?;
    show.step("server", &format!("process {} on standard input and output", client.process_id().unwrap_or_default()));
    Ok(client)
}

async fn initialize(client: &mut LspClient, show: &Show, root: Option<&str>) -> Result<(), UserError> {
    let began = Instant::now();
    let folders = root.map(|uri| json!([{"uri": uri, "name": "demo"}]));
    let params = json!({"processId": std::process::id(), "capabilities": {}, "workspaceFolders": folders});
    let result = client.request("initialize", params).await?;
    let server = &result["serverInfo"];
    let took = began.elapsed().as_secs_f64() * 1e3;
    show.step(
        "initialize",
        &format!(
            "{} {}, protocol version {}, answered in {took:.1} ms",
            server["name"].as_str().unwrap_or("?"),
            server["version"].as_str().unwrap_or("?"),
            result["capabilities"]["experimental"]["souffleur"]["protocolVersion"]
        ),
    );
    client.notify("initialized", json!({})).await
}

/// Shows the turn's stream to its end. True when it ended as it should.
async fn stream(client: &mut LspClient, show: &Show) -> Result<bool, UserError> {
    let mut open: Option<ItemId> = None;
    loop {
        let message = client.notification().await?;
        let params = &message["params"];
        if message["method"] != "$/progress" || params["token"] != TOKEN {
            continue;
        }
        let value: ProgressValue = serde_json::from_value(params["value"].clone()).map_err(|error| odd(&error))?;
        match value {
            ProgressValue::Begin(begin) if begin.simulated => show.step("begin", "the answer is simulated"),
            ProgressValue::Begin(begin) => show.step("begin", &format!("{} answers", begin.model)),
            ProgressValue::Report(report) => show.update(report.update, &mut open),
            ProgressValue::End(end) => {
                close(&mut open);
                let reason = serde_json::to_value(end.end.stop_reason).unwrap_or(Value::Null);
                show.step("end", &format!("{}, value number {}", reason.as_str().unwrap_or_default(), end.seq));
                show.step("usage", &print::usage(&end.end.usage, end.end.cost));
                if let Some(error) = &end.end.error {
                    print::error(error);
                }
                return Ok(end.end.stop_reason == TurnStopReason::EndTurn);
            }
        }
    }
}

struct Show {
    style: Style,
    start: Instant,
}

impl Show {
    /// One line about one step.
    fn step(&self, name: &str, text: &str) {
        let at = format!("{:>7.1} ms", self.start.elapsed().as_secs_f64() * 1e3);
        print::line(&format!("{}  {:<10}  {text}", self.style.dim(&at), self.style.bold(name)));
    }

    fn update(&self, update: SessionUpdate, open: &mut Option<ItemId>) {
        match update {
            SessionUpdate::ItemStarted { item } => self.started(&item, open),
            SessionUpdate::ItemDelta { delta: ItemDelta::Text { text }, .. } => print::text(&text),
            SessionUpdate::ItemDelta { delta: ItemDelta::Thinking { text }, .. } => {
                print::text(&self.style.dim(&text));
            }
            SessionUpdate::ItemDelta { delta: ItemDelta::Input { .. }, .. } | SessionUpdate::Usage { .. } => {}
            SessionUpdate::ItemCompleted { item } => self.completed(&item, open),
            SessionUpdate::Waiting { wait_ms, attempt, error, .. } => {
                self.step("waiting", &print::waiting(wait_ms, attempt, error.as_ref()));
            }
            SessionUpdate::Notice { message, .. } => self.step("notice", &message),
        }
    }

    fn started(&self, item: &Item, open: &mut Option<ItemId>) {
        close(open);
        let heading = match &item.content {
            ItemContent::Thinking { .. } => "thinking",
            ItemContent::Message { .. } => "text",
            ItemContent::UserMessage { .. } | ItemContent::ToolCall { .. } => return,
        };
        self.step(heading, "");
        print::text("              ");
        *open = Some(item.id.clone());
    }

    fn completed(&self, item: &Item, open: &mut Option<ItemId>) {
        close(open);
        if let ItemContent::ToolCall { name, input, output, .. } = &item.content {
            let text: String = output.iter().filter_map(ContentBlock::as_text).collect();
            let outcome = match item.status {
                ItemStatus::Completed => format!("{} lines", text.lines().count()),
                ItemStatus::Running | ItemStatus::Failed | ItemStatus::Cancelled => format!("failed: {text}"),
            };
            self.step("tool call", &format!("{name} {input}: {outcome}"));
        }
    }
}

/// Ends the line of the item that is open.
fn close(open: &mut Option<ItemId>) {
    if open.take().is_some() {
        print::line("");
    }
}
