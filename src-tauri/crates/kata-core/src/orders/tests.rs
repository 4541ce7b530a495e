//! Orders written in a channel: who may, where, and that none reaches the model.

use super::*;
use crate::testing::disk::{In, lock};
use crate::testing::draft;
use crate::testing::others::Step;
use crate::testing::world::{World, settle};
use kata_protocol::{PermissionMode, SessionUpdate};

fn order(text: &str) -> Option<Order> {
    read(&draft("m", "c", "ada", text))
}

#[test]
fn orders_are_read_exactly_and_other_texts_are_not() {
    let answer = |decision| {
        Some(Order::Answer {
            code: "K7Q2XY".into(),
            decision,
        })
    };
    assert_eq!(order(" /approve k7q2xy "), answer(ApprovalDecision::Once));
    assert_eq!(order("/APPROVE K7Q2XY Session"), answer(ApprovalDecision::Session));
    assert_eq!(order("/approve@kata_bot K7Q2XY always"), answer(ApprovalDecision::Always));
    assert_eq!(order("/deny K7Q2XY"), answer(ApprovalDecision::Deny));
    for text in ["/new", "/reset", "Start over", "reset  Conversation"] {
        assert_eq!(order(text), Some(Order::New), "{text}");
    }
    assert_eq!((order("/stop"), order("/status")), (Some(Order::Stop), Some(Order::Status)));
    assert_eq!(order("/help"), Some(Order::Help));
    for text in ["/approve", "/approve a b c", "/approve K7Q2XY twice", "/deny"] {
        assert!(matches!(order(text), Some(Order::Wrong(_))), "{text}");
    }
    for text in [
        "",
        "stop",
        "/stop it please",
        "please start over",
        "start over now",
        "/tool echo {}",
        "/newer",
        "@bot /stop",
    ] {
        assert_eq!(order(text), None, "{text}");
    }
    let mut group = draft("m", "c", "ada", "@kata /stop");
    group.mentions_bot = true;
    assert_eq!(read(&group), Some(Order::Stop));
}

/// A conversation whose call waits; answers session and code.
async fn waiting(world: &World) -> (SessionId, String) {
    world.write("m1", "chat", "hello").await.unwrap();
    world.until(|| world.platform.texts() == ["re: hello"]).await;
    let id = world.store.message_session(1);
    let update = SessionUpdate {
        id: id.clone(),
        name: None,
        flagged: None,
        status: None,
        labels: None,
        unread: None,
        mode: Some(PermissionMode::Ask),
        model: None,
        working_directory: None,
    };
    world.sessions.update(update).await.unwrap();
    world.script([Step::Tools(&[("change", "{}")])]);
    world.write("m2", "chat", "do it").await.unwrap();
    settle().await;
    let code = world.sessions.approvals(None).await.unwrap()[0].code.clone();
    (id, code)
}

async fn says(world: &World, message: &str, conversation: &str, sender: &str, text: &str) -> String {
    let before = world.platform.texts().len();
    world.write_as(message, conversation, sender, text).await.unwrap();
    world.until(|| world.platform.texts().len() > before).await;
    settle().await;
    let shown = lock(&world.platform.shown);
    let reply = shown
        .iter()
        .find(|m| m.route.reply_to.as_ref().is_some_and(|r| r.as_str() == message))
        .unwrap();
    assert_eq!(reply.route.conversation.as_str(), conversation);
    reply.text.clone()
}

#[tokio::test]
async fn an_approval_is_answered_in_the_conversation_that_asked_by_an_approver_and_by_nobody_else() {
    let world = World::new(true);
    let (_, code) = waiting(&world).await;
    let approve = format!("/approve {code}");
    let stranger = says(&world, "m3", "chat", "ada", &approve).await;
    assert!(stranger.contains("not among those"), "{stranger}");
    let elsewhere = says(&world, "m4", "other", "boss", &approve).await;
    assert_eq!(
        elsewhere,
        says(&world, "m5", "other", "boss", "/approve QQQQQQ")
            .await
            .replace("QQQQQQ", &code)
    );
    assert!(lock(&world.tool.ran).is_empty());
    // It passes by a message that waits behind the turn.
    world.write("m6", "chat", "and then?").await.unwrap();
    let done = says(&world, "m7", "chat", "boss", &format!("/approve {}", code.to_lowercase())).await;
    assert_eq!(done, format!("{code} is approved (once)."));
    world.until(|| world.platform.texts().contains(&"re: and then?".to_owned())).await;
    assert_eq!(lock(&world.tool.ran).len(), 1);
    let late = says(&world, "m8", "chat", "boss", &format!("/deny {code}")).await;
    assert!(late.contains("answered before: once"), "{late}");
    assert!(
        lock(&world.model.asked).iter().all(|text| !text.starts_with('/')),
        "no order reached the model"
    );
    for row in 3..=8 {
        assert_eq!(world.store.inbox(row), In::Answered, "{row}");
    }
}

#[tokio::test]
async fn stop_ends_the_turn_of_its_own_conversation_only() {
    let world = World::new(true);
    world.script([Step::Hang("half")]);
    world.write("m1", "chat", "hello").await.unwrap();
    settle().await;
    assert_eq!(says(&world, "m2", "other", "ada", "/stop").await, "Nothing is running here.");
    assert!(says(&world, "m3", "chat", "ada", "/status").await.contains("working"));
    assert_eq!(says(&world, "m4", "chat", "ada", "/stop").await, "Stopped.");
    assert!(matches!(world.store.inbox(1), In::Ended(_)));
    assert!(says(&world, "m5", "chat", "ada", "/status").await.contains("nothing is running"));
}

#[tokio::test]
async fn new_begins_another_session_with_the_next_message_and_the_old_one_does_not_come_back() {
    let world = World::new(true);
    world.write("m1", "chat", "hello").await.unwrap();
    world.until(|| world.platform.texts() == ["re: hello"]).await;
    says(&world, "m2", "chat", "ada", "Start over").await;
    let world = world.killed().await;
    world.path.recover().await.unwrap();
    world.write("m3", "chat", "again").await.unwrap();
    world.until(|| world.platform.texts().contains(&"re: again".to_owned())).await;
    assert_ne!(world.store.message_session(1), world.store.message_session(3));
}

#[tokio::test]
async fn help_lists_the_orders_and_to_an_approver_what_only_approvers_may() {
    let world = World::new(true);
    let everybody = says(&world, "m1", "chat", "ada", "/help").await;
    assert!(everybody.contains("`/stop`") && everybody.contains("`/new`"), "{everybody}");
    assert!(!everybody.contains("/approve") && !everybody.contains("/count"), "{everybody}");
    says(&world, "m2", "chat", "boss", "/help").await;
    let all = world.platform.texts()[1..].join("\n");
    assert!(all.contains("/approve CODE") && all.contains("`/count` counts"), "{all}");
}
