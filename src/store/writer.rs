//! The one thread that writes. What waits is written in one transaction, so that one wait for the disk serves all.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::failure::Failure;
use super::schema;
use crate::error::{ErrorCode, UserError};

/// How many writes wait. A session waits for one before it hands in the next, so this is more than there can be.
const QUEUE: usize = 2_048;
/// How many writes one transaction holds at most.
const BATCH: usize = 256;

/// A write that was handed in. Resolves when it is done, or has failed and left nothing behind. Dropping it changes
/// nothing: the write is carried out all the same.
#[derive(Debug)]
#[must_use = "only the answer says that it was written"]
pub struct Written<T>(Answer<T>);

#[derive(Debug)]
enum Answer<T> {
    Waiting(oneshot::Receiver<Result<T, UserError>>),
    Refused(Option<UserError>),
}

// Nothing in it is pinned.
impl<T> Unpin for Written<T> {}

impl<T> Future for Written<T> {
    type Output = Result<T, UserError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Answer::Waiting(receiver) => {
                Pin::new(receiver).poll(context).map(|answer| answer.unwrap_or_else(|_| Err(gone())))
            }
            Answer::Refused(error) => Poll::Ready(Err(error.take().unwrap_or_else(gone))),
        }
    }
}

fn gone() -> UserError {
    UserError::new(ErrorCode::StoreFailed, "the store is closed")
}

/// How surely a batch is kept when its writes resolve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Care {
    /// It survives the end of the process.
    Process,
    /// It survives a power cut.
    Disk,
    /// As `Disk`, and what it deleted is no longer in the log of changes either.
    Wipe,
}

struct Job {
    care: Care,
    work: Box<dyn Work>,
}

/// What a job does, and whom it tells.
trait Work: Send {
    /// Does it.
    fn run(&mut self, connection: &Connection) -> Result<(), Failure>;
    /// Tells how it went, once that is sure.
    fn finish(self: Box<Self>, outcome: Result<(), UserError>);
}

struct Task<T, F> {
    work: Option<F>,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, UserError>>,
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T, Failure> + Send> Work for Task<T, F> {
    fn run(&mut self, connection: &Connection) -> Result<(), Failure> {
        if let Some(work) = self.work.take() {
            self.result = Some(work(connection)?);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, outcome: Result<(), UserError>) {
        let Task { result, reply, .. } = *self;
        // The asker may be gone.
        let _ = reply.send(outcome.and_then(|()| result.ok_or_else(gone)));
    }
}

/// The way to the thread.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread that owns `connection`.
    pub(super) fn start(connection: Connection) -> Result<Self, Failure> {
        let (jobs, inbox) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new().name("store".to_owned()).spawn(move || run(&connection, inbox))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Hands in a write that must survive a power cut.
    pub(super) fn durably<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Written<T> {
        self.hand_in(Care::Disk, work)
    }

    /// Hands in a write that must survive the process.
    pub(super) fn soon<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Written<T> {
        self.hand_in(Care::Process, work)
    }

    /// Hands in a write that leaves no trace of what it deletes.
    pub(super) fn wiping<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Written<T> {
        self.hand_in(Care::Wipe, work)
    }

    fn hand_in<T: Send + 'static>(
        &self,
        care: Care,
        work: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Written<T> {
        let (reply, answer) = oneshot::channel();
        let job = Job { care, work: Box::new(Task { work: Some(work), result: None, reply }) };
        let Some(jobs) = &self.jobs else { return Written(Answer::Refused(None)) };
        Written(match jobs.try_send(job) {
            Ok(()) => Answer::Waiting(answer),
            Err(mpsc::error::TrySendError::Closed(_)) => Answer::Refused(None),
            Err(mpsc::error::TrySendError::Full(_)) => Answer::Refused(Some(
                UserError::new(ErrorCode::ServerBusy, "the disk is slower than what is to be kept")
                    .with_hint("send it again in a moment"),
            )),
        })
    }
}

impl Drop for Writer {
    /// Waits until all that was handed in is written.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to write.
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, mut inbox: mpsc::Receiver<Job>) {
    let mut jobs = Vec::new();
    while let Some(first) = inbox.blocking_recv() {
        jobs.push(first);
        while jobs.len() < BATCH
            && let Ok(job) = inbox.try_recv()
        {
            jobs.push(job);
        }
        let care = jobs.iter().map(|job| job.care).max().unwrap_or(Care::Process);
        carry_out(connection, care, jobs.drain(..));
    }
}

/// Carries out the jobs in one transaction. A job that fails takes only its own changes back; where the database gives
/// up the whole transaction, all before it have failed with it.
fn carry_out(connection: &Connection, care: Care, jobs: impl Iterator<Item = Job>) {
    let mut done: Vec<Box<dyn Work>> = Vec::new();
    for Job { mut work, .. } in jobs {
        if connection.is_autocommit()
            && let Err(failure) = begin(connection, care)
        {
            roll_back(connection);
            work.finish(Err(failure.to_user()));
            continue;
        }
        match apart(connection, work.as_mut()) {
            Ok(()) => done.push(work),
            Err(failure) => {
                let error = failure.to_user();
                if connection.is_autocommit() {
                    done.drain(..).for_each(|earlier| earlier.finish(Err(error.clone())));
                }
                work.finish(Err(error));
            }
        }
    }
    let committed = connection.execute_batch("COMMIT").map_err(|error| Failure::from(error).to_user());
    roll_back(connection);
    if care == Care::Wipe && committed.is_ok() {
        // Best effort: a reader may still need the log, which the next checkpoint then empties.
        let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
    for work in done {
        work.finish(committed.clone());
    }
}

/// With `synchronous=NORMAL` a commit is in the system's hands, which a killed process does not matter to; with `FULL`
/// it is on the disk, and so is all that was committed before.
fn begin(connection: &Connection, care: Care) -> Result<(), Failure> {
    connection.execute_batch(match care {
        Care::Process => "PRAGMA synchronous=NORMAL; BEGIN IMMEDIATE",
        Care::Disk | Care::Wipe => "PRAGMA synchronous=FULL; BEGIN IMMEDIATE",
    })?;
    schema::check_version(connection)
}

/// Ends a transaction that is still open, if there is one.
fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() {
        // What fails here leaves the transaction open; the next job then fails too, and says so.
        let _ = connection.execute_batch("ROLLBACK");
    }
}

/// Does the work so that its changes alone can be taken back.
fn apart(connection: &Connection, work: &mut dyn Work) -> Result<(), Failure> {
    connection.execute_batch("SAVEPOINT job")?;
    let outcome = work.run(connection);
    if outcome.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK TO job")?;
    }
    if !connection.is_autocommit() {
        connection.execute_batch("RELEASE job")?;
    }
    outcome
}
