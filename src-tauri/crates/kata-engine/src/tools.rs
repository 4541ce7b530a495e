//! Every tool there is, built-in, of plugins and of sources, as one; and the operations about what they may do.
//!
//! Neighbours: kata-tools (built-in tools and the rules), the plugin host. A plugin's tool never takes the place of a built-in
//! one: it is left out, and a notice names the plugin.

use crate::engine::{Inner, locked};
use crate::plugins::ServiceTools;
use crate::sources::FileSources;
use async_trait::async_trait;
use kata_core::ports::{Clock, Judgement, Permissions, ToolFile, ToolOutcome, ToolRequest, Tools, Unfit};
use kata_plugins::PluginHost;
use kata_protocol::{
    Fact, Json, Ms, Notice, PermissionExplain, PermissionExplanation, PermissionForget, PermissionList, PermissionMode, PermissionOutcome,
    PermissionState, SessionId, SessionState, SessionSummary, TokenUsage, ToolInfo, WireError, WorkspaceId, WorkspaceSummary,
};
use kata_store::HomePaths;
use kata_tools::{Builtin, NAMES, Places, Rules, Sandbox};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// The plugins' tools as they were, the sources' as they were counted, and what they were joined to.
type Joined = (Arc<[ToolInfo]>, u64, Arc<[ToolInfo]>);

/// Built-in tools, those of plugins and those of sources.
pub(crate) struct AllTools {
    builtin: Builtin,
    host: Arc<PluginHost>,
    sources: Arc<FileSources>,
    /// The host's list as it was last seen, and what was made of it.
    seen: Mutex<Option<Joined>>,
    notices: Arc<Mutex<Vec<Notice>>>,
    clock: Arc<dyn Clock>,
    /// Which tools of services are there, and where.
    services: ServiceTools,
}

/// What judging and running calls needs, once for both.
pub(crate) struct Permit {
    pub places: Places,
    pub sandbox: Arc<Sandbox>,
    pub rules: Rules,
}

impl Permit {
    /// For the homes of this engine.
    pub(crate) fn new(home: &HomePaths) -> Self {
        let folders = home.clone();
        let places = Places {
            kata_home: home.root().to_owned(),
            user_home: home.user_home().to_owned(),
            workspace: Arc::new(move |id| {
                let all = kata_store::home::workspace_folders(&folders);
                all.into_iter().find(|w| w.id == *id).map(|w| w.path)
            }),
        };
        let sandbox = Arc::new(Sandbox::default());
        let rules = Rules::new(places.clone(), Arc::clone(&sandbox));
        Self { places, sandbox, rules }
    }
}

impl AllTools {
    /// Joins them.
    pub(crate) fn new(
        permit: &Permit,
        host: Arc<PluginHost>,
        sources: Arc<FileSources>,
        notices: Arc<Mutex<Vec<Notice>>>,
        clock: Arc<dyn Clock>,
        services: ServiceTools,
    ) -> Self {
        Self {
            services,
            builtin: Builtin::new(permit.places.clone(), Arc::clone(&permit.sandbox)),
            host,
            sources,
            seen: Mutex::default(),
            notices,
            clock,
        }
    }

    /// Built-in tools, all that plugins have registered, and those of sources that work.
    fn joined(&self) -> Arc<[ToolInfo]> {
        let plugins = self.host.list();
        let mut seen = locked(&self.seen);
        // Counted before it is looked at: what changes meanwhile is seen the next time.
        let version = self.sources.version();
        match &*seen {
            Some((known, counted, all)) if Arc::ptr_eq(known, &plugins) && *counted == version => Arc::clone(all),
            _ => {
                let all = self.join(&plugins, self.sources.running.all_tools());
                *seen = Some((plugins, version, Arc::clone(&all)));
                all
            }
        }
    }

