//! Files in memory, and a platform's files: what each reference gives, and how often it fails before.

use super::disk::lock;
use crate::ports::{Attached, Content, MediaError, MediaStore, NewMedia};
use async_trait::async_trait;
use futures::StreamExt;
use kata_protocol::*;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

/// Files.
pub(crate) struct Shelf {
    /// Files on their way, by id.
    pub kept: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Files of sessions, by path.
    pub attached: Mutex<BTreeMap<String, Vec<u8>>>,
    /// What a reference gives; its own letters when nothing is said.
    pub platform: Mutex<HashMap<String, Vec<u8>>>,
    /// How a reference fails, time after time, before it gives anything.
    pub failures: Mutex<HashMap<String, VecDeque<SendError>>>,
    /// References that were asked for, in order.
    pub asked: Mutex<Vec<String>>,
    /// While `false`, the platform answers nothing.
    pub answers: watch::Sender<bool>,
    /// The disk takes no copy.
    pub full: AtomicBool,
}

impl Default for Shelf {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            attached: Mutex::default(),
            platform: Mutex::default(),
            failures: Mutex::default(),
            asked: Mutex::default(),
            answers: watch::channel(true).0,
            full: AtomicBool::new(false),
        }
    }
}

impl Shelf {
    pub(crate) async fn download(&self, file: DraftAttachment) -> Result<Media, SendError> {
        lock(&self.asked).push(file.reference.clone());
        let _ = self.answers.subscribe().wait_for(|answers| *answers).await;
        if let Some(error) = lock(&self.failures).get_mut(&file.reference).and_then(VecDeque::pop_front) {
            return Err(error);
        }
        let known = lock(&self.platform).get(&file.reference).cloned();
        Ok(self.keep(&file.name, known.unwrap_or_else(|| file.reference.into_bytes())))
    }

    pub(crate) fn keep(&self, name: &str, bytes: Vec<u8>) -> Media {
        let mut kept = lock(&self.kept);
        let id = format!("m{}", kept.len());
        let mime = crate::files::mime_of(name, None, &bytes);
        let media = Media {
            id: MediaId::new(id.clone()).unwrap(),
            kind: crate::files::kind_of(&mime),
            name: name.into(),
            mime,
            bytes: Count(bytes.len() as u64),
        };
        kept.insert(id, bytes);
        media
    }

    /// Paths of the files of sessions.
    pub(crate) fn paths(&self) -> Vec<String> {
        lock(&self.attached).keys().cloned().collect()
    }
}

#[async_trait]
impl MediaStore for Shelf {
    async fn put(&self, info: NewMedia, mut content: Content, most: u64) -> Result<Media, MediaError> {
        let mut bytes = Vec::new();
        while let Some(piece) = content.next().await {
            bytes.extend(piece?);
        }
        if bytes.len() as u64 > most {
            return Err(MediaError::TooLarge { limit: most });
        }
        Ok(self.keep(&info.name, bytes))
    }
    async fn read(&self, id: &MediaId) -> Result<Vec<u8>, MediaError> {
        let found = lock(&self.kept).get(id.as_str()).cloned();
        found.ok_or_else(|| MediaError::NotFound(id.to_string()))
    }
    async fn attach(&self, session: &SessionId, key: &str, name: &str, media: &MediaId) -> Result<Attached, MediaError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(MediaError::Failed("no space left on device".into()));
        }
        let bytes = self.read(media).await?;
        let id = key.replace('/', "-");
        let path = format!("{}/{id}_{}", self.folder(session).await?, crate::files::safe_name(name));
        let attached = Attached {
            id,
            path: path.clone(),
            mime: crate::files::mime_of(name, None, &bytes),
            bytes: bytes.len() as u64,
        };
        lock(&self.attached).insert(path, bytes);
        Ok(attached)
    }
    async fn folder(&self, session: &SessionId) -> Result<String, MediaError> {
        Ok(format!("/h/workspaces/w/sessions/{session}/attachments"))
    }
    async fn attached(&self, session: &SessionId, file: &str, most: u64) -> Result<Vec<u8>, MediaError> {
        let path = format!("{}/{file}", self.folder(session).await?);
        let found = lock(&self.attached).get(&path).cloned();
        let bytes = found.ok_or_else(|| MediaError::NotFound(file.into()))?;
        if bytes.len() as u64 > most {
            return Err(MediaError::TooLarge { limit: most });
        }
        Ok(bytes)
    }
    async fn keep_plan(&self, session: &SessionId, stem: &str, text: &str) -> Result<String, MediaError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(MediaError::Failed("no space left on device".into()));
        }
        let path = format!("plans/{stem}.md");
        lock(&self.attached).insert(format!("{session}/{path}"), text.as_bytes().to_vec());
        Ok(path)
    }
    async fn tidy(&self, _: Ms) -> Result<u32, MediaError> {
        Ok(0)
    }
}
