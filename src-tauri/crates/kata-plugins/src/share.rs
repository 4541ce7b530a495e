//! Keeps a plugin that works on its own account (timers, continuations, answers of the network) out of everybody's way: a burst
//! goes at full speed, what is beyond it is done in short stints with rests between them, so that whoever wakes up on the same
//! core finds it free, and so that a minute never has more work in it than the plugin's budget. One share per plugin, over all
//! its generations: a plugin that is loaded again brings no new burst.
//!
//! What people get from it earns more: for each message that was taken in and each reply that is handed to it, a plugin gets some CPU
//! on top, so that a channel with a backlog works it off, and its sends do not wait behind its own rests.
//!
//! `engine::slice` says whose work is charged here: never what somebody waits for with a limit (a hook, a tool), and a channel's
//! sends only when they have used the minute up. So a busy channel becomes slower, and is not ended for being busy.
//! Pure: the time comes in. Deliberately absent: priorities of the system, which a thread may lower and never raise again.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Work before the thread looks whether it should rest.
pub(crate) const STINT: Duration = Duration::from_micros(100);
/// CPU a plugin may use at once before rests begin.
const BURST: Duration = Duration::from_millis(200);
/// Stints up to this length hold nobody up for long.
const SHORT: Duration = Duration::from_micros(250);
/// What a longer one costs beyond the burst, as its multiple: it holds up whoever wakes in it, so it must be so rare that it is
/// not in a neighbour's p99.
const LONG_COSTS: i64 = 10;
/// Most that is owed, nanoseconds; what is beyond it is forgiven, since one long stint must not silence a plugin for minutes.
const OWED: i64 = 100_000_000;
/// Longest rest.
const LONGEST: Duration = Duration::from_millis(500);
/// CPU that a message on its way in or out brings; an e-mail with its server's chatter takes about that.
const EARNED: i64 = 20_000_000;
/// Most of it that can be saved up, beyond the burst.
const SAVED: i64 = 1_000_000_000;
/// For so long after a message a long stint costs what it takes and no multiple, and work has no end.
const USEFUL: Duration = Duration::from_secs(10);
/// A stint of which the thread is felt in spite of its rests.
const FELT: Duration = Duration::from_millis(5);
/// As many of them within [`TOLD`], beyond the burst, and the thread stands back.
const MANY: u32 = 8;
/// A stint after which the thread gives way to whoever wakes up beside it, for [`TOLD`]: what is as long will be so again.
const COARSE: Duration = Duration::from_millis(1);
/// Work without an end: a plugin that has been beyond its share for this long, without a pause, is ended.
const ENDLESS: Duration = Duration::from_secs(300);
/// Between two times that it is told.
const TOLD: Duration = Duration::from_secs(60);

/// How a plugin's thread stands towards everybody else on the machine; `engine::priority` says what the system is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stand {
    /// As one among many that work briefly.
    #[default]
    Quick,
    /// It works for long at a time: whoever wakes up goes first. It gets no less for it.
    Coarse,
    /// It is felt in spite of its rests: behind all others.
    Back,
}

/// What a stint came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rest {
    /// How long the thread rests before it goes on.
    pub(crate) pause: Duration,
    /// Whether the person should hear of it.
    pub(crate) tell: bool,
    /// How the thread stands from here on.
    pub(crate) stand: Stand,
    /// Whether it has gone on like this for [`ENDLESS`].
    pub(crate) endless: bool,
}

/// One plugin's share.
pub(crate) struct Share(Mutex<State>);

struct State {
    /// CPU it may use at once, nanoseconds; below zero it rests until that has come back.
    credit: i64,
    at: Option<Instant>,
    told: Option<Instant>,
    /// Since when it has been beyond its share; a pause in which half the burst comes back ends it.
    busy: Option<Instant>,
    /// Stints that were felt, and when the first of them was.
    felt: u32,
    felt_since: Option<Instant>,
    lowered: Option<Instant>,
    /// When it worked for long at a time last.
    coarse: Option<Instant>,
    /// When a message came or went last, and what messages have brought in the minute that began then.
    useful: Option<Instant>,
    earned: i64,
    earned_since: Option<Instant>,
}

impl Default for Share {
    fn default() -> Self {
        Self(Mutex::new(State {
            credit: nanos(BURST),
            at: None,
            told: None,
            busy: None,
            felt: 0,
            felt_since: None,
            lowered: None,
            coarse: None,
            useful: None,
            earned: 0,
            earned_since: None,
        }))
    }
}

