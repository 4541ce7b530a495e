//! Who may write: requests with a code and an end, and the people who were let in.

use super::{Fault, SqliteStore, ms_in, ms_out};
use async_trait::async_trait;
use kata_core::ports::{PairingStore, StoreError};
use kata_protocol::{ChannelId, Ms, PairingRequest, SenderId};
use rusqlite::{OptionalExtension, Row, params};

const COLUMNS: &str = "code, channel, sender, sender_name, requested_at, expires_at";

#[async_trait]
impl PairingStore for SqliteStore {
    async fn is_paired(&self, channel: &ChannelId, sender: &SenderId) -> Result<bool, StoreError> {
        let (channel, sender) = (channel.clone(), sender.clone());
        self.read(move |db| {
            Ok(db
                .prepare_cached("SELECT 1 FROM paired WHERE channel = ?1 AND sender = ?2")?
                .exists([channel.as_str(), sender.as_str()])?)
        })
        .await
    }

    async fn open_request(&self, channel: &ChannelId, sender: &SenderId, now: Ms) -> Result<Option<PairingRequest>, StoreError> {
        let (channel, sender) = (channel.clone(), sender.clone());
        self.read(move |db| {
            let sql = format!("SELECT {COLUMNS} FROM pairing_requests WHERE channel = ?1 AND sender = ?2 AND expires_at > ?3");
            let mut statement = db.prepare_cached(&sql)?;
            let mut rows = statement.query(params![channel.as_str(), sender.as_str(), ms_in(now)])?;
            rows.next()?.map(request).transpose()
        })
        .await
    }

    async fn request(&self, request: &PairingRequest) -> Result<(), StoreError> {
        let request = request.clone();
        self.write(move |db| {
            // Expired requests of anybody go, so that neither the person nor the code is taken by a dead one.
            db.prepare_cached("DELETE FROM pairing_requests WHERE expires_at <= ?1")?
                .execute([ms_in(request.requested_at)])?;
            let taken = db
                .prepare_cached("SELECT 1 FROM pairing_requests WHERE code = ?1 AND NOT (channel = ?2 AND sender = ?3)")?
                .exists([request.code.as_str(), request.channel.as_str(), request.sender.as_str()])?;
            if taken {
                return Err(Fault::Refused("another person's open request has the same code"));
            }
            // An open request of the same person stands: the sender was told its code.
            db.prepare_cached(
                "INSERT INTO pairing_requests (code, channel, sender, sender_name, requested_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (channel, sender) DO NOTHING",
            )?
            .execute(params![
                request.code,
                request.channel.as_str(),
                request.sender.as_str(),
                request.sender_name,
                ms_in(request.requested_at),
                ms_in(request.expires_at)
            ])?;
            Ok(())
        })
        .await
    }

    async fn requests(&self, now: Ms) -> Result<Vec<PairingRequest>, StoreError> {
        self.read(move |db| {
            let sql = format!("SELECT {COLUMNS} FROM pairing_requests WHERE expires_at > ?1 ORDER BY requested_at, code");
            db.prepare_cached(&sql)?.query([ms_in(now)])?.and_then(request).collect()
        })
        .await
    }

    async fn resolve(&self, code: &str, approve: bool, now: Ms) -> Result<Option<PairingRequest>, StoreError> {
        let code = code.to_owned();
        self.write(move |db| {
            let sql = format!("DELETE FROM pairing_requests WHERE code = ?1 AND expires_at > ?2 RETURNING {COLUMNS}");
            let found = db
                .prepare_cached(&sql)?
                .query_row(params![code, ms_in(now)], |row| Ok(request(row)))
                .optional()?
                .transpose()?;
            if let Some(found) = found.as_ref().filter(|_| approve) {
                db.prepare_cached("INSERT INTO paired (channel, sender, paired_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
                    .execute(params![found.channel.as_str(), found.sender.as_str(), ms_in(now)])?;
            }
            Ok(found)
        })
        .await
    }

    async fn paired(&self, channel: &ChannelId) -> Result<Vec<SenderId>, StoreError> {
        let channel = channel.clone();
        self.read(move |db| {
            db.prepare_cached("SELECT sender FROM paired WHERE channel = ?1 ORDER BY id")?
                .query([channel.as_str()])?
                .and_then(|row| SenderId::new(row.get::<_, String>(0)?).map_err(Fault::id("sender")))
                .collect()
        })
        .await
    }

    async fn forget_people(&self, channel: &ChannelId) -> Result<(), StoreError> {
        let channel = channel.clone();
        self.write(move |db| {
            for table in ["pairing_requests", "paired"] {
                db.prepare_cached(&format!("DELETE FROM {table} WHERE channel = ?1"))?
                    .execute([channel.as_str()])?;
            }
            Ok(())
        })
        .await
    }
}

fn request(row: &Row<'_>) -> Result<PairingRequest, Fault> {
    Ok(PairingRequest {
        code: row.get(0)?,
        channel: ChannelId::new(row.get::<_, String>(1)?).map_err(Fault::id("channel"))?,
        sender: SenderId::new(row.get::<_, String>(2)?).map_err(Fault::id("sender"))?,
        sender_name: row.get(3)?,
        requested_at: ms_out(row.get(4)?),
        expires_at: ms_out(row.get(5)?),
    })
}
