//! Inbox and outbox. Every accepted message is in exactly one inbox state, so the ledger balances by construction:
//! `received`, `routed` and `answered` are pending; `done` is delivered; `refused` and `dead` are themselves.
//!
//! An answered row follows its parts in the outbox ([`settle`]): all sent makes it `done`, all ended with one given up makes
//! it `dead`, a retry by hand makes it `answered` again.

use super::{Fault, SqliteStore, ms_in, ms_out};
use async_trait::async_trait;
use kata_core::ports::{
    InboxEnd, InboxId, InboxRow, MessageStore, NewOutbound, OutboundExtras, OutboxId, OutboxRow, OutboxState, StoreError, WrittenFrom,
};
use kata_protocol::{
    AccountId, ChannelId, ConversationId, Count, InboundDraft, Ledger, Ms, OutboundMessage, PlatformMessageId, Receipt, RefusalCode,
    RefusalCount, SenderId, SessionId, SessionKey,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

#[async_trait]
impl MessageStore for SqliteStore {
    async fn accept(&self, channel: &ChannelId, draft: &InboundDraft, now: Ms) -> Result<Option<InboxId>, StoreError> {
        let (channel, draft) = (channel.clone(), draft.clone());
        self.write(move |db| accept(db, &channel, &draft, now)).await
    }

    async fn refuse(&self, channel: &ChannelId, draft: &InboundDraft, code: RefusalCode, now: Ms) -> Result<Option<InboxId>, StoreError> {
        let (channel, draft) = (
            channel.clone(),
            InboundDraft {
                text: String::new(),
                attachments: Vec::new(),
                ..draft.clone()
            },
        );
        self.write(move |db| {
            let id = accept(db, &channel, &draft, now)?;
            if let Some(id) = id {
                db.prepare_cached("UPDATE inbox SET state = 'refused', reason = ?2 WHERE id = ?1")?
                    .execute(params![id.0, text_of(&code)?])?;
            }
            Ok(id)
        })
        .await
    }

    async fn routed(&self, id: InboxId, key: &SessionKey, session: &SessionId) -> Result<(), StoreError> {
        let (key, session) = (key.clone(), session.clone());
        // Without an fsync of its own: a power cut that takes it takes everything after it too, and leaves the row as it was
        // before it was routed, which the next start routes again to the same session.
        self.write_rebuildable(move |db| {
            let changed = db
                .prepare_cached(
                    "UPDATE inbox SET session_key = ?2, session = ?3, state = iif(state = 'received', 'routed', state) WHERE id = ?1",
                )?
                .execute(params![id.0, key.as_str(), session.as_str()])?;
            known(changed, "inbox", id.0)?;
            // Outlives the message's text: whom the agent may write to is not forgotten with what was said.
            db.prepare_cached(
                "INSERT INTO conversations (channel, account, conversation, name, chat_type, sender, session, last_at)
                 SELECT channel, account, json_extract(draft, '$.conversation'),
                   coalesce(json_extract(draft, '$.conversationName'),
                            iif(json_extract(draft, '$.chatType') = 'direct', json_extract(draft, '$.sender.name'), NULL)),
                   json_extract(draft, '$.chatType'), json_extract(draft, '$.sender.id'), ?2, received_at
                 FROM inbox WHERE id = ?1 AND draft IS NOT NULL
                 ON CONFLICT (channel, account, conversation) DO UPDATE SET name = coalesce(excluded.name, name),
                   chat_type = excluded.chat_type, sender = excluded.sender, session = excluded.session, last_at = excluded.last_at
                 WHERE excluded.last_at >= last_at",
            )?
            .execute(params![id.0, session.as_str()])?;
            Ok(())
        })
        .await
    }

    async fn finish(&self, id: InboxId, end: InboxEnd) -> Result<(), StoreError> {
        self.write(move |db| {
            let (state, reason) = match end {
                InboxEnd::Silent => ("done", None),
                InboxEnd::Refused(code) => ("refused", Some(text_of(&code)?)),
                InboxEnd::Dead(reason) => ("dead", Some(reason)),
            };
            // The first end stands, and a row whose reply is on the way ends with the reply.
            db.prepare_cached(
                "UPDATE inbox SET state = ?2, reason = ?3, draft = iif(?2 = 'refused', json_remove(json_set(draft, '$.text', ''), '$.attachments'), draft)
                 WHERE id = ?1 AND state IN ('received', 'routed')",
            )?
            .execute(params![id.0, state, reason])?;
            exists(db, id)
        })
        .await
    }

    async fn message(&self, id: InboxId) -> Result<Option<InboxRow>, StoreError> {
        self.read(move |db| {
            let sql = "SELECT id, channel, draft, received_at, session FROM inbox WHERE id = ?1 AND draft IS NOT NULL";
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query([id.0])?;
            rows.next()?.map(inbox_row).transpose()
        })
        .await
    }

    async fn known(
        &self,
        channel: &ChannelId,
        account: &AccountId,
        message_id: &PlatformMessageId,
    ) -> Result<Option<(InboxRow, bool)>, StoreError> {
        let (channel, account, message_id) = (channel.clone(), account.clone(), message_id.clone());
        self.read(move |db| {
            let sql = "SELECT id, channel, draft, received_at, session, state IN ('received', 'routed') FROM inbox
                       WHERE channel = ?1 AND account = ?2 AND message_id = ?3 AND state <> 'refused' AND draft IS NOT NULL";
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query([channel.as_str(), account.as_str(), message_id.as_str()])?;
            let row = rows.next()?;
            row.map(|row| Ok((inbox_row(row)?, row.get(5)?))).transpose()
        })
        .await
    }

    async fn reword(&self, id: InboxId, text: &str) -> Result<(), StoreError> {
        let text = text.to_owned();
        self.write(move |db| {
            db.prepare_cached("UPDATE inbox SET draft = json_set(draft, '$.text', ?2) WHERE id = ?1 AND state IN ('received', 'routed')")?
                .execute(params![id.0, text])?;
            exists(db, id)
        })
        .await
    }

    async fn written_from(&self, channel: &ChannelId, limit: u32) -> Result<Vec<WrittenFrom>, StoreError> {
        let channel = channel.clone();
        self.read(move |db| {
            let sql = "SELECT account, conversation, name, chat_type, sender, session FROM conversations WHERE channel = ?1
                       ORDER BY last_at DESC, conversation LIMIT ?2";
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement
                .query(params![channel.as_str(), limit])?
                .and_then(|row| -> Result<_, Fault> {
                    let chat_type: String = row.get(3)?;
                    Ok(WrittenFrom {
                        account: AccountId::new(row.get::<_, String>(0)?).map_err(Fault::id("account"))?,
                        conversation: ConversationId::new(row.get::<_, String>(1)?).map_err(Fault::id("conversation"))?,
                        name: row.get(2)?,
                        chat_type: serde_json::from_value(chat_type.into()).map_err(Fault::json("kind of conversation"))?,
                        sender: SenderId::new(row.get::<_, String>(4)?).map_err(Fault::id("sender"))?,
                        session: SessionId::new(row.get::<_, String>(5)?).map_err(Fault::id("session"))?,
                    })
                });
            rows.collect()
        })
        .await
    }

    async fn unfinished(&self) -> Result<Vec<InboxRow>, StoreError> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT id, channel, draft, received_at, session FROM inbox WHERE state IN ('received', 'routed') ORDER BY id",
            )?
            .query([])?
            .and_then(inbox_row)
            .collect()
        })
        .await
    }

    async fn enqueue(&self, inbox: Option<InboxId>, parts: Vec<NewOutbound>, now: Ms) -> Result<Vec<OutboxRow>, StoreError> {
        self.write(move |db| enqueue(db, inbox, parts, now)).await
    }

    async fn unsent(&self) -> Result<Vec<OutboxRow>, StoreError> {
        self.read(|db| {
            let sql = "SELECT id, inbox, session, route, text, idempotency_key, attempts, state, next_at, error, extras
                       FROM outbox WHERE state IN ('pending', 'sending') ORDER BY id";
            db.prepare_cached(sql)?.query([])?.and_then(outbox_row).collect()
        })
        .await
    }

    async fn sending(&self, id: OutboxId, attempt: u32) -> Result<(), StoreError> {
        self.write(move |db| {
            let changed = db
                .prepare_cached(
                    "UPDATE outbox SET state = 'sending', attempts = ?2 WHERE id = ?1 AND state <> 'sent' AND text IS NOT NULL",
                )?
                .execute(params![id.0, attempt])?;
            unless_sent(changed, id)?;
            settle_of(db, id)
        })
        .await
    }

    async fn sent(&self, id: OutboxId, receipt: &Receipt) -> Result<(), StoreError> {
        let receipt = receipt.clone();
        self.write(move |db| {
            let receipt = serde_json::to_string(&receipt).map_err(Fault::json("receipt"))?;
            let changed = db
                .prepare_cached("UPDATE outbox SET state = 'sent', receipt = ?2, error = NULL WHERE id = ?1")?
                .execute(params![id.0, receipt])?;
            known(changed, "outbox", id.0)?;
            settle_of(db, id)
        })
        .await
    }

    async fn receipt_of(&self, stem: &str) -> Result<Option<Receipt>, StoreError> {
        // `;` is the character after `:`, so that the index of the keys finds them.
        let (from, until) = (format!("{stem}:"), format!("{stem};"));
        self.read(move |db| {
            let sql = "SELECT receipt FROM outbox WHERE idempotency_key >= ?1 AND idempotency_key < ?2 AND state = 'sent' ORDER BY id DESC LIMIT 1";
            let receipt: Option<Option<String>> = db.prepare_cached(sql)?.query_row([from, until], |row| row.get(0)).optional()?;
            receipt
                .flatten()
                .map(|json| serde_json::from_str(&json))
                .transpose()
                .map_err(Fault::json("receipt"))
        })
        .await
    }

    async fn unsent_again(&self, id: OutboxId, state: OutboxState, error: &str) -> Result<(), StoreError> {
        let error = error.to_owned();
        self.write(move |db| {
            let (state, next_at) = match state {
                OutboxState::Pending { next_at } => ("pending", Some(ms_in(next_at))),
                OutboxState::Parked => ("parked", None),
                OutboxState::Dead => ("dead", None),
                OutboxState::Sending | OutboxState::Sent => {
                    return Err(Fault::Refused("a row that was not delivered becomes pending, parked or dead"));
                }
            };
            let changed = db
                .prepare_cached(
                    "UPDATE outbox SET state = ?2, next_at = coalesce(?3, next_at), error = ?4 WHERE id = ?1 AND state <> 'sent' AND text IS NOT NULL",
                )?
                .execute(params![id.0, state, next_at, error])?;
            unless_sent(changed, id)?;
            settle_of(db, id)
        })
        .await
    }

    async fn refusals(&self) -> Result<Vec<RefusalCount>, StoreError> {
        self.read(|db| {
            // With max() the other columns come from the row that has it. A pruned draft names nobody any more.
            let mut statement = db.prepare_cached(
                "SELECT channel, reason, count(*), max(id), received_at, coalesce(json_extract(draft, '$.sender.id'), '?')
                 FROM inbox WHERE state = 'refused' AND reason IS NOT NULL GROUP BY channel, reason ORDER BY max(id) DESC",
            )?;
            let rows = statement.query([])?.and_then(|row| -> Result<_, Fault> {
                let code: String = row.get(1)?;
                Ok(RefusalCount {
                    channel: ChannelId::new(row.get::<_, String>(0)?).map_err(Fault::id("channel"))?,
                    code: serde_json::from_value(code.into()).map_err(Fault::json("refusal"))?,
                    count: row.get(2)?,
                    last_at: ms_out(row.get(4)?),
                    last_sender: SenderId::new(row.get::<_, String>(5)?).map_err(Fault::id("sender"))?,
                })
            });
            rows.collect()
        })
        .await
    }

    async fn ledger(&self) -> Result<Ledger, StoreError> {
        self.read(|db| {
            let mut ledger = Ledger::default();
            let mut statement = db.prepare_cached("SELECT state, count(*) FROM inbox GROUP BY state")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let state: String = row.get(0)?;
                let count = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
                let place = match state.as_str() {
                    "done" => &mut ledger.delivered,
                    "refused" => &mut ledger.refused,
                    "dead" => &mut ledger.dead,
                    _ => &mut ledger.pending,
                };
                place.0 += count;
                ledger.accepted = Count(ledger.accepted.0 + count);
            }
            Ok(ledger)
        })
        .await
    }
}

