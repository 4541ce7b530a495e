//! Writes that must stand: something has happened already (a message was accepted, a reply left), so a disk that fails is
//! asked again until it takes what is to be told, with growing waits. While that goes on, [`Trouble`] says so.
//!
//! Deliberately absent: writes that nothing rests on yet; whoever asked for those is told of the failure instead.

use crate::ports::Clock;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// First wait between two tries; doubled up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// Told whenever the answer to "what cannot be written at present, and why" changes; `None` when all is well again.
pub type Tell = Arc<dyn Fn(Option<String>) + Send + Sync>;

/// The program ends: what was to be written is taken up at the next start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the program ends before it could be written")]
pub struct Stopping;

/// Counts what is being tried again.
pub struct Trouble {
    open: Mutex<BTreeMap<String, usize>>,
    tell: Tell,
}

impl Trouble {
    /// No trouble; changes go to `tell`.
    pub fn new(tell: Tell) -> Arc<Self> {
        Arc::new(Self {
            open: Mutex::default(),
            tell,
        })
    }

    /// Something could not be written for this reason; the guard falls when it is written, or given up.
    fn begin(self: &Arc<Self>, reason: &str) -> Failing {
        self.change(|open| *open.entry(reason.to_owned()).or_default() += 1);
        Failing {
            trouble: Arc::clone(self),
            reason: reason.to_owned(),
        }
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, usize>)) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let before = open.keys().next().cloned();
        change(&mut open);
        let now = open.keys().next().cloned();
        // Told under the lock, so that the last word is the truth.
        if before != now {
            (self.tell)(now);
        }
    }
}

/// One write that is being tried again.
struct Failing {
    trouble: Arc<Trouble>,
    reason: String,
}

impl Drop for Failing {
    fn drop(&mut self) {
        self.trouble.change(|open| {
            if let Some(count) = open.get_mut(&self.reason) {
                *count -= 1;
                if *count == 0 {
                    open.remove(&self.reason);
                }
            }
        });
    }
}

/// Tries until it stands.
#[derive(Clone)]
pub struct Persist {
    clock: Arc<dyn Clock>,
    stopping: CancellationToken,
    trouble: Arc<Trouble>,
}

impl Persist {
    /// Waits by `clock`, gives up when `stopping` is cancelled, tells `trouble`.
    pub fn new(clock: Arc<dyn Clock>, stopping: CancellationToken, trouble: Arc<Trouble>) -> Self {
        Self { clock, stopping, trouble }
    }

    /// Tries `write` until it succeeds.
    ///
    /// # Errors
    /// [`Stopping`].
    pub async fn until_done<T, E, F>(&self, what: &'static str, mut write: impl FnMut() -> F) -> Result<T, Stopping>
    where
        E: Display,
        F: Future<Output = Result<T, E>>,
    {
        let mut again = self.again(what);
        loop {
            match write().await {
                Ok(done) => return Ok(done),
                Err(error) => again.after(&error).await?,
            }
        }
    }

    /// The waits of one write, for a caller with a loop of its own. Dropping it ends the trouble.
    pub(crate) fn again(&self, what: &'static str) -> Again {
        Again {
            persist: self.clone(),
            what,
            wait: FIRST_WAIT,
            failing: None,
        }
    }
}

/// The waits of one write.
pub(crate) struct Again {
    persist: Persist,
    what: &'static str,
    wait: Duration,
    failing: Option<Failing>,
}

impl Again {
    /// Notes a failure and waits for the next try.
    pub(crate) async fn after(&mut self, error: &impl Display) -> Result<(), Stopping> {
        let reason = error.to_string();
        if self.failing.as_ref().is_none_or(|failing| failing.reason != reason) {
            tracing::error!(%error, "{} failed and is tried again", self.what);
            self.failing = Some(self.persist.trouble.begin(&reason));
        }
        let wait = self.wait;
        self.wait = (wait * 2).min(LONGEST_WAIT);
        tokio::select! {
            biased;
            () = self.persist.stopping.cancelled() => Err(Stopping),
            () = self.persist.clock.sleep(wait) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestClock, passing};
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn a_write_that_fails_is_tried_again_and_the_trouble_is_told_until_it_stands() {
        let (clock, told) = (Arc::new(TestClock::default()), Arc::new(Mutex::new(Vec::new())));
        let trouble = {
            let told = Arc::clone(&told);
            Trouble::new(Arc::new(move |now| lock(&told).push(now)))
        };
        let persist = Persist::new(Arc::clone(&clock) as _, CancellationToken::new(), trouble);
        let tries = AtomicU32::new(0);
        let write = persist.until_done("a write", || {
            let n = tries.fetch_add(1, Ordering::Relaxed);
            async move { if n < 3 { Err("the disk is full") } else { Ok(n) } }
        });
        let done = tokio::select! {
            done = write => done,
            () = passing(&clock, LONGEST_WAIT) => unreachable!("time passes for ever"),
        };
        assert_eq!(done, Ok(3));
        assert_eq!(*lock(&told), [Some("the disk is full".to_owned()), None]);
    }

    #[tokio::test]
    async fn the_end_of_the_program_ends_the_waiting() {
        let stopping = CancellationToken::new();
        let persist = Persist::new(Arc::new(TestClock::default()), stopping.clone(), Trouble::new(Arc::new(|_| {})));
        let (done, ()) = tokio::join!(persist.until_done("a write", || async { Err::<(), _>("no") }), async {
            tokio::task::yield_now().await;
            stopping.cancel();
        });
        assert_eq!(done, Err(Stopping));
    }

    fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
