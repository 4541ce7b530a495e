//! Services that plan their work: when it runs, what was missed, what it may use. Time moves when the test says so.

use crate::support::{Backend, Bench, Zero, id, manifest, quick, request};
use async_trait::async_trait;
use kata_core::ports::{Clock, PluginBackend, PluginPart, Tools};
use kata_plugins::{NetworkPolicy, PluginHost};
use kata_protocol::{Ms, RunState, Status};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

/// Stands still until it is told to go on. The clock on the wall can be set apart.
struct Steps {
    monotonic: watch::Sender<u64>,
    wall: AtomicU64,
}

/// Midnight UTC of some day, milliseconds.
const MIDNIGHT: u64 = 1_764_028_800_000;
const MINUTE: Duration = Duration::from_secs(60);

impl Steps {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            monotonic: watch::channel(0).0,
            wall: AtomicU64::new(MIDNIGHT),
        })
    }

    fn go_on(&self, by: Duration) {
        self.monotonic.send_modify(|us| *us += by.as_micros() as u64);
    }

    /// As when the machine slept: the wall's clock goes on, the other one does not.
    fn slept(&self, by: Duration) {
        self.wall.fetch_add(by.as_millis() as u64, Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for Steps {
    fn now(&self) -> Ms {
        Ms(self.wall.load(Ordering::Relaxed) + *self.monotonic.borrow() / 1000)
    }
    fn monotonic_us(&self) -> u64 {
        *self.monotonic.borrow()
    }
    async fn sleep(&self, duration: Duration) {
        let until = *self.monotonic.borrow() + duration.as_micros() as u64;
        let _ = self.monotonic.subscribe().wait_for(|now| *now >= until).await;
    }
}

/// A host whose time stands still, with the services `id` of the plugins `id`.
struct Still {
    bench: Bench,
    clock: Arc<Steps>,
    /// A host that plugins may reach.
    reaches: String,
}

impl Still {
    fn new() -> Self {
        let mut bench = Bench::with(quick());
        let clock = Steps::new();
        bench.host = host(&bench.backend, &clock);
        let reaches = "127.0.0.1:1".into();
        Self { bench, clock, reaches }
    }

    /// Another run of the program after `after`.
    async fn again(&mut self, after: Duration) {
        self.stop().await;
        self.clock.slept(after);
        self.bench.host = host(&self.bench.backend, &self.clock);
        self.bench.backend.logs.lock().unwrap().clear();
        self.bench.backend.statuses.lock().unwrap().clear();
    }

    async fn stop(&self) {
        self.passing(self.bench.host.shutdown(Duration::from_secs(20))).await;
    }

    /// Does it while time goes by, a second at a time.
    async fn passing<T>(&self, what: impl Future<Output = T>) -> T {
        let time = async {
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                self.clock.go_on(Duration::from_millis(200));
            }
        };
        tokio::select! {
            done = what => done,
            () = time => unreachable!(),
        }
    }

    /// A plugin whose service `id` starts with `start`; `limits` as in a manifest.
    async fn service(&self, name: &str, limits: Value, start: &str) {
        let module = format!(
            "export default (api) => {{\n\
               const say = (ctx, text) => ctx.logger.info('{name} ' + text);\n\
               api.registerTool({{ name: '{name}', description: 'd', parameters: {{ type: 'object' }}, execute: () => 'done' }});\n\
               api.registerService({{ id: '{name}', start(ctx) {{ {start} }}, stop(ctx) {{ say(ctx, 'stopped'); }} }});\n\
             }};"
        );
        let mut manifest = manifest(name);
        manifest["limits"] = limits;
        manifest["capabilities"] = json!(["net:127.0.0.1"]);
        let candidate = self.bench.write(name, &manifest, &[("index.js", &module)]);
        let granted = vec!["net:127.0.0.1".to_owned()];
        let network = NetworkPolicy {
            extra_hosts: vec![self.reaches.clone()],
        };
        self.bench.host.activate(candidate, json!({}), granted, network).await.unwrap();
        self.bench.host.start_service(&id(name), name).await.unwrap();
        // It may have failed again by now: what counts is that it has been running.
        let ran = |backend: &Backend| {
            let statuses = backend.statuses.lock().unwrap();
            statuses.iter().any(|s| s.1 == service(name) && s.2.state == RunState::Running)
        };
        self.bench.until("it runs", ran).await;
    }

    fn said(&self, text: &str) -> usize {
        said(&self.bench.backend, text)
    }

    /// Waits until a line of the log was written so often.
    async fn until(&self, text: &str, times: usize) {
        let what = format!("“{text}” {times} times");
        self.bench.until(&what, |backend| said(backend, text) >= times).await;
        assert_eq!(self.said(text), times, "{text}");
    }

    fn status(&self, name: &str) -> Status {
        let statuses = self.bench.backend.statuses.lock().unwrap();
        statuses.iter().rev().find(|s| s.1 == service(name)).map(|s| s.2.clone()).unwrap()
    }

    /// Lets everything that is due come to pass, by asking the plugin something twice: its thread does one thing after the other.
    async fn settled(&self, name: &str) {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let answer = self.bench.host.call(request(name, json!({}))).await;
            assert_eq!(answer.text, "done");
        }
    }
}

