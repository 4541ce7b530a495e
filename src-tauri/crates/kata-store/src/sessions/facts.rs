//! What the header says about the rows, computed from the rows.

use kata_protocol::Ms;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Longest preview in characters, as the existing program cuts it.
const PREVIEW: usize = 150;

/// The rows in a few words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Readable rows.
    pub rows: u32,
    /// Newest timestamp.
    pub last_at: Option<Ms>,
    /// Kind of the last row that has a role.
    pub last_role: Option<String>,
    /// The last answer that is not text between tool calls.
    pub last_final: Option<String>,
    /// First words of the first person.
    pub preview: Option<String>,
}

/// The fields of a row that matter here; everything else is skipped without being kept.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Glance<'a> {
    #[serde(borrow)]
    id: Option<Loose<'a>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Loose<'a>>,
    #[serde(borrow)]
    content: Option<Loose<'a>>,
    timestamp: Option<LooseNumber>,
    is_intermediate: Option<LooseBool>,
}

/// A field of a file that other programs write: of another type than expected, it counts as absent.
#[derive(Deserialize)]
#[serde(untagged)]
enum Loose<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum LooseNumber {
    Number(f64),
    Other(serde::de::IgnoredAny),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum LooseBool {
    Bool(bool),
    Other(serde::de::IgnoredAny),
}

impl Facts {
    /// Counts one line. `false` when it is no row.
    pub(crate) fn line(&mut self, line: &[u8]) -> bool {
        if !line.trim_ascii_start().starts_with(b"{") {
            return false;
        }
        let Ok(glance) = serde_json::from_slice::<Glance<'_>>(line) else {
            return false;
        };
        let text = |field: &Option<Loose<'_>>| match field {
            Some(Loose::Text(text)) => Some(text.to_string()),
            _ => None,
        };
        let timestamp = match glance.timestamp {
            Some(LooseNumber::Number(ms)) => ms_of(ms),
            _ => None,
        };
        let intermediate = matches!(glance.is_intermediate, Some(LooseBool::Bool(true)));
        let content = || text(&glance.content);
        self.add(text(&glance.kind), text(&glance.id), timestamp, intermediate, content);
        true
    }

    /// Counts one row that was read whole.
    pub(crate) fn row(&mut self, row: &Map<String, Value>) {
        let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
        let timestamp = row.get("timestamp").and_then(Value::as_f64).and_then(ms_of);
        let intermediate = row.get("isIntermediate").and_then(Value::as_bool).unwrap_or(false);
        self.add(text("type"), text("id"), timestamp, intermediate, || text("content"));
    }

    fn add(
        &mut self,
        kind: Option<String>,
        id: Option<String>,
        timestamp: Option<Ms>,
        intermediate: bool,
        content: impl FnOnce() -> Option<String>,
    ) {
        self.rows = self.rows.saturating_add(1);
        self.last_at = self.last_at.max(timestamp);
        let Some(kind) = kind else { return };
        match kind.as_str() {
            "user" if self.preview.is_none() => self.preview = content().map(|text| preview(&text)).filter(|text| !text.is_empty()),
            "assistant" if !intermediate => self.last_final = id.or(self.last_final.take()),
            _ => {}
        }
        if matches!(kind.as_str(), "user" | "assistant" | "plan" | "tool" | "error") {
            self.last_role = Some(kind);
        }
    }
}

fn preview(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(PREVIEW).collect()
}

/// A JavaScript time in milliseconds.
pub(crate) fn ms_of(number: f64) -> Option<Ms> {
    (number.is_finite() && number >= 0.0).then_some(Ms(number as u64))
}
