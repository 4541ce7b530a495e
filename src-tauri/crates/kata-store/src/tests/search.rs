//! Search over all sessions, filled from their files.

use super::samples::id;
use super::world::{NOON, World, header, new_session, row, said};
use crate::FileTranscripts;
use crate::sqlite::search::expression;
use kata_core::ports::{Append, Transcripts};
use kata_protocol::SessionId;
use proptest::prelude::*;
use serde_json::json;

/// Reads everything that waits.
async fn fill(sessions: &FileTranscripts) {
    while sessions.fill_search().await.unwrap() > 0 {}
}

async fn found(sessions: &FileTranscripts, query: &str) -> Vec<String> {
    let hits = sessions.search(query, None, 50).await.unwrap();
    hits.into_iter().map(|hit| format!("{}/{}", hit.session.id, hit.message)).collect()
}

async fn one(world: &World, texts: &[(&str, &str)]) -> (std::sync::Arc<FileTranscripts>, SessionId) {
    let sessions = world.open().await;
    let id = sessions.create(new_session()).await.unwrap().id;
    for (message, text) in texts {
        sessions.append(&id, said(message, text)).await.unwrap();
    }
    fill(&sessions).await;
    (sessions, id)
}

#[tokio::test]
async fn all_words_must_be_in_one_message_and_quotes_and_stars_mean_what_they_say() {
    let world = World::empty();
    let texts = [
        ("m1", "the red car stops"),
        ("m2", "a car, painted Red"),
        ("m3", "redwood and carpet"),
    ];
    let (sessions, id) = one(&world, &texts).await;
    let of = |messages: &[&str]| messages.iter().map(|m| format!("{id}/{m}")).collect::<Vec<_>>();
    let sorted = |mut all: Vec<String>| {
        all.sort();
        all
    };
    assert_eq!(sorted(found(&sessions, "red CAR").await), of(&["m1", "m2"]));
    assert_eq!(found(&sessions, "\"red car\"").await, of(&["m1"]));
    assert_eq!(sorted(found(&sessions, "red* car*").await), of(&["m1", "m2", "m3"]));
    assert_eq!(found(&sessions, "red stops painted").await, of(&[]));
    assert_eq!(found(&sessions, "red AND car").await, of(&[]), "AND is a word like any other");
    assert_eq!(found(&sessions, "(red) car; --painted!").await, of(&["m2"]));
}

#[tokio::test]
async fn a_hit_shows_its_words_between_isolates() {
    let world = World::empty();
    let (sessions, _) = one(&world, &[("m1", "where is the \u{2068}Schlüssel\u{2069} of the house?")]).await;
    let hit = sessions.search("schlussel", None, 5).await.unwrap().remove(0);
    assert_eq!(
        hit.snippet, "where is the \u{2068}Schlüssel\u{2069} of the house?",
        "accents do not matter"
    );
    assert_eq!((hit.kind, hit.at.map(|at| at.0)), (kata_protocol::MessageKind::User, Some(NOON)));
}

#[tokio::test]
async fn a_word_of_two_signs_in_a_script_without_spaces_is_found() {
    let world = World::empty();
    let (sessions, id) = one(&world, &[("m1", "明天的会议室已经预订"), ("m2", "การประชุมพรุ่งนี้"), ("m3", "会 议")]).await;
    assert_eq!(found(&sessions, "会议室").await, [format!("{id}/m1")]);
    assert!(found(&sessions, "会议").await.contains(&format!("{id}/m1")));
    assert_eq!(found(&sessions, "ประชุม").await, [format!("{id}/m2")]);
    let hit = sessions.search("预订", None, 5).await.unwrap().remove(0);
    assert_eq!(hit.snippet, "明天的会议室已经\u{2068}预订\u{2069}");
}

#[tokio::test]
async fn a_session_is_found_within_a_moment_of_its_write_and_after_a_restart_without_reading_again() {
    let world = World::empty();
    let (sessions, id) = one(&world, &[("m1", "first apple")]).await;
    sessions.append(&id, said("m2", "second apple")).await.unwrap();
    assert_eq!(sessions.unsearched(), 1);
    fill(&sessions).await;
    assert_eq!((found(&sessions, "apple").await.len(), sessions.unsearched()), (2, 0));
    // The first line has another length after this.
    sessions.rewrite(&id).await.unwrap();
    fill(&sessions).await;
    assert_eq!(found(&sessions, "apple").await.len(), 2, "nothing is found twice");
    drop(sessions);
    let sessions = world.open().await;
    assert_eq!(sessions.unsearched(), 0);
    assert_eq!(found(&sessions, "apple").await.len(), 2);
}

#[tokio::test]
async fn a_file_that_another_program_wrote_anew_is_read_anew() {
    let world = World::empty();
    let rows = |texts: &[&str]| {
        let row =
            |(n, text): (usize, &&str)| json!({"id": format!("m{n}"), "type": "assistant", "content": text, "timestamp": NOON}).to_string();
        let mut lines = vec![header("260301-a-b").to_string()];
        lines.extend(texts.iter().enumerate().map(row));
        lines.join("\n") + "\n"
    };
    world.write_session("260301-a-b", &rows(&["pear one", "pear two"]));
    let sessions = world.open().await;
    fill(&sessions).await;
    assert_eq!(found(&sessions, "pear").await.len(), 2);
    world.write_session("260301-a-b", &rows(&["plum one", "pear three and more words than before"]));
    sessions.rescan().await.unwrap();
    fill(&sessions).await;
    assert_eq!(found(&sessions, "plum").await.len(), 1);
    assert_eq!(found(&sessions, "pear").await.len(), 1);
    assert!(found(&sessions, "two").await.is_empty());
}

