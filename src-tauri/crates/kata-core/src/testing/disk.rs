//! Session files and a message store in memory, both failing when told. They check what may never happen: a send of something
//! that was delivered, a row that ends twice in two ways.

use crate::ports::*;
use async_trait::async_trait;
use kata_protocol::*;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many calls of each name are still to fail.
#[derive(Default)]
pub(crate) struct Faults(Mutex<HashMap<&'static str, u32>>, AtomicBool);

impl Faults {
    /// The next `times` calls of `name` fail.
    pub(crate) fn fail(&self, name: &'static str, times: u32) {
        lock(&self.0).insert(name, times);
    }
    /// Everything fails, or works again.
    pub(crate) fn everything(&self, fails: bool) {
        lock(&self.0).clear();
        self.1.store(fails, Ordering::Relaxed);
    }
    fn hit(&self, name: &'static str) -> bool {
        if self.1.load(Ordering::Relaxed) {
            return true;
        }
        match lock(&self.0).get_mut(name) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }
    pub(crate) fn store(&self, name: &'static str) -> Result<(), StoreError> {
        if self.hit(name) {
            Err(StoreError("database or disk is full".into()))
        } else {
            Ok(())
        }
    }
}

/// One session's files.
#[derive(Clone)]
pub(crate) struct Folder {
    pub summary: SessionSummary,
    pub rows: Vec<StoredRow>,
    pub journal: Vec<JournalEntry>,
    /// Conversations its header names.
    pub keys: Vec<SessionKey>,
}

/// Session files.
pub(crate) struct Files {
    pub folders: Mutex<HashMap<SessionId, Folder>>,
    pub faults: Faults,
    /// Number of appends that were made durable.
    pub appends: Mutex<u32>,
    /// While `false`, the disk takes what is written and says nothing.
    pub answers: watch::Sender<bool>,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            folders: Mutex::default(),
            faults: Faults::default(),
            appends: Mutex::default(),
            answers: watch::channel(true).0,
        }
    }
}

impl Files {
    /// Kinds and texts of a session's rows.
    pub(crate) fn said(&self, id: &SessionId) -> Vec<String> {
        let text = |row: &StoredRow, key: &str| row.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        let folders = lock(&self.folders);
        folders[id]
            .rows
            .iter()
            .map(|row| format!("{}: {}", text(row, "type"), text(row, "content")))
            .collect()
    }
    /// A session's journal.
    pub(crate) fn journal(&self, id: &SessionId) -> Vec<JournalEntry> {
        lock(&self.folders)[id].journal.clone()
    }
}

fn refused() -> TranscriptError {
    TranscriptError::Io {
        path: "session.jsonl".into(),
        reason: "no space left on device".into(),
    }
}

#[async_trait]
impl Transcripts for Files {
    async fn create(&self, new: NewSession) -> Result<SessionSummary, TranscriptError> {
        if self.faults.hit("create") {
            return Err(refused());
        }
        let mut folders = lock(&self.folders);
        let summary = SessionSummary {
            id: SessionId::new(format!("s{}", folders.len())).unwrap(),
            workspace: new.workspace,
            name: new.name,
            preview: None,
            created_at: Ms(0),
            last_message_at: Ms(0),
            flagged: false,
            status: None,
            labels: Vec::new(),
            unread: false,
            mode: new.mode,
            model: new.model,
            channel: new.channel,
            message_count: 0,
            usage: TokenUsage::default(),
            state: SessionState::Idle,
            archived: false,
            working_directory: new.working_directory,
            profile: new.profile,
        };
        let folder = Folder {
            summary: summary.clone(),
            rows: Vec::new(),
            journal: Vec::new(),
            keys: new
                .external_conversation
                .into_iter()
                .filter_map(|key| SessionKey::new(key).ok())
                .collect(),
        };
        folders.insert(summary.id.clone(), folder);
        Ok(summary)
    }

