//! Whether the machine slept, and whether it is in another network than before. Pure: the clocks' readings and the network come in
//! with each look.
//!
//! On most systems the clock that never goes back stands still in sleep while the clock on the wall goes on. Where it does not, a look
//! that comes minutes late is what is left to see.

use kata_protocol::Ms;
use std::time::Duration;

/// The clocks may drift apart, and be set, by less than this.
const DRIFT: Duration = Duration::from_secs(10);
/// A look may be late by less than this because the machine is busy.
const LATE: Duration = Duration::from_secs(120);

/// Looks again and again.
#[derive(Debug)]
pub struct Watch {
    every: Duration,
    before: Option<Look>,
}

#[derive(Debug)]
struct Look {
    wall: Ms,
    monotonic_us: u64,
    network: String,
}

/// What happened since the look before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// It slept for about so long.
    pub slept: Option<Duration>,
    /// It is in another network, and in one at all.
    pub network: bool,
}

impl Watch {
    /// Looks are meant to come every `every`.
    pub fn new(every: Duration) -> Self {
        Self { every, before: None }
    }

    /// One look.
    pub fn look(&mut self, wall: Ms, monotonic_us: u64, network: String) -> Seen {
        let now = Look {
            wall,
            monotonic_us,
            network,
        };
        let Some(before) = self.before.take() else {
            self.before = Some(now);
            return Seen::default();
        };
        let wall = Duration::from_millis(now.wall.0.saturating_sub(before.wall.0));
        let ran = Duration::from_micros(now.monotonic_us.saturating_sub(before.monotonic_us));
        let asleep = wall.saturating_sub(ran);
        let late = ran.saturating_sub(self.every);
        let slept = match () {
            () if asleep >= DRIFT => Some(asleep),
            () if late >= LATE => Some(late),
            () => None,
        };
        let network = now.network != before.network && !now.network.is_empty();
        self.before = Some(now);
        Seen { slept, network }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(15);

    fn after(wall_s: u64, ran_s: u64) -> Option<u64> {
        let mut watch = Watch::new(EVERY);
        watch.look(Ms(1_000_000), 5_000_000, String::new());
        let seen = watch.look(Ms(1_000_000 + wall_s * 1000), 5_000_000 + ran_s * 1_000_000, String::new());
        seen.slept.map(|slept| slept.as_secs())
    }

    #[test]
    fn a_clock_that_stood_still_while_the_wall_went_on_was_a_sleep() {
        assert_eq!(after(15, 15), None);
        assert_eq!(after(3615, 15), Some(3600));
        assert_eq!(after(30, 15), Some(15));
    }

    #[test]
    fn where_no_clock_stands_still_a_look_that_comes_minutes_late_was_a_sleep_and_a_busy_machine_was_none() {
        assert_eq!(after(7215, 7215), Some(7200));
        assert_eq!(after(75, 75), None, "a minute late");
    }

    #[test]
    fn a_clock_that_is_set_a_little_or_back_is_no_sleep() {
        assert_eq!(after(20, 15), None);
        let mut watch = Watch::new(EVERY);
        watch.look(Ms(10_000_000), 0, String::new());
        assert_eq!(watch.look(Ms(1_000), 15_000_000, String::new()), Seen::default());
        assert_eq!(
            watch.look(Ms(16_000), 30_000_000, String::new()),
            Seen::default(),
            "and counted from there"
        );
    }

    #[test]
    fn another_network_is_told_once_and_none_at_all_is_not() {
        let mut watch = Watch::new(EVERY);
        let mut at = 0;
        let mut look = |network: &str| {
            at += 15;
            watch.look(Ms(at * 1000), at * 1_000_000, network.into()).network
        };
        assert!(!look("home"), "the first look knows none before it");
        assert!(!look("home"));
        assert!(!look(""), "there is nothing to try");
        assert!(look("office"));
        assert!(!look("office"));
    }
}
