//! The Chat Completions format: chunks of an answer, and what a request must hold to.

use super::wire::Frame;
use super::{Answer, Say, Trouble, pieces};
use serde_json::{Value, json};

pub(super) fn frames(answer: &Answer, body: &Value, nth: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut push = |choices: Value, usage: Value| {
        let data = json!({"id": format!("chatcmpl-fake-{nth}"), "object": "chat.completion.chunk", "created": 1_700_000_000,
            "model": body["model"], "choices": choices, "usage": usage});
        frames.push(Frame {
            event: None,
            data: data.to_string(),
        });
    };
    let delta = |delta: Value| json!([{"index": 0, "delta": delta, "finish_reason": null}]);
    push(delta(json!({"role": "assistant", "content": ""})), Value::Null);
    let calls = answer.say.iter().filter(|say| matches!(say, Say::Tool(..))).count();
    let mut call = 0;
    for say in &answer.say {
        match say {
            Say::Text(text) => pieces(text, 8)
                .into_iter()
                .for_each(|text| push(delta(json!({"content": text})), Value::Null)),
            Say::Thinking(text, _) => {
                pieces(text, 8)
                    .into_iter()
                    .for_each(|text| push(delta(json!({"reasoning_content": text})), Value::Null));
            }
            Say::Tool(id, name, input) => {
                let mut text = input.to_string();
                if answer.has(&Trouble::CutTool) && call + 1 == calls {
                    text = text.chars().take(text.chars().count() / 2).collect();
                }
                let start = json!({"index": call, "id": id, "type": "function", "function": {"name": name, "arguments": ""}});
                push(delta(json!({"tool_calls": [start]})), Value::Null);
                for text in pieces(&text, 5) {
                    push(
                        delta(json!({"tool_calls": [{"index": call, "function": {"arguments": text}}]})),
                        Value::Null,
                    );
                }
                call += 1;
            }
            Say::Block(_) => {}
        }
    }
    let usual = match () {
        () if answer.has(&Trouble::CutTool) => "length",
        () if answer.calls_tools() => "tool_calls",
        () => "stop",
    };
    push(
        json!([{"index": 0, "delta": {}, "finish_reason": answer.stop.as_deref().unwrap_or(usual)}]),
        Value::Null,
    );
    if body["stream_options"]["include_usage"] == true {
        let tokens = answer.tokens;
        let prompt = tokens.input + tokens.cache_read;
        let usage = json!({"prompt_tokens": prompt, "completion_tokens": tokens.output, "total_tokens": prompt + tokens.output,
            "prompt_tokens_details": {"cached_tokens": tokens.cache_read}});
        push(json!([]), usage);
    }
    frames.push(Frame {
        event: None,
        data: "[DONE]".to_owned(),
    });
    frames
}

/// What is wrong with a request, in the words of a refusal.
pub(super) fn violation(body: &Value) -> Option<String> {
    let messages = body["messages"].as_array().filter(|messages| !messages.is_empty());
    let Some(messages) = messages else {
        return Some("messages: at least one message is required".to_owned());
    };
    let mut open: Vec<&str> = Vec::new();
    for (n, message) in messages.iter().enumerate() {
        if message["role"] == "tool" {
            let id = message["tool_call_id"].as_str().unwrap_or_default();
            match open.iter().position(|open| *open == id) {
                Some(at) => drop(open.remove(at)),
                None => {
                    return Some(format!(
                        "messages.{n}: 'tool' must be a response to a preceding message with 'tool_calls'"
                    ));
                }
            }
            continue;
        }
        if let Some(id) = open.first() {
            return Some(format!(
                "messages.{n}: 'tool_calls' must be followed by tool messages responding to each id: {id}"
            ));
        }
        let calls = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
        open = calls.iter().filter_map(|call| call["id"].as_str()).collect();
        let empty = message["content"].as_str().is_none_or(|text| text.trim().is_empty()) && !message["content"].is_array();
        if empty && calls.is_empty() {
            return Some(format!("messages.{n}: content must not be empty"));
        }
        let whole = |call: &Value| {
            call["function"]["arguments"]
                .as_str()
                .and_then(|text| serde_json::from_str::<Value>(text).ok())
        };
        if calls.iter().any(|call| !whole(call).is_some_and(|input| input.is_object())) {
            return Some(format!("messages.{n}: the arguments of a call are not a JSON object"));
        }
    }
    open.first()
        .map(|id| format!("'tool_calls' must be followed by tool messages responding to each id: {id}"))
}