/// Rows are numbered by the time they came, so that a store that was lost and made anew does not give a number twice: session
/// rows and idempotency keys carry it.
fn accept(db: &Connection, channel: &ChannelId, draft: &InboundDraft, now: Ms) -> Result<Option<InboxId>, Fault> {
    let text = serde_json::to_string(draft).map_err(Fault::json("draft"))?;
    let id = db
        .prepare_cached(
            "INSERT INTO inbox (id, channel, account, message_id, draft, received_at)
             VALUES (max(?5, (SELECT coalesce(max(id), 0) + 1 FROM inbox)), ?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (channel, account, message_id) DO NOTHING RETURNING id",
        )?
        .query_row(
            params![
                channel.as_str(),
                draft.account.as_str(),
                draft.message_id.as_str(),
                text,
                ms_in(now)
            ],
            |row| row.get(0).map(InboxId),
        )
        .optional()?;
    Ok(id)
}

fn enqueue(db: &Connection, inbox: Option<InboxId>, parts: Vec<NewOutbound>, now: Ms) -> Result<Vec<OutboxRow>, Fault> {
    if let Some(id) = inbox {
        exists(db, id)?;
    }
    let mut made = Vec::with_capacity(parts.len());
    for part in parts {
        let route = serde_json::to_string(&part.route).map_err(Fault::json("route"))?;
        let extras = match part.extras.is_empty() {
            true => None,
            false => Some(serde_json::to_string(&part.extras).map_err(Fault::json("extras"))?),
        };
        let id: Option<i64> = db
            .prepare_cached(
                "INSERT INTO outbox (inbox, session, route, text, idempotency_key, next_at, created_at, extras) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)
                 ON CONFLICT (idempotency_key) DO NOTHING RETURNING id",
            )?
            .query_row(
                params![
                    inbox.map(|id| id.0),
                    part.session.as_ref().map(SessionId::as_str),
                    route,
                    part.text,
                    part.idempotency_key,
                    ms_in(now),
                    extras
                ],
                |row| row.get(0),
            )
            .optional()?;
        if let Some(id) = id {
            made.push(OutboxRow {
                id: OutboxId(id),
                inbox,
                session: part.session,
                message: OutboundMessage {
                    route: part.route,
                    text: part.text,
                    idempotency_key: part.idempotency_key,
                    attempt: 0,
                    attachments: part.extras.attachments,
                    buttons: part.extras.buttons,
                    replaces: part.extras.replaces,
                },
                edits: part.extras.edits,
                state: OutboxState::Pending { next_at: now },
                error: None,
            });
        }
    }
    if let Some(id) = inbox {
        settle(db, id, true)?;
    }
    Ok(made)
}

impl SqliteStore {
    /// Files that a reply still needs: one that has not left, or that a person may send again.
    pub(crate) async fn files_needed(&self) -> Result<std::collections::HashSet<kata_protocol::MediaId>, StoreError> {
        self.read(|db| {
            let sql = "SELECT extras FROM outbox WHERE extras IS NOT NULL AND text IS NOT NULL AND state <> 'sent' AND NOT (state = 'dead' AND put_away)";
            let mut statement = db.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            let mut needed = std::collections::HashSet::new();
            while let Some(row) = rows.next()? {
                let extras: OutboundExtras = serde_json::from_str(&row.get::<_, String>(0)?).map_err(Fault::json("extras"))?;
                needed.extend(extras.attachments.into_iter().map(|media| media.id));
            }
            Ok(needed)
        })
        .await
    }
}

/// Brings an answered inbox row in line with its parts. `replied`: a reply was just queued, so a row without any part of its
/// own has nothing left to wait for.
fn settle(db: &Connection, id: InboxId, replied: bool) -> Result<(), Fault> {
    let (all, sent, dead): (i64, i64, i64) = db
        .prepare_cached("SELECT count(*), coalesce(sum(state = 'sent'), 0), coalesce(sum(state = 'dead'), 0) FROM outbox WHERE inbox = ?1")?
        .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    if all == 0 && !replied {
        return Ok(());
    }
    let state = match (all - sent, all - sent - dead) {
        (0, _) => "done",
        (_, 0) => "dead",
        _ => "answered",
    };
    // A refused message stays refused, whatever is sent about it (the pairing code is an answer too).
    db.prepare_cached(
        "UPDATE inbox SET state = ?2,
           reason = iif(?2 = 'dead', (SELECT error FROM outbox WHERE inbox = ?1 AND state = 'dead' ORDER BY id DESC LIMIT 1), NULL)
         WHERE id = ?1 AND state <> 'refused'",
    )?
    .execute(params![id.0, state])?;
    Ok(())
}

pub(super) fn settle_of(db: &Connection, id: OutboxId) -> Result<(), Fault> {
    let inbox: Option<i64> = db
        .prepare_cached("SELECT inbox FROM outbox WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))?;
    match inbox {
        Some(inbox) => settle(db, InboxId(inbox), false),
        None => Ok(()),
    }
}

fn exists(db: &Connection, id: InboxId) -> Result<(), Fault> {
    let found = db.prepare_cached("SELECT 1 FROM inbox WHERE id = ?1")?.exists([id.0])?;
    known(usize::from(found), "inbox", id.0)
}

fn known(changed: usize, table: &'static str, id: i64) -> Result<(), Fault> {
    if changed == 0 {
        return Err(Fault::Row {
            table,
            id,
            reason: "there is no such row",
        });
    }
    Ok(())
}

fn unless_sent(changed: usize, id: OutboxId) -> Result<(), Fault> {
    if changed == 0 {
        return Err(Fault::Row {
            table: "outbox",
            id: id.0,
            reason: "it was delivered already, its text is past its keeping time, or there is no such row",
        });
    }
    Ok(())
}

/// The stored name of a unit variant.
fn text_of(code: &kata_protocol::RefusalCode) -> Result<String, Fault> {
    serde_json::to_value(code)
        .map_err(Fault::json("refusal code"))?
        .as_str()
        .map(str::to_owned)
        .ok_or(Fault::Refused("a refusal code has no name"))
}

fn session(text: Option<String>) -> Result<Option<SessionId>, Fault> {
    text.map(SessionId::new).transpose().map_err(Fault::id("session"))
}

pub(super) fn inbox_row(row: &Row<'_>) -> Result<InboxRow, Fault> {
    let draft: String = row.get(2)?;
    Ok(InboxRow {
        id: InboxId(row.get(0)?),
        channel: ChannelId::new(row.get::<_, String>(1)?).map_err(Fault::id("channel"))?,
        draft: serde_json::from_str(&draft).map_err(Fault::json("draft"))?,
        received_at: ms_out(row.get(3)?),
        session: session(row.get(4)?)?,
    })
}

pub(super) fn outbox_row(row: &Row<'_>) -> Result<OutboxRow, Fault> {
    let id: i64 = row.get(0)?;
    let state: String = row.get(7)?;
    let extras: OutboundExtras = match row.get::<_, Option<String>>(10)? {
        Some(json) => serde_json::from_str(&json).map_err(Fault::json("extras"))?,
        None => OutboundExtras::default(),
    };
    Ok(OutboxRow {
        id: OutboxId(id),
        inbox: row.get::<_, Option<i64>>(1)?.map(InboxId),
        session: session(row.get(2)?)?,
        message: OutboundMessage {
            route: serde_json::from_str(&row.get::<_, String>(3)?).map_err(Fault::json("route"))?,
            text: row.get(4)?,
            idempotency_key: row.get(5)?,
            attempt: row.get(6)?,
            attachments: extras.attachments,
            buttons: extras.buttons,
            replaces: extras.replaces,
        },
        edits: extras.edits,
        state: match state.as_str() {
            "pending" => OutboxState::Pending {
                next_at: ms_out(row.get(8)?),
            },
            "sending" => OutboxState::Sending,
            "sent" => OutboxState::Sent,
            "parked" => OutboxState::Parked,
            "dead" => OutboxState::Dead,
            _ => return Err(Fault::State { table: "outbox", id }),
        },
        error: row.get(9)?,
    })
}
