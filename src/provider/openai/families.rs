//! Families of models that want something else than most, wherever they are served.

use std::sync::LazyLock;

use serde::Deserialize;

use super::profile::Profile;
use super::quirks::{ReasoningOut, SystemPlacement, SystemRole, TokenField};
use crate::chat::Effort;

/// Whether a model takes an effort beside tools over Chat Completions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolsWithEffort {
    /// It does.
    #[default]
    Allowed,
    /// Only when no effort is sent.
    WithoutEffort,
    /// Only with the effort `none`.
    EffortNone,
    /// It takes no tools over this API.
    Refused,
}

/// Whether a model reasons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reasoning {
    /// Never.
    None,
    /// When an effort is asked for.
    OptIn,
    /// Unless the effort is `none`. Models of tomorrow are taken for such.
    #[default]
    On,
    /// Always.
    Always,
}

/// What a family of models wants. The first family of the table that a model belongs to counts; what it does not say
/// is as the server's profile has it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Family {
    /// What it is called.
    pub name: String,
    /// Patterns of its models' ids: `*` stands for anything, `#` for a digit.
    #[serde(rename = "match")]
    pub patterns: Vec<String>,
    /// Patterns of ids that do not belong to it.
    pub except: Vec<String>,
    /// What the ids of a numbered series begin with, up to the number.
    pub series: Option<String>,
    /// The first number of the series that belongs to it, as major or major.minor.
    pub from: String,
    /// The field that limits the answer.
    pub token_field: Option<TokenField>,
    /// Whether it takes sampling parameters.
    pub sampling: Option<bool>,
    /// Whether it takes stop sequences.
    pub stop: Option<bool>,
    /// The role of the system prompt.
    pub system_role: Option<SystemRole>,
    /// Where the system prompt stands.
    pub system_placement: Option<SystemPlacement>,
    /// Whether it reasons.
    pub reasoning: Reasoning,
    /// The words of effort it takes, the lowest first, none when empty.
    pub effort: Option<Vec<String>>,
    /// Those it takes over Responses, where they are others.
    pub responses_effort: Option<Vec<String>>,
    /// Whether it takes an effort beside tools.
    pub tools_with_effort: ToolsWithEffort,
    /// What of its thinking it gets back.
    pub reasoning_out: Option<ReasoningOut>,
    /// Whether each of its tool calls needs a thought signature when it goes back.
    pub thought_signatures: bool,
    /// Whether it takes no `$ref` in schemas.
    pub inline_refs: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) profile: Vec<Profile>,
    family: Vec<Family>,
}

/// The built-in table. That it can be read is held by a test.
pub(super) fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| {
        toml::from_str(include_str!("providers.toml")).unwrap_or_else(|error| {
            tracing::error!(%error, "the table of providers cannot be read");
            Table::default()
        })
    });
    &TABLE
}

/// The family of the model `id`: one that says nothing when it belongs to none. Case does not matter, nor does a
/// vendor before the name (`openai.gpt-5`, `openai/gpt-5`).
pub fn family(id: &str) -> &'static Family {
    static NONE: LazyLock<Family> = LazyLock::new(Family::default);
    let id = id.to_lowercase();
    let id = bare(&id);
    table().family.iter().find(|family| family.has(id)).unwrap_or(&NONE)
}

/// The id without a vendor before it: letters and a dot, or anything and a slash.
fn bare(id: &str) -> &str {
    let id = id.rsplit_once('/').map_or(id, |(_, id)| id);
    match id.split_once('.') {
        Some((vendor, rest)) if !vendor.is_empty() && vendor.chars().all(char::is_alphabetic) => rest,
        _ => id,
    }
}

impl Family {
    /// Over Responses: `wanted`, or the next lower effort that is taken, or else the lowest. Any where none is known.
    pub fn effort_over_responses(&self, wanted: Effort) -> Effort {
        let words = self.responses_effort.as_ref().or(self.effort.as_ref());
        let taken = |effort: &Effort| words.is_some_and(|words| words.iter().any(|word| word == effort.as_str()));
        let efforts = || Effort::ALL.into_iter().filter(taken);
        efforts().rfind(|effort| *effort <= wanted).or_else(|| efforts().next()).unwrap_or(wanted)
    }

    fn has(&self, id: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern.as_bytes(), id.as_bytes()));
        let in_series = || {
            let number = self.series.as_deref().and_then(|series| number(id.strip_prefix(series)?));
            number.is_some_and(|found| number_or_zero(&self.from) <= found)
        };
        (any(&self.patterns) || in_series()) && !any(&self.except)
    }
}

/// The number that a text begins with, as major and minor.
fn number(text: &str) -> Option<(u32, u32)> {
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let major_end = digits(text);
    let major = text[..major_end].parse().ok()?;
    let minor = text[major_end..].strip_prefix('.').and_then(|rest| rest[..digits(rest)].parse().ok());
    Some((major, minor.unwrap_or(0)))
}

