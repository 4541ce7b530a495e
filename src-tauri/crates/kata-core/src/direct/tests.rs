//! Whom the agent may write to of its own accord, and how such a message leaves.

use super::*;
use crate::testing::disk::lock;
use crate::testing::draft;
use crate::testing::world::{World, channel, settle};
use kata_protocol::ThreadId;
use serde_json::json;

fn plugin() -> PluginId {
    PluginId::new("test").unwrap()
}

async fn wrote(world: &World, id: &str, conversation: &str, sender: &str, name: &str) {
    let mut draft = draft(id, conversation, sender, "hello");
    (draft.chat_type, draft.conversation_name, draft.mentions_bot) = (ChatType::Group, Some(name.into()), true);
    world.path.ingest(&plugin(), &channel(), draft).await.unwrap();
    settle().await;
}

async fn send(world: &World, to: &str, text: &str, key: Option<&str>) -> Result<(), WireError> {
    let message = DirectMessage {
        to: to.into(),
        thread: Some(ThreadId::new("t1").unwrap()),
        text: text.into(),
    };
    world.path.direct(&plugin(), &channel(), message, key.map(str::to_owned)).await
}

fn rules(world: &World, change: impl Fn(&mut crate::ingress::ChannelRules)) {
    let mut rules = (**world.rules.load()).clone();
    change(rules.get_mut(&channel()).unwrap());
    world.rules.store(rules.into());
}

#[tokio::test]
async fn a_message_goes_to_a_conversation_by_id_or_by_a_name_that_only_one_has_and_to_no_other() {
    let world = World::new(true);
    wrote(&world, "m1", "C1", "ada", "general").await;
    wrote(&world, "m2", "C2", "ada", "twins").await;
    wrote(&world, "m3", "C3", "ada", "twins").await;
    let names: Vec<_> = world
        .path
        .conversations(&channel())
        .await
        .unwrap()
        .into_iter()
        .map(|k| (k.id.to_string(), k.name))
        .collect();
    assert_eq!(names.len(), 3);
    assert!(names.contains(&("C1".into(), "general".into())), "{names:?}");
    for to in ["C1", "general", "#general"] {
        send(&world, to, &format!("to {to}"), None).await.unwrap();
    }
    assert_eq!(send(&world, "twins", "x", None).await.unwrap_err().code, ErrorCode::Conflict);
    for stranger in ["C9", "nobody", "", "C1\n"] {
        let refused = send(&world, stranger, "x", None).await;
        assert_eq!(
            refused.err().map(|e| e.code),
            Some(ErrorCode::Forbidden).filter(|_| stranger.trim() != "C1"),
            "{stranger:?}"
        );
    }
    world
        .until(|| world.platform.texts().iter().filter(|t| t.starts_with("to ")).count() == 3)
        .await;
    for message in lock(&world.platform.shown).iter().filter(|m| m.text.starts_with("to ")) {
        assert_eq!(message.route.conversation.as_str(), "C1");
        assert_eq!(message.route.thread.as_ref().map(ThreadId::as_str), Some("t1"));
        assert_eq!(message.route.reply_to, None);
    }
}

#[tokio::test]
async fn whoever_is_not_let_in_any_more_is_not_written_to_and_the_owner_can_list_a_conversation() {
    let world = World::new(true);
    wrote(&world, "m1", "C1", "ada", "general").await;
    rules(&world, |rules| rules.policy = DmPolicy::AllowList);
    assert_eq!(world.path.conversations(&channel()).await.unwrap(), []);
    assert_eq!(send(&world, "C1", "x", None).await.unwrap_err().code, ErrorCode::Forbidden);
    rules(&world, |rules| rules.send_to = vec!["C7".into()]);
    send(&world, "C7", "news", None).await.unwrap();
    world.until(|| world.platform.texts().contains(&"news".to_owned())).await;
    let message = lock(&world.platform.shown).iter().find(|m| m.text == "news").unwrap().clone();
    assert_eq!((message.route.account.as_str(), message.route.conversation.as_str()), ("bot", "C7"));
    rules(&world, |rules| rules.policy = DmPolicy::Off);
    assert_eq!(world.path.conversations(&channel()).await.unwrap(), []);
}

#[tokio::test]
async fn it_is_durable_once_under_its_key_and_passes_the_hooks() {
    let world = World::new(true);
    wrote(&world, "m1", "C1", "ada", "general").await;
    world.store.faults.fail("enqueue", 1);
    assert_eq!(send(&world, "C1", "news", Some("k")).await.unwrap_err().code, ErrorCode::Internal);
    for _ in 0..2 {
        send(&world, "C1", "news", Some("k")).await.unwrap();
    }
    let world = world.killed().await;
    world.outbox.resume().await.unwrap();
    world.until(|| world.platform.texts().contains(&"news".to_owned())).await;
    settle().await;
    assert_eq!(world.platform.texts().iter().filter(|t| *t == "news").count(), 1);
    lock(&world.tool_hooks.sending).push(json!({ "cancel": "not today" }));
    let held = send(&world, "C1", "more", None).await.unwrap_err();
    assert!(held.code == ErrorCode::Forbidden && held.message.contains("not today"), "{held:?}");
}
