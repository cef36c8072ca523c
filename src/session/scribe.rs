//! The way of a session to the disk: one task, which writes in the order in which the actor says.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::shared::Shared;
use crate::chat::{SessionId, TurnId};
use crate::error::UserError;
use crate::prompt::Prefix;
use crate::store::{Checkpoint, Entries, SessionRecord, Spending, Store, TurnFinish, TurnStart};

/// How much may wait to be written. What does not fit waits in the actor.
const WAITING: usize = 256;

/// What is to be written.
#[derive(Debug)]
enum Note {
    /// A turn begins; `record` and `prefix` are the session and its system prompt, for one that is not kept yet.
    Begin {
        record: Box<SessionRecord>,
        prefix: String,
        start: Box<TurnStart>,
        kept: oneshot::Sender<Result<(), UserError>>,
    },
    Append(Entries),
    Checkpoint(Checkpoint),
    End(Box<TurnFinish>),
    Spent(Box<Spending>),
    Prefix(String),
    /// Other servers may write the session; all that was said before is written when it is answered.
    Release(oneshot::Sender<()>),
}

/// The actor's end.
#[derive(Debug)]
pub(super) struct Scribe {
    shared: Arc<Shared>,
    session: SessionId,
    /// Whether the session is in the store, or on its way there.
    is_kept: bool,
    notes: Option<mpsc::Sender<Note>>,
    failures: (mpsc::Sender<UserError>, mpsc::Receiver<UserError>),
    /// What is not handed over yet.
    pending: Entries,
    /// The turn that runs, once its beginning was handed over.
    turn: Option<TurnId>,
}

impl Scribe {
    /// For a session that is in the store already, or will be with its first prompt.
    pub(super) fn new(shared: Arc<Shared>, session: SessionId, is_kept: bool) -> Self {
        let (pending, failures) = (Entries::default(), mpsc::channel(1));
        Self { shared, session, is_kept, notes: None, failures, pending, turn: None }
    }

    /// More of the conversation.
    pub(super) fn message(&mut self, message: Arc<crate::chat::Message>) {
        self.pending.messages.push(message);
    }

    /// A completed item.
    pub(super) fn item(&mut self, item: crate::chat::Item) {
        self.pending.items.push(item);
    }

    /// Whether the turn that runs was begun here already.
    pub(super) fn has_begun(&self, turn: &TurnId) -> bool {
        self.turn.as_ref() == Some(turn)
    }

    /// A turn begins with what was said so far. The answer comes when it is on the disk: only then a request may leave.
    pub(super) fn begin(
        &mut self,
        record: SessionRecord,
        prefix: String,
        turn: (TurnId, bool),
        at: u64,
    ) -> oneshot::Receiver<Result<(), UserError>> {
        let (kept, answer) = oneshot::channel();
        let (turn_id, simulated) = turn;
        let start = Box::new(TurnStart {
            turn_id: turn_id.clone(),
            model: record.model.clone(),
            simulated,
            title: record.title.clone(),
            entries: std::mem::take(&mut self.pending),
            at,
        });
        let record = Box::new(record);
        self.turn = Some(turn_id);
        // A full queue drops `kept`, which refuses the turn: nothing is lost.
        let _ = self.notes().try_send(Note::Begin { record, prefix, start, kept });
        self.is_kept = true;
        answer
    }

    /// Hands over what was said since the last time. What finds no place stays for the next time.
    pub(super) fn flush(&mut self) {
        if self.turn.is_none() || (self.pending.messages.is_empty() && self.pending.items.is_empty()) {
            return;
        }
        let notes = self.notes().clone();
        if let Ok(place) = notes.try_reserve() {
            place.send(Note::Append(std::mem::take(&mut self.pending)));
        }
    }

    /// What still grows, as it is now. When there is no place, the next one will do.
    pub(super) fn checkpoint(&mut self, checkpoint: Checkpoint) {
        let _ = self.notes().try_send(Note::Checkpoint(checkpoint));
    }

    /// The turn ended.
    pub(super) fn end(&mut self, mut finish: TurnFinish) {
        if self.turn.take().is_none() {
            self.pending = Entries::default();
            return;
        }
        finish.entries = std::mem::take(&mut self.pending);
        self.surely(Note::End(Box::new(finish)));
    }

