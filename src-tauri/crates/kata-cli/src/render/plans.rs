//! Plans that wait for a person.

use super::{ago, clean, line, word};
use kata_protocol::{Ms, Plan, PlanOutcome};
use std::fmt::Write;

/// What each is about, where, since when.
pub(crate) fn plans(waiting: &[Plan], now: Ms) -> String {
    if waiting.is_empty() {
        return "no plan waits for you\n".into();
    }
    let mut text = String::new();
    for plan in waiting {
        text += &head(plan, now);
    }
    text + "\nkata plans show|accept|refine PLAN\n"
}

/// One, whole.
pub(crate) fn whole_plan(plan: &Plan, now: Ms) -> String {
    format!("{}\n{}\n", head(plan, now), clean(&plan.plan))
}

fn head(plan: &Plan, now: Ms) -> String {
    let name = plan
        .session_name
        .as_deref()
        .map(|n| format!(" “{}”", line(n, 40)))
        .unwrap_or_default();
    let from = plan.channel.as_ref().map(|c| format!(" · asked for in {c}")).unwrap_or_default();
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{}  {}\n        {} · session {}{name}{from} · {}",
        plan.id,
        line(&plan.title, 120),
        line(&plan.path, 120),
        plan.session,
        ago(plan.submitted_at, now),
    );
    text
}

/// Whose answer counted.
pub(crate) fn plan_outcome(outcome: &PlanOutcome) -> String {
    match (&outcome.decision, outcome.first) {
        (Some(decision), true) => format!("answered: {}\n", word(decision)),
        (Some(decision), false) => format!("answered before: {}; that counts\n", word(decision)),
        (None, _) => "a newer plan of this session has taken its place; nothing was answered\n".into(),
    }
}
