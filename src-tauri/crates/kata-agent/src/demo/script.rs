//! What the demo says to a conversation. Pure.

use kata_core::ports::{HistoryFile, HistoryItem, ModelRequest, SUBMIT_PLAN, Shown};
use serde_json::{Value, json};

/// Commands, as the demo lists them.
const COMMANDS: &str = "`/tool name {json}` calls a tool (one per line), `/think …` shows thinking, `/long N` writes N words, \
                        `/fail` fails, a message that begins with “plan ” hands in a plan, `/help` shows this.";
/// Most words `/long` writes.
const MOST_WORDS: usize = 100_000;
/// Longest quotation of a tool's result or of the person, in characters.
const LONGEST_QUOTE: usize = 2_000;

/// The demo's answer.
pub(super) enum Plan {
    Say(Vec<Part>),
    Fail,
}

/// Why a tool that the person asked for is not called, as the demo says it to them.
#[derive(Debug, thiserror::Error)]
enum NotCalled {
    #[error("There is no tool `{name}`. {offered}")]
    NoSuchTool { name: String, offered: String },
    #[error("What follows `{tool}` is not a JSON object, so I did not call it.")]
    NotAnObject { tool: String },
}

/// One block of it.
pub(super) enum Part {
    Thinking(String),
    Text(String),
    Tool { id: String, name: String, input: Value },
}

pub(super) fn plan(request: &ModelRequest) -> Plan {
    let last = request
        .history
        .iter()
        .rposition(|item| matches!(item, HistoryItem::Assistant { .. }));
    let since = &request.history[last.map_or(0, |at| at + 1)..];
    let mut texts: Vec<String> = Vec::new();
    for item in since {
        if let HistoryItem::ToolResult { call_id, text, is_error } = item {
            let name = last
                .and_then(|at| called(&request.history[at], call_id.as_str()))
                .unwrap_or("unknown");
            let verb = if *is_error { "failed" } else { "answered" };
            texts.push(format!("The tool `{name}` {verb}: {}", quote(text)));
        }
    }
    // Only the last message: one before it whose answer failed must not be obeyed again.
    let asked = since.iter().rev().find_map(|item| {
        if let HistoryItem::User { text, files, .. } = item {
            Some((text.as_str(), files.as_slice()))
        } else {
            None
        }
    });
    let files = asked.map(|(_, files)| files).unwrap_or_default();
    if !files.is_empty() {
        texts.push(seen(files));
    }
    let asked = asked
        .map(|(text, _)| text)
        .filter(|text| files.is_empty() || !text.trim().is_empty());
    let mut thinking = Vec::new();
    let mut tools = Vec::new();
    match asked {
        Some(text) if planned(request, text).is_some() => {
            texts.push("This is what I would do.".to_owned());
            tools.extend(planned(request, text));
        }
        Some(text) => {
            for line in text.lines().map(str::trim).filter(|line| line.starts_with('/')) {
                let (command, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
                match command {
                    "/fail" => return Plan::Fail,
                    "/think" => thinking.push(rest.trim().to_owned()),
                    "/long" => texts.push(long(rest.trim().parse().unwrap_or(200))),
                    "/tool" => match tool(request, rest.trim(), tools.len()) {
                        Ok(part) => tools.push(part),
                        Err(why) => texts.push(why.to_string()),
                    },
                    _ => texts.push(help(request)),
                }
            }
            let said: Vec<&str> = text
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty() && !line.starts_with('/'))
                .collect();
            let nothing_yet = texts.is_empty() && tools.is_empty();
            if !said.is_empty() || (nothing_yet && thinking.is_empty()) {
                let echo = format!(
                    "I am the scripted demo, so I cannot think about it, but I heard you: “{}”.",
                    quote(&said.join("\n"))
                );
                texts.push(format!("{echo}\n\n{}", help(request)));
            } else if nothing_yet {
                texts.push("I have thought about it, as far as a script can.".to_owned());
            }
        }
        None if texts.is_empty() => texts.push("There is nothing new to answer.".to_owned()),
        None => {}
    }
    if !tools.is_empty() {
        let noun = if tools.len() == 1 { "the tool" } else { "the tools" };
        let names = tools.iter().filter_map(|part| {
            if let Part::Tool { name, .. } = part {
                Some(format!("`{name}`"))
            } else {
                None
            }
        });
        texts.push(format!("I am calling {noun} {}.", names.collect::<Vec<_>>().join(", ")));
    }
    let thinking = (!thinking.is_empty()).then(|| Part::Thinking(format!("(scripted) {}", thinking.join("\n"))));
    let text = (!texts.is_empty()).then(|| Part::Text(texts.join("\n\n")));
    Plan::Say(thinking.into_iter().chain(text).chain(tools).collect())
}

