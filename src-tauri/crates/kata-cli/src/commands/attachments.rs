//! Files with messages: read before they are sent, listed, and saved.

use crate::client::Client;
use crate::failure::Failure;
use crate::render;
use crate::screen::Screen;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kata_engine::{MAX_FILE, MAX_FILES, safe_name};
use kata_protocol::{Attachment, SessionAttachmentRef, SessionGet, SessionId, SubmitAttachment};
use serde_json::json;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Reads files that are to be sent.
pub(super) fn read(paths: &[PathBuf]) -> Result<Vec<SubmitAttachment>, Failure> {
    if paths.len() > MAX_FILES {
        return Err(Failure::usage(format!("--attach: a message has at most {MAX_FILES} files")));
    }
    let one = |path: &PathBuf| {
        let wrong = |why: String| Failure::usage(format!("--attach {}: {why}", path.display()));
        let meta = std::fs::metadata(path).map_err(|e| wrong(e.to_string()))?;
        if !meta.is_file() || meta.len() > MAX_FILE {
            return Err(wrong(format!("is no file of at most {} MiB", MAX_FILE >> 20)));
        }
        let bytes = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(SubmitAttachment {
            name: name.unwrap_or_else(|| "file".into()),
            mime: None,
            data: STANDARD.encode(bytes),
        })
    };
    paths.iter().map(one).collect()
}

/// `kata sessions attachment`.
pub(super) async fn run(
    screen: &Screen,
    client: &mut Client,
    session: SessionId,
    wanted: Option<String>,
    out: Option<PathBuf>,
) -> Result<(), Failure> {
    let Some(attachment) = wanted else {
        let detail = client
            .session_get(SessionGet {
                id: session,
                limit: None,
                before: None,
            })
            .await?;
        let all: Vec<Attachment> = detail.messages.into_iter().flat_map(|message| message.attachments).collect();
        return screen.result(&all, |all| list(all));
    };
    let data = client.session_attachment(SessionAttachmentRef { session, attachment }).await?;
    let bytes = STANDARD
        .decode(&data.data)
        .map_err(|_| Failure::usage("the engine's answer is no file"))?;
    if out.as_deref() == Some(Path::new("-")) {
        std::io::stdout().write_all(&bytes)?;
        return Ok(());
    }
    // A stranger chose its name.
    let path = out.unwrap_or_else(|| PathBuf::from(safe_name(&data.name)));
    let mut file =
        std::fs::File::create_new(&path).map_err(|e| Failure::usage(format!("{}: {e}", path.display())).hint("-o names another place"))?;
    file.write_all(&bytes)?;
    let saved = json!({"file": path.display().to_string(), "bytes": bytes.len(), "mime": data.mime});
    screen.result(&saved, |_| format!("{} ({} bytes)\n", path.display(), bytes.len()))
}

fn list(all: &[Attachment]) -> String {
    if all.is_empty() {
        return "no files\n".into();
    }
    let mut text = String::new();
    for file in all {
        let name = render::clean(&file.name);
        let _ = match &file.missing {
            Some(why) => writeln!(text, "{}  {name}  not there: {}", file.id, render::clean(why)),
            None => writeln!(text, "{}  {name}  {}  {} bytes", file.id, file.mime, file.bytes.0),
        };
    }
    text
}
