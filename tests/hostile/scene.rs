//! Plays one attack: the innocent plugin answers all the time, the hostile one is loaded and provoked, and the host is asked
//! afterwards whether anything is different.

use crate::attacks::{Attack, Door};
use crate::support::{Backend, Bench, channel, id, manifest, quick, request};
use kata_core::lifecycle::Policy;
use kata_core::ports::{Channels, Hooks, PluginPart, Tools};
use kata_plugins::HostOptions;
use kata_protocol::{AccountId, ConversationId, HookName, OutboundMessage, ReplyRoute};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The innocent plugin.
const BYSTANDER: &str = "export default (api) => { api.registerTool({ name: 'bystander', description: 'd', parameters: {}, execute: () => 'here' }); \
                         api.registerHook('message_received', (e) => ({ text: 'seen ' + e.text })); };";
/// How long one step of an attack may take; the host's own limits are far below.
const STEP: Duration = Duration::from_secs(30);
/// How much the process may grow, MB: the plugin's heap of 32 MB, its text on the way, and the parser's tree of one module.
const GROWTH_MB: u64 = 192;

/// Limits for a process that lives a second: as the defaults, but less time.
fn options() -> HostOptions {
    HostOptions {
        slice: Duration::from_millis(50),
        call_slice: Duration::from_millis(100),
        load_slice: Duration::from_millis(250),
        load_timeout: Duration::from_millis(1500),
        tool_timeout: Duration::from_secs(2),
        send_timeout: Duration::from_secs(1),
        stop_timeout: Duration::from_millis(300),
        drain: Duration::from_millis(500),
        cpu_ms_per_minute: 500,
        stuck: Duration::from_secs(4),
        policy: Policy {
            first_delay_ms: 300_000,
            max_delay_ms: 300_000,
            ..Policy::default()
        },
        ..quick()
    }
}

/// What the innocent plugin saw.
#[derive(Default)]
struct Seen {
    answers: u32,
    wrong: Vec<String>,
    longest: Duration,
}

/// Plays one attack and says what came of it.
pub(crate) async fn play(attack: &Attack) -> Value {
    let (name, door, code, blame) = *attack;
    let bench = Arc::new(Bench::with(options()));
    bench.run("bystander", BYSTANDER).await.expect("the innocent plugin loads");
    for _ in 0..20 {
        assert_eq!(innocent(&bench).await, None);
    }
    forget_peak();
    let before = status_mb("VmRSS");

    let (end, ended) = watch::channel(false);
    let prober = tokio::spawn(probe(Arc::clone(&bench), ended));
    let began = Instant::now();
    let mut why = Vec::new();
    let answer = tokio::time::timeout(STEP, provoke(&bench, door, code)).await;
    let answer = answer.unwrap_or_else(|_| {
        why.push(format!("the attack was not answered within {STEP:?}"));
        String::new()
    });
    // An alternative that is empty says that it may as well harm nobody.
    let kinds: Vec<&str> = blame.split('|').filter(|k| !k.is_empty()).collect();
    let must = !kinds.is_empty() && !blame.split('|').any(str::is_empty);
    if must && !blamed(&bench, &kinds).await {
        why.push(format!("nobody was blamed for any of {kinds:?}"));
    }
    let took = began.elapsed();
    end.send_replace(true);
    let seen = prober.await.expect("the probing task does not panic");
    // The innocent one goes on, another can still be loaded, and the bad one can be taken out.
    for _ in 0..20 {
        if let Some(wrong) = innocent(&bench).await {
            why.push(format!("afterwards: {wrong}"));
            break;
        }
    }
    if let Err(error) = bench.run("later", "export default () => {};").await {
        why.push(format!("no plugin can be loaded afterwards: {error}"));
    }
    if tokio::time::timeout(STEP, bench.host.deactivate(&id("bad"))).await.is_err() {
        why.push(format!("the plugin was not taken out within {STEP:?}"));
    }
    if seen.answers == 0 {
        why.push("the innocent plugin was not asked once meanwhile".into());
    }
    why.extend(seen.wrong);
    let faults = bench.backend.faults.lock().unwrap().clone();
    why.extend(
        faults
            .iter()
            .filter(|(p, _)| *p != id("bad"))
            .map(|(p, f)| format!("“{p}” was blamed: {}", f.message)),
    );
    let peak = status_mb("VmHWM").saturating_sub(before);
    if peak > GROWTH_MB {
        why.push(format!("the process grew by {peak} MB"));
    }
    json!({
        "name": name,
        "contained": why.is_empty(),
        "why": why,
        "answer": answer.chars().take(200).collect::<String>(),
        "faults": faults.iter().map(|(p, f)| json!([p, f.kind, f.message.chars().take(160).collect::<String>()])).collect::<Vec<_>>(),
        "meanwhile": seen.answers,
        "longest_ms": seen.longest.as_millis(),
        "took_ms": took.as_millis(),
        "grew_mb": peak,
    })
}

/// The innocent plugin's hook, once; what was wrong.
async fn innocent(bench: &Bench) -> Option<String> {
    let handlers = bench.host.handlers(HookName::MessageReceived);
    let Some(handler) = handlers.iter().find(|h| h.plugin == id("bystander")) else {
        return Some("the innocent plugin's hook is gone".into());
    };
    let answer = handler
        .invoke
        .invoke(json!({ "text": "a" }).to_string().into(), Duration::from_secs(10))
        .await;
    match answer {
        Ok(Some(text)) if text == r#"{"text":"seen a"}"# => None,
        other => Some(format!("the innocent plugin answered {other:?}")),
    }
}

