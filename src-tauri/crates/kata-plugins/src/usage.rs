//! What a plugin uses of its budget, and how far the budget goes.

use crate::host::PluginHost;
use crate::options::HostOptions;
use crate::plugin::lock;
use kata_protocol::{Count, PluginCeilings, PluginId, PluginUsage};
use std::sync::atomic::Ordering;

impl PluginHost {
    /// What a plugin uses; of one that does not run only how often it was restarted. `None` for one that was never activated.
    pub fn usage(&self, id: &PluginId) -> Option<PluginUsage> {
        let plugin = self.known(id)?;
        let now = plugin.live.borrow().as_ref().map(|generation| generation.usage());
        Some(PluginUsage {
            restarts: plugin.restarts.load(Ordering::Relaxed),
            ..now.unwrap_or_default()
        })
    }

    /// The limits in force for a plugin: the host's, where its manifest does not ask for lower ones.
    pub fn ceilings(&self, id: &PluginId) -> PluginCeilings {
        let limits = self
            .known(id)
            .and_then(|plugin| lock(&plugin.activation).as_ref().map(|a| a.candidate.manifest.limits.clone()));
        ceilings(&self.options().lowered(&limits.unwrap_or_default()))
    }
}

fn ceilings(options: &HostOptions) -> PluginCeilings {
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    PluginCeilings {
        memory_bytes: Count(u64::from(options.memory_mb) << 20),
        cpu_ms_per_minute: options.cpu_ms_per_minute,
        timers: small(options.timers),
        calls_in_flight: small(options.host_calls),
        sockets: small(options.sockets),
        queue: small(options.queue),
        log_lines_per_minute: options.log_lines_per_minute,
    }
}
