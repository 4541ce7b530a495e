//! What a person granted to plugins, the history of it, and remembered signing keys.

use super::{Fault, SqliteStore, ms_in, ms_out};
use crate::KEPT_GRANT_EVENTS;
use async_trait::async_trait;
use kata_core::ports::{GrantStore, Signer, StoreError, StoredGrant};
use kata_protocol::{GrantAction, GrantEvent, PluginGrant, PluginId};
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

#[async_trait]
impl GrantStore for SqliteStore {
    async fn grants(&self) -> Result<Vec<StoredGrant>, StoreError> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT plugin, hash, version, capabilities, development, granted_at, signer, folder, files, declared
                 FROM plugin_grants ORDER BY plugin",
            )?
            .query([])?
            .and_then(stored)
            .collect()
        })
        .await
    }

    async fn grant(&self, grant: &StoredGrant, event: &GrantEvent) -> Result<(), StoreError> {
        let (stored, event) = (grant.clone(), event.clone());
        self.write(move |db| {
            let grant = &stored.grant;
            db.prepare_cached(
                "INSERT INTO plugin_grants
                 (plugin, hash, version, capabilities, development, granted_at, signer, folder, files, declared)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                 ON CONFLICT (plugin) DO UPDATE SET
                   hash = excluded.hash, version = excluded.version, capabilities = excluded.capabilities,
                   development = excluded.development, granted_at = excluded.granted_at, signer = excluded.signer,
                   folder = excluded.folder, files = excluded.files, declared = excluded.declared",
            )?
            .execute(params![
                stored.plugin.as_str(),
                grant.hash,
                grant.version,
                text(&grant.capabilities)?,
                grant.development,
                ms_in(grant.granted_at),
                grant.signer,
                stored.folder,
                text(&stored.files)?,
                text(&stored.declared)?,
            ])?;
            happened(db, &stored.plugin, &event)
        })
        .await
    }

    async fn revoke(&self, plugin: &PluginId, event: &GrantEvent) -> Result<(), StoreError> {
        let (plugin, event) = (plugin.clone(), event.clone());
        self.write(move |db| {
            db.prepare_cached("DELETE FROM plugin_grants WHERE plugin = ?1")?
                .execute([plugin.as_str()])?;
            happened(db, &plugin, &event)
        })
        .await
    }

    async fn note(&self, plugin: &PluginId, event: &GrantEvent) -> Result<(), StoreError> {
        let (plugin, event) = (plugin.clone(), event.clone());
        self.write(move |db| happened(db, &plugin, &event)).await
    }

    async fn grant_history(&self, plugin: &PluginId, limit: u32) -> Result<Vec<GrantEvent>, StoreError> {
        let plugin = plugin.clone();
        self.read(move |db| {
            db.prepare_cached("SELECT at, action, hash, detail FROM plugin_grant_history WHERE plugin = ?1 ORDER BY id DESC LIMIT ?2")?
                .query(params![plugin.as_str(), limit])?
                .and_then(|row| {
                    Ok(GrantEvent {
                        at: ms_out(row.get(0)?),
                        action: action(&row.get::<_, String>(1)?)?,
                        hash: row.get(2)?,
                        detail: row.get(3)?,
                    })
                })
                .collect()
        })
        .await
    }

    async fn remember_signer(&self, signer: &Signer) -> Result<(), StoreError> {
        let signer = signer.clone();
        self.write(move |db| {
            db.prepare_cached("INSERT INTO plugin_signers (key_id, key, remembered_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
                .execute(params![signer.key_id, signer.key, ms_in(signer.remembered_at)])?;
            Ok(())
        })
        .await
    }

    async fn forget_signer(&self, key_id: &str, event: &GrantEvent) -> Result<Option<Vec<PluginId>>, StoreError> {
        let (key_id, event) = (key_id.to_owned(), event.clone());
        self.write(move |db| {
            if db
                .prepare_cached("DELETE FROM plugin_signers WHERE key_id = ?1")?
                .execute([&key_id])?
                == 0
            {
                return Ok(None);
            }
            let bound: Vec<PluginId> = db
                .prepare_cached("SELECT plugin FROM plugin_grants WHERE signer = ?1 ORDER BY plugin")?
                .query([&key_id])?
                .and_then(|row| PluginId::new(row.get::<_, String>(0)?).map_err(Fault::id("plugin")))
                .collect::<Result<_, Fault>>()?;
            db.prepare_cached("UPDATE plugin_grants SET signer = NULL WHERE signer = ?1")?
                .execute([&key_id])?;
            for plugin in &bound {
                happened(db, plugin, &event)?;
            }
            Ok(Some(bound))
        })
        .await
    }

    async fn signers(&self) -> Result<Vec<Signer>, StoreError> {
        self.read(|db| {
            db.prepare_cached("SELECT key_id, key, remembered_at FROM plugin_signers ORDER BY key_id")?
                .query([])?
                .and_then(|row| {
                    Ok(Signer {
                        key_id: row.get(0)?,
                        key: row.get(1)?,
                        remembered_at: ms_out(row.get(2)?),
                    })
                })
                .collect()
        })
        .await
    }
}

fn happened(db: &Connection, plugin: &PluginId, event: &GrantEvent) -> Result<(), Fault> {
    let action = serde_json::to_value(event.action).map_err(Fault::json("grant action"))?;
    db.prepare_cached("INSERT INTO plugin_grant_history (plugin, at, action, hash, detail) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
            plugin.as_str(),
            ms_in(event.at),
            action.as_str().unwrap_or_default(),
            event.hash,
            event.detail
        ])?;
    db.prepare_cached(
        "DELETE FROM plugin_grant_history WHERE plugin = ?1 AND id <=
         (SELECT id FROM plugin_grant_history WHERE plugin = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute(params![plugin.as_str(), KEPT_GRANT_EVENTS])?;
    Ok(())
}

fn action(text: &str) -> Result<GrantAction, Fault> {
    serde_json::from_value(serde_json::Value::from(text)).map_err(Fault::json("grant action"))
}

fn text(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(Fault::json("grant"))
}

fn list<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Result<T, Fault> {
    serde_json::from_str(&row.get::<_, String>(column)?).map_err(Fault::json("grant"))
}

fn stored(row: &Row<'_>) -> Result<StoredGrant, Fault> {
    Ok(StoredGrant {
        plugin: PluginId::new(row.get::<_, String>(0)?).map_err(Fault::id("plugin"))?,
        grant: PluginGrant {
            hash: row.get(1)?,
            version: row.get(2)?,
            capabilities: list(row, 3)?,
            development: row.get(4)?,
            granted_at: ms_out(row.get(5)?),
            signer: row.get(6)?,
        },
        folder: row.get(7)?,
        files: list(row, 8)?,
        declared: list(row, 9)?,
    })
}
