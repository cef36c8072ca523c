//! Which steps answer a request.

use super::script::{self, Step};
use crate::chat::{ContentBlock, Message, MessageBlock, Role};
use crate::provider::{CompletionRequest, Error};

/// Lines of a prompt that begin so are steps of the answer.
const DIRECTIVE: &str = "sim>";

/// The steps that answer `request`: those of the script file for the n-th request of the session, those that the
/// prompt itself gives, or else a plain answer.
///
/// # Errors
/// When the script cannot be parsed.
pub(super) fn steps(request: &CompletionRequest, file: Option<&str>) -> Result<Vec<Step>, Error> {
    let asked = request.messages.iter().filter(|message| message.role == Role::Assistant).count();
    if let Some(file) = file {
        let answers = script::parse(file)?;
        if let Some(steps) = answers.into_iter().nth(asked).filter(|steps| !steps.is_empty()) {
            return Ok(steps);
        }
        return Ok(plain(request));
    }
    let Some((prompt, answered)) = current_turn(request) else { return Ok(plain(request)) };
    let directives: Vec<&str> = prompt.lines().filter_map(|line| line.trim().strip_prefix(DIRECTIVE)).collect();
    if directives.is_empty() {
        return Ok(plain(request));
    }
    let answers = script::parse(&directives.join("\n"))?;
    Ok(answers.into_iter().nth(answered).filter(|steps| !steps.is_empty()).unwrap_or_else(|| plain(request)))
}

/// The prompt of the turn that runs, and how many answers the turn has had.
fn current_turn(request: &CompletionRequest) -> Option<(String, usize)> {
    let prompt = |message: &Message| {
        let texts: Vec<&str> = message
            .content
            .iter()
            .filter_map(|block| match block {
                MessageBlock::Text { text } if message.role == Role::User => Some(text.as_str()),
                _ => None,
            })
            .collect();
        (!texts.is_empty()).then(|| texts.join("\n"))
    };
    let at = request.messages.iter().rposition(|message| prompt(message).is_some())?;
    let answered = request.messages[at..].iter().filter(|message| message.role == Role::Assistant).count();
    Some((prompt(&request.messages[at])?, answered))
}

/// The answer to a prompt that gives no steps: it thinks, reads a file of the project that the prompt names if there
/// is a tool for it, and says that it is simulated.
fn plain(request: &CompletionRequest) -> Vec<Step> {
    if let Some(result) = last_result(request) {
        let lines = result.lines().count();
        let first = result.lines().find(|line| !line.trim().is_empty()).unwrap_or("nothing");
        let first = shorten(first);
        let text = format!("The tool answered with {lines} lines; the first says: {first} (This answer is simulated.)");
        return vec![Step::Text(text)];
    }
    let (prompt, _) = current_turn(request).unwrap_or_default();
    let think = format!("The user says: {} I am a simulation, so I answer by rule.", shorten(&prompt));
    let can_read = request.tools.iter().any(|tool| tool.name == "read_file");
    if let Some(path) = named_file(&prompt).filter(|_| can_read) {
        let input = serde_json::json!({ "path": path }).to_string();
        return vec![
            Step::Think(think),
            Step::Text(format!("I will read {path}.")),
            Step::Tool("read_file".to_owned(), input),
        ];
    }
    let text =
        format!("This is Souffleur's simulated provider: no model, no key, no network. You said: {}", shorten(&prompt));
    vec![Step::Think(think), Step::Text(text)]
}

fn last_result(request: &CompletionRequest) -> Option<String> {
    let last = request.messages.last()?;
    last.content.iter().rev().find_map(|block| match block {
        MessageBlock::ToolResult(result) => {
            Some(result.content.iter().filter_map(ContentBlock::as_text).collect::<Vec<_>>().join("\n"))
        }
        _ => None,
    })
}

/// The first word of the prompt that looks like a file: `README.md`, `src/lib.rs`.
fn named_file(prompt: &str) -> Option<&str> {
    prompt
        .split(|c: char| c.is_whitespace() || "\"'`,;()".contains(c))
        .map(|word| word.trim_end_matches(['.', '?', '!', ':']))
        .find(|word| {
            let (stem, extension) = word.rsplit_once('.').unwrap_or(("", ""));
            let letters = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric());
            !stem.is_empty() && extension.len() <= 5 && letters(extension) && !word.contains("://")
        })
}

fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(120) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
