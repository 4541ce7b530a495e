//! One bad plugin, eight ways: does the rest go on?

use crate::Bench;
use crate::http;
use crate::plugins::WAYS;
use crate::process::Program;
use crate::report::Report;
use crate::stages::turns::{Load, PER_SESSION, Turns, drive, with_listener};
use crate::stats::percentile;
use crate::wire::Wire;
use anyhow::Result;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// How long a program is watched. The fault comes 3 s after the plugin's start and the longest takes 8 s.
const WATCH: Duration = Duration::from_secs(12);
/// Time for each probe.
const PROBE: Duration = Duration::from_secs(1);
/// Time to become ready with the bad plugin.
const READY: Duration = Duration::from_secs(40);

/// What the probes saw.
#[derive(Debug, Default)]
struct Seen {
    health_lost: u32,
    requests_lost: u32,
}

/// Fills the rows of bad plugins.
pub(crate) async fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let ways: &[_] = if bench.quick { &WAYS[3..7] } else { WAYS };
    let (mut ours, mut theirs) = (0_u32, 0_u32);
    let mut calm = Vec::new();
    let mut worst = 0.0_f64;
    if bench.kata.is_some() {
        calm = beside(bench, None).await?.turns.ended;
    }
    for (mode, words) in ways {
        if bench.kata.is_some() {
            let Beside { verdict, turns, recorded } = beside(bench, Some(mode)).await?;
            let p99 = percentile(&turns.ended, 0.99);
            worst = worst.max(p99);
            ours += u32::from(verdict == Verdict::Survived);
            report.note(format!(
                "Kata Agents, {words}: {}; recorded: {recorded}; turns beside it: p99 {p99:.2} ms.",
                verdict.words()
            ));
        }
        if let Some(peer) = &bench.peer {
            let name = format!("peer-{mode}");
            let mut gateway = peer.spawn(bench, &name, Some("crashy"), mode)?;
            let verdict = match gateway.program.ready(READY).await {
                Ok(_) => match gateway.client().await {
                    Ok(mut wire) => {
                        let seen = watch(gateway.program.port, &mut wire, "last-heartbeat").await;
                        drop(wire);
                        let served = served(gateway.client().await, "last-heartbeat").await;
                        judge(&mut gateway.program, &seen, served)
                    }
                    Err(error) => Verdict::Fell(format!("no client gets in ({error:#})")),
                },
                Err(error) => Verdict::Fell(format!("{error:#}")),
            };
            theirs += u32::from(verdict == Verdict::Survived);
            report.note(format!("OpenClaw, {words}: {}.", verdict.words()));
            gateway.stop().await;
        }
    }
    if bench.kata.is_some() {
        let Beside { verdict, recorded, .. } = beside(bench, Some("memory")).await?;
        report.note(format!(
            "Kata Agents, a plugin that takes all memory it can: {}; recorded: {recorded} (ours alone; not in the count).",
            verdict.words()
        ));
        // Before and after the bad ones, so that a machine that grows quieter or busier is not taken for their doing.
        calm.extend(beside(bench, None).await?.turns.ended);
        let calm = percentile(&calm, 0.99);
        report.note(format!("Kata Agents, turns beside no bad plugin: p99 {calm:.2} ms."));
        report.ours("beside_p99", worst / calm);
    }
    if bench.quick {
        report.note(format!("A smoke run tries {} ways only.", ways.len()));
        return Ok(());
    }
    if bench.kata.is_some() {
        report.ours("survived", f64::from(ours));
    }
    if bench.peer.is_some() {
        report.peer("survived", f64::from(theirs));
    }
    Ok(())
}

/// Whether a program went on as if nothing had happened.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Survived,
    /// It did not; in words.
    Fell(String),
}

impl Verdict {
    fn words(&self) -> String {
        match self {
            Self::Survived => "survived".into(),
            Self::Fell(why) => format!("did NOT survive: {why}"),
        }
    }
}

/// Our engine for a while with a good plugin and perhaps a bad one.
struct Beside {
    verdict: Verdict,
    /// How the turns through the good one went meanwhile.
    turns: Turns,
    /// What the engine says the bad one did.
    recorded: String,
}

