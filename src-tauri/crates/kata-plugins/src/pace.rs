//! Evens out what one plugin asks of the network: a burst goes at once, what is beyond it waits for its turn. The work of a
//! request is done on the host's pool, where no CPU limit of a plugin counts it, so a storm of them would be felt by everybody.
//!
//! Deliberately absent: refusing. A plugin that asks too much is slowed down, and its budget says so.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

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
        let begin = {
            let now = Instant::now();
            let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
            let from = paid.map_or(now, |at| at.max(now));
            *paid = Some(from + self.every);
            now + (from - now).saturating_sub(self.every * self.burst)
        };
        tokio::time::sleep_until(begin).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_goes_at_once_and_the_rest_at_its_pace() {
        let (pace, began) = (Pace::new(10, 5), Instant::now());
        for _ in 0..6 {
            pace.turn().await;
        }
        assert_eq!(began.elapsed(), Duration::ZERO, "five of the burst, and the first that is due");
        for _ in 0..10 {
            pace.turn().await;
        }
        assert_eq!(began.elapsed(), Duration::from_secs(1), "ten a second");
    }

    #[tokio::test(start_paused = true)]
    async fn rest_brings_the_burst_back() {
        let pace = Pace::new(10, 5);
        for _ in 0..16 {
            pace.turn().await;
        }
        tokio::time::advance(Duration::from_secs(1)).await;
        let began = Instant::now();
        for _ in 0..6 {
            pace.turn().await;
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
