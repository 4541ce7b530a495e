//! Letters in memory.

use super::{InboxState, MemoryStore, Tables};
use async_trait::async_trait;
use kata_core::ports::{GIVEN_UP, InboxId, InboxRow, LetterId, LetterStore, OutboxId, OutboxRow, OutboxState, StoreError, StoredLetter};
use kata_protocol::{LetterState, Ms};
use std::collections::HashSet;

/// Letters that were taken out of the list.
pub(super) type PutAway = HashSet<LetterId>;

impl Tables {
    fn letters(&self) -> Vec<StoredLetter> {
        let listed = |id: &LetterId| !self.put_away.contains(id);
        let answers = |id: InboxId| self.outbox.iter().any(|row| row.inbox == Some(id));
        let inbound = self.inbox.iter().filter_map(|one| {
            let (id, row) = (LetterId::In(one.row.id), &one.row);
            (one.state == InboxState::Dead && listed(&id) && !answers(row.id)).then(|| StoredLetter {
                id,
                state: LetterState::InboundDead,
                channel: row.channel.clone(),
                conversation: row
                    .draft
                    .conversation_name
                    .clone()
                    .unwrap_or_else(|| row.draft.conversation.to_string()),
                session: row.session.clone(),
                text: row.draft.text.clone(),
                error: one.reason.clone(),
                attempts: 0,
                at: row.received_at,
            })
        });
        let outbound = self.outbox.iter().filter_map(|row| {
            let id = LetterId::Out(row.id);
            let state = match row.state {
                OutboxState::Parked => LetterState::OutboundParked,
                OutboxState::Dead => LetterState::OutboundDead,
                _ => return None,
            };
            let asked = self.inbox.iter().find(|one| Some(one.row.id) == row.inbox);
            let name = asked.and_then(|one| one.row.draft.conversation_name.clone());
            listed(&id).then(|| StoredLetter {
                id,
                state,
                channel: row.message.route.channel.clone(),
                conversation: name.unwrap_or_else(|| row.message.route.conversation.to_string()),
                session: row.session.clone(),
                text: row.message.text.clone(),
                error: row.error.clone(),
                attempts: row.message.attempt,
                at: self.written_at.get(&row.id).copied().unwrap_or(Ms(0)),
            })
        });
        let mut all: Vec<_> = inbound.chain(outbound).collect();
        all.reverse();
        all.sort_by_key(|letter| (std::cmp::Reverse(letter.at), matches!(letter.id, LetterId::Out(_))));
        all
    }

    fn is_letter(&self, id: LetterId) -> bool {
        self.letters().iter().any(|letter| letter.id == id)
    }
}

#[async_trait]
impl LetterStore for MemoryStore {
    async fn letters(&self, limit: u32) -> Result<Vec<StoredLetter>, StoreError> {
        let mut all = self.tables().letters();
        all.truncate(limit as usize);
        Ok(all)
    }

    async fn letter_count(&self) -> Result<u32, StoreError> {
        Ok(u32::try_from(self.tables().letters().len()).unwrap_or(u32::MAX))
    }

    async fn retry_inbound(&self, id: InboxId) -> Result<Option<InboxRow>, StoreError> {
        let mut tables = self.tables();
        if !tables.is_letter(LetterId::In(id)) {
            return Ok(None);
        }
        let inbound = tables.inbox(id)?;
        (inbound.state, inbound.reason) = (InboxState::Open, None);
        Ok(Some(inbound.row.clone()))
    }

    async fn retry_outbound(&self, id: OutboxId, now: Ms) -> Result<Option<OutboxRow>, StoreError> {
        let mut tables = self.tables();
        if !tables.is_letter(LetterId::Out(id)) {
            return Ok(None);
        }
        let row = tables.undelivered(id)?;
        (row.state, row.error) = (OutboxState::Pending { next_at: now }, None);
        row.message.attempt = 0;
        let row = row.clone();
        tables.settle_of(id);
        Ok(Some(row))
    }

    async fn discard(&self, id: LetterId) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        if !tables.is_letter(id) {
            return Ok(false);
        }
        tables.put_away.insert(id);
        if let LetterId::Out(out) = id {
            let row = tables.undelivered(out)?;
            if row.state == OutboxState::Parked {
                row.error = Some(GIVEN_UP.to_owned());
            }
            row.state = OutboxState::Dead;
            tables.settle_of(out);
        }
        Ok(true)
    }
}
