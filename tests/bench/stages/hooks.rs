//! The plugin host beside a Node child per plugin, and beside a bare hop between threads. Measured by the program
//! `plugin-bench`, which has the host and nothing around it.

use crate::Bench;
use crate::report::Report;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

/// Fills the rows of hooks, loads and idle plugins.
pub(crate) async fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    if bench.kata.is_none() {
        return Ok(());
    }
    let program = std::env::current_exe()?.with_file_name("plugin-bench");
    for _ in 0..bench.repeat {
        let mut command = Command::new(&program);
        if bench.quick {
            command.arg("--quick");
        }
        let output = command
            .output()
            .await
            .with_context(|| format!("{} cannot be run", program.display()))?;
        ensure!(output.status.success(), "plugin-bench: {}", String::from_utf8_lossy(&output.stderr));
        let figures: Value = serde_json::from_slice(&output.stdout)?;
        rows(&figures, report)?;
    }
    Ok(())
}

fn rows(figures: &Value, report: &mut Report) -> Result<()> {
    let of = |path: &str| {
        figures
            .pointer(path)
            .and_then(Value::as_f64)
            .with_context(|| format!("no figure {path}"))
    };
    report.ours("hop_p50", of("/hop/p50")?);
    report.ours("hop_p99", of("/hop/p99")?);
    report.ours("hook_0", of("/hook/0/p50")?);
    for (p50, p99, count) in [
        ("hook_1_p50", "hook_1_p99", 1),
        ("hook_10_p50", "hook_10_p99", 10),
        ("hook_50_p50", "hook_50_p99", 50),
    ] {
        report.ours(p50, of(&format!("/hook/{count}/p50"))?);
        report.ours(p99, of(&format!("/hook/{count}/p99"))?);
    }
    report.ours("hook_over_hop", of("/hook/1/p50")? - of("/hop/p50")?);
    report.ours("load_ts", of("/load/p50")? / 1e3);
    for (key, count) in [("idle_1", 1), ("idle_10", 10), ("idle_100", 100)] {
        report.ours(key, of(&format!("/memory/{count}"))? / 1e6);
    }
    if figures["node"].is_null() {
        report.note("There is no Node to compare a plugin with.");
        return Ok(());
    }
    for (key, path) in [
        ("node_1_p50", "/node/hook/1/p50"),
        ("node_1_p99", "/node/hook/1/p99"),
        ("node_50_p50", "/node/hook/50/p50"),
    ] {
        report.ours(key, of(path)?);
    }
    report.ours("hook_by_node", of("/hook/1/p50")? / of("/node/hook/1/p50")?);
    report.ours("node_load", of("/node/load/p50")? / 1e3);
    report.ours("node_idle", of("/node/memory/10")? / 1e6);
    Ok(())
}
