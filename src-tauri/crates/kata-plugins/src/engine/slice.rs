//! How long JavaScript may run: CPU per batch of jobs, CPU per minute, and a switch the host can throw from outside. And when
//! it rests: a batch that nobody waits for pauses as its plugin's [`Share`] says, also in the middle. Whose work it is decides
//! what happens when a minute is used up, see [`Work`].

use super::priority;
use crate::seats::Seat;
use crate::share::{STINT, Share, Stand};
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
    /// It has worked beyond its share for minutes, without a pause.
    Endless,
    /// The host threw the switch.
    Killed,
}

/// Whose work a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// The plugin's own: nobody waits for it. Rests by its share.
    Own,
    /// A load: what is beyond [`QUICK`] of it counts as the plugin's own.
    Load,
    /// A channel's or a service's part: what it holds up can wait. Rests when the minute is used up.
    Part,
    /// Somebody waits for it, with a limit. The plugin ends when this alone has used the minute up.
    Asked,
}

/// CPU a load may take that nobody minds; a usual one takes a millisecond.
const QUICK: Duration = Duration::from_millis(20);

/// Watches one runtime. Lives on its thread; the switch is shared.
pub(crate) struct Watch {
    kill: Arc<AtomicBool>,
    slice: Cell<Duration>,
    deadline: Cell<Duration>,
    tripped: Cell<Option<Tripped>>,
    budget: Duration,
    minute_began: Cell<Instant>,
    used: Cell<Duration>,
    /// Of it, what was asked for, and what was done for parts.
    asked: Cell<Duration>,
    for_parts: Cell<Duration>,
    last_minute: Cell<Duration>,
    began: Cell<Duration>,
    share: Arc<Share>,
    /// Whose work the present batch is.
    work: Cell<Work>,
    /// CPU time up to which the present stint is counted, and what it has come to.
    counted: Cell<Duration>,
    stint: Cell<Duration>,
    /// Until when nothing new is begun on its own account.
    rest: Cell<Option<Instant>>,
    tell: Cell<bool>,
    /// How this thread stands towards others, as the system was told.
    stand: Cell<Stand>,
    /// Whether the runtime is being taken down.
    ending: Cell<bool>,
    /// Where this thread says that it is at work.
    seat: Option<Box<dyn Seat>>,
}

/// How often a resting thread looks whether it should end.
const LOOK: Duration = Duration::from_millis(5);

impl Watch {
    /// For the calling thread.
    pub(crate) fn new(kill: Arc<AtomicBool>, share: Arc<Share>, cpu_ms_per_minute: u32, seat: Option<Box<dyn Seat>>) -> Self {
        let (now, budget) = (Instant::now(), Duration::from_millis(u64::from(cpu_ms_per_minute)));
        let stand = share.stand(now);
        priority::stand(stand);
        let owed = share.owed(budget, now);
        Self {
            seat,
            kill,
            slice: Cell::new(Duration::ZERO),
            deadline: Cell::new(Duration::MAX),
            tripped: Cell::new(None),
            budget,
            minute_began: Cell::new(now),
            used: Cell::new(Duration::ZERO),
            asked: Cell::new(Duration::ZERO),
            for_parts: Cell::new(Duration::ZERO),
            last_minute: Cell::new(Duration::ZERO),
            began: Cell::new(Duration::ZERO),
            share,
            work: Cell::new(Work::Asked),
            counted: Cell::new(Duration::ZERO),
            stint: Cell::new(Duration::ZERO),
            rest: Cell::new((!owed.is_zero()).then(|| now + owed)),
            tell: Cell::new(false),
            stand: Cell::new(stand),
            ending: Cell::new(false),
        }
    }

    /// A batch begins.
    pub(crate) fn begin(&self, slice: Duration, work: Work) {
        self.at_work(true);
        let now = thread_cpu();
        if self.minute_began.get().elapsed() >= Duration::from_secs(60) {
            self.minute_began.set(Instant::now());
            self.last_minute.set(self.used.replace(Duration::ZERO));
            self.asked.set(Duration::ZERO);
            self.for_parts.set(Duration::ZERO);
        }
        self.slice.set(slice);
        self.began.set(now);
        self.deadline.set(now + slice);
        self.work.set(work);
        self.counted.set(now);
    }

