//! Threads that read. Each has a read-only connection of its own; in WAL mode neither waits for the writer nor makes it wait.
//!
//! A caller that has the answer to a write sees it here, because the writer answers after the commit and every read begins a
//! new snapshot.

use super::fault::Fault;
use kata_core::ports::StoreError;
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// Reads that may wait per thread. A caller beyond that waits for room.
const QUEUE: usize = 1024;

type Job = Box<dyn FnOnce(&Connection) + Send>;

/// Handle to the reading threads.
pub(crate) struct Readers {
    queues: Vec<mpsc::Sender<Job>>,
    next: AtomicUsize,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Starts one thread per connection.
    pub(crate) fn start(connections: Vec<Connection>) -> std::io::Result<Self> {
        let mut queues = Vec::new();
        let mut threads = Vec::new();
        for db in connections {
            let (queue, mut jobs) = mpsc::channel::<Job>(QUEUE);
            threads.push(std::thread::Builder::new().name("kata-store-read".into()).spawn(move || {
                while let Some(job) = jobs.blocking_recv() {
                    // The caller of a read that panics sees its reply dropped; the thread lives on.
                    let _ = catch_unwind(AssertUnwindSafe(|| job(&db)));
                }
            })?);
            queues.push(queue);
        }
        Ok(Self {
            queues,
            next: AtomicUsize::new(0),
            threads,
        })
    }

    /// Runs a read and waits for its answer.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let closed = || StoreError("the store is closed, or a read failed badly".into());
        let (reply, answer) = oneshot::channel();
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let queue = self.queues.get(turn % self.queues.len().max(1)).ok_or_else(closed)?;
        let job: Job = Box::new(move |db| {
            let _ = reply.send(work(db).map_err(StoreError::from));
        });
        queue.send(job).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Ends the threads after they have done what is queued.
    pub(crate) fn stop(&mut self) {
        self.queues.clear();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
