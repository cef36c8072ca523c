//! The script language of the simulated provider: one step a line.

use std::time::Duration;

use crate::provider::{Category, Error};

/// A step of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// `think TEXT`: a thinking block.
    Think(String),
    /// `text TEXT`: a text block, streamed word by word.
    Text(String),
    /// `stream COUNT [DURATION]`: a text block of COUNT deltas, DURATION apart.
    Stream(u32, Duration),
    /// `tool NAME JSON`: a tool call.
    Tool(String, String),
    /// `wait DURATION`: silence.
    Wait(Duration),
    /// `stop REASON`: why the model stopped.
    Stop(String),
    /// `refuse CATEGORY`: a refusal.
    Refuse(String),
    /// `error TYPE`: an error event in the stream.
    Error(String),
    /// `status CODE`: a failed response instead of a stream.
    Status(u16),
    /// `html`: a page instead of a stream.
    Html,
    /// `cut`: the stream ends here, incomplete.
    Cut,
}

/// Parses a script into the steps of successive answers. Answers are separated by `---`; empty lines and lines that
/// begin with `#` say nothing.
///
/// # Errors
/// [`Category::Config`] with the line that is no step.
pub(super) fn parse(text: &str) -> Result<Vec<Vec<Step>>, Error> {
    let mut answers = vec![Vec::new()];
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match (line, answers.last_mut()) {
            ("---", _) => answers.push(Vec::new()),
            (_, Some(answer)) => answer.push(step(line)?),
            (_, None) => {}
        }
    }
    Ok(answers)
}

fn step(line: &str) -> Result<Step, Error> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let bad = || Error {
        hint: Some(
            "the steps are: think TEXT, text TEXT, stream COUNT [DURATION], tool NAME JSON, wait DURATION, stop \
                 REASON, refuse CATEGORY, error TYPE, status CODE, html, cut; --- separates answers"
                .to_owned(),
        ),
        ..Error::new(Category::Config, format!("the sim script has no such step: {line}"))
    };
    Ok(match word {
        "think" => Step::Think(rest.to_owned()),
        "text" => Step::Text(rest.to_owned()),
        "stream" => {
            let (count, pause) = rest.split_once(char::is_whitespace).unwrap_or((rest, "0ms"));
            Step::Stream(count.parse().map_err(|_| bad())?, duration(pause).ok_or_else(bad)?)
        }
        "tool" => {
            let (name, input) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            Step::Tool(name.to_owned(), input.trim().to_owned())
        }
        "wait" => Step::Wait(duration(rest).ok_or_else(bad)?),
        "stop" => Step::Stop(rest.to_owned()),
        "refuse" => Step::Refuse(rest.to_owned()),
        "error" => Step::Error(rest.to_owned()),
        "status" => Step::Status(rest.parse().map_err(|_| bad())?),
        "html" => Step::Html,
        "cut" => Step::Cut,
        _ => return Err(bad()),
    })
}

/// `2ms`, `1s`, `1h 5m`.
fn duration(text: &str) -> Option<Duration> {
    humantime::parse_duration(text.trim()).ok()
}
