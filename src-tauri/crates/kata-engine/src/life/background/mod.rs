//! Starting at login, and again after a crash: who does it on this machine, and how one asks them.
//!
//! What is written is made by pure functions from a [`Launch`]: [`unit`] for systemd, [`entry`] for desktops without it,
//! [`agent`] for launchd, [`registry`] for Windows; [`seal`] tells our own file from one that somebody else wrote or edited.
//! [`desk`] does it: it writes, asks the system's own programs, and looks how things stand.
//!
//! Deliberately absent: a process of ours that watches another one. Where nobody on the machine starts a program again after
//! a crash, this says so (`restarts: false`). Only Linux has been run; launchd and the registry are tested as text.

pub(crate) mod agent;
mod desk;
pub(crate) mod entry;
pub(crate) mod registry;
mod seal;
#[cfg(test)]
mod tests;
pub(crate) mod unit;

pub use desk::Desk;

use kata_protocol::{ErrorCode, WireError};
use std::path::{Path, PathBuf};

/// Variables of the present start that the start at login gets too: without them it would open another home or store.
const CARRIED: [&str; 6] = [
    "KATA_SECRETS",
    "KATA_PORT",
    "KATA_PLUGINS_DIR",
    "KATA_UI_DIR",
    "KATA_LOG",
    "SSL_CERT_FILE",
];

/// What is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Starts {
    /// The desktop app, without its window.
    App,
    /// `kata serve`.
    Serve,
}

impl Starts {
    /// As [`kata_protocol::Background`] says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Serve => "serve",
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::App => &["--hidden"],
            Self::Serve => &["serve", "--no-open"],
        }
    }
}

/// A program as it is started at login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Program, an absolute path.
    pub program: PathBuf,
    /// Which of the two it is.
    pub starts: Starts,
    /// Environment it needs, beyond what everybody gets.
    pub environment: Vec<(String, String)>,
    /// Name of its unit, entry or agent.
    pub name: String,
}

impl Launch {
    /// This program (`program`, as the system names it) over `home`, with what `env` says of the present start.
    pub fn of(program: &Path, starts: Starts, home: &Path, default_home: &Path, env: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut environment = Vec::new();
        let mut name = "kata-agents".to_owned();
        if home != default_home {
            environment.push(("KATA_CONFIG_DIR".to_owned(), home.display().to_string()));
            name = format!("kata-agents-{}", &seal::digest(&home.display().to_string())[..8]);
        }
        environment.extend(CARRIED.iter().filter_map(|key| Some(((*key).to_owned(), env(key)?))));
        // An AppImage runs from a place that is gone with it; the file itself is named by its runtime.
        let program = env("APPIMAGE")
            .filter(|_| starts == Starts::App)
            .map_or_else(|| program.to_owned(), PathBuf::from);
        Self {
            program,
            starts,
            environment,
            name,
        }
    }

    fn program(&self) -> String {
        self.program.display().to_string()
    }
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BackgroundError {
    /// A file of that name is not ours, or somebody has edited it.
    #[error("{} {whose}, and is left as it is", path.display())]
    Foreign {
        /// File.
        path: PathBuf,
        /// “was edited” or “was written by somebody else”.
        whose: &'static str,
    },
    /// The file system refused.
    #[error("{}: {reason}", path.display())]
    File {
        /// File.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A program of the system refused.
    #[error("“{command}” said: {said}")]
    Refused {
        /// What was run.
        command: String,
        /// What it said.
        said: String,
    },
    /// Nothing on this machine can.
    #[error("{0}")]
    Nobody(String),
}

impl From<BackgroundError> for WireError {
    fn from(error: BackgroundError) -> Self {
        let hint = match &error {
            BackgroundError::Foreign { path, .. } => format!(
                "look at it; to have it written anew, move it away: mv '{0}' '{0}.mine'",
                path.display()
            ),
            BackgroundError::File { .. } => "is the disk full, or the folder not yours?".into(),
            BackgroundError::Refused { .. } => "run that command yourself to see more".into(),
            BackgroundError::Nobody(_) => "start it by hand, or by what starts programs on this machine".into(),
        };
        WireError::new(ErrorCode::Conflict, error.to_string()).hint(hint)
    }
}
