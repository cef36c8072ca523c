//! What a request asks of a model beyond the conversation.

use std::sync::Arc;

use crate::chat::{CacheTtl, Effort, Sampling, Thinking, ThinkingDisplay, ToolChoice};
use crate::error::{ErrorCode, UserError};

/// Options of a request, frozen with it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestOptions {
    /// Whether and how the model thinks.
    pub thinking: Thinking,
    /// What it shows of that.
    pub thinking_display: ThinkingDisplay,
    /// How hard it tries; `None` for the model's own default.
    pub effort: Option<Effort>,
    /// Whether it calls tools.
    pub tool_choice: ToolChoice,
    /// Whether it may call several tools at once.
    pub parallel_tools: ParallelTools,
    /// The schema of the answer, already within what the provider accepts.
    pub output_schema: Option<Arc<serde_json::Value>>,
    /// Texts that end the answer.
    pub stop_sequences: Vec<String>,
    /// Sampling parameters.
    pub sampling: Sampling,
    /// Whether the prompt cache is used, and how long its entries live.
    pub cache: Option<CacheTtl>,
    /// Anthropic's own.
    pub anthropic: AnthropicOptions,
}

/// How a model can be held to a schema of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputSupport {
    /// The provider takes the schema.
    Native,
    /// It can be forced to call a tool that has the schema.
    ForcedTool,
    /// Only by words.
    None,
}

/// Whether the model may call several tools at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParallelTools {
    /// It may.
    #[default]
    Allowed,
    /// One at a time.
    Forbidden,
}

/// Options that only Anthropic's API has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnthropicOptions {
    /// The version of the API.
    pub version: ApiVersion,
    /// Names of beta features.
    pub betas: Vec<String>,
    /// `auto` or `standard_only`.
    pub service_tier: Option<String>,
    /// An opaque name of the user.
    pub user_id: Option<String>,
}

/// Versions of Anthropic's API that requests can be written for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApiVersion {
    /// `2026-10-21`: takes no sampling parameters.
    #[default]
    V20261021,
    /// `2023-06-01`: for gateways and old models.
    V20230601,
}

impl ApiVersion {
    /// The header's value.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V20261021 => "2026-10-21",
            Self::V20230601 => "2023-06-01",
        }
    }

    /// The version of that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::V20261021, Self::V20230601].into_iter().find(|version| version.as_str() == text)
    }

    /// The version that a setting names.
    ///
    /// # Errors
    /// `config.invalid` when there is none of that name.
    pub fn from_setting(text: &str) -> Result<Self, UserError> {
        Self::parse(text).ok_or_else(|| {
            UserError::new(ErrorCode::ConfigInvalid, format!("providers.anthropic.version {text:?} is not known"))
                .with_hint("set it to 2026-10-21 or 2023-06-01")
        })
    }
}
