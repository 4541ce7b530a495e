//! The rules of a session, without an engine: order, overlap, what the disk has to say, and what a kill leaves.

use crate::ports::JournalEntry;
use crate::testing::disk::{In, lock};
use crate::testing::others::Step;
use crate::testing::world::{World, ends, settle};
use kata_protocol::{Delivery, IngressAnswer, TurnEnd};

#[tokio::test]
async fn inputs_are_answered_one_at_a_time_in_their_order() {
    let world = World::new(true);
    let id = world.session().await;
    let mut facts = world.events.subscribe();
    let (a, b, c) = tokio::join!(
        world.submit(&id, "one", Delivery::Queue),
        world.submit(&id, "two", Delivery::Queue),
        world.submit(&id, "three", Delivery::Queue)
    );
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    settle().await;
    // The model itself refuses a second question while one is open.
    assert_eq!(*lock(&world.model.asked), ["one", "two", "three"]);
    assert_eq!(ends(&mut facts), [TurnEnd::Completed; 3]);
    let answers: Vec<_> = world
        .files
        .said(&id)
        .into_iter()
        .filter(|row| row.starts_with("assistant"))
        .collect();
    assert_eq!(answers, ["assistant: re: one", "assistant: re: two", "assistant: re: three"]);
}

#[tokio::test]
async fn nothing_is_acknowledged_and_no_turn_ends_before_the_disk_has_it() {
    let world = World::new(true);
    let id = world.session().await;
    let mut facts = world.events.subscribe();
    world.files.answers.send_replace(false);
    let submit = world.submit(&id, "one", Delivery::Queue);
    tokio::pin!(submit);
    tokio::select! {
        biased;
        _ = &mut submit => panic!("acknowledged before it was written"),
        () = settle() => {}
    }
    assert_eq!(ends(&mut facts), [], "a turn ended whose input is not on the disk");
    world.files.answers.send_replace(true);
    submit.await.unwrap();
    settle().await;
    assert_eq!(ends(&mut facts), [TurnEnd::Completed]);
}

#[tokio::test]
async fn what_comes_while_the_disk_works_shares_the_next_append() {
    let world = World::new(true);
    let id = world.session().await;
    world.files.answers.send_replace(false);
    let many = futures::future::join_all((0..20).map(|n| {
        let (world, id) = (&world, &id);
        async move { world.submit(id, &format!("m{n}"), Delivery::Queue).await }
    }));
    let written = async {
        settle().await;
        world.files.answers.send_replace(true);
    };
    let (answers, ()) = tokio::join!(many, written);
    assert!(answers.iter().all(Result::is_ok));
    settle().await;
    let rows = world.files.said(&id).len();
    assert_eq!(rows, 40, "every input and every answer");
    let appends = *lock(&world.files.appends);
    assert!(appends <= 2 + 20, "20 inputs in at most two appends, 20 answers: {appends}");
}

#[tokio::test]
async fn an_input_that_the_disk_refuses_is_told_to_the_client_and_leaves_nothing_behind() {
    let world = World::new(true);
    let id = world.session().await;
    let mut facts = world.events.subscribe();
    world.files.faults.fail("append", 1);
    let refused = world.submit(&id, "lost", Delivery::Queue).await.unwrap_err();
    assert!(refused.message.contains("no space left"), "{refused:?}");
    settle().await;
    assert_eq!(ends(&mut facts), [TurnEnd::Failed]);
    world.submit(&id, "kept", Delivery::Queue).await.unwrap();
    settle().await;
    assert_eq!(world.files.said(&id), ["user: kept", "assistant: re: kept"]);
    let shown = world.sessions.detail(&id, None, None).await.unwrap();
    assert_eq!(shown.messages.len(), 2, "the window shows what the disk has");
}

