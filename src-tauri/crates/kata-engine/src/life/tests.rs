//! Runs that end in order or not, one after the other over one home.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use super::reports::{Panic, Reports};
use super::running::Mark;
use super::*;
use async_trait::async_trait;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A clock that stands until it is moved.
struct Hand(AtomicU64);

#[async_trait]
impl Clock for Hand {
    fn now(&self) -> Ms {
        Ms(self.0.load(Ordering::Relaxed))
    }
    fn monotonic_us(&self) -> u64 {
        self.0.load(Ordering::Relaxed) * 1000
    }
    async fn sleep(&self, _: Duration) {
        std::future::pending().await
    }
}

struct Home {
    folder: tempfile::TempDir,
    hand: Arc<Hand>,
}

impl Home {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            hand: Arc::new(Hand(AtomicU64::new(1_800_000_000_000))),
        }
    }
    fn path(&self) -> &Path {
        self.folder.path()
    }
    fn begin(&self) -> Life {
        let clock: Arc<dyn Clock> = Arc::clone(&self.hand) as _;
        let life = Life::begin(self.path(), &clock, &LogRing::default()).unwrap();
        life.judge(false, SAFE_AFTER);
        life
    }
    fn later(&self, seconds: u64) {
        self.hand.0.fetch_add(seconds * 1000, Ordering::Relaxed);
    }
    /// A run that becomes ready and is killed `seconds` later.
    fn killed(&self, seconds: u64) {
        let life = self.begin();
        life.ready();
        self.kill(life, seconds);
    }
    /// What stands on the disk of a killed run is what stands while it runs.
    fn kill(&self, life: Life, seconds: u64) {
        self.later(seconds);
        std::mem::forget(life);
    }
    fn settings(&self, text: &str) {
        std::fs::write(self.path().join("settings.json"), text).unwrap();
    }
}

#[test]
fn a_run_that_ends_in_order_leaves_no_report_and_one_that_is_killed_leaves_one() {
    let home = Home::new();
    let life = home.begin();
    life.ready();
    life.ended();
    assert!(home.begin().reports().list().is_empty());
    // Given up without a shutdown: that is an order too.
    drop(home.begin());
    home.killed(40);
    let life = home.begin();
    let [report] = &life.reports().list()[..] else { panic!() };
    assert_eq!((report.kind.as_str(), report.seen), ("killed", false));
    assert!(report.text.contains("at most 40 s after its start"), "{}", report.text);
    assert!(life.notices()[0].hint.as_ref().unwrap().contains(&report.id));
    assert!(life.reports().see(&report.id).unwrap().unwrap().seen);
    assert!(life.reports().see("nonsense").unwrap().is_none());
    assert!(life.notices().is_empty());
}

#[test]
fn three_ends_within_five_minutes_keep_plugins_off_and_an_end_in_order_lets_them_on_again() {
    let home = Home::new();
    home.killed(10);
    home.killed(10);
    let life = home.begin();
    assert!(life.safe_mode().is_none(), "two are no loop");
    life.ready();
    home.kill(life, 10);
    let life = home.begin();
    let safe = life.safe_mode().unwrap();
    assert!(safe.reason.contains("3 times within 5 minutes"), "{}", safe.reason);
    life.ended();
    assert!(home.begin().safe_mode().is_none());
}

#[test]
fn ends_that_are_far_apart_are_no_loop_and_zero_means_never() {
    let home = Home::new();
    for _ in 0..4 {
        home.killed(301);
    }
    assert!(home.begin().safe_mode().is_none());
    let home = Home::new();
    for _ in 0..5 {
        home.killed(1);
    }
    let clock: Arc<dyn Clock> = Arc::clone(&home.hand) as _;
    let life = Life::begin(home.path(), &clock, &LogRing::default()).unwrap();
    life.judge(false, 0);
    assert!(life.safe_mode().is_none());
    life.judge(true, 0);
    assert_eq!(life.safe_mode().unwrap().reason, "it was asked for");
}

#[test]
fn a_clock_that_is_set_back_makes_no_loop_of_old_ends() {
    let home = Home::new();
    home.killed(1);
    home.killed(1);
    home.hand.0.fetch_sub(3_600_000, Ordering::Relaxed);
    home.killed(1);
    assert!(home.begin().safe_mode().is_none());
}

