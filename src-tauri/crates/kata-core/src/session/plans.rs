//! `submit_plan`: the agent hands in what it means to do, and its turn ends. The plan is a file in the session's folder `plans`, a row
//! of type `plan` in the transcript, and waits in the store ([`crate::ports::PlanStore`]) until a person answers it.
//!
//! It waits before its row is written: killed in between, it is in the list of what waits, and the turn is told as broken off.
//! Deliberately absent: what an answer does (kata-engine, `plans`), which is the mode and a message as a person would write it. In the
//! channel that asked the plan is the reply, and nothing that is written there accepts it.

use super::live::lock;
use super::rows;
use super::runner::Runner;
use super::turn::Turn;
use crate::ports::{ToolOutcome, ToolRequest};
use kata_protocol::{Fact, HookName, Plan, PlanSubmitted, WireError};
use serde_json::Value;

/// Longest title, in characters, and longest plan, bytes.
const TITLE: usize = 120;
const PLAN: usize = 64 * 1024;
/// Longest name made of a title, in characters.
const SLUG: usize = 48;

/// Behind the plan, in the channel that asked for it.
const IN_CHANNEL: &str = "—\nThis is a plan; nothing of it is done yet. The owner of this agent accepts it in Kata Agents. \
                          To have it changed, write what should be different.";

/// A plan that the turn ends with.
#[derive(Clone, Debug)]
pub(super) struct Submitted {
    title: String,
    plan: String,
    path: String,
}

/// Why a plan was not taken, for the model.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct NotTaken(String);

impl Runner {
    /// Keeps the plan's file; the turn ends with it when its calls are done. A second plan in one answer takes the first one's place.
    pub(super) async fn submit_plan(&self, turn: &Turn, request: &ToolRequest) -> ToolOutcome {
        match self.take_plan(request).await {
            Ok(submitted) => {
                let text = format!(
                    "The plan is handed in and kept as {}. The person reads it; your turn ends here, and their answer is their next message.",
                    submitted.path
                );
                *lock(&turn.plan) = Some(submitted);
                ToolOutcome { text, is_error: false }
            }
            Err(why) => ToolOutcome {
                text: why.0,
                is_error: true,
            },
        }
    }

    async fn take_plan(&self, request: &ToolRequest) -> Result<Submitted, NotTaken> {
        let text = |key: &str| request.params.get(key).and_then(Value::as_str).unwrap_or_default();
        let title = text("title").split_whitespace().collect::<Vec<_>>().join(" ");
        let plan = text("plan").trim();
        if title.is_empty() || title.chars().count() > TITLE {
            return Err(NotTaken(format!("“title” is one line of 1 to {TITLE} characters.")));
        }
        if plan.is_empty() || plan.len() > PLAN {
            return Err(NotTaken(format!("“plan” is Markdown of 1 to {PLAN} bytes.")));
        }
        let stem = format!("{}-{}", self.today(), slug(&title));
        let path = self.deps.media.keep_plan(&self.live.id, &stem, plan).await;
        let path = path.map_err(|error| NotTaken(format!("The plan could not be kept: {error}.")))?;
        Ok(Submitted {
            title,
            plan: plan.to_owned(),
            path,
        })
    }

    /// The day, for a file's name.
    fn today(&self) -> String {
        let ms = i64::try_from(self.deps.clock.now().0).unwrap_or_default();
        let at = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
        at.strftime("%Y-%m-%d").to_string()
    }

    /// The turn's end: the plan waits, stands in the transcript, and leaves for the channel that asked.
    pub(super) async fn hand_in(&mut self, turn: &Turn, submitted: Submitted) -> Result<bool, WireError> {
        let summary = self.live.summary();
        let now = self.deps.clock.now();
        let id = rows::new_id(&*self.deps.clock, &*self.deps.entropy);
        let asked_in = turn.inbox.as_ref().map(|(_, route)| route.channel.clone());
        let of_session = summary
            .channel
            .as_ref()
            .and_then(|c| kata_protocol::ChannelId::new(c.slug.clone()).ok());
        let plan = Plan {
            id: id.clone(),
            session: summary.id,
            session_name: summary.name,
            title: submitted.title,
            plan: submitted.plan,
            path: submitted.path,
            channel: asked_in.or(of_session),
            submitted_at: now,
        };
        let kept = self.deps.plans.hand_in(&plan).await;
        kept.map_err(|error| WireError::internal(error.to_string()).hint("the plan is kept as a file; is the disk full?"))?;
        crate::fault::point("after_plan_handed_in");
        let row = rows::plan(&id, &plan.plan, now, &turn.id, &plan.path);
        let reply = match &turn.inbox {
            Some(_) => format!("{}\n\n{IN_CHANNEL}", plan.plan),
            None => plan.plan.clone(),
        };
        let sent = self.answer(turn, reply, None, id, Vec::new(), Some(row)).await;
        self.deps.events.publish(Fact::ApprovalsChanged {});
        if self.deps.hooks.listened(HookName::PlanSubmitted) {
            let (hooks, trace) = (std::sync::Arc::clone(&self.deps.hooks), turn.trace.clone());
            let event = PlanSubmitted {
                session: plan.session,
                plan: plan.plan,
            };
            // Beside the turn's end: who looks on holds nobody up.
            self.deps
                .tasks
                .spawn("plan_submitted hooks", async move { hooks.observe(event, Some(&trace)).await });
        }
        sent
    }
}

/// A title as part of a file's name: small letters, digits and hyphens.
fn slug(title: &str) -> String {
    let words = title.to_lowercase();
    let words = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    let mut slug = String::new();
    for word in words {
        if slug.len() + word.len() >= SLUG {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(word);
    }
    if slug.is_empty() { "plan".into() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn a_title_becomes_a_name_that_every_file_system_takes() {
        assert_eq!(slug("Move the API  to v2 (../../etc)"), "move-the-api-to-v2-etc");
        assert_eq!(slug("计划"), "plan");
        assert_eq!(slug(&"word ".repeat(40)).len(), 44);
        assert_eq!(slug(&"x".repeat(200)), "plan");
    }
}
