//! What a neighbour notices of an attack: the hook of an innocent plugin and the gateway's `system.status`, during each class
//! of attack beside the quiet figure of the same program. The hostile plugin is loaded again three times a second, so that
//! neither backoff nor quarantine gives the neighbours a rest.

use crate::Bench;
use crate::kata::{Home, Kata};
use crate::plugins::{self, write_file};
use crate::report::Report;
use crate::stages::turns::{Load, PER_SESSION, drive};
use crate::stats::percentile;
use crate::wire::Wire;
use anyhow::Result;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Between two loads of the hostile plugin.
const AGAIN: Duration = Duration::from_millis(300);
/// Between two requests.
const PAUSE: Duration = Duration::from_millis(2);

/// One attack of each class; begun by a timer as soon as the plugin is up.
const CLASSES: &[(&str, &str)] = &[
    ("none", ""),
    ("a loop", "for (;;) {}"),
    (
        "microtasks that breed",
        "const f = () => { queueMicrotask(f); queueMicrotask(f); }; f();",
    ),
    ("a regular expression", "/(a+)+$/.test('a'.repeat(40) + '!');"),
    ("memory", "const a = []; for (;;) a.push(new Uint8Array(1e6));"),
    ("recursion", "const f = () => { try { f(); } catch { f(); } }; f();"),
    (
        "native calls in a loop",
        "const s = '\\u0344'.repeat(1e5); for (;;) s.normalize('NFD');",
    ),
    ("log lines", "for (;;) console.log('line', Math.random());"),
    (
        "timers",
        "const f = () => { for (let i = 0; i < 200; i++) setTimeout(f, 0); }; f();",
    ),
    ("errors", "setInterval(() => { throw new Error('n' + Math.random()); }, 0);"),
    (
        "host calls",
        "const f = async () => { for (;;) await fetch('http://127.0.0.1:9/').catch(() => {}); }; for (let i = 0; i < 32; i++) f();",
    ),
    (
        "imports",
        "const f = async () => { for (;;) await import('./broken.ts').catch(() => {}); }; f();",
    ),
];

/// Milliseconds.
struct Figures {
    hook_p99: f64,
    status_p99: f64,
}

/// Fills the rows of neighbours.
pub(crate) async fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    if bench.kata.is_none() {
        return Ok(());
    }
    let home = Home::empty(bench, "hostile")?;
    plugins::hookbench(&home.plugins)?;
    let manifest =
        json!({"id": "bad", "name": "Bad", "version": "1.0.0", "api": "1", "description": "Attacks.", "capabilities": ["net:127.0.0.1:9"]});
    write_file(&home.plugins.join("bad/kata-plugin.json"), &manifest.to_string())?;
    write_file(&home.plugins.join("bad/broken.ts"), &"export default (;".repeat(2_000))?;
    write_file(&home.plugins.join("bad/index.ts"), "export default () => {};")?;
    let (kata, _) = home.serve().await?;
    kata.plugins_up(2).await?;
    let mut quiet: Option<Figures> = None;
    let (mut worst_hook, mut worst_status) = (0.0_f64, 0.0_f64);
    for (name, code) in CLASSES {
        let module = format!("export default () => {{ setTimeout(() => {{ {code} }}, 1); }};");
        write_file(&home.plugins.join("bad/index.ts"), &module)?;
        let figures = during(bench, &kata).await?;
        match &quiet {
            None => quiet = Some(figures),
            Some(quiet) => {
                let (hook, status) = (figures.hook_p99 / quiet.hook_p99, figures.status_p99 / quiet.status_p99);
                report.note(format!(
                    "Beside {name}: an innocent hook's p99 {:.3} ms ({hook:.1} × quiet), `system.status` p99 {:.3} ms ({status:.1} × quiet).",
                    figures.hook_p99, figures.status_p99
                ));
                worst_hook = worst_hook.max(hook);
                worst_status = worst_status.max(status);
            }
        }
    }
    report.ours("hostile_hook", worst_hook);
    report.ours("hostile_status", worst_status);
    kata.stop().await;
    Ok(())
}

/// Turns through the innocent plugin and requests beside them, while the hostile one is loaded again and again.
async fn during(bench: &Bench, kata: &Kata) -> Result<Figures> {
    let window = if bench.quick {
        Duration::from_millis(1500)
    } else {
        Duration::from_secs(5)
    };
    let sessions = kata.sessions(10).await?;
    let (mut turns, mut probe, mut person) = (kata.listener(&["session"]).await?, kata.client().await?, kata.client().await?);
    let load = Load {
        lanes: vec![sessions],
        depth: 1,
        each: PER_SESSION,
        window,
        pause: Duration::from_millis(4),
    };
    let (driven, status_p99, ()) = tokio::join!(
        drive(&mut turns, load, None),
        statuses(&mut probe, window),
        clicks(&mut person, window)
    );
    driven?;
    let traces = probe.call("trace.list", &json!({ "limit": 200 })).await?;
    Ok(Figures {
        hook_p99: percentile(&hooks(&traces), 0.99),
        status_p99: status_p99?,
    })
}

async fn statuses(wire: &mut Wire, window: Duration) -> Result<f64> {
    let began = Instant::now();
    let mut times = Vec::new();
    while began.elapsed() < window {
        let asked = Instant::now();
        wire.call("system.status", &json!({})).await?;
        times.push(asked.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(percentile(&times, 0.99))
}

/// A person who has the plugin loaded again and again; that it fails is the point.
async fn clicks(wire: &mut Wire, window: Duration) {
    let began = Instant::now();
    while began.elapsed() < window {
        let _ = wire.call("plugin.reload", &json!({ "id": "bad" })).await;
        tokio::time::sleep(AGAIN).await;
    }
}

/// How long the innocent plugin's hooks took, milliseconds.
fn hooks(traces: &Value) -> Vec<f64> {
    let steps = traces
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|t| t["steps"].as_array().into_iter().flatten());
    steps
        .filter(|s| s["plugin"] == "hookbench")
        .filter_map(|s| s["durationUs"].as_f64().map(|us| us / 1e3))
        .collect()
}
