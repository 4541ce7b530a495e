//! The end of a long session file: what a person sees first, read from behind, so that it takes the same time whatever stands
//! before it.
//!
//! Deliberately absent: mending. Where something is open (a turn, an input without one, a line that is not whole) the session
//! is loaded whole, which mends it.

use super::format;
use super::scan::{JOURNAL, SESSION, io_error};
use kata_core::ports::{JournalEntry, StoredRow, TranscriptError, TranscriptTail};
use kata_protocol::{MessageId, SessionSummary};
use serde_json::Value;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// A file up to this size is as quickly read whole.
const SHORT: u64 = 1024 * 1024;
/// Bytes of one read.
const STEP: u64 = 128 * 1024;

/// The newest `limit` rows, or those before a message. `None`: load it.
pub(super) fn tail(
    folder: &Path,
    summary: SessionSummary,
    limit: u32,
    before: Option<&MessageId>,
) -> Result<Option<TranscriptTail>, TranscriptError> {
    let path = folder.join(SESSION);
    let failed = io_error(&path);
    let mut lines = match Backwards::open(&path) {
        Ok(lines) => lines,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(TranscriptError::NotFound(summary.id)),
        Err(error) => return Err(failed(error)),
    };
    if lines.start <= SHORT || is_open(&folder.join(JOURNAL)).map_err(&failed)? {
        return Ok(None);
    }
    let (mut rows, mut passed, mut found) = (Vec::new(), 0_u32, before.is_none());
    let mut newest = true;
    while rows.len() < limit as usize {
        let Some(line) = lines.next().map_err(&failed)? else { break };
        // Line 1 is the header, and begins the file.
        if lines.at_start() {
            break;
        }
        let Some(row) = format::object(&line) else {
            if newest {
                return Ok(None);
            }
            continue;
        };
        let text = |key: &str| row.get(key).and_then(Value::as_str);
        if newest && text("type") == Some("user") {
            return Ok(None);
        }
        newest = false;
        if found {
            rows.push(row);
        } else {
            passed = passed.saturating_add(1);
            found = text("id") == before.map(MessageId::as_str);
        }
    }
    if let (false, Some(before)) = (found, before) {
        return Err(TranscriptError::NoMessage(before.clone()));
    }
    rows.reverse();
    Ok(Some(TranscriptTail {
        earlier: earlier(&summary, passed, &rows),
        summary,
        rows,
    }))
}

fn earlier(summary: &SessionSummary, passed: u32, rows: &[StoredRow]) -> u32 {
    let shown = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    summary.message_count.saturating_sub(passed).saturating_sub(shown)
}

/// Whether the journal ends in the middle of a turn, or cannot tell.
fn is_open(journal: &Path) -> io::Result<bool> {
    let mut lines = match Backwards::open(journal) {
        Ok(lines) => lines,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    Ok(match lines.next()? {
        None => false,
        Some(line) => !matches!(serde_json::from_slice(&line), Ok(JournalEntry::TurnEnded { .. })),
    })
}

/// Lines of a file from its end, blank ones left out.
struct Backwards {
    file: File,
    /// Where what was read begins.
    start: u64,
    read: Vec<u8>,
}

impl Backwards {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let start = file.metadata()?.len();
        Ok(Self {
            file,
            start,
            read: Vec::new(),
        })
    }

    /// Whether nothing stands before the line that was given last.
    fn at_start(&self) -> bool {
        self.start == 0 && self.read.is_empty()
    }

    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            while self.read.last().is_some_and(|byte| byte.is_ascii_whitespace()) {
                self.read.pop();
            }
            let end = self.read.iter().rposition(|byte| *byte == b'\n');
            match end {
                Some(end) => return Ok(Some(self.read.split_off(end + 1))),
                None if self.start > 0 => self.more()?,
                None if self.read.is_empty() => return Ok(None),
                None => return Ok(Some(std::mem::take(&mut self.read))),
            }
        }
    }

    fn more(&mut self) -> io::Result<()> {
        // A long line doubles the step, so that it is not copied again and again.
        let step = STEP.max(self.read.len() as u64).min(self.start);
        self.start -= step;
        self.file.seek(SeekFrom::Start(self.start))?;
        let mut chunk = vec![0; usize::try_from(step).unwrap_or(usize::MAX)];
        self.file.read_exact(&mut chunk)?;
        chunk.append(&mut self.read);
        self.read = chunk;
        Ok(())
    }
}
