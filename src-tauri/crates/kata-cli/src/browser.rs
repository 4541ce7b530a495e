//! Opening a page in the browser of this machine, where there is a screen for one.

use kata_engine::{Browser, NoBrowser};
use std::process::{Command, Stdio};

/// The system's own program for it.
pub(crate) struct SystemBrowser;

impl Browser for SystemBrowser {
    fn open(&self, url: &str) -> Result<(), NoBrowser> {
        if !has_display() {
            return Err(NoBrowser("this machine has no screen here".into()));
        }
        let program = match std::env::consts::OS {
            "macos" => "open",
            "windows" => "explorer",
            _ => "xdg-open",
        };
        let started = Command::new(program)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut child = started.map_err(|e| NoBrowser(format!("{program}: {e}")))?;
        // It ends soon, and nobody else would take it off the system's list.
        std::thread::spawn(move || {
            let _ = child.wait();
        });
        Ok(())
    }
}

/// Whether there is a screen a browser could open on.
pub(crate) fn has_display() -> bool {
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|v| !v.is_empty()))
}
