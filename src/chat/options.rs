//! What can be asked of a model beyond the conversation itself, in words that every provider understands or refuses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How hard a model tries. Which levels there are depends on the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// The least.
    Low,
    /// Between low and high.
    Medium,
    /// What most models do when nothing is said.
    High,
    /// More than high.
    Xhigh,
    /// The most.
    Max,
}

impl Effort {
    /// All levels, the lowest first.
    pub const ALL: [Self; 5] = [Self::Low, Self::Medium, Self::High, Self::Xhigh, Self::Max];

    /// The level's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        }
    }
}

/// Whether and how a model thinks before it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Thinking {
    /// As the model does best: adaptively where it can, else not.
    #[default]
    Auto,
    /// As much as the model finds useful.
    Adaptive,
    /// Up to about so many tokens. Older models only.
    Enabled {
        /// At least 1024, and less than the answer's limit.
        budget_tokens: u32,
    },
    /// Only between tool calls.
    BetweenTools,
    /// Not at all. Some models cannot.
    Disabled,
}

impl Thinking {
    /// The word that vendors and the catalog use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Adaptive => "adaptive",
            Self::Enabled { .. } => "enabled",
            Self::BetweenTools => "between_tools",
            Self::Disabled => "disabled",
        }
    }
}

/// What a model shows of its thinking. It costs the same either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ThinkingDisplay {
    /// A summary.
    #[default]
    Summarized,
    /// Nothing.
    Omitted,
}

impl ThinkingDisplay {
    /// The vendor's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Summarized => "summarized",
            Self::Omitted => "omitted",
        }
    }
}

/// Whether the model calls tools. Forcing a call is refused by the newest models.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ToolChoice {
    /// As it likes.
    #[default]
    Auto,
    /// At least one.
    Any,
    /// This one.
    Tool {
        /// The tool's name.
        name: String,
    },
    /// None.
    None,
}

/// How long a cached prefix lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum CacheTtl {
    /// Five minutes after it was used last.
    #[default]
    #[serde(rename = "5m")]
    FiveMinutes,
    /// One hour after it was used last; writing costs more.
    #[serde(rename = "1h")]
    OneHour,
}

/// Sampling parameters. Most models take none of them any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Sampling {
    /// 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// At least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_k: Option<u32>,
}
