//! What a request may ask of a model: the rules of the API, checked before anything is sent.
//!
//! What cannot be done is an error that says what can; what the model merely has no word for is left out, and the
//! user is told.

use crate::chat::{Effort, NoticeLevel, Sampling, Thinking, ToolChoice};
use crate::models::{ModelInfo, Stage};
use crate::provider::options::{ApiVersion, ParallelTools, RequestOptions};
use crate::provider::{Category, Error};

/// Needed for thinking between tool calls on models that think by budget.
const INTERLEAVED: &str = "interleaved-thinking-2025-05-14";

/// What is sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Plan {
    pub(super) max_tokens: u32,
    pub(super) thinking: Option<Thinking>,
    pub(super) effort: Option<Effort>,
    pub(super) tool_choice: Option<(ToolChoice, ParallelTools)>,
    pub(super) sampling: Sampling,
    pub(super) betas: Vec<String>,
    pub(super) notices: Vec<Notice>,
}

/// Something that the user is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) level: NoticeLevel,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Notice {
    pub(super) fn warning(code: &'static str, message: String) -> Self {
        Self { level: NoticeLevel::Warning, code, message }
    }
}

/// Plans a request to the model `id`.
///
/// # Errors
/// [`Category::BadRequest`] for what the model would refuse.
pub(super) fn plan(
    id: &str,
    info: &ModelInfo,
    options: &RequestOptions,
    max_output_tokens: u32,
    has_tools: bool,
) -> Result<Plan, Error> {
    let mut plan = Plan {
        max_tokens: max_output_tokens.clamp(1, info.max_output),
        betas: options.anthropic.betas.clone(),
        ..Plan::default()
    };
    plan.effort = effort(id, info, options.effort, &mut plan.notices);
    plan.thinking = thinking(id, info, options.thinking, plan.max_tokens, plan.effort)?;
    if has_tools {
        plan.tool_choice = tool_choice(id, info, options, plan.thinking)?;
        let by_budget = matches!(plan.thinking, Some(Thinking::Enabled { .. })) && !info.thinking.accepts("adaptive");
        if by_budget && !plan.betas.iter().any(|beta| beta == INTERLEAVED) {
            plan.betas.push(INTERLEAVED.to_owned());
        }
    }
    plan.sampling = sampling(info, options, plan.thinking, &mut plan.notices);
    Ok(plan)
}

fn refused(message: String, hint: impl Into<String>) -> Error {
    Error { hint: Some(hint.into()), ..Error::new(Category::BadRequest, message) }
}

fn effort(id: &str, info: &ModelInfo, wanted: Option<Effort>, notices: &mut Vec<Notice>) -> Option<Effort> {
    let wanted = wanted?;
    let has = |effort: Effort| info.effort.iter().any(|known| known == effort.as_str());
    if has(wanted) {
        return Some(wanted);
    }
    let lower = [Effort::Max, Effort::Xhigh, Effort::High, Effort::Medium, Effort::Low];
    let nearest = lower.into_iter().find(|effort| *effort < wanted && has(*effort));
    let instead = match nearest {
        Some(effort) => format!("{} is used", effort.as_str()),
        None => "none is sent".to_owned(),
    };
    let message = format!("{id} has no effort {}; {instead}", wanted.as_str());
    notices.push(Notice::warning("effort.not_supported", message));
    nearest
}

