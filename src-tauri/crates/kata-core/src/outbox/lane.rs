//! One conversation's sends, one after the other.

use super::{Job, Lane, Outbox, ReplyTrace, edits};
use crate::persist::Stopping;
use crate::ports::OutboxState;
use kata_protocol::{Fact, Gate, MessageSent, Ms, Receipt, SendError, SendErrorCode, StepOutcome};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Longest wait between two attempts.
const MAX_WAIT: Duration = Duration::from_secs(300);
/// Wait for a channel whose plugin is not up.
const CHANNEL_WAIT: Duration = Duration::from_millis(500);

pub(super) async fn run(outbox: Arc<Outbox>, lane: Lane) {
    let stopping = outbox.deps.tasks.stopping();
    loop {
        let Some(mut job) = outbox.lock().get_mut(&lane).and_then(|queue| queue.front_mut().map(take)) else {
            return;
        };
        tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            result = deliver(&outbox, &mut job) => {
                if result.is_err() {
                    // The row stays as it is in the store and is taken up at the next start.
                    return;
                }
            }
        }
        let mut lanes = outbox.lock();
        if let Some(queue) = lanes.get_mut(&lane) {
            queue.pop_front();
            if queue.is_empty() {
                lanes.remove(&lane);
                return;
            }
        }
    }
}

/// A copy of the front job; the original keeps its place, so that the lane stays claimed while it is being sent.
fn take(job: &mut Job) -> Job {
    Job {
        row: job.row.clone(),
        trace: job.trace.clone(),
    }
}

/// Sends one part. What happened to it is written whatever it takes: a failing store delays the lane and loses nothing, and
/// nothing is sent that the store does not know to be under way.
async fn deliver(outbox: &Arc<Outbox>, job: &mut Job) -> Result<(), Stopping> {
    let deps = &outbox.deps;
    let persist = &deps.persist;
    let id = job.row.id;
    let capabilities = loop {
        match deps.channels.info(&job.row.message.route.channel) {
            Some((_, info)) => break info.capabilities,
            None => deps.clock.sleep(CHANNEL_WAIT).await,
        }
    };
    if let Some(stem) = job.row.edits.clone() {
        return edits::deliver(outbox, job, &stem, capabilities.edit).await;
    }
    // The plugin was not up when it was queued, or is another version by now.
    let (attachments, note) = super::sendable(&capabilities, std::mem::take(&mut job.row.message.attachments));
    job.row.message.attachments = attachments;
    if let Some(note) = note {
        job.row.message.text = super::with_note(&job.row.message.text, &note);
    }
    if job.row.state == OutboxState::Sending && !capabilities.idempotent_send {
        let note = "the program ended while this was being sent, and the platform cannot tell whether it arrived";
        persist
            .until_done("parking a reply", || deps.store.unsent_again(id, OutboxState::Parked, note))
            .await?;
        tracing::warn!(outbox = id.0, "a reply was parked: {note}");
        deps.events.publish(Fact::LettersChanged {});
        return Ok(());
    }
    let mut wait_until = match job.row.state {
        OutboxState::Pending { next_at } => next_at,
        _ => Ms(0),
    };
    // A clock that was set back must not hold a reply for as long: a row of an earlier run waits no longer than a backoff may,
    // one of this run no longer than was asked.
    let mut longest = MAX_WAIT;
    loop {
        let wait = Duration::from_millis(wait_until.0.saturating_sub(deps.clock.now().0)).min(longest);
        if !wait.is_zero() {
            deps.clock.sleep(wait).await;
        }
        // It may have gone while we waited: then its return is waited for, and not once more as long.
        while deps.channels.info(&job.row.message.route.channel).is_none() {
            deps.clock.sleep(CHANNEL_WAIT).await;
        }
        job.row.message.attempt += 1;
        let attempt = job.row.message.attempt;
        persist.until_done("noting a send", || deps.store.sending(id, attempt)).await?;
        crate::fault::point("after_sending_marked");
        let mark = job.trace.as_ref().map(|t| t.live.mark());
        let result = deps.channels.send(job.row.message.clone()).await;
        crate::fault::point("after_send_before_receipt");
        match result {
            Ok(receipt) => {
                persist.until_done("noting a receipt", || deps.store.sent(id, &receipt)).await?;
                crate::fault::point("after_receipt");
                (deps.activity)(&job.row.message.route);
                step(job, mark, StepOutcome::Ok, None);
                finished(outbox, job, Some(&receipt));
                return Ok(());
            }
            Err(error) => {
                step(job, mark, StepOutcome::Error, Some(error.message.clone()));
                let failed_at = deps.clock.now();
                let next = next_state(
                    &error,
                    job.row.message.attempt,
                    capabilities.idempotent_send,
                    failed_at,
                    deps.entropy.next_u64(),
                );
                tracing::warn!(outbox = id.0, code = ?error.code, certain = error.certain, attempt = job.row.message.attempt, ?next, "a send failed");
                persist
                    .until_done("noting a failed send", || deps.store.unsent_again(id, next.clone(), &error.message))
                    .await?;
                match next {
                    OutboxState::Pending { next_at } => {
                        longest = Duration::from_millis(next_at.0.saturating_sub(failed_at.0));
                        wait_until = next_at;
                    }
                    _ => {
                        deps.events.publish(Fact::LettersChanged {});
                        finished(outbox, job, None);
                        return Ok(());
                    }
                }
            }
        }
    }
}

