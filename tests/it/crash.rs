//! `kill -9` at each named point of the data path: after the restart the ledger balances and nothing is delivered twice.

use kata_protocol::Ledger;
use kata_tests::{FakePlatform, Kata, TestHome, eventually};

struct After {
    texts: Vec<(String, u32)>,
    tool_runs: u32,
    ledger: Ledger,
}

/// A message with a tool call; the program dies at `point` and is started again.
async fn die_at(point: &str, idempotent: bool) -> After {
    let platform = FakePlatform::start().await;
    let home = TestHome::with_plugins(&["loop"]);
    home.settings(&TestHome::loop_settings(&platform.base, idempotent));
    let kata = Kata(&home);
    let mut first = kata.serve(Some(point)).await;
    platform.write("ada", "/tool count {}");
    first.died().await;
    drop(first);

    let second = kata.serve(None).await;
    let ledger = eventually("the message reaches a terminal state or is parked", async || {
        let status = tokio::task::block_in_place(|| kata.json(&["status"]));
        let ledger: Ledger = serde_json::from_value(status["ledger"].clone()).ok()?;
        let rest = ledger.accepted.0 == 1 && (ledger.pending.0 == 0 || !idempotent && platform.sent().len() == 1);
        rest.then_some(ledger)
    })
    .await;
    // A second message shows that the conversation goes on, and that nothing of the first is still to come before it.
    platform.write("ada", "and now?");
    eventually("the conversation goes on", async || {
        platform.sent().iter().any(|s| s.message.text.contains("and now?")).then_some(())
    })
    .await;
    second.stop().await;
    let texts = platform.sent().into_iter().map(|s| (s.message.text, s.times)).collect();
    After {
        texts,
        tool_runs: platform.counted(),
        ledger,
    }
}

fn balanced(ledger: &Ledger) {
    let sum = ledger.delivered.0 + ledger.refused.0 + ledger.dead.0 + ledger.pending.0;
    assert_eq!(ledger.accepted.0, sum, "{ledger:?}");
}

fn answered_once(after: &After) {
    balanced(&after.ledger);
    assert_eq!(after.ledger.delivered.0, 1, "{:?}", after.ledger);
    assert_eq!(after.texts.len(), 2, "one answer to each message: {:?}", after.texts);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_ingress_commit_the_message_is_answered_once() {
    let after = die_at("after_ingress_commit", true).await;
    answered_once(&after);
    assert_eq!(after.tool_runs, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_during_the_turn_the_message_is_answered_once() {
    let after = die_at("during_turn", true).await;
    answered_once(&after);
    assert_eq!(after.tool_runs, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_a_tool_started_the_tool_is_not_run_again_and_the_answer_says_so() {
    let after = die_at("after_tool_started", true).await;
    answered_once(&after);
    assert_eq!(after.tool_runs, 0, "the process died before the call left, and it is not repeated");
    assert!(after.texts[0].0.contains("unknown"), "{:?}", after.texts);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_reply_was_queued_it_is_sent_once() {
    let after = die_at("after_reply_queued", true).await;
    answered_once(&after);
    assert_eq!(after.tool_runs, 1);
    assert!(after.texts.iter().all(|(_, times)| *times == 1), "{:?}", after.texts);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_send_before_the_receipt_the_reader_sees_it_once() {
    let after = die_at("after_send_before_receipt", true).await;
    answered_once(&after);
    assert_eq!(
        after.texts[0].1, 2,
        "it was handed in again under the same key, and the platform recognised it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_platform_cannot_tell_the_reply_is_parked_and_not_repeated() {
    let after = die_at("after_send_before_receipt", false).await;
    balanced(&after.ledger);
    assert_eq!(
        (after.ledger.pending.0, after.texts[0].1),
        (1, 1),
        "{:?} {:?}",
        after.ledger,
        after.texts
    );
}
