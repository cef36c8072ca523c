//! Sessions that are kept: finding them, going on with them, and what else is done with them.

use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;

use super::actor::{Actor, Kept};
use super::command::Command;
use super::manager::{Handle, INBOX, SessionManager, now};
use super::scribe::PREFIX;
use super::spent::Spent;
use crate::chat::{Item, SessionId};
use crate::error::{ErrorCode, UserError};
use crate::models::ModelName;
use crate::protocol::{
    DeleteParams, DeleteResult, ExportFormat, ExportParams, ExportResult, ForkParams, ForkResult, ImportParams,
    ImportResult, ListParams, ListResult, RenameParams, RenameResult, SearchHit, SearchParams, SearchResult,
    SessionInfo, SessionStatus,
};
use crate::store::{self, ListQuery, SearchQuery, SessionRecord, Transcript};
use crate::workspace::Root;

/// A kept session as lists show it.
pub(super) fn info(record: SessionRecord) -> SessionInfo {
    SessionInfo {
        session_id: record.session_id,
        title: record.title,
        model: record.model,
        simulated: record.simulated,
        workspace_uri: record.workspace_uri,
        status: if record.running { SessionStatus::Running } else { SessionStatus::Idle },
        turns: record.turns,
        created_at: record.created_at,
        updated_at: record.updated_at,
    }
}

fn invalid_cursor() -> UserError {
    UserError::new(ErrorCode::ProtocolInvalidParams, "cursor is not one that was given")
        .with_hint("pass nextCursor of the result before, or nothing")
}

impl SessionManager {
    /// The session: one that is open, or one that is kept and is opened now.
    ///
    /// # Errors
    /// `session.not_found`, `session.in_use`, `store.failed`.
    pub(super) async fn reopen(&self, id: &SessionId) -> Result<Arc<Handle>, UserError> {
        if let Some(handle) = self.opened(id) {
            return Ok(handle);
        }
        let store = self.shared().store().await?;
        store.take(id, now()).await?;
        let transcript = store.load(id).await?;
        // Another request may have opened it meanwhile.
        if let Some(handle) = self.opened(id) {
            return Ok(handle);
        }
        self.revive(transcript)
    }

    fn revive(&self, transcript: Transcript) -> Result<Arc<Handle>, UserError> {
        let model: ModelName = transcript.session.model.parse()?;
        let spent = transcript.turns.iter().map(|turn| turn.spent).chain(transcript.expenses.iter().copied());
        let prefix = transcript.values.get(PREFIX).and_then(|text| serde_json::from_str(text).ok());
        let kept = Kept {
            prefix,
            spent: Spent::of(spent),
            history: transcript.messages,
            items: transcript.items,
            is_stored: true,
        };
        let session = SessionInfo { status: SessionStatus::Idle, ..info(transcript.session) };
        let root = session.workspace_uri.as_ref().and_then(|uri| Root::new(uri.as_str()).path);
        let id = session.session_id.clone();
        let (inbox, receiver) = mpsc::channel(INBOX);
        let info = Arc::new(Mutex::new(session));
        let actor = Actor::new(self.shared_arc(), receiver, info.clone(), model, root.clone(), kept);
        let handle = Arc::new(Handle { inbox, info, root });
        tokio::spawn(actor.run());
        self.add(id, handle.clone());
        Ok(handle)
    }

    /// The sessions, the one made last first: those that are kept, and open ones that had no prompt yet.
    ///
    /// # Errors
    /// `protocol.invalid_params` for a cursor that is none, `store.failed`.
    pub async fn list(&self, params: &ListParams) -> Result<ListResult, UserError> {
        let before = match params.cursor.as_deref() {
            None => None,
            Some(cursor) if cursor.starts_with("ses_") => {
                let id = serde_json::from_value::<SessionId>(serde_json::Value::String(cursor.to_owned()));
                Some(id.map_err(|_| invalid_cursor())?)
            }
            Some(_) => return Err(invalid_cursor()),
        };
        let limit = params.limit.unwrap_or(100).clamp(1, 1_000);
        let query = ListQuery {
            workspace_uri: params.workspace_uri.clone(),
            text: params.text.clone().filter(|text| !text.trim().is_empty()),
            limit,
            before: before.clone(),
        };
        let searched = query.text.is_some();
        let page = self.shared().store().await?.list(query).await?;
        let mut sessions: Vec<SessionInfo> = page.sessions.into_iter().map(info).collect();
        // What runs here is known better here.
        for session in &mut sessions {
            if let Some(open) = self.opened(&session.session_id) {
                *session = open.info();
            }
        }
        let last = sessions.last().map(|session| session.session_id.clone()).filter(|_| page.more);
        let new = self.unprompted().into_iter().filter(|session| {
            let in_place = params.workspace_uri.is_none() || session.workspace_uri == params.workspace_uri;
            let in_page = before.as_ref().is_none_or(|before| session.session_id < *before)
                && last.as_ref().is_none_or(|last| session.session_id > *last);
            in_place && in_page && !searched
        });
        sessions.extend(new);
        // Ids sort by the time of making.
        sessions.sort_unstable_by(|a, b| b.session_id.cmp(&a.session_id));
        let more = page.more || sessions.len() > limit as usize;
        sessions.truncate(limit as usize);
        let next_cursor = sessions.last().filter(|_| more).map(|session| session.session_id.to_string());
        Ok(ListResult { sessions, next_cursor })
    }

