//! Programs of their own that bring plugins over the gateway: who may have which name, what is remembered of one that is away,
//! and what a person can do about it. The host runs them ([`kata_plugins::External`]).
//!
//! A program needs no trust in files: the person who gave it a token of scope `plugin` or `admin` has decided. Whoever takes
//! the token back ends it; whoever switches the plugin off keeps it out whatever token it comes with.

use super::detail::{nothing, wanted};
use super::{Plugins, lock};
use crate::backend::source_id;
use crate::settings::ProgramSettings;
use async_trait::async_trait;
use kata_core::ports::{AttachedPlugin, Claim, ExternalPlugins, Outlet, PluginBackend, PluginPart};
use kata_plugins::{Candidate, External, away, check_program, decode_external, manifest_of};
use kata_protocol::{
    ChannelId, ErrorCode, ExternalChannel, ExternalClient, ExternalHook, ExternalPlugin, ExternalTool, IngressAnswer, Json, PluginDetail,
    PluginId, PluginOrigin, PluginSignature, RunState, SourceId, Status, WireError,
};
use std::path::PathBuf;
use std::sync::Arc;

/// Programs that are remembered; a further one has to wait until a person forgets one.
const KNOWN: usize = 64;

/// The door for programs.
pub(crate) struct Programs(pub(crate) Arc<Plugins>);

/// A program that is connected.
struct Joined {
    plugins: Arc<Plugins>,
    external: External,
}

impl Drop for Joined {
    fn drop(&mut self) {
        // Also where whoever asked for it went away in the middle.
        self.external.detach();
    }
}

#[async_trait]
impl ExternalPlugins for Programs {
    async fn attach(&self, client: ExternalClient, plugin: Json, outlet: Arc<dyn Outlet>) -> Result<Arc<dyn AttachedPlugin>, WireError> {
        let plugins = &self.0;
        plugins.looked().await;
        let wanted = decode_external(plugin)?;
        let id = wanted.id.clone();
        plugins.allowed(&id)?;
        let turn = plugins.turn(&id);
        let _turn = turn.lock().await;
        check_program(&wanted)?;
        plugins.admit_program(&wanted)?;
        let who = format!("“{}” (token “{}”)", client.name, client.token);
        let external = plugins.host.attach(&wanted, client, outlet).await?;
        let joined = Arc::new(Joined {
            plugins: Arc::clone(plugins),
            external,
        });
        plugins.remember(&wanted)?;
        plugins.refresh_board();
        for channel in joined.external.channels() {
            let Some(source) = source_id(&id, &PluginPart::Channel(channel.clone())) else {
                continue;
            };
            if plugins.source_enabled(&source) {
                plugins.host.start_channel(channel).await?;
            } else {
                plugins.board.status(&source, Status::plain(RunState::Stopped, plugins.clock.now()));
            }
        }
        plugins.backend.log(&id, "info", &format!("its program {who} is connected"));
        plugins.changed(&id);
        Ok(joined as Arc<dyn AttachedPlugin>)
    }
}

#[async_trait]
impl AttachedPlugin for Joined {
    fn id(&self) -> &PluginId {
        self.external.id()
    }

    async fn inbound(&self, channel: &str, message: Json) -> Result<IngressAnswer, WireError> {
        self.external.inbound(channel, message).await
    }

    async fn report(&self, channel: &str, status: Status, cursor: Option<String>) {
        self.external.report(channel, status, cursor).await;
    }

    fn answer(&self, number: u64, answer: Result<Option<Json>, WireError>) -> Claim {
        self.external.answer(number, answer)
    }

    fn stray(&self, what: &str) {
        self.external.stray(what);
    }

    fn detach(&self) {
        self.external.detach();
        let id = self.external.id();
        self.plugins.backend.log(id, "info", "its program is gone");
        self.plugins.changed(id);
    }
}

impl Plugins {
    /// A program of that id, connected or not; none where a folder has the id.
    pub(super) fn program(&self, id: &PluginId) -> Option<Candidate> {
        let settings = self.settings.get();
        let program = settings.plugins.get(id.as_str())?.program.as_ref()?;
        Some(candidate(id, program))
    }

