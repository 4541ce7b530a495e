//! A token bucket per name, in bounded memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Buckets kept; when there are more, those that are full again (and so say nothing) are dropped first.
const MAX_BUCKETS: usize = 10_000;

/// Counts what each name does.
#[derive(Default)]
pub(crate) struct RateLimiter(Mutex<HashMap<String, Bucket>>);

struct Bucket {
    tokens: f64,
    at_us: u64,
}

impl RateLimiter {
    /// Whether `name` may do one more, at `per_minute` on average and as a burst. With `count` it has done it then.
    pub(crate) fn ask(&self, name: &str, per_minute: u32, now_us: u64, count: bool) -> bool {
        let full = f64::from(per_minute.max(1));
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !count {
            return buckets.get(name).is_none_or(|bucket| refilled(bucket, full, now_us) >= 1.0);
        }
        if buckets.len() >= MAX_BUCKETS && !buckets.contains_key(name) {
            buckets.retain(|_, b| refilled(b, full, now_us) < full);
            if buckets.len() >= MAX_BUCKETS {
                // Ten thousand senders at their limit at once: refuse newcomers rather than grow.
                return false;
            }
        }
        let bucket = buckets.entry(name.to_owned()).or_insert(Bucket {
            tokens: full,
            at_us: now_us,
        });
        bucket.tokens = refilled(bucket, full, now_us);
        bucket.at_us = now_us;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

fn refilled(bucket: &Bucket, full: f64, now_us: u64) -> f64 {
    let minutes = now_us.saturating_sub(bucket.at_us) as f64 / 60e6;
    (bucket.tokens + minutes * full).min(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_once_and_comes_back_with_time() {
        let rate = RateLimiter::default();
        assert_eq!((0..10).filter(|_| rate.ask("a", 5, 0, true)).count(), 5);
        assert!(rate.ask("b", 5, 0, true), "one name does not pay for another");
        assert!(!rate.ask("a", 5, 11_000_000, true));
        assert!(rate.ask("a", 5, 24_000_000, true), "five a minute is one in twelve seconds");
    }

    #[test]
    fn asking_does_not_count() {
        let rate = RateLimiter::default();
        assert!((0..10).all(|_| rate.ask("a", 1, 0, false)));
        assert!(rate.ask("a", 1, 0, true) && !rate.ask("a", 1, 0, false) && !rate.ask("a", 1, 0, true));
        assert!(rate.ask("a", 1, 61_000_000, false));
    }

    #[test]
    fn memory_is_bounded() {
        let rate = RateLimiter::default();
        for n in 0..MAX_BUCKETS + 50 {
            rate.ask(&n.to_string(), 1, 0, true);
        }
        assert_eq!(rate.0.lock().unwrap().len(), MAX_BUCKETS);
        assert!(rate.ask("later", 1, 61_000_000, true), "full buckets make room");
    }
}