    /// It ended; counts what it took.
    pub(crate) fn end(&self) {
        self.at_work(false);
        let now = thread_cpu();
        let spent = now.saturating_sub(self.began.get());
        self.used.set(self.used.get() + spent);
        match self.work.get() {
            Work::Own | Work::Load => {}
            Work::Part => self.for_parts.set(self.for_parts.get() + spent),
            Work::Asked => self.asked.set(self.asked.get() + spent),
        }
        match (self.stint(now), self.work.replace(Work::Asked)) {
            (None, _) => {}
            // The next send is begun whenever it comes, so the rest is here.
            (Some(pause), Work::Part) => self.breathe(pause),
            (Some(pause), _) => self.rest.set(Some(Instant::now() + pause)),
        }
        self.deadline.set(Duration::MAX);
        if self.asked.get() > self.budget && self.tripped.get().is_none() {
            self.tripped
                .set(Some(Tripped::Minute(u32::try_from(self.budget.as_millis()).unwrap_or(u32::MAX))));
        }
    }

    fn at_work(&self, now: bool) {
        if let Some(seat) = &self.seat {
            seat.works(now);
        }
    }

    /// The runtime is taken down from here on: giving a large heap back is work too, and nobody waits for it.
    pub(crate) fn ending(&self) {
        self.ending.set(true);
        self.work.set(Work::Own);
        self.counted.set(thread_cpu());
    }

    /// Counts the present stint up to `now`; how long to rest where it has become long enough to ask.
    fn stint(&self, now: Duration) -> Option<Duration> {
        let rests = match self.work.get() {
            Work::Own => true,
            Work::Load => now.saturating_sub(self.began.get()) > QUICK,
            Work::Part => self.for_parts.get() > self.budget,
            Work::Asked => false,
        };
        if !rests {
            self.counted.set(now);
            return None;
        }
        let stint = self.stint.get() + now.saturating_sub(self.counted.replace(now));
        if stint < STINT {
            self.stint.set(stint);
            return None;
        }
        self.stint.set(Duration::ZERO);
        let rest = self.share.charge(stint, self.budget, Instant::now());
        if rest.tell {
            self.tell.set(true);
        }
        // Who stands back does so for the rest of the thread's life: without privileges nobody becomes less nice again.
        if rest.stand != self.stand.get() && self.stand.get() != Stand::Back {
            self.stand.set(rest.stand);
            priority::stand(rest.stand);
        }
        if rest.endless && self.tripped.get().is_none() {
            self.tripped.set(Some(Tripped::Endless));
        }
        (!rest.pause.is_zero()).then_some(rest.pause)
    }

    /// Rests here and now, in the middle of a batch.
    fn breathe(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while self.ending.get() || !self.kill.load(Ordering::Relaxed) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::park_timeout(left.min(LOOK));
        }
    }

    /// A reply is handed to the plugin: what it does for it by and by does not wait for the rest that is due.
    pub(crate) fn earn(&self) {
        self.share.earn(self.budget, Instant::now());
        self.rest.set(None);
    }

    /// Until when nothing is begun on the plugin's own account; `None` when it may at once.
    pub(crate) fn resting(&self) -> Option<Instant> {
        let until = self.rest.get().filter(|until| *until > Instant::now());
        self.rest.set(until);
        until
    }

    /// Whether the person should be told that the plugin rests; once for each time.
    pub(crate) fn tells(&self) -> bool {
        self.tell.replace(false)
    }

    /// Counts work that another thread does for this one, as the plugin's own.
    pub(crate) fn charge(&self, spent: Duration) {
        self.used.set(self.used.get() + spent);
        self.stint.set(self.stint.get() + spent);
    }

    /// Asked by the engine while JavaScript runs, and between jobs. Once true, true for ever.
    pub(crate) fn over(&self) -> bool {
        let tripped = self.tripped.get().is_some();
        if tripped && !self.ending.get() {
            return true;
        }
        let now = thread_cpu();
        if self.ending.get() {
            if let Some(pause) = self.stint(now) {
                self.breathe(pause);
            }
            return tripped;
        }
        if now <= self.deadline.get()
            && let Some(pause) = self.stint(now)
        {
            self.breathe(pause);
        }
        if self.kill.load(Ordering::Relaxed) {
            self.tripped.set(Some(Tripped::Killed));
        } else if now > self.deadline.get() {
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
