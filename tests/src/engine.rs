//! A whole engine in this process.

use kata_core::operations::{Caller, Operations};
use kata_engine::{Engine, Options};
use kata_protocol::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A caller with every scope.
pub fn caller() -> Caller {
    Caller {
        name: "test".into(),
        scope: Scope::Admin,
    }
}

/// A file or folder of `tests/fixtures`.
pub fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path)
}

/// A home folder that falls with the test.
pub struct TestHome {
    /// The folder.
    pub dir: tempfile::TempDir,
    plugins: PathBuf,
}

impl Default for TestHome {
    fn default() -> Self {
        Self::new()
    }
}

impl TestHome {
    /// An empty home whose bundled plugins are those of the repository.
    pub fn new() -> Self {
        let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
        Self {
            // With `KATA_KEEP_HOMES` set, what a test leaves can be looked at: its folder stays.
            dir: tempfile::Builder::new()
                .prefix("kata-test-")
                .disable_cleanup(std::env::var_os("KATA_KEEP_HOMES").is_some())
                .tempdir()
                .expect("a temporary folder"),
            plugins,
        }
    }

    /// An empty home whose bundled plugins are these of `tests/fixtures/plugins`.
    pub fn with_plugins(names: &[&str]) -> Self {
        let home = Self::new();
        let plugins = home.dir.path().join("bundled");
        for name in names {
            copy_folder(&fixture("plugins").join(name), &plugins.join(name));
        }
        Self { plugins, ..home }
    }

    /// An empty home whose bundled plugins are copies of these of the repository, which a test may change, and of these of
    /// `tests/fixtures/plugins`.
    pub fn with_copies(names: &[&str], fixtures: &[&str]) -> Self {
        let home = Self::with_plugins(fixtures);
        for name in names {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins").join(name);
            copy_folder(&from, &home.plugins.join(name));
        }
        home
    }

    /// The home folder (inside the temporary one).
    pub fn path(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    /// A CA (PEM) that the program trusts in the place of the system's roots, if the file is there.
    pub fn ca(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// The folder of bundled plugins.
    pub fn plugins(&self) -> &Path {
        &self.plugins
    }

    /// Fills the home from a fixture folder.
    pub fn fill(&self, fixture_name: &str) {
        copy_folder(&fixture(fixture_name), &self.path());
    }

    /// Writes `settings.json`.
    pub fn settings(&self, settings: &Value) {
        std::fs::create_dir_all(self.path()).expect("the home can be made");
        std::fs::write(self.path().join("settings.json"), settings.to_string()).expect("settings can be written");
    }

    /// Settings that switch a channel of the loop plugin on, open to everybody, against a platform: `loop`, whose platform
    /// recognises a repeated send, or `plain`, whose platform does not.
    pub fn loop_settings(base: &str, idempotent: bool) -> Value {
        let channel = if idempotent { "channel:loop" } else { "channel:plain" };
        json!({
            "plugins": { "loop": { "settings": { "base": base } } },
            "sources": { channel: { "enabled": true, "policy": "open" } },
            // Suites that kill it again and again are not about what happens to plugins then.
            "crashes": { "safeModeAfter": 0 },
        })
    }

    /// Options of an engine for it.
    pub fn options(&self) -> Options {
        Options {
            home: self.path(),
            port: Some(0),
            ui_dir: None,
            plugins_dir: Some(self.plugins.clone()),
            secrets_in_file: true,
            demo_pace: false,
            safe: false,
            env: |_| None,
        }
    }
}

/// A running engine with its home.
pub struct TestEngine {
    /// The home.
    pub home: TestHome,
    /// The engine.
    pub engine: Engine,
    /// Its operations.
    pub ops: Arc<dyn Operations>,
}

impl TestEngine {
    /// Starts over a home.
    pub async fn start(home: TestHome) -> Self {
        Self::start_by(Arc::new(kata_engine::SystemClock::default()), home).await
    }

    /// Starts over a home by another clock.
    pub async fn start_by(clock: Arc<dyn kata_core::ports::Clock>, home: TestHome) -> Self {
        let engine = Engine::start_by(clock, home.options()).await.expect("the engine starts");
        let ops = engine.operations();
        Self { home, engine, ops }
    }

    /// Stops; its home is left.
    pub async fn stop(self) -> TestHome {
        self.engine.shutdown().await;
        let Self { home, engine, ops } = self;
        drop((engine, ops));
        home
    }

    /// Stops, and starts again over the same home.
    pub async fn restart(self) -> Self {
        Self::start(self.stop().await).await
    }

    /// Waits until a plugin runs.
    pub async fn plugin_up(&self, id: &str) {
        eventually(&format!("plugin {id} runs"), async || {
            let list = self.ops.plugin_list(&caller(), Empty {}).await.ok()?;
            list.iter()
                .find(|p| p.id.as_str() == id && p.status.state == RunState::Running)
                .map(|_| ())
        })
        .await;
    }

    /// A new session.
    pub async fn session(&self) -> SessionId {
        let create = SessionCreate::default();
        self.ops.session_create(&caller(), create).await.expect("a session can be made").id
    }

    /// Submits a text and returns the answer once the turn has ended.
    pub async fn ask(&self, session: &SessionId, text: &str) -> SessionDetail {
        let before = self.detail(session).await.messages.len();
        let submit = SessionSubmit {
            id: session.clone(),
            text: text.into(),
            delivery: None,
            idempotency_key: None,
            attachments: None,
        };
        self.ops.session_submit(&caller(), submit).await.expect("the input is taken");
        eventually("the turn ends", async || {
            let detail = self.detail(session).await;
            let ended = matches!(detail.state, SessionState::Idle | SessionState::Failed);
            let answered = detail.messages.len() > before + 1
                && detail
                    .messages
                    .last()
                    .is_some_and(|m| m.kind != MessageKind::User && m.kind != MessageKind::Tool && !m.intermediate);
            (ended && answered).then_some(detail)
        })
        .await
    }

    /// A session as clients see it.
    pub async fn detail(&self, session: &SessionId) -> SessionDetail {
        self.ops
            .session_get(
                &caller(),
                SessionGet {
                    id: session.clone(),
                    limit: None,
                    before: None,
                },
            )
            .await
            .expect("the session can be read")
    }

    /// Newest trace of a session that is complete.
    pub async fn trace(&self, session: &SessionId) -> Trace {
        eventually("the trace is complete", async || {
            let list = TraceList {
                session: Some(session.clone()),
                ..TraceList::default()
            };
            self.ops.trace_list(&caller(), list).await.ok()?.into_iter().find(|t| t.done)
        })
        .await
    }

    /// Where every message is.
    pub async fn ledger(&self) -> Ledger {
        self.ops
            .system_status(&caller(), Empty {})
            .await
            .expect("the status can be read")
            .ledger
    }
}

/// Asks again and again until there is an answer; a real program's events have no other clock than the machine's. Fails after
/// thirty seconds, naming what did not happen.
pub async fn eventually<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(Duration::from_secs(30), what, ask).await
}

/// As [`eventually`], where a program rests by its own rules before it goes on.
pub async fn eventually_within<T>(limit: Duration, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < limit, "this did not happen in {} s: {what}", limit.as_secs());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder can be made");
    for entry in std::fs::read_dir(from).expect("the fixture is there").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a file can be copied");
        }
    }
}
