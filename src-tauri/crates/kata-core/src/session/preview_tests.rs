//! Answers that are shown while they are written: when, how often, and what is left of it; and the mark on what waits.

use crate::quiet::Quiet;
use crate::testing::disk::lock;
use crate::testing::others::{Change, Step};
use crate::testing::world::{World, channel, settle};
use kata_protocol::*;
use serde_json::json;
use std::time::Duration;

/// Longer than what models say before a call.
const LONG: &str = "A text that is longer than what is said before a call. A text that is longer than what is said before a call. \
    A text that is longer than what is said before a call. A text that is longer than what is said before a call. \
    A text that is longer than what is said before a call. A text that is longer than what is said before a call.";

fn shows(world: &World, mode: StreamMode, wanted: Option<bool>) {
    {
        let mut can = lock(&world.platform.can);
        (can.stream, can.stream_interval_ms, can.delete, can.text_max) = (mode, 1000, true, 4000);
    }
    let mut rules = (**world.rules.load()).clone();
    rules.get_mut(&channel()).unwrap().previews = wanted;
    world.rules.store(rules.into());
}

/// The model says its next piece.
async fn say(world: &World) {
    world.model.go_on.notify_one();
    settle().await;
}

async fn begun(world: &World, step: Step) {
    world.script([step]);
    world.write("m1", "chat", "hello").await.unwrap();
    for _ in 0..20 {
        settle().await;
        if !lock(&world.model.asked).is_empty() {
            return;
        }
    }
    panic!("the model is not asked");
}

