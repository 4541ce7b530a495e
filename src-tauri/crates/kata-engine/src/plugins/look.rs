//! Looks at the extension folders and at the files in them, whole or one plugin at a time, and acts on what is gone.
//!
//! What this module knows of files is for showing and noticing. Before a plugin runs, [`Plugins::admit`](super) reads its
//! files anew.

use super::accounts::again;
use super::{Plugins, lock};
use kata_plugins::{Candidate, Choice, Contents, Discovery, Dropped, Root, Signed, check_signature, discover_with};
use kata_protocol::{Ms, PluginDiscovery, PluginId, PluginRoot, RunState, Status, WorkspaceId};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

/// What the last look found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) roots: Vec<Root>,
    pub(super) discovery: Discovery,
    pub(super) seen: HashMap<PluginId, Seen>,
    /// Plugins that run although their folder is refused now, with the reason.
    pub(super) held: HashMap<PluginId, String>,
}

/// A plugin's files at the last look.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) folder: PathBuf,
    pub(super) files: Files,
    pub(super) signed: Signed,
    /// When these files were seen first.
    pub(super) at: Ms,
}

#[derive(Clone)]
pub(super) enum Files {
    Read(Arc<Contents>),
    /// They cannot be listed; why.
    Unreadable(String),
}

impl Seen {
    pub(super) fn hash(&self) -> Option<&str> {
        match &self.files {
            Files::Read(contents) => Some(contents.hash()),
            Files::Unreadable(_) => None,
        }
    }
}

impl Plugins {
    /// Looks through the folders and puts what is there on the board. Reads manifests, not files: it stands before readiness.
    pub(crate) fn find(&self) {
        let roots = self.roots();
        let mut discovery = discover_with(&roots, &self.choices());
        tell_dropped(&discovery, &[]);
        discovery.found = self.with_copies(discovery.found);
        *lock(&self.found) = Found {
            roots,
            discovery,
            ..Found::default()
        };
        self.refresh_board();
    }

    /// Looks through all folders and their files again, and settles trust. Plugins that are gone are brought down; their data
    /// stays.
    pub(crate) async fn rescan(self: &Arc<Self>) {
        self.look_through().await;
        for (id, _) in self.folders() {
            self.settle(&id).await;
        }
    }

    /// As [`Self::rescan`], without settling trust: for those who are deciding about it.
    pub(super) async fn look_through(self: &Arc<Self>) {
        let _turn = self.scanning.lock().await;
        let this = Arc::clone(self);
        let Ok(gone) = tokio::task::spawn_blocking(move || this.scan()).await else {
            tracing::error!("the extension folders could not be looked through");
            return;
        };
        self.refresh_board();
        for id in gone {
            self.forget(&id).await;
        }
    }

    /// Blocks. Answers the plugins that are gone, or are another folder now.
    fn scan(&self) -> Vec<PluginId> {
        let roots = self.roots();
        let mut discovery = discover_with(&roots, &self.choices());
        discovery.found = self.with_copies(discovery.found);
        let (before, seen_before) = {
            let found = lock(&self.found);
            tell_dropped(&discovery, &found.discovery.dropped);
            (found.discovery.found.clone(), found.seen.clone())
        };
        let running = self.host.running();
        let mut held = HashMap::new();
        for old in before.iter().filter(|c| running.contains(&c.manifest.id)) {
            let dropped = discovery
                .dropped
                .iter()
                .find(|d| d.path.canonicalize().is_ok_and(|p| p == old.folder));
            let taken = discovery.found.iter().any(|c| c.manifest.id == old.manifest.id);
            if let (Some(dropped), false) = (dropped, taken) {
                held.insert(old.manifest.id.clone(), dropped.reason.clone());
                discovery.found.push(old.clone());
            }
        }
        let gone = before
            .iter()
            .filter(|old| {
                !discovery
                    .found
                    .iter()
                    .any(|c| c.manifest.id == old.manifest.id && c.folder == old.folder)
            })
            .map(|old| old.manifest.id.clone())
            .collect();
        let mut seen: HashMap<PluginId, Seen> = HashMap::new();
        for candidate in &discovery.found {
            let id = &candidate.manifest.id;
            // A copy's files are its original's, which stands before it.
            let same = candidate
                .account
                .is_some()
                .then(|| seen.get(&candidate.original()).cloned())
                .flatten();
            let made = same.unwrap_or_else(|| self.see(candidate, seen_before.get(id)));
            seen.insert(id.clone(), made);
        }
        *lock(&self.found) = Found {
            roots,
            discovery,
            seen,
            held,
        };
        gone
    }

