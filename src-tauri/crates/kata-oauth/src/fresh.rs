//! When a token is renewed. Pure: time comes in as values.
//!
//! A provider says how long a token lives, so a clock that is wrong does no harm by itself; one that is set back or forth while the
//! program runs is caught by the monotonic clock beside it. What could loop is a token that ends at once, or that the platform
//! refuses as soon as it is there (the platform's clock is wrong, or the provider's): both are bounded here.

use kata_protocol::Ms;
use std::time::Duration;

/// A token is renewed this long before its end, milliseconds.
const MARGIN_MS: u64 = 5 * 60 * 1000;
/// The least a token counts as living. One that ends at once is then used once, and asked for anew at most every second.
const LEAST_LIFE_MS: u64 = 1000;
/// The first wait after a provider did not answer, milliseconds.
const FIRST_WAIT_MS: u64 = 2_000;
/// The longest one.
const LONGEST_WAIT_MS: u64 = 5 * 60 * 1000;
/// A refused token that is younger than this was good for nothing.
const YOUNG_MS: u64 = 30_000;
/// So many of those in a row are renewed at once.
const PATIENCE: u32 = 3;
/// Then the first wait.
const REFUSED_WAIT_MS: u64 = 60_000;
/// And the longest.
const REFUSED_LONGEST_MS: u64 = 60 * 60 * 1000;

/// How long a token lives, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) obtained_at: Ms,
    /// On the monotonic clock of this run.
    pub(crate) obtained_us: Option<u64>,
    /// Absent: until somebody says otherwise.
    pub(crate) life_ms: Option<u64>,
}

/// What to do with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// Counts.
    Good,
    /// Counts, and is to be renewed.
    Due,
    /// Counts no more.
    Over,
}

impl Life {
    /// Of a token that has just come; the time is that of the request, since the provider counts from before the answer.
    pub(crate) fn new(asked_at: Ms, asked_us: u64, expires_in: Option<Duration>) -> Self {
        Self {
            obtained_at: asked_at,
            obtained_us: Some(asked_us),
            life_ms: expires_in.map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX)),
        }
    }

    /// Of a token of an earlier run.
    pub(crate) fn kept(obtained_at: Ms, life_ms: Option<u64>) -> Self {
        Self {
            obtained_at,
            obtained_us: None,
            life_ms,
        }
    }

    /// When it ends.
    pub(crate) fn ends_at(&self) -> Option<Ms> {
        self.life_ms.map(|life| Ms(self.obtained_at.0.saturating_add(life)))
    }

    /// Milliseconds since it came; `None` where the clock was set back and nothing else tells.
    pub(crate) fn elapsed(&self, now: Ms, now_us: u64) -> Option<u64> {
        let steady = self.obtained_us.map(|then| now_us.saturating_sub(then) / 1000);
        let wall = now.0.checked_sub(self.obtained_at.0);
        match (wall, steady) {
            (Some(wall), Some(steady)) => Some(wall.max(steady)),
            (wall, steady) => steady.or(wall),
        }
    }

    /// How it stands.
    pub(crate) fn age(&self, now: Ms, now_us: u64) -> Age {
        let Some(life) = self.life_ms else { return Age::Good };
        let life = life.max(LEAST_LIFE_MS);
        let Some(elapsed) = self.elapsed(now, now_us) else {
            return Age::Over;
        };
        let margin = MARGIN_MS.min(life / 5);
        if elapsed >= life {
            Age::Over
        } else if elapsed >= life - margin {
            Age::Due
        } else {
            Age::Good
        }
    }
}

/// Renewals that failed, and tokens that were good for nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Patience {
    failures: u32,
    refused: u32,
    /// Nothing is asked of the provider before.
    until: Option<Ms>,
}

impl Patience {
    /// Until when the provider is left alone.
    pub(crate) fn waits(&self, now: Ms) -> Option<Ms> {
        // A clock that was set back may not make a wait of minutes one of years.
        self.until.filter(|until| now < *until && until.0 - now.0 <= REFUSED_LONGEST_MS * 2)
    }

    /// Failures in a row, of either kind.
    pub(crate) fn attempts(&self) -> u32 {
        self.failures.max(self.refused.saturating_sub(PATIENCE))
    }

    /// A renewal came.
    pub(crate) fn answered(&mut self) {
        self.failures = 0;
        self.until = None;
    }

