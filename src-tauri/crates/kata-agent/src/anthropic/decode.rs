//! Makes an answer out of Messages events, block by block, verbatim and in order.
//!
//! Blocks are kept as the JSON they came as, so a block type nobody has heard of yet goes back as it was. Deltas are
//! appended in place: rebuilding a text per delta would take time quadratic in its length.

use crate::attempt::Decode;
use crate::fault::Fault;
use eventsource_stream::Event;
use kata_core::ports::{ModelErrorCode, ModelEvent, ModelStep, StepUsage, StopReason};
use kata_protocol::CallId;
use serde::Deserialize;
use serde_json::{Value, json};

/// All events in one shape: only the fields an event has are set. One pass, no tree for a delta.
#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "type")]
    kind: String,
    index: Option<u64>,
    content_block: Option<Value>,
    delta: Option<Delta>,
    message: Option<Message>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Delta {
    #[serde(rename = "type")]
    kind: Option<String>,
    text: Option<String>,
    thinking: Option<String>,
    signature: Option<String>,
    partial_json: Option<String>,
    citation: Option<Value>,
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    usage: Option<Usage>,
}

/// Cumulative: a later figure replaces an earlier one.
#[derive(Deserialize)]
struct Usage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
}

struct Slot {
    index: u64,
    block: Value,
    /// Arguments so far, as text.
    json: String,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Finished,
    /// A tool call whose arguments are not whole.
    Cut,
}

/// The answer so far.
#[derive(Default)]
pub(crate) struct Decoder {
    slots: Vec<Slot>,
    stop: Option<String>,
    usage: StepUsage,
    stopped: bool,
}

impl Decode for Decoder {
    fn accept(&mut self, event: Event, out: &mut Vec<ModelEvent>) -> Result<bool, Fault> {
        let wire: Wire = match serde_json::from_str(&event.data) {
            Ok(wire) => wire,
            Err(_) if foreign(&event.data) => return Ok(false),
            Err(_) => return Err(Fault::broken("the provider sent an event that cannot be read")),
        };
        match wire.kind.as_str() {
            "message_start" => self.count(wire.message.and_then(|message| message.usage)),
            "content_block_start" => {
                let (Some(index), Some(block @ Value::Object(_))) = (wire.index, wire.content_block) else {
                    return Err(Fault::broken("a content block without index or content"));
                };
                shown_at_once(&block, out);
                self.slots.push(Slot {
                    index,
                    block,
                    json: String::new(),
                    state: State::Open,
                });
            }
            "content_block_delta" => {
                let slot = wire
                    .index
                    .and_then(|index| self.slots.iter_mut().rev().find(|slot| slot.index == index));
                if let (Some(slot), Some(delta)) = (slot, wire.delta) {
                    slot.grow(delta, out);
                }
            }
            "content_block_stop" => {
                if let Some(slot) = self.slots.iter_mut().rev().find(|slot| Some(slot.index) == wire.index) {
                    slot.close();
                }
            }
            "message_delta" => {
                self.count(wire.usage);
                self.stop = wire.delta.and_then(|delta| delta.stop_reason).or(self.stop.take());
            }
            "message_stop" => {
                self.slots.iter_mut().filter(|slot| slot.state == State::Open).for_each(Slot::close);
                self.stopped = true;
                return Ok(true);
            }
            "error" => {
                let error = wire.error.unwrap_or_default();
                let said = crate::fault::Said {
                    kind: error["type"].as_str().map(str::to_owned).filter(|kind| plain(kind)),
                    line: None,
                };
                return Err(said.stream_fault());
            }
            // Pings, and whatever is invented next.
            _ => {}
        }
        Ok(false)
    }

    fn complete_at_end(&self) -> bool {
        self.stopped
    }

    fn settled(&self) -> bool {
        self.slots
            .iter()
            .any(|slot| slot.state == State::Finished && !is_thinking(&slot.block))
    }

    fn finish(&mut self) -> Result<ModelStep, Fault> {
        let stop = match self.stop.as_deref() {
            Some("tool_use") => StopReason::ToolUse,
            Some("max_tokens") => StopReason::MaxTokens,
            Some("pause_turn") => StopReason::Pause,
            Some("refusal") => StopReason::Refusal,
            Some("model_context_window_exceeded") => StopReason::ContextExceeded,
            // `end_turn`, `stop_sequence`, and what is invented next: the answer is whole and there is nothing to do.
            Some(_) => StopReason::EndTurn,
            None => return Err(Fault::broken("the answer ended without a reason")),
        };
        let limited = matches!(stop, StopReason::MaxTokens | StopReason::ContextExceeded);
        if let Some(last) = self
            .slots
            .last_mut()
            .filter(|slot| limited && slot.takes_json() && slot.json.trim().is_empty())
        {
            // The limit hit before the first argument: `{}` would be a different call from the one that was meant.
            last.state = State::Cut;
        }
        if let Some(cut) = self.slots.iter().find(|slot| slot.state == State::Cut) {
            return Err(cut_call(cut.block["name"].as_str().unwrap_or_default(), limited));
        }
        let calls = self.slots.iter().filter(|slot| slot.block["type"] == "tool_use");
        for block in calls.map(|slot| &slot.block) {
            let id = block["id"].as_str().is_some_and(|id| CallId::new(id).is_ok());
            if !id || !block["name"].is_string() || !block["input"].is_object() {
                return Err(Fault::protocol(
                    "the model made a tool call without an id, a name or an object of arguments",
                ));
            }
        }
        Ok(ModelStep {
            blocks: self.slots.drain(..).map(|slot| slot.block).collect(),
            stop,
            usage: self.usage,
        })
    }