fn previews(world: &World) -> Vec<(String, String)> {
    let changes = world.platform.changed().into_iter();
    changes
        .filter_map(|change| match change {
            Change::Preview(id, text) => Some((id, text)),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn an_answer_is_shown_at_most_once_in_an_interval_and_takes_the_previews_place() {
    let world = World::new(true);
    shows(&world, StreamMode::Edit, Some(true));
    begun(&world, Step::Say(&[LONG, " More.", " And more.", " The end."], &[])).await;
    say(&world).await;
    assert_eq!(previews(&world), [("preview0".to_owned(), LONG.to_owned())]);
    say(&world).await;
    say(&world).await;
    assert_eq!(previews(&world).len(), 1, "not before the interval has passed");
    world.clock.advance(Duration::from_millis(1000));
    settle().await;
    assert_eq!(previews(&world)[1..], [("preview0".to_owned(), format!("{LONG} More. And more."))]);
    say(&world).await;
    world.until(|| !world.platform.texts().is_empty()).await;
    let shown = lock(&world.platform.shown)[0].clone();
    assert_eq!(shown.replaces, Some(PlatformMessageId::new("preview0").unwrap()));
    assert!(shown.text.ends_with("The end."));
    settle().await;
    assert_eq!(previews(&world).len(), 2, "nothing is shown behind the answer");
}

#[tokio::test]
async fn nothing_is_shown_early_where_it_may_still_be_changed_stopped_or_is_not_wanted() {
    let none = async |what: &str, mode, wanted, change: &dyn Fn(&World)| {
        let world = World::new(true);
        shows(&world, mode, wanted);
        change(&world);
        begun(&world, Step::Say(&[LONG, " The end."], &[])).await;
        say(&world).await;
        say(&world).await;
        world.until(|| !world.platform.texts().is_empty()).await;
        assert_eq!(
            (previews(&world).len(), lock(&world.platform.shown)[0].replaces.clone()),
            (0, None),
            "{what}"
        );
    };
    let hook = |world: &World| lock(&world.tool_hooks.sending).push(json!({}));
    none("a hook may change it", StreamMode::Edit, Some(true), &hook).await;
    none("nobody wants it", StreamMode::Draft, Some(false), &|_| {}).await;
    none("edits are not wanted unless somebody says so", StreamMode::Edit, None, &|_| {}).await;
    none("the channel cannot", StreamMode::None, Some(true), &|_| {}).await;
    // The turn began before the quiet hours.
    let world = World::new(true);
    shows(&world, StreamMode::Draft, None);
    begun(&world, Step::Say(&[LONG, " The end."], &[])).await;
    let mut rules = (**world.rules.load()).clone();
    let all_day = QuietHours {
        from: "00:00".into(),
        until: "23:59".into(),
    };
    rules.get_mut(&channel()).unwrap().quiet = Some(Quiet::new(&all_day).unwrap());
    world.rules.store(rules.into());
    say(&world).await;
    assert_eq!(previews(&world), [], "in quiet hours nothing is");
}

#[tokio::test]
async fn what_is_said_before_a_call_is_not_shown_or_taken_back() {
    let world = World::new(true);
    shows(&world, StreamMode::Edit, Some(true));
    begun(&world, Step::Say(&["I look that up."], &[("note", "{}")])).await;
    world.script([Step::Say(&[LONG, " Now."], &[("note", "{}")]), Step::Say(&["Short. "], &[])]);
    say(&world).await;
    assert_eq!(previews(&world), [], "it is as short as what is said before a call");
    world.clock.advance(Duration::from_secs(5));
    say(&world).await;
    assert_eq!(previews(&world).len(), 1);
    say(&world).await;
    let changes = world.platform.changed();
    assert_eq!(changes[0], Change::Preview("preview0".into(), LONG.into()));
    assert_eq!(changes[1], Change::Delete("preview0".into()), "it was no part of the answer");
    say(&world).await;
    world.until(|| !world.platform.texts().is_empty()).await;
    assert_eq!(lock(&world.platform.shown)[0].replaces, None);
    assert_eq!(world.platform.texts(), ["Short."]);
}

#[tokio::test]
async fn a_preview_that_fails_ends_those_of_its_answer_only() {
    let world = World::new(true);
    shows(&world, StreamMode::Draft, None);
    let slow = SendError {
        code: SendErrorCode::RateLimited,
        message: "slow".into(),
        retry_after_ms: None,
        certain: true,
    };
    lock(&world.platform.change_failures).push_back(slow);
    begun(&world, Step::Say(&[LONG, " More.", " The end."], &[])).await;
    for _ in 0..3 {
        say(&world).await;
        world.clock.advance(Duration::from_secs(2));
    }
    world.until(|| world.platform.texts().len() == 1).await;
    assert_eq!(previews(&world), []);
    assert!(world.platform.texts()[0].ends_with("The end."));
    world.script([Step::Say(&[LONG, " The end."], &[])]);
    world.write("m2", "chat", "again").await.unwrap();
    settle().await;
    say(&world).await;
    say(&world).await;
    world.until(|| world.platform.texts().len() == 2).await;
    assert_eq!(previews(&world).len(), 1);
    assert_eq!(lock(&world.platform.shown)[1].replaces, None, "a draft goes by itself");
}

#[tokio::test]
async fn a_stopped_answer_leaves_no_preview_and_after_a_kill_the_answer_still_comes() {
    let world = World::new(true);
    shows(&world, StreamMode::Edit, Some(true));
    begun(&world, Step::Say(&[LONG, " The end."], &[])).await;
    say(&world).await;
    world.write("m2", "chat", "/stop").await.unwrap();
    world
        .until(|| world.platform.changed().contains(&Change::Delete("preview0".into())))
        .await;

    let world = World::new(true);
    shows(&world, StreamMode::Edit, Some(true));
    begun(&world, Step::Say(&[LONG, " The end."], &[])).await;
    say(&world).await;
    assert_eq!(previews(&world).len(), 1);
    let world = world.killed().await;
    world.outbox.resume().await.unwrap();
    world.path.recover().await.unwrap();
    world.until(|| world.platform.texts() == ["re: hello"]).await;
}

#[tokio::test]
async fn a_message_that_waits_is_marked_until_its_turn_begins_where_its_owner_wants_it() {
    for wanted in [true, false] {
        let world = World::new(true);
        lock(&world.platform.can).reactions = true;
        let mut rules = (**world.rules.load()).clone();
        rules.get_mut(&channel()).unwrap().waiting_mark = wanted;
        world.rules.store(rules.into());
        begun(&world, Step::Hang("half")).await;
        world.write("m2", "chat", "and then?").await.unwrap();
        settle().await;
        let set = Change::React("m2".into(), Some("👀".into()));
        assert_eq!(world.platform.changed(), [set].into_iter().filter(|_| wanted).collect::<Vec<_>>());
        world.sessions.interrupt(&world.store.message_session(1)).await.unwrap();
        world.until(|| world.platform.texts().contains(&"re: and then?".to_owned())).await;
        settle().await;
        assert_eq!(world.platform.changed().len(), if wanted { 2 } else { 0 });
        assert!(!wanted || world.platform.changed()[1] == Change::React("m2".into(), None));
    }
}
