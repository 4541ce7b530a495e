//! Files of a session's messages: fetched after their sender was let in, noted on the row as the existing files have it, and shown
//! to the model.
//!
//! A file that was fetched before a kill is the same file when it is fetched again: its name comes of the row and its place in the
//! message. Neighbours: `intake` asks for them before the row is written, `turn` before the model is asked; the port `MediaStore`
//! keeps the bytes. Deliberately absent: bytes in any row.

use super::live::{Live, lock};
use super::rows;
use super::runner::Runner;
use crate::files;
use crate::ports::{Attached, HistoryFile, HistoryItem, MAX_FILE, MediaError, Shown, StoredRow};
use futures::future::join_all;
use kata_protocol::{
    Attachment, ChannelId, Count, DraftAttachment, InboundDraft, Media, MediaKind, MessageId, SendErrorCode, SessionSummary,
};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Most bytes of one message's files together.
const MAX_MESSAGE: u64 = 64 << 20;
/// Time the files of one message have in all.
const TIME: Duration = Duration::from_secs(120);
/// Times a platform that cannot be reached is asked for one file.
const ATTEMPTS: u32 = 5;
/// First wait between two of them; doubled.
const WAIT: Duration = Duration::from_millis(500);
/// Largest picture that is shown, bytes.
const PICTURE: u64 = 5_000_000;
/// Pictures that are shown, the newest, and their bytes together: what is sent again with every question.
const PICTURES: (usize, u64) = (10, 12 << 20);
/// Largest text that is shown without being asked for, and texts together, bytes.
const TEXT: (u64, u64) = (32 << 10, 128 << 10);

/// A file as its row has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Noted {
    pub id: String,
    pub kind: MediaKind,
    pub name: String,
    pub mime: String,
    pub bytes: u64,
    /// Where it lies, or why it is not there.
    pub place: Result<String, Missing>,
}

/// Why a file is not there, for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Missing(String);

impl From<MediaError> for Missing {
    fn from(error: MediaError) -> Self {
        Self(error.to_string())
    }
}

/// Where a session's files lie, and from where its tools look at them.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    folder: String,
    working: Option<String>,
}

impl Place {
    pub(super) fn new(folder: &str, summary: &SessionSummary) -> Self {
        Self {
            folder: folder.to_owned(),
            working: summary.working_directory.clone(),
        }
    }

    /// A file's path as the session's tools open it: from the working folder where it lies below it, else whole.
    fn shown(&self, file: &str) -> String {
        let path = Path::new(&self.folder).join(file);
        let below = match &self.working {
            Some(working) => path.strip_prefix(working).ok(),
            // The workspace's folder, in which the session's own is `sessions/ID`.
            None => path.ancestors().nth(4).and_then(|workspace| path.strip_prefix(workspace).ok()),
        };
        below.unwrap_or(&path).display().to_string()
    }
}

impl Noted {
    fn missing(file: &DraftAttachment, n: usize, why: Missing) -> Self {
        let name = files::shown_name(&file.name);
        Self {
            id: format!("missing-{n}"),
            kind: file.kind,
            mime: files::mime_of(&name, file.mime.as_deref(), b""),
            name,
            bytes: 0,
            place: Err(why),
        }
    }

    fn there(name: &str, kind: MediaKind, said: &str, attached: Attached) -> Self {
        let name = files::shown_name(name);
        Self {
            id: attached.id,
            kind: if kind == MediaKind::File {
                files::kind_of(&attached.mime)
            } else {
                kind
            },
            // What its bytes or its name say stands before what its source says, unless they say nothing.
            mime: match attached.mime.as_str() {
                "application/octet-stream" => files::mime_of(&name, Some(said), b""),
                mime => mime.to_owned(),
            },
            name,
            bytes: attached.bytes,
            place: Ok(attached.path),
        }
    }
}

/// Puts files on a row: those that are there as the existing files have them, the others in a field of their own.
pub(super) fn put_on(row: &mut StoredRow, notes: &[Noted]) {
    let (mut there, mut missing) = (Vec::new(), Vec::new());
    for note in notes {
        match &note.place {
            Ok(path) => there.push(json!({
                "id": note.id, "type": files::old_type(&note.mime), "name": note.name, "mimeType": note.mime, "size": note.bytes,
                "storedPath": path, "kind": note.kind,
            })),
            Err(why) => missing.push(json!({
                "id": note.id, "name": note.name, "mimeType": note.mime, "kind": note.kind, "reason": why.to_string(),
            })),
        }
    }
    if !there.is_empty() {
        row.insert("attachments".into(), there.into());
    }
    if !missing.is_empty() {
        row.insert("missingAttachments".into(), missing.into());
    }
}

