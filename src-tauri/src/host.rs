//! Holds the engine for the shell: the only module here that names it.
//!
//! The window opens while the engine starts; an operation that comes early waits for it. An engine that could not start is the
//! error of every operation, with its hint and where the log is (`details.engine`), until it is started again; the window shows
//! that instead of panes that never fill.

use kata_core::EventHub;
use kata_core::operations::{Caller, Operations};
use kata_engine::life::Restart;
use kata_engine::updates::Updater;
pub(crate) use kata_engine::{Browser, NoBrowser};
use kata_engine::{Engine, EngineError, NotificationSettings, Options};
use kata_protocol::{ErrorCode, Json, Scope, WireError};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// How long an operation waits for the engine to start.
const START_DEADLINE: Duration = Duration::from_secs(30);

#[derive(Clone)]
enum Stage {
    Starting,
    Ready(Arc<Engine>),
    Failed(WireError),
    Ended,
}

/// The engine, from before it starts until after it ended.
pub(crate) struct Host {
    caller: Caller,
    stage: watch::Sender<Stage>,
    restart: OnceLock<Restart>,
    window: AtomicBool,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            caller: Caller {
                name: "desktop".into(),
                scope: Scope::Admin,
            },
            stage: watch::Sender::new(Stage::Starting),
            restart: OnceLock::new(),
            window: AtomicBool::new(false),
        }
    }
}

impl Host {
    /// Starts the engine. Its events when it stands; nothing when it failed, which [`Self::operations`] then says.
    pub(crate) async fn start(&self, options: Options) -> Option<Arc<EventHub>> {
        let home = options.home.clone();
        // In a task of its own: a start that panics is a failure like any other, and not a window that waits for ever.
        let error = match tauri::async_runtime::spawn(Engine::start(options)).await {
            Ok(Ok(engine)) => {
                let events = engine.events();
                self.stage.send_replace(Stage::Ready(Arc::new(engine)));
                return Some(events);
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "the engine did not start");
                WireError::new(ErrorCode::Conflict, error.to_string()).hint(hint(&error))
            }
            Err(panic) => {
                tracing::error!(%panic, "the engine stopped while it started");
                WireError::internal("it stopped unexpectedly while it started").hint("the log says where; please report it")
            }
        };
        self.stage.send_replace(Stage::Failed(about(error, "failed", &home)));
        None
    }

    /// Leaves the failed state, so that [`Self::start`] can be called again; false where the engine did not fail.
    pub(crate) fn begin_again(&self) -> bool {
        self.stage.send_if_modified(|stage| {
            let failed = matches!(stage, Stage::Failed(_));
            if failed {
                *stage = Stage::Starting;
            }
            failed
        })
    }

    /// Who the window is, for scope and log.
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The operations, once the engine stands.
    pub(crate) async fn operations(&self) -> Result<Arc<dyn Operations>, WireError> {
        let mut stage = self.stage.subscribe();
        let settled = tokio::time::timeout(START_DEADLINE, stage.wait_for(|stage| !matches!(stage, Stage::Starting))).await;
        match settled.ok().and_then(Result::ok).map(|stage| stage.clone()) {
            Some(Stage::Ready(engine)) => Ok(engine.operations()),
            Some(Stage::Failed(error)) => Err(error),
            Some(Stage::Ended) => Err(WireError::new(ErrorCode::Cancelled, "the program is ending")),
            Some(Stage::Starting) | None => {
                let error = WireError::new(ErrorCode::Timeout, "it has been starting for 30 seconds and is not there yet");
                let error = error.hint("it may wait for the keychain to be unlocked; the log says how far it came");
                Err(about(error, "starting", &Options::from_env().home))
            }
        }
    }

    /// Returns when a client asked the program to end (`system.shutdown`); never, where no engine stands.
    pub(crate) async fn quit_requested(&self) {
        let mut stage = self.stage.subscribe();
        let stands = |stage: &Stage| matches!(stage, Stage::Ready(_) | Stage::Ended);
        match stage.wait_for(stands).await.map(|stage| stage.clone()) {
            Ok(Stage::Ready(engine)) => engine.quit_requested().await,
            _ => std::future::pending().await,
        }
    }

    /// Says how pages are opened for a sign-in.
    pub(crate) fn open_pages_with(&self, browser: Arc<dyn Browser>) {
        if let Stage::Ready(engine) = &*self.stage.borrow() {
            engine.open_pages_with(browser);
        }
    }

    /// Says what can update this program.
    pub(crate) fn update_with(&self, updater: Arc<dyn Updater>) {
        if let Stage::Ready(engine) = &*self.stage.borrow() {
            engine.update_with(updater);
        }
    }

    /// How an update ended is known.
    pub(crate) fn update_settled(&self) {
        if let Stage::Ready(engine) = &*self.stage.borrow() {
            engine.update_settled();
        }
    }

    /// Whether the gateway answers a client of this machine.
    pub(crate) async fn gateway_answers(&self) -> bool {
        let port = match &*self.stage.borrow() {
            Stage::Ready(engine) => engine.gateway_port(),
            _ => None,
        };
        let Some(port) = port else { return false };
        let asked = async {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
            let request = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await?;
            let mut answer = [0; 7];
            stream.read_exact(&mut answer).await.map(|_| answer)
        };
        let answer = tokio::time::timeout(Duration::from_secs(10), asked).await;
        matches!(answer, Ok(Ok(answer)) if answer == *b"HTTP/1.")
    }

    /// Turns that a drain would wait for.
    pub(crate) fn busy(&self) -> u32 {
        match &*self.stage.borrow() {
            Stage::Ready(engine) => engine.busy(),
            _ => 0,
        }
    }

    /// Names of the sessions that a drain would wait for.
    pub(crate) fn waits_for(&self) -> Vec<String> {
        match &*self.stage.borrow() {
            Stage::Ready(engine) => engine.waits_for(),
            _ => Vec::new(),
        }
    }

    /// What may be told by notifications.
    pub(crate) fn notifications(&self) -> NotificationSettings {
        match &*self.stage.borrow() {
            Stage::Ready(engine) => engine.notifications(),
            _ => NotificationSettings::default(),
        }
    }

    /// The system says that the machine woke up.
    pub(crate) fn woke_up(&self) {
        if let Stage::Ready(engine) = &*self.stage.borrow() {
            engine.woke_up();
        }
    }

    /// Facts of the engine, while one stands.
    pub(crate) fn events(&self) -> Option<Arc<EventHub>> {
        match &*self.stage.borrow() {
            Stage::Ready(engine) => Some(engine.events()),
            _ => None,
        }
    }

    /// Whether a window was open when the drain began: it comes back with the app.
    pub(crate) fn remember_window(&self, open: bool) {
        self.window.store(open, Ordering::Relaxed);
    }

    /// Begins again in the place of this process, where somebody asked for it; call it last.
    pub(crate) fn begin_again_now(&self) -> std::io::Result<()> {
        let hidden = if self.window.load(Ordering::Relaxed) {
            &["--hidden"][..]
        } else {
            &[]
        };
        self.restart.get().map_or(Ok(()), |restart| restart.without(hidden))
    }

    /// Drains and ends the engine; operations are answered until it is done. Returns at once where none stands.
    pub(crate) async fn shut_down(&self) {
        let stage = self.stage.borrow().clone();
        if let Stage::Ready(engine) = stage {
            engine.shutdown().await;
            if let Some(restart) = engine.restart() {
                let _ = self.restart.set(restart);
            }
        }
        self.stage.send_replace(Stage::Ended);
    }
}

