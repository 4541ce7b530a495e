//! Twenty services that nobody needs, for an hour of simulated time: planned work beside the same work polled by `setTimeout`. Prints
//! wake-ups, CPU and memory; what is asserted is counted and not timed. Alone in its program, because it weighs it.
//!
//! `cargo nextest run --workspace -E 'binary(idle)' --no-capture` shows the figures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)]

#[path = "it/support/mod.rs"]
mod support;

use async_trait::async_trait;
use kata_core::ports::{Clock, PluginBackend, PluginPart};
use kata_plugins::{HostOptions, PluginHost};
use kata_protocol::{Ms, RunState};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::*;

const SERVICES: usize = 20;
/// How much faster time goes by.
const SPEED: u32 = 400;
const HOUR: Duration = Duration::from_secs(3_600);

/// The machine's clock, faster.
struct Fast(Instant);

#[async_trait]
impl Clock for Fast {
    fn now(&self) -> Ms {
        Ms(1_764_028_800_000 + self.monotonic_us() / 1000)
    }
    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap() * u64::from(SPEED)
    }
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration / SPEED).await;
    }
}

/// One look at something, as a service that polls does it.
const LOOK: &str = "const look = async () => { await ctx.state.get('cursor'); ctx.logger.info('look'); };";
const PLANNED: &str = "ctx.schedule({ id: 'poll', when: { every: 60, idle: 900 }, run: look });";
const NAIVE: &str = "const again = () => void setTimeout(() => look().finally(again), 60000); again();";

#[derive(Debug)]
struct Figures {
    wakeups: usize,
    cpu: Duration,
    heap_kb: u64,
    resident_kb: u64,
}

fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or("0");
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// An hour of twenty services.
async fn hour(start: &str, saving: bool) -> Figures {
    let mut bench = Bench::with(HostOptions::default());
    let clock: Arc<dyn Clock> = Arc::new(Fast(Instant::now()));
    let options = HostOptions {
        timer_speed: SPEED,
        // By the fast clock, which leaves a busy machine some milliseconds of each second.
        load_timeout: HOUR,
        stop_timeout: HOUR,
        drain: HOUR,
        stuck: 2 * HOUR,
        job_timeout: HOUR,
        ..HostOptions::default()
    };
    let backend = Arc::clone(&bench.backend) as Arc<dyn PluginBackend>;
    bench.host = PluginHost::new(backend, Arc::clone(&clock), Arc::new(Zero), options);
    bench.host.save_power(saving);
    for n in 0..SERVICES {
        let name = format!("s{n}");
        let module = format!("export default (api) => {{ api.registerService({{ id: '{name}', start(ctx) {{ {LOOK} {start} }} }}); }};");
        let candidate = bench.write(&name, &manifest(&name), &[("index.js", &module)]);
        bench.activate(candidate).await.unwrap();
        bench.host.start_service(&id(&name), &name).await.unwrap();
        bench.state_of(PluginPart::Service(name), |s| *s == RunState::Running).await;
    }
    bench.backend.logs.lock().unwrap().clear();
    let before = cpu();
    clock.sleep(HOUR).await;
    let spent = cpu() - before;
    let wakeups = bench.backend.logs.lock().unwrap().len();
    let heap = (0..SERVICES).map(|n| bench.host.usage(&id(&format!("s{n}"))).unwrap().memory_bytes.0);
    let figures = Figures {
        wakeups,
        cpu: spent,
        heap_kb: heap.sum::<u64>() / 1024 / SERVICES as u64,
        resident_kb: resident(),
    };
    assert_eq!(bench.fault_kinds(), Vec::<String>::new());
    bench.host.shutdown(2 * HOUR).await;
    figures
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_idle_services_wake_up_a_third_as_often_as_polling_does_and_a_tenth_as_often_on_a_battery() {
    println!("{SERVICES} services with an interval of a minute, an hour of simulated time");
    let mut all = Vec::new();
    for (what, start, saving) in [
        ("polled with setTimeout", NAIVE, false),
        ("planned, nobody needs them", PLANNED, false),
        ("planned, on a battery", PLANNED, true),
    ] {
        let figures = hour(start, saving).await;
        println!(
            "{what:28} {:5} wake-ups, {:5.2} a minute; {:4} ms CPU; {} kB heap a service, {} MB resident",
            figures.wakeups,
            figures.wakeups as f64 / 60.0,
            figures.cpu.as_millis(),
            figures.heap_kb,
            figures.resident_kb / 1024,
        );
        all.push(figures.wakeups);
    }
    let [naive, planned, battery] = all[..] else { unreachable!() };
    assert!(naive >= SERVICES * 40, "the polling was not held up: {naive}");
    assert!(planned * 5 <= naive * 2 && planned >= SERVICES * 10, "{planned} of {naive}");
    assert!(battery * 10 <= naive && battery >= SERVICES * 3, "{battery} of {naive}");
}
