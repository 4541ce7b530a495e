//! How a turn ends: what is written, what is sent, and who is told.

use super::intake::end_inbox;
use super::runner::Runner;
use super::turn::Turn;
use super::{history, rows, wire};
use crate::hooks::Verdict;
use crate::ingress::reply_key;
use crate::outbox::Reply;
use crate::ports::{Append, HistoryItem, InboxEnd, JournalEntry, StoredRow};
use kata_protocol::{
    AgentEnd, Gate, MessageId, MessageKind, MessageSending, SessionEvent, SessionId, SessionState, StepOutcome, TurnEnd, WireError,
};
use serde_json::Value;
use std::sync::Arc;

/// How a turn came out.
pub(super) enum Outcome {
    Answered {
        text: String,
        thinking: Option<String>,
        row: MessageId,
        journal: Vec<JournalEntry>,
    },
    Interrupted {
        partial: Vec<Value>,
    },
    Failed(WireError),
    /// The program ends; the turn is taken up again at the next start.
    Abandoned,
}

impl Runner {
    /// Writes how the turn ended, queues the reply, tells everybody.
    pub(super) async fn finish(&mut self, turn: Turn, outcome: Outcome) {
        let session = self.live.summary().id;
        let now = self.deps.clock.now();
        let mut replied = false;
        let (end, error) = match outcome {
            Outcome::Abandoned => {
                self.live.end_turn();
                return;
            }
            Outcome::Answered {
                text,
                thinking,
                row,
                journal,
            } => match self.answer(&turn, text, thinking, row, journal).await {
                Ok(sent) => {
                    replied = sent;
                    (TurnEnd::Completed, None)
                }
                Err(error) => (TurnEnd::Failed, Some(error)),
            },
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
                    self.history.push(HistoryItem::Assistant {
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
                self.write_end(&session, append).await;
                if let Some((inbox, _)) = turn.inbox {
                    end_inbox(&self.live, inbox, InboxEnd::Dead("stopped by a person".into())).await;
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
            self.write_end(
                &session,
                Append {
                    rows: vec![row],
                    journal,
                    sync: true,
                },
            )
            .await;
            if let Some((inbox, _)) = turn.inbox {
                end_inbox(&self.live, inbox, InboxEnd::Dead(error.message.clone())).await;
            }
        }
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
        let hooks = Arc::clone(&self.deps.hooks);
        let (transcripts, tracer) = (Arc::clone(&self.deps.transcripts), Arc::clone(&self.deps.tracer));
        let (trace, event) = (
            turn.trace,
            AgentEnd {
                session,
                turn: turn.id,
                end,
            },
        );
        // Behind the turn: neither observers nor the list row may hold up the next one.
        self.deps.tasks.spawn("turn end", async move {
            if let Err(error) = transcripts.update(summary).await {
                tracing::warn!(%error, "a session's list row was not written");
            }
            hooks.observe(event, Some(&trace)).await;
            tracer.record(&trace, !replied).await;
        });
    }

    /// `message_sending`, the row on disk, the reply in the outbox. Answers whether something is on its way to a channel.
    async fn answer(
        &mut self,
        turn: &Turn,
        text: String,
        thinking: Option<String>,
        row: MessageId,
        mut journal: Vec<JournalEntry>,
    ) -> Result<bool, WireError> {
        let session = self.live.summary().id;
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
        let mut new_rows = vec![rows::assistant(&row, &text, now, &turn.id, false, thinking.as_deref())];
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
        self.append_and_keep(&session, new_rows, journal, true).await?;
        turn.trace.step(Gate::Mailbox, "answer written", mark, StepOutcome::Ok, None);
        let Some((inbox, route)) = turn.inbox.clone() else {
            return Ok(false);
        };
        if cancelled.is_some() {
            end_inbox(&self.live, inbox, InboxEnd::Silent).await;
            return Ok(false);
        }
        let mark = turn.trace.mark();
        let reply = Reply {
            inbox: Some(inbox),
            session: Some(session),
            route,
            text,
            key: reply_key(inbox),
            trace: Some(turn.trace.clone()),
        };
        match self.deps.outbox.send(reply).await {
            Ok(true) => {
                turn.trace.step(Gate::Outbox, "queued", mark, StepOutcome::Ok, None);
                Ok(true)
            }
            Ok(false) => {
                end_inbox(&self.live, inbox, InboxEnd::Silent).await;
                Ok(false)
            }
            // The answer is on disk; the next start queues it.
            Err(error) => Err(WireError::internal(error.to_string())),
        }
    }

    pub(super) async fn append(&self, id: &SessionId, append: Append) -> Result<(), WireError> {
        self.deps.transcripts.append(id, append).await.map_err(wire)
    }

    pub(super) async fn append_and_keep(
        &self,
        id: &SessionId,
        rows: Vec<StoredRow>,
        journal: Vec<JournalEntry>,
        sync: bool,
    ) -> Result<(), WireError> {
        self.append(
            id,
            Append {
                rows: rows.clone(),
                journal,
                sync,
            },
        )
        .await?;
        self.live.keep(rows);
        Ok(())
    }

    /// The end of a turn that went wrong: a disk that fails now must not hide what happened from the window.
    async fn write_end(&self, id: &SessionId, append: Append) {
        let rows = append.rows.clone();
        if let Err(error) = self.append(id, append).await {
            tracing::error!(session = %id, %error, "the end of a turn could not be written");
        }
        self.live.keep(rows);
    }
}
