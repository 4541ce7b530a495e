//! The planner from outside: what runs when, over sleep, restarts, failures and quiet times.

use super::*;
use serde_json::{Value, json};

const START: u64 = 1_764_000_000_000;
const MINUTE: u64 = 60_000;

struct Service {
    planner: Planner,
    now: u64,
}

impl Service {
    fn new() -> Self {
        Self {
            planner: Planner::new(BTreeMap::new(), Some("Europe/Berlin"), 0, Ms(START)),
            now: START,
        }
    }

    /// Another run of the program, which has only what was kept.
    fn restarted(&self, after: u64) -> Self {
        let kept = serde_json::to_value(self.planner.kept()).unwrap();
        let now = self.now + after;
        Self {
            planner: Planner::new(serde_json::from_value(kept).unwrap(), Some("Europe/Berlin"), 0, Ms(now)),
            now,
        }
    }

    fn plan(&mut self, id: &str, when: Value) -> &mut Self {
        self.plan_as(json!({ "id": id, "when": when }))
    }

    fn plan_as(&mut self, job: Value) -> &mut Self {
        self.planner.schedule(&job.to_string(), Ms(self.now), 7).unwrap();
        self
    }

    /// Lets time pass, running what is due for no time at all. Times of runs from the start of the test, in seconds, with what they
    /// were meant for.
    fn pass(&mut self, ms: u64) -> Vec<(u64, u64)> {
        let end = self.now + ms;
        let mut ran = Vec::new();
        while let Some(next) = self.planner.next().filter(|next| next.0 <= end) {
            self.now = self.now.max(next.0);
            for due in self.planner.due(Ms(self.now)) {
                ran.push(((self.now - START) / 1000, due.due.0.saturating_sub(START) / 1000));
                self.planner.ended(&due, None, Ms(self.now));
            }
        }
        self.now = end;
        ran
    }
}

fn starts(ran: &[(u64, u64)]) -> Vec<u64> {
    ran.iter().map(|(at, _)| *at).collect()
}

#[test]
fn an_interval_begins_spread_and_goes_from_start_to_start() {
    let mut service = Service::new();
    service.plan("poll", json!({ "every": 60 }));
    assert_eq!(starts(&service.pass(4 * MINUTE)), [0, 60, 120, 180]);
    let spread = |random| {
        let mut planner = Planner::new(BTreeMap::new(), None, 0, Ms(START));
        planner
            .schedule(&json!({ "id": "poll", "when": { "every": 60 } }).to_string(), Ms(START), random)
            .unwrap();
        planner.next().unwrap().0 - START
    };
    assert_eq!((spread(0), spread(59_999), spread(60_001)), (0, 59_999, 1), "within the interval");
}

#[test]
fn a_run_that_takes_longer_than_its_interval_leaves_times_out_and_never_runs_twice() {
    let mut service = Service::new();
    service.plan("slow", json!({ "every": 60 }));
    let planner = &mut service.planner;
    let first = planner.due(Ms(START + 7)).remove(0);
    assert_eq!(planner.next(), None, "it runs");
    assert_eq!(planner.due(Ms(START + 3 * MINUTE)), [], "never twice at a time");
    planner.ended(&first, None, Ms(START + 150_000));
    assert_eq!(planner.next(), Some(Ms(START + 7 + 180_000)));
}

#[test]
fn times_missed_while_the_machine_slept_are_made_good_once_or_left_out_as_the_job_wants() {
    let mut service = Service::new();
    service
        .plan("poll", json!({ "every": 60 }))
        .plan_as(json!({ "id": "skips", "when": { "every": 60 }, "missed": "skip" }))
        .plan("daily", json!({ "cron": "0 9 * * *", "timeZone": "UTC" }));
    service.pass(2 * MINUTE);
    // Asleep for three days: the clock goes on, nothing runs meanwhile.
    service.now += 3 * 24 * 60 * MINUTE;
    let due = service.planner.due(Ms(service.now));
    let ids: Vec<&str> = due.iter().map(|d| d.id.as_str()).collect();
    assert_eq!(ids, ["poll", "daily"], "one run each, however many times were missed");
    let nine = 9 * 3_600_000;
    assert_eq!(due[1].due.0 % 86_400_000, nine, "meant for nine o'clock");
    assert!(service.now - due[1].due.0 < 86_400_000, "the last one that was missed");
    assert!(
        service.planner.next().unwrap().0 - service.now <= MINUTE,
        "the others wait for their next time"
    );
}