async fn beside(bench: &Bench, mode: Option<&str>) -> Result<Beside> {
    // A folder of its own each time: the turns beside none are taken twice.
    let name = format!("faults-{}-{}", mode.unwrap_or("none"), bench.work.path().read_dir()?.count());
    let mut kata = with_listener(bench, &name, mode).await?;
    let mut probe = kata.client().await?;
    let mut wire = kata.listener(&["session"]).await?;
    let sessions = kata.sessions(20).await?;
    let load = Load {
        lanes: vec![sessions],
        depth: 1,
        each: PER_SESSION,
        window: WATCH,
        pause: Duration::from_millis(10),
    };
    let (seen, turns) = tokio::join!(watch(kata.program.port, &mut probe, "system.status"), drive(&mut wire, load, None));
    let recorded = timeout(PROBE, recorded(&mut probe))
        .await
        .unwrap_or_else(|_| "nothing, the engine does not answer".into());
    drop(probe);
    let served = served(kata.client().await, "system.status").await;
    let mut verdict = judge(&mut kata.program, &seen, served);
    let turns = turns.unwrap_or_else(|error| {
        verdict = Verdict::Fell(format!("the turns of another plugin broke off ({error:#})"));
        Turns::default()
    });
    kata.stop().await;
    Ok(Beside { verdict, turns, recorded })
}

/// Faults of the bad plugin by kind, and how it and its service stand: that it misbehaved must show.
async fn recorded(wire: &mut Wire) -> String {
    let plugins = wire.call("plugin.list", &json!({})).await.unwrap_or_default();
    let sources = wire.call("source.list", &json!({})).await.unwrap_or_default();
    let of = |list: &Value| {
        list.as_array()
            .into_iter()
            .flatten()
            .find(|p| p["id"] == "crashy" || p["plugin"] == "crashy")
            .cloned()
            .unwrap_or_default()
    };
    let (plugin, service) = (of(&plugins), of(&sources));
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    for fault in plugin["faults"].as_array().into_iter().flatten() {
        *kinds.entry(fault["kind"].as_str().unwrap_or("?").to_owned()).or_default() += 1;
    }
    let kinds: Vec<String> = kinds.into_iter().map(|(kind, n)| format!("{n} × {kind}")).collect();
    let stands = |status: &Value| status["state"]["kind"].as_str().unwrap_or("absent").to_owned();
    let kinds = if kinds.is_empty() { "no fault".into() } else { kinds.join(", ") };
    format!(
        "{kinds}; plugin {}, service {}",
        stands(&plugin["status"]),
        stands(&service["status"])
    )
}

/// Asks for health four times a second and for an operation once a second.
async fn watch(port: u16, wire: &mut Wire, op: &str) -> Seen {
    let mut seen = Seen::default();
    let mut ticks = interval(Duration::from_millis(250));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let end = Instant::now() + WATCH;
    let mut tick = 0_u32;
    while Instant::now() < end {
        ticks.tick().await;
        seen.health_lost += u32::from(!http::answers(port, "/healthz", PROBE).await);
        if tick.is_multiple_of(4) {
            seen.requests_lost += u32::from(!matches!(timeout(PROBE, wire.call(op, &json!({}))).await, Ok(Ok(_))));
        }
        tick += 1;
    }
    seen
}

/// Whether a new client is answered.
async fn served(client: Result<Wire>, op: &str) -> bool {
    match client {
        Ok(mut wire) => matches!(timeout(PROBE * 2, wire.call(op, &json!({}))).await, Ok(Ok(_))),
        Err(_) => false,
    }
}

fn judge(program: &mut Program, seen: &Seen, served: bool) -> Verdict {
    let lost = (seen.health_lost, seen.requests_lost);
    if !program.alive() {
        Verdict::Fell("the whole program died".into())
    } else if lost != (0, 0) {
        Verdict::Fell(format!(
            "{} health probes and {} requests were not answered in time",
            lost.0, lost.1
        ))
    } else if !served {
        Verdict::Fell("no new client is served".into())
    } else {
        Verdict::Survived
    }
}
