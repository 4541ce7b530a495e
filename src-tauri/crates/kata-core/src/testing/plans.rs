//! Plans in memory.

use super::disk::lock;
use crate::ports::*;
use async_trait::async_trait;
use kata_protocol::*;
use std::sync::Mutex;

/// Every plan there was, in order; the second is its answer, `Some(None)` when its place was taken.
#[derive(Default)]
pub(crate) struct Planned(Mutex<Vec<(AnsweredPlan, bool)>>);

#[async_trait]
impl PlanStore for Planned {
    async fn hand_in(&self, plan: &Plan) -> Result<(), StoreError> {
        let mut rows = lock(&self.0);
        for (row, waits) in rows.iter_mut().filter(|(row, _)| row.plan.session == plan.session) {
            row.told |= std::mem::take(waits);
        }
        let row = AnsweredPlan {
            plan: plan.clone(),
            decision: None,
            text: None,
            told: false,
        };
        rows.push((row, true));
        Ok(())
    }
    async fn waiting_plans(&self) -> Result<Vec<Plan>, StoreError> {
        let rows = lock(&self.0);
        Ok(rows.iter().filter(|(_, waits)| *waits).map(|(row, _)| row.plan.clone()).collect())
    }
    async fn answer_plan(
        &self,
        id: &MessageId,
        decision: PlanDecision,
        text: Option<&str>,
        _: Ms,
    ) -> Result<Option<(AnsweredPlan, bool)>, StoreError> {
        let mut rows = lock(&self.0);
        let Some((row, waits)) = rows.iter_mut().find(|(row, _)| row.plan.id == *id) else {
            return Ok(None);
        };
        let first = std::mem::take(waits);
        if first {
            (row.decision, row.text) = (Some(decision), text.map(str::to_owned));
        }
        Ok(Some((row.clone(), first)))
    }
    async fn untold_plans(&self) -> Result<Vec<AnsweredPlan>, StoreError> {
        let rows = lock(&self.0);
        Ok(rows
            .iter()
            .filter(|(row, waits)| !waits && !row.told)
            .map(|(row, _)| row.clone())
            .collect())
    }
    async fn plan_told(&self, id: &MessageId) -> Result<(), StoreError> {
        for (row, _) in lock(&self.0).iter_mut().filter(|(row, _)| row.plan.id == *id) {
            row.told = true;
        }
        Ok(())
    }
}
