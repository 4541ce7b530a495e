//! Measures the plugin host: load from TypeScript, memory of an idle plugin, a hook's round trip, an event nobody hooks.
//! `cargo run -p kata-plugins --example measure [--release]`
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods)]

#[path = "../tests/it/support/mod.rs"]
mod support;

use kata_core::ports::Hooks;
use kata_protocol::HookName;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Bench, id, manifest};

/// Plugins for the memory figure.
const PLUGINS: u32 = 50;
/// Hook calls for the latency figure.
const CALLS: usize = 20_000;

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap_or("");
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn median(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

#[tokio::main]
async fn main() {
    let bench = Bench::new();
    let module = "import { definePlugin } from '@kata-agents/plugin-sdk';\nexport default definePlugin((api) => {\n\
                  api.registerHook('agent_end', async (event: { n: number }) => ({ text: event.n }));\n});\n";
    let candidates: Vec<_> = (0..PLUGINS)
        .map(|i| bench.write(&format!("p{i}"), &manifest(&format!("p{i}")), &[("index.ts", module)]))
        .collect();
    bench.activate(candidates[0].clone()).await.unwrap();
    let before = resident_kb();
    let mut loads = Vec::new();
    for candidate in &candidates[1..] {
        let began = Instant::now();
        bench.activate(candidate.clone()).await.unwrap();
        loads.push(began.elapsed());
    }
    let (p50, p99) = median(loads);
    println!("load from TypeScript      p50 {p50:?}  p99 {p99:?}");
    println!(
        "memory per idle plugin    {} KB resident, {} KB heap",
        (resident_kb() - before) / u64::from(PLUGINS - 1),
        bench.host.usage(&id("p1")).unwrap().memory_bytes.0 / 1024
    );

    let handler = bench.host.handlers(HookName::AgentEnd)[0].clone();
    let payload: Arc<str> = json!({ "n": 1, "text": "x".repeat(480) }).to_string().into();
    let mut calls = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let began = Instant::now();
        handler.invoke.invoke(Arc::clone(&payload), Duration::from_secs(15)).await.unwrap();
        calls.push(began.elapsed());
    }
    let (p50, p99) = median(calls);
    println!("hook, 500-byte event      p50 {p50:?}  p99 {p99:?}");

    let (tx, rx) = std::sync::mpsc::sync_channel::<tokio::sync::oneshot::Sender<()>>(64);
    std::thread::spawn(move || rx.iter().for_each(|reply| reply.send(()).unwrap()));
    let mut hops = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let (reply, answer) = tokio::sync::oneshot::channel();
        let began = Instant::now();
        tx.send(reply).unwrap();
        answer.await.unwrap();
        hops.push(began.elapsed());
    }
    let (p50, p99) = median(hops);
    println!("bare thread hop           p50 {p50:?}  p99 {p99:?}");

    let began = Instant::now();
    for _ in 0..1_000_000 {
        std::hint::black_box(bench.host.handlers(HookName::SessionStart));
    }
    println!("an event nobody hooks     {:?}", began.elapsed() / 1_000_000);
}
