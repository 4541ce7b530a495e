//! A row that is no message of its own: it takes the place of one that left before it in the same conversation (a question that
//! was answered). It is as durable as a message and stands in the same order, but nobody waits for it: one that cannot be done
//! is given up after a few tries, is no letter, and leaves what is there.

use super::lane::next_state;
use super::{Job, Outbox};
use crate::persist::Stopping;
use crate::ports::OutboxState;
use kata_protocol::Receipt;
use std::sync::Arc;
use std::time::Duration;

/// Tries of one edit.
const TRIES: u32 = 5;

pub(super) async fn deliver(outbox: &Arc<Outbox>, job: &mut Job, stem: &str, can: bool) -> Result<(), Stopping> {
    let deps = &outbox.deps;
    let (id, persist) = (job.row.id, &deps.persist);
    let sent = persist.until_done("reading a receipt", || deps.store.receipt_of(stem)).await?;
    // What was never shown needs no other text.
    let last = sent.and_then(|receipt| receipt.message_ids.last().cloned()).filter(|_| can);
    let mut edited = Receipt { message_ids: Vec::new() };
    if let Some(message_id) = last {
        for attempt in 1..=TRIES {
            job.row.message.attempt = attempt;
            deps.pause.over().await;
            match deps.channels.edit(&message_id, job.row.message.clone()).await {
                Ok(()) => {
                    edited.message_ids.push(message_id);
                    break;
                }
                Err(error) => {
                    let now = deps.clock.now();
                    tracing::warn!(outbox = id.0, code = ?error.code, attempt, "a message could not be edited");
                    // The same text again is no error, so it may be tried again whatever is known of it.
                    match next_state(&error, attempt, true, now, deps.entropy.next_u64()) {
                        OutboxState::Pending { next_at } if attempt < TRIES => {
                            deps.clock.sleep(Duration::from_millis(next_at.0.saturating_sub(now.0))).await;
                        }
                        _ => break,
                    }
                }
            }
        }
    }
    persist.until_done("noting an edit", || deps.store.sent(id, &edited)).await
}
