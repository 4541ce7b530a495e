//! The one thread that writes: group commit.
//!
//! Callers put jobs into a bounded queue. The thread takes what is waiting, runs all of it in one transaction with a savepoint
//! per job (a job that fails takes nothing else with it), commits once, and only then answers each caller. So a caller that
//! has its answer has a durable write, and under load many callers share one fsync.
//!
//! Deliberately absent: SQL of the tables (the jobs bring it), and reads (see [`super::reader`]).

use super::fault::Fault;
use kata_core::ports::StoreError;
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Jobs that may wait. A caller beyond that waits for room.
const QUEUE: usize = 4096;
/// Jobs in one transaction at most, so that the first one's answer is not late.
const BATCH: usize = 512;

/// What a job needs of the disk before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// On the disk: survives a power cut.
    Synced,
    /// Committed: survives a crash of the program, and a power cut once any later synced job has committed. For what can be
    /// made again or missed (traces, the session index).
    Committed,
    /// As `Committed`, with nobody waiting: it goes with the next job that somebody waits for, or after [`LEISURE`].
    Later,
}

/// How long jobs in no hurry gather.
const LEISURE: Duration = Duration::from_millis(50);

/// How long a batch that is smaller than the one before waits for its companions: well below one fsync.
const PATIENCE: Duration = Duration::from_micros(80);

/// A write with somebody waiting for it.
trait Job: Send {
    /// Does the work; `false` when its savepoint must be rolled back.
    fn run(&mut self, db: &Connection) -> bool;
    /// Why the disk refused it, where it was the disk.
    fn refused(&self) -> Option<StoreError>;
    /// Tells the waiting side; `failed` when what it did was lost after it succeeded.
    fn answer(self: Box<Self>, failed: Option<&StoreError>);
}

struct Typed<F, T> {
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    disk: bool,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<F, T> Job for Typed<F, T>
where
    F: FnOnce(&Connection) -> Result<T, Fault> + Send,
    T: Send,
{
    fn run(&mut self, db: &Connection) -> bool {
        let Some(work) = self.work.take() else { return false };
        // A panic in one job must not end the thread that every other write depends on.
        let result = catch_unwind(AssertUnwindSafe(|| work(db)))
            .map_err(|_| StoreError("a write panicked; it was undone".into()))
            .and_then(|result| {
                self.disk = result.as_ref().is_err_and(Fault::is_disk);
                result.map_err(StoreError::from)
            });
        let good = result.is_ok();
        self.result = Some(result);
        good
    }

    fn refused(&self) -> Option<StoreError> {
        let error = self.result.as_ref().and_then(|result| result.as_ref().err());
        error.filter(|_| self.disk).cloned()
    }

    fn answer(self: Box<Self>, failed: Option<&StoreError>) {
        let result = match (self.result, failed) {
            (Some(Ok(_)) | None, Some(error)) => Err(error.clone()),
            (Some(result), _) => result,
            (None, None) => Err(StoreError("the write did not run".into())),
        };
        if let Err(Err(error)) = self.reply.send(result) {
            // Nobody waits (a trace, or a caller that was cancelled): the log is the only place left.
            tracing::warn!(%error, "a write failed and nobody was waiting for it");
        }
    }
}

struct Queued {
    durability: Durability,
    job: Box<dyn Job>,
}

/// Handle to the writer thread.
pub(crate) struct Writer {
    queue: Option<mpsc::Sender<Queued>>,
    thread: Option<JoinHandle<()>>,
    trouble: Trouble,
    /// Makes SQLite refuse as on a disk that may only be read.
    #[cfg(debug_assertions)]
    pub(crate) read_only: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

/// Told when the disk begins to refuse writes, and why, and when it takes them again.
type Tell = Box<dyn Fn(Option<&StoreError>) + Send>;
type Trouble = std::sync::Arc<std::sync::Mutex<Option<Tell>>>;

impl Writer {
    /// Starts the thread on a connection that is open for writing.
    pub(crate) fn start(db: Connection) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let trouble = Trouble::default();
        let mut writing = Loop {
            db,
            synced: true,
            failing: false,
            trouble: Trouble::clone(&trouble),
            #[cfg(debug_assertions)]
            read_only: std::sync::Arc::default(),
        };
        #[cfg(debug_assertions)]
        let read_only = std::sync::Arc::clone(&writing.read_only);
        let thread = std::thread::Builder::new()
            .name("kata-store-write".into())
            .spawn(move || writing.run(jobs))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            trouble,
            #[cfg(debug_assertions)]
            read_only,
        })
    }

    /// Sets who is told when the disk refuses writes, and when it takes them again.
    pub(crate) fn on_trouble(&self, tell: Tell) {
        *self.trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(tell);
    }

    /// Queues a write and returns the receiver of its answer. Waits for room in the queue.
    pub(crate) async fn queue<T, F>(&self, durability: Durability, work: F) -> Result<oneshot::Receiver<Result<T, StoreError>>, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Typed {
            work: Some(work),
            result: None,
            disk: false,
            reply,
        });
        let queue = self.queue.as_ref().ok_or_else(closed)?;
        queue.send(Queued { durability, job }).await.map_err(|_| closed())?;
        self.wake(durability);
        Ok(answer)
    }

    /// Queues a write that nobody waits for, without waiting for room. `false`: there is none.
    pub(crate) fn try_later<F>(&self, work: F) -> bool
    where
        F: FnOnce(&Connection) -> Result<(), Fault> + Send + 'static,
    {
        let (reply, _) = oneshot::channel();
        let job = Box::new(Typed {
            work: Some(work),
            result: None,
            disk: false,
            reply,
        });
        let durability = Durability::Later;
        self.queue
            .as_ref()
            .is_some_and(|queue| queue.try_send(Queued { durability, job }).is_ok())
    }

    /// Ends the leisure of a thread that gathers: somebody waits.
    fn wake(&self, durability: Durability) {
        if let (true, Some(thread)) = (durability != Durability::Later, &self.thread) {
            thread.thread().unpark();
        }
    }

    /// Queues a write and waits until it is committed.
    pub(crate) async fn write<T, F>(&self, durability: Durability, work: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        self.queue(durability, work).await?.await.map_err(|_| closed())?
    }

    /// Ends the thread after it has done what is queued.
    pub(crate) fn stop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Takes what waits, up to [`BATCH`].
