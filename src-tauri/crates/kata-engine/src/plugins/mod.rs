//! Plugins of this home: found, trusted, switched on and off, configured, loaded again. The host runs them; this module
//! decides which run, with which settings and which capabilities.
//!
//! [`look`] finds them and their files, [`standing`] says how a person stands to each, [`trust`] takes the person's decision,
//! [`accounts`] has further copies of plugins, [`external`] takes programs in that come over the gateway, [`asking`] sets channels up and looks at their platforms, [`detail`] and [`change`] show what it is made with, [`install`] and [`create`] put new ones there, [`parts`] runs
//! channels and services, [`setting`] keeps settings and secrets.
//!
//! Deliberately absent: running their code (kata-plugins), watching folders (`watch`).

mod accounts;
mod asking;
mod change;
mod create;
mod detail;
mod external;
mod install;
mod kept;
mod look;
mod parts;
mod services;
mod setting;
mod signers;
mod standing;
mod trust;

use crate::Secrets;
use crate::backend::Backend;
use crate::board::Board;
use crate::settings::SettingsFile;
use arc_swap::ArcSwap;
pub(crate) use external::Programs;
use kata_core::ports::{Clock, StoreError};
use kata_plugins::{Candidate, NetworkPolicy, PluginHost, Root, original_of};
use kata_protocol::{
    ChannelId, ErrorCode, Fact, GrantAction, GrantEvent, PluginId, PluginOrigin, PluginSummary, RunState, Status, UserAction, WireError,
};
use kata_store::{HomePaths, SqliteStore};
use look::Found;
pub(crate) use services::ServiceTools;
use standing::Grants;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The plugins of a home.
pub(crate) struct Plugins {
    /// Runs them.
    pub host: Arc<PluginHost>,
    /// What they get from us.
    pub backend: Arc<Backend>,
    /// Settings.
    pub settings: Arc<SettingsFile>,
    secrets: Arc<Secrets>,
    board: Arc<Board>,
    clock: Arc<dyn Clock>,
    store: Arc<SqliteStore>,
    home: HomePaths,
    bundled: Option<PathBuf>,
    found: Mutex<Found>,
    grants: ArcSwap<Grants>,
    /// Hash of the files the serving generation was loaded from.
    loaded: Mutex<HashMap<PluginId, String>>,
    /// Hash of the files that were loaded last, also where that failed.
    tried: Mutex<HashMap<PluginId, String>>,
    turns: Mutex<HashMap<PluginId, Arc<tokio::sync::Mutex<()>>>>,
    /// A person's decisions and what is put into or taken out of the folders, one at a time.
    deciding: tokio::sync::Mutex<()>,
    /// One note about changed files at a time.
    noting: tokio::sync::Mutex<()>,
    /// One look through the folders at a time.
    scanning: tokio::sync::Mutex<()>,
    /// Whether files and grants have been looked at since the start.
    looked: watch::Sender<bool>,
    /// Whether the services of the start have been started, each in its turn.
    booted: std::sync::atomic::AtomicBool,
    /// Safe mode: nothing is loaded.
    off: std::sync::atomic::AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn store_failed(error: StoreError) -> WireError {
    WireError::internal(error.to_string()).hint("look at the log; is the disk full?")
}

impl Plugins {
    /// Nothing found yet.
    pub(crate) fn new(
        host: Arc<PluginHost>,
        backend: Arc<Backend>,
        settings: Arc<SettingsFile>,
        home: HomePaths,
        bundled: Option<PathBuf>,
    ) -> Arc<Self> {
        let (secrets, board, clock) = (Arc::clone(&backend.secrets), Arc::clone(&backend.board), Arc::clone(&backend.clock));
        let store = Arc::clone(&backend.store);
        Arc::new(Self {
            host,
            backend,
            settings,
            secrets,
            board,
            clock,
            store,
            home,
            bundled,
            found: Mutex::default(),
            grants: ArcSwap::default(),
            loaded: Mutex::default(),
            tried: Mutex::default(),
            turns: Mutex::default(),
            scanning: tokio::sync::Mutex::default(),
            deciding: tokio::sync::Mutex::default(),
            noting: tokio::sync::Mutex::default(),
            looked: watch::Sender::new(false),
            booted: std::sync::atomic::AtomicBool::new(false),
            off: std::sync::atomic::AtomicBool::new(false),
        })
    }

