//! What families of models take: `families.toml`, as ids change monthly.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::chat::Effort;

/// Whether a model reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reasoning {
    /// Never.
    None,
    /// When an effort is asked for.
    OptIn,
    /// Unless the effort is `none`.
    On,
    /// Always.
    Always,
}

/// What the models of a family take.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    #[serde(rename = "match")]
    patterns: Vec<String>,
    /// Whether they reason.
    pub reasoning: Reasoning,
    /// The efforts that they take, the lowest first; empty for all.
    #[serde(default)]
    efforts: Vec<Effort>,
}

impl Family {
    /// `wanted`, or the next lower effort that is taken, or else the lowest.
    pub fn effort(&self, wanted: Effort) -> Effort {
        let lower = self.efforts.iter().rev().find(|known| **known <= wanted);
        lower.or(self.efforts.first()).copied().unwrap_or(wanted)
    }
}

#[derive(Deserialize)]
struct File {
    family: Vec<Family>,
}

static FAMILIES: LazyLock<Vec<Family>> =
    LazyLock::new(|| toml::from_str::<File>(include_str!("families.toml")).map(|file| file.family).unwrap_or_default());

/// The family of the model `id`. A name before a slash or a namespace of letters before a dot (as gateways have them)
/// is no part of it.
pub fn family(id: &str) -> Family {
    let id = id.rsplit('/').next().unwrap_or(id).to_ascii_lowercase();
    let bare = match id.split_once('.') {
        Some((space, rest)) if !space.is_empty() && space.bytes().all(|b| b.is_ascii_alphabetic()) => rest,
        _ => id.as_str(),
    };
    let fits = |family: &&Family| family.patterns.iter().any(|pattern| fits(pattern, bare));
    let present = || Family { patterns: Vec::new(), reasoning: Reasoning::On, efforts: Vec::new() };
    FAMILIES.iter().find(fits).cloned().unwrap_or_else(present)
}

/// Whether `text` fits a pattern in which `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == text };
    let Some(rest) = text.strip_prefix(before) else { return false };
    (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| fits(after, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_family_is_known_and_the_unknown_is_of_the_present() {
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
        assert_eq!(FAMILIES.last().map(|family| family.patterns.as_slice()), Some(["*".to_owned()].as_slice()));
        for (id, reasoning) in rows {
            assert_eq!(family(id).reasoning, reasoning, "{id}");
        }
    }

    #[test]
    fn an_effort_that_is_not_taken_becomes_the_next_lower_one() {
        assert_eq!(family("o3").effort(Effort::Max), Effort::High);
        assert_eq!(family("gpt-5.4").effort(Effort::Max), Effort::Xhigh);
        assert_eq!(family("gpt-6-sol").effort(Effort::Max), Effort::Max);
        assert_eq!(family("gpt-5").effort(Effort::Low), Effort::Low);
    }
}
