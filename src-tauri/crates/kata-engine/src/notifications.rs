//! What the person wants told by the desktop's notifications. Showing them is the desktop shell's.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `notifications` of `settings.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NotificationSettings {
    /// Something needs the person.
    pub attention: bool,
    /// A turn of a session of the desktop has ended while nobody looked.
    pub turns: bool,
    /// A channel does not work.
    pub channels: bool,
    /// They may say what was written: the answer's beginning, a call's arguments. Anybody who sees the screen reads them.
    pub text: bool,
    /// Fields of a newer version.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Default for NotificationSettings {
    fn default() -> Self {
        Self {
            attention: true,
            turns: true,
            channels: true,
            text: false,
            other: Map::new(),
        }
    }
}

impl NotificationSettings {
    pub(crate) fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}
