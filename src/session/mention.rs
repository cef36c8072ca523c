//! What can be mentioned: files and sessions, found by what was typed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dashmap::DashMap;

use super::manager::SessionManager;
use crate::error::UserError;
use crate::protocol::{ContextHit, ContextKind, ContextSearchParams, ContextSearchResult, ListParams, SessionInfo};
use crate::workspace::{FileIndex, Files, Hit, Root, file_uri, is_secret};

/// How old the list of a folder's files may be.
const FRESH: Duration = Duration::from_secs(2);
/// A folder that takes long to read is read less often: reading takes at most one part in so many of the time.
const PAUSE: u32 = 10;

/// The files of the workspace folders, by folder.
pub(super) type Folders = DashMap<PathBuf, Arc<Folder>>;

/// The files of one folder, read anew in the background when they are asked for and old.
#[derive(Debug, Default)]
pub(super) struct Folder {
    files: Files,
    reading: Mutex<Reading>,
}

#[derive(Debug, Default)]
struct Reading {
    goes_on: bool,
    /// When the last one ended, and how long it took.
    last: Option<(Instant, Duration)>,
}

impl Folder {
    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files as they are known now; nothing before they were read. Sees to it that they are read when they are old.
    fn known(self: &Arc<Self>, path: PathBuf) -> Option<Arc<FileIndex>> {
        let mut reading = self.reading();
        let is_old = reading.last.is_none_or(|(at, took)| at.elapsed() > FRESH.max(took * PAUSE));
        if is_old && !reading.goes_on {
            reading.goes_on = true;
            let folder = self.clone();
            tokio::spawn(async move {
                let began = Instant::now();
                folder.files.refresh(vec![path]).await;
                *folder.reading() = Reading { goes_on: false, last: Some((Instant::now(), began.elapsed())) };
            });
        }
        reading.last.map(|_| self.files.current())
    }
}

impl SessionManager {
    /// Finds files and sessions. Never waits for files to be read: what is known now is searched.
    ///
    /// # Errors
    /// `store.failed`.
    pub async fn search_context(&self, mut params: ContextSearchParams) -> Result<ContextSearchResult, UserError> {
        params.workspace_uri = params.workspace_uri.map(|uri| self.as_opened(uri));
        let limit = params.limit.unwrap_or(50).clamp(1, 500);
        let wants = |kind: ContextKind| params.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind));
        let mut result = ContextSearchResult { hits: Vec::new(), indexing: false };
        if wants(ContextKind::File) {
            self.find_files(&params, limit as usize, &mut result).await;
        }
        if wants(ContextKind::Session) {
            let sessions = self.find_sessions(params, limit).await?;
            result.hits.extend(sessions.into_iter().map(|session| ContextHit::Session { session }));
        }
        Ok(result)
    }

    /// The folder at `uri` as the editor spelt it when it opened it.
    fn as_opened(&self, uri: String) -> String {
        let wanted = Root::new(uri);
        let roots = self.shared().workspace.roots.all();
        let open = roots.iter().find(|root| root.path.is_some() && root.path == wanted.path);
        open.map_or(wanted.uri, |root| root.uri.clone())
    }

    async fn find_files(&self, params: &ContextSearchParams, limit: usize, result: &mut ContextSearchResult) {
        let roots = self.shared().workspace.roots.all();
        let folders = &self.shared().folders;
        folders.retain(|path, _| roots.iter().any(|root| root.path.as_ref() == Some(path)));
        let is_wanted = |root: &&Root| params.workspace_uri.as_ref().is_none_or(|wanted| *wanted == root.uri);
        let mut indexes = Vec::new();
        for root in roots.iter().filter(is_wanted) {
            let Some(path) = root.path.clone() else { continue };
            let folder = folders.entry(path.clone()).or_default().clone();
            match folder.known(path) {
                Some(index) => indexes.push((root.uri.clone(), index)),
                None => result.indexing = true,
            }
        }
        let query = params.query.clone();
        // Not on the thread that streams answers.
        let found = tokio::task::spawn_blocking(move || search(&indexes, &query, limit)).await;
        result.hits.extend(found.unwrap_or_default());
    }

    /// Sessions that have what was typed, those that have it in their title first.
    async fn find_sessions(&self, params: ContextSearchParams, limit: u32) -> Result<Vec<SessionInfo>, UserError> {
        let words: Vec<String> = params.query.split_whitespace().map(str::to_lowercase).collect();
        let ContextSearchParams { query, workspace_uri, .. } = params;
        let list = ListParams { workspace_uri, text: Some(query), limit: Some(limit), cursor: None };
        let mut sessions = self.list(&list).await?.sessions;
        // One in which nothing was said has nothing to mention.
        sessions.retain(|session| session.turns > 0);
        sessions.sort_by_key(|session| {
            let title = session.title.to_lowercase();
            !words.iter().all(|word| title.contains(word))
        });
        Ok(sessions)
    }
}

/// The best files of all folders. One that would not be read is not offered.
fn search(indexes: &[(String, Arc<FileIndex>)], query: &str, limit: usize) -> Vec<ContextHit> {
    let mut found: Vec<(&String, Hit)> = Vec::new();
    for (uri, index) in indexes {
        found.extend(index.search(query, 2 * limit).into_iter().map(|hit| (uri, hit)));
    }
    found.retain(|(_, hit)| !is_secret(hit.path.as_ref()));
    // What fits as well stays in the order of the folders.
    found.sort_by_key(|(_, hit)| std::cmp::Reverse(hit.score));
    found.truncate(limit);
    let hit = |(workspace_uri, hit): (&String, Hit)| {
        let uri = file_uri(&hit.root.join(&hit.path))?;
        Some(ContextHit::File { uri, path: hit.path, workspace_uri: workspace_uri.clone() })
    };
    found.into_iter().filter_map(hit).collect()
}
