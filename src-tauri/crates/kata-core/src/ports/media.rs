//! Files on their way from and to platforms, and those that lie with a session. A file on its way is named by its contents; a
//! session has copies of its own, so that what an agent does to one of them changes nothing that is still to be sent.

use async_trait::async_trait;
use futures::stream::BoxStream;
use kata_protocol::{Media, MediaId, MediaKind, Ms, SessionId};

/// Longest file, bytes.
pub const MAX_FILE: u64 = 16 << 20;
/// Files of one message.
pub const MAX_FILES: usize = 10;

/// Why a file cannot be had or kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// There is no such file.
    #[error("there is no file “{0}”")]
    NotFound(String),
    /// Longer than it may be.
    #[error("the file has more than {limit} bytes")]
    TooLarge {
        /// Most bytes.
        limit: u64,
    },
    /// No room.
    #[error("{what} hold at most {limit} bytes, and this file does not fit any more; {hint}")]
    Full {
        /// What is full.
        what: &'static str,
        /// Most bytes.
        limit: u64,
        /// What helps.
        hint: &'static str,
    },
    /// Where it came from gave no more.
    #[error("{message}")]
    Source {
        /// `forbidden`, `not_found` or `failed`.
        code: &'static str,
        /// For a person.
        message: String,
    },
    /// The disk failed.
    #[error("{0}")]
    Failed(String),
}

impl MediaError {
    /// What a plugin branches on.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::TooLarge { .. } => "too_large",
            Self::Source { code, .. } => code,
            Self::Full { .. } | Self::Failed(_) => "failed",
        }
    }
}

/// What is known of a file before it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewMedia {
    /// File name to show; made fit to be shown.
    pub name: String,
    /// Media type, where its source says it.
    pub mime: Option<String>,
    /// Kind; what the media type says when absent.
    pub kind: Option<MediaKind>,
}

/// A file's bytes as they come.
pub type Content = BoxStream<'static, Result<Vec<u8>, MediaError>>;

/// A file of a session as it lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Its name within the session, without the file name.
    pub id: String,
    /// Whole path.
    pub path: String,
    /// Media type, as its first bytes or its name say it.
    pub mime: String,
    /// Length.
    pub bytes: u64,
}

/// Files. When a call that writes returns, what it wrote survives a power cut.
#[async_trait]
pub trait MediaStore: Send + Sync + 'static {
    /// Keeps a file of at most `most` bytes; nothing of it stays when it fails. The same contents again are the same file.
    async fn put(&self, info: NewMedia, content: Content, most: u64) -> Result<Media, MediaError>;
    /// Its bytes.
    async fn read(&self, id: &MediaId) -> Result<Vec<u8>, MediaError>;
    /// Gives a session a copy. The same `key` again is the same copy. `name` is made safe for a file system.
    async fn attach(&self, session: &SessionId, key: &str, name: &str, media: &MediaId) -> Result<Attached, MediaError>;
    /// Folder of a session's files, by its whole path. It need not exist.
    async fn folder(&self, session: &SessionId) -> Result<String, MediaError>;
    /// Bytes of a session's file, by the last part of its path; no link is followed.
    async fn attached(&self, session: &SessionId, file: &str, most: u64) -> Result<Vec<u8>, MediaError>;
    /// Writes a plan into the folder `plans` of a session, as `STEM.md`, or `STEM-2.md` where that is there. Answers its path from the
    /// session's folder.
    async fn keep_plan(&self, session: &SessionId, stem: &str, text: &str) -> Result<String, MediaError>;
    /// Removes files on their way that no reply still needs and that were not touched for a day. Answers how many.
    async fn tidy(&self, now: Ms) -> Result<u32, MediaError>;
}