    /// The provider did not answer. `noise` spreads those that wait.
    pub(crate) fn failed(&mut self, now: Ms, asked_for: Option<Duration>, noise: u64) -> Ms {
        self.failures = self.failures.saturating_add(1);
        let wait = (FIRST_WAIT_MS << (self.failures - 1).min(16)).min(LONGEST_WAIT_MS);
        let wait = wait + noise % (wait / 5 + 1);
        let asked = asked_for.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX).min(REFUSED_LONGEST_MS));
        let until = Ms(now.0 + wait.max(asked));
        self.until = Some(until);
        until
    }

    /// The platform refused the present token, which has lived that long. `Err`: no more of this before then.
    pub(crate) fn refused(&mut self, life: &Life, now: Ms, now_us: u64) -> Result<(), Ms> {
        let young = life.life_ms.map_or(YOUNG_MS, |l| YOUNG_MS.min(l.max(LEAST_LIFE_MS) / 5 * 4));
        if life.elapsed(now, now_us).is_some_and(|lived| lived < young) {
            self.refused = self.refused.saturating_add(1);
        } else {
            self.refused = 1;
        }
        if self.refused <= PATIENCE {
            return Ok(());
        }
        let wait = (REFUSED_WAIT_MS << (self.refused - PATIENCE - 1).min(16)).min(REFUSED_LONGEST_MS);
        let until = Ms(now.0 + wait);
        self.until = Some(until);
        Err(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_US: u64 = 1_000_000;

    fn life(seconds: u64) -> Life {
        Life::new(Ms(1_000_000), 0, Some(Duration::from_secs(seconds)))
    }

    fn at(life: &Life, seconds: u64) -> Age {
        life.age(Ms(1_000_000 + seconds * 1000), seconds * SECOND_US)
    }

    #[test]
    fn a_token_is_renewed_five_minutes_before_its_end_or_a_fifth_of_a_short_life() {
        let hour = life(3600);
        assert_eq!(
            (at(&hour, 3299), at(&hour, 3300), at(&hour, 3600)),
            (Age::Good, Age::Due, Age::Over)
        );
        let short = life(5);
        assert_eq!((at(&short, 3), at(&short, 4), at(&short, 5)), (Age::Good, Age::Due, Age::Over));
        let endless = Life::new(Ms(1), 0, None);
        assert_eq!(at(&endless, 999_999_999), Age::Good);
    }

    #[test]
    fn a_clock_that_is_set_back_or_forth_neither_keeps_a_dead_token_nor_loops() {
        let hour = life(3600);
        // Back by a day after two hours: the steady clock knows.
        assert_eq!(hour.age(Ms(0), 7200 * SECOND_US), Age::Over);
        // Back, and the token is of an earlier run: asked for anew, once, since the new one counts from the new time.
        assert_eq!(Life::kept(Ms(1_000_000), Some(3_600_000)).age(Ms(0), 5), Age::Over);
        let renewed = Life::new(Ms(0), 5, Some(Duration::from_secs(3600)));
        assert_eq!(renewed.age(Ms(1), 1005), Age::Good);
        // Forth by a year while the machine slept: over, and the next one is good.
        assert_eq!(hour.age(Ms(1_000_000 + 31_536_000_000), SECOND_US), Age::Over);
    }

    #[test]
    fn a_token_that_ends_at_once_is_used_and_asked_for_at_most_once_a_second() {
        let none = life(0);
        assert_eq!(none.age(Ms(1_000_000), 0), Age::Good);
        assert_eq!(none.age(Ms(1_000_799), 799_000), Age::Good);
        assert_eq!(none.age(Ms(1_001_000), SECOND_US), Age::Over);
    }

    #[test]
    fn a_provider_that_does_not_answer_is_asked_ever_more_seldom_and_as_it_says() {
        let mut patience = Patience::default();
        let mut waits = Vec::new();
        let mut now = Ms(10_000_000);
        for _ in 0..10 {
            let until = patience.failed(now, None, 0);
            assert_eq!(patience.waits(now), Some(until));
            waits.push((until.0 - now.0) / 1000);
            now = until;
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(patience.failed(now, Some(Duration::from_secs(1200)), 0).0 - now.0, 1_200_000);
        patience.answered();
        assert_eq!(patience.waits(now), None);
        assert_eq!(patience.failed(now, None, 0).0 - now.0, 2000);
    }

    #[test]
    fn tokens_that_are_refused_as_soon_as_they_come_are_renewed_three_times_and_then_ever_more_seldom() {
        let mut patience = Patience::default();
        let mut now = Ms(1_000_000);
        let fresh = |now: Ms| Life::new(now, now.0 * 1000, Some(Duration::from_secs(3600)));
        let mut outcomes = Vec::new();
        for _ in 0..6 {
            let token = fresh(now);
            now = Ms(now.0 + 1000);
            outcomes.push(
                patience
                    .refused(&token, now, now.0 * 1000)
                    .err()
                    .map(|until| (until.0 - now.0) / 1000),
            );
        }
        assert_eq!(outcomes, [None, None, None, Some(60), Some(120), Some(240)]);
        // One that lived is refused for another reason: it is renewed.
        let token = fresh(now);
        let later = Ms(now.0 + 40_000);
        assert_eq!(patience.refused(&token, later, later.0 * 1000), Ok(()));
    }
}
