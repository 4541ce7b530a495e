//! Devices that were paired with the gateway. A token is kept as its hash only; a device that was shut out keeps its row for a
//! while, without what it came in with.

use super::{Fault, SqliteStore, ms_in, ms_out};
use kata_core::ports::StoreError;
use kata_protocol::{Ms, Scope};
use rusqlite::{Row, params};

/// How a device proves itself.
#[derive(Clone, PartialEq, Eq)]
pub enum StoredProof {
    /// SHA-256 of its token.
    TokenHash(Vec<u8>),
    /// Its public key, as SubjectPublicKeyInfo.
    PublicKey(Vec<u8>),
}

impl std::fmt::Debug for StoredProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TokenHash(_) => "TokenHash",
            Self::PublicKey(_) => "PublicKey",
        })
    }
}

/// A device that may come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDevice {
    /// Id.
    pub id: String,
    /// Name the person gave.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// How it proves itself.
    pub proof: StoredProof,
    /// Since when.
    pub paired_at: Ms,
    /// When it last came in.
    pub seen_at: Option<Ms>,
    /// When it has to be paired again.
    pub expires_at: Option<Ms>,
}

impl SqliteStore {
    /// Devices that were not shut out, oldest first. Those whose time is over are among them.
    pub async fn devices(&self) -> Result<Vec<StoredDevice>, StoreError> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT id, name, scope, token_hash, public_key, paired_at, seen_at, expires_at
                 FROM devices WHERE revoked_at IS NULL ORDER BY paired_at, id",
            )?
            .query([])?
            .and_then(stored)
            .collect()
        })
        .await
    }

    /// Keeps a device; durable when it returns.
    pub async fn add_device(&self, device: &StoredDevice) -> Result<(), StoreError> {
        let device = device.clone();
        self.write(move |db| {
            let (hash, key) = match &device.proof {
                StoredProof::TokenHash(hash) => (Some(hash), None),
                StoredProof::PublicKey(key) => (None, Some(key)),
            };
            let scope = serde_json::to_value(device.scope).map_err(Fault::json("device"))?;
            db.prepare_cached(
                "INSERT INTO devices (id, name, scope, token_hash, public_key, paired_at, seen_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                device.id,
                device.name,
                scope.as_str().unwrap_or_default(),
                hash,
                key,
                ms_in(device.paired_at),
                device.seen_at.map(ms_in),
                device.expires_at.map(ms_in),
            ])?;
            Ok(())
        })
        .await
    }

    /// Shuts a device out and forgets what it came in with; durable when it returns. False when it was not in.
    pub async fn revoke_device(&self, id: &str, at: Ms) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.write(move |db| {
            let changed = db
                .prepare_cached(
                    "UPDATE devices SET revoked_at = ?2, token_hash = NULL, public_key = NULL WHERE id = ?1 AND revoked_at IS NULL",
                )?
                .execute(params![id, ms_in(at)])?;
            Ok(changed > 0)
        })
        .await
    }

    /// Notes that a device came in; in no hurry.
    pub async fn device_seen(&self, id: &str, at: Ms) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.write_later(move |db| {
            db.prepare_cached("UPDATE devices SET seen_at = max(coalesce(seen_at, 0), ?2) WHERE id = ?1")?
                .execute(params![id, ms_in(at)])?;
            Ok(())
        })
        .await
    }
}

fn stored(row: &Row<'_>) -> Result<StoredDevice, Fault> {
    let scope: String = row.get(2)?;
    let (hash, key): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.get(3)?, row.get(4)?);
    let proof = match (hash, key) {
        (_, Some(key)) => StoredProof::PublicKey(key),
        (hash, None) => StoredProof::TokenHash(hash.unwrap_or_default()),
    };
    Ok(StoredDevice {
        id: row.get(0)?,
        name: row.get(1)?,
        scope: serde_json::from_value(scope.into()).map_err(Fault::json("device"))?,
        proof,
        paired_at: ms_out(row.get(5)?),
        seen_at: row.get::<_, Option<i64>>(6)?.map(ms_out),
        expires_at: row.get::<_, Option<i64>>(7)?.map(ms_out),
    })
}
