//! The port: sessions on disk with one writer each.
//!
//! A session's calls run in the order in which they came (a fair lock per session); sessions do not wait for each other. File
//! work runs on the runtime's blocking threads with the lock held there, so a caller that goes away in the middle leaves
//! nothing half done. At most [`OPEN_FILES`] idle sessions keep their files open.

use super::commits::{self, Commits, Record};
use super::facts::Facts;
use super::format;
use super::scan::{self, JOURNAL, SESSION, io_error, read_header};
use super::tail::{self, Appender};
use super::texts::Unsearched;
use super::{last, names, upkeep};
use crate::atomic::{self, FILE_MODE};
use crate::home::workspace_folders;
use crate::sqlite::sessions::IndexRow;
use crate::{HomePaths, SqliteStore};
use async_trait::async_trait;
use kata_core::ports::{
    Append, Clock, Entropy, JournalEntry, KeyStore, LoadedSession, NewSession, StepUsage, StoreError, TranscriptError, TranscriptTail,
    Transcripts,
};
use kata_protocol::{MessageId, Ms, Notice, SessionId, SessionKey, SessionList, SessionSummary, WorkspaceId};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Idle sessions whose files stay open.
pub(crate) const OPEN_FILES: usize = 64;

/// A workspace as far as sessions matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceFolder {
    /// Workspace.
    pub id: WorkspaceId,
    /// Its folder.
    pub path: PathBuf,
    /// The folder as headers have it (`~/…`).
    pub portable: String,
}

impl WorkspaceFolder {
    pub(crate) fn sessions(&self) -> PathBuf {
        self.path.join("sessions")
    }

    /// Where a deleted session lies until its files are gone.
    pub(super) fn trash(&self) -> PathBuf {
        self.path.join(".trash")
    }
}

/// Sessions in the folders of the workspaces.
pub struct FileTranscripts {
    pub(super) home: HomePaths,
    notices: Mutex<Vec<Notice>>,
    workspaces: RwLock<Vec<WorkspaceFolder>>,
    pub(crate) index: Arc<SqliteStore>,
    pub(super) commits: Commits,
    pub(super) clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    slots: Mutex<Slots>,
    pub(super) unsearched: Unsearched,
}

type Slot = Arc<tokio::sync::Mutex<Files>>;

#[derive(Default)]
struct Slots {
    by_id: HashMap<SessionId, (Slot, u64)>,
    uses: u64,
}

/// Files of one session.
pub(super) struct Files {
    pub(super) folder: PathBuf,
    session: Option<Appender>,
    journal: Option<Appender>,
}

