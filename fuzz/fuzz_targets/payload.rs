//! What a plugin hands to the host: drafts, results, receipts, errors, registrations, hook outcomes. The first byte says which.
//! No input may panic or hang, a complaint has a bound, and that of a draft repeats no value: it may be somebody's message.
#![no_main]

use kata_plugins::{Payload, complaint};
use kata_protocol::*;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const KINDS: [Payload; 10] = [
    Payload::Draft,
    Payload::ToolAnswer,
    Payload::Receipt,
    Payload::Thrown,
    Payload::Registration("tool"),
    Payload::Registration("hook"),
    Payload::Registration("channel"),
    Payload::Registration("service"),
    Payload::Registration("command"),
    Payload::Registration("route"),
];

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    match KINDS.get(usize::from(*first) % (KINDS.len() + 5)) {
        Some(kind) => {
            let words = complaint(*kind, text);
            if *kind == Payload::Thrown {
                assert!(words.as_ref().is_some_and(|w| w.len() <= 2_200), "an error's words have a bound");
            }
            if let (Payload::Draft, Some(words)) = (*kind, words)
                && let Ok(Value::Array(parts)) = serde_json::from_str::<Value>(text)
                && let Some(Value::Object(draft)) = parts.get(1)
                && let Some(Value::String(said)) = draft.get("text")
                && said.len() >= 12
                && !draft.keys().any(|key| key.contains(said.as_str()))
            {
                assert!(!words.contains(said.as_str()), "{words}");
            }
        }
        None => {
            let outcome = match usize::from(*first) % (KINDS.len() + 5) - KINDS.len() {
                0 => serde_json::from_str::<MessageReceivedOutcome>(text).is_ok(),
                1 => serde_json::from_str::<MessageSendingOutcome>(text).is_ok(),
                2 => serde_json::from_str::<BeforeAgentStartOutcome>(text).is_ok(),
                3 => serde_json::from_str::<BeforeToolCallOutcome>(text).is_ok(),
                _ => serde_json::from_str::<AfterToolCallOutcome>(text).is_ok(),
            };
            std::hint::black_box(outcome);
        }
    }
});
