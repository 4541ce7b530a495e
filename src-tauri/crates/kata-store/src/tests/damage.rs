//! Session files that a crash or another program left damaged.

use super::samples::id;
use super::world::{World, header, said};
use kata_core::ports::{Append, JournalEntry, TranscriptError, Transcripts};
use kata_protocol::{SessionId, SessionList};
use serde_json::json;

const NAME: &str = "260301-apt-oak";

fn sample() -> (String, Vec<String>) {
    let rows = ["one", "zwei ✓", "three"].iter().enumerate();
    let rows = rows
        .map(|(n, text)| json!({"id": format!("m{n}"), "type": "user", "content": text}).to_string())
        .collect();
    (header(NAME).to_string(), rows)
}

#[tokio::test]
async fn a_file_cut_anywhere_after_its_header_loads_and_grows_again() {
    let (head, rows) = sample();
    let whole = format!("{head}\n{}\n", rows.join("\n"));
    let world = World::empty();
    let name: SessionId = id(NAME);
    for cut in head.len() + 1..=whole.len() {
        let damaged = world.session(NAME).join("session.jsonl.damaged");
        let _ = std::fs::remove_file(&damaged);
        std::fs::create_dir_all(world.session(NAME)).unwrap();
        super::world::write(&world.session(NAME).join("session.jsonl"), &whole.as_bytes()[..cut]);
        let sessions = world.open().await;

        let left = &whole.as_bytes()[head.len() + 1..cut];
        let complete = left.iter().filter(|byte| **byte == b'\n').count();
        let tail = left.rsplit(|byte| *byte == b'\n').next().unwrap();
        // A row whose end alone is missing is whole.
        let whole_tail = serde_json::from_slice::<serde_json::Value>(tail).is_ok();
        let torn = !tail.is_empty() && !whole_tail;
        let expected = complete + usize::from(whole_tail);

        let loaded = sessions.load(&name).await.unwrap();
        assert_eq!((loaded.rows.len(), loaded.repaired), (expected, u32::from(torn)), "cut at {cut}");
        sessions.append(&name, said("next", "goes on")).await.unwrap();
        let loaded = sessions.load(&name).await.unwrap();
        assert_eq!((loaded.rows.len(), loaded.repaired), (expected + 1, 0), "cut at {cut}");
        assert_eq!(loaded.rows.last().unwrap()["id"], "next");
        let kept = std::fs::read(&damaged).unwrap_or_default();
        assert_eq!(kept, if torn { [tail, b"\n"].concat() } else { Vec::new() }, "cut at {cut}");
    }
}

#[tokio::test]
async fn a_torn_journal_is_cut_off_and_kept_too() {
    let (head, rows) = sample();
    let world = World::empty();
    world.write_session(NAME, &format!("{head}\n{}\n", rows[0]));
    let journal = world.session(NAME).join("journal.jsonl");
    let entry = JournalEntry::ToolStarted {
        turn: id("t"),
        call: id("c"),
    };
    let good = serde_json::to_string(&entry).unwrap();
    super::world::write(
        &journal,
        format!("{good}\n{{\"kind\":\"of_a_newer_version\"}}\ngarbage\n{{\"kind\":\"tool_st").as_bytes(),
    );

    let sessions = world.open().await;
    let loaded = sessions.load(&id(NAME)).await.unwrap();
    assert_eq!(
        (loaded.journal, loaded.repaired),
        (vec![entry.clone()], 2),
        "one line is garbage, one is torn, one is not ours to judge"
    );
    sessions
        .append(
            &id(NAME),
            Append {
                rows: Vec::new(),
                journal: vec![entry.clone()],
                sync: true,
            },
        )
        .await
        .unwrap();
    assert_eq!(sessions.load(&id(NAME)).await.unwrap().journal, [entry.clone(), entry]);
    assert_eq!(
        std::fs::read_to_string(world.session(NAME).join("journal.jsonl.damaged")).unwrap(),
        "{\"kind\":\"tool_st\n"
    );
}

