//! Takes input in, in order: `message_received` hooks, the row into the pen, the input to the runner. Whoever handed it in is
//! answered when the row is on the disk; the agent begins meanwhile, and nothing of its answer is kept before that.
//! Runs beside the turn, so that input is taken while the agent works.

use super::attachments::{self, Missing};
use super::ending::joined_end;
use super::history::{self, InputFate};
use super::live::{Live, lock, one_place};
use super::overlap::Item;
use super::pen::{Insist, Written};
use super::told::{self, Told};
use super::{Lease, marks, rows};
use crate::hooks::Verdict;
use crate::ingress::{Admitted, reply_key, reply_route};
use crate::names;
use crate::outbox::Reply;
use crate::ports::{Append, HistoryFile, InboxEnd, InboxId, InboxRow, JournalEntry};
use crate::trace::LiveTrace;
use kata_protocol::{
    Delivery, ErrorCode, Fact, Gate, InboundDraft, Media, MessageId, MessageKind, MessageReceived, Overlap, OverlapPolicy, RefusalCode,
    ReplyRoute, SessionEvent, SessionSubmitted, StepOutcome, TurnEnd, WireError,
};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_util::sync::DropGuard;

type Answer = oneshot::Sender<Result<Taken, WireError>>;

/// An input that was taken in; it may be said when `written` resolves.
pub(super) struct Taken {
    pub submitted: SessionSubmitted,
    pub written: Option<Written>,
}

/// What comes into a session.
pub(super) enum Input {
    /// From the window, the CLI or a gateway client.
    Client {
        lease: Lease,
        text: String,
        files: Vec<Media>,
        delivery: Delivery,
        key: Option<String>,
        trace: LiveTrace,
        answer: Answer,
    },
    /// The last input again.
    Resend { lease: Lease, trace: LiveTrace, answer: Answer },
    /// From a channel.
    Channel {
        lease: Lease,
        message: Box<Admitted>,
        overlap: Overlap,
        trace: LiveTrace,
    },
    /// Something happened to a message of a channel.
    Notice { lease: Lease, told: Box<Told>, trace: LiveTrace },
}

/// Input that waits for its turn.
pub(super) struct Waiting {
    pub row: MessageId,
    /// Resolves when the row is on the disk; `None` when it was before.
    pub written: Option<Written>,
    pub text: String,
    /// Files that came with it.
    pub files: Vec<HistoryFile>,
    /// Who wrote and where, for the model.
    pub context: Vec<String>,
    pub inbox: Option<(InboxId, ReplyRoute)>,
    pub trace: LiveTrace,
    /// Trace mark of when it began to wait.
    pub since: u64,
    /// An earlier run has begun the turn.
    pub resume: bool,
    /// An earlier run had put it into the turn of the input before it.
    pub follows: bool,
    /// Who wrote, as data for the model.
    pub from: Option<String>,
    /// Its mark, while it waits behind another one's turn.
    pub mark: Option<DropGuard>,
    pub lease: Lease,
    /// Held until the message has reached a terminal state.
    pub permit: Option<OwnedSemaphorePermit>,
}

