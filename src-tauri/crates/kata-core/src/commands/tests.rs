//! Slash commands of plugins, written in a channel.

use super::*;
use crate::testing::disk::{In, lock};
use crate::testing::draft;
use crate::testing::world::World;

#[test]
fn a_command_is_its_first_word_and_what_follows() {
    let read = |text: &str, mentions| {
        let mut draft = draft("m", "c", "boss", text);
        draft.mentions_bot = mentions;
        super::read(&draft).map(|w| (w.name, w.args))
    };
    let is = |name: &str, args: &str| Some((name.to_owned(), args.to_owned()));
    assert_eq!(read(" /count  a\n b ", false), is("count", "a\n b"));
    assert_eq!(read("/count@kata_bot 3", false), is("count", "3"));
    assert_eq!(read("<@U1> /count", true), is("count", ""));
    for text in ["count", "", "/", "/@bot", "see /count", "@kata /count"] {
        assert_eq!(read(text, false), None, "{text}");
    }
}

#[tokio::test]
async fn an_approvers_command_runs_once_and_answers_where_it_was_written_and_anybody_elses_is_a_message() {
    let world = World::new(true);
    world.write_as("m1", "chat", "boss", "/count 1 2").await.unwrap();
    world.until(|| world.platform.texts() == ["count: 1 2"]).await;
    assert_eq!(lock(&world.platform.shown)[0].route.reply_to.as_ref().unwrap().as_str(), "m1");
    assert!(lock(&world.model.asked).is_empty());
    assert_eq!(world.store.inbox(1), In::Ended(InboxEnd::Silent));
    world.write_as("m2", "chat", "ada", "/count 3").await.unwrap();
    world.until(|| world.platform.texts().contains(&"re: /count 3".to_owned())).await;
    world.write_as("m3", "chat", "boss", "/unknown 3").await.unwrap();
    world.until(|| world.platform.texts().contains(&"re: /unknown 3".to_owned())).await;
    world.write_as("m4", "chat", "boss", "/count fail").await.unwrap();
    world
        .until(|| world.platform.texts().contains(&"`/count` did not work: as scripted.".to_owned()))
        .await;
    assert_eq!(*lock(&world.commands.ran), ["1 2", "fail"]);
}
