//! Calls that wait for a person: whose answer counts, what ends them, and what a kill leaves.

use super::APPROVAL_MS;
use crate::ports::{Clock, JournalEntry};
use crate::testing::disk::{In, lock};
use crate::testing::others::Step;
use crate::testing::world::{World, ends, settle};
use kata_protocol::*;
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;

const CHANGE: Step = Step::Tools(&[("change", r#"{"file":"a"}"#)]);

async fn mode(world: &World, id: &SessionId, mode: PermissionMode) {
    let update = SessionUpdate {
        id: id.clone(),
        name: None,
        flagged: None,
        status: None,
        labels: None,
        unread: None,
        mode: Some(mode),
        model: None,
        working_directory: None,
    };
    world.sessions.update(update).await.unwrap();
}

async fn asking(world: &World) -> SessionId {
    let id = world.session().await;
    mode(world, &id, PermissionMode::Ask).await;
    id
}

/// A client's turn that waits for a person.
async fn waiting(world: &World, id: &SessionId, step: Step) -> Approval {
    world.script([step]);
    world.submit(id, "do it", Delivery::Queue).await.unwrap();
    settle().await;
    only(world).await
}

async fn only(world: &World) -> Approval {
    let mut all = world.sessions.approvals(None).await.unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// A channel's turn that waits for a person.
async fn channel_waits(world: &World) -> (SessionId, Approval) {
    world.write("m1", "chat", "hello").await.unwrap();
    world.until(|| world.platform.texts() == ["re: hello"]).await;
    let id = world.store.message_session(1);
    mode(world, &id, PermissionMode::Ask).await;
    world.script([CHANGE]);
    world.write("m2", "chat", "do it").await.unwrap();
    settle().await;
    (id, only(world).await)
}

fn told(world: &World, id: &SessionId) -> Vec<String> {
    let results = world.files.journal(id).into_iter().filter_map(|entry| match entry {
        JournalEntry::ToolDone { text, .. } => Some(text),
        _ => None,
    });
    results.collect()
}

#[tokio::test]
async fn two_clients_that_answer_at_once_give_one_outcome_and_a_late_one_learns_it() {
    let world = World::new(true);
    let id = asking(&world).await;
    let approval = waiting(&world, &id, CHANGE).await;
    let code = approval.code.to_lowercase();
    let (a, b) = tokio::join!(
        world.sessions.answer(&code, ApprovalDecision::Once),
        world.sessions.approve(&id, &approval.call.call_id, ApprovalDecision::Deny)
    );
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!(a.decision, b.decision, "one outcome");
    assert!(a.first != b.first, "and one of the two was it");
    settle().await;
    let ran = usize::from(a.decision == ApprovalDecision::Once);
    assert_eq!(lock(&world.tool.ran).len(), ran);
    let late = world.sessions.answer(&approval.code, ApprovalDecision::Session).await.unwrap();
    assert_eq!((late.decision, late.first), (a.decision, false));
    let unknown = world.sessions.answer("NOBODY", ApprovalDecision::Once).await.unwrap_err();
    assert_eq!(unknown.code, ErrorCode::NotFound);
    assert!(unknown.hint.is_some_and(|hint| hint.contains("kata approvals list")));
}

#[tokio::test]
async fn a_call_is_shown_as_waiting_when_an_answer_to_it_can_be_kept_and_not_before() {
    let world = World::new(true);
    let id = asking(&world).await;
    world.asked.faults.everything(true);
    world.script([CHANGE]);
    world.submit(&id, "do it", Delivery::Queue).await.unwrap();
    settle().await;
    assert_eq!(world.sessions.detail(&id, None, None).await.unwrap().approvals, []);
    world.asked.faults.everything(false);
    world.until(|| !lock(&world.asked.rows).is_empty()).await;
    settle().await;
    let shown = world.sessions.detail(&id, None, None).await.unwrap().approvals;
    let answered = world.sessions.approve(&id, &shown[0].call.call_id, ApprovalDecision::Once).await;
    assert!(answered.unwrap().first);
}

#[tokio::test]
async fn once_asks_again_session_and_always_do_not_and_deny_is_told_to_the_model() {
    for (decision, asked_again) in [
        (ApprovalDecision::Once, true),
        (ApprovalDecision::Session, false),
        (ApprovalDecision::Always, false),
        (ApprovalDecision::Deny, true),
    ] {
        let world = World::new(true);
        let id = asking(&world).await;
        let approval = waiting(&world, &id, CHANGE).await;
        world.sessions.answer(&approval.code, decision).await.unwrap();
        settle().await;
        world.script([CHANGE]);
        world.submit(&id, "again", Delivery::Queue).await.unwrap();
        settle().await;
        let waits = world.sessions.approvals(Some(&id)).await.unwrap().len();
        assert_eq!(waits == 1, asked_again, "{decision:?}");
        if decision == ApprovalDecision::Deny {
            assert_eq!(told(&world, &id), ["The person refused this call."]);
        }
        assert_eq!(
            lock(&world.permissions.always).len(),
            usize::from(decision == ApprovalDecision::Always)
        );
    }
}

#[tokio::test]
async fn what_was_allowed_for_the_session_is_allowed_after_a_restart() {
    let world = World::new(true);
    let id = asking(&world).await;
    let approval = waiting(&world, &id, CHANGE).await;
    world.sessions.answer(&approval.code, ApprovalDecision::Session).await.unwrap();
    settle().await;
    let world = world.killed().await;
    world.script([CHANGE]);
    world.submit(&id, "again", Delivery::Queue).await.unwrap();
    settle().await;
    assert_eq!(lock(&world.tool.ran).len(), 1);
}

#[tokio::test]
async fn an_answer_for_the_session_allows_what_its_rule_says_and_no_other_call_of_the_tool() {
    const OTHER: Step = Step::Tools(&[("change", r#"{"file":"b"}"#)]);
    let world = World::new(true);
    let id = asking(&world).await;
    let approval = waiting(&world, &id, CHANGE).await;
    world.sessions.answer(&approval.code, ApprovalDecision::Session).await.unwrap();
    settle().await;
    world.script([CHANGE]);
    world.submit(&id, "again", Delivery::Queue).await.unwrap();
    settle().await;
    assert_eq!(lock(&world.tool.ran).len(), 2);
    let other = waiting(&world, &id, OTHER).await;
    assert_ne!(other.code, approval.code);
    assert_eq!(lock(&world.tool.ran).len(), 2, "another file is asked about");
}

#[tokio::test]
async fn a_call_that_nobody_answers_for_a_day_counts_as_refused_and_the_model_and_the_conversation_are_told() {
    let world = World::new(true);
    let (id, approval) = channel_waits(&world).await;
    assert_eq!(approval.expires_at.0 - approval.requested_at.0, APPROVAL_MS);
    let asked = |text: &String| text.contains(&format!("/approve {}", approval.code));
    world.until(|| world.platform.texts().iter().any(asked)).await;
    world.clock.advance(Duration::from_millis(APPROVAL_MS));
    world.until(|| world.platform.texts().contains(&"re: do it".to_owned())).await;
    world
        .until(|| {
            let expired = |text: &String| text.contains("Nobody answered") && text.contains(&approval.code);
            world.platform.texts().iter().filter(|t| expired(t)).count() == 1
        })
        .await;
    assert!(
        told(&world, &id)[0].contains("nobody answered within 24 hours"),
        "{:?}",
        told(&world, &id)
    );
    assert!(lock(&world.tool.ran).is_empty());
    let late = world.sessions.answer(&approval.code, ApprovalDecision::Once).await.unwrap();
    assert_eq!((late.decision, late.first), (ApprovalDecision::Deny, false));
    assert_eq!(world.store.inbox(2), In::Answered);
}

#[tokio::test]
async fn a_change_of_mode_judges_what_waits_again() {
    for (to, ran, text) in [(PermissionMode::AllowAll, 1, "noted"), (PermissionMode::Safe, 0, "in mode safe")] {
        let world = World::new(true);
        let id = asking(&world).await;
        waiting(&world, &id, CHANGE).await;
        mode(&world, &id, to).await;
        settle().await;
        assert_eq!(world.sessions.approvals(None).await.unwrap(), []);
        assert_eq!(lock(&world.tool.ran).len(), ran, "{to:?}");
        assert!(told(&world, &id)[0].contains(text), "{:?}", told(&world, &id));
    }
}

#[tokio::test]
async fn what_a_plugin_asks_is_answered_by_a_person_and_by_no_mode() {
    let world = World::new(true);
    let id = world.session().await;
    lock(&world.tool_hooks.answers).push(json!({"ask": "are you sure?"}));
    let approval = waiting(&world, &id, Step::Tools(&[("change", "{}")])).await;
    assert_eq!(approval.reason, "hooker: are you sure?");
    mode(&world, &id, PermissionMode::AllowAll).await;
    settle().await;
    assert_eq!(only(&world).await.code, approval.code, "it still waits");
    world.sessions.answer(&approval.code, ApprovalDecision::Once).await.unwrap();
    settle().await;
    assert_eq!(lock(&world.tool.ran).len(), 1);
}

#[tokio::test]
async fn a_hook_that_rewrites_a_harmless_call_into_a_harmful_one_is_judged_again() {
    // What may never run is refused, what has to be asked is asked as it would run, and a path is made plain again.
    let world = World::new(true);
    let id = asking(&world).await;
    for answer in [json!({"params": {"never": true}}), json!({"params": {"path": "/home/../etc"}})] {
        lock(&world.tool_hooks.answers).push(answer);
        world.script([Step::Tools(&[("note", "{}")])]);
        world.submit(&id, "look", Delivery::Queue).await.unwrap();
        settle().await;
    }
    assert_eq!(told(&world, &id), ["that is never allowed"; 2]);
    assert!(lock(&world.tool.ran).is_empty());

    lock(&world.tool_hooks.answers).push(json!({"params": {"file": "other"}}));
    let approval = waiting(&world, &id, CHANGE).await;
    assert_eq!(approval.call.input.0, json!({"file": "other"}), "the call as it would run");
    world.sessions.answer(&approval.code, ApprovalDecision::Once).await.unwrap();
    settle().await;
    assert_eq!(*lock(&world.tool.ran), [r#"change {"file":"other"}"#]);
}

#[tokio::test]
async fn a_turn_that_waited_when_the_program_was_killed_goes_on_waiting_under_the_same_code() {
    let world = World::new(true);
    let id = asking(&world).await;
    let step = Step::Tools(&[("note", r#"{"n":1}"#), ("change", r#"{"n":2}"#), ("note", r#"{"n":3}"#)]);
    let approval = waiting(&world, &id, step).await;
    assert_eq!(*lock(&world.tool.ran), [r#"note {"n":1}"#], "what stands before it has run");

    let mut world = world;
    for _ in 0..2 {
        world = world.killed().await;
        let mut facts = world.events.subscribe();
        assert_eq!(only(&world).await.code, approval.code, "it is found without loading the session");
        assert_eq!(world.sessions.resume().await.unwrap(), 1);
        settle().await;
        let detail = world.sessions.detail(&id, None, None).await.unwrap();
        assert_eq!(detail.state, SessionState::AwaitingApproval);
        assert_eq!(detail.approvals, std::slice::from_ref(&approval));
        assert_eq!(ends(&mut facts), []);
        assert!(lock(&world.tool.ran).is_empty(), "nothing runs again");
    }
    world.sessions.answer(&approval.code, ApprovalDecision::Once).await.unwrap();
    settle().await;
    assert_eq!(*lock(&world.tool.ran), [r#"change {"n":2}"#, r#"note {"n":3}"#]);
    assert_eq!(told(&world, &id), ["noted"; 3], "each call has one result");
    assert_eq!(world.files.said(&id).last().map(String::as_str), Some("assistant: re: do it"));
    assert_eq!(*lock(&world.model.asked), ["do it"], "asked once, for what comes behind the calls");
}

#[tokio::test]
async fn an_answer_that_comes_before_the_tools_plugin_is_up_runs_the_call_when_it_is() {
    let world = World::new(true);
    let id = asking(&world).await;
    let approval = waiting(&world, &id, CHANGE).await;
    let world = world.killed().await;
    world.tool.away.store(true, Ordering::Relaxed);
    assert_eq!(world.sessions.resume().await.unwrap(), 1);
    settle().await;
    world.sessions.answer(&approval.code, ApprovalDecision::Once).await.unwrap();
    settle().await;
    assert!(lock(&world.tool.ran).is_empty());
    world.tool.away.store(false, Ordering::Relaxed);
    world.clock.advance(Duration::from_millis(100));
    settle().await;
    assert_eq!(lock(&world.tool.ran).len(), 1, "the plugin is up, and the call runs");
    // One whose tool never comes ends as an error, and the turn goes on.
    let approval = waiting(&world, &id, CHANGE).await;
    let world = world.killed().await;
    world.tool.away.store(true, Ordering::Relaxed);
    world.sessions.resume().await.unwrap();
    settle().await;
    world.sessions.answer(&approval.code, ApprovalDecision::Once).await.unwrap();
    for _ in 0..151 {
        settle().await;
        world.clock.advance(Duration::from_millis(100));
    }
    settle().await;
    let state = world.sessions.detail(&id, None, None).await.unwrap().state;
    assert_eq!(state, SessionState::Idle);
}

#[tokio::test]
async fn an_answer_before_the_kill_counts_after_it_whatever_was_written_of_it() {
    // The store has the answer, the session's files do not.
    let world = World::new(true);
    let id = asking(&world).await;
    let approval = waiting(&world, &id, CHANGE).await;
    world.files.faults.everything(true);
    world.sessions.answer(&approval.code, ApprovalDecision::Once).await.unwrap();
    settle().await;
    assert!(lock(&world.tool.ran).is_empty(), "not before it is on the disk");
    let world = world.killed().await;
    assert_eq!(world.sessions.approvals(None).await.unwrap(), [], "it is not asked again");
    // Whoever opens the session takes it up.
    world.sessions.detail(&id, None, None).await.unwrap();
    settle().await;
    assert_eq!(lock(&world.tool.ran).len(), 1);
}

#[tokio::test]
async fn an_approval_asked_in_a_channel_survives_a_kill_and_its_reply_goes_to_the_conversation_that_asked() {
    let world = World::new(true);
    let (_, approval) = channel_waits(&world).await;
    let world = world.killed().await;
    world.outbox.resume().await.unwrap();
    world.sessions.resume().await.unwrap();
    world.path.recover().await.unwrap();
    settle().await;
    assert!(
        lock(&world.model.asked).is_empty(),
        "the model is not asked before the person has answered"
    );
    assert_eq!(only(&world).await.code, approval.code);
    world.sessions.answer(&approval.code, ApprovalDecision::Once).await.unwrap();
    world.until(|| world.platform.texts().contains(&"re: do it".to_owned())).await;
    assert_eq!(lock(&world.tool.ran).len(), 1);
    assert_eq!(world.store.inbox(2), In::Answered);
    let question = format!("/approve {}", approval.code);
    let asked = world.platform.texts().iter().filter(|t| t.contains(&question)).count();
    assert_eq!(asked, 1, "told once: {:?}", world.platform.texts());
}

#[tokio::test]
async fn a_call_that_expired_while_the_program_was_off_is_refused_at_the_start() {
    let world = World::new(true);
    let id = asking(&world).await;
    waiting(&world, &id, CHANGE).await;
    world.clock.advance(Duration::from_millis(APPROVAL_MS));
    lock(&world.asked.rows)[0].1 = None;
    let before = world.clock.now();
    let world = world.killed().await;
    assert!(world.clock.now() >= before);
    world.sessions.resume().await.unwrap();
    settle().await;
    assert_eq!(world.sessions.approvals(None).await.unwrap(), []);
    assert!(told(&world, &id)[0].contains("nobody answered"), "{:?}", told(&world, &id));
}

#[tokio::test]
async fn a_stopped_turn_withdraws_its_question_and_a_program_that_ends_does_not() {
    let world = World::new(true);
    let id = asking(&world).await;
    let mut facts = world.events.subscribe();
    let approval = waiting(&world, &id, CHANGE).await;
    assert!(world.sessions.interrupt(&id).await.unwrap());
    settle().await;
    assert_eq!(ends(&mut facts), [TurnEnd::Interrupted]);
    let late = world.sessions.answer(&approval.code, ApprovalDecision::Once).await.unwrap();
    assert_eq!((late.decision, late.first), (ApprovalDecision::Deny, false));

    let approval = waiting(&world, &id, CHANGE).await;
    world.draining.cancel();
    settle().await;
    assert_eq!(world.sessions.busy(), 0, "nobody waits for a person when the program ends");
    let world = world.killed().await;
    assert_eq!(only(&world).await.code, approval.code);
}

#[tokio::test]
async fn a_question_of_a_hook_is_told_in_a_channel_without_arguments() {
    let world = World::new(true);
    world.write("m1", "chat", "hello").await.unwrap();
    world.until(|| world.platform.texts() == ["re: hello"]).await;
    let id = world.store.message_session(1);
    mode(&world, &id, PermissionMode::Ask).await;
    lock(&world.tool_hooks.answers).push(json!({"params": {"token": "s3cr3t"}, "ask": "uses s3cr3t"}));
    world.script([CHANGE]);
    world.write("m2", "chat", "do it").await.unwrap();
    world.until(|| world.platform.texts().len() >= 2).await;
    world.until(|| world.platform.texts().iter().any(|t| t.contains("/approve"))).await;
    let texts = world.platform.texts().concat();
    assert!(
        texts.contains("`change` waits for approval") && !texts.contains("s3cr3t"),
        "{texts}"
    );
    assert_eq!(only(&world).await.call.input.0, json!({"token": "s3cr3t"}), "the window shows it");
}
