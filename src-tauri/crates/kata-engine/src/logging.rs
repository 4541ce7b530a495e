//! The log: JSON lines in daily files under `logs/`, and the newest lines in memory for the window and the CLI.

use kata_protocol::{LogRecord, LogTail, Ms};
use std::collections::VecDeque;
use std::fmt::{Debug, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{Builder, Rotation};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::{EnvFilter, Registry};

/// Lines kept in memory.
const KEPT: usize = 5000;
/// Longest line kept, bytes.
const MAX_LINE: usize = 4096;
/// Files kept.
const MAX_FILES: usize = 14;

/// The newest lines.
#[derive(Clone, Default)]
pub(crate) struct LogRing(Arc<Mutex<VecDeque<LogRecord>>>);

impl LogRing {
    /// Newest lines that fit, oldest first.
    pub(crate) fn tail(&self, query: &LogTail) -> Vec<LogRecord> {
        let limit = query.limit.unwrap_or(200).min(2000) as usize;
        let rank = |level: &str| {
            ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"]
                .iter()
                .position(|l| l.eq_ignore_ascii_case(level))
        };
        let most = query.level.as_deref().and_then(rank).unwrap_or(4);
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |r: &&LogRecord| {
            rank(&r.level).unwrap_or(4) <= most && query.plugin.as_ref().is_none_or(|p| r.plugin.as_deref() == Some(p.as_str()))
        };
        let mut lines: Vec<_> = ring.iter().rev().filter(fits).take(limit).cloned().collect();
        lines.reverse();
        lines
    }

    /// Newest lines as text, oldest first; nothing where somebody holds the lock. For reports of panics, which may not wait.
    pub(crate) fn try_tail(&self, limit: usize) -> Vec<String> {
        let ring = match self.0.try_lock() {
            Ok(ring) => ring,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(std::sync::TryLockError::WouldBlock) => return Vec::new(),
        };
        let newest = ring.iter().skip(ring.len().saturating_sub(limit));
        newest
            .map(|r| format!("{} {} {} {}", r.at.0, r.level, r.target, r.message))
            .collect()
    }

    fn push(&self, record: LogRecord) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.len() == KEPT {
            ring.pop_front();
        }
        ring.push_back(record);
    }
}

static LOG: OnceLock<(LogRing, Option<WorkerGuard>)> = OnceLock::new();

/// Starts the log, once per process. `KATA_LOG` (as `RUST_LOG`) filters; default `info`.
pub(crate) fn start(home: &Path, filter: Option<String>) -> LogRing {
    LOG.get_or_init(|| {
        let ring = LogRing::default();
        // Made first: the appender complains on the terminal about a folder that is not there yet.
        let folder = home.join("logs");
        if let Err(error) = kata_store::private_dir(&folder) {
            tracing::debug!(%error, "no folder for the log files");
        }
        let files = Builder::new()
            .rotation(Rotation::DAILY)
            .filename_prefix("kata")
            .filename_suffix("jsonl")
            .max_log_files(MAX_FILES)
            .build(folder);
        let filter = EnvFilter::new(filter.unwrap_or_else(|| "info".into()));
        let subscriber = Registry::default().with(filter).with(RingLayer(ring.clone()));
        let guard = match files {
            Ok(files) => {
                // Bounded: a flood drops lines rather than memory.
                let (writer, guard) = tracing_appender::non_blocking::NonBlockingBuilder::default()
                    .buffered_lines_limit(8192)
                    .finish(files);
                let layer = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(writer);
                // A host program that has its own subscriber keeps it.
                let _ = tracing::subscriber::set_global_default(subscriber.with(layer));
                Some(guard)
            }
            Err(error) => {
                let _ = tracing::subscriber::set_global_default(subscriber);
                tracing::error!(%error, "the log files cannot be written; the log is in memory only");
                None
            }
        };
        (ring, guard)
    })
    .0
    .clone()
}

struct RingLayer(LogRing);

impl<S: Subscriber> Layer<S> for RingLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        fields.text.truncate(floor(&fields.text, MAX_LINE));
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.0.push(LogRecord {
            at: Ms(u64::try_from(since.as_millis()).unwrap_or_default()),
            level: event.metadata().level().to_string(),
            target: event.metadata().target().to_owned(),
            plugin: fields.plugin,
            message: fields.text,
        });
    }
}

fn floor(text: &str, max: usize) -> usize {
    (0..=max.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[derive(Default)]
struct Fields {
    text: String,
    plugin: Option<String>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, &format!("{value:?}"));
    }
}

impl Fields {
    fn add(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => {
                self.text = if self.text.is_empty() {
                    value.to_owned()
                } else {
                    format!("{value} {}", self.text)
                }
            }
            "plugin" => self.plugin = Some(value.to_owned()),
            name => {
                let gap = if self.text.is_empty() { "" } else { " " };
                let _ = write!(self.text, "{gap}{name}={value}");
            }
        }
    }
}
