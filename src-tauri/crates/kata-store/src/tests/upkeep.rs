//! The archive, deleting, the end of a long session, the index made anew, and a store that may only be read.

use super::samples::{draft, id, part};
use super::world::{NOON, World, header, new_session, said};
use crate::{FileTranscripts, SqliteStore};
use kata_core::ports::{Append, JournalEntry, KeyStore, MessageStore, NewSession, TranscriptError, Transcripts};
use kata_protocol::{Count, MessageId, Ms, SessionChannel, SessionClass, SessionId, SessionList, TurnEnd};
use serde_json::{Value, json};

async fn listed(sessions: &FileTranscripts, archived: Option<bool>) -> Vec<SessionId> {
    let query = SessionList {
        archived,
        ..SessionList::default()
    };
    sessions.list(query).await.unwrap().0.into_iter().map(|s| s.id).collect()
}

fn first_line(world: &World, id: &SessionId) -> Value {
    serde_json::from_str(world.read_session(id.as_str()).lines().next().unwrap()).unwrap()
}

#[tokio::test]
async fn an_archived_session_is_out_of_the_list_and_its_file_says_since_when() {
    let world = World::empty();
    let sessions = world.open().await;
    let (a, b) = (
        sessions.create(new_session()).await.unwrap(),
        sessions.create(new_session()).await.unwrap(),
    );
    let mut summary = a.clone();
    summary.archived = true;
    sessions.update(summary.clone()).await.unwrap();
    assert_eq!(listed(&sessions, None).await, std::slice::from_ref(&b.id));
    assert_eq!(listed(&sessions, Some(false)).await, [b.id]);
    assert_eq!(listed(&sessions, Some(true)).await, std::slice::from_ref(&a.id));
    sessions.rewrite(&a.id).await.unwrap();
    assert_eq!(
        (&first_line(&world, &a.id)["isArchived"], &first_line(&world, &a.id)["archivedAt"]),
        (&json!(true), &json!(NOON))
    );
    // A store that was lost learns it again.
    drop(sessions);
    std::fs::remove_file(world.folder.path().join("kata.db")).unwrap();
    let sessions = world.open().await;
    let row = sessions
        .shelf()
        .await
        .unwrap()
        .into_iter()
        .find(|row| row.summary.id == a.id)
        .unwrap();
    assert_eq!((row.summary.archived, row.archived_at), (true, Some(Ms(NOON))));
    summary.archived = false;
    sessions.update(summary).await.unwrap();
    sessions.rewrite(&a.id).await.unwrap();
    assert_eq!(first_line(&world, &a.id).get("archivedAt"), None);
}

#[tokio::test]
async fn a_session_keeps_its_class_in_its_file() {
    let world = World::empty();
    let sessions = world.open().await;
    let channel = Some(SessionChannel {
        adapter: "telegram".into(),
        slug: "telegram".into(),
        display_name: None,
    });
    let group = NewSession {
        class: SessionClass::Group,
        channel: channel.clone(),
        ..new_session()
    };
    let group = sessions.create(group).await.unwrap().id;
    let mut old = header("260301-old-one");
    old["channel"] = json!(channel);
    world.write_session("260301-old-one", &format!("{old}\n"));
    sessions.rescan().await.unwrap();
    let class = |rows: &[crate::ShelfRow], id: &str| rows.iter().find(|row| row.summary.id.as_str() == id).unwrap().class;
    let rows = sessions.shelf().await.unwrap();
    assert_eq!(class(&rows, group.as_str()), SessionClass::Group);
    assert_eq!(class(&rows, "260301-old-one"), SessionClass::Direct, "of an older version");
}

#[tokio::test]
async fn a_deletion_that_was_cut_off_is_finished_at_the_next_start_and_unbinds_first() {
    let world = World::empty();
    let trash = world.workspace().path.join(".trash/260301-gone");
    std::fs::create_dir_all(&trash).unwrap();
    let sessions = world.open().await;
    assert!(!trash.exists());
    let gone = sessions.create(new_session()).await.unwrap().id;
    sessions.index.bind(&id("telegram:bot:c1"), &gone).await.unwrap();
    sessions.remove(&gone).await.unwrap();
    assert_eq!(sessions.index.session_for(&id("telegram:bot:c1")).await.unwrap(), None);
    assert!(matches!(sessions.remove(&gone).await, Err(TranscriptError::NotFound(_))));
}

#[tokio::test]
async fn what_a_deleted_session_wrote_is_not_put_back_into_another_of_its_name() {
    let world = World::empty();
    let sessions = world.open().await;
    let gone = sessions.create(new_session()).await.unwrap().id;
    sessions.append(&gone, said("m1", "secret")).await.unwrap();
    sessions.remove(&gone).await.unwrap();
    world.write_session(gone.as_str(), &format!("{}\n", header(gone.as_str())));
    drop(sessions);
    drop(world.open().await);
    assert!(!world.read_session(gone.as_str()).contains("secret"));
}

/// A session of so many messages, larger than what is read whole.
fn long(world: &World, messages: u32) -> SessionId {
    let rows: String = (1..=messages)
        .map(|n| {
            let kind = if n % 2 == 1 { "user" } else { "assistant" };
            json!({"id": format!("m{n}"), "type": kind, "content": "word ".repeat(120), "timestamp": NOON}).to_string() + "\n"
        })
        .collect();
    world.write_session("260301-long-one", &format!("{}\n{rows}", header("260301-long-one")));
    id("260301-long-one")
}

