//! The sessions there are, and the way to their inboxes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use dashmap::DashMap;
use tokio::sync::{mpsc, oneshot};

use super::actor::{Actor, Kept};
use super::command::{Command, Prompt, Reply, Used};
use super::shared::Shared;
use crate::chat::{ContentBlock, SessionId};
use crate::error::{ErrorCode, UserError};
use crate::models::{ModelName, cost};
use crate::protocol::{
    CancelParams, CancelResult, CloseParams, CloseResult, LoadParams, LoadResult, NewParams, NewResult, PromptParams,
    PromptRefreshParams, PromptRefreshResult, PromptResult, PromptShowParams, PromptShowResult, SessionInfo,
    SessionStatus, SessionUsageParams, SessionUsageResult, StreamToken, WarmParams, WarmResult,
};
use crate::provider::is_simulated;
use crate::workspace::Root;

/// How many sessions are held at once.
const MAX_SESSIONS: usize = 1_000;
/// How many messages wait in a session's inbox.
pub(super) const INBOX: usize = 64;

/// The sessions. Every call puts its message into the session's inbox before it first waits, so the order of calls is
/// the order in which sessions see them.
#[derive(Debug)]
pub struct SessionManager {
    shared: Arc<Shared>,
    sessions: DashMap<SessionId, Arc<Handle>>,
}

#[derive(Debug)]
pub(super) struct Handle {
    pub(super) inbox: mpsc::Sender<Command>,
    pub(super) info: Arc<Mutex<SessionInfo>>,
    pub(super) root: Option<PathBuf>,
}

impl Handle {
    pub(super) fn info(&self) -> SessionInfo {
        self.info.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn send(&self, command: Command) -> Result<(), UserError> {
        self.inbox.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                UserError::new(ErrorCode::ServerBusy, "the session has too many requests waiting")
                    .with_hint("send it again in a moment")
            }
            mpsc::error::TrySendError::Closed(_) => closed(),
        })
    }
}

fn closed() -> UserError {
    UserError::new(ErrorCode::SessionClosed, "the session was closed")
}

impl SessionManager {
    /// No sessions yet.
    pub fn new(shared: Shared) -> Self {
        Self { shared: Arc::new(shared), sessions: DashMap::new() }
    }

    /// What all sessions share.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Makes a session. Nothing is sent anywhere.
    ///
    /// # Errors
    /// `model.invalid`, `provider.unknown`, `model.not_configured`, `session.limit`.
    pub async fn create(&self, params: NewParams) -> Result<NewResult, UserError> {
        if self.sessions.len() >= MAX_SESSIONS {
            return Err(UserError::new(ErrorCode::SessionLimit, format!("{MAX_SESSIONS} sessions are open"))
                .with_hint("close sessions that are no longer needed"));
        }
        let root = match params.workspace_uri {
            Some(uri) => Some(Root::new(uri)),
            None => self.shared.workspace.roots.all().first().cloned(),
        };
        let path = root.as_ref().and_then(|root| root.path.clone());
        let settings = self.shared.settings(path.as_deref());
        let model: ModelName = match params.model.as_ref().or(settings.model.value.as_ref()) {
            Some(name) => name.parse()?,
            None => self.shared.registry.default_model(&settings).await?,
        };
        self.shared.registry.provider(&model, &settings)?;
        let created_at = now();
        let session = SessionInfo {
            session_id: SessionId::generate(),
            title: params.title.unwrap_or_default(),
            model: model.to_string(),
            simulated: is_simulated(&model),
            workspace_uri: root.as_ref().map(|root| root.uri.clone()),
            status: SessionStatus::Idle,
            turns: 0,
            created_at,
            updated_at: created_at,
        };
        let (inbox, receiver) = mpsc::channel(INBOX);
        let info = Arc::new(Mutex::new(session.clone()));
        let actor = Actor::new(self.shared.clone(), receiver, info.clone(), model, path.clone(), Kept::default());
        tokio::spawn(actor.run());
        self.sessions.insert(session.session_id.clone(), Arc::new(Handle { inbox, info, root: path }));
        Ok(NewResult { session })
    }

