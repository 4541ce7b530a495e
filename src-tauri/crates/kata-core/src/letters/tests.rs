//! What happens to a letter that a person tries again, over a core with fakes.

use super::*;
use crate::ports::{InboxEnd, OutboxState};
use crate::testing::disk::{In, lock};
use crate::testing::others::Step;
use crate::testing::world::World;
use kata_protocol::{SendError, SendErrorCode};

fn letters(world: &World) -> Letters {
    Letters {
        store: world.store.clone(),
        outbox: Arc::clone(&world.outbox),
        path: Arc::clone(&world.path),
        events: Arc::clone(&world.events),
        clock: world.clock.clone(),
    }
}

fn failure(code: SendErrorCode, certain: bool) -> SendError {
    SendError {
        code,
        message: "as scripted".into(),
        retry_after_ms: None,
        certain,
    }
}

/// Waits for the fact that tells of letters.
async fn told(world: &World, facts: &mut tokio::sync::broadcast::Receiver<Arc<kata_protocol::NumberedFact>>) {
    let heard = async { while !matches!(&facts.recv().await.unwrap().fact, Fact::LettersChanged {}) {} };
    world.meanwhile(heard).await;
}

#[tokio::test]
async fn a_parked_reply_that_is_tried_again_leaves_under_its_key_before_what_was_written_after_it() {
    let world = World::new(false);
    let mut facts = world.events.subscribe();
    // Nobody knows whether the first one left.
    lock(&world.platform.failures).push_back((failure(SendErrorCode::Unreachable, false), false));
    world.write("m1", "chat", "one").await.unwrap();
    told(&world, &mut facts).await;
    assert_eq!(world.store.outbox()[0].state, OutboxState::Parked);
    // The second one is held up, the third waits behind it.
    lock(&world.platform.failures).push_back((failure(SendErrorCode::Unauthorized, true), false));
    world.write("m2", "chat", "two").await.unwrap();
    world.write("m3", "chat", "three").await.unwrap();
    world
        .meanwhile(async {
            while world.store.outbox().len() < 3 || *lock(&world.platform.attempts) < 2 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    let key = world.store.outbox()[0].message.idempotency_key.clone();
    letters(&world).retry("out-1").await.unwrap();
    world.until(|| world.outbox.waiting() == 0).await;
    let texts = world.platform.texts();
    let at = |word: &str| texts.iter().position(|text| text.contains(word)).unwrap();
    assert!(at("two") < at("one"), "what has begun to leave is not overtaken: {texts:?}");
    assert!(at("one") < at("three"), "{texts:?}");
    assert_eq!(world.store.outbox()[0].message.idempotency_key, key);
    assert!(world.store.outbox().iter().all(|row| row.state == OutboxState::Sent));
}

#[tokio::test]
async fn a_message_that_was_given_up_gets_a_turn_of_its_own_also_after_a_restart() {
    let world = World::new(true);
    let mut facts = world.events.subscribe();
    world.script([Step::Hang("")]);
    world.write("m1", "chat", "hello").await.unwrap();
    world.until(|| lock(&world.model.asked).len() == 1).await;
    let session = world.store.message_session(1);
    world.sessions.interrupt(&session).await.unwrap();
    world.until(|| world.store.inbox(1) != In::Open).await;
    assert!(matches!(world.store.inbox(1), In::Ended(InboxEnd::Dead(_))));
    told(&world, &mut facts).await;
    let world = world.killed().await;
    letters(&world).retry("in-1").await.unwrap();
    world.until(|| world.store.outbox().len() == 1 && world.outbox.waiting() == 0).await;
    assert_eq!(world.store.inbox(1), In::Answered);
    assert_eq!(lock(&world.model.asked).as_slice(), ["hello"]);
    let said = world.files.said(&session);
    assert_eq!(said.iter().filter(|row| row.starts_with("user:")).count(), 1, "{said:?}");
}

#[tokio::test]
async fn what_is_no_letter_is_refused_with_its_name() {
    let world = World::new(true);
    let letters = letters(&world);
    for id in ["", "7", "in-x"] {
        let error = letters.retry(id).await.unwrap_err();
        assert!(error.message.contains("“id”"), "{error:?}");
    }
    world.write("m1", "chat", "hello").await.unwrap();
    world
        .until(|| world.outbox.waiting() == 0 && !world.store.outbox().is_empty())
        .await;
    assert_eq!(letters.retry("in-1").await.unwrap_err().code, kata_protocol::ErrorCode::NotFound);
}
