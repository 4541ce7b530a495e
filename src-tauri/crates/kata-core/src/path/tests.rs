//! Policies at the door, bindings, people, joining and quiet hours, over the whole core with fakes around it.

use crate::ingress::ChannelRules;
use crate::quiet::Quiet;
use crate::router::{Bindings, Defaults, parse};
use crate::testing::disk::{In, lock};
use crate::testing::draft;
use crate::testing::others::Step;
use crate::testing::world::{World, channel, settle};
use kata_protocol::*;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

fn id<T: std::str::FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap()
}

fn route_by(world: &World, table: serde_json::Value) {
    let table = parse(table.as_object().unwrap()).unwrap();
    let bindings = Bindings::compile(table, Defaults::new(id("w"))).unwrap();
    world.bindings.store(Arc::new(bindings));
}

/// Changes the rules of a channel; a new one is open.
fn rule(world: &World, of: &ChannelId, change: impl FnOnce(&mut ChannelRules)) {
    let mut rules = (**world.rules.load()).clone();
    let of = rules.entry(of.clone()).or_insert_with(|| ChannelRules {
        policy: DmPolicy::Open,
        ..ChannelRules::default()
    });
    change(of);
    world.rules.store(Arc::new(rules));
    world.rules_changed.notify_waiters();
}

async fn ingest(world: &World, on: &ChannelId, draft: InboundDraft) -> IngressAnswer {
    let plugin: PluginId = id("test");
    world.path.ingest(&plugin, on, draft).await.unwrap()
}

fn refused(code: RefusalCode) -> IngressAnswer {
    IngressAnswer::Refused { code }
}

/// Where each reply went, with its text.
fn replies(world: &World) -> Vec<(String, String, String)> {
    let shown = lock(&world.platform.shown);
    let place = |m: &OutboundMessage| (m.route.channel.to_string(), m.route.conversation.to_string(), m.text.clone());
    shown.iter().map(place).collect()
}

#[tokio::test]
async fn two_accounts_of_one_channel_never_mix() {
    let world = World::new(true);
    let mut other = draft("m1", "c", "ada", "to the other account");
    other.account = id("second");
    other.message_id = id("m2");
    ingest(&world, &channel(), draft("m1", "c", "ada", "to the first")).await;
    ingest(&world, &channel(), other).await;
    settle().await;
    assert_ne!(world.store.message_session(1), world.store.message_session(2));
    let shown = lock(&world.platform.shown);
    let mut went: Vec<_> = shown.iter().map(|m| (m.route.account.as_str(), m.text.as_str())).collect();
    went.sort_unstable();
    assert_eq!(went, [("bot", "re: to the first"), ("second", "re: to the other account")]);
}

#[tokio::test]
async fn a_person_over_two_channels_shares_one_session_and_each_reply_goes_back_to_where_its_question_came_from() {
    let world = World::new(true);
    let other: ChannelId = id("other");
    rule(&world, &other, |_| {});
    route_by(
        &world,
        json!({"bindings": [{"id": "ada", "match": {"person": "ada"}, "scope": "person"}],
            "people": [{"id": "ada", "addresses": [{"channel": "test", "sender": "ada"}, {"channel": "other", "sender": "A7"}]}]}),
    );
    ingest(&world, &channel(), draft("m1", "c1", "ada", "one")).await;
    ingest(&world, &other, draft("m2", "dm", "A7", "two")).await;
    ingest(&world, &channel(), draft("m3", "c1", "ada", "three")).await;
    ingest(&world, &other, draft("m4", "dm-of-bob", "B8", "four")).await;
    settle().await;
    let session = |n| world.store.message_session(n);
    assert_eq!((session(1), session(1)), (session(2), session(3)));
    assert_ne!(session(1), session(4), "bob is somebody else");
    let mut went = replies(&world);
    went.sort();
    let place = |channel: &str, conversation: &str, text: &str| (channel.into(), conversation.into(), text.into());
    assert_eq!(
        went,
        [
            place("other", "dm", "re: two"),
            place("other", "dm-of-bob", "re: four"),
            place("test", "c1", "re: one"),
            place("test", "c1", "re: three"),
        ]
    );
}

