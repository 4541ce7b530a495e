//! The outbox: the only way a reply leaves. Durable, in order within a conversation, retried by the class of the failure.
//!
//! A lane per conversation sends one part after the other; lanes do not wait for each other. What was handed to the plugin
//! when the program died is sent again only where the platform takes an idempotency key; else it is parked for a person.

pub mod chunk;
mod edits;
mod lane;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use crate::EventHub;
use crate::hooks::Dispatcher;
use crate::pause::Pause;
use crate::persist::{Persist, Stopping};
use crate::ports::{Channels, Clock, Entropy, InboxId, MessageStore, NewOutbound, OutboundExtras, OutboxRow, StoreError};
use crate::tasks::Tasks;
use crate::trace::{LiveTrace, Tracer};
use kata_protocol::{ChannelCapabilities, Media, ReplyRoute, SessionId, TextUnit};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Parts of one reply at most; a longer one ends with a note that it was cut.
const MAX_PARTS: usize = 40;

/// What the outbox works with.
pub struct OutboxDeps {
    /// Store.
    pub store: Arc<dyn MessageStore>,
    /// Channels.
    pub channels: Arc<dyn Channels>,
    /// Whether they are paused: nothing leaves then.
    pub pause: Pause,
    /// Hooks, for `message_sent`.
    pub hooks: Arc<Dispatcher>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Jitter.
    pub entropy: Arc<dyn Entropy>,
    /// Tasks.
    pub tasks: Tasks,
    /// Traces.
    pub tracer: Arc<Tracer>,
    /// Writes that must stand.
    pub persist: Persist,
    /// Facts, for letters.
    pub events: Arc<EventHub>,
    /// Told when a channel delivered something.
    pub activity: Arc<dyn Fn(&ReplyRoute) + Send + Sync>,
}

/// Sends replies.
pub struct Outbox {
    deps: OutboxDeps,
    lanes: Mutex<HashMap<Lane, VecDeque<Job>>>,
    /// Told when there is a reason to try again at once.
    again: tokio::sync::Notify,
}

/// Why a channel cannot send a file. `None`: it can.
pub(crate) fn unsendable(capabilities: &ChannelCapabilities, media: &Media) -> Option<String> {
    if !capabilities.files_out {
        return Some("this channel takes no files".into());
    }
    let most = capabilities.file_max.0;
    (most > 0 && media.bytes.0 > most).then(|| format!("this channel takes files of at most {most} bytes"))
}

/// The files a channel can send, and what is said of the others.
fn sendable(capabilities: &ChannelCapabilities, attachments: Vec<Media>) -> (Vec<Media>, Option<String>) {
    let mut told: Vec<String> = Vec::new();
    let fits = |media: &Media| match unsendable(capabilities, media) {
        None => true,
        Some(why) => {
            told.push(format!("{} ({why})", media.name));
            false
        }
    };
    let attachments: Vec<Media> = attachments.into_iter().filter(fits).collect();
    let note = (!told.is_empty()).then(|| format!("[Not sent: {}. It is in Kata Agents.]", told.join(", ")));
    (attachments, note)
}

fn with_note(text: &str, note: &str) -> String {
    if text.trim().is_empty() {
        note.to_owned()
    } else {
        format!("{text}\n\n{note}")
    }
}

/// Conversation and thread: the unit of order.
type Lane = (
    kata_protocol::ChannelId,
    kata_protocol::AccountId,
    kata_protocol::ConversationId,
    Option<kata_protocol::ThreadId>,
);

/// One row to send, with the trace of the message it answers, where that is of this run.
struct Job {
    row: OutboxRow,
    trace: Option<Arc<ReplyTrace>>,
}

/// The trace of a reply of several parts; recorded when the last part has ended.
struct ReplyTrace {
    live: LiveTrace,
    session: Option<SessionId>,
    left: std::sync::atomic::AtomicU32,
    parts: u32,
}

/// A reply to queue.
pub struct Reply {
    /// Inbox row it answers.
    pub inbox: Option<InboxId>,
    /// Session.
    pub session: Option<SessionId>,
    /// Where to.
    pub route: ReplyRoute,
    /// Markdown, any length.
    pub text: String,
    /// Unique stem of the parts' idempotency keys.
    pub key: String,
    /// Trace to write to.
    pub trace: Option<LiveTrace>,
    /// What goes with the text: files and buttons with its last part, the preview it takes the place of with its first.
    pub extras: OutboundExtras,
}

impl Outbox {
    /// An outbox without work.
    pub fn new(deps: OutboxDeps) -> Arc<Self> {
        Arc::new(Self {
            deps,
            lanes: Mutex::new(HashMap::new()),
            again: tokio::sync::Notify::new(),
        })
    }

    /// What waits for its next attempt is tried at once: the machine woke up, or has another network.
    pub fn try_again_now(&self) {
        self.again.notify_waiters();
    }

    /// Takes up what an earlier run left behind.
    pub async fn resume(self: &Arc<Self>) -> Result<usize, StoreError> {
        let rows = self.deps.store.unsent().await?;
        let count = rows.len();
        for row in rows {
            self.push(Job { row, trace: None });
        }
        Ok(count)
    }

