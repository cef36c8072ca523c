//! The list of models, for people who choose one.

use std::sync::Arc;

use super::Error;
use super::registry::{Registry, is_simulated, providers};
use crate::config::Settings;
use crate::error::{ErrorCode, UserError};
use crate::models::{ModelInfo, ModelName, PricePerMillion, RemoteModel, Stage, today_and_soon};
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
        let named = params.provider.as_deref();
        if let Some(provider) = named {
            self.provider_named(provider, settings)?;
        }
        let providers = named.map_or_else(|| providers(settings), |provider| vec![provider.to_owned()]);
        let mut notes = Vec::new();
        if params.refresh {
            match named {
                Some(provider) => notes.extend(self.refresh(provider, settings).await?),
                None => notes = self.refresh_all(&providers, settings).await?,
            }
        }
        let (today, soon) = today_and_soon();
        let mut models = Vec::new();
        for provider in &providers {
            let name = |id: &str| format!("{provider}:{id}").parse::<ModelName>().ok();
            let known = self.catalog().list(provider);
            models.extend(known.iter().filter_map(|(id, info)| Some(entry(&name(id)?, info, &today, &soon))));
            let said = self.catalog().said(provider);
            models.extend(said.iter().filter_map(|model| Some(said_entry(&name(&model.id)?, model))));
        }
        Ok(ModelListResult { models, notes })
    }

    /// Asks the providers that there is a credential for. That one of several fails is a note; that none could be asked
    /// is an error.
    async fn refresh_all(&self, providers: &[String], settings: &Settings) -> Result<Vec<String>, UserError> {
        let (mut notes, mut failed, mut answered) = (Vec::new(), Vec::new(), false);
        for name in providers {
            // A server on this machine needs no credential: it is asked when the user has said something of it.
            if self.needs_no_credential(name, settings) && !settings.providers.contains_key(name) {
                continue;
            }
            match self.provider_named(name, settings).and_then(|provider| provider.ready()) {
                Ok(()) => match self.refresh(name, settings).await {
                    Ok(note) => {
                        answered = true;
                        notes.extend(note);
                    }
                    Err(error) => failed.insert(0, error),
                },
                // One that nothing was said of, and that cannot be used without, is not missed.
                Err(error) if error.code == ErrorCode::ConfigInvalid && !settings.providers.contains_key(name) => {}
                Err(error) => failed.push(error),
            }
        }
        let asked = failed.iter().filter(|error| error.code != ErrorCode::AuthMissingKey);
        notes.extend(asked.map(|error| match &error.provider {
            Some(provider) => format!("{provider}: {}", error.message),
            None => error.message.clone(),
        }));
        match failed.into_iter().next() {
            Some(error) if !answered => Err(error),
            _ => Ok(notes),
        }
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
pub(super) fn lists_none(error: &Error) -> bool {
    error.is_not_offered() || error.status == Some(404)
}

fn entry(name: &ModelName, info: &Arc<ModelInfo>, today: &str, soon: &str) -> ModelEntry {
    let lifecycle = &info.lifecycle;
    ModelEntry {
        model: name.to_string(),
        display_name: info.display_name.clone(),
        provider: name.provider().to_owned(),
        context_tokens: Some(info.context),
        max_output_tokens: Some(info.max_output),
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

/// A model of which nothing is known but what its provider said.
fn said_entry(name: &ModelName, said: &RemoteModel) -> ModelEntry {
    let words = |words: &[(String, bool)]| -> Vec<String> {
        words.iter().filter(|(_, taken)| *taken).map(|(word, _)| word.clone()).collect()
    };
    ModelEntry {
        model: name.to_string(),
        display_name: said.display_name.clone(),
        provider: name.provider().to_owned(),
        context_tokens: said.context,
        max_output_tokens: said.max_output,
        thinking: words(&said.thinking.words),
        efforts: words(&said.effort.words),
        default_effort: None,
        price: None,
        lifecycle: match said.stage {
            None | Some(Stage::Active) => ModelLifecycle::Active,
            Some(Stage::Retiring) => ModelLifecycle::Retiring,
            Some(Stage::Retired) => ModelLifecycle::Retired,
        },
        retires: said.retires.clone(),
        successor: None,
        simulated: false,
    }
}
