//! What becomes of a plugin that fails: blamed, waited for, held back, brought back; and what is never blamed on one.

use crate::support::*;
use kata_core::ports::{PluginPart, Tools};
use kata_plugins::HostOptions;
use kata_protocol::RunState;
use serde_json::json;
use std::time::Duration;

/// What `NATIVE` works on, made while the module is loaded.
const NOISE: &str = "const noise = crypto.getRandomValues(new Uint8Array(65536)); const source = new Uint8Array(160 * 65536); \
                     for (let i = 0; i < 160; i++) source.set(noise, i * 65536); \
                     for (let i = 0; i < source.length; i += 61) source[i] = i; const bytes = new Uint8Array(source.length);\n";
/// Native code that asks for no memory and, in its few rounds, for no permission: it cannot be interrupted. It ends by itself
/// after a second or two, so that a test leaves no thread behind.
const NATIVE: &str = "for (let round = 0; round < 8; round++) { bytes.set(source); new Float64Array(bytes.buffer).sort(); }";

fn impatient() -> HostOptions {
    HostOptions {
        tool_timeout: Duration::from_millis(100),
        stuck: Duration::from_millis(60),
        ..quick()
    }
}

async fn quarantined(bench: &Bench) {
    bench
        .state_of(PluginPart::Plugin, |s| matches!(s, RunState::Quarantined { .. }))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_that_cannot_be_interrupted_is_given_up_and_its_plugin_quarantined_until_a_person_says_so() {
    let bench = Bench::with(impatient());
    bench
        .run(
            "bad",
            &format!("{NOISE}{}", tool_module("bad", &format!("{NATIVE}; return 'done'"))),
        )
        .await
        .unwrap();
    bench.tool("bad", json!({})).await;
    let fault = bench.fault("stuck").await;
    assert!(
        fault.message.contains("least priority") && fault.message.contains("restart the app"),
        "{}",
        fault.message
    );
    quarantined(&bench).await;
    assert_eq!(bench.fault_kinds().iter().filter(|k| *k == "stuck").count(), 1, "told once");
    assert_eq!(bench.host.running(), []);
    // A click, with code that is mended.
    bench.run("bad", &tool_module("bad", "return 'mended'")).await.unwrap();
    assert_eq!(bench.tool("bad", json!({})).await.text, "mended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn native_code_that_nobody_waits_for_is_found_by_the_watchdog() {
    let bench = Bench::with(impatient());
    let body = format!("setTimeout(() => {{ {NATIVE} }}, 1); return 'set'");
    let module = format!("{NOISE}{}", tool_module("bad", &body));
    bench.run("bad", &module).await.unwrap();
    assert_eq!(bench.tool("bad", json!({})).await.text, "set");
    bench.fault("stuck").await;
    quarantined(&bench).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plugin_that_only_failed_to_load_is_never_called_stuck() {
    let bench = Bench::with(impatient());
    bench.run("good", &tool_module("good", "return 'here'")).await.unwrap();
    bench.run("bad", "throw new Error('no')").await.unwrap_err();
    let mut thief = manifest("thief");
    thief["contributes"]["tools"] = json!(["good"]);
    let candidate = bench.write("thief", &thief, &[("index.ts", &tool_module("good", "return 'stolen'"))]);
    bench.activate(candidate).await.unwrap_err();
    // Their threads have ended by themselves; the time in which one would be given up passes, several times over.
    for _ in 0..30 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(bench.tool("good", json!({})).await.text, "here");
    }
    assert_eq!(bench.fault_kinds(), ["load", "load"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_ends_a_quarantine_and_the_count_begins_anew() {
    let bench = Bench::new();
    bench
        .run("bad", &tool_module("bad", "if (args.loop) for (;;) {} return 'here'"))
        .await
        .unwrap();
    for round in 1.. {
        bench.tool("bad", json!({ "loop": true })).await;
        bench
            .state_of(PluginPart::Plugin, |s| {
                matches!(s, RunState::Backoff { .. } | RunState::Quarantined { .. })
            })
            .await;
        if matches!(bench.state(PluginPart::Plugin), Some(RunState::Quarantined { .. })) {
            assert_eq!(round, 5);
            break;
        }
        bench.state_of(PluginPart::Plugin, |s| *s == RunState::Running).await;
    }
    assert!(bench.tool("bad", json!({})).await.text.contains("not running"));
    assert_eq!(bench.host.usage(&id("bad")).unwrap().restarts, 4);
    let candidate = bench.discover().found.remove(0);
    bench.activate(candidate).await.unwrap();
    assert_eq!(bench.tool("bad", json!({})).await.text, "here");
    bench.tool("bad", json!({ "loop": true })).await;
    bench
        .state_of(PluginPart::Plugin, |s| matches!(s, RunState::Backoff { attempt: 1, .. }))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_fault_a_thousand_times_is_one_line_with_a_count() {
    let bench = Bench::new();
    let body = "let n = 0; const t = setInterval(() => { if (++n === 1000) clearInterval(t); throw new Error('again'); }, 0); return 'set'";
    bench.run("bad", &tool_module("bad", body)).await.unwrap();
    bench.tool("bad", json!({})).await;
    bench
        .until("the last but a few", |b| {
            b.faults.lock().unwrap().iter().any(|(_, f)| f.message.contains("(512 times)"))
        })
        .await;
    let told = bench.backend.faults.lock().unwrap().len();
    assert!(told <= 10, "{told} faults were told");
    assert_eq!(bench.host.faults(&id("bad")).len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_flickers_is_shown_a_hundred_times_a_minute_and_blamed_once() {
    let bench = Bench::new();
    let body = "for (let i = 0; i < 2000; i++) { ctx.status({ state: i % 2 ? 'running' : 'degraded', code: 'x', message: 'y' }); } ctx.logger.info('done');";
    bench.run("c", &channel_module(body)).await.unwrap();
    bench.host.start_channel(&channel("c")).await.unwrap();
    bench
        .until("the end", |b| b.logs.lock().unwrap().iter().any(|(_, l)| l == "done"))
        .await;
    let shown = bench
        .backend
        .statuses
        .lock()
        .unwrap()
        .iter()
        .filter(|s| s.1 != PluginPart::Plugin)
        .count();
    assert!(shown <= 125, "{shown} states were shown");
    assert_eq!(bench.fault_kinds(), ["flood"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_waits_out_its_fault_comes_back_at_once_with_a_new_version() {
    let bench = Bench::with(HostOptions {
        policy: kata_core::lifecycle::Policy {
            first_delay_ms: 600_000,
            max_delay_ms: 600_000,
            ..Default::default()
        },
        ..quick()
    });
    bench.run("c", &channel_module("throw new Error('not yet')")).await.unwrap();
    bench.host.start_channel(&channel("c")).await.unwrap();
    let part = PluginPart::Channel(channel("c"));
    bench.state_of(part.clone(), |s| matches!(s, RunState::Backoff { .. })).await;
    bench.run("c", &channel_module("ctx.status({ state: 'running' })")).await.unwrap();
    bench.state_of(part, |s| *s == RunState::Running).await;
}

fn logged(backend: &Backend, line: &str) -> usize {
    backend.logs.lock().unwrap().iter().filter(|(_, l)| l == line).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_wake_every_channel_makes_its_connection_anew_without_a_fault() {
    let bench = Bench::new();
    let body = "ctx.logger.info('connects'); ctx.status({ state: 'running' }); \
                await new Promise((done) => ctx.signal.addEventListener('abort', () => { ctx.logger.info('leaves'); done(); }));";
    bench.run("c", &channel_module(body)).await.unwrap();
    bench.host.start_channel(&channel("c")).await.unwrap();
    let part = PluginPart::Channel(channel("c"));
    bench.state_of(part.clone(), |s| *s == RunState::Running).await;
    bench.host.network_changed();
    bench.host.woke_up();
    bench.until("it connects again", |b| logged(b, "connects") == 2).await;
    bench.state_of(part, |s| *s == RunState::Running).await;
    assert_eq!(logged(&bench.backend, "leaves"), 1, "the old connection is left in order, once");
    assert_eq!(bench.fault_kinds(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_network_lets_a_channel_that_waits_try_again_at_once() {
    let bench = Bench::with(HostOptions {
        policy: kata_core::lifecycle::Policy {
            first_delay_ms: 600_000,
            max_delay_ms: 600_000,
            ..Default::default()
        },
        ..quick()
    });
    let body = "const tries = ((await ctx.state.get('tries')) ?? 0) + 1; await ctx.state.set('tries', tries); \
                if (tries < 3) throw new Error('no network'); ctx.status({ state: 'running' });";
    bench.run("c", &channel_module(body)).await.unwrap();
    bench.host.start_channel(&channel("c")).await.unwrap();
    let part = PluginPart::Channel(channel("c"));
    let waits = |s: &RunState| matches!(s, RunState::Backoff { .. });
    bench.state_of(part.clone(), waits).await;
    let failed = || {
        bench
            .backend
            .statuses
            .lock()
            .unwrap()
            .iter()
            .filter(|s| matches!(s.2.state, RunState::Backoff { .. }))
            .count()
    };
    bench.host.network_changed();
    bench.until("it fails again", |_| failed() == 2).await;
    bench.host.network_changed();
    bench.state_of(part, |s| *s == RunState::Running).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_budget_and_its_use_are_there_to_be_shown() {
    let bench = Bench::new();
    let mut low = manifest("p");
    low["limits"] = json!({ "memoryMb": 8, "cpuMsPerMinute": 500 });
    let body = "for (let i = 0; i < 210; i++) console.log(i); setTimeout(() => {}, 1e6); for (let i = 0; i < 3e6; i++); return new Promise(() => {})";
    let candidate = bench.write("p", &low, &[("index.ts", &tool_module("p", body))]);
    let unknown = bench.host.ceilings(&id("p"));
    bench.activate(candidate).await.unwrap();
    let limits = bench.host.ceilings(&id("p"));
    assert_eq!(
        (limits.memory_bytes.0, limits.cpu_ms_per_minute, limits.log_lines_per_minute),
        (8 << 20, 500, 200)
    );
    assert_eq!((unknown.memory_bytes.0, unknown.timers, unknown.queue), (32 << 20, 256, 256));
    let cancel = tokio_util::sync::CancellationToken::new();
    let mut busy = request("p", json!({}));
    busy.cancel = cancel.clone();
    let call = bench.host.call(busy);
    let usage = async {
        loop {
            let usage = bench.host.usage(&id("p")).unwrap();
            if usage.timers == 1 && usage.log_lines_dropped > 0 {
                cancel.cancel();
                return usage;
            }
            tokio::task::yield_now().await;
        }
    };
    let (_, usage) = tokio::join!(call, usage);
    assert_eq!((usage.log_lines_dropped, usage.restarts, usage.queue_depth), (10, 0, 0));
    assert!(usage.cpu_ms_last_minute > 0, "{usage:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_crosses_from_the_host_is_counted_as_the_plugins_memory() {
    let bench = Bench::new();
    let body = "const kept = []; const text = 'x'.repeat(1e6); for (let i = 0; i < 1000; i++) kept.push(new TextEncoder().encode(text)); return `${kept.length}`";
    bench.run("bad", &tool_module("bad", body)).await.unwrap();
    assert!(
        bench.tool("bad", json!({})).await.is_error,
        "a gigabyte was kept with a limit of 32 MB"
    );
    bench.fault("memory").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_stopped_before_it_began_does_not_begin() {
    let bench = Bench::with(HostOptions {
        stop_timeout: Duration::from_secs(600),
        ..quick()
    });
    let module = "export default (api) => { api.registerService({ id: 'p', async start(ctx) { await new Promise((r) => ctx.signal.addEventListener('abort', r)); } });\n\
                  api.registerTool({ name: 'p', description: 'd', parameters: {}, execute() { for (let i = 0; i < 1e6; i++); return 'x'; } }); };";
    bench.run("p", module).await.unwrap();
    for _ in 0..20 {
        // The thread is busy, so that the start waits in the queue.
        let busy = bench.host.call(request("p", json!({})));
        let life = async {
            bench.host.start_service(&id("p"), "p").await.unwrap();
            bench.host.stop_service(&id("p"), "p").await;
        };
        let (outcome, ()) = tokio::join!(busy, life);
        assert_eq!(outcome.text, "x");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_whose_channel_or_service_does_not_come_up_is_rolled_back() {
    let bench = Bench::with(HostOptions {
        trial: Duration::from_secs(600),
        call_slice: Duration::from_millis(50),
        slice: Duration::from_millis(50),
        ..quick()
    });
    let module = |version: u32, connect: &str, start: &str| {
        format!(
            "export default (api) => {{ api.registerTool({{ name: 'c', description: 'd', parameters: {{}}, execute: () => 'version {version}' }});\n\
             api.registerChannel({{ id: 'c', meta: {{ label: 'C' }}, capabilities: {{}}, outbound: {{ send() {{}} }}, messaging: {{ async connect(ctx) {{ {connect} }} }} }});\n\
             api.registerService({{ id: 'c', async start(ctx) {{ {start} }} }}); }};"
        )
    };
    let (up, held) = (
        "ctx.status({ state: 'running' }); ctx.logger.info('up');",
        "await new Promise((r) => ctx.signal.addEventListener('abort', r));",
    );
    bench.run("c", &module(1, &format!("{up} {held}"), held)).await.unwrap();
    bench.host.start_channel(&channel("c")).await.unwrap();
    bench.host.start_service(&id("c"), "c").await.unwrap();
    let part = PluginPart::Channel(channel("c"));
    bench.state_of(part.clone(), |s| *s == RunState::Running).await;
    for (connect, start, words) in [
        ("throw new Error('no connection');", held, "channel c: "),
        (held, "await null; throw new Error('no start');", "service c: "),
        (held, "await null; for (;;) {}", "ended over a limit|without a pause"),
    ] {
        bench.backend.faults.lock().unwrap().clear();
        bench.run("c", &module(2, connect, start)).await.unwrap();
        let fault = bench.fault("load").await;
        assert!(fault.message.contains("the one before goes on"), "{}", fault.message);
        assert!(words.split('|').any(|w| fault.message.contains(w)), "{words}: {}", fault.message);
        bench.state_of(PluginPart::Plugin, |s| *s == RunState::Degraded).await;
        assert_eq!(bench.tool("c", json!({})).await.text, "version 1");
        bench.state_of(part.clone(), |s| *s == RunState::Running).await;
    }
    bench.run("c", &module(3, &format!("{up} {held}"), held)).await.unwrap();
    assert_eq!(bench.tool("c", json!({})).await.text, "version 3");
    bench.host.shutdown(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_waits_for_a_person_connects_again_when_its_plugin_is_loaded_again() {
    let bench = Bench::new();
    let module = |report: &str| {
        format!(
            "export default (api) => api.registerChannel({{ id: 'c', meta: {{ label: 'C' }}, capabilities: {{}}, outbound: {{ send() {{}} }},\n\
               messaging: {{ async connect(ctx) {{\n\
                 ctx.status({report});\n\
                 await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));\n\
               }} }} }});"
        )
    };
    let waits = "{ state: 'needs_user', code: 'token', message: 'no token', action: { kind: 'configure', field: 'token' } }";
    bench.run("c", &module(waits)).await.unwrap();
    bench.host.start_channel(&channel("c")).await.unwrap();
    let part = || PluginPart::Channel(channel("c"));
    bench.state_of(part(), |s| matches!(s, RunState::NeedsUser { .. })).await;
    // What a person gave is seen by the next load, as a secret is.
    bench.run("c", &module("{ state: 'running' }")).await.unwrap();
    bench.state_of(part(), |s| *s == RunState::Running).await;
}
