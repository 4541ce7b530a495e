//! What of a session can be found by its words, read from its file in pieces.
//!
//! Said by a person or the agent, plans and errors are found up to [`SAID`] characters each; of a tool call its name and the
//! beginning of its result ([`TOOL`]), because what tools print (whole files, logs) would drown what was said. How far a file
//! was read stands in the index with a check of its last line, so that a file that only grew is read from there, and one that
//! another program wrote anew is read anew.
//!
//! Deliberately absent: the index itself ([`crate::sqlite::search`]), and when work is done; the engine says that.

use super::format;
use super::scan::{self, SESSION, io_error};
use crate::sqlite::search::{Found, Place, Text};
use kata_core::ports::TranscriptError;
use kata_protocol::SessionId;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Characters of what was said.
const SAID: usize = 64 * 1024;
/// Characters of a tool's result.
const TOOL: usize = 1_000;

/// Sessions whose newest lines are not in the index.
#[derive(Default)]
pub(super) struct Unsearched {
    waiting: Mutex<Waiting>,
    more: Notify,
}

#[derive(Default)]
struct Waiting {
    order: VecDeque<SessionId>,
    known: HashSet<SessionId>,
    /// Taken out and not read yet.
    in_work: usize,
}

/// Sessions that are being read.
pub(super) struct Batch<'a> {
    /// Which.
    pub(super) ids: Vec<SessionId>,
    of: &'a Unsearched,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.of.lock().in_work -= self.ids.len();
    }
}

impl Unsearched {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that has new lines; it is next.
    pub(super) fn add(&self, id: SessionId) {
        let mut waiting = self.lock();
        if waiting.known.insert(id.clone()) {
            waiting.order.push_front(id);
        }
        drop(waiting);
        self.more.notify_one();
    }

    /// Those that wait, in this order, behind the ones that wait already.
    pub(super) fn all(&self, ids: Vec<SessionId>) {
        let mut waiting = self.lock();
        for id in ids {
            if waiting.known.insert(id.clone()) {
                waiting.order.push_back(id);
            }
        }
        drop(waiting);
        self.more.notify_one();
    }

    /// Takes some out. They count as waiting until the batch falls.
    pub(super) fn take(&self, most: usize) -> Batch<'_> {
        let mut waiting = self.lock();
        let count = most.min(waiting.order.len());
        let taken: Vec<_> = waiting.order.drain(..count).collect();
        taken.iter().for_each(|id| {
            waiting.known.remove(id);
        });
        waiting.in_work += taken.len();
        Batch { ids: taken, of: self }
    }

    pub(super) fn remove(&self, id: &SessionId) {
        let mut waiting = self.lock();
        if waiting.known.remove(id) {
            waiting.order.retain(|other| other != id);
        }
    }

    pub(super) fn count(&self) -> usize {
        let waiting = self.lock();
        waiting.order.len() + waiting.in_work
    }

    /// Returns when one was added since the last call.
    pub(super) async fn added(&self) {
        self.more.notified().await;
    }
}

/// Reads on, at most about `budget` bytes. Answers what was found and whether there is more.
pub(super) fn read(folder: &Path, id: &SessionId, before: Option<Place>, budget: &mut usize) -> Result<(Found, bool), TranscriptError> {
    let path = folder.join(SESSION);
    read_from(&path, id, before, budget).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => TranscriptError::NotFound(id.clone()),
        _ => io_error(&path)(error),
    })
}

fn read_from(path: &Path, id: &SessionId, before: Option<Place>, budget: &mut usize) -> io::Result<(Found, bool)> {
    let mut file = BufReader::new(File::open(path)?);
    let stamp = scan::stamp(&file.get_ref().metadata()?, b"");
    let mut header = Vec::new();
    file.read_until(b'\n', &mut header)?;
    let start = header.len() as u64;
    let grown = match before {
        Some(place) => grown(&mut file, start, place)?,
        None => None,
    };
    let (mut body, mut mark) = grown.unwrap_or((0, 0));
    file.seek(SeekFrom::Start(start + body))?;
    let mut texts = Vec::new();
    let mut line = Vec::new();
    let mut more = false;
    loop {
        if *budget == 0 {
            more = true;
            break;
        }
        line.clear();
        file.read_until(b'\n', &mut line)?;
        if line.is_empty() {
            break;
        }
        let row = format::object(&line);
        // Half a line is read when the rest is there.
        if !line.ends_with(b"\n") && row.is_none() {
            break;
        }
        body += line.len() as u64;
        mark = check(&line);
        *budget = budget.saturating_sub(line.len());
        texts.extend(row.as_ref().and_then(text));
    }
    let place = Place {
        // With more to come, the file does not count as read yet.
        size: if more { -1 } else { stamp.size },
        mtime_ns: stamp.mtime_ns,
        body: i64::try_from(body).unwrap_or(i64::MAX),
        mark,
    };
    let found = Found {
        session: id.clone(),
        afresh: grown.is_none(),
        texts,
        place,
    };
    Ok((found, more))
}

/// How many bytes of rows were read of this very file, and the check of their last line. `None`: it is another file by now.
fn grown(file: &mut BufReader<File>, start: u64, place: Place) -> io::Result<Option<(u64, i64)>> {
    let body = u64::try_from(place.body).unwrap_or(0);
    if body == 0 {
        return Ok(Some((0, 0)));
    }
    let end = start + body;
    if file.get_ref().metadata()?.len() < end {
        return Ok(None);
    }
    // The last line, from behind.
    const STEP: u64 = 16 * 1024;
    let mut last: Vec<u8> = Vec::new();
    let mut from = end;
    while from > start {
        let step = STEP.max(last.len() as u64).min(from - start);
        from -= step;
        file.seek(SeekFrom::Start(from))?;
        let mut chunk = vec![0; usize::try_from(step).unwrap_or(usize::MAX)];
        file.read_exact(&mut chunk)?;
        chunk.append(&mut last);
        last = chunk;
        let inner = last.len().saturating_sub(1);
        if let Some(before) = last[..inner].iter().rposition(|byte| *byte == b'\n') {
            last.drain(..=before);
            break;
        }
    }
    Ok((check(&last) == place.mark).then_some((body, place.mark)))
}

fn check(line: &[u8]) -> i64 {
    let digest = Sha256::digest(line.trim_ascii_end());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    i64::from_le_bytes(first)
}

/// What of a row can be found.
fn text(row: &serde_json::Map<String, Value>) -> Option<Text> {
    let field = |key: &str| row.get(key).and_then(Value::as_str);
    let kind = field("type")?;
    let first = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let text = match kind {
        "user" | "assistant" | "plan" | "error" => first(field("content")?, SAID),
        "tool" => {
            let result = first(field("toolResult").unwrap_or_default(), TOOL);
            format!("{} {result}", field("toolName").unwrap_or_default())
        }
        _ => return None,
    };
    let at = row.get("timestamp").and_then(Value::as_f64).and_then(super::facts::ms_of);
    (!text.trim().is_empty()).then(|| Text {
        message: field("id").unwrap_or_default().to_owned(),
        kind: kind.to_owned(),
        at: at.map_or(0, |at| at.0),
        text,
    })
}
