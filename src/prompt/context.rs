//! What goes along with what the user says: attachments and what is true just now. Pure.
//!
//! It goes into the user's message, never into the system prompt, so that nothing that was sent before changes.

use std::fmt::Write as _;

use super::fence::{escaped, fence, mark};
use super::text::cut;

/// The most of one attachment, in bytes.
const MAX_BYTES: usize = 128 * 1024;
/// How many diagnostics of a file are told.
const MAX_DIAGNOSTICS: usize = 100;

/// Lines of a file, counted from 1, the last one included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineRange {
    /// The first line.
    pub first: usize,
    /// The last line.
    pub last: usize,
}

impl LineRange {
    fn contains(self, other: Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    fn to_text(self) -> String {
        if self.first == self.last { self.first.to_string() } else { format!("{}-{}", self.first, self.last) }
    }
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It does not work.
    Error,
    /// It may be wrong.
    Warning,
    /// Something to know.
    Information,
    /// Something that could be nicer.
    Hint,
}

/// What a compiler or a linter says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The line, counted from 1.
    pub line: usize,
    /// Who says it, and the code that it has: `rustc E0308`.
    pub source: Option<String>,
    /// What is said.
    pub message: String,
}

/// Something that the user gives along. Paths are from the workspace folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// A file, or lines of it.
    File {
        /// The path.
        path: String,
        /// The lines; nothing for all of them.
        lines: Option<LineRange>,
        /// The text.
        text: String,
        /// Whether it has changes that are not saved.
        unsaved: bool,
    },
    /// What is selected.
    Selection {
        /// The path.
        path: String,
        /// The lines.
        lines: LineRange,
        /// The text.
        text: String,
    },
    /// What compilers and linters say about a file.
    Diagnostics {
        /// The path.
        path: String,
        /// What they say.
        items: Vec<Diagnostic>,
    },
    /// A difference.
    Diff {
        /// What it is of: `staged changes`.
        title: String,
        /// The difference.
        text: String,
    },
    /// What a terminal shows.
    Terminal {
        /// The command, if it is known.
        command: Option<String>,
        /// How the command ended, if it did.
        exit_code: Option<i32>,
        /// What is shown.
        text: String,
    },
    /// A declaration.
    Symbol {
        /// Its name.
        name: String,
        /// The path.
        path: String,
        /// The lines.
        lines: LineRange,
        /// The text.
        text: String,
    },
    /// The files that are open, in the editor's order.
    OpenFiles(Vec<String>),
    /// Where the cursor is.
    Cursor {
        /// The path.
        path: String,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
    },
    /// Today's date, as `2026-01-31`.
    Date(String),
}

/// `attachments` as the user's message carries them, in their order; nothing when there is none. What is given twice is
/// told once, and what is part of a file that is there as a whole is only named.
pub fn format_context(attachments: &[Attachment]) -> Option<String> {
    let mut parts = Vec::new();
    for (at, attachment) in attachments.iter().enumerate() {
        if attachments[..at].contains(attachment) {
            continue;
        }
        let others = attachments.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other);
        let is_covered = others.into_iter().any(|other| covers(other, attachment));
        parts.extend(part(attachment, is_covered));
    }
    (!parts.is_empty()).then(|| fence("context", &[], &parts.join("\n")))
}

/// Whether all of the text of `inner` stands in `outer`, a larger piece of the same file.
fn covers(outer: &Attachment, inner: &Attachment) -> bool {
    let Attachment::File { path, lines, text, .. } = outer else { return false };
    let (inner_path, inner_lines) = match inner {
        Attachment::File { path, lines: Some(lines), .. }
        | Attachment::Selection { path, lines, .. }
        | Attachment::Symbol { path, lines, .. } => (path, *lines),
        _ => return false,
    };
    let is_larger = match lines {
        None => true,
        Some(lines) if matches!(inner, Attachment::File { .. }) => lines.contains(inner_lines) && *lines != inner_lines,
        Some(lines) => lines.contains(inner_lines),
    };
    // A text that is cut off may not have it.
    path == inner_path && is_larger && text.len() <= MAX_BYTES
}

