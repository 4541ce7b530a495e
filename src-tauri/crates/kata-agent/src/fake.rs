//! A scripted provider on loopback, speaking Anthropic Messages and OpenAI Chat Completions, with every fault a client must
//! survive. For tests (feature `fake`) and for the official SDKs, which judge it (`tests/peers/judges`).
//!
//! It checks what real providers check and other fakes do not: every tool call is answered in the very next turn, no text is
//! empty, at most four cache marks. A request that fails gets a 400 and stays in [`FakeProvider::violations`].
//! Deliberately absent: any model.

mod anthropic;
mod openai;
mod server;
mod wire;

pub use server::{FakeError, FakeProvider, Recorded};

use kata_protocol::ProviderKind;
use serde_json::{Value, json};
use std::sync::Arc;

/// One block of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Say {
    /// Text, streamed in small pieces.
    Text(String),
    /// Thinking with its signature; the Chat format streams it as `reasoning_content` and has no signature.
    Thinking(String, String),
    /// A tool call: id, name, arguments. Arguments are streamed in pieces; `{}` is streamed as nothing at all.
    Tool(String, String, Value),
    /// A block sent whole, without deltas (`redacted_thinking`, something new). The Chat format leaves it out.
    Block(Value),
}

/// What goes wrong with an answer. `after` counts the events sent before it does.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// An HTTP refusal in place of a stream: status, headers, body.
    Refuse(u16, Vec<(String, String)>, String),
    /// Every byte on its own.
    Bytewise,
    /// Lines end with CRLF.
    Crlf,
    /// A comment, a ping and an event nobody knows before each event.
    Noise,
    /// Each event waits for [`FakeProvider::release`].
    Gated,
    /// Sends nothing more, ever.
    Stall {
        /// Events before.
        after: usize,
    },
    /// Ends the stream cleanly, in the middle.
    Truncate {
        /// Events before.
        after: usize,
    },
    /// Breaks the connection.
    Break {
        /// Events before.
        after: usize,
    },
    /// An error event of this type; its message repeats the last text of the request.
    ErrorEvent {
        /// Events before.
        after: usize,
        /// `error.type`.
        kind: String,
    },
    /// The arguments of the last tool call are cut in the middle and the answer hits its token limit.
    CutTool,
}

/// Tokens an answer claims; the Anthropic stream names smaller figures first, as the real one does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Sent, without cache reads.
    pub input: u64,
    /// Answered.
    pub output: u64,
    /// Read from the cache.
    pub cache_read: u64,
    /// Written to the cache.
    pub cache_creation: u64,
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Blocks.
    pub say: Vec<Say>,
    /// Stop reason in the format's own words; absent = the usual one.
    pub stop: Option<String>,
    /// Tokens.
    pub tokens: Tokens,
    /// What goes wrong.
    pub troubles: Vec<Trouble>,
    /// Data lines sent as they are, in place of everything above.
    pub raw: Option<Vec<String>>,
}

impl Answer {
    /// An answer of these blocks.
    pub fn new(say: Vec<Say>) -> Self {
        let tokens = Tokens {
            input: 25,
            output: 12,
            cache_read: 7,
            cache_creation: 3,
        };
        Self {
            say,
            stop: None,
            tokens,
            troubles: Vec::new(),
            raw: None,
        }
    }
    /// A text.
    pub fn text(text: &str) -> Self {
        Self::new(vec![Say::Text(text.to_owned())])
    }
    /// A tool call.
    pub fn tool(id: &str, name: &str, input: Value) -> Self {
        Self::new(vec![Say::Tool(id.to_owned(), name.to_owned(), input)])
    }
    /// Data lines sent as they are.
    pub fn raw<S: Into<String>>(lines: impl IntoIterator<Item = S>) -> Self {
        Self {
            raw: Some(lines.into_iter().map(Into::into).collect()),
            ..Self::new(Vec::new())
        }
    }
    /// A refusal with an error body in Anthropic's form.
    pub fn refuse(status: u16, headers: &[(&str, &str)], kind: &str, message: &str) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let body = json!({"type": "error", "error": {"type": kind, "message": message}}).to_string();
        Self::new(Vec::new()).with(Trouble::Refuse(status, headers, body))
    }
    /// Adds a trouble.
    #[must_use]
    pub fn with(mut self, trouble: Trouble) -> Self {
        self.troubles.push(trouble);
        self
    }
    /// Sets the stop reason.
    #[must_use]
    pub fn stop(mut self, reason: &str) -> Self {
        self.stop = Some(reason.to_owned());
        self
    }
    fn has(&self, trouble: &Trouble) -> bool {
        self.troubles.contains(trouble)
    }
    fn calls_tools(&self) -> bool {
        self.say.iter().any(|say| matches!(say, Say::Tool(..)))
    }
}

/// What the fake answers to each request.
#[derive(Clone)]
pub struct Script(Arc<Respond>);

type Respond = dyn Fn(usize, &Value) -> Answer + Send + Sync;

impl Script {
    /// The first answer to the first request, and so on; after the last one a refusal that is not to be repeated.
    pub fn new(answers: Vec<Answer>) -> Self {
        Self::respond(move |nth, _| {
            answers
                .get(nth)
                .cloned()
                .unwrap_or_else(|| Answer::refuse(500, &[("x-should-retry", "false")], "api_error", "script over"))
        })
    }
    /// The answer as a function of the request's number (from 0) and body.
    pub fn respond(answer: impl Fn(usize, &Value) -> Answer + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }
    /// A polite agent: thinks where asked to, calls the first tool on offer with the fixed arguments
    /// `{"city": "Zürich 🏔"}`, and once it has the result says so.
    pub fn agent() -> Self {
        Self::respond(|nth, body| {
            let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
            let answered = messages.last().is_some_and(|last| {
                last["role"] == "tool"
                    || last["content"]
                        .as_array()
                        .is_some_and(|blocks| blocks.iter().any(|b| b["type"] == "tool_result"))
            });
            let tool = &body["tools"][0];
            let name = tool["name"].as_str().or(tool["function"]["name"].as_str());
            let mut say = Vec::new();
            if body.get("thinking").is_some_and(|thinking| thinking["type"] != "disabled") || body.get("reasoning_effort").is_some() {
                say.push(Say::Thinking("Let me think about it.".to_owned(), format!("signature-{nth}")));
            }
            match name {
                Some(name) if !answered => {
                    say.push(Say::Text("I will look that up.".to_owned()));
                    say.push(Say::Tool(format!("toolu_fake_{nth}"), name.to_owned(), json!({"city": "Zürich 🏔"})));
                }
                Some(_) => say.push(Say::Text("The tool has answered, thank you. 🎉".to_owned())),
                None => say.push(Say::Text("Hello from the scripted fake. 👋".to_owned())),
            }
            Answer::new(say)
        })
    }
    fn answer(&self, nth: usize, body: &Value) -> Answer {
        (self.0)(nth, body)
    }
}

/// What a real provider would refuse a request for, in its words.
pub fn violation(kind: ProviderKind, body: &Value) -> Option<String> {
    match kind {
        ProviderKind::Anthropic => anthropic::violation(body),
        ProviderKind::OpenaiChat => openai::violation(body),
        ProviderKind::Demo => None,
    }
}

/// Cuts a text into pieces of `size` characters.
fn pieces(text: &str, size: usize) -> Vec<String> {
    text.chars()
        .collect::<Vec<_>>()
        .chunks(size)
        .map(|piece| piece.iter().collect())
        .collect()
}
