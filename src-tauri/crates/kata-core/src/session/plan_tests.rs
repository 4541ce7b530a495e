//! Plans, without an engine: what a turn that hands one in leaves behind.

use crate::ports::{PlanStore, SUBMIT_PLAN};
use crate::testing::disk::lock;
use crate::testing::others::Step;
use crate::testing::world::{World, ends, settle};
use kata_protocol::{Delivery, PlanDecision, TurnEnd};

const PLAN: Step = Step::Tools(&[(SUBMIT_PLAN, r##"{"title": "Move the API", "plan": "# Move\n\n1. Look."}"##)]);

#[tokio::test]
async fn a_turn_that_hands_in_a_plan_ends_and_the_plan_waits_with_its_file_and_its_row() {
    let world = World::new(true);
    let id = world.session().await;
    let mut facts = world.events.subscribe();
    world.script([PLAN]);
    world.submit(&id, "do it", Delivery::Queue).await.unwrap();
    settle().await;
    assert_eq!(ends(&mut facts), [TurnEnd::Completed]);
    assert_eq!(lock(&world.model.asked).len(), 1, "the agent is not asked on");
    let waiting = world.plans.waiting_plans().await.unwrap();
    assert_eq!(waiting.len(), 1);
    let plan = &waiting[0];
    assert_eq!(
        (plan.title.as_str(), plan.plan.as_str(), plan.channel.as_ref()),
        ("Move the API", "# Move\n\n1. Look.", None)
    );
    assert!(plan.path.starts_with("plans/2023-11-14-move-the-api"), "{}", plan.path);
    let said = world.files.said(&id);
    assert_eq!(said.last().unwrap(), "plan: # Move\n\n1. Look.");

    // The next plan of the session takes its place, and the first can no longer be answered.
    world.script([PLAN]);
    world.submit(&id, "again", Delivery::Queue).await.unwrap();
    settle().await;
    let now = world.clock_now();
    let (late, first) = world
        .plans
        .answer_plan(&plan.id, PlanDecision::Accept, None, now)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((late.decision, first), (None, false));
    assert_eq!(world.plans.waiting_plans().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_plan_without_a_title_is_an_error_for_the_model_and_its_turn_goes_on() {
    let world = World::new(true);
    let id = world.session().await;
    world.script([Step::Tools(&[(SUBMIT_PLAN, r#"{"title": " ", "plan": "x"}"#)])]);
    world.submit(&id, "do it", Delivery::Queue).await.unwrap();
    settle().await;
    assert_eq!(lock(&world.model.asked).len(), 2, "it is asked on with the error");
    assert!(world.plans.waiting_plans().await.unwrap().is_empty());
}
