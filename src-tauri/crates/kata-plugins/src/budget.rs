//! What a plugin's manifest lets it use: requests per minute and per day, wake-ups per minute. One budget per plugin, over all its
//! generations.
//!
//! The day's count is durable and never too small: a stretch of it is written down before it is used. A request beyond the budget is
//! refused, and only after a while, so that whoever asks again at once does not ask without end. Wake-ups beyond it wait.
//! Deliberately absent: CPU and memory (`engine::slice`, the engine's own limit), and the pace of requests (`pace`).

use crate::jobs::HOST_KEY;
use crate::options::HostOptions;
use crate::plugin::lock;
use kata_core::ports::{Clock, PluginBackend};
use kata_protocol::{Json, Ms, PluginId};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A minute of the monotonic clock, microseconds.
const MINUTE: u64 = 60_000_000;
/// A day, milliseconds.
const DAY: u64 = 86_400_000;
/// How long a refusal takes.
pub(crate) const REFUSAL: Duration = Duration::from_secs(1);
/// Requests that are written down at once where the day has no limit.
const STRETCH: u32 = 64;

/// Limits; 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) requests_per_minute: u32,
    pub(crate) requests_per_day: u32,
    pub(crate) wakeups_per_minute: u32,
}

impl Limits {
    pub(crate) fn of(options: &HostOptions) -> Self {
        Self {
            requests_per_minute: options.requests_per_minute,
            requests_per_day: options.requests_per_day,
            wakeups_per_minute: options.wakeups_per_minute,
        }
    }
}

/// What was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Used {
    pub(crate) requests_last_minute: u32,
    pub(crate) requests_today: u32,
    pub(crate) wakeups_last_minute: u32,
}

/// A request that is not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    /// How long until there is room again.
    pub(crate) wait: Duration,
}

