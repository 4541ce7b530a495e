//! Makes an answer in Anthropic's block form out of Chat Completions chunks.
//!
//! Tolerated, because servers in use do it: calls without an id or an index, several calls under one index, a whole call in
//! one chunk, arguments as an object or as JSON inside JSON, `finish_reason: "stop"` beside calls, no `[DONE]`, reasoning
//! under two names, an error object in the stream.

use crate::anthropic::cut_call;
use crate::attempt::Decode;
use crate::fault::{Fault, Said};
use eventsource_stream::Event;
use kata_core::ports::{ModelEvent, ModelStep, StepUsage, StopReason};
use kata_protocol::CallId;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
    reasoning_content: Option<String>,
    reasoning: Option<Value>,
    tool_calls: Option<Vec<Piece>>,
}

#[derive(Deserialize)]
struct Piece {
    index: Option<u64>,
    id: Option<String>,
    function: Option<Function>,
}

#[derive(Deserialize)]
struct Function {
    name: Option<String>,
    arguments: Option<Value>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
    prompt_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u64>,
}

struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
}

enum Part {
    Thinking(String),
    Text(String),
    Call(Call),
}

/// The answer so far.
pub(crate) struct Decoder {
    parts: Vec<Part>,
    finish: Option<String>,
    refused: bool,
    usage: StepUsage,
    done: bool,
    /// Makes ids for calls that came without one, unlike those of any other answer.
    seed: u64,
}

impl Decoder {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            parts: Vec::new(),
            finish: None,
            refused: false,
            usage: StepUsage::default(),
            done: false,
            seed,
        }
    }

    fn calls(&self) -> impl DoubleEndedIterator<Item = &Call> {
        self.parts
            .iter()
            .filter_map(|part| if let Part::Call(call) = part { Some(call) } else { None })
    }

    fn text(&mut self, text: Option<String>, out: &mut Vec<ModelEvent>) {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return };
        match self.parts.last_mut() {
            Some(Part::Text(whole)) => whole.push_str(&text),
            _ => self.parts.push(Part::Text(text.clone())),
        }
        out.push(ModelEvent::Text(text));
    }

    fn thinking(&mut self, text: &str, out: &mut Vec<ModelEvent>) {
        if text.is_empty() {
            return;
        }
        match self.parts.last_mut() {
            Some(Part::Thinking(whole)) => whole.push_str(text),
            _ => self.parts.push(Part::Thinking(text.to_owned())),
        }
        out.push(ModelEvent::Thinking(text.to_owned()));
    }

    fn piece(&mut self, piece: Piece) {
        let id = piece.id.filter(|id| !id.is_empty());
        let function = piece.function.unwrap_or(Function {
            name: None,
            arguments: None,
        });
        let name = function.name.filter(|name| !name.is_empty());
        let mut calls = self
            .parts
            .iter_mut()
            .rev()
            .filter_map(|part| if let Part::Call(call) = part { Some(call) } else { None });
        let open = match piece.index {
            Some(index) => calls.find(|call| call.index == Some(index)),
            None => calls.next(),
        };
        // A new call under an old index (or none): it has another id, or a name while the one before is whole already.
        let open = open.filter(|call| match &id {
            Some(id) => call.id.is_empty() || call.id == *id,
            None => name.is_none() || parsed(&call.arguments).is_none() || call.arguments.is_empty(),
        });
        let arguments = match function.arguments {
            Some(Value::String(text)) => text,
            Some(Value::Null) | None => String::new(),
            Some(whole) => whole.to_string(),
        };
        match open {
            Some(call) => {
                if call.name.is_empty() {
                    call.name = name.unwrap_or_default();
                }
                if call.id.is_empty() {
                    call.id = id.unwrap_or_default();
                }
                call.arguments.push_str(&arguments);
            }
            None => self.parts.push(Part::Call(Call {
                index: piece.index,
                id: id.unwrap_or_default(),
                name: name.unwrap_or_default(),
                arguments,
            })),
        }
    }

    fn reason(&self) -> StopReason {
        match self.finish.as_deref() {
            Some("length") => StopReason::MaxTokens,
            Some("content_filter") => StopReason::Refusal,
            _ if self.calls().next().is_some() => StopReason::ToolUse,
            _ if self.refused => StopReason::Refusal,
            _ => StopReason::EndTurn,
        }
    }

    /// Every call gets an id that is its own and that the house accepts.
    fn name_calls(&mut self) {
        let mut taken: Vec<String> = Vec::new();
        let calls = self
            .parts
            .iter_mut()
            .filter_map(|part| if let Part::Call(call) = part { Some(call) } else { None });
        for (n, call) in calls.enumerate() {
            if CallId::new(call.id.as_str()).is_err() || taken.contains(&call.id) {
                call.id = format!("call_{:016x}_{n}", self.seed);
            }
            taken.push(call.id.clone());
        }
    }
}

