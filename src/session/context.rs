//! What goes along with a prompt: what the user attached, and the text that a slash prompt stands for.
//!
//! It becomes part of the user's message, never of the prefix: what was sent before stays as it is.

use std::path::{Path, PathBuf};

use super::command::Prompt;
use super::manager::SessionManager;
use super::prefix::place;
use super::shared::Shared;
use crate::chat::ContentBlock;
use crate::prompt::{
    Attachment, Catalog, Diagnostic, LineRange, Origin, Severity, SlashPrompt, attach_buffer, attach_file, attach_name,
    format_context, load_catalog, parse_slash,
};
use crate::protocol::{
    ContextDiagnostic, ContextItem, PromptListParams, PromptListResult, PromptOrigin, SlashPromptInfo, TextRange,
};
use crate::workspace::{Root, file_path, is_secret};

/// How many things one prompt may have with it.
const MAX_ITEMS: usize = 100;

/// What goes along with a prompt.
#[derive(Debug, Default)]
pub(super) struct Along {
    /// Words that are sent behind the user's.
    pub(super) words: Option<String>,
    /// What was left out, and why, for the user.
    pub(super) refused: Vec<String>,
}

/// Reads what goes along with `prompt`. Nothing fails: what cannot be had is left out, and the user is told.
pub(super) async fn along(shared: &Shared, root: Option<&PathBuf>, prompt: &Prompt) -> Along {
    let mut along = Along::default();
    let mut attachments = Vec::new();
    for item in prompt.context.iter().take(MAX_ITEMS) {
        match attachment(shared, root.map(PathBuf::as_path), item).await {
            Ok(attachment) => attachments.push(attachment),
            Err(why) => along.refused.push(format!("not sent along: {why}")),
        }
    }
    let more = prompt.context.len().saturating_sub(MAX_ITEMS);
    if more > 0 {
        along.refused.push(format!("not sent along: the last {more}, since {MAX_ITEMS} are the most"));
    }
    let expansion = expansion(shared, root, &prompt.content).await;
    let words: Vec<String> = format_context(&attachments).into_iter().chain(expansion).collect();
    along.words = (!words.is_empty()).then(|| words.join("\n\n"));
    along
}

/// What the slash prompt stands for that the user's words begin with. A name that nobody knows is no slash prompt.
async fn expansion(shared: &Shared, root: Option<&PathBuf>, content: &[ContentBlock]) -> Option<String> {
    let call = parse_slash(content.iter().find_map(ContentBlock::as_text)?)?;
    let catalog = catalog(shared, root).await;
    Some(catalog.prompt(call.name)?.words(call.arguments))
}

async fn catalog(shared: &Shared, root: Option<&PathBuf>) -> Catalog {
    shared.settings.refresh();
    let is_trusted = root.is_some_and(|root| {
        let content = shared.settings.workspace_content(root);
        content.is_some_and(|content| shared.trust.is_trusted(root, &content))
    });
    load_catalog(&shared.workspace, &place(shared, root), is_trusted).await
}

async fn attachment(shared: &Shared, root: Option<&Path>, item: &ContextItem) -> Result<Attachment, String> {
    Ok(match item {
        ContextItem::File { uri, range } => read(shared, root, uri, range.map(lines)).await?,
        ContextItem::Selection { uri, range, text: Some(text) } => {
            Attachment::Selection { path: name(shared, root, uri).await?, lines: lines(*range), text: text.clone() }
        }
        ContextItem::Selection { uri, range, text: None } => {
            match read(shared, root, uri, Some(lines(*range))).await? {
                Attachment::File { path, text, .. } => Attachment::Selection { path, lines: lines(*range), text },
                other => other,
            }
        }
        ContextItem::Symbol { uri, name, range } => match read(shared, root, uri, Some(lines(*range))).await? {
            Attachment::File { path, text, .. } => {
                Attachment::Symbol { name: name.clone(), path, lines: lines(*range), text }
            }
            other => other,
        },
        ContextItem::Diagnostics { uri, items } => {
            let path = name(shared, root, uri).await?;
            Attachment::Diagnostics { path, items: items.iter().map(diagnostic).collect() }
        }
        ContextItem::Diff { text, title } => {
            Attachment::Diff { title: title.clone().unwrap_or_else(|| "changes".to_owned()), text: text.clone() }
        }
        ContextItem::Terminal { text, title } => {
            Attachment::Terminal { command: title.clone(), exit_code: None, text: text.clone() }
        }
    })
}