    /// Safe mode: from here on nothing is loaded, bundled or not.
    pub(crate) fn stay_off(&self) {
        self.off.store(true, std::sync::atomic::Ordering::Release);
    }

    /// Refuses in safe mode.
    fn allowed(&self, id: &PluginId) -> Result<(), WireError> {
        if self.off.load(std::sync::atomic::Ordering::Acquire) {
            return Err(WireError::new(
                ErrorCode::Conflict,
                format!("plugin “{id}” is not loaded: this is safe mode, plugins are off"),
            )
            .hint("`kata restart` starts normally; `kata plugins disable` keeps one off then"));
        }
        Ok(())
    }

    /// Folders that are looked through, in order of precedence. Read anew, since workspaces come and go.
    pub(crate) fn roots(&self) -> Vec<Root> {
        let root = |origin, workspace, path| Root { origin, workspace, path };
        let bundled = self.bundled.iter().map(|path| root(PluginOrigin::Bundled, None, path.clone()));
        let global = root(PluginOrigin::Global, None, self.extensions());
        let workspaces = kata_store::home::workspace_folders(&self.home)
            .into_iter()
            .map(|w| root(PluginOrigin::Workspace, Some(w.id), w.path.join("extensions")));
        bundled.chain([global]).chain(workspaces).collect()
    }

    /// The global extensions folder.
    pub(crate) fn extensions(&self) -> PathBuf {
        self.home.root().join("extensions")
    }

    /// Looks at grants and files for the first time, then starts every plugin that is switched on and trusted, several at
    /// once. Readiness does not wait for it.
    pub(crate) async fn start_all(self: &Arc<Self>) {
        if let Err(error) = self.load_grants().await {
            tracing::error!(%error, "grants cannot be read; only bundled plugins run");
        }
        self.rescan().await;
        // Chosen before anybody may decide about one: what is trusted or switched on from now on is started by whoever does it.
        let found: Vec<_> = lock(&self.found).discovery.found.iter().map(|c| c.manifest.id.clone()).collect();
        let (waiting, ready): (Vec<_>, Vec<_>) = found.into_iter().filter(|id| self.enabled(id)).partition(|id| self.waits(id));
        self.looked.send_replace(true);
        for id in waiting {
            tracing::info!(plugin = %id, "a plugin waits for trust");
        }
        if self.off.load(std::sync::atomic::Ordering::Acquire) {
            tracing::warn!(plugins = ready.len(), "safe mode: plugins stay off");
            return;
        }
        let starts = ready.into_iter().map(|id| async move {
            // Switched off meanwhile: it stays off.
            if self.enabled(&id)
                && let Err(error) = self.start(&id).await
            {
                tracing::error!(plugin = %id, %error, "a plugin did not start");
            }
        });
        futures::future::join_all(starts).await;
        self.start_services().await;
        // From now on whoever loads a plugin starts its services too.
        self.booted.store(true, std::sync::atomic::Ordering::Release);
        self.start_services().await;
    }

    /// Returns once files and grants have been looked at; until then nothing true could be said of trust.
    pub(crate) async fn looked(&self) {
        let _ = self.looked.subscribe().wait_for(|looked| *looked).await;
    }

    /// Loads a plugin (again), if it is trusted as it is, and starts what of it is switched on.
    pub(crate) async fn start(self: &Arc<Self>, id: &PluginId) -> Result<(), WireError> {
        let turn = self.turn(id);
        let _turn = turn.lock().await;
        self.start_in_turn(id).await
    }

    /// One load of a plugin at a time, so that a save and a person's click do not load the same files twice.
    fn turn(&self, id: &PluginId) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(lock(&self.turns).entry(id.clone()).or_default())
    }