impl Share {
    /// A message was taken in, or a reply is handed to the plugin. In a minute that brings at most another `per_minute`.
    pub(crate) fn earn(&self, per_minute: Duration, now: Instant) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.earned_since.is_none_or(|since| now.saturating_duration_since(since) >= TOLD) {
            state.earned = 0;
            state.earned_since = Some(now);
        }
        let more = EARNED.min(nanos(per_minute) - state.earned).max(0);
        state.earned += more;
        state.credit = state.credit.saturating_add(more).min(nanos(BURST) + SAVED);
        state.useful = Some(now);
    }

    /// Charges a stint. `per_minute`: CPU the plugin has in a minute; as much of it comes back in the same time.
    pub(crate) fn charge(&self, stint: Duration, per_minute: Duration, now: Instant) -> Rest {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (burst, stint_ns) = (nanos(BURST), nanos(stint));
        let credit = state.credit(per_minute, now);
        state.at = Some(now);
        let useful = state.useful.is_some_and(|at| now.saturating_duration_since(at) < USEFUL);
        if useful || credit >= burst / 2 {
            state.busy = None;
        }
        let beyond = (stint_ns - credit.max(0)).max(0);
        let more = if stint > SHORT && !useful { beyond * (LONG_COSTS - 1) } else { 0 };
        state.credit = (credit - stint_ns - more).max(-OWED);
        if stint >= COARSE {
            state.coarse = Some(now);
        }
        if state.credit >= 0 {
            return Rest {
                stand: state.stand(now),
                ..Rest::default()
            };
        }
        let busy = *state.busy.get_or_insert(now);
        let endless = now.saturating_duration_since(busy) >= ENDLESS;
        if endless {
            state.busy = None;
        }
        let tell = state.told.is_none_or(|told| now.saturating_duration_since(told) >= TOLD);
        if tell {
            state.told = Some(now);
        }
        if state.felt_since.is_none_or(|since| now.saturating_duration_since(since) >= TOLD) {
            state.felt = 0;
            state.felt_since = Some(now);
        }
        state.felt = state.felt.saturating_add(u32::from(stint >= FELT));
        if stint >= FELT && state.felt >= MANY {
            state.lowered = Some(now);
        }
        Rest {
            pause: pause(state.credit, per_minute),
            tell,
            stand: state.stand(now),
            endless,
        }
    }

    /// How long a thread that begins now waits with what the plugin does on its own account: what the one before it owes is not
    /// forgiven for being loaded again.
    pub(crate) fn owed(&self, per_minute: Duration, now: Instant) -> Duration {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pause(state.credit(per_minute, now), per_minute)
    }

    /// How a thread of this plugin stands that begins now: as the one before it did, where that was within the last minute.
    pub(crate) fn stand(&self, now: Instant) -> Stand {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).stand(now)
    }
}

impl State {
    /// What it may use at `now`. Time fills the burst; what messages brought may stand above it.
    fn credit(&self, per_minute: Duration, now: Instant) -> i64 {
        let passed = self.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let back = i128::from(nanos(passed)) * i128::from(per_minute_nanos(per_minute)) / i128::from(MINUTE);
        let filled = self
            .credit
            .saturating_add(i64::try_from(back).unwrap_or(i64::MAX))
            .min(nanos(BURST));
        filled.max(self.credit)
    }

    fn stand(&self, now: Instant) -> Stand {
        let lately = |at: Option<Instant>| at.is_some_and(|at| now.saturating_duration_since(at) < TOLD);
        match (lately(self.lowered), lately(self.coarse)) {
            (true, _) => Stand::Back,
            (false, true) => Stand::Coarse,
            (false, false) => Stand::Quick,
        }
    }
}

/// A minute, nanoseconds.
const MINUTE: i64 = 60_000_000_000;

/// Until a negative credit has come back, the longest rest at most.
fn pause(credit: i64, per_minute: Duration) -> Duration {
    let due = i128::from(-credit.min(0)) * i128::from(MINUTE) / i128::from(per_minute_nanos(per_minute));
    u64::try_from(due).map_or(LONGEST, Duration::from_nanos).min(LONGEST)
}

