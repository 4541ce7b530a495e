//! Plugins that are programs of their own, over the gateway: what they bring works like any plugin's, is gone with the socket,
//! loses nothing, and a hostile one is contained and named.

mod guide;
mod hostile;
mod life;
mod program;

use serde_json::{Value, json};

/// A plugin with a tool, a hook and a channel.
pub(crate) fn plugin(id: &str) -> Value {
    json!({
        "id": id, "name": "Words", "version": "1.2.3", "description": "Counts words.",
        "tools": [{
            "name": format!("{id}_count"), "description": "Counts words.", "readOnly": true,
            "parameters": { "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"] },
        }],
        "hooks": [{ "event": "message_received", "priority": 5 }],
        "channels": [{ "id": format!("{id}-line"), "name": "Line" }],
    })
}

/// Answers everything as it should.
pub(crate) fn well(call: &Value) -> Option<Value> {
    Some(match call["kind"].as_str().unwrap() {
        "tool" => {
            let text = call["params"]["params"]["text"].as_str().unwrap();
            json!({ "result": { "text": format!("{} words", text.split_whitespace().count()) } })
        }
        "send" => json!({ "result": { "messageIds": [call["params"]["message"]["idempotencyKey"]] } }),
        _ => json!({ "result": null }),
    })
}
