//! A model, a tool and a platform that do what a test scripted. The model and the platform check that a session asks one
//! question at a time and that a conversation gets its parts in order.

use super::disk::lock;
use super::shelf::Shelf;
use crate::ports::*;
use async_trait::async_trait;
use kata_protocol::*;
use serde_json::json;
use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What the model does next; without a script it repeats the newest message.
pub(crate) enum Step {
    /// Calls the tool `note`.
    Call,
    /// Calls these tools with these arguments: `note` only reads, `change` does not.
    Tools(&'static [(&'static str, &'static str)]),
    /// Answers nothing until it is stopped; then with this much said.
    Hang(&'static str),
    /// Says these, each when it is told to go on, and then calls these tools.
    Say(&'static [&'static str], &'static [(&'static str, &'static str)]),
    /// Fails.
    Fail,
}

/// The model.
#[derive(Default)]
pub(crate) struct Scripted {
    pub script: Mutex<VecDeque<Step>>,
    /// The newest message of each question, in order.
    pub asked: Mutex<Vec<String>>,
    /// What stood beside the newest message of the newest question.
    pub contexts: Mutex<Vec<String>>,
    /// The same of every message of it.
    pub all_contexts: Mutex<Vec<String>>,
    /// Every message of the newest question.
    pub history: Mutex<Vec<String>>,
    /// Lets it say its next piece.
    pub go_on: tokio::sync::Notify,
    /// Files of each question, the newest message last, each with what was shown of it.
    pub shown: Mutex<Vec<Vec<HistoryFile>>>,
    /// Whether it looks at no pictures.
    pub blind: AtomicBool,
    running: Mutex<HashSet<SessionId>>,
}

#[async_trait]
impl Model for Scripted {
    fn label(&self) -> String {
        "scripted".into()
    }
    fn family(&self) -> &'static str {
        "test"
    }
    fn sees_pictures(&self) -> bool {
        !self.blind.load(Ordering::Relaxed)
    }
    async fn step(
        &self,
        request: ModelRequest,
        events: mpsc::Sender<ModelEvent>,
        cancel: CancellationToken,
    ) -> Result<ModelStep, ModelError> {
        let alone = lock(&self.running).insert(request.session.clone());
        assert!(alone, "two questions of one session at the same time");
        let newest = request.history.iter().rev().find_map(|item| match item {
            HistoryItem::User { text, .. } => Some(text.clone()),
            _ => None,
        });
        let newest = newest.unwrap_or_default();
        let users = request.history.iter().filter_map(|item| match item {
            HistoryItem::User { text, context, .. } => Some((text.clone(), context.clone())),
            _ => None,
        });
        let (texts, mut contexts): (Vec<_>, Vec<_>) = users.unzip();
        *lock(&self.all_contexts) = contexts.concat();
        *lock(&self.history) = texts;
        *lock(&self.contexts) = contexts.pop().unwrap_or_default();
        lock(&self.asked).push(newest.clone());
        let files = request.history.iter().filter_map(|item| match item {
            HistoryItem::User { files, .. } => Some(files.clone()),
            _ => None,
        });
        lock(&self.shown).push(files.flatten().collect());
        tokio::task::yield_now().await;
        let step = lock(&self.script).pop_front();
        let failed = |code, partial| ModelError {
            code,
            message: "as scripted".into(),
            partial,
        };
        let said = |blocks, stop| ModelStep {
            blocks,
            stop,
            usage: StepUsage::default(),
        };
        let answer = match step {
            None => Ok(said(
                vec![json!({"type": "text", "text": format!("re: {newest}")})],
                StopReason::EndTurn,
            )),
            Some(Step::Call) => {
                let id = format!("call{}", request.history.len());
                Ok(said(
                    vec![json!({"type": "tool_use", "id": id, "name": "note", "input": {}})],
                    StopReason::ToolUse,
                ))
            }
            Some(Step::Tools(calls)) => {
                let call = |(n, (name, input)): (usize, &(&str, &str))| {
                    let input: serde_json::Value = serde_json::from_str(input).unwrap();
                    json!({"type": "tool_use", "id": format!("call{}-{n}", request.history.len()), "name": name, "input": input})
                };
                Ok(said(calls.iter().enumerate().map(call).collect(), StopReason::ToolUse))
            }
            Some(Step::Say(pieces, calls)) => {
                for piece in pieces {
                    tokio::select! {
                        () = self.go_on.notified() => {}
                        () = cancel.cancelled() => break,
                    }
                    let _ = events.send(ModelEvent::Text((*piece).to_owned())).await;
                }
                let call = |(n, (name, input)): (usize, &(&str, &str))| {
                    let input: serde_json::Value = serde_json::from_str(input).unwrap();
                    json!({"type": "tool_use", "id": format!("call{}-{n}", request.history.len()), "name": name, "input": input})
                };
                let text = vec![json!({"type": "text", "text": pieces.concat()})];
                let stop = if calls.is_empty() {
                    StopReason::EndTurn
                } else {
                    StopReason::ToolUse
                };
                match cancel.is_cancelled() {
                    true => Err(failed(ModelErrorCode::Cancelled, text)),
                    false => Ok(said(text.into_iter().chain(calls.iter().enumerate().map(call)).collect(), stop)),
                }
            }
            Some(Step::Fail) => Err(failed(ModelErrorCode::Unavailable, Vec::new())),
            Some(Step::Hang(text)) => {
                cancel.cancelled().await;
                Err(failed(ModelErrorCode::Cancelled, vec![json!({"type": "text", "text": text})]))
            }
        };
        lock(&self.running).remove(&request.session);
        answer
    }
}

/// Finds the one model there is.
pub(crate) struct OneModel(pub Arc<Scripted>);

impl Models for OneModel {
    fn find(&self, _: Option<&str>) -> Result<Arc<dyn Model>, WireError> {
        Ok(Arc::clone(&self.0) as _)
    }
}

/// Two tools, `note` and `change`, that count.
#[derive(Default)]
pub(crate) struct Note {
    pub calls: Mutex<u32>,
    /// What ran, in order.
    pub ran: Mutex<Vec<String>>,
    /// While set there are none: their plugin is not up yet.
    pub away: AtomicBool,
}

#[async_trait]
impl Tools for Note {
    fn list(&self) -> Arc<[ToolInfo]> {
        if self.away.load(Ordering::Relaxed) {
            return Arc::from([]);
        }
        Arc::from(["note", "change", SEND_FILE, SUBMIT_PLAN].map(|name| ToolInfo {
            name: name.into(),
            description: String::new(),
            parameters: Json(json!({"type": "object"})),
            read_only: name == "note" || name == SUBMIT_PLAN,
            plugin: None,
            source: None,
        }))
    }
    async fn call(&self, request: ToolRequest) -> ToolOutcome {
        *lock(&self.calls) += 1;
        lock(&self.ran).push(format!("{} {}", request.name, request.params));
        ToolOutcome {
            text: "noted".into(),
            is_error: false,
        }
    }
    async fn file(&self, request: &ToolRequest) -> Result<ToolFile, Unfit> {
        let text = |key: &str| request.params[key].as_str().unwrap_or_default().to_owned();
        if text("path") == "missing" {
            return Err(Unfit("missing does not exist".into()));
        }
        Ok(ToolFile {
            name: text("path"),
            bytes: format!("contents of {}", text("path")).into_bytes(),
            caption: text("caption"),
        })
    }
}

/// One command, `count`, that says its arguments.
#[derive(Default)]
pub(crate) struct Counter {
    pub ran: Mutex<Vec<String>>,
}

#[async_trait]
impl Commands for Counter {
    fn list(&self) -> Vec<CommandInfo> {
        vec![CommandInfo {
            name: "count".into(),
            description: "counts".into(),
            plugin: PluginId::new("test").unwrap(),
        }]
    }
    async fn run(&self, name: &str, args: &str) -> Result<String, WireError> {
        lock(&self.ran).push(args.to_owned());
        match args {
            "fail" => Err(WireError::new(ErrorCode::Upstream, "as scripted")),
            _ => Ok(format!("{name}: {args}")),
        }
    }
}

/// A platform. What it has is in `shown`: a repeated key is recognised where `idempotent`.
#[derive(Default)]
pub(crate) struct Platform {
    pub idempotent: bool,
    pub shown: Mutex<Vec<OutboundMessage>>,
    /// Attempts, shown or not.
    pub attempts: Mutex<u32>,
    /// Failures of the next sends, and whether the message arrives all the same.
    pub failures: Mutex<VecDeque<(SendError, bool)>>,
    /// What it can besides; limits and `idempotent` are its own.
    pub can: Mutex<ChannelCapabilities>,
    /// What became of messages that were shown, in order.
    pub changes: Mutex<Vec<Change>>,
    /// Failures of the next changes and previews.
    pub change_failures: Mutex<VecDeque<SendError>>,
    /// Files.
    pub shelf: Arc<Shelf>,
}

/// What was done to a message besides sending it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// Its text, and how many buttons it has now.
    Edit(String, String, usize),
    /// Previewed under this id.
    Preview(String, String),
    Delete(String),
    React(String, Option<String>),
}

