//! Arguments for bubblewrap: the disk read-only, layers over it, its own processes, and no network unless it is allowed.

use super::{Mount, Shut};
use crate::why::{Why, why};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Sockets over which a command could have something outside started.
const SOCKETS: &[&str] = &[
    "/run/docker.sock",
    "/run/podman",
    "/run/containerd",
    "/run/user",
    "/run/dbus",
    "/run/systemd/private",
    "/run/snapd.socket",
];

/// Where bubblewrap is, when it can make a sandbox here.
pub(super) fn works() -> Result<PathBuf, Why> {
    let path = find().ok_or("bubblewrap (bwrap) is not installed")?;
    let shut = Shut {
        mounts: Vec::new(),
        network: false,
        temporary: None,
    };
    let tried = Command::new(&path)
        .args(arguments(&shut))
        .args(["--", "/bin/true"])
        .stdin(Stdio::null())
        .env_clear()
        .output();
    match tried {
        Ok(output) if output.status.success() => Ok(path),
        Ok(output) => Err(why(format!(
            "bubblewrap does not work: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ))),
        Err(e) => Err(why(format!("bubblewrap does not start: {e}"))),
    }
}

/// Only where the system puts it: the one that shuts in is not taken from a folder that a command may write.
fn find() -> Option<PathBuf> {
    [
        "/usr/bin/bwrap",
        "/usr/local/bin/bwrap",
        "/bin/bwrap",
        "/run/current-system/sw/bin/bwrap",
    ]
    .iter()
    .map(PathBuf::from)
    .find(|path| path.is_file())
}

pub(super) fn arguments(shut: &Shut) -> Vec<OsString> {
    let mut words: Vec<OsString> = [
        "--die-with-parent",
        "--new-session",
        "--unshare-pid",
        "--unshare-ipc",
        "--ro-bind",
        "/",
        "/",
        "--dev",
        "/dev",
        "--proc",
        "/proc",
        "--tmpfs",
        "/tmp",
        "--tmpfs",
        "/var/tmp",
    ]
    .iter()
    .map(Into::into)
    .collect();
    if !shut.network {
        words.push("--unshare-net".into());
    }
    let hidden = SOCKETS.iter().map(|path| Mount::Hide(path.into()));
    for mount in hidden.chain(shut.mounts.iter().cloned()) {
        let path = mount.path();
        let Ok(meta) = std::fs::metadata(path) else { continue };
        let mut say = |what: &str, from: &Path| words.extend([what.into(), from.into(), path.into()]);
        match &mount {
            Mount::Read(_) | Mount::Guard(_) | Mount::GuardIfPossible(_) => say("--ro-bind", path),
            Mount::Write(_) => say("--bind", path),
            Mount::Hide(_) if meta.is_dir() => words.extend(["--tmpfs".into(), path.into()]),
            Mount::Hide(_) => say("--ro-bind", Path::new("/dev/null")),
        }
    }
    words
}