fn thinking(
    id: &str,
    info: &ModelInfo,
    wanted: Thinking,
    max_tokens: u32,
    effort: Option<Effort>,
) -> Result<Option<Thinking>, Error> {
    let hard = matches!(effort, Some(Effort::Xhigh | Effort::Max));
    let accepts = info.thinking.accepts(wanted.as_str());
    match wanted {
        Thinking::Auto => return Ok(info.thinking.accepts("adaptive").then_some(Thinking::Adaptive)),
        // A model that never thinks needs no word for it.
        Thinking::Disabled if info.thinking.kinds.is_empty() => return Ok(None),
        _ if !accepts => {
            let known = info.thinking.kinds.join(", ");
            let known = if known.is_empty() { "none: it does not think".to_owned() } else { known };
            let message = format!("{id} does not take thinking {}", wanted.as_str());
            return Err(refused(message, format!("it takes {known}; auto always works")));
        }
        Thinking::Enabled { budget_tokens } if budget_tokens < 1024 || budget_tokens >= max_tokens => {
            let message = format!("a thinking budget of {budget_tokens} tokens is not possible");
            let hint = format!("choose at least 1024 and less than the answer's limit, which is {max_tokens}");
            return Err(refused(message, hint));
        }
        Thinking::Disabled | Thinking::BetweenTools if hard && info.thinking.default != "off" => {
            let message = format!("{id} thinks at effort xhigh and max; {} is refused there", wanted.as_str());
            return Err(refused(message, "lower the effort to high, or leave thinking to the model"));
        }
        Thinking::Adaptive | Thinking::Enabled { .. } | Thinking::BetweenTools | Thinking::Disabled => {}
    }
    Ok(Some(wanted))
}

fn tool_choice(
    id: &str,
    info: &ModelInfo,
    options: &RequestOptions,
    thinking: Option<Thinking>,
) -> Result<Option<(ToolChoice, ParallelTools)>, Error> {
    let choice = options.tool_choice.clone();
    if matches!(choice, ToolChoice::Any | ToolChoice::Tool { .. }) {
        if !info.forced_tools {
            let message = format!("{id} does not let a tool be forced");
            return Err(refused(message, "leave the choice to the model, and say in the prompt which tool to use"));
        }
        if matches!(thinking, Some(Thinking::Enabled { .. })) {
            let message = "a tool cannot be forced while the model thinks by budget".to_owned();
            return Err(refused(message, "disable thinking for this prompt"));
        }
    }
    let plain = choice == ToolChoice::Auto && options.parallel_tools == ParallelTools::Allowed;
    Ok((!plain).then_some((choice, options.parallel_tools)))
}

fn sampling(
    info: &ModelInfo,
    options: &RequestOptions,
    thinking: Option<Thinking>,
    notices: &mut Vec<Notice>,
) -> Sampling {
    let wanted = options.sampling;
    let thinks = match thinking {
        Some(Thinking::Disabled) => false,
        Some(_) => true,
        None => info.thinking.default != "off" && !info.thinking.kinds.is_empty(),
    };
    let allowed = if options.anthropic.version == ApiVersion::V20261021 || !info.sampling {
        Sampling::default()
    } else if thinks {
        Sampling { top_p: wanted.top_p.filter(|top_p| (0.95..=1.0).contains(top_p)), ..Sampling::default() }
    } else {
        wanted
    };
    if allowed != wanted {
        let message = "sampling parameters that the model or the API version refuses were left out".to_owned();
        notices.push(Notice::warning("sampling.ignored", message));
    }
    allowed
}

/// What is said of a model that is not served any more, or not for long. Days are written `YYYY-MM-DD`.
pub(super) fn lifecycle(id: &str, info: &ModelInfo, today: &str, soon: &str) -> Option<Notice> {
    let lifecycle = &info.lifecycle;
    let instead = lifecycle.successor.as_ref().map(|id| format!("; use {id}")).unwrap_or_default();
    match lifecycle.stage(today, soon) {
        Stage::Active => None,
        Stage::Retired => {
            let when = lifecycle.retired.as_ref().map(|day| format!(" on {day}")).unwrap_or_default();
            Some(Notice::warning("model.retired", format!("{id} was retired{when}{instead}")))
        }
        Stage::Retiring => {
            let when = lifecycle.retires.as_ref().map_or(" soon".to_owned(), |day| format!(" from {day} on"));
            Some(Notice::warning("model.retiring", format!("{id} may be retired{when}{instead}")))
        }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
