//! A home folder in a temporary place, with a clock and randomness the test drives.

use crate::{FileTranscripts, HomePaths, SqliteStore, WorkspaceFolder, atomic};
use async_trait::async_trait;
use kata_core::ports::{Append, Clock, Entropy, NewSession, StoredRow};
use kata_protocol::{Ms, Notice, PermissionMode};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// 2026-03-01, noon UTC.
pub(crate) const NOON: u64 = 1_772_366_400_000;

pub(crate) struct TestClock;

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Ms {
        Ms(NOON)
    }
    fn monotonic_us(&self) -> u64 {
        0
    }
    async fn sleep(&self, _: Duration) {}
}

/// Counts: every name is another one, until `stuck` makes them all the same.
#[derive(Default)]
pub(crate) struct TestEntropy {
    pub next: AtomicU64,
    pub stuck: bool,
}

impl Entropy for TestEntropy {
    fn next_u64(&self) -> u64 {
        if self.stuck { 7 } else { self.next.fetch_add(1, Ordering::Relaxed) }
    }
}

/// The fixture, copied to where it may be written.
pub(crate) struct World {
    pub folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn fixture() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&fixtures().join("kata-agents-home"), folder.path());
        Self { folder }
    }

    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("workspaces/my-workspace/sessions")).unwrap();
        Self { folder }
    }

    pub(crate) fn workspace(&self) -> WorkspaceFolder {
        WorkspaceFolder {
            id: "my-workspace".parse().unwrap(),
            path: self.folder.path().join("workspaces/my-workspace"),
            portable: "~/.kata-agents/workspaces/my-workspace".into(),
        }
    }

    pub(crate) fn session(&self, id: &str) -> PathBuf {
        self.workspace().path.join("sessions").join(id)
    }

    pub(crate) fn store(&self) -> Arc<SqliteStore> {
        SqliteStore::open(&self.folder.path().join("kata.db")).unwrap()
    }

    pub(crate) async fn open(&self) -> Arc<FileTranscripts> {
        self.open_with(TestEntropy::default()).await.0
    }

    pub(crate) async fn open_with(&self, entropy: TestEntropy) -> (Arc<FileTranscripts>, Vec<Notice>) {
        let sessions = FileTranscripts::open(self.paths(), self.store(), Arc::new(TestClock), Arc::new(entropy))
            .await
            .unwrap();
        let notices = sessions.notices();
        (sessions, notices)
    }

    /// The home, of a person who has no other.
    pub(crate) fn paths(&self) -> HomePaths {
        HomePaths::new(self.folder.path(), self.folder.path().join("nobody"))
    }

    /// Writes a session file as another program would.
    pub(crate) fn write_session(&self, id: &str, content: &str) {
        std::fs::create_dir_all(self.session(id)).unwrap();
        write(&self.session(id).join("session.jsonl"), content.as_bytes());
    }

    pub(crate) fn read_session(&self, id: &str) -> String {
        std::fs::read_to_string(self.session(id).join("session.jsonl")).unwrap()
    }
}

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures")
}

pub(crate) fn write(path: &Path, bytes: &[u8]) {
    atomic::atomic_write(path, bytes, atomic::FILE_MODE).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            write(&target, &std::fs::read(entry.path()).unwrap());
        }
    }
}

pub(crate) fn row(value: Value) -> StoredRow {
    value.as_object().unwrap().clone()
}

pub(crate) fn said(id: &str, text: &str) -> Append {
    Append {
        rows: vec![row(json!({"id": id, "type": "user", "content": text, "timestamp": NOON}))],
        journal: Vec::new(),
        sync: true,
    }
}

pub(crate) fn new_session() -> NewSession {
    NewSession {
        workspace: "my-workspace".parse().unwrap(),
        name: None,
        model: None,
        mode: PermissionMode::Ask,
        channel: None,
        channel_id: None,
        external_conversation: None,
        working_directory: None,
        profile: None,
        class: kata_protocol::SessionClass::Desktop,
    }
}

/// The header of a session as another program writes it.
pub(crate) fn header(id: &str) -> Value {
    json!({
        "id": id, "workspaceRootPath": "~/.kata-agents/workspaces/my-workspace", "createdAt": NOON, "lastUsedAt": NOON,
        "lastMessageAt": NOON, "messageCount": 0,
        "tokenUsage": {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0, "contextTokens": 0, "costUsd": 0},
    })
}
