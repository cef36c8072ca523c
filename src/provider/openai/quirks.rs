//! The words in which a profile says how a server differs.

use serde::{Deserialize, Serialize};

/// Which of OpenAI's APIs a server is asked over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// `POST /chat/completions`.
    #[default]
    Chat,
    /// `POST /responses`.
    Responses,
}

/// Whether something may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowed {
    /// To every model.
    Yes,
    /// To none.
    No,
    /// As the model's [`super::Family`] says.
    #[default]
    ByModel,
}

/// The field that limits the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenField {
    /// `max_tokens`.
    MaxTokens,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
    /// As the model's family says; `max_tokens` when it says nothing.
    #[default]
    ByModel,
    /// No limit is sent.
    None,
}

/// The role of the system prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemRole {
    /// `system`.
    #[default]
    System,
    /// `developer`.
    Developer,
    /// As the model's family says; `system` when it says nothing.
    ByModel,
}

/// Where the system prompt stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemPlacement {
    /// In a message of its own, before all others.
    #[default]
    First,
    /// At the beginning of the first user message, when there are tools; else first.
    FirstUserWithTools,
    /// As the model's family says; first when it says nothing.
    ByModel,
}

/// How a server is told that the model has to call a tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequiredForm {
    /// `"required"`.
    #[default]
    Required,
    /// `"any"`.
    Any,
    /// Not at all.
    Unsupported,
}

/// Where the effort stands in a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffortField {
    /// `reasoning_effort`.
    #[default]
    ReasoningEffort,
    /// `reasoning.effort`, beside `reasoning.max_tokens`.
    Reasoning,
    /// There is no such field.
    None,
}

/// How a model is told not to think.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThinkingOff {
    /// By the effort `none`, where the model has it.
    #[default]
    Effort,
    /// By `thinking: {"type": "disabled"}`.
    ThinkingType,
    /// By `chat_template_kwargs: {"enable_thinking": false}`.
    TemplateKwargs,
    /// It cannot be told.
    None,
}

/// A field of a delta that holds thinking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningField {
    /// `reasoning_content`.
    ReasoningContent,
    /// `reasoning`.
    Reasoning,
}

/// What of its thinking a model gets back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningOut {
    /// Nothing.
    #[default]
    None,
    /// `reasoning_content`, of the answers since the last user message.
    LastTurn,
    /// `reasoning_content` on every answer, empty where there was none.
    Always,
    /// `reasoning_details`, unchanged.
    Details,
    /// `extra_content` of tool calls, which holds Google's thought signatures.
    ExtraContent,
    /// As the model's family says; as [`ReasoningOut::LastTurn`] when it says nothing.
    ByModel,
}