#[test]
fn times_missed_while_the_program_did_not_run_are_made_good_after_a_restart() {
    let mut service = Service::new();
    let daily = json!({ "cron": "0 9 * * *", "timeZone": "UTC" });
    let skips = json!({ "id": "skips", "when": daily, "missed": "skip" });
    service.plan("daily", daily.clone()).plan_as(skips.clone());
    // It never ran before the program ended, and still it is known that it should have.
    let mut again = service.restarted(2 * 86_400_000);
    again.plan("daily", daily.clone()).plan_as(skips.clone());
    let ran = again.pass(1_000);
    assert_eq!(ran.len(), 1);
    // What was made good is not made good again.
    let mut third = again.restarted(1_000);
    third.plan("daily", daily).plan_as(skips);
    assert_eq!(third.pass(1_000), []);
    assert_eq!(third.pass(86_400_000).len(), 2);
}

#[test]
fn an_interval_goes_on_over_a_restart_where_it_was() {
    let mut service = Service::new();
    service.plan("poll", json!({ "every": 600 }));
    assert_eq!(starts(&service.pass(MINUTE)), [0]);
    let mut again = service.restarted(MINUTE);
    again.plan("poll", json!({ "every": 600 }));
    assert_eq!(starts(&again.pass(10 * MINUTE)), [600]);
    // A clock that was set back by a year does not hold it up for a year.
    let mut back = again.restarted(0);
    back.planner = Planner::new(again.planner.kept().clone(), None, 0, Ms(START - 365 * 86_400_000));
    back.now = START - 365 * 86_400_000;
    back.plan("poll", json!({ "every": 600 }));
    assert!(back.planner.next().unwrap().0 <= back.now + 600_000);
}

#[test]
fn a_single_time_runs_once_also_when_it_is_past_and_not_again_after_a_restart() {
    let mut service = Service::new();
    let past = json!({ "at": START - 5_000 });
    service.plan("late", past.clone()).plan("soon", json!({ "at": START + 30_000 }));
    assert_eq!(starts(&service.pass(MINUTE)), [0, 30]);
    assert_eq!(service.planner.next(), None);
    let mut again = service.restarted(MINUTE);
    again.plan("late", past);
    assert_eq!(again.pass(MINUTE), [], "it has run");
    again.plan("late", json!({ "at": again.now + 1 }));
    assert_eq!(again.pass(MINUTE).len(), 1, "another time is another run");
}

#[test]
fn an_interval_is_stretched_while_nobody_needs_the_service_and_comes_back_at_once() {
    let mut service = Service::new();
    service
        .plan("poll", json!({ "every": 60, "idle": 960 }))
        .plan("plain", json!({ "every": 60 }));
    service.planner.unschedule("plain");
    let hour = starts(&service.pass(60 * MINUTE));
    let gaps: Vec<u64> = hour.windows(2).map(|pair| (pair[1] - pair[0]) / 60).collect();
    assert_eq!(
        gaps,
        [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 4, 4, 4, 8, 16],
        "doubled every ten quiet minutes, up to `idle`"
    );
    let row = &service.planner.shown()[0];
    assert!(row.stretched, "{row:?}");
    assert_eq!(row.when, "every minute, now every 16 minutes");
    assert!(service.planner.busy(Ms(service.now)));
    assert_eq!(
        service.planner.next(),
        Some(Ms(service.now)),
        "overdue by its own interval: at once"
    );
    assert!(!service.planner.shown()[0].stretched);
    let gaps = starts(&service.pass(3 * MINUTE));
    assert_eq!(gaps[1] - gaps[0], 60);
}

#[test]
fn a_machine_that_saves_power_stretches_at_once_what_may_be_stretched() {
    let mut service = Service::new();
    service
        .plan("poll", json!({ "every": 60, "idle": 600 }))
        .plan("exact", json!({ "every": 60 }));
    service.planner.save_power(true, Ms(service.now));
    let runs = service.pass(10 * MINUTE - 1_000).len();
    assert_eq!(runs, 1 + 10, "one of the one, ten of the other");
    assert!(
        !service.planner.busy(Ms(service.now)),
        "a person who waits does not charge the battery"
    );
    assert!(service.planner.save_power(false, Ms(service.now)));
    assert!(service.planner.next().unwrap().0 <= service.now + MINUTE);
}

