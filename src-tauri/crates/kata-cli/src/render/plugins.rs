//! Plugins: what one asks for, what it is, what a check found.

use super::{ago, clean, line, stamp, state, table, word};
use kata_engine::author::{Report, Step, Verdict};
use kata_protocol::*;
use std::fmt::Write;

/// Longest diff shown before the person is asked, lines.
const DIFF: usize = 200;

fn put(text: &mut String, line: &str) {
    let _ = writeln!(text, "{line}");
}

/// What a person decides with: where it comes from, what it may do, and what is different now.
pub(crate) fn asks(d: &PluginDetail) -> String {
    let s = &d.summary;
    let mut text = format!("{} {} ({}), {}\n", line(&s.name, 60), line(&s.version, 20), s.id, word(&s.origin));
    if !s.description.is_empty() {
        put(&mut text, &format!("  {}", line(&s.description, 160)));
    }
    if s.origin == PluginOrigin::Gateway {
        put(&mut text, &program(s.client.as_ref()));
        capabilities(&mut text, &d.wanted);
        return text;
    }
    put(&mut text, &format!("  folder     {}", line(&s.path, 200)));
    put(&mut text, &format!("  hash       {}", d.hash));
    put(&mut text, &format!("  signature  {}", signature(&d.signature)));
    put(&mut text, "  files");
    for file in &d.files {
        put(&mut text, &format!("    {:>8}  {}", file.bytes.0, line(&file.path, 120)));
    }
    capabilities(&mut text, &d.wanted);
    if let Some(change) = &d.change {
        changed(&mut text, change);
    }
    text
}

/// A program that came over the gateway, and the token that is its grant.
fn program(client: Option<&ExternalClient>) -> String {
    match client {
        Some(c) => format!(
            "  program    {}, over the gateway since {}\n  granted    by token “{}” of scope {}; taking it back ends the program",
            line(&c.name, 64),
            stamp(c.since),
            line(&c.token, 64),
            word(&c.scope)
        ),
        None => "  program    over the gateway, not connected now".into(),
    }
}

fn signature(signature: &PluginSignature) -> String {
    match signature {
        PluginSignature::None => "none".into(),
        PluginSignature::Valid { key_id, known, comment } => {
            let known = if *known { "a key you remember" } else { "a key you have not seen" };
            format!("{key_id}, {known} ({})", line(comment, 100))
        }
        PluginSignature::Invalid { reason } => format!("DOES NOT FIT: {}", line(reason, 120)),
    }
}

fn capabilities(text: &mut String, wanted: &[CapabilityState]) {
    if wanted.is_empty() {
        return put(text, "  it asks for nothing beyond itself");
    }
    put(text, "  it asks for");
    for c in wanted {
        let mark = match (c.declared, c.granted) {
            (true, true) => "granted",
            (true, false) => "asked",
            (false, _) => "no longer asked",
        };
        let careful = if c.sensitive { " (!)" } else { "" };
        put(
            text,
            &format!("    {:15}  {}{careful}: {}", mark, line(&c.capability, 80), line(&c.means, 160)),
        );
    }
}

fn changed(text: &mut String, change: &PluginChange) {
    let (from, to) = (line(&change.from_version, 20), line(&change.to_version, 20));
    let version = if from == to {
        format!("version {to} as before")
    } else {
        format!("version {from} → {to}")
    };
    put(text, &format!("  since you trusted it: {version}"));
    for (sign, list) in [("+", &change.capabilities_added), ("-", &change.capabilities_removed)] {
        for capability in list {
            put(text, &format!("    {sign} {}", line(capability, 80)));
        }
    }
    let mut left = DIFF;
    for file in &change.files {
        put(text, &format!("    {} {}", word(&file.kind), line(&file.path, 120)));
        for row in file.diff.iter().flat_map(|d| d.lines()).take(left) {
            put(text, &format!("      {}", clean(row)));
            left -= 1;
        }
    }
    if left == 0 {
        put(text, "    … the diff is longer than this; read the files");
    }
}

/// Everything about one plugin.
pub(crate) fn plugin(d: &PluginDetail, now: Ms) -> String {
    let s = &d.summary;
    let mut text = asks(d);
    put(&mut text, &format!("  trust      {}", word(&s.trust)));
    let running = if s.enabled { state(&s.status, now) } else { "off".into() };
    let remote = s.origin == PluginOrigin::Gateway;
    let came = if remote { "joined" } else { "loaded" };
    let times = if s.generation == 1 {
        "once".to_owned()
    } else {
        format!("{} times", s.generation)
    };
    put(&mut text, &format!("  state      {running}, {came} {times}"));
    put(&mut text, &format!("  brings     {}", registered(&d.registered)));
    let (u, l) = (&s.usage, &d.limits);
    if remote {
        put(&mut text, &format!("  calls      {} wait for it", u.calls_in_flight));
    } else {
        put(&mut text, &uses(u, l));
    }
    for secret in &d.secrets {
        let there = if secret.set { "is set" } else { "is not set" };
        put(&mut text, &format!("  secret     {} {there}", line(&secret.name, 60)));
    }
    if d.settings_schema.is_some() {
        put(&mut text, &format!("  settings   {}", line(&d.settings.0.to_string(), 200)));
    }
    for part in &d.parts {
        put(
            &mut text,
            &format!("  {:10} {}", line(part.id.as_str(), 40), state(&part.status, now)),
        );
    }
    for fault in &s.faults {
        put(&mut text, &format!("  {} {}", ago(fault.at, now), self::fault(fault)));
    }
    for event in d.history.iter().take(10) {
        put(
            &mut text,
            &format!("  {} {}: {}", stamp(event.at), word(&event.action), line(&event.detail, 120)),
        );
    }
    text
}

