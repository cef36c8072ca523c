//! What a request may ask of a model over Chat Completions, decided by its server's profile and its family.
//!
//! What the model merely has no word for is left out, and the user is told; what cannot be done is an error.

use serde_json::{Value, json};

use crate::chat::{CompletionEvent, ContentBlock, Effort, MessageBlock, Thinking, ToolChoice};
use crate::provider::notice::warning;
use crate::provider::openai::{
    Allowed, EffortField, Family, Profile, RequiredForm, ThinkingOff, TokenField, ToolsWithEffort, family,
};
use crate::provider::options::ParallelTools;
use crate::provider::{Category, CompletionRequest, Error};

/// What is sent beside the conversation, and what the user is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    pub(super) max_tokens: Option<u32>,
    pub(super) max_completion_tokens: Option<u32>,
    pub(super) reasoning_effort: Option<String>,
    pub(super) reasoning: Option<Value>,
    pub(super) thinking: Option<Value>,
    pub(super) chat_template_kwargs: Option<Value>,
    pub(super) temperature: Option<f64>,
    pub(super) top_p: Option<f64>,
    pub(super) top_k: Option<u32>,
    pub(super) stop: Vec<String>,
    pub(super) tool_choice: Option<Value>,
    pub(super) one_tool_at_a_time: bool,
    pub(super) with_schema: bool,
    /// [`CompletionEvent::Notice`]s, to be said before the answer.
    pub notices: Vec<CompletionEvent>,
}

/// Plans a request.
///
/// # Errors
/// [`Category::BadRequest`] for what the model would refuse, with what can be done instead.
pub fn plan(request: &CompletionRequest, profile: &Profile) -> Result<Plan, Error> {
    let id = request.model.model();
    let mut planning = Planning { id, request, profile, family: family(id), plan: Plan::default() };
    planning.limit();
    planning.effort()?;
    planning.sampling();
    planning.stop();
    planning.tools()?;
    planning.schema();
    planning.media();
    planning.extra_body();
    Ok(planning.plan)
}

struct Planning<'a> {
    id: &'a str,
    request: &'a CompletionRequest,
    profile: &'a Profile,
    family: &'static Family,
    plan: Plan,
}

/// Whether something is allowed, where the family may have a say.
fn allows(allowed: Allowed, family: Option<bool>) -> bool {
    match allowed {
        Allowed::Yes => true,
        Allowed::No => false,
        Allowed::ByModel => family.unwrap_or(true),
    }
}

