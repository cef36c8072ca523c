//! What a provider says about a model of its own, and how that is laid over what was known.

use super::catalog::ModelInfo;
use super::lifecycle::{Lifecycle, Stage};

/// The levels of effort in their order.
const EFFORTS: [&str; 5] = ["low", "medium", "high", "xhigh", "max"];

/// One model as its provider describes it. What the provider does not say is `None` and stays as it was known; prices,
/// the default effort and the rules of requests no provider says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteModel {
    /// Its id.
    pub id: String,
    /// What the provider calls it before people.
    pub display_name: Option<String>,
    /// Tokens that input and output may have together.
    pub context: Option<u32>,
    /// Tokens that one answer may have.
    pub max_output: Option<u32>,
    /// The values of `thinking.type`.
    pub thinking: Support,
    /// The values of `effort`.
    pub effort: Support,
    /// Whether it takes a schema for its answer.
    pub structured_output: Option<bool>,
    /// Where it is in its life.
    pub stage: Option<Stage>,
    /// The day it is or was retired, `YYYY-MM-DD`.
    pub retires: Option<String>,
}

/// What a provider says of a set of words: which it takes and which not. A word that it does not name stays as it was
/// known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Support {
    /// None of them is taken.
    pub none: bool,
    /// What is said of each.
    pub words: Vec<(String, bool)>,
}

impl Support {
    /// The words that are taken, given those that were known to be.
    fn over(&self, known: &[String]) -> Vec<String> {
        if self.none {
            return Vec::new();
        }
        let refused = |word: &String| self.words.iter().any(|(said, taken)| said == word && !taken);
        let mut words: Vec<_> = known.iter().filter(|word| !refused(word)).cloned().collect();
        for (word, _) in self.words.iter().filter(|(_, taken)| *taken) {
            if !words.contains(word) {
                words.push(word.clone());
            }
        }
        words
    }
}

impl RemoteModel {
    /// `known` with what the provider says laid over it.
    pub fn over(&self, known: &ModelInfo) -> ModelInfo {
        let mut info = known.clone();
        info.display_name = self.display_name.clone().or(info.display_name);
        info.context = self.context.unwrap_or(info.context);
        info.max_output = self.max_output.unwrap_or(info.max_output);
        info.thinking.kinds = self.thinking.over(&info.thinking.kinds);
        info.effort = self.effort.over(&info.effort);
        info.effort.sort_by_key(|effort| EFFORTS.iter().position(|known| known == effort).unwrap_or(EFFORTS.len()));
        info.structured_output = self.structured_output.unwrap_or(info.structured_output);
        info.lifecycle = self.lifecycle(info.lifecycle);
        info
    }

    /// Once the provider says where a model is in its life, the days that were known count no more: they were the
    /// earliest possible ones.
    fn lifecycle(&self, known: Lifecycle) -> Lifecycle {
        match self.stage {
            None => Lifecycle { retires: self.retires.clone().or(known.retires), ..known },
            Some(Stage::Retired) => {
                let retired = self.retires.clone().or(known.retired).or(known.retires);
                Lifecycle { said: self.stage, retired, retires: None, successor: known.successor }
            }
            Some(Stage::Active | Stage::Retiring) => {
                Lifecycle { said: self.stage, retired: None, retires: self.retires.clone(), successor: known.successor }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::catalog::anthropic_model;

    fn words(words: &[(&str, bool)]) -> Support {
        Support { none: false, words: words.iter().map(|(word, taken)| ((*word).to_owned(), *taken)).collect() }
    }

    #[test]
    fn what_is_not_said_stays() {
        let known = anthropic_model("claude-sonnet-4-5");
        assert_eq!(RemoteModel { id: "claude-sonnet-4-5".into(), ..RemoteModel::default() }.over(&known), *known);
    }

    #[test]
    fn what_is_said_wins_but_for_what_no_provider_says() {
        let known = anthropic_model("claude-opus-4-6");
        let said = RemoteModel {
            id: "claude-opus-4-6".into(),
            display_name: Some("Claude Opus 4.6".into()),
            context: Some(500_000),
            max_output: Some(64_000),
            thinking: words(&[("enabled", false), ("between_tools", true), ("adaptive", true)]),
            effort: words(&[("xhigh", true), ("low", false)]),
            structured_output: Some(false),
            stage: Some(Stage::Active),
            retires: None,
        };
        let merged = said.over(&known);
        assert_eq!((merged.context, merged.max_output), (500_000, 64_000));
        assert_eq!(merged.thinking.kinds, ["adaptive", "disabled", "between_tools"]);
        assert_eq!(merged.effort, ["medium", "high", "xhigh", "max"]);
        assert_eq!((merged.display_name.as_deref(), merged.structured_output), (Some("Claude Opus 4.6"), false));
        assert_eq!(merged.lifecycle.retires, None, "the earliest day was a guess");
        assert_eq!((&merged.price, &merged.default_effort), (&known.price, &known.default_effort));
        assert_eq!(
            (merged.sampling, merged.forced_tools, merged.cache_minimum, &merged.thinking.default),
            (known.sampling, known.forced_tools, known.cache_minimum, &known.thinking.default)
        );
    }

    #[test]
    fn no_support_empties_the_words() {
        let none = Support { none: true, words: Vec::new() };
        let said = RemoteModel { thinking: none.clone(), effort: none, ..RemoteModel::default() };
        let merged = said.over(&anthropic_model("claude-opus-5"));
        assert!(merged.thinking.kinds.is_empty() && merged.effort.is_empty());
    }

    #[test]
    fn a_retired_model_keeps_its_successor_and_gets_its_day() {
        let said =
            RemoteModel { stage: Some(Stage::Retired), retires: Some("2026-11-30".into()), ..RemoteModel::default() };
        let lifecycle = said.over(&anthropic_model("claude-sonnet-4-5")).lifecycle;
        assert_eq!((lifecycle.said, lifecycle.retired.as_deref()), (Some(Stage::Retired), Some("2026-11-30")));
        assert_eq!(lifecycle.successor.as_deref(), Some("claude-sonnet-5-5"));
        let only_a_day = RemoteModel { retires: Some("2020-01-01".into()), ..RemoteModel::default() };
        let lifecycle = only_a_day.over(&anthropic_model("claude-opus-5")).lifecycle;
        assert_eq!((lifecycle.said, lifecycle.retired), (None, None), "a day that passed is no word of the provider");
    }
}
