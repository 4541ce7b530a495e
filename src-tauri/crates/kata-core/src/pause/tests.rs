//! Pausing: what waits, what goes on, and that nothing is lost over it. By the whole core over fakes.

use super::*;
use crate::testing::TestClock;
use crate::testing::disk::{In, lock};
use crate::testing::world::{World, settle};
use kata_protocol::{ChannelCapabilities, Delivery, DeliveryMode, IngressAnswer};

fn by_cursor(world: &World) {
    *lock(&world.platform.can) = ChannelCapabilities {
        delivery: DeliveryMode::Cursor,
        ..ChannelCapabilities::default()
    };
}

#[tokio::test]
async fn what_comes_in_a_pause_is_durable_waits_in_order_and_is_answered_afterwards_also_over_a_kill() {
    let world = World::new(false);
    world.pause.begin(world.clock_now(), None);
    for (id, text) in [("m1", "one"), ("m2", "/status"), ("m3", "three")] {
        assert_eq!(world.write(id, "c1", text).await.unwrap(), IngressAnswer::Admitted, "not refused");
    }
    settle().await;
    assert!(
        lock(&world.model.asked).is_empty() && world.platform.texts().is_empty(),
        "nothing begins, nothing leaves"
    );
    assert!((1..=3).all(|n| world.store.inbox(n) == In::Open));

    let world = world.killed().await;
    world.pause.begin(world.clock_now(), None);
    assert_eq!(world.path.recover().await.unwrap(), 3);
    world.write("m4", "c1", "four").await.unwrap();
    settle().await;
    assert!(lock(&world.model.asked).is_empty() && world.platform.texts().is_empty());

    assert!(world.pause.end());
    settle().await;
    assert_eq!(*lock(&world.model.asked), ["one", "three", "four"]);
    let texts = world.platform.texts();
    assert_eq!(texts.len(), 4, "each once, the order too: {texts:?}");
    assert!(!world.pause.end(), "it is over");
    world.write("m5", "c1", "five").await.unwrap();
    settle().await;
    assert_eq!(lock(&world.model.asked).len(), 4, "afterwards nothing waits");
}

#[tokio::test]
async fn a_channel_that_reads_from_a_cursor_waits_with_its_message_and_keeps_its_place() {
    let world = World::new(true);
    by_cursor(&world);
    world.pause.begin(world.clock_now(), None);
    let asked = world.write("m1", "c1", "one");
    tokio::pin!(asked);
    tokio::select! {
        biased;
        answer = &mut asked => panic!("it was taken in: {answer:?}"),
        () = settle() => {}
    }
    assert_eq!(world.store.accepted(), 0, "nothing is taken in");
    world.pause.end();
    assert_eq!(asked.await.unwrap(), IngressAnswer::Admitted);
    settle().await;
    assert_eq!(world.platform.texts(), ["re: one"]);
}

#[tokio::test]
async fn what_had_to_wait_for_a_pause_is_not_refused_for_coming_at_once() {
    let world = World::new(true);
    by_cursor(&world);
    let mut rules = (**world.rules.load()).clone();
    for rule in rules.values_mut() {
        (rule.per_minute_sender, rule.per_minute_conversation) = (2, 2);
    }
    world.rules.store(Arc::new(rules));
    world.pause.begin(world.clock_now(), None);
    let written = world.clock_now();
    world.clock.advance(Duration::from_secs(3600));
    world.pause.end();
    let plugin: PluginId = "test".parse().unwrap();
    let channel = crate::testing::world::channel();
    let write = async |n: u32, at: Ms| {
        let mut draft = crate::testing::draft(&format!("m{n}"), "c1", "ada", "x");
        draft.sent_at = Some(at);
        world.path.ingest(&plugin, &channel, draft).await.unwrap()
    };
    for n in 0..6 {
        assert_eq!(write(n, written).await, IngressAnswer::Admitted);
    }
    world.clock.advance(Duration::from_secs(1));
    let later = world.clock_now();
    let answers = [write(10, later).await, write(11, later).await, write(12, later).await];
    assert!(
        matches!(answers[2], IngressAnswer::Refused { .. }),
        "what comes afterwards has its pace: {answers:?}"
    );
}

#[tokio::test]
async fn a_reply_waits_unsent_in_the_outbox_and_the_sessions_of_the_desktop_go_on() {
    let world = World::new(false);
    world.write("m1", "c1", "before").await.unwrap();
    // The turn has begun; its reply comes into the pause.
    world.pause.begin(world.clock_now(), None);
    settle().await;
    assert_eq!(*lock(&world.model.asked), ["before"]);
    assert!(world.platform.texts().is_empty());
    let desktop = world.session().await;
    world.submit(&desktop, "meanwhile", Delivery::Queue).await.unwrap();
    settle().await;
    assert_eq!(world.files.said(&desktop), ["user: meanwhile", "assistant: re: meanwhile"]);

    // A platform without idempotent sends: had it counted as under way, it would be parked now.
    let world = world.killed().await;
    world.pause.begin(world.clock_now(), None);
    world.outbox.resume().await.unwrap();
    settle().await;
    assert!(world.platform.texts().is_empty());
    world.pause.end();
    settle().await;
    assert_eq!(world.platform.texts(), ["re: before"]);
}

#[tokio::test]
async fn a_pause_for_some_minutes_ends_by_the_clock() {
    let world = World::new(true);
    let until = Ms(world.clock_now().0 + 30 * 60_000);
    world.pause.begin(world.clock_now(), Some(until));
    world.write("m1", "c1", "one").await.unwrap();
    world.clock.advance(Duration::from_secs(29 * 60));
    settle().await;
    assert_eq!(
        world.pause.state(),
        PauseState {
            paused: true,
            until: Some(until)
        }
    );
    assert!(world.platform.texts().is_empty());
    world.clock.advance(Duration::from_secs(61));
    settle().await;
    assert_eq!(
        world.pause.state(),
        PauseState {
            paused: false,
            until: None
        }
    );
    assert_eq!(world.platform.texts(), ["re: one"]);
}

#[tokio::test]
async fn a_pause_that_is_made_longer_or_shorter_keeps_its_beginning_and_takes_the_new_end() {
    let clock = Arc::new(TestClock::default());
    let pause = Pause::new(clock.clone());
    let (begun, minute) = (clock.now(), Duration::from_secs(60));
    pause.begin(begun, Some(Ms(begun.0 + 60_000)));
    let waiting = pause.over();
    tokio::pin!(waiting);
    clock.advance(minute / 2);
    pause.begin(clock.now(), None);
    clock.advance(minute * 5);
    tokio::select! {
        biased;
        () = &mut waiting => panic!("it ended at its first end"),
        () = settle() => {}
    }
    assert!(pause.held_back(Some(begun)));
    pause.end();
    waiting.await;
    assert!(pause.held_back(Some(begun)) && !pause.held_back(Some(Ms(clock.now().0 + 1))) && !pause.held_back(None));
}