impl FileTranscripts {
    /// The sessions of a home. Brings the index in line with the files.
    pub async fn open(
        home: HomePaths,
        index: Arc<SqliteStore>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Arc<Self>, TranscriptError> {
        let log = home.session_log();
        let commits = blocking(move || Commits::open(&log).map_err(io_error(&log))).await?;
        let (workspaces, notices, slots) = (RwLock::default(), Mutex::default(), Mutex::default());
        let this = Arc::new(Self {
            home,
            workspaces,
            notices,
            index,
            commits,
            clock,
            entropy,
            slots,
            unsearched: Unsearched::default(),
        });
        this.rescan().await?;
        this.empty_trash().await?;
        Ok(this)
    }

    /// Looks at the workspaces and their folders again, for what other programs changed.
    pub async fn rescan(&self) -> Result<(), TranscriptError> {
        let known = self.index.indexed().await.map_err(index_error)?;
        let home = self.home.clone();
        let (workspaces, found) = blocking(move || {
            let workspaces = workspace_folders(&home);
            let found = scan::scan(&workspaces, &known);
            Ok((workspaces, found))
        })
        .await?;
        *self.workspaces.write().unwrap_or_else(PoisonError::into_inner) = workspaces;
        let (mut changed, mut unreadable) = (found.changed, found.unreadable);
        while !changed.is_empty() {
            let rest = changed.split_off(changed.len().min(500));
            unreadable.extend(self.read_again(changed).await?);
            changed = rest;
        }
        self.index.unindex(found.gone).await.map_err(index_error)?;
        let at = self.clock.now();
        let notice = |(n, message): (usize, String)| Notice {
            id: format!("session-unreadable-{n}"),
            at,
            message,
            hint: Some("The file was left as it is. Its first line must be a JSON object with an id.".into()),
        };
        let notices = unreadable.into_iter().enumerate().map(notice).collect();
        *self.notices.lock().unwrap_or_else(PoisonError::into_inner) = notices;
        self.unsearched.all(self.index.unsearched().await.map_err(index_error)?);
        Ok(())
    }

    /// Reads files into the index; says which cannot be listed. Their rows go.
    async fn read_again(&self, changed: Vec<scan::Changed>) -> Result<Vec<String>, TranscriptError> {
        let mut before = Vec::with_capacity(changed.len());
        for one in &changed {
            before.push(self.index.indexed_session(&one.id).await.map_err(index_error)?);
        }
        let (rows, bad) = blocking(move || {
            let (mut rows, mut bad) = (Vec::new(), Vec::new());
            for (one, before) in changed.into_iter().zip(before) {
                match one.read(before.as_ref()) {
                    Ok(row) => rows.push(row),
                    Err(error) => bad.push((one.id, format!("A session cannot be listed: {error}."))),
                }
            }
            Ok((rows, bad))
        })
        .await?;
        self.index.index(rows).await.map_err(index_error)?;
        let (ids, messages) = bad.into_iter().unzip();
        self.index.unindex(ids).await.map_err(index_error)?;
        Ok(messages)
    }

    /// Sessions that the last look found and could not list.
    pub fn notices(&self) -> Vec<Notice> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Folder of a session (attachments, plans, notes lie there).
    pub async fn folder(&self, id: &SessionId) -> Result<PathBuf, TranscriptError> {
        Ok(self.row(id).await?.folder)
    }

    pub(super) fn workspaces(&self) -> Vec<WorkspaceFolder> {
        self.workspaces.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A workspace; one that was made since the last look is found too.
    async fn workspace(&self, id: &WorkspaceId) -> Result<WorkspaceFolder, TranscriptError> {
        if let Some(found) = self.workspaces().into_iter().find(|workspace| workspace.id == *id) {
            return Ok(found);
        }
        let home = self.home.clone();
        let workspaces = blocking(move || Ok(workspace_folders(&home))).await?;
        let found = workspaces.iter().find(|workspace| workspace.id == *id).cloned();
        *self.workspaces.write().unwrap_or_else(PoisonError::into_inner) = workspaces;
        found.ok_or_else(|| TranscriptError::NoWorkspace(id.clone()))
    }

    /// The index row of a session; one that appeared since the last look is read from its file.
    pub(super) async fn row(&self, id: &SessionId) -> Result<IndexRow, TranscriptError> {
        if let Some(row) = self.index.indexed_session(id).await.map_err(index_error)? {
            return Ok(row);
        }
        // An id is a folder name and nothing else.
        if id.as_str().contains(['/', '\\']) || id.as_str().starts_with('.') {
            return Err(TranscriptError::NotFound(id.clone()));
        }
        let (workspaces, wanted) = (self.workspaces(), id.clone());
        let row = blocking(move || {
            for workspace in &workspaces {
                let folder = workspace.sessions().join(wanted.as_str());
                if folder.join(SESSION).is_file() {
                    return scan::read(workspace, &folder, &wanted, None);
                }
            }
            Err(TranscriptError::NotFound(wanted))
        })
        .await?;
        self.index.index(vec![row.clone()]).await.map_err(index_error)?;
        Ok(row)
    }

    /// The lock of a session. Idle ones beyond [`OPEN_FILES`] are let go, longest unused first.
    pub(super) async fn slot(&self, id: &SessionId) -> Result<Slot, TranscriptError> {
        if let Some(slot) = self.known_slot(id) {
            return Ok(slot);
        }
        let folder = self.row(id).await?.folder;
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.by_id.len() >= OPEN_FILES {
            // Nobody else can take a slot while the map is locked, so one that only the map holds is idle.
            let idle = slots.by_id.iter().filter(|(_, (slot, _))| Arc::strong_count(slot) == 1);
            if let Some(oldest) = idle.min_by_key(|(_, (_, used))| *used).map(|(id, _)| id.clone()) {
                slots.by_id.remove(&oldest);
            }
        }
        slots.uses += 1;
        let used = slots.uses;
        let fresh = || {
            Arc::new(tokio::sync::Mutex::new(Files {
                folder,
                session: None,
                journal: None,
            }))
        };
        let entry = slots.by_id.entry(id.clone()).or_insert_with(|| (fresh(), used));
        entry.1 = used;
        Ok(Arc::clone(&entry.0))
    }

    /// Lets a session's files go.
    pub(super) fn forget_slot(&self, id: &SessionId) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).by_id.remove(id);
    }

