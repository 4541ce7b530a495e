//! The rules by example and by property, over clocks that are put forward and back.

use super::*;
use kata_protocol::{PermissionMode, SessionId, TokenUsage, WorkspaceId};
use proptest::prelude::*;

/// 2026-03-01, noon UTC.
const NOON: u64 = 1_772_366_400_000;
const HOUR: u64 = 60 * MINUTE;

fn session(name: &str, last: u64) -> Candidate {
    Candidate {
        summary: SessionSummary {
            id: SessionId::new(name).unwrap(),
            workspace: WorkspaceId::new("w").unwrap(),
            name: None,
            preview: None,
            created_at: Ms(0),
            last_message_at: Ms(last),
            flagged: false,
            status: None,
            labels: Vec::new(),
            unread: false,
            mode: PermissionMode::Safe,
            model: None,
            channel: None,
            message_count: 1,
            usage: TokenUsage::default(),
            state: SessionState::Idle,
            archived: false,
            working_directory: None,
            profile: None,
        },
        class: SessionClass::Desktop,
        archived_at: None,
    }
}

fn daily(time: &str) -> ClassRules {
    ClassRules {
        reset_daily_at: Some(time.into()),
        ..ClassRules::default()
    }
}

fn utc(_: Ms) -> i32 {
    0
}

#[test]
fn a_silent_conversation_begins_anew_after_its_minutes_and_not_before() {
    let rules = ClassRules {
        reset_after_minutes: Some(30),
        ..ClassRules::default()
    };
    let due = |silent: u64| due_reset(&rules, Ms(NOON), Ms(NOON + silent), utc).is_some();
    assert_eq!((due(30 * MINUTE - 1), due(30 * MINUTE)), (false, true));
    assert!(
        due_reset(&ClassRules::default(), Ms(0), Ms(NOON), utc).is_none(),
        "no rule, no reset"
    );
    assert!(
        due_reset(&rules, Ms(NOON), Ms(NOON - 9 * HOUR), utc).is_none(),
        "a clock that went back"
    );
}

#[test]
fn the_first_message_after_the_time_of_day_begins_anew_on_the_clock_on_the_wall() {
    let rules = daily("04:30");
    let midnight = NOON - 12 * HOUR;
    let due = |last: u64, now: u64, offset: i32| due_reset(&rules, Ms(last), Ms(now), |_| offset).is_some();
    assert!(!due(midnight + 4 * HOUR, midnight + 4 * HOUR + 29 * MINUTE, 0));
    assert!(due(midnight + 4 * HOUR, midnight + 4 * HOUR + 30 * MINUTE, 0));
    assert!(!due(midnight + 5 * HOUR, midnight + 28 * HOUR, 0), "once a day");
    assert!(due(midnight + 5 * HOUR, midnight + 29 * HOUR, 0));
    // 04:30 in New York is 09:30 UTC; in Auckland it is 15:30 UTC of the day before.
    assert!(!due(midnight + 4 * HOUR, midnight + 9 * HOUR, -5 * 3600));
    assert!(due(midnight + 4 * HOUR, midnight + 10 * HOUR, -5 * 3600));
    assert!(due(midnight - 9 * HOUR, midnight - 8 * HOUR, 13 * 3600));
    assert!(!due(midnight - 8 * HOUR, midnight + 15 * HOUR, 13 * 3600));
}

#[test]
fn a_night_on_which_the_clock_is_moved_has_one_reset() {
    // Central Europe, 2026-03-29: at 01:00 UTC the clock goes from 02:00 to 03:00.
    let change = 1_774_746_000_000;
    let spring = |at: Ms| if at.0 >= change { 7200 } else { 3600 };
    let rules = daily("04:30");
    assert!(due_reset(&rules, Ms(change - 5 * HOUR), Ms(change + HOUR + 29 * MINUTE), spring).is_none());
    assert!(due_reset(&rules, Ms(change - 5 * HOUR), Ms(change + HOUR + 30 * MINUTE), spring).is_some());
    // 02:30 does not exist that night; there is one reset all the same.
    let rules = daily("02:30");
    assert!(due_reset(&rules, Ms(change - 5 * HOUR), Ms(change + 3 * HOUR), spring).is_some());
    assert!(due_reset(&rules, Ms(change + 2 * HOUR), Ms(change + 20 * HOUR), spring).is_none());
    // 2026-10-25: at 01:00 UTC the clock goes from 03:00 back to 02:00.
    let change = 1_792_890_000_000;
    let autumn = |at: Ms| if at.0 >= change { 3600 } else { 7200 };
    assert!(due_reset(&rules, Ms(change - 5 * HOUR), Ms(change + 3 * HOUR), autumn).is_some());
    assert!(due_reset(&rules, Ms(change + 2 * HOUR), Ms(change + 20 * HOUR), autumn).is_none());
}