fn part(attachment: &Attachment, is_covered: bool) -> Option<String> {
    Some(match attachment {
        Attachment::File { lines: Some(_), .. } if is_covered => return None,
        Attachment::File { path, lines, text, unsaved } => {
            let lines = lines.map(LineRange::to_text);
            let mut attributes = vec![("path", path.as_str())];
            attributes.extend(lines.as_deref().map(|lines| ("lines", lines)));
            attributes.extend(unsaved.then_some(("unsaved", "true")));
            fence("file", &attributes, &cut(text, MAX_BYTES))
        }
        Attachment::Selection { path, lines, text } => {
            let lines = lines.to_text();
            let attributes = [("path", path.as_str()), ("lines", lines.as_str())];
            // Which part of a line is selected, the file does not say.
            if is_covered && text.contains('\n') {
                mark("selection", &attributes)
            } else {
                fence("selection", &attributes, &cut(text, MAX_BYTES))
            }
        }
        Attachment::Symbol { name, path, lines, text } => {
            let lines = lines.to_text();
            let attributes = [("name", name.as_str()), ("path", path.as_str()), ("lines", lines.as_str())];
            if is_covered { mark("symbol", &attributes) } else { fence("symbol", &attributes, &cut(text, MAX_BYTES)) }
        }
        Attachment::Diagnostics { path, items } if items.is_empty() => mark("diagnostics", &[("path", path)]),
        Attachment::Diagnostics { path, items } => {
            fence("diagnostics", &[("path", path)], &cut(&diagnostics(items), MAX_BYTES))
        }
        Attachment::Diff { title, text } => fence("diff", &[("of", title)], &cut(text, MAX_BYTES)),
        Attachment::Terminal { command, exit_code, text } => {
            let exit_code = exit_code.map(|code| code.to_string());
            let mut attributes = Vec::new();
            attributes.extend(command.as_deref().map(|command| ("command", command)));
            attributes.extend(exit_code.as_deref().map(|code| ("exit-code", code)));
            fence("terminal", &attributes, &last(text, MAX_BYTES))
        }
        Attachment::OpenFiles(paths) if paths.is_empty() => return None,
        Attachment::OpenFiles(paths) => {
            let paths: Vec<String> = paths.iter().map(|path| escaped(path)).collect();
            fence("open-files", &[], &cut(&paths.join("\n"), MAX_BYTES))
        }
        Attachment::Cursor { path, line, column } => {
            mark("cursor", &[("path", path), ("line", &line.to_string()), ("column", &column.to_string())])
        }
        Attachment::Date(date) => mark("date", &[("today", date)]),
    })
}

/// The worst first, then by line.
fn diagnostics(items: &[Diagnostic]) -> String {
    let mut items: Vec<&Diagnostic> = items.iter().collect();
    items.sort_by(|a, b| (a.severity, a.line, &a.message).cmp(&(b.severity, b.line, &b.message)));
    items.dedup();
    let mut text = String::new();
    for item in items.iter().take(MAX_DIAGNOSTICS) {
        let severity = match item.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Information => "information",
            Severity::Hint => "hint",
        };
        let source =
            item.source.as_ref().map_or_else(String::new, |source| format!(" [{}]", source.replace('\n', " ")));
        // Writing to a text does not fail.
        let _ = writeln!(text, "{severity} line {}{source}: {}", item.line, item.message.trim().replace('\n', "\n  "));
    }
    if items.len() > MAX_DIAGNOSTICS {
        let _ = writeln!(text, "({} more)", items.len() - MAX_DIAGNOSTICS);
    }
    text
}

/// The end of what a terminal shows: what went wrong stands there.
fn last(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let start = (text.len() - bytes..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let start = text[start..].find('\n').map_or(start, |line| start + line + 1);
    format!("[cut here: the last {} of {} bytes are shown]\n{}", text.len() - start, text.len(), &text[start..])
}

#[cfg(test)]
#[path = "context_tests.rs"]
mod tests;