    fn partial(&mut self) -> Vec<Value> {
        let kept = self.slots.drain(..).filter(|slot| match slot.block["type"].as_str() {
            Some("text") => slot.block["text"].as_str().is_some_and(|text| !text.is_empty()),
            Some("thinking") => slot.block["signature"].as_str().is_some_and(|signature| !signature.is_empty()),
            _ => slot.state == State::Finished,
        });
        kept.map(|slot| slot.block).collect()
    }
}

impl Decoder {
    fn count(&mut self, usage: Option<Usage>) {
        let Some(usage) = usage else { return };
        let set = |field: &mut u64, value: Option<u64>| *field = value.unwrap_or(*field);
        set(&mut self.usage.input, usage.input_tokens);
        set(&mut self.usage.output, usage.output_tokens);
        set(&mut self.usage.cache_read, usage.cache_read_input_tokens);
        set(&mut self.usage.cache_creation, usage.cache_creation_input_tokens);
    }
}

impl Slot {
    fn grow(&mut self, delta: Delta, out: &mut Vec<ModelEvent>) {
        match delta.kind.as_deref() {
            Some("text_delta") => {
                if let Some(text) = delta.text {
                    append(&mut self.block, "text", &text);
                    out.push(ModelEvent::Text(text));
                }
            }
            Some("thinking_delta") => {
                if let Some(text) = delta.thinking {
                    append(&mut self.block, "thinking", &text);
                    out.push(ModelEvent::Thinking(text));
                }
            }
            Some("signature_delta") => append(&mut self.block, "signature", delta.signature.as_deref().unwrap_or_default()),
            Some("input_json_delta") => self.json.push_str(delta.partial_json.as_deref().unwrap_or_default()),
            Some("citations_delta") => {
                if let Some(citation) = delta.citation {
                    match &mut self.block["citations"] {
                        Value::Array(citations) => citations.push(citation),
                        other => *other = json!([citation]),
                    }
                }
            }
            _ => {}
        }
    }

    fn close(&mut self) {
        self.state = State::Finished;
        if !self.takes_json() {
            return;
        }
        if self.json.trim().is_empty() {
            if !self.block["input"].is_object() {
                self.block["input"] = json!({});
            }
            return;
        }
        match serde_json::from_str(&self.json) {
            Ok(input) => self.block["input"] = input,
            Err(_) => self.state = State::Cut,
        }
    }

    /// `tool_use`, `server_tool_use`, and every other block that was given JSON.
    fn takes_json(&self) -> bool {
        !self.json.is_empty() || self.block["type"] == "tool_use"
    }
}

/// The fault for a call whose arguments are not whole; it is never run.
pub(crate) fn cut_call(name: &str, limited: bool) -> Fault {
    let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    if limited {
        return Fault::protocol(format!(
            "the answer hit the token limit inside the arguments of `{name}`; the tool was not run"
        ));
    }
    Fault::new(
        ModelErrorCode::Protocol,
        crate::retry::Retry::No,
        format!("the arguments of `{name}` are not JSON; the tool was not run"),
    )
}

fn append(block: &mut Value, field: &str, text: &str) {
    match &mut block[field] {
        Value::String(whole) => whole.push_str(text),
        other => *other = Value::String(text.to_owned()),
    }
}

/// A block may start with text already in it.
fn shown_at_once(block: &Value, out: &mut Vec<ModelEvent>) {
    let said = |field: &str| block[field].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    match block["type"].as_str() {
        Some("text") => out.extend(said("text").map(ModelEvent::Text)),
        Some("thinking") => out.extend(said("thinking").map(ModelEvent::Thinking)),
        _ => {}
    }
}

/// An event or a delta of a type we do not know, whatever its fields look like.
fn foreign(data: &str) -> bool {
    let Ok(event) = serde_json::from_str::<Value>(data) else {
        return false;
    };
    match event["type"].as_str() {
        Some("content_block_delta") => event["delta"]["type"].as_str().is_some_and(|kind| {
            ![
                "text_delta",
                "thinking_delta",
                "signature_delta",
                "input_json_delta",
                "citations_delta",
            ]
            .contains(&kind)
        }),
        Some(kind) => ![
            "message_start",
            "content_block_start",
            "content_block_stop",
            "message_delta",
            "message_stop",
            "error",
        ]
        .contains(&kind),
        None => false,
    }
}

fn is_thinking(block: &Value) -> bool {
    matches!(block["type"].as_str(), Some("thinking" | "redacted_thinking"))
}

fn plain(word: &str) -> bool {
    word.len() <= 64 && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn event(data: Value) -> Event {
        Event {
            data: data.to_string(),
            ..Event::default()
        }
    }

    fn time_for(pieces: usize) -> Duration {
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        let start = json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}});
        decoder.accept(event(start), &mut out).unwrap();
        let delta = json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x".repeat(100)}});
        let delta = event(delta);
        let began = Instant::now();
        for _ in 0..pieces {
            decoder.accept(delta.clone(), &mut out).unwrap();
            out.clear();
        }
        let took = began.elapsed();
        assert_eq!(decoder.partial()[0]["text"].as_str().map(str::len), Some(pieces * 100));
        took
    }

    #[test]
    fn eight_times_the_pieces_take_about_eight_times_as_long() {
        let best = |pieces| (0..3).map(|_| time_for(pieces)).min().unwrap();
        let (few, many) = (best(4_000), best(32_000));
        assert!(
            many < few * 24,
            "{few:?} for 4,000 and {many:?} for 32,000: the text is rebuilt at each piece"
        );
    }
}
