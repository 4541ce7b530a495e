//! Invariants that only a whole engine can show.

use kata_protocol::*;
use kata_tests::{TestEngine, TestHome, caller};
use std::time::Duration;

/// ARCHITECTURE.md, invariant 8.
#[tokio::test(flavor = "multi_thread")]
async fn readiness_waits_for_no_plugin() {
    let engine = TestEngine::start(TestHome::with_plugins(&["stuck"])).await;
    let plugin = async || engine.ops.plugin_list(&caller(), Empty {}).await.unwrap().remove(0);
    assert_ne!(plugin().await.status.state, RunState::Running);
    let session = engine.session().await;
    let answer = engine.ask(&session, "are you there?").await;
    assert_eq!(answer.messages.last().map(|m| m.kind), Some(MessageKind::Assistant));
    assert_ne!(
        plugin().await.status.state,
        RunState::Running,
        "the plugin still loads, and nobody waited"
    );
    engine.engine.shutdown().await;
}

/// ARCHITECTURE.md, invariant 5.
#[tokio::test(flavor = "multi_thread")]
async fn at_most_one_turn_runs_per_session_and_sessions_do_not_wait_for_each_other() {
    let home = TestHome::with_plugins(&[]);
    let options = kata_engine::Options {
        demo_pace: true,
        ..home.options()
    };
    let engine = kata_engine::Engine::start(options).await.unwrap();
    let ops = engine.operations();
    let engine = TestEngine { home, engine, ops };
    let (busy, quick) = (engine.session().await, engine.session().await);
    let mut facts = engine.engine.events().subscribe();
    for text in ["/long 800", "second", "third"] {
        let submit = SessionSubmit {
            id: busy.clone(),
            text: text.into(),
            delivery: None,
            idempotency_key: None,
            attachments: None,
        };
        engine.ops.session_submit(&caller(), submit).await.unwrap();
    }
    let submit = SessionSubmit {
        id: quick.clone(),
        text: "quick".into(),
        delivery: None,
        idempotency_key: None,
        attachments: None,
    };
    engine.ops.session_submit(&caller(), submit).await.unwrap();
    let (mut running, mut ended, mut quick_ended_after) = (0, 0, None);
    while ended < 3 {
        let fact = tokio::time::timeout(Duration::from_secs(30), facts.recv())
            .await
            .expect("turns end")
            .unwrap();
        match &fact.fact {
            Fact::Session {
                id,
                event: SessionEvent::TurnStarted { .. },
            } if *id == busy => {
                running += 1;
                assert_eq!(running, 1, "a second turn began before the first had ended");
            }
            Fact::Session {
                id,
                event: SessionEvent::TurnEnded { .. },
            } if *id == busy => {
                running -= 1;
                ended += 1;
            }
            Fact::Session {
                id,
                event: SessionEvent::TurnEnded { .. },
            } if *id == quick => quick_ended_after = Some(ended),
            _ => {}
        }
    }
    assert_eq!(
        quick_ended_after,
        Some(0),
        "the quick session did not wait for the long answer of the other"
    );
    engine.engine.shutdown().await;
}
