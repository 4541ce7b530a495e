//! The mark that stands while the program runs: `crashes/running.json`. Who finds one left knows that the last run did not end in
//! order, and from the boot's id whether the whole machine went down.

use kata_protocol::Ms;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What the mark says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mark {
    /// When the run began.
    pub started_at: Ms,
    /// The machine's boot, where the system names it.
    pub boot: Option<String>,
    /// Process.
    pub pid: u32,
    /// Version.
    pub version: String,
    /// Whether it came as far as being ready.
    pub ready: bool,
}

/// Stands while it is held; taken away by [`Self::ended`], or when the engine is given up without a panic.
pub(super) struct Running {
    path: PathBuf,
    mark: Mutex<Option<Mark>>,
}

impl Running {
    pub(super) fn begin(folder: &Path, now: Ms) -> io::Result<Self> {
        let mark = Mark {
            started_at: now,
            boot: boot(),
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
            ready: false,
        };
        let running = Self {
            path: path(folder),
            mark: Mutex::new(None),
        };
        write(&running.path, &mark)?;
        *crate::engine::locked(&running.mark) = Some(mark);
        Ok(running)
    }

    pub(super) fn ready(&self) {
        let mut mark = crate::engine::locked(&self.mark);
        if let Some(mark) = mark.as_mut() {
            mark.ready = true;
            if let Err(error) = write(&self.path, mark) {
                tracing::warn!(%error, "that the start is done was not noted");
            }
        }
    }

    pub(super) fn ended(&self) {
        if crate::engine::locked(&self.mark).take().is_some()
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(%error, "the next start will think that this one did not end in order");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A start that panics leaves its mark: it is what made the start fail.
        if !std::thread::panicking() {
            self.ended();
        }
    }
}

/// The mark of a run that did not end in order.
pub(super) fn left(folder: &Path) -> Option<Mark> {
    let bytes = std::fs::read(path(folder)).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The machine's boot (Linux: proc_sys_kernel(5)); where the system has no such name, all boots are one.
pub(super) fn boot() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

fn path(folder: &Path) -> PathBuf {
    folder.join("running.json")
}

fn write(path: &Path, mark: &Mark) -> io::Result<()> {
    super::write_quickly(path, &serde_json::to_vec(mark)?)
}
