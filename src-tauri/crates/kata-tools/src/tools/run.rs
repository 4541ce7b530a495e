//! `bash`: one command line, shut in, with a time limit. Its whole process group ends with it.
//!
//! It gets no variable of this program but a short list of harmless ones, no input, and one pipe for both outputs, of which the
//! beginning and the end are kept. Deliberately absent: commands that go on in the background.

use super::arguments::{Bash, TIMEOUT_S};
use super::{TEXT, failed};
use crate::bash::git;
use crate::rules::{only_reads, writable};
use crate::sandbox::Shut;
use crate::why::{Why, why};
use crate::{Sandbox, Scope};
use kata_core::ports::ToolOutcome;
use kata_protocol::PermissionMode;
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::process::Child;
use tokio_util::sync::CancellationToken;

/// Time between the friendly signal and the other one.
const GRACE: Duration = Duration::from_millis(1500);
/// Time for the rest of the output when everything has ended.
const REST: Duration = Duration::from_secs(1);
/// Bytes kept of the beginning, and of the end.
const HALF: usize = TEXT / 2 - 2048;

/// Variables a command gets from this program.
const PASSED: &[&str] = &[
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "SHELL",
    "JAVA_HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "GOPATH",
];
/// Where commands are looked for when this program was told nothing.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A command that runs. The thread that started it lives until this is dropped.
struct Running {
    child: Child,
    output: Receiver,
    _thread: std::sync::mpsc::SyncSender<()>,
    _temporary: Option<Temporary>,
}

/// A folder that goes when the command has ended.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) async fn bash(sandbox: &Arc<Sandbox>, scope: Scope, mode: PermissionMode, args: Bash, cancel: CancellationToken) -> ToolOutcome {
    let seconds = args.timeout.unwrap_or(TIMEOUT_S.1);
    let (this, line) = (Arc::clone(sandbox), args.command);
    let handle = tokio::runtime::Handle::current();
    let (started, start) = tokio::sync::oneshot::channel();
    // A thread of its own: see the sandbox. It ends with the command.
    let spawned = std::thread::Builder::new().name("command".into()).spawn(move || {
        let (keep, kept) = std::sync::mpsc::sync_channel::<()>(1);
        let _ = started.send(launch(&this, &scope, mode, &line, &handle, keep));
        let _ = kept.recv();
    });
    if let Err(e) = spawned {
        return failed(format!("the command could not be started: {e}"));
    }
    let mut running = match start.await {
        Ok(Ok(running)) => running,
        Ok(Err(why)) => return failed(why),
        Err(_) => return failed("the command could not be started"),
    };
    let mut kept = Kept::default();
    let group = running.child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let mut why = None;
    let limit = tokio::time::sleep(Duration::from_secs(seconds));
    tokio::pin!(limit);
    let mut open = true;
    let mut buffer = vec![0; 64 * 1024];
    let status = loop {
        tokio::select! {
            biased;
            () = cancel.cancelled() => {
                why = Some("stopped by the person".to_owned());
                break end(&mut running.child, group).await;
            }
            () = &mut limit => {
                why = Some(format!("stopped after {seconds} s; a longer “timeout” may be up to {} s", TIMEOUT_S.0));
                break end(&mut running.child, group).await;
            }
            read = running.output.read(&mut buffer), if open => match read {
                Ok(0) | Err(_) => open = false,
                Ok(n) => kept.take(&buffer[..n]),
            },
            status = running.child.wait() => break status.ok(),
        }
    };
    // What it left running in its group ends with it.
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let rest = async {
        while let Ok(n @ 1..) = running.output.read(&mut buffer).await {
            kept.take(&buffer[..n]);
        }
    };
    if open {
        let _ = tokio::time::timeout(REST, rest).await;
    }
    outcome(kept, status, why)
}

/// Ends a process group: asked, then made to.
async fn end(child: &mut Child, group: Option<Pid>) -> Option<ExitStatus> {
    let signal = |signal| group.map(|group| kill_process_group(group, signal));
    signal(Signal::TERM);
    if let Ok(status) = tokio::time::timeout(GRACE, child.wait()).await {
        return status.ok();
    }
    signal(Signal::KILL);
    child.wait().await.ok()
}

