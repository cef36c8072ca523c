//! What a session's actor answers without changing the conversation.

use std::sync::Arc;

use super::actor::Actor;
use super::command::Used;
use super::options::request_options;
use super::prefix::{self, Drift};
use super::running::MAX_STREAMS;
use crate::chat::{Message, Role};
use crate::error::{ErrorCode, UserError};
use crate::prompt::Prefix;
use crate::protocol::{
    LoadResult, PromptOptions, PromptRefreshResult, PromptShowResult, RunningTurn as RunningInfo, SessionUsageResult,
    StreamToken,
};
use crate::provider::{CompletionRequest, is_simulated};

impl Actor {
    pub(super) fn load(&mut self, token: Option<StreamToken>) -> Result<LoadResult, UserError> {
        let mut items = self.items.clone();
        let (mut running, mut joining) = (None, None);
        if let Some(turn) = &self.turn {
            items.extend(turn.running_items());
            let streaming = token.is_some();
            if let Some(token) = token {
                if turn.streams() >= MAX_STREAMS {
                    let message = format!("the turn streams with {MAX_STREAMS} tokens already");
                    return Err(UserError::new(ErrorCode::ServerBusy, message));
                }
                let sender = self.shared.outbox.open(token.clone())?;
                sender.push(self.turn_begins(&turn.turn_id, &turn.asked.model));
                joining = Some((token, sender));
            }
            running = Some(RunningInfo { turn_id: turn.turn_id.clone(), streaming });
        }
        if let (Some(turn), Some((token, sender))) = (&mut self.turn, joining) {
            turn.add_stream(token, sender);
        }
        Ok(LoadResult { session: self.with_info(|info| info.clone()), items, running })
    }

    /// What was used so far, the running turn included.
    pub(super) fn usage(&self, count: bool) -> Result<Used, UserError> {
        let mut spent = self.spent;
        if let Some(turn) = &self.turn {
            spent.add(turn.spent(), is_simulated(&turn.asked.model));
        }
        let result = SessionUsageResult {
            usage: spent.usage(),
            cost: spent.cost(),
            turns: self.with_info(|info| info.turns),
            last_request: spent.last_request(),
            context_window: self.shared.registry.catalog().model(&self.model).map(|model| model.context),
            counted: None,
        };
        let to_count = if count { self.to_count()? } else { None };
        Ok(Used { result, to_count })
    }

    /// The conversation as a request whose tokens can be counted: up to the last message that is not the model's, since
    /// models refuse a conversation that ends with their own words. `None` before the first prompt.
    fn to_count(&self) -> Result<Option<Box<CompletionRequest>>, UserError> {
        let mut request = self.request_of(Vec::new())?;
        let Some(last) = self.history.iter().rposition(|message| message.role == Role::User) else { return Ok(None) };
        request.messages = self.history[..=last].to_vec();
        Ok(Some(Box::new(request)))
    }

    /// A request of the session with these messages, outside a turn.
    pub(super) fn request_of(&self, messages: Vec<Arc<Message>>) -> Result<CompletionRequest, UserError> {
        let settings = self.shared.settings(self.root.as_deref());
        self.shared.registry.provider(&self.model, &settings)?.ready()?;
        let (options, tools) = match &self.turn {
            Some(turn) => (turn.asked.options.clone(), turn.asked.tools.clone()),
            None => (Arc::new(request_options(&settings, &PromptOptions::default())?), self.shared.tools.specs()),
        };
        Ok(CompletionRequest {
            model: self.model.clone(),
            system: self.system.clone(),
            tools,
            messages,
            max_output_tokens: settings.max_output_tokens.value,
            options,
        })
    }

    pub(super) fn has_prefix(&mut self, prefix: Prefix) {
        self.system = prefix.texts();
        self.prefix = Some(prefix);
    }

    /// What of the project changed since the model was last told.
    pub(super) async fn look_again(&mut self) -> Option<Drift> {
        let drift = prefix::look_again(&self.shared, self.root.as_ref(), self.prefix.as_mut()?).await?;
        self.scribe.prefix(self.prefix.as_ref());
        Some(drift)
    }

    pub(super) async fn refresh_prompt(&mut self) -> PromptRefreshResult {
        let before = self.prefix.as_ref().map(|prefix| prefix.fingerprint.clone());
        let prefix = prefix::new_prefix(&self.shared, self.root.as_ref()).await;
        let fingerprint = prefix.fingerprint.clone();
        self.has_prefix(prefix);
        self.scribe.prefix(self.prefix.as_ref());
        PromptRefreshResult { changed: before.as_ref() != Some(&fingerprint), fingerprint }
    }

    pub(super) async fn show_prompt(&mut self) -> PromptShowResult {
        let mut prefix = self.prefix.clone().unwrap_or_default();
        // Only looked at: the model is told with the next prompt.
        let drift = prefix::look_again(&self.shared, self.root.as_ref(), &mut prefix).await;
        prefix::show(&prefix, drift.map(|drift| drift.paths).unwrap_or_default())
    }
}