fn step(job: &Job, mark: Option<u64>, outcome: StepOutcome, note: Option<String>) {
    if let (Some(trace), Some(mark)) = (&job.trace, mark) {
        trace
            .live
            .step(Gate::Send, job.row.message.route.channel.as_str(), mark, outcome, note);
    }
}

/// After the last part: `message_sent` hooks, and the trace is complete.
fn finished(outbox: &Arc<Outbox>, job: &Job, receipt: Option<&Receipt>) {
    let Some(trace) = &job.trace else { return };
    if trace.left.fetch_sub(1, Ordering::AcqRel) > 1 {
        return;
    }
    let (outbox, trace, route) = (Arc::clone(outbox), Arc::clone(trace), job.row.message.route.clone());
    let sent = receipt.is_some();
    let tasks = outbox.deps.tasks.clone();
    // Behind the lane: an observer must not hold up the next reply.
    tasks.spawn("message_sent hooks", async move {
        let ReplyTrace { live, session, parts, .. } = &*trace;
        if let (true, Some(session)) = (sent, session) {
            let event = MessageSent {
                session: session.clone(),
                route: Some(route),
                parts: *parts,
            };
            outbox.deps.hooks.observe(event, Some(live)).await;
        }
        outbox.deps.tracer.record(live, true).await;
    });
}

/// What becomes of a part whose send failed.
pub(super) fn next_state(error: &SendError, attempt: u32, idempotent: bool, now: Ms, random: u64) -> OutboxState {
    if !error.certain && !idempotent {
        return OutboxState::Parked;
    }
    let retry = |wait: Duration| OutboxState::Pending {
        next_at: Ms(now.0 + u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
    };
    match error.code {
        SendErrorCode::NotFound | SendErrorCode::Forbidden | SendErrorCode::Invalid => OutboxState::Dead,
        SendErrorCode::RateLimited => retry(
            error
                .retry_after_ms
                .map_or_else(|| backoff(attempt, random), |ms| Duration::from_millis(u64::from(ms))),
        ),
        // A wrong token is mended by a person, which takes a while.
        SendErrorCode::Unauthorized => retry(backoff(attempt, random).max(Duration::from_secs(30))),
        // A laptop may be offline for days; the reply waits, visibly, and is not given up.
        SendErrorCode::Unreachable => retry(backoff(attempt, random)),
    }
}

/// Half a second doubled per attempt, at most five minutes, a quarter of it random.
fn backoff(attempt: u32, random: u64) -> Duration {
    let full = Duration::from_millis(500).saturating_mul(1 << attempt.min(12)).min(MAX_WAIT);
    full.mul_f64(0.75 + (random % 1000) as f64 / 4000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: SendErrorCode, certain: bool) -> SendError {
        SendError {
            code,
            message: "x".into(),
            retry_after_ms: Some(3000),
            certain,
        }
    }

    #[test]
    fn a_send_nobody_knows_about_is_repeated_only_where_the_platform_can_tell() {
        let lost = error(SendErrorCode::Unreachable, false);
        assert_eq!(next_state(&lost, 1, false, Ms(0), 0), OutboxState::Parked);
        assert!(matches!(next_state(&lost, 1, true, Ms(0), 0), OutboxState::Pending { .. }));
    }

    #[test]
    fn the_class_of_the_failure_decides() {
        let after = |code, attempt| next_state(&error(code, true), attempt, false, Ms(1000), 0);
        assert_eq!(after(SendErrorCode::RateLimited, 1), OutboxState::Pending { next_at: Ms(4000) });
        assert_eq!(after(SendErrorCode::Forbidden, 1), OutboxState::Dead);
        assert!(matches!(
            after(SendErrorCode::Unreachable, 3),
            OutboxState::Pending { next_at: Ms(4000) }
        ));
        assert!(matches!(after(SendErrorCode::Unreachable, 4000), OutboxState::Pending { next_at } if next_at.0 <= 301_000));
        assert!(matches!(after(SendErrorCode::Unauthorized, 1), OutboxState::Pending { next_at } if next_at.0 >= 30_000));
    }
}
