//! Defects of the earlier Electron app that concern what channels leave behind and wait for, each by the sentence that was written
//! about it. Defect 2 (the first poll answers what was written before) is the channels' own: their tests name it.

use kata_protocol::*;
use kata_tests::{FakePlatform, TestEngine, TestHome, caller, eventually};
use serde_json::json;

async fn start(platform: &FakePlatform, change: impl FnOnce(&mut serde_json::Value)) -> TestEngine {
    let home = TestHome::with_plugins(&["loop", "bare"]);
    let mut settings = TestHome::loop_settings(&platform.base, true);
    change(&mut settings);
    home.settings(&settings);
    TestEngine::start(home).await
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_6_what_failed_once_is_never_tried_again() {
    let platform = FakePlatform::start().await;
    let engine = start(&platform, |_| {}).await;
    platform.refuse(2);
    platform.write("ada", "twice refused, then taken");
    let sent = platform.delivered(1).await;
    assert_eq!((sent[0].times, sent[0].message.text.contains("twice refused")), (1, true));
    eventually("the ledger says that it arrived", async || {
        (engine.ledger().await.delivered.0 == 1).then_some(())
    })
    .await;
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_16_deleting_a_channel_leaves_its_secrets_behind() {
    let platform = FakePlatform::start().await;
    let engine = start(&platform, |_| {}).await;
    let add = AccountAdd {
        channel: "bare".parse().unwrap(),
        name: "work".into(),
        workspace: None,
    };
    let id = engine.ops.account_add(&caller(), add).await.unwrap().id;
    let settings = serde_json::from_value(json!({ "id": id, "settings": { "server": "s", "region": "eu" } })).unwrap();
    engine.ops.source_configure(&caller(), settings).await.unwrap();
    let secret: SourceSecret = serde_json::from_value(json!({ "id": id, "name": "first", "value": "hunter2" })).unwrap();
    let detail = engine.ops.source_secret(&caller(), secret).await.unwrap();
    assert!(
        detail.secrets.iter().any(|secret| secret.name == "first" && secret.set),
        "{:?}",
        detail.secrets
    );

    engine.ops.account_remove(&caller(), SourceRef { id: id.clone() }).await.unwrap();
    let engine = engine.restart().await;
    let add = AccountAdd {
        channel: "bare".parse().unwrap(),
        name: "work".into(),
        workspace: None,
    };
    engine.ops.account_add(&caller(), add).await.unwrap();
    let again = engine.ops.source_get(&caller(), SourceRef { id }).await.unwrap();
    assert!(again.secrets.iter().all(|secret| !secret.set), "{:?}", again.secrets);
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_18_three_that_are_stuck_block_every_channel() {
    let platform = FakePlatform::start().await;
    // Calls in mode “ask” wait for a person: turns that do not end by themselves.
    let engine = start(&platform, |settings| settings["sources"]["channel:loop"]["mode"] = "ask".into()).await;
    for person in ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"] {
        platform.write(person, "/tool change {\"what\":\"it\"}");
    }
    eventually("nine turns are stuck", async || {
        let waiting = engine.ops.approval_list(&caller(), ApprovalList { session: None }).await.ok()?;
        (waiting.len() == 9).then_some(())
    })
    .await;
    platform.write("ten", "is anybody there?");
    eventually("the tenth is answered", async || {
        platform
            .sent()
            .iter()
            .any(|s| s.message.text.contains("is anybody there?"))
            .then_some(())
    })
    .await;
    engine.engine.shutdown().await;
}
