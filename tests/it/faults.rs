//! The fault matrix: the real program under `kill -9` at every named point of the path and wherever it happens to be, against a platform
//! that doubles and mixes its events, refuses sends, slows them down, and takes some without an answer.
//!
//! `KATA_FAULT_MESSAGES` says how many messages; `cargo xtask faults` runs it with 10,000.

use kata_core::fault::POINTS;
use kata_protocol::Ledger;
use kata_store::SqliteStore;
use kata_tests::{Kata, Storm, TestHome, balanced, eventually, settled};

/// Messages of one run in CI.
const MESSAGES: usize = 180;

fn messages() -> usize {
    std::env::var("KATA_FAULT_MESSAGES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(MESSAGES)
}

/// Lives that end wherever they happen to be.
const CUTS: usize = 4;

/// What is left when all is quiet.
struct Quiet {
    storm: Storm,
    ledger: Ledger,
    lives: u32,
}

/// People write all the time; the program dies at each point in turn, the second time somewhere on its way, and comes back.
async fn through_everything(idempotent: bool, points: &[&str], seed: u64) -> Quiet {
    let storm = Storm::start(seed, idempotent).await;
    let home = TestHome::with_plugins(&["loop"]);
    home.settings(&TestHome::loop_settings(&storm.base, idempotent));
    let kata = Kata(&home);
    let (all, mut written, mut lives) = (messages(), 0, 0);
    let each = all / (points.len() + CUTS + 1);
    let conversations = (all as u64 / 8).clamp(8, 400);
    for (n, point) in points.iter().enumerate() {
        // At least three of each point's messages get that far, whatever the weather.
        let at = 1 + (seed as usize + n * 7) % (each / 4).clamp(1, 50);
        let mut life = kata.serve(Some(&format!("{point}:{at}"))).await;
        storm.write(each, conversations);
        written += each;
        life.died().await;
        lives += 1;
    }
    for _ in 0..CUTS {
        let life = kata.serve(None).await;
        let goal = storm.shown().len() + 1 + storm.draw(each as u64) as usize;
        storm.write(each, conversations);
        written += each;
        eventually("readers see more", async || (storm.shown().len() >= goal).then_some(())).await;
        life.cut();
        lives += 1;
    }
    let life = kata.serve(None).await;
    storm.write(all - written, conversations);
    let store = SqliteStore::open(&home.path().join("kata.db")).unwrap();
    let ledger = settled(&store, all as u64).await;
    life.stop().await;
    Quiet { storm, ledger, lives }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_in_bad_weather_every_message_is_answered_once_in_order_and_where_it_was_asked() {
    let quiet = through_everything(true, &POINTS, 11).await;
    balanced(&quiet.ledger);
    assert_eq!(
        quiet.lives as usize,
        POINTS.len() + CUTS,
        "it died at every point, and where it happened to be"
    );
    let all = messages() as u64;
    assert_eq!(
        (quiet.ledger.accepted.0, quiet.ledger.delivered.0),
        (all, all),
        "{:?}",
        quiet.ledger
    );
    assert_eq!(quiet.storm.verify() as u64, all, "and every one has its answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_platform_cannot_tell_what_is_in_doubt_is_marked_and_nothing_comes_twice() {
    let points = [
        "after_ingress_commit",
        "after_turn_ended",
        "after_sending_marked",
        "after_send_before_receipt",
        "after_receipt",
    ];
    let quiet = through_everything(false, &points, 23).await;
    balanced(&quiet.ledger);
    let all = messages() as u64;
    assert_eq!(quiet.ledger.accepted.0, all);
    assert!(
        quiet.storm.twice().is_empty(),
        "a reader saw these twice: {:?}",
        quiet.storm.twice()
    );
    let seen = quiet.storm.verify() as u64;
    // Nothing waits any more, so what is pending is parked: a person decides.
    assert_eq!(quiet.ledger.delivered.0 + quiet.ledger.pending.0, all, "{:?}", quiet.ledger);
    assert!(
        quiet.ledger.pending.0 > 0 && seen >= quiet.ledger.delivered.0,
        "all that was confirmed was seen"
    );
}