    async fn start_in_turn(self: &Arc<Self>, id: &PluginId) -> Result<(), WireError> {
        let (candidate, granted, hash) = self.admit(id).await?;
        let settings = self.plugin_settings(&candidate);
        let network = NetworkPolicy {
            extra_hosts: setting::hosts_in(&candidate.manifest.settings, &settings),
        };
        let contributes = candidate.manifest.contributes.clone();
        let bundled = candidate.origin == PluginOrigin::Bundled;
        let missing = setting::missing_setting(&candidate, &settings).map(str::to_owned);
        self.set_status(id, Status::plain(RunState::Starting, self.clock.now()));
        if let Err(error) = self.host.activate(candidate, settings, granted.clone(), network).await {
            let serving = self.host.running().contains(id);
            let (state, message) = match &missing {
                _ if serving => {
                    let message = format!("The new version did not load, the old one goes on: {error}");
                    (RunState::Degraded, message)
                }
                Some(field) => {
                    let action = UserAction::Configure { field: field.clone() };
                    (
                        RunState::NeedsUser { action },
                        format!("It cannot run before its setting “{field}” is given."),
                    )
                }
                None => (RunState::Failed { recoverable: true }, error.to_string()),
            };
            self.set_status(
                id,
                Status {
                    state,
                    code: if missing.is_some() { "settings" } else { "load" }.into(),
                    message: message.clone(),
                    since: self.clock.now(),
                },
            );
            let (code, hint) = match &missing {
                Some(field) => (
                    ErrorCode::NeedsUser,
                    format!("`kata plugins set {id} {field}=…` gives it, or its page in the window"),
                ),
                None => (
                    ErrorCode::Upstream,
                    format!("`kata logs --plugin {id}` shows more; mend it and reload"),
                ),
            };
            return Err(WireError::new(code, format!("plugin “{id}” did not load: {message}")).hint(hint));
        }
        // A person may have decided otherwise while it loaded.
        if !self.enabled(id) || self.waits(id) {
            self.bring_down(id).await;
            return Err(
                WireError::new(ErrorCode::Conflict, format!("plugin “{id}” was switched off while it loaded")).hint("switch it on again"),
            );
        }
        let still = self.granted_now(id).filter(|_| !bundled);
        for taken in granted.iter().filter(|c| still.as_ref().is_some_and(|s| !s.contains(c))) {
            self.host.revoke(id, taken);
        }
        if let Some(hash) = hash {
            lock(&self.loaded).insert(id.clone(), hash);
        }
        self.set_status(id, Status::plain(RunState::Running, self.clock.now()));
        self.start_parts(id, &contributes).await
    }

    /// Looks at the folders and loads a plugin again, whatever the watcher thinks.
    pub(crate) async fn reload(self: &Arc<Self>, id: &PluginId) -> Result<(), WireError> {
        if self.is_program(id) {
            return self.resume_program(id);
        }
        self.rescan().await;
        self.require_trust(&self.candidate(id)?)?;
        if !self.enabled(id) {
            return Err(WireError::new(ErrorCode::Conflict, format!("plugin “{id}” is switched off"))
                .hint(format!("`kata plugins enable {id}` loads it")));
        }
        let loaded = self.start(id).await;
        self.start_copies(id).await;
        loaded
    }

    /// Switches a plugin on or off, and its copies with it. One that is not bundled has to be trusted first.
    pub(crate) async fn enable(self: &Arc<Self>, id: &PluginId, enabled: bool) -> Result<(), WireError> {
        let candidate = self.candidate(id)?;
        if candidate.origin == PluginOrigin::Gateway {
            return self.enable_program(id, enabled).await;
        }
        let original = candidate.original();
        if enabled {
            self.require_trust(&candidate)?;
            if original != *id && !self.enabled(&original) {
                return Err(WireError::new(
                    ErrorCode::Conflict,
                    format!("plugin “{original}” is switched off, and its accounts with it"),
                )
                .hint(format!("`kata plugins enable {original}` switches them on")));
            }
        }
        self.settings
            .change(|s| s.plugins.entry(id.to_string()).or_default().enabled = Some(enabled))?;
        if candidate.origin != PluginOrigin::Bundled && candidate.account.is_none() {
            let (action, detail) = if enabled {
                (GrantAction::Enabled, "Switched on")
            } else {
                (GrantAction::Disabled, "Switched off")
            };
            self.note(id, action, None, detail).await;
        }
        if enabled {
            let loaded = self.start(id).await;
            self.start_copies(id).await;
            return loaded;
        }
        self.bring_down_all(id).await;
        Ok(())
    }

    /// Ends a plugin and all its parts; nothing of its data goes.
    pub(crate) async fn bring_down(&self, id: &PluginId) {
        self.host.deactivate(id).await;
        for memory in [&self.loaded, &self.tried] {
            lock(memory).remove(id);
        }
        self.set_status(id, Status::plain(RunState::Stopped, self.clock.now()));
        for source in self.board.list().into_iter().filter(|s| s.plugin.as_ref() == Some(id)) {
            self.board.status(&source.id, Status::plain(RunState::Stopped, self.clock.now()));
        }
    }

