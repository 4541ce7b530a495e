//! 10,000 sessions listed, and one of 10,000 messages opened.

use crate::Bench;
use crate::kata::{Home, Kata};
use crate::report::Report;
use crate::sessions::{self, LONG, MESSAGES, SESSIONS};
use anyhow::{Result, ensure};
use serde_json::{Value, json};

/// Rows of one page, the most an operation gives.
const PAGE: u32 = 1_000;

/// Fills the rows of sessions.
pub(crate) async fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    if bench.kata.is_none() {
        return Ok(());
    }
    let home = Home::with_plugins(bench, "sessions", 2)?;
    sessions::fill(&home.path())?;
    for _ in 0..bench.repeat {
        for file in ["kata.db", "kata.db-wal", "kata.db-shm"] {
            let _ = std::fs::remove_file(home.path().join(file));
        }
        let (kata, start) = home.serve().await?;
        report.ours("list_index", start.wall);
        kata.stop().await;
        let (kata, start) = home.serve().await?;
        report.ours("list_start", start.wall);
        measure(report, &kata).await?;
        kata.stop().await;
    }
    Ok(())
}

async fn measure(report: &mut Report, kata: &Kata) -> Result<()> {
    let mut client = kata.client().await?;
    let (took, answer) = client.timed("session.list", &json!({"limit": 200})).await?;
    let page: Value = serde_json::from_str(&answer)?;
    ensure!(
        page["result"]["total"] == SESSIONS,
        "the list has {} sessions",
        page["result"]["total"]
    );
    report.ours("list_page", took.as_secs_f64() * 1e3);
    let mut all = 0.0;
    for offset in (0..SESSIONS).step_by(PAGE as usize) {
        all += client
            .timed("session.list", &json!({"limit": PAGE, "offset": offset}))
            .await?
            .0
            .as_secs_f64()
            * 1e3;
    }
    report.ours("list_all", all);
    // Both are read from their files, as when a person opens them for the first time.
    let (took, _) = client.timed("session.get", &json!({"id": LONG[0], "limit": 200})).await?;
    report.ours("open_page", took.as_secs_f64() * 1e3);
    let (took, answer) = client.timed("session.get", &json!({"id": LONG[1]})).await?;
    report.ours("open_all", took.as_secs_f64() * 1e3);
    let detail: Value = serde_json::from_str(&answer)?;
    let rows = detail["result"]["messages"].as_array().map_or(0, Vec::len);
    ensure!(rows == MESSAGES as usize, "the long session has {rows} messages");
    Ok(())
}