    /// Looks at one plugin's folder again, and at nothing else, unless it is not the plugin it was. Does not settle trust.
    pub(super) async fn look_one(self: &Arc<Self>, id: &PluginId) {
        let (this, plugin) = (Arc::clone(self), id.clone());
        let turn = self.scanning.lock().await;
        let same = tokio::task::spawn_blocking(move || {
            let (old, root, before) = {
                let found = lock(&this.found);
                let old = found.discovery.found.iter().find(|c| c.manifest.id == plugin)?.clone();
                let root = found
                    .roots
                    .iter()
                    .find(|r| r.origin == old.origin && r.workspace == old.workspace)?
                    .clone();
                (old, root, found.seen.get(&plugin).cloned())
            };
            let candidate = again(&root, &old).ok()??;
            if candidate.manifest.id != plugin || candidate.folder != old.folder {
                return None;
            }
            let parts_differ = candidate.manifest != old.manifest;
            let seen = this.see(&candidate, before.as_ref());
            let folder = candidate.folder.clone();
            let mut found = lock(&this.found);
            let place = found.discovery.found.iter_mut().find(|c| c.manifest.id == plugin)?;
            *place = candidate;
            // What was wrong with its folder is so no longer.
            let wrong = |d: &Dropped| d.path.canonicalize().is_ok_and(|p| p == folder);
            found.discovery.dropped.retain(|d| !wrong(d));
            found.seen.insert(plugin.clone(), seen);
            found.held.remove(&plugin);
            Some(parts_differ)
        })
        .await;
        drop(turn);
        match same {
            Ok(Some(true)) => self.refresh_board(),
            Ok(Some(false)) => {}
            _ => self.look_through().await,
        }
    }

    /// One plugin's files may be different: looks, settles trust, and loads it again where it may run and is not what runs.
    /// A load that fails leaves the old generation serving, with the error shown.
    pub(crate) async fn files_changed(self: &Arc<Self>, id: &PluginId) {
        self.look_one(id).await;
        self.settle(id).await;
        self.catch_up(id).await;
        for copy in self.copies(id) {
            self.look_one(&copy).await;
            self.catch_up(&copy).await;
        }
    }

    /// As [`Self::files_changed`], for every plugin, after folders came or went.
    pub(crate) async fn folders_changed(self: &Arc<Self>) {
        self.rescan().await;
        let all = self.folders();
        futures::future::join_all(all.iter().map(|(id, _)| self.catch_up(id))).await;
    }

    /// Loads a plugin that may run and is not what runs.
    pub(super) async fn catch_up(self: &Arc<Self>, id: &PluginId) {
        let turn = self.turn(id);
        let _turn = turn.lock().await;
        let held = lock(&self.found).held.get(id).cloned();
        if let Some(reason) = held {
            self.set_status(
                id,
                Status {
                    state: RunState::Degraded,
                    code: "refused".into(),
                    message: format!("The new version is not taken, the old one goes on: {reason}"),
                    since: self.clock.now(),
                },
            );
            return;
        }
        let hash = lock(&self.found).seen.get(id).and_then(|s| s.hash().map(str::to_owned));
        let tried = lock(&self.tried).get(id).cloned();
        // A manifest that was wrong for a while and is again what was loaded: nothing is loaded, and nothing is wrong any more.
        let refused = lock(&self.backend.statuses).get(id).is_some_and(|s| s.code == "refused");
        let serves = hash.is_some() && hash == lock(&self.loaded).get(id).cloned();
        if refused && serves {
            self.set_status(id, Status::plain(RunState::Running, self.clock.now()));
        }
        if !self.enabled(id) || self.waits(id) || hash.is_none() || hash == tried {
            return;
        }
        if let Err(error) = self.start_in_turn(id).await {
            tracing::warn!(plugin = %id, %error, "a changed plugin did not load");
        }
    }

