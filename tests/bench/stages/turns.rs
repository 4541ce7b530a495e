//! Message turns without a model: submitted, through the hooks of a plugin, answered, final.

use crate::Bench;
use crate::kata::{Home, Kata};
use crate::machine;
use crate::openclaw::Gateway;
use crate::plugins;
use crate::report::Report;
use crate::stats::percentile;
use crate::wire::{Dialect, Wire};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Messages after which a lane takes its next session.
pub(crate) const PER_SESSION: usize = 100;

/// Sessions side by side.
const LANES: usize = 8;
/// Messages on their way in each session where the queue is kept full; with eight sessions below the 256 requests that a
/// client may have open.
const DEEP: usize = 24;

/// Time for what is on its way when a window closes.
const PATIENCE: Duration = Duration::from_secs(60);
/// Runs of OpenClaw that were asked for.
static RUNS: AtomicU64 = AtomicU64::new(0);

/// How much is asked.
pub(crate) struct Load {
    /// Sessions of each lane, one after the other.
    pub(crate) lanes: Vec<Vec<String>>,
    /// Messages that a lane has on their way at a time; more than one waits in the session's queue.
    pub(crate) depth: usize,
    /// Messages after which a lane takes its next session.
    pub(crate) each: usize,
    /// No turn begins after this.
    pub(crate) window: Duration,
    /// Rest of a lane between two turns.
    pub(crate) pause: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// Milliseconds from submit to the end of the turn.
    pub(crate) ended: Vec<f64>,
    /// Milliseconds from submit until it was taken.
    pub(crate) taken: Vec<f64>,
    /// From the first submit to the last end.
    pub(crate) seconds: f64,
}

impl Turns {
    #[expect(clippy::cast_precision_loss, reason = "a few thousand turns")]
    fn per_second(&self) -> f64 {
        self.ended.len() as f64 / self.seconds
    }
}

/// Fills the rows of message turns.
pub(crate) async fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    let kata = match &bench.kata {
        Some(_) => Some(with_listener(bench, "turns", None).await?),
        None => None,
    };
    let peer = match &bench.peer {
        Some(peer) => Some(peer.serve(bench, "peer-turns", Some("hookbench")).await?.0),
        None => None,
    };
    if let Some(gateway) = &peer {
        // The first message of a boot prepares the agent's runtime for seconds, and that of a session costs more than those
        // after it; a person waits for either once. Its sessions are warm when they are measured, and stay so.
        let mut wire = gateway.client().await?;
        for lane in 0..LANES {
            let load = Load {
                lanes: vec![keys(lane)],
                window: Duration::from_secs(30),
                pause: Duration::ZERO,
                depth: 1,
                each: PER_SESSION,
            };
            drive(&mut wire, load, Some(3)).await?;
        }
    }
    for _ in 0..bench.repeat {
        report.ours("durable", machine::sync_ms(bench.work.path())?);
        for (lanes, depth, rate) in [(1, 1, "turns_1"), (LANES, 1, "turns_8"), (LANES, DEEP, "turns_deep")] {
            if let Some(kata) = &kata {
                let (turns, cpu) = ours(bench, kata, lanes, depth).await?;
                report.ours(rate, turns.per_second());
                if lanes == 1 {
                    report.ours("ack_p50", percentile(&turns.taken, 0.5));
                    report.ours("turn_p50", percentile(&turns.ended, 0.5));
                    report.ours("turn_p99", percentile(&turns.ended, 0.99));
                } else if depth == 1 {
                    report.ours("turn_cpu", cpu);
                }
            }
            // The peer steers a message that comes during a turn into that turn: more than one at a time would not be counted.
            if let Some(gateway) = peer.as_ref().filter(|_| depth == 1) {
                let (turns, cpu) = theirs(bench, gateway, lanes).await?;
                report.peer(rate, turns.per_second());
                if lanes == 1 {
                    report.peer("ack_p50", percentile(&turns.taken, 0.5));
                    report.peer("turn_p50", percentile(&turns.ended, 0.5));
                    report.peer("turn_p99", percentile(&turns.ended, 0.99));
                } else {
                    report.peer("turn_cpu", cpu);
                }
            }
        }
    }
    if let Some(kata) = kata {
        listened(&kata, report).await?;
        kata.stop().await;
    }
    if let Some(gateway) = peer {
        gateway.stop().await;
    }
    Ok(())
}

