//! A store that was damaged while the program was off: set aside with a notice, made anew, and conversations go on where they
//! were. What only the store knew (which messages were seen) is gone with it, and that is said.

use kata_protocol::*;
use kata_tests::{FakePlatform, TestEngine, TestHome, caller, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_is_set_aside_with_a_notice_and_the_conversation_goes_on_in_its_session() {
    let platform = FakePlatform::start().await;
    let home = TestHome::with_plugins(&["loop"]);
    home.settings(&TestHome::loop_settings(&platform.base, true));
    let engine = TestEngine::start(home).await;
    platform.write("ada", "one");
    platform.delivered(1).await;
    let before = sessions(&engine).await;
    assert_eq!(before.len(), 1);
    let home = engine.stop().await;

    let store = home.path().join("kata.db");
    let mut bytes = std::fs::read(&store).unwrap();
    let damage: Vec<u8> = (0_u8..=255).cycle().take(bytes.len() / 2).collect();
    bytes[..damage.len()].copy_from_slice(&damage);
    std::fs::write(&store, &bytes).unwrap();
    for other in ["kata.db-wal", "kata.db-shm"] {
        let _ = std::fs::remove_file(home.path().join(other));
    }

    let engine = TestEngine::start(home).await;
    let status = engine.ops.system_status(&caller(), Empty {}).await.unwrap();
    let told = status.notices.iter().any(|n| n.message.contains("kata.db"));
    assert!(told, "{:?}", status.notices);
    let aside = std::fs::read_dir(engine.home.path()).unwrap().flatten();
    let kept = aside
        .filter(|e| e.file_name().to_string_lossy().starts_with("kata.db.damaged"))
        .count();
    assert!(kept >= 1, "the damaged file is kept");
    platform.write("ada", "two");
    let two = eventually("the new message is answered", async || {
        platform.sent().into_iter().find(|s| s.message.text.contains("two"))
    })
    .await;
    assert_eq!((two.times, two.message.route.conversation.as_str()), (1, "ada"));
    let after = eventually("the session is listed", async || {
        let all = sessions(&engine).await;
        (!all.is_empty()).then_some(all)
    })
    .await;
    assert_eq!(after, before, "the conversation has its session still");
    let detail = engine.detail(&after[0]).await;
    let said = |text: &str| {
        detail
            .messages
            .iter()
            .any(|m| m.kind == MessageKind::User && m.content.contains(text))
    };
    assert!(said("one") && said("two"));
}

async fn sessions(engine: &TestEngine) -> Vec<SessionId> {
    let list = SessionList {
        channel: Some(true),
        ..SessionList::default()
    };
    let page = engine.ops.session_list(&caller(), list).await.unwrap();
    page.sessions.into_iter().map(|s| s.id).collect()
}
