//! Files on their way and files of sessions.
#![allow(clippy::disallowed_methods, reason = "a test leaves files as a crash or another program would")]

use super::samples::part;
use super::world::{NOON, World, new_session};
use crate::{MediaFolder, SqliteStore};
use futures::StreamExt;
use futures::stream;
use kata_core::ports::{Content, MediaError, MediaStore, MessageStore, NewMedia, OutboundExtras, Transcripts};
use kata_protocol::{MediaId, MediaKind, Ms, Receipt, SessionId};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

struct Desk {
    world: World,
    store: Arc<SqliteStore>,
    media: MediaFolder,
    session: SessionId,
}

async fn desk(most: u64) -> Desk {
    let world = World::empty();
    let sessions = world.open().await;
    let session = sessions.create(new_session()).await.unwrap().id;
    let store = world.store();
    let media = MediaFolder::with_room(world.paths().media(), sessions, Arc::clone(&store), most)
        .await
        .unwrap();
    Desk {
        world,
        store,
        media,
        session,
    }
}

fn pieces(pieces: &[&[u8]]) -> Content {
    let pieces: Vec<Result<Vec<u8>, MediaError>> = pieces.iter().map(|piece| Ok(piece.to_vec())).collect();
    stream::iter(pieces).boxed()
}

fn named(name: &str) -> NewMedia {
    NewMedia {
        name: name.into(),
        ..NewMedia::default()
    }
}

impl Desk {
    /// Names in `media/`.
    fn lying(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.world.paths().media())
            .unwrap()
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
    fn attachments(&self) -> PathBuf {
        self.world.session(self.session.as_str()).join("attachments")
    }
}

#[tokio::test]
async fn a_file_is_named_by_its_contents_and_lies_there_once() {
    let desk = desk(1 << 20).await;
    let png: &[u8] = b"\x89PNG\r\n\x1a\n";
    let first = desk.media.put(named("cat\n.png"), pieces(&[png, b"meow"]), 1000).await.unwrap();
    assert_eq!(
        (first.name.as_str(), first.mime.as_str(), first.kind, first.bytes.0),
        ("cat.png", "image/png", MediaKind::Image, 12)
    );
    let again = desk
        .media
        .put(named("other"), pieces(&[b"\x89PNG\r\n", b"\x1a\nmeow"]), 1000)
        .await
        .unwrap();
    assert_eq!(first.id, again.id);
    assert_eq!(desk.lying(), [first.id.to_string()]);
    assert_eq!(desk.media.read(&first.id).await.unwrap(), b"\x89PNG\r\n\x1a\nmeow");
    for id in ["../kata.db", "x", &"A".repeat(64)] {
        let missing = desk.media.read(&MediaId::new(id).unwrap()).await.unwrap_err();
        assert_eq!(missing.code(), "not_found", "{id}");
    }
}

#[tokio::test]
async fn what_is_too_large_breaks_off_or_has_no_room_leaves_nothing_behind() {
    let desk = desk(10).await;
    let large = desk.media.put(named("a"), pieces(&[b"12345", b"678"]), 7).await.unwrap_err();
    assert_eq!(large, MediaError::TooLarge { limit: 7 });
    let broken: Content = stream::iter([Ok(b"123".to_vec()), Err(MediaError::Failed("gone".into()))]).boxed();
    assert_eq!(
        desk.media.put(named("a"), broken, 7).await.unwrap_err(),
        MediaError::Failed("gone".into())
    );
    assert_eq!(desk.lying(), Vec::<String>::new());
    desk.media.put(named("a"), pieces(&[b"12345678"]), 100).await.unwrap();
    let full = desk.media.put(named("b"), pieces(&[b"abc"]), 100).await.unwrap_err();
    assert!(matches!(full, MediaError::Full { limit: 10, .. }), "{full:?}");
    assert!(full.to_string().contains("at most 10 bytes"), "{full}");
    desk.media.put(named("b"), pieces(&[b"ab"]), 100).await.unwrap();
    assert_eq!(desk.lying().len(), 2, "what failed takes no room");
}

#[tokio::test]
async fn a_file_that_an_earlier_run_was_writing_is_removed() {
    let desk = desk(100).await;
    let kept = desk.media.put(named("a"), pieces(&[b"whole"]), 100).await.unwrap();
    std::fs::write(desk.world.paths().media().join("99-0.part"), b"half of it").unwrap();
    let again = MediaFolder::open(desk.world.paths().media(), desk.world.open().await, Arc::clone(&desk.store))
        .await
        .unwrap();
    assert_eq!(desk.lying(), [kept.id.to_string()]);
    assert_eq!(again.read(&kept.id).await.unwrap(), b"whole");
}

