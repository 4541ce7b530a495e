//! Holds the engine for the shell: the only module here that names it.
//!
//! The window opens while the engine starts; an operation that comes early waits for it. An engine that could not start stays
//! visible as the error of every operation, with its hint, instead of as a window that never opened.

use kata_core::EventHub;
use kata_core::operations::{Caller, Operations};
use kata_engine::{Engine, Options};
use kata_protocol::{ErrorCode, Scope, WireError};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
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
}

impl Default for Host {
    fn default() -> Self {
        Self {
            caller: Caller {
                name: "desktop".into(),
                scope: Scope::Admin,
            },
            stage: watch::Sender::new(Stage::Starting),
        }
    }
}

impl Host {
    /// Starts the engine. Its events when it stands; nothing when it failed, which [`Self::operations`] then says.
    ///
    /// `resources` is where an installed app keeps its files; a build from source finds its plugins in the repository.
    pub(crate) async fn start(&self, resources: Option<PathBuf>) -> Option<Arc<EventHub>> {
        let mut options = Options::from_env();
        let shipped = resources
            .map(|folder| folder.join("bundled/plugins"))
            .filter(|folder| folder.is_dir());
        options.plugins_dir = options.plugins_dir.or(shipped);
        match Engine::start(options).await {
            Ok(engine) => {
                let events = engine.events();
                self.stage.send_replace(Stage::Ready(Arc::new(engine)));
                Some(events)
            }
            Err(error) => {
                tracing::error!(%error, "the engine did not start");
                let words = WireError::new(ErrorCode::Conflict, format!("the engine did not start: {error}"));
                self.stage.send_replace(Stage::Failed(
                    words.hint("end the other program that uses this home, or mend what the message names; then start again"),
                ));
                None
            }
        }
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
            Some(Stage::Starting) | None => Err(WireError::new(ErrorCode::Timeout, "the engine is still starting")
                .hint("wait a moment, then try again; the log says what it waits for")),
        }
    }

    /// Returns when a client asked the program to end (`system.shutdown`); never, where no engine stands.
    pub(crate) async fn quit_requested(&self) {
        let mut stage = self.stage.subscribe();
        let engine = match stage
            .wait_for(|stage| !matches!(stage, Stage::Starting))
            .await
            .map(|stage| stage.clone())
        {
            Ok(Stage::Ready(engine)) => engine,
            _ => return std::future::pending().await,
        };
        engine.quit_requested().await;
    }

    /// Turns that a drain would wait for.
    pub(crate) fn busy(&self) -> u32 {
        match &*self.stage.borrow() {
            Stage::Ready(engine) => engine.busy(),
            _ => 0,
        }
    }

    /// Drains and ends the engine; operations are answered until it is done. Returns at once where none stands.
    pub(crate) async fn shut_down(&self) {
        let stage = self.stage.borrow().clone();
        if let Stage::Ready(engine) = stage {
            engine.shutdown().await;
        }
        self.stage.send_replace(Stage::Ended);
    }
}
