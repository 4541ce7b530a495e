//! Defects of the earlier Electron app that concern sessions and storage, each with a test by its name: files as that app
//! wrote or left them, and what this one does with them.

use kata_protocol::*;
use kata_tests::{FakePlatform, TestEngine, TestHome, caller, eventually};
use serde_json::{Value, json};
use std::path::PathBuf;

const ID: &str = "260201-swift-river";

fn home() -> TestHome {
    let home = TestHome::with_plugins(&[]);
    std::fs::create_dir_all(home.path()).unwrap();
    home
}

fn folder(home: &TestHome) -> PathBuf {
    home.path().join("workspaces/my-workspace/sessions").join(ID)
}

/// A session as the earlier app writes it, under this file name.
fn write(home: &TestHome, file: &str, extra: Value) {
    let mut header = json!({
        "id": ID, "workspaceRootPath": "~/.kata-agents/workspaces/my-workspace", "createdAt": 1_769_950_000_000_u64,
        "lastUsedAt": 1_769_950_500_000_u64, "lastMessageAt": 1_769_950_400_000_u64, "name": "Fix the build", "messageCount": 2,
        "permissionMode": "ask",
    });
    header.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let rows = [
        json!({"id": "msg-1", "type": "user", "content": "it fails", "timestamp": 1_769_950_100_000_u64}),
        json!({"id": "msg-2", "type": "assistant", "content": "so it does", "timestamp": 1_769_950_200_000_u64}),
    ];
    std::fs::create_dir_all(folder(home)).unwrap();
    std::fs::write(folder(home).join(file), format!("{header}\n{}\n{}\n", rows[0], rows[1])).unwrap();
}

async fn row(engine: &TestEngine) -> SessionSummary {
    let page = engine.ops.session_list(&caller(), SessionList::default()).await.unwrap();
    page.sessions
        .into_iter()
        .find(|s| s.id.as_str() == ID)
        .expect("the session is listed")
}

