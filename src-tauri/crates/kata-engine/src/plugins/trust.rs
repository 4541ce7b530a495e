//! A person's decisions: trust, one capability or all of it taken back, and what a remembered signing key carries over.

use super::look::{Files, Seen};
use super::standing::asked_anew;
use super::{Plugins, kept, lock, store_failed};
use kata_core::ports::{GrantStore, Signer, StoredGrant};
use kata_plugins::{Candidate, Contents, Signed};
use kata_protocol::{ErrorCode, GrantAction, Json, PluginGrant, PluginId, PluginOrigin, PluginRevoke, PluginTrust, WireError};
use serde_json::json;
use std::sync::Arc;

/// A decision about the files of one plugin, ready to be kept.
struct Decision<'a> {
    candidate: &'a Candidate,
    contents: &'a Arc<Contents>,
    capabilities: Vec<String>,
    development: bool,
    signer: Option<String>,
    action: GrantAction,
    detail: String,
}

impl Plugins {
    /// Trusts the files with the given hash. One that is switched on is loaded.
    pub(crate) async fn trust(self: &Arc<Self>, params: PluginTrust) -> Result<(), WireError> {
        let id = params.id.clone();
        {
            let _turn = self.deciding.lock().await;
            let (candidate, seen) = self.for_decision(&id).await?;
            let contents = fitting(&id, &seen, &params.hash)?;
            if let Signed::Bad { reason } | Signed::Unknown { reason } = &seen.signed {
                return Err(
                    WireError::new(ErrorCode::Conflict, format!("plugin “{id}” is not taken as it is: {reason}"))
                        .hint("get it anew from its author; or, if the files are yours, sign them again or remove kata-plugin.minisig"),
                );
            }
            for (i, capability) in params.capabilities.iter().enumerate() {
                if !candidate.manifest.capabilities.contains(capability) {
                    let message = format!("“capabilities[{i}]”: the manifest does not ask for “{capability}”");
                    return Err(WireError::invalid(message).hint("only what a plugin declares can be granted"));
                }
            }
            let signer = self.signer(&seen.signed, params.remember_signer == Some(true)).await?;
            // What the person leaves out this time is gone at once, also from the version that goes on if this one fails.
            for taken in self.granted_now(&id).unwrap_or_default() {
                if !params.capabilities.contains(&taken) {
                    self.take_from_all(&id, &taken);
                }
            }
            let development = params.development == Some(true);
            let detail = format!(
                "Version {}, from {}{}: {}",
                candidate.manifest.version,
                candidate.folder.display(),
                if development { ", in development mode" } else { "" },
                words(&params.capabilities)
            );
            let decision = Decision {
                candidate: &candidate,
                contents,
                capabilities: params.capabilities,
                development,
                signer,
                action: GrantAction::Granted,
                detail,
            };
            self.keep_grant(decision).await?;
            // What an earlier version had granted, without a hash, is answered now.
            if self.settings.get().plugins.get(id.as_str()).is_some_and(|p| !p.granted.is_empty()) {
                self.settings
                    .change(|s| s.plugins.entry(id.to_string()).or_default().granted.clear())?;
            }
            self.look_one(&id).await;
        }
        self.changed(&id);
        if self.enabled(&id)
            && let Err(error) = self.start(&id).await
        {
            // The decision stands; how the plugin fares is in its state.
            tracing::warn!(plugin = %id, %error, "a trusted plugin did not load");
        }
        self.start_copies(&id).await;
        Ok(())
    }