#[test]
fn a_rule_that_makes_no_sense_is_named_by_its_field() {
    let bad = |change: fn(&mut HygieneRules)| {
        let mut rules = HygieneRules::default();
        change(&mut rules);
        check(&rules).err().map(|error| error.field)
    };
    assert_eq!(bad(|_| ()), None);
    assert_eq!(
        bad(|r| r.direct.reset_daily_at = Some("4:30".into())).as_deref(),
        Some("direct.resetDailyAt")
    );
    assert_eq!(
        bad(|r| r.group.reset_daily_at = Some("24:00".into())).as_deref(),
        Some("group.resetDailyAt")
    );
    assert_eq!(bad(|r| r.thread.most = Some(0)).as_deref(), Some("thread.most"));
    assert_eq!(
        bad(|r| r.direct.reset_after_minutes = Some(0)).as_deref(),
        Some("direct.resetAfterMinutes")
    );
    assert_eq!(
        bad(|r| r.desktop.archive_after_days = Some(99_999)).as_deref(),
        Some("desktop.archiveAfterDays")
    );
    assert_eq!(
        bad(|r| r.delete_archived_after_days = Some(0)).as_deref(),
        Some("deleteArchivedAfterDays")
    );
    assert_eq!(
        bad(|r| r.desktop.reset_after_minutes = Some(5)).as_deref(),
        Some("desktop.resetAfterMinutes")
    );
}

#[test]
fn a_cap_archives_the_ones_silent_longest_and_counts_what_is_left_alone() {
    let mut sessions: Vec<_> = (1..=5).map(|n| session(&format!("s{n}"), NOON + n)).collect();
    sessions[0].summary.flagged = true;
    sessions[1].summary.state = SessionState::Streaming;
    let rules = HygieneRules {
        desktop: ClassRules {
            most: Some(3),
            ..ClassRules::default()
        },
        ..HygieneRules::default()
    };
    let steps = plan(&sessions, &rules, Ms(NOON + HOUR));
    let ids: Vec<_> = steps.iter().map(|step| step.session.id.as_str()).collect();
    assert_eq!(ids, ["s3", "s4"]);
}

fn any_session() -> impl Strategy<Value = Candidate> {
    let class = prop_oneof![
        Just(SessionClass::Desktop),
        Just(SessionClass::Direct),
        Just(SessionClass::Group),
        Just(SessionClass::Thread)
    ];
    let at = 0..200 * DAY;
    (0..100_000_u32, at.clone(), any::<[bool; 3]>(), proptest::option::of(at), class).prop_map(|(n, last, flags, archived_at, class)| {
        let mut one = session(&format!("s{n}"), last);
        (one.summary.flagged, one.summary.archived) = (flags[0], flags[1]);
        one.summary.state = if flags[2] { SessionState::Idle } else { SessionState::RunningTools };
        Candidate {
            class,
            archived_at: archived_at.filter(|_| flags[1]).map(Ms),
            ..one
        }
    })
}

fn any_rules() -> impl Strategy<Value = HygieneRules> {
    let class = (proptest::option::of(1..150_u32), proptest::option::of(1..6_u32)).prop_map(|(archive_after_days, most)| ClassRules {
        archive_after_days,
        most,
        ..ClassRules::default()
    });
    (class.clone(), class.clone(), class.clone(), class, proptest::option::of(1..150_u32)).prop_map(
        |(desktop, direct, group, thread, delete_archived_after_days)| HygieneRules {
            desktop,
            direct,
            group,
            thread,
            delete_archived_after_days,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn no_plan_touches_what_is_flagged_or_at_work_or_deletes_what_is_not_archived_long_enough(
        sessions in prop::collection::vec(any_session(), 0..30), rules in any_rules(),
    ) {
        let now = Ms(200 * DAY);
        let steps = plan(&sessions, &rules, now);
        for step in &steps {
            let one = sessions.iter().find(|one| one.summary == step.session).unwrap();
            prop_assert!(!one.summary.flagged && one.summary.state == SessionState::Idle);
            match step.action {
                HygieneAction::Delete => {
                    let days = u64::from(rules.delete_archived_after_days.unwrap());
                    prop_assert!(one.summary.archived && one.archived_at.unwrap().0 + days * DAY <= now.0);
                }
                HygieneAction::Archive => prop_assert!(!one.summary.archived),
            }
        }
        // Who was archived for a cap was silent at least as long as everybody of the class who may be archived and was not.
        for step in steps.iter().filter(|step| step.action == HygieneAction::Archive) {
            let spared = sessions.iter().filter(|one| {
                one.class == step.class && !one.summary.archived && !one.summary.flagged && one.summary.state == SessionState::Idle
                    && !steps.iter().any(|other| other.session == one.summary)
            });
            for one in spared {
                prop_assert!(one.summary.last_message_at >= step.session.last_message_at);
            }
        }
    }

    #[test]
    fn a_daily_reset_comes_once_in_every_day_whatever_the_clock_does(
        minute in 0..1440_u64, start in 100 * DAY..101 * DAY, change in 0..40 * DAY, before in -12..14_i32, by in -1..=1_i32,
    ) {
        let rules = daily(&format!("{:02}:{:02}", minute / 60, minute % 60));
        let change = start + change;
        let offset = |at: Ms| (before + if at.0 >= change { by } else { 0 }) * 3600;
        // A message every quarter of an hour for forty days: each is the last one of the next.
        let step = 15 * MINUTE;
        let resets = (1..=40 * DAY / step)
            .filter(|n| due_reset(&rules, Ms(start + (n - 1) * step), Ms(start + n * step), offset).is_some())
            .count();
        prop_assert!((39..=41).contains(&resets), "{resets} resets in 40 days");
    }
}
