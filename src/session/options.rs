//! From settings and a prompt's own options to what is asked of the model.

use crate::config::Settings;
use crate::error::{ErrorCode, UserError};
use crate::protocol::PromptOptions;
use crate::provider::{AnthropicOptions, ApiVersion, ParallelTools, RequestOptions};

/// What is asked of the model in one turn.
///
/// # Errors
/// `config.invalid` for an API version that there is not.
pub(super) fn request_options(settings: &Settings, prompt: &PromptOptions) -> Result<RequestOptions, UserError> {
    let version = &settings.anthropic_version.value;
    let version = ApiVersion::parse(version).ok_or_else(|| {
        UserError::new(ErrorCode::ConfigInvalid, format!("anthropic.version {version:?} is not known"))
            .with_hint("set it to 2026-10-21 or 2023-06-01")
    })?;
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
        sampling: settings.sampling.value,
        cache: settings.prompt_cache.value.then_some(settings.prompt_cache_ttl.value),
        anthropic: AnthropicOptions {
            version,
            betas: settings.anthropic_betas.value.clone(),
            service_tier: settings.anthropic_service_tier.value.clone(),
            user_id: settings.anthropic_user_id.value.clone(),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{CacheTtl, Effort};
    use crate::config::{Layer, Source};

    #[test]
    fn a_prompts_own_options_come_first() {
        let layer = Layer { effort: Some(Some(Effort::Low)), prompt_cache: Some(false), ..Layer::default() };
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
        let layer = Layer { anthropic_version: Some("2020-01-01".into()), ..Layer::default() };
        let settings = Settings::resolve(&[(Source::Editor, &layer)]);
        let error = request_options(&settings, &PromptOptions::default()).unwrap_err();
        assert_eq!(error.code, ErrorCode::ConfigInvalid);
    }
}
