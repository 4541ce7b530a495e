//! Sessions on disk: an existing home opens unchanged, and what is written stays readable to the program that made it.

use super::samples::id;
use super::world::{NOON, TestEntropy, World, header, new_session, said, write};
use kata_core::ports::{Append, JournalEntry, NewSession, TranscriptError, Transcripts};
use kata_protocol::{Count, Ms, PermissionMode, SessionChannel, SessionId, SessionList, SessionState};
use serde_json::{Map, Value, json};
use std::sync::Arc;

fn all() -> SessionList {
    SessionList {
        workspace: None,
        channel: None,
        search: None,
        archived: None,
        limit: None,
        offset: None,
    }
}

fn first_line(content: &str) -> Map<String, Value> {
    serde_json::from_str(content.lines().next().unwrap()).unwrap()
}

const RIVER: &str = "260201-swift-river";
const LAKE: &str = "260202-calm-lake";

#[tokio::test]
async fn an_existing_home_opens_and_nothing_in_it_changes() {
    let world = World::fixture();
    let before = (world.read_session(RIVER), world.read_session(LAKE));
    let sessions = world.open().await;

    let (rows, total) = sessions.list(all()).await.unwrap();
    assert_eq!(total, 2);
    let river = rows.iter().find(|row| row.id.as_str() == RIVER).unwrap();
    assert_eq!(
        (river.name.as_deref(), river.preview.as_deref()),
        (Some("Fix the build"), Some("Please fix the build"))
    );
    assert_eq!((river.flagged, river.unread, river.mode), (true, false, PermissionMode::Ask));
    assert_eq!(
        (river.status.as_deref(), &*river.labels),
        (Some("in-progress"), &["bug".to_owned(), "priority::3".to_owned()][..])
    );
    assert_eq!(
        (river.created_at, river.last_message_at, river.message_count),
        (Ms(1769900000000), Ms(1769990000000), 4)
    );
    assert_eq!((river.usage.total_tokens, river.usage.cost_usd.0), (Count(1500), 0.01));
    assert_eq!((&river.channel, river.state), (&None, SessionState::Idle));

    let (channels, _) = sessions
        .list(SessionList {
            channel: Some(true),
            ..all()
        })
        .await
        .unwrap();
    assert_eq!(channels.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), [LAKE]);
    assert_eq!(
        channels[0].channel,
        Some(SessionChannel {
            adapter: "slack".into(),
            slug: "slack-team".into(),
            display_name: None
        })
    );

    let loaded = sessions.load(&id(RIVER)).await.unwrap();
    assert_eq!(
        (loaded.rows.len(), loaded.journal.len(), loaded.repaired),
        (4, 0, 1),
        "its last line is half of one"
    );
    assert_eq!(loaded.rows[2]["toolInput"], json!({"command": "cargo check"}));
    assert_eq!(loaded.rows[0]["badges"][0]["rawText"], "@linear");
    assert_eq!((world.read_session(RIVER), world.read_session(LAKE)), before);
}

