//! The store in memory: the same promises as SQLite except that nothing survives the process. For tests of the layers above,
//! and the model that the SQLite store is compared with.

mod approvals;
mod grants;
mod letters;

use async_trait::async_trait;
use kata_core::ports::{
    BoundKey, InboxEnd, InboxId, InboxRow, KeyStore, MessageStore, NewOutbound, OutboxId, OutboxRow, OutboxState, PairingStore,
    PluginStateStore, StoreError, TraceStore, WrittenFrom,
};
use kata_protocol::{
    AccountId, ChannelId, ChatType, InboundDraft, Json, Ledger, Ms, OutboundMessage, PairingRequest, PlatformMessageId, PluginId, Receipt,
    RefusalCode, RefusalCount, SenderId, SessionId, SessionKey, Trace, TraceId, TraceList,
};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Messages, keys, pairing, traces and plugin state in memory.
#[derive(Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    inbox: Vec<Inbound>,
    outbox: Vec<OutboxRow>,
    put_away: letters::PutAway,
    written_at: HashMap<OutboxId, Ms>,
    receipts: HashMap<OutboxId, Receipt>,
    keys: HashMap<SessionKey, SessionId>,
    requests: Vec<PairingRequest>,
    paired: Vec<(ChannelId, SenderId)>,
    traces: VecDeque<Trace>,
    state: HashMap<(PluginId, String), Json>,
    grants: grants::Table,
    approvals: approvals::Table,
}

struct Inbound {
    row: InboxRow,
    state: InboxState,
    key: Option<SessionKey>,
    refused: Option<RefusalCode>,
    reason: Option<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum InboxState {
    Open,
    Answered,
    Done,
    Refused,
    Dead,
}

impl MemoryStore {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn inbox(&mut self, id: InboxId) -> Result<&mut Inbound, StoreError> {
        self.inbox
            .iter_mut()
            .find(|inbound| inbound.row.id == id)
            .ok_or_else(|| unknown("inbox", id.0))
    }

    fn outbox(&mut self, id: OutboxId) -> Result<&mut OutboxRow, StoreError> {
        self.outbox
            .iter_mut()
            .find(|row| row.id == id)
            .ok_or_else(|| unknown("outbox", id.0))
    }

    /// A row that was not delivered yet.
    fn undelivered(&mut self, id: OutboxId) -> Result<&mut OutboxRow, StoreError> {
        let row = self.outbox(id)?;
        if row.state == OutboxState::Sent {
            return Err(StoreError(format!("outbox row {}: it was delivered already", id.0)));
        }
        Ok(row)
    }

    fn settle(&mut self, id: InboxId, replied: bool) {
        let parts: Vec<&OutboxState> = self
            .outbox
            .iter()
            .filter(|row| row.inbox == Some(id))
            .map(|row| &row.state)
            .collect();
        if parts.is_empty() && !replied {
            return;
        }
        let state = if parts.iter().all(|state| **state == OutboxState::Sent) {
            InboxState::Done
        } else if parts.iter().all(|state| matches!(state, OutboxState::Sent | OutboxState::Dead)) {
            InboxState::Dead
        } else {
            InboxState::Answered
        };
        if let Ok(inbound) = self.inbox(id)
            && inbound.state != InboxState::Refused
        {
            inbound.state = state;
        }
    }

    fn settle_of(&mut self, id: OutboxId) {
        if let Some(inbox) = self.outbox(id).ok().and_then(|row| row.inbox) {
            self.settle(inbox, false);
        }
    }
}

fn unknown(table: &str, id: i64) -> StoreError {
    StoreError(format!("{table} row {id}: there is no such row"))
}

/// Conversations of rows that went to a session, the newest first.
fn written_from<'a>(rows: impl Iterator<Item = &'a InboxRow>, limit: u32) -> Vec<WrittenFrom> {
    let mut found: Vec<(Ms, WrittenFrom)> = Vec::new();
    for row in rows {
        let Some(session) = row.session.clone() else { continue };
        let draft = &row.draft;
        let person = draft.sender.name.clone().filter(|_| draft.chat_type == ChatType::Direct);
        let at = found
            .iter()
            .position(|(_, f)| f.account == draft.account && f.conversation == draft.conversation);
        let before = at.map(|at| found.remove(at).1);
        let from = WrittenFrom {
            account: draft.account.clone(),
            conversation: draft.conversation.clone(),
            name: draft.conversation_name.clone().or(person).or(before.and_then(|before| before.name)),
            chat_type: draft.chat_type,
            sender: draft.sender.id.clone(),
            session,
        };
        found.push((row.received_at, from));
    }
    found.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.conversation.cmp(&y.conversation)));
    found.truncate(limit as usize);
    found.into_iter().map(|(_, from)| from).collect()
}

