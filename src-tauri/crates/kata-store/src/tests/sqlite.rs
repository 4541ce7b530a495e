//! What only the SQLite store promises: durability, damage, retention, many callers at once.

use super::samples::{draft, id, part};
use crate::{AuditRecord, KEEP_MS, SqliteStore, atomic};
use kata_core::ports::{InboxEnd, KeyStore, MessageStore, OutboxState, PluginStateStore};
use kata_protocol::{Count, Json, Ms, Receipt};
use std::path::Path;
use std::sync::Arc;

/// What a kill -9 leaves: the file and its journal as they are now, without a clean close.
fn snapshot(from: &Path, to: &Path) {
    for name in ["kata.db", "kata.db-wal"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

#[tokio::test]
async fn a_store_that_was_lost_and_made_anew_gives_no_message_a_number_that_was_used_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kata.db");
    let mut used = Vec::new();
    let store = SqliteStore::open(&path).unwrap();
    // Several in one moment, and one while the clock is behind.
    for (message, now) in [("a", 5_000), ("b", 5_000), ("c", 4_000)] {
        used.push(store.accept(&id("telegram"), &draft(message), Ms(now)).await.unwrap().unwrap());
    }
    assert!(used.is_sorted_by(|a, b| a < b), "{used:?}");
    drop(store);
    let anew = folder.path().join("anew.db");
    let store = SqliteStore::open(&anew).unwrap();
    let first = store.accept(&id("telegram"), &draft("d"), Ms(6_000)).await.unwrap().unwrap();
    assert!(
        !used.contains(&first) && used.iter().all(|old| *old < first),
        "{first:?} after {used:?}"
    );
}

#[tokio::test]
async fn what_was_answered_is_in_the_file_without_a_clean_end() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("kata.db")).unwrap();
    let inbox = store.accept(&id("telegram"), &draft("m"), Ms(1)).await.unwrap().unwrap();
    let mut killed = Vec::new();
    let kill = |killed: &mut Vec<tempfile::TempDir>| {
        let copy = tempfile::tempdir().unwrap();
        snapshot(folder.path(), copy.path());
        killed.push(copy);
    };
    kill(&mut killed);
    store.routed(inbox, &id("key"), &id("s1")).await.unwrap();
    kill(&mut killed);
    let row = store.enqueue(Some(inbox), vec![part("k")], Ms(2)).await.unwrap().remove(0);
    kill(&mut killed);
    store.sending(row.id, 1).await.unwrap();
    kill(&mut killed);
    store
        .sent(
            row.id,
            &Receipt {
                message_ids: vec![id("9")],
            },
        )
        .await
        .unwrap();
    kill(&mut killed);

    let mut seen = Vec::new();
    for copy in &killed {
        let store = SqliteStore::open(&copy.path().join("kata.db")).unwrap();
        let unfinished = store.unfinished().await.unwrap();
        let unsent = store.unsent().await.unwrap();
        seen.push((
            unfinished.first().map(|row| row.session.is_some()),
            unsent.first().map(|row| (row.state.clone(), row.message.attempt)),
            store.ledger().await.unwrap().delivered,
        ));
    }
    let pending = OutboxState::Pending { next_at: Ms(2) };
    assert_eq!(
        seen,
        [
            (Some(false), None, Count(0)),
            (Some(true), None, Count(0)),
            (None, Some((pending, 0)), Count(0)),
            (None, Some((OutboxState::Sending, 1)), Count(0)),
            (None, None, Count(1)),
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_at_once_each_get_their_own_answer() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("kata.db")).unwrap();
    let mut callers = tokio::task::JoinSet::new();
    for n in 0..300 {
        let store = Arc::clone(&store);
        callers.spawn(async move {
            // Every third message is a duplicate of the one before, and every fifth write fails.
            let accepted = store
                .accept(&id("telegram"), &draft(&format!("m{}", n - n % 3)), Ms(1))
                .await
                .unwrap();
            if n % 5 == 0 {
                assert!(store.finish(kata_core::ports::InboxId(9_999), InboxEnd::Silent).await.is_err());
            }
            if let Some(inbox) = accepted {
                store.finish(inbox, InboxEnd::Silent).await.unwrap();
            }
            accepted.is_some()
        });
    }
    let mut accepted = 0;
    while let Some(answer) = callers.join_next().await {
        accepted += u64::from(answer.unwrap());
    }
    let ledger = store.ledger().await.unwrap();
    assert_eq!((accepted, ledger.accepted, ledger.delivered), (100, Count(100), Count(100)));
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_whole_and_a_fresh_one_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kata.db");
    let damaged = b"SQLite format 3\0 but nothing else of one".repeat(40);
    atomic::atomic_write(&path, &damaged, atomic::FILE_MODE).unwrap();
    assert!(SqliteStore::open(&path).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), damaged, "open alone changes nothing");

    let (store, notice) = SqliteStore::open_or_set_aside(&path, Ms(1234)).unwrap();
    assert!(notice.is_some());
    assert_eq!(std::fs::read(folder.path().join("kata.db.damaged-1234")).unwrap(), damaged);
    store.bind(&id("k"), &id("s")).await.unwrap();
    drop(store);
    let (store, notice) = SqliteStore::open_or_set_aside(&path, Ms(1235)).unwrap();
    assert!(notice.is_none());
    assert_eq!(store.session_for(&id("k")).await.unwrap(), Some(id("s")));
}

