//! Supervision of everything that runs by itself: each task has a name, a panic in one is logged and stays in it, and
//! shutdown waits for all of them up to a deadline and says who was late.

use crate::ports::Clock;
use futures::FutureExt;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

tokio::task_local! {
    static PRESENT: &'static str;
}

/// Name of the task this is asked in; nothing outside of one.
pub fn present() -> Option<&'static str> {
    PRESENT.try_with(|name| *name).ok()
}

/// Spawns and stops tasks. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    cancel: CancellationToken,
    running: Arc<Mutex<BTreeMap<&'static str, usize>>>,
}

impl Tasks {
    /// Runs a task to its end. A panic is logged under its name.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that spawns")]
    pub fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let running = Arc::clone(&self.running);
        *lock(&running).entry(name).or_default() += 1;
        self.tracker.spawn(async move {
            if AssertUnwindSafe(PRESENT.scope(name, task)).catch_unwind().await.is_err() {
                tracing::error!(task = name, "a task panicked and was ended");
            }
            let mut running = lock(&running);
            if let Some(count) = running.get_mut(name) {
                *count -= 1;
                if *count == 0 {
                    running.remove(name);
                }
            }
        });
    }

    /// Cancelled when the program ends; long tasks select on it.
    pub fn stopping(&self) -> CancellationToken {
        self.cancel.clone()
    }

    /// Asks everything to end and waits. Answers the names of those that had not ended at the deadline.
    pub async fn shutdown(&self, clock: &dyn Clock, deadline: Duration) -> Vec<&'static str> {
        self.cancel.cancel();
        self.tracker.close();
        tokio::select! {
            () = self.tracker.wait() => Vec::new(),
            () = clock.sleep(deadline) => lock(&self.running).keys().copied().collect(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestClock;

    #[tokio::test]
    async fn a_panic_ends_its_own_task_only_and_shutdown_names_the_late_ones() {
        let tasks = Tasks::default();
        tasks.spawn("panics", async { panic!("on purpose") });
        tasks.spawn("hangs", futures::future::pending());
        let stopping = tasks.stopping();
        tasks.spawn("obeys", async move { stopping.cancelled().await });
        let clock = TestClock::default();
        let late = tokio::join!(tasks.shutdown(&clock, Duration::from_secs(10)), async {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            clock.advance(Duration::from_secs(10));
        })
        .0;
        assert_eq!(late, ["hangs"]);
    }
}