    fn join(&self, plugins: &[ToolInfo], sources: Vec<ToolInfo>) -> Arc<[ToolInfo]> {
        let mut all = self.builtin.list().to_vec();
        let mut shadows = Vec::new();
        for tool in plugins {
            if NAMES.contains(&tool.name.as_str()) {
                shadows.push(shadow(tool, self.clock.now()));
            } else {
                all.push(tool.clone());
            }
        }
        all.extend(sources);
        let mut notices = locked(&self.notices);
        notices.retain(|notice| !notice.id.starts_with(SHADOW) || shadows.iter().any(|s| s.id == notice.id));
        for notice in shadows {
            if notices.iter().all(|known| known.id != notice.id) {
                tracing::error!("{}", notice.message);
                notices.push(notice);
            }
        }
        all.into()
    }
}

/// Beginning of the ids of notices about tools that are left out.
const SHADOW: &str = "tool-name-taken:";

fn shadow(tool: &ToolInfo, now: Ms) -> Notice {
    let plugin = tool.plugin.as_ref().map(ToString::to_string).unwrap_or_default();
    Notice {
        id: format!("{SHADOW}{plugin}:{}", tool.name),
        at: now,
        message: format!(
            "The tool “{}” of plugin “{plugin}” is left out: a built-in tool has that name.",
            tool.name
        ),
        hint: Some("The plugin's author can give the tool another name.".into()),
    }
}

#[async_trait]
impl Tools for AllTools {
    fn list(&self) -> Arc<[ToolInfo]> {
        self.services.seen_in(&self.joined(), None)
    }

    fn list_for(&self, workspace: &WorkspaceId) -> Arc<[ToolInfo]> {
        let all = self.services.seen_in(&self.joined(), Some(workspace));
        // Two workspaces may each have a source of one name, and so tools of one name.
        let foreign = |tool: &ToolInfo| tool.plugin.is_none() && tool.source.is_some();
        if !all.iter().any(foreign) {
            return all;
        }
        let mut mine: Vec<_> = all.iter().filter(|tool| !foreign(tool)).cloned().collect();
        mine.extend(self.sources.running.tools(workspace));
        mine.into()
    }

    async fn call(&self, request: ToolRequest) -> ToolOutcome {
        if NAMES.contains(&request.name.as_str()) {
            self.builtin.call(request).await
        } else if request.name.starts_with("mcp__") && !self.host.list().iter().any(|tool| tool.name == request.name) {
            self.sources.running.call(&request).await
        } else if let Some(text) = self.services.away(&self.joined(), &request.name, &request.workspace) {
            ToolOutcome { text, is_error: true }
        } else {
            self.host.call(request).await
        }
    }

    async fn file(&self, request: &ToolRequest) -> Result<ToolFile, Unfit> {
        self.builtin.file(request).await
    }
}

impl Inner {
    pub(crate) fn workspace_named(&self, wanted: Option<WorkspaceId>) -> Result<WorkspaceSummary, WireError> {
        let wanted = wanted.unwrap_or_else(|| self.bindings.load().workspace().clone());
        let found = kata_store::workspaces(&self.home).into_iter().find(|w| w.id == wanted);
        found.ok_or_else(|| WireError::not_found("workspace", wanted))
    }

    /// A folder a person chose for a session's tools, made plain. The error names the field.
    pub(crate) async fn working_folder(&self, workspace: &WorkspaceId, text: String) -> Result<String, WireError> {
        let (places, workspace) = (self.permit.places.clone(), workspace.clone());
        let found = tokio::task::spawn_blocking(move || places.working_folder(&workspace, &text)).await;
        let folder: PathBuf = found
            .map_err(|_| WireError::internal("the folder could not be looked at"))?
            .map_err(|unfit| WireError::invalid(unfit.0).hint("name a folder that exists by its whole path"))?;
        let text = folder.into_os_string().into_string();
        text.map_err(|_| WireError::invalid("workingDirectory: the folder's name is not text"))
    }

    /// The folder a workspace gives new sessions of the desktop, if it can be used.
    pub(crate) async fn default_folder(&self, workspace: &WorkspaceSummary) -> Option<String> {
        let text = std::fs::read(std::path::Path::new(&workspace.path).join("config.json")).ok()?;
        let config: serde_json::Value = serde_json::from_slice(&text).ok()?;
        let folder = config["defaults"]["workingDirectory"].as_str().filter(|f| !f.is_empty())?;
        match self.working_folder(&workspace.id, folder.to_owned()).await {
            Ok(folder) => Some(folder),
            Err(error) => {
                tracing::warn!(workspace = %workspace.id, error = error.message, "the workspace's working folder is not used");
                None
            }
        }
    }

