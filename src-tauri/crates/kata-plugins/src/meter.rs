//! Counts events by the minute: what happened in the last full one, or in the present one where that is more.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);

/// One count.
#[derive(Debug)]
pub(crate) struct Minute(Mutex<Counts>);

#[derive(Debug)]
struct Counts {
    began: Instant,
    now: u32,
    last: u32,
}

impl Default for Minute {
    fn default() -> Self {
        Self(Mutex::new(Counts {
            began: Instant::now(),
            now: 0,
            last: 0,
        }))
    }
}

impl Minute {
    /// One more; gives the count of the present minute.
    pub(crate) fn count(&self) -> u32 {
        self.with(|counts| {
            counts.now = counts.now.saturating_add(1);
            counts.now
        })
    }

    /// The figure.
    pub(crate) fn figure(&self) -> u32 {
        self.with(|counts| counts.now.max(counts.last))
    }

    fn with<T>(&self, f: impl FnOnce(&mut Counts) -> T) -> T {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = counts.began.elapsed();
        if passed >= MINUTE {
            counts.last = if passed < MINUTE * 2 { counts.now } else { 0 };
            counts.now = 0;
            counts.began = Instant::now();
        }
        f(&mut counts)
    }
}
