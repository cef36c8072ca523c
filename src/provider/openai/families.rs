//! Families of models that want something else than most, wherever they are served.

use std::sync::LazyLock;

use serde::Deserialize;

use super::profile::Profile;
use super::quirks::{ReasoningOut, SystemPlacement, SystemRole, TokenField};

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
    /// The words of effort it takes, none when empty.
    pub effort: Option<Vec<String>>,
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
            ("openai/gpt-5.1", "gpt 5.1 to 5.3"),
            ("gpt-5.1-codex-max", "gpt codex and pro"),
            ("gpt-5.4-nano", "gpt 5.4"),
            ("gpt-5.6-sol", "gpt from 5.5 on"),
            ("gpt-6-sol", "gpt from 5.5 on"),
            ("gpt-12", "gpt from 5.5 on"),
            ("gpt-6-astra", "gpt-6-astra"),
            ("gpt-4.1-mini", "gpt before 5"),
            ("gpt-oss-120b", ""),
            ("openai.gpt-oss-20b", ""),
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
}
