//! The library of a person with 10,000 sessions: the list, the search, one of 10,000 messages opened cold and paged back, and
//! the memory that takes. Nothing stands beside it: no peer has a search over sessions.

use crate::Bench;
use crate::kata::{Home, Kata};
use crate::report::Report;
use crate::sessions::{self, LONG, MESSAGES, SESSIONS};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Messages of one view.
const VIEW: u32 = 200;
/// Longest wait for the search to know every session.
const FILLING: Duration = Duration::from_secs(600);
/// A word of one message, words that stand in every second one, and a beginning.
const QUERIES: [&str; 3] = ["9973", "build fails machines", "gener*"];

/// Fills the rows of the library.
pub(crate) async fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    if bench.kata.is_none() {
        return Ok(());
    }
    let home = Home::with_plugins(bench, "library", 2)?;
    sessions::fill(&home.path())?;
    let (kata, _) = home.serve().await?;
    let began = Instant::now();
    let mut client = kata.client().await?;
    loop {
        let (_, answer) = client.timed("session.search", &json!({"query": QUERIES[0]})).await?;
        let page: Value = serde_json::from_str(&answer)?;
        if page["result"]["waiting"] == 0 {
            break;
        }
        ensure!(
            began.elapsed() < FILLING,
            "{} sessions are still not in the index",
            page["result"]["waiting"]
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    report.ours("search_fill", began.elapsed().as_secs_f64());
    drop(client);
    kata.stop().await;
    for _ in 0..bench.repeat {
        let (kata, _) = home.serve().await?;
        measure(report, &kata).await?;
        report.ours("library_pss", kata.program.pss());
        kata.stop().await;
    }
    Ok(())
}

async fn measure(report: &mut Report, kata: &Kata) -> Result<()> {
    let mut client = kata.client().await?;
    let mut timed = async |op: &str, params: Value| -> Result<(f64, Value)> {
        let (took, answer) = client.timed(op, &params).await?;
        let mut answer: Value = serde_json::from_str(&answer)?;
        ensure!(answer.get("error").is_none_or(Value::is_null), "{op}: {}", answer["error"]);
        Ok((took.as_secs_f64() * 1e3, answer["result"].take()))
    };
    // Of a new process: nothing is in its memory.
    let (took, page) = timed("session.get", json!({"id": LONG[0], "limit": VIEW})).await?;
    report.ours("open_cold", took);
    ensure!(
        page["earlier"] == MESSAGES - VIEW,
        "{} messages before the first page",
        page["earlier"]
    );
    let first = page["messages"][0]["id"].clone();
    let (took, page) = timed("session.get", json!({"id": LONG[0], "limit": VIEW, "before": first})).await?;
    report.ours("open_back", took);
    ensure!(
        page["earlier"] == MESSAGES - 2 * VIEW,
        "{} messages before the second page",
        page["earlier"]
    );
    let (took, page) = timed("session.list", json!({"limit": 200})).await?;
    report.ours("list_first", took);
    ensure!(page["total"] == SESSIONS, "the list has {} sessions", page["total"]);
    for (query, row) in QUERIES.into_iter().zip(["search_rare", "search_common", "search_begin"]) {
        let (took, page) = timed("session.search", json!({"query": query})).await?;
        report.ours(row, took);
        ensure!(
            page["hits"].as_array().is_some_and(|hits| !hits.is_empty()),
            "“{query}” finds nothing"
        );
    }
    Ok(())
}
