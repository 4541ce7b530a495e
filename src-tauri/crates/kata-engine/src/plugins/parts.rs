//! Channels and services of plugins: on the board, started, stopped.

use super::{Plugins, channels_of, lock};
use crate::backend::source_id;
use kata_core::ports::PluginPart;
use kata_protocol::{
    ChannelId, Contributes, ErrorCode, PluginId, PluginOrigin, RunState, SourceId, SourceKind, SourceSummary, Status, WireError,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A part of a plugin that shows on the board.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// A channel.
    Channel(ChannelId),
    /// A service.
    Service(String),
}

impl Plugins {
    /// Puts channels and services of every plugin on the board and takes those of removed plugins away. Of two plugins that
    /// name one channel, the first in order of precedence has it: its secrets and settings are not the other's.
    pub(super) fn refresh_board(&self) {
        let mut candidates = lock(&self.found).discovery.found.clone();
        candidates.extend(self.programs());
        let mut ids: BTreeSet<SourceId> = BTreeSet::new();
        for candidate in &candidates {
            let (manifest, plugin) = (&candidate.manifest, &candidate.manifest.id);
            let channels = channels_of(&manifest.contributes).map(PluginPart::Channel);
            let services = manifest.contributes.services.iter().cloned().map(PluginPart::Service);
            for part in channels.chain(services) {
                let Some(id) = source_id(plugin, &part) else { continue };
                let (kind, name) = match &part {
                    PluginPart::Channel(_) => (SourceKind::Channel, manifest.name.clone()),
                    PluginPart::Service(service) => {
                        let only = manifest.contributes.services.len() == 1;
                        let name = if only {
                            manifest.name.clone()
                        } else {
                            format!("{} · {service}", manifest.name)
                        };
                        (SourceKind::Service, name)
                    }
                    PluginPart::Plugin => continue,
                };
                if !ids.insert(id.clone()) {
                    continue;
                }
                self.board.put(SourceSummary {
                    id: id.clone(),
                    kind,
                    name,
                    tagline: Some(manifest.description.clone()).filter(|d| !d.is_empty()),
                    icon: manifest.icon.clone(),
                    workspace: candidate.workspace.clone().or_else(|| self.account_workspace(candidate, &id)),
                    plugin: Some(plugin.clone()),
                    enabled: self.source_enabled(&id),
                    status: match candidate.origin {
                        PluginOrigin::Gateway => self.program_away(),
                        _ => Status::plain(RunState::Stopped, self.clock.now()),
                    },
                    last_activity: None,
                });
            }
        }
        self.board.retain(|s| s.plugin.is_none() || ids.contains(&s.id));
    }

    /// Starts the parts that are switched on.
    pub(super) async fn start_parts(&self, id: &PluginId, contributes: &Contributes) -> Result<(), WireError> {
        for channel in channels_of(contributes) {
            if source_id(id, &PluginPart::Channel(channel.clone())).is_some_and(|s| self.source_enabled(&s)) {
                self.host.start_channel(&channel).await?;
            }
        }
        // At the start they wait for their turn.
        if self.booted.load(std::sync::atomic::Ordering::Acquire) {
            self.start_services_of(id, contributes).await?;
        }
        Ok(())
    }

    /// Starts the services that are switched on; one that runs goes on.
    pub(super) async fn start_services_of(&self, id: &PluginId, contributes: &Contributes) -> Result<(), WireError> {
        for service in &contributes.services {
            if source_id(id, &PluginPart::Service(service.clone())).is_some_and(|s| self.source_enabled(&s)) {
                self.host.start_service(id, service).await?;
                self.host.service_begun(id, service).await;
            }
        }
        Ok(())
    }

    /// Starts or stops one channel or service and remembers it.
    pub(crate) async fn enable_source(self: &Arc<Self>, source: &SourceSummary, enabled: bool) -> Result<(), WireError> {
        let (plugin, _) = self.part(source)?;
        if enabled {
            self.require_trust(&self.candidate(&plugin)?)?;
        }
        self.settings.change(|s| {
            let entry = s.sources.entry(source.id.to_string()).or_default();
            entry.enabled = Some(enabled);
            entry.workspaces.clear();
        })?;
        self.run_source(source, enabled).await
    }

    /// What was decided about a source comes to be.
    pub(super) async fn run_source(self: &Arc<Self>, source: &SourceSummary, enabled: bool) -> Result<(), WireError> {
        let (plugin, part) = self.part(source)?;
        self.board.put(SourceSummary { enabled, ..source.clone() });
        if enabled && !self.host.running().contains(&plugin) {
            return self.enable(&plugin, true).await;
        }
        self.run_part(&plugin, &part, enabled).await
    }

    /// Stops and starts one channel or service.
    pub(crate) async fn restart_source(self: &Arc<Self>, source: &SourceSummary) -> Result<(), WireError> {
        let (plugin, part) = self.part(source)?;
        if !source.enabled {
            return Err(WireError::new(ErrorCode::Conflict, format!("“{}” is switched off", source.name)).hint("switch it on first"));
        }
        if !self.host.running().contains(&plugin) {
            return self.start(&plugin).await;
        }
        self.run_part(&plugin, &part, false).await?;
        self.run_part(&plugin, &part, true).await
    }

    async fn run_part(&self, plugin: &PluginId, part: &Part, run: bool) -> Result<(), WireError> {
        match (part, run) {
            (Part::Channel(channel), true) => return self.host.start_channel(channel).await,
            (Part::Channel(channel), false) => self.host.stop_channel(channel).await,
            (Part::Service(service), true) => return self.host.start_service(plugin, service).await,
            (Part::Service(service), false) => self.host.stop_service(plugin, service).await,
        }
        Ok(())
    }

    pub(super) fn part(&self, source: &SourceSummary) -> Result<(PluginId, Part), WireError> {
        let Some(plugin) = source.plugin.clone() else {
            return Err(WireError::new(
                ErrorCode::Conflict,
                format!("“{}” is set up by files, not by a plugin", source.name),
            )
            .hint("channels and services of plugins can be switched and configured"));
        };
        let candidate = self.candidate(&plugin)?;
        let matches = |part: &PluginPart| source_id(&plugin, part).as_ref() == Some(&source.id);
        for channel in channels_of(&candidate.manifest.contributes) {
            if matches(&PluginPart::Channel(channel.clone())) {
                return Ok((plugin, Part::Channel(channel)));
            }
        }
        for service in &candidate.manifest.contributes.services {
            if matches(&PluginPart::Service(service.clone())) {
                return Ok((plugin, Part::Service(service.clone())));
            }
        }
        Err(WireError::not_found("source", &source.id))
    }
}