#[tokio::test]
async fn a_rewrite_keeps_every_field_it_does_not_know_and_the_order_of_those_it_does() {
    let world = World::empty();
    let name = "260301-apt-oak";
    let mut head = header(name);
    head["futureThing"] = json!({"z": [1, {"y": null}], "a": 2});
    head["sdkSessionId"] = json!("1111");
    head["permissionMode"] = json!("daemon");
    head["tokenUsage"]["contextWindow"] = json!(200_000);
    head["channel"] = json!({"adapter": "slack", "slug": "team", "extra": true});
    let rows = "{\"id\":\"m1\",\"type\":\"user\",\"content\":\"hi\",\"future\":{\"b\":1,\"a\":2}}\nnot json at all\n{\"id\":\"m2\",\"type\":\"assistant\",\"content\":\"hello\"}\n";
    world.write_session(name, &format!("{head}\n{rows}"));

    let sessions = world.open().await;
    let mut summary = sessions.summary(&id(name)).await.unwrap();
    assert_eq!(summary.mode, PermissionMode::Safe, "an unknown mode may do the least");
    summary.name = Some("A title".into());
    summary.flagged = true;
    summary.usage.input_tokens = Count(12);
    sessions.update(summary).await.unwrap();
    sessions.rewrite(&id(name)).await.unwrap();

    let content = world.read_session(name);
    let (line, body) = content.split_once('\n').unwrap();
    assert_eq!(body, rows, "rows stay byte for byte, the damaged one too");
    let head: Map<String, Value> = serde_json::from_str(line).unwrap();
    let keys: Vec<_> = head.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "id",
            "workspaceRootPath",
            "createdAt",
            "lastUsedAt",
            "lastMessageAt",
            "name",
            "sdkSessionId",
            "isFlagged",
            "permissionMode",
            "channel",
            "messageCount",
            "lastMessageRole",
            "preview",
            "tokenUsage",
            "lastFinalMessageId",
            "futureThing"
        ]
    );
    assert_eq!(head["futureThing"].to_string(), r#"{"z":[1,{"y":null}],"a":2}"#);
    assert_eq!(
        head["permissionMode"], "daemon",
        "a mode that did not change stays as it was written"
    );
    assert_eq!(head["channel"]["extra"], true);
    assert_eq!(
        (&head["tokenUsage"]["contextWindow"], &head["tokenUsage"]["inputTokens"]),
        (&json!(200_000), &json!(12))
    );
    assert_eq!(
        (&head["messageCount"], &head["lastMessageRole"], &head["lastFinalMessageId"]),
        (&json!(2), &json!("assistant"), &json!("m2"))
    );
    assert_eq!((&head["name"], &head["preview"]), (&json!("A title"), &json!("hi")));
}

#[tokio::test]
async fn a_new_session_is_a_folder_with_a_header_and_its_id_begins_with_the_day() {
    let world = World::empty();
    let (sessions, _) = world
        .open_with(TestEntropy {
            stuck: true,
            ..TestEntropy::default()
        })
        .await;
    let channel = SessionChannel {
        adapter: "telegram".into(),
        slug: "telegram".into(),
        display_name: Some("Kitchen".into()),
    };
    let new = NewSession {
        name: Some("Kitchen".into()),
        channel: Some(channel.clone()),
        channel_id: Some("telegram".into()),
        external_conversation: Some("c1".into()),
        working_directory: None,
        profile: None,
        ..new_session()
    };
    let first = sessions.create(new).await.unwrap();
    let second = sessions.create(new_session()).await.unwrap();
    let third = sessions.create(new_session()).await.unwrap();
    assert!(first.id.as_str().starts_with("260301-"), "{}", first.id);
    assert_eq!(
        (second.id.as_str(), third.id.as_str()),
        (&*format!("{}-2", first.id), &*format!("{}-3", first.id))
    );
    assert_eq!(
        (first.channel.as_ref(), first.mode, first.created_at),
        (Some(&channel), PermissionMode::Ask, Ms(NOON))
    );

    let head = first_line(&world.read_session(first.id.as_str()));
    assert_eq!(head["workspaceRootPath"], world.workspace().path.to_str().unwrap());
    assert_eq!(
        (&head["channelId"], &head["externalConversationId"]),
        (&json!("telegram"), &json!("c1"))
    );
    assert_eq!(
        head["channel"],
        json!({"adapter": "telegram", "slug": "telegram", "displayName": "Kitchen"})
    );
    assert_eq!(sessions.list(all()).await.unwrap().1, 3);
    let nowhere = NewSession {
        workspace: id("nowhere"),
        ..new_session()
    };
    assert!(sessions.create(nowhere).await.is_err());
}

#[tokio::test]
async fn what_was_appended_is_read_back_in_order_with_its_journal() {
    let world = World::empty();
    let sessions = world.open().await;
    let session = sessions.create(new_session()).await.unwrap().id;
    let entry = |n: u32| JournalEntry::ToolStarted {
        turn: id("t"),
        call: id(&format!("c{n}")),
    };
    let mut calls = Vec::new();
    for n in 0..50 {
        let append = Append {
            rows: said(&format!("m{n}"), "x").rows,
            journal: vec![entry(n)],
            sync: n % 10 == 0,
        };
        calls.push(sessions.append(&session, append));
    }
    for call in calls {
        call.await.unwrap();
    }
    let loaded = sessions.load(&session).await.unwrap();
    let ids: Vec<_> = loaded.rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, (0..50).map(|n| format!("m{n}")).collect::<Vec<_>>());
    assert_eq!(loaded.journal, (0..50).map(entry).collect::<Vec<_>>());
    assert_eq!((loaded.repaired, loaded.summary.message_count), (0, 50));
}