    async fn load(&self, id: &SessionId) -> Result<LoadedSession, TranscriptError> {
        if self.faults.hit("load") {
            return Err(refused());
        }
        let folder = lock(&self.folders)
            .get(id)
            .cloned()
            .ok_or_else(|| TranscriptError::NotFound(id.clone()))?;
        Ok(LoadedSession {
            summary: folder.summary,
            rows: folder.rows,
            journal: folder.journal,
            repaired: 0,
        })
    }

    async fn append(&self, id: &SessionId, append: Append) -> Result<(), TranscriptError> {
        if self.faults.hit("append") {
            return Err(refused());
        }
        let _ = self.answers.subscribe().wait_for(|answers| *answers).await;
        let mut folders = lock(&self.folders);
        let folder = folders.get_mut(id).ok_or_else(|| TranscriptError::NotFound(id.clone()))?;
        for row in &append.rows {
            let twice = folder.rows.iter().any(|known| known["id"] == row["id"] && known["type"] == "user");
            assert!(!twice, "the row of an input was written twice: {row:?}");
        }
        folder.rows.extend(append.rows);
        folder.journal.extend(append.journal);
        *lock(&self.appends) += 1;
        Ok(())
    }

    async fn update(&self, summary: SessionSummary) -> Result<(), TranscriptError> {
        self.touch(summary);
        Ok(())
    }
    fn touch(&self, summary: SessionSummary) {
        if let Some(folder) = lock(&self.folders).get_mut(&summary.id) {
            folder.summary = summary;
        }
    }
    async fn rewrite(&self, _: &SessionId) -> Result<(), TranscriptError> {
        Ok(())
    }
    async fn keyed(&self, id: &SessionId, key: &SessionKey, has: bool) -> Result<(), TranscriptError> {
        let mut folders = lock(&self.folders);
        let folder = folders.get_mut(id).ok_or_else(|| TranscriptError::NotFound(id.clone()))?;
        folder.keys.retain(|known| known != key);
        folder.keys.extend(has.then(|| key.clone()));
        Ok(())
    }
    async fn tail(&self, _: &SessionId, _: u32, _: Option<&MessageId>) -> Result<Option<TranscriptTail>, TranscriptError> {
        Ok(None)
    }
    async fn remove(&self, id: &SessionId) -> Result<(), TranscriptError> {
        if self.faults.hit("remove") {
            return Err(refused());
        }
        let gone = lock(&self.folders).remove(id);
        gone.map(drop).ok_or_else(|| TranscriptError::NotFound(id.clone()))
    }
    async fn summary(&self, id: &SessionId) -> Result<SessionSummary, TranscriptError> {
        Ok(self.load(id).await?.summary)
    }
    async fn list(&self, _: SessionList) -> Result<(Vec<SessionSummary>, u32), TranscriptError> {
        Ok((Vec::new(), 0))
    }
}

/// State of an inbox row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum In {
    Open,
    Answered,
    Ended(InboxEnd),
}

#[derive(Default)]
struct Tables {
    inbox: Vec<(InboxRow, In)>,
    outbox: Vec<OutboxRow>,
    receipts: HashMap<OutboxId, Receipt>,
    keys: HashMap<SessionKey, SessionId>,
    traces: Vec<Trace>,
}

/// The store.
#[derive(Default)]
pub(crate) struct Store {
    tables: Mutex<Tables>,
    pub faults: Faults,
}