fn host(backend: &Arc<Backend>, clock: &Arc<Steps>) -> Arc<PluginHost> {
    PluginHost::new(
        Arc::clone(backend) as Arc<dyn PluginBackend>,
        Arc::clone(clock) as Arc<dyn Clock>,
        Arc::new(Zero),
        quick(),
    )
}

fn service(name: &str) -> PluginPart {
    PluginPart::Service(name.into())
}

fn said(backend: &Backend, text: &str) -> usize {
    backend.logs.lock().unwrap().iter().filter(|(_, line)| line == text).count()
}

/// A server on this machine that counts requests.
async fn counting() -> (u16, Arc<AtomicU64>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicU64::new(0)));
    let seen = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            seen.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head).await;
                let _ = stream
                    .write_all(b"HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
                    .await;
            });
        }
    });
    (port, count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_in_its_interval_is_shown_and_ends_with_its_service() {
    let still = Still::new();
    let start = "ctx.schedule({ id: 'poll', when: { every: 60 }, run(job, due) { say(ctx, 'poll'); job.status({ state: 'running', message: 'at ' + due }); } });\n\
                 ctx.schedule({ id: 'gone', when: { every: 60 }, run() { say(ctx, 'gone'); } }); ctx.unschedule('gone');";
    still.service("p", json!({}), start).await;
    still.until("p poll", 1).await;
    still.settled("p").await;
    let jobs = still.bench.host.jobs(&id("p"), "p");
    assert_eq!(jobs.len(), 1, "{jobs:?}");
    assert_eq!((jobs[0].id.as_str(), jobs[0].when.as_str()), ("poll", "every minute"));
    assert_eq!((jobs[0].last, jobs[0].next), (Some(Ms(MIDNIGHT)), Some(Ms(MIDNIGHT + 60_000))));
    for n in 2..5 {
        still.clock.go_on(MINUTE);
        still.until("p poll", n).await;
        still.settled("p").await;
    }
    still.bench.host.stop_service(&id("p"), "p").await;
    assert_eq!(still.said("p stopped"), 1);
    assert!(still.bench.host.jobs(&id("p"), "p").is_empty());
    still.clock.go_on(10 * MINUTE);
    still.settled("p").await;
    assert_eq!((still.said("p poll"), still.said("p gone")), (4, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_takes_long_never_runs_twice_at_a_time() {
    let still = Still::new();
    let start = "let going = 0;\n\
                 ctx.schedule({ id: 'slow', when: { every: 60 }, async run(job) {\n\
                   say(ctx, 'began ' + ++going); await new Promise((end) => { globalThis.end = end; }); going--; } });\n\
                 ctx.schedule({ id: 'tick', when: { every: 60 }, run() { say(ctx, 'tick'); if (still3()) globalThis.end(); } });\n\
                 let n = 0; function still3() { return ++n === 4; }";
    still.service("p", json!({}), start).await;
    for n in 1..5 {
        still.until("p tick", n).await;
        still.settled("p").await;
        assert_eq!(still.said("p began 1"), 1, "it still runs");
        still.clock.go_on(MINUTE);
    }
    still.until("p began 1", 2).await;
    assert_eq!(still.said("p began 2"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn times_missed_while_the_machine_slept_or_the_program_did_not_run_are_made_good_once() {
    let mut still = Still::new();
    let start = "const daily = { cron: '0 9 * * *', timeZone: 'UTC' };\n\
                 ctx.schedule({ id: 'daily', when: daily, run(job, due) { say(ctx, 'daily ' + new Date(due).toISOString()); } });\n\
                 ctx.schedule({ id: 'skips', when: daily, missed: 'skip', run() { say(ctx, 'skips'); } });";
    still.service("p", json!({}), start).await;
    // Asleep until ten: the clock that sleeps are measured by has stood still, and half a minute after it is noticed.
    still.clock.slept(10 * 60 * MINUTE);
    still.clock.go_on(Duration::from_secs(31));
    still.until("p daily 2025-11-25T09:00:00.000Z", 1).await;
    // Three days without the program: the last time is made good, once.
    still.again(3 * 24 * 60 * MINUTE).await;
    still.service("p", json!({}), start).await;
    still.until("p daily 2025-11-28T09:00:00.000Z", 1).await;
    still.settled("p").await;
    still.again(MINUTE).await;
    still.service("p", json!({}), start).await;
    still.settled("p").await;
    let lines = still.bench.backend.logs.lock().unwrap().clone();
    assert!(
        !lines.iter().any(|(_, line)| line.contains("daily") || line.contains("skips")),
        "{lines:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_throws_is_shown_and_five_in_a_row_are_a_fault_of_the_service() {
    let still = Still::new();
    let start =
        "say(ctx, 'starts'); ctx.schedule({ id: 'poll', when: { every: 60 }, run() { say(ctx, 'poll'); throw new Error('no answer'); } });";
    still.service("p", json!({}), start).await;
    for n in 1..5 {
        still.until("p poll", n).await;
        still.settled("p").await;
        let job = still.bench.host.jobs(&id("p"), "p").remove(0);
        assert_eq!(job.error.as_deref(), Some("Error: no answer"));
        assert_eq!(still.status("p").state, RunState::Running, "{n} of them are only shown");
        still.clock.go_on(MINUTE);
    }
    still.bench.state_of(service("p"), |s| matches!(s, RunState::Backoff { .. })).await;
    let message = still.status("p").message;
    assert!(
        message.contains("“poll” failed 5 times in a row") && message.contains("no answer"),
        "{message}"
    );
    still.passing(still.bench.until("a start anew", |b| said(b, "p starts") == 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_planned_is_refused_by_its_field() {
    let still = Still::new();
    let start = "const wrong = (job) => { try { ctx.schedule(job); say(ctx, 'taken'); } catch (e) { say(ctx, e.name + ': ' + e.message); } };\n\
                 const run = () => {};\n\
                 wrong({ id: 'a', when: { every: 1 }, run }); wrong({ id: 'a', when: { every: 60 } }); wrong({ when: { every: 60 }, run });\n\
                 wrong({ id: 'a', when: { cron: 'x' }, run }); wrong(undefined); wrong({ id: 1n, when: {}, run });";
    still.service("p", json!({}), start).await;
    let lines: Vec<String> = still.bench.backend.logs.lock().unwrap().iter().map(|(_, l)| l.clone()).collect();
    for (n, words) in ["`when.every` of “a”", "`run`", "`id`", "`when.cron` of “a”", "`run`", ""]
        .iter()
        .enumerate()
    {
        assert!(lines[n].starts_with("p TypeError: ") && lines[n].contains(words), "{}", lines[n]);
    }
    assert!(still.bench.host.jobs(&id("p"), "p").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interval_is_stretched_when_power_is_saved_and_comes_back_when_somebody_uses_the_service() {
    let still = Still::new();
    let start = "ctx.schedule({ id: 'poll', when: { every: 60, idle: 3600 }, run() { say(ctx, 'poll'); } });";
    still.bench.host.save_power(true);
    still.service("p", json!({}), start).await;
    still.until("p poll", 1).await;
    still.settled("p").await;
    let shown = |still: &Still| still.bench.host.jobs(&id("p"), "p").remove(0);
    assert!(shown(&still).stretched);
    assert_eq!(shown(&still).when, "every minute, now every hour");
    still.clock.go_on(5 * MINUTE);
    still.bench.host.save_power(false);
    still.until("p poll", 2).await;
    // Nobody needs it for twenty minutes.
    for n in 3..20 {
        still.clock.go_on(MINUTE);
        tokio::time::sleep(Duration::from_millis(20)).await;
        if shown(&still).stretched {
            break;
        }
        assert!(n < 19, "never stretched: {:?}", shown(&still));
    }
    let next = shown(&still).next.unwrap();
    still.settled("p").await;
    assert!(shown(&still).next.unwrap() < next, "a tool of it was called");
    assert!(!shown(&still).stretched);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_beyond_the_budget_are_refused_counted_over_restarts_and_go_on_when_there_is_room() {
    let mut still = Still::new();
    let (port, seen) = counting().await;
    still.reaches = format!("127.0.0.1:{port}");
    let limits = json!({ "requestsPerMinute": 3, "requestsPerDay": 5 });
    // It asks again at once, whatever comes.
    let start = format!(
        "(async () => {{ while (!ctx.signal.aborted) {{ try {{ await fetch('http://127.0.0.1:{port}/'); }} catch (e) {{ say(ctx, e.code); }} }} }})();"
    );
    still.service("p", limits.clone(), &start).await;
    still.service("other", json!({}), "say(ctx, 'up');").await;
    still.bench.state_of(service("p"), |s| *s == RunState::Degraded).await;
    let status = still.status("p");
    assert_eq!(status.code, "budget");
    assert!(
        status.message.contains("3 requests a minute") && status.message.contains("goes on at 00:01:00 UTC"),
        "{}",
        status.message
    );
    assert_eq!(seen.load(Ordering::Relaxed), 3);
    assert_eq!(still.said("p budget"), 0, "a refusal takes a second");
    still.passing(still.bench.until("a refusal", |b| said(b, "p budget") > 0)).await;
    assert_eq!(seen.load(Ordering::Relaxed), 3);
    assert_eq!(still.status("other").state, RunState::Running);
    // The next minute has room for two: then the day is used up.
    still.clock.go_on(MINUTE);
    let up = |b: &Backend| {
        b.statuses
            .lock()
            .unwrap()
            .iter()
            .any(|s| s.2.code == "budget" && s.2.message.contains("5 requests a day"))
    };
    still.passing(still.bench.until("the day to be used up", up)).await;
    assert_eq!(seen.load(Ordering::Relaxed), 5);
    let budget = still.bench.host.budget(&id("p")).unwrap();
    assert_eq!(
        (budget.requests_today, budget.requests_per_day, budget.requests_per_minute),
        (5, 5, 3)
    );
    // A restart brings nothing back, the next day does.
    still.again(MINUTE).await;
    still.service("p", limits, &start).await;
    still.passing(still.bench.until("a refusal", |b| said(b, "p budget") > 0)).await;
    assert_eq!(seen.load(Ordering::Relaxed), 5);
    still.clock.slept(24 * 60 * MINUTE);
    still
        .passing(still.bench.until("requests", |_| seen.load(Ordering::Relaxed) > 5))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wake_ups_beyond_the_budget_wait_for_the_next_minute() {
    let still = Still::new();
    let start = "say(ctx, 'up'); setInterval(() => say(ctx, 'tick'), 1); ctx.schedule({ id: 'poll', when: { every: 5 }, run() { say(ctx, 'poll'); } });";
    still.service("p", json!({ "wakeupsPerMinute": 10 }), start).await;
    still.bench.state_of(service("p"), |s| *s == RunState::Degraded).await;
    still.settled("p").await;
    assert_eq!(still.said("p tick") + still.said("p poll"), 10);
    assert_eq!(still.status("p").code, "budget");
    assert_eq!(still.bench.host.budget(&id("p")).unwrap().wakeups_last_minute, 10);
    still.clock.go_on(MINUTE);
    still
        .bench
        .until("a job that was put off", |b| said(b, "p poll") + said(b, "p tick") > 10)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_end_in_the_reverse_of_the_order_in_which_they_began() {
    let still = Still::new();
    for name in ["a", "b", "c"] {
        still.service(name, json!({}), "say(ctx, 'up');").await;
    }
    still.bench.host.stop_service(&id("a"), "a").await;
    still.bench.host.start_service(&id("a"), "a").await.unwrap();
    still.until("a up", 2).await;
    still.stop().await;
    let lines: Vec<String> = still.bench.backend.logs.lock().unwrap().iter().map(|(_, l)| l.clone()).collect();
    let lines: Vec<String> = lines.into_iter().filter(|line| line.ends_with("stopped")).collect();
    assert_eq!(lines, ["a stopped", "a stopped", "c stopped", "b stopped"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_keeps_nothing_under_the_hosts_own_keys() {
    let still = Still::new();
    let start = "ctx.state.set('host:requests', [0, 0]).then(() => say(ctx, 'kept'), (e) => say(ctx, e.message));";
    still.service("p", json!({}), start).await;
    let refused = |b: &Backend| b.logs.lock().unwrap().iter().any(|(_, l)| l.contains("the host's own"));
    still.bench.until("a refusal", refused).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_hang_leak_crash_or_ask_without_end_leave_others_alone_and_are_counted() {
    let mut still = Still::new();
    let (port, seen) = counting().await;
    still.reaches = format!("127.0.0.1:{port}");
    still
        .service(
            "good",
            json!({}),
            "ctx.schedule({ id: 'poll', when: { every: 60 }, run() { say(ctx, 'poll'); } });",
        )
        .await;
    still.until("good poll", 1).await;
    let storm = format!(
        "ctx.schedule({{ id: 'x', when: {{ every: 5 }}, async run() {{ for (;;) {{ try {{ await fetch('http://127.0.0.1:{port}/'); }} catch {{}} }} }} }});"
    );
    still.service("asks", json!({ "requestsPerMinute": 20 }), &storm).await;
    let job = |body: &str| format!("ctx.schedule({{ id: 'x', when: {{ every: 5 }}, run() {{ {body} }} }});");
    still.service("hangs", json!({}), &job("for (;;) {}")).await;
    still
        .service(
            "leaks",
            json!({}),
            &job("const all = []; for (;;) all.push(new Uint8Array(1 << 20));"),
        )
        .await;
    still.bench.fault("cpu").await;
    still.bench.fault("memory").await;
    for n in 2..6 {
        still.clock.go_on(MINUTE);
        still.until("good poll", n).await;
        still.settled("good").await;
    }
    assert_eq!(still.status("good").state, RunState::Running);
    let asked = seen.load(Ordering::Relaxed);
    assert!((20..=6 * 20).contains(&asked), "a budget of twenty in each of six minutes: {asked}");
}
