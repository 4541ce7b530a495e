//! Further accounts of channels: each is a further copy of the channel's plugin, `plugin@account`, which stands among the plugins
//! right behind its original. The list of them is in the settings; what each keeps is its own, and goes with it.
//!
//! Trust is the original's, so nothing is decided about a copy. Deliberately absent: what a copy is made of (kata-plugins).

use super::setting::secret_names;
use super::{Plugins, channels_of, lock, store_failed};
use crate::backend::{secret_account, source_id};
use crate::settings::AccountSettings;
use kata_core::ports::{PairingStore, PluginPart, PluginStateStore};
use kata_plugins::{Candidate, Dropped, Root, copy_of, look};
use kata_protocol::{AccountAdd, ChannelId, ErrorCode, PluginId, SourceId, SourceSummary, WireError, WorkspaceId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Further accounts of one plugin; each has a thread of its own.
const MOST_ACCOUNTS: usize = 32;

/// Looks at a plugin's folder again; a copy is made anew from what is there.
pub(super) fn again(root: &Root, old: &Candidate) -> Result<Option<Candidate>, Box<Dropped>> {
    let looked = look(root, &old.folder)?;
    let Some(account) = &old.account else { return Ok(looked) };
    Ok(looked
        .filter(|now| now.manifest.id == old.original())
        .and_then(|now| copy_of(&now, account).ok()))
}

impl Plugins {
    /// Puts the copies that the settings name behind their originals.
    pub(super) fn with_copies(&self, found: Vec<Candidate>) -> Vec<Candidate> {
        let settings = self.settings.get();
        let mut all = Vec::with_capacity(found.len());
        for original in found {
            let names = settings.accounts.get(original.manifest.id.as_str());
            let copies: Vec<Candidate> = names
                .into_iter()
                .flat_map(|names| names.keys())
                .filter_map(|name| {
                    let told = |error| tracing::warn!(plugin = %original.manifest.id, %error, "an account in settings.json is passed over");
                    copy_of(&original, name).map_err(told).ok()
                })
                .collect();
            all.push(original);
            all.extend(copies);
        }
        all
    }

    /// Copies of a plugin.
    pub(super) fn copies(&self, id: &PluginId) -> Vec<PluginId> {
        let found = lock(&self.found);
        let copies = found.discovery.found.iter().filter(|c| c.account.is_some() && c.original() == *id);
        copies.map(|c| c.manifest.id.clone()).collect()
    }

    /// Loads the copies that are switched on. How each fares is in its state.
    pub(super) async fn start_copies(self: &Arc<Self>, id: &PluginId) {
        for copy in self.copies(id) {
            if self.enabled(&copy)
                && let Err(error) = self.start(&copy).await
            {
                tracing::warn!(plugin = %copy, %error, "a further account did not load");
            }
        }
    }

    /// Ends a plugin and its copies.
    pub(super) async fn bring_down_all(&self, id: &PluginId) {
        for copy in self.copies(id) {
            self.bring_down(&copy).await;
        }
        self.bring_down(id).await;
    }

    /// Takes a capability from a plugin and its copies at once.
    pub(super) fn take_from_all(&self, id: &PluginId, capability: &str) {
        self.host.revoke(id, capability);
        for copy in self.copies(id) {
            self.host.revoke(&copy, capability);
        }
    }

    /// Where conversations of a further account go unless a binding says otherwise.
    pub(super) fn account_workspace(&self, candidate: &Candidate, source: &SourceId) -> Option<WorkspaceId> {
        candidate.account.as_ref()?;
        self.settings.get().sources.get(source.as_str())?.workspace.clone()
    }

    /// Adds an account: a copy with nothing kept, switched off. Answers its source, and all channels it has.
    pub(crate) async fn add_account(self: &Arc<Self>, params: AccountAdd) -> Result<(SourceId, Vec<ChannelId>), WireError> {
        let AccountAdd { channel, name, workspace } = params;
        let workspace = self.known_workspace(workspace)?;
        let _turn = self.deciding.lock().await;
        let original = self.provider_of(&channel)?;
        let copy = copy_of(&original, &name).map_err(|error| WireError::invalid(format!("“name”: {error}")))?;
        self.require_trust(&original)?;
        let (id, plugin) = (copy.manifest.id.clone(), original.manifest.id.clone());
        if self.candidate(&id).is_ok() {
            return Err(WireError::new(
                ErrorCode::Conflict,
                format!("“name”: channel “{channel}” has an account “{name}” already"),
            )
            .hint("choose another name, or remove that one first"));
        }
        if self.copies(&plugin).len() >= MOST_ACCOUNTS {
            return Err(WireError::new(
                ErrorCode::Conflict,
                format!("channel “{channel}” has {MOST_ACCOUNTS} further accounts already"),
            )
            .hint("remove one that is not used"));
        }
        // What an earlier one of that name left, should its removal have been cut off, is not the new one's.
        self.wipe(&copy).await?;
        let channels: Vec<ChannelId> = channels_of(&copy.manifest.contributes).collect();
        let account = AccountSettings {
            added_at: self.clock.now(),
            ..AccountSettings::default()
        };
        self.settings.change(|s| {
            forget_settings(s, &copy);
            for channel in &channels {
                if let Some(source) = source_id(&id, &PluginPart::Channel(channel.clone())) {
                    s.sources.entry(source.to_string()).or_default().workspace = Some(workspace.clone());
                }
            }
            s.accounts.entry(plugin.to_string()).or_default().insert(name.clone(), account);
        })?;
        self.look_through().await;
        let source = channels
            .iter()
            .find(|own| own.as_str().split('@').next() == Some(channel.as_str()))
            .and_then(|own| source_id(&id, &PluginPart::Channel(own.clone())))
            .ok_or_else(|| WireError::internal("the new account has no such channel"))?;
        self.changed(&id);
        // One that cannot be loaded before it is set up is loaded then.
        if self.enabled(&id)
            && super::setting::missing_settings(&copy, &self.plugin_settings(&copy)).is_none()
            && let Err(error) = self.start(&id).await
        {
            tracing::warn!(plugin = %id, %error, "a further account did not load");
        }
        Ok((source, channels))
    }

    /// Takes an account away with everything it kept. Answers the channels it had; their sessions stay.
    pub(crate) async fn remove_account(self: &Arc<Self>, source: &SourceSummary) -> Result<Vec<ChannelId>, WireError> {
        let (id, _) = self.part(source)?;
        let candidate = self.candidate(&id)?;
        let Some(account) = candidate.account.clone() else {
            return Err(WireError::invalid(format!("“id”: {} is no further account", source.id))
                .hint("a channel's first account is switched off, or signed out, and stays"));
        };
        let _turn = self.deciding.lock().await;
        // Nobody looks at or loads it from here on: it is not found any more.
        let _scan = self.scanning.lock().await;
        let turn = self.turn(&id);
        let _load = turn.lock().await;
        {
            let mut found = lock(&self.found);
            let count = found.discovery.found.len();
            found.discovery.found.retain(|c| c.manifest.id != id);
            if found.discovery.found.len() == count {
                return Err(WireError::not_found("source", &source.id));
            }
            found.seen.remove(&id);
            found.held.remove(&id);
        }
        self.host.forget(&id).await;
        for memory in [&self.loaded, &self.tried] {
            lock(memory).remove(&id);
        }
        // The entry goes last: cut off before, the account is still there and is removed again.
        self.wipe(&candidate).await?;
        self.settings.change(|s| {
            forget_settings(s, &candidate);
            if let Some(accounts) = s.accounts.get_mut(candidate.original().as_str()) {
                accounts.remove(&account);
            }
            s.accounts.retain(|_, accounts| !accounts.is_empty());
        })?;
        lock(&self.backend.statuses).remove(&id);
        lock(&self.turns).remove(&id);
        self.refresh_board();
        self.changed(&id);
        Ok(channels_of(&candidate.manifest.contributes).collect())
    }

    /// Removes what a copy has kept outside the settings.
    async fn wipe(&self, copy: &Candidate) -> Result<(), WireError> {
        let id = &copy.manifest.id;
        self.store.clear_state(id).await.map_err(store_failed)?;
        for channel in channels_of(&copy.manifest.contributes) {
            self.store.forget_people(&channel).await.map_err(store_failed)?;
        }
        let accounts: Vec<String> = secret_names(copy).iter().map(|name| secret_account(id, name)).collect();
        let (secrets, folder) = (Arc::clone(&self.secrets), self.home.root().join("services").join(id.as_str()));
        let wiped = tokio::task::spawn_blocking(move || {
            for account in &accounts {
                secrets.set(account, None)?;
            }
            match std::fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(super::install::no_room(&folder, &error)),
                _ => Ok(()),
            }
        });
        wiped
            .await
            .map_err(|_| WireError::internal("what an account kept could not be removed"))?
    }

    /// The plugin that has a channel, as its manifest names it.
    fn provider_of(&self, channel: &ChannelId) -> Result<Candidate, WireError> {
        let found = lock(&self.found);
        let provider = found
            .discovery
            .found
            .iter()
            .find(|c| channels_of(&c.manifest.contributes).any(|own| own == *channel));
        match provider {
            Some(copy) if copy.account.is_some() => Err(WireError::invalid(format!("“channel”: “{channel}” is a further account itself"))
                .hint(format!("add one of the channel before the @ of “{channel}”"))),
            Some(provider) => Ok(provider.clone()),
            None => Err(WireError::not_found("channel", channel).hint("`kata channels list` shows them")),
        }
    }

    pub(super) fn known_workspace(&self, wanted: Option<WorkspaceId>) -> Result<WorkspaceId, WireError> {
        let Some(wanted) = wanted else {
            return Ok(crate::engine::active_workspace(&self.home));
        };
        if kata_store::workspaces(&self.home).iter().any(|w| w.id == wanted) {
            return Ok(wanted);
        }
        Err(WireError::invalid(format!("“workspace”: there is no workspace “{wanted}”")))
    }
}

/// Takes out of the settings what they have of a copy, but for the list of accounts.
fn forget_settings(settings: &mut crate::settings::Settings, copy: &Candidate) {
    let id = &copy.manifest.id;
    let contributes = &copy.manifest.contributes;
    let channels = channels_of(contributes).map(PluginPart::Channel);
    let services = contributes.services.iter().cloned().map(PluginPart::Service);
    let sources: BTreeSet<String> = channels
        .chain(services)
        .filter_map(|part| source_id(id, &part))
        .map(|source| source.to_string())
        .collect();
    settings.plugins.remove(id.as_str());
    settings.sources.retain(|source, _| !sources.contains(source));
}
