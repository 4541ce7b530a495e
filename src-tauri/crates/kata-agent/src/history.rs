//! Lays a conversation out as the alternating turns both wire formats want. Pure.
//!
//! Holds what providers refuse a request for: every `tool_use` is answered in the very next user turn (a missing result
//! is made up as an error, a result without its call is left out), no text is empty, no two turns in a row are of the same
//! role, and thinking goes back only to the family that thought it, verbatim.

use kata_core::ports::{HistoryFile, HistoryItem, Shown};
use kata_protocol::ToolInfo;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Said for a tool call whose result is not known.
pub(crate) const NO_RESULT: &str = "interrupted; the outcome of this call is not known";

/// A tool result on its way to the model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ToolAnswer {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) is_error: bool,
}

/// A piece of what a person said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// Never empty.
    Text(String),
    /// A picture.
    Picture { mime: String, bytes: Arc<[u8]> },
}

/// One turn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Turn {
    /// Results of the turn before, in the order of its calls, then what was said; never both empty.
    User { results: Vec<ToolAnswer>, said: Vec<Said> },
    /// Blocks in Anthropic's form, never empty.
    Assistant(Vec<Value>),
}

/// The conversation as turns for a model of `family`; starts with a user turn unless it is empty.
pub(crate) fn turns(history: &[HistoryItem], family: &str, names: &ToolNames) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    let mut said: Vec<Value> = Vec::new();
    let mut results: HashMap<&str, (&str, bool)> = HashMap::new();
    let mut texts: Vec<Said> = Vec::new();
    for item in history {
        match item {
            HistoryItem::Assistant { blocks, family: maker } => {
                let blocks: Vec<Value> = blocks.iter().filter_map(|block| replayed(block, maker == family, names)).collect();
                if blocks.is_empty() {
                    continue;
                }
                // Without a user turn between them two answers are one (the model paused): they stay together.
                if results.is_empty() && texts.is_empty() && calls(&said).is_empty() {
                    said.extend(blocks);
                } else {
                    close(&mut turns, &mut said, &mut results, &mut texts);
                    said = blocks;
                }
            }
            HistoryItem::ToolResult { call_id, text, is_error } => {
                results.entry(call_id.as_str()).or_insert((text, *is_error));
            }
            HistoryItem::User { text, context, files } => {
                let context = context.iter().filter(|text| !text.trim().is_empty());
                texts.extend(context.map(|text| reminder(text)));
                texts.extend(with_files(files));
                if !text.trim().is_empty() {
                    texts.push(Said::Text(text.clone()));
                }
            }
        }
    }
    close(&mut turns, &mut said, &mut results, &mut texts);
    if matches!(turns.first(), Some(Turn::Assistant(_))) {
        turns.insert(
            0,
            Turn::User {
                results: Vec::new(),
                said: vec![Said::Text("[what came before is not shown]".to_owned())],
            },
        );
    }
    turns
}

/// What the program says of a message, told apart from what a person wrote.
fn reminder(text: &str) -> Said {
    let text = text.replace("</system-reminder>", "<\\/system-reminder>");
    Said::Text(format!("<system-reminder>\n{text}\n</system-reminder>"))
}

/// The files of a message: what they are, as data, then what is shown of them.
fn with_files(files: &[HistoryFile]) -> Vec<Said> {
    if files.is_empty() {
        return Vec::new();
    }
    let list: Vec<Value> = files.iter().map(HistoryFile::said).collect();
    let mut all = vec![reminder(&format!(
        "Files that came with the next message, as data: {}",
        Value::from(list)
    ))];
    for file in files {
        match &file.shown {
            Shown::Nothing => {}
            Shown::Picture(bytes) => all.push(Said::Picture {
                mime: file.mime.clone(),
                bytes: Arc::clone(bytes),
            }),
            Shown::Text(text) if text.trim().is_empty() => {}
            Shown::Text(text) => {
                // A fence that nothing in the text can close.
                let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
                let fence = "`".repeat(longest.max(2) + 1);
                all.push(Said::Text(format!("Contents of {}:\n{fence}\n{text}\n{fence}", json!(file.name))));
            }
        }
    }
    all
}