#[tokio::test]
async fn a_broken_page_is_found_at_the_start() {
    use std::io::{Seek, SeekFrom, Write};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kata.db");
    let store = SqliteStore::open(&path).unwrap();
    for n in 0..50 {
        store
            .set(&id("p"), &format!("key{n}"), Some(&Json(serde_json::json!("x".repeat(400)))))
            .await
            .unwrap();
    }
    drop(store);
    let size = path.metadata().unwrap().len();
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(size - 4096)).unwrap();
    file.write_all(&[0xA5; 4096]).unwrap();
    drop(file);
    let (_store, notice) = SqliteStore::open_or_set_aside(&path, Ms(7)).unwrap();
    assert!(notice.is_some());
    assert!(folder.path().join("kata.db.damaged-7").exists());
}

#[test]
fn a_file_of_a_newer_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kata.db");
    drop(SqliteStore::open(&path).unwrap());
    rusqlite::Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 900)
        .unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = SqliteStore::open_or_set_aside(&path, Ms(7)).err().unwrap();
    assert!(error.to_string().contains("newer version"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let _store = SqliteStore::open(&folder.path().join("kata.db")).unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap().flatten() {
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.path());
    }
}

#[tokio::test]
async fn old_texts_go_but_the_ledger_and_the_dedupe_keys_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("kata.db")).unwrap();
    let (old, recent) = (Ms(1000), Ms(1000 + KEEP_MS));
    let done = store.accept(&id("telegram"), &draft("done"), old).await.unwrap().unwrap();
    let row = store.enqueue(Some(done), vec![part("k")], old).await.unwrap().remove(0);
    store.sent(row.id, &Receipt { message_ids: vec![] }).await.unwrap();
    let dead = store.accept(&id("telegram"), &draft("dead"), old).await.unwrap().unwrap();
    let given_up = store.enqueue(Some(dead), vec![part("k2")], old).await.unwrap().remove(0);
    store.unsent_again(given_up.id, OutboxState::Dead, "blocked").await.unwrap();
    store.accept(&id("telegram"), &draft("waits"), old).await.unwrap().unwrap();
    let fresh = store.accept(&id("telegram"), &draft("fresh"), recent).await.unwrap().unwrap();
    store.finish(fresh, InboxEnd::Silent).await.unwrap();
    let before = store.ledger().await.unwrap();

    let pruned = store.prune(Ms(1001 + KEEP_MS)).await.unwrap();
    assert_eq!((pruned.inbox, pruned.outbox), (2, 2));
    assert_eq!(store.ledger().await.unwrap(), before);
    assert_eq!(store.accept(&id("telegram"), &draft("done"), recent).await.unwrap(), None);
    assert!(store.enqueue(None, vec![part("k")], recent).await.unwrap().is_empty());
    assert_eq!(store.unfinished().await.unwrap()[0].draft, draft("waits"));
    let retry = store
        .unsent_again(given_up.id, OutboxState::Pending { next_at: Ms(1) }, "by hand")
        .await;
    assert!(retry.is_err(), "there is no text left to send");
    assert!(store.unsent().await.unwrap().is_empty());
    assert_eq!(store.prune(Ms(1002 + KEEP_MS)).await.unwrap().inbox, 0);
}

