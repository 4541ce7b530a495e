//! The plugin host alone in a process, beside a Node child per plugin and beside a bare hop between two threads. Prints one
//! line of JSON; `cargo xtask bench` starts it and makes rows of it.
//!
//! Both answer the same hook on the same 500-byte event, one call after the other. Deliberately absent: the engine around the
//! host; what a message costs end to end is the stage `turns`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::print_stdout)]

mod node;
#[path = "../../src-tauri/crates/kata-plugins/tests/it/support/mod.rs"]
mod support;

use kata_core::ports::Hooks;
use kata_protocol::HookName;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Bench, manifest};

/// Handlers of one event.
const HANDLERS: [usize; 3] = [1, 10, 50];
/// Plugins in the process when memory is read.
const IDLE: [usize; 3] = [1, 10, 100];

/// Microseconds: the middle one and the one in a hundred.
pub(crate) fn figures(mut times: Vec<Duration>) -> Value {
    times.sort();
    let us = |at: usize| times.get(at).map_or(0.0, |t| t.as_secs_f64() * 1e6);
    json!({ "p50": us(times.len() / 2), "p99": us(times.len() * 99 / 100) })
}

/// The event that both sides get.
pub(crate) fn event() -> Value {
    json!({ "n": 1, "text": "x".repeat(480) })
}

/// Proportional set size of a process, bytes.
pub(crate) fn pss(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("Pss:")).unwrap_or_default();
    line.split_whitespace()
        .next()
        .and_then(|n| n.parse::<f64>().ok())
        .unwrap_or_default()
        * 1024.0
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let quick = std::env::args().any(|a| a == "--quick");
    let calls = if quick { 1_000 } else { 10_000 };
    let mut out = BTreeMap::new();
    out.insert("hop", hop(calls).await);
    out.insert("hook", hooks(calls).await);
    let (load, memory) = idle().await;
    out.insert("load", load);
    out.insert("memory", memory);
    // Last: its processes would share what this one weighs.
    out.insert(
        "node",
        tokio::task::spawn_blocking(move || node::measure(calls, quick)).await.unwrap(),
    );
    println!("{}", json!(out));
}

/// A request to another thread and its answer, with nothing done there: the least that a thread per plugin can cost.
async fn hop(calls: usize) -> Value {
    let (tx, rx) = std::sync::mpsc::sync_channel::<tokio::sync::oneshot::Sender<()>>(64);
    let thread = std::thread::spawn(move || {
        for reply in rx {
            let _ = reply.send(());
        }
    });
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let (reply, answer) = tokio::sync::oneshot::channel();
        let began = Instant::now();
        tx.send(reply).unwrap();
        answer.await.unwrap();
        times.push(began.elapsed());
    }
    drop(tx);
    thread.join().unwrap();
    figures(times)
}

/// An event with 0, 1, 10 and 50 handlers in one plugin, dispatched in order.
async fn hooks(calls: usize) -> Value {
    let bench = Bench::new();
    let began = Instant::now();
    for _ in 0..1_000_000 {
        std::hint::black_box(bench.host.handlers(HookName::SessionStart));
    }
    let mut out = BTreeMap::from([("0".to_owned(), json!({ "p50": began.elapsed().as_secs_f64(), "p99": Value::Null }))]);
    for count in HANDLERS {
        let module = format!(
            "import {{ definePlugin }} from '@kata-agents/plugin-sdk';\nexport default definePlugin((api) => {{\n\
             for (let i = 0; i < {count}; i++) api.registerHook('agent_end', async (event: {{ n: number }}) => ({{ text: event.n }}));\n}});\n"
        );
        bench.run("p", &module).await.unwrap();
        let handlers = bench.host.handlers(HookName::AgentEnd);
        assert_eq!(handlers.len(), count);
        let payload: Arc<str> = event().to_string().into();
        // Below the budget of CPU per minute, whatever the number of handlers.
        let rounds = (calls / count).max(100);
        let mut times = Vec::with_capacity(rounds);
        for round in 0..rounds + 50 {
            let began = Instant::now();
            for handler in handlers.iter() {
                handler.invoke.invoke(Arc::clone(&payload), Duration::from_secs(15)).await.unwrap();
            }
            if round >= 50 {
                times.push(began.elapsed());
            }
        }
        out.insert(count.to_string(), figures(times));
    }
    json!(out)
}

/// Loads from TypeScript, and memory per plugin that does nothing.
async fn idle() -> (Value, Value) {
    let bench = Bench::new();
    let module = "import { definePlugin } from '@kata-agents/plugin-sdk';\nexport default definePlugin((api) => {\n\
                  api.registerHook('agent_end', async (event: { n: number }) => ({ text: event.n }));\n});\n";
    let most = IDLE.into_iter().max().unwrap_or_default();
    let names: Vec<String> = (0..=most).map(|n| format!("p{n}")).collect();
    let candidates: Vec<_> = names
        .iter()
        .map(|n| bench.write(n, &manifest(n), &[("index.ts", module)]))
        .collect();
    // The first one pays for what all share.
    bench.activate(candidates[0].clone()).await.unwrap();
    let before = pss(std::process::id());
    let (mut loads, mut memory) = (Vec::new(), BTreeMap::new());
    for (n, candidate) in candidates[1..].iter().enumerate() {
        let began = Instant::now();
        bench.activate(candidate.clone()).await.unwrap();
        loads.push(began.elapsed());
        if IDLE.contains(&(n + 1)) {
            #[expect(clippy::cast_precision_loss, reason = "at most a hundred")]
            memory.insert((n + 1).to_string(), (pss(std::process::id()) - before) / (n + 1) as f64);
        }
    }
    (figures(loads), json!(memory))
}