    /// Begins a turn.
    ///
    /// # Errors
    /// `session.not_found`, `session.empty_prompt`, `session.unsupported_content`, `session.busy`, `server.busy`, and
    /// what is wrong with the model.
    pub async fn prompt(&self, params: PromptParams) -> Result<PromptResult, UserError> {
        check(&params.content)?;
        let model = params.model.map(|name| name.parse()).transpose()?;
        let handle = self.handle(&params.session_id).await?;
        let prompt = Box::new(Prompt {
            content: params.content,
            stream_token: params.stream_token,
            model,
            options: params.options.unwrap_or_default(),
            context: params.context,
        });
        let turn_id = ask(&handle, |reply| Command::Prompt { prompt, reply })?.await?;
        Ok(PromptResult { turn_id })
    }

    /// Stops a turn.
    ///
    /// # Errors
    /// `session.not_found`, `server.busy`.
    pub async fn cancel(&self, params: CancelParams) -> Result<CancelResult, UserError> {
        let handle = self.handle(&params.session_id).await?;
        let cancelled = ask(&handle, |reply| Command::Cancel { turn_id: params.turn_id, reply })?.await?;
        Ok(CancelResult { cancelled })
    }

    /// Stops the turn that streams with `token`, if there is one.
    pub fn cancel_stream(&self, token: &StreamToken) {
        for entry in &self.sessions {
            // A full inbox belongs to a session that is being asked a lot; its user can cancel by request.
            let _ = entry.value().send(Command::CancelStream { stream_token: token.clone() });
        }
    }

    /// All of a session, and from now on its running turn's updates.
    ///
    /// # Errors
    /// `session.not_found`, `server.busy`, `protocol.invalid_params` for a token in use.
    pub async fn load(&self, params: LoadParams) -> Result<LoadResult, UserError> {
        match self.handle(&params.session_id).await {
            Ok(handle) => ask(&handle, |reply| Command::Load { stream_token: params.stream_token, reply })?.await,
            // It can be read, only not gone on with.
            Err(error) if error.code == ErrorCode::SessionInUse => {
                let (session, items) = self.seen_from_outside(&params.session_id).await?;
                Ok(LoadResult { session, items, running: None })
            }
            Err(error) => Err(error),
        }
    }

    /// What a session used. With `count`, the provider counts its conversation.
    ///
    /// # Errors
    /// `session.not_found`, `server.busy`; with `count`, `auth.missing_key` and what goes wrong between us and the
    /// provider.
    pub async fn usage(&self, params: SessionUsageParams) -> Result<SessionUsageResult, UserError> {
        let handle = self.handle(&params.session_id).await?;
        let Used { mut result, to_count } =
            ask(&handle, |reply| Command::Usage { count: params.count, reply })?.await?;
        if let Some(request) = to_count {
            let provider =
                self.shared.registry.provider(&request.model, &self.shared.settings(handle.root.as_deref()))?;
            let name = request.model.clone();
            let counted = provider.count_tokens(*request).await;
            result.counted = counted.map_err(|error| error.to_user(name.provider()))?;
        }
        Ok(result)
    }

    /// Has the provider cache the session's tools and system prompt, so that its first answer begins sooner.
    ///
    /// # Errors
    /// `session.not_found`, `server.busy`, `auth.missing_key`, and what goes wrong between us and the provider.
    pub async fn warm(&self, params: WarmParams) -> Result<WarmResult, UserError> {
        let handle = self.handle(&params.session_id).await?;
        let request = ask(&handle, |reply| Command::Warm { reply })?.await?;
        let model = request.model.clone();
        let provider = self.shared.registry.provider(&model, &self.shared.settings(handle.root.as_deref()))?;
        let usage = provider.warm(*request).await.map_err(|error| error.to_user(model.provider()))?;
        let price = self.shared.registry.price(&model);
        let cost = usage.as_ref().and_then(|usage| Some(cost(price.as_ref()?, usage)));
        if let Some(usage) = usage {
            // A session that was closed meanwhile has no sum any more.
            let _ = handle.send(Command::Spent { usage, cost });
        }
        Ok(WarmResult { usage, cost })
    }

