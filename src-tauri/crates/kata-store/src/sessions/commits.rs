//! Durability of the session files: one file (`sessions.wal`) in which what all sessions append is made durable together.
//!
//! An append goes to the session's own files first (a crash of the program loses nothing of that), then as a record in here.
//! One thread writes the records that wait with one write and one fsync, so that many sessions share one wait for the disk,
//! and the wait is short, because the file keeps its length. When the file is full the sessions' files are synced and it begins
//! again. At the start, what a power cut took from a session's files is put back from here.
//!
//! Deliberately absent: what the lines mean, and any order between sessions.

use super::scan::{JOURNAL, SESSION};
use super::tail::{self, Appender};
use crate::atomic::{self, FILE_MODE, create_with_mode};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// Length of the file.
const LENGTH: u64 = 4 * 1024 * 1024;
/// Records that may wait. A session beyond that waits for room.
const QUEUE: usize = 1024;
/// Records of one fsync at most.
const BATCH: usize = 512;
/// Sessions between two passes over their files at most.
const DIRTY: usize = 1024;
/// Bytes before the first record: the epoch whose records count. What stands behind them is of an earlier one.
const FRONT: u64 = 8;
/// Bytes before a record's payload: mark, epoch, length, check.
const HEAD: usize = 4 + 8 + 4 + 8;
const MARK: [u8; 4] = *b"kata";

/// What one session appended.
#[derive(Debug)]
pub(crate) struct Record {
    /// Folder of the session.
    pub folder: PathBuf,
    /// Lines for its `session.jsonl`.
    pub rows: Vec<u8>,
    /// Lines for its `journal.jsonl`.
    pub journal: Vec<u8>,
}

struct Job {
    /// `None`: the sessions' files are to be synced, and no record of before is to be left.
    record: Option<Record>,
    done: oneshot::Sender<io::Result<()>>,
}

/// Handle to the thread.
pub(crate) struct Commits {
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Commits {
    /// Opens the file, puts back what it holds and the sessions' files lack, and starts the thread.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut log = Log::open(path)?;
        let records = log.read()?;
        for record in &records {
            match put_back(record)? {
                0 => {}
                lines => tracing::warn!(session = %record.folder.display(), lines, "lines that had not reached a session were put back"),
            }
            log.dirty.insert(record.folder.clone());
        }
        if !records.is_empty() {
            log.begin_again()?;
        }
        let (queue, jobs) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("kata-sessions".into())
            .spawn(move || log.run(jobs))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Makes what stands in the session's files already durable. The receiver says when; whoever drops it does not wait.
    pub(crate) async fn commit(&self, record: Record) -> io::Result<oneshot::Receiver<io::Result<()>>> {
        let (done, answer) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(closed)?;
        let record = Some(record);
        queue.send(Job { record, done }).await.map_err(|_| closed())?;
        Ok(answer)
    }

    /// Syncs the sessions' files and forgets all records: nothing is put back any more of a session that was deleted, whose
    /// name another one may get.
    pub(crate) async fn forget_records(&self) -> io::Result<()> {
        let (done, answer) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(closed)?;
        queue.send(Job { record: None, done }).await.map_err(|_| closed())?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }
}

impl Drop for Commits {
    /// Ends the thread after it has done what is queued, with the sessions' files synced.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The thread has ended.
pub(crate) fn closed() -> io::Error {
    io::Error::other("the sessions are closed")
}

struct Log {
    file: File,
    epoch: u64,
    /// Where the next record goes.
    end: u64,
    /// Folders whose files are in the page cache only.
    dirty: HashSet<PathBuf>,
}

impl Log {
    fn open(path: &Path) -> io::Result<Self> {
        let mut file = create_with_mode(OpenOptions::new().read(true).write(true).create(true).truncate(false), FILE_MODE).open(path)?;
        if file.metadata()?.len() != LENGTH {
            // Zeros are written, not skipped: a block that has its place costs no journal of the file system later.
            file.seek(SeekFrom::End(0))?;
            let length = file.metadata()?.len();
            let missing = usize::try_from(LENGTH.saturating_sub(length)).unwrap_or(0);
            file.write_all(&vec![0; missing])?;
            file.set_len(LENGTH)?;
            file.sync_all()?;
            atomic::sync_parent(path)?;
        }
        let mut front = [0; FRONT as usize];
        file.seek(SeekFrom::Start(0))?;
        file.read_exact(&mut front)?;
        Ok(Self {
            file,
            epoch: u64::from_le_bytes(front),
            end: FRONT,
            dirty: HashSet::new(),
        })
    }

