//! Evens out what one plugin asks of the network: a burst goes at once, what is beyond it waits for its turn. The work of a
//! request is done on the host's pool, where no CPU limit of a plugin counts it, so a storm of them would be felt by everybody.
//!
//! Deliberately absent: refusing. A plugin that asks too much is slowed down, and its budget says so.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Turns, one every so often.
pub(crate) struct Pace {
    every: Duration,
    burst: u32,
    /// When everything that was asked for so far has had its time.
    paid: Mutex<Option<Instant>>,
}

impl Pace {
    /// `per_second` turns on average, at least one, and `burst` of them at once.
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        Self {
            every: Duration::from_secs(1) / per_second.max(1),
            burst,
            paid: Mutex::default(),
        }
    }

    /// Waits for a turn. A turn that is given up while it waits is used up all the same.
    pub(crate) async fn turn(&self) {
        let wait = self.claim(Instant::now());
        tokio::time::sleep(wait).await;
    }

    /// Takes the next turn; how long it is until then.
    fn claim(&self, now: Instant) -> Duration {
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        let from = paid.map_or(now, |at| at.max(now));
        *paid = Some(from + self.every);
        (from - now).saturating_sub(self.every * self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_its_pace() {
        let (pace, now) = (Pace::new(10, 5), Instant::now());
        let waits: Vec<_> = (0..16).map(|_| pace.claim(now)).collect();
        assert!(
            waits[..6].iter().all(Duration::is_zero),
            "five of the burst, and the first that is due: {waits:?}"
        );
        assert_eq!(waits[6], SECOND / 10);
        assert_eq!(waits[15], SECOND, "ten a second");
    }

    #[test]
    fn rest_brings_the_burst_back() {
        let (pace, now) = (Pace::new(10, 5), Instant::now());
        for _ in 0..16 {
            pace.claim(now);
        }
        let rested = now + SECOND + SECOND * 16 / 10;
        assert!((0..6).all(|_| pace.claim(rested).is_zero()));
        assert!(!pace.claim(rested).is_zero());
    }
}
