//! Hot reload under load: 200 messages a second for a minute through a channel plugin with a hook that is saved every second,
//! one save in five with a mistake in it. Is each message answered once, does anybody read an error, and how long is a save
//! from being live?

use crate::Bench;
use crate::kata::{Home, Kata};
use crate::plugins::write_file;
use crate::report::Report;
use crate::stats::percentile;
use crate::wire::Wire;
use anyhow::{Context, Result, bail};
use kata_tests::{FakePlatform, Sent};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// Between two messages: 200 a second.
const EVERY: Duration = Duration::from_millis(5);
/// Between two saves.
const SAVE: Duration = Duration::from_secs(1);
/// People who write in turn, each in a conversation of their own.
const PEOPLE: usize = 400;
/// Between two looks whether a save is live.
const LOOK: Duration = Duration::from_millis(5);

/// Fills the rows of reloads under load.
pub(crate) async fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    if bench.kata.is_none() {
        return Ok(());
    }
    let seconds = if bench.quick { 10 } else { 60 };
    let platform = FakePlatform::start().await;
    let home = Home::empty(bench, "tide")?;
    let fixture = bench.root.join("tests/fixtures/plugins/tide");
    let source = std::fs::read_to_string(fixture.join("index.ts"))?;
    let folder = home.plugins.join("tide");
    write_file(
        &folder.join("kata-plugin.json"),
        &std::fs::read_to_string(fixture.join("kata-plugin.json"))?,
    )?;
    write_file(&folder.join("index.ts"), &source)?;
    home.settings(&json!({
        "plugins": { "tide": { "settings": { "base": platform.base } } },
        "sources": { "channel:tide": { "enabled": true, "policy": "open" } },
    }))?;
    let (kata, _) = home.serve().await?;
    kata.plugins_up(1).await?;

    let began = Instant::now();
    let writing = async {
        let mut ticks = tokio::time::interval(EVERY);
        let mut written = 0;
        while began.elapsed() < Duration::from_secs(seconds) {
            ticks.tick().await;
            written += 1;
            platform.write(&format!("person-{}", written % PEOPLE), &format!("message {written}."));
        }
        written
    };
    let (written, saved) = tokio::join!(writing, save(&kata, &folder, &source, seconds));
    let saved = saved?;
    let sent = answered(&platform, written).await;
    let seen = Seen::of(&sent, written);
    report.ours("tide_live", percentile(&saved.live, 0.5));
    report.ours("tide_live_p99", percentile(&saved.live, 0.99));
    report.ours("tide_wrong", seen.wrong());
    report.note(format!(
        "Reload under load: {written} messages in {seconds} s, {} saves live, {} broken saves shown with the version before serving; \
         lost {}, doubled {}, answered with something else {}.",
        saved.live.len(),
        saved.broken,
        seen.lost,
        seen.doubled,
        seen.strange
    ));
    kata.stop().await;
    Ok(())
}

struct Saved {
    /// Seconds from a save until its code served.
    live: Vec<f64>,
    /// Broken saves that were shown as such while the version before served.
    broken: u32,
}

async fn save(kata: &Kata, folder: &Path, source: &str, seconds: u64) -> Result<Saved> {
    let mut client = kata.client().await?;
    let mut saved = Saved {
        live: Vec::new(),
        broken: 0,
    };
    let mut serving = 0;
    let mut ticks = tokio::time::interval(SAVE);
    ticks.tick().await;
    for number in 1..seconds {
        ticks.tick().await;
        let broken = number % 5 == 3;
        let wrong = match (broken, number % 2) {
            (true, 0) => "this is no TypeScript;\n",
            (true, _) => "throw new Error('on purpose');\n",
            _ => "",
        };
        let began = Instant::now();
        write_file(
            &folder.join("index.ts"),
            &format!("{wrong}{}", source.replace("VERSION = 0", &format!("VERSION = {number}"))),
        )?;
        if broken {
            let degraded = |plugin: &Value| plugin["status"]["state"]["kind"] == "degraded";
            wait(&mut client, "plugin.list", "tide", degraded)
                .await
                .context("a broken save is not shown")?;
            let still = format!("version {serving}");
            wait(&mut client, "tool.list", "tide", |tool| tool["description"] == still.as_str()).await?;
            saved.broken += 1;
            continue;
        }
        let wanted = format!("version {number}");
        wait(&mut client, "tool.list", "tide", |tool| tool["description"] == wanted.as_str()).await?;
        saved.live.push(began.elapsed().as_secs_f64());
        serving = number;
    }
    Ok(saved)
}

/// Asks until an entry of a list is as wanted.
async fn wait(client: &mut Wire, op: &str, name: &str, wanted: impl Fn(&Value) -> bool) -> Result<()> {
    let began = Instant::now();
    loop {
        let list = client.call(op, &json!({})).await?;
        let mut entries = list.as_array().into_iter().flatten();
        if entries.any(|e| (e["name"] == name || e["id"] == name) && wanted(e)) {
            return Ok(());
        }
        if began.elapsed() > Duration::from_secs(10) {
            let plugins = client.call("plugin.list", &json!({})).await?;
            bail!(
                "{op} does not show it after 10 s; the plugin stands: {} {}",
                plugins[0]["status"],
                plugins[0]["faults"]
            );
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits for the answers, and a moment longer for those that should not come.
async fn answered(platform: &FakePlatform, written: usize) -> Vec<Sent> {
    let began = Instant::now();
    while platform.sent().len() < written && began.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    platform.sent()
}

struct Seen {
    lost: usize,
    doubled: usize,
    strange: usize,
}

impl Seen {
    fn of(sent: &[Sent], written: usize) -> Self {
        let mut answers: HashMap<usize, usize> = HashMap::new();
        let mut seen = Self {
            lost: 0,
            doubled: 0,
            strange: 0,
        };
        for reply in sent {
            let text = &reply.message.text;
            let number = text
                .split_once("message ")
                .and_then(|(_, rest)| rest.split('.').next()?.parse().ok());
            match number.filter(|_| text.contains("[v")) {
                Some(number) => *answers.entry(number).or_default() += reply.times as usize,
                None => seen.strange += 1,
            }
        }
        for number in 1..=written {
            match answers.get(&number).copied().unwrap_or_default() {
                0 => seen.lost += 1,
                1 => {}
                more => seen.doubled += more - 1,
            }
        }
        seen
    }

    #[expect(clippy::cast_precision_loss, reason = "a few thousand messages")]
    fn wrong(&self) -> f64 {
        (self.lost + self.doubled + self.strange) as f64
    }
}