/// The number of a table's next row.
fn next(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX).saturating_add(1)
}

#[async_trait]
impl MessageStore for MemoryStore {
    async fn accept(&self, channel: &ChannelId, draft: &InboundDraft, now: Ms) -> Result<Option<InboxId>, StoreError> {
        let mut tables = self.tables();
        let known = tables.inbox.iter().any(|inbound| {
            inbound.row.channel == *channel
                && inbound.row.draft.account == draft.account
                && inbound.row.draft.message_id == draft.message_id
        });
        if known {
            return Ok(None);
        }
        let id = InboxId(next(tables.inbox.len()));
        let row = InboxRow {
            id,
            channel: channel.clone(),
            draft: draft.clone(),
            received_at: now,
            session: None,
        };
        tables.inbox.push(Inbound {
            row,
            state: InboxState::Open,
            key: None,
            refused: None,
            reason: None,
        });
        Ok(Some(id))
    }

    async fn refuse(&self, channel: &ChannelId, draft: &InboundDraft, code: RefusalCode, now: Ms) -> Result<Option<InboxId>, StoreError> {
        let id = self.accept(channel, draft, now).await?;
        if let Some(id) = id {
            self.finish(id, InboxEnd::Refused(code)).await?;
        }
        Ok(id)
    }

    async fn routed(&self, id: InboxId, key: &SessionKey, session: &SessionId) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let inbound = tables.inbox(id)?;
        inbound.row.session = Some(session.clone());
        inbound.key = Some(key.clone());
        Ok(())
    }

    async fn finish(&self, id: InboxId, end: InboxEnd) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let inbound = tables.inbox(id)?;
        if inbound.state == InboxState::Open {
            inbound.state = match end {
                InboxEnd::Silent => InboxState::Done,
                InboxEnd::Refused(code) => {
                    inbound.row.draft.text.clear();
                    inbound.row.draft.attachments.clear();
                    inbound.refused = Some(code);
                    InboxState::Refused
                }
                InboxEnd::Dead(reason) => {
                    inbound.reason = Some(reason);
                    InboxState::Dead
                }
            };
        }
        Ok(())
    }

    async fn message(&self, id: InboxId) -> Result<Option<InboxRow>, StoreError> {
        Ok(self.tables().inbox(id).ok().map(|inbound| inbound.row.clone()))
    }

    async fn known(
        &self,
        channel: &ChannelId,
        account: &AccountId,
        message_id: &PlatformMessageId,
    ) -> Result<Option<(InboxRow, bool)>, StoreError> {
        let tables = self.tables();
        let found = tables.inbox.iter().find(|inbound| {
            let row = &inbound.row;
            row.channel == *channel && row.draft.account == *account && row.draft.message_id == *message_id
        });
        let found = found.filter(|inbound| inbound.state != InboxState::Refused);
        Ok(found.map(|inbound| (inbound.row.clone(), inbound.state == InboxState::Open)))
    }

    async fn reword(&self, id: InboxId, text: &str) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let inbound = tables.inbox(id)?;
        if inbound.state == InboxState::Open {
            text.clone_into(&mut inbound.row.draft.text);
        }
        Ok(())
    }

    async fn written_from(&self, channel: &ChannelId, limit: u32) -> Result<Vec<WrittenFrom>, StoreError> {
        let tables = self.tables();
        let routed = tables
            .inbox
            .iter()
            .filter(|inbound| inbound.row.channel == *channel)
            .map(|inbound| &inbound.row);
        Ok(written_from(routed, limit))
    }

    async fn unfinished(&self) -> Result<Vec<InboxRow>, StoreError> {
        Ok(self
            .tables()
            .inbox
            .iter()
            .filter(|inbound| inbound.state == InboxState::Open)
            .map(|inbound| inbound.row.clone())
            .collect())
    }

    async fn enqueue(&self, inbox: Option<InboxId>, parts: Vec<NewOutbound>, now: Ms) -> Result<Vec<OutboxRow>, StoreError> {
        let mut tables = self.tables();
        if let Some(id) = inbox {
            tables.inbox(id)?;
        }
        let mut made = Vec::new();
        for part in parts {
            if tables.outbox.iter().any(|row| row.message.idempotency_key == part.idempotency_key) {
                continue;
            }
            let row = OutboxRow {
                id: OutboxId(next(tables.outbox.len())),
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
            };
            tables.written_at.insert(row.id, now);
            tables.outbox.push(row.clone());
            made.push(row);
        }
        if let Some(id) = inbox {
            tables.settle(id, true);
        }
        Ok(made)
    }

    async fn unsent(&self) -> Result<Vec<OutboxRow>, StoreError> {
        let waits = |row: &&OutboxRow| matches!(row.state, OutboxState::Pending { .. } | OutboxState::Sending);
        Ok(self.tables().outbox.iter().filter(waits).cloned().collect())
    }

    async fn sending(&self, id: OutboxId, attempt: u32) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let row = tables.undelivered(id)?;
        row.state = OutboxState::Sending;
        row.message.attempt = attempt;
        tables.settle_of(id);
        Ok(())
    }

    async fn sent(&self, id: OutboxId, receipt: &Receipt) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let row = tables.outbox(id)?;
        row.state = OutboxState::Sent;
        row.error = None;
        tables.receipts.insert(id, receipt.clone());
        tables.settle_of(id);
        Ok(())
    }

    async fn receipt_of(&self, stem: &str) -> Result<Option<Receipt>, StoreError> {
        let tables = self.tables();
        let begins = |key: &str| key.strip_prefix(stem).is_some_and(|rest| rest.starts_with(':'));
        let mut parts = tables.outbox.iter().rev().filter(|row| begins(&row.message.idempotency_key));
        Ok(parts.find_map(|row| tables.receipts.get(&row.id).cloned()))
    }

    async fn unsent_again(&self, id: OutboxId, state: OutboxState, error: &str) -> Result<(), StoreError> {
        if matches!(state, OutboxState::Sending | OutboxState::Sent) {
            return Err(StoreError("a row that was not delivered becomes pending, parked or dead".into()));
        }
        let mut tables = self.tables();
        let row = tables.undelivered(id)?;
        row.state = state;
        row.error = Some(error.to_owned());
        tables.settle_of(id);
        Ok(())
    }

    async fn ledger(&self) -> Result<Ledger, StoreError> {
        let mut ledger = Ledger::default();
        for inbound in &self.tables().inbox {
            ledger.accepted.0 += 1;
            match inbound.state {
                InboxState::Open | InboxState::Answered => ledger.pending.0 += 1,
                InboxState::Done => ledger.delivered.0 += 1,
                InboxState::Refused => ledger.refused.0 += 1,
                InboxState::Dead => ledger.dead.0 += 1,
            }
        }
        Ok(ledger)
    }

    async fn refusals(&self) -> Result<Vec<RefusalCount>, StoreError> {
        let mut counts: Vec<RefusalCount> = Vec::new();
        for inbound in &self.tables().inbox {
            let Some(code) = inbound.refused else { continue };
            let row = &inbound.row;
            let known = counts.iter().position(|count| count.channel == row.channel && count.code == code);
            let mut count = match known {
                Some(place) => counts.remove(place),
                None => RefusalCount {
                    channel: row.channel.clone(),
                    code,
                    count: 0,
                    last_at: row.received_at,
                    last_sender: row.draft.sender.id.clone(),
                },
            };
            count.count = count.count.saturating_add(1);
            count.last_at = row.received_at;
            count.last_sender = row.draft.sender.id.clone();
            counts.insert(0, count);
        }
        Ok(counts)
    }
}

