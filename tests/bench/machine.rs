//! What the figures were taken on.

use crate::{Bench, openclaw};
use anyhow::Result;
use std::io::Write;
use std::path::Path;
use std::time::Instant;
use tokio::process::Command;

/// Lines of the report's head.
pub(crate) async fn describe(bench: &Bench) -> Result<Vec<(String, String)>> {
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".into());
    let memory = field("/proc/meminfo", "MemTotal").and_then(|kb| kb.trim_end_matches(" kB").parse::<f64>().ok());
    let cores = std::thread::available_parallelism()?;
    let mut lines = vec![
        ("date".into(), said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]).await),
        (
            "machine".into(),
            format!("{cpu}, {cores} cores, {:.0} GB memory", memory.unwrap_or_default() / 1e6),
        ),
        ("system".into(), format!("{}, {}", said("uname", &["-sr"]).await, distribution())),
        (
            "disk".into(),
            format!(
                "{}; one 4 kB append made durable takes {:.2} ms (median)",
                file_system(bench.work.path()).await,
                sync_ms(bench.work.path())?
            ),
        ),
        ("load before".into(), load()),
    ];
    if let Some(kata) = &bench.kata {
        let version = said(&kata.to_string_lossy(), &["--version"]).await;
        let built = if kata.components().any(|c| c.as_os_str() == "release") {
            "release build"
        } else {
            "NOT a release build"
        };
        let root = bench.root.to_string_lossy().into_owned();
        let commit = said("git", &["-C", &root, "rev-parse", "--short", "HEAD"]).await;
        lines.push((
            "Kata Agents".into(),
            format!("{version}, commit {commit}, {built}, {}", said("rustc", &["--version"]).await),
        ));
    }
    if let Some(peer) = &bench.peer {
        let node = said(&peer.node().to_string_lossy(), &["--version"]).await;
        lines.push(("OpenClaw".into(), format!("{}, Node {node}", openclaw::VERSION)));
    }
    Ok(lines)
}

/// Load averages now.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

async fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().await;
    output
        .map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
        .unwrap_or_default()
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn distribution() -> String {
    let text = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.unwrap_or("unknown").trim_matches('"').to_owned()
}

async fn file_system(path: &Path) -> String {
    let table = said("df", &["--output=fstype", &path.to_string_lossy()]).await;
    table.lines().last().unwrap_or("unknown").trim().to_owned()
}

/// What durability costs here, in milliseconds: without this number a rate of durable messages says nothing.
pub(crate) fn sync_ms(folder: &Path) -> Result<f64> {
    let mut file = std::fs::File::create(folder.join("sync"))?;
    let mut samples = Vec::new();
    for _ in 0..50 {
        let began = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        samples.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(crate::stats::median(&samples))
}
