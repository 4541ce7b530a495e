//! Kata Agents beside OpenClaw: one run, one machine, alternating, medians, ratios.
//!
//! `kata serve` and an OpenClaw gateway are started as programs and spoken to over loopback with one and the same client
//! ([`wire`]). Each stage of [`stages`] fills rows of [`report`]; the table goes to the terminal and to `docs/benchmarks.md`.
//! A figure above its target is reported, never an error: this program judges nobody, it only fails where it could not
//! measure. Linux only, because process trees are read from `/proc`.
//!
//! Deliberately absent: anything of the engine's own crates. What is measured is what a stranger's program would see. The one
//! exception is the plugin host alone, in a program of its own (`plugin-bench`), and the platform that a channel plugin talks
//! to is the one of the tests.

mod http;
mod kata;
mod machine;
mod openclaw;
mod plot;
mod plugins;
mod process;
mod report;
mod sessions;
mod stages;
mod stats;
mod wire;

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use openclaw::OpenClaw;
use report::Report;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Measures `kata serve` beside OpenClaw and writes docs/benchmarks.md.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Options {
    /// Program to measure [default: target/release/kata].
    #[arg(long, env = "KATA_BIN", value_name = "PATH")]
    kata: Option<PathBuf>,
    /// Desktop program, for its size [default: target/release/kata-agents, where it is built].
    #[arg(long, env = "KATA_APP", value_name = "PATH")]
    app: Option<PathBuf>,
    /// A smoke run: one repetition, short waits, no peer, nothing written unless --out says where.
    #[arg(long)]
    quick: bool,
    /// Leave OpenClaw out.
    #[arg(long)]
    no_peer: bool,
    /// Take the peer into a --quick run.
    #[arg(long, conflicts_with = "no_peer")]
    peer: bool,
    /// Leave Kata Agents out (to try the peer's half); nothing is written unless --out says where.
    #[arg(long)]
    no_kata: bool,
    /// Repetitions of each measurement [default: 3].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20))]
    repeat: Option<u32>,
    /// Only these stages; nothing is written unless --out says where.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Stage>,
    /// How long `rest` leaves the programs alone.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=1440))]
    minutes: u64,
    /// File for the table [default: docs/benchmarks.md].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Parts of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Stage {
    /// Sizes on disk.
    Size,
    /// Start to ready, and memory at rest.
    Start,
    /// Round trips and requests a second.
    Rpc,
    /// A changed plugin file until it is live.
    Reload,
    /// The plugin host beside a Node child and a bare hop between threads.
    Hooks,
    /// Saves under 200 messages a second.
    Tide,
    /// Message turns without a model.
    Turns,
    /// The cost of a message over many conversations and under many hooks.
    Growth,
    /// One bad plugin, eight ways.
    Faults,
    /// What a neighbour notices of each class of attack.
    Hostile,
    /// 10,000 sessions, and one of 10,000 messages.
    Sessions,
    /// The same home searched, opened cold, and its memory.
    Library,
    /// Memory and start in every state, and wake-ups at rest; only where it is asked for.
    Rest,
}

/// What every stage needs.
struct Bench {
    /// The repository.
    root: PathBuf,
    /// Folder of this run; falls with it.
    work: tempfile::TempDir,
    /// Our program, unless it is left out.
    kata: Option<PathBuf>,
    /// The desktop program, where it is built.
    app: Option<PathBuf>,
    /// The peer, unless it is left out.
    peer: Option<OpenClaw>,
    /// Repetitions.
    repeat: u32,
    /// Time of one throughput measurement.
    window: Duration,
    /// Rest before memory is read.
    rest: Duration,
    /// Whether this is a smoke run.
    quick: bool,
    /// How long programs are left alone.
    idle: Duration,
}

fn main() -> Result<()> {
    let options = Options::parse();
    // One thread: the client shares two cores with what it measures.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(options))
}

async fn run(options: Options) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let kata = options.kata.unwrap_or_else(|| target.join("release/kata"));
    let kata = (!options.no_kata)
        .then(|| kata.canonicalize().with_context(|| format!("{} is not built", kata.display())))
        .transpose()?;
    let app = options.app.unwrap_or_else(|| target.join("release/kata-agents"));
    // In the target folder, on the disk of the repository: /tmp may be memory, where making things durable costs nothing.
    std::fs::create_dir_all(&target)?;
    let work = tempfile::Builder::new().prefix("bench-").tempdir_in(&target)?;
    let with_peer = !options.no_peer && (options.peer || !options.quick);
    let peer = if with_peer { Some(OpenClaw::installed(&root).await?) } else { None };
    let bench = Bench {
        repeat: options.repeat.unwrap_or(if options.quick { 1 } else { 3 }),
        window: Duration::from_secs(if options.quick { 1 } else { 3 }),
        rest: Duration::from_secs(if options.quick { 5 } else { 30 }),
        quick: options.quick,
        idle: Duration::from_secs(options.minutes * 60),
        app: app.is_file().then_some(app),
        root,
        work,
        kata,
        peer,
    };
    let mut report = Report::new(machine::describe(&bench).await?);
    for stage in Stage::value_variants() {
        let wanted = if options.only.is_empty() {
            *stage != Stage::Rest
        } else {
            options.only.contains(stage)
        };
        if !wanted {
            continue;
        }
        say(&format!("{stage:?}"));
        let outcome = match stage {
            Stage::Size => stages::size::run(&bench, &mut report).await,
            Stage::Start => stages::start::run(&bench, &mut report).await,
            Stage::Rpc => stages::rpc::run(&bench, &mut report).await,
            Stage::Reload => stages::reload::run(&bench, &mut report).await,
            Stage::Hooks => stages::hooks::run(&bench, &mut report).await,
            Stage::Tide => stages::tide::run(&bench, &mut report).await,
            Stage::Turns => stages::turns::run(&bench, &mut report).await,
            Stage::Growth => stages::growth::run(&bench, &mut report).await,
            Stage::Faults => stages::faults::run(&bench, &mut report).await,
            Stage::Hostile => stages::hostile::run(&bench, &mut report).await,
            Stage::Sessions => stages::sessions::run(&bench, &mut report).await,
            Stage::Library => stages::library::run(&bench, &mut report).await,
            Stage::Rest => stages::rest::run(&bench, &mut report).await,
        };
        if let Err(error) = outcome {
            report.failed(&format!("{stage:?}"), &error);
        }
    }
    let text = report.markdown(&bench);
    print(&text);
    let whole = options.only.is_empty() && bench.kata.is_some() && bench.peer.is_some() && !bench.quick;
    let out = options.out.or_else(|| whole.then(|| bench.root.join("docs/benchmarks.md")));
    if let Some(out) = out {
        plugins::write_file(&out, &text)?;
        say(&format!("written to {}", out.display()));
    }
    anyhow::ensure!(
        report.failures().is_empty(),
        "{} part(s) could not be measured",
        report.failures().len()
    );
    Ok(())
}

/// Progress, for a person at the terminal.
#[expect(clippy::print_stderr, reason = "a person waits at the terminal")]
pub(crate) fn say(line: &str) {
    eprintln!("bench: {line}");
}

#[expect(clippy::print_stdout, reason = "the table is this program's result")]
fn print(text: &str) {
    println!("{text}");
}