#[async_trait]
impl KeyStore for MemoryStore {
    async fn session_for(&self, key: &SessionKey) -> Result<Option<SessionId>, StoreError> {
        Ok(self.tables().keys.get(key).cloned())
    }

    async fn bind(&self, key: &SessionKey, session: &SessionId) -> Result<SessionId, StoreError> {
        Ok(self.tables().keys.entry(key.clone()).or_insert_with(|| session.clone()).clone())
    }

    async fn rebind(&self, key: &SessionKey, session: &SessionId) -> Result<Option<SessionId>, StoreError> {
        Ok(self.tables().keys.insert(key.clone(), session.clone()))
    }

    async fn unbind(&self, key: &SessionKey) -> Result<Option<SessionId>, StoreError> {
        Ok(self.tables().keys.remove(key))
    }

    async fn keys_of(&self, session: &SessionId) -> Result<Vec<SessionKey>, StoreError> {
        let tables = self.tables();
        let mut keys: Vec<_> = tables
            .keys
            .iter()
            .filter(|(_, s)| *s == session)
            .map(|(key, _)| key.clone())
            .collect();
        keys.sort();
        Ok(keys)
    }

    async fn keys(&self, limit: u32) -> Result<Vec<BoundKey>, StoreError> {
        let tables = self.tables();
        let last_at = |key: &SessionKey| {
            let of_key = tables.inbox.iter().filter(|inbound| inbound.key.as_ref() == Some(key));
            of_key.map(|inbound| inbound.row.received_at).max()
        };
        let bound = |(key, session): (&SessionKey, &SessionId)| BoundKey {
            key: key.clone(),
            session: session.clone(),
            last_at: last_at(key),
        };
        let mut keys: Vec<_> = tables.keys.iter().map(bound).collect();
        keys.sort_by(|a, b| b.last_at.cmp(&a.last_at).then_with(|| a.key.cmp(&b.key)));
        keys.truncate(limit as usize);
        Ok(keys)
    }
}