/// Takes input until the session is unloaded. `journal` is what was on disk at load: it decides what became of channel
/// messages that an earlier run had taken.
pub(super) async fn run(live: Arc<Live>, mut mailbox: mpsc::Receiver<Input>, journal: Vec<JournalEntry>) {
    let stopping = live.deps.tasks.stopping();
    loop {
        let input = tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            input = mailbox.recv() => input,
        };
        let Some(input) = input else { return };
        let waiting = match input {
            Input::Client {
                lease,
                text,
                files,
                delivery,
                key,
                trace,
                answer,
            } => client(&live, lease, (text, files), key, trace, answer)
                .await
                .map(|w| (w, delivery, None)),
            Input::Resend { lease, trace, answer } => resend(&live, lease, trace, answer).await.map(|w| (w, Delivery::Queue, None)),
            Input::Notice { lease, told, trace } => {
                told::hear(&live, *told, &trace).await;
                drop(lease);
                None
            }
            Input::Channel {
                lease,
                message,
                overlap,
                trace,
            } => {
                let delivery = match overlap.policy {
                    OverlapPolicy::Steer => Delivery::Steer,
                    OverlapPolicy::Interrupt => Delivery::Interrupt,
                    OverlapPolicy::Queue | OverlapPolicy::Collect | OverlapPolicy::Drop => Delivery::Queue,
                };
                channel(&live, lease, *message, &overlap, trace, &journal)
                    .await
                    .map(|w| (w, delivery, Some(overlap)))
            }
        };
        let Some((mut waiting, delivery, overlap)) = waiting else {
            live.begun();
            continue;
        };
        if live.is_busy() {
            live.say(SessionEvent::Queued {
                depth: u32::try_from(live.waiting()).unwrap_or(u32::MAX),
            });
            waiting.mark = waiting.inbox.as_ref().and_then(|(_, route)| marks::waits(&live.deps, route));
        }
        match delivery {
            Delivery::Steer => match live.steer(Box::new(waiting)) {
                Ok(()) => continue,
                Err(back) => waiting = *back,
            },
            Delivery::Interrupt => {
                live.superseded.store(true, Ordering::Relaxed);
                if live.interrupt() {
                    let mark = waiting.trace.mark();
                    waiting
                        .trace
                        .step(Gate::Mailbox, "interrupted the running turn", mark, StepOutcome::Ok, None);
                }
            }
            Delivery::Queue => {}
        }
        let now = live.deps.clock.monotonic_us();
        // An input that an earlier run had begun gathers nothing and refuses nobody.
        let overlap = overlap.filter(|_| !(waiting.resume || waiting.follows));
        let refused = lock(&live.line).put(waiting, overlap.as_ref(), now);
        live.put_in.notify_one();
        for old in refused {
            live.begun();
            refuse_old(&live, old).await;
        }
    }
}

impl Waiting {
    /// Whether it is this message of a channel.
    pub(super) fn of(&self, inbox: InboxId) -> bool {
        self.inbox.as_ref().is_some_and(|(own, _)| *own == inbox)
    }
}

impl Item for Waiting {
    fn bytes(&self) -> usize {
        self.text.len()
    }
    fn of_channel(&self) -> bool {
        self.inbox.is_some()
    }
    fn same_place(&self, other: &Self) -> bool {
        match (&self.inbox, &other.inbox) {
            (Some((_, a)), Some((_, b))) => one_place(a, b),
            _ => false,
        }
    }
}

/// A message that waited and has to go for a newer one.
async fn refuse_old(live: &Arc<Live>, old: Waiting) {
    live.pen.note_entry(JournalEntry::Refused { input: old.row }).await;
    if let Some((inbox, _)) = old.inbox {
        end_inbox(live, inbox, InboxEnd::Refused(RefusalCode::QueueFull)).await;
    }
    let note = Some("a newer message took its place".into());
    old.trace
        .step(Gate::Mailbox, "refused: too many waited", old.since, StepOutcome::Blocked, note);
    live.deps.tracer.record(&old.trace, true).await;
}

async fn client(
    live: &Arc<Live>,
    lease: Lease,
    (text, files): (String, Vec<Media>),
    key: Option<String>,
    trace: LiveTrace,
    answer: Answer,
) -> Option<Waiting> {
    if let Some(id) = key.as_deref().and_then(|key| taken_before(live, key)) {
        let submitted = SessionSubmitted {
            message: id,
            trace: trace.id(),
        };
        // The first of the two may still be on its way to the disk.
        let written = Some(live.pen.flush().await);
        let _ = answer.send(Ok(Taken { submitted, written }));
        return None;
    }
    let id = rows::new_id(&*live.deps.clock, &*live.deps.entropy);
    match receive(live, &id, text, &From::Client(&files), key.as_deref(), &trace).await {
        Ok(Received { text, files, written }) => {
            let submitted = SessionSubmitted {
                message: id.clone(),
                trace: trace.id(),
            };
            let written = Some(written);
            // A client that has gone away loses nothing: the input is written all the same.
            let _ = answer.send(Ok(Taken {
                submitted,
                written: written.clone(),
            }));
            let since = trace.mark();
            Some(Waiting {
                row: id,
                written,
                text,
                files,
                context: Vec::new(),
                inbox: None,
                trace,
                since,
                resume: false,
                follows: false,
                from: None,
                mark: None,
                lease,
                permit: None,
            })
        }
        Err(NotTaken::Stopping) => None,
        Err(NotTaken::Files(missing)) => {
            live.deps.tracer.record(&trace, true).await;
            let _ = answer.send(Err(WireError::invalid(format!("“attachments”: {missing}"))));
            None
        }
        Err(NotTaken::Blocked(reason)) => {
            live.deps.tracer.record(&trace, true).await;
            let error = WireError::new(ErrorCode::Forbidden, format!("a plugin refused the message: {reason}"));
            let _ = answer.send(Err(error.hint("Traces, or `kata trace --last`, name the plugin")));
            None
        }
    }
}

