//! One message, end to end, inside one process.

use kata_protocol::*;
use kata_tests::{FakePlatform, TestEngine, TestHome, caller, eventually};

async fn with_loop(idempotent: bool) -> (FakePlatform, TestEngine) {
    let platform = FakePlatform::start().await;
    let home = TestHome::with_plugins(&["loop"]);
    home.settings(&TestHome::loop_settings(&platform.base, idempotent));
    (platform, TestEngine::start(home).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_becomes_a_reply_that_used_a_tool_and_goes_back_to_where_it_came_from() {
    let (platform, engine) = with_loop(true).await;
    platform.write("ada", "/tool count {}");
    platform.write("bob", "hello from bob");
    let sent = platform.delivered(2).await;
    let of = |who: &str| sent.iter().find(|s| s.message.route.conversation.as_str() == who).unwrap();
    assert!(of("ada").message.text.contains("called 1 times"), "{}", of("ada").message.text);
    assert_eq!(of("ada").message.route.reply_to.as_ref().map(|m| m.as_str()), Some("in-1"));
    assert!(of("bob").message.text.contains("hello from bob"), "{}", of("bob").message.text);
    assert!(platform.typing() > 0, "the sender saw the typing signal");

    let page = engine
        .ops
        .session_list(
            &caller(),
            SessionList {
                channel: Some(true),
                ..SessionList::default()
            },
        )
        .await
        .unwrap();
    assert_eq!(page.total, 2, "two people, two sessions");
    let session = page.sessions.iter().find(|s| s.name.as_deref() == Some("ada")).unwrap();
    let trace = engine.trace(&session.id).await;
    let gates: Vec<Gate> = trace.steps.iter().map(|s| s.gate).collect();
    for gate in [
        Gate::Ingress,
        Gate::Router,
        Gate::Mailbox,
        Gate::Model,
        Gate::Tool,
        Gate::Outbox,
        Gate::Send,
    ] {
        assert!(gates.contains(&gate), "{gate:?} is missing in {gates:?}");
    }
    eventually("the ledger balances", async || {
        let l = engine.ledger().await;
        (l.accepted.0 == 2 && l.delivered.0 == 2 && l.pending.0 == 0).then_some(())
    })
    .await;
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_gets_a_code_and_is_heard_once_a_person_has_approved_it() {
    let platform = FakePlatform::start().await;
    let home = TestHome::with_plugins(&["loop"]);
    let mut settings = TestHome::loop_settings(&platform.base, true);
    settings["sources"]["channel:loop"]["policy"] = "pairing".into();
    home.settings(&settings);
    let engine = TestEngine::start(home).await;
    platform.write("eve", "let me in");
    let sent = platform.delivered(1).await;
    let open = engine.ops.pairing_list(&caller(), Empty {}).await.unwrap();
    assert_eq!(open.len(), 1);
    assert!(sent[0].message.text.contains(&open[0].code), "the stranger is told the code");
    platform.write("eve", "hello?");
    eventually("the second message is refused too", async || {
        (engine.ledger().await.refused.0 == 2).then_some(())
    })
    .await;
    assert_eq!(platform.sent().len(), 1, "one code is told once");

    engine
        .ops
        .pairing_approve(
            &caller(),
            PairingRef {
                code: open[0].code.to_lowercase(),
            },
        )
        .await
        .unwrap();
    platform.write("eve", "now?");
    let sent = platform.delivered(2).await;
    assert!(sent[1].message.text.contains("now?"));
    assert_eq!(engine.ops.pairing_list(&caller(), Empty {}).await.unwrap().len(), 0);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_down_gets_the_reply_when_it_is_back_and_in_order() {
    let (platform, engine) = with_loop(true).await;
    platform.refuse(2);
    platform.write("ada", "/long 400");
    platform.write("ada", "second");
    let parts = eventually("both replies are delivered whole", async || {
        Some(platform.sent()).filter(|s| s.last().is_some_and(|last| last.message.text.contains("second")))
    })
    .await;
    assert!(parts.len() > 2, "a long reply takes several parts: {}", parts.len());
    assert!(parts.iter().all(|p| p.times == 1 && p.message.text.chars().count() <= 1000));
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_is_there_after_a_restart_and_the_conversation_goes_on() {
    let (platform, engine) = with_loop(true).await;
    platform.write("ada", "first");
    platform.delivered(1).await;
    let engine = engine.restart().await;
    platform.write("ada", "second");
    platform.delivered(2).await;
    let page = engine
        .ops
        .session_list(
            &caller(),
            SessionList {
                channel: Some(true),
                ..SessionList::default()
            },
        )
        .await
        .unwrap();
    assert_eq!(page.total, 1, "the conversation kept its session");
    let detail = engine.detail(&page.sessions[0].id).await;
    let texts: Vec<_> = detail
        .messages
        .iter()
        .filter(|m| m.kind == MessageKind::User)
        .map(|m| m.content.as_str())
        .collect();
    assert_eq!(texts, ["first", "second"]);
    assert_eq!(platform.sent().len(), 2, "nothing was said twice");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_submit_twice_is_one_message_and_one_answer() {
    let engine = TestEngine::start(TestHome::with_plugins(&[])).await;
    let session = engine.session().await;
    let submit = || SessionSubmit {
        id: session.clone(),
        text: "once".into(),
        delivery: None,
        idempotency_key: Some("k1".into()),
        attachments: None,
    };
    let first = engine.ops.session_submit(&caller(), submit()).await.unwrap();
    let second = engine.ops.session_submit(&caller(), submit()).await.unwrap();
    assert_eq!(first.message, second.message);
    let detail = engine.ask(&session, "another").await;
    assert_eq!(detail.messages.iter().filter(|m| m.kind == MessageKind::User).count(), 2);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_does_not_fit_names_its_field_and_changes_nothing() {
    let (platform, engine) = with_loop(true).await;
    engine.plugin_up("loop").await;
    let id = SourceId::new("channel:loop").unwrap();
    let bad = SourceConfigure {
        id: id.clone(),
        settings: Json(serde_json::json!({ "base": platform.base, "note": 7 })),
    };
    let error = engine.ops.source_configure(&caller(), bad).await.unwrap_err();
    assert!(error.message.contains("note"), "{}", error.message);
    let detail = engine.ops.source_get(&caller(), SourceRef { id }).await.unwrap();
    assert_eq!(detail.settings.0["note"], serde_json::Value::Null);
    platform.write("ada", "still there?");
    platform.delivered(1).await;
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_shows_that_its_platform_is_gone_and_that_it_is_back() {
    let (platform, engine) = with_loop(true).await;
    let id = SourceId::new("channel:loop").unwrap();
    let state = async |wanted: fn(&RunState) -> bool, what: &str| {
        eventually(what, async || {
            let list = engine.ops.source_list(&caller(), Empty {}).await.ok()?;
            list.into_iter().find(|s| s.id == id && wanted(&s.status.state)).map(|s| s.status)
        })
        .await
    };
    platform.write("ada", "hi");
    platform.delivered(1).await;
    state(|s| *s == RunState::Running, "the channel runs").await;
    drop(platform);
    let status = state(|s| matches!(s, RunState::Backoff { .. }), "the channel backs off").await;
    assert!(!status.message.is_empty(), "the person is told why");
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_engine_over_one_home_is_refused_with_the_number_of_the_first() {
    let engine = TestEngine::start(TestHome::with_plugins(&[])).await;
    let Err(error) = kata_engine::Engine::start(engine.home.options()).await else {
        panic!("two engines over one home")
    };
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
    engine.engine.shutdown().await;
}