    /// All of them, in order of id.
    pub(super) fn programs(&self) -> Vec<Candidate> {
        let settings = self.settings.get();
        let found = lock(&self.found);
        let foreign = |id: &PluginId| found.discovery.found.iter().all(|c| c.manifest.id != *id);
        let known = settings.plugins.iter().filter_map(|(id, plugin)| {
            let id = PluginId::new(id.clone()).ok()?;
            let program = plugin.program.as_ref()?;
            foreign(&id).then(|| candidate(&id, program))
        });
        known.collect()
    }

    pub(super) fn is_program(&self, id: &PluginId) -> bool {
        self.candidate(id).is_ok_and(|c| c.origin == PluginOrigin::Gateway)
    }

    /// Whether a source is a channel of a program.
    pub(super) fn is_of_program(&self, id: &SourceId) -> bool {
        let Some(channel) = id.as_str().strip_prefix("channel:") else {
            return false;
        };
        let settings = self.settings.get();
        let programs = settings.plugins.values().filter_map(|plugin| plugin.program.as_ref());
        programs.flat_map(|program| &program.channels).any(|own| own == channel)
    }

    /// What is shown of a program, or a channel of one, that has not been there since the start.
    pub(super) fn program_away(&self) -> Status {
        Status {
            state: RunState::Failed { recoverable: true },
            code: "not_connected".into(),
            message: away(),
            since: self.clock.now(),
        }
    }

    /// Whether a program may come in under these names.
    fn admit_program(&self, wanted: &ExternalPlugin) -> Result<(), WireError> {
        let id = &wanted.id;
        let conflict = |words: String| WireError::new(ErrorCode::Conflict, words);
        let in_a_folder = {
            let found = lock(&self.found);
            found.discovery.found.iter().find(|c| c.manifest.id == *id).cloned()
        };
        if let Some(holder) = in_a_folder {
            let words = format!(
                "the id “{id}” is that of plugin “{}” in {}",
                holder.manifest.name,
                holder.folder.display()
            );
            return Err(conflict(words).hint("give this plugin another id"));
        }
        if self
            .settings
            .get()
            .plugins
            .get(id.as_str())
            .is_some_and(|p| p.enabled == Some(false))
        {
            return Err(conflict(format!("plugin “{id}” is switched off")).hint(format!("`kata plugins enable {id}` lets it in again")));
        }
        let known = self.programs();
        if known.len() >= KNOWN && known.iter().all(|c| c.manifest.id != *id) {
            return Err(WireError::new(ErrorCode::Busy, format!("{KNOWN} programs are remembered already"))
                .hint("`kata plugins uninstall ID` forgets one that is not used any more"));
        }
        for channel in &wanted.channels {
            let source = ChannelId::new(channel.id.clone())
                .ok()
                .and_then(|channel| source_id(id, &PluginPart::Channel(channel)));
            let holder = source.and_then(|source| self.board.get(&source).ok()).map(|(row, _)| row);
            if let Some(holder) = holder.filter(|row| row.plugin.as_ref() != Some(id)) {
                let by = holder
                    .plugin
                    .map_or_else(|| "a workspace's files".to_owned(), |plugin| format!("plugin “{plugin}”"));
                return Err(conflict(format!("the channel “{}” is that of {by}", channel.id)).hint("give this channel another id"));
            }
        }
        Ok(())
    }

    /// Keeps what is shown while it is away.
    fn remember(&self, wanted: &ExternalPlugin) -> Result<(), WireError> {
        let program = ProgramSettings {
            name: wanted.name.clone(),
            version: wanted.version.clone(),
            description: wanted.description.clone(),
            tools: wanted.tools.iter().map(|tool| tool.name.clone()).collect(),
            hooks: wanted.hooks.iter().map(|hook| hook.event).collect(),
            channels: wanted.channels.iter().map(|channel| channel.id.clone()).collect(),
        };
        let id = wanted.id.to_string();
        if self.settings.get().plugins.get(&id).and_then(|p| p.program.as_ref()) == Some(&program) {
            return Ok(());
        }
        self.settings
            .change(|settings| settings.plugins.entry(id).or_default().program = Some(program))?;
        Ok(())
    }