    fn see(&self, candidate: &Candidate, before: Option<&Seen>) -> Seen {
        let before = before.filter(|s| s.folder == candidate.folder);
        let read = match before.map(|s| &s.files) {
            Some(Files::Read(contents)) => contents.again(&candidate.folder),
            _ => Contents::read(&candidate.folder),
        };
        let files = match read {
            Ok(contents) => Files::Read(Arc::new(contents)),
            Err(error) => Files::Unreadable(error.to_string()),
        };
        self.seen(candidate, files, before)
    }

    pub(super) fn seen(&self, candidate: &Candidate, files: Files, before: Option<&Seen>) -> Seen {
        let grants = self.grants.load();
        let signed = match &files {
            Files::Read(contents) => check_signature(&candidate.folder, contents.hash(), &|key| grants.signers.get(key).cloned()),
            Files::Unreadable(_) => Signed::No,
        };
        let mut seen = Seen {
            folder: candidate.folder.clone(),
            files,
            signed,
            at: self.clock.now(),
        };
        if let Some(before) = before.filter(|b| b.hash() == seen.hash() && b.signed == seen.signed) {
            seen.at = before.at;
        }
        seen
    }

    /// A plugin whose folder is gone: it is brought down, and what it kept stays for the day it comes back.
    async fn forget(&self, id: &PluginId) {
        self.host.deactivate(id).await;
        for memory in [&self.loaded, &self.tried] {
            lock(memory).remove(id);
        }
        lock(&self.backend.statuses).remove(id);
        self.changed(id);
        tracing::info!(plugin = %id, "a plugin's folder is gone; it was brought down");
    }

    /// `plugins.<id>.from` of the settings.
    fn choices(&self) -> BTreeMap<PluginId, Choice> {
        let settings = self.settings.get();
        let choices = settings.plugins.iter().filter_map(|(id, plugin)| {
            let from = plugin.from.as_deref()?;
            let choice = match from.split_once(':') {
                Some(("workspace", workspace)) => Choice::Workspace(WorkspaceId::new(workspace).ok()?),
                None if from == "global" => Choice::Global,
                _ => {
                    tracing::warn!(plugin = id, from, "settings.json: “from” is neither “global” nor “workspace:<id>”");
                    return None;
                }
            };
            Some((PluginId::new(id.clone()).ok()?, choice))
        });
        choices.collect()
    }

    /// `plugin.discovery`.
    pub(crate) fn discovery(&self) -> PluginDiscovery {
        let found = lock(&self.found);
        PluginDiscovery {
            roots: found
                .roots
                .iter()
                .map(|root| PluginRoot {
                    origin: root.origin,
                    workspace: root.workspace.clone(),
                    path: root.path.display().to_string(),
                    exists: root.path.is_dir(),
                })
                .collect(),
            dropped: found.discovery.dropped.iter().cloned().map(shown).collect(),
        }
    }

    /// Canonical folders of plugins, for the watcher.
    pub(crate) fn folders(&self) -> Vec<(PluginId, PathBuf)> {
        let found = lock(&self.found);
        let folders = found.discovery.found.iter().map(|c| (c.manifest.id.clone(), c.folder.clone()));
        folders.collect()
    }
}

fn shown(dropped: Dropped) -> kata_protocol::DroppedPlugin {
    kata_protocol::DroppedPlugin {
        path: dropped.path.display().to_string(),
        origin: dropped.origin,
        id: dropped.id,
        reason: dropped.reason,
        hint: dropped.hint,
    }
}

/// Each refusal is told to the log once, not at every look.
fn tell_dropped(discovery: &Discovery, before: &[Dropped]) {
    for dropped in &discovery.dropped {
        if !before.iter().any(|b| b.path == dropped.path && b.reason == dropped.reason) {
            tracing::warn!(path = %dropped.path.display(), reason = dropped.reason, hint = dropped.hint, "a plugin folder was passed over");
        }
    }
}