/// Words since the last answer, in place of tokens; those before it count as read from a cache, for nothing.
pub(super) fn words(request: &ModelRequest) -> u64 {
    let count = |text: &str| text.split_whitespace().count() as u64;
    let fresh = request
        .history
        .iter()
        .rev()
        .take_while(|item| !matches!(item, HistoryItem::Assistant { .. }));
    let items = fresh.map(|item| match item {
        HistoryItem::User { text, context, .. } => count(text) + context.iter().map(|text| count(text)).sum::<u64>(),
        HistoryItem::ToolResult { text, .. } => count(text),
        HistoryItem::Assistant { .. } => 0,
    });
    count(&request.system) + items.sum::<u64>()
}

/// What came with the message, as far as a script sees it.
fn seen(files: &[HistoryFile]) -> String {
    let lines = files.iter().map(|file| {
        let how = match (&file.missing, &file.shown) {
            (Some(why), _) => format!("not there: {why}"),
            (None, Shown::Picture(bytes)) => format!("a picture of {} bytes, which I am shown", bytes.len()),
            (None, Shown::Text(text)) => format!("a text I am shown: “{}”", quote(text)),
            (None, Shown::Nothing) => format!("{} bytes at `{}`", file.bytes, file.path.as_deref().unwrap_or("nowhere")),
        };
        format!("- `{}` ({}): {how}", file.name, file.mime)
    });
    format!("Files came with it:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

fn called<'a>(answer: &'a HistoryItem, id: &str) -> Option<&'a str> {
    let HistoryItem::Assistant { blocks, .. } = answer else {
        return None;
    };
    blocks.iter().find(|block| block["type"] == "tool_use" && block["id"] == id)?["name"].as_str()
}

fn tool(request: &ModelRequest, line: &str, nth: usize) -> Result<Part, NotCalled> {
    let (name, json) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    if !request.tools.iter().any(|tool| tool.name == name) {
        return Err(NotCalled::NoSuchTool {
            name: quote(name),
            offered: offered(request),
        });
    }
    let json = json.trim();
    let input: Value = if json.is_empty() {
        json!({})
    } else {
        serde_json::from_str(json).unwrap_or_default()
    };
    if !input.is_object() {
        return Err(NotCalled::NotAnObject { tool: name.to_owned() });
    }
    // The history's length makes the id its own within the session, and the same each time the step is repeated.
    Ok(Part::Tool {
        id: format!("demo_{}_{nth}", request.history.len()),
        name: name.to_owned(),
        input,
    })
}

/// A message that begins with “plan ” is answered by a plan, where one can be handed in.
fn planned(request: &ModelRequest, text: &str) -> Option<Part> {
    let first = text.lines().next()?.trim();
    let word = first.get(..5).filter(|word| word.eq_ignore_ascii_case("plan "))?;
    let about: String = first[word.len()..].trim().chars().take(100).collect();
    if about.is_empty() || !request.tools.iter().any(|tool| tool.name == SUBMIT_PLAN) {
        return None;
    }
    let plan = format!("# {about}\n\n1. Look at what is there.\n2. Change it in small steps.\n3. Check that it works.\n");
    Some(Part::Tool {
        id: format!("demo_{}_plan", request.history.len()),
        name: SUBMIT_PLAN.to_owned(),
        input: json!({ "title": about, "plan": plan }),
    })
}

fn long(words: usize) -> String {
    const WORDS: [&str; 8] = ["one", "two", "three", "four", "five", "six", "seven", "eight"];
    (0..words.clamp(1, MOST_WORDS))
        .map(|n| WORDS[n % WORDS.len()])
        .collect::<Vec<_>>()
        .join(" ")
}

fn help(request: &ModelRequest) -> String {
    format!(
        "This is a scripted demo: add a model in the settings for real answers. {} Commands: {COMMANDS}",
        offered(request)
    )
}

fn offered(request: &ModelRequest) -> String {
    if request.tools.is_empty() {
        return "No tools are on offer.".to_owned();
    }
    let names: Vec<String> = request.tools.iter().map(|tool| format!("`{}`", tool.name)).collect();
    format!("Tools on offer: {}.", names.join(", "))
}

fn quote(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
