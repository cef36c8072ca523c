//! What is printed, and how.

use std::io::{self, IsTerminal, Write};

use crate::chat::{Cost, Usage};
use crate::error::UserError;

/// Text that others wrote, as a file of a repository or a vendor's error, fit for a terminal: without control characters
/// other than line ends and tabs, which could hide or change what is seen.
pub(super) fn plain(text: &str) -> String {
    text.replace(|c: char| c.is_control() && !matches!(c, '\n' | '\t'), "\u{fffd}")
}

/// Writes text to standard output at once. A reader that went away is no error.
pub(super) fn text(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes a line to standard output.
pub(super) fn line(line: &str) {
    text(&format!("{line}\n"));
}

/// Writes text to standard error at once.
pub(super) fn text_to_stderr(text: &str) {
    let mut out = io::stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Writes a line to standard error.
pub(super) fn line_to_stderr(line: &str) {
    text_to_stderr(&format!("{line}\n"));
}

/// An error, its code and what to do about it.
pub(super) fn error(error: &UserError) {
    line_to_stderr(&format!("error: {} [{}]", plain(&error.message), error.code));
    if let Some(id) = &error.request_id {
        line_to_stderr(&format!("       request {id}"));
    }
    if let Some(hint) = &error.hint {
        line_to_stderr(&format!("hint:  {}", plain(hint)));
    }
}

/// Text in another colour, on a terminal that shows colours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    colours: bool,
}

impl Style {
    /// For standard output.
    pub(super) fn stdout() -> Self {
        Self { colours: io::stdout().is_terminal() && wants_colours() }
    }

    /// For standard error.
    pub(super) fn stderr() -> Self {
        Self { colours: io::stderr().is_terminal() && wants_colours() }
    }

    /// Less important text.
    pub(super) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// More important text.
    pub(super) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// See <https://no-color.org>.
fn wants_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Usage and cost in one line.
pub(super) fn usage(usage: &Usage, cost: Option<Cost>) -> String {
    let mut parts = vec![format!("{} tokens in", usage.total_input())];
    parts.push(match usage.thinking_tokens {
        0 => format!("{} out", usage.output_tokens),
        thinking => format!("{} out ({thinking} thinking)", usage.output_tokens),
    });
    if usage.cache_read_tokens + usage.cache_write_tokens > 0 {
        parts.push(format!("cache: {} read, {} written", usage.cache_read_tokens, usage.cache_write_tokens));
    }
    if let Some(cost) = cost {
        parts.push(dollars(cost.micro_usd));
        if cost.saved_micro_usd > 0 {
            parts.push(format!("{} saved by the cache", dollars(cost.saved_micro_usd.unsigned_abs())));
        }
    }
    parts.join(", ")
}

fn dollars(micro_usd: u64) -> String {
    format!("${}.{:06}", micro_usd / 1_000_000, micro_usd % 1_000_000)
}

/// A wait, as one line.
pub(super) fn waiting(wait_ms: u64, attempt: u32, error: Option<&UserError>) -> String {
    let seconds = wait_ms as f64 / 1e3;
    match error {
        Some(error) => format!("{}; retry {attempt} in {seconds:.1} s", error.message),
        None => format!("waiting {seconds:.1} s for the configured rate of requests"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_cannot_steer_the_terminal() {
        assert_eq!(plain("a\tb\nc\r\x1b[2K\u{9b}2Jé"), "a\tb\nc\u{fffd}\u{fffd}[2K\u{fffd}2Jé");
    }

    #[test]
    fn usage_reads_well() {
        let counts = Usage { input_tokens: 5, output_tokens: 7, thinking_tokens: 2, ..Usage::default() };
        assert_eq!(usage(&counts, None), "5 tokens in, 7 out (2 thinking)");
        assert_eq!(
            usage(&Usage::default(), Some(Cost { micro_usd: 1_000_042, saved_micro_usd: 7 })),
            "0 tokens in, 0 out, $1.000042, $0.000007 saved by the cache"
        );
    }
}
