//! Archive, deletion and new beginnings, over a core with fakes.

use crate::testing::disk::lock;
use crate::testing::others::Step;
use crate::testing::world::{World, settle};
use kata_protocol::{ClassRules, Delivery, ErrorCode, Fact, HygieneRules};
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn only_what_is_archived_and_idle_is_deleted_and_it_is_gone_for_everybody() {
    let world = World::new(true);
    let id = world.session().await;
    assert_eq!(world.sessions.delete(&id).await.unwrap_err().code, ErrorCode::Conflict);
    world.script([Step::Hang("")]);
    world.submit(&id, "think", Delivery::Queue).await.unwrap();
    world.until(|| lock(&world.model.asked).len() == 1).await;
    assert_eq!(
        world.sessions.archive(&id, true).await.unwrap_err().code,
        ErrorCode::Conflict,
        "it is at work"
    );
    world.sessions.interrupt(&id).await.unwrap();
    world.until(|| world.sessions.busy() == 0).await;
    settle().await;
    world.sessions.archive(&id, true).await.unwrap();
    let mut facts = world.events.subscribe();
    world.sessions.delete(&id).await.unwrap();
    assert!(!lock(&world.files.folders).contains_key(&id));
    assert_eq!(
        world.submit(&id, "more", Delivery::Queue).await.unwrap_err().code,
        ErrorCode::NotFound
    );
    assert_eq!(world.sessions.delete(&id).await.unwrap_err().code, ErrorCode::NotFound);
    let mut removed = false;
    while let Ok(fact) = facts.try_recv() {
        removed |= matches!(&fact.fact, Fact::SessionRemoved { id: gone } if *gone == id);
    }
    assert!(removed);
}

#[tokio::test]
async fn a_deletion_that_fails_leaves_the_session_as_it_was() {
    let world = World::new(true);
    let id = world.session().await;
    world.sessions.archive(&id, true).await.unwrap();
    world.files.faults.fail("remove", 1);
    assert_eq!(world.sessions.delete(&id).await.unwrap_err().code, ErrorCode::Internal);
    world.submit(&id, "still here", Delivery::Queue).await.unwrap();
    world.until(|| world.sessions.busy() == 0).await;
    let row = world.sessions.find(&id).await.unwrap().unwrap();
    assert!(!row.archived, "a message brings it back out of the archive");
}

#[tokio::test]
async fn a_conversation_begins_anew_when_its_rule_says_so_and_not_while_it_is_flagged() {
    let world = World::new(true);
    let direct = ClassRules {
        reset_after_minutes: Some(60),
        ..ClassRules::default()
    };
    world.hygiene.store(Arc::new(HygieneRules {
        direct,
        ..HygieneRules::default()
    }));
    let write = async |message: &str, n: i64| {
        world.write(message, "chat", message).await.unwrap();
        world
            .until(|| world.store.outbox().len() == usize::try_from(n).unwrap() && world.outbox.waiting() == 0)
            .await;
        settle().await;
        world.store.message_session(n)
    };
    let first = write("m1", 1).await;
    assert_eq!(write("m2", 2).await, first);
    world.clock.advance(Duration::from_secs(2 * 3600));
    let second = write("m3", 3).await;
    assert_ne!(second, first);
    assert!(
        lock(&world.files.folders)[&first].keys.is_empty(),
        "its file says that the conversation went on elsewhere"
    );
    let change = kata_protocol::SessionUpdate {
        id: second.clone(),
        flagged: Some(true),
        name: None,
        status: None,
        labels: None,
        unread: None,
        mode: None,
        model: None,
        working_directory: None,
    };
    world.sessions.update(change).await.unwrap();
    world.clock.advance(Duration::from_secs(2 * 3600));
    assert_eq!(write("m4", 4).await, second);
}

#[tokio::test]
async fn a_conversation_whose_session_was_deleted_begins_a_new_one() {
    let world = World::new(true);
    world.write("m1", "chat", "one").await.unwrap();
    world.until(|| world.store.outbox().len() == 1 && world.outbox.waiting() == 0).await;
    let first = world.store.message_session(1);
    let world = world.killed().await;
    lock(&world.files.folders).remove(&first);
    world.write("m2", "chat", "two").await.unwrap();
    world.until(|| world.store.outbox().len() == 2 && world.outbox.waiting() == 0).await;
    assert!(lock(&world.files.folders).contains_key(&world.store.message_session(2)));
}
