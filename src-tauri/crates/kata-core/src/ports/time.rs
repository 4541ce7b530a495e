//! Time and randomness. The core reads neither by itself.

use async_trait::async_trait;
use kata_protocol::Ms;
use std::time::Duration;

/// A clock.
#[async_trait]
pub trait Clock: Send + Sync + 'static {
    /// Wall time.
    fn now(&self) -> Ms;
    /// Seconds this machine's clock on the wall is ahead of UTC at that time; a clock that knows no zone is in UTC.
    fn utc_offset_s(&self, _at: Ms) -> i32 {
        0
    }
    /// Name of this machine's time zone in the IANA database, where it is known.
    fn time_zone(&self) -> Option<String> {
        None
    }
    /// Microseconds since an arbitrary start; never goes back.
    fn monotonic_us(&self) -> u64;
    /// Returns after `duration`. Dropping the future cancels it.
    async fn sleep(&self, duration: Duration);
}

/// A source of randomness.
pub trait Entropy: Send + Sync + 'static {
    /// Sixty-four random bits.
    fn next_u64(&self) -> u64;
}
