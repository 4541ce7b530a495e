//! At rest: memory and start with the window open, closed and never opened, and of `kata serve`; then how often each wakes the
//! processor when nothing happens, and what that costs.
//!
//! Not part of the usual run: it takes minutes (`cargo xtask rest --minutes 60` for an hour). A wake-up is a voluntary context
//! switch of a thread (`/proc/PID/task/TID/status`): it slept, and something woke it. Each state of the app is a start of its own,
//! and memory is read while nothing else of ours runs, since PSS divides shared pages by those who share them; waiting is done by
//! all at once.

use crate::Bench;
use crate::kata::{Home, PLUGINS};
use crate::process::{Program, Sleepers, free_port};
use crate::report::Report;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{Instant, sleep};

/// How long a start may take, and a window may take to appear or go.
const LIMIT: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// Fills the rows of rest.
pub(crate) async fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let mut waiting: Vec<(Program, Keys)> = Vec::new();
    let (kata, start) = Home::with_plugins(bench, "rest-serve", PLUGINS)?.serve().await?;
    report.ours("rest_serve_ready", start.wall);
    kata.plugins_up(PLUGINS).await?;
    sleep(bench.rest).await;
    report.ours("rest_serve_pss", kata.program.pss() / 1e6);
    match &bench.app {
        Some(app) if std::env::var_os("DISPLAY").is_some() => {
            kata.stop().await;
            window(bench, app, report).await?;
            let hidden = hidden(bench, app, report).await?;
            waiting.push((hidden, HIDDEN));
            // Weighed alone; from here on it keeps the other company.
            let (again, _) = Home::with_plugins(bench, "rest-serve-again", PLUGINS)?.serve().await?;
            again.plugins_up(PLUGINS).await?;
            sleep(bench.rest).await;
            waiting.push((again.program, SERVE));
        }
        _ => {
            report.note("the desktop program is not built, or there is no screen for it (`cargo xtask rest` brings one)");
            waiting.push((kata.program, SERVE));
        }
    }
    idle(bench, waiting, report).await
}

/// Rows of one program that waits.
struct Keys {
    name: &'static str,
    wakeups: &'static str,
    cpu: &'static str,
    after: &'static str,
}

const SERVE: Keys = Keys {
    name: "kata serve",
    wakeups: "rest_serve_wakeups",
    cpu: "rest_serve_cpu",
    after: "rest_serve_after",
};
const HIDDEN: Keys = Keys {
    name: "the app, hidden",
    wakeups: "rest_hidden_wakeups",
    cpu: "rest_hidden_cpu",
    after: "rest_hidden_after",
};

/// Leaves all of them alone for the time of this run.
async fn idle(bench: &Bench, waiting: Vec<(Program, Keys)>, report: &mut Report) -> Result<()> {
    let before: Vec<_> = waiting
        .iter()
        .map(|(program, _)| (program.sleepers(), program.cpu_seconds()))
        .collect();
    let began = Instant::now();
    crate::say(&format!("  left alone for {} s", bench.idle.as_secs()));
    sleep(bench.idle).await;
    let seconds = began.elapsed().as_secs_f64();
    for ((program, keys), (sleepers, cpu)) in waiting.into_iter().zip(before) {
        let spent = program.cpu_seconds() - cpu;
        let by_thread = sleepers.until(&program.sleepers());
        report.ours(keys.wakeups, by_thread.iter().map(|(_, count)| *count).sum::<f64>() / seconds);
        // Of one core.
        report.ours(keys.cpu, spent / seconds * 100.0);
        report.ours(keys.after, program.pss() / 1e6);
        let most: Vec<String> = by_thread
            .iter()
            .take(6)
            .filter(|(_, count)| *count > 0.0)
            .map(|(name, count)| format!("{name} {:.2}/s", count / seconds))
            .collect();
        report.note(format!(
            "{} was left alone for {seconds:.0} s; who woke most: {}",
            keys.name,
            most.join(", ")
        ));
        program.stop().await;
    }
    Ok(())
}

/// With its window, and after it was closed.
async fn window(bench: &Bench, app: &Path, report: &mut Report) -> Result<()> {
    let (mut program, began) = start(bench, app, "rest-window", &[])?;
    program.ready(LIMIT).await?;
    until("the window is there", async || windows().await.contains("Kata Agents")).await?;
    report.ours("rest_window_shown", began.elapsed().as_secs_f64());
    sleep(bench.rest).await;
    report.ours("rest_open_pss", program.pss() / 1e6);
    Command::new("wmctrl")
        .args(["-c", "Kata Agents"])
        .status()
        .await
        .context("wmctrl")?;
    until("the window is gone", async || !windows().await.contains("Kata Agents")).await?;
    sleep(bench.rest).await;
    report.ours("rest_closed_pss", program.pss() / 1e6);
    program.stop().await;
    Ok(())
}

/// As it is started at login.
async fn hidden(bench: &Bench, app: &Path, report: &mut Report) -> Result<Program> {
    let (mut program, _) = start(bench, app, "rest-hidden", &["--hidden"])?;
    let start = program.ready(LIMIT).await?;
    report.ours("rest_hidden_ready", start.wall);
    sleep(bench.rest).await;
    report.ours("rest_hidden_pss", program.pss() / 1e6);
    Ok(program)
}

fn start(bench: &Bench, app: &Path, name: &str, arguments: &[&str]) -> Result<(Program, Instant)> {
    let home = Home::with_plugins(bench, name, PLUGINS)?;
    // Past the first run: what a person has who starts it at login.
    home.settings(
        &serde_json::json!({ "models": { "default": "demo", "providers": [{ "id": "demo", "kind": "demo", "model": "demo" }] } }),
    )?;
    let port = free_port()?;
    let mut command = Command::new(app);
    command.args(arguments);
    for (key, value) in home.environment(port) {
        command.env(key, value);
    }
    let log: PathBuf = home.path().with_extension("log");
    let began = Instant::now();
    Ok((Program::spawn(command, port, &log)?, began))
}

async fn windows() -> String {
    let output = Command::new("wmctrl").arg("-l").output().await;
    output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default()
}

async fn until(what: &str, condition: impl AsyncFn() -> bool) -> Result<()> {
    let began = Instant::now();
    while !condition().await {
        anyhow::ensure!(began.elapsed() < LIMIT, "{what}: not within {} s", LIMIT.as_secs());
        sleep(LOOK).await;
    }
    Ok(())
}

/// Wake-ups of each thread since an earlier look, most first, with threads of one name together.
impl Sleepers {
    fn until(&self, later: &Self) -> Vec<(String, f64)> {
        let mut by_name: std::collections::BTreeMap<&str, f64> = std::collections::BTreeMap::new();
        for (id, (name, count)) in &later.0 {
            let before = self.0.get(id).map_or(0, |(_, count)| *count);
            *by_name.entry(name).or_default() += count.saturating_sub(before) as f64;
        }
        let mut all: Vec<_> = by_name.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wakeups_are_counted_since_the_look_before_and_by_name() {
        let look = |rows: &[(u32, &str, u64)]| Sleepers(rows.iter().map(|(id, name, count)| (*id, ((*name).to_owned(), *count))).collect());
        let before = look(&[(1, "kata", 100), (2, "plugin echo", 5)]);
        let after = look(&[(1, "kata", 107), (2, "plugin echo", 5), (3, "kata", 4)]);
        assert_eq!(before.until(&after), [("kata".into(), 11.0), ("plugin echo".into(), 0.0)]);
    }
}