/// The files of a row, whoever wrote it, each with the last part of its path. What cannot be read is left out.
fn read(row: &StoredRow) -> Vec<(Attachment, String)> {
    let list = |key: &str| row.get(key).and_then(Value::as_array).into_iter().flatten();
    let of = |value: &Value, missing: Option<String>| {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let name = files::shown_name(text("name")?);
        let mime = text("mimeType")
            .and_then(files::plain_mime)
            .unwrap_or_else(|| files::mime_of(&name, None, b""));
        let kind = value.get("kind").and_then(|kind| serde_json::from_value(kind.clone()).ok());
        let attachment = Attachment {
            id: text("id")?.to_owned(),
            kind: kind.unwrap_or_else(|| files::kind_of(&mime)),
            name,
            mime,
            bytes: Count(value.get("size").and_then(Value::as_f64).unwrap_or_default() as u64),
            missing,
        };
        // A row may come from another machine: only the file's own name counts, in this session's folder.
        let file = text("storedPath")
            .and_then(|path| path.rsplit(['/', '\\']).next())
            .unwrap_or_default();
        Some((attachment, file.to_owned()))
    };
    let there = list("attachments").filter_map(|value| of(value, None));
    let missing = list("missingAttachments").filter_map(|value| of(value, Some(value.get("reason")?.as_str()?.to_owned())));
    there.chain(missing).collect()
}

/// The files of a row, for clients.
pub(super) fn view(row: &StoredRow) -> Vec<Attachment> {
    read(row).into_iter().map(|(attachment, _)| attachment).collect()
}

/// The files of a row, for the model.
pub(super) fn history(row: &StoredRow, place: &Place) -> Vec<HistoryFile> {
    let file = |(attachment, file): (Attachment, String)| HistoryFile {
        path: (attachment.missing.is_none() && !file.is_empty()).then(|| place.shown(&file)),
        name: attachment.name,
        mime: attachment.mime,
        bytes: attachment.bytes.0,
        missing: attachment.missing,
        file,
        shown: Shown::Nothing,
    };
    read(row).into_iter().map(file).collect()
}

/// A file among rows: how it is shown, and the last part of its path. `None`: there is none of that id.
pub(super) fn find(rows: &[StoredRow], id: &str) -> Option<(Attachment, String)> {
    rows.iter().rev().flat_map(read).find(|(attachment, _)| attachment.id == id)
}