#[tokio::test]
async fn a_damaged_line_in_the_middle_is_skipped_and_stays_in_its_place() {
    let (head, rows) = sample();
    let world = World::empty();
    let content = format!("{head}\n{}\n{{\"id\":\"m1\",\n\n[1,2]\n{}\n", rows[0], rows[2]);
    world.write_session(NAME, &content);
    let sessions = world.open().await;
    let loaded = sessions.load(&id(NAME)).await.unwrap();
    assert_eq!((loaded.rows.len(), loaded.repaired, loaded.summary.message_count), (2, 2, 2));
    sessions.rewrite(&id(NAME)).await.unwrap();
    assert_eq!(
        world.read_session(NAME).split_once('\n').unwrap().1,
        content.split_once('\n').unwrap().1
    );
}

#[tokio::test]
async fn a_rewrite_moves_a_torn_end_aside() {
    let (head, rows) = sample();
    let world = World::empty();
    world.write_session(NAME, &format!("{head}\n{}\n{{\"id\":\"m5\",\"ty", rows[0]));
    let sessions = world.open().await;
    sessions.rewrite(&id(NAME)).await.unwrap();
    let loaded = sessions.load(&id(NAME)).await.unwrap();
    assert_eq!((loaded.rows.len(), loaded.repaired), (1, 0));
    let damaged = std::fs::read_to_string(world.session(NAME).join("session.jsonl.damaged")).unwrap();
    assert_eq!(damaged, "{\"id\":\"m5\",\"ty\n");
}

#[tokio::test]
async fn a_header_of_any_length_is_read() {
    let world = World::empty();
    let mut head = header(NAME);
    head["labels"] = json!(["x".repeat(300_000)]);
    world.write_session(NAME, &format!("{head}\n"));
    let sessions = world.open().await;
    assert_eq!(sessions.load(&id(NAME)).await.unwrap().summary.labels[0].len(), 300_000);
}

#[tokio::test]
async fn a_bad_header_is_an_error_that_names_the_file_and_not_its_content_and_changes_nothing() {
    let world = World::empty();
    for content in [
        "",
        "\n",
        "{\"id\":\"secret words",
        "[\"secret words\"]\n",
        "{\"name\":\"secret words\"}\n{\"id\":\"m\"}\n",
    ] {
        world.write_session(NAME, content);
        let (sessions, notices) = world.open_with(super::world::TestEntropy::default()).await;
        assert_eq!(notices.len(), 1, "{content:?}");
        assert!(!notices[0].message.contains("secret"), "{}", notices[0].message);
        for error in [
            sessions.load(&id(NAME)).await.err(),
            sessions.append(&id(NAME), said("m", "x")).await.err(),
        ] {
            assert!(matches!(error, Some(TranscriptError::BadHeader { .. })), "{content:?}: {error:?}");
        }
        let everything = SessionList { ..SessionList::default() };
        assert_eq!(sessions.list(everything).await.unwrap().1, 0);
        assert_eq!(world.read_session(NAME), content);
    }
}

#[tokio::test]
async fn a_save_that_was_interrupted_leaves_the_old_session_or_the_new_one() {
    let (head, rows) = sample();
    let world = World::empty();
    let content = format!("{head}\n{}\n", rows[0]);
    // The existing program was stopped between deleting and renaming.
    std::fs::create_dir_all(world.session(NAME)).unwrap();
    let temporary = world.session(NAME).join("session.jsonl.tmp");
    super::world::write(&temporary, content.as_bytes());
    // And once before it began to delete.
    let other = "260301-other-one";
    world.write_session(other, &content.replace(NAME, other));
    let leftover = world.session(other).join("session.jsonl.tmp");
    super::world::write(&leftover, b"{\"id\":\"half");
    // And a temporary file that is nobody's session.
    let third = "260301-third-one";
    std::fs::create_dir_all(world.session(third)).unwrap();
    let nothing = world.session(third).join("session.jsonl.tmp");
    super::world::write(&nothing, b"{\"id\":\"half");

    let sessions = world.open().await;
    assert_eq!(sessions.load(&id(NAME)).await.unwrap().rows.len(), 1);
    assert_eq!(world.read_session(NAME), content);
    assert!(!temporary.exists() && !leftover.exists());
    assert_eq!(sessions.load(&id(other)).await.unwrap().rows.len(), 1);
    assert!(
        nothing.exists(),
        "what cannot be read as a session is not deleted where there is no other"
    );
}