/// How to start the engine of the desktop app.
///
/// `resources` is where an installed app keeps its files; a build from source finds its plugins in the repository.
pub(crate) fn options(resources: Option<PathBuf>) -> Options {
    let mut options = Options::from_env();
    let shipped = resources
        .map(|folder| folder.join("bundled/plugins"))
        .filter(|folder| folder.is_dir());
    options.plugins_dir = options.plugins_dir.or(shipped);
    options.safe = std::env::args().any(|argument| argument == kata_engine::life::restart::SAFE);
    options
}

/// Says in the details that it is the engine that is not there, so that the window shows it as a whole.
fn about(mut error: WireError, engine: &str, home: &Path) -> WireError {
    let details =
        serde_json::json!({ "engine": engine, "home": home.display().to_string(), "log": home.join("logs").display().to_string() });
    error.details = Some(Json(details));
    error
}

/// What a person can do about it.
fn hint(error: &EngineError) -> &'static str {
    match error {
        EngineError::AlreadyRunning { .. } => "Quit the other one, which may be a “kata serve” in a terminal; then try again.",
        EngineError::Home { .. } | EngineError::Transcripts(_) => {
            "Is the disk full, or may this account not write there? Mend what the message names; then try again."
        }
        EngineError::Store(_) => "Is the disk full, or does another program hold the file open? Mend that; then try again.",
        EngineError::Keychain(_) => "Unlock the keychain and try again, or start with KATA_SECRETS=file.",
        EngineError::Gateway(_) | EngineError::Http(_) => {
            "End the program that has the port, or set another one with KATA_PORT; then try again."
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
mod tests {
    use super::*;
    use kata_protocol::Empty;

    #[tokio::test(flavor = "multi_thread")]
    async fn an_engine_that_could_not_start_says_why_and_stands_after_another_try() {
        tauri::async_runtime::set(tokio::runtime::Handle::current());
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let options = || Options {
            home: home.clone(),
            secrets_in_file: true,
            plugins_dir: None,
            port: Some(0),
            ..Options::from_env()
        };
        std::fs::write(&home, "a file where the folder belongs").unwrap();
        let host = Host::default();

        assert!(host.start(options()).await.is_none());
        let error = host.operations().await.err().unwrap();
        assert_eq!(error.code, ErrorCode::Conflict);
        assert!(error.message.contains("home"), "{}", error.message);
        let details = error.details.unwrap().0;
        assert_eq!(details["engine"], "failed");
        assert_eq!(details["log"], home.join("logs").display().to_string());

        std::fs::remove_file(&home).unwrap();
        assert!(host.begin_again());
        assert!(!host.begin_again(), "one try at a time");
        assert!(host.start(options()).await.is_some());
        let operations = host.operations().await.unwrap();
        assert!(operations.system_status(host.caller(), Empty {}).await.is_ok());
        host.shut_down().await;
    }
}
