//! Services, as far as they are more than a part of a plugin: in which workspaces each is on, which tools come and go with it, and
//! what its page shows of its work.

use super::{Plugins, lock};
use crate::backend::source_id;
use crate::board::Board;
use crate::settings::SettingsFile;
use kata_core::ports::PluginPart;
use kata_plugins::PluginHost;
use kata_protocol::{
    ErrorCode, PluginId, RunState, SourceDetail, SourceId, SourceKind, SourceSummary, ToolInfo, WireError, WorkspaceId, WorkspaceSwitch,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// What a list of tools was made of: it holds as long as this does.
type Made = (Arc<[ToolInfo]>, u64, usize);

/// Tools of plugins that have services: there while one of these runs, for the sessions of the workspaces it is on in.
pub(crate) struct ServiceTools {
    host: Arc<PluginHost>,
    board: Arc<Board>,
    settings: Arc<SettingsFile>,
    seen: Mutex<Option<Made>>,
    lists: Mutex<HashMap<Option<WorkspaceId>, Arc<[ToolInfo]>>>,
}

impl ServiceTools {
    pub(crate) fn new(host: Arc<PluginHost>, board: Arc<Board>, settings: Arc<SettingsFile>) -> Self {
        Self {
            host,
            board,
            settings,
            seen: Mutex::default(),
            lists: Mutex::default(),
        }
    }

    /// Those of `all` that sessions of a workspace see, or of any workspace. The same list as long as nothing changes.
    pub(crate) fn seen_in(&self, all: &Arc<[ToolInfo]>, workspace: Option<&WorkspaceId>) -> Arc<[ToolInfo]> {
        let made: Made = (Arc::clone(all), self.board.turn(), Arc::as_ptr(&self.settings.get()).addr());
        {
            let mut seen = lock(&self.seen);
            let same = seen
                .as_ref()
                .is_some_and(|s| Arc::ptr_eq(&s.0, &made.0) && s.1 == made.1 && s.2 == made.2);
            if !same {
                *seen = Some(made);
                lock(&self.lists).clear();
            }
        }
        let key = workspace.cloned();
        if let Some(list) = lock(&self.lists).get(&key) {
            return Arc::clone(list);
        }
        let shown: Vec<ToolInfo> = all.iter().filter_map(|tool| self.seen(tool, workspace)).collect();
        // Where nothing is left out or marked, it is the list that was given.
        let list: Arc<[ToolInfo]> = if shown.len() == all.len() && shown.iter().all(|t| t.source.is_none()) {
            Arc::clone(all)
        } else {
            shown.into()
        };
        lock(&self.lists).insert(key, Arc::clone(&list));
        list
    }

    /// A tool as a workspace sees it, with the service it comes and goes with.
    fn seen(&self, tool: &ToolInfo, workspace: Option<&WorkspaceId>) -> Option<ToolInfo> {
        let Some(plugin) = &tool.plugin else { return Some(tool.clone()) };
        let services = self.host.services(plugin);
        if services.is_empty() {
            return Some(tool.clone());
        }
        let ids = services.into_iter().filter_map(|s| source_id(plugin, &PluginPart::Service(s)));
        let mut up = ids.filter(|id| self.up_in(id, workspace));
        up.next().map(|source| ToolInfo {
            source: Some(source),
            ..tool.clone()
        })
    }

    fn up_in(&self, id: &SourceId, workspace: Option<&WorkspaceId>) -> bool {
        let Ok((source, _)) = self.board.get(id) else { return false };
        let up = source.enabled && matches!(source.status.state, RunState::Running | RunState::Degraded);
        up && workspace.is_none_or(|wanted| match &source.workspace {
            Some(own) => own == wanted,
            None => on_in(&self.settings, id, wanted),
        })
    }

    /// Why a tool of a plugin cannot be called from a workspace, for the model; `None` where it can.
    pub(crate) fn away(&self, all: &[ToolInfo], name: &str, workspace: &WorkspaceId) -> Option<String> {
        let tool = all.iter().find(|tool| tool.name == name)?;
        if self.seen(tool, Some(workspace)).is_some() {
            return None;
        }
        let plugin = tool.plugin.as_ref()?;
        Some(format!(
            "The tool “{name}” is not there at present: the service of “{plugin}” that brings it does not run, or is off in this workspace."
        ))
    }
}

/// Whether a service is on in a workspace.
fn on_in(settings: &SettingsFile, id: &SourceId, workspace: &WorkspaceId) -> bool {
    let settings = settings.get();
    let source = settings.sources.get(id.as_str());
    source.is_some_and(|source| source.on_in(workspace.as_str()))
}

impl Plugins {
    /// Whether a source is switched on: a service is when it is in some workspace.
    pub(super) fn source_enabled(&self, id: &SourceId) -> bool {
        let settings = self.settings.get();
        // Whoever started a program with a token of theirs wants its channels.
        let unless_said = self.is_of_program(id);
        let Some(source) = settings.sources.get(id.as_str()) else {
            return unless_said;
        };
        let everywhere = source.enabled.unwrap_or(unless_said);
        if source.workspaces.is_empty() {
            return everywhere;
        }
        let all = kata_store::workspaces(&self.home);
        all.iter().any(|w| source.on_in(w.id.as_str())) || all.is_empty() && everywhere
    }

    /// Switches a source on or off: everywhere, or in one workspace.
    pub(crate) async fn switch_source(
        self: &Arc<Self>,
        source: &SourceSummary,
        enabled: bool,
        workspace: Option<WorkspaceId>,
    ) -> Result<(), WireError> {
        let Some(workspace) = workspace else {
            return self.enable_source(source, enabled).await;
        };
        if source.kind != SourceKind::Service {
            return Err(WireError::new(
                ErrorCode::Conflict,
                format!("“{}” is not switched by workspace: only services are", source.name),
            )
            .hint("a channel's messages go where the routing table sends them: docs/routing.md"));
        }
        let workspace = self.known_workspace(Some(workspace))?;
        match &source.workspace {
            Some(own) if *own == workspace => return self.enable_source(source, enabled).await,
            Some(own) => {
                let message = format!("“{}” belongs to the workspace “{own}”", source.name);
                return Err(WireError::new(ErrorCode::Conflict, message).hint("its plugin is in that workspace's folder"));
            }
            None => {}
        }
        let (plugin, _) = self.part(source)?;
        if enabled {
            self.require_trust(&self.candidate(&plugin)?)?;
        }
        self.settings.change(|s| {
            let entry = s.sources.entry(source.id.to_string()).or_default();
            entry.workspaces.insert(workspace.to_string(), enabled);
        })?;
        let on = self.source_enabled(&source.id);
        self.run_source(source, on).await
    }

    /// What a source's page shows of its work: budget, jobs, and where it is on.
    pub(crate) fn show_work(&self, detail: &mut SourceDetail) {
        let source = &detail.summary;
        let Some(plugin) = source.plugin.clone() else { return };
        detail.budget = self.host.budget(&plugin);
        if source.kind != SourceKind::Service {
            return;
        }
        if let Some(service) = service_of(&plugin, &source.id) {
            detail.jobs = self.host.jobs(&plugin, &service);
        }
        if source.workspace.is_none() {
            let all = kata_store::workspaces(&self.home).into_iter();
            detail.workspaces = all
                .map(|w| WorkspaceSwitch {
                    enabled: on_in(&self.settings, &source.id, &w.id),
                    workspace: w.id,
                })
                .collect();
        }
    }

    /// Starts the services that are switched on, of all plugins that run, in the order in which they were found.
    pub(super) async fn start_services(&self) {
        let found: Vec<_> = lock(&self.found).discovery.found.iter().map(|c| c.manifest.clone()).collect();
        for manifest in found {
            // One that was loaded again meanwhile has started them itself.
            if self.host.running().contains(&manifest.id)
                && let Err(error) = self.start_services_of(&manifest.id, &manifest.contributes).await
            {
                tracing::error!(plugin = %manifest.id, %error, "a service did not start");
            }
        }
    }
}

/// The service that a source is.
fn service_of(plugin: &PluginId, id: &SourceId) -> Option<String> {
    let beginning = format!("service:{plugin}:");
    id.as_str().strip_prefix(&beginning).map(str::to_owned)
}