#[tokio::test]
async fn a_joined_conversation_goes_on_in_the_desktop_session_and_what_is_said_there_stays_there() {
    let world = World::new(true);
    let desktop = world.session().await;
    world.write("m1", "c1", "before").await.unwrap();
    settle().await;
    let key: SessionKey = id("test:bot:c1");
    let before = world.conversations.join(&key, &desktop).await.unwrap();
    assert_eq!(before, Some(world.store.message_session(1)));
    world.submit(&desktop, "a secret", Delivery::Queue).await.unwrap();
    settle().await;
    world.write("m2", "c1", "after").await.unwrap();
    world.write("m3", "c2", "somebody else").await.unwrap();
    settle().await;
    world.submit(&desktop, "another secret", Delivery::Queue).await.unwrap();
    settle().await;
    assert_eq!(world.store.message_session(2), desktop);
    assert_ne!(world.store.message_session(3), desktop);
    assert_eq!(
        world.files.said(&desktop),
        [
            "user: a secret",
            "assistant: re: a secret",
            "user: after",
            "assistant: re: after",
            "user: another secret",
            "assistant: re: another secret"
        ]
    );
    let mut went = replies(&world);
    went.sort();
    let texts: Vec<_> = went
        .iter()
        .map(|(_, conversation, text)| (conversation.as_str(), text.as_str()))
        .collect();
    assert_eq!(
        texts,
        [("c1", "re: after"), ("c1", "re: before"), ("c2", "re: somebody else")],
        "and nothing of the desktop's"
    );
    assert_eq!(lock(&world.files.folders)[&desktop].keys, std::slice::from_ref(&key));

    // Out of it again: the next message begins a session of its own.
    assert_eq!(world.conversations.begin_anew(&key).await.unwrap(), Some(desktop.clone()));
    world.write("m4", "c1", "alone").await.unwrap();
    settle().await;
    assert_ne!(world.store.message_session(4), desktop);
    assert!(lock(&world.files.folders)[&desktop].keys.is_empty());
}

#[tokio::test]
async fn a_conversation_whose_binding_changed_keeps_its_session_and_a_profile_is_applied_to_new_ones() {
    let world = World::new(true);
    world.write("m1", "c1", "hello").await.unwrap();
    settle().await;
    route_by(
        &world,
        json!({"profiles": [{"id": "mute", "mode": "ask", "model": "m", "withoutTools": ["no*"]}],
            "bindings": [{"id": "all", "profile": "mute", "workspace": "elsewhere"}]}),
    );
    world.script([Step::Call]);
    world.write("m2", "c1", "again").await.unwrap();
    settle().await;
    assert_eq!(*lock(&world.tool.calls), 1, "the session that was there has no profile");
    world.script([Step::Call]);
    world.write("m3", "c2", "new").await.unwrap();
    settle().await;
    assert_eq!(world.store.message_session(1), world.store.message_session(2));
    assert_eq!(*lock(&world.tool.calls), 1, "the profile is without the tool, so it is not called");
    let folders = lock(&world.files.folders);
    let new = &folders[&world.store.message_session(3)].summary;
    assert_eq!(
        (new.profile.as_deref(), new.mode, new.model.as_deref(), new.workspace.as_str()),
        (Some("mute"), PermissionMode::Ask, Some("m"), "elsewhere")
    );
}

#[tokio::test]
async fn a_session_whose_profile_is_no_longer_in_the_table_has_no_tools() {
    let world = World::new(true);
    route_by(&world, json!({"profile": "helper", "profiles": [{"id": "helper"}]}));
    world.script([Step::Call]);
    world.write("m1", "c1", "use it").await.unwrap();
    settle().await;
    assert_eq!(*lock(&world.tool.calls), 1);
    route_by(&world, json!({}));
    world.script([Step::Call]);
    world.write("m2", "c1", "use it again").await.unwrap();
    settle().await;
    assert_eq!(*lock(&world.tool.calls), 1);
}