/// The text at `uri` as the user sees it.
async fn read(shared: &Shared, root: Option<&Path>, uri: &str, lines: Option<LineRange>) -> Result<Attachment, String> {
    let Some(path) = file_path(uri) else {
        let none = || format!("{uri} is neither a file nor an open buffer of no file");
        return attach_buffer(&shared.workspace, uri, lines).ok_or_else(none);
    };
    let read = attach_file(&shared.workspace, &path.to_string_lossy(), root, lines).await;
    read.map_err(|error| error.to_string())
}

/// What is at `uri` by name, for what the client says of it.
async fn name(shared: &Shared, root: Option<&Path>, uri: &str) -> Result<String, String> {
    match file_path(uri) {
        Some(path) => attach_name(&shared.workspace, &path, root).await.map_err(|error| error.to_string()),
        // An older version of a file, say.
        None if is_secret(Path::new(uri.split(['?', '#']).next().unwrap_or(uri))) => {
            Err(format!("{uri} may hold secrets"))
        }
        None => Ok(uri.to_owned()),
    }
}

/// The lines that a range touches. One that ends before the first character of a line does not touch that line.
fn lines(range: TextRange) -> LineRange {
    let first = range.start.line as usize + 1;
    let ends_before = range.end.character == 0 && range.end.line > range.start.line;
    LineRange { first, last: (range.end.line as usize + usize::from(!ends_before)).max(first) }
}

fn diagnostic(item: &ContextDiagnostic) -> Diagnostic {
    let code = item.code.as_ref().map(|code| code.as_str().map_or_else(|| code.to_string(), str::to_owned));
    let source: Vec<String> = item.source.iter().cloned().chain(code).collect();
    Diagnostic {
        severity: match item.severity {
            Some(2) => Severity::Warning,
            Some(3) => Severity::Information,
            Some(4) => Severity::Hint,
            _ => Severity::Error,
        },
        line: item.range.start.line as usize + 1,
        source: (!source.is_empty()).then(|| source.join(" ")),
        message: item.message.clone(),
    }
}

impl SessionManager {
    /// The slash prompts that a session of a workspace folder has.
    pub async fn list_prompts(&self, params: PromptListParams) -> PromptListResult {
        let root = match params.workspace_uri {
            Some(uri) => Root::new(uri).path,
            None => self.shared().workspace.roots.all().first().and_then(|root| root.path.clone()),
        };
        let catalog = catalog(self.shared(), root.as_ref()).await;
        let problems = catalog.problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message));
        PromptListResult { problems: problems.collect(), prompts: catalog.prompts.into_iter().map(info).collect() }
    }
}

fn info(prompt: SlashPrompt) -> SlashPromptInfo {
    SlashPromptInfo {
        name: prompt.name,
        description: prompt.description,
        argument_hint: prompt.argument_hint,
        origin: match prompt.origin {
            Origin::BuiltIn => PromptOrigin::BuiltIn,
            Origin::User => PromptOrigin::User,
            Origin::Workspace => PromptOrigin::Workspace,
        },
        path: prompt.path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::TextPosition;

    #[test]
    fn a_range_touches_lines() {
        let range = |start: (u32, u32), end: (u32, u32)| {
            let position = |(line, character)| TextPosition { line, character };
            let lines = lines(TextRange { start: position(start), end: position(end) });
            (lines.first, lines.last)
        };
        assert_eq!(range((0, 0), (0, 0)), (1, 1));
        assert_eq!(range((2, 4), (4, 0)), (3, 4));
        assert_eq!(range((2, 4), (4, 1)), (3, 5));
        assert_eq!(range((9, 0), (3, 0)), (10, 10));
    }
}
