//! The session index: one row per session file, so that a long list is one query. Everything in it can be made again from the
//! files, except what changed in a header since its last rewrite; that is why a row outlives a file that merely grew.

use super::{Fault, SqliteStore, ms_in, ms_out};
use kata_core::ports::StoreError;
use kata_protocol::{Ms, SessionClass, SessionId, SessionList, SessionSummary, WorkspaceId};
use rusqlite::{Connection, Row, ToSql, params};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Rows of a page when the caller names no number.
const PAGE: u32 = 200;
/// Rows of a page at most.
const LARGEST_PAGE: u32 = 1000;

/// How a file looked when its row was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Time of the last change in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Bytes.
    pub size: i64,
    /// Of line 1. As long as it is the same, nobody but us changed the header, and the row is newer than it.
    pub header_hash: i64,
}

/// What the index knows of a file, without the list row.
pub(crate) struct Known {
    /// Workspace.
    pub workspace: WorkspaceId,
    /// Folder of the session.
    pub folder: PathBuf,
    /// How its file looked.
    pub stamp: Stamp,
}

/// A row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IndexRow {
    /// Folder of the session.
    pub folder: PathBuf,
    /// How its file looked.
    pub stamp: Stamp,
    /// Whether the header names a conversation.
    pub keyed: bool,
    /// List row.
    pub summary: SessionSummary,
    /// When it went into the archive; `None` when it is not there, or nobody knows since when.
    pub archived_at: Option<Ms>,
    /// How it is tidied up.
    pub class: SessionClass,
    /// It has header fields that the file does not have yet.
    pub pending: bool,
}

/// List rows of sessions at work, each the newest of its session with when it was noted, on their way into the table.
#[derive(Default)]
pub(crate) struct Touched {
    rows: Mutex<HashMap<SessionId, (SessionSummary, Ms)>>,
    /// A write for all of them is on its way.
    queued: AtomicBool,
    /// How many were noted, and up to which of them the table is known to have them. Rows that a write has taken out are in the
    /// table only when it is committed.
    noted: AtomicU64,
    settled: AtomicU64,
}

impl Touched {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, (SessionSummary, Ms)>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes all of them.
    fn write(&self, db: &Connection) -> Result<(), Fault> {
        self.queued.store(false, Ordering::Release);
        let rows: Vec<_> = self.lock().drain().collect();
        let written = rows.iter().try_for_each(|(_, (summary, now))| replace(db, summary, *now).map(drop));
        if written.is_err() {
            // They are written when the disk takes them; what was noted meanwhile is newer.
            let mut noted = self.lock();
            for (id, row) in rows {
                noted.entry(id).or_insert(row);
            }
        }
        written
    }
}

impl SqliteStore {
    /// Notes a list row; it is in the table within a moment, many in one transaction.
    pub(crate) fn touch(&self, summary: SessionSummary, now: Ms) {
        let mut rows = self.touched.lock();
        rows.insert(summary.id.clone(), (summary, now));
        self.touched.noted.fetch_add(1, Ordering::AcqRel);
        if self.touched.queued.swap(true, Ordering::AcqRel) {
            return;
        }
        let touched = Arc::clone(&self.touched);
        if !self.writer.try_later(move |db| touched.write(db)) {
            // Without room it is dropped: the session's next row is newer anyway.
            self.touched.queued.store(false, Ordering::Release);
            rows.clear();
        }
    }

    /// Forgets a noted row: a newer one is about to be written.
    pub(crate) fn untouch(&self, id: &SessionId) {
        self.touched.lock().remove(id);
    }

    /// Writes what was noted, so that a read sees it. Where the disk refuses, the read goes on with what was there before.
    async fn settle_touched(&self) {
        let noted = self.touched.noted.load(Ordering::Acquire);
        if self.touched.settled.load(Ordering::Acquire) >= noted {
            return;
        }
        let touched = Arc::clone(&self.touched);
        // Writes are done in turn: when this one is committed, those that took rows before it are too.
        match self.write_rebuildable(move |db| touched.write(db)).await {
            Ok(()) => {
                self.touched.settled.fetch_max(noted, Ordering::AcqRel);
            }
            Err(error) => tracing::debug!(%error, "the newest list rows are not in the table yet"),
        }
    }

