//! Files on their way from and to platforms (`media/` of the home, each named by the SHA-256 of its contents) and the copies that
//! sessions have of them (`attachments/UUID_NAME`, as in the existing folders).
//!
//! A file appears whole or not at all: temporary file, fsync, rename, fsync of the folder. Neighbours: the outbox, whose rows say
//! what is still needed; the sessions, whose folders are theirs. Deliberately absent: who may send what.

use crate::atomic::{self, FILE_MODE, create_with_mode};
use crate::{FileTranscripts, SqliteStore};
use async_trait::async_trait;
use futures::StreamExt;
use kata_core::files;
use kata_core::ports::{Attached, Content, MAX_FILE, MediaError, MediaStore, NewMedia};
use kata_protocol::{Count, Media, MediaId, Ms, SessionId};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Most bytes of files on their way.
const MOST_ON_THEIR_WAY: u64 = 1 << 30;
/// Most bytes of one session's files.
const MOST_OF_A_SESSION: u64 = 1 << 30;
/// Files that were not touched for this long and that nothing needs are rubbish, milliseconds.
const RUBBISH_AFTER_MS: u64 = 24 * 3600 * 1000;
/// Folder of a session's files.
const ATTACHMENTS: &str = "attachments";
/// Folder of a session's plans.
const PLANS: &str = "plans";
/// Plans of one day and title.
const MOST_OF_A_NAME: u64 = 200;
/// Ending of a file that is being written.
const PART: &str = ".part";
/// First bytes of a file, by which its type is told.
const HEAD: usize = 512;

/// The files.
pub struct MediaFolder {
    root: PathBuf,
    sessions: Arc<FileTranscripts>,
    store: Arc<SqliteStore>,
    /// Bytes of what lies in the folder, those that are being written included.
    held: Arc<AtomicU64>,
    parts: AtomicU64,
    most: u64,
}

impl MediaFolder {
    /// The files of a home. What an earlier run was writing is removed: nothing can refer to it.
    pub async fn open(root: PathBuf, sessions: Arc<FileTranscripts>, store: Arc<SqliteStore>) -> Result<Self, MediaError> {
        Self::with_room(root, sessions, store, MOST_ON_THEIR_WAY).await
    }

    /// As [`Self::open`], with room for `most` bytes.
    pub(crate) async fn with_room(
        root: PathBuf,
        sessions: Arc<FileTranscripts>,
        store: Arc<SqliteStore>,
        most: u64,
    ) -> Result<Self, MediaError> {
        let folder = root.clone();
        let held = blocking(move || {
            atomic::private_dir(&folder).map_err(failed(&folder))?;
            let mut held = 0;
            for entry in std::fs::read_dir(&folder).map_err(failed(&folder))?.flatten() {
                if entry.file_name().to_string_lossy().ends_with(PART) {
                    let _ = std::fs::remove_file(entry.path());
                } else {
                    held += entry.metadata().map(|meta| meta.len()).unwrap_or_default();
                }
            }
            Ok(held)
        })
        .await?;
        Ok(Self {
            root,
            sessions,
            store,
            held: Arc::new(AtomicU64::new(held)),
            parts: AtomicU64::new(0),
            most,
        })
    }

    fn part(&self) -> PathBuf {
        let number = self.parts.fetch_add(1, Ordering::Relaxed);
        self.root.join(format!("{}-{number}{PART}", std::process::id()))
    }

    async fn session_folder(&self, session: &SessionId) -> Result<PathBuf, MediaError> {
        match self.sessions.folder(session).await {
            Ok(folder) => Ok(folder),
            Err(error) => Err(MediaError::Failed(error.to_string())),
        }
    }
}

/// A file that is being written. Taken away again when it falls unfinished.
struct Part {
    path: PathBuf,
    file: File,
    hash: Sha256,
    head: Vec<u8>,
    bytes: u64,
    held: Arc<AtomicU64>,
    kept: bool,
}

impl Part {
    fn begin(path: PathBuf, held: Arc<AtomicU64>) -> Result<Self, MediaError> {
        let file = create_with_mode(OpenOptions::new().write(true).create_new(true), FILE_MODE)
            .open(&path)
            .map_err(failed(&path))?;
        Ok(Self {
            path,
            file,
            hash: Sha256::new(),
            head: Vec::new(),
            bytes: 0,
            held,
            kept: false,
        })
    }

    fn add(&mut self, piece: &[u8], most: u64, room: u64) -> Result<(), MediaError> {
        if self.bytes + piece.len() as u64 > most {
            return Err(MediaError::TooLarge { limit: most });
        }
        self.bytes += piece.len() as u64;
        if self.held.fetch_add(piece.len() as u64, Ordering::Relaxed) + piece.len() as u64 > room {
            return Err(MediaError::Full {
                what: "files on their way",
                limit: room,
                hint: "those that nothing needs go after a day",
            });
        }
        if self.head.len() < HEAD {
            self.head.extend(piece.iter().take(HEAD - self.head.len()));
        }
        self.hash.update(piece);
        self.file.write_all(piece).map_err(failed(&self.path))
    }

