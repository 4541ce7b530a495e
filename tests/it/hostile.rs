//! A plugin that loops for ever in a hook: the message goes on, the plugin is named, nobody else waits.

use kata_protocol::*;
use kata_tests::{TestEngine, TestHome, caller, eventually};
use std::time::Instant;

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_never_ends_is_stopped_and_named_and_other_sessions_do_not_wait() {
    let engine = TestEngine::start(TestHome::with_plugins(&["spinner"])).await;
    engine.plugin_up("spinner").await;
    let (calm, busy) = (engine.session().await, engine.session().await);
    let mut quiet = Vec::new();
    for n in 0..10 {
        let began = Instant::now();
        engine.ask(&calm, &format!("calm {n}")).await;
        quiet.push(began.elapsed());
    }

    let began = Instant::now();
    let detail = engine.ask(&busy, "please spin").await;
    assert!(
        began.elapsed().as_secs() < 15,
        "the message went on within the deadline: {:?}",
        began.elapsed()
    );
    let answer = detail.messages.iter().rev().find(|m| m.kind == MessageKind::Assistant).unwrap();
    assert!(answer.content.contains("please spin"), "{}", answer.content);

    let trace = engine.trace(&busy).await;
    let step = trace.steps.iter().find(|s| s.gate == Gate::Hook).unwrap();
    assert_eq!(step.plugin.as_deref(), Some("spinner"));
    assert!(
        matches!(step.outcome, StepOutcome::Timeout | StepOutcome::Error),
        "{:?}",
        step.outcome
    );
    let faults = eventually("the fault is counted", async || {
        let list = engine.ops.plugin_list(&caller(), Empty {}).await.ok()?;
        list.into_iter()
            .find(|p| p.id.as_str() == "spinner")
            .map(|p| p.faults)
            .filter(|f| !f.is_empty())
    })
    .await;
    assert!(!faults[0].message.is_empty());

    // While the plugin is stopped and started again, another session answers as before.
    let mut during = Vec::new();
    for n in 0..10 {
        let began = Instant::now();
        engine.ask(&calm, &format!("calm again {n}")).await;
        during.push(began.elapsed());
    }
    quiet.sort();
    during.sort();
    let (before, after) = (quiet[5], during[5]);
    assert!(
        after < before * 5 + std::time::Duration::from_millis(100),
        "median before {before:?}, after {after:?}"
    );
    engine.engine.shutdown().await;
}