/// First words of a message that has none of its own.
pub(super) fn names(notes: &[Noted]) -> String {
    notes.iter().map(|note| note.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Fetches the files of a channel's message and gives the session its copies. `None`: the program ends, and the next start fetches
/// them again.
pub(super) async fn fetch(live: &Live, channel: &ChannelId, draft: &InboundDraft, row: &MessageId) -> Option<Vec<Noted>> {
    let stopping = live.deps.tasks.stopping();
    let together = AtomicU64::new(0);
    let late = live.deps.clock.now().0 + TIME.as_millis() as u64;
    let all = draft.attachments.iter().enumerate().map(|(n, file)| {
        let together = &together;
        async move {
            let one = fetch_one(live, channel, draft, file, together, late);
            let fetched = tokio::select! {
                biased;
                fetched = one => fetched,
                () = live.deps.clock.sleep(TIME) => Err(Missing(format!("it did not come within {} seconds", TIME.as_secs()))),
            };
            let kept = match fetched {
                Ok(media) => keep(live, row, n, &file.name, file.kind, &media).await,
                Err(missing) => Err(missing),
            };
            kept.unwrap_or_else(|why| {
                tracing::warn!(session = %live.id, %channel, reason = %why, "a file of a message could not be had");
                Noted::missing(file, n, why)
            })
        }
    });
    tokio::select! {
        biased;
        () = stopping.cancelled() => None,
        notes = join_all(all) => Some(notes),
    }
}

/// Gives the session a copy of a file.
async fn keep(live: &Live, row: &MessageId, n: usize, name: &str, kind: MediaKind, media: &Media) -> Result<Noted, Missing> {
    let attached = live.deps.media.attach(&live.id, &format!("{row}/{n}"), name, &media.id).await?;
    Ok(Noted::there(name, kind, &media.mime, attached))
}

/// Gives the session copies of files a client sent, in order. The first that cannot be had fails them all.
pub(super) async fn take_in(live: &Live, row: &MessageId, sent: &[Media]) -> Result<Vec<Noted>, Missing> {
    let mut notes = Vec::with_capacity(sent.len());
    for (n, media) in sent.iter().enumerate() {
        notes.push(keep(live, row, n, &media.name, media.kind, media).await?);
    }
    Ok(notes)
}

/// Asks the channel for one file; again where that may help.
async fn fetch_one(
    live: &Live,
    channel: &ChannelId,
    draft: &InboundDraft,
    file: &DraftAttachment,
    together: &AtomicU64,
    late: u64,
) -> Result<Media, Missing> {
    if file.bytes.is_some_and(|bytes| bytes.0 > MAX_FILE) {
        return Err(MediaError::TooLarge { limit: MAX_FILE }.into());
    }
    // What is said to be too much is not asked for; what turns out to be is not kept.
    let room = |bytes: u64| {
        let fits = together.fetch_add(bytes, Ordering::Relaxed) + bytes <= MAX_MESSAGE;
        let why = || Missing(format!("the files of one message have at most {MAX_MESSAGE} bytes together"));
        fits.then_some(()).ok_or_else(why)
    };
    let said = file.bytes.map_or(0, |bytes| bytes.0);
    room(said)?;
    let mut attempt = 1;
    loop {
        let asked = live.deps.channels.download(channel, &draft.account, file.clone()).await;
        let error = match asked {
            Ok(media) => {
                room(media.bytes.0.saturating_sub(said))?;
                return Ok(media);
            }
            Err(error) => error,
        };
        let doubled = WAIT.saturating_mul(1 << attempt.min(6));
        let wait = match error.code {
            SendErrorCode::RateLimited => error.retry_after_ms.map_or(doubled, |ms| Duration::from_millis(u64::from(ms))),
            SendErrorCode::Unreachable if attempt < ATTEMPTS => doubled,
            _ => return Err(Missing(error.message)),
        };
        if live.deps.clock.now().0 + wait.as_millis() as u64 >= late {
            return Err(Missing(error.message));
        }
        attempt += 1;
        live.deps.clock.sleep(wait).await;
    }
}

/// The files of an input whose row is written.
pub(super) fn of_input(live: &Live, row: &MessageId) -> Vec<HistoryFile> {
    let place = live.place();
    let transcript = lock(&live.transcript);
    let row = transcript.rows.iter().rev().find(|r| rows::field(r, "id") == Some(row.as_str()));
    row.map(|row| history(row, &place)).unwrap_or_default()
}

/// What is to be shown of one file: its place in the conversation, and whether it is a picture.
struct Wanted {
    item: usize,
    n: usize,
    picture: bool,
}

impl Runner {
    /// Shows the newest pictures and texts of the conversation, as many as the budgets allow, and takes older ones away again: the
    /// bytes go with every question. Which ones those are changes only when files come, so that the provider's cache still fits.
    pub(super) async fn show_files(&mut self, pictures: bool) {
        let mut wanted = Vec::new();
        let (mut left, mut bytes, mut letters) = (PICTURES.0, PICTURES.1, TEXT.1);
        for (item, user) in self.history.iter().enumerate().rev() {
            let HistoryItem::User { files: all, .. } = user else { continue };
            for (n, file) in all.iter().enumerate().rev().filter(|(_, file)| file.path.is_some()) {
                if files::is_picture(&file.mime) && pictures && file.bytes <= PICTURE && left > 0 && file.bytes <= bytes {
                    (left, bytes) = (left - 1, bytes - file.bytes);
                    wanted.push(Wanted { item, n, picture: true });
                } else if files::is_text(&file.mime) && file.bytes <= TEXT.0 && file.bytes <= letters {
                    letters -= file.bytes;
                    wanted.push(Wanted { item, n, picture: false });
                }
            }
        }
        let mut shown = Vec::with_capacity(wanted.len());
        for Wanted { item, n, picture } in wanted {
            let Some(HistoryItem::User { files: all, .. }) = self.history.get(item) else {
                continue;
            };
            let Some(file) = all.get(n) else { continue };
            let what = match &file.shown {
                Shown::Nothing => self.load(file, picture).await,
                known => known.clone(),
            };
            shown.push((item, n, what));
        }
        let changes = self.history.iter().enumerate().any(|(item, user)| {
            let HistoryItem::User { files: all, .. } = user else { return false };
            let now = |n: usize| shown.iter().find(|(i, m, _)| (*i, *m) == (item, n)).map(|(_, _, what)| what);
            all.iter()
                .enumerate()
                .any(|(n, file)| now(n).unwrap_or(&Shown::Nothing) != &file.shown)
        });
        if !changes {
            return;
        }
        let history = Arc::make_mut(&mut self.history);
        for item in history.iter_mut() {
            if let HistoryItem::User { files: all, .. } = item {
                all.iter_mut().for_each(|file| file.shown = Shown::Nothing);
            }
        }
        for (item, n, what) in shown {
            if let Some(HistoryItem::User { files: all, .. }) = history.get_mut(item)
                && let Some(file) = all.get_mut(n)
            {
                file.shown = what;
            }
        }
    }

    /// A file's contents, as far as they are what they are said to be.
    async fn load(&self, file: &HistoryFile, picture: bool) -> Shown {
        let most = if picture { PICTURE } else { TEXT.0 };
        match self.deps.media.attached(&self.live.id, &file.file, most).await {
            Ok(bytes) if picture => match files::sniffed(&bytes) {
                Some(mime) if mime == file.mime => Shown::Picture(bytes.into()),
                _ => Shown::Nothing,
            },
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) if !text.contains('\0') => Shown::Text(text.into()),
                _ => Shown::Nothing,
            },
            Err(error) => {
                tracing::warn!(session = %self.live.id, %error, "a file of the conversation is not shown to the model");
                Shown::Nothing
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn row(value: Value) -> StoredRow {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_row_keeps_its_files_as_the_existing_files_have_them_and_what_is_missing_beside_them() {
        let mut written = row(json!({"id": "1", "type": "user", "content": ""}));
        let there = Noted {
            id: "u-1".into(),
            kind: MediaKind::Image,
            name: "cat.png".into(),
            mime: "image/png".into(),
            bytes: 12,
            place: Ok("/h/workspaces/w/sessions/s/attachments/u-1_cat.png".into()),
        };
        let gone = Noted {
            id: "missing-1".into(),
            place: Err(Missing("it is gone".into())),
            bytes: 0,
            ..there.clone()
        };
        put_on(&mut written, &[there, gone]);
        assert_eq!(
            written["attachments"],
            json!([{"id": "u-1", "type": "image", "name": "cat.png", "mimeType": "image/png", "size": 12,
                "storedPath": "/h/workspaces/w/sessions/s/attachments/u-1_cat.png", "kind": "image"}])
        );
        let seen = view(&written);
        assert_eq!(
            (seen.len(), seen[0].missing.as_deref(), seen[1].missing.as_deref()),
            (2, None, Some("it is gone"))
        );
        let mut plain = row(json!({"id": "1"}));
        put_on(&mut plain, &[]);
        assert_eq!(plain.len(), 1, "a row without files is as it was");
    }

    #[test]
    fn rows_of_the_earlier_app_are_read_and_a_path_in_them_leads_nowhere_but_into_the_sessions_folder() {
        let written = row(json!({"id": "1", "attachments": [
            {"id": "a", "type": "pdf", "name": "r.pdf", "mimeType": "application/pdf", "size": 3, "storedPath": "C:\\Users\\ada\\s\\attachments\\a_r.pdf", "thumbnailPath": "x"},
            {"id": "b", "type": "unknown", "name": "x\n.sh", "storedPath": "/etc/../../etc/passwd"},
            {"name": "no id"}, 7
        ]}));
        let place = Place {
            folder: "/h/workspaces/w/sessions/s/attachments".into(),
            working: None,
        };
        let seen = history(&written, &place);
        let paths: Vec<_> = seen.iter().map(|file| file.path.as_deref().unwrap()).collect();
        assert_eq!(paths, ["sessions/s/attachments/a_r.pdf", "sessions/s/attachments/passwd"]);
        assert_eq!((seen[0].mime.as_str(), seen[1].name.as_str()), ("application/pdf", "x.sh"));
        let elsewhere = Place {
            working: Some("/srv/code".into()),
            ..place.clone()
        };
        assert_eq!(elsewhere.shown("a"), "/h/workspaces/w/sessions/s/attachments/a");
        let above = Place {
            working: Some("/h/workspaces/w/sessions/s".into()),
            ..place
        };
        assert_eq!(above.shown("a"), "attachments/a");
        assert!(find(std::slice::from_ref(&written), "b").is_some() && find(&[written], "c").is_none());
    }
}