impl Store {
    /// How an inbox row stands.
    pub(crate) fn inbox(&self, id: i64) -> In {
        lock(&self.tables).inbox[usize::try_from(id).unwrap() - 1].1.clone()
    }
    /// Rows of the inbox.
    pub(crate) fn accepted(&self) -> usize {
        lock(&self.tables).inbox.len()
    }
    /// The session a message went to.
    pub(crate) fn message_session(&self, id: i64) -> SessionId {
        lock(&self.tables).inbox[usize::try_from(id).unwrap() - 1]
            .0
            .session
            .clone()
            .unwrap()
    }
    /// How many messages were refused.
    pub(crate) fn refused(&self) -> usize {
        let refused = |(_, state): &&(InboxRow, In)| matches!(state, In::Ended(InboxEnd::Refused(_)));
        lock(&self.tables).inbox.iter().filter(refused).count()
    }
    /// The outbox as it is.
    pub(crate) fn outbox(&self) -> Vec<OutboxRow> {
        lock(&self.tables).outbox.clone()
    }
    /// Every trace that was recorded.
    pub(crate) fn traces(&self) -> Vec<Trace> {
        lock(&self.tables).traces.clone()
    }
    fn row<T>(&self, id: OutboxId, change: impl FnOnce(&mut OutboxRow) -> T) -> T {
        let mut tables = lock(&self.tables);
        let row = tables.outbox.iter_mut().find(|row| row.id == id).unwrap();
        assert_ne!(row.state, OutboxState::Sent, "a delivered row is touched again");
        change(row)
    }
}

