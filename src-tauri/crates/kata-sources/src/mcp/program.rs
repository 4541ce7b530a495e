//! A server that is a program of this machine: started in a process group of its own, its standard error kept, ended with
//! everything it started.
//!
//! `npx` and `uvx` start the server as their child, so the group is what is ended; and when the first process of the group dies,
//! the rest is ended too, since a grandchild that holds the pipes would leave a call waiting for ever.

use crate::log::Lines;
use crate::trouble::Trouble;
use kata_core::tasks::Tasks;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Target of the lines of standard error.
pub(crate) const STDERR: &str = "stderr";
/// Time a program gets to end by itself when its input is closed, and again after SIGTERM.
const GRACE: Duration = Duration::from_millis(400);
/// Time for what it wrote last.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// Longest line of standard error, bytes.
const LONGEST: u64 = 16 * 1024;

/// Variables of this program that no server gets: keys of others. What the source's file names is given all the same.
const KEPT_BACK: &[&str] = &[
    "ANTHROPIC_API_KEY",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "OPENAI_API_KEY",
    "GOOGLE_API_KEY",
    "GEMINI_API_KEY",
    "STRIPE_SECRET_KEY",
    "NPM_TOKEN",
];
/// Beginnings of such names.
const KEPT_BACK_WITH: &[&str] = &["AWS_", "KATA_"];

/// Whether a variable is kept from servers.
pub(crate) fn kept_back(name: &str) -> bool {
    KEPT_BACK.contains(&name) || KEPT_BACK_WITH.iter().any(|begin| name.starts_with(begin))
}

/// A running program.
pub(crate) struct Program {
    end: CancellationToken,
    ended: watch::Receiver<Option<String>>,
}

impl Program {
    /// Starts one. Answers it with its output and its input.
    pub(crate) fn start(
        command: &str,
        args: &[String],
        env: &BTreeMap<String, String>,
        folder: &Path,
        lines: Arc<Lines>,
        tasks: &Tasks,
    ) -> Result<(Self, ChildStdout, ChildStdin), Trouble> {
        let mut start = Command::new(command);
        start.args(args).current_dir(folder);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(kept_back) {
                start.env_remove(name);
            }
        }
        start.envs(env);
        start
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        start.process_group(0);
        let mut child = start.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Trouble::stay(
                "no_command",
                format!("The program “{command}” was not found. Install it, or write its whole path into mcp.command."),
            ),
            _ => Trouble::stay("no_start", format!("The program “{command}” could not be started: {error}.")),
        })?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
            return Err(Trouble::stay("no_start", "The program has no standard input or output."));
        };
        let (told, ended) = watch::channel(None);
        let end = CancellationToken::new();
        let said = CancellationToken::new();
        tasks.spawn("source's standard error", keep_lines(stderr, lines, said.clone().drop_guard()));
        tasks.spawn("source's program", watch_over(child, end.clone(), tasks.stopping(), said, told));
        Ok((Self { end, ended }, stdout, stdin))
    }

    /// Asks it to end; it is made to when it does not.
    pub(crate) fn end(&self) {
        self.end.cancel();
    }

    /// How it ended, in words: `was ended by signal 9`. Returns when it has.
    pub(crate) async fn ended(&self) -> String {
        let mut ended = self.ended.clone();
        let how = ended.wait_for(Option::is_some).await.ok().and_then(|how| how.clone());
        how.unwrap_or_else(|| "ended".into())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

async fn watch_over(
    mut child: Child,
    end: CancellationToken,
    stopping: CancellationToken,
    said: CancellationToken,
    told: watch::Sender<Option<String>>,
) {
    let group = child.id();
    let status = tokio::select! {
        status = child.wait() => status,
        // Its input is closed at the same time, which is how a server is asked to end.
        () = async { tokio::select! { () = end.cancelled() => {}, () = stopping.cancelled() => {} } } => {
            match tokio::time::timeout(GRACE, child.wait()).await {
                Ok(status) => status,
                Err(_) => {
                    signal(group, false);
                    match tokio::time::timeout(GRACE, child.wait()).await {
                        Ok(status) => status,
                        Err(_) => {
                            signal(group, true);
                            let _ = child.start_kill();
                            child.wait().await
                        }
                    }
                }
            }
        }
    };
    // What it started has nobody left to work for.
    signal(group, true);
    let how = match status {
        Ok(status) => in_words(status),
        Err(error) => format!("was lost: {error}"),
    };
    // Its last words are read before its end is told; a stranger who holds the pipe is not waited for.
    let _ = tokio::time::timeout(LAST_WORDS, said.cancelled()).await;
    told.send_replace(Some(how));
}

fn in_words(status: std::process::ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("was ended by signal {signal}");
    }
    match status.code() {
        Some(code) => format!("ended with code {code}"),
        None => "ended".into(),
    }
}

#[cfg(unix)]
fn signal(group: Option<u32>, kill: bool) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let pid = group.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process_group(pid, if kill { Signal::KILL } else { Signal::TERM });
    }
}

/// Elsewhere the process itself is ended by its handle.
#[cfg(not(unix))]
fn signal(_: Option<u32>, _: bool) {}

async fn keep_lines(stderr: ChildStderr, lines: Arc<Lines>, _said: DropGuard) {
    let mut read = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut read).take(LONGEST).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => lines.add("INFO", STDERR, &String::from_utf8_lossy(&line)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_server_gets_the_keys_of_others() {
        for name in ["ANTHROPIC_API_KEY", "AWS_SESSION_TOKEN", "GH_TOKEN", "NPM_TOKEN", "KATA_TOKEN"] {
            assert!(kept_back(name), "{name}");
        }
        for name in ["PATH", "HOME", "LANG", "GITHUB_PERSONAL_ACCESS_TOKEN"] {
            assert!(!kept_back(name), "{name}");
        }
    }
}