    /// What is known of every file, by id.
    pub(crate) async fn indexed(&self) -> Result<HashMap<SessionId, Known>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare("SELECT id, workspace, folder, mtime_ns, size, header_hash FROM sessions")?;
            let rows = statement.query([])?.and_then(|row| -> Result<_, Fault> {
                let known = Known {
                    workspace: WorkspaceId::new(row.get::<_, String>(1)?).map_err(Fault::id("workspace"))?,
                    folder: PathBuf::from(row.get::<_, String>(2)?),
                    stamp: Stamp {
                        mtime_ns: row.get(3)?,
                        size: row.get(4)?,
                        header_hash: row.get(5)?,
                    },
                };
                Ok((SessionId::new(row.get::<_, String>(0)?).map_err(Fault::id("session"))?, known))
            });
            rows.collect()
        })
        .await
    }

    /// One row.
    pub(crate) async fn indexed_session(&self, id: &SessionId) -> Result<Option<IndexRow>, StoreError> {
        self.settle_touched().await;
        let id = id.clone();
        self.read(move |db| {
            let sql = format!("SELECT {COLUMNS} FROM sessions WHERE id = ?1");
            let mut statement = db.prepare_cached(&sql)?;
            let mut rows = statement.query([id.as_str()])?;
            rows.next()?.map(index_row).transpose()
        })
        .await
    }

    /// Whether any conversation has a session.
    pub(crate) async fn has_keys(&self) -> Result<bool, StoreError> {
        self.read(|db| Ok(db.prepare("SELECT 1 FROM session_keys")?.exists([])?)).await
    }

    /// Takes conversations away from sessions that are not there; answers how many.
    pub(crate) async fn unbind_lost(&self) -> Result<u32, StoreError> {
        self.write(|db| {
            let count = db.execute("DELETE FROM session_keys WHERE session NOT IN (SELECT id FROM sessions)", [])?;
            Ok(u32::try_from(count).unwrap_or(u32::MAX))
        })
        .await
    }

    /// How many conversations have a session.
    pub(crate) async fn key_count(&self) -> Result<u32, StoreError> {
        self.read(|db| Ok(db.query_row("SELECT count(*) FROM session_keys", [], |row| row.get(0))?))
            .await
    }

    /// Sessions that may have a conversation, with their folders, newest first.
    pub(crate) async fn keyed_folders(&self) -> Result<Vec<(SessionId, PathBuf)>, StoreError> {
        self.read(|db| {
            let mut statement =
                db.prepare("SELECT id, folder FROM sessions WHERE channel OR keyed ORDER BY last_message_at DESC, id DESC")?;
            let rows = statement.query([])?.and_then(|row| -> Result<_, Fault> {
                let id = SessionId::new(row.get::<_, String>(0)?).map_err(Fault::id("session"))?;
                Ok((id, PathBuf::from(row.get::<_, String>(1)?)))
            });
            rows.collect()
        })
        .await
    }

    /// Makes or replaces rows.
    pub(crate) async fn index(&self, rows: Vec<IndexRow>) -> Result<(), StoreError> {
        self.write_rebuildable(move |db| rows.iter().try_for_each(|row| put(db, row))).await
    }

    /// Removes rows.
    pub(crate) async fn unindex(&self, ids: Vec<SessionId>) -> Result<(), StoreError> {
        self.write_rebuildable(move |db| {
            let mut statement = db.prepare_cached("DELETE FROM sessions WHERE id = ?1")?;
            for id in &ids {
                statement.execute([id.as_str()])?;
                db.prepare_cached("DELETE FROM plans WHERE session = ?1")?.execute([id.as_str()])?;
                super::search::forget(db, id)?;
            }
            Ok(())
        })
        .await
    }

    /// Replaces the list row of a session; `false` when there is none.
    pub(crate) async fn reindex(&self, summary: SessionSummary, now: Ms) -> Result<bool, StoreError> {
        self.write_rebuildable(move |db| replace(db, &summary, now)).await
    }

    /// Every row, for tidying up. One whose time in the archive nobody knows counts from `now`.
    pub(crate) async fn shelf(&self, now: Ms) -> Result<Vec<IndexRow>, StoreError> {
        self.settle_touched().await;
        self.write_rebuildable(move |db| {
            db.prepare_cached("UPDATE sessions SET archived_at = ?1 WHERE archived AND archived_at IS NULL")?
                .execute([ms_in(now)])?;
            Ok(())
        })
        .await?;
        self.read(|db| {
            let sql = format!("SELECT {COLUMNS} FROM sessions ORDER BY last_message_at, id");
            db.prepare_cached(&sql)?.query([])?.and_then(index_row).collect()
        })
        .await
    }

    /// Sessions with header fields that their files do not have yet.
    pub(crate) async fn pending(&self) -> Result<Vec<SessionId>, StoreError> {
        self.settle_touched().await;
        self.read(|db| {
            db.prepare("SELECT id FROM sessions WHERE pending ORDER BY id")?
                .query([])?
                .and_then(|row| SessionId::new(row.get::<_, String>(0)?).map_err(Fault::id("session")))
                .collect()
        })
        .await
    }

    /// Removes every row of the list and of the search.
    pub(crate) async fn unindex_all(&self) -> Result<(), StoreError> {
        self.write_rebuildable(|db| {
            db.execute("DELETE FROM sessions", [])?;
            super::search::forget_all(db)
        })
        .await
    }

    /// A page of the list, newest first, and how many rows match.
    pub(crate) async fn listed(&self, query: SessionList) -> Result<(Vec<SessionSummary>, u32), StoreError> {
        self.settle_touched().await;
        self.read(move |db| listed(db, &query)).await
    }

    /// Sessions per workspace.
    pub async fn session_counts(&self) -> Result<HashMap<WorkspaceId, u32>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached("SELECT workspace, count(*) FROM sessions GROUP BY workspace")?;
            let rows = statement.query([])?.and_then(|row| -> Result<_, Fault> {
                Ok((
                    WorkspaceId::new(row.get::<_, String>(0)?).map_err(Fault::id("workspace"))?,
                    row.get(1)?,
                ))
            });
            rows.collect()
        })
        .await
    }
}