    /// Sends a row that a person wants sent again, in the order of its conversation: before what was written after it and
    /// has not begun to leave.
    pub fn send_again(self: &Arc<Self>, row: OutboxRow) {
        self.place(Job { row, trace: None }, true);
    }

    /// Cuts, stores and sends a reply. Returns when it is durable; one without text and files stores nothing and answers `false`.
    pub async fn send(self: &Arc<Self>, reply: Reply) -> Result<bool, StoreError> {
        let parts = self.parts(&reply);
        if parts.is_empty() {
            return Ok(false);
        }
        let rows = self.deps.store.enqueue(reply.inbox, parts, self.deps.clock.now()).await?;
        self.queued(reply, rows);
        Ok(true)
    }

    /// As [`Self::send`], for an answer that was given: a store that fails is asked again until it has it.
    ///
    /// # Errors
    /// [`Stopping`]: the next start queues it.
    pub async fn insist(self: &Arc<Self>, reply: Reply) -> Result<bool, Stopping> {
        let parts = self.parts(&reply);
        if parts.is_empty() {
            return Ok(false);
        }
        let (store, clock) = (&self.deps.store, &self.deps.clock);
        let enqueue = || store.enqueue(reply.inbox, parts.clone(), clock.now());
        let rows = self.deps.persist.until_done("queueing a reply", enqueue).await?;
        self.queued(reply, rows);
        Ok(true)
    }

    /// The parts of a reply, as the channel can take them.
    fn parts(&self, reply: &Reply) -> Vec<NewOutbound> {
        let info = self.deps.channels.info(&reply.route.channel).map(|(_, info)| info.capabilities);
        let (max, unit) = match &info {
            Some(capabilities) => (capabilities.text_max, capabilities.text_unit),
            // The plugin is being reloaded or gone; every platform we know takes this much.
            None => (2000, TextUnit::Utf16),
        };
        // What is not known now is decided when it is sent.
        let (attachments, note) = match &info {
            Some(capabilities) => sendable(capabilities, reply.extras.attachments.clone()),
            None => (reply.extras.attachments.clone(), None),
        };
        let mut texts = match note {
            Some(note) => chunk::chunk(&with_note(&reply.text, &note), max, unit),
            None => chunk::chunk(&reply.text, max, unit),
        };
        if texts.len() > MAX_PARTS {
            texts.truncate(MAX_PARTS - 1);
            texts.push("[The answer was cut here: it is too long for this channel. The whole of it is in Kata Agents.]".into());
        }
        if texts.is_empty() && !attachments.is_empty() {
            texts.push(String::new());
        }
        let last = texts.len().saturating_sub(1);
        texts
            .into_iter()
            .enumerate()
            .map(|(n, text)| NewOutbound {
                session: reply.session.clone(),
                // Only the first part quotes the question.
                route: if n == 0 {
                    reply.route.clone()
                } else {
                    ReplyRoute {
                        reply_to: None,
                        ..reply.route.clone()
                    }
                },
                text,
                idempotency_key: format!("{}:{n}", reply.key),
                extras: OutboundExtras {
                    attachments: if n == last { attachments.clone() } else { Vec::new() },
                    buttons: if n == last { reply.extras.buttons.clone() } else { Vec::new() },
                    replaces: reply.extras.replaces.clone().filter(|_| n == 0),
                    edits: reply.extras.edits.clone(),
                },
            })
            .collect()
    }

    /// Sends rows that are in the store.
    fn queued(self: &Arc<Self>, reply: Reply, rows: Vec<OutboxRow>) {
        crate::fault::point("after_reply_queued");
        let parts = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let trace = reply.trace.map(|live| {
            Arc::new(ReplyTrace {
                live,
                session: reply.session,
                left: std::sync::atomic::AtomicU32::new(parts),
                parts,
            })
        });
        for row in rows {
            self.push(Job { row, trace: trace.clone() });
        }
    }

    /// Rows waiting in memory.
    pub fn waiting(&self) -> usize {
        self.lock().values().map(VecDeque::len).sum()
    }

    fn push(self: &Arc<Self>, job: Job) {
        self.place(job, false);
    }

    fn place(self: &Arc<Self>, job: Job, in_order: bool) {
        let route = &job.row.message.route;
        let lane: Lane = (
            route.channel.clone(),
            route.account.clone(),
            route.conversation.clone(),
            route.thread.clone(),
        );
        let start = {
            let mut lanes = self.lock();
            // Bounded by the store's rows, and those by the ingress permits: a reply exists for an accepted message only.
            let queue = lanes.entry(lane.clone()).or_default();
            // The first one is being sent.
            let later = queue.iter().skip(1).position(|other| in_order && other.row.id > job.row.id);
            queue.insert(later.map_or(queue.len(), |n| n + 1), job);
            queue.len() == 1
        };
        if start {
            self.deps.tasks.spawn("outbox lane", lane::run(Arc::clone(self), lane));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Lane, VecDeque<Job>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
