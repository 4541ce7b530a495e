//! Loading and unloading, a thousand times: nothing of a plugin stays behind. Alone in its program, because it weighs it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)]

#[path = "it/support/mod.rs"]
mod support;

use kata_protocol::HookName;
use serde_json::json;
use std::time::Duration;
use support::*;

/// Lives before the first weighing: by then allocator, thread stacks and caches have what they keep.
const WARM: u32 = 150;
/// Lives that are weighed.
const LIVES: u32 = 1_000;

const MODULE: &str = "const kept = new Array(2000).fill('x');\n\
export default { register(api) {\n\
  api.registerTool({ name: 'p', description: 'd', parameters: { type: 'object' }, execute: () => 'here' });\n\
  api.registerHook('message_received', async (e, ctx) => { await ctx.state.get('k'); return { text: e.text + kept.length }; });\n\
  api.registerService({ id: 'p', async start(ctx) { setInterval(() => {}, 1000); await new Promise((r) => ctx.signal.addEventListener('abort', r)); } });\n\
}, dispose() { kept.length = 0; } };";

/// Resident memory, kB.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn threads() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    text.lines()
        .find_map(|l| l.strip_prefix("Threads:"))
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_lives_of_a_plugin_leave_no_memory_and_no_thread_behind() {
    let bench = Bench::new();
    let candidate = bench.write("p", &manifest("p"), &[("index.js", MODULE)]);
    let mut before = (0, 0);
    for life in 0..WARM + LIVES {
        if life == WARM {
            before = (resident(), threads());
        }
        bench.activate(candidate.clone()).await.unwrap();
        bench.host.start_service(&id("p"), "p").await.unwrap();
        let answers = bench
            .hooks(HookName::MessageReceived, json!({ "text": "a" }), Duration::from_secs(10))
            .await;
        assert_eq!(answers[0].1, Ok(Some(r#"{"text":"a2000"}"#.to_owned())));
        bench.host.deactivate(&id("p")).await;
        bench.backend.statuses.lock().unwrap().clear();
    }
    // The last threads are about to end.
    for _ in 0..200 {
        if threads() <= before.1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let after = (resident(), threads());
    assert!(
        after.0 <= before.0 + before.0 / 10,
        "resident kB before and after: {before:?} {after:?}"
    );
    assert!(after.1 <= before.1 + 1, "threads before and after: {before:?} {after:?}");
    assert_eq!(bench.fault_kinds(), Vec::<String>::new());
}
