//! A program that is measured: started, watched until it is ready, weighed with all its children, stopped.

use crate::http;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// Ticks of `/proc/*/stat` in a second. The kernel's interface fixes it at 100, whatever its own timer does.
const USER_HZ: f64 = 100.0;
/// Between two looks at whether a program is ready.
const LOOK: Duration = Duration::from_millis(2);

/// A running program. Killed when dropped, with the children it has then.
pub(crate) struct Program {
    child: Child,
    pid: u32,
    /// Port of its gateway.
    pub(crate) port: u16,
    began: Instant,
}

/// How often threads have gone to sleep, by id: name and count.
#[derive(Debug)]
pub(crate) struct Sleepers(pub(crate) std::collections::BTreeMap<u32, (String, u64)>);

/// How long a start took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// Seconds from spawn.
    pub(crate) wall: f64,
    /// CPU-seconds of the whole tree.
    pub(crate) cpu: f64,
}

impl Program {
    /// Starts a command whose gateway will listen on `port`. Its output goes to `log`.
    pub(crate) fn spawn(mut command: Command, port: u16, log: &Path) -> Result<Self> {
        let output = std::fs::File::create(log)?;
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true);
        let began = Instant::now();
        let child = command.spawn().context("the program cannot be started")?;
        let pid = child.id().context("the program has no id")?;
        Ok(Self { child, pid, port, began })
    }

    /// Waits until `/readyz` answers 200.
    pub(crate) async fn ready(&mut self, limit: Duration) -> Result<Start> {
        loop {
            if http::answers(self.port, "/readyz", Duration::from_secs(2)).await {
                return Ok(self.since_start());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the program ended before it was ready: {status}");
            }
            if self.began.elapsed() > limit {
                bail!("not ready within {} s", limit.as_secs());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Time and CPU since the start.
    pub(crate) fn since_start(&self) -> Start {
        Start {
            wall: self.began.elapsed().as_secs_f64(),
            cpu: self.cpu_seconds(),
        }
    }

    /// User and system time of the tree, children that have ended included.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        self.tree()
            .iter()
            .filter_map(|pid| cpu_ticks(*pid))
            .map(|ticks| f64::from(ticks) / USER_HZ)
            .sum()
    }

    /// Proportional set size of the tree in bytes.
    pub(crate) fn pss(&self) -> f64 {
        self.tree().iter().filter_map(|pid| pss(*pid)).sum()
    }

    /// How often each thread of the tree has gone to sleep so far.
    pub(crate) fn sleepers(&self) -> Sleepers {
        let mut all = std::collections::BTreeMap::new();
        for pid in self.tree() {
            for task in std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
                let text = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
                let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(|v| v.trim().to_owned());
                let id = task.file_name().to_string_lossy().parse::<u32>();
                let (Some(name), Some(count), Ok(id)) = (field("Name:"), field("voluntary_ctxt_switches:"), id) else {
                    continue;
                };
                all.insert(id, (name, count.parse().unwrap_or_default()));
            }
        }
        Sleepers(all)
    }

    /// Whether it still runs.
    pub(crate) fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The process and everything below it.
    fn tree(&self) -> Vec<u32> {
        let parents = parents();
        let mut tree = vec![self.pid];
        let mut next = 0;
        while let Some(parent) = tree.get(next).copied() {
            tree.extend(parents.iter().filter(|(_, p)| *p == parent).map(|(pid, _)| *pid));
            next += 1;
        }
        tree
    }

    /// Asks it to end, and ends what has not within ten seconds.
    pub(crate) async fn stop(mut self) {
        let tree = self.tree();
        signal("-TERM", &[self.pid]).await;
        if tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await.is_err() {
            signal("-KILL", &tree).await;
            let _ = self.child.wait().await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Only where `stop` was not reached: a stage failed. The child itself is killed by `kill_on_drop`.
        if self.alive() {
            let children: Vec<String> = self.tree().iter().skip(1).map(u32::to_string).collect();
            if !children.is_empty() {
                let _ = std::process::Command::new("kill")
                    .arg("-KILL")
                    .args(children)
                    .stderr(Stdio::null())
                    .status();
            }
        }
    }
}

async fn signal(signal: &str, pids: &[u32]) {
    let pids = pids.iter().map(u32::to_string);
    let _ = Command::new("kill").arg(signal).args(pids).stderr(Stdio::null()).status().await;
}

/// A port of the loopback interface that is free now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Every process with its parent.
fn parents() -> Vec<(u32, u32)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid: u32| Some((pid, u32::try_from(*stat(pid)?.get(1)?).ok()?)))
        .collect()
}

/// Numbers of `/proc/pid/stat` from the third field on: state (0 here), parent, … The name before may contain anything.
fn stat(pid: u32) -> Option<Vec<i64>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(|field| field.parse().unwrap_or_default()).collect())
}

/// `utime + stime + cutime + cstime`.
fn cpu_ticks(pid: u32) -> Option<u32> {
    u32::try_from(stat(pid)?.get(11..15)?.iter().sum::<i64>()).ok()
}

fn pss(pid: u32) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let kilobytes: f64 = text
        .lines()
        .find_map(|line| line.strip_prefix("Pss:"))?
        .trim()
        .trim_end_matches(" kB")
        .trim()
        .parse()
        .ok()?;
    Some(kilobytes * 1024.0)
}
