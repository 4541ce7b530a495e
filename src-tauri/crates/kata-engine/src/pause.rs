//! `system.pause`: all channels at once, kept in the settings, so that a restart changes nothing.
//!
//! What a pause does to messages is [`kata_core::pause`]'s. Here is what a person says and sees of it, and its end by the clock.

use crate::engine::Inner;
use crate::settings::SettingsFile;
use kata_core::ports::Clock;
use kata_protocol::{ErrorCode, Ms, PauseState, SystemPause, WireError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Longest pause that ends by itself, minutes.
const LONGEST: u32 = 24 * 60;
/// A day, milliseconds.
const DAY: i64 = 86_400_000;

/// A pause as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PauseSettings {
    /// When it began; absent while channels are not paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Ms>,
    /// When it ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Ms>,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl PauseSettings {
    /// Nothing is paused, and nothing of a newer version stands here.
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// Takes up a pause of an earlier run.
pub(crate) fn take_up(settings: &SettingsFile, pause: &kata_core::pause::Pause) {
    let kept = &settings.get().pause;
    if let Some(since) = kept.since {
        pause.begin(since, kept.until);
    }
}

impl Inner {
    /// Pauses all channels, or lets them go on. In force once it is kept.
    pub(crate) async fn set_pause(&self, params: SystemPause) -> Result<PauseState, WireError> {
        let minutes = match (params.paused, params.minutes) {
            (_, None) => None,
            (false, Some(_)) => {
                return Err(WireError::invalid(
                    "“minutes” says when a pause ends; it does not go with “paused”: false",
                ));
            }
            (true, Some(minutes)) if (1..=LONGEST).contains(&minutes) => Some(minutes),
            (true, Some(minutes)) => {
                return Err(WireError::invalid(format!("“minutes” must be from 1 to {LONGEST}, not {minutes}"))
                    .hint("leave it out to pause until you say otherwise"));
            }
        };
        let now = self.clock.now();
        let until = minutes.map(|minutes| Ms(now.0 + u64::from(minutes) * 60_000));
        let before = self.pause.state();
        let since = self.settings.get().pause.since.filter(|_| before.paused).unwrap_or(now);
        self.settings
            .change(|settings| {
                settings.pause.since = params.paused.then_some(since);
                settings.pause.until = until;
            })
            .map_err(|error| {
                WireError::new(ErrorCode::Internal, error.to_string())
                    .hint("nothing was changed; is the disk full, or the folder read-only?")
            })?;
        if params.paused {
            self.pause.begin(since, until);
        } else {
            self.pause.end();
        }
        self.show_pause();
        tracing::info!(paused = params.paused, minutes, "channels");
        self.pause_changed.notify_one();
        Ok(self.pause.state())
    }

    /// Puts the pause into the line of health.
    pub(crate) fn show_pause(&self) {
        let state = self.pause.state();
        self.board.paused(state.paused.then(|| words(&state, &*self.clock)));
    }

    /// Ends a pause when its time has come: the line of health and the settings follow.
    pub(crate) fn run_pause(self: &Arc<Self>) {
        self.show_pause();
        let (inner, stopping) = (Arc::clone(self), self.tasks.stopping());
        self.tasks.spawn("end of a pause", async move {
            loop {
                let changed = inner.pause_changed.notified();
                if inner.settings.get().pause.since.is_none() {
                    tokio::select! {
                        () = stopping.cancelled() => return,
                        () = changed => continue,
                    }
                }
                tokio::select! {
                    biased;
                    () = stopping.cancelled() => return,
                    () = changed => continue,
                    () = inner.pause.over() => {}
                }
                let kept = inner.settings.change(|settings| {
                    // Somebody may have paused again meanwhile.
                    if !inner.pause.is_on() {
                        settings.pause.since = None;
                        settings.pause.until = None;
                    }
                });
                inner.show_pause();
                if let Err(error) = kept {
                    // Its end stands in the file: the next start finds it over.
                    tracing::warn!(%error, "the end of a pause was not kept");
                    tokio::select! {
                        () = stopping.cancelled() => return,
                        () = inner.pause_changed.notified() => {}
                    }
                }
            }
        });
    }
}

/// `paused until 18:30`, by the clock on the wall.
fn words(state: &PauseState, clock: &dyn Clock) -> String {
    let Some(until) = state.until else { return "paused".into() };
    let local = |at: Ms| i64::try_from(at.0).unwrap_or(i64::MAX) + i64::from(clock.utc_offset_s(at)) * 1000;
    let (now, end) = (local(clock.now()), local(until));
    let minute = end.rem_euclid(DAY) / 60_000;
    let day = if end.div_euclid(DAY) > now.div_euclid(DAY) {
        " tomorrow"
    } else {
        ""
    };
    format!("paused until {:02}:{:02}{day}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use std::time::Duration;

    /// Ten past one in the night, two hours ahead of UTC.
    struct Night;

    #[async_trait]
    impl Clock for Night {
        fn now(&self) -> Ms {
            Ms(1_772_323_200_000 - 50 * 60_000)
        }
        fn utc_offset_s(&self, _: Ms) -> i32 {
            2 * 3600
        }
        fn monotonic_us(&self) -> u64 {
            0
        }
        async fn sleep(&self, _: Duration) {}
    }

    #[test]
    fn the_end_of_a_pause_is_told_by_the_clock_on_the_wall() {
        let told = |minutes: Option<u64>| {
            let until = minutes.map(|m| Ms(Night.now().0 + m * 60_000));
            words(&PauseState { paused: true, until }, &Night)
        };
        assert_eq!(told(None), "paused");
        assert_eq!(told(Some(20)), "paused until 01:30");
        assert_eq!(told(Some(23 * 60)), "paused until 00:10 tomorrow");
    }
}