    /// The records of the present epoch, in order, up to the first that is not whole.
    fn read(&mut self) -> io::Result<Vec<Record>> {
        let mut records = Vec::new();
        self.file.seek(SeekFrom::Start(FRONT))?;
        let mut reader = io::BufReader::new(&self.file);
        let mut position = FRONT;
        loop {
            let mut head = [0; HEAD];
            if position + HEAD as u64 > LENGTH || reader.read_exact(&mut head).is_err() {
                break;
            }
            let epoch = number(&head[4..12]);
            let length = u32::from_le_bytes([head[12], head[13], head[14], head[15]]);
            position += HEAD as u64 + u64::from(length);
            if head[..4] != MARK || position > LENGTH || epoch != self.epoch {
                break;
            }
            let mut payload = vec![0; length as usize];
            if reader.read_exact(&mut payload).is_err() || check(epoch, &payload) != head[16..24] {
                break;
            }
            records.extend(decode(&payload));
            self.end = position;
        }
        Ok(records)
    }

    fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH);
        while let Some(first) = jobs.blocking_recv() {
            batch.push(first);
            while batch.len() < BATCH
                && let Ok(next) = jobs.try_recv()
            {
                batch.push(next);
            }
            // Those who wait for this batch see their answer dropped; the thread, on which every session rests, lives on.
            if catch_unwind(AssertUnwindSafe(|| self.commit(&mut batch))).is_err() {
                batch.clear();
                let synced = self.begin_again();
                tracing::error!(?synced, "a batch of session lines was not committed");
            }
        }
        if let Err(error) = self.begin_again() {
            tracing::warn!(%error, "the session files were not synced at the end; the next start does it");
        }
    }

    /// Commits a batch, in as many pieces as fit the file.
    fn commit(&mut self, batch: &mut Vec<Job>) {
        let mut bytes = Vec::new();
        let mut jobs = Vec::with_capacity(batch.len());
        for Job { record, done } in batch.drain(..) {
            let Some(record) = record else {
                self.write(&mut bytes, &mut jobs);
                let _ = done.send(self.begin_again());
                continue;
            };
            let length = encoded_length(&record);
            if self.end + bytes.len() as u64 + length > LENGTH {
                self.write(&mut bytes, &mut jobs);
                if let Err(error) = self.begin_again() {
                    let _ = done.send(Err(error));
                    continue;
                }
            }
            if FRONT + length > LENGTH {
                // Too large for the file: its own files are synced instead.
                let _ = done.send(sync(&record.folder));
                continue;
            }
            encode(self.epoch, &record, &mut bytes);
            jobs.push((record.folder, done));
        }
        self.write(&mut bytes, &mut jobs);
        if self.dirty.len() >= DIRTY
            && let Err(error) = self.begin_again()
        {
            tracing::error!(%error, "the session files could not be synced; it is tried again with the next pass");
        }
    }

