//! What goes after a while. Rows stay: the ledger counts them, and a platform may deliver the same message months later.
//! Only what a person wrote is emptied.

use super::{SqliteStore, ms_in};
use kata_core::ports::StoreError;
use kata_protocol::Ms;
use rusqlite::params;

/// How long the text of an ended message is kept, in milliseconds: 30 days.
pub const KEEP_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// How long it is counted which tokens were used, in milliseconds: 400 days.
const KEEP_USAGE_MS: u64 = 400 * 24 * 60 * 60 * 1000;
/// How many audit lines are kept.
const KEPT_AUDIT: i64 = 10_000;

/// What [`SqliteStore::prune`] emptied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Inbox rows.
    pub inbox: u64,
    /// Outbox rows.
    pub outbox: u64,
}

impl SqliteStore {
    /// Empties the texts of messages that ended and came in more than [`KEEP_MS`] before `now`, drops expired pairing
    /// requests, and cuts the audit to its bound. Dedupe keys and the ledger are as before. Meant for once a day.
    pub async fn prune(&self, now: Ms) -> Result<Pruned, StoreError> {
        let before = ms_in(Ms(now.0.saturating_sub(KEEP_MS)));
        self.write(move |db| {
            let outbox = db.execute(
                "UPDATE outbox SET text = NULL, route = '{}', receipt = NULL
                 WHERE text IS NOT NULL AND created_at < ?1 AND state IN ('sent', 'dead')
                   AND (inbox IS NULL OR inbox IN (SELECT id FROM inbox WHERE state IN ('done', 'refused', 'dead')))",
                params![before],
            )?;
            let inbox = db.execute(
                "UPDATE inbox SET draft = NULL
                 WHERE draft IS NOT NULL AND received_at < ?1 AND state IN ('done', 'refused', 'dead')",
                params![before],
            )?;
            db.execute("DELETE FROM devices WHERE revoked_at < ?1", params![before])?;
            db.execute("DELETE FROM pairing_requests WHERE expires_at <= ?1", params![ms_in(now)])?;
            db.execute(
                "DELETE FROM audit WHERE id <= (SELECT coalesce(max(id), 0) FROM audit) - ?1",
                params![KEPT_AUDIT],
            )?;
            db.execute(
                "DELETE FROM usage WHERE at < ?1",
                params![ms_in(Ms(now.0.saturating_sub(KEEP_USAGE_MS)))],
            )?;
            Ok(Pruned {
                inbox: inbox as u64,
                outbox: outbox as u64,
            })
        })
        .await
    }
}
