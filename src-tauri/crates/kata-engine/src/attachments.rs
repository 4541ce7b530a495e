//! Files that clients send with their input, and those they ask for.

use crate::engine::Inner;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt, stream};
use kata_core::ports::{MAX_FILE, MAX_FILES, MediaError, NewMedia};
use kata_protocol::{AttachmentData, ErrorCode, Media, SessionAttachmentRef, SubmitAttachment, WireError};

/// Longest base64 of a file.
const MAX_BASE64: usize = (MAX_FILE as usize).div_ceil(3) * 4;

impl Inner {
    /// Keeps what a client sent; the error names the field.
    pub(crate) async fn take_in(&self, sent: Vec<SubmitAttachment>) -> Result<Vec<Media>, WireError> {
        if sent.len() > MAX_FILES {
            return Err(WireError::invalid(format!(
                "“attachments”: a message has at most {MAX_FILES} files"
            )));
        }
        let mut kept = Vec::with_capacity(sent.len());
        for (n, file) in sent.into_iter().enumerate() {
            let wrong = |field: &str, why: String| WireError::invalid(format!("“attachments[{n}].{field}”: {why}"));
            if file.name.trim().is_empty() || file.name.len() > 255 {
                return Err(wrong("name", "has 1 to 255 bytes".into()));
            }
            if file.data.len() > MAX_BASE64 {
                return Err(wrong("data", MediaError::TooLarge { limit: MAX_FILE }.to_string()));
            }
            let bytes = STANDARD.decode(&file.data).map_err(|_| wrong("data", "is no base64".into()))?;
            let info = NewMedia {
                name: file.name,
                mime: file.mime,
                kind: None,
            };
            let content = stream::once(async move { Ok(bytes) }).boxed();
            let media = self.media.put(info, content, MAX_FILE).await;
            kept.push(media.map_err(|error| match error {
                MediaError::TooLarge { .. } => wrong("data", error.to_string()),
                error => WireError::new(ErrorCode::Internal, error.to_string()).hint("is the disk full?"),
            })?);
        }
        Ok(kept)
    }

    /// A file of a session.
    pub(crate) async fn attachment(&self, wanted: SessionAttachmentRef) -> Result<AttachmentData, WireError> {
        let (found, bytes) = self.sessions.attachment(&wanted.session, &wanted.attachment).await?;
        Ok(AttachmentData {
            name: found.name,
            mime: found.mime,
            data: STANDARD.encode(bytes),
        })
    }
}
