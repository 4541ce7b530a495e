//! What a session writes, in the order in which it was said. One task per session puts all lines that wait into one append,
//! so that they share one wait for the disk.
//!
//! A line that tells of something that has happened is tried again until it stands, and nothing overtakes it; a line that
//! nothing rests on yet (a client's input) fails at once, and whoever handed it in is told.
//!
//! Deliberately absent: what the lines say, and what a caller does while it waits.

use crate::persist::{Again, Persist};
use crate::ports::{Append, JournalEntry, TranscriptError, Transcripts};
use crate::tasks::Tasks;
use futures::FutureExt;
use futures::future::Shared;
use kata_protocol::SessionId;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Lines that may wait; a writer beyond that waits for room.
const QUEUE: usize = 256;
/// Lines in one append at most.
const BATCH: usize = 256;

/// What becomes of a line that cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Insist {
    /// It fails.
    Once,
    /// It is tried again.
    UntilWritten,
}

/// Resolves when a line is on the disk. Clones resolve together.
#[derive(Clone)]
pub(super) struct Written(Shared<oneshot::Receiver<Result<(), TranscriptError>>>);

impl Written {
    /// Waits.
    pub(super) async fn wait(self) -> Result<(), TranscriptError> {
        // Closed without an answer: the program ends, and the next start takes up what is missing.
        self.0.await.unwrap_or(Err(TranscriptError::Stopping))
    }
}

/// Writes one session's lines. Clones write in one order.
#[derive(Clone)]
pub(super) struct Pen(mpsc::Sender<Line>);

struct Line {
    append: Append,
    insist: Insist,
    /// `None`: nobody waits; it goes with the next line that somebody waits for.
    done: Option<oneshot::Sender<Result<(), TranscriptError>>>,
}

impl Pen {
    /// Starts the task.
    pub(super) fn start(transcripts: Arc<dyn Transcripts>, persist: Persist, tasks: &Tasks, session: SessionId) -> Self {
        let (queue, lines) = mpsc::channel(QUEUE);
        let task = Task {
            transcripts,
            persist,
            session,
        };
        tasks.spawn("session pen", task.run(lines, tasks.stopping()));
        Self(queue)
    }

    /// Puts a line into the row. It is behind everything that was put there before.
    pub(super) async fn write(&self, append: Append, insist: Insist) -> Written {
        let (done, written) = oneshot::channel();
        let line = Line {
            append,
            insist,
            done: Some(done),
        };
        // A closed queue drops the line, and with it the sender: `Written` says so.
        let _ = self.0.send(line).await;
        Written(written.shared())
    }

    /// Notes entries that may be lost with what comes after them; they are on the disk with the next line that is.
    pub(super) async fn note(&self, append: Append) {
        let line = Line {
            append,
            insist: Insist::UntilWritten,
            done: None,
        };
        let _ = self.0.send(line).await;
    }

    /// One entry of the journal, noted.
    pub(super) async fn note_entry(&self, entry: JournalEntry) {
        self.note(Append {
            journal: vec![entry],
            ..Append::default()
        })
        .await;
    }

    /// Resolves when everything that was put there before is on the disk.
    pub(super) async fn flush(&self) -> Written {
        let all = Append {
            sync: true,
            ..Append::default()
        };
        self.write(all, Insist::UntilWritten).await
    }
}

struct Task {
    transcripts: Arc<dyn Transcripts>,
    persist: Persist,
    session: SessionId,
}

impl Task {
    async fn run(self, mut lines: mpsc::Receiver<Line>, stopping: tokio_util::sync::CancellationToken) {
        let mut batch: Vec<Line> = Vec::new();
        loop {
            let next = tokio::select! {
                biased;
                next = lines.recv() => next,
                () = stopping.cancelled() => None,
            };
            let last = next.is_none();
            batch.extend(next);
            while batch.len() < BATCH
                && let Ok(line) = lines.try_recv()
            {
                batch.push(line);
            }
            let awaited = batch.iter().any(|line| line.done.is_some());
            if (awaited || last || batch.len() >= BATCH) && !batch.is_empty() {
                self.write(&mut batch, &mut lines).await;
                batch.clear();
            }
            if last {
                return;
            }
        }
    }

    /// Writes a batch whole; empties it. While the disk fails, only lines that insist stay.
    async fn write(&self, batch: &mut Vec<Line>, lines: &mut mpsc::Receiver<Line>) {
        let mut again = self.persist.again("writing a session");
        while !batch.is_empty() {
            let append = together(batch);
            // Every line before was written whole: there is nothing left to wait for.
            let nothing = append.rows.is_empty() && append.journal.is_empty();
            let result = if nothing {
                Ok(())
            } else {
                self.transcripts.append(&self.session, append).await
            };
            let Err(error) = result else {
                answer(batch, &Ok(()));
                return;
            };
            let failed = Err(error.clone());
            if !matches!(error, TranscriptError::Io { .. }) {
                // The session is gone, or its file is none: no wait mends that.
                answer(batch, &failed);
                return;
            }
            let mut kept = Vec::with_capacity(batch.len());
            for line in batch.drain(..) {
                match line.insist {
                    Insist::Once => say(line, &failed),
                    Insist::UntilWritten => kept.push(line),
                }
            }
            *batch = kept;
            if batch.is_empty() || !self.wait(&mut again, &error, batch, lines).await {
                return;
            }
        }
    }

    /// Waits for the next try. What comes meanwhile joins; a line that does not insist is tried at once, so that whoever handed
    /// it in is told how it is now. `false`: the program ends.
    async fn wait(&self, again: &mut Again, error: &TranscriptError, batch: &mut Vec<Line>, lines: &mut mpsc::Receiver<Line>) -> bool {
        let wait = again.after(error);
        tokio::pin!(wait);
        loop {
            let room = batch.len() < BATCH;
            tokio::select! {
                biased;
                waited = &mut wait => return waited.is_ok(),
                Some(line) = lines.recv(), if room => {
                    let once = line.insist == Insist::Once;
                    batch.push(line);
                    if once {
                        return true;
                    }
                }
            }
        }
    }
}

/// All lines as one append.
fn together(batch: &[Line]) -> Append {
    let mut whole = Append::default();
    for line in batch {
        whole.rows.extend(line.append.rows.iter().cloned());
        whole.journal.extend(line.append.journal.iter().cloned());
        whole.sync |= line.append.sync;
    }
    whole
}

fn answer(batch: &mut Vec<Line>, result: &Result<(), TranscriptError>) {
    for line in batch.drain(..) {
        say(line, result);
    }
}

fn say(line: Line, result: &Result<(), TranscriptError>) {
    match line.done {
        // Nobody waits any more: the line stands all the same.
        Some(done) => drop(done.send(result.clone())),
        None => {
            if let Err(error) = result {
                tracing::error!(%error, "a session's journal was not written");
            }
        }
    }
}