impl Platform {
    pub(crate) fn texts(&self) -> Vec<String> {
        lock(&self.shown).iter().map(|m| m.text.clone()).collect()
    }
    /// What was done to messages besides sending them.
    pub(crate) fn changed(&self) -> Vec<Change> {
        lock(&self.changes).clone()
    }
    fn may_change(&self) -> Result<(), SendError> {
        lock(&self.change_failures).pop_front().map_or(Ok(()), Err)
    }
    fn show(&self, message: OutboundMessage) {
        let mut shown = lock(&self.shown);
        let known = shown.iter().any(|m| m.idempotency_key == message.idempotency_key);
        assert!(self.idempotent || !known, "the reader sees a message twice: {message:?}");
        if !known {
            shown.push(message);
        }
    }
}

#[async_trait]
impl Channels for Platform {
    fn info(&self, channel: &ChannelId) -> Option<(PluginId, ChannelInfo)> {
        let can = lock(&self.can).clone();
        let info = ChannelInfo {
            id: channel.to_string(),
            label: "Test".into(),
            capabilities: ChannelCapabilities {
                text_max: if can.stream == StreamMode::None { 100 } else { can.text_max },
                idempotent_send: self.idempotent,
                ..can
            },
        };
        Some((PluginId::new("test").unwrap(), info))
    }
    async fn send(&self, message: OutboundMessage) -> Result<Receipt, SendError> {
        *lock(&self.attempts) += 1;
        let failure = lock(&self.failures).pop_front();
        match failure {
            Some((error, arrives)) => {
                if arrives {
                    self.show(message);
                }
                Err(error)
            }
            None => {
                let key = message.idempotency_key.clone();
                self.show(message);
                // A preview becomes the message, whatever was shown under its id before.
                let shown = lock(&self.shown);
                let place = shown.iter().position(|m| m.idempotency_key == key).unwrap();
                let id = match &shown[place].replaces {
                    Some(preview) => preview.clone(),
                    None => PlatformMessageId::new(format!("p{place}")).unwrap(),
                };
                Ok(Receipt { message_ids: vec![id] })
            }
        }
    }
    async fn typing(&self, _: &ReplyRoute) {}
    async fn preview(&self, preview: StreamPreview) -> Result<Option<PlatformMessageId>, SendError> {
        self.may_change()?;
        let id = preview.message_id.unwrap_or_else(|| {
            let before = lock(&self.changes).iter().filter(|c| matches!(c, Change::Preview(..))).count();
            PlatformMessageId::new(format!("preview{before}")).unwrap()
        });
        let draft = lock(&self.can).stream == StreamMode::Draft;
        lock(&self.changes).push(Change::Preview(id.to_string(), preview.text));
        Ok(Some(id).filter(|_| !draft))
    }
    async fn edit(&self, message_id: &PlatformMessageId, message: OutboundMessage) -> Result<(), SendError> {
        self.may_change()?;
        lock(&self.changes).push(Change::Edit(message_id.to_string(), message.text, message.buttons.len()));
        Ok(())
    }
    async fn delete(&self, message_id: &PlatformMessageId, _: &ReplyRoute) -> Result<(), SendError> {
        self.may_change()?;
        lock(&self.changes).push(Change::Delete(message_id.to_string()));
        Ok(())
    }
    async fn react(&self, message_id: &PlatformMessageId, emoji: Option<&str>, _: &ReplyRoute) -> Result<(), SendError> {
        self.may_change()?;
        lock(&self.changes).push(Change::React(message_id.to_string(), emoji.map(str::to_owned)));
        Ok(())
    }
    async fn download(&self, _: &ChannelId, _: &AccountId, file: DraftAttachment) -> Result<Media, SendError> {
        self.shelf.download(file).await
    }
}
