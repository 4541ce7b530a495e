//! How a command is shut in: by bubblewrap where it works, else by Landlock and a filter of system calls (Linux), by
//! `sandbox-exec` (macOS), or not at all, and then it says so. Which one is found out once, at the first question.
//!
//! A command is started from a thread of its own that lives as long as the command: Landlock binds the thread that asks for it
//! and what that starts, and bubblewrap ends its command with the thread that started it.
//!
//! Deliberately absent: limits of memory and processor time, and a sandbox for Windows.

use crate::why::Why;
#[cfg(target_os = "linux")]
mod bubblewrap;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(any(target_os = "macos", test))]
mod seatbelt;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// One layer of what a command sees of the disk. The whole disk can be read below all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mount {
    /// Read, not written.
    Read(PathBuf),
    /// Read and written.
    Write(PathBuf),
    /// Not there.
    Hide(PathBuf),
    /// In a folder that is written, and itself not.
    Guard(PathBuf),
    /// The same, where the system can say it without shutting the folder around it.
    GuardIfPossible(PathBuf),
}

impl Mount {
    /// The path it is about.
    pub(crate) fn path(&self) -> &Path {
        let (Self::Read(path) | Self::Write(path) | Self::Hide(path) | Self::Guard(path) | Self::GuardIfPossible(path)) = self;
        path
    }
}

/// How one command is shut in.
#[derive(Clone, Debug)]
pub(crate) struct Shut {
    pub mounts: Vec<Mount>,
    pub network: bool,
    /// A folder for what is temporary; only where `/tmp` cannot be made private.
    pub temporary: Option<PathBuf>,
}

/// What shuts commands in.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    #[cfg(target_os = "linux")]
    Bubblewrap(PathBuf),
    #[cfg(target_os = "linux")]
    Landlock,
    #[cfg(target_os = "macos")]
    SandboxExec,
    None(String),
}

/// The machine's sandbox.
#[derive(Debug, Default)]
pub struct Sandbox {
    kind: OnceLock<Kind>,
}

impl Sandbox {
    /// One that is sure not to work, for tests of what happens then.
    pub fn missing(why: &str) -> Self {
        Self {
            kind: Kind::None(why.to_owned()).into(),
        }
    }

    /// Landlock, also where bubblewrap works. `None` where the kernel has none.
    #[cfg(target_os = "linux")]
    pub fn landlock() -> Option<Self> {
        landlock::works().ok()?;
        Some(Self {
            kind: Kind::Landlock.into(),
        })
    }

    /// `bubblewrap`, `landlock`, `sandbox-exec`, or why there is none. Blocks at the first call.
    pub fn describe(&self) -> String {
        match self.kind() {
            #[cfg(target_os = "linux")]
            Kind::Bubblewrap(_) => "bubblewrap".into(),
            #[cfg(target_os = "linux")]
            Kind::Landlock => "landlock".into(),
            #[cfg(target_os = "macos")]
            Kind::SandboxExec => "sandbox-exec".into(),
            Kind::None(why) => format!("none: {why}"),
        }
    }

    /// Why commands cannot be shut in here; `None` where they can. Blocks at the first call.
    pub fn lacks(&self) -> Option<String> {
        match self.kind() {
            Kind::None(why) => Some(why.clone()),
            #[cfg(any(target_os = "linux", target_os = "macos"))]
            _ => None,
        }
    }

    /// Whether commands need a folder of their own for what is temporary.
    pub(crate) fn wants_temporary(&self) -> bool {
        match self.kind() {
            #[cfg(target_os = "linux")]
            Kind::Bubblewrap(_) => false,
            _ => true,
        }
    }

    /// The command that runs `program` shut in. Where the sandbox binds a thread instead, see [`Self::bind_thread`].
    pub(crate) fn command(&self, shut: &Shut, program: &[&str]) -> Command {
        #[cfg(not(unix))]
        let _ = shut;
        let plain = || {
            let mut command = Command::new(program.first().copied().unwrap_or_default());
            command.args(program.get(1..).unwrap_or_default());
            command
        };
        match self.kind() {
            #[cfg(target_os = "linux")]
            Kind::Bubblewrap(path) => {
                let mut command = Command::new(path);
                command.args(bubblewrap::arguments(shut)).arg("--").args(program);
                command
            }
            #[cfg(target_os = "linux")]
            Kind::Landlock => plain(),
            #[cfg(target_os = "macos")]
            Kind::SandboxExec => {
                let mut command = Command::new("/usr/bin/sandbox-exec");
                command.arg("-p").arg(seatbelt::profile(shut)).args(program);
                command
            }
            Kind::None(_) => plain(),
        }
    }

    /// Shuts in this thread and what it starts from now on, where the sandbox works so. The thread is of no use afterwards.
    pub(crate) fn bind_thread(&self, shut: &Shut) -> Result<(), Why> {
        match self.kind() {
            #[cfg(target_os = "linux")]
            Kind::Landlock => landlock::bind(shut),
            _ => {
                let _ = shut;
                Ok(())
            }
        }
    }

    fn kind(&self) -> &Kind {
        self.kind.get_or_init(probe)
    }
}

#[cfg(target_os = "linux")]
fn probe() -> Kind {
    let (bubblewrap, landlock) = (bubblewrap::works(), landlock::works());
    match (bubblewrap, landlock) {
        (Ok(path), _) => Kind::Bubblewrap(path),
        (Err(why), Ok(())) => {
            tracing::info!(%why, "bubblewrap does not work here; commands are shut in by Landlock");
            Kind::Landlock
        }
        (Err(no_bubblewrap), Err(no_landlock)) => Kind::None(format!("{no_bubblewrap}; {no_landlock}")),
    }
}

#[cfg(target_os = "macos")]
fn probe() -> Kind {
    let tried = Command::new("/usr/bin/sandbox-exec")
        .args(["-p", "(version 1)(allow default)", "/usr/bin/true"])
        .output();
    match tried {
        Ok(output) if output.status.success() => Kind::SandboxExec,
        Ok(output) => Kind::None(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(e) => Kind::None(format!("sandbox-exec: {e}")),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn probe() -> Kind {
    Kind::None("this system has no sandbox that the app knows".into())
}
