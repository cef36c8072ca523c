//! Sessions as files: JSON, which can be imported again, and Markdown for people. Pure.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::record::{SessionRecord, Spending, Transcript, TurnRecord};
use crate::chat::{ContentBlock, Item, ItemContent, ItemStatus, MediaSource, Message, MessageBlock, Role};
use crate::error::{ErrorCode, UserError};

/// What an exported file says it is.
pub const FORMAT: &str = "souffleur.session";
/// The version of the format that is written. Files of later versions are refused.
pub const FORMAT_VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    format: String,
    version: u32,
    session: SessionRecord,
    turns: Vec<TurnRecord>,
    messages: Vec<Arc<Message>>,
    items: Vec<Item>,
    #[serde(default)]
    expenses: Vec<Spending>,
}

/// A session as a JSON text. What was kept under names, as its prefix, and what still grows is not in it.
///
/// # Errors
/// `store.failed`, which no session is known to cause.
pub fn to_json(transcript: &Transcript) -> Result<String, UserError> {
    let Transcript { session, turns, messages, items, expenses, .. } = transcript.clone();
    let file = File { format: FORMAT.to_owned(), version: FORMAT_VERSION, session, turns, messages, items, expenses };
    serde_json::to_string_pretty(&file).map_err(|error| {
        UserError::new(ErrorCode::StoreFailed, format!("the session cannot be written as JSON: {error}"))
    })
}

/// The session of an exported file. A prompt that was being answered has no more than what was complete.
///
/// # Errors
/// `protocol.invalid_params` for what is no such file, or one of a later version.
pub fn from_json(text: &str) -> Result<Transcript, UserError> {
    #[derive(Deserialize)]
    struct Head {
        format: String,
        version: u32,
    }
    let head: Head =
        serde_json::from_str(text).map_err(|error| refused(&format!("it is no exported session: {error}")))?;
    if head.format != FORMAT {
        return Err(refused(&format!("its format is not {FORMAT}")));
    }
    if head.version > FORMAT_VERSION {
        return Err(refused(&format!("its version {} is newer than this program", head.version)));
    }
    let File { session, turns, messages, items, expenses, .. } =
        serde_json::from_str(text).map_err(|error| refused(&error.to_string()))?;
    check(&turns, &messages, &items)?;
    Ok(Transcript { session, turns, messages, items, running: Vec::new(), expenses, values: BTreeMap::new() })
}

fn refused(why: &str) -> UserError {
    UserError::new(ErrorCode::ProtocolInvalidParams, format!("the file cannot be imported: {why}"))
        .with_hint("import a file that souffleur exported as JSON")
}

/// What always holds for a session of ours, and is relied on.
fn check(turns: &[TurnRecord], messages: &[Arc<Message>], items: &[Item]) -> Result<(), UserError> {
    let mut seen = HashSet::new();
    let mut before = (0, 0);
    for turn in turns {
        if !seen.insert(&turn.turn_id) {
            return Err(refused(&format!("two turns are named {}", turn.turn_id)));
        }
        let here = (turn.first_message, turn.first_item);
        let fits = here.0 >= before.0 && here.1 >= before.1;
        if !fits || here.0 > messages.len() as u64 || here.1 > items.len() as u64 {
            return Err(refused(&format!("the turn {} begins at a place that does not exist", turn.turn_id)));
        }
        before = here;
    }
    for pair in messages.windows(2) {
        let answered: HashSet<&str> = results(&pair[1]).collect();
        if let Some(call) = calls(&pair[0]).find(|call| !answered.contains(call)) {
            return Err(refused(&format!("the tool call {call} has no result")));
        }
    }
    Ok(())
}

fn calls(message: &Message) -> impl Iterator<Item = &str> {
    message.content.iter().filter_map(|block| match block {
        MessageBlock::ToolCall(call) if message.role == Role::Assistant => Some(call.id.as_str()),
        _ => None,
    })
}

fn results(message: &Message) -> impl Iterator<Item = &str> {
    message.content.iter().filter_map(|block| match block {
        MessageBlock::ToolResult(result) => Some(result.call_id.as_str()),
        _ => None,
    })
}

/// A session as a Markdown document, as people saw it.
pub fn to_markdown(transcript: &Transcript) -> String {
    let session = &transcript.session;
    let title = session.title.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = format!("# {}\n\n", if title.is_empty() { "Untitled session" } else { &title });
    let _ = writeln!(out, "- Model: {}", session.model);
    if let Some(workspace) = &session.workspace_uri {
        let _ = writeln!(out, "- Workspace: {workspace}");
    }
    if let Some(made) = UNIX_EPOCH.checked_add(Duration::from_millis(session.created_at)) {
        let _ = writeln!(out, "- Begun: {}", humantime::format_rfc3339_seconds(made));
    }
    for item in &transcript.items {
        write_item(&mut out, item);
    }
    out
}

fn write_item(out: &mut String, item: &Item) {
    match &item.content {
        ItemContent::UserMessage { content } => {
            out.push_str("\n## Prompt\n");
            for block in content {
                write_block(out, block);
            }
        }
        ItemContent::Message { text } => {
            let _ = write!(out, "\n## Answer{}\n\n{}\n", note(item.status), text.trim_end());
        }
        ItemContent::Thinking { text, .. } if text.trim().is_empty() => {}
        ItemContent::Thinking { text, .. } => {
            out.push_str("\n> *Thinking*\n>\n");
            text.trim_end().lines().for_each(|line| {
                let _ = writeln!(out, "{}", format!("> {line}").trim_end());
            });
        }
        ItemContent::ToolCall { name, input, output, is_error, .. } => {
            let failed = if *is_error { " (failed)" } else { "" };
            let _ = write!(out, "\n### Tool `{name}`{failed}\n");
            fenced(out, "json", &serde_json::to_string_pretty(input).unwrap_or_default());
            for block in output {
                match block.as_text() {
                    Some(text) => fenced(out, "", text),
                    None => write_block(out, block),
                }
            }
        }
    }
}

fn note(status: ItemStatus) -> &'static str {
    match status {
        ItemStatus::Completed => "",
        ItemStatus::Running => " (unfinished)",
        ItemStatus::Failed => " (broken off)",
        ItemStatus::Cancelled => " (stopped)",
    }
}

fn write_block(out: &mut String, block: &ContentBlock) {
    let place = |source: &MediaSource| match source {
        MediaSource::Base64 { media_type, .. } => media_type.clone(),
        MediaSource::Url { url } => url.clone(),
        MediaSource::Text { .. } => "text".to_owned(),
    };
    let _ = match block {
        ContentBlock::Text { text } => write!(out, "\n{}\n", text.trim_end()),
        ContentBlock::Image { source } => write!(out, "\n*Image: {}*\n", place(source)),
        ContentBlock::Document { source, title } => {
            write!(out, "\n*Document: {}*\n", title.clone().unwrap_or_else(|| place(source)))
        }
        ContentBlock::Unknown => Ok(()),
    };
}

/// A code block whose fence is longer than any in the text.
fn fenced(out: &mut String, language: &str, text: &str) {
    let (mut longest, mut run) = (2, 0);
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    let _ = write!(out, "\n{fence}{language}\n{}\n{fence}\n", text.trim_end_matches('\n'));
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
