//! The events that are about the engine and not about a message, as a real plugin hears them.

use kata_core::ports::PluginStateStore;
use kata_protocol::*;
use kata_store::SqliteStore;
use kata_tests::{TestEngine, TestHome, caller, eventually};
use serde_json::{Value, json};

/// What the plugin has written down. Read when the engine is down, or beside it.
pub(crate) async fn diary(home: &TestHome) -> Vec<Value> {
    let store = SqliteStore::open(&home.path().join("kata.db")).unwrap();
    let pages = store.get(&PluginId::new("diary").unwrap(), "diary").await.unwrap();
    pages.map(|Json(pages)| pages.as_array().unwrap().clone()).unwrap_or_default()
}

fn of<'a>(diary: &'a [Value], event: &str) -> Vec<&'a Value> {
    diary
        .iter()
        .filter(|page| page["event"] == event)
        .map(|page| &page["payload"])
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_hears_the_engine_start_and_stop_the_sessions_begin_and_end_and_the_settings_change() {
    let engine = TestEngine::start(TestHome::with_plugins(&["diary"])).await;
    engine.plugin_up("diary").await;
    let home = &engine.home;
    eventually("gateway_start is heard", async || {
        (!of(&diary(home).await, "gateway_start").is_empty()).then_some(())
    })
    .await;
    let (first, second) = (engine.session().await, engine.session().await);
    engine.ask(&first, "hello").await;
    engine.ask(&second, "hello").await;
    engine.ask(&second, "again").await;
    let never_used = engine.session().await;
    let settings = ProviderSettings {
        id: "mine".into(),
        kind: ProviderKind::OpenaiChat,
        base_url: Some("http://127.0.0.1:9/hunter2".into()),
        model: "hunter2".into(),
        max_tokens: None,
    };
    let model = ModelSet {
        settings,
        api_key: None,
        key_env: None,
        default: false,
    };
    engine.ops.model_set(&caller(), model).await.unwrap();
    eventually("config_change is heard", async || {
        (!of(&diary(home).await, "config_change").is_empty()).then_some(())
    })
    .await;
    engine.engine.shutdown().await;

    let diary = diary(home).await;
    assert_eq!(
        of(&diary, "gateway_start"),
        [&json!({"version": env!("CARGO_PKG_VERSION")})],
        "once"
    );
    assert_eq!(of(&diary, "gateway_stop").len(), 1);
    assert!(of(&diary, "gateway_stop")[0]["deadlineMs"].as_u64().is_some_and(|ms| ms > 0));
    let started: Vec<_> = of(&diary, "session_start").iter().map(|e| e["session"].clone()).collect();
    assert_eq!(started.len(), 2, "each session once: {started:?}");
    let mut ended: Vec<_> = of(&diary, "session_end");
    ended.sort_by_key(|e| e["session"].to_string());
    assert!(ended.iter().all(|e| e["reason"] == "shutdown"), "{ended:?}");
    let sessions: Vec<_> = ended.iter().map(|e| e["session"].as_str().unwrap()).collect();
    let mut used = [first.as_str(), second.as_str()];
    used.sort_unstable();
    assert_eq!(sessions, used, "{never_used} had no turn, so it neither began nor ended");
    let changed = of(&diary, "config_change");
    assert!(
        changed.iter().any(|e| e["keys"].as_array().is_some_and(|keys| !keys.is_empty())),
        "{changed:?}"
    );
    assert!(
        !diary.iter().any(|page| page.to_string().contains("hunter2")),
        "keys are told, values never"
    );
    for nothing_sends in ["plan_submitted", "oauth_open"] {
        assert!(of(&diary, nothing_sends).is_empty());
    }
}
