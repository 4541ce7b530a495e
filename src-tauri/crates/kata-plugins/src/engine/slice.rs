//! How long JavaScript may run: CPU per batch of jobs, CPU per minute, and a switch the host can throw from outside.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// CPU time of the calling thread. On a busy machine wall time would punish a plugin for what its neighbours do.
#[cfg(unix)]
pub(crate) fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// Wall time, where the system has no such clock.
#[cfg(not(unix))]
pub(crate) fn thread_cpu() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Why the running JavaScript was interrupted. It cannot catch this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tripped {
    /// One batch took too long.
    Slice(Duration),
    /// The minute's budget is used up.
    Minute(u32),
    /// The host threw the switch.
    Killed,
}

/// Watches one runtime. Lives on its thread; the switch is shared.
pub(crate) struct Watch {
    kill: Arc<AtomicBool>,
    slice: Cell<Duration>,
    deadline: Cell<Duration>,
    tripped: Cell<Option<Tripped>>,
    budget: Duration,
    minute_began: Cell<Instant>,
    used: Cell<Duration>,
    last_minute: Cell<Duration>,
    began: Cell<Duration>,
}

impl Watch {
    pub(crate) fn new(kill: Arc<AtomicBool>, cpu_ms_per_minute: u32) -> Self {
        Self {
            kill,
            slice: Cell::new(Duration::ZERO),
            deadline: Cell::new(Duration::MAX),
            tripped: Cell::new(None),
            budget: Duration::from_millis(u64::from(cpu_ms_per_minute)),
            minute_began: Cell::new(Instant::now()),
            used: Cell::new(Duration::ZERO),
            last_minute: Cell::new(Duration::ZERO),
            began: Cell::new(Duration::ZERO),
        }
    }

    /// A batch begins.
    pub(crate) fn begin(&self, slice: Duration) {
        let now = thread_cpu();
        if self.minute_began.get().elapsed() >= Duration::from_secs(60) {
            self.minute_began.set(Instant::now());
            self.last_minute.set(self.used.replace(Duration::ZERO));
        }
        self.slice.set(slice);
        self.began.set(now);
        self.deadline.set(now + slice);
    }

    /// It ended; counts what it took.
    pub(crate) fn end(&self) {
        let used = self.used.get() + thread_cpu().saturating_sub(self.began.get());
        self.used.set(used);
        self.deadline.set(Duration::MAX);
        if used > self.budget && self.tripped.get().is_none() {
            self.tripped
                .set(Some(Tripped::Minute(u32::try_from(self.budget.as_millis()).unwrap_or(u32::MAX))));
        }
    }

    /// Counts work that another thread does for this one.
    pub(crate) fn charge(&self, spent: Duration) {
        self.used.set(self.used.get() + spent);
    }

    /// Asked by the engine while JavaScript runs, and between jobs. Once true, true for ever.
    pub(crate) fn over(&self) -> bool {
        if self.tripped.get().is_some() {
            return true;
        }
        if self.kill.load(Ordering::Relaxed) {
            self.tripped.set(Some(Tripped::Killed));
        } else if thread_cpu() > self.deadline.get() {
            self.tripped.set(Some(Tripped::Slice(self.slice.get())));
        }
        self.tripped.get().is_some()
    }

    pub(crate) fn tripped(&self) -> Option<Tripped> {
        self.tripped.get()
    }

    /// CPU of the last full minute, or of the present one where that is more.
    pub(crate) fn cpu_ms(&self) -> u32 {
        u32::try_from(self.last_minute.get().max(self.used.get()).as_millis()).unwrap_or(u32::MAX)
    }
}