/// An engine with the listening plugin, and the misbehaving one where `mode` says how.
pub(crate) async fn with_listener(bench: &Bench, name: &str, mode: Option<&str>) -> Result<Kata> {
    let home = Home::empty(bench, name)?;
    plugins::hookbench(&home.plugins)?;
    if let Some(mode) = mode {
        plugins::crashy(&home.plugins, mode)?;
        home.settings(&json!({"sources": {"service:crashy:crashsvc": {"enabled": true}}}))?;
    }
    let (kata, _) = home.serve().await?;
    kata.plugins_up(1).await?;
    Ok(kata)
}

async fn ours(bench: &Bench, kata: &Kata, lanes: usize, depth: usize) -> Result<(Turns, f64)> {
    // Enough sessions that no lane runs out of them within the window.
    let each = if bench.quick { 4 } else { 40 };
    let mut sessions = kata.sessions(lanes * each + 1).await?;
    let mut wire = kata.listener(&["session"]).await?;
    let warm = vec![sessions.pop().into_iter().collect()];
    drive(
        &mut wire,
        Load {
            lanes: warm,
            window: Duration::from_secs(5),
            pause: Duration::ZERO,
            depth: 1,
            each: PER_SESSION,
        },
        Some(20),
    )
    .await?;
    let lanes = sessions.chunks(each).map(<[String]>::to_vec).collect();
    let before = kata.program.cpu_seconds();
    let turns = drive(
        &mut wire,
        Load {
            lanes,
            window: bench.window,
            pause: Duration::ZERO,
            depth,
            each: PER_SESSION,
        },
        None,
    )
    .await?;
    let cpu = cpu_of(&turns, kata.program.cpu_seconds() - before);
    Ok((turns, cpu))
}

async fn theirs(bench: &Bench, gateway: &Gateway, lanes: usize) -> Result<(Turns, f64)> {
    let mut wire = gateway.client().await?;
    let lanes = (0..lanes).map(keys).collect();
    let before = gateway.program.cpu_seconds();
    // Its turns take a hundred times as long: more time, for enough samples.
    let turns = drive(
        &mut wire,
        Load {
            lanes,
            window: bench.window * 4,
            pause: Duration::ZERO,
            depth: 1,
            each: PER_SESSION,
        },
        None,
    )
    .await?;
    let cpu = cpu_of(&turns, gateway.program.cpu_seconds() - before);
    Ok((turns, cpu))
}

/// Milliseconds of CPU for each turn.
#[expect(clippy::cast_precision_loss, reason = "a few thousand turns")]
fn cpu_of(turns: &Turns, seconds: f64) -> f64 {
    seconds * 1e3 / turns.ended.len() as f64
}

/// Session keys of OpenClaw; a session begins with its first message. Its turns are too slow to fill more than one.
fn keys(lane: usize) -> Vec<String> {
    vec![format!("agent:main:bench{lane}")]
}

/// A message on its way.
struct Sent {
    lane: usize,
    at: Instant,
}

/// Drives the lanes over one connection. `most` ends it after so many turns. Turns that never end are a failure.
pub(crate) async fn drive(wire: &mut Wire, load: Load, most: Option<usize>) -> Result<Turns> {
    let limit = load.window + PATIENCE;
    tokio::time::timeout(limit, drive_on(wire, load, most))
        .await
        .with_context(|| format!("turns did not end within {} s", limit.as_secs()))?
}

async fn drive_on(wire: &mut Wire, load: Load, most: Option<usize>) -> Result<Turns> {
    let Load {
        lanes,
        depth,
        each,
        window,
        pause,
    } = load;
    let mut turns = Turns::default();
    // By request, until taken; and by what the final event names (our session, their run), until ended.
    let mut asked: HashMap<u64, Instant> = HashMap::new();
    let mut open: HashMap<String, VecDeque<Sent>> = HashMap::new();
    let mut begun = vec![0_usize; lanes.len()];
    let mut due: Vec<(Instant, usize)> = (0..lanes.len() * depth).map(|n| (Instant::now(), n % lanes.len())).collect();
    let began = Instant::now();
    let mut last = began;
    loop {
        let over = began.elapsed() >= window || most.is_some_and(|most| turns.ended.len() >= most);
        let mut waiting = Vec::new();
        for (at, lane) in due.drain(..) {
            let session = lanes[lane].get(begun[lane] / each).filter(|_| !over);
            match session {
                Some(_) if at > Instant::now() => waiting.push((at, lane)),
                Some(session) => {
                    let id = wire.id();
                    let (frame, key) = message(wire.dialect, id, session);
                    let at = Instant::now();
                    asked.insert(id, at);
                    open.entry(key).or_default().push_back(Sent { lane, at });
                    begun[lane] += 1;
                    wire.feed(frame).await?;
                }
                None => {}
            }
        }
        wire.flush().await?;
        due = waiting;
        if asked.is_empty() && open.values().all(VecDeque::is_empty) {
            let Some(next) = due.iter().map(|(at, _)| *at).min() else { break };
            tokio::time::sleep_until(next.into()).await;
            continue;
        }
        let mut frame = Some(wire.frame().await?);
        while let Some(text) = frame {
            if let Some(id) = wire.dialect.answered(&text) {
                taken(wire.dialect, &text)?;
                turns.taken.extend(asked.remove(&id).map(|at| at.elapsed().as_secs_f64() * 1e3));
            } else if let Some(sent) = ended(wire.dialect, &text)?.and_then(|key| open.get_mut(&key)?.pop_front()) {
                last = Instant::now();
                turns.ended.push((last - sent.at).as_secs_f64() * 1e3);
                due.push((last + pause, sent.lane));
            }
            frame = wire.ready();
        }
    }
    turns.seconds = (last - began).as_secs_f64();
    ensure!(!turns.ended.is_empty(), "no turn ended");
    Ok(turns)
}