fn per_minute_nanos(per_minute: Duration) -> i64 {
    nanos(per_minute).clamp(1, MINUTE)
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX / (2 * LONG_COSTS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Duration = Duration::from_secs(6);

    #[test]
    fn a_burst_is_done_without_a_rest_and_comes_back_with_time() {
        let (share, now) = (Share::default(), Instant::now());
        let stint = Duration::from_micros(100);
        let free = (0..10_000).take_while(|_| share.charge(stint, BUDGET, now).pause.is_zero()).count();
        assert_eq!(free, 2_000, "two hundred milliseconds in pieces of a tenth");
        let later = now + Duration::from_secs(2);
        let free = (0..10_000)
            .take_while(|_| share.charge(stint, BUDGET, later).pause.is_zero())
            .count();
        assert_eq!(free, 1_999, "a tenth of two seconds, less the stint that was owed");
    }

    /// Works in stints of `stint` as often as it may; CPU it got in `minutes`.
    fn got(stint: Duration, minutes: u64) -> Duration {
        let (share, began) = (Share::default(), Instant::now());
        let end = began + Duration::from_secs(60 * minutes);
        let (mut now, mut got) = (began, Duration::ZERO);
        while now < end {
            now += stint;
            got += stint;
            now += share.charge(stint, BUDGET, now).pause;
        }
        got
    }

    #[test]
    fn work_without_an_end_gets_its_budget_and_the_burst_and_no_more() {
        let got = got(Duration::from_micros(200), 3);
        assert!(
            (Duration::from_millis(17_900)..Duration::from_millis(18_300)).contains(&got),
            "three minutes of a tenth: {got:?}"
        );
    }

    #[test]
    fn long_stints_have_a_hundredth_and_an_endless_one_the_longest_rest() {
        let (share, now) = (Share::default(), Instant::now());
        share.charge(BURST, BUDGET, now);
        let long = share.charge(Duration::from_millis(1), BUDGET, now);
        let endless = share.charge(Duration::from_millis(100), BUDGET, now);
        assert_eq!(long.pause, Duration::from_millis(100));
        assert_eq!(endless.pause, LONGEST);
        assert!(got(Duration::from_millis(2), 1) < Duration::from_secs(1));
    }

    #[test]
    fn work_without_an_end_ends_after_five_minutes_and_work_with_pauses_never() {
        let (share, began) = (Share::default(), Instant::now());
        let stint = Duration::from_millis(50);
        let at = |s: u64| began + Duration::from_secs(s);
        share.charge(BURST, BUDGET, began);
        let ended: Vec<u64> = (0..400).filter(|s| share.charge(stint * 3, BUDGET, at(*s)).endless).collect();
        assert_eq!(ended, [300], "once, and the count begins anew");
        // Every minute it is quiet for two seconds.
        let pausing = Share::default();
        let works = |s: &u64| s % 60 < 58;
        assert!((0..1_000).filter(works).all(|s| !pausing.charge(stint * 3, BUDGET, at(s)).endless));
    }

    #[test]
    fn who_is_felt_again_and_again_stands_back_and_no_longer_after_a_quiet_minute() {
        let (share, now) = (Share::default(), Instant::now());
        let felt = |share: &Share, at| share.charge(Duration::from_millis(30), BUDGET, at).stand == Stand::Back;
        share.charge(BURST, BUDGET, now);
        let before = (1..MANY).filter(|_| felt(&share, now)).count();
        assert!(before == 0 && share.stand(now) != Stand::Back, "some long stints are no pattern");
        assert!(felt(&share, now) && share.stand(now + TOLD / 2) == Stand::Back);
        assert_eq!(share.stand(now + TOLD), Stand::Quick);
        let short = Share::default();
        let at = |n: u64| now + Duration::from_millis(n);
        assert!(
            (0..10_000).all(|n| short.charge(Duration::from_micros(300), BUDGET, at(n)).stand == Stand::Quick),
            "polled work rests only"
        );
    }

    #[test]
    fn who_is_loaded_again_waits_as_long_as_the_one_before_it_owes_and_nobody_else_waits() {
        let (share, now) = (Share::default(), Instant::now());
        assert_eq!(share.owed(BUDGET, now), Duration::ZERO);
        share.charge(BURST, BUDGET, now);
        let rest = share.charge(SHORT, BUDGET, now).pause;
        assert_eq!((share.owed(BUDGET, now), share.owed(BUDGET, now + rest)), (rest, Duration::ZERO));
    }

    #[test]
    fn the_first_long_stint_gives_way_at_once_also_within_the_burst_and_for_a_minute() {
        let (share, now) = (Share::default(), Instant::now());
        assert_eq!(share.charge(COARSE / 2, BUDGET, now), Rest::default());
        let long = share.charge(COARSE, BUDGET, now);
        assert_eq!(
            (long.stand, long.pause),
            (Stand::Coarse, Duration::ZERO),
            "and rests no more for it"
        );
        assert_eq!(share.charge(COARSE / 2, BUDGET, now + TOLD / 2).stand, Stand::Coarse);
        assert_eq!(share.charge(COARSE / 2, BUDGET, now + TOLD).stand, Stand::Quick);
    }

    #[test]
    fn messages_bring_a_channel_the_time_to_work_a_backlog_off_and_never_more_than_its_budget_once_again() {
        let (share, began) = (Share::default(), Instant::now());
        let (mut now, mut messages) = (began, 0);
        // Each message takes fifteen milliseconds in stints of three, which would have a hundredth of a core otherwise.
        while now < began + Duration::from_secs(60) {
            for _ in 0..5 {
                now += Duration::from_millis(3);
                now += share.charge(Duration::from_millis(3), BUDGET, now).pause;
            }
            share.earn(BUDGET, now);
            messages += 1;
        }
        let most = (2 * BUDGET + BURST).as_millis() / 15;
        assert!(
            (u128::from(700_u32)..=most + 1).contains(&messages),
            "{messages} messages in a minute, {most} at most"
        );
    }

    #[test]
    fn a_channel_that_is_busy_for_hours_is_never_ended() {
        let (share, began) = (Share::default(), Instant::now());
        for second in 0..7_200 {
            let now = began + Duration::from_secs(second);
            share.earn(BUDGET, now);
            assert!(!share.charge(Duration::from_millis(150), BUDGET, now).endless, "in second {second}");
        }
    }

    #[test]
    fn it_is_told_once_a_minute() {
        let (share, now) = (Share::default(), Instant::now());
        let tell = |after: u64| share.charge(BURST + SHORT, BUDGET, now + Duration::from_secs(after)).tell;
        assert_eq!((tell(0), tell(1), tell(59), tell(61)), (true, false, false, true));
    }
}