/// What it uses of what it may use.
fn uses(u: &PluginUsage, l: &PluginCeilings) -> String {
    format!(
        "  uses       {} of {} KiB, {} of {} ms CPU a minute, {}/{} timers, {}/{} sockets, {}/{} calls, {}/{} waiting",
        u.memory_bytes.0 / 1024,
        l.memory_bytes.0 / 1024,
        u.cpu_ms_last_minute,
        l.cpu_ms_per_minute,
        u.timers,
        l.timers,
        u.sockets,
        l.sockets,
        u.calls_in_flight,
        l.calls_in_flight,
        u.queue_depth,
        l.queue
    )
}

/// What was registered, in one line.
pub(crate) fn registered(r: &Registered) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut add = |what: &str, names: Vec<String>| {
        if !names.is_empty() {
            parts.push(format!("{what} {}", line(&names.join(" "), 80)));
        }
    };
    add("tool", r.tools.iter().map(|t| t.name.clone()).collect());
    add("hook", r.hooks.iter().map(|h| h.event.as_str().to_owned()).collect());
    add("channel", r.channels.iter().map(|c| c.id.clone()).collect());
    add("service", r.services.clone());
    add("command", r.commands.iter().map(|c| format!("/{}", c.name)).collect());
    add("route", r.routes.iter().map(|route| route.path.clone()).collect());
    if parts.is_empty() { "nothing".into() } else { parts.join(", ") }
}

/// One fault with its place.
pub(crate) fn fault(fault: &PluginFault) -> String {
    let at = fault.position.as_ref().map(place).unwrap_or_default();
    format!("fault {}: {at}{}", line(&fault.kind, 30), line(&fault.message, 300))
}

fn place(at: &SourcePosition) -> String {
    format!("{}:{}:{}: ", line(&at.file, 120), at.line, at.column)
}

/// Slash commands.
pub(crate) fn commands(commands: &[CommandInfo]) -> String {
    let rows: Vec<_> = commands
        .iter()
        .map(|c| vec![format!("/{}", line(&c.name, 40)), line(&c.description, 80), c.plugin.to_string()])
        .collect();
    table(&["command", "does", "plugin"], &rows, "no commands")
}

/// Remembered signing keys.
pub(crate) fn signers(signers: &[PluginSigner], now: Ms) -> String {
    let rows: Vec<_> = signers
        .iter()
        .map(|s| {
            let plugins: Vec<&str> = s.plugins.iter().map(PluginId::as_str).collect();
            vec![s.key_id.clone(), line(&plugins.join(", "), 80), ago(s.remembered_at, now)]
        })
        .collect();
    table(
        &["key", "carries over updates of", "remembered"],
        &rows,
        "no keys; `kata plugins trust ID --remember-signer` remembers one",
    )
}

/// Folders, and what was not taken.
pub(crate) fn discovery(d: &PluginDiscovery) -> String {
    let mut text = String::new();
    for root in &d.roots {
        let there = if root.exists { "" } else { "  (is not there)" };
        put(&mut text, &format!("{:10} {}{there}", word(&root.origin), line(&root.path, 200)));
    }
    if d.dropped.is_empty() {
        put(&mut text, "nothing was passed over");
    }
    for dropped in &d.dropped {
        put(
            &mut text,
            &format!("\n{}\n  {}", line(&dropped.path, 200), line(&dropped.reason, 240)),
        );
        if !dropped.hint.is_empty() {
            put(&mut text, &format!("  hint: {}", line(&dropped.hint, 240)));
        }
    }
    text
}

/// What a check found.
pub(crate) fn report(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let mark = match finding.verdict {
            Verdict::Ok => "ok     ",
            Verdict::Skipped => "skipped",
            Verdict::Warning => "warning",
            Verdict::Error => "ERROR  ",
        };
        let step = match finding.step {
            Step::Manifest => "manifest",
            Step::Source => "source",
            Step::Types => "types",
            Step::Registration => "sandbox",
            Step::Contract => "contract",
        };
        let at = finding.at.as_ref().map(place).unwrap_or_default();
        put(&mut text, &format!("{mark} {step:9} {at}{}", line(&finding.message, 400)));
        if let Some(hint) = finding.hint.as_deref().filter(|h| !h.is_empty()) {
            put(&mut text, &format!("{:17} {}", "", line(hint, 240)));
        }
    }
    text
}
