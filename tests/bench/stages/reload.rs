//! A plugin's file is saved: how long until the new code serves? Watching, waiting for quiet, compiling and swapping are in it.

use crate::Bench;
use crate::kata::{Home, PLUGINS};
use crate::plugins;
use crate::report::Report;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::time::{Duration, Instant};

/// Fills the row of the reload.
pub(crate) async fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    if bench.kata.is_none() {
        return Ok(());
    }
    let home = Home::with_plugins(bench, "reload", PLUGINS)?;
    let (kata, _) = home.serve().await?;
    kata.plugins_up(PLUGINS).await?;
    let mut client = kata.client().await?;
    for round in 0..bench.repeat {
        // Past the quiet time of the change before.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let says = format!("changed for the {round}th time");
        let began = Instant::now();
        plugins::small(&home.plugins, "bench-1", &says)?;
        loop {
            let tools = client.call("tool.list", &json!({})).await?;
            let tools = tools.as_array().context("tool.list gives no list")?;
            if tools
                .iter()
                .any(|tool| tool["name"] == "bench-1" && tool["description"] == says.as_str())
            {
                break;
            }
            ensure!(
                began.elapsed() < Duration::from_secs(20),
                "the changed plugin is not live after 20 s"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        report.ours("reload", began.elapsed().as_secs_f64());
    }
    kata.stop().await;
    Ok(())
}
