//! No reply ever leaves for a conversation other than the one that asked: two hundred conversations over three channels, whose
//! names were made to be mistaken for each other, over the whole core, with a kill in between.

use super::others::Platform;
use super::world::{World, settle};
use super::{disk::lock, draft};
use kata_protocol::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Where something was asked: channel, account, conversation, thread.
type Place = (&'static str, &'static str, String, Option<&'static str>);

struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// Two hundred places that differ, as little as can be.
fn places(draw: &mut Draw) -> Vec<Place> {
    // What a key could be taken apart at, put together from, or folded into.
    const BITS: [&str; 16] = [
        "a", "A", "b", "/", ":", "%2F", "|", " ", "..", "direct", "thread", "bot", "é", "e\u{301}", "\u{200b}", "1",
    ];
    let mut places = BTreeSet::new();
    while places.len() < 200 {
        let long = 1 + draw.below(3);
        let conversation: String = (0..long).map(|_| draw.of(&BITS)).collect();
        if ConversationId::new(conversation.clone()).is_err() {
            continue;
        }
        let thread = draw.of(&[None, None, Some("a"), Some("b/a"), Some("bot")]);
        places.insert((
            draw.of(&["test", "second", "third"]),
            draw.of(&["bot", "bot/a", "a"]),
            conversation,
            thread,
        ));
    }
    places.into_iter().collect()
}

async fn ask(world: &World, place: &Place, n: usize) {
    let (channel, account, conversation, thread) = place;
    let mut draft = draft(&format!("m{n}"), conversation, "ada", &format!("question {n}."));
    draft.account = AccountId::new(*account).unwrap();
    draft.thread = thread.map(|t| ThreadId::new(t).unwrap());
    let channel = ChannelId::new(*channel).unwrap();
    // The same plugin names every channel; what it says is the only thing there is to go by.
    let answer = world.path.ingest(&PluginId::new("test").unwrap(), &channel, draft).await.unwrap();
    assert_eq!(answer, IngressAnswer::Admitted);
}

/// Which question each reply that a reader sees answers, all of them checked against where it was asked.
fn answered(platform: &Arc<Platform>, asked: &[Place]) -> BTreeMap<usize, u32> {
    let mut seen = BTreeMap::new();
    for message in lock(&platform.shown).iter() {
        let number = message
            .text
            .split("question ")
            .nth(1)
            .and_then(|t| t.split('.').next()?.parse().ok());
        let n: usize = number.unwrap_or_else(|| panic!("a reply to nothing: {message:?}"));
        let (channel, account, conversation, thread) = &asked[n];
        let route = &message.route;
        assert_eq!(
            (
                route.channel.as_str(),
                route.account.as_str(),
                route.conversation.as_str(),
                route.thread.as_ref().map(ThreadId::as_str)
            ),
            (*channel, *account, conversation.as_str(), *thread),
            "the reply to question {n} left for another conversation"
        );
        assert_eq!(
            route.reply_to.as_ref().unwrap().as_str(),
            format!("m{n}"),
            "it quotes another question"
        );
        *seen.entry(n).or_default() += 1;
    }
    seen
}

#[tokio::test]
async fn no_reply_ever_leaves_for_a_conversation_other_than_the_one_that_asked() {
    for seed in 0..6 {
        let mut draw = Draw(seed);
        let places = places(&mut draw);
        let mut asked: Vec<Place> = Vec::new();
        let mut world = World::new(true);
        for round in 0..2 {
            for _ in 0..300 {
                let place = draw.of(&places);
                ask(&world, &place, asked.len()).await;
                asked.push(place);
                if draw.below(8) == 0 {
                    settle().await;
                }
            }
            if round == 0 {
                // In the middle of everything; what was asked is taken up again.
                world = world.killed().await;
                world.outbox.resume().await.unwrap();
                world.path.recover().await.unwrap();
            }
        }
        let platform = Arc::clone(&world.platform);
        world.until(|| lock(&platform.shown).len() >= asked.len()).await;
        settle().await;
        let seen = answered(&platform, &asked);
        assert_eq!(seen.len(), asked.len(), "every question has an answer");
        assert!(seen.values().all(|times| *times == 1), "and one only");
    }
}