fn number_or_zero(text: &str) -> (u32, u32) {
    number(text).unwrap_or_default()
}

/// Whether `text` fits `pattern`.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|skipped| matches(rest, &text[skipped..])),
        ([b'#', pattern @ ..], [first, text @ ..]) if first.is_ascii_digit() => matches(pattern, text),
        ([wanted, pattern @ ..], [first, text @ ..]) if wanted == first => matches(pattern, text),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(id: &str) -> &'static str {
        &family(id).name
    }

    #[test]
    fn the_first_family_that_fits_counts() {
        for (id, expected) in [
            ("gpt-4o-search-preview", "search previews"),
            ("o4-mini", "o"),
            ("openai.o3", "o"),
            ("gpt-5-chat-latest", "gpt-5-chat"),
            ("gpt-5.2-chat-latest", "gpt chat"),
            ("gpt-5", "gpt 5"),
            ("GPT-5-mini", "gpt 5"),
            ("openai/gpt-5.1", "gpt 5.1"),
            ("gpt-5.3", "gpt 5.2 and 5.3"),
            ("gpt-5.1-codex-max", "gpt codex and pro from 5.1 max to 5.x"),
            ("gpt-5.1-codex-mini", "gpt codex and pro of 5 and 5.1"),
            ("gpt-6-codex", "gpt codex and pro"),
            ("gpt-5.4-nano", "gpt 5.4"),
            ("gpt-5.6-sol", "gpt from 5.5 on"),
            ("gpt-6-sol", "gpt from 5.5 on"),
            ("gpt-12", "gpt from 5.5 on"),
            ("gpt-6-astra", "gpt-6-astra"),
            ("gpt-4.1-mini", "gpt before 5"),
            ("gpt-oss-120b", "gpt-oss"),
            ("openai.gpt-oss-20b", "gpt-oss"),
            ("olmo-3", ""),
            ("deepseek-v4-flash", "deepseek 4"),
            ("deepseek-reasoner", ""),
            ("google.gemini-2.5-pro", "gemini before 3"),
            ("google/gemini-3.1-pro-preview", "gemini from 3 on"),
            ("models/gemini-3-flash", "gemini from 3 on"),
            ("meta.llama-3.3-70b-instruct", "llama"),
            ("xai.grok-4.1-fast-non-reasoning", ""),
            ("grok-4.20-beta", "grok that reasons"),
            ("codestral-latest", ""),
        ] {
            assert_eq!(name(id), expected, "{id}");
        }
    }

    #[test]
    fn a_dot_in_a_version_is_no_vendor() {
        assert_eq!(bare("gpt-5.4"), "gpt-5.4");
        assert_eq!(bare("meta.llama-3.3"), "llama-3.3");
        assert_eq!(bare("x-ai/grok-4.1"), "grok-4.1");
        assert_eq!(bare("accounts/fireworks/models/kimi-k2"), "kimi-k2");
    }

    #[test]
    fn each_family_reasons_as_it_does_and_the_unknown_is_of_the_present() {
        let rows = [
            ("gpt-4o-mini", Reasoning::None),
            ("gpt-4.1", Reasoning::None),
            ("gpt-5-chat-latest", Reasoning::None),
            ("gpt-5.2-chat-latest", Reasoning::Always),
            ("o3", Reasoning::Always),
            ("openai.o4-mini", Reasoning::Always),
            ("gpt-5", Reasoning::Always),
            ("gpt-5-mini", Reasoning::Always),
            ("gpt-5.1-codex-max", Reasoning::Always),
            ("gpt-5.1", Reasoning::OptIn),
            ("gpt-5.4-mini", Reasoning::OptIn),
            ("openai/gpt-5.5", Reasoning::On),
            ("gpt-5.5-pro", Reasoning::Always),
            ("gpt-5.6-sol", Reasoning::On),
            ("gpt-6-astra", Reasoning::Always),
            ("gpt-6.1-terra", Reasoning::On),
            ("openai/gpt-oss-120b", Reasoning::Always),
            ("something-of-tomorrow", Reasoning::On),
        ];
        for (id, reasoning) in rows {
            assert_eq!(family(id).reasoning, reasoning, "{id}");
        }
    }

    #[test]
    fn an_effort_that_is_not_taken_becomes_the_next_lower_one() {
        assert_eq!(family("o3").effort_over_responses(Effort::Max), Effort::High);
        assert_eq!(family("gpt-5.4").effort_over_responses(Effort::Max), Effort::Xhigh);
        assert_eq!(family("gpt-6-sol").effort_over_responses(Effort::Max), Effort::Max);
        assert_eq!(family("gpt-5").effort_over_responses(Effort::Low), Effort::Low);
    }
}
