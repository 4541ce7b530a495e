//! Files of messages and of the agent, over the whole core: when they are fetched, what a failure and a kill leave, what the model
//! is shown, and how they leave.

use crate::ports::{HistoryFile, SEND_FILE, Shown};
use crate::testing::disk::{In, lock};
use crate::testing::draft;
use crate::testing::others::Step;
use crate::testing::world::{World, channel, settle};
use kata_protocol::*;
use std::collections::VecDeque;
use std::sync::atomic::Ordering;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

fn file(reference: &str, name: &str) -> DraftAttachment {
    DraftAttachment {
        reference: reference.into(),
        kind: MediaKind::File,
        name: name.into(),
        mime: None,
        bytes: None,
    }
}

fn error(code: SendErrorCode) -> SendError {
    SendError {
        code,
        message: format!("{code:?} it is"),
        retry_after_ms: Some(2000),
        certain: true,
    }
}

async fn write(world: &World, id: &str, sender: &str, text: &str, files: Vec<DraftAttachment>) -> IngressAnswer {
    let mut draft = draft(id, "c", sender, text);
    draft.attachments = files;
    world.path.ingest(&PluginId::new("test").unwrap(), &channel(), draft).await.unwrap()
}

/// The channel takes files, and nobody is asked about sending them.
fn may_send(world: &World) {
    lock(&world.platform.can).files_out = true;
    lock(&world.permissions.always).push(AlwaysRule {
        tool: SEND_FILE.into(),
        prefix: Vec::new(),
        folder: None,
    });
}

/// The files of the newest question.
fn shown(world: &World) -> Vec<HistoryFile> {
    lock(&world.model.shown).last().cloned().unwrap_or_default()
}

/// Rows of the only session of the channel.
async fn messages(world: &World) -> Vec<Message> {
    let session = world.store.message_session(1);
    world.sessions.detail(&session, None, None).await.unwrap().messages
}

#[tokio::test]
async fn a_strangers_files_are_never_fetched_and_those_of_somebody_let_in_are_there_when_the_turn_begins() {
    let world = World::new(true);
    world.rules.rcu(|rules| {
        let mut rules = (**rules).clone();
        let channel = rules.get_mut(&channel()).unwrap();
        (channel.policy, channel.allow) = (DmPolicy::AllowList, ["ada".to_owned()].into());
        rules
    });
    let refused = write(&world, "m1", "eve", "take this", vec![file("eve's", "a.txt")]).await;
    assert!(matches!(refused, IngressAnswer::Refused { .. }));
    settle().await;
    assert!(lock(&world.platform.shelf.asked).is_empty(), "a stranger fills no disk");
    let files = vec![file("hello", "notes.txt"), file("pic", "../../cat\u{202e}.png")];
    lock(&world.platform.shelf.platform).insert("pic".into(), PNG.to_vec());
    assert_eq!(write(&world, "m2", "ada", "", files).await, IngressAnswer::Admitted);
    settle().await;
    let seen = shown(&world);
    assert_eq!(seen[0].shown, Shown::Text("hello".into()));
    assert_eq!(seen[1].shown, Shown::Picture(PNG.into()));
    assert_eq!(seen[0].path.as_deref(), Some("sessions/s0/attachments/msg-in-2-0_notes.txt"));
    assert_eq!((seen[1].name.as_str(), seen[1].mime.as_str()), ("../../cat.png", "image/png"));
    assert!(
        world.platform.shelf.paths()[1].ends_with("/attachments/msg-in-2-1_cat.png"),
        "{:?}",
        world.platform.shelf.paths()
    );
    let session = world.store.message_session(2);
    let detail = world.sessions.detail(&session, None, None).await.unwrap();
    let attached = &detail.messages[0].attachments;
    assert_eq!((attached.len(), attached[1].kind, attached[1].bytes.0), (2, MediaKind::Image, 8));
    let (found, bytes) = world.sessions.attachment(&session, &attached[0].id).await.unwrap();
    assert_eq!((found.name.as_str(), bytes.as_slice()), ("notes.txt", b"hello".as_slice()));
    assert_eq!(
        world.sessions.attachment(&session, "x").await.unwrap_err().code,
        ErrorCode::NotFound
    );
    assert_eq!(world.platform.texts(), ["re:"], "an empty text with files is a message");
}