#[tokio::test]
async fn a_channels_message_survives_a_disk_that_is_full_for_a_while_and_the_trouble_is_told() {
    let world = World::new(true);
    world.files.faults.fail("append", 4);
    let answer = world.write("m1", "chat", "hello").await.unwrap();
    assert_eq!(answer, IngressAnswer::Admitted);
    world.until(|| world.platform.texts() == ["re: hello"]).await;
    let id = world.store.outbox()[0].session.clone().unwrap();
    assert_eq!(world.files.said(&id), ["user: hello", "assistant: re: hello"], "each once");
    let told = lock(&world.trouble).clone();
    assert!(told[0].as_ref().is_some_and(|reason| reason.contains("no space left")), "{told:?}");
    assert_eq!(told.last(), Some(&None), "and that it is over");
}

#[tokio::test]
async fn a_message_that_has_no_session_yet_because_the_store_fails_gets_one_later() {
    for name in ["session_for", "routed"] {
        let world = World::new(true);
        world.store.faults.fail(name, 3);
        assert_eq!(world.write("m1", "chat", "hello").await.unwrap(), IngressAnswer::Admitted, "{name}");
        world.until(|| world.platform.texts() == ["re: hello"]).await;
    }
    for name in ["create", "load"] {
        let world = World::new(true);
        world.files.faults.fail(name, 3);
        assert_eq!(world.write("m1", "chat", "hello").await.unwrap(), IngressAnswer::Admitted, "{name}");
        world.until(|| world.platform.texts() == ["re: hello"]).await;
    }
}

#[tokio::test]
async fn a_steered_input_skips_what_has_not_begun_and_is_asked_in_the_same_turn() {
    let world = World::new(true);
    let id = world.session().await;
    let mut facts = world.events.subscribe();
    world.script([Step::Call]);
    // The disk holds the first turn up, so that the second input finds it running.
    world.files.answers.send_replace(false);
    let second = async {
        settle().await;
        let steer = world.submit(&id, "rather this", Delivery::Steer);
        let release = async {
            settle().await;
            world.files.answers.send_replace(true);
        };
        tokio::join!(steer, release).0.unwrap();
    };
    tokio::join!(async { world.submit(&id, "do it", Delivery::Queue).await.unwrap() }, second);
    settle().await;
    assert_eq!(*lock(&world.model.asked), ["do it", "rather this"]);
    assert_eq!(*lock(&world.tool.calls), 0);
    assert_eq!(ends(&mut facts), [TurnEnd::Completed], "one turn");
    let skipped = |e: &JournalEntry| matches!(e, JournalEntry::ToolDone { text, is_error: true, .. } if text.starts_with("Skipped"));
    assert!(world.files.journal(&id).iter().any(skipped), "the call has a result all the same");
}

#[tokio::test]
async fn an_interrupting_input_ends_the_turn_keeps_what_was_said_and_is_answered_next() {
    let world = World::new(true);
    let id = world.session().await;
    let mut facts = world.events.subscribe();
    world.script([Step::Hang("half of it")]);
    world.submit(&id, "one", Delivery::Queue).await.unwrap();
    settle().await;
    assert_eq!(ends(&mut facts), []);
    world.submit(&id, "two", Delivery::Interrupt).await.unwrap();
    settle().await;
    assert_eq!(ends(&mut facts), [TurnEnd::Interrupted, TurnEnd::Completed]);
    let said = world.files.said(&id);
    assert!(said.contains(&"assistant: half of it".to_owned()), "{said:?}");
    assert_eq!(said.last().map(String::as_str), Some("assistant: re: two"));
}

#[tokio::test]
async fn a_model_that_fails_ends_its_turn_only() {
    let world = World::new(true);
    let id = world.session().await;
    let mut facts = world.events.subscribe();
    world.script([Step::Fail]);
    world.submit(&id, "one", Delivery::Queue).await.unwrap();
    world.submit(&id, "two", Delivery::Queue).await.unwrap();
    settle().await;
    assert_eq!(ends(&mut facts), [TurnEnd::Failed, TurnEnd::Completed]);
}