/// The row of an input that came with the same key a short while ago.
fn taken_before(live: &Live, key: &str) -> Option<MessageId> {
    let transcript = lock(&live.transcript);
    let mut newest = transcript.rows.iter().rev().take(256);
    let row = newest.find(|row| rows::field(row, "idempotencyKey") == Some(key))?;
    rows::field(row, "id").map(|id| rows::id(id.to_owned()))
}

async fn resend(live: &Arc<Live>, lease: Lease, trace: LiveTrace, answer: Answer) -> Option<Waiting> {
    let last = {
        let transcript = lock(&live.transcript);
        let row = transcript.rows.iter().rev().find(|r| rows::kind(r) == Some("user"));
        row.and_then(|r| {
            let inbox = r.get("inboxId").and_then(serde_json::Value::as_i64).map(InboxId);
            Some((rows::field(r, "id")?.to_owned(), rows::field(r, "content")?.to_owned(), inbox))
        })
    };
    let Some((id, text, inbox)) = last else {
        let _ = answer.send(Err(WireError::new(
            ErrorCode::Conflict,
            "there is nothing to send again in this session",
        )));
        return None;
    };
    if live.is_busy() {
        let _ = answer.send(Err(
            WireError::new(ErrorCode::Conflict, "the session is still working").hint("stop it first")
        ));
        return None;
    }
    let inbox = match inbox {
        Some(inbox) => match live.deps.messages.message(inbox).await {
            Ok(row) => row.map(|r| (inbox, reply_route(&r.channel, &r.draft))),
            Err(error) => {
                let _ = answer.send(Err(WireError::internal(error.to_string())));
                return None;
            }
        },
        None => None,
    };
    let row = rows::id(id);
    let submitted = SessionSubmitted {
        message: row.clone(),
        trace: trace.id(),
    };
    let _ = answer.send(Ok(Taken { submitted, written: None }));
    trace.session(&live.id, &live.workspace);
    let since = trace.mark();
    let files = attachments::of_input(live, &row);
    Some(Waiting {
        row,
        written: None,
        text,
        files,
        context: Vec::new(),
        inbox,
        trace,
        since,
        resume: false,
        follows: false,
        from: None,
        mark: None,
        lease,
        permit: None,
    })
}