fn drain(jobs: &mut mpsc::Receiver<Queued>, batch: &mut Vec<Queued>) {
    while batch.len() < BATCH
        && let Ok(next) = jobs.try_recv()
    {
        batch.push(next);
    }
}

fn closed() -> StoreError {
    StoreError("the store is closed".into())
}

struct Loop {
    db: Connection,
    /// Whether commits wait for the disk at present.
    synced: bool,
    /// The disk refused the last write.
    failing: bool,
    trouble: Trouble,
    #[cfg(debug_assertions)]
    read_only: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl Loop {
    fn run(&mut self, mut jobs: mpsc::Receiver<Queued>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut last = 0;
        while let Some(first) = jobs.blocking_recv() {
            batch.push(first);
            drain(&mut jobs, &mut batch);
            if batch.iter().all(|queued| queued.durability == Durability::Later) && !jobs.is_closed() {
                std::thread::park_timeout(LEISURE);
                drain(&mut jobs, &mut batch);
            }
            // Callers that were just answered together come back together, but not at the same instant. Without a moment's
            // patience the first of them would get an fsync of its own and the others wait for it.
            if batch.len() < last {
                std::thread::park_timeout(PATIENCE);
                drain(&mut jobs, &mut batch);
            }
            last = batch.len();
            while !batch.is_empty() {
                self.commit(&mut batch);
            }
        }
    }

    /// Runs a batch; leaves in it only what has to run in a transaction of its own because this one was lost.
    fn commit(&mut self, batch: &mut Vec<Queued>) {
        let synced = batch.iter().any(|queued| queued.durability == Durability::Synced);
        if let Err(error) = self.begin(synced) {
            let disk = error.is_disk();
            let error = StoreError::from(error);
            self.tell(Some(&error).filter(|_| disk));
            return fail(batch.drain(..), &error);
        }
        let mut ran = 0;
        let mut lost = None;
        let mut refused = None;
        for queued in batch.iter_mut() {
            ran += 1;
            if let Err(error) = one(&self.db, queued.job.as_mut()) {
                lost = Some(StoreError::from(error));
                break;
            }
            refused = refused.or_else(|| queued.job.refused());
            // A full disk or an IO error makes SQLite end the whole transaction.
            if self.db.is_autocommit() {
                lost = Some(StoreError(
                    "the database ended the transaction (disk full or unreadable); nothing of it was kept".into(),
                ));
                break;
            }
        }
        let error = lost.or_else(|| {
            self.db
                .execute_batch("COMMIT")
                .err()
                .map(|error| StoreError::from(Fault::from(error)))
        });
        if error.is_some() && !self.db.is_autocommit() {
            let _ = self.db.execute_batch("ROLLBACK");
        }
        self.tell(error.as_ref().or(refused.as_ref()));
        for queued in batch.drain(..ran) {
            queued.job.answer(error.as_ref());
        }
    }

    /// Tells when the answer to "does the disk take writes" changes.
    fn tell(&mut self, trouble: Option<&StoreError>) {
        if trouble.is_some() != self.failing {
            self.failing = trouble.is_some();
            if let Some(tell) = &*self.trouble.lock().unwrap_or_else(std::sync::PoisonError::into_inner) {
                tell(trouble);
            }
        }
    }

    fn begin(&mut self, synced: bool) -> Result<(), Fault> {
        #[cfg(debug_assertions)]
        self.db
            .pragma_update(None, "query_only", self.read_only.load(std::sync::atomic::Ordering::Relaxed))?;
        if synced != self.synced {
            self.db.execute_batch(if synced {
                "PRAGMA synchronous=FULL"
            } else {
                "PRAGMA synchronous=NORMAL"
            })?;
            self.synced = synced;
        }
        Ok(self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(drop)?)
    }
}

/// Runs one job under a savepoint. An error means that the transaction itself is broken.
fn one(db: &Connection, job: &mut dyn Job) -> Result<(), Fault> {
    db.prepare_cached("SAVEPOINT job")?.execute([])?;
    let good = job.run(db);
    if db.is_autocommit() {
        return Ok(());
    }
    if !good {
        db.prepare_cached("ROLLBACK TO job")?.execute([])?;
    }
    db.prepare_cached("RELEASE job")?.execute([])?;
    Ok(())
}

fn fail(batch: impl Iterator<Item = Queued>, error: &StoreError) {
    for queued in batch {
        queued.job.answer(Some(error));
    }
}