async fn probe(bench: Arc<Bench>, mut ended: watch::Receiver<bool>) -> Seen {
    let mut seen = Seen::default();
    loop {
        let began = Instant::now();
        match innocent(&bench).await {
            None => seen.answers += 1,
            Some(wrong) if seen.wrong.len() < 3 => seen.wrong.push(format!("meanwhile: {wrong}")),
            Some(_) => {}
        }
        seen.longest = seen.longest.max(began.elapsed());
        if *ended.borrow_and_update() {
            return seen;
        }
        tokio::select! {
            _ = ended.changed() => {}
            () = tokio::time::sleep(Duration::from_millis(2)) => {}
        }
    }
}

/// Loads the hostile plugin and does what sets its code off; what came back, in words.
async fn provoke(bench: &Bench, door: Door, code: &str) -> String {
    let mut files = vec![
        ("index.ts".to_owned(), module(door, code)),
        ("broken.ts".to_owned(), "export default (;".repeat(2_000)),
    ];
    if let Door::Files(others) = door {
        files.extend(others());
    }
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    if let Err(error) = bench.activate(bench.write("bad", &manifest("bad"), &files)).await {
        return error.to_string();
    }
    match door {
        Door::Module | Door::Register | Door::Files(_) | Door::Command => {
            bench.host.run_command("bad", "").await.unwrap_or_else(|e| e.to_string())
        }
        Door::Tool | Door::Timer => bench.host.call(request("bad", json!({}))).await.text,
        Door::Hook => {
            let handlers = bench.host.handlers(HookName::MessageReceived);
            let handler = handlers.iter().find(|h| h.plugin == id("bad")).expect("it registers the hook");
            let answer = handler
                .invoke
                .invoke(json!({ "text": "a" }).to_string().into(), Duration::from_secs(1))
                .await;
            format!("{answer:?}")
        }
        Door::Start | Door::Stop => {
            let started = bench.host.start_service(&id("bad"), "bad").await;
            if matches!(door, Door::Stop) {
                bench
                    .state_of(PluginPart::Service("bad".into()), |s| *s == kata_protocol::RunState::Running)
                    .await;
                bench.host.stop_service(&id("bad"), "bad").await;
            }
            format!("{started:?}")
        }
        Door::Connect => format!("{:?}", bench.host.start_channel(&channel("bad")).await),
        Door::Send => format!("{:?}", bench.host.send(message()).await),
        Door::Typing => {
            bench.host.typing(&message().route).await;
            String::new()
        }
        Door::Dispose => {
            bench.host.deactivate(&id("bad")).await;
            String::new()
        }
    }
}

/// The module around an attack's code.
fn module(door: Door, code: &str) -> String {
    let tool =
        |body: &str| format!("api.registerTool({{ name: 'bad', description: 'd', parameters: {{}}, execute(args, ctx) {{ {body} }} }});");
    let inner = match door {
        Door::Module | Door::Files(_) => return code.to_owned(),
        Door::Register => format!("{code};"),
        Door::Tool => tool(code),
        Door::Timer => tool(&format!("setTimeout(() => {{ {code} }}, 1); return 'set'")),
        Door::Hook => format!("api.registerHook('message_received', (event, ctx) => {{ {code} }});"),
        Door::Start => format!("api.registerService({{ id: 'bad', async start(ctx) {{ {code} }} }});"),
        Door::Stop => format!("api.registerService({{ id: 'bad', start() {{}}, stop(ctx) {{ {code} }} }});"),
        Door::Connect => format!(
            "api.registerChannel({{ id: 'bad', meta: {{ label: 'B' }}, capabilities: {{}}, outbound: {{ send() {{}} }}, messaging: {{ async connect(ctx) {{ {code} }} }} }});"
        ),
        Door::Send => format!(
            "api.registerChannel({{ id: 'bad', meta: {{ label: 'B' }}, capabilities: {{}}, outbound: {{ send(message, ctx) {{ {code} }} }} }});"
        ),
        Door::Typing => format!(
            "api.registerChannel({{ id: 'bad', meta: {{ label: 'B' }}, capabilities: {{}}, outbound: {{ send() {{}} }}, heartbeat: {{ typing(route, ctx) {{ {code} }} }} }});"
        ),
        Door::Command => format!("api.registerCommand({{ name: 'bad', description: 'd', run(args, ctx) {{ {code} }} }});"),
        Door::Dispose => return format!("export default {{ register(api) {{}}, dispose() {{ {code} }} }};"),
    };
    format!("export default (api) => {{ globalThis.kept = api; {inner} }};")
}

fn message() -> OutboundMessage {
    OutboundMessage {
        route: ReplyRoute {
            channel: channel("bad"),
            account: AccountId::new("bot").unwrap(),
            conversation: ConversationId::new("1").unwrap(),
            thread: None,
            reply_to: None,
        },
        text: "hi".into(),
        idempotency_key: "k".into(),
        attachments: Vec::new(),
        buttons: Vec::new(),
        replaces: None,
        attempt: 1,
    }
}

async fn blamed(bench: &Bench, kinds: &[&str]) -> bool {
    let named = |b: &Backend| {
        let faults = b.faults.lock().unwrap();
        faults.iter().any(|(p, f)| *p == id("bad") && kinds.contains(&f.kind.as_str()))
    };
    let wait = async {
        loop {
            let changed = bench.backend.changed.notified();
            if named(&bench.backend) {
                return;
            }
            changed.await;
        }
    };
    tokio::time::timeout(STEP, wait).await.is_ok()
}

/// A figure of `/proc/self/status` in MB; 0 where there is none.
fn status_mb(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(field)).unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|n| n.parse::<u64>().ok())
        .unwrap_or_default()
        / 1024
}

/// Begins the count of the peak anew.
fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