    /// Gives it its name. The same contents may be there already.
    fn finish(mut self, root: &Path, info: NewMedia) -> Result<Media, MediaError> {
        let name = hex(&std::mem::take(&mut self.hash).finalize());
        let path = root.join(&name);
        if path.is_file() {
            // Touched, so that it is not taken for rubbish now.
            let touched = OpenOptions::new()
                .write(true)
                .open(&path)
                .and_then(|file| file.set_modified(SystemTime::now()));
            touched.map_err(failed(&path))?;
        } else {
            self.file.sync_all().map_err(failed(&self.path))?;
            std::fs::rename(&self.path, &path).map_err(failed(&path))?;
            self.kept = true;
            atomic::sync_parent(&path).map_err(failed(root))?;
        }
        let shown = files::shown_name(&info.name);
        let mime = files::mime_of(&shown, info.mime.as_deref(), &self.head);
        Ok(Media {
            id: MediaId::new(name).map_err(|e| MediaError::Failed(e.to_string()))?,
            kind: info.kind.unwrap_or_else(|| files::kind_of(&mime)),
            name: shown,
            mime,
            bytes: Count(self.bytes),
        })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_file(&self.path);
            self.held.fetch_sub(self.bytes, Ordering::Relaxed);
        }
    }
}

#[async_trait]
impl MediaStore for MediaFolder {
    async fn put(&self, info: NewMedia, mut content: Content, most: u64) -> Result<Media, MediaError> {
        let (path, held, room, most) = (self.part(), Arc::clone(&self.held), self.most, most.min(MAX_FILE));
        let mut part = blocking(move || Part::begin(path, held)).await?;
        while let Some(piece) = content.next().await {
            let piece = piece?;
            part = blocking(move || part.add(&piece, most, room).map(|()| part)).await?;
        }
        let root = self.root.clone();
        blocking(move || part.finish(&root, info)).await
    }

    async fn read(&self, id: &MediaId) -> Result<Vec<u8>, MediaError> {
        let path = self.root.join(named(id)?);
        let shown = id.to_string();
        blocking(move || read(&path, MAX_FILE, &shown)).await
    }

    async fn attach(&self, session: &SessionId, key: &str, name: &str, media: &MediaId) -> Result<Attached, MediaError> {
        let from = self.root.join(named(media)?);
        let session_folder = self.session_folder(session).await?;
        let id = uuid_of(session, key);
        let (file, shown, name) = (format!("{id}_{}", files::safe_name(name)), media.to_string(), name.to_owned());
        blocking(move || {
            let bytes = read(&from, MAX_FILE, &shown)?;
            let folder = session_folder.join(ATTACHMENTS);
            atomic::private_dir(&folder).map_err(failed(&folder))?;
            let Some(real) = own_folder(&session_folder)? else {
                return Err(MediaError::Failed(format!("{}: a link leads out of the session", folder.display())));
            };
            let path = folder.join(&file);
            let there = std::fs::symlink_metadata(&path).ok().filter(std::fs::Metadata::is_file);
            if there.is_none_or(|meta| meta.len() != bytes.len() as u64) {
                if size_of(&real) + bytes.len() as u64 > MOST_OF_A_SESSION {
                    return Err(MediaError::Full {
                        what: "a session's files",
                        limit: MOST_OF_A_SESSION,
                        hint: "remove some from its attachments folder, or begin a new session",
                    });
                }
                write(&real, &file, &bytes).map_err(failed(&path))?;
            }
            Ok(Attached {
                id,
                path: path.display().to_string(),
                mime: files::mime_of(&name, None, &bytes[..bytes.len().min(HEAD)]),
                bytes: bytes.len() as u64,
            })
        })
        .await
    }

    async fn folder(&self, session: &SessionId) -> Result<String, MediaError> {
        Ok(self.session_folder(session).await?.join(ATTACHMENTS).display().to_string())
    }

    async fn attached(&self, session: &SessionId, file: &str, most: u64) -> Result<Vec<u8>, MediaError> {
        if file.is_empty() || file.starts_with('.') || file.contains(['/', '\\', '\0']) {
            return Err(MediaError::NotFound(files::shown_name(file)));
        }
        let folder = self.session_folder(session).await?;
        let file = file.to_owned();
        blocking(move || match own_folder(&folder)? {
            Some(real) => read(&real.join(&file), most, &file),
            None => Err(MediaError::NotFound(file)),
        })
        .await
    }

