//! The body of a Chat Completions request. Pure; thinking is never sent back, the format has no place for it.

use crate::anthropic::schema;
use crate::history::{Said, ToolNames, Turn, turns};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kata_core::ports::ModelRequest;
use kata_protocol::ProviderSettings;
use serde_json::{Map, Value, json};

/// Parameters that the person's extra ones cannot replace.
const OURS: [&str; 6] = ["model", "messages", "tools", "stream", "stream_options", crate::remote::PICTURES];

pub(crate) fn body(settings: &ProviderSettings, extra: &Map<String, Value>, request: &ModelRequest, names: &ToolNames) -> Value {
    let mut body = Map::new();
    body.insert("model".into(), settings.model.clone().into());
    body.insert("stream".into(), true.into());
    body.insert("stream_options".into(), json!({"include_usage": true}));
    if let Some(max) = settings.max_tokens {
        // OpenAI refuses the old name for its newer models; everybody else knows only that one.
        let name = if settings.base_url.is_none() {
            "max_completion_tokens"
        } else {
            "max_tokens"
        };
        body.insert(name.into(), max.into());
    }
    let mut messages = Vec::new();
    if !request.system.trim().is_empty() {
        messages.push(json!({"role": "system", "content": request.system}));
    }
    for turn in turns(&request.history, "openai", names) {
        match turn {
            Turn::Assistant(blocks) => messages.extend(assistant(&blocks)),
            Turn::User { results, said } => {
                messages.extend(results.into_iter().map(|result| {
                    // The format cannot say that a call failed, so the text does.
                    let text = if result.is_error {
                        format!("Error: {}", result.text)
                    } else {
                        result.text
                    };
                    json!({"role": "tool", "tool_call_id": result.id, "content": text})
                }));
                if !said.is_empty() {
                    messages.push(json!({"role": "user", "content": content(said)}));
                }
            }
        }
    }
    body.insert("messages".into(), messages.into());
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|tool| {
            let parameters = schema(&tool.parameters.0);
            json!({"type": "function", "function": {"name": names.wire(&tool.name), "description": tool.description, "parameters": parameters}})
        });
        body.insert("tools".into(), tools.collect::<Vec<_>>().into());
    }
    body.extend(
        extra
            .iter()
            .filter(|(name, _)| !OURS.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    body.into()
}

/// Texts as one text, which every server takes; parts only where there is a picture.
fn content(said: Vec<Said>) -> Value {
    let pictures = said.iter().any(|said| matches!(said, Said::Picture { .. }));
    if !pictures {
        let texts: Vec<String> = said
            .into_iter()
            .filter_map(|said| match said {
                Said::Text(text) => Some(text),
                Said::Picture { .. } => None,
            })
            .collect();
        return texts.join("\n\n").into();
    }
    let parts = said.into_iter().map(|said| match said {
        Said::Text(text) => json!({"type": "text", "text": text}),
        Said::Picture { mime, bytes } => {
            let url = format!("data:{mime};base64,{}", STANDARD.encode(bytes));
            json!({"type": "image_url", "image_url": {"url": url}})
        }
    });
    parts.collect::<Vec<_>>().into()
}

/// One answer; nothing where only thinking is left of it.
fn assistant(blocks: &[Value]) -> Option<Value> {
    let texts: Vec<&str> = blocks
        .iter()
        .filter(|block| block["type"] == "text")
        .filter_map(|block| block["text"].as_str())
        .collect();
    let calls: Vec<Value> = blocks
        .iter()
        .filter(|block| block["type"] == "tool_use")
        .map(|block| json!({"id": block["id"], "type": "function", "function": {"name": block["name"], "arguments": block["input"].to_string()}}))
        .collect();
    if texts.is_empty() && calls.is_empty() {
        return None;
    }
    let content = if texts.is_empty() { Value::Null } else { texts.join("\n\n").into() };
    let mut message = json!({"role": "assistant", "content": content});
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    Some(message)
}
