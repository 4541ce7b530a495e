//! Deltas on their way to the windows: gathered, so that a fast model does not flood them.

use crate::ports::ModelEvent;
use kata_protocol::{MessageId, SessionEvent};

/// Deltas that wait to be shown.
pub(super) struct Gathered {
    row: MessageId,
    text: String,
    thinking: String,
}

impl Gathered {
    pub(super) fn new(row: MessageId) -> Self {
        Self {
            row,
            text: String::new(),
            thinking: String::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.thinking.is_empty()
    }

    pub(super) fn take(&mut self, event: ModelEvent, say: impl Fn(SessionEvent)) {
        match event {
            ModelEvent::Text(text) => self.text.push_str(&text),
            ModelEvent::Thinking(text) => self.thinking.push_str(&text),
            ModelEvent::Reset => {
                self.text.clear();
                self.thinking.clear();
                say(SessionEvent::MessageReset { message: self.row.clone() });
            }
            ModelEvent::Retry { attempt, wait_ms, reason } => say(SessionEvent::ModelRetry { attempt, wait_ms, reason }),
        }
    }

    pub(super) fn flush(&mut self, say: impl Fn(SessionEvent)) {
        if !self.thinking.is_empty() {
            say(SessionEvent::ThinkingDelta {
                message: self.row.clone(),
                text: std::mem::take(&mut self.thinking),
            });
        }
        if !self.text.is_empty() {
            say(SessionEvent::TextDelta {
                message: self.row.clone(),
                text: std::mem::take(&mut self.text),
            });
        }
    }
}
