//! The engine as this program needs it: start it, and read the token that opens it.

use crate::browser::SystemBrowser;
use crate::failure::{Exit, Failure};
use kata_engine::{Engine, EngineError, Options};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the variable that holds a token to use instead of this machine's own (a paired device, a test).
pub(crate) const TOKEN_VARIABLE: &str = "KATA_TOKEN";

/// Home folder where none was given.
pub(crate) fn default_home() -> PathBuf {
    Options::from_env().home
}

/// Token for the gateway of this home.
pub(crate) async fn token(home: &Path) -> Result<String, Failure> {
    match std::env::var(TOKEN_VARIABLE) {
        Ok(token) if !token.is_empty() => Ok(token),
        _ => local_token(home).await,
    }
}

/// The token of this machine's own clients, from the secret store.
pub(crate) async fn local_token(home: &Path) -> Result<String, Failure> {
    let home = home.to_owned();
    // The keychain is asked over a blocking channel of its own.
    match tokio::task::spawn_blocking(move || kata_engine::local_token(&home)).await {
        Ok(token) => {
            token.map_err(|e| Failure::new(Exit::Refused, e.to_string()).hint("start the app, or `kata serve`, once; it makes the token"))
        }
        Err(e) => Err(Failure::new(Exit::Failure, format!("the secret store could not be asked: {e}"))),
    }
}

/// An engine in this process.
pub(crate) struct Running(Engine);

impl Running {
    /// Starts it; ready for clients when this returns.
    pub(crate) async fn start(home: PathBuf, port: Option<u16>, safe: bool) -> Result<Self, Failure> {
        let mut options = Options::from_env();
        options.home = home;
        options.port = port.or(options.port);
        options.safe = safe;
        let engine = Engine::start(options).await.map_err(failed)?;
        engine.open_pages_with(Arc::new(SystemBrowser));
        Ok(Self(engine))
    }

    /// Port of its gateway.
    pub(crate) fn port(&self) -> Option<u16> {
        self.0.gateway_port()
    }

    /// Returns when a client has asked it to end.
    pub(crate) async fn quit_requested(&self) {
        self.0.quit_requested().await;
    }

    /// Gives up what it holds after it was shut down; whether to begin again.
    pub(crate) fn ended(self) -> Option<kata_engine::life::Restart> {
        self.0.restart()
    }

    /// Finishes what runs, then ends.
    pub(crate) async fn shutdown(&self) {
        self.0.shutdown().await;
    }
}

fn failed(error: EngineError) -> Failure {
    let hint = match &error {
        EngineError::AlreadyRunning { .. } => "`kata status` shows it, `kata stop` ends it, --home starts another",
        EngineError::Home { .. } => "is the folder yours and the disk not full? --home takes another one",
        EngineError::Gateway(_) => "--port takes another port",
        EngineError::Keychain(_) => "unlock the keychain, or set KATA_SECRETS=file to keep secrets in an encrypted file",
        _ => "the log under the home folder says more",
    };
    // The unit of `kata background` is not started again after this one: another one has the home.
    let exit = if matches!(error, EngineError::AlreadyRunning { .. }) {
        Exit::Refused
    } else {
        Exit::Failure
    };
    Failure::new(exit, error.to_string()).hint(hint)
}
