//! The body of a Messages request. Pure: the same conversation gives the same bytes, so that the provider's cache hits.
//!
//! Three cache marks of the four allowed: tools, system prompt, and the last block of the last user turn, which moves along.

use crate::history::{Said, ToolNames, Turn, turns};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kata_core::ports::ModelRequest;
use kata_protocol::ProviderSettings;
use serde_json::{Map, Value, json};

/// Parameters that the person's extra ones cannot replace.
const OURS: [&str; 6] = ["model", "messages", "system", "tools", "stream", crate::remote::PICTURES];

pub(crate) fn body(settings: &ProviderSettings, extra: &Map<String, Value>, request: &ModelRequest, names: &ToolNames) -> Value {
    let mut body = Map::new();
    body.insert("model".into(), settings.model.clone().into());
    body.insert("max_tokens".into(), settings.max_tokens.unwrap_or(super::DEFAULT_MAX_TOKENS).into());
    body.insert("stream".into(), true.into());
    if !request.system.trim().is_empty() {
        body.insert("system".into(), json!([marked(json!({"type": "text", "text": request.system}))]));
    }
    if !request.tools.is_empty() {
        let tools = request.tools.iter();
        let mut tools: Vec<Value> = tools
            .map(
                |tool| json!({"name": names.wire(&tool.name), "description": tool.description, "input_schema": schema(&tool.parameters.0)}),
            )
            .collect();
        if let Some(last) = tools.pop() {
            tools.push(marked(last));
        }
        body.insert("tools".into(), tools.into());
    }
    let mut messages: Vec<Value> = turns(&request.history, "anthropic", names).into_iter().map(message).collect();
    let last_user = messages.iter_mut().rev().find(|message| message["role"] == "user");
    if let Some(block) = last_user.and_then(|message| message["content"].as_array_mut()?.last_mut()) {
        *block = marked(block.take());
    }
    body.insert("messages".into(), messages.into());
    body.extend(
        extra
            .iter()
            .filter(|(name, _)| !OURS.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    body.into()
}

fn message(turn: Turn) -> Value {
    match turn {
        Turn::Assistant(blocks) => json!({"role": "assistant", "content": blocks}),
        Turn::User { results, said } => {
            let results = results.into_iter().map(|result| {
                let mut block = json!({"type": "tool_result", "tool_use_id": result.id});
                // An empty text is refused; a result without content is not.
                if !result.text.trim().is_empty() {
                    block["content"] = result.text.into();
                }
                if result.is_error {
                    block["is_error"] = true.into();
                }
                block
            });
            let said = said.into_iter().map(|said| match said {
                Said::Text(text) => json!({"type": "text", "text": text}),
                Said::Picture { mime, bytes } => {
                    let data = STANDARD.encode(bytes);
                    json!({"type": "image", "source": {"type": "base64", "media_type": mime, "data": data}})
                }
            });
            json!({"role": "user", "content": results.chain(said).collect::<Vec<_>>()})
        }
    }
}

fn marked(mut block: Value) -> Value {
    block["cache_control"] = json!({"type": "ephemeral"});
    block
}

/// A tool without parameters still needs an object schema.
pub(crate) fn schema(parameters: &Value) -> Value {
    match parameters {
        Value::Object(map) if map.get("type").is_some_and(|kind| kind == "object") => parameters.clone(),
        Value::Object(map) if !map.is_empty() => {
            let mut map = map.clone();
            map.insert("type".into(), "object".into());
            map.into()
        }
        _ => json!({"type": "object", "properties": {}}),
    }
}