    /// Takes one capability, or the whole trust, back. What rests on it has ended when this returns.
    pub(crate) async fn revoke(self: &Arc<Self>, params: PluginRevoke) -> Result<(), WireError> {
        let id = params.id;
        let _turn = self.deciding.lock().await;
        if let Ok(candidate) = self.candidate(&id) {
            own_decision(&candidate)?;
        }
        let stored = self.grants.load().by_plugin.get(&id).cloned();
        let Some(mut stored) = stored else {
            return Err(
                WireError::new(ErrorCode::Conflict, format!("plugin “{id}” has nothing granted")).hint("there is nothing to take back")
            );
        };
        let hash = stored.grant.hash.clone();
        match params.capability {
            Some(capability) => {
                if !stored.grant.capabilities.contains(&capability) {
                    let message = format!("“capability”: plugin “{id}” has not been granted “{capability}”");
                    return Err(WireError::invalid(message).hint(format!("it has {}", words(&stored.grant.capabilities))));
                }
                // First in force, then on the disk: a failure of the disk must not leave it open.
                self.take_from_all(&id, &capability);
                stored.grant.capabilities.retain(|c| *c != capability);
                let event = self.event(GrantAction::CapabilityRevoked, Some(&hash), format!("Taken back: {capability}"));
                self.store.grant(&stored, &event).await.map_err(store_failed)?;
                self.load_grants().await?;
            }
            None => {
                self.bring_down_all(&id).await;
                let event = self.event(GrantAction::Revoked, Some(&hash), "Taken back as a whole");
                self.store.revoke(&id, &event).await.map_err(store_failed)?;
                self.load_grants().await?;
                self.bring_down_all(&id).await;
                self.tidy_kept().await;
            }
        }
        self.changed(&id);
        Ok(())
    }

    /// Grants an update that a remembered key has signed and that asks for nothing new, when the grant was that key's.
    pub(super) async fn carry_over(self: &Arc<Self>, id: &PluginId) -> Result<bool, WireError> {
        let _turn = self.deciding.lock().await;
        let Some(stored) = self.grants.load().by_plugin.get(id).cloned().filter(|g| g.grant.signer.is_some()) else {
            return Ok(false);
        };
        let (candidate, seen) = self.for_decision(id).await?;
        let (Files::Read(contents), Signed::Yes { key_id, known: true, .. }) = (&seen.files, &seen.signed) else {
            return Ok(false);
        };
        if stored.grant.signer.as_ref() != Some(key_id)
            || !asked_anew(&stored, &candidate).is_empty()
            || stored.grant.hash == contents.hash()
        {
            return Ok(false);
        }
        let declared = &candidate.manifest.capabilities;
        let capabilities: Vec<String> = stored.grant.capabilities.iter().filter(|c| declared.contains(c)).cloned().collect();
        let detail = format!(
            "Version {} to {}, signed by the remembered key {key_id}, with nothing new asked for",
            stored.grant.version, candidate.manifest.version
        );
        let decision = Decision {
            candidate: &candidate,
            contents,
            capabilities,
            development: false,
            signer: stored.grant.signer,
            action: GrantAction::CarriedOver,
            detail,
        };
        self.keep_grant(decision).await?;
        self.changed(id);
        Ok(true)
    }

    /// Grants the files of a plugin that was just made here, in development mode, with everything it declares.
    pub(super) async fn trust_own(self: &Arc<Self>, id: &PluginId) -> Result<(), WireError> {
        let (candidate, seen) = self.for_decision(id).await?;
        let Files::Read(contents) = &seen.files else {
            return Err(WireError::internal("the files that were just written cannot be read"));
        };
        let decision = Decision {
            candidate: &candidate,
            contents,
            capabilities: candidate.manifest.capabilities.clone(),
            development: true,
            signer: None,
            action: GrantAction::Granted,
            detail: format!("Made here, in development mode: {}", words(&candidate.manifest.capabilities)),
        };
        self.keep_grant(decision).await
    }

    /// Development mode is for edits by hand. What another folder or archive brings is no edit: from now on it asks.
    pub(super) async fn end_development(&self, id: &PluginId, why: &str) -> Result<(), WireError> {
        let Some(mut stored) = self.grants.load().by_plugin.get(id).cloned().filter(|g| g.grant.development) else {
            return Ok(());
        };
        stored.grant.development = false;
        let event = self.event(GrantAction::Changed, None, format!("Development mode has ended: {why}"));
        self.store.grant(&stored, &event).await.map_err(store_failed)?;
        self.load_grants().await
    }

