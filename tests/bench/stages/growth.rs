//! How the cost of a message grows: over 10 to 10,000 conversations, and under 0 to 50 handlers of one hook.

use crate::Bench;
use crate::kata::Home;
use crate::plot::Plot;
use crate::plugins;
use crate::report::Report;
use crate::stages::turns::{Load, Turns, drive};
use crate::stats::percentile;
use anyhow::Result;
use std::time::Duration;

/// Conversations of each step.
const CONVERSATIONS: &[usize] = &[10, 100, 1_000, 10_000];
/// Handlers of each step.
const HANDLERS: &[usize] = &[0, 1, 5, 10, 25, 50];
/// Lanes side by side.
const LANES: usize = 8;
/// Turns of a step at least.
const TURNS: usize = 2_000;
/// Time for a step. It ends with its turns.
const PATIENCE: Duration = Duration::from_secs(120);

/// Fills both plots.
pub(crate) async fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    if bench.kata.is_none() {
        return Ok(());
    }
    conversations(bench, report).await?;
    handlers(bench, report).await
}

/// Each message goes to another conversation than the one before it in its lane, so that none is at hand.
async fn conversations(bench: &Bench, report: &mut Report) -> Result<()> {
    let mut plot = Plot::new("turn, p50, over so many conversations", "conversations", "ms");
    for &count in steps(bench, CONVERSATIONS) {
        let home = Home::empty(bench, &format!("growth-{count}"))?;
        let (kata, _) = home.serve().await?;
        let sessions = kata.sessions(count).await?;
        let mut wire = kata.listener(&["session"]).await?;
        let cpu = kata.program.cpu_seconds();
        let turns = drive(&mut wire, spread(&sessions, 1), None).await?;
        let cpu = kata.program.cpu_seconds() - cpu;
        report.note(line(&format!("{count} conversations"), &turns, cpu, kata.program.pss() / 1e6));
        plot.point(count, percentile(&turns.ended, 0.5));
        kata.stop().await;
    }
    report.plot(plot);
    Ok(())
}

async fn handlers(bench: &Bench, report: &mut Report) -> Result<()> {
    let mut plot = Plot::new("turn, p50, under so many handlers of `message_received`", "handlers", "ms");
    for &count in steps(bench, HANDLERS) {
        let home = Home::empty(bench, &format!("growth-hooks-{count}"))?;
        if count > 0 {
            plugins::listeners(&home.plugins, count)?;
        }
        let (kata, _) = home.serve().await?;
        kata.plugins_up(usize::from(count > 0)).await?;
        let sessions = kata.sessions(100).await?;
        let mut wire = kata.listener(&["session"]).await?;
        let cpu = kata.program.cpu_seconds();
        let turns = drive(&mut wire, spread(&sessions, LANES), None).await?;
        let cpu = kata.program.cpu_seconds() - cpu;
        report.note(line(&format!("{count} handlers"), &turns, cpu, kata.program.pss() / 1e6));
        plot.point(count, percentile(&turns.ended, 0.5));
        kata.stop().await;
    }
    report.plot(plot);
    Ok(())
}

/// A smoke run takes the first two.
fn steps<'a>(bench: &Bench, all: &'a [usize]) -> &'a [usize] {
    if bench.quick { &all[..2] } else { all }
}

/// One message after the other to each of the conversations in turn, round and round; in `lanes` at a time at most.
fn spread(sessions: &[String], lanes: usize) -> Load {
    let lanes = lanes.min(sessions.len());
    let rounds = TURNS.div_ceil(sessions.len());
    let of = |lane: usize| {
        let own: Vec<String> = sessions.iter().skip(lane).step_by(lanes).cloned().collect();
        std::iter::repeat_n(own, rounds).flatten().collect()
    };
    Load {
        lanes: (0..lanes).map(of).collect(),
        depth: 1,
        each: 1,
        window: PATIENCE,
        pause: Duration::ZERO,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand turns")]
fn line(what: &str, turns: &Turns, cpu: f64, pss: f64) -> String {
    let count = turns.ended.len() as f64;
    format!(
        "{what}: turn p50 {:.2} ms, p99 {:.2} ms, {:.0} a second, {:.2} CPU-ms each, {pss:.0} MB afterwards.",
        percentile(&turns.ended, 0.5),
        percentile(&turns.ended, 0.99),
        count / turns.seconds,
        cpu * 1e3 / count,
    )
}
