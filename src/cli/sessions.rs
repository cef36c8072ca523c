//! `souffleur sessions`: what is kept, from a terminal.

use std::path::PathBuf;

use super::args::SessionsCommand;
use super::print::{self, Style};
use crate::chat::SessionId;
use crate::error::{ErrorCode, UserError};
use crate::protocol::{
    DeleteParams, ExportFormat, ExportParams, ImportParams, ListParams, SearchParams, SessionInfo, SessionStatus,
};
use crate::session::{SessionManager, Shared, Start};
use crate::workspace::file_uri;

/// Runs a command about kept sessions.
pub(super) async fn run(start: Start, command: SessionsCommand) -> Result<(), UserError> {
    let manager = SessionManager::new(Shared::new(start)?);
    match command {
        SessionsCommand::List { all, json } => {
            let workspace_uri = if all { None } else { here() };
            let params = ListParams { workspace_uri, limit: Some(1_000), ..ListParams::default() };
            let list = manager.list(&params).await?;
            if json {
                print::line(&serde_json::to_string_pretty(&list).unwrap_or_default());
            } else {
                list.sessions.iter().for_each(show);
            }
        }
        SessionsCommand::Search { text, all } => {
            let workspace_uri = if all { None } else { here() };
            let found = manager.search(SearchParams { text, workspace_uri, limit: Some(100), cursor: None }).await?;
            for hit in found.hits {
                show(&hit.session);
                print::line(&format!("    {}", print::plain(&hit.excerpt).replace('\n', " ")));
            }
        }
        SessionsCommand::Export { session, json } => {
            let format = if json { ExportFormat::Json } else { ExportFormat::Markdown };
            let session_id = id(&session)?;
            print::text(&manager.export(ExportParams { session_id, format }).await?.text);
        }
        SessionsCommand::Import { file } => {
            let text = read(&file)?;
            show(&manager.import(ImportParams { text }).await?.session);
        }
        SessionsCommand::Delete { session } => {
            manager.delete(DeleteParams { session_id: id(&session)? }).await?;
            print::line(&format!("{session} is deleted"));
        }
    }
    Ok(())
}

/// The workspace of this directory.
pub(super) fn here() -> Option<String> {
    std::env::current_dir().ok().and_then(|directory| file_uri(&directory))
}

/// The id of a session, as it was typed.
///
/// # Errors
/// `session.not_found` for what cannot be one.
pub(super) fn id(text: &str) -> Result<SessionId, UserError> {
    serde_json::from_value(text.into()).map_err(|_| {
        UserError::new(ErrorCode::SessionNotFound, format!("{text:?} is not the id of a session"))
            .with_hint("souffleur sessions list --all shows those there are")
    })
}

fn read(file: &PathBuf) -> Result<String, UserError> {
    std::fs::read_to_string(file)
        .map_err(|error| UserError::new(ErrorCode::StoreFailed, format!("{} cannot be read: {error}", file.display())))
}

fn show(session: &SessionInfo) {
    let style = Style::stdout();
    let at = std::time::UNIX_EPOCH + std::time::Duration::from_millis(session.updated_at);
    let at = humantime::format_rfc3339_seconds(at).to_string().replace('T', " ");
    let running = if session.status == SessionStatus::Running { ", running" } else { "" };
    let turns = if session.turns == 1 { "1 turn".to_owned() } else { format!("{} turns", session.turns) };
    let about = style.dim(&format!("{}, {turns}, {}{running}", at.trim_end_matches('Z'), session.model));
    print::line(&format!("{}  {}  {about}", session.session_id, print::plain(&session.title)));
}