#[test]
fn a_machine_that_went_down_is_no_crash() {
    let home = Home::new();
    for _ in 0..4 {
        home.killed(1);
        let path = folder(home.path()).join("running.json");
        let mut mark: Mark = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        mark.boot = Some("another boot".into());
        std::fs::write(&path, serde_json::to_vec(&mark).unwrap()).unwrap();
    }
    let life = home.begin();
    assert!(life.reports().list().is_empty() && life.safe_mode().is_none());
}

#[test]
fn two_starts_that_never_became_ready_put_these_settings_aside_until_they_change() {
    let home = Home::new();
    home.settings("{\"gateway\":{\"port\":1}}");
    home.kill(home.begin(), 1);
    assert!(!home.begin_looks_distrustful());
    home.kill(home.begin(), 1);
    let life = home.begin();
    assert!(life.distrusts_settings(home.path()));
    life.ready();
    life.ended();
    // With the good ones it was ready; the bad ones are still there, and still bad.
    let life = home.begin();
    assert!(life.distrusts_settings(home.path()));
    home.settings("{\"gateway\":{\"port\":2}}");
    assert!(!life.distrusts_settings(home.path()));
}

impl Home {
    /// As a start that is killed before it is ready.
    fn begin_looks_distrustful(&self) -> bool {
        let life = self.begin();
        let distrusts = life.distrusts_settings(self.path());
        self.kill(life, 1);
        distrusts
    }
}

#[test]
fn who_was_at_work_when_it_ended_is_known_at_the_next_start() {
    let home = Home::new();
    let life = home.begin();
    let seats = life.seats();
    let take = |name: &str| seats.take(name).unwrap();
    let (works, rests, gone, twice) = (take("loop"), take("echo"), take("gone"), take("loop"));
    for seat in [&works, &rests, &gone, &twice] {
        seat.works(true);
    }
    rests.works(false);
    drop(gone);
    let report = {
        std::mem::forget((works, twice));
        home.kill(life, 1);
        let life = home.begin();
        let report = life.reports().list().remove(0);
        home.kill(life, 1);
        report
    };
    assert!(report.text.contains("Plugins at work: loop.\n"), "{}", report.text);
    assert!(
        home.begin().reports().list()[0].text.contains("No plugin was at work"),
        "each run has its own"
    );
}

#[test]
fn there_is_a_seat_for_each_of_many_plugins_and_a_plugin_that_finds_none_works_all_the_same() {
    let home = Home::new();
    let seats = home.begin().seats();
    let mut taken: Vec<_> = (0..).map_while(|n| seats.take(&format!("plugin-{n}"))).collect();
    assert!(taken.len() >= 100);
    taken.pop();
    assert!(seats.take("again").is_some(), "one that was given back is taken again");
}

#[test]
fn at_most_twenty_reports_are_kept_and_a_damaged_one_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let reports = Reports::open(folder.path());
    let panic = |at: u64| Panic {
        at: Ms(1_800_000_000_000 + at),
        place: "src/x.rs:1",
        thread: "kata",
        task: Some("health"),
        backtrace: "0: somewhere",
        log: &[],
    };
    for n in 0..25 {
        reports.panicked(&panic(n)).unwrap();
    }
    std::fs::write(folder.path().join("20200101T000000-panic.json"), "{").unwrap();
    let list = reports.list();
    assert_eq!(list.len(), 20);
    assert!(list.windows(2).all(|pair| pair[0].at >= pair[1].at), "newest first");
    assert_eq!(list[0].at, Ms(1_800_000_000_024));
    assert!(
        list[0].text.contains("Task: health\n") && list[0].text.contains("0: somewhere"),
        "{}",
        list[0].text
    );
}

#[test]
fn a_backtrace_without_an_end_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let reports = Reports::open(folder.path());
    let backtrace = "é".repeat(1 << 20);
    let panic = Panic {
        at: Ms(1_800_000_000_000),
        place: "x",
        thread: "kata",
        task: None,
        backtrace: &backtrace,
        log: &[],
    };
    reports.panicked(&panic).unwrap();
    assert!(reports.list()[0].text.len() <= 64 << 10);
}