    fn known_slot(&self, id: &SessionId) -> Option<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.uses += 1;
        let used = slots.uses;
        let entry = slots.by_id.get_mut(id)?;
        entry.1 = used;
        Some(Arc::clone(&entry.0))
    }

    /// Sessions whose files are held.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).by_id.len()
    }
}

#[async_trait]
impl Transcripts for FileTranscripts {
    async fn create(&self, new: NewSession) -> Result<SessionSummary, TranscriptError> {
        let workspace = self.workspace(&new.workspace).await?;
        let (now, words) = (self.clock.now(), names::words(&*self.entropy));
        let others = self.workspaces();
        let row = blocking(move || create(&workspace, &others, &new, now, words)).await?;
        let summary = row.summary.clone();
        self.index.index(vec![row]).await.map_err(index_error)?;
        self.unsearched.add(summary.id.clone());
        Ok(summary)
    }

    async fn load(&self, id: &SessionId) -> Result<LoadedSession, TranscriptError> {
        let files = self.slot(id).await?.lock_owned().await;
        let row = self.row(id).await?;
        let workspace = self.workspace(&row.summary.workspace).await?;
        let (id, before) = (id.clone(), row.summary.clone());
        let (loaded, row) = blocking(move || load(&workspace, &files.folder, &id, &row)).await?;
        if loaded.summary != before {
            self.index.index(vec![row]).await.map_err(index_error)?;
        }
        Ok(loaded)
    }

    async fn append(&self, id: &SessionId, append: Append) -> Result<(), TranscriptError> {
        let mut files = self.slot(id).await?.lock_owned().await;
        let (session, id, sync) = (id.clone(), id.clone(), append.sync);
        let (mut files, added) = blocking(move || files.append(&id, &append).map(|added| (files, added))).await?;
        let Added { record, before } = added;
        let committed = match self.commits.commit(record).await {
            // On its way, in front of everything that comes later.
            Ok(_) if !sync => Ok(()),
            Ok(answer) => answer.await.unwrap_or_else(|_| Err(commits::closed())),
            Err(error) => Err(error),
        };
        if let Err(error) = committed {
            let error = io_error(&files.folder)(error);
            blocking(move || {
                files.take_back(before);
                Ok(())
            })
            .await?;
            return Err(error);
        }
        self.unsearched.add(session);
        Ok(())
    }

    async fn update(&self, summary: SessionSummary) -> Result<(), TranscriptError> {
        let id = summary.id.clone();
        // Not between a rewrite's reading of the row and its writing back.
        let slot = self.slot(&id).await?;
        let _turn = slot.lock().await;
        self.index.untouch(&id);
        match self.index.reindex(summary, self.clock.now()).await.map_err(index_error)? {
            true => Ok(()),
            false => Err(TranscriptError::NotFound(id)),
        }
    }

    fn touch(&self, summary: SessionSummary) {
        self.index.touch(summary, self.clock.now());
    }

    fn used(&self, model: &str, usage: StepUsage, begins: bool) {
        self.index.used(crate::sqlite::Used {
            at: self.clock.now(),
            model: model.to_owned(),
            input: usage.input + usage.cache_read + usage.cache_creation,
            output: usage.output,
            turns: u64::from(begins),
        });
    }

    async fn rewrite(&self, id: &SessionId) -> Result<(), TranscriptError> {
        let slot = self.slot(id).await?;
        let mut files = Arc::clone(&slot).lock_owned().await;
        let row = self.row(id).await?;
        let now = self.clock.now();
        let (row, _turn) = blocking(move || Ok((files.rewrite(&row, now, |header| header)?, files))).await?;
        self.index.index(vec![row]).await.map_err(index_error)?;
        self.unsearched.add(id.clone());
        Ok(())
    }

    async fn keyed(&self, id: &SessionId, key: &SessionKey, has: bool) -> Result<(), TranscriptError> {
        let slot = self.slot(id).await?;
        let mut files = Arc::clone(&slot).lock_owned().await;
        let row = self.row(id).await?;
        let (now, key) = (self.clock.now(), key.clone());
        let change = move |header| {
            let mut keys = format::keys(&header);
            keys.retain(|known| *known != key);
            keys.extend(has.then_some(key));
            format::with_keys(header, &keys)
        };
        let (row, _turn) = blocking(move || Ok((files.rewrite(&row, now, change)?, files))).await?;
        self.index.index(vec![row]).await.map_err(index_error)?;
        self.unsearched.add(id.clone());
        Ok(())
    }

