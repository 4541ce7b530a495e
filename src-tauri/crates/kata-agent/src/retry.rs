//! Whether and when a refused request is asked again, as the official SDKs do it.
//!
//! Pure: the time and the random bits come in. `x-should-retry` decides where present; else 408, 409, 429 and everything
//! from 500 up. The wait is `retry-after-ms`, then `retry-after` (seconds or an HTTP date), else half a second doubled per
//! attempt, at most eight seconds, less up to a quarter of it at random.

use kata_protocol::Ms;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::time::{Duration, UNIX_EPOCH};

/// A provider that asks for a longer wait than this is not waited for: the person is told instead.
pub(crate) const LONGEST_ASKED: Duration = Duration::from_secs(120);

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(8);

/// What a failure allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// Asking again would not help.
    No,
    /// After our own wait.
    Backoff,
    /// After the wait the provider named.
    After(Duration),
}

/// What an HTTP refusal allows.
pub(crate) fn after_status(status: u16, headers: &HeaderMap, now: Ms) -> Retry {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let again = match text("x-should-retry") {
        Some("true") => true,
        Some("false") => false,
        _ => matches!(status, 408 | 409 | 429) || status >= 500,
    };
    if !again {
        return Retry::No;
    }
    let millis = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
    let asked = text("retry-after-ms")
        .and_then(millis)
        .or_else(|| text(RETRY_AFTER.as_str()).and_then(millis).map(|seconds| seconds * 1000.0))
        .map(|ms| Duration::from_millis(ms.min(1e12) as u64))
        .or_else(|| {
            let at = httpdate::parse_http_date(text(RETRY_AFTER.as_str())?).ok()?;
            Some(at.duration_since(UNIX_EPOCH + Duration::from_millis(now.0)).unwrap_or_default())
        });
    match asked {
        Some(wait) if wait > LONGEST_ASKED => Retry::No,
        Some(wait) => Retry::After(wait),
        None => Retry::Backoff,
    }
}

/// Our own wait before attempt `attempt` (from 1), less up to a quarter of it.
pub(crate) fn backoff(attempt: u32, random: u64) -> Duration {
    let full = FIRST.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST);
    let cut = (random >> 11) as f64 / (1u64 << 53) as f64 / 4.0;
    full.mul_f64(1.0 - cut)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_provider_decides_whether_it_is_asked_again() {
        let now = Ms(0);
        assert_eq!(after_status(529, &headers(&[("x-should-retry", "false")]), now), Retry::No);
        assert_eq!(after_status(400, &headers(&[("x-should-retry", "true")]), now), Retry::Backoff);
        for status in [408, 409, 429, 500, 502, 529] {
            assert_eq!(after_status(status, &headers(&[]), now), Retry::Backoff, "{status}");
        }
        for status in [301, 400, 401, 403, 404, 413, 422] {
            assert_eq!(after_status(status, &headers(&[]), now), Retry::No, "{status}");
        }
    }

    #[test]
    fn a_named_wait_is_kept_in_all_three_forms_and_milliseconds_win() {
        let after = |pairs: &[(&'static str, &str)]| after_status(429, &headers(pairs), Ms(784_111_770_000));
        assert_eq!(
            after(&[("retry-after-ms", "250.7"), ("retry-after", "9")]),
            Retry::After(Duration::from_millis(250))
        );
        assert_eq!(after(&[("retry-after", "1.5")]), Retry::After(Duration::from_millis(1500)));
        assert_eq!(
            after(&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")]),
            Retry::After(Duration::from_secs(7))
        );
        assert_eq!(
            after(&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")]),
            Retry::After(Duration::ZERO)
        );
        assert_eq!(after(&[("retry-after", "soon")]), Retry::Backoff);
        assert_eq!(after(&[("retry-after", "-3")]), Retry::Backoff);
        assert_eq!(after(&[("retry-after", "3600")]), Retry::No, "an hour is told, not waited");
    }

    #[test]
    fn our_own_wait_doubles_to_eight_seconds_and_is_shortened_by_a_quarter_at_most() {
        let seconds: Vec<f64> = (1..=7).map(|n| backoff(n, 0).as_secs_f64()).collect();
        assert_eq!(seconds, [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]);
        assert!((backoff(1, u64::MAX).as_secs_f64() - 0.375).abs() < 1e-6);
        assert_eq!(backoff(u32::MAX, 0), LONGEST);
    }
}
