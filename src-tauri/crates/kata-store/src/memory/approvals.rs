//! Tool calls that wait for a person, and the newest answers, in memory.

use super::MemoryStore;
use async_trait::async_trait;
use kata_core::ports::{ApprovalRow, ApprovalStore, KEPT_ANSWERS, SettledApproval, StoreError, WaitingApproval};
use kata_protocol::{ApprovalDecision, CallId, Ms, SessionId};

/// In the order in which they were asked; a settled one moves to the end of `settled`.
#[derive(Default)]
pub(super) struct Table {
    waiting: Vec<WaitingApproval>,
    settled: Vec<SettledApproval>,
}

impl Table {
    fn find(&self, code: &str) -> Option<ApprovalRow> {
        let settled = self
            .settled
            .iter()
            .find(|s| s.code == code)
            .cloned()
            .map(Box::new)
            .map(ApprovalRow::Settled);
        settled.or_else(|| {
            let waiting = self.waiting.iter().find(|w| w.approval.code == code).cloned();
            waiting.map(|w| ApprovalRow::Waiting(Box::new(w)))
        })
    }
}

fn call_of(row: &ApprovalRow) -> (&SessionId, &CallId) {
    match row {
        ApprovalRow::Waiting(w) => (&w.approval.session, &w.approval.call.call_id),
        ApprovalRow::Settled(s) => (&s.session, &s.call_id),
    }
}

#[async_trait]
impl ApprovalStore for MemoryStore {
    async fn ask(&self, waiting: &WaitingApproval) -> Result<bool, StoreError> {
        let table = &mut self.tables().approvals;
        let there = table.find(&waiting.approval.code);
        if there.is_none() {
            table.waiting.push(waiting.clone());
        }
        Ok(there.is_none_or(|row| call_of(&row) == (&waiting.approval.session, &waiting.approval.call.call_id)))
    }

    async fn approval(&self, code: &str) -> Result<Option<ApprovalRow>, StoreError> {
        Ok(self.tables().approvals.find(code))
    }

    async fn approval_of(&self, session: &SessionId, call: &CallId) -> Result<Option<ApprovalRow>, StoreError> {
        let table = &self.tables().approvals;
        let waiting = table.waiting.iter().rev().cloned().map(|w| ApprovalRow::Waiting(Box::new(w)));
        let settled = table.settled.iter().rev().cloned().map(Box::new).map(ApprovalRow::Settled);
        Ok(waiting.chain(settled).find(|row| call_of(row) == (session, call)))
    }

    async fn waiting_approvals(&self) -> Result<Vec<WaitingApproval>, StoreError> {
        Ok(self.tables().approvals.waiting.clone())
    }

    async fn settle(
        &self,
        code: &str,
        decision: ApprovalDecision,
        by: Option<&str>,
        now: Ms,
    ) -> Result<Option<(SettledApproval, bool)>, StoreError> {
        let table = &mut self.tables().approvals;
        if let Some(at) = table.waiting.iter().position(|w| w.approval.code == code) {
            let WaitingApproval { approval, route } = table.waiting.remove(at);
            let settled = SettledApproval {
                code: approval.code,
                session: approval.session,
                call_id: approval.call.call_id,
                decision,
                at: now,
                expired: now >= approval.expires_at,
                route,
                by: by.map(str::to_owned),
            };
            table.settled.push(settled.clone());
            let over = table.settled.len().saturating_sub(KEPT_ANSWERS as usize);
            table.settled.drain(..over);
            return Ok(Some((settled, true)));
        }
        Ok(table.settled.iter().find(|s| s.code == code).cloned().map(|s| (s, false)))
    }
}