    async fn tail(&self, id: &SessionId, limit: u32, before: Option<&MessageId>) -> Result<Option<TranscriptTail>, TranscriptError> {
        let files = self.slot(id).await?.lock_owned().await;
        let summary = self.row(id).await?.summary;
        let before = before.cloned();
        blocking(move || last::tail(&files.folder, summary, limit, before.as_ref())).await
    }

    async fn remove(&self, id: &SessionId) -> Result<(), TranscriptError> {
        let files = self.slot(id).await?.lock_owned().await;
        // First, so that a crash in the middle leaves a session without a conversation, not a conversation without a session.
        for key in self.index.keys_of(id).await.map_err(index_error)? {
            self.index.unbind(&key).await.map_err(index_error)?;
        }
        let workspace = self.workspace(&self.row(id).await?.summary.workspace).await?;
        let (trash, folder) = (workspace.trash(), files.folder.clone());
        blocking(move || upkeep::throw_away(&folder, &trash)).await?;
        self.forget_slot(id);
        drop(files);
        self.index.untouch(id);
        self.index.unindex(vec![id.clone()]).await.map_err(index_error)?;
        self.unsearched.remove(id);
        let log = self.home.session_log();
        self.commits.forget_records().await.map_err(io_error(&log))
    }

    async fn summary(&self, id: &SessionId) -> Result<SessionSummary, TranscriptError> {
        Ok(self.row(id).await?.summary)
    }

    async fn list(&self, query: SessionList) -> Result<(Vec<SessionSummary>, u32), TranscriptError> {
        self.index.listed(query).await.map_err(index_error)
    }
}

fn create(
    workspace: &WorkspaceFolder,
    all: &[WorkspaceFolder],
    new: &NewSession,
    now: Ms,
    words: u64,
) -> Result<IndexRow, TranscriptError> {
    let sessions = workspace.sessions();
    atomic::private_dir(&sessions).map_err(io_error(&sessions))?;
    for attempt in 1..10_000 {
        let name = names::name(now, words, attempt);
        if all.iter().any(|other| other.sessions().join(&name).exists()) {
            continue;
        }
        let folder = sessions.join(&name);
        match atomic::create_dir(&folder) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(io_error(&folder)(error)),
        }
        let id = SessionId::new(name).map_err(|error| TranscriptError::Io {
            path: folder.display().to_string(),
            reason: error.to_string(),
        })?;
        let path = folder.join(SESSION);
        let header = format::line(&format::new_header(&id, &workspace.portable, new, now));
        atomic::atomic_write(&path, &header, FILE_MODE)
            .and_then(|()| atomic::sync_parent(&folder))
            .map_err(io_error(&path))?;
        return scan::read(workspace, &folder, &id, None);
    }
    Err(TranscriptError::Io {
        path: sessions.display().to_string(),
        reason: "no name is free".into(),
    })
}

fn load(workspace: &WorkspaceFolder, folder: &Path, id: &SessionId, row: &IndexRow) -> Result<(LoadedSession, IndexRow), TranscriptError> {
    let path = folder.join(SESSION);
    let bytes = std::fs::read(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => TranscriptError::NotFound(id.clone()),
        _ => io_error(&path)(error),
    })?;
    let metadata = std::fs::metadata(&path).map_err(io_error(&path))?;
    let parts = format::parts(&bytes);
    let (rows, damaged) = format::rows(parts.body);
    let mut facts = Facts::default();
    rows.iter().for_each(|row| facts.row(row));
    let row = scan::index_row(workspace, folder, id, Some(row), &parts, &facts, &metadata)?;
    let (journal, damaged_journal) = read_journal(&folder.join(JOURNAL))?;
    let repaired = damaged + u32::from(!parts.torn.is_empty()) + damaged_journal;
    Ok((
        LoadedSession {
            summary: row.summary.clone(),
            rows,
            journal,
            repaired,
        },
        row,
    ))
}

/// Entries, and how many lines are damaged. An entry of a newer version's kind is neither.
fn read_journal(path: &Path) -> Result<(Vec<JournalEntry>, u32), TranscriptError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        Err(error) => return Err(io_error(path)(error)),
    };
    let (body, torn) = format::cut_tail(&bytes);
    let mut entries = Vec::new();
    let mut damaged = u32::from(!torn.is_empty());
    for line in format::lines(body) {
        match serde_json::from_slice(line) {
            Ok(entry) => entries.push(entry),
            Err(_) if format::object(line).is_some_and(|line| line.contains_key("kind")) => {}
            Err(_) => damaged += 1,
        }
    }
    Ok((entries, damaged))
}

/// What an append added, and how long the files were before.
struct Added {
    record: Record,
    before: Before,
}