const COLUMNS: &str = "folder, mtime_ns, size, header_hash, summary, keyed, archived_at, class, pending";

fn index_row(row: &Row<'_>) -> Result<IndexRow, Fault> {
    Ok(IndexRow {
        folder: PathBuf::from(row.get::<_, String>(0)?),
        stamp: Stamp {
            mtime_ns: row.get(1)?,
            size: row.get(2)?,
            header_hash: row.get(3)?,
        },
        keyed: row.get(5)?,
        summary: parse(&row.get::<_, String>(4)?)?,
        archived_at: row.get::<_, Option<i64>>(6)?.map(ms_out),
        class: class(&row.get::<_, String>(7)?),
        pending: row.get(8)?,
    })
}

/// A stored class; one that is not known is the one that is left alone most.
fn class(text: &str) -> SessionClass {
    match text {
        "direct" => SessionClass::Direct,
        "group" => SessionClass::Group,
        "thread" => SessionClass::Thread,
        _ => SessionClass::Desktop,
    }
}

/// The stored name of a class.
pub(crate) fn class_name(class: SessionClass) -> &'static str {
    match class {
        SessionClass::Desktop => "desktop",
        SessionClass::Direct => "direct",
        SessionClass::Group => "group",
        SessionClass::Thread => "thread",
    }
}