#[tokio::test]
async fn what_cannot_be_fetched_is_named_with_its_reason_and_the_turn_goes_on() {
    let world = World::new(true);
    let shelf = &world.platform.shelf;
    lock(&shelf.failures).extend([
        ("gone".to_owned(), VecDeque::from([error(SendErrorCode::NotFound)])),
        (
            "slow".to_owned(),
            VecDeque::from([error(SendErrorCode::RateLimited), error(SendErrorCode::Unreachable)]),
        ),
        ("never".to_owned(), (0..50).map(|_| error(SendErrorCode::Unreachable)).collect()),
    ]);
    let large = DraftAttachment {
        bytes: Some(Count(17 << 20)),
        ..file("large", "film.mp4")
    };
    let files = vec![
        file("gone", "gone\n.txt"),
        file("slow", "slow.txt"),
        file("never", "never.txt"),
        large,
    ];
    write(&world, "m1", "ada", "look", files).await;
    world.until(|| !world.platform.texts().is_empty()).await;
    let asked = lock(&shelf.asked).clone();
    let times = |reference: &str| asked.iter().filter(|a| *a == reference).count();
    assert_eq!(
        (times("gone"), times("slow"), times("never"), times("large")),
        (1, 3, 5, 0),
        "{asked:?}"
    );
    let seen = shown(&world);
    let missing: Vec<_> = seen.iter().map(|f| (f.name.as_str(), f.missing.as_deref())).collect();
    assert_eq!(
        missing,
        [
            ("slow.txt", None),
            ("gone.txt", Some("NotFound it is")),
            ("never.txt", Some("Unreachable it is")),
            ("film.mp4", Some("the file has more than 16777216 bytes")),
        ]
    );
    let rows = messages(&world).await;
    assert_eq!(rows[0].attachments.iter().filter(|a| a.missing.is_some()).count(), 3);
    assert_eq!(world.platform.texts(), ["re: look"]);
}

#[tokio::test]
async fn a_platform_that_never_answers_and_a_disk_that_is_full_hold_a_message_for_two_minutes_at_most() {
    let world = World::new(true);
    world.platform.shelf.answers.send_replace(false);
    write(&world, "m1", "ada", "one", vec![file("a", "a.txt")]).await;
    write(&world, "m2", "ada", "two", Vec::new()).await;
    settle().await;
    assert!(world.platform.texts().is_empty(), "the order of the conversation is kept");
    world.until(|| world.platform.texts().len() == 2).await;
    assert_eq!(shown(&world)[0].missing.as_deref(), Some("it did not come within 120 seconds"));
    world.platform.shelf.answers.send_replace(true);
    world.platform.shelf.full.store(true, Ordering::Relaxed);
    write(&world, "m3", "ada", "three", vec![file("b", "b.txt")]).await;
    world.until(|| world.platform.texts().len() == 3).await;
    assert_eq!(shown(&world)[1].missing.as_deref(), Some("no space left on device"));
}

#[tokio::test]
async fn files_of_one_message_have_a_bound_together() {
    let world = World::new(true);
    for n in 0..6 {
        lock(&world.platform.shelf.platform).insert(format!("f{n}"), vec![b'x'; 15 << 20]);
    }
    // Half of them say how long they are.
    let files = (0..6).map(|n| DraftAttachment {
        bytes: (n % 2 == 0).then_some(Count(15 << 20)),
        ..file(&format!("f{n}"), "f.bin")
    });
    write(&world, "m1", "ada", "much", files.collect()).await;
    world.until(|| !world.platform.texts().is_empty()).await;
    let seen = shown(&world);
    let missing: Vec<_> = seen.iter().filter_map(|f| f.missing.as_deref()).collect();
    assert_eq!(missing.len(), 2, "{missing:?}");
    assert!(missing[0].contains("at most 67108864 bytes together"));
}

#[tokio::test]
async fn killed_while_a_file_is_fetched_it_is_fetched_again_and_lies_there_once() {
    let world = World::new(true);
    world.platform.shelf.answers.send_replace(false);
    write(&world, "m1", "ada", "look", vec![file("a", "a.txt"), file("b", "b.txt")]).await;
    settle().await;
    let world = world.killed().await;
    assert_eq!(lock(&world.model.asked).len(), 0);
    world.platform.shelf.answers.send_replace(true);
    world.path.recover().await.unwrap();
    settle().await;
    assert_eq!(world.platform.texts(), ["re: look"]);
    assert_eq!(world.platform.shelf.paths().len(), 2);
    assert_eq!(shown(&world)[1].shown, Shown::Text("b".into()));
}

#[tokio::test]
async fn killed_after_a_file_was_kept_and_before_its_row_was_written_there_is_no_second_one() {
    let world = World::new(true);
    // The row does not reach the disk.
    world.files.faults.fail("append", u32::MAX);
    write(&world, "m1", "ada", "look", vec![file("a", "a.txt")]).await;
    settle().await;
    let before = world.platform.shelf.paths();
    assert_eq!(before.len(), 1);
    let world = world.killed().await;
    world.path.recover().await.unwrap();
    settle().await;
    assert_eq!(world.platform.shelf.paths(), before);
    assert_eq!(lock(&world.platform.shelf.asked).len(), 2);
    assert_eq!(messages(&world).await[0].attachments.len(), 1);
    assert_eq!(world.platform.texts(), ["re: look"]);
}