    /// A plugin and its files as they are at this moment.
    async fn for_decision(self: &Arc<Self>, id: &PluginId) -> Result<(Candidate, Seen), WireError> {
        let candidate = self.candidate(id)?;
        own_decision(&candidate)?;
        let this = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || this.read_anew(&candidate)).await;
        read.map_err(|_| WireError::internal("a plugin's files could not be read"))?
    }

    /// Remembers the key if that is wanted, and answers the key id the grant is bound to.
    async fn signer(&self, signed: &Signed, remember: bool) -> Result<Option<String>, WireError> {
        let Signed::Yes { key_id, key, known, .. } = signed else {
            if remember {
                return Err(
                    WireError::invalid("“rememberSigner”: the plugin is not signed").hint("trust it without; each update asks then")
                );
            }
            return Ok(None);
        };
        if remember && !known {
            let signer = Signer {
                key_id: key_id.clone(),
                key: key.clone(),
                remembered_at: self.clock.now(),
            };
            self.store.remember_signer(&signer).await.map_err(store_failed)?;
        }
        Ok((remember || *known).then(|| key_id.clone()))
    }

    async fn keep_grant(self: &Arc<Self>, decision: Decision<'_>) -> Result<(), WireError> {
        let Decision {
            candidate,
            contents,
            capabilities,
            development,
            signer,
            action,
            detail,
        } = decision;
        let stored = StoredGrant {
            plugin: candidate.manifest.id.clone(),
            grant: PluginGrant {
                hash: contents.hash().to_owned(),
                version: candidate.manifest.version.clone(),
                capabilities,
                development,
                granted_at: self.clock.now(),
                signer,
            },
            folder: candidate.folder.display().to_string(),
            files: contents.files().to_vec(),
            declared: candidate.manifest.capabilities.clone(),
        };
        // The texts first: a grant without them only shows less.
        let (home, folder, contents) = (self.home.root().to_owned(), candidate.folder.clone(), Arc::clone(contents));
        let kept = tokio::task::spawn_blocking(move || kept::keep(&home, &folder, &contents)).await;
        if let Ok(Err(error)) = kept {
            tracing::warn!(plugin = %stored.plugin, %error, "the trusted files were not kept; a later change will show no diff");
        }
        let event = self.event(action, Some(&stored.grant.hash), detail);
        self.store.grant(&stored, &event).await.map_err(store_failed)?;
        self.load_grants().await?;
        self.tidy_kept().await;
        Ok(())
    }

    pub(super) async fn tidy_kept(&self) {
        let (home, grants) = (self.home.root().to_owned(), self.grants.load_full());
        let _ = tokio::task::spawn_blocking(move || kept::tidy(&home, grants.by_plugin.values())).await;
    }

    /// The contents of a plugin at the last look.
    pub(super) fn contents(&self, id: &PluginId) -> Option<Arc<Contents>> {
        match &lock(&self.found).seen.get(id)?.files {
            Files::Read(contents) => Some(Arc::clone(contents)),
            Files::Unreadable(_) => None,
        }
    }
}

fn fitting<'a>(id: &PluginId, seen: &'a Seen, hash: &str) -> Result<&'a Arc<Contents>, WireError> {
    match &seen.files {
        Files::Read(contents) if contents.hash() == hash => Ok(contents),
        Files::Read(contents) => {
            let message = format!("“hash”: the files of plugin “{id}” are not those that were looked at");
            let mut error = WireError::new(ErrorCode::Conflict, message).hint("they changed in between: look at them again, then decide");
            error.details = Some(Json(json!({ "hash": contents.hash() })));
            Err(error)
        }
        Files::Unreadable(reason) => Err(WireError::new(
            ErrorCode::Conflict,
            format!("the files of plugin “{id}” cannot be listed: {reason}"),
        )
        .hint("put them right first")),
    }
}

/// Nothing is decided about a copy or a bundled plugin.
fn own_decision(candidate: &Candidate) -> Result<(), WireError> {
    let id = &candidate.manifest.id;
    if candidate.origin == PluginOrigin::Bundled {
        return Err(shipped(id));
    }
    if candidate.origin == PluginOrigin::Gateway {
        return Err(super::external::by_token(id));
    }
    if candidate.account.is_some() {
        let original = candidate.original();
        let message = format!("“{id}” is a further account of plugin “{original}”, and trusted with it");
        return Err(WireError::new(ErrorCode::Conflict, message).hint(format!("decide about “{original}”")));
    }
    Ok(())
}

fn shipped(id: &PluginId) -> WireError {
    WireError::new(
        ErrorCode::Conflict,
        format!("plugin “{id}” is shipped with the app, and trusted with it"),
    )
    .hint(format!("to stop it: `kata plugins disable {id}`"))
}

fn words(capabilities: &[String]) -> String {
    if capabilities.is_empty() {
        "no capabilities".into()
    } else {
        capabilities.join(", ")
    }
}