/// When there is room again, in words.
pub(crate) fn goes_on_at(until: Ms) -> String {
    let seconds = until.0.div_ceil(1000) % (DAY / 1000);
    format!(
        "it goes on at {:02}:{:02}:{:02} UTC",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// One plugin's budget.
pub(crate) struct Budget {
    plugin: PluginId,
    backend: Arc<dyn PluginBackend>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// One write at a time.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    limits: Limits,
    began: u64,
    requests: u32,
    wakeups: u32,
    last: (u32, u32),
    day: u64,
    today: u32,
    /// Up to where the day's count is written down.
    reserved: u32,
    loaded: bool,
}

impl State {
    /// Begins a new minute or day where it is time.
    fn turn(&mut self, monotonic: u64, now: Ms) {
        let passed = monotonic.saturating_sub(self.began);
        if passed >= MINUTE {
            self.last = if passed < 2 * MINUTE {
                (self.requests, self.wakeups)
            } else {
                (0, 0)
            };
            (self.requests, self.wakeups) = (0, 0);
            self.began = monotonic - passed % MINUTE;
        }
        // A clock that is set back within the day gives nothing back.
        let day = now.0 / DAY;
        if day != self.day {
            self.day = day;
            self.today = 0;
            self.reserved = 0;
        }
    }

    fn rest_of_minute(&self, monotonic: u64) -> Duration {
        Duration::from_micros((self.began + MINUTE).saturating_sub(monotonic))
    }
}

impl Budget {
    pub(crate) fn new(plugin: PluginId, backend: Arc<dyn PluginBackend>, clock: Arc<dyn Clock>, limits: Limits) -> Self {
        let state = State {
            limits,
            began: clock.monotonic_us(),
            day: clock.now().0 / DAY,
            ..State::default()
        };
        Self {
            plugin,
            backend,
            clock,
            state: Mutex::new(state),
            writing: tokio::sync::Mutex::default(),
        }
    }

    fn key() -> String {
        format!("{HOST_KEY}requests")
    }

    /// Reads what was used today, once, and takes the limits of the version that is about to serve.
    pub(crate) async fn begin(&self, limits: Limits) {
        lock(&self.state).limits = limits;
        let _turn = self.writing.lock().await;
        if lock(&self.state).loaded {
            return;
        }
        let kept = self.backend.state_get(&self.plugin, &Self::key()).await;
        let kept: Option<(u64, u32)> = kept.ok().flatten().and_then(|json| serde_json::from_value(json.0).ok());
        let mut state = self.now();
        state.loaded = true;
        if let Some((_, used)) = kept.filter(|(day, _)| *day == state.day) {
            state.today = state.today.saturating_add(used);
            state.reserved = state.today;
        }
    }

    fn now(&self) -> std::sync::MutexGuard<'_, State> {
        let mut state = lock(&self.state);
        state.turn(self.clock.monotonic_us(), self.clock.now());
        state
    }

    /// Counts a request, or says why it is not made.
    pub(crate) async fn request(&self) -> Result<(), Refusal> {
        let write = {
            let mut state = self.now();
            let limits = state.limits;
            if limits.requests_per_day > 0 && state.today >= limits.requests_per_day {
                let wait = Duration::from_millis(DAY - self.clock.now().0 % DAY);
                return Err(Refusal {
                    message: format!(
                        "the {} requests a day that its manifest allows are used up",
                        limits.requests_per_day
                    ),
                    wait,
                });
            }
            if limits.requests_per_minute > 0 && state.requests >= limits.requests_per_minute {
                let wait = state.rest_of_minute(self.clock.monotonic_us());
                return Err(Refusal {
                    message: format!(
                        "the {} requests a minute that its manifest allows are used up",
                        limits.requests_per_minute
                    ),
                    wait,
                });
            }
            state.requests = state.requests.saturating_add(1);
            state.today = state.today.saturating_add(1);
            state.today > state.reserved
        };
        if write {
            self.write(true).await;
        }
        Ok(())
    }

    /// Writes the day's count down: with the next stretch of it, or as it is.
    async fn write(&self, ahead: bool) {
        let _turn = self.writing.lock().await;
        let (day, count) = {
            let state = self.now();
            if ahead && state.today <= state.reserved {
                return;
            }
            let stretch = match state.limits.requests_per_day {
                0 => STRETCH,
                limit => (limit / 100).clamp(1, STRETCH),
            };
            let more = if ahead { stretch - 1 } else { 0 };
            (state.day, state.today.saturating_add(more))
        };
        let kept = Json(serde_json::json!([day, count]));
        match self.backend.state_set(&self.plugin, &Self::key(), Some(kept)).await {
            Ok(()) => {
                let mut state = lock(&self.state);
                if state.day == day {
                    state.reserved = count;
                }
            }
            Err(error) => self.backend.log(
                &self.plugin,
                "warn",
                &format!("the count of its requests is not kept: {}", error.message),
            ),
        }
    }

    /// Writes the count down as it is, where more stands there.
    pub(crate) async fn settle(&self) {
        let ahead = {
            let state = self.now();
            state.reserved > state.today
        };
        if ahead {
            self.write(false).await;
        }
    }

    /// Counts a wake-up.
    pub(crate) fn wakeup(&self) {
        let mut state = self.now();
        state.wakeups = state.wakeups.saturating_add(1);
    }

    /// How long nothing wakes the plugin, because the minute's wake-ups are used up.
    pub(crate) fn held(&self) -> Option<Duration> {
        let state = self.now();
        let limit = state.limits.wakeups_per_minute;
        (limit > 0 && state.wakeups >= limit).then(|| state.rest_of_minute(self.clock.monotonic_us()))
    }

    /// In words, that the minute's wake-ups are used up.
    pub(crate) fn no_wakeups(&self) -> String {
        format!(
            "the {} wake-ups a minute that its manifest allows are used up",
            self.limits().wakeups_per_minute
        )
    }

    pub(crate) fn limits(&self) -> Limits {
        lock(&self.state).limits
    }

    /// What was used: in the last full minute, or in the present one where that is more.
    pub(crate) fn used(&self) -> Used {
        let state = self.now();
        Used {
            requests_last_minute: state.requests.max(state.last.0),
            requests_today: state.today,
            wakeups_last_minute: state.wakeups.max(state.last.1),
        }
    }
}