#[tokio::test]
async fn after_a_restart_the_model_is_shown_the_files_of_the_conversation_again() {
    let world = World::new(true);
    lock(&world.platform.shelf.platform).insert("pic".into(), PNG.to_vec());
    write(&world, "m1", "ada", "look", vec![file("pic", "cat.png"), file("words", "w.txt")]).await;
    settle().await;
    let world = world.killed().await;
    write(&world, "m2", "ada", "and now?", Vec::new()).await;
    settle().await;
    let seen = shown(&world);
    assert_eq!(
        (&seen[0].shown, &seen[1].shown),
        (&Shown::Picture(PNG.into()), &Shown::Text("words".into()))
    );
    assert_eq!(lock(&world.platform.shelf.asked).len(), 2, "nothing is fetched again");
}

#[tokio::test]
async fn only_the_newest_pictures_and_short_texts_are_sent_again_and_none_to_a_model_that_sees_none() {
    let world = World::new(true);
    let shelf = &world.platform.shelf;
    let picture = |n: usize, bytes: usize| {
        let mut picture = PNG.to_vec();
        picture.resize(bytes, n as u8);
        picture
    };
    for n in 0..12 {
        lock(&shelf.platform).insert(format!("p{n}"), picture(n, 100));
        write(&world, &format!("m{n}"), "ada", "look", vec![file(&format!("p{n}"), "p.png")]).await;
        world.until(|| world.platform.texts().len() == n + 1).await;
    }
    let pictures = |world: &World| shown(world).iter().filter(|f| matches!(f.shown, Shown::Picture(_))).count();
    assert_eq!(pictures(&world), 10);
    assert_eq!(
        (&shown(&world)[0].shown, &shown(&world)[1].shown),
        (&Shown::Nothing, &Shown::Nothing),
        "the oldest are named only"
    );
    lock(&shelf.platform).extend([
        ("big".to_owned(), picture(99, 5_000_001)),
        ("long".to_owned(), vec![b'x'; (32 << 10) + 1]),
        ("bytes".to_owned(), vec![0xff; 10]),
        ("fake".to_owned(), b"<svg onload=alert(1)>".to_vec()),
    ]);
    let odd = vec![
        file("big", "big.png"),
        file("long", "long.txt"),
        file("bytes", "bytes.txt"),
        file("fake", "fake.png"),
    ];
    write(&world, "odd", "ada", "these", odd).await;
    world.until(|| world.platform.texts().len() == 13).await;
    let seen = shown(&world);
    assert!(
        seen[12..].iter().all(|f| f.shown == Shown::Nothing && f.path.is_some()),
        "{:?}",
        &seen[12..]
    );
    world.model.blind.store(true, Ordering::Relaxed);
    write(&world, "blind", "ada", "again", Vec::new()).await;
    world.until(|| world.platform.texts().len() == 14).await;
    assert_eq!(pictures(&world), 0);
}

#[tokio::test]
async fn a_client_sends_files_with_its_input_and_learns_why_one_is_not_taken() {
    let world = World::new(true);
    let id = world.session().await;
    let media = world.platform.shelf.keep("plan.txt", b"dig".to_vec());
    let submit = |files: Vec<Media>| {
        world
            .sessions
            .submit_with(&id, String::new(), files, Delivery::Queue, Some("k".into()), "test")
    };
    let first = submit(vec![media.clone()]).await.unwrap();
    settle().await;
    assert_eq!(
        submit(vec![media.clone()]).await.unwrap().message,
        first.message,
        "the same key is the same input"
    );
    assert_eq!(shown(&world)[0].shown, Shown::Text("dig".into()));
    let detail = world.sessions.detail(&id, None, None).await.unwrap();
    assert_eq!(detail.summary.name.as_deref(), Some("plan.txt"));
    assert_eq!(detail.messages[0].attachments[0].name, "plan.txt");
    let many = world
        .sessions
        .submit_with(&id, "x".into(), vec![media.clone(); 11], Delivery::Queue, None, "test")
        .await
        .unwrap_err();
    assert!(many.message.contains("“attachments”: a message has at most 10 files"), "{many}");
    let gone = Media {
        id: MediaId::new("gone").unwrap(),
        ..media
    };
    let gone = world
        .sessions
        .submit_with(&id, "x".into(), vec![gone], Delivery::Queue, None, "test")
        .await
        .unwrap_err();
    assert!(gone.message.contains("“attachments”") && gone.code == ErrorCode::Invalid, "{gone}");
    assert!(
        world.submit(&id, " ", Delivery::Queue).await.is_err(),
        "without files a text is needed"
    );
    settle().await;
    assert_eq!(lock(&world.model.asked).len(), 1);
}

