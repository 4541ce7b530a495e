//! Ends that were not in order, counted over runs (`crashes/ends.json`): three within five minutes are a loop, and two starts in a
//! row that never became ready put the last good settings in force.

use kata_protocol::Ms;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Unexpected ends count this long, milliseconds.
pub(super) const WINDOW: u64 = 5 * 60 * 1000;
/// Starts in a row that never became ready, after which the settings are not trusted.
const FAILED_STARTS: u32 = 2;
/// Ends that are remembered.
const KEPT: usize = 50;

/// The count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Ends {
    /// When, oldest first.
    at: Vec<Ms>,
    /// Starts in a row that ended before they were ready.
    failed_starts: u32,
    /// Hash of the settings with which that happened.
    bad_settings: Option<String>,
    /// Whether the last run ended unexpectedly.
    #[serde(skip)]
    unexpected: bool,
}

impl Ends {
    pub(super) fn read(folder: &Path) -> Self {
        let bytes = std::fs::read(folder.join("ends.json")).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    pub(super) fn write(&self, folder: &Path) {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        if let Err(error) = super::write_quickly(&folder.join("ends.json"), &bytes) {
            tracing::warn!(%error, "unexpected ends are not counted");
        }
    }

    /// The last run ended in order. What is known of bad settings stays, as long as they are the same.
    pub(super) fn in_order(&mut self) {
        self.at.clear();
        self.failed_starts = 0;
        self.unexpected = false;
    }

    /// It did not. A machine that went down says nothing about us.
    pub(super) fn unexpected(&mut self, now: Ms, same_boot: bool, ready: bool, settings: Option<String>) {
        if !same_boot {
            return self.in_order();
        }
        self.unexpected = true;
        // A clock that was set back would keep old ends for ever.
        self.at.retain(|at| at.0 <= now.0 && now.0 - at.0 < WINDOW);
        self.at.push(now);
        if self.at.len() > KEPT {
            self.at.remove(0);
        }
        if ready {
            self.failed_starts = 0;
        } else {
            self.failed_starts += 1;
            if self.failed_starts >= FAILED_STARTS {
                self.bad_settings = settings;
            }
        }
    }

    /// Whether a start with these settings failed again and again.
    pub(super) fn distrusts(&self, settings: Option<&str>) -> bool {
        settings.is_some() && self.bad_settings.as_deref() == settings
    }

    /// Why it is a loop, where it is one.
    pub(super) fn loops(&self, now: Ms, after: u32) -> Option<String> {
        let recent = self.at.iter().filter(|at| at.0 <= now.0 && now.0 - at.0 < WINDOW).count();
        let looped = self.unexpected && after > 0 && recent >= after as usize;
        looped.then(|| format!("it ended unexpectedly {recent} times within 5 minutes"))
    }
}