async fn channel(
    live: &Arc<Live>,
    lease: Lease,
    message: Admitted,
    overlap: &Overlap,
    trace: LiveTrace,
    journal: &[JournalEntry],
) -> Option<Waiting> {
    let afresh = message.is_afresh();
    let (row, permit) = message.into_parts();
    let route = reply_route(&row.channel, &row.draft);
    let id = rows::inbox_row_id(row.id);
    let known = lock(&live.transcript)
        .rows
        .iter()
        .any(|r| rows::field(r, "id") == Some(id.as_str()));
    let fate = if known && !afresh {
        history::fate(&lock(&live.transcript).rows, journal, id.as_str())
    } else {
        InputFate::New
    };
    if live.resumed.get() == Some(&id) && !afresh {
        // Its turn went on by itself when the session was loaded, and ends the row.
        return None;
    }
    let waiting = |text, files, written, resume, follows| {
        let since = trace.mark();
        let context = vec![sender_context(row.channel.as_str(), &row.draft)];
        Waiting {
            row: id.clone(),
            written,
            text,
            files,
            context,
            inbox: Some((row.id, route.clone())),
            trace: trace.clone(),
            since,
            resume,
            follows,
            from: Some(rows::writer(row.draft.sender.name.as_deref(), row.draft.sender.id.as_str())),
            mark: None,
            lease,
            permit: Some(permit),
        }
    };
    if !known && fate == InputFate::New {
        let admitted = {
            let beside = lock(&live.steered).len();
            lock(&live.line).admit(overlap, beside)
        };
        if let Err(code) = admitted {
            trace.session(&live.id, &live.workspace);
            let mark = trace.mark();
            let why = if code == RefusalCode::Busy {
                "the agent is at work"
            } else {
                "too many wait"
            };
            trace.step(Gate::Mailbox, format!("refused: {why}"), mark, StepOutcome::Blocked, None);
            end_inbox(live, row.id, InboxEnd::Refused(code)).await;
            live.deps.tracer.record(&trace, true).await;
            return None;
        }
    }
    match fate {
        InputFate::New if known => {
            trace.session(&live.id, &live.workspace);
            Some(waiting(
                row.draft.text.clone(),
                attachments::of_input(live, &id),
                None,
                false,
                false,
            ))
        }
        InputFate::New => match receive(live, &id, row.draft.text.clone(), &From::Channel(&row), None, &trace).await {
            Ok(Received { text, files, written }) => Some(waiting(text, files, Some(written), false, false)),
            // The next start takes it up.
            Err(NotTaken::Stopping | NotTaken::Files(_)) => None,
            Err(NotTaken::Blocked(_)) => {
                end_inbox(live, row.id, InboxEnd::Refused(RefusalCode::BlockedByHook)).await;
                live.deps.tracer.record(&trace, true).await;
                None
            }
        },
        InputFate::Open(_) => {
            trace.session(&live.id, &live.workspace);
            Some(waiting(row.draft.text.clone(), attachments::of_input(live, &id), None, true, false))
        }
        InputFate::Joined(None) => {
            trace.session(&live.id, &live.workspace);
            Some(waiting(row.draft.text.clone(), attachments::of_input(live, &id), None, false, true))
        }
        InputFate::Joined(Some(end)) => {
            end_inbox(live, row.id, joined_end(end)).await;
            None
        }
        InputFate::Refused => {
            end_inbox(live, row.id, InboxEnd::Refused(RefusalCode::QueueFull)).await;
            None
        }
        // The turn ended and the program died before the reply was queued.
        InputFate::Ended(TurnEnd::Completed, Some(text)) => {
            trace.session(&live.id, &live.workspace);
            let reply = Reply {
                inbox: Some(row.id),
                session: Some(live.id.clone()),
                route,
                text,
                key: reply_key(row.id),
                trace: Some(trace.clone()),
                extras: Default::default(),
            };
            if let Ok(false) = live.deps.outbox.insist(reply).await {
                end_inbox(live, row.id, InboxEnd::Silent).await;
            }
            None
        }
        InputFate::Ended(TurnEnd::Completed, None) => {
            end_inbox(live, row.id, InboxEnd::Silent).await;
            None
        }
        InputFate::Ended(end, _) => {
            end_inbox(
                live,
                row.id,
                InboxEnd::Dead(format!("the turn ended before: {end:?}").to_lowercase()),
            )
            .await;
            None
        }
    }
}

/// Ends an inbox row. When the program ends first, the next start takes the row up again.
pub(super) async fn end_inbox(live: &Live, inbox: InboxId, end: InboxEnd) {
    let dead = matches!(end, InboxEnd::Dead(_));
    let messages = &live.deps.messages;
    let ended = live
        .deps
        .persist
        .until_done("ending a message", || messages.finish(inbox, end.clone()));
    if let Err(error) = ended.await {
        tracing::warn!(%error, inbox = inbox.0, "a message was not marked as ended");
    } else if dead {
        live.deps.events.publish(Fact::LettersChanged {});
    }
}

/// Why an input was not taken.
enum NotTaken {
    /// A hook refused it, with this reason.
    Blocked(String),
    /// A file of a client cannot be had.
    Files(Missing),
    /// The program ends.
    Stopping,
}