const SEND: Step = Step::Tools(&[(SEND_FILE, r#"{"path": "report.pdf", "caption": "Here it is."}"#)]);

#[tokio::test]
async fn a_file_the_agent_sends_goes_to_the_conversation_that_asked_before_the_reply_and_stands_in_the_transcript() {
    let world = World::new(true);
    may_send(&world);
    world.script([SEND]);
    write(&world, "m1", "ada", "the report, please", Vec::new()).await;
    world.until(|| world.platform.texts().len() == 2).await;
    let sent = lock(&world.platform.shown).clone();
    assert_eq!(
        (sent[0].text.as_str(), sent[0].attachments.len(), sent[1].attachments.len()),
        ("Here it is.", 1, 0)
    );
    assert_eq!(sent[0].route.conversation.as_str(), "c");
    let bytes = crate::ports::MediaStore::read(&*world.platform.shelf, &sent[0].attachments[0].id)
        .await
        .unwrap();
    assert_eq!(bytes, b"contents of report.pdf");
    let rows = messages(&world).await;
    let tool = rows.iter().find(|m| m.kind == MessageKind::Tool).unwrap();
    assert_eq!(tool.attachments[0].name, "report.pdf");
    assert!(tool.tool.as_ref().unwrap().result.as_ref().unwrap().contains("on its way"));
    assert!(matches!(world.store.inbox(1), In::Answered), "{:?}", world.store.inbox(1));
}

#[tokio::test]
async fn where_a_channel_takes_no_files_the_agent_learns_it_and_nothing_leaves() {
    let world = World::new(true);
    may_send(&world);
    lock(&world.platform.can).files_out = false;
    world.script([SEND]);
    write(&world, "m1", "ada", "the report, please", Vec::new()).await;
    world.until(|| !world.platform.texts().is_empty()).await;
    settle().await;
    let sent = lock(&world.platform.shown).clone();
    assert_eq!((sent.len(), sent[0].attachments.len()), (1, 0));
    let rows = messages(&world).await;
    let tool = rows.iter().find_map(|m| m.tool.as_ref()).unwrap();
    assert_eq!(tool.status, ToolStatus::Error);
    assert!(
        tool.result.as_ref().unwrap().contains("this channel takes no files"),
        "{:?}",
        tool.result
    );
}

#[tokio::test]
async fn a_reply_says_which_of_its_files_could_not_be_sent() {
    let world = World::new(true);
    let media = world.platform.shelf.keep("a.pdf", vec![1, 2, 3]);
    let reply = |key: &str, text: &str| crate::outbox::Reply {
        inbox: None,
        session: None,
        route: crate::ingress::reply_route(&channel(), &draft("m", "c", "ada", "x")),
        text: text.into(),
        key: key.into(),
        trace: None,
        extras: crate::ports::OutboundExtras {
            attachments: vec![media.clone()],
            ..Default::default()
        },
    };
    lock(&world.platform.can).files_out = false;
    world.outbox.send(reply("k1", "Done.")).await.unwrap();
    world.until(|| world.platform.texts().len() == 1).await;
    let sent = lock(&world.platform.shown)[0].clone();
    assert_eq!(
        sent.text,
        "Done.\n\n[Not sent: a.pdf (this channel takes no files). It is in Kata Agents.]"
    );
    assert!(sent.attachments.is_empty());
    lock(&world.platform.can).files_out = true;
    world.outbox.send(reply("k2", "")).await.unwrap();
    world.until(|| world.platform.texts().len() == 2).await;
    assert_eq!(lock(&world.platform.shown)[1].attachments, [media]);
}

#[tokio::test]
async fn in_a_session_of_the_desktop_a_sent_file_is_shown_and_one_that_cannot_be_read_is_the_tools_error() {
    let world = World::new(true);
    let id = world.session().await;
    world.script([SEND]);
    world.submit(&id, "the report, please", Delivery::Queue).await.unwrap();
    settle().await;
    let detail = world.sessions.detail(&id, None, None).await.unwrap();
    let tool = detail.messages.iter().find(|m| m.kind == MessageKind::Tool).unwrap();
    assert_eq!(tool.attachments[0].name, "report.pdf");
    assert!(
        tool.tool
            .as_ref()
            .unwrap()
            .result
            .as_ref()
            .unwrap()
            .contains("is shown to the person")
    );
    assert!(world.store.outbox().is_empty());
    world.script([Step::Tools(&[(SEND_FILE, r#"{"path": "missing"}"#)])]);
    world.submit(&id, "another", Delivery::Queue).await.unwrap();
    settle().await;
    let detail = world.sessions.detail(&id, None, None).await.unwrap();
    let tool = detail.messages.iter().rev().find_map(|m| m.tool.as_ref()).unwrap();
    assert_eq!(
        (tool.status, tool.result.as_deref()),
        (ToolStatus::Error, Some("missing does not exist"))
    );
}
