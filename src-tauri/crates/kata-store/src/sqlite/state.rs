//! Two plain maps: session key to session, and the plugins' key-value state.

use super::{Fault, SqliteStore, ms_out};
use async_trait::async_trait;
use kata_core::ports::{BoundKey, KeyStore, PluginStateStore, StoreError};
use kata_protocol::{Json, PluginId, SessionId, SessionKey};
use rusqlite::{Connection, OptionalExtension};

#[async_trait]
impl KeyStore for SqliteStore {
    async fn session_for(&self, key: &SessionKey) -> Result<Option<SessionId>, StoreError> {
        let key = key.clone();
        self.read(move |db| bound(db, &key)).await
    }

    async fn bind(&self, key: &SessionKey, session: &SessionId) -> Result<SessionId, StoreError> {
        let (key, session) = (key.clone(), session.clone());
        self.write(move |db| {
            db.prepare_cached("INSERT INTO session_keys (key, session) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
                .execute([key.as_str(), session.as_str()])?;
            Ok(bound(db, &key)?.unwrap_or(session))
        })
        .await
    }

    async fn rebind(&self, key: &SessionKey, session: &SessionId) -> Result<Option<SessionId>, StoreError> {
        let (key, session) = (key.clone(), session.clone());
        self.write(move |db| {
            let before = bound(db, &key)?;
            db.prepare_cached("INSERT INTO session_keys (key, session) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET session = ?2")?
                .execute([key.as_str(), session.as_str()])?;
            Ok(before)
        })
        .await
    }

    async fn unbind(&self, key: &SessionKey) -> Result<Option<SessionId>, StoreError> {
        let key = key.clone();
        self.write(move |db| {
            let before = bound(db, &key)?;
            db.prepare_cached("DELETE FROM session_keys WHERE key = ?1")?
                .execute([key.as_str()])?;
            Ok(before)
        })
        .await
    }

    async fn keys_of(&self, session: &SessionId) -> Result<Vec<SessionKey>, StoreError> {
        let session = session.clone();
        self.read(move |db| {
            let mut statement = db.prepare_cached("SELECT key FROM session_keys WHERE session = ?1 ORDER BY key")?;
            let rows = statement
                .query([session.as_str()])?
                .and_then(|row| -> Result<_, Fault> { SessionKey::new(row.get::<_, String>(0)?).map_err(Fault::id("session key")) });
            rows.collect()
        })
        .await
    }

    async fn keys(&self, limit: u32) -> Result<Vec<BoundKey>, StoreError> {
        self.read(move |db| {
            // One pass over the inbox: an index for a list that a person asks for now and then would cost every message.
            let mut statement = db.prepare_cached(
                "SELECT k.key, k.session, i.last_at FROM session_keys k
                 LEFT JOIN (SELECT session_key, max(received_at) AS last_at FROM inbox
                            WHERE session_key IS NOT NULL GROUP BY session_key) i ON i.session_key = k.key
                 ORDER BY i.last_at DESC NULLS LAST, k.key LIMIT ?1",
            )?;
            let rows = statement.query([limit])?.and_then(|row| -> Result<_, Fault> {
                Ok(BoundKey {
                    key: SessionKey::new(row.get::<_, String>(0)?).map_err(Fault::id("session key"))?,
                    session: SessionId::new(row.get::<_, String>(1)?).map_err(Fault::id("session"))?,
                    last_at: row.get::<_, Option<i64>>(2)?.map(ms_out),
                })
            });
            rows.collect()
        })
        .await
    }
}

fn bound(db: &Connection, key: &SessionKey) -> Result<Option<SessionId>, Fault> {
    db.prepare_cached("SELECT session FROM session_keys WHERE key = ?1")?
        .query_row([key.as_str()], |row| row.get::<_, String>(0))
        .optional()?
        .map(SessionId::new)
        .transpose()
        .map_err(Fault::id("session"))
}

#[async_trait]
impl PluginStateStore for SqliteStore {
    async fn get(&self, plugin: &PluginId, key: &str) -> Result<Option<Json>, StoreError> {
        let (plugin, key) = (plugin.clone(), key.to_owned());
        self.read(move |db| {
            let text: Option<String> = db
                .prepare_cached("SELECT value FROM plugin_state WHERE plugin = ?1 AND key = ?2")?
                .query_row([plugin.as_str(), &key], |row| row.get(0))
                .optional()?;
            text.map(|text| serde_json::from_str(&text))
                .transpose()
                .map_err(Fault::json("plugin state"))
        })
        .await
    }

    async fn set(&self, plugin: &PluginId, key: &str, value: Option<&Json>) -> Result<(), StoreError> {
        let (plugin, key, value) = (plugin.clone(), key.to_owned(), value.cloned());
        self.write(move |db| {
            match value {
                Some(value) => {
                    let text = serde_json::to_string(&value).map_err(Fault::json("plugin state"))?;
                    db.prepare_cached(
                        "INSERT INTO plugin_state (plugin, key, value) VALUES (?1, ?2, ?3)
                         ON CONFLICT (plugin, key) DO UPDATE SET value = excluded.value",
                    )?
                    .execute([plugin.as_str(), &key, &text])?;
                }
                None => {
                    db.prepare_cached("DELETE FROM plugin_state WHERE plugin = ?1 AND key = ?2")?
                        .execute([plugin.as_str(), &key])?;
                }
            }
            Ok(())
        })
        .await
    }

    async fn clear_state(&self, plugin: &PluginId) -> Result<(), StoreError> {
        let plugin = plugin.clone();
        self.write(move |db| {
            db.prepare_cached("DELETE FROM plugin_state WHERE plugin = ?1")?
                .execute([plugin.as_str()])?;
            Ok(())
        })
        .await
    }
}