#[async_trait]
impl MessageStore for Store {
    async fn accept(&self, channel: &ChannelId, draft: &InboundDraft, now: Ms) -> Result<Option<InboxId>, StoreError> {
        self.faults.store("accept")?;
        let mut tables = lock(&self.tables);
        let known = |row: &InboxRow| row.channel == *channel && row.draft.message_id == draft.message_id;
        if tables.inbox.iter().any(|(row, _)| known(row)) {
            return Ok(None);
        }
        let id = InboxId(tables.inbox.len() as i64 + 1);
        let row = InboxRow {
            id,
            channel: channel.clone(),
            draft: draft.clone(),
            received_at: now,
            session: None,
        };
        tables.inbox.push((row, In::Open));
        Ok(Some(id))
    }
    async fn refuse(&self, channel: &ChannelId, draft: &InboundDraft, code: RefusalCode, now: Ms) -> Result<Option<InboxId>, StoreError> {
        let id = self.accept(channel, draft, now).await?;
        if let Some(id) = id {
            self.finish(id, InboxEnd::Refused(code)).await?;
        }
        Ok(id)
    }
    async fn routed(&self, id: InboxId, _: &SessionKey, session: &SessionId) -> Result<(), StoreError> {
        self.faults.store("routed")?;
        lock(&self.tables).inbox[id.0 as usize - 1].0.session = Some(session.clone());
        Ok(())
    }
    async fn finish(&self, id: InboxId, end: InboxEnd) -> Result<(), StoreError> {
        self.faults.store("finish")?;
        let state = &mut lock(&self.tables).inbox[id.0 as usize - 1].1;
        assert_eq!(*state, In::Open, "a message ended twice");
        *state = In::Ended(end);
        Ok(())
    }
    async fn message(&self, id: InboxId) -> Result<Option<InboxRow>, StoreError> {
        Ok(lock(&self.tables).inbox.get(id.0 as usize - 1).map(|(row, _)| row.clone()))
    }
    async fn known(
        &self,
        channel: &ChannelId,
        account: &AccountId,
        message_id: &PlatformMessageId,
    ) -> Result<Option<(InboxRow, bool)>, StoreError> {
        let tables = lock(&self.tables);
        let is = |row: &InboxRow| row.channel == *channel && row.draft.account == *account && row.draft.message_id == *message_id;
        let found = tables.inbox.iter().find(|(row, _)| is(row));
        let found = found.filter(|(_, state)| !matches!(state, In::Ended(InboxEnd::Refused(_))));
        Ok(found.map(|(row, state)| (row.clone(), *state == In::Open)))
    }
    async fn reword(&self, id: InboxId, text: &str) -> Result<(), StoreError> {
        self.faults.store("reword")?;
        text.clone_into(&mut lock(&self.tables).inbox[id.0 as usize - 1].0.draft.text);
        Ok(())
    }
    async fn written_from(&self, channel: &ChannelId, _: u32) -> Result<Vec<WrittenFrom>, StoreError> {
        let mut found: Vec<WrittenFrom> = Vec::new();
        for (row, _) in lock(&self.tables).inbox.iter().rev().filter(|(row, _)| row.channel == *channel) {
            let (draft, Some(session)) = (&row.draft, row.session.clone()) else {
                continue;
            };
            if !found
                .iter()
                .any(|f| f.account == draft.account && f.conversation == draft.conversation)
            {
                found.push(WrittenFrom {
                    account: draft.account.clone(),
                    conversation: draft.conversation.clone(),
                    name: draft.conversation_name.clone().or_else(|| draft.sender.name.clone()),
                    chat_type: draft.chat_type,
                    sender: draft.sender.id.clone(),
                    session,
                });
            }
        }
        Ok(found)
    }
    async fn unfinished(&self) -> Result<Vec<InboxRow>, StoreError> {
        let open = |(row, state): &(InboxRow, In)| (*state == In::Open).then(|| row.clone());
        Ok(lock(&self.tables).inbox.iter().filter_map(open).collect())
    }
    async fn enqueue(&self, inbox: Option<InboxId>, parts: Vec<NewOutbound>, now: Ms) -> Result<Vec<OutboxRow>, StoreError> {
        self.faults.store("enqueue")?;
        let mut tables = lock(&self.tables);
        let mut made = Vec::new();
        for part in parts {
            if tables.outbox.iter().any(|row| row.message.idempotency_key == part.idempotency_key) {
                continue;
            }
            let row = OutboxRow {
                id: OutboxId(tables.outbox.len() as i64 + 1),
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
            tables.outbox.push(row.clone());
            made.push(row);
        }
        if let Some(id) = inbox {
            tables.inbox[id.0 as usize - 1].1 = In::Answered;
        }
        Ok(made)
    }
    async fn unsent(&self) -> Result<Vec<OutboxRow>, StoreError> {
        let waits = |row: &OutboxRow| matches!(row.state, OutboxState::Pending { .. } | OutboxState::Sending);
        Ok(self.outbox().into_iter().filter(waits).collect())
    }
    async fn sending(&self, id: OutboxId, attempt: u32) -> Result<(), StoreError> {
        self.faults.store("sending")?;
        self.row(id, |row| {
            row.state = OutboxState::Sending;
            row.message.attempt = attempt;
        });
        Ok(())
    }
    async fn sent(&self, id: OutboxId, receipt: &Receipt) -> Result<(), StoreError> {
        self.faults.store("sent")?;
        self.row(id, |row| row.state = OutboxState::Sent);
        lock(&self.tables).receipts.insert(id, receipt.clone());
        Ok(())
    }
    async fn receipt_of(&self, stem: &str) -> Result<Option<Receipt>, StoreError> {
        let tables = lock(&self.tables);
        let begins = |key: &str| key.strip_prefix(stem).is_some_and(|rest| rest.starts_with(':'));
        let mut parts = tables.outbox.iter().rev().filter(|row| begins(&row.message.idempotency_key));
        Ok(parts.find_map(|row| tables.receipts.get(&row.id).cloned()))
    }
    async fn unsent_again(&self, id: OutboxId, state: OutboxState, error: &str) -> Result<(), StoreError> {
        self.faults.store("unsent_again")?;
        self.row(id, |row| {
            row.state = state;
            row.error = Some(error.to_owned());
        });
        Ok(())
    }
    async fn ledger(&self) -> Result<Ledger, StoreError> {
        Ok(Ledger::default())
    }
    async fn refusals(&self) -> Result<Vec<RefusalCount>, StoreError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl KeyStore for Store {
    async fn session_for(&self, key: &SessionKey) -> Result<Option<SessionId>, StoreError> {
        self.faults.store("session_for")?;
        Ok(lock(&self.tables).keys.get(key).cloned())
    }
    async fn bind(&self, key: &SessionKey, session: &SessionId) -> Result<SessionId, StoreError> {
        let mut tables = lock(&self.tables);
        Ok(tables.keys.entry(key.clone()).or_insert_with(|| session.clone()).clone())
    }
    async fn rebind(&self, key: &SessionKey, session: &SessionId) -> Result<Option<SessionId>, StoreError> {
        Ok(lock(&self.tables).keys.insert(key.clone(), session.clone()))
    }
    async fn unbind(&self, key: &SessionKey) -> Result<Option<SessionId>, StoreError> {
        Ok(lock(&self.tables).keys.remove(key))
    }
    async fn keys_of(&self, session: &SessionId) -> Result<Vec<SessionKey>, StoreError> {
        let tables = lock(&self.tables);
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
        let tables = lock(&self.tables);
        let bound = |(key, session): (&SessionKey, &SessionId)| BoundKey {
            key: key.clone(),
            session: session.clone(),
            last_at: None,
        };
        let mut keys: Vec<_> = tables.keys.iter().map(bound).collect();
        keys.sort_by(|a, b| a.key.cmp(&b.key));
        keys.truncate(limit as usize);
        Ok(keys)
    }
}

#[async_trait]
impl LetterStore for Store {
    async fn letters(&self, _: u32) -> Result<Vec<StoredLetter>, StoreError> {
        Ok(Vec::new())
    }
    async fn letter_count(&self) -> Result<u32, StoreError> {
        Ok(0)
    }
    async fn retry_inbound(&self, id: InboxId) -> Result<Option<InboxRow>, StoreError> {
        let (row, state) = &mut lock(&self.tables).inbox[id.0 as usize - 1];
        if !matches!(state, In::Ended(InboxEnd::Dead(_))) {
            return Ok(None);
        }
        *state = In::Open;
        Ok(Some(row.clone()))
    }
    async fn retry_outbound(&self, id: OutboxId, now: Ms) -> Result<Option<OutboxRow>, StoreError> {
        Ok(self.row(id, |row| {
            if !matches!(row.state, OutboxState::Dead | OutboxState::Parked) {
                return None;
            }
            (row.state, row.error) = (OutboxState::Pending { next_at: now }, None);
            row.message.attempt = 0;
            Some(row.clone())
        }))
    }
    async fn discard(&self, id: LetterId) -> Result<bool, StoreError> {
        let LetterId::Out(id) = id else { return Ok(false) };
        Ok(self.row(id, |row| {
            let parked = row.state == OutboxState::Parked;
            if parked {
                (row.state, row.error) = (OutboxState::Dead, Some(GIVEN_UP.to_owned()));
            }
            parked
        }))
    }
}

#[async_trait]
impl PairingStore for Store {
    async fn is_paired(&self, _: &ChannelId, _: &SenderId) -> Result<bool, StoreError> {
        Ok(false)
    }
    async fn open_request(&self, _: &ChannelId, _: &SenderId, _: Ms) -> Result<Option<PairingRequest>, StoreError> {
        Ok(None)
    }
    async fn request(&self, _: &PairingRequest) -> Result<(), StoreError> {
        Ok(())
    }
    async fn requests(&self, _: Ms) -> Result<Vec<PairingRequest>, StoreError> {
        Ok(Vec::new())
    }
    async fn resolve(&self, _: &str, _: bool, _: Ms) -> Result<Option<PairingRequest>, StoreError> {
        Ok(None)
    }
    async fn paired(&self, _: &ChannelId) -> Result<Vec<SenderId>, StoreError> {
        Ok(Vec::new())
    }
    async fn forget_people(&self, _: &ChannelId) -> Result<(), StoreError> {
        Ok(())
    }
}

#[async_trait]
impl TraceStore for Store {
    async fn record(&self, trace: &Trace, _: u32) -> Result<(), StoreError> {
        lock(&self.tables).traces.push(trace.clone());
        Ok(())
    }
    async fn kept(&self) -> Result<u32, StoreError> {
        Ok(u32::try_from(lock(&self.tables).traces.len()).unwrap())
    }
    async fn traces(&self, _: &TraceList) -> Result<Vec<Trace>, StoreError> {
        Ok(self.traces())
    }
    async fn trace(&self, _: &TraceId) -> Result<Option<Trace>, StoreError> {
        Ok(None)
    }
}
