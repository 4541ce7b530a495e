//! What a session does with what happened to its messages. One that still waits has its new text, or is gone; of any other there
//! is a line that people see, and that the model reads with the next message, as data.
//!
//! Bounded: at most [`MOST`] wait for the model; of more reactions there is no line, of more others the oldest is not told.

use super::intake::end_inbox;
use super::live::{Live, lock};
use super::pen::Insist;
use super::{Lease, rows};
use crate::hooks::Verdict;
use crate::names;
use crate::ports::{Append, InboxEnd, InboxId, JournalEntry, StoredRow};
use crate::trace::LiveTrace;
use kata_protocol::{ChannelNotice, Gate, MessageId, MessageKind, MessageReceived, NoticeKind, StepOutcome, WireError};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Notices that may wait in a session's mailbox.
pub(super) const MAX_NOTICES: usize = 64;
/// Lines that wait for the model.
pub(super) const MOST: usize = 20;
/// Characters of a changed text that the model is told.
const LONGEST: usize = 4_000;
/// Field of a row: what the model is told of it.
const FOR_MODEL: &str = "forModel";
/// Field of a row: what the model need not be told any more.
const NOT_FOR_MODEL: &str = "notForModel";

/// Something that happened to a message.
pub(crate) struct Told {
    /// The message, where it may still wait.
    pub inbox: Option<InboxId>,
    pub notice: ChannelNotice,
}

/// What the model is told with the next message, oldest first, each with what it is about.
#[derive(Default)]
pub(super) struct Pending(VecDeque<(String, String)>);

/// Whether something may wait for the model.
enum Room {
    There,
    /// It was set, with these words, and is not any more.
    TakenBack(String),
    Full,
}

impl Pending {
    /// What an earlier run wrote and no turn has taken.
    pub(super) fn found(rows: &[StoredRow], journal: &[JournalEntry]) -> Self {
        let taken = |line: &str| {
            let unsaid = rows.iter().rev().take(512).any(|row| rows::field(row, NOT_FOR_MODEL) == Some(line));
            unsaid
                || journal
                    .iter()
                    .any(|entry| matches!(entry, JournalEntry::TurnStarted { context, .. } if context.iter().any(|c| c == line)))
        };
        let lines = rows.iter().rev().filter_map(|row| rows::field(row, FOR_MODEL));
        let mut found: VecDeque<_> = lines
            .take(MOST)
            .filter(|line| !taken(line))
            .map(|line| (String::new(), line.to_owned()))
            .collect();
        found.make_contiguous().reverse();
        Self(found)
    }

    pub(super) fn take(&mut self) -> Vec<String> {
        self.0.drain(..).map(|(_, line)| line).collect()
    }

    /// Whether one more reaction may wait. One that was set and is taken back before the model heard of it never was.
    fn room(&mut self, about: &str, added: bool) -> Room {
        let set = self.0.iter().position(|(other, _)| other == about).filter(|_| !added);
        match set.and_then(|at| self.0.remove(at)) {
            Some((_, told)) => Room::TakenBack(told),
            None if self.0.len() >= MOST => Room::Full,
            None => Room::There,
        }
    }

    fn add(&mut self, about: String, line: String) {
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back((about, line));
    }
}

impl Lease {
    /// Hands a notice to the session.
    pub(crate) fn tell(self, told: Told, trace: LiveTrace) -> Result<(), WireError> {
        let live = Arc::clone(self.live());
        if live.notices.fetch_add(1, Ordering::Relaxed) >= MAX_NOTICES {
            live.notices.fetch_sub(1, Ordering::Relaxed);
            return Err(WireError::new(kata_protocol::ErrorCode::Busy, "too many notices wait"));
        }
        let put = live.put(super::intake::Input::Notice {
            lease: self,
            told: Box::new(told),
            trace,
        });
        put.inspect_err(|_| {
            live.notices.fetch_sub(1, Ordering::Relaxed);
        })
    }
}

