//! Order, retries by class, certain and uncertain, parts, and a store that fails: without an engine.

use super::Reply;
use crate::ports::OutboxState;
use crate::testing::disk::lock;
use crate::testing::draft;
use crate::testing::world::{World, channel, settle};
use kata_protocol::{SendError, SendErrorCode};
use std::time::Duration;

fn failed(code: SendErrorCode, certain: bool) -> SendError {
    SendError {
        code,
        message: "as scripted".into(),
        retry_after_ms: Some(2000),
        certain,
    }
}

async fn send(world: &World, conversation: &str, key: &str, text: &str) {
    let reply = Reply {
        inbox: None,
        session: None,
        route: crate::ingress::reply_route(&channel(), &draft(key, conversation, "ada", "x")),
        text: text.into(),
        key: key.into(),
        trace: None,
        extras: Default::default(),
    };
    assert!(world.outbox.send(reply).await.unwrap());
}

fn states(world: &World) -> Vec<OutboxState> {
    world.store.outbox().into_iter().map(|row| row.state).collect()
}

#[tokio::test]
async fn a_conversation_gets_its_parts_in_order_however_often_the_first_one_fails() {
    let world = World::new(false);
    lock(&world.platform.failures).extend((0..5).map(|_| (failed(SendErrorCode::Unreachable, true), false)));
    send(&world, "chat", "a", "first").await;
    send(&world, "chat", "b", "second").await;
    send(&world, "chat", "c", &format!("{} third", "word ".repeat(30))).await;
    world.until(|| world.outbox.waiting() == 0).await;
    let texts = world.platform.texts();
    assert_eq!((texts[0].as_str(), texts[1].as_str()), ("first", "second"));
    assert!(texts.len() > 3 && texts.last().is_some_and(|t| t.ends_with("third")), "{texts:?}");
    assert_eq!(*lock(&world.platform.attempts), 5 + u32::try_from(texts.len()).unwrap());
}

#[tokio::test]
async fn a_reply_that_could_not_leave_is_tried_at_once_in_another_network_and_one_that_was_too_fast_is_not() {
    let world = World::new(true);
    let failures = [SendErrorCode::Unreachable, SendErrorCode::RateLimited];
    lock(&world.platform.failures).extend(failures.map(|code| (failed(code, true), false)));
    send(&world, "chat", "a", "kept").await;
    settle().await;
    assert_eq!(*lock(&world.platform.attempts), 1);
    world.outbox.try_again_now();
    settle().await;
    assert_eq!(*lock(&world.platform.attempts), 2, "no time has passed");
    world.outbox.try_again_now();
    settle().await;
    assert_eq!(*lock(&world.platform.attempts), 2, "the platform asked for two seconds");
    world.clock.advance(Duration::from_secs(2));
    settle().await;
    assert_eq!(world.platform.texts(), ["kept"]);
}

#[tokio::test]
async fn a_clock_that_was_set_back_by_a_day_does_not_hold_a_reply_for_a_day() {
    let world = World::new(true);
    world.clock.advance(Duration::from_secs(86_400));
    lock(&world.platform.failures).push_back((failed(SendErrorCode::Unreachable, true), false));
    send(&world, "chat", "a", "kept").await;
    settle().await;
    assert!(matches!(states(&world)[..], [OutboxState::Pending { .. }]), "{:?}", states(&world));
    // The new program's clock begins a day earlier.
    let world = world.killed().await;
    world.outbox.resume().await.unwrap();
    world.until(|| world.outbox.waiting() == 0).await;
    assert_eq!(world.platform.texts(), ["kept"]);
}

#[tokio::test]
async fn one_conversation_does_not_wait_for_another() {
    let world = World::new(false);
    lock(&world.platform.failures).push_back((failed(SendErrorCode::Unauthorized, true), false));
    send(&world, "slow", "a", "late").await;
    send(&world, "quick", "b", "early").await;
    world.until(|| world.outbox.waiting() == 0).await;
    assert_eq!(world.platform.texts(), ["early", "late"]);
}

#[tokio::test]
async fn a_send_that_nobody_knows_about_is_parked_or_repeated_under_its_key() {
    for idempotent in [false, true] {
        let world = World::new(idempotent);
        // It arrived, and the answer was lost.
        lock(&world.platform.failures).push_back((failed(SendErrorCode::Unreachable, false), true));
        send(&world, "chat", "a", "once").await;
        world.until(|| world.outbox.waiting() == 0).await;
        assert_eq!(world.platform.texts(), ["once"], "the reader sees it once");
        let wanted = if idempotent { OutboxState::Sent } else { OutboxState::Parked };
        assert_eq!(states(&world), [wanted]);
    }
}

#[tokio::test]
async fn what_the_platform_refuses_for_good_is_dead_and_the_next_one_goes() {
    for code in [SendErrorCode::Forbidden, SendErrorCode::NotFound, SendErrorCode::Invalid] {
        let world = World::new(false);
        lock(&world.platform.failures).push_back((failed(code, true), false));
        send(&world, "chat", "a", "no").await;
        send(&world, "chat", "b", "yes").await;
        world.until(|| world.outbox.waiting() == 0).await;
        assert_eq!(states(&world), [OutboxState::Dead, OutboxState::Sent], "{code:?}");
    }
}

#[tokio::test]
async fn the_same_key_is_queued_once() {
    let world = World::new(false);
    send(&world, "chat", "a", "once").await;
    send(&world, "chat", "a", "once").await;
    world.until(|| world.outbox.waiting() == 0).await;
    assert_eq!(world.platform.texts(), ["once"]);
}

#[tokio::test]
async fn a_store_that_fails_delays_a_reply_and_neither_loses_nor_doubles_it() {
    for name in ["sending", "sent"] {
        let world = World::new(false);
        world.store.faults.fail(name, 5);
        send(&world, "chat", "a", "hello").await;
        world.until(|| states(&world) == [OutboxState::Sent]).await;
        assert_eq!(
            (world.platform.texts(), *lock(&world.platform.attempts)),
            (vec!["hello".to_owned()], 1),
            "{name}"
        );
        assert_eq!(lock(&world.trouble).last(), Some(&None), "{name}");
    }
    let world = World::new(false);
    world.store.faults.fail("unsent_again", 5);
    lock(&world.platform.failures).push_back((failed(SendErrorCode::Forbidden, true), false));
    send(&world, "chat", "a", "hello").await;
    world.until(|| states(&world) == [OutboxState::Dead]).await;
}

#[tokio::test]
async fn after_a_kill_what_was_under_way_is_repeated_only_where_the_platform_can_tell() {
    for idempotent in [false, true] {
        let world = World::new(idempotent);
        world.store.faults.fail("sent", u32::MAX);
        send(&world, "chat", "a", "hello").await;
        crate::testing::world::settle().await;
        assert_eq!(states(&world), [OutboxState::Sending]);
        let world = world.killed().await;
        world.outbox.resume().await.unwrap();
        let wanted = if idempotent { OutboxState::Sent } else { OutboxState::Parked };
        world.until(|| states(&world) == [wanted.clone()]).await;
        assert_eq!(world.platform.texts(), ["hello"]);
    }
}
