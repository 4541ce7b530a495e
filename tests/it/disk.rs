//! A disk that stops taking what is written, while messages are on their way: seen, tried again, nothing lost or doubled.

use kata_protocol::*;
use kata_tests::{FakePlatform, TestEngine, TestHome, caller, eventually};
use std::path::PathBuf;

async fn trouble(engine: &TestEngine) -> Option<Notice> {
    let status = engine.ops.system_status(&caller(), Empty {}).await.unwrap();
    assert_eq!(
        status.health.line.contains("the disk does not take"),
        status.notices.iter().any(|n| n.id == "disk-trouble")
    );
    status.notices.into_iter().find(|n| n.id == "disk-trouble")
}

/// What is said while the store refuses writes.
async fn store_trouble(engine: &TestEngine) -> Option<Notice> {
    let status = engine.ops.system_status(&caller(), Empty {}).await.unwrap();
    status.notices.into_iter().find(|n| n.id == "store-trouble")
}

/// The one session's journal.
fn journal(home: &TestHome) -> PathBuf {
    let sessions = home.path().join("workspaces/my-workspace/sessions");
    let folder = std::fs::read_dir(sessions).unwrap().flatten().next().expect("a session");
    folder.path().join("journal.jsonl")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_written_waits_visibly_and_leaves_when_the_disk_takes_it() {
    let platform = FakePlatform::start().await;
    let home = TestHome::with_plugins(&["loop"]);
    home.settings(&TestHome::loop_settings(&platform.base, false));
    let engine = TestEngine::start(home).await;
    platform.write("ada", "one");
    platform.delivered(1).await;
    eventually("the first message has ended", async || {
        (engine.ledger().await.delivered.0 == 1).then_some(())
    })
    .await;

    // A folder where the file was: every write to it fails, as root's do not with a file that may not be written.
    let journal = journal(&engine.home);
    let aside = journal.with_extension("aside");
    std::fs::rename(&journal, &aside).unwrap();
    std::fs::create_dir(&journal).unwrap();
    platform.write("ada", "two");
    let notice = eventually("the trouble is told", async || trouble(&engine).await).await;
    assert!(notice.message.contains("journal.jsonl"), "{notice:?}");
    let ledger = engine.ledger().await;
    assert_eq!(
        (ledger.accepted.0, ledger.pending.0, platform.sent().len()),
        (2, 1, 1),
        "{ledger:?}"
    );

    std::fs::remove_dir(&journal).unwrap();
    std::fs::rename(&aside, &journal).unwrap();
    let sent = platform.delivered(2).await;
    assert!(sent[1].message.text.contains("two"), "{}", sent[1].message.text);
    eventually("the trouble is over", async || trouble(&engine).await.is_none().then_some(())).await;
    eventually("the ledger balances", async || {
        (engine.ledger().await.delivered.0 == 2).then_some(())
    })
    .await;
    assert!(sent.iter().all(|s| s.times == 1), "nothing is sent twice");
    engine.engine.shutdown().await;
    let rows = std::fs::read_to_string(journal.with_file_name("session.jsonl")).unwrap();
    let count = |text: &str| {
        rows.lines()
            .filter(|row| row.contains(text) && row.contains(r#""type":"user""#))
            .count()
    };
    assert_eq!((count("one"), count("two")), (1, 1), "each message is in the session once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_may_only_be_read_takes_nothing_in_says_so_and_goes_on_where_it_was() {
    let platform = FakePlatform::start().await;
    let home = TestHome::with_plugins(&["loop"]);
    home.settings(&TestHome::loop_settings(&platform.base, true));
    let engine = TestEngine::start(home).await;
    platform.write("ada", "one");
    platform.delivered(1).await;
    eventually("the first message has ended", async || {
        (engine.ledger().await.delivered.0 == 1).then_some(())
    })
    .await;

    engine.engine.refuse_writes(true);
    platform.write("ada", "two");
    let notice = eventually("the trouble is told", async || store_trouble(&engine).await).await;
    assert!(notice.message.contains("readonly"), "{notice:?}");
    let ledger = engine.ledger().await;
    assert_eq!(
        (ledger.accepted.0, platform.sent().len()),
        (1, 1),
        "nothing is taken in: {ledger:?}"
    );
    let list = engine.ops.session_list(&caller(), SessionList::default()).await.unwrap();
    assert_eq!(list.total, 1, "reading goes on");

    engine.engine.refuse_writes(false);
    let sent = platform.delivered(2).await;
    assert!(sent[1].message.text.contains("two"), "{}", sent[1].message.text);
    assert!(sent.iter().all(|s| s.times == 1), "nothing is sent twice");
    eventually("the trouble is over", async || store_trouble(&engine).await.is_none().then_some(())).await;
    eventually("the ledger balances", async || {
        (engine.ledger().await.delivered.0 == 2).then_some(())
    })
    .await;
    engine.engine.shutdown().await;
}
