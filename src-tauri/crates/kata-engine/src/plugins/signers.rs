//! `plugin.signers` and `plugin.forget_signer`: the signing keys a person chose to remember. Remembering is part of trusting
//! ([`super::trust`]).
//!
//! What forgetting means: the key's next signature is that of an unknown signer, for every plugin it carried, also when the same key
//! is remembered again for one of them. Trust given to files by their hash stays, and so does what runs.

use super::{Plugins, store_failed};
use kata_core::ports::GrantStore;
use kata_protocol::{ErrorCode, GrantAction, PluginSigner, WireError};
use kata_store::AuditRecord;
use std::sync::Arc;

impl Plugins {
    /// Every remembered key, in order of id, with the plugins it carries.
    pub(crate) async fn signers(&self) -> Result<Vec<PluginSigner>, WireError> {
        let keys = self.store.signers().await.map_err(store_failed)?;
        let grants = self.grants.load();
        let of = |key: &str| {
            let bound = grants.by_plugin.iter().filter(|(_, g)| g.grant.signer.as_deref() == Some(key));
            bound.map(|(id, _)| id.clone()).collect()
        };
        Ok(keys
            .into_iter()
            .map(|key| PluginSigner {
                plugins: of(&key.key_id),
                key_id: key.key_id,
                key: key.key,
                remembered_at: key.remembered_at,
            })
            .collect())
    }

    /// Forgets a key, and answers what is left. `actor` goes to the audit.
    pub(crate) async fn forget_signer(self: &Arc<Self>, actor: &str, key_id: &str) -> Result<Vec<PluginSigner>, WireError> {
        let key_id = key_id.trim().to_ascii_uppercase();
        if key_id.len() != 16 || !key_id.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(WireError::invalid("“keyId”: a key id has 16 hexadecimal digits")
                .hint("`kata plugins signers` lists the keys that are remembered"));
        }
        {
            let _turn = self.deciding.lock().await;
            let event = self.event(
                GrantAction::SignerForgotten,
                None,
                format!("The key {key_id} was forgotten: an update it signs asks again; these files stay trusted"),
            );
            let Some(bound) = self.store.forget_signer(&key_id, &event).await.map_err(store_failed)? else {
                return Err(WireError::new(ErrorCode::NotFound, format!("no key “{key_id}” is remembered"))
                    .hint("`kata plugins signers` lists those that are"));
            };
            self.load_grants().await?;
            let line = AuditRecord {
                at: self.clock.now(),
                actor: actor.to_owned(),
                action: "plugin.forget_signer".into(),
                subject: key_id,
            };
            if let Err(error) = self.store.record_audit(line).await {
                tracing::warn!(%error, "a forgotten signing key is not in the audit");
            }
            for id in &bound {
                self.changed(id);
            }
        }
        // What stands in the folders is signed by an unknown key from now on.
        self.rescan().await;
        self.signers().await
    }
}
