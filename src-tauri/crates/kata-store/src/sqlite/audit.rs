//! Who changed what: one line per act of a person or a client. No message text, no secrets.

use super::{SqliteStore, ms_in, ms_out};
use kata_core::ports::StoreError;
use kata_protocol::Ms;
use rusqlite::params;

/// One line of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// When.
    pub at: Ms,
    /// Who: `desktop`, `cli`, the name of a device token, a plugin.
    pub actor: String,
    /// What: the operation's name.
    pub action: String,
    /// On what: an id, never a value.
    pub subject: String,
}

impl SqliteStore {
    /// Keeps a line; durable when it returns.
    pub async fn record_audit(&self, record: AuditRecord) -> Result<(), StoreError> {
        self.write(move |db| {
            db.prepare_cached("INSERT INTO audit (at, actor, action, subject) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![ms_in(record.at), record.actor, record.action, record.subject])?;
            Ok(())
        })
        .await
    }

    /// The newest lines, newest first.
    pub async fn audit(&self, limit: u32) -> Result<Vec<AuditRecord>, StoreError> {
        self.read(move |db| {
            db.prepare_cached("SELECT at, actor, action, subject FROM audit ORDER BY id DESC LIMIT ?1")?
                .query([limit])?
                .and_then(|row| {
                    Ok(AuditRecord {
                        at: ms_out(row.get(0)?),
                        actor: row.get(1)?,
                        action: row.get(2)?,
                        subject: row.get(3)?,
                    })
                })
                .collect()
        })
        .await
    }
}