#[test]
fn five_failures_in_a_row_are_told_and_four_are_only_shown() {
    let mut service = Service::new();
    service.plan("poll", json!({ "every": 60 }));
    let mut fail = |ok: bool| {
        let now = service.planner.next().unwrap();
        let due = service.planner.due(now).remove(0);
        let error = (!ok).then(|| "no answer".to_owned());
        let told = service.planner.ended(&due, error, now);
        (told, service.planner.shown()[0].error.clone())
    };
    for _ in 0..4 {
        assert_eq!(fail(false), (None, Some("no answer".into())));
    }
    assert_eq!(fail(true), (None, None), "one that succeeds ends the row");
    for _ in 0..4 {
        assert_eq!(fail(false).0, None);
    }
    let told = fail(false).0.unwrap();
    assert!(
        told.contains("“poll” failed 5 times in a row") && told.contains("no answer"),
        "{told}"
    );
}

#[test]
fn a_job_planned_again_takes_the_place_of_the_one_before_also_while_that_runs() {
    let mut service = Service::new();
    service.plan("poll", json!({ "every": 60 }));
    let old = service.planner.due(Ms(START + 7)).remove(0);
    service.plan("poll", json!({ "every": 10 }));
    assert_eq!(service.planner.next(), None, "the old one still runs");
    assert_eq!(service.planner.ended(&old, Some("gone".into()), Ms(START + 9)), None);
    assert_eq!(service.planner.shown()[0].error, None, "not a failure of the new one");
    assert!(service.planner.next().is_some());
    assert_eq!(service.planner.shown().len(), 1);
}

#[test]
fn a_run_that_came_to_nothing_is_made_good() {
    let mut service = Service::new();
    service.plan("daily", json!({ "cron": "0 9 * * *", "timeZone": "UTC" }));
    let nine = service.planner.next().unwrap();
    let run = service.planner.due(nine).remove(0);
    service.planner.put_off(&run, Ms(nine.0 + 5_000));
    assert_eq!(service.planner.next(), Some(Ms(nine.0 + 5_000)));
    let again = service.planner.due(Ms(nine.0 + 5_000)).remove(0);
    service.planner.ended(&again, None, Ms(nine.0 + 5_000));
    assert_eq!(service.planner.next(), Some(Ms(nine.0 + 86_400_000)));
}

#[test]
fn jobs_and_what_is_remembered_of_them_have_a_bound() {
    let mut planner = Planner::new(BTreeMap::new(), None, 3_600, Ms(START));
    let mut plan = |n: u64, at: u64| {
        planner.schedule(
            &json!({ "id": format!("j{n}"), "when": { "at": at } }).to_string(),
            Ms(START + n),
            0,
        )
    };
    for n in 0..32 {
        plan(n, START).unwrap();
    }
    assert!(plan(32, START).unwrap_err().to_string().contains("at most 32 jobs"));
    plan(3, START + 1).unwrap();
    for n in 0..200 {
        for due in planner.due(Ms(START + n)) {
            planner.ended(&due, None, Ms(START + n));
        }
        planner.jobs.remove(&format!("j{n}"));
        planner
            .schedule(
                &json!({ "id": format!("k{n}"), "when": { "at": START } }).to_string(),
                Ms(START + n),
                0,
            )
            .unwrap();
        planner.jobs.remove(&format!("k{n}"));
    }
    assert!(planner.kept().len() <= MAX_KEPT + 1, "{}", planner.kept().len());
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_what_was_planned() {
    let mut service = Service::new();
    service.plan("poll", json!({ "every": 60 }));
    for (job, words) in [
        (json!({ "when": { "every": 60 } }), "`id`"),
        (json!({ "id": "poll" }), "`when` of “poll”"),
        (json!({ "id": "poll", "when": { "every": "60" } }), "types"),
        (
            json!({ "id": "poll", "when": { "every": 60 }, "missed": "later" }),
            "`missed` of “poll”",
        ),
    ] {
        let error = service.planner.schedule(&job.to_string(), Ms(START), 0).unwrap_err();
        assert!(
            error.to_string().starts_with("schedule: ") && error.to_string().contains(words),
            "{error}"
        );
    }
    assert_eq!(service.planner.shown()[0].when, "every minute");
}

#[test]
fn a_line_without_a_zone_is_in_the_zone_of_this_machine() {
    let line = json!({ "id": "x", "when": { "cron": "0 9 * * *" } }).to_string();
    let hour = |zone, offset| {
        let mut planner = Planner::new(BTreeMap::new(), zone, offset, Ms(START));
        planner.schedule(&line, Ms(START), 0).unwrap();
        planner.next().unwrap().0 / 3_600_000 % 24
    };
    assert_eq!(hour(Some("Asia/Tokyo"), 0), 0);
    assert_eq!(hour(None, 3_600), 8);
    assert_eq!(hour(Some("No/Zone"), -3_600), 10);
}
