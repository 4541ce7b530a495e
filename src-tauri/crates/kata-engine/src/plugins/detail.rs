//! `plugin.get`: everything a person decides with.

use super::{Plugins, change, store_failed};
use kata_core::ports::GrantStore;
use kata_plugins::{Candidate, Contents, Signed, meaning};
use kata_protocol::{CapabilityState, ErrorCode, Json, PluginDetail, PluginId, PluginOrigin, PluginSignature, Registered, WireError};
use std::sync::Arc;

/// Lines of history that are shown.
const HISTORY: u32 = 100;

impl Plugins {
    /// One plugin, with its files as they are now.
    pub(crate) async fn plugin_detail(self: &Arc<Self>, id: &PluginId) -> Result<PluginDetail, WireError> {
        if self.is_program(id) {
            return self.program_detail(id);
        }
        self.look_one(id).await;
        let candidate = self.candidate(id)?;
        let contents = self.contents(id).ok_or_else(|| {
            let status = self.get(id).map(|s| s.status.message).unwrap_or_default();
            WireError::new(
                ErrorCode::Conflict,
                format!("the files of plugin “{id}” cannot be listed. {status}"),
            )
            .hint("put them right first")
        })?;
        let stored = self
            .grants
            .load()
            .by_plugin
            .get(&candidate.original())
            .cloned()
            .filter(|_| candidate.origin != PluginOrigin::Bundled);
        let change = match stored.clone() {
            Some(grant) => {
                let (home, candidate, contents) = (self.home.root().to_owned(), candidate.clone(), Arc::clone(&contents));
                let worked = tokio::task::spawn_blocking(move || change::change(&home, &grant, &candidate, &contents)).await;
                worked.map_err(|_| WireError::internal("the difference could not be worked out"))?
            }
            None => None,
        };
        let grant = stored.map(|g| g.grant);
        let history = self
            .store
            .grant_history(&candidate.original(), HISTORY)
            .await
            .map_err(store_failed)?;
        let this = (Arc::clone(self), candidate.clone());
        // A keychain may be slow.
        let secrets = tokio::task::spawn_blocking(move || this.0.secret_states(&this.1))
            .await
            .unwrap_or_default();
        Ok(PluginDetail {
            files: contents.files().to_vec(),
            hash: contents.hash().to_owned(),
            wanted: wanted(&candidate, grant.as_ref().map(|g| g.capabilities.as_slice())),
            grant,
            change,
            signature: self.signature(id, &candidate, &contents),
            settings_schema: candidate.manifest.settings.clone(),
            settings: Json(self.plugin_settings(&candidate)),
            secrets,
            registered: self.host.registered(id).unwrap_or_else(nothing),
            limits: self.host.ceilings(id),
            parts: self.board.list().into_iter().filter(|s| s.plugin.as_ref() == Some(id)).collect(),
            history,
            summary: self.summary(candidate),
        })
    }

    fn signature(&self, id: &PluginId, candidate: &Candidate, contents: &Arc<Contents>) -> PluginSignature {
        let seen = super::lock(&self.found).seen.get(id).map(|s| s.signed.clone());
        let same = self.contents(id).is_some_and(|now| now.hash() == contents.hash());
        match seen.filter(|_| same && candidate.origin != PluginOrigin::Bundled) {
            Some(signed) => signed.shown(),
            None => Signed::No.shown(),
        }
    }
}

/// Every capability a plugin declares or was granted. `granted` is absent for a bundled plugin and for a program, which have what they declare,
/// and for one nobody has looked at.
pub(super) fn wanted(candidate: &Candidate, granted: Option<&[String]>) -> Vec<CapabilityState> {
    let declared = &candidate.manifest.capabilities;
    let bundled = matches!(candidate.origin, PluginOrigin::Bundled | PluginOrigin::Gateway);
    let more = granted.unwrap_or_default().iter().filter(|c| !declared.contains(c));
    let all = declared.iter().chain(more);
    all.map(|capability| {
        let meaning = meaning(candidate.manifest.id.as_str(), capability);
        CapabilityState {
            declared: declared.contains(capability),
            granted: bundled || granted.is_some_and(|g| g.contains(capability)),
            capability: capability.clone(),
            means: meaning.text,
            sensitive: meaning.sensitive,
        }
    })
    .collect()
}

pub(super) fn nothing() -> Registered {
    Registered {
        tools: Vec::new(),
        hooks: Vec::new(),
        channels: Vec::new(),
        services: Vec::new(),
        commands: Vec::new(),
        routes: Vec::new(),
    }
}