/// Does what it says.
pub(super) async fn hear(live: &Arc<Live>, told: Told, trace: &LiveTrace) {
    live.notices.fetch_sub(1, Ordering::Relaxed);
    trace.session(&live.id, &live.workspace);
    let mark = trace.mark();
    let Told { inbox, mut notice } = told;
    let waiting = inbox.filter(|inbox| live.waits(*inbox));
    if let NoticeKind::Edited { text } = &mut notice.what {
        // A changed text comes in by the hooks that the first one came in by.
        let event = MessageReceived {
            session: live.id.clone(),
            text: std::mem::take(text),
            sender: Some(notice.sender.clone()),
            channel: live.summary().channel,
        };
        match live.deps.hooks.run(event, trace).await {
            Verdict::Pass { event, .. } => *text = event.text,
            Verdict::Stopped { .. } => {
                trace.step(
                    Gate::Mailbox,
                    "the change was refused by a plugin",
                    mark,
                    StepOutcome::Blocked,
                    None,
                );
                live.deps.tracer.record(trace, true).await;
                return;
            }
        }
    }
    let done = match (&notice.what, waiting) {
        (NoticeKind::Edited { text }, Some(inbox)) if live.reword(inbox, text) => reworded(live, inbox, text.clone()).await,
        (NoticeKind::Deleted {}, Some(inbox)) => match live.withdraw(inbox) {
            Some(gone) => {
                live.begun();
                live.pen.note_entry(JournalEntry::Refused { input: gone.row.clone() }).await;
                end_inbox(live, inbox, InboxEnd::Silent).await;
                gone.trace
                    .step(Gate::Mailbox, "withdrawn by its writer", gone.since, StepOutcome::Blocked, None);
                live.deps.tracer.record(&gone.trace, true).await;
                line(live, &notice, None, "withdrawn").await
            }
            None => info(live, &notice).await,
        },
        _ => info(live, &notice).await,
    };
    trace.step(Gate::Mailbox, done, mark, StepOutcome::Ok, None);
    live.deps.tracer.record(trace, true).await;
}

/// The waiting message has its new text: in the inbox, in the session's files, and for whoever looks.
async fn reworded(live: &Arc<Live>, inbox: InboxId, text: String) -> &'static str {
    let messages = &live.deps.messages;
    let kept = live.deps.persist.until_done("changing a message", || messages.reword(inbox, &text));
    if kept.await.is_err() {
        return "the program ends";
    }
    let input = rows::inbox_row_id(inbox);
    live.replace_text(&input, &text);
    let append = Append {
        journal: vec![JournalEntry::Reworded { input, text }],
        sync: true,
        ..Append::default()
    };
    let _ = live.pen.write(append, Insist::UntilWritten).await;
    "its text was replaced while it waited"
}

/// A line for people, and for the model with the next message.
async fn info(live: &Arc<Live>, notice: &ChannelNotice) -> &'static str {
    let about = match &notice.what {
        NoticeKind::Reaction { emoji, .. } => format!("{}\0{}\0{emoji}", notice.message_id, notice.sender.id),
        _ => String::new(),
    };
    if let NoticeKind::Reaction { added, .. } = &notice.what {
        let room = lock(&live.pending).room(&about, *added);
        match room {
            Room::There => {}
            Room::TakenBack(told) => return line(live, notice, Some((NOT_FOR_MODEL, told)), "taken back before it was told").await,
            Room::Full => return "as many wait as may; it is not told",
        }
    }
    let told = json!({
        "what": notice.what.for_model(),
        "by": { "name": notice.sender.name.as_deref().map(names::quoted), "id": notice.sender.id },
        "message": notice.message_id, "at": notice.at.unwrap_or_else(|| live.deps.clock.now()),
    });
    let told = format!("Something happened to a message of this conversation. What and by whom, as data: {told}");
    lock(&live.pending).add(about, told.clone());
    line(live, notice, Some((FOR_MODEL, told)), "told").await
}

async fn line(live: &Arc<Live>, notice: &ChannelNotice, told: Option<(&str, String)>, done: &'static str) -> &'static str {
    let who = notice.sender.name.as_deref().map(names::one_line).filter(|name| !name.is_empty());
    let who = who.unwrap_or_else(|| notice.sender.id.to_string());
    let text = match &notice.what {
        NoticeKind::Edited { text } => format!("{who} changed a message: {}", cut(text)),
        NoticeKind::Deleted {} => format!("{who} took a message back."),
        NoticeKind::Reaction { emoji, added: true } => format!("{who} reacted with {}.", names::one_line(emoji)),
        NoticeKind::Reaction { emoji, added: false } => format!("{who} took the reaction {} back.", names::one_line(emoji)),
    };
    let id: MessageId = rows::new_id(&*live.deps.clock, &*live.deps.entropy);
    let mut row = rows::notice(&id, MessageKind::Info, &text, live.deps.clock.now(), None, None);
    if let Some((field, told)) = told {
        row.insert(field.into(), Value::from(told));
    }
    let append = Append {
        rows: vec![row.clone()],
        sync: true,
        ..Append::default()
    };
    // Nobody waits for it.
    let _ = live.pen.write(append, Insist::UntilWritten).await;
    live.keep(vec![row]);
    done
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

trait ForModel {
    fn for_model(&self) -> Value;
}

impl ForModel for NoticeKind {
    fn for_model(&self) -> Value {
        match self {
            Self::Edited { text } => json!({ "kind": "edited", "text": cut(text) }),
            Self::Deleted {} => json!({ "kind": "deleted" }),
            Self::Reaction { emoji, added } => json!({ "kind": "reaction", "emoji": names::quoted(emoji), "added": added }),
        }
    }
}