    /// Lets one in or keeps one out; one that is there is ended.
    pub(super) async fn enable_program(self: &Arc<Self>, id: &PluginId, enabled: bool) -> Result<(), WireError> {
        let turn = self.turn(id);
        let _turn = turn.lock().await;
        self.settings
            .change(|s| s.plugins.entry(id.to_string()).or_default().enabled = Some(enabled))?;
        if enabled {
            if self.host.client(id).is_none() {
                self.set_status(id, self.program_away());
            }
        } else if !self.host.disconnect(id, &format!("plugin “{id}” was switched off")) {
            self.set_status(id, Status::plain(RunState::Stopped, self.clock.now()));
        }
        Ok(())
    }

    /// A person's “start it again”: ends a rest after faults. The program itself is not ours to start.
    pub(super) fn resume_program(&self, id: &PluginId) -> Result<(), WireError> {
        if self.host.forgive(id) {
            return Ok(());
        }
        if self.host.client(id).is_none() {
            return Err(not_connected(id));
        }
        Err(
            WireError::new(ErrorCode::Conflict, format!("plugin “{id}” is a program of its own, and connected"))
                .hint("restart the program: what it brings then takes the place of what it brought"),
        )
    }

    /// Forgets a program that is away. What it stored and how its channels are set stays.
    pub(super) fn forget_program(&self, id: &PluginId) -> Result<(), WireError> {
        if let Some(client) = self.host.client(id) {
            let words = format!("plugin “{id}” is connected, by “{}”", client.name);
            return Err(WireError::new(ErrorCode::Conflict, words).hint(format!("end the program, or `kata plugins disable {id}`, first")));
        }
        self.settings.change(|settings| {
            if let Some(plugin) = settings.plugins.get_mut(id.as_str()) {
                plugin.program = None;
            }
        })?;
        lock(&self.backend.statuses).remove(id);
        self.refresh_board();
        self.changed(id);
        Ok(())
    }

    /// `plugin.get` of a program.
    pub(super) fn program_detail(&self, id: &PluginId) -> Result<PluginDetail, WireError> {
        let candidate = self.candidate(id)?;
        Ok(PluginDetail {
            files: Vec::new(),
            hash: String::new(),
            wanted: wanted(&candidate, None),
            grant: None,
            change: None,
            signature: PluginSignature::None,
            settings_schema: None,
            settings: Json::default(),
            secrets: Vec::new(),
            registered: self.host.registered(id).unwrap_or_else(nothing),
            limits: self.host.ceilings(id),
            parts: self.board.list().into_iter().filter(|s| s.plugin.as_ref() == Some(id)).collect(),
            history: Vec::new(),
            summary: self.summary(candidate),
        })
    }
}

/// A program as what other plugins are found as. It has no folder.
fn candidate(id: &PluginId, program: &ProgramSettings) -> Candidate {
    let tool = |name: &String| ExternalTool {
        name: name.clone(),
        description: String::new(),
        parameters: Json::default(),
        read_only: false,
        timeout_ms: None,
    };
    let hook = |event: &kata_protocol::HookName| ExternalHook {
        event: *event,
        priority: 0,
        timeout_ms: None,
    };
    let channel = |id: &String| ExternalChannel {
        id: id.clone(),
        name: program.name.clone(),
        capabilities: None,
    };
    let manifest = manifest_of(&ExternalPlugin {
        id: id.clone(),
        name: program.name.clone(),
        version: program.version.clone(),
        description: program.description.clone(),
        tools: program.tools.iter().map(tool).collect(),
        hooks: program.hooks.iter().map(hook).collect(),
        channels: program.channels.iter().map(channel).collect(),
    });
    Candidate {
        manifest,
        folder: PathBuf::new(),
        origin: PluginOrigin::Gateway,
        workspace: None,
        pins: None,
        account: None,
    }
}

/// Why nothing can be done with a program that is away.
pub(super) fn not_connected(id: &PluginId) -> WireError {
    WireError::new(ErrorCode::Conflict, format!("the program of plugin “{id}” is not connected"))
        .hint("start the program; it joins by itself")
}

/// Why nothing is decided about a program's files.
pub(super) fn by_token(id: &PluginId) -> WireError {
    WireError::new(
        ErrorCode::Conflict,
        format!("plugin “{id}” is a program of its own; the token it comes with is its grant"),
    )
    .hint(format!(
        "`kata devices` lists tokens and takes them back; `kata plugins disable {id}` keeps it out"
    ))
}