    /// Every plugin.
    pub(crate) fn list(&self) -> Vec<PluginSummary> {
        let candidates = lock(&self.found).discovery.found.clone();
        let programs = self.programs();
        candidates.into_iter().chain(programs).map(|c| self.summary(c)).collect()
    }

    /// One plugin.
    pub(crate) fn get(&self, id: &PluginId) -> Result<PluginSummary, WireError> {
        Ok(self.summary(self.candidate(id)?))
    }

    fn summary(&self, candidate: Candidate) -> PluginSummary {
        let standing = self.standing(&candidate);
        let status = lock(&self.backend.statuses).get(&candidate.manifest.id).cloned();
        let status = self.shown_status(&candidate, &standing, status);
        let Candidate {
            manifest,
            folder,
            origin,
            workspace,
            ..
        } = candidate;
        PluginSummary {
            enabled: self.enabled(&manifest.id),
            status,
            generation: self.host.generation(&manifest.id),
            usage: self.host.usage(&manifest.id).unwrap_or_default(),
            faults: self.host.faults(&manifest.id),
            client: self.host.client(&manifest.id),
            id: manifest.id,
            name: manifest.name,
            version: manifest.version,
            description: manifest.description,
            origin,
            workspace,
            trust: standing.shown(),
            path: folder.display().to_string(),
            contributes: manifest.contributes,
            capabilities: manifest.capabilities,
        }
    }

    /// Whether the person has it switched on; bundled plugins are unless they say otherwise, and copies as long as their
    /// original is.
    pub(crate) fn enabled(&self, id: &PluginId) -> bool {
        let set = self.settings.get().plugins.get(id.as_str()).and_then(|p| p.enabled);
        let original = original_of(id);
        if original != *id {
            return set.unwrap_or(true) && self.enabled(&original);
        }
        set.unwrap_or_else(|| {
            self.candidate(id)
                .is_ok_and(|c| matches!(c.origin, PluginOrigin::Bundled | PluginOrigin::Gateway))
        })
    }

    fn candidate(&self, id: &PluginId) -> Result<Candidate, WireError> {
        let found = lock(&self.found);
        if let Some(candidate) = found.discovery.found.iter().find(|c| c.manifest.id == *id) {
            return Ok(candidate.clone());
        }
        if let Some(program) = self.program(id) {
            return Ok(program);
        }
        let dropped = found.discovery.dropped.iter().find(|d| d.id.as_deref() == Some(id.as_str()));
        Err(match dropped {
            Some(dropped) => {
                WireError::new(ErrorCode::NotFound, format!("plugin “{id}” is not taken: {}", dropped.reason)).hint(dropped.hint.clone())
            }
            None => WireError::not_found("plugin", id).hint("`kata plugins list` shows them"),
        })
    }

    fn set_status(&self, id: &PluginId, status: Status) {
        lock(&self.backend.statuses).insert(id.clone(), status);
        self.changed(id);
    }

    /// Tells clients to ask for a plugin again.
    fn changed(&self, id: &PluginId) {
        self.backend.events.publish(Fact::PluginChanged { id: id.clone() });
    }

    fn event(&self, action: GrantAction, hash: Option<&str>, detail: impl Into<String>) -> GrantEvent {
        GrantEvent {
            at: self.clock.now(),
            action,
            hash: hash.map(str::to_owned),
            detail: detail.into(),
        }
    }

    /// Notes a line of history. One that cannot be kept is told to the log; what it is about has happened.
    async fn note(&self, id: &PluginId, action: GrantAction, hash: Option<&str>, detail: &str) {
        use kata_core::ports::GrantStore;
        if let Err(error) = self.store.note(id, &self.event(action, hash, detail)).await {
            tracing::error!(plugin = %id, ?action, %error, "the history of a grant was not kept");
        }
    }
}

/// Channels a manifest names.
fn channels_of(contributes: &kata_protocol::Contributes) -> impl Iterator<Item = ChannelId> {
    contributes.channels.iter().filter_map(|c| ChannelId::new(c.clone()).ok())
}