impl Planning<'_> {
    fn tell(&mut self, code: &str, message: String) {
        self.plan.notices.push(warning(code, message));
    }

    fn limit(&mut self) {
        let limit = self.request.max_output_tokens.clamp(1, self.profile.max_output.unwrap_or(u32::MAX).max(1));
        let field = match self.profile.token_field {
            TokenField::ByModel => self.family.token_field.unwrap_or(TokenField::MaxTokens),
            field => field,
        };
        match field {
            TokenField::MaxTokens | TokenField::ByModel => self.plan.max_tokens = Some(limit),
            TokenField::MaxCompletionTokens => self.plan.max_completion_tokens = Some(limit),
            TokenField::None => {}
        }
    }

    /// The words of effort the model takes; `None` for any.
    fn words(&self) -> Option<&[String]> {
        let own = Some(self.profile.effort.as_slice()).filter(|words| !words.is_empty());
        self.family.effort.as_deref().or(own)
    }

    fn takes(&self, word: &str) -> bool {
        self.words().is_none_or(|words| words.iter().any(|known| known == word))
    }

    fn effort(&mut self) -> Result<(), Error> {
        let options = self.request.options.clone();
        let rule = match self.profile.tools_with_effort {
            _ if self.request.tools.is_empty() => ToolsWithEffort::Allowed,
            Allowed::ByModel => self.family.tools_with_effort,
            Allowed::Yes => ToolsWithEffort::Allowed,
            Allowed::No => ToolsWithEffort::WithoutEffort,
        };
        let off = options.thinking == Thinking::Disabled;
        let wanted = options.effort.filter(|_| !off);
        match rule {
            ToolsWithEffort::Refused => {
                return Err(Error {
                    hint: Some("set the provider's api to responses".to_owned()),
                    ..Error::new(Category::BadRequest, format!("{} takes no tools over Chat Completions", self.id))
                });
            }
            ToolsWithEffort::EffortNone => {
                self.set_effort("none");
                if wanted.is_some() {
                    let message =
                        format!("{} does not reason beside tools over Chat Completions; api responses can", self.id);
                    self.tell("effort.not_supported", message);
                }
                return Ok(());
            }
            ToolsWithEffort::WithoutEffort if wanted.is_some() => {
                let message = format!("{} takes no effort beside tools over Chat Completions; none is sent", self.id);
                self.tell("effort.not_supported", message);
            }
            ToolsWithEffort::WithoutEffort | ToolsWithEffort::Allowed => {
                if let Some(wanted) = wanted {
                    self.wanted_effort(wanted);
                }
            }
        }
        self.thinking(options.thinking);
        Ok(())
    }

    fn set_effort(&mut self, word: &str) {
        match self.profile.effort_field {
            EffortField::ReasoningEffort => self.plan.reasoning_effort = Some(word.to_owned()),
            EffortField::Reasoning => self.plan.reasoning = Some(json!({"effort": word})),
            EffortField::None => {}
        }
    }

    fn wanted_effort(&mut self, wanted: Effort) {
        let has_field = self.profile.effort_field != EffortField::None;
        let used =
            Effort::ALL.into_iter().rfind(|effort| *effort <= wanted && has_field && self.takes(effort.as_str()));
        if let Some(used) = used {
            self.set_effort(used.as_str());
        }
        if used != Some(wanted) {
            let instead = used.map_or("none is sent".to_owned(), |effort| format!("{} is used", effort.as_str()));
            let message = format!("{} has no effort {}; {instead}", self.id, wanted.as_str());
            self.tell("effort.not_supported", message);
        }
    }

    fn thinking(&mut self, wanted: Thinking) {
        let done = match (wanted, self.profile.thinking_off) {
            (Thinking::Auto | Thinking::Adaptive, _) => true,
            (Thinking::Enabled { budget_tokens }, _) if self.profile.effort_field == EffortField::Reasoning => {
                self.plan.reasoning = Some(json!({"max_tokens": budget_tokens}));
                true
            }
            (Thinking::Disabled, ThinkingOff::Effort) => {
                // A model without any effort does not think.
                let known_not_to_think = self.family.effort.as_ref().is_some_and(Vec::is_empty);
                if self.takes("none") {
                    self.set_effort("none");
                }
                known_not_to_think || (self.takes("none") && self.profile.effort_field != EffortField::None)
            }
            (Thinking::Disabled, ThinkingOff::ThinkingType) => {
                self.plan.thinking = Some(json!({"type": "disabled"}));
                true
            }
            (Thinking::Disabled, ThinkingOff::TemplateKwargs) => {
                self.plan.chat_template_kwargs = Some(json!({"enable_thinking": false}));
                true
            }
            (Thinking::Enabled { .. } | Thinking::BetweenTools | Thinking::Disabled, _) => false,
        };
        if !done {
            let message =
                format!("{} cannot be told to have thinking {}; it does as it likes", self.id, wanted.as_str());
            self.tell("thinking.not_supported", message);
        }
    }

    fn sampling(&mut self) {
        let wanted = self.request.options.sampling;
        let allowed = allows(self.profile.sampling_allowed, self.family.sampling);
        self.plan.temperature = wanted.temperature.filter(|_| allowed);
        self.plan.top_p = wanted.top_p.filter(|_| allowed);
        self.plan.top_k = wanted.top_k.filter(|_| allowed && self.profile.top_k);
        let plan = &self.plan;
        if (plan.temperature, plan.top_p, plan.top_k) != (wanted.temperature, wanted.top_p, wanted.top_k) {
            let message = format!("sampling parameters that {} refuses were left out", self.id);
            self.tell("sampling.ignored", message);
        }
    }

    fn stop(&mut self) {
        let wanted = &self.request.options.stop_sequences;
        let allowed = allows(self.profile.stop_allowed, self.family.stop);
        let most = if allowed { self.profile.max_stop.unwrap_or(usize::MAX) } else { 0 };
        self.plan.stop = wanted.iter().take(most).cloned().collect();
        if self.plan.stop.len() < wanted.len() {
            let message = match most {
                0 => format!("{} takes no stop sequences; they were left out", self.id),
                most => format!("{} takes {most} stop sequences; the others were left out", self.id),
            };
            self.tell("stop_sequences.ignored", message);
        }
    }

    fn tools(&mut self) -> Result<(), Error> {
        if self.request.tools.is_empty() {
            return Ok(());
        }
        let options = self.request.options.clone();
        self.plan.one_tool_at_a_time =
            options.parallel_tools == ParallelTools::Forbidden && self.profile.parallel_field;
        if options.parallel_tools == ParallelTools::Forbidden && !self.profile.parallel_field {
            let message = format!("{} cannot be held to one tool at a time", self.profile.display);
            self.tell("parallel_tools.not_supported", message);
        }
        let any = match self.profile.tool_choice_required {
            RequiredForm::Required => Some("required"),
            RequiredForm::Any => Some("any"),
            RequiredForm::Unsupported => None,
        };
        self.plan.tool_choice = match (&options.tool_choice, any) {
            (ToolChoice::Auto, _) => None,
            (ToolChoice::None, _) => Some(json!("none")),
            (ToolChoice::Tool { name }, _) if self.profile.tool_choice_named => {
                Some(json!({"type": "function", "function": {"name": name}}))
            }
            (ToolChoice::Tool { name }, Some(any)) => {
                if self.request.tools.len() > 1 {
                    let message =
                        format!("{} cannot be held to {name}; it has to call some tool", self.profile.display);
                    self.tell("tool_choice.weakened", message);
                }
                Some(json!(any))
            }
            (ToolChoice::Any, Some(any)) => Some(json!(any)),
            (ToolChoice::Any | ToolChoice::Tool { .. }, None) => {
                return Err(Error {
                    hint: Some("leave the choice to the model, and say in the prompt which tool to use".to_owned()),
                    ..Error::new(
                        Category::BadRequest,
                        format!("{} does not let a tool be forced", self.profile.display),
                    )
                });
            }
        };
        Ok(())
    }

    fn schema(&mut self) {
        if self.request.options.output_schema.is_none() {
            return;
        }
        self.plan.with_schema = self.profile.native_schema;
        if !self.profile.native_schema {
            let message = format!("{} takes no schema of the answer; none is sent", self.profile.display);
            self.tell("output.not_held", message);
        }
    }

    fn media(&mut self) {
        let is_image = |content: &ContentBlock| matches!(content, ContentBlock::Image { .. });
        let mut blocks = self.request.messages.iter().flat_map(|message| &message.content);
        let has_images = blocks.any(|block| match block {
            MessageBlock::Attachment { content } => is_image(content),
            MessageBlock::ToolResult(result) => result.content.iter().any(is_image),
            _ => false,
        });
        if has_images && !self.profile.images {
            let message = format!("{} takes no images; the model is told that there were some", self.profile.display);
            self.tell("content.left_out", message);
        }
    }

    fn extra_body(&mut self) {
        let profile = self.profile;
        for field in profile.extra_body.keys().filter(|field| profile.refused_fields.contains(field)) {
            let message = format!("{} refuses the field {field}; it was left out", profile.display);
            self.tell("field.not_supported", message);
        }
    }
}
