//! The clock on the wall is set a day forward or back while messages are on their way, in the whole engine.

use async_trait::async_trait;
use kata_core::ports::Clock;
use kata_engine::SystemClock;
use kata_protocol::*;
use kata_tests::{FakePlatform, TestEngine, TestHome, caller, eventually};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The machine's clock, with the one on the wall set wrong by so many milliseconds.
#[derive(Default)]
struct Wall {
    machine: SystemClock,
    off_by_ms: AtomicI64,
}

#[async_trait]
impl Clock for Wall {
    fn now(&self) -> Ms {
        Ms(self.machine.now().0.saturating_add_signed(self.off_by_ms.load(Ordering::Relaxed)))
    }
    fn utc_offset_s(&self, at: Ms) -> i32 {
        self.machine.utc_offset_s(at)
    }
    fn time_zone(&self) -> Option<String> {
        self.machine.time_zone()
    }
    fn monotonic_us(&self) -> u64 {
        self.machine.monotonic_us()
    }
    async fn sleep(&self, duration: Duration) {
        self.machine.sleep(duration).await;
    }
}

async fn set_by(days: i64) {
    let platform = FakePlatform::start().await;
    let home = TestHome::with_plugins(&["loop"]);
    let mut settings = TestHome::loop_settings(&platform.base, true);
    settings["sources"]["channel:loop"]["mode"] = "ask".into();
    home.settings(&settings);
    let wall = Arc::new(Wall::default());
    let engine = TestEngine::start_by(Arc::clone(&wall) as _, home).await;
    platform.write("ada", "before");
    platform.delivered(1).await;
    // One reply is being tried again, one call waits for a person, and ten conversations go on.
    platform.refuse(1);
    platform.write("eve", "tried again");
    platform.write("bob", "/tool change {\"what\":\"it\"}");
    eventually("the call waits for a person", async || {
        let list = engine.ops.approval_list(&caller(), ApprovalList { session: None }).await.ok()?;
        (list.len() == 1).then_some(())
    })
    .await;

    wall.off_by_ms.store(days * DAY_MS, Ordering::Relaxed);
    for n in 0..10 {
        platform.write(&format!("person-{n}"), &format!("after the jump {n}"));
    }
    let texts: Vec<_> = ["before".to_owned(), "tried again".to_owned()]
        .into_iter()
        .chain((0..10).map(|n| format!("after the jump {n}")))
        .collect();
    let missing = || -> Vec<&String> {
        let sent = platform.sent();
        texts
            .iter()
            .filter(|text| !sent.iter().any(|s| s.message.text.contains(text.as_str())))
            .collect()
    };
    eventually(&format!("all of {texts:?} are answered"), async || {
        missing().is_empty().then_some(())
    })
    .await;
    let sent = platform.sent();
    assert!(sent.iter().all(|s| s.times == 1), "nothing is sent twice");
    for text in &texts {
        let count = sent.iter().filter(|s| s.message.text.contains(text.as_str())).count();
        assert_eq!(count, 1, "“{text}” is answered once");
    }
    // What waited for a person has ended by its time, or still waits.
    eventually("the ledger balances", async || {
        let ledger = engine.ledger().await;
        let told = ledger.delivered.0 + ledger.refused.0 + ledger.dead.0 + ledger.pending.0;
        (ledger.accepted.0 == 13 && told == 13 && ledger.delivered.0 >= 12).then_some(())
    })
    .await;
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_a_day_forward_loses_nothing_doubles_nothing_and_holds_nothing_up() {
    set_by(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_a_day_back_loses_nothing_doubles_nothing_and_holds_nothing_up() {
    set_by(-1).await;
}