    async fn keep_plan(&self, session: &SessionId, stem: &str, text: &str) -> Result<String, MediaError> {
        let session_folder = self.session_folder(session).await?;
        let (stem, text) = (files::safe_name(stem), text.to_owned());
        blocking(move || {
            let folder = session_folder.join(PLANS);
            atomic::private_dir(&folder).map_err(failed(&folder))?;
            let Some(real) = own(&session_folder, PLANS)? else {
                return Err(MediaError::Failed(format!("{}: a link leads out of the session", folder.display())));
            };
            let free = (1..=MOST_OF_A_NAME)
                .map(|n| if n == 1 { format!("{stem}.md") } else { format!("{stem}-{n}.md") })
                .find(|name| std::fs::symlink_metadata(real.join(name)).is_err());
            let Some(name) = free else {
                return Err(MediaError::Full {
                    what: "plans of one day and name",
                    limit: MOST_OF_A_NAME,
                    hint: "give it another title",
                });
            };
            write(&real, &name, text.as_bytes()).map_err(failed(&real.join(&name)))?;
            Ok(format!("{PLANS}/{name}"))
        })
        .await
    }

    async fn tidy(&self, now: Ms) -> Result<u32, MediaError> {
        // Read after the list was made, a row that was just written could be missed; so it is read before, and what is younger
        // than a day stays in any case.
        let needed = self.store.files_needed().await.map_err(|e| MediaError::Failed(e.to_string()))?;
        let (root, held) = (self.root.clone(), Arc::clone(&self.held));
        blocking(move || {
            let before = SystemTime::UNIX_EPOCH + Duration::from_millis(now.0.saturating_sub(RUBBISH_AFTER_MS));
            let mut gone = 0;
            for entry in std::fs::read_dir(&root).map_err(failed(&root))?.flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let (Ok(meta), Ok(id)) = (entry.metadata(), MediaId::new(name.clone())) else {
                    continue;
                };
                let old = meta.modified().is_ok_and(|at| at < before);
                if !meta.is_file() || !old || name.ends_with(PART) || needed.contains(&id) {
                    continue;
                }
                if std::fs::remove_file(entry.path()).is_ok() {
                    held.fetch_sub(meta.len(), Ordering::Relaxed);
                    gone += 1;
                }
            }
            Ok(gone)
        })
        .await
    }
}

/// The folder of a session's files, without links; `None` where it is not there or leads elsewhere. An agent writes in it: no
/// link that it put there is followed.
fn own_folder(session: &Path) -> Result<Option<PathBuf>, MediaError> {
    own(session, ATTACHMENTS)
}

/// A folder of a session, where no link leads out.
fn own(session: &Path, name: &str) -> Result<Option<PathBuf>, MediaError> {
    let real = session.canonicalize().map_err(failed(session))?.join(name);
    Ok(real.canonicalize().is_ok_and(|there| there == real).then_some(real))
}

/// Writes a file whole. What lies under the temporary name is removed, never written through.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let (path, beside) = (folder.join(name), folder.join(format!(".{name}{PART}")));
    let _ = std::fs::remove_file(&beside);
    let done = create_with_mode(OpenOptions::new().write(true).create_new(true), FILE_MODE)
        .open(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&beside, &path));
    if done.is_err() {
        let _ = std::fs::remove_file(&beside);
        return done;
    }
    atomic::sync_parent(&path)
}

/// Reads a regular file, no link, of at most `most` bytes.
fn read(path: &Path, most: u64, shown: &str) -> Result<Vec<u8>, MediaError> {
    let missing = || MediaError::NotFound(shown.to_owned());
    let seen = std::fs::symlink_metadata(path).map_err(|_| missing())?;
    if !seen.is_file() {
        return Err(missing());
    }
    let file = File::open(path).map_err(failed(path))?;
    let opened = file.metadata().map_err(failed(path))?;
    if !same_file(&seen, &opened) {
        return Err(missing());
    }
    if opened.len() > most {
        return Err(MediaError::TooLarge { limit: most });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(opened.len()).unwrap_or_default());
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed(path))?;
    if bytes.len() as u64 > most {
        return Err(MediaError::TooLarge { limit: most });
    }
    Ok(bytes)
}

/// Whether nobody has put another file, or a link, into its place between the two looks.
fn same_file(seen: &std::fs::Metadata, opened: &std::fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        (seen.dev(), seen.ino()) == (opened.dev(), opened.ino())
    }
    #[cfg(not(unix))]
    {
        seen.len() == opened.len() && opened.is_file()
    }
}

/// An id is a hash and nothing else: it never names a place.
fn named(id: &MediaId) -> Result<&str, MediaError> {
    let text = id.as_str();
    let hash = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if hash {
        Ok(text)
    } else {
        Err(MediaError::NotFound(files::shown_name(text)))
    }
}

/// The same id for the same key of a session, in the form of a UUID (version 8: made by us).
fn uuid_of(session: &SessionId, key: &str) -> String {
    let hash = Sha256::digest(format!("{session}\n{key}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// Bytes of the files in a folder.
fn size_of(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum()
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn failed(path: &Path) -> impl Fn(io::Error) -> MediaError + use<> {
    let path = path.display().to_string();
    move |error| MediaError::Failed(format!("{path}: {error}"))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, MediaError> + Send + 'static) -> Result<T, MediaError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(MediaError::Failed("the disk could not be used".into())))
}
