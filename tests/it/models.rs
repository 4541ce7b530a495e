//! A real client against a scripted provider, through the whole engine.

use kata_protocol::*;
use kata_tests::{TestEngine, TestHome, caller};

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_not_there_fails_the_turn_with_a_hint_and_the_input_can_be_sent_again() {
    let engine = TestEngine::start(TestHome::with_plugins(&[])).await;
    let settings = ProviderSettings {
        id: "nowhere".into(),
        kind: ProviderKind::OpenaiChat,
        base_url: Some("http://127.0.0.1:9/v1".into()),
        model: "m".into(),
        max_tokens: None,
    };
    let set = ModelSet {
        settings,
        api_key: Some("canary-key".into()),
        key_env: None,
        default: true,
    };
    let summary = engine.ops.model_set(&caller(), set).await.unwrap();
    assert!(summary.has_key && summary.default);
    let session = engine.session().await;
    let submit = SessionSubmit {
        id: session.clone(),
        text: "hi".into(),
        delivery: None,
        idempotency_key: None,
        attachments: None,
    };
    engine.ops.session_submit(&caller(), submit).await.unwrap();
    let failed = kata_tests::eventually("the turn fails", async || {
        let detail = engine.detail(&session).await;
        (detail.state == SessionState::Failed).then_some(detail)
    })
    .await;
    let row = failed.messages.last().unwrap();
    assert_eq!(row.kind, MessageKind::Error);
    assert!(!row.content.contains("canary-key"));

    let demo = ProviderSettings {
        id: "demo".into(),
        kind: ProviderKind::Demo,
        base_url: None,
        model: "scripted".into(),
        max_tokens: None,
    };
    engine
        .ops
        .model_set(
            &caller(),
            ModelSet {
                settings: demo,
                api_key: None,
                key_env: None,
                default: true,
            },
        )
        .await
        .unwrap();
    engine
        .ops
        .session_resend(&caller(), SessionRef { id: session.clone() })
        .await
        .unwrap();
    kata_tests::eventually("the input is answered", async || {
        engine
            .detail(&session)
            .await
            .messages
            .iter()
            .any(|m| m.kind == MessageKind::Assistant)
            .then_some(())
    })
    .await;
    assert_eq!(
        engine
            .detail(&session)
            .await
            .messages
            .iter()
            .filter(|m| m.kind == MessageKind::User)
            .count(),
        1
    );
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn until_a_person_has_chosen_the_demo_answers_and_says_that_it_is_scripted() {
    let engine = TestEngine::start(TestHome::with_plugins(&[])).await;
    let status = engine.ops.system_status(&caller(), Empty {}).await.unwrap();
    assert!(status.model.is_none(), "nothing is chosen yet, so the window shows the first run");
    let session = engine.session().await;
    let detail = engine.ask(&session, "hello").await;
    let answer = detail.messages.last().unwrap();
    assert!(answer.content.to_lowercase().contains("script"), "{}", answer.content);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_can_be_stopped_and_the_next_one_runs() {
    let mut home = TestHome::with_plugins(&[]);
    home.settings(&serde_json::json!({}));
    let engine = {
        let options = kata_engine::Options {
            demo_pace: true,
            ..home.options()
        };
        let engine = kata_engine::Engine::start(options).await.unwrap();
        let ops = engine.operations();
        TestEngine {
            home: std::mem::take(&mut home),
            engine,
            ops,
        }
    };
    let session = engine.session().await;
    let submit = SessionSubmit {
        id: session.clone(),
        text: "/long 5000".into(),
        delivery: None,
        idempotency_key: None,
        attachments: None,
    };
    engine.ops.session_submit(&caller(), submit).await.unwrap();
    kata_tests::eventually("the answer streams", async || {
        (engine.detail(&session).await.state == SessionState::Streaming).then_some(())
    })
    .await;
    let began = std::time::Instant::now();
    engine
        .ops
        .session_interrupt(&caller(), SessionRef { id: session.clone() })
        .await
        .unwrap();
    kata_tests::eventually("it stops", async || {
        (engine.detail(&session).await.state == SessionState::Idle).then_some(())
    })
    .await;
    assert!(began.elapsed().as_secs() < 2, "{:?}", began.elapsed());
    let detail = engine.ask(&session, "short one").await;
    assert!(
        detail
            .messages
            .iter()
            .any(|m| m.kind == MessageKind::Info && m.content.contains("Stopped"))
    );
    engine.engine.shutdown().await;
}