#[tokio::test]
async fn rubbish_goes_after_a_day_and_what_a_reply_still_needs_stays() {
    let desk = desk(1000).await;
    let put = async |text: &[u8]| desk.media.put(named("f.txt"), pieces(&[text]), 100).await.unwrap();
    let (rubbish, waits, left, young) = (put(b"rubbish").await, put(b"waits").await, put(b"left").await, put(b"young").await);
    let with = |key: &str, media: &kata_protocol::Media| {
        let mut part = part(key);
        part.extras = OutboundExtras {
            attachments: vec![media.clone()],
            ..OutboundExtras::default()
        };
        part
    };
    desk.store.enqueue(None, vec![with("k1", &waits)], Ms(1)).await.unwrap();
    let sent = desk.store.enqueue(None, vec![with("k2", &left)], Ms(1)).await.unwrap();
    desk.store.sent(sent[0].id, &Receipt { message_ids: Vec::new() }).await.unwrap();
    let day = Duration::from_secs(25 * 3600);
    let now = SystemTime::UNIX_EPOCH + Duration::from_millis(NOON);
    for (media, at) in [(&rubbish, now - day), (&waits, now - day), (&left, now - day), (&young, now)] {
        let path = desk.world.paths().media().join(media.id.as_str());
        std::fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
    }
    assert_eq!(desk.media.tidy(Ms(NOON)).await.unwrap(), 2);
    let mut stays = vec![waits.id.to_string(), young.id.to_string()];
    stays.sort();
    assert_eq!(desk.lying(), stays);
    // Put once more, it is new again.
    let again = put(b"waits").await;
    assert_eq!(again.id, waits.id);
    let path = desk.world.paths().media().join(waits.id.as_str());
    assert!(path.metadata().unwrap().modified().unwrap() > now - day);
}

#[tokio::test]
async fn a_session_gets_a_copy_once_under_a_name_that_leads_nowhere() {
    let desk = desk(1000).await;
    let media = desk.media.put(named("x"), pieces(&[b"%PDF-1.7 text"]), 100).await.unwrap();
    let first = desk
        .media
        .attach(&desk.session, "msg-in-1/0", "../../../evil\u{202e}\n.pdf", &media.id)
        .await
        .unwrap();
    let again = desk
        .media
        .attach(&desk.session, "msg-in-1/0", "../../../evil\u{202e}\n.pdf", &media.id)
        .await
        .unwrap();
    assert_eq!(first, again);
    let path = PathBuf::from(&first.path);
    assert_eq!(path.parent().unwrap(), desk.attachments());
    assert_eq!(path.file_name().unwrap().to_str().unwrap(), format!("{}_evil.pdf", first.id));
    assert_eq!((first.mime.as_str(), first.bytes), ("application/pdf", 13));
    let other = desk.media.attach(&desk.session, "msg-in-1/1", "CON", &media.id).await.unwrap();
    assert!(other.path.ends_with("__CON"), "{}", other.path);
    assert_eq!(std::fs::read_dir(desk.attachments()).unwrap().count(), 2);
    let file = path.file_name().unwrap().to_str().unwrap();
    assert_eq!(desk.media.attached(&desk.session, file, 100).await.unwrap(), b"%PDF-1.7 text");
    assert_eq!(
        desk.media.attached(&desk.session, file, 5).await.unwrap_err(),
        MediaError::TooLarge { limit: 5 }
    );
    for name in ["", "..", "../session.jsonl", "/etc/passwd", "a\\b", ".hidden", "none"] {
        assert_eq!(
            desk.media.attached(&desk.session, name, 100).await.unwrap_err().code(),
            "not_found",
            "{name}"
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn no_link_that_an_agent_put_into_its_attachments_is_followed() {
    use std::os::unix::fs::symlink;
    let desk = desk(1000).await;
    let secret = desk.world.folder.path().join("secret");
    std::fs::write(&secret, b"a key").unwrap();
    let media = desk.media.put(named("x"), pieces(&[b"new words"]), 100).await.unwrap();
    let at = desk.media.attach(&desk.session, "k", "a.txt", &media.id).await.unwrap();
    let (path, file) = (
        PathBuf::from(&at.path),
        PathBuf::from(&at.path).file_name().unwrap().to_str().unwrap().to_owned(),
    );
    std::fs::remove_file(&path).unwrap();
    symlink(&secret, &path).unwrap();
    symlink(&secret, path.with_file_name(format!(".{file}.part"))).unwrap();
    assert_eq!(
        desk.media.attached(&desk.session, &file, 100).await.unwrap_err().code(),
        "not_found"
    );
    desk.media.attach(&desk.session, "k", "a.txt", &media.id).await.unwrap();
    assert_eq!(std::fs::read(&secret).unwrap(), b"a key", "nothing was written through a link");
    assert_eq!(desk.media.attached(&desk.session, &file, 100).await.unwrap(), b"new words");
    std::fs::remove_dir_all(desk.attachments()).unwrap();
    symlink(desk.world.folder.path(), desk.attachments()).unwrap();
    assert_eq!(
        desk.media.attached(&desk.session, "secret", 100).await.unwrap_err().code(),
        "not_found"
    );
    assert!(desk.media.attach(&desk.session, "k", "a.txt", &media.id).await.is_err());
}