#[tokio::test]
async fn the_pace_of_a_sender_and_that_of_a_conversation_are_two_bounds() {
    let world = World::new(true);
    rule(&world, &channel(), |rules| {
        rules.per_minute_sender = 2;
        rules.per_minute_conversation = 3;
        rules.require_mention = false;
    });
    let mut number = 0;
    let mut say = async |conversation: &str, sender: &str| {
        number += 1;
        let mut d = draft(&format!("m{number}"), conversation, sender, "x");
        d.chat_type = ChatType::Group;
        ingest(&world, &channel(), d).await
    };
    let fast = refused(RefusalCode::RateLimited);
    assert_eq!(say("room", "ada").await, IngressAnswer::Admitted);
    assert_eq!(say("room", "ada").await, IngressAnswer::Admitted);
    assert_eq!(say("hall", "ada").await, fast, "the sender's own, whatever the conversation");
    assert_eq!(say("room", "bob").await, IngressAnswer::Admitted);
    assert_eq!(say("room", "cy").await, fast, "the conversation's, whoever writes");
    assert_eq!(say("hall", "cy").await, IngressAnswer::Admitted);
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(say("room", "ada").await, IngressAnswer::Admitted);
}

#[tokio::test]
async fn a_text_that_is_longer_than_the_channel_takes_is_refused() {
    let world = World::new(true);
    rule(&world, &channel(), |rules| rules.max_text = 4);
    assert_eq!(world.write("m1", "c", "1234").await.unwrap(), IngressAnswer::Admitted);
    assert_eq!(
        world.write("m2", "c", "größe").await.unwrap(),
        refused(RefusalCode::TooLarge),
        "in bytes"
    );
}

#[tokio::test]
async fn two_bots_that_answer_each_other_are_stopped_and_a_flood_without_replies_is_none() {
    let world = World::new(true);
    let mut admitted = 0;
    for n in 0..200 {
        let answer = world.write(&format!("m{n}"), "c", "thanks!").await.unwrap();
        if answer == refused(RefusalCode::Loop) {
            break;
        }
        admitted += 1;
        world.until(|| replies(&world).len() == admitted).await;
        assert!(admitted < 100, "nobody stops them");
    }
    assert!(admitted >= usize::try_from(crate::exchanges::MOST).unwrap(), "{admitted}");
    // The one that is refused gets no reply: what comes next is no exchange, and people go on.
    assert_eq!(world.write("later", "c", "hello?").await.unwrap(), IngressAnswer::Admitted);
    let mut bot = draft("bot", "c", "robot", "beep");
    bot.sender.is_bot = true;
    assert_eq!(
        ingest(&world, &channel(), bot).await,
        refused(RefusalCode::Loop),
        "one that says so never gets in"
    );

    let world = World::new(true);
    for n in 0..60 {
        assert_eq!(world.write(&format!("m{n}"), "c", "x").await.unwrap(), IngressAnswer::Admitted);
    }
}

#[tokio::test]
async fn an_explanation_says_what_happens_and_counts_writes_and_sends_nothing() {
    let world = World::new(true);
    rule(&world, &channel(), |rules| {
        rules.policy = DmPolicy::Pairing;
        rules.per_minute_sender = 1;
    });
    let message = draft("m1", "c1", "ada", "hi");
    for _ in 0..5 {
        let why = world.path.explain(&channel(), &message, None).await.unwrap();
        assert_eq!(why.refusal, Some(RefusalCode::PairingRequired));
        let decided: Vec<_> = why.steps.iter().filter(|s| s.decided).map(|s| s.question.as_str()).collect();
        assert_eq!(decided, ["policy: sender", "default"]);
        assert_eq!((why.key.unwrap().as_str(), why.session), ("test:bot:c1", None));
    }
    settle().await;
    assert!(world.store.outbox().is_empty() && world.store.traces().is_empty());
    rule(&world, &channel(), |rules| rules.policy = DmPolicy::Open);
    assert_eq!(
        ingest(&world, &channel(), message.clone()).await,
        IngressAnswer::Admitted,
        "the pace was not used up"
    );
    settle().await;
    let why = world.path.explain(&channel(), &message, None).await.unwrap();
    assert_eq!(why.refusal, Some(RefusalCode::RateLimited));
    assert_eq!(why.session, Some(world.store.message_session(1)));
    // Another table, tried and not in force.
    let table = parse(
        json!({"bindings": [{"id": "b", "match": {"channel": "test"}, "scope": "sender", "workspace": "v"}]})
            .as_object()
            .unwrap(),
    );
    let other = Bindings::compile(table.unwrap(), Defaults::new(id("w"))).unwrap();
    let why = world.path.explain(&channel(), &message, Some(&other)).await.unwrap();
    assert_eq!((why.binding.as_deref(), why.workspace.unwrap().as_str()), (Some("b"), "v"));
    assert!(world.bindings.load().table().bindings.is_empty());
}