/// Starts the command on this thread.
fn launch(
    sandbox: &Sandbox,
    scope: &Scope,
    mode: PermissionMode,
    line: &str,
    handle: &tokio::runtime::Handle,
    keep: std::sync::mpsc::SyncSender<()>,
) -> Result<Running, Why> {
    let reads = only_reads(line, scope).is_ok();
    let write = mode != PermissionMode::Safe && !reads;
    if mode == PermissionMode::Safe
        && let Some(lack) = sandbox.lacks()
    {
        return Err(why(format!(
            "commands cannot be shut in on this machine ({lack}), so mode safe runs none"
        )));
    }
    let more = if write { writable(scope) } else { Vec::new() };
    if write {
        scope
            .prepare()
            .map_err(|e| why(format!("the workspace's rules could not be guarded: {e}")))?;
    }
    let temporary = match write && sandbox.wants_temporary() {
        true => Some(temporary().map_err(|e| why(format!("there is no folder for what is temporary: {e}")))?),
        false => None,
    };
    let shut = Shut {
        mounts: scope.mounts(write, &more),
        network: write,
        temporary: temporary.as_ref().map(|t| t.0.clone()),
    };
    let (reader, writer) = std::io::pipe().map_err(|e| why(format!("there is no pipe for the output: {e}")))?;
    let writer_too = writer
        .try_clone()
        .map_err(|e| why(format!("there is no pipe for the output: {e}")))?;
    let mut command = sandbox.command(&shut, &["bash", "--noprofile", "--norc", "-c", line]);
    command
        .env_clear()
        .envs(environment(scope, reads, temporary.as_ref().map(|t| t.0.as_path())))
        .current_dir(&scope.working)
        .stdin(Stdio::null())
        .stdout(writer)
        .stderr(writer_too);
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let _inside = handle.enter();
    let output = Receiver::from_owned_fd(reader.into()).map_err(|e| why(format!("there is no pipe for the output: {e}")))?;
    sandbox.bind_thread(&shut)?;
    let mut command = tokio::process::Command::from(command);
    let child = command
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| why(format!("the command could not be started: {e}")))?;
    Ok(Running {
        child,
        output,
        _thread: keep,
        _temporary: temporary,
    })
}

fn temporary() -> std::io::Result<Temporary> {
    use std::os::unix::fs::DirBuilderExt;
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let base = std::fs::canonicalize(std::env::temp_dir())?;
    let path = base.join(format!(
        "kata-command-{}-{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    ));
    std::fs::DirBuilder::new().mode(0o700).create(&path)?;
    Ok(Temporary(path))
}

/// What the command finds in its environment. One that only reads finds no program in a folder that an agent writes.
fn environment(scope: &Scope, reads: bool, temporary: Option<&Path>) -> Vec<(OsString, OsString)> {
    let mut variables: Vec<(OsString, OsString)> = Vec::new();
    for name in PASSED {
        if let Some(value) = std::env::var_os(name) {
            variables.push((name.into(), value));
        }
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| PATH.into());
    let fine = |folder: &PathBuf| {
        let own = || folder.starts_with(&scope.working) || folder.starts_with(&scope.workspace);
        folder.is_absolute() && !(reads && own())
    };
    let folders = std::env::split_paths(&path).filter(fine);
    let path = std::env::join_paths(folders).unwrap_or_else(|_| PATH.into());
    variables.push(("PATH".into(), path));
    variables.push(("TERM".into(), "dumb".into()));
    variables.push(("PAGER".into(), "cat".into()));
    variables.push((
        "TMPDIR".into(),
        temporary.map_or_else(|| "/tmp".into(), |t| t.as_os_str().to_owned()),
    ));
    if reads {
        variables.extend(git::ENVIRONMENT.iter().map(|(key, value)| (key.into(), value.into())));
    }
    variables
}

fn outcome(kept: Kept, status: Option<ExitStatus>, why: Option<String>) -> ToolOutcome {
    use std::os::unix::process::ExitStatusExt;
    let mut text = kept.text();
    let mut say = |words: String| {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(&words);
    };
    let good = status.is_some_and(|s| s.success()) && why.is_none();
    match (&why, status) {
        (Some(why), _) => say(format!("[{why}]")),
        (None, Some(status)) => match (status.code(), status.signal()) {
            (Some(0), _) => {}
            (Some(code), _) => say(format!("[exit code {code}]")),
            (None, signal) => say(format!("[ended by signal {}]", signal.unwrap_or_default())),
        },
        (None, None) => say("[how it ended is not known]".into()),
    }
    if text.is_empty() {
        text.push_str("[no output]");
    }
    ToolOutcome { text, is_error: !good }
}

/// The beginning and the end of an output.
#[derive(Default)]
struct Kept {
    first: Vec<u8>,
    last: VecDeque<u8>,
    dropped: u64,
}

impl Kept {
    fn take(&mut self, bytes: &[u8]) {
        let room = HALF.saturating_sub(self.first.len()).min(bytes.len());
        self.first.extend_from_slice(&bytes[..room]);
        self.last.extend(&bytes[room..]);
        let over = self.last.len().saturating_sub(HALF);
        self.last.drain(..over);
        self.dropped += over as u64;
    }

    /// As text of at most [`TEXT`] bytes: bytes that are no text become one sign each that is three bytes long.
    fn text(self) -> String {
        let last: Vec<u8> = self.last.into();
        if self.dropped == 0 {
            let whole = [self.first, last].concat();
            return super::cut(String::from_utf8_lossy(&whole).into_owned());
        }
        let (first, last) = (String::from_utf8_lossy(&self.first), String::from_utf8_lossy(&last));
        super::cut(format!("{first}\n[… {} bytes left out …]\n{last}", self.dropped))
    }
}