    /// A session's system prompt, and what of the project changed since it was made.
    ///
    /// # Errors
    /// `session.not_found`, `session.in_use`, `store.failed`.
    pub async fn show_prompt(&self, params: PromptShowParams) -> Result<PromptShowResult, UserError> {
        let handle = self.handle(&params.session_id).await?;
        ask(&handle, |reply| Command::ShowPrompt { reply })?.await
    }

    /// Makes a session's system prompt anew, of the project as it is now.
    ///
    /// # Errors
    /// `session.not_found`, `session.busy`, `session.in_use`, `store.failed`.
    pub async fn refresh_prompt(&self, params: PromptRefreshParams) -> Result<PromptRefreshResult, UserError> {
        let handle = self.handle(&params.session_id).await?;
        ask(&handle, |reply| Command::RefreshPrompt { reply })?.await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// `session.not_found`, `server.busy`.
    pub async fn close(&self, params: CloseParams) -> Result<CloseResult, UserError> {
        let Some(handle) = self.opened(&params.session_id) else {
            // One that is kept and not open is closed; one that is neither is told.
            self.shared.store().await?.session(&params.session_id).await?;
            return Ok(CloseResult {});
        };
        self.close_handle(&params.session_id, &handle).await?;
        Ok(CloseResult {})
    }

    /// Ends all sessions.
    pub async fn close_all(&self) {
        let ids: Vec<SessionId> = self.sessions.iter().map(|entry| entry.key().clone()).collect();
        let closing = ids.into_iter().map(|session_id| self.close(CloseParams { session_id }));
        // One that is gone already is what is wanted.
        drop(futures_util::future::join_all(closing).await);
    }

    /// The session, which is opened when it is only kept. One that is open is found before anything is waited for.
    async fn handle(&self, id: &SessionId) -> Result<Arc<Handle>, UserError> {
        match self.opened(id) {
            Some(handle) => Ok(handle),
            None => self.reopen(id).await,
        }
    }

    /// The session, if it is open.
    pub(super) fn opened(&self, id: &SessionId) -> Option<Arc<Handle>> {
        self.sessions.get(id).map(|entry| entry.clone())
    }

    pub(super) fn add(&self, id: SessionId, handle: Arc<Handle>) {
        self.sessions.insert(id, handle);
    }

    pub(super) fn shared_arc(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// The open sessions that had no prompt yet, and so are not kept.
    pub(super) fn unprompted(&self) -> Vec<SessionInfo> {
        self.sessions.iter().map(|entry| entry.value().info()).filter(|info| info.turns == 0).collect()
    }

    /// Ends an open session.
    pub(super) async fn close_handle(&self, id: &SessionId, handle: &Handle) -> Result<(), UserError> {
        let closed = ask(handle, |reply| Command::Close { reply })?;
        self.sessions.remove(id);
        closed.await
    }
}

/// Sends a command at once and gives back the wait for its answer.
fn ask<T, F: FnOnce(Reply<T>) -> Command>(
    handle: &Handle,
    command: F,
) -> Result<impl Future<Output = Result<T, UserError>> + use<T, F>, UserError> {
    let (reply, answer) = oneshot::channel();
    handle.send(command(reply))?;
    Ok(async move { answer.await.unwrap_or_else(|_| Err(closed())) })
}

fn check(content: &[ContentBlock]) -> Result<(), UserError> {
    if let Some(at) = content.iter().position(|block| *block == ContentBlock::Unknown) {
        let message = format!("content[{at}] is of a type that is not supported");
        return Err(UserError::new(ErrorCode::SessionUnsupportedContent, message)
            .with_hint("the types are: text, image, document"));
    }
    let says_nothing = |block: &ContentBlock| block.as_text().is_some_and(|text| text.trim().is_empty());
    if content.iter().all(says_nothing) {
        return Err(UserError::new(ErrorCode::SessionEmptyPrompt, "the prompt is empty")
            .with_hint("send at least one content block with text"));
    }
    Ok(())
}

/// Milliseconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as u64)
}
