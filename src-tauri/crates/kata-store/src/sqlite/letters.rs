//! Letters: rows of inbox and outbox that a person has to look at. They are in no table of their own, so the ledger cannot
//! disagree with them.

use super::messages::{inbox_row, outbox_row, settle_of};
use super::{Fault, SqliteStore, ms_in, ms_out};
use async_trait::async_trait;
use kata_core::ports::{GIVEN_UP, InboxId, InboxRow, LetterId, LetterStore, OutboxId, OutboxRow, StoreError, StoredLetter};
use kata_protocol::{ChannelId, InboundDraft, LetterState, Ms, ReplyRoute, SessionId};
use rusqlite::{Connection, OptionalExtension, params};

/// An inbox row that is a letter: its reply, if it has one, is not what is dead.
const INBOUND: &str = "state = 'dead' AND NOT put_away AND draft IS NOT NULL AND NOT EXISTS (SELECT 1 FROM outbox WHERE inbox = inbox.id)";
/// An outbox row that is one.
const OUTBOUND: &str = "state IN ('parked', 'dead') AND NOT put_away AND text IS NOT NULL";

#[async_trait]
impl LetterStore for SqliteStore {
    async fn letters(&self, limit: u32) -> Result<Vec<StoredLetter>, StoreError> {
        self.read(move |db| letters(db, limit)).await
    }

    async fn letter_count(&self) -> Result<u32, StoreError> {
        self.read(|db| {
            let sql = format!("SELECT (SELECT count(*) FROM inbox WHERE {INBOUND}) + (SELECT count(*) FROM outbox WHERE {OUTBOUND})");
            Ok(db.prepare_cached(&sql)?.query_row([], |row| row.get(0))?)
        })
        .await
    }

    async fn retry_inbound(&self, id: InboxId) -> Result<Option<InboxRow>, StoreError> {
        self.write(move |db| {
            let sql = format!(
                "UPDATE inbox SET state = 'received', reason = NULL, put_away = 0 WHERE id = ?1 AND {INBOUND}
                 RETURNING id, channel, draft, received_at, session"
            );
            let mut statement = db.prepare_cached(&sql)?;
            let mut rows = statement.query([id.0])?;
            rows.next()?.map(inbox_row).transpose()
        })
        .await
    }

    async fn retry_outbound(&self, id: OutboxId, now: Ms) -> Result<Option<OutboxRow>, StoreError> {
        self.write(move |db| {
            let sql = format!(
                "UPDATE outbox SET state = 'pending', attempts = 0, next_at = ?2, error = NULL, put_away = 0 WHERE id = ?1 AND {OUTBOUND}
                 RETURNING id, inbox, session, route, text, idempotency_key, attempts, state, next_at, error, extras"
            );
            let row = {
                let mut statement = db.prepare_cached(&sql)?;
                let mut rows = statement.query(params![id.0, ms_in(now)])?;
                rows.next()?.map(outbox_row).transpose()?
            };
            if row.is_some() {
                settle_of(db, id)?;
            }
            Ok(row)
        })
        .await
    }

    async fn discard(&self, id: LetterId) -> Result<bool, StoreError> {
        self.write(move |db| match id {
            LetterId::In(id) => {
                let sql = format!("UPDATE inbox SET put_away = 1 WHERE id = ?1 AND {INBOUND}");
                Ok(db.prepare_cached(&sql)?.execute([id.0])? > 0)
            }
            LetterId::Out(id) => {
                let sql = format!(
                    "UPDATE outbox SET put_away = 1, error = iif(state = 'parked', ?2, error), state = 'dead' WHERE id = ?1 AND {OUTBOUND}"
                );
                let changed = db.prepare_cached(&sql)?.execute(params![id.0, GIVEN_UP])? > 0;
                if changed {
                    settle_of(db, id)?;
                }
                Ok(changed)
            }
        })
        .await
    }
}

fn letters(db: &Connection, limit: u32) -> Result<Vec<StoredLetter>, Fault> {
    let sql = format!("SELECT id, channel, draft, session, reason, received_at FROM inbox WHERE {INBOUND} ORDER BY id DESC LIMIT ?1");
    let mut found = db
        .prepare_cached(&sql)?
        .query([limit])?
        .and_then(|row| -> Result<_, Fault> {
            let draft: InboundDraft = serde_json::from_str(&row.get::<_, String>(2)?).map_err(Fault::json("draft"))?;
            Ok(StoredLetter {
                id: LetterId::In(InboxId(row.get(0)?)),
                state: LetterState::InboundDead,
                channel: ChannelId::new(row.get::<_, String>(1)?).map_err(Fault::id("channel"))?,
                conversation: draft.conversation_name.unwrap_or_else(|| draft.conversation.to_string()),
                session: session(row.get(3)?)?,
                text: draft.text,
                error: row.get(4)?,
                attempts: 0,
                at: ms_out(row.get(5)?),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let sql = format!(
        "SELECT id, inbox, session, route, text, error, attempts, state, created_at FROM outbox WHERE {OUTBOUND} ORDER BY id DESC LIMIT ?1"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([limit])?;
    while let Some(row) = rows.next()? {
        let route: ReplyRoute = serde_json::from_str(&row.get::<_, String>(3)?).map_err(Fault::json("route"))?;
        let parked = row.get::<_, String>(7)? == "parked";
        let name = row
            .get::<_, Option<i64>>(1)?
            .map(|id| conversation_name(db, id))
            .transpose()?
            .flatten();
        found.push(StoredLetter {
            id: LetterId::Out(OutboxId(row.get(0)?)),
            state: if parked {
                LetterState::OutboundParked
            } else {
                LetterState::OutboundDead
            },
            conversation: name.unwrap_or_else(|| route.conversation.to_string()),
            channel: route.channel,
            session: session(row.get(2)?)?,
            text: row.get(4)?,
            error: row.get(5)?,
            attempts: row.get(6)?,
            at: ms_out(row.get(8)?),
        });
    }
    found.sort_by_key(|letter| std::cmp::Reverse(letter.at));
    found.truncate(limit as usize);
    Ok(found)
}

fn conversation_name(db: &Connection, inbox: i64) -> Result<Option<String>, Fault> {
    let name = db
        .prepare_cached("SELECT json_extract(draft, '$.conversationName') FROM inbox WHERE id = ?1")?
        .query_row([inbox], |row| row.get::<_, Option<String>>(0))
        .optional()?;
    Ok(name.flatten())
}

fn session(text: Option<String>) -> Result<Option<SessionId>, Fault> {
    text.map(SessionId::new).transpose().map_err(Fault::id("session"))
}