#[tokio::test]
async fn the_audit_shows_the_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("kata.db")).unwrap();
    let line = |at| AuditRecord {
        at: Ms(at),
        actor: "cli".into(),
        action: "pair.approve".into(),
        subject: "telegram".into(),
    };
    store.record_audit(line(1)).await.unwrap();
    store.record_audit(line(2)).await.unwrap();
    assert_eq!(store.audit(1).await.unwrap(), [line(2)]);
    assert_eq!(store.audit(9).await.unwrap(), [line(2), line(1)]);
}

/// Makes SQLite refuse as it does on a full disk, or on one that may only be read.
async fn pragma(store: &SqliteStore, name: &'static str, value: i64) {
    store
        .write_rebuildable(move |db| Ok(db.pragma_update(None, name, value)?))
        .await
        .unwrap();
}

async fn pages(store: &SqliteStore) -> i64 {
    let count = |db: &rusqlite::Connection| Ok(db.pragma_query_value(None, "page_count", |row| row.get(0))?);
    store.write_rebuildable(count).await.unwrap()
}

/// With one pool for all, a connection whose pages another one took gets none again (`.cargo/config.toml`).
#[tokio::test]
async fn each_connection_keeps_pages_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("kata.db")).unwrap();
    let options = |db: &rusqlite::Connection| {
        let mut statement = db.prepare("PRAGMA compile_options")?;
        Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?)
    };
    let options = store.write_rebuildable(options).await.unwrap();
    assert!(
        !options.is_empty() && !options.iter().any(|option| option == "ENABLE_MEMORY_MANAGEMENT"),
        "{options:?}"
    );
}

#[tokio::test]
async fn a_full_disk_refuses_whole_writes_and_takes_them_again_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("kata.db")).unwrap();
    let full = pages(&store).await;
    pragma(&store, "max_page_count", full).await;
    let mut accepted = 0_u32;
    let refused = loop {
        match store.accept(&id("telegram"), &draft(&format!("m{accepted}")), Ms(1)).await {
            Ok(row) => accepted += u32::from(row.is_some()),
            Err(error) => break error,
        }
        assert!(accepted < 100_000, "the disk never filled");
    };
    assert!(refused.to_string().contains("full"), "{refused}");
    // What was accepted is there, what was refused is not, and reading goes on.
    assert_eq!(store.ledger().await.unwrap().accepted, Count(u64::from(accepted)));
    assert!(store.accept(&id("telegram"), &draft("late"), Ms(1)).await.is_err());

    pragma(&store, "max_page_count", i64::from(u32::MAX) / 2).await;
    assert!(
        store.accept(&id("telegram"), &draft("late"), Ms(1)).await.unwrap().is_some(),
        "it is no duplicate of itself"
    );
    assert_eq!(store.ledger().await.unwrap().accepted, Count(u64::from(accepted) + 1));
}

#[tokio::test]
async fn a_store_that_another_program_holds_answers_reads_and_takes_writes_again_when_it_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kata.db");
    let store = SqliteStore::open(&path).unwrap();
    let inbox = store.accept(&id("telegram"), &draft("m"), Ms(1)).await.unwrap().unwrap();
    pragma(&store, "busy_timeout", 0).await;
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.finish(inbox, InboxEnd::Silent).await.unwrap_err();
    assert!(refused.to_string().contains("locked"), "{refused}");
    assert_eq!(store.unfinished().await.unwrap().len(), 1);
    other.execute_batch("ROLLBACK").unwrap();
    store.finish(inbox, InboxEnd::Silent).await.unwrap();
    assert_eq!(store.ledger().await.unwrap().delivered, Count(1));
}