#[tokio::test]
async fn the_end_of_a_long_session_is_read_alone_and_back_page_by_page_to_its_first_message() {
    let world = World::empty();
    let long = long(&world, 4_000);
    let sessions = world.open().await;
    let mut before: Option<MessageId> = None;
    let mut seen = Vec::new();
    loop {
        let page = sessions.tail(&long, 777, before.as_ref()).await.unwrap().unwrap();
        let ids: Vec<String> = page.rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(page.earlier as usize + ids.len() + seen.len(), 4_000);
        let Some(first) = ids.first() else { break };
        before = Some(id(first));
        seen.splice(0..0, ids);
        if page.earlier == 0 {
            break;
        }
    }
    assert_eq!(seen, (1..=4_000).map(|n| format!("m{n}")).collect::<Vec<_>>());
    let nowhere = sessions.tail(&long, 5, Some(&id("nobody"))).await;
    assert!(matches!(nowhere, Err(TranscriptError::NoMessage(_))));
}

#[tokio::test]
async fn a_session_with_something_open_is_loaded_whole() {
    let world = World::empty();
    let long = long(&world, 4_000);
    let sessions = world.open().await;
    assert!(sessions.tail(&long, 5, None).await.unwrap().is_some());
    let turn = |entry| Append {
        journal: vec![entry],
        sync: true,
        ..Append::default()
    };
    let started = JournalEntry::TurnStarted {
        turn: id("t1"),
        input: id("m3999"),
        model: "m".into(),
        context: Vec::new(),
    };
    sessions.append(&long, turn(started)).await.unwrap();
    assert!(sessions.tail(&long, 5, None).await.unwrap().is_none(), "a turn is open");
    let ended = JournalEntry::TurnEnded {
        turn: id("t1"),
        end: TurnEnd::Completed,
    };
    sessions.append(&long, turn(ended)).await.unwrap();
    assert!(sessions.tail(&long, 5, None).await.unwrap().is_some());
    sessions.append(&long, said("m4001", "and now?")).await.unwrap();
    assert!(sessions.tail(&long, 5, None).await.unwrap().is_none(), "an input has no answer");
    let short = sessions.create(new_session()).await.unwrap().id;
    assert!(sessions.tail(&short, 5, None).await.unwrap().is_none());
}

#[tokio::test]
async fn an_index_made_anew_has_every_session_key_and_word_and_keeps_what_only_the_index_knew() {
    let world = World::fixture();
    let sessions = world.open().await;
    let before = listed(&sessions, None).await;
    let made = sessions.create(new_session()).await.unwrap();
    sessions.append(&made.id, said("m1", "papaya")).await.unwrap();
    let mut named = made.clone();
    named.name = Some("only in the index".into());
    sessions.update(named).await.unwrap();
    sessions
        .index
        .bind(&id("telegram:bot:lost"), &id("260101-not-there"))
        .await
        .unwrap();
    sessions.index.bind(&id("telegram:bot:c1"), &made.id).await.unwrap();
    sessions.index.unindex(before.clone()).await.unwrap();

    let rebuilt = sessions.rebuild_index().await.unwrap();
    assert_eq!(rebuilt.sessions as usize, before.len() + 1);
    assert_eq!(sessions.summary(&made.id).await.unwrap().name.as_deref(), Some("only in the index"));
    assert_eq!(first_line(&world, &made.id)["name"], "only in the index");
    assert_eq!(sessions.index.session_for(&id("telegram:bot:lost")).await.unwrap(), None);
    assert_eq!(sessions.index.session_for(&id("telegram:bot:c1")).await.unwrap(), Some(made.id));
    while sessions.fill_search().await.unwrap() > 0 {}
    assert_eq!(sessions.search("papaya", None, 5).await.unwrap().len(), 1);
    let mut after = listed(&sessions, None).await;
    after.retain(|id| before.contains(id));
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_store_that_may_only_be_read_acknowledges_nothing_answers_reads_and_goes_on_when_it_may_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("kata.db")).unwrap();
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = std::sync::Arc::clone(&told);
    store.on_trouble(move |reason| heard.lock().unwrap().push(reason.is_some()));
    let inbox = store.accept(&id("telegram"), &draft("m1"), Ms(1)).await.unwrap().unwrap();
    store.read_only(true);
    let refused = store.accept(&id("telegram"), &draft("m2"), Ms(1)).await.unwrap_err();
    assert!(refused.to_string().contains("readonly"), "{refused}");
    assert!(store.enqueue(Some(inbox), vec![part("k")], Ms(1)).await.is_err());
    assert!(store.probe().await.is_err());
    assert_eq!(store.ledger().await.unwrap().accepted, Count(1), "reading goes on");
    assert_eq!(*told.lock().unwrap(), [true]);
    store.read_only(false);
    store.probe().await.unwrap();
    assert!(store.accept(&id("telegram"), &draft("m2"), Ms(1)).await.unwrap().is_some());
    assert_eq!(*told.lock().unwrap(), [true, false]);
}
