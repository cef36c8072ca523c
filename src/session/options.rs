//! From settings and a prompt's own options to what is asked of the model.

use std::sync::Arc;

use super::turn::{ANSWER_TOOL, OutputPlan, Told};
use crate::chat::{Sampling, ToolChoice, ToolSpec};
use crate::config::Settings;
use crate::error::{ErrorCode, UserError};
use crate::protocol::PromptOptions;
use crate::provider::{
    AnthropicOptions, ApiVersion, OutputSupport, ParallelTools, RequestOptions, Validator, prompt_for, reduce,
};

/// What is asked of the model in one turn.
///
/// # Errors
/// `config.invalid` for an API version that there is not.
pub(super) fn request_options(settings: &Settings, prompt: &PromptOptions) -> Result<RequestOptions, UserError> {
    let anthropic = settings.provider("anthropic");
    let version = ApiVersion::from_setting(anthropic.version.value.as_deref().unwrap_or_default())?;
    Ok(RequestOptions {
        thinking: prompt.thinking.unwrap_or(settings.thinking.value),
        thinking_display: settings.thinking_display.value,
        effort: prompt.effort.or(settings.effort.value),
        tool_choice: prompt.tool_choice.clone().unwrap_or_default(),
        parallel_tools: match prompt.parallel_tools {
            Some(false) => ParallelTools::Forbidden,
            Some(true) | None => ParallelTools::Allowed,
        },
        output_schema: None,
        stop_sequences: prompt.stop_sequences.clone(),
        sampling: Sampling {
            temperature: settings.temperature.value,
            top_p: settings.top_p.value,
            top_k: settings.top_k.value,
        },
        cache: settings.prompt_cache.value.then_some(settings.prompt_cache_ttl.value),
        anthropic: AnthropicOptions {
            version,
            betas: anthropic.betas.value.clone(),
            service_tier: anthropic.service_tier.value.clone(),
            user_id: anthropic.user_id.value.clone(),
        },
    })
}

/// How the model of a turn is told what its answer has to be.
pub(super) struct Output {
    /// The judge's part.
    pub(super) plan: OutputPlan,
    /// The tool that the model has to call, for [`Told::ByTool`]; then there is no other.
    pub(super) tool: Option<ToolSpec>,
    /// Words that are sent behind the user's, for [`Told::InWords`].
    pub(super) instructions: Option<String>,
}

/// Plans an answer that fits `schema`, the best way the model has, and sets `options` so.
///
/// # Errors
/// `protocol.invalid_params` for a schema that is none.
pub(super) fn plan_output(
    schema: &serde_json::Value,
    support: OutputSupport,
    options: &mut RequestOptions,
) -> Result<Output, UserError> {
    let validator = Validator::new(schema).map_err(|error| {
        UserError::new(ErrorCode::ProtocolInvalidParams, format!("options.outputSchema: {error}"))
            .with_hint("send a JSON Schema whose root is an object")
    })?;
    let plan = |told| OutputPlan { validator: Arc::new(validator), told };
    // What the provider cannot hold the model to natively is asked for in words.
    let reduced = reduce(schema).ok();
    match (support, reduced) {
        (OutputSupport::Native, Some(reduced)) => {
            options.output_schema = Some(Arc::new(reduced.schema));
            Ok(Output { plan: plan(Told::Natively), tool: None, instructions: None })
        }
        (OutputSupport::ForcedTool, _) => {
            options.tool_choice = ToolChoice::Tool { name: ANSWER_TOOL.to_owned() };
            let tool = ToolSpec {
                name: ANSWER_TOOL.to_owned(),
                description: "Gives the answer. Call it once, with the whole answer.".to_owned(),
                input_schema: schema.clone(),
                ..ToolSpec::default()
            };
            Ok(Output { plan: plan(Told::ByTool), tool: Some(tool), instructions: None })
        }
        (OutputSupport::Native | OutputSupport::None, _) => {
            Ok(Output { plan: plan(Told::InWords), tool: None, instructions: Some(prompt_for(schema)) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{CacheTtl, Effort};
    use crate::config::{GeneralLayer, Layer, Source};
    use crate::error::ErrorCode;

    #[test]
    fn a_prompts_own_options_come_first() {
        let general =
            GeneralLayer { effort: Some(Some(Effort::Low)), prompt_cache: Some(false), ..GeneralLayer::default() };
        let layer = Layer { general, ..Layer::default() };
        let settings = Settings::resolve(&[(Source::Editor, &layer)]);
        let plain = request_options(&settings, &PromptOptions::default()).unwrap();
        assert_eq!((plain.effort, plain.cache), (Some(Effort::Low), None));
        let prompt =
            PromptOptions { effort: Some(Effort::Max), parallel_tools: Some(false), ..PromptOptions::default() };
        let own = request_options(&settings, &prompt).unwrap();
        assert_eq!((own.effort, own.parallel_tools), (Some(Effort::Max), ParallelTools::Forbidden));
        let default = request_options(&Settings::default(), &PromptOptions::default()).unwrap();
        assert_eq!(default.cache, Some(CacheTtl::FiveMinutes));
    }

    #[test]
    fn an_unknown_version_is_an_error() {
        let mut layer = Layer::default();
        layer.set("providers.anthropic.version", "2020-01-01".into(), None).unwrap();
        let settings = Settings::resolve(&[(Source::Editor, &layer)]);
        let error = request_options(&settings, &PromptOptions::default()).unwrap_err();
        assert_eq!(error.code, ErrorCode::ConfigInvalid);
    }

    #[test]
    fn a_schema_is_told_the_best_way_the_model_has() {
        let schema = serde_json::json!({"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}});
        let free_form = serde_json::json!({"type": "object", "additionalProperties": true});
        let told = |schema: &serde_json::Value, support| {
            let mut options = RequestOptions::default();
            let output = plan_output(schema, support, &mut options).unwrap();
            (output.plan.told, options.output_schema.is_some(), output.tool.is_some(), output.instructions.is_some())
        };
        assert_eq!(told(&schema, OutputSupport::Native), (Told::Natively, true, false, false));
        assert_eq!(told(&free_form, OutputSupport::Native), (Told::InWords, false, false, true));
        assert_eq!(told(&schema, OutputSupport::ForcedTool), (Told::ByTool, false, true, false));
        assert_eq!(told(&schema, OutputSupport::None), (Told::InWords, false, false, true));
        let bad = plan_output(&serde_json::json!({"type": 5}), OutputSupport::Native, &mut RequestOptions::default());
        assert_eq!(bad.err().unwrap().code, ErrorCode::ProtocolInvalidParams);
    }
}