#[tokio::test]
async fn what_a_tool_printed_is_found_by_its_beginning_only() {
    let world = World::empty();
    let (sessions, id) = one(&world, &[]).await;
    let result = format!("needle {} thread", "hay ".repeat(1000));
    let tool = json!({"id": "t1", "type": "tool", "toolName": "grep", "toolResult": result, "timestamp": NOON});
    let append = Append {
        rows: vec![
            row(tool),
            row(json!({"id": "i1", "type": "info", "content": "hidden", "timestamp": NOON})),
        ],
        ..Append::default()
    };
    sessions.append(&id, append).await.unwrap();
    fill(&sessions).await;
    assert_eq!(found(&sessions, "grep needle").await.len(), 1);
    assert!(found(&sessions, "thread").await.is_empty());
    assert!(found(&sessions, "hidden").await.is_empty());
}

#[tokio::test]
async fn an_archived_session_is_found_and_a_deleted_one_leaves_nothing_behind() {
    let world = World::empty();
    let (sessions, id) = one(&world, &[("m1", "quince")]).await;
    let mut summary = sessions.summary(&id).await.unwrap();
    summary.archived = true;
    sessions.update(summary).await.unwrap();
    assert!(sessions.search("quince", None, 5).await.unwrap()[0].session.archived);
    sessions.remove(&id).await.unwrap();
    assert!(found(&sessions, "quince").await.is_empty());
    assert!(!world.session(id.as_str()).exists());
    assert!(!world.workspace().path.join(".trash").exists());
    assert!(sessions.summary(&id).await.is_err());
    let words: i64 = sessions
        .index
        .write_rebuildable(|db| Ok(db.query_row("SELECT count(*) FROM search_texts", [], |row| row.get(0))?))
        .await
        .unwrap();
    assert_eq!(words, 0);
}

#[tokio::test]
async fn a_long_session_is_read_in_steps_and_replaced_in_steps() {
    let world = World::empty();
    let rows: String = (0..6_000)
        .map(|n| {
            json!({"id": format!("m{n}"), "type": "user", "content": format!("melon {}", "x".repeat(200)), "timestamp": NOON}).to_string()
                + "\n"
        })
        .collect();
    world.write_session("260301-a-b", &format!("{}\n{rows}", header("260301-a-b")));
    let sessions = world.open().await;
    assert_eq!(sessions.fill_search().await.unwrap(), 1, "a step does not read it whole");
    fill(&sessions).await;
    assert_eq!(sessions.search("melon", None, 200).await.unwrap().len(), 200);
    world.write_session(
        "260301-a-b",
        &format!(
            "{}\n{}\n",
            header("260301-a-b"),
            json!({"id": "n", "type": "user", "content": "lime"})
        ),
    );
    sessions.rescan().await.unwrap();
    fill(&sessions).await;
    assert!(found(&sessions, "melon").await.is_empty());
    assert_eq!(found(&sessions, "lime").await, ["260301-a-b/n"]);
}

#[tokio::test]
async fn a_search_in_one_workspace_finds_nothing_of_another() {
    let world = World::empty();
    let (sessions, _) = one(&world, &[("m1", "walnut")]).await;
    let here = Some("my-workspace".parse().unwrap());
    assert_eq!(sessions.search("walnut", here, 5).await.unwrap().len(), 1);
    assert!(sessions.search("walnut", Some(id("elsewhere")), 5).await.unwrap().is_empty());
}

#[test]
fn no_query_whatever_it_is_made_of_is_a_syntax_error() {
    let db = rusqlite::Connection::open_in_memory().unwrap();
    db.execute_batch(
        "CREATE VIRTUAL TABLE w USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3');
         INSERT INTO w VALUES ('red car'), ('会\u{200b}议');",
    )
    .unwrap();
    let asked = |query: &str| -> Result<i64, rusqlite::Error> {
        match expression(query) {
            Some(words) => db
                .prepare_cached("SELECT count(*) FROM w WHERE w MATCH ?1")
                .unwrap()
                .query_row([words], |row| row.get(0)),
            None => Ok(0),
        }
    };
    assert_eq!(asked("red").unwrap(), 1);
    let piece = prop_oneof![
        any::<String>(),
        "[\"*^:(){}+\\-, ]{0,8}",
        Just("AND".to_owned()),
        Just("OR NOT NEAR(a b, 5)".to_owned()),
        Just("text:".to_owned()),
        Just("\u{0}".to_owned()),
        Just("会\"议*".to_owned()),
    ];
    let queries = prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 20_000,
        ..ProptestConfig::default()
    });
    runner
        .run(&queries, |query| {
            prop_assert!(
                asked(&query).is_ok(),
                "{query:?} became {:?}: {:?}",
                expression(&query),
                asked(&query)
            );
            Ok(())
        })
        .unwrap();
}