fn night() -> Quiet {
    Quiet::new(&QuietHours {
        from: "22:00".into(),
        until: "07:00".into(),
    })
    .unwrap()
}

#[tokio::test]
async fn what_comes_in_quiet_hours_waits_is_told_once_and_goes_on_in_its_order() {
    // The clock of a test stands at 22:13 UTC.
    let world = World::new(true);
    rule(&world, &channel(), |rules| rules.quiet = Some(night()));
    for n in 1..=3 {
        assert_eq!(
            world.write(&format!("m{n}"), "c1", &format!("word {n}")).await.unwrap(),
            IngressAnswer::Admitted
        );
    }
    let mut group = draft("g", "room", "bob", "in a group");
    (group.chat_type, group.mentions_bot) = (ChatType::Group, true);
    ingest(&world, &channel(), group).await;
    settle().await;
    assert!(lock(&world.model.asked).is_empty(), "no turn starts");
    assert_eq!(world.store.inbox(1), In::Open);
    let told = (
        "test".to_owned(),
        "c1".to_owned(),
        "Quiet until 07:00. Your message is kept and answered then.".to_owned(),
    );
    assert_eq!(replies(&world), [told], "once, and not in a group");

    for _ in 0..24 * 60 {
        if !lock(&world.model.asked).is_empty() {
            break;
        }
        world.clock.advance(Duration::from_secs(60));
        settle().await;
    }
    let asked = lock(&world.model.asked).clone();
    assert_eq!(asked.len(), 4);
    let of_c1: Vec<_> = asked.iter().filter(|text| text.starts_with("word")).collect();
    assert_eq!(of_c1, ["word 1", "word 2", "word 3"]);
    let local = world.clock_now().0 / 1000 % 86_400;
    assert!((7 * 3600..7 * 3600 + 120).contains(&local), "at seven, not at {local} s");
    world.write("m9", "c1", "in the morning").await.unwrap();
    settle().await;
    assert_eq!(lock(&world.model.asked).len(), 5, "afterwards nothing waits");
}

#[tokio::test]
async fn quiet_hours_outlive_a_kill_and_what_waits_goes_on_when_they_are_taken_away() {
    let world = World::new(true);
    rule(&world, &channel(), |rules| rules.quiet = Some(night()));
    world.write("m1", "c1", "one").await.unwrap();
    world.write("m2", "c1", "two").await.unwrap();
    settle().await;
    let world = world.killed().await;
    rule(&world, &channel(), |rules| rules.quiet = Some(night()));
    assert_eq!(world.path.recover().await.unwrap(), 2);
    world.write("m3", "c1", "three").await.unwrap();
    settle().await;
    assert!(lock(&world.model.asked).is_empty());
    let notices = replies(&world).len();
    assert_eq!(notices, 1, "told once in a span, whatever dies in it");
    world.write("m4", "c1", "/status").await.unwrap();
    settle().await;
    assert_eq!(replies(&world).len(), 2, "an order is no turn and passes by");
    rule(&world, &channel(), |rules| rules.quiet = None);
    settle().await;
    assert_eq!(*lock(&world.model.asked), ["one", "two", "three"]);
}
