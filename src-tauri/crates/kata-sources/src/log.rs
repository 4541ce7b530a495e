//! The newest lines of one source: what its program wrote on standard error, what its server logged, how its calls went. Kept
//! in memory and shown on the source's page; they reach no log file, since a server may write anything there.

use kata_core::ports::Clock;
use kata_protocol::LogRecord;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Lines that are kept.
const LINES: usize = 100;
/// Longest line, characters.
const LONGEST: usize = 500;

/// Lines of one source.
pub(crate) struct Lines {
    clock: Arc<dyn Clock>,
    lines: Mutex<VecDeque<LogRecord>>,
}

impl Lines {
    /// None.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            lines: Mutex::default(),
        }
    }

    /// Adds one.
    pub(crate) fn add(&self, level: &str, target: &str, text: &str) {
        let text: String = text.chars().filter(|c| !c.is_control() || *c == '\t').take(LONGEST).collect();
        if text.trim().is_empty() {
            return;
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push_back(LogRecord {
            at: self.clock.now(),
            level: level.into(),
            target: target.into(),
            message: text,
            plugin: None,
        });
        while lines.len() > LINES {
            lines.pop_front();
        }
    }

    /// Newest first.
    pub(crate) fn newest(&self) -> Vec<LogRecord> {
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .rev()
            .cloned()
            .collect()
    }

    /// The last few lines of a target, oldest first, for the text of an error.
    pub(crate) fn tail(&self, target: &str, most: usize) -> String {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last: Vec<_> = lines.iter().rev().filter(|l| l.target == target).take(most).collect();
        last.reverse();
        last.iter().map(|l| l.message.trim()).collect::<Vec<_>>().join(" | ")
    }
}
