//! Grants, their history and remembered keys in memory.

use super::MemoryStore;
use crate::KEPT_GRANT_EVENTS;
use async_trait::async_trait;
use kata_core::ports::{GrantStore, Signer, StoreError, StoredGrant};
use kata_protocol::{GrantEvent, PluginId};
use std::collections::{BTreeMap, VecDeque};

#[derive(Default)]
pub(super) struct Table {
    grants: BTreeMap<PluginId, StoredGrant>,
    history: BTreeMap<PluginId, VecDeque<GrantEvent>>,
    signers: BTreeMap<String, Signer>,
}

impl Table {
    fn happened(&mut self, plugin: &PluginId, event: &GrantEvent) {
        let history = self.history.entry(plugin.clone()).or_default();
        if history.len() == KEPT_GRANT_EVENTS as usize {
            history.pop_back();
        }
        history.push_front(event.clone());
    }
}

#[async_trait]
impl GrantStore for MemoryStore {
    async fn grants(&self) -> Result<Vec<StoredGrant>, StoreError> {
        Ok(self.tables().grants.grants.values().cloned().collect())
    }

    async fn grant(&self, grant: &StoredGrant, event: &GrantEvent) -> Result<(), StoreError> {
        let table = &mut self.tables().grants;
        table.grants.insert(grant.plugin.clone(), grant.clone());
        table.happened(&grant.plugin, event);
        Ok(())
    }

    async fn revoke(&self, plugin: &PluginId, event: &GrantEvent) -> Result<(), StoreError> {
        let table = &mut self.tables().grants;
        table.grants.remove(plugin);
        table.happened(plugin, event);
        Ok(())
    }

    async fn note(&self, plugin: &PluginId, event: &GrantEvent) -> Result<(), StoreError> {
        self.tables().grants.happened(plugin, event);
        Ok(())
    }

    async fn grant_history(&self, plugin: &PluginId, limit: u32) -> Result<Vec<GrantEvent>, StoreError> {
        let tables = self.tables();
        let history = tables.grants.history.get(plugin).into_iter().flatten();
        Ok(history.take(limit as usize).cloned().collect())
    }

    async fn remember_signer(&self, signer: &Signer) -> Result<(), StoreError> {
        let table = &mut self.tables().grants;
        table.signers.entry(signer.key_id.clone()).or_insert_with(|| signer.clone());
        Ok(())
    }

    async fn forget_signer(&self, key_id: &str, event: &GrantEvent) -> Result<Option<Vec<PluginId>>, StoreError> {
        let table = &mut self.tables().grants;
        if table.signers.remove(key_id).is_none() {
            return Ok(None);
        }
        let mut bound = Vec::new();
        for (plugin, stored) in &mut table.grants {
            if stored.grant.signer.as_deref() == Some(key_id) {
                stored.grant.signer = None;
                bound.push(plugin.clone());
            }
        }
        for plugin in &bound {
            table.happened(plugin, event);
        }
        Ok(Some(bound))
    }

    async fn signers(&self) -> Result<Vec<Signer>, StoreError> {
        Ok(self.tables().grants.signers.values().cloned().collect())
    }
}
