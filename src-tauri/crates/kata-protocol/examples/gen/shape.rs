//! The JSON Schemas as both references read them: types by name, the fields of one, what a field is in a few words.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::error::Error;

/// What is generated from the types of kata-protocol.
pub(crate) struct Schemas {
    pub(crate) client: Value,
    pub(crate) server: Value,
    pub(crate) fact: Value,
    pub(crate) operations: Value,
}

impl Schemas {
    pub(crate) fn read(files: &[(&'static str, String)]) -> Result<Self, Box<dyn Error>> {
        let read = |name: &str| -> Result<Value, Box<dyn Error>> {
            let (_, text) = files
                .iter()
                .find(|(file, _)| *file == name)
                .ok_or(format!("{name} is not generated"))?;
            Ok(serde_json::from_str(text)?)
        };
        Ok(Self {
            client: read("gateway-client-frame.schema.json")?,
            server: read("gateway-server-frame.schema.json")?,
            fact: read("gateway-fact.schema.json")?,
            operations: read("operations.schema.json")?,
        })
    }

    /// Every named type of the frames and of what they carry.
    pub(crate) fn types(&self) -> BTreeMap<String, Value> {
        let mut all = BTreeMap::new();
        for document in [&self.client, &self.server, &self.fact] {
            all.extend(defs(document));
        }
        all
    }
}

pub(crate) fn defs(document: &Value) -> BTreeMap<String, Value> {
    let defs = document["$defs"].as_object().cloned().unwrap_or_default();
    defs.into_iter().collect()
}

/// The frames of one direction: type and schema, in the order of the protocol.
pub(crate) fn frames(document: &Value) -> Vec<(&str, &Value)> {
    let variants = document["oneOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    let named = |variant| Some((Value::as_str(&variant["properties"]["type"]["const"])?, variant));
    variants.iter().filter_map(named).collect()
}

/// A description on one line.
pub(crate) fn words(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Fields of an object but for its tag, in the order of the protocol: name, schema, whether it must be there.
pub(crate) fn fields(schema: &Value) -> Vec<(&str, &Value, bool)> {
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    properties
        .iter()
        .filter(|(_, field)| field.get("const").is_none())
        .map(|(name, field)| (name.as_str(), field, required.iter().any(|r| r == name)))
        .collect()
}

/// What a field is: `text`, `number`, a list, or a type by its name.
pub(crate) fn kind(schema: &Value, link: &dyn Fn(&str) -> String) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return link(name.rsplit('/').next().unwrap_or(name));
    }
    for several in ["anyOf", "oneOf"] {
        if let Some(all) = schema[several].as_array() {
            let all: Vec<String> = all.iter().filter(|s| s["type"] != "null").map(|s| kind(s, link)).collect();
            return all.join(" or ");
        }
    }
    let of = match &schema["type"] {
        Value::Array(all) => all
            .iter()
            .find(|t| *t != "null")
            .and_then(Value::as_str)
            .unwrap_or("anything")
            .to_owned(),
        Value::String(one) => one.clone(),
        _ => return "anything".into(),
    };
    match of.as_str() {
        "array" => match schema.get("items") {
            Some(items) => format!("list of {}", kind(items, link)),
            None => "list".into(),
        },
        "object" => match schema.get("additionalProperties") {
            Some(values @ Value::Object(_)) => format!("map to {}", kind(values, link)),
            _ => "object".into(),
        },
        "string" => "text".into(),
        "integer" | "number" => "number".into(),
        other => other.to_owned(),
    }
}
