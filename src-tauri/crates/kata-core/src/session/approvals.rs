//! Calls of all sessions that wait for a person: who hears of an answer, and whose counted. The store decides between two that
//! answer at once, and remembers both what waits and what was answered across restarts.
//!
//! Deliberately absent: when a call is asked and what an answer does to it ([`super::asking`]).

use crate::EventHub;
use crate::ports::{ApprovalRow, ApprovalStore, Clock, SettledApproval, StoreError, WaitingApproval};
use kata_protocol::{Approval, ApprovalDecision, CallId, Fact, SessionId, WireError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::{oneshot, watch};

use super::live::lock;

/// Calls that wait.
pub struct Approvals {
    store: Arc<dyn ApprovalStore>,
    clock: Arc<dyn Clock>,
    events: Arc<EventHub>,
    /// By code; one per turn that waits, so bounded by the sessions in a turn.
    open: Mutex<HashMap<String, Open>>,
    judge: watch::Sender<u64>,
}

/// A call whose turn listens for the answer.
struct Open {
    approval: Approval,
    listener: oneshot::Sender<SettledApproval>,
    /// It is in the store: what is shown before could not be answered yet.
    kept: bool,
}

impl Approvals {
    /// Over a store.
    pub fn new(store: Arc<dyn ApprovalStore>, clock: Arc<dyn Clock>, events: Arc<EventHub>) -> Arc<Self> {
        Arc::new(Self {
            store,
            clock,
            events,
            open: Mutex::default(),
            judge: watch::channel(0).0,
        })
    }

    /// What may run has changed (a mode, a rule): every call that waits is judged again.
    pub fn judge_again(&self) {
        self.judge.send_modify(|n| *n += 1);
    }

    /// Every call that waits, oldest first, whether its session is loaded or not.
    pub async fn waiting(&self) -> Result<Vec<WaitingApproval>, WireError> {
        self.store.waiting_approvals().await.map_err(failed)
    }

    /// One, by its code as a person may write it.
    pub async fn find(&self, code: &str) -> Result<Option<ApprovalRow>, WireError> {
        self.store.approval(&plain(code)).await.map_err(failed)
    }

    /// The newest one of a call.
    pub(super) async fn of_call(&self, session: &SessionId, call: &CallId) -> Result<Option<ApprovalRow>, WireError> {
        self.store.approval_of(session, call).await.map_err(failed)
    }

    /// An answer. What counts is durable when this returns; `true`: it is this one.
    pub(super) async fn answer(
        &self,
        code: &str,
        decision: ApprovalDecision,
        by: Option<&str>,
    ) -> Result<Option<(SettledApproval, bool)>, WireError> {
        self.settle(&plain(code), decision, by).await.map_err(failed)
    }

    /// Those of a loaded session that can be answered, oldest first.
    pub(super) fn of(&self, session: &SessionId) -> Vec<Approval> {
        let open = lock(&self.open);
        let mut waiting: Vec<_> = (open.values().filter(|open| open.kept && open.approval.session == *session))
            .map(|open| open.approval.clone())
            .collect();
        waiting.sort_by_key(|a| a.requested_at);
        waiting
    }

    /// Listens for the answer to a new one; it is shown once it is kept. A closed receiver means that somebody else listens now.
    pub(super) fn listen(&self, approval: &Approval) -> oneshot::Receiver<SettledApproval> {
        self.open(approval, false)
    }

    /// Listens again, after a restart, for one that was kept before.
    pub(super) fn listen_again(&self, approval: &Approval) -> oneshot::Receiver<SettledApproval> {
        self.open(approval, true)
    }

    fn open(&self, approval: &Approval, kept: bool) -> oneshot::Receiver<SettledApproval> {
        let (listener, answer) = oneshot::channel();
        let open = Open {
            approval: approval.clone(),
            listener,
            kept,
        };
        lock(&self.open).insert(approval.code.clone(), open);
        answer
    }

    /// Nobody listens any more; the approval stands.
    pub(super) fn leave(&self, code: &str) {
        lock(&self.open).remove(code);
    }

    /// Keeps one that waits. `false`: the code is taken.
    pub(super) async fn keep(&self, waiting: &WaitingApproval) -> Result<bool, StoreError> {
        let kept = self.store.ask(waiting).await?;
        if kept && let Some(open) = lock(&self.open).get_mut(&waiting.approval.code) {
            open.kept = true;
        }
        Ok(kept)
    }

    pub(super) async fn settle(
        &self,
        code: &str,
        decision: ApprovalDecision,
        by: Option<&str>,
    ) -> Result<Option<(SettledApproval, bool)>, StoreError> {
        let settled = self.store.settle(code, decision, by, self.clock.now()).await?;
        if let Some((settled, first)) = &settled {
            let open = lock(&self.open).remove(code);
            if let Some(open) = open {
                // A turn that has ended meanwhile needs no answer.
                let _ = open.listener.send(settled.clone());
            }
            if *first {
                self.events.publish(Fact::ApprovalsChanged {});
            }
        }
        Ok(settled)
    }

    /// What was answered, if it was.
    pub(super) async fn settled(&self, code: &str) -> Result<Option<SettledApproval>, StoreError> {
        Ok(match self.store.approval(code).await? {
            Some(ApprovalRow::Settled(settled)) => Some(*settled),
            _ => None,
        })
    }

    /// Resolves when calls are to be judged again.
    pub(super) fn judging(&self) -> watch::Receiver<u64> {
        self.judge.subscribe()
    }
}

/// A code as it was made.
fn plain(code: &str) -> String {
    code.trim().to_uppercase()
}

fn failed(error: StoreError) -> WireError {
    WireError::internal(error.to_string()).hint("nothing was decided; is the disk full? Answer it again")
}
