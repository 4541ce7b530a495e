//! The Messages format: events of an answer, and what a request must hold to.

use super::wire::Frame;
use super::{Answer, Say, Trouble, pieces};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) fn frames(answer: &Answer, model: &Value, nth: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut push = |data: Value| {
        frames.push(Frame {
            event: data["type"].as_str().map(str::to_owned),
            data: data.to_string(),
        })
    };
    let tokens = answer.tokens;
    push(json!({"type": "message_start", "message": {
        "id": format!("msg_fake_{nth}"), "type": "message", "role": "assistant", "model": model, "content": [],
        "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": tokens.input, "output_tokens": 1,
            "cache_read_input_tokens": tokens.cache_read, "cache_creation_input_tokens": tokens.cache_creation},
    }}));
    push(json!({"type": "ping"}));
    let last_tool = answer.say.iter().rposition(|say| matches!(say, Say::Tool(..)));
    for (index, say) in answer.say.iter().enumerate() {
        let (start, deltas): (Value, Vec<Value>) = match say {
            Say::Text(text) => {
                let deltas = pieces(text, 8).into_iter().map(|text| json!({"type": "text_delta", "text": text}));
                (json!({"type": "text", "text": ""}), deltas.collect())
            }
            Say::Thinking(text, signature) => {
                let deltas = pieces(text, 8)
                    .into_iter()
                    .map(|text| json!({"type": "thinking_delta", "thinking": text}));
                let signature = json!({"type": "signature_delta", "signature": signature});
                (
                    json!({"type": "thinking", "thinking": "", "signature": ""}),
                    deltas.chain([signature]).collect(),
                )
            }
            Say::Tool(id, name, input) => {
                let mut text = if input == &json!({}) { String::new() } else { input.to_string() };
                if answer.has(&Trouble::CutTool) && last_tool == Some(index) {
                    text = text.chars().take(text.chars().count() / 2).collect();
                }
                let deltas = [String::new()].into_iter().chain(pieces(&text, 5));
                let deltas = deltas.map(|text| json!({"type": "input_json_delta", "partial_json": text}));
                (json!({"type": "tool_use", "id": id, "name": name, "input": {}}), deltas.collect())
            }
            Say::Block(block) => (block.clone(), Vec::new()),
        };
        push(json!({"type": "content_block_start", "index": index, "content_block": start}));
        deltas
            .into_iter()
            .for_each(|delta| push(json!({"type": "content_block_delta", "index": index, "delta": delta})));
        push(json!({"type": "content_block_stop", "index": index}));
    }
    let usual = match () {
        () if answer.has(&Trouble::CutTool) => "max_tokens",
        () if answer.calls_tools() => "tool_use",
        () => "end_turn",
    };
    let reason = answer.stop.as_deref().unwrap_or(usual);
    push(
        json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null}, "usage": {"output_tokens": tokens.output}}),
    );
    push(json!({"type": "message_stop"}));
    frames
}

/// What is wrong with a request, in the words of a refusal.
pub(super) fn violation(body: &Value) -> Option<String> {
    if !body["max_tokens"].is_u64() {
        return Some("max_tokens: Field required".to_owned());
    }
    let messages = body["messages"].as_array().filter(|messages| !messages.is_empty());
    let Some(messages) = messages else {
        return Some("messages: at least one message is required".to_owned());
    };
    if messages[0]["role"] != "user" {
        return Some("messages.0: the first message must use the user role".to_owned());
    }
    if marks(body) > 4 {
        return Some("a maximum of 4 blocks with cache_control may be provided".to_owned());
    }
    let mut open: BTreeSet<&str> = BTreeSet::new();
    for (n, message) in messages.iter().enumerate() {
        if message["content"].as_str().is_some_and(|text| text.trim().is_empty()) {
            return Some(format!("messages.{n}: content must be non-empty"));
        }
        let blocks = message["content"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ids = |kind: &str, field: &'static str| -> BTreeSet<String> {
            blocks
                .iter()
                .filter(|block| block["type"] == kind)
                .filter_map(|block| block[field].as_str())
                .map(str::to_owned)
                .collect()
        };
        if blocks
            .iter()
            .any(|block| block["type"] == "text" && block["text"].as_str().is_none_or(|text| text.trim().is_empty()))
        {
            return Some(format!("messages.{n}: text content blocks must be non-empty"));
        }
        let answered = ids("tool_result", "tool_use_id");
        if let Some(id) = open.iter().find(|id| !answered.contains(**id)) {
            return Some(format!(
                "messages.{n}: `tool_use` ids were found without `tool_result` blocks immediately after: {id}"
            ));
        }
        if let Some(id) = answered.iter().find(|id| !open.contains(id.as_str())) {
            return Some(format!(
                "messages.{n}: unexpected `tool_use_id` found in `tool_result` blocks: {id}"
            ));
        }
        open = blocks
            .iter()
            .filter(|block| block["type"] == "tool_use")
            .filter_map(|block| block["id"].as_str())
            .collect();
    }
    open.iter()
        .next()
        .map(|id| format!("`tool_use` ids were found without `tool_result` blocks immediately after: {id}"))
}

fn marks(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(marks).sum(),
        Value::Object(map) => usize::from(map.contains_key("cache_control")) + map.values().map(marks).sum::<usize>(),
        _ => 0,
    }
}
