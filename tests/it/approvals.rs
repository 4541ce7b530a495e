//! A tool call asked in a channel, with the real program: it survives `kill -9`, and an answer from the command line runs it once.

use kata_protocol::{Approval, ApprovalOutcome, Ledger};
use kata_tests::{FakePlatform, Kata, TestHome, eventually};

fn waiting(kata: &Kata<'_>) -> Vec<Approval> {
    let list = tokio::task::block_in_place(|| kata.json(&["approvals", "list"]));
    serde_json::from_value(list).unwrap()
}

async fn asking() -> (FakePlatform, TestHome) {
    let platform = FakePlatform::start().await;
    let home = TestHome::with_plugins(&["loop"]);
    let mut settings = TestHome::loop_settings(&platform.base, true);
    settings["sources"]["channel:loop"]["mode"] = "ask".into();
    home.settings(&settings);
    (platform, home)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_a_person_is_asked_the_call_goes_on_waiting_and_its_answer_runs_it_once() {
    let (platform, home) = asking().await;
    let kata = Kata(&home);
    let mut first = kata.serve(Some("after_approval_asked")).await;
    platform.write("ada", "/tool change {\"what\":\"it\"}");
    first.died().await;
    drop(first);

    let second = kata.serve(None).await;
    let asked = eventually("the call waits after the restart", async || waiting(&kata).pop()).await;
    let told = format!("/approve {}", asked.code);
    eventually("the conversation is told", async || {
        platform.sent().iter().any(|s| s.message.text.contains(&told)).then_some(())
    })
    .await;
    // Once more, without a fault point: as a person would pull the plug.
    drop(second);
    let third = kata.serve(None).await;
    let again = eventually("it waits under the same code", async || waiting(&kata).pop()).await;
    assert_eq!((&again.code, &again.call), (&asked.code, &asked.call));
    assert_eq!(platform.counted(), 0);

    let code = asked.code.to_lowercase();
    let answer = |decision: &str| -> ApprovalOutcome {
        let told = tokio::task::block_in_place(|| kata.json(&["approvals", "answer", &code, decision]));
        serde_json::from_value(told).unwrap()
    };
    assert!(answer("once").first);
    let late = answer("deny");
    assert!(!late.first && late.decision == kata_protocol::ApprovalDecision::Once);
    eventually("the answer goes out", async || {
        platform
            .sent()
            .iter()
            .any(|s| s.message.text.contains("changed 1 times"))
            .then_some(())
    })
    .await;
    assert_eq!(platform.counted(), 1, "the tool ran once");
    assert!(waiting(&kata).is_empty());
    eventually("the ledger balances", async || {
        let status = tokio::task::block_in_place(|| kata.json(&["status"]));
        let ledger: Ledger = serde_json::from_value(status["ledger"].clone()).ok()?;
        (ledger.accepted.0 == 1 && ledger.delivered.0 == 1).then_some(())
    })
    .await;
    let asked_once = platform.sent().iter().filter(|s| s.message.text.contains(&told)).count();
    assert_eq!(asked_once, 1, "{:?}", platform.sent());
    third.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_nobody_knows_is_an_error_with_a_hint() {
    let (_platform, home) = asking().await;
    let kata = Kata(&home);
    let serve = kata.serve(None).await;
    let output = tokio::task::block_in_place(|| kata.run(&["approvals", "answer", "QQQQQQ", "once"]));
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("QQQQQQ") && told.contains("kata approvals list"), "{told}");
    serve.stop().await;
}
