//! The scripted demo agent: no network, no intelligence, the same answer to the same conversation every time.
//!
//! It lets a person see streaming, thinking, tools and failures without a key, and drives the tests of everything above.
//! It is a function of what stands behind the last answer in the history: tool results are quoted, then the last message's
//! lines are obeyed. Deliberately absent: any memory of its own.

mod script;

use crate::attempt::{or_cancelled, send};
use async_trait::async_trait;
use kata_core::ports::{Clock, Model, ModelError, ModelErrorCode, ModelEvent, ModelRequest, ModelStep, StepUsage, StopReason};
use script::{Part, Plan};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Name to show: it says that the agent is scripted.
pub const LABEL: &str = "Demo (scripted)";
/// [`Model::family`] of the demo.
pub const FAMILY: &str = "demo";
/// Pieces of text are about this many bytes.
const PIECE: usize = 24;

/// The scripted demo agent.
pub struct Demo {
    clock: Arc<dyn Clock>,
    pause: Duration,
}

impl Demo {
    /// A demo that waits `pause` between two pieces of text; zero streams at full speed and never asks the clock.
    pub fn new(clock: Arc<dyn Clock>, pause: Duration) -> Self {
        Self { clock, pause }
    }

    async fn say(&self, text: &str, event: fn(String) -> ModelEvent, whole: &mut String, events: &mpsc::Sender<ModelEvent>) {
        for piece in pieces(text) {
            if !self.pause.is_zero() {
                self.clock.sleep(self.pause).await;
            }
            whole.push_str(piece);
            send(events, event(piece.to_owned())).await;
        }
    }
}

#[async_trait]
impl Model for Demo {
    fn label(&self) -> String {
        LABEL.to_owned()
    }

    fn sees_pictures(&self) -> bool {
        true
    }

    fn family(&self) -> &'static str {
        FAMILY
    }

    async fn step(
        &self,
        request: ModelRequest,
        events: mpsc::Sender<ModelEvent>,
        cancel: CancellationToken,
    ) -> Result<ModelStep, ModelError> {
        let parts = match script::plan(&request) {
            Plan::Fail => {
                let message = "the demo was asked to fail".to_owned();
                return Err(ModelError {
                    code: ModelErrorCode::Unavailable,
                    message,
                    partial: Vec::new(),
                });
            }
            Plan::Say(parts) => parts,
        };
        let mut blocks: Vec<Value> = Vec::new();
        let mut words = 0;
        let mut stop = StopReason::EndTurn;
        for part in parts {
            let mut whole = String::new();
            let said = match &part {
                Part::Thinking(text) => or_cancelled(&cancel, self.say(text, ModelEvent::Thinking, &mut whole, &events)).await,
                Part::Text(text) => or_cancelled(&cancel, self.say(text, ModelEvent::Text, &mut whole, &events)).await,
                Part::Tool { .. } => (!cancel.is_cancelled()).then_some(()),
            };
            if said.is_none() {
                if matches!(part, Part::Text(_)) && !whole.is_empty() {
                    blocks.push(json!({"type": "text", "text": whole}));
                }
                return Err(ModelError {
                    code: ModelErrorCode::Cancelled,
                    message: "stopped on request".to_owned(),
                    partial: blocks,
                });
            }
            words += whole.split_whitespace().count() as u64;
            blocks.push(match part {
                Part::Thinking(_) => json!({"type": "thinking", "thinking": whole, "signature": "scripted"}),
                Part::Text(_) => json!({"type": "text", "text": whole}),
                Part::Tool { id, name, input } => {
                    stop = StopReason::ToolUse;
                    json!({"type": "tool_use", "id": id, "name": name, "input": input})
                }
            });
        }
        // Words stand in for tokens, so that the counters above have something to count.
        let usage = StepUsage {
            input: script::words(&request),
            output: words,
            ..StepUsage::default()
        };
        Ok(ModelStep { blocks, stop, usage })
    }
}

/// Cuts a text behind spaces into pieces of at least [`PIECE`] bytes (the last may be shorter).
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let space = rest.char_indices().find(|(at, c)| *at >= PIECE && c.is_whitespace());
        let (piece, behind) = rest.split_at(space.map_or(rest.len(), |(at, c)| at + c.len_utf8()));
        rest = behind;
        Some(piece)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn pieces_put_together_are_the_text_and_never_split_a_character() {
        for text in [
            "",
            "kurz",
            "ein längerer Satz, der über mehrere Stücke geht, mit ünïcödé und 🎉 🎉 🎉",
            &"x".repeat(100),
        ] {
            assert_eq!(pieces(text).collect::<String>(), text);
        }
        assert!(pieces("one two three four five six seven eight nine ten").count() > 1);
    }
}