/// Where an input comes from.
enum From<'a> {
    Client(&'a [Media]),
    Channel(&'a InboxRow),
}

/// An input as it was taken.
struct Received {
    text: String,
    files: Vec<HistoryFile>,
    /// When it is on the disk.
    written: Written,
}

/// Hooks, files, then the pen. Answers the text as the hooks left it. A message that a hook refuses has no file fetched.
async fn receive(
    live: &Arc<Live>,
    id: &MessageId,
    text: String,
    from: &From<'_>,
    key: Option<&str>,
    trace: &LiveTrace,
) -> Result<Received, NotTaken> {
    let channel = match from {
        From::Channel(row) => Some((&row.draft, row.id)),
        From::Client(_) => None,
    };
    let summary = live.summary();
    trace.session(&live.id, &live.workspace);
    let sender = channel.map(|(draft, _)| draft.sender.clone());
    let event = MessageReceived {
        session: summary.id.clone(),
        text,
        sender: sender.clone(),
        channel: summary.channel.clone(),
    };
    let text = match live.deps.hooks.run(event, trace).await {
        Verdict::Pass { event, .. } => event.text,
        Verdict::Stopped { plugin, reason } => {
            let note = format!("A message was refused by plugin “{plugin}”: {reason}");
            let row_id = rows::new_id(&*live.deps.clock, &*live.deps.entropy);
            let row = rows::notice(&row_id, MessageKind::Info, &note, live.deps.clock.now(), None, None);
            live.show(&row);
            return Err(NotTaken::Blocked(reason));
        }
    };
    let mark = trace.mark();
    let notes = match from {
        From::Channel(row) => attachments::fetch(live, &row.channel, &row.draft, id)
            .await
            .ok_or(NotTaken::Stopping)?,
        From::Client(files) => attachments::take_in(live, id, files).await.map_err(NotTaken::Files)?,
    };
    if !notes.is_empty() {
        crate::fault::point("after_files_kept");
        let there = notes.iter().filter(|note| note.place.is_ok()).count();
        let how = if there == notes.len() {
            StepOutcome::Ok
        } else {
            StepOutcome::Error
        };
        trace.step(
            Gate::Mailbox,
            format!("{there} of {} files are there", notes.len()),
            mark,
            how,
            None,
        );
    }
    let now = live.deps.clock.now();
    let mut row = rows::user(id, &text, now, sender.as_ref(), channel.map(|(_, inbox)| inbox), key);
    attachments::put_on(&mut row, &notes);
    let files = attachments::history(&row, &live.place());
    let append = Append {
        rows: vec![row.clone()],
        journal: Vec::new(),
        sync: true,
    };
    // A channel's message was accepted: it is written whatever it takes. A client's was not: the client is told.
    let insist = if channel.is_some() { Insist::UntilWritten } else { Insist::Once };
    let written = live.pen.write(append, insist).await;
    live.keep(vec![row]);
    let summary = live.change(|s| {
        s.last_message_at = now;
        // A message brings a session back out of the archive.
        s.archived = false;
        let words = if text.trim().is_empty() {
            attachments::names(&notes)
        } else {
            text.clone()
        };
        s.preview.get_or_insert_with(|| words.chars().take(150).collect());
        if s.name.is_none() && s.channel.is_none() {
            s.name = title(&words);
        }
    });
    live.deps.transcripts.touch(summary);
    Ok(Received { text, files, written })
}

/// First words of the first message.
fn title(text: &str) -> Option<String> {
    let line = text.trim().lines().next()?.trim();
    let short: String = line.chars().take(60).collect();
    (!short.is_empty()).then(|| if short.len() < line.len() { short + "…" } else { short })
}

/// Who wrote and where, as data for the model. Names are what strangers chose: on one line, and quoted.
fn sender_context(channel: &str, draft: &InboundDraft) -> String {
    let name = names::quoted(draft.sender.name.as_deref().unwrap_or("unknown"));
    let mut context = serde_json::json!({
        "channel": channel, "chat": draft.chat_type, "senderName": name, "senderId": draft.sender.id, "conversation": draft.conversation,
    });
    if let Some(title) = &draft.conversation_name {
        context["conversationName"] = names::quoted(title);
    }
    format!("The next message came from a channel. Sender and place, as data: {context}")
}
