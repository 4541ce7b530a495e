//! How a person stands to a plugin: whether its files are those that were looked at, and what it may do. Nothing that is not
//! bundled runs but through [`Plugins::admit`].

use super::accounts::again;
use super::external::not_connected;
use super::look::{Files, Seen};
use super::{Plugins, lock, store_failed};
use kata_core::ports::{GrantStore, StoredGrant};
use kata_plugins::{Candidate, Contents, Signed, original_of};
use kata_protocol::{ErrorCode, GrantAction, PluginId, PluginOrigin, RunState, SourceSummary, Status, TrustState, UserAction, WireError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the store has of grants, as of the last change.
#[derive(Clone, Default)]
pub(super) struct Grants {
    pub(super) by_plugin: BTreeMap<PluginId, StoredGrant>,
    /// Remembered public keys by key id.
    pub(super) signers: BTreeMap<String, String>,
}

/// How a person stands to a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Shipped with the app.
    Bundled,
    /// These very files were granted.
    Trusted,
    /// Edits are taken; `asks` are capabilities it wants now and did not when it was granted.
    Development { asks: Vec<String> },
    /// A program over the gateway: its token is its grant.
    Token,
    /// Nobody has looked at it, or its files were not read yet.
    Untrusted,
    /// Its files are others than those that were granted.
    Changed,
    /// Its folder or signature is not acceptable, whoever trusts it.
    Refused { reason: String, was: TrustState },
}

impl Standing {
    pub(super) fn shown(&self) -> TrustState {
        match self {
            Self::Bundled => TrustState::Bundled,
            Self::Trusted => TrustState::Trusted,
            Self::Token => TrustState::Token,
            Self::Development { .. } => TrustState::Development,
            Self::Untrusted => TrustState::Untrusted,
            Self::Changed => TrustState::Changed,
            Self::Refused { was, .. } => *was,
        }
    }

    fn may_run(&self) -> bool {
        matches!(self, Self::Bundled | Self::Trusted | Self::Token | Self::Development { .. })
    }
}

impl Plugins {
    /// Reads grants and remembered keys from the store.
    pub(super) async fn load_grants(&self) -> Result<(), WireError> {
        let grants = self.store.grants().await.map_err(store_failed)?;
        let signers = self.store.signers().await.map_err(store_failed)?;
        self.grants.store(Arc::new(Grants {
            by_plugin: grants.into_iter().map(|g| (g.plugin.clone(), g)).collect(),
            signers: signers.into_iter().map(|s| (s.key_id, s.key)).collect(),
        }));
        Ok(())
    }

    pub(super) fn standing(&self, candidate: &Candidate) -> Standing {
        let id = &candidate.manifest.id;
        if candidate.origin == PluginOrigin::Bundled {
            return Standing::Bundled;
        }
        if candidate.origin == PluginOrigin::Gateway {
            return Standing::Token;
        }
        let (seen, held) = {
            let found = lock(&self.found);
            (found.seen.get(id).cloned(), found.held.get(id).cloned())
        };
        self.standing_of(candidate, seen.as_ref(), held)
    }

    fn standing_of(&self, candidate: &Candidate, seen: Option<&Seen>, held: Option<String>) -> Standing {
        let grants = self.grants.load();
        let grant = grants.by_plugin.get(&candidate.original());
        let develops = grant.filter(|g| g.grant.development && candidate.folder == std::path::Path::new(&g.folder));
        let was = match (grant, develops) {
            (None, _) => TrustState::Untrusted,
            (_, Some(_)) => TrustState::Development,
            _ => TrustState::Changed,
        };
        let refused = |reason: String| Standing::Refused { reason, was };
        let Some(seen) = seen.filter(|s| s.folder == candidate.folder) else {
            return Standing::Untrusted;
        };
        if let Some(reason) = held {
            return refused(reason);
        }
        match (&seen.files, &seen.signed) {
            (Files::Unreadable(reason), _) => return refused(reason.clone()),
            // An author's edits do not fit the signature of the last release.
            (_, Signed::Bad { reason }) if develops.is_none() => return refused(reason.clone()),
            // A key that was forgotten takes nothing from the very files a person trusted.
            (_, Signed::Unknown { reason }) if develops.is_none() && grant.is_none_or(|g| seen.hash() != Some(g.grant.hash.as_str())) => {
                return refused(reason.clone());
            }
            _ => {}
        }
        match (grant, develops) {
            (None, _) => Standing::Untrusted,
            (_, Some(grant)) => Standing::Development {
                asks: asked_anew(grant, candidate),
            },
            (Some(grant), None) if seen.hash() == Some(grant.grant.hash.as_str()) => Standing::Trusted,
            (Some(_), None) => Standing::Changed,
        }
    }

