//! Finds threads that nothing else would miss: JavaScript polls the limits of `engine::slice` by itself, a call has the
//! host's own timeout, but a native loop in a timer or a continuation answers nobody and polls nothing.
//!
//! Every [`HostOptions::stuck`](crate::HostOptions) half, each thread's pulse is looked at. One that has been in the same
//! batch for two looks is asked to end; if it does not within `stuck`, its generation gives it up (see `generation`).
//! Deliberately absent: timing of single calls, and any hope to stop native code.

use crate::generation::Generation;
use crate::plugin::lock;
use kata_core::ports::Clock;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Threads that are watched.
#[derive(Default)]
pub(crate) struct Watchdog {
    threads: Mutex<Vec<Watched>>,
}

struct Watched {
    generation: Weak<Generation>,
    pulse: u64,
    looks: u32,
}

impl Watchdog {
    /// Watches a generation's thread until it ends.
    pub(crate) fn watch(&self, generation: &Arc<Generation>) {
        lock(&self.threads).push(Watched {
            generation: Arc::downgrade(generation),
            pulse: 0,
            looks: 0,
        });
    }

    /// Looks again and again.
    pub(crate) async fn run(self: Arc<Self>, clock: Arc<dyn Clock>, stuck: Duration, stopping: CancellationToken) {
        let pause = (stuck / 2).max(Duration::from_millis(1));
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                () = clock.sleep(pause) => self.look(),
            }
        }
    }

    fn look(&self) {
        lock(&self.threads).retain_mut(|watched| {
            let Some(generation) = watched.generation.upgrade().filter(|g| !g.dead.is_cancelled()) else {
                return false;
            };
            let pulse = generation.pulse();
            // Odd while JavaScript, or what it called, is at work.
            let same = pulse % 2 == 1 && pulse == watched.pulse;
            watched.looks = if same { watched.looks + 1 } else { 0 };
            watched.pulse = pulse;
            if watched.looks == 2 {
                generation.kill();
            }
            true
        });
    }
}
