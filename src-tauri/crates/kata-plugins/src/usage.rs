//! What a plugin uses of its budget, and how far the budget goes.

use crate::host::PluginHost;
use crate::options::HostOptions;
use crate::plugin::lock;
use kata_core::ports::PluginPart;
use kata_protocol::{Count, PluginCeilings, PluginId, PluginUsage, SourceBudget, SourceJob};
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

    /// What a plugin uses of what it may use; `None` while it does not run.
    pub fn budget(&self, id: &PluginId) -> Option<SourceBudget> {
        let plugin = self.known(id)?;
        let usage = plugin.live.borrow().as_ref()?.usage();
        let (ceilings, limits, used) = (self.ceilings(id), plugin.budget.limits(), plugin.budget.used());
        Some(SourceBudget {
            requests_per_minute: limits.requests_per_minute,
            requests_per_day: limits.requests_per_day,
            wakeups_per_minute: limits.wakeups_per_minute,
            requests_last_minute: used.requests_last_minute,
            requests_today: used.requests_today,
            wakeups_last_minute: used.wakeups_last_minute,
            cpu_ms_last_minute: usage.cpu_ms_last_minute,
            cpu_ms_per_minute: ceilings.cpu_ms_per_minute,
            memory_bytes: usage.memory_bytes,
            memory_limit: ceilings.memory_bytes,
        })
    }

    /// The planned work of a service; empty while it does not run.
    pub fn jobs(&self, id: &PluginId, service: &str) -> Vec<SourceJob> {
        let Some(plugin) = self.known(id) else { return Vec::new() };
        let part = lock(&plugin.parts).get(&PluginPart::Service(service.to_owned())).cloned();
        part.map(|part| part.jobs.shown()).unwrap_or_default()
    }

    /// Services that a plugin has registered.
    pub fn services(&self, id: &PluginId) -> Vec<String> {
        let registry = self.registry.load();
        let member = registry.members.get(id);
        member
            .map(|m| m.registrations.services.iter().map(|(name, _)| name.clone()).collect())
            .unwrap_or_default()
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