#[tokio::test]
async fn what_changed_since_the_last_rewrite_survives_a_restart() {
    let world = World::empty();
    let sessions = world.open().await;
    let session = sessions.create(new_session()).await.unwrap();
    sessions
        .update(kata_protocol::SessionSummary {
            name: Some("Renamed".into()),
            unread: true,
            state: SessionState::Streaming,
            ..session.clone()
        })
        .await
        .unwrap();
    sessions.append(&session.id, said("m1", "what is for dinner?")).await.unwrap();
    drop(sessions);

    let sessions = world.open().await;
    let seen = sessions.summary(&session.id).await.unwrap();
    assert_eq!((seen.name.as_deref(), seen.unread, seen.message_count), (Some("Renamed"), true, 1));
    assert_eq!(
        (seen.preview.as_deref(), seen.state),
        (Some("what is for dinner?"), SessionState::Idle)
    );
    sessions.rewrite(&session.id).await.unwrap();
    let head = first_line(&world.read_session(session.id.as_str()));
    assert_eq!(
        (&head["name"], &head["hasUnread"], &head["messageCount"]),
        (&json!("Renamed"), &json!(true), &json!(1))
    );
    drop(sessions);

    // The index is only an index.
    for name in ["kata.db", "kata.db-wal", "kata.db-shm"] {
        let _ = std::fs::remove_file(world.folder.path().join(name));
    }
    let sessions = world.open().await;
    assert_eq!(sessions.summary(&session.id).await.unwrap(), seen);
}

#[tokio::test]
async fn what_another_program_saved_wins_and_nothing_is_written_into_a_file_that_is_gone() {
    let world = World::fixture();
    let sessions = world.open().await;
    let lake: SessionId = id(LAKE);
    sessions.append(&lake, said("ours-1", "one")).await.unwrap();
    // As the existing app saves: another file under the same name.
    let theirs = world
        .read_session(LAKE)
        .replace("daemon-slack-team-0123456789ab", "Named by the other");
    write(&world.session(LAKE).join("session.jsonl"), theirs.as_bytes());
    sessions.append(&lake, said("ours-2", "two")).await.unwrap();
    assert_eq!(
        world.read_session(LAKE),
        format!("{theirs}{}\n", Value::Object(said("ours-2", "two").rows[0].clone()))
    );

    let loaded = sessions.load(&lake).await.unwrap();
    assert_eq!((loaded.summary.name.as_deref(), loaded.rows.len()), (Some("Named by the other"), 4));
    assert_eq!(sessions.summary(&lake).await.unwrap().name.as_deref(), Some("Named by the other"));

    world.write_session("260301-new-one", &format!("{}\n", header("260301-new-one")));
    std::fs::remove_dir_all(world.session(RIVER)).unwrap();
    assert_eq!(
        sessions.load(&id("260301-new-one")).await.unwrap().rows.len(),
        0,
        "found without a look at all folders"
    );
    sessions.rescan().await.unwrap();
    assert!(sessions.notices().is_empty());
    let (rows, _) = sessions.list(all()).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["260301-new-one", LAKE]);
    assert!(matches!(
        sessions.append(&id(RIVER), said("x", "x")).await,
        Err(TranscriptError::NotFound(_) | TranscriptError::Io { .. })
    ));
    assert!(!world.session(RIVER).exists());
}

#[tokio::test]
async fn an_id_is_a_folder_name_and_nothing_else() {
    let world = World::fixture();
    let sessions = world.open().await;
    for name in [
        "../../../workspaces/my-workspace/sessions/260202-calm-lake",
        "..",
        "no-such",
        ".hidden",
    ] {
        assert!(
            matches!(sessions.load(&id(name)).await, Err(TranscriptError::NotFound(_))),
            "{name}"
        );
        assert!(
            matches!(sessions.append(&id(name), said("m", "x")).await, Err(TranscriptError::NotFound(_))),
            "{name}"
        );
    }
}

