//! Services of all plugins together: what concerns every one of them, and the order in which they end.
//!
//! Neighbours: `parts` runs one of them, `jobs` its planned work.

use crate::host::PluginHost;
use crate::parts::Part;
use crate::plugin::{Plugin, lock};
use kata_core::ports::PluginPart;
use kata_protocol::PluginId;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Between two looks whether the clock is where it should be.
const TICK: Duration = Duration::from_secs(30);
/// Time a service has to itself when everything begins or ends, before it is the next one's turn.
const ALONE: Duration = Duration::from_millis(200);

impl PluginHost {
    /// Begins to look whether the clock jumps, with the first service: then what was missed is due.
    pub(crate) fn tick(self: &Arc<Self>) {
        if self.ticking.swap(true, Ordering::AcqRel) {
            return;
        }
        let (host, stopping) = (Arc::clone(self), self.tasks.stopping());
        self.tasks.spawn("plugin clock", async move {
            let mut expected = host.clock.now();
            loop {
                tokio::select! {
                    () = stopping.cancelled() => return,
                    () = host.clock.sleep(TICK) => {}
                }
                let now = host.clock.now();
                if now.0.abs_diff(expected.0 + 30_000) > 5_000 {
                    host.each_service(|part| part.jobs.look_again());
                }
                expected = now;
            }
        });
    }

    fn each_service(&self, act: impl Fn(&Part)) {
        self.each_part(|part| {
            if matches!(part.part, PluginPart::Service(_)) {
                act(part);
            }
        });
    }

    fn each_part(&self, act: impl Fn(&Part)) {
        let plugins: Vec<Arc<Plugin>> = lock(&self.plugins).values().cloned().collect();
        for part in plugins.iter().flat_map(|plugin| plugin.parts_now()) {
            act(&part);
        }
    }

    /// The machine woke up: what services missed is due, and every channel makes its connection anew, since the other side has given
    /// the old one up long ago. Nothing is lost: a channel goes on from where it had read to.
    pub fn woke_up(&self) {
        self.each_part(|part| match part.part {
            PluginPart::Service(_) => {
                part.jobs.look_again();
                part.connect_anew(false);
            }
            _ => part.connect_anew(true),
        });
    }

    /// There is another network: what waits to try again tries at once.
    pub fn network_changed(&self) {
        self.each_part(|part| part.connect_anew(false));
    }

    /// The machine saves power from now on, or no longer: intervals that may be stretched are.
    pub fn save_power(&self, saving: bool) {
        if self.common.saving.swap(saving, Ordering::AcqRel) != saving {
            self.each_service(|part| part.jobs.save_power(saving));
        }
    }

    /// Returns when a service that was switched on has been told to start, so that the next one begins after it.
    pub async fn service_begun(&self, id: &PluginId, service: &str) {
        let part = self.known(id).and_then(|plugin| {
            let parts = lock(&plugin.parts);
            parts.get(&PluginPart::Service(service.to_owned())).cloned()
        });
        if let Some(part) = part {
            tokio::select! {
                () = part.begun.cancelled() => {}
                () = part.ended.cancelled() => {}
                () = self.clock.sleep(ALONE) => {}
            }
        }
    }

    /// Stops services one after the other, the last one that was started first. One that takes its time is not waited for long.
    pub(crate) async fn stop_services(&self) {
        let started: Vec<_> = lock(&self.started).drain(..).rev().collect();
        for (id, service) in started {
            let Some(plugin) = self.known(&id) else { continue };
            let part = lock(&plugin.parts).get(&PluginPart::Service(service)).cloned();
            if let Some(part) = part {
                part.stop.cancel();
                tokio::select! {
                    () = part.ended.cancelled() => {}
                    () = self.clock.sleep(ALONE) => {}
                }
            }
        }
    }
}