    fn write(&mut self, bytes: &mut Vec<u8>, jobs: &mut Vec<(PathBuf, oneshot::Sender<io::Result<()>>)>) {
        if jobs.is_empty() {
            return;
        }
        let written = self
            .file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| self.file.write_all(bytes))
            .and_then(|()| self.file.sync_data());
        if written.is_ok() {
            self.end += bytes.len() as u64;
        }
        for (folder, done) in jobs.drain(..) {
            let result = match &written {
                Ok(()) => {
                    self.dirty.insert(folder);
                    Ok(())
                }
                // The place is written over by the next record.
                Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
            };
            let _ = done.send(result);
        }
        bytes.clear();
    }

    /// Syncs the sessions' files and begins at the front. Until that is done the records stay as they are.
    fn begin_again(&mut self) -> io::Result<()> {
        for folder in &self.dirty {
            match sync(folder) {
                // A session that was removed needs no sync.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => result?,
            }
        }
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&(self.epoch + 1).to_le_bytes())?;
        self.file.sync_data()?;
        self.dirty.clear();
        self.epoch += 1;
        self.end = FRONT;
        Ok(())
    }
}

/// Syncs both files of a session, and their names.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder.join(SESSION))?.sync_data()?;
    match File::open(folder.join(JOURNAL)) {
        Ok(journal) => journal.sync_data()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    atomic::sync_parent(&folder.join(JOURNAL))
}

/// Adds the lines of a record that its files lack; how many they were. A session that was removed stays so; beside a file
/// that is none the lines are kept.
fn put_back(record: &Record) -> io::Result<usize> {
    let mut count = 0;
    if !record.folder.join(SESSION).is_file() {
        return Ok(0);
    }
    for (name, lines) in [(SESSION, &record.rows), (JOURNAL, &record.journal)] {
        if lines.is_empty() {
            continue;
        }
        let path = record.folder.join(name);
        let there = match std::fs::read(&path) {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let known: HashSet<&[u8]> = there.split_inclusive(|byte| *byte == b'\n').collect();
        let missing: Vec<&[u8]> = lines
            .split_inclusive(|byte| *byte == b'\n')
            .filter(|line| !known.contains(line))
            .collect();
        if !missing.is_empty() {
            count += missing.len();
            match Appender::open(&path, name == JOURNAL, name == SESSION) {
                Err(error) if error.kind() == io::ErrorKind::InvalidData => tail::keep(&path, &missing.concat())?,
                file => file?.append(&missing.concat())?,
            }
        }
    }
    Ok(count)
}

fn encoded_length(record: &Record) -> u64 {
    let folder = record.folder.to_string_lossy().len();
    (HEAD + 12 + folder + record.rows.len() + record.journal.len()) as u64
}

fn encode(epoch: u64, record: &Record, out: &mut Vec<u8>) {
    let folder = record.folder.to_string_lossy();
    let parts: [&[u8]; 3] = [folder.as_bytes(), &record.rows, &record.journal];
    let start = out.len();
    out.resize(start + HEAD, 0);
    for part in parts {
        // A record fits the file, so a part fits a `u32`.
        out.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend(part);
    }
    let payload = &out[start + HEAD..];
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
    let check = check(epoch, payload);
    let head = &mut out[start..start + HEAD];
    head[..4].copy_from_slice(&MARK);
    head[4..12].copy_from_slice(&epoch.to_le_bytes());
    head[12..16].copy_from_slice(&length);
    head[16..24].copy_from_slice(&check);
}

fn decode(payload: &[u8]) -> Option<Record> {
    let mut rest = payload;
    let mut part = || {
        let (length, behind) = rest.split_at_checked(4)?;
        let length = usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?;
        let (part, behind) = behind.split_at_checked(length)?;
        rest = behind;
        Some(part)
    };
    Some(Record {
        folder: PathBuf::from(std::str::from_utf8(part()?).ok()?),
        rows: part()?.to_vec(),
        journal: part()?.to_vec(),
    })
}

fn check(epoch: u64, payload: &[u8]) -> [u8; 8] {
    let mut digest = Sha256::new();
    digest.update(epoch.to_le_bytes());
    digest.update(payload);
    number(&digest.finalize()[..8]).to_le_bytes()
}

fn number(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(eight)
}
