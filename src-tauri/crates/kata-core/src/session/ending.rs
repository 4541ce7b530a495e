//! How a turn ends: what is written, what is sent, and who is told.

use super::intake::end_inbox;
use super::live::lock;
use super::pen::Insist;
use super::plans::Submitted;
use super::previews::Previews;
use super::runner::Runner;
use super::turn::Turn;
use super::{history, rows, wire};
use crate::hooks::Verdict;
use crate::ingress::reply_key;
use crate::outbox::Reply;
use crate::ports::{Append, HistoryItem, InboxEnd, JournalEntry, OutboundExtras, StoredRow};
use kata_protocol::{
    AgentEnd, Gate, HookName, MessageId, MessageKind, MessageSending, SessionEvent, SessionState, StepOutcome, TurnEnd, WireError,
};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How a turn came out.
pub(super) enum Outcome {
    Answered {
        text: String,
        thinking: Option<String>,
        row: MessageId,
        journal: Vec<JournalEntry>,
    },
    /// The turn handed in a plan, which is its answer and waits for a person.
    Planned(Submitted),
    Interrupted {
        partial: Vec<Value>,
    },
    Failed(WireError),
    /// The input could not be written: nothing of the turn is kept.
    Unwritten(WireError),
    /// The program ends; the turn is taken up again at the next start.
    Abandoned,
}

impl Runner {
    /// Writes how the turn ended, queues the reply, tells everybody.
    pub(super) async fn finish(&mut self, turn: Turn, outcome: Outcome) {
        let now = self.deps.clock.now();
        let mut replied = false;
        if let (Some(previews), false) = (
            &turn.previews,
            matches!(outcome, Outcome::Answered { .. } | Outcome::Planned(_) | Outcome::Abandoned),
        ) {
            previews.discard().await;
        }
        let (end, error) = match outcome {
            Outcome::Abandoned => {
                self.live.end_turn();
                // Whoever waits for the sessions to be done hears of it.
                self.live.enter_state(SessionState::Idle);
                return;
            }
            Outcome::Answered {
                text,
                thinking,
                row,
                journal,
            } => match self.answer(&turn, text, thinking, row, journal, None).await {
                Ok(sent) => {
                    replied = sent;
                    (TurnEnd::Completed, None)
                }
                Err(_) if self.deps.tasks.stopping().is_cancelled() => {
                    self.live.end_turn();
                    return;
                }
                Err(error) => (TurnEnd::Failed, Some(error)),
            },
            Outcome::Planned(plan) => match self.hand_in(&turn, plan).await {
                Ok(sent) => {
                    replied = sent;
                    (TurnEnd::Completed, None)
                }
                Err(_) if self.deps.tasks.stopping().is_cancelled() => {
                    self.live.end_turn();
                    return;
                }
                Err(error) => (TurnEnd::Failed, Some(error)),
            },
            Outcome::Unwritten(error) => {
                self.unwritten(&turn, error).await;
                return;
            }
            Outcome::Interrupted { partial } => {
                let mut append = Append {
                    sync: true,
                    ..Append::default()
                };
                let text = history::text(&partial);
                // Open tool calls of a broken answer were never run and are not part of the conversation.
                let partial: Vec<_> = partial.into_iter().filter(|b| b["type"] == "text" && b["text"] != "").collect();
                if !partial.is_empty() {
                    let id = rows::new_id(&*self.deps.clock, &*self.deps.entropy);
                    let mut row = rows::assistant(&id, &text, now, &turn.id, false, None);
                    row.insert("interrupted".into(), true.into());
                    append.rows.push(row);
                    append.journal.push(JournalEntry::Step {
                        turn: turn.id.clone(),
                        blocks: partial.clone(),
                        family: String::new(),
                    });
                    self.remember(HistoryItem::Assistant {
                        blocks: partial,
                        family: String::new(),
                    });
                }
                let id = rows::new_id(&*self.deps.clock, &*self.deps.entropy);
                append
                    .rows
                    .push(rows::notice(&id, MessageKind::Info, "Stopped.", now, Some(&turn.id), None));
                append.journal.push(JournalEntry::TurnEnded {
                    turn: turn.id.clone(),
                    end: TurnEnd::Interrupted,
                });
                self.write_end(append).await;
                let why = match self.live.superseded.load(Ordering::Relaxed) {
                    true => "stopped by a newer message",
                    false => "stopped by a person",
                };
                if let Some((inbox, _)) = turn.inbox {
                    end_inbox(&self.live, inbox, InboxEnd::Dead(why.into())).await;
                }
                (TurnEnd::Interrupted, None)
            }
            Outcome::Failed(error) => (TurnEnd::Failed, Some(error)),
        };
        if let Some(error) = &error {
            let id = rows::new_id(&*self.deps.clock, &*self.deps.entropy);
            let code = serde_json::to_value(error.code).unwrap_or_default();
            let text = match &error.hint {
                Some(hint) => format!("{} — {hint}.", error.message),
                None => error.message.clone(),
            };
            let row = rows::notice(&id, MessageKind::Error, &text, now, Some(&turn.id), code.as_str());
            let journal = vec![JournalEntry::TurnEnded {
                turn: turn.id.clone(),
                end: TurnEnd::Failed,
            }];
            self.write_end(Append {
                rows: vec![row],
                journal,
                sync: true,
            })
            .await;
            if let Some((inbox, _)) = turn.inbox {
                end_inbox(&self.live, inbox, InboxEnd::Dead(error.message.clone())).await;
            }
        }
        self.end_joined(&turn, end).await;
        self.live.end_turn();
        self.live.enter_state(if end == TurnEnd::Failed {
            SessionState::Failed
        } else {
            SessionState::Idle
        });
        self.live.say(SessionEvent::TurnEnded {
            turn: turn.id.clone(),
            end,
            error,
        });
        let summary = self.live.change(|s| s.last_message_at = now);
        self.deps.transcripts.touch(summary);
        if !self.deps.hooks.listened(HookName::AgentEnd) {
            self.deps.tracer.record(&turn.trace, !replied).await;
            return;
        }
        let (hooks, tracer) = (Arc::clone(&self.deps.hooks), Arc::clone(&self.deps.tracer));
        let event = AgentEnd {
            session: self.live.id.clone(),
            turn: turn.id,
            end,
        };
        // Behind the turn: observers must not hold up the next one.
        self.deps.tasks.spawn("turn end", async move {
            hooks.observe(event, Some(&turn.trace)).await;
            tracer.record(&turn.trace, !replied).await;
        });
    }

