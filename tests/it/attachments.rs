//! Files end to end: a channel whose platform serves them over HTTP, the whole engine, the program killed, and the CLI.

use kata_protocol::*;
use kata_tests::{FakePlatform, Kata, TestEngine, TestHome, caller, eventually};
use serde_json::{Value, json};
use std::path::PathBuf;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nand so on";

fn with_files(text: &str, n: usize, files: Value) -> Value {
    json!({
        "account": "bot", "messageId": format!("f-{n}"), "conversation": "ada", "chatType": "direct",
        "sender": { "id": "ada", "name": "Ada" }, "text": text, "mentionsBot": true, "attachments": files,
    })
}

async fn engine(platform: &FakePlatform, idempotent: bool) -> TestEngine {
    let home = TestHome::with_plugins(&["loop"]);
    home.settings(&TestHome::loop_settings(&platform.base, idempotent));
    TestEngine::start(home).await
}

async fn channel_session(engine: &TestEngine) -> SessionSummary {
    let channels = SessionList {
        channel: Some(true),
        ..SessionList::default()
    };
    engine.ops.session_list(&caller(), channels).await.unwrap().sessions.remove(0)
}

fn attachments(engine: &TestEngine, session: &SessionId) -> PathBuf {
    engine
        .home
        .path()
        .join("workspaces/my-workspace/sessions")
        .join(session.as_str())
        .join("attachments")
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_message_are_in_the_sessions_folder_when_the_agent_answers_and_it_can_read_them_and_send_them_back() {
    let platform = FakePlatform::start().await;
    platform.put("cat", PNG);
    platform.put("words", b"the secret word is plum");
    platform.put("big", &vec![b'x'; 300_000]);
    let engine = engine(&platform, true).await;
    let files = json!([
        { "reference": "cat", "name": "../../../cat\u{202e}.png", "kind": "image" },
        { "reference": "words", "name": "CON.txt" },
        { "reference": "big", "name": "big.csv", "bytes": 300000 },
        { "reference": "none", "name": "none.pdf" },
        { "reference": "huge", "name": "film.mp4", "bytes": 99999999 },
    ]);
    platform.write_draft(with_files("", 1, files));
    let sent = platform.delivered(1).await;
    let answer = &sent[0].message.text;
    for told in [
        "a picture of 17 bytes, which I am shown",
        "the secret word is plum",
        "300000 bytes at",
        "not there: media.fetch",
        "16777216 bytes",
    ] {
        assert!(answer.contains(told), "{told}: {answer}");
    }
    assert!(
        !platform.fetched().contains(&"huge".to_owned()),
        "what is said to be too large is not asked for"
    );
    let session = channel_session(&engine).await;
    let folder = attachments(&engine, &session.id);
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort_by_key(|name| name[37..].to_owned());
    assert_eq!(
        names.iter().map(|name| &name[36..]).collect::<Vec<_>>(),
        ["__CON.txt", "_big.csv", "_cat.png"]
    );

    let lines = std::fs::read_to_string(folder.parent().unwrap().join("session.jsonl")).unwrap();
    let row: Value = serde_json::from_str(lines.lines().nth(1).unwrap()).unwrap();
    let stored = row["attachments"][0]["storedPath"].as_str().unwrap();
    assert_eq!(
        (row["attachments"][0]["type"].as_str(), std::fs::read(stored).unwrap().as_slice()),
        (Some("image"), PNG)
    );
    assert_eq!(
        row["attachments"].as_array().unwrap().len() + row["missingAttachments"].as_array().unwrap().len(),
        5
    );

    let detail = engine.detail(&session.id).await;
    let attached = &detail.messages[0].attachments;
    assert_eq!(attached.iter().filter(|a| a.missing.is_some()).count(), 2);
    let wanted = |attachment: &str| SessionAttachmentRef {
        session: session.id.clone(),
        attachment: attachment.into(),
    };
    let data = engine.ops.session_attachment(&caller(), wanted(&attached[1].id)).await.unwrap();
    assert_eq!(
        (data.mime.as_str(), data.data.as_str()),
        ("text/plain", "dGhlIHNlY3JldCB3b3JkIGlzIHBsdW0=")
    );
    let missing = attached.iter().find(|a| a.missing.is_some()).unwrap();
    assert_eq!(
        engine
            .ops
            .session_attachment(&caller(), wanted(&missing.id))
            .await
            .unwrap_err()
            .code,
        ErrorCode::NotFound
    );

    // Its own folder it may read and send from, also in mode safe; nothing else.
    assert_eq!(session.mode, PermissionMode::Safe);
    let path = format!("sessions/{}/attachments/{}", session.id, names[1]);
    let words = format!("sessions/{}/attachments/{}", session.id, names[0]);
    platform.write_draft(with_files(&format!("/tool read {}", json!({"path": words})), 2, json!([])));
    assert!(platform.delivered(2).await[1].message.text.contains("The tool `read` answered"));
    platform.write_draft(with_files(
        &format!("/tool send_file {}", json!({"path": path, "caption": "as you asked"})),
        3,
        json!([]),
    ));
    let sent = platform.delivered(4).await;
    assert_eq!(sent[2].message.text, "as you asked");
    let media = &sent[2].message.attachments[0];
    assert_eq!(platform.uploaded(media.id.as_str()).unwrap(), vec![b'x'; 300_000]);
    assert!(sent[3].message.text.contains("on its way"), "{}", sent[3].message.text);
    std::fs::write(engine.home.path().join("workspaces/my-workspace/notes.txt"), b"private").unwrap();
    platform.write_draft(with_files(r#"/tool send_file {"path": "notes.txt"}"#, 4, json!([])));
    let sent = platform.delivered(5).await;
    assert!(
        sent[4].message.text.contains("mode safe") && sent[4].message.attachments.is_empty(),
        "{}",
        sent[4].message.text
    );
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_channel_takes_no_files_the_agent_is_told_so() {
    let platform = FakePlatform::start().await;
    platform.put("words", b"plum");
    let engine = engine(&platform, false).await;
    platform.write_draft(with_files("take this", 1, json!([{ "reference": "words", "name": "w.txt" }])));
    platform.delivered(1).await;
    let session = channel_session(&engine).await;
    let name = std::fs::read_dir(attachments(&engine, &session.id))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .file_name();
    let path = format!("sessions/{}/attachments/{}", session.id, name.to_string_lossy());
    platform.write_draft(with_files(&format!("/tool send_file {}", json!({"path": path})), 2, json!([])));
    let sent = platform.delivered(2).await;
    assert!(
        sent[1].message.text.contains("this channel takes no files"),
        "{}",
        sent[1].message.text
    );
    engine.engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_files_were_kept_they_are_there_once_and_the_message_is_answered_once() {
    let platform = FakePlatform::start().await;
    platform.put("words", b"plum");
    let home = TestHome::with_plugins(&["loop"]);
    home.settings(&TestHome::loop_settings(&platform.base, true));
    let kata = Kata(&home);
    let mut first = kata.serve(Some("after_files_kept")).await;
    platform.write_draft(with_files("take this", 1, json!([{ "reference": "words", "name": "w.txt" }])));
    first.died().await;
    drop(first);
    let second = kata.serve(None).await;
    let sent = platform.delivered(1).await;
    assert!(sent[0].message.text.contains("plum"), "{}", sent[0].message.text);
    let list = tokio::task::block_in_place(|| kata.json(&["sessions", "list", "--channels"]));
    let id = list["sessions"][0]["id"].as_str().unwrap().to_owned();
    let files = tokio::task::block_in_place(|| kata.json(&["sessions", "attachment", &id]));
    assert_eq!(files.as_array().unwrap().len(), 1, "{files}");
    let folder = home.path().join("workspaces/my-workspace/sessions").join(&id).join("attachments");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
    assert_eq!(platform.fetched().len(), 2, "fetched again, kept once");
    assert_eq!(platform.sent().len(), 1);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_sends_files_of_the_largest_size_and_saves_them_again() {
    let home = TestHome::with_plugins(&[]);
    let kata = Kata(&home);
    let engine = kata.serve(None).await;
    let (large, words) = (home.dir.path().join("large.bin"), home.dir.path().join("words.txt"));
    std::fs::write(&large, vec![7; 16 << 20]).unwrap();
    std::fs::write(&words, "plum").unwrap();
    let run = |args: &[&str]| tokio::task::block_in_place(|| kata.run(args));
    let (large, words) = (large.display().to_string(), words.display().to_string());
    let said = run(&["chat", "--new", "-m", "look", "--attach", &large, "--attach", &words]);
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(
        said.status.success() && text.contains("plum") && text.contains("16777216 bytes at"),
        "{text} {}",
        String::from_utf8_lossy(&said.stderr)
    );
    let list = tokio::task::block_in_place(|| kata.json(&["sessions", "list"]));
    let id = list["sessions"][0]["id"].as_str().unwrap().to_owned();
    let files = tokio::task::block_in_place(|| kata.json(&["sessions", "attachment", &id]));
    let saved = home.dir.path().join("saved.bin").display().to_string();
    let said = run(&["sessions", "attachment", &id, files[0]["id"].as_str().unwrap(), "-o", &saved]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert_eq!(std::fs::read(&saved).unwrap(), vec![7; 16 << 20]);
    let again = run(&["sessions", "attachment", &id, files[0]["id"].as_str().unwrap(), "-o", &saved]);
    assert!(!again.status.success(), "a file that is there is not overwritten");
    // Files alone are a message.
    let said = run(&["chat", &id, "--attach", &words]);
    assert!(String::from_utf8_lossy(&said.stdout).contains("plum"));
    std::fs::write(home.dir.path().join("more"), vec![7; (16 << 20) + 1]).unwrap();
    let said = run(&["chat", &id, "--attach", &home.dir.path().join("more").display().to_string()]);
    assert!(String::from_utf8_lossy(&said.stderr).contains("at most 16 MiB"));
    eventually("the engine goes on", async || Some(())).await;
    engine.stop().await;
}
