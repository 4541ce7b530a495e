//! Reports about panics and ends, one JSON file each in `crashes/`, the newest [`KEPT`]. A report has versions, places and log
//! lines; no message text and no secret, since neither is ever in the log.

use super::running::Mark;
use kata_protocol::{CrashReport, Ms};
use kata_store::atomic_write;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Reports kept.
const KEPT: usize = 20;
/// Log lines in a report.
pub(super) const LINES: usize = 40;
/// Longest report, bytes.
const LONGEST: usize = 64 << 10;

/// The folder of reports.
pub(crate) struct Reports {
    folder: PathBuf,
    writing: Mutex<()>,
}

/// A panic, as it is reported.
pub(super) struct Panic<'a> {
    pub at: Ms,
    pub place: &'a str,
    pub thread: &'a str,
    pub task: Option<&'a str>,
    pub backtrace: &'a str,
    pub log: &'a [String],
}

/// An end that was not in order.
pub(super) struct End<'a> {
    pub at: Ms,
    pub mark: &'a Mark,
    pub signal: Option<&'a str>,
    pub suspects: &'a [String],
    pub log: &'a [String],
}

impl Reports {
    pub(crate) fn open(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            writing: Mutex::new(()),
        }
    }

    /// Newest first.
    pub(crate) fn list(&self) -> Vec<CrashReport> {
        let mut reports: Vec<CrashReport> = self
            .files()
            .iter()
            .filter_map(|path| serde_json::from_slice(&std::fs::read(path).ok()?).ok())
            .collect();
        reports.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
        reports
    }

    /// A person has seen it; `None` where there is none of that id.
    pub(crate) fn see(&self, id: &str) -> io::Result<Option<CrashReport>> {
        let _writing = crate::engine::locked(&self.writing);
        let Some(mut report) = self.list().into_iter().find(|report| report.id == id) else {
            return Ok(None);
        };
        report.seen = true;
        self.write(&report)?;
        Ok(Some(report))
    }

    pub(super) fn panicked(&self, panic: &Panic<'_>) -> io::Result<()> {
        let mut text = head(env!("CARGO_PKG_VERSION"));
        let _ = writeln!(text, "A part of the program stopped at {}; the rest went on.", panic.place);
        let _ = writeln!(text, "Thread: {}", panic.thread);
        if let Some(task) = panic.task {
            let _ = writeln!(text, "Task: {task}");
        }
        let _ = write!(text, "\n{}", panic.backtrace);
        add_log(&mut text, panic.log);
        self.keep(panic.at, env!("CARGO_PKG_VERSION"), "panic", Some(panic.place), text)
    }

    pub(super) fn ended(&self, end: &End<'_>) -> io::Result<()> {
        let mut text = head(&end.mark.version);
        let ran = end.at.0.saturating_sub(end.mark.started_at.0) / 1000;
        let how = match end.signal {
            Some(signal) => format!("ended by {signal}"),
            None => "ended by something that cannot be caught (kill -9, no memory left, a power cut of this process alone)".into(),
        };
        let _ = writeln!(text, "The program {how}, at most {ran} s after its start.");
        if !end.mark.ready {
            text.push_str("It had not become ready.\n");
        }
        match end.suspects {
            [] => text.push_str("No plugin was at work.\n"),
            plugins => {
                let _ = writeln!(text, "Plugins at work: {}.", plugins.join(", "));
            }
        }
        add_log(&mut text, end.log);
        let kind = if end.signal.is_some() { "crash" } else { "killed" };
        self.keep(end.at, &end.mark.version, kind, end.signal, text)
    }

    fn keep(&self, at: Ms, version: &str, kind: &str, place: Option<&str>, mut text: String) -> io::Result<()> {
        text.truncate(
            (0..=LONGEST.min(text.len()))
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or(0),
        );
        // A panic while one is written finds the lock taken by its own thread.
        let _writing = match self.writing.try_lock() {
            Ok(writing) => writing,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(std::sync::TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
        };
        let stem = format!("{}-{kind}", super::stamp(at));
        let free = |id: &String| !self.path(id).exists();
        let id = std::iter::once(stem.clone())
            .chain((2..100).map(|n| format!("{stem}-{n}")))
            .find(free);
        let id = id.unwrap_or(stem);
        self.write(&CrashReport {
            id,
            at,
            version: version.into(),
            kind: kind.into(),
            place: place.map(str::to_owned),
            text,
            seen: false,
        })?;
        let old: Vec<String> = self.list().into_iter().skip(KEPT).map(|report| report.id).collect();
        for id in old {
            std::fs::remove_file(self.path(&id))?;
        }
        Ok(())
    }

    fn write(&self, report: &CrashReport) -> io::Result<()> {
        atomic_write(&self.path(&report.id), &serde_json::to_vec_pretty(report)?, 0o600)
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let report = |path: &PathBuf| {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            ["-panic", "-crash", "-killed"].iter().any(|kind| name.contains(kind)) && name.ends_with(".json")
        };
        entries.map(|entry| entry.path()).filter(report).collect()
    }
}

fn head(version: &str) -> String {
    format!("Kata Agents {version}, {} {}\n", std::env::consts::OS, std::env::consts::ARCH)
}

fn add_log(text: &mut String, lines: &[String]) {
    text.push_str("\nThe last lines of the log:\n");
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
}

/// Last lines of the newest log file: what the last run said.
pub(super) fn log_lines(home: &Path) -> Vec<String> {
    use std::io::{Read, Seek, SeekFrom};
    let newest = std::fs::read_dir(home.join("logs")).into_iter().flatten().flatten();
    let newest = newest
        .map(|entry| entry.path())
        .filter(|p| p.extension().is_some_and(|e| e == "jsonl"))
        .max();
    let read = |path: PathBuf| -> io::Result<String> {
        let mut file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(32 << 10)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = newest.and_then(|path| read(path).ok()).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().rev().take(LINES).map(str::to_owned).collect();
    lines.reverse();
    lines
}
