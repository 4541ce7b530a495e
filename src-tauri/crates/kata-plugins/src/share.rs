//! Keeps a plugin that works on its own account (timers, continuations, answers of the network) out of everybody's way: a burst
//! goes at full speed, what is beyond it is done in short stints with rests between them, so that whoever wakes up on the same
//! core finds it free. One share per plugin, over all its generations: a plugin that is loaded again brings no new burst.
//!
//! What somebody waits for (a hook, a tool, a send) is never made to rest; it has limits of its own in `engine::slice`.
//! Pure: the time comes in. Deliberately absent: priorities of the system, which a thread may lower and never raise again.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Work before the thread looks whether it should rest.
pub(crate) const STINT: Duration = Duration::from_micros(100);
/// CPU a plugin may use at once before rests begin.
const BURST: Duration = Duration::from_millis(200);
/// Stints up to this length hold nobody up for long.
const SHORT: Duration = Duration::from_micros(250);
/// Rest after a short stint, as its multiple: a fifth of a core.
const AFTER_SHORT: u32 = 4;
/// Rest after a longer one, which holds up whoever wakes in it: so rare that it is not in a neighbour's p99.
const AFTER_LONG: u32 = 100;
/// Longest rest.
const LONGEST: Duration = Duration::from_millis(500);
/// Between two times that it is told.
const TOLD: Duration = Duration::from_secs(60);

/// What a stint came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rest {
    /// How long the thread rests before it goes on.
    pub(crate) pause: Duration,
    /// Whether the person should hear of it.
    pub(crate) tell: bool,
}

/// One plugin's share.
pub(crate) struct Share(Mutex<State>);

struct State {
    credit: Duration,
    at: Option<Instant>,
    told: Option<Instant>,
}

impl Default for Share {
    fn default() -> Self {
        Self(Mutex::new(State {
            credit: BURST,
            at: None,
            told: None,
        }))
    }
}

impl Share {
    /// Charges a stint. `per_minute`: CPU the plugin has in a minute; as much of it comes back in the same time.
    pub(crate) fn charge(&self, stint: Duration, per_minute: Duration, now: Instant) -> Rest {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = state.at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        state.at = Some(now);
        let back = passed.mul_f64((per_minute.as_secs_f64() / 60.0).min(1.0));
        let credit = (state.credit + back).min(BURST);
        if credit >= stint {
            state.credit = credit - stint;
            return Rest::default();
        }
        state.credit = Duration::ZERO;
        let times = if stint <= SHORT { AFTER_SHORT } else { AFTER_LONG };
        let tell = state.told.is_none_or(|told| now.saturating_duration_since(told) >= TOLD);
        if tell {
            state.told = Some(now);
        }
        Rest {
            pause: (stint * times).min(LONGEST),
            tell,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(6);

    #[test]
    fn a_burst_is_done_without_a_rest_and_comes_back_with_time() {
        let (share, now) = (Share::default(), Instant::now());
        let stint = Duration::from_micros(100);
        let free = (0..10_000).take_while(|_| share.charge(stint, MINUTE, now).pause.is_zero()).count();
        assert_eq!(free, 2_000, "two hundred milliseconds in pieces of a tenth");
        let later = now + Duration::from_secs(2);
        let free = (0..10_000)
            .take_while(|_| share.charge(stint, MINUTE, later).pause.is_zero())
            .count();
        assert_eq!(free, 2_000, "a tenth of two seconds");
    }

    #[test]
    fn beyond_the_burst_short_stints_have_a_fifth_of_a_core_and_long_ones_a_hundredth() {
        let (share, now) = (Share::default(), Instant::now());
        share.charge(BURST, MINUTE, now);
        let short = share.charge(Duration::from_micros(200), MINUTE, now);
        let long = share.charge(Duration::from_millis(1), MINUTE, now);
        let endless = share.charge(Duration::from_millis(100), MINUTE, now);
        assert_eq!(short.pause, Duration::from_micros(800));
        assert_eq!(long.pause, Duration::from_millis(100));
        assert_eq!(endless.pause, LONGEST);
    }

    #[test]
    fn it_is_told_once_a_minute() {
        let (share, now) = (Share::default(), Instant::now());
        let tell = |after: u64| share.charge(BURST + SHORT, MINUTE, now + Duration::from_secs(after)).tell;
        assert_eq!((tell(0), tell(1), tell(59), tell(61)), (true, false, false, true));
    }
}