    /// Messages that joined the turn end with it.
    async fn end_joined(&mut self, turn: &Turn, end: TurnEnd) {
        self.last_end = Some(end);
        let joined = std::mem::take(&mut *lock(&turn.joined));
        for message in joined {
            end_inbox(&self.live, message.inbox, joined_end(end)).await;
        }
    }

    /// A client's input that the disk did not take, and the client was told so: as if it had never come.
    async fn unwritten(&mut self, turn: &Turn, error: WireError) {
        self.end_joined(turn, TurnEnd::Failed).await;
        self.live.forget(&turn.input.0);
        Arc::make_mut(&mut self.history).truncate(turn.before);
        let ended = JournalEntry::TurnEnded {
            turn: turn.id.clone(),
            end: TurnEnd::Failed,
        };
        self.live.pen.note_entry(ended).await;
        self.live.end_turn();
        self.live.enter_state(SessionState::Failed);
        self.live.say(SessionEvent::TurnEnded {
            turn: turn.id.clone(),
            end: TurnEnd::Failed,
            error: Some(error),
        });
        self.deps.tracer.record(&turn.trace, true).await;
    }

    /// `message_sending`, the row on disk, the reply in the outbox. Answers whether something is on its way to a channel. `shown`
    /// stands in the transcript in the answer's place.
    pub(super) async fn answer(
        &mut self,
        turn: &Turn,
        text: String,
        thinking: Option<String>,
        row: MessageId,
        mut journal: Vec<JournalEntry>,
        shown: Option<StoredRow>,
    ) -> Result<bool, WireError> {
        let session = self.live.id.clone();
        let route = turn.inbox.as_ref().map(|(_, route)| route.clone());
        let event = MessageSending {
            session: session.clone(),
            text: text.clone(),
            route,
        };
        let (text, cancelled) = match self.deps.hooks.run(event, &turn.trace).await {
            Verdict::Pass { event, .. } => (event.text, None),
            Verdict::Stopped { plugin, reason } => (text, Some(format!("The reply was held back by plugin “{plugin}”: {reason}"))),
        };
        let now = self.deps.clock.now();
        let shown = shown.unwrap_or_else(|| rows::assistant(&row, &text, now, &turn.id, false, thinking.as_deref()));
        let mut new_rows = vec![shown];
        if let Some(note) = &cancelled {
            let id = rows::new_id(&*self.deps.clock, &*self.deps.entropy);
            // Marked, so that a restart does not take the text for an answer that is still to be sent.
            new_rows[0].insert("interrupted".into(), true.into());
            new_rows.push(rows::notice(&id, MessageKind::Warning, note, now, Some(&turn.id), None));
        }
        journal.push(JournalEntry::TurnEnded {
            turn: turn.id.clone(),
            end: TurnEnd::Completed,
        });
        let mark = turn.trace.mark();
        self.write_and_keep(new_rows, journal).await?;
        crate::fault::point("after_turn_ended");
        turn.trace.step(Gate::Mailbox, "answer written", mark, StepOutcome::Ok, None);
        let Some((inbox, route)) = turn.inbox.clone() else {
            return Ok(false);
        };
        if cancelled.is_some() {
            if let Some(previews) = &turn.previews {
                previews.discard().await;
            }
            end_inbox(&self.live, inbox, InboxEnd::Silent).await;
            return Ok(false);
        }
        let mark = turn.trace.mark();
        let replaces = match &turn.previews {
            Some(previews) => previews.end().await,
            None => None,
        };
        if let Some(note) = turn.previews.as_ref().and_then(Previews::note) {
            turn.trace
                .step(Gate::Send, "shown while it was written", mark, StepOutcome::Ok, Some(note));
        }
        let reply = Reply {
            inbox: Some(inbox),
            session: Some(session),
            route,
            text,
            key: reply_key(inbox),
            trace: Some(turn.trace.clone()),
            extras: OutboundExtras {
                replaces,
                ..OutboundExtras::default()
            },
        };
        match self.deps.outbox.insist(reply).await {
            Ok(true) => {
                turn.trace.step(Gate::Outbox, "queued", mark, StepOutcome::Ok, None);
                Ok(true)
            }
            Ok(false) => {
                end_inbox(&self.live, inbox, InboxEnd::Silent).await;
                Ok(false)
            }
            // The answer is on the disk; the next start queues it.
            Err(stopping) => Err(WireError::internal(stopping.to_string())),
        }
    }