#[tokio::test]
async fn idle_sessions_do_not_keep_their_files_open_without_end() {
    let world = World::empty();
    let sessions = world.open().await;
    let mut ids = Vec::new();
    for _ in 0..80 {
        let session = sessions.create(new_session()).await.unwrap().id;
        sessions
            .append(
                &session,
                Append {
                    sync: false,
                    ..said("m1", "one")
                },
            )
            .await
            .unwrap();
        ids.push(session);
    }
    assert_eq!(sessions.held(), crate::sessions::OPEN_FILES);
    for session in &ids {
        sessions
            .append(
                session,
                Append {
                    sync: false,
                    ..said("m2", "two")
                },
            )
            .await
            .unwrap();
        assert_eq!(sessions.load(session).await.unwrap().rows.len(), 2);
    }
}

#[tokio::test]
async fn ten_thousand_sessions_are_listed_newest_first_in_pages() {
    let world = World::empty();
    let store = world.store();
    let sample = world.open().await.create(new_session()).await.unwrap();
    let rows = (0..10_000_u64).map(|n| crate::sqlite::sessions::IndexRow {
        folder: world.session("x"),
        stamp: crate::sqlite::sessions::Stamp {
            mtime_ns: 0,
            size: 0,
            header_hash: 0,
        },
        keyed: false,
        archived_at: None,
        class: kata_protocol::SessionClass::Desktop,
        pending: false,
        summary: kata_protocol::SessionSummary {
            id: id(&format!("s{n:05}")),
            last_message_at: Ms(n),
            name: Some(format!("Größe {n}")),
            preview: Some(if n % 1000 == 0 { "round Number".into() } else { "other".into() }),
            channel: (n % 10 == 0).then(|| SessionChannel {
                adapter: "telegram".into(),
                slug: "t".into(),
                display_name: None,
            }),
            ..sample.clone()
        },
    });
    store.index(rows.collect()).await.unwrap();
    store.unindex(vec![sample.id.clone()]).await.unwrap();
    let ids = |(rows, total): (Vec<kata_protocol::SessionSummary>, u32)| {
        (rows.into_iter().map(|row| row.id.to_string()).collect::<Vec<_>>(), total)
    };

    let (page, total) = ids(store.listed(all()).await.unwrap());
    assert_eq!(
        (page.len(), total, page[0].as_str(), page[199].as_str()),
        (200, 10_000, "s09999", "s09800")
    );
    let (page, _) = ids(store
        .listed(SessionList {
            limit: Some(5000),
            offset: Some(9_500),
            ..all()
        })
        .await
        .unwrap());
    assert_eq!((page.len(), page[0].as_str()), (500, "s00499"));
    assert_eq!(
        ids(store
            .listed(SessionList {
                limit: Some(5000),
                ..all()
            })
            .await
            .unwrap())
        .0
        .len(),
        1000,
        "a page has an end"
    );
    let search = SessionList {
        search: Some("number GRÖSSE".replace("SS", "ß").to_lowercase()),
        limit: Some(2),
        ..all()
    };
    assert_eq!(
        ids(store.listed(search).await.unwrap()),
        (vec!["s09000".to_owned(), "s08000".to_owned()], 10)
    );
    assert_eq!(
        store
            .listed(SessionList {
                channel: Some(false),
                ..all()
            })
            .await
            .unwrap()
            .1,
        9_000
    );
    assert_eq!(
        store
            .listed(SessionList {
                workspace: Some(id("other")),
                ..all()
            })
            .await
            .unwrap()
            .1,
        0
    );
    assert_eq!(store.session_counts().await.unwrap().get(&sample.workspace), Some(&10_000));
}

#[tokio::test]
async fn several_sessions_are_written_at_the_same_time() {
    let world = World::empty();
    let sessions = world.open().await;
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let session = sessions.create(new_session()).await.unwrap().id;
        let sessions = Arc::clone(&sessions);
        callers.spawn(async move {
            for n in 0..20 {
                sessions
                    .append(
                        &session,
                        Append {
                            sync: n % 5 == 0,
                            ..said(&format!("m{n}"), "x")
                        },
                    )
                    .await
                    .unwrap();
                if n == 10 {
                    sessions.rewrite(&session).await.unwrap();
                }
            }
            sessions.load(&session).await.unwrap().rows.len()
        });
    }
    while let Some(rows) = callers.join_next().await {
        assert_eq!(rows.unwrap(), 20);
    }
}
