//! `plan.list` and `plan.answer`: plans that wait for a person, and what an answer does: the session's mode, and a message to the agent.
//!
//! The first answer counts and is durable before anything comes of it. What comes of it is done again until the agent has it, by a
//! message with a key of its own, so that it is told once: also after a kill.
//!
//! Nothing that is written in a channel answers a plan, and a plan of a channel is never accepted with mode `allow-all`: what strangers
//! write there later would run by it.

use crate::engine::Inner;
use kata_core::ports::{AnsweredPlan, PlanStore, StoreError};
use kata_protocol::*;

/// Longest text of a refinement, bytes.
const NOTE: usize = 64 * 1024;

fn failed(error: StoreError) -> WireError {
    WireError::internal(error.to_string()).hint("nothing was decided; is the disk full? Answer it again")
}

impl Inner {
    /// Plans that wait, of all sessions or of one, oldest first. One whose session is gone does not wait.
    pub(crate) async fn list_plans(&self, params: &PlanList) -> Result<Vec<Plan>, WireError> {
        let mut plans = Vec::new();
        for mut plan in self.store.waiting_plans().await.map_err(failed)? {
            if params.session.as_ref().is_some_and(|only| *only != plan.session) {
                continue;
            }
            if let Some(session) = self.sessions.find(&plan.session).await? {
                plan.session_name = session.name.or(plan.session_name);
                plans.push(plan);
            }
        }
        Ok(plans)
    }

    /// An answer. Both of two who answer at once learn which one counts.
    pub(crate) async fn answer_plan(&self, params: PlanAnswer) -> Result<PlanOutcome, WireError> {
        let PlanAnswer { id, decision, text } = params;
        let text = text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        match (decision, &text) {
            (PlanDecision::Refine, None) => return Err(WireError::invalid("“text”: say what should be different")),
            (PlanDecision::Refine, Some(text)) if text.len() > NOTE => {
                return Err(WireError::invalid(format!("“text” is longer than {} KiB", NOTE / 1024)));
            }
            (PlanDecision::Accept | PlanDecision::AcceptAll, Some(_)) => {
                return Err(
                    WireError::invalid("“text” goes with “refine” only").hint("refine the plan, and accept the one that comes of it")
                );
            }
            _ => {}
        }
        if decision == PlanDecision::AcceptAll {
            let waiting = self.store.waiting_plans().await.map_err(failed)?;
            if let Some(channel) = waiting.into_iter().find(|plan| plan.id == id).and_then(|plan| plan.channel) {
                let message = format!(
                    "the plan belongs to a conversation of “{channel}”: it is not carried out in mode allow-all, which would count for everybody who writes there"
                );
                return Err(WireError::new(ErrorCode::Forbidden, message).hint("accept it: then each call that changes something asks"));
            }
        }
        let answered = self.store.answer_plan(&id, decision, text.as_deref(), self.clock.now()).await;
        let Some((answered, first)) = answered.map_err(failed)? else {
            return Err(WireError::not_found("plan that waits", &id)
                .hint("`kata plans` lists those that wait; an answer is remembered for a while only"));
        };
        kata_core::fault::point("after_plan_answered");
        if first {
            self.events.publish(Fact::ApprovalsChanged {});
        }
        if !answered.told {
            self.carry_out(&answered).await?;
        }
        Ok(PlanOutcome {
            id,
            session: answered.plan.session,
            decision: answered.decision,
            first,
        })
    }

    /// Sets the mode and tells the agent. Done twice it is as if it were done once.
    async fn carry_out(&self, answered: &AnsweredPlan) -> Result<(), WireError> {
        let AnsweredPlan { plan, decision, text, .. } = answered;
        let Some(decision) = decision else { return Ok(()) };
        let Some(session) = self.sessions.find(&plan.session).await? else {
            return self.store.plan_told(&plan.id).await.map_err(failed);
        };
        let mode = match (decision, session.mode) {
            (PlanDecision::Accept, PermissionMode::Safe) => Some(PermissionMode::Ask),
            (PlanDecision::AcceptAll, _) => Some(PermissionMode::AllowAll),
            _ => None,
        };
        if mode.is_some() {
            let change = SessionUpdate {
                id: plan.session.clone(),
                name: None,
                flagged: None,
                status: None,
                labels: None,
                unread: None,
                mode,
                model: None,
                working_directory: None,
            };
            self.sessions.update(change).await?;
        }
        let told = match (decision, text) {
            (PlanDecision::Refine, Some(text)) => text.clone(),
            _ => format!("I accept “{}” ({}). Carry it out.", plan.title, plan.path),
        };
        let key = format!("plan:{}", plan.id);
        self.sessions
            .submit(&plan.session, told, Delivery::Queue, Some(key), "plan")
            .await
            .map_err(|error| {
                error.hint("the answer counts and is kept: give it again to try once more, or it is told at the next start")
            })?;
        self.store.plan_told(&plan.id).await.map_err(failed)
    }

    /// What was answered in an earlier run and did not reach its agent.
    pub(crate) async fn resume_plans(&self) {
        match self.store.untold_plans().await {
            Ok(untold) => {
                for answered in untold {
                    if let Err(error) = self.carry_out(&answered).await {
                        tracing::warn!(session = %answered.plan.session, %error, "the answer to a plan did not reach its agent; it is tried at the next start");
                    }
                }
            }
            Err(error) => tracing::error!(%error, "answers to plans could not be read"),
        }
    }
}