/// Lengths; `None` where nothing was added.
#[derive(Clone, Copy)]
struct Before {
    session: u64,
    journal: Option<u64>,
}

impl Files {
    /// Adds lines to both files, or to neither. They are durable when their record is.
    fn append(&mut self, id: &SessionId, append: &Append) -> Result<Added, TranscriptError> {
        let mut journal = Vec::new();
        for entry in &append.journal {
            serde_json::to_writer(&mut journal, entry).map_err(|error| io_error(&self.folder.join(JOURNAL))(error.into()))?;
            journal.push(b'\n');
        }
        let rows: Vec<u8> = append.rows.iter().flat_map(format::line).collect();
        let path = self.folder.join(SESSION);
        // Before anything is written: a session whose file is gone gets no journal.
        let session = appender(&mut self.session, &path, false).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => TranscriptError::NotFound(id.clone()),
            _ => io_error(&path)(error),
        })?;
        let mut before = Before {
            session: session.length(),
            journal: None,
        };
        if !rows.is_empty() {
            session.append(&rows).map_err(io_error(&path))?;
        }
        if !journal.is_empty() {
            let path = self.folder.join(JOURNAL);
            let added = appender(&mut self.journal, &path, true).and_then(|file| {
                before.journal = Some(file.length());
                file.append(&journal)
            });
            if let Err(error) = added {
                session.cut_to(before.session);
                return Err(io_error(&path)(error));
            }
        }
        let record = Record {
            folder: self.folder.clone(),
            rows,
            journal,
        };
        Ok(Added { record, before })
    }

    /// As if the last append had not been.
    fn take_back(&mut self, before: Before) {
        if let Some(session) = &mut self.session {
            session.cut_to(before.session);
        }
        if let (Some(journal), Some(length)) = (&mut self.journal, before.journal) {
            journal.cut_to(length);
        }
    }

    /// Replaces the file with one whose header is up to date and changed by `change`.
    fn rewrite(
        &mut self,
        row: &IndexRow,
        now: Ms,
        change: impl FnOnce(format::Header) -> format::Header,
    ) -> Result<IndexRow, TranscriptError> {
        // The open file will not be the one behind the name.
        self.session = None;
        let path = self.folder.join(SESSION);
        let bytes = std::fs::read(&path).map_err(io_error(&path))?;
        let parts = format::parts(&bytes);
        let header = read_header(&path, parts.header)?;
        let mut facts = Facts::default();
        for line in format::lines(parts.body) {
            facts.line(line);
        }
        let mut summary = row.summary.clone();
        summary.message_count = facts.rows;
        summary.last_message_at = facts.last_at.map_or(summary.last_message_at, |at| at.max(summary.last_message_at));
        summary.preview = summary.preview.or_else(|| facts.preview.clone());
        let header = change(format::updated(header, &summary, &facts, row.archived_at, now));
        let line = format::line(&header);
        if !parts.torn.is_empty() {
            tail::keep(&path, parts.torn).map_err(io_error(&path))?;
        }
        // Damaged lines in the middle stay where they are: another program may know what they were.
        let end: &[u8] = if parts.body.last().is_some_and(|byte| *byte != b'\n') {
            b"\n"
        } else {
            b""
        };
        atomic::atomic_write_parts(&path, &[&line, parts.body, end], FILE_MODE).map_err(io_error(&path))?;
        let metadata = std::fs::metadata(&path).map_err(io_error(&path))?;
        let stamp = scan::stamp(&metadata, line.trim_ascii_end());
        Ok(IndexRow {
            folder: self.folder.clone(),
            stamp,
            keyed: !format::keys(&header).is_empty(),
            summary,
            pending: false,
            ..row.clone()
        })
    }
}

/// The open file behind a name; opened, and its end mended, when it is not open or no longer that file.
fn appender<'a>(slot: &'a mut Option<Appender>, path: &Path, create: bool) -> io::Result<&'a mut Appender> {
    if slot.as_ref().is_some_and(|open| !open.current()) {
        *slot = None;
    }
    match slot {
        Some(open) => Ok(open),
        None => Ok(slot.insert(Appender::open(path, create, !create)?)),
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TranscriptError> + Send + 'static,
) -> Result<T, TranscriptError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(TranscriptError::Io {
            path: "sessions".into(),
            reason: "the file work ended badly".into(),
        })
    })
}

pub(super) fn index_error(error: StoreError) -> TranscriptError {
    TranscriptError::Io {
        path: "kata.db".into(),
        reason: error.to_string(),
    }
}