/// Changes the session and lets the change reach its file.
async fn rename(engine: &TestEngine) -> Value {
    let change: SessionUpdate = serde_json::from_value(json!({"id": ID, "name": "Another name"})).unwrap();
    engine.ops.session_update(&caller(), change).await.unwrap();
    engine.ops.index_rebuild(&caller(), Empty {}).await.unwrap();
    let text = std::fs::read_to_string(folder(&engine.home).join("session.jsonl")).unwrap();
    let header: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(header["name"], "Another name");
    header
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_the_two_writes_of_a_save_loses_no_session() {
    let home = home();
    write(&home, "session.jsonl.tmp", json!({}));
    let engine = TestEngine::start(home).await;
    assert_eq!(row(&engine).await.name.as_deref(), Some("Fix the build"));
    let detail = engine.detail(&SessionId::new(ID).unwrap()).await;
    assert_eq!(detail.messages[0].content, "it fails");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_longer_than_8192_bytes_hides_no_session() {
    let home = home();
    write(&home, "session.jsonl", json!({"preview": "x".repeat(20_000)}));
    let engine = TestEngine::start(home).await;
    assert_eq!(row(&engine).await.message_count, 2);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thinking_level_shared_url_plan_path_and_every_other_field_of_a_header_are_kept_by_a_save() {
    let home = home();
    let fields = json!({
        "thinkingLevel": "max", "pendingPlanExecution": {"planPath": "plans/a.md"}, "sharedUrl": "https://example.org/s/1",
        "planPath": "plans/a.md", "fieldOfTomorrow": [1, {"a": null}],
    });
    write(&home, "session.jsonl", fields.clone());
    let engine = TestEngine::start(home).await;
    let header = rename(&engine).await;
    for (key, value) in fields.as_object().unwrap() {
        assert_eq!(&header[key], value, "{key}");
    }
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn last_message_at_created_at_and_the_sessions_own_model_survive_load_and_save() {
    let home = home();
    write(&home, "session.jsonl", json!({"model": "demo"}));
    let engine = TestEngine::start(home).await;
    engine.detail(&SessionId::new(ID).unwrap()).await;
    let header = rename(&engine).await;
    assert_eq!(header["lastMessageAt"], 1_769_950_400_000_u64);
    assert_eq!(header["createdAt"], 1_769_950_000_000_u64);
    assert_eq!(header["model"], "demo");
    let engine = engine.restart().await;
    let row = row(&engine).await;
    assert_eq!(
        (row.last_message_at, row.created_at),
        (Ms(1_769_950_400_000), Ms(1_769_950_000_000))
    );
    assert_eq!(row.model.as_deref(), Some("demo"));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_flipped_bit_never_deletes_the_credentials() {
    let home = home();
    let mut bytes = b"CRAFT01\0".to_vec();
    bytes.extend((0..400_u32).map(|n| (n * 37 % 251) as u8));
    let path = home.path().join("credentials.enc");
    std::fs::write(&path, &bytes).unwrap();
    let engine = TestEngine::start(home).await;
    // Read in the background; whatever came of it, the bytes are there.
    let engine = engine.restart().await;
    let kept = std::fs::read_dir(engine.home.path())
        .unwrap()
        .flatten()
        .filter_map(|entry| std::fs::read(entry.path()).ok());
    assert!(
        kept.into_iter().any(|content| content == bytes),
        "credentials.enc or a copy set aside holds every byte"
    );
    engine.engine.shutdown().await;
}

/// A channel that is open to everybody.
async fn with_channel(platform: &FakePlatform) -> TestEngine {
    let home = TestHome::with_plugins(&["loop"]);
    home.settings(&TestHome::loop_settings(&platform.base, true));
    TestEngine::start(home).await
}

async fn sessions(engine: &TestEngine) -> Vec<SessionSummary> {
    engine.ops.session_list(&caller(), SessionList::default()).await.unwrap().sessions
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_survives_a_restart_and_the_old_conversation_does_not_come_back() {
    let platform = FakePlatform::start().await;
    let engine = with_channel(&platform).await;
    platform.write("ada", "one");
    platform.delivered(1).await;
    let first = eventually("the session is there", async || sessions(&engine).await.into_iter().next())
        .await
        .id;
    engine.ops.session_reset(&caller(), SessionRef { id: first.clone() }).await.unwrap();
    let twice = engine
        .ops
        .session_reset(&caller(), SessionRef { id: first.clone() })
        .await
        .unwrap_err();
    assert_eq!(twice.code, ErrorCode::Conflict);
    let TestEngine { home, engine, ops } = engine;
    engine.shutdown().await;
    drop((engine, ops));
    // The store is lost as well: it is made again from the files.
    for file in ["kata.db", "kata.db-wal", "kata.db-shm"] {
        let _ = std::fs::remove_file(home.path().join(file));
    }
    let engine = TestEngine::start(home).await;
    platform.write("ada", "two");
    platform.delivered(2).await;
    let all = sessions(&engine).await;
    assert_eq!(all.len(), 2, "the second message began a session of its own");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn renaming_a_channels_session_does_not_break_its_routing() {
    let platform = FakePlatform::start().await;
    let engine = with_channel(&platform).await;
    platform.write("ada", "one");
    platform.delivered(1).await;
    let first = sessions(&engine).await.remove(0);
    assert!(
        first.channel.is_some_and(|channel| channel.display_name.is_some()),
        "its title is a name, not a hash"
    );
    let change: SessionUpdate = serde_json::from_value(json!({"id": first.id, "name": "My own words"})).unwrap();
    engine.ops.session_update(&caller(), change).await.unwrap();
    platform.write("ada", "two");
    platform.delivered(2).await;
    let all = sessions(&engine).await;
    assert_eq!((all.len(), all[0].name.as_deref()), (1, Some("My own words")));
    engine.engine.shutdown().await;
}
