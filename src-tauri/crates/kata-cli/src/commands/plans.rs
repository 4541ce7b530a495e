//! `kata plans`: plans that agents have handed in, and answers to them.

use super::{connect, standard_input};
use crate::args::Plans;
use crate::client::Client;
use crate::failure::Failure;
use crate::render;
use crate::screen::Screen;
use kata_protocol::{MessageId, Plan, PlanAnswer, PlanDecision, PlanList};
use std::path::Path;

pub(super) async fn run(screen: &Screen, home: &Path, command: Plans) -> Result<(), Failure> {
    let mut client = connect(home).await?;
    let (named, decision, text) = match command {
        Plans::List { session } => {
            let waiting = client.plan_list(PlanList { session }).await?;
            return screen.result(&waiting, |w| render::plans(w, render::now()));
        }
        Plans::Show { plan } => {
            let found = find(&mut client, &plan).await?;
            let found = found.ok_or_else(|| {
                Failure::new(crate::failure::Exit::Failure, format!("no plan waits under “{plan}”"))
                    .hint("`kata plans list` lists those that wait")
            })?;
            return screen.result(&found, |plan| render::whole_plan(plan, render::now()));
        }
        Plans::Accept { plan, allow_all: false } => (plan, PlanDecision::Accept, None),
        Plans::Accept { plan, allow_all: true } => (plan, PlanDecision::AcceptAll, None),
        Plans::Refine { plan, text } => {
            let text = if text == ["-"] { standard_input()? } else { text.join(" ") };
            (plan, PlanDecision::Refine, Some(text))
        }
    };
    // One that was answered is not in the list any more: the engine says whose answer counts.
    let id = match find(&mut client, &named).await? {
        Some(plan) => plan.id,
        None => MessageId::new(named.clone()).map_err(|e| Failure::usage(format!("“{named}”: {e}")))?,
    };
    let outcome = client.plan_answer(PlanAnswer { id, decision, text }).await?;
    screen.result(&outcome, render::plan_outcome)
}

/// By its id, or by the session it waits in.
async fn find(client: &mut Client, named: &str) -> Result<Option<Plan>, Failure> {
    let waiting = client.plan_list(PlanList::default()).await?;
    Ok(waiting.into_iter().find(|p| p.id.as_str() == named || p.session.as_str() == named))
}
