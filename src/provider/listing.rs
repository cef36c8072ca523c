//! The list of models, for people who choose one.

use std::sync::Arc;

use super::Error;
use super::registry::{PROVIDERS, Registry, is_simulated};
use crate::config::Settings;
use crate::error::UserError;
use crate::models::{ModelInfo, ModelName, PricePerMillion, Stage, today_and_soon};
use crate::protocol::{LongRequestPrice, ModelEntry, ModelLifecycle, ModelListParams, ModelListResult, ModelPrice};

impl Registry {
    /// What is known about models: of one provider, or of all. Providers are asked only for `refresh`; what they say is
    /// kept. One that does not list its models is no failure: what is built in is listed, with a note.
    ///
    /// # Errors
    /// `provider.unknown`; for `refresh`, `auth.missing_key` and what goes wrong between us and the provider.
    pub async fn list_models(
        &self,
        params: &ModelListParams,
        settings: &Settings,
    ) -> Result<ModelListResult, UserError> {
        let providers: Vec<&str> = match params.provider.as_deref() {
            Some(provider) => {
                self.provider_named(provider, settings)?;
                vec![provider]
            }
            None => PROVIDERS.to_vec(),
        };
        let mut notes = Vec::new();
        if params.refresh {
            for provider in &providers {
                notes.extend(self.refresh(provider, settings).await?);
            }
        }
        let (today, soon) = today_and_soon();
        let list = |provider: &&str| {
            let provider = (*provider).to_owned();
            let models = self.catalog().list(&provider);
            models.into_iter().filter_map(move |(id, info)| Some((format!("{provider}:{id}").parse().ok()?, info)))
        };
        let models = providers.iter().flat_map(list).map(|(name, info)| entry(&name, &info, &today, &soon)).collect();
        Ok(ModelListResult { models, notes })
    }

    /// Asks one provider for its models. Gives back what the user should know.
    async fn refresh(&self, name: &str, settings: &Settings) -> Result<Option<String>, UserError> {
        match self.provider_named(name, settings)?.models().await {
            Ok(models) => {
                self.catalog().learn(name, &models);
                Ok(None)
            }
            Err(error) if lists_none(&error) => Ok(Some(format!(
                "{name} does not list its models here ({}); what is built in is shown",
                error.to_user(name).message
            ))),
            Err(error) => Err(error.to_user(name)),
        }
    }
}

/// Gateways answer this in many ways; a 404 can only mean that there is no list.
fn lists_none(error: &Error) -> bool {
    error.is_not_offered() || error.status == Some(404)
}

fn entry(name: &ModelName, info: &Arc<ModelInfo>, today: &str, soon: &str) -> ModelEntry {
    let lifecycle = &info.lifecycle;
    ModelEntry {
        model: name.to_string(),
        display_name: info.display_name.clone(),
        provider: name.provider().to_owned(),
        context_tokens: info.context,
        max_output_tokens: info.max_output,
        thinking: info.thinking.kinds.clone(),
        efforts: info.effort.clone(),
        default_effort: Some(info.default_effort.clone()).filter(|effort| info.effort.contains(effort)),
        price: info.price.as_ref().map(|price| {
            let PricePerMillion { input, output, cache_read } = price.published();
            ModelPrice {
                input_per_million: input,
                output_per_million: output,
                cache_read_per_million: cache_read,
                long_request: price.long().map(|(above_tokens, long)| LongRequestPrice {
                    above_tokens,
                    input_per_million: long.input,
                    output_per_million: long.output,
                    cache_read_per_million: long.cache_read,
                }),
            }
        }),
        lifecycle: match lifecycle.stage(today, soon) {
            Stage::Active => ModelLifecycle::Active,
            Stage::Retiring => ModelLifecycle::Retiring,
            Stage::Retired => ModelLifecycle::Retired,
        },
        retires: lifecycle.retired.clone().or_else(|| lifecycle.retires.clone()),
        successor: lifecycle.successor.as_ref().map(|id| format!("{}:{id}", name.provider())),
        simulated: is_simulated(name),
    }
}