/// A request that submits a message, and the name its end will carry.
fn message(dialect: Dialect, id: u64, session: &str) -> (Utf8Bytes, String) {
    let text = format!("message {id}");
    match dialect {
        Dialect::Kata => (
            dialect.request(id, "session.submit", &json!({"id": session, "text": text})),
            session.to_owned(),
        ),
        Dialect::OpenClaw => {
            // Never the same twice, also over connections: a key that was seen before is answered without a turn.
            let run = format!("bench-{session}-{}", RUNS.fetch_add(1, Ordering::Relaxed));
            (
                dialect.request(
                    id,
                    "chat.send",
                    &json!({"sessionKey": session, "message": text, "idempotencyKey": run}),
                ),
                run,
            )
        }
    }
}

fn taken(dialect: Dialect, frame: &str) -> Result<()> {
    let refused = match dialect {
        Dialect::Kata => !frame.ends_with(r#","error":null}"#),
        Dialect::OpenClaw => frame.get(..64).unwrap_or(frame).contains(r#""ok":false"#),
    };
    ensure!(!refused, "a message was refused: {}", frame.chars().take(300).collect::<String>());
    Ok(())
}

/// What the end of a turn names, if this frame is one.
fn ended(dialect: Dialect, frame: &str) -> Result<Option<String>> {
    let mark = match dialect {
        Dialect::Kata => r#""kind":"turn_ended""#,
        Dialect::OpenClaw => r#""event":"chat""#,
    };
    if !frame.contains(mark) {
        if frame.contains(r#"{"type":"resync""#) {
            bail!("the client was too slow for the facts; the figures would be wrong");
        }
        return Ok(None);
    }
    let frame: Value = serde_json::from_str(frame)?;
    match dialect {
        Dialect::Kata => {
            let fact = &frame["fact"];
            ensure!(fact["event"]["end"] == "completed", "a turn failed: {}", fact["event"]);
            Ok(fact["id"].as_str().map(str::to_owned))
        }
        Dialect::OpenClaw => {
            let payload = &frame["payload"];
            match payload["state"].as_str() {
                Some("final") if payload["message"].is_object() => Ok(payload["runId"].as_str().map(str::to_owned)),
                Some("error" | "aborted") => bail!("a turn failed: {payload}"),
                _ => Ok(None),
            }
        }
    }
}

/// That the plugin has really heard the messages, and what it thinks of the load.
async fn listened(kata: &Kata, report: &mut Report) -> Result<()> {
    let mut client = kata.client().await?;
    let plugins = client.call("plugin.list", &json!({})).await?;
    let plugin = plugins
        .as_array()
        .and_then(|list| list.iter().find(|p| p["id"] == "hookbench"))
        .context("hookbench is not listed")?;
    let faults = plugin["faults"].as_array().map_or(0, Vec::len);
    if faults > 0 || plugin["status"]["state"]["kind"] != "running" {
        report.note(format!(
            "The listening plugin did not hold out: {} with faults {}",
            plugin["status"], plugin["faults"]
        ));
    }
    let traces = client.call("trace.list", &json!({"limit": 1})).await?;
    let steps = traces[0]["steps"].as_array().context("the newest trace has no steps")?;
    let hooks = steps.iter().filter(|step| step["plugin"] == "hookbench").count();
    ensure!(hooks > 0, "the newest turn passed no hook of the listening plugin: {}", traces[0]);
    report.note(format!(
        "The newest turn's trace shows {hooks} step(s) of the listening plugin and {} in all.",
        steps.len()
    ));
    Ok(())
}