#[async_trait]
impl PairingStore for MemoryStore {
    async fn is_paired(&self, channel: &ChannelId, sender: &SenderId) -> Result<bool, StoreError> {
        Ok(self.tables().paired.iter().any(|(c, s)| c == channel && s == sender))
    }

    async fn open_request(&self, channel: &ChannelId, sender: &SenderId, now: Ms) -> Result<Option<PairingRequest>, StoreError> {
        let open = |request: &&PairingRequest| request.channel == *channel && request.sender == *sender && request.expires_at > now;
        Ok(self.tables().requests.iter().find(open).cloned())
    }

    async fn request(&self, request: &PairingRequest) -> Result<(), StoreError> {
        let mut tables = self.tables();
        tables.requests.retain(|other| other.expires_at > request.requested_at);
        let same = |other: &PairingRequest| other.channel == request.channel && other.sender == request.sender;
        if tables.requests.iter().any(|other| other.code == request.code && !same(other)) {
            return Err(StoreError("another person's open request has the same code".into()));
        }
        if !tables.requests.iter().any(same) {
            tables.requests.push(request.clone());
        }
        Ok(())
    }

    async fn requests(&self, now: Ms) -> Result<Vec<PairingRequest>, StoreError> {
        let mut open: Vec<_> = self
            .tables()
            .requests
            .iter()
            .filter(|request| request.expires_at > now)
            .cloned()
            .collect();
        open.sort_by(|a, b| (a.requested_at, &a.code).cmp(&(b.requested_at, &b.code)));
        Ok(open)
    }

    async fn resolve(&self, code: &str, approve: bool, now: Ms) -> Result<Option<PairingRequest>, StoreError> {
        let mut tables = self.tables();
        let Some(place) = tables
            .requests
            .iter()
            .position(|request| request.code == code && request.expires_at > now)
        else {
            return Ok(None);
        };
        let request = tables.requests.remove(place);
        let person = (request.channel.clone(), request.sender.clone());
        if approve && !tables.paired.contains(&person) {
            tables.paired.push(person);
        }
        Ok(Some(request))
    }

    async fn paired(&self, channel: &ChannelId) -> Result<Vec<SenderId>, StoreError> {
        Ok(self
            .tables()
            .paired
            .iter()
            .filter(|(c, _)| c == channel)
            .map(|(_, sender)| sender.clone())
            .collect())
    }

    async fn forget_people(&self, channel: &ChannelId) -> Result<(), StoreError> {
        let mut tables = self.tables();
        tables.paired.retain(|(of, _)| of != channel);
        tables.requests.retain(|request| request.channel != *channel);
        Ok(())
    }
}

#[async_trait]
impl TraceStore for MemoryStore {
    async fn record(&self, trace: &Trace, keep: u32) -> Result<(), StoreError> {
        let mut tables = self.tables();
        if let Some(kept) = tables.traces.iter_mut().find(|kept| kept.id == trace.id) {
            *kept = trace.clone();
            return Ok(());
        }
        tables.traces.push_back(trace.clone());
        let over = tables.traces.len().saturating_sub(keep as usize);
        tables.traces.drain(..over);
        Ok(())
    }

    async fn kept(&self) -> Result<u32, StoreError> {
        Ok(u32::try_from(self.tables().traces.len()).unwrap_or(u32::MAX))
    }

    async fn traces(&self, list: &TraceList) -> Result<Vec<Trace>, StoreError> {
        let tables = self.tables();
        let wanted = tables.traces.iter().rev().filter(|trace| kata_core::trace::wanted(list, trace));
        Ok(wanted.take(crate::trace_limit(list)).cloned().collect())
    }

    async fn trace(&self, id: &TraceId) -> Result<Option<Trace>, StoreError> {
        Ok(self.tables().traces.iter().find(|trace| trace.id == *id).cloned())
    }
}

#[async_trait]
impl PluginStateStore for MemoryStore {
    async fn get(&self, plugin: &PluginId, key: &str) -> Result<Option<Json>, StoreError> {
        Ok(self.tables().state.get(&(plugin.clone(), key.to_owned())).cloned())
    }

    async fn set(&self, plugin: &PluginId, key: &str, value: Option<&Json>) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let place = (plugin.clone(), key.to_owned());
        match value {
            Some(value) => tables.state.insert(place, value.clone()),
            None => tables.state.remove(&place),
        };
        Ok(())
    }

    async fn clear_state(&self, plugin: &PluginId) -> Result<(), StoreError> {
        self.tables().state.retain(|(of, _), _| of != plugin);
        Ok(())
    }
}