/// Replaces a list row; `false` when there is none.
fn replace(db: &Connection, summary: &SessionSummary, now: Ms) -> Result<bool, Fault> {
    let changed = db
        .prepare_cached(
            "UPDATE sessions SET workspace = ?2, last_message_at = ?3, channel = ?4, words = ?5, summary = ?6, archived = ?7,
               archived_at = iif(?7, coalesce(archived_at, ?8), NULL), pending = 1 WHERE id = ?1",
        )?
        .execute(params![
            summary.id.as_str(),
            summary.workspace.as_str(),
            ms_in(summary.last_message_at),
            summary.channel.is_some(),
            words(summary),
            text(summary)?,
            summary.archived,
            ms_in(now)
        ])?;
    Ok(changed > 0)
}

fn put(db: &Connection, row: &IndexRow) -> Result<(), Fault> {
    let summary = &row.summary;
    db.prepare_cached(
        "INSERT OR REPLACE INTO sessions
           (id, workspace, folder, mtime_ns, size, header_hash, last_message_at, channel, words, summary, keyed, archived, archived_at,
            class, pending)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute(params![
        summary.id.as_str(),
        summary.workspace.as_str(),
        row.folder.to_string_lossy(),
        row.stamp.mtime_ns,
        row.stamp.size,
        row.stamp.header_hash,
        ms_in(summary.last_message_at),
        summary.channel.is_some(),
        words(summary),
        text(summary)?,
        row.keyed,
        summary.archived,
        row.archived_at.filter(|_| summary.archived).map(ms_in),
        class_name(row.class),
        row.pending
    ])?;
    Ok(())
}

fn listed(db: &Connection, query: &SessionList) -> Result<(Vec<SessionSummary>, u32), Fault> {
    let mut conditions = Vec::new();
    let mut values: Vec<Box<dyn ToSql>> = Vec::new();
    let mut with = |condition: &str, value: Box<dyn ToSql>| {
        values.push(value);
        conditions.push(condition.replace('?', &format!("?{}", values.len())));
    };
    with("archived = ?", Box::new(query.archived.unwrap_or_default()));
    if let Some(workspace) = &query.workspace {
        with("workspace = ?", Box::new(workspace.as_str().to_owned()));
    }
    if let Some(channel) = query.channel {
        with("channel = ?", Box::new(channel));
    }
    for word in query.search.iter().flat_map(|search| search.split_whitespace()) {
        with("instr(words, ?) > 0", Box::new(word.to_lowercase()));
    }
    let conditions = conditions.join(" AND ");
    let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
    let total = db
        .prepare_cached(&format!("SELECT count(*) FROM sessions WHERE {conditions}"))?
        .query_row(&*values, |row| row.get(0))?;
    let (limit, offset) = (query.limit.unwrap_or(PAGE).min(LARGEST_PAGE), query.offset.unwrap_or(0));
    let sql =
        format!("SELECT summary FROM sessions WHERE {conditions} ORDER BY last_message_at DESC, id DESC LIMIT {limit} OFFSET {offset}");
    // Not kept prepared: the numbers in it would fill the cache with one statement per page.
    let page = db
        .prepare(&sql)?
        .query(&*values)?
        .and_then(|row| parse(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?))
        .collect::<Result<_, Fault>>()?;
    Ok((page, total))
}

/// What a search looks in.
fn words(summary: &SessionSummary) -> String {
    let parts = [summary.name.as_deref(), summary.preview.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n").to_lowercase()
}

fn text(summary: &SessionSummary) -> Result<String, Fault> {
    serde_json::to_string(summary).map_err(Fault::json("session summary"))
}

pub(super) fn parse(text: &str) -> Result<SessionSummary, Fault> {
    serde_json::from_str(text)
        .map_err(Fault::json("session summary"))
        .map(|mut summary: SessionSummary| {
            // Whatever it was doing when the row was written, it is not doing it now.
            summary.state = kata_protocol::SessionState::Idle;
            summary
        })
}