    /// Writes what has happened, and waits until it is on the disk.
    pub(super) async fn write(&self, append: Append) -> Result<(), WireError> {
        let written = self.live.pen.write(append, Insist::UntilWritten).await;
        written.wait().await.map_err(wire)
    }

    pub(super) async fn write_and_keep(&self, rows: Vec<StoredRow>, journal: Vec<JournalEntry>) -> Result<(), WireError> {
        let append = Append {
            rows: rows.clone(),
            journal,
            sync: true,
        };
        self.write(append).await?;
        self.live.keep(rows);
        Ok(())
    }

    /// The end of a turn that went wrong: what cannot be written any more must not be hidden from the window.
    async fn write_end(&self, append: Append) {
        let rows = append.rows.clone();
        if let Err(error) = self.write(append).await {
            tracing::error!(session = %self.live.id, %error, "the end of a turn could not be written");
        }
        self.live.keep(rows);
    }
}

/// How a message ends that another one's turn has answered, or not.
pub(super) fn joined_end(end: TurnEnd) -> InboxEnd {
    match end {
        TurnEnd::Completed => InboxEnd::Silent,
        TurnEnd::Interrupted => InboxEnd::Dead("the turn it had joined was stopped".into()),
        TurnEnd::Failed => InboxEnd::Dead("the turn it had joined failed".into()),
    }
}
