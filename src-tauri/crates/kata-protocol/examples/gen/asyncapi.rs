//! `docs/schema/gateway.asyncapi.json`: the socket as an AsyncAPI 3 document, for the tools of others.

use crate::shape::{Schemas, frames, words};
use kata_protocol::{DEFAULT_PORT, GATEWAY_VERSION};
use serde_json::{Map, Value, json};
use std::error::Error;

pub(crate) fn document(schemas: &Schemas) -> Result<String, Box<dyn Error>> {
    let mut messages = Map::new();
    let mut channel = Map::new();
    let mut listed = [Vec::new(), Vec::new()];
    for (at, (side, document)) in [("client", &schemas.client), ("server", &schemas.server)].into_iter().enumerate() {
        for (name, frame) in frames(document) {
            let id = format!("{side}-{name}");
            let mut payload = frame.clone();
            if name == "event" {
                payload["properties"]["fact"] = json!({ "$ref": "#/$defs/Fact" });
            }
            messages.insert(
                id.clone(),
                json!({ "name": name, "title": name, "summary": words(frame), "payload": payload }),
            );
            channel.insert(id.clone(), json!({ "$ref": format!("#/components/messages/{id}") }));
            listed[at].push(json!({ "$ref": format!("#/channels/socket/messages/{id}") }));
        }
    }
    let [client, server] = listed;
    let of_socket = json!({ "$ref": "#/channels/socket" });
    let mut document = json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Kata Agents gateway",
            "version": format!("{GATEWAY_VERSION}.0.0"),
            "description": "One WebSocket, JSON text, one frame a message. What a request can ask stands in operations.schema.json.",
            "license": { "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": {
                "host": format!("127.0.0.1:{DEFAULT_PORT}"),
                "protocol": "ws",
                "description": "On this machine only; gateway.json in the home folder has the port that is in use.",
            },
        },
        "channels": {
            "socket": {
                "address": "/ws",
                "title": "The socket",
                "servers": [{ "$ref": "#/servers/local" }],
                "messages": channel,
            },
        },
        "operations": {
            "fromClient": {
                "action": "receive", "title": "What a client sends", "summary": "`connect` first.",
                "channel": of_socket, "messages": client,
            },
            "toClient": {
                "action": "send", "title": "What the server sends", "summary": "`hello` first.",
                "channel": of_socket, "messages": server,
            },
        },
        "components": { "messages": messages, "schemas": schemas.types() },
    });
    point(&mut document);
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

/// References as AsyncAPI has them.
fn point(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(target)) = map.get_mut("$ref") {
                *target = target.replace("#/$defs/", "#/components/schemas/");
            }
            map.values_mut().for_each(point);
        }
        Value::Array(list) => list.iter_mut().for_each(point),
        _ => {}
    }
}
