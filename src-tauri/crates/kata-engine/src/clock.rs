//! The real clock and the real randomness.

use async_trait::async_trait;
use kata_core::ports::{Clock, Entropy};
use kata_protocol::Ms;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The machine's clock.
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Ms {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
    fn utc_offset_s(&self, at: Ms) -> i32 {
        let at = i64::try_from(at.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        at.map_or(0, |at| jiff::tz::TimeZone::system().to_offset(at).seconds())
    }
    fn time_zone(&self) -> Option<String> {
        jiff::tz::TimeZone::system().iana_name().map(str::to_owned)
    }
    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The operating system's randomness.
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn next_u64(&self) -> u64 {
        // The system call fails only before the kernel is up; a name made of zeros is then still checked for uniqueness by
        // whoever stores it, and a token is never made from a failed draw (see `secrets::new_token`).
        getrandom::u64().unwrap_or_default()
    }
}