    pub(crate) async fn permissions(&self, params: PermissionList) -> Result<PermissionState, WireError> {
        let workspace = self.workspace_named(params.workspace)?;
        let sandbox = Arc::clone(&self.permit.sandbox);
        let sandbox = tokio::task::spawn_blocking(move || sandbox.describe()).await;
        Ok(PermissionState {
            mode: default_mode(&workspace),
            rules: self.permit.rules.list(&workspace.id).await?,
            sandbox: sandbox.map_err(|_| WireError::internal("the sandbox could not be looked at"))?,
            workspace: workspace.id,
        })
    }

    pub(crate) async fn forget_rule(&self, params: PermissionForget) -> Result<PermissionState, WireError> {
        let workspace = self.workspace_named(params.workspace)?.id;
        self.permit.rules.forget(&workspace, &params.rule).await?;
        // Calls that wait are judged by the rules as they are now.
        self.sessions.judge_again();
        self.events.publish(Fact::ApprovalsChanged {});
        self.permissions(PermissionList {
            workspace: Some(workspace),
        })
        .await
    }

    pub(crate) async fn explain_call(&self, params: PermissionExplain) -> Result<PermissionExplanation, WireError> {
        let session = self.session_for(&params).await?;
        let tools = self.tools.list_for(&session.workspace);
        let unknown = || ToolInfo {
            name: params.tool.clone(),
            description: String::new(),
            parameters: Json::default(),
            read_only: false,
            plugin: None,
            source: None,
        };
        let tool = tools.iter().find(|t| t.name == params.tool).cloned().unwrap_or_else(unknown);
        let rules = &self.permit.rules;
        let plain = match rules.plain(&session, &tool, params.params.0.clone()).await {
            Ok(plain) => plain,
            Err(unfit) => {
                return Ok(PermissionExplanation {
                    outcome: PermissionOutcome::Deny,
                    reason: unfit.0,
                    params: params.params,
                    always: None,
                });
            }
        };
        let explained = rules.explain(&session, &tool, &plain).await;
        let (outcome, always) = match explained.judgement {
            Judgement::Allow => (PermissionOutcome::Allow, None),
            Judgement::Ask { always, .. } => (PermissionOutcome::Ask, always),
            Judgement::Deny { .. } => (PermissionOutcome::Deny, None),
        };
        Ok(PermissionExplanation {
            outcome,
            reason: explained.why,
            params: Json(plain),
            always,
        })
    }

    /// The session that is named, or what a new one would be.
    pub(crate) async fn session_for(&self, params: &PermissionExplain) -> Result<SessionSummary, WireError> {
        if let Some(id) = &params.session {
            let mut session = self.sessions.detail(id, Some(1), None).await?.summary;
            session.mode = params.mode.unwrap_or(session.mode);
            return Ok(session);
        }
        let workspace = self.workspace_named(params.workspace.clone())?;
        let id = SessionId::new("new").map_err(|e| WireError::internal(e.to_string()))?;
        let now = self.clock.now();
        Ok(SessionSummary {
            id,
            mode: params.mode.unwrap_or_else(|| default_mode(&workspace)),
            working_directory: self.default_folder(&workspace).await,
            workspace: workspace.id,
            name: None,
            preview: None,
            created_at: now,
            last_message_at: now,
            flagged: false,
            status: None,
            labels: Vec::new(),
            unread: false,
            model: None,
            channel: None,
            message_count: 0,
            usage: TokenUsage::default(),
            state: SessionState::Idle,
            archived: false,
            profile: None,
        })
    }
}

/// The mode a workspace gives new sessions; safe where it says nothing that we know.
pub(crate) fn default_mode(workspace: &WorkspaceSummary) -> PermissionMode {
    let text = std::fs::read(std::path::Path::new(&workspace.path).join("config.json")).unwrap_or_default();
    let config: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
    serde_json::from_value(config["defaults"]["permissionMode"].clone()).unwrap_or_default()
}