#[tokio::test]
async fn the_same_key_twice_is_one_input() {
    let world = World::new(true);
    let id = world.session().await;
    let send = || world.sessions.submit(&id, "once".into(), Delivery::Queue, Some("k".into()), "test");
    let (first, second) = (send().await.unwrap(), send().await.unwrap());
    assert_eq!(first.message, second.message);
    settle().await;
    assert_eq!(world.files.said(&id), ["user: once", "assistant: re: once"]);
}

#[tokio::test]
async fn a_message_is_answered_once_wherever_the_program_dies() {
    // Before its row is written, while the model thinks, while the reply is being queued, while a receipt is being noted.
    for place in ["append", "model", "enqueue", "sent"] {
        let world = World::new(true);
        match place {
            "append" => world.files.faults.fail("append", u32::MAX),
            "model" => world.script([Step::Hang("")]),
            name => world.store.faults.fail(name, u32::MAX),
        }
        world.write("m1", "chat", "hello").await.unwrap();
        settle().await;
        let world = world.killed().await;
        world.outbox.resume().await.unwrap();
        world.path.recover().await.unwrap();
        world
            .until(|| world.store.outbox().iter().any(|row| row.state == crate::ports::OutboxState::Sent))
            .await;
        assert_eq!(world.platform.texts(), ["re: hello"], "{place}");
        assert_eq!(world.store.inbox(1), In::Answered, "{place}");
        let id = world.store.outbox()[0].session.clone().unwrap();
        assert_eq!(world.files.said(&id), ["user: hello", "assistant: re: hello"], "{place}");
        let asked_again = lock(&world.model.asked).len();
        let answered_before = matches!(place, "enqueue" | "sent");
        assert_eq!(
            asked_again,
            usize::from(!answered_before),
            "{place}: an answer on the disk is not asked for again"
        );
    }
}

#[tokio::test]
async fn a_tool_that_had_begun_is_not_run_again_and_the_model_is_told_so() {
    let world = World::new(true);
    world.script([Step::Call, Step::Hang("")]);
    world.write("m1", "chat", "hello").await.unwrap();
    settle().await;
    assert_eq!(*lock(&world.tool.calls), 1);
    let world = world.killed().await;
    world.path.recover().await.unwrap();
    world.until(|| world.platform.texts() == ["re: hello"]).await;
    assert_eq!(*lock(&world.tool.calls), 0);
}

#[tokio::test]
async fn an_answer_whose_row_a_power_cut_took_is_given_again() {
    let world = World::new(true);
    world.store.faults.fail("enqueue", u32::MAX);
    world.write("m1", "chat", "hello").await.unwrap();
    settle().await;
    let id = world.store.message_session(1);
    let world = world.killed().await;
    // The journal has the end of the turn, the other file lost its last line.
    lock(&world.files.folders).get_mut(&id).unwrap().rows.pop();
    assert!(matches!(world.files.journal(&id).last(), Some(JournalEntry::TurnEnded { .. })));
    world.path.recover().await.unwrap();
    world.until(|| world.platform.texts() == ["re: hello"]).await;
}

#[tokio::test]
async fn where_many_sessions_are_in_memory_an_idle_one_leaves_it_after_seconds() {
    let world = World::new(true);
    let mut ids = Vec::new();
    for _ in 0..super::CROWD + 40 {
        let id = world.session().await;
        world.submit(&id, "hello", Delivery::Queue).await.unwrap();
        ids.push(id);
    }
    settle().await;
    let loaded = || ids.iter().filter(|id| world.sessions.state_of(id).is_some()).count();
    let most = super::CROWD as usize;
    assert!(loaded() > most, "{}", loaded());
    world.clock.advance(super::CROWDED_UNLOAD);
    world.until(|| loaded() <= most).await;
    assert!(loaded() >= most / 2, "those that came first stay a while: {}", loaded());
}