/// Ends an answer and the user turn behind it.
fn close(turns: &mut Vec<Turn>, said: &mut Vec<Value>, results: &mut HashMap<&str, (&str, bool)>, texts: &mut Vec<Said>) {
    let answers: Vec<ToolAnswer> = calls(said)
        .into_iter()
        .map(|id| match results.get(id) {
            Some((text, is_error)) => ToolAnswer {
                id: wire_id(id),
                text: (*text).to_owned(),
                is_error: *is_error,
            },
            None => ToolAnswer {
                id: wire_id(id),
                text: NO_RESULT.to_owned(),
                is_error: true,
            },
        })
        .collect();
    for block in said.iter_mut().filter(|block| block["type"] == "tool_use") {
        let id = wire_id(block["id"].as_str().unwrap_or_default());
        block["id"] = Value::String(id);
    }
    if !said.is_empty() {
        turns.push(Turn::Assistant(std::mem::take(said)));
    }
    results.clear();
    if !answers.is_empty() || !texts.is_empty() {
        match turns.last_mut() {
            Some(Turn::User { said: before, .. }) if answers.is_empty() => before.append(texts),
            _ => turns.push(Turn::User {
                results: answers,
                said: std::mem::take(texts),
            }),
        }
    }
}

/// Ids of the calls in an answer, in order.
fn calls(blocks: &[Value]) -> Vec<&str> {
    blocks
        .iter()
        .filter(|block| block["type"] == "tool_use")
        .filter_map(|block| block["id"].as_str())
        .collect()
}

/// The block as it goes back, or nothing where the provider would refuse or not understand it.
fn replayed(block: &Value, same_family: bool, names: &ToolNames) -> Option<Value> {
    match block["type"].as_str()? {
        "text" if block["text"].as_str().is_none_or(|text| text.trim().is_empty()) => None,
        "text" if same_family => Some(block.clone()),
        // Citations and the like of another provider mean nothing here.
        "text" => Some(json!({"type": "text", "text": block["text"]})),
        "tool_use" => {
            let (id, name) = (block["id"].as_str()?, block["name"].as_str()?);
            if same_family && names.wire(name) == name {
                return Some(block.clone());
            }
            let input = if block["input"].is_object() {
                block["input"].clone()
            } else {
                json!({})
            };
            Some(json!({"type": "tool_use", "id": id, "name": names.wire(name), "input": input}))
        }
        "thinking" => (same_family && block["signature"].as_str().is_some_and(|s| !s.is_empty())).then(|| block.clone()),
        _ => same_family.then(|| block.clone()),
    }
}

/// A call id as every provider accepts it; ids of most providers pass unchanged.
fn wire_id(id: &str) -> String {
    id.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

/// Tool names as providers accept them (`[a-zA-Z0-9_-]`, at most 64), and back.
#[derive(Clone, Debug, Default)]
pub(crate) struct ToolNames {
    to_wire: HashMap<String, String>,
    from_wire: HashMap<String, String>,
}

impl ToolNames {
    /// Maps the tools on offer; two that would read the same get a number.
    pub(crate) fn new(tools: &[ToolInfo]) -> Self {
        let mut names = Self::default();
        let mut taken: HashSet<String> = tools.iter().map(|tool| tool.name.clone()).filter(|name| legal(name)).collect();
        for tool in tools.iter().filter(|tool| !legal(&tool.name)) {
            let base = legalized(&tool.name);
            let wire = (1..)
                .map(|n| if n == 1 { base.clone() } else { format!("{base}_{n}") })
                .find(|name| !taken.contains(name));
            let wire = wire.unwrap_or(base);
            taken.insert(wire.clone());
            names.from_wire.insert(wire.clone(), tool.name.clone());
            names.to_wire.insert(tool.name.clone(), wire);
        }
        names
    }
    /// The name the provider sees.
    pub(crate) fn wire(&self, name: &str) -> String {
        match self.to_wire.get(name) {
            Some(wire) => wire.clone(),
            None if legal(name) => name.to_owned(),
            None => legalized(name),
        }
    }
    /// Gives the calls in an answer their own names back.
    pub(crate) fn restore(&self, blocks: &mut [Value]) {
        if self.from_wire.is_empty() {
            return;
        }
        for block in blocks.iter_mut().filter(|block| block["type"] == "tool_use") {
            if let Some(name) = block["name"].as_str().and_then(|name| self.from_wire.get(name)) {
                block["name"] = Value::String(name.clone());
            }
        }
    }
}

fn legal(name: &str) -> bool {
    !name.is_empty() && name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn legalized(name: &str) -> String {
    // Sixty leave room for the number that tells two apart.
    let name: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
        .take(60)
        .collect();
    if name.is_empty() { "tool".to_owned() } else { name }
}
