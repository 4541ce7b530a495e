//! Durability of session files: what a power cut takes from them is put back, once, and nothing else is touched.

use super::samples::id;
use super::world::{World, header, new_session, row, said, write};
use kata_core::conversations::Conversations;
use kata_core::ports::{Append, JournalEntry, KeyStore, NewSession, TranscriptError, Transcripts};
use kata_protocol::{SessionChannel, SessionId, SessionKey, TurnEnd, TurnId};
use serde_json::json;

fn entry(turn: &str) -> JournalEntry {
    JournalEntry::TurnEnded {
        turn: TurnId::new(turn).unwrap(),
        end: TurnEnd::Completed,
    }
}

fn journal(turn: &str) -> Append {
    Append {
        journal: vec![entry(turn)],
        sync: true,
        ..Append::default()
    }
}

#[tokio::test]
async fn what_a_power_cut_took_from_session_files_is_put_back_at_the_next_start() {
    let world = World::empty();
    let (a, b);
    let log;
    {
        let sessions = world.open().await;
        (a, b) = (
            sessions.create(new_session()).await.unwrap().id,
            sessions.create(new_session()).await.unwrap().id,
        );
        for n in 0..3 {
            sessions.append(&a, said(&format!("a{n}"), "from a")).await.unwrap();
            sessions.append(&b, said(&format!("b{n}"), "from b")).await.unwrap();
            sessions.append(&a, journal(&format!("t{n}"))).await.unwrap();
        }
        // As it is at the moment of the cut, before a clean end syncs the files and begins the log again.
        log = std::fs::read(world.folder.path().join("sessions.wal")).unwrap();
    }
    let whole = (world.read_session(a.as_str()), world.read_session(b.as_str()));
    let kept = std::fs::read_to_string(world.session(a.as_str()).join("journal.jsonl")).unwrap();
    // The disk has the first row of one, half of the second row of the other, and no journal.
    let cut = |content: &str, lines: usize, bytes: usize| {
        let length: usize = content.split_inclusive('\n').take(lines).map(str::len).sum();
        content.as_bytes()[..length + bytes].to_vec()
    };
    write(&world.session(a.as_str()).join("session.jsonl"), &cut(&whole.0, 2, 0));
    write(&world.session(b.as_str()).join("session.jsonl"), &cut(&whole.1, 2, 9));
    std::fs::remove_file(world.session(a.as_str()).join("journal.jsonl")).unwrap();
    write(&world.folder.path().join("sessions.wal"), &log);

    let sessions = world.open().await;
    let rows = |id: &SessionId| {
        let (sessions, id) = (sessions.clone(), id.clone());
        async move {
            sessions
                .load(&id)
                .await
                .unwrap()
                .rows
                .iter()
                .map(|row| row["id"].to_string())
                .collect::<Vec<_>>()
        }
    };
    assert_eq!(rows(&a).await, [r#""a0""#, r#""a1""#, r#""a2""#]);
    assert_eq!(rows(&b).await, [r#""b0""#, r#""b1""#, r#""b2""#]);
    assert_eq!(
        std::fs::read_to_string(world.session(a.as_str()).join("journal.jsonl")).unwrap(),
        kept
    );
    drop(sessions);
    let before = (world.read_session(a.as_str()), world.read_session(b.as_str()));
    drop(world.open().await);
    assert_eq!(
        (world.read_session(a.as_str()), world.read_session(b.as_str())),
        before,
        "and once is enough"
    );
}

#[tokio::test]
async fn a_kill_of_the_program_puts_nothing_back_twice() {
    let world = World::empty();
    let log;
    let id = {
        let sessions = world.open().await;
        let id = sessions.create(new_session()).await.unwrap().id;
        for n in 0..50 {
            sessions.append(&id, said(&format!("m{n}"), "x")).await.unwrap();
        }
        log = std::fs::read(world.folder.path().join("sessions.wal")).unwrap();
        id
    };
    let before = world.read_session(id.as_str());
    write(&world.folder.path().join("sessions.wal"), &log);
    let sessions = world.open().await;
    assert_eq!(world.read_session(id.as_str()), before);
    assert_eq!(sessions.load(&id).await.unwrap().rows.len(), 50);
}

#[tokio::test]
async fn a_torn_record_and_what_an_earlier_run_left_behind_it_are_not_read() {
    let world = World::empty();
    let path = world.folder.path().join("sessions.wal");
    let id = {
        let sessions = world.open().await;
        let id = sessions.create(new_session()).await.unwrap().id;
        for n in 0..3 {
            sessions.append(&id, said(&format!("m{n}"), "x")).await.unwrap();
        }
        id
    };
    // A clean end began again: the records are still in the file, and of an earlier epoch.
    let shorter = world.read_session(id.as_str()).split_inclusive('\n').take(2).collect::<String>();
    write(&world.session(id.as_str()).join("session.jsonl"), shorter.as_bytes());
    drop(world.open().await);
    assert_eq!(
        world.read_session(id.as_str()),
        shorter,
        "what somebody took out of a session stays out"
    );

    let log;
    {
        let sessions = world.open().await;
        sessions.append(&id, said("new", "x")).await.unwrap();
        log = std::fs::read(&path).unwrap();
    }
    let mut torn = log;
    torn[60] ^= 1;
    write(&world.session(id.as_str()).join("session.jsonl"), shorter.as_bytes());
    write(&path, &torn);
    drop(world.open().await);
    assert_eq!(world.read_session(id.as_str()), shorter, "a record that is not whole is none");
}

#[tokio::test]
async fn more_than_the_log_holds_goes_through_it() {
    let world = World::empty();
    let sessions = world.open().await;
    let id = sessions.create(new_session()).await.unwrap().id;
    // Twice its length in pieces, and one piece larger than the whole.
    for n in 0..20 {
        sessions.append(&id, said(&format!("m{n}"), &"x".repeat(400_000))).await.unwrap();
    }
    sessions.append(&id, said("huge", &"y".repeat(5_000_000))).await.unwrap();
    sessions.append(&id, said("last", "z")).await.unwrap();
    assert_eq!(
        std::fs::metadata(world.folder.path().join("sessions.wal")).unwrap().len(),
        4 * 1024 * 1024
    );
    drop(sessions);
    let sessions = world.open().await;
    assert_eq!(sessions.load(&id).await.unwrap().rows.len(), 22);
}

#[tokio::test]
async fn an_append_that_fails_in_one_file_leaves_both_as_they_were() {
    let world = World::empty();
    let sessions = world.open().await;
    let id = sessions.create(new_session()).await.unwrap().id;
    sessions.append(&id, said("one", "x")).await.unwrap();
    let before = world.read_session(id.as_str());
    // A folder where the journal should be: the rows were written already when that is found.
    std::fs::create_dir(world.session(id.as_str()).join("journal.jsonl")).unwrap();
    let both = Append {
        rows: vec![row(json!({"id": "two", "type": "user", "content": "x"}))],
        journal: vec![entry("t")],
        sync: true,
    };
    let error = sessions.append(&id, both.clone()).await.unwrap_err();
    assert!(matches!(error, TranscriptError::Io { .. }), "{error:?}");
    assert_eq!(world.read_session(id.as_str()), before);
    std::fs::remove_dir(world.session(id.as_str()).join("journal.jsonl")).unwrap();
    sessions.append(&id, both).await.unwrap();
    assert_eq!(sessions.load(&id).await.unwrap().rows.len(), 2, "the second try stands once");
}

#[tokio::test]
async fn a_session_that_was_removed_is_told_as_gone_and_is_not_made_again() {
    let world = World::empty();
    let log;
    let id;
    {
        let sessions = world.open().await;
        id = sessions.create(new_session()).await.unwrap().id;
        sessions.append(&id, said("one", "x")).await.unwrap();
        std::fs::remove_dir_all(world.session(id.as_str())).unwrap();
        let gone = sessions.append(&id, said("two", "x")).await.unwrap_err();
        assert!(matches!(gone, TranscriptError::NotFound(_)), "{gone:?}");
        log = std::fs::read(world.folder.path().join("sessions.wal")).unwrap();
    }
    write(&world.folder.path().join("sessions.wal"), &log);
    drop(world.open().await);
    assert!(!world.session(id.as_str()).exists());
}

#[tokio::test]
async fn list_rows_of_sessions_at_work_are_seen_at_once_and_survive_the_end() {
    let world = World::empty();
    let sessions = world.open().await;
    let mut summary = sessions.create(new_session()).await.unwrap();
    for n in 0..500_u32 {
        summary.message_count = n;
        summary.name = Some(format!("title {n}"));
        sessions.touch(summary.clone());
    }
    assert_eq!(sessions.summary(&summary.id).await.unwrap(), summary);
    summary.name = Some("by hand".into());
    sessions.touch(summary.clone());
    summary.name = Some("by hand, later".into());
    sessions.update(summary.clone()).await.unwrap();
    assert_eq!(
        sessions.summary(&summary.id).await.unwrap(),
        summary,
        "the older of the two does not come after"
    );
    summary.unread = true;
    sessions.touch(summary.clone());
    drop(sessions);
    assert_eq!(world.open().await.summary(&summary.id).await.unwrap().name, summary.name);
}

#[tokio::test]
async fn conversations_find_their_sessions_again_when_the_store_was_set_aside() {
    let world = World::empty();
    let channel = |key: &str| NewSession {
        channel: Some(SessionChannel {
            adapter: "telegram".into(),
            slug: "telegram".into(),
            display_name: None,
        }),
        channel_id: Some("telegram".into()),
        external_conversation: Some(key.into()),
        working_directory: None,
        profile: None,
        ..new_session()
    };
    let (old, new, other);
    {
        let sessions = world.open().await;
        old = sessions.create(channel("telegram:bot:1")).await.unwrap().id;
        new = sessions.create(channel("telegram:bot:1")).await.unwrap().id;
        other = sessions.create(channel("telegram:bot:2:7")).await.unwrap().id;
        sessions.create(new_session()).await.unwrap();
        let mut late = said("m", "x");
        late.rows[0].insert("timestamp".into(), json!(super::world::NOON + 60_000));
        sessions.append(&new, late).await.unwrap();
    }
    // Another program's id of a conversation is no key of ours.
    let mut foreign = header("260301-foreign");
    foreign["channel"] = json!({"adapter": "slack", "slug": "team"});
    foreign["channelId"] = json!("C1");
    foreign["externalConversationId"] = json!("C1-1732.5");
    world.write_session("260301-foreign", &format!("{foreign}\n"));
    for name in ["kata.db", "kata.db-wal", "kata.db-shm"] {
        let _ = std::fs::remove_file(world.folder.path().join(name));
    }
    let sessions = world.open().await;
    assert_eq!(sessions.rebuild_keys().await.unwrap(), 2);
    let store = world.store();
    assert_eq!(
        store.session_for(&id("telegram:bot:1")).await.unwrap(),
        Some(new),
        "the one used last, not {old}"
    );
    assert_eq!(store.session_for(&id("telegram:bot:2:7")).await.unwrap(), Some(other));
    assert_eq!(store.session_for(&id("C1-1732.5")).await.unwrap(), None);
    assert_eq!(sessions.rebuild_keys().await.unwrap(), 0, "a store that has keys is left alone");
}

#[tokio::test]
async fn a_moved_conversation_is_found_again_where_it_went_when_the_store_was_set_aside() {
    let world = World::empty();
    let channel = |key: &str| NewSession {
        channel: Some(SessionChannel {
            adapter: "telegram".into(),
            slug: "telegram".into(),
            display_name: None,
        }),
        channel_id: Some("telegram".into()),
        external_conversation: Some(key.into()),
        ..new_session()
    };
    let lose_the_store = || {
        for name in ["kata.db", "kata.db-wal", "kata.db-shm"] {
            let _ = std::fs::remove_file(world.folder.path().join(name));
        }
    };
    let (joined, reset): (SessionKey, SessionKey) = (id("telegram:bot:1"), id("telegram:bot:2"));
    let person: SessionKey = id("=person:ada");
    let (old, desktop, forgotten);
    {
        let (sessions, store) = (world.open().await, world.store());
        let conversations = Conversations::new(store.clone(), sessions.clone());
        old = sessions.create(channel(joined.as_str())).await.unwrap().id;
        desktop = sessions.create(new_session()).await.unwrap().id;
        forgotten = sessions.create(channel(reset.as_str())).await.unwrap().id;
        let known = sessions.create(channel(person.as_str())).await.unwrap().id;
        for (key, session) in [(&joined, &old), (&reset, &forgotten), (&person, &known)] {
            store.bind(key, session).await.unwrap();
        }
        assert_eq!(conversations.join(&joined, &desktop).await.unwrap(), Some(old.clone()));
        assert_eq!(conversations.join(&person, &desktop).await.unwrap(), Some(known));
        assert_eq!(conversations.begin_anew(&reset).await.unwrap(), Some(forgotten.clone()));
        assert!(conversations.join(&joined, &id("nobody")).await.is_err(), "no session of that name");
        // The old session is written in later than the one that was joined.
        let mut late = said("m", "x");
        late.rows[0].insert("timestamp".into(), json!(super::world::NOON + 60_000));
        sessions.append(&old, late).await.unwrap();
    }
    lose_the_store();
    let (sessions, store) = (world.open().await, world.store());
    assert_eq!(sessions.rebuild_keys().await.unwrap(), 2);
    assert_eq!(store.session_for(&joined).await.unwrap(), Some(desktop.clone()), "not {old}");
    assert_eq!(store.session_for(&person).await.unwrap(), Some(desktop.clone()));
    assert_eq!(
        store.session_for(&reset).await.unwrap(),
        None,
        "it begins anew, {forgotten} stays as it is"
    );
    // Its header goes on being written with the list row's changes, the keys among them.
    sessions.rewrite(&desktop).await.unwrap();
    lose_the_store();
    drop((sessions, store));
    assert_eq!(world.open().await.rebuild_keys().await.unwrap(), 2);
}