    /// The items of a session that another server runs.
    ///
    /// # Errors
    /// `session.not_found`, `store.failed`.
    pub(super) async fn seen_from_outside(&self, id: &SessionId) -> Result<(SessionInfo, Vec<Item>), UserError> {
        let transcript = self.shared().store().await?.load(id).await?;
        let items = transcript.items.into_iter().chain(transcript.running).collect();
        Ok((info(transcript.session), items))
    }

    /// Gives a session another title.
    ///
    /// # Errors
    /// `session.not_found`, `session.in_use`, `store.failed`, `protocol.invalid_params` for an empty title.
    pub async fn rename(&self, params: RenameParams) -> Result<RenameResult, UserError> {
        let title = params.title.trim().to_owned();
        if title.is_empty() {
            return Err(UserError::new(ErrorCode::ProtocolInvalidParams, "title is empty"));
        }
        let handle = self.reopen(&params.session_id).await?;
        let mut session = handle.info();
        if session.turns > 0 {
            self.shared().store().await?.change(&params.session_id, Some(title.clone()), None).await?;
        }
        handle.send(Command::Rename { title: title.clone() })?;
        session.title = title;
        self.shared().outbox.session_changed(session.clone());
        Ok(RenameResult { session })
    }

    /// Deletes a session for good.
    ///
    /// # Errors
    /// `session.not_found`, `session.in_use`, `store.failed`.
    pub async fn delete(&self, params: DeleteParams) -> Result<DeleteResult, UserError> {
        let handle = self.reopen(&params.session_id).await?;
        let was_kept = handle.info().turns > 0;
        self.close_handle(&params.session_id, &handle).await?;
        if was_kept {
            self.shared().store().await?.delete(&params.session_id).await?;
        }
        Ok(DeleteResult {})
    }

    /// Copies a session up to one of its turns.
    ///
    /// # Errors
    /// `session.not_found`, `store.failed`.
    pub async fn fork(&self, params: ForkParams) -> Result<ForkResult, UserError> {
        let store = self.shared().store().await?;
        let source = store.session(&params.session_id).await?;
        let at = now();
        let new = SessionRecord {
            session_id: SessionId::generate(),
            title: params.title.filter(|title| !title.trim().is_empty()).unwrap_or(source.title.clone()),
            created_at: at,
            updated_at: at,
            ..source
        };
        let made = store.fork(&params.session_id, params.turn_id, new).await?;
        Ok(ForkResult { session: info(made) })
    }

    /// Writes a session as text.
    ///
    /// # Errors
    /// `session.not_found`, `store.failed`.
    pub async fn export(&self, params: ExportParams) -> Result<ExportResult, UserError> {
        let transcript = self.shared().store().await?.load(&params.session_id).await?;
        let text = match params.format {
            ExportFormat::Markdown => store::to_markdown(&transcript),
            ExportFormat::Json => store::to_json(&transcript)?,
        };
        Ok(ExportResult { text })
    }

    /// Adds a session that was exported.
    ///
    /// # Errors
    /// `protocol.invalid_params` for what was not exported here, `store.failed`.
    pub async fn import(&self, params: ImportParams) -> Result<ImportResult, UserError> {
        let transcript = store::from_json(&params.text)?;
        let made = self.shared().store().await?.import(transcript, now()).await?;
        Ok(ImportResult { session: info(made) })
    }

    /// Finds where something was said.
    ///
    /// # Errors
    /// `protocol.invalid_params` for a cursor that is none, `store.failed`.
    pub async fn search(&self, params: SearchParams) -> Result<SearchResult, UserError> {
        let cursor = params.cursor.as_deref().map(str::parse).transpose().map_err(|_| invalid_cursor())?;
        let limit = params.limit.unwrap_or(50).clamp(1, 1_000);
        let query = SearchQuery { text: params.text, workspace_uri: params.workspace_uri, limit, cursor };
        let page = self.shared().store().await?.search(query).await?;
        let hits = page.hits.into_iter().map(|hit| SearchHit {
            session: info(hit.session),
            item_id: hit.item_id,
            excerpt: hit.excerpt,
        });
        Ok(SearchResult { hits: hits.collect(), next_cursor: page.next.map(|next| next.to_string()) })
    }

    /// The session used last in a workspace folder.
    ///
    /// # Errors
    /// `store.failed`.
    pub async fn latest(&self, workspace_uri: Option<String>) -> Result<Option<SessionInfo>, UserError> {
        Ok(self.shared().store().await?.latest(workspace_uri).await?.map(info))
    }
}

#[cfg(test)]
mod tests {
    use super::super::actor::record;
    use super::*;

    #[test]
    fn a_session_comes_back_as_it_was_kept() {
        let session = SessionInfo {
            session_id: SessionId::generate(),
            title: "t".into(),
            model: "sim:x".into(),
            simulated: true,
            workspace_uri: Some("file:///p".into()),
            status: SessionStatus::Idle,
            turns: 0,
            created_at: 1,
            updated_at: 2,
        };
        assert_eq!(info(record(&session)), session);
    }
}