    /// Hands over what must not be lost: if there is no place now, then when there is one.
    fn surely(&mut self, note: Note) {
        let notes = self.notes().clone();
        if let Err(mpsc::error::TrySendError::Full(note)) = notes.try_send(note) {
            tokio::spawn(async move { notes.send(note).await });
        }
    }

    /// The session has another system prompt, or another part of it was told.
    pub(super) fn prefix(&mut self, prefix: Option<&Prefix>) {
        if self.is_kept
            && let Ok(text) = serde_json::to_string(&prefix)
        {
            let _ = self.notes().try_send(Note::Prefix(text));
        }
    }

    /// Something was used outside a turn.
    pub(super) fn spent(&mut self, spent: Spending) {
        if self.is_kept {
            let _ = self.notes().try_send(Note::Spent(Box::new(spent)));
        }
    }

    /// Lets other servers write the session. The answer comes, or the wait ends, when all is written.
    pub(super) fn release(&mut self) -> oneshot::Receiver<()> {
        let (released, answer) = oneshot::channel();
        if self.is_kept {
            self.surely(Note::Release(released));
        }
        answer
    }

    /// Why something could not be written. Dropping the wait loses nothing.
    pub(super) async fn failed(&mut self) -> UserError {
        match self.failures.1.recv().await {
            Some(error) => error,
            None => std::future::pending().await,
        }
    }

    /// Where notes go. The task that writes them begins with the first.
    fn notes(&mut self) -> &mpsc::Sender<Note> {
        let (shared, session, failures) = (&self.shared, &self.session, &self.failures.0);
        self.notes.get_or_insert_with(|| {
            let (notes, waiting) = mpsc::channel(WAITING);
            let (session, failures, is_kept) = (session.clone(), failures.clone(), self.is_kept);
            let writing = Writing { session, failures, is_kept, refused: false };
            tokio::spawn(writing.run(shared.clone(), waiting));
            notes
        })
    }
}

/// The task's end.
struct Writing {
    session: SessionId,
    failures: mpsc::Sender<UserError>,
    /// Whether the session is in the store.
    is_kept: bool,
    /// Whether the beginning of the turn that runs was not written: then nothing of it is.
    refused: bool,
}

impl Writing {
    async fn run(mut self, shared: Arc<Shared>, mut notes: mpsc::Receiver<Note>) {
        while let Some(note) = notes.recv().await {
            let store = shared.store().await;
            match (note, store) {
                (Note::Begin { record, prefix, start, kept }, store) => {
                    let begun = match store {
                        Ok(store) => self.begin(&store, *record, prefix, *start).await,
                        Err(error) => Err(error),
                    };
                    self.refused = begun.is_err();
                    // A turn that was cancelled meanwhile waits no longer.
                    let _ = kept.send(begun);
                }
                (_, Err(_)) => {}
                (Note::Release(released), Ok(store)) => {
                    // One that another server took is released.
                    let _ = store.release(&self.session).await;
                    let _ = released.send(());
                }
                (_, Ok(_)) if self.refused => {}
                (note, Ok(store)) => {
                    if let Err(error) = self.write(&store, note).await {
                        tracing::error!(session = %self.session, %error, "the session could not be written");
                        // One that waits already says the same.
                        let _ = self.failures.try_send(error);
                    }
                }
            }
        }
    }

    async fn begin(
        &mut self,
        store: &Store,
        record: SessionRecord,
        prefix: String,
        start: TurnStart,
    ) -> Result<(), UserError> {
        if !self.is_kept {
            store.create(record).await?;
            // Not before: a session that could not be made is made with the next prompt.
            self.is_kept = true;
            store.put(&self.session, PREFIX, prefix).await?;
        }
        store.begin_turn(&self.session, start).await.map(drop)
    }

    async fn write(&self, store: &Store, note: Note) -> Result<(), UserError> {
        match note {
            Note::Append(entries) => store.append(&self.session, entries).await.map(drop),
            Note::Checkpoint(checkpoint) => store.checkpoint(&self.session, checkpoint).await,
            Note::End(finish) => store.end_turn(&self.session, *finish).await.map(drop),
            Note::Prefix(prefix) => store.put(&self.session, PREFIX, prefix).await,
            Note::Spent(spent) => store.spend(&self.session, *spent).await,
            Note::Begin { .. } | Note::Release(_) => Ok(()),
        }
    }
}

/// The name under which a session's system prompt is kept.
pub(super) const PREFIX: &str = "prefix";