impl Decode for Decoder {
    fn accept(&mut self, event: Event, out: &mut Vec<ModelEvent>) -> Result<bool, Fault> {
        if event.data.trim() == "[DONE]" {
            self.done = true;
            return Ok(true);
        }
        let Ok(chunk) = serde_json::from_str::<Chunk>(&event.data) else {
            return Err(Fault::broken("the provider sent a chunk that cannot be read"));
        };
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            let word = |name: &str| {
                error[name]
                    .as_str()
                    .filter(|word| word.len() <= 64 && word.chars().all(|c| c.is_alphanumeric() || c == '_'))
            };
            return Err(Said {
                kind: word("code").or_else(|| word("type")).map(str::to_owned),
                line: None,
            }
            .stream_fault());
        }
        if let Some(usage) = chunk.usage {
            let cached = usage
                .prompt_tokens_details
                .and_then(|details| details.cached_tokens)
                .unwrap_or(0)
                .min(usage.prompt_tokens);
            self.usage = StepUsage {
                input: usage.prompt_tokens - cached,
                output: usage.completion_tokens,
                cache_read: cached,
                cache_creation: 0,
            };
        }
        for choice in chunk.choices.into_iter().take(1) {
            if let Some(delta) = choice.delta {
                let reasoning = delta
                    .reasoning_content
                    .or(delta.reasoning.and_then(|value| value.as_str().map(str::to_owned)));
                self.thinking(reasoning.as_deref().unwrap_or_default(), out);
                self.text(delta.content, out);
                self.refused |= delta.refusal.as_deref().is_some_and(|text| !text.is_empty());
                self.text(delta.refusal, out);
                delta.tool_calls.into_iter().flatten().for_each(|piece| self.piece(piece));
            }
            self.finish = choice.finish_reason.filter(|reason| !reason.is_empty()).or(self.finish.take());
        }
        Ok(false)
    }

    fn complete_at_end(&self) -> bool {
        // Some servers end the stream without `[DONE]`; the reason says that the answer is whole.
        self.done || self.finish.is_some()
    }

    fn settled(&self) -> bool {
        // The format does not say where a text or a call ends: a call is finished once the next one has begun.
        self.finish.is_some() || self.calls().count() > 1
    }

    fn finish(&mut self) -> Result<ModelStep, Fault> {
        if self.finish.is_none() && self.parts.is_empty() {
            return Err(Fault::broken("the provider answered nothing"));
        }
        self.name_calls();
        let stop = self.reason();
        let limited = stop == StopReason::MaxTokens;
        for (n, call) in self.calls().rev().enumerate() {
            let cut = limited && n == 0 && call.arguments.trim().is_empty();
            if cut || parsed(&call.arguments).is_none() {
                return Err(cut_call(&call.name, limited));
            }
            if call.name.is_empty() {
                return Err(Fault::protocol("the model made a tool call without a name"));
            }
        }
        let blocks = self.parts.drain(..).filter_map(block).collect();
        Ok(ModelStep {
            blocks,
            stop,
            usage: self.usage,
        })
    }

    fn partial(&mut self) -> Vec<Value> {
        self.name_calls();
        // The last call may be cut anywhere, even where it happens to be JSON.
        if self.finish.is_none() && matches!(self.parts.last(), Some(Part::Call(_))) {
            self.parts.pop();
        }
        self.parts
            .drain(..)
            .filter(|part| !matches!(part, Part::Thinking(_)))
            .filter_map(block)
            .collect()
    }
}

fn block(part: Part) -> Option<Value> {
    Some(match part {
        Part::Thinking(text) => json!({"type": "thinking", "thinking": text}),
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Call(call) => json!({"type": "tool_use", "id": call.id, "name": call.name, "input": parsed(&call.arguments)?}),
    })
}

/// Arguments as an object; nothing when they are not one.
fn parsed(arguments: &str) -> Option<Value> {
    if arguments.trim().is_empty() {
        return Some(json!({}));
    }
    match serde_json::from_str(arguments).ok()? {
        object @ Value::Object(_) => Some(object),
        Value::Null => Some(json!({})),
        // Some servers write the arguments as a JSON text inside the JSON text.
        Value::String(inner) => serde_json::from_str(&inner).ok().filter(Value::is_object),
        _ => None,
    }
}
