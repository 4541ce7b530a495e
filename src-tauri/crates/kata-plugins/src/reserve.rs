//! The version before, kept for a moment after a reload. A version that loads and registers may still fail where it is put to
//! work: its channel does not connect, its service throws at the start, a timer loops. Within that moment the one before takes
//! over again, as it was: same thread, same state, nothing loaded anew.
//!
//! Deliberately absent: going back further than one version, and going back after the moment; then a fault is a fault.

use crate::generation::Generation;
use crate::host::PluginHost;
use crate::plugin::{Activation, Plugin, lock};
use crate::ports::Reporter;
use crate::registry::Member;
use kata_core::lifecycle::Happening;
use std::sync::Arc;

/// A version that can take over again.
pub(crate) struct Reserve {
    /// Number of the generation it would take over from.
    on_trial: u32,
    member: Arc<Member>,
    activation: Activation,
}

impl PluginHost {
    /// Keeps the version before until the new one has held out; drains it then.
    pub(crate) fn keep(self: &Arc<Self>, plugin: &Arc<Plugin>, on_trial: u32, member: Arc<Member>, activation: Activation) {
        let kept = Reserve {
            on_trial,
            member,
            activation,
        };
        self.drain(lock(&plugin.reserve).replace(kept));
        let (host, plugin, trial) = (Arc::clone(self), Arc::clone(plugin), self.options().trial);
        let stopping = self.tasks().stopping();
        self.tasks().spawn("plugin trial", async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = host.clock().sleep(trial) => {}
            }
            let held = lock(&plugin.reserve).take_if(|r| r.on_trial == on_trial);
            host.drain(held);
        });
    }

    /// Lets go of the version before, at the end of the plugin.
    pub(crate) fn drain(&self, reserve: Option<Reserve>) {
        if let Some(reserve) = reserve {
            self.retire(&reserve.member.generation);
        }
    }

    /// Puts the version before back in place of one that failed on trial. False when there is none to go back to.
    pub(crate) fn roll_back(&self, plugin: &Arc<Plugin>, failed: &Arc<Generation>, reason: &str) -> bool {
        // A part that failed and a thread that ended may both come here: whoever is second finds the version before in place.
        let _one_at_a_time = lock(&plugin.rolling_back);
        let fits = |r: &mut Reserve| r.on_trial == failed.number && !r.member.generation.dead.is_cancelled();
        let Some(Reserve {
            member, mut activation, ..
        }) = lock(&plugin.reserve).take_if(fits)
        else {
            return false;
        };
        let before = Arc::clone(&member.generation);
        // The names are those it had a moment ago; another plugin may have taken one since.
        if self.put(&plugin.id, Some(member)).is_err() {
            self.retire(&before);
            return false;
        }
        {
            let mut present = lock(&plugin.activation);
            // What was taken back meanwhile stays taken back.
            if let Some(present) = present.as_ref() {
                activation.granted.retain(|g| present.granted.contains(g));
            }
            *present = Some(activation);
        }
        plugin.live.send_replace(Some(before));
        self.retire(failed);
        let words = format!("the new version did not hold, the one before goes on: {reason}");
        plugin.fault("load", words.clone());
        plugin.moved(Happening::Degraded, "reload_failed", &words);
        true
    }

    fn retire(&self, generation: &Arc<Generation>) {
        let (generation, drain, dispose) = (Arc::clone(generation), self.options().drain, self.options().stop_timeout);
        self.tasks()
            .spawn("plugin drain", async move { generation.retire(drain, dispose).await });
    }
}