    /// Whether a plugin may not be loaded as it is now.
    pub(super) fn waits(&self, id: &PluginId) -> bool {
        self.candidate(id).is_ok_and(|c| !self.standing(&c).may_run())
    }

    /// # Errors
    /// [`ErrorCode::Conflict`] where the person has to look first; the hint says how.
    pub(super) fn require_trust(&self, candidate: &Candidate) -> Result<(), WireError> {
        refusal(&candidate.manifest.id, &self.standing(candidate)).map_or(Ok(()), Err)
    }

    /// The one gate before a plugin's code runs: its manifest and files are read anew, and only what was granted for them
    /// goes in. Answers the candidate with its files pinned, the capabilities, and the hash of the files.
    pub(super) async fn admit(self: &Arc<Self>, id: &PluginId) -> Result<(Candidate, Vec<String>, Option<String>), WireError> {
        self.allowed(id)?;
        let old = self.candidate(id)?;
        if old.origin == PluginOrigin::Gateway {
            return Err(not_connected(id));
        }
        let this = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || this.read_anew(&old)).await;
        let (mut candidate, seen) = read.map_err(|_| WireError::internal("a plugin's files could not be read"))??;
        let standing = match candidate.origin {
            PluginOrigin::Bundled => Standing::Bundled,
            _ => self.standing_of(&candidate, Some(&seen), None),
        };
        if let Some(refused) = refusal(id, &standing) {
            self.changed(id);
            return Err(refused);
        }
        if standing == Standing::Trusted
            && let Files::Read(contents) = &seen.files
        {
            candidate.pins = Some(Arc::new(contents.pins()));
        }
        let declared = &candidate.manifest.capabilities;
        let granted = match &standing {
            Standing::Bundled => declared.clone(),
            _ => {
                let granted = self.granted_now(id).unwrap_or_default();
                granted.into_iter().filter(|c| declared.contains(c)).collect()
            }
        };
        let hash = seen.hash().map(str::to_owned);
        if let Some(hash) = &hash {
            lock(&self.tried).insert(id.clone(), hash.clone());
        }
        Ok((candidate, granted, hash))
    }

    /// Whether the plugin of a source may run.
    ///
    /// # Errors
    /// [`ErrorCode::Conflict`] where the person has to look first; the hint says how.
    pub(crate) fn trusted(&self, source: &SourceSummary) -> Result<(), WireError> {
        let (plugin, _) = self.part(source)?;
        self.require_trust(&self.candidate(&plugin)?)
    }

    /// Capabilities a plugin has both keys of.
    pub(crate) fn granted_capabilities(&self, id: &PluginId) -> Vec<String> {
        let Ok(candidate) = self.candidate(id) else { return Vec::new() };
        let declared = candidate.manifest.capabilities;
        if matches!(candidate.origin, PluginOrigin::Bundled | PluginOrigin::Gateway) {
            return declared;
        }
        let granted = self.granted_now(id).unwrap_or_default();
        declared.into_iter().filter(|c| granted.contains(c)).collect()
    }

    /// Capabilities granted to a plugin that is not bundled; a copy has its original's.
    pub(super) fn granted_now(&self, id: &PluginId) -> Option<Vec<String>> {
        self.grants
            .load()
            .by_plugin
            .get(&original_of(id))
            .map(|g| g.grant.capabilities.clone())
    }

    /// Reads a plugin's manifest and all its files, and remembers what was seen. Blocks.
    pub(super) fn read_anew(&self, old: &Candidate) -> Result<(Candidate, Seen), WireError> {
        let id = &old.manifest.id;
        let root = {
            let found = lock(&self.found);
            let root = found.roots.iter().find(|r| r.origin == old.origin && r.workspace == old.workspace);
            root.cloned()
        };
        let root = root.ok_or_else(|| WireError::not_found("plugin", id))?;
        let candidate = match again(&root, old) {
            Ok(Some(candidate)) if candidate.manifest.id == *id => candidate,
            Ok(_) => return Err(WireError::not_found("plugin", id).hint("its folder holds another plugin now, or none; look again")),
            Err(dropped) => {
                let message = format!("plugin “{id}” is not taken: {}", dropped.reason);
                return Err(WireError::new(ErrorCode::Conflict, message).hint(dropped.hint));
            }
        };
        let files = match Contents::read(&candidate.folder) {
            Ok(contents) => Files::Read(Arc::new(contents)),
            Err(error) => Files::Unreadable(error.to_string()),
        };
        let before = lock(&self.found).seen.get(id).cloned();
        let seen = self.seen(&candidate, files, before.as_ref());
        let mut found = lock(&self.found);
        if let Some(place) = found.discovery.found.iter_mut().find(|c| c.manifest.id == *id) {
            *place = candidate.clone();
        }
        found.seen.insert(id.clone(), seen.clone());
        found.held.remove(id);
        Ok((candidate, seen))
    }

    /// What a person sees of a plugin's state, where trust has a word in it.
    pub(super) fn shown_status(&self, candidate: &Candidate, standing: &Standing, told: Option<Status>) -> Status {
        let id = &candidate.manifest.id;
        let since = lock(&self.found).seen.get(id).map_or_else(|| self.clock.now(), |s| s.at);
        let runs = self.host.running().contains(id);
        let goes_on = if runs {
            " The version that runs goes on until the app ends."
        } else {
            ""
        };
        let ask = |code: &str, message: String| Status {
            state: RunState::NeedsUser { action: UserAction::Trust },
            code: code.into(),
            message,
            since,
        };
        match standing {
            Standing::Untrusted => {
                let before = self.settings.get().plugins.get(id.as_str()).is_some_and(|p| !p.granted.is_empty());
                let message = if before {
                    "It was allowed by an earlier version, which did not look at its files. Look at it once and trust it."
                } else {
                    "Nobody has looked at it yet. Look at its files and at what it asks for, and trust it."
                };
                ask("untrusted", message.into())
            }
            Standing::Changed => ask(
                "changed",
                format!("Its files are not those you trusted. Look at what changed and trust it again.{goes_on}"),
            ),
            Standing::Refused { reason, .. } => Status {
                state: if runs {
                    RunState::Degraded
                } else {
                    RunState::Failed { recoverable: true }
                },
                code: "refused".into(),
                message: format!("It is not taken as it is: {reason}.{goes_on}"),
                since,
            },
            Standing::Development { asks } if !asks.is_empty() => {
                let trouble = told.filter(|s| !s.message.is_empty()).map(|s| format!(" {}", s.message));
                ask(
                    "capabilities",
                    format!(
                        "It asks for {}, which is denied until you grant it.{}",
                        asks.join(", "),
                        trouble.unwrap_or_default()
                    ),
                )
            }
            Standing::Token => told.unwrap_or_else(|| self.program_away()),
            Standing::Bundled | Standing::Trusted | Standing::Development { .. } => {
                told.unwrap_or_else(|| Status::plain(RunState::Stopped, since))
            }
        }
    }

    /// After a look: what a remembered key carries over is granted, and that files changed is noted, once.
    pub(super) async fn settle(self: &Arc<Self>, id: &PluginId) {
        let Ok(candidate) = self.candidate(id) else { return };
        if candidate.account.is_some() {
            // Its original is settled.
            return self.changed(id);
        }
        match self.standing(&candidate) {
            Standing::Changed => {}
            Standing::Development { asks } if !asks.is_empty() => return self.changed(id),
            Standing::Refused { .. } | Standing::Untrusted => return self.changed(id),
            _ => return,
        }
        match self.carry_over(id).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => tracing::error!(plugin = %id, %error, "a signed update could not be carried over"),
        }
        // Somebody else may have decided meanwhile: an update that two saw is carried over once.
        if self.candidate(id).is_ok_and(|c| self.standing(&c) != Standing::Changed) {
            return;
        }
        // Of two looks at once one sees what the other has noted.
        let _turn = self.noting.lock().await;
        let hash = lock(&self.found).seen.get(id).and_then(|s| s.hash().map(str::to_owned));
        let newest = self.store.grant_history(id, 1).await.unwrap_or_default();
        let told = newest.first().is_some_and(|e| e.action == GrantAction::Changed && e.hash == hash);
        if !told {
            let detail = format!("Version {}: its files are not those that were trusted", candidate.manifest.version);
            self.note(id, GrantAction::Changed, hash.as_deref(), &detail).await;
        }
        self.changed(id);
    }
}

/// Capabilities a plugin asks for now and did not when it was granted.
pub(super) fn asked_anew(grant: &StoredGrant, candidate: &Candidate) -> Vec<String> {
    let declared = candidate.manifest.capabilities.iter();
    declared
        .filter(|c| !grant.declared.contains(c) && !grant.grant.capabilities.contains(c))
        .cloned()
        .collect()
}

fn refusal(id: &PluginId, standing: &Standing) -> Option<WireError> {
    let (message, hint) = match standing {
        Standing::Bundled | Standing::Trusted | Standing::Token | Standing::Development { .. } => return None,
        Standing::Untrusted => (
            format!("plugin “{id}” has not been trusted yet"),
            format!("look at it in the window under Plugins, or with `kata plugins trust {id}`; then switch it on"),
        ),
        Standing::Changed => (
            format!("the files of plugin “{id}” are not those you trusted"),
            format!("the window under Plugins, or `kata plugins trust {id}`, shows what changed"),
        ),
        Standing::Refused { reason, .. } => (
            format!("plugin “{id}” is not taken as it is: {reason}"),
            "put its files right, or install it anew".into(),
        ),
    };
    Some(WireError::new(ErrorCode::Conflict, message).hint(hint))
}
