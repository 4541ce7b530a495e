//! Approvals in memory, failing when told.

use super::disk::{Faults, lock};
use crate::ports::*;
use async_trait::async_trait;
use kata_protocol::*;
use std::sync::Mutex;

/// Every approval there was, in the order in which they were asked.
#[derive(Default)]
pub(crate) struct Asked {
    pub rows: Mutex<Vec<(WaitingApproval, Option<SettledApproval>)>>,
    pub faults: Faults,
}

impl Asked {
    fn find(&self, is: impl Fn(&Approval) -> bool) -> Option<ApprovalRow> {
        let rows = lock(&self.rows);
        let (waiting, settled) = rows.iter().rev().find(|(w, _)| is(&w.approval))?;
        Some(match settled {
            Some(settled) => ApprovalRow::Settled(Box::new(settled.clone())),
            None => ApprovalRow::Waiting(Box::new(waiting.clone())),
        })
    }
}

#[async_trait]
impl ApprovalStore for Asked {
    async fn ask(&self, waiting: &WaitingApproval) -> Result<bool, StoreError> {
        self.faults.store("ask")?;
        let mut rows = lock(&self.rows);
        match rows.iter().find(|(w, _)| w.approval.code == waiting.approval.code) {
            Some((there, _)) => Ok(there.approval.call.call_id == waiting.approval.call.call_id),
            None => {
                rows.push((waiting.clone(), None));
                Ok(true)
            }
        }
    }
    async fn approval(&self, code: &str) -> Result<Option<ApprovalRow>, StoreError> {
        Ok(self.find(|a| a.code == code))
    }
    async fn approval_of(&self, session: &SessionId, call: &CallId) -> Result<Option<ApprovalRow>, StoreError> {
        Ok(self.find(|a| a.session == *session && a.call.call_id == *call))
    }
    async fn waiting_approvals(&self) -> Result<Vec<WaitingApproval>, StoreError> {
        let rows = lock(&self.rows);
        Ok(rows.iter().filter(|(_, s)| s.is_none()).map(|(w, _)| w.clone()).collect())
    }
    async fn settle(
        &self,
        code: &str,
        decision: ApprovalDecision,
        by: Option<&str>,
        now: Ms,
    ) -> Result<Option<(SettledApproval, bool)>, StoreError> {
        self.faults.store("settle")?;
        let mut rows = lock(&self.rows);
        let Some((waiting, settled)) = rows.iter_mut().find(|(w, _)| w.approval.code == code) else {
            return Ok(None);
        };
        let first = settled.is_none();
        let approval = &waiting.approval;
        let stands = settled.get_or_insert_with(|| SettledApproval {
            code: approval.code.clone(),
            session: approval.session.clone(),
            call_id: approval.call.call_id.clone(),
            decision,
            at: now,
            expired: now >= approval.expires_at,
            route: waiting.route.clone(),
            by: by.map(str::to_owned),
        });
        Ok(Some((stands.clone(), first)))
    }
}
