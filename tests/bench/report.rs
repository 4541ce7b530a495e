//! The rows of the table, what was measured for each, and both as Markdown.

use crate::plot::Plot;
use crate::stats::median;
use crate::{Bench, machine};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Better {
    Less,
    More,
}

/// A row of the table.
struct Row {
    key: &'static str,
    what: &'static str,
    unit: &'static str,
    better: Better,
    target: Option<f64>,
}

const fn less(key: &'static str, what: &'static str, unit: &'static str, target: Option<f64>) -> Row {
    Row {
        key,
        what,
        unit,
        better: Better::Less,
        target,
    }
}

const fn more(key: &'static str, what: &'static str, unit: &'static str, target: Option<f64>) -> Row {
    Row {
        key,
        what,
        unit,
        better: Better::More,
        target,
    }
}

const ROWS: &[Row] = &[
    less("ready_wall", "start to ready (`/readyz` answers 200)", "s", Some(0.3)),
    less("ready_cpu", "CPU of the whole tree until ready", "CPU-s", Some(0.3)),
    less("plugins_wall", "start to all 8 plugins loaded", "s", None),
    less("plugins_cpu", "CPU of the whole tree until then", "CPU-s", None),
    less("idle_pss", "memory at rest, whole tree (PSS)", "MB", Some(40.0)),
    less("plugin_pss", "memory of each further plugin (PSS)", "MB", Some(4.0)),
    less("size_packed", "package (tar.gz), headless, with its runtime", "MB", Some(25.0)),
    less("size", "the same unpacked", "MB", None),
    less("size_desktop", "size installed with the desktop program", "MB", None),
    less("rtt_p50", "gateway round trip (`system.status`; `health`), p50", "ms", Some(0.1)),
    less("rtt_p99", "gateway round trip, p99", "ms", None),
    more("rps_1", "requests/s, 1 in flight", "/s", None),
    more("rps_16", "requests/s, 16 in flight", "/s", None),
    more("rps_64", "requests/s, 64 in flight", "/s", Some(50_000.0)),
    less("ack_p50", "message without a model: submitted → taken, p50", "ms", None),
    less(
        "turn_p50",
        "message turn without a model: submitted → answer final, p50",
        "ms",
        Some(1.0),
    ),
    less("turn_p99", "message turn without a model, p99", "ms", None),
    more("turns_1", "messages/s, 1 session, one after the other", "/s", None),
    more("turns_8", "messages/s, 8 sessions, each one after the other", "/s", None),
    more("turns_deep", "messages/s, 8 sessions, 24 on their way in each", "/s", Some(5_000.0)),
    less("durable", "for comparison: one 4 kB append made durable on this disk", "ms", None),
    less("turn_cpu", "CPU of a message turn, 8 sessions", "CPU-ms", None),
    more("survived", "one bad plugin, 8 ways: survived", "of 8", Some(8.0)),
    less("beside_p99", "turn p99 beside the worst bad plugin ÷ beside none", "×", None),
    less("reload", "plugin file saved → new code serves", "s", Some(0.25)),
    less(
        "tide_live",
        "saved under 200 messages/s, every second → new code serves, p50",
        "s",
        Some(0.25),
    ),
    less("tide_live_p99", "the same, p99", "s", None),
    less(
        "tide_wrong",
        "messages lost, doubled or answered with an error meanwhile",
        "",
        Some(0.0),
    ),
    less(
        "hostile_hook",
        "innocent hook's p99 beside the worst attack ÷ quiet",
        "×",
        Some(2.0),
    ),
    less(
        "hostile_status",
        "`system.status` p99 beside the worst attack ÷ quiet",
        "×",
        Some(2.0),
    ),
    less("hop_p50", "for comparison: a bare hop to another thread and back, p50", "µs", None),
    less("hop_p99", "for comparison: the same, p99", "µs", None),
    less("hook_0", "an event that no plugin hooks", "µs", Some(0.2)),
    less("hook_1_p50", "hook into a plugin, 500-byte event, 1 handler, p50", "µs", None),
    less("hook_1_p99", "the same, p99", "µs", None),
    less("hook_10_p50", "hook, 10 handlers one after the other, p50", "µs", None),
    less("hook_10_p99", "the same, p99", "µs", None),
    less("hook_50_p50", "hook, 50 handlers one after the other, p50", "µs", None),
    less("hook_50_p99", "the same, p99", "µs", None),
    less("hook_over_hop", "1 handler beyond the bare hop, p50", "µs", Some(25.0)),
    less("node_1_p50", "for comparison: the same hook in a Node child, p50", "µs", None),
    less("node_1_p99", "for comparison: the same, p99", "µs", None),
    less("node_50_p50", "for comparison: 50 calls into a Node child, p50", "µs", None),
    less("hook_by_node", "hook into a plugin ÷ into a Node child, p50", "×", Some(1.0)),
    less("load_ts", "plugin loaded from TypeScript, p50", "ms", Some(3.0)),
    less("node_load", "for comparison: a Node child until it answers, p50", "ms", None),
    less("idle_1", "memory of an idle plugin (PSS), the first", "MB", None),
    less("idle_10", "memory of an idle plugin, of 10", "MB", Some(0.5)),
    less("idle_100", "memory of an idle plugin, of 100", "MB", Some(0.5)),
    less("node_idle", "for comparison: an idle Node child, of 10", "MB", None),
    less("list_index", "first start ever over 10,000 sessions, to ready", "s", None),
    less("list_start", "every later start with 10,000 sessions, to ready", "s", None),
    less("list_page", "session list: newest 200 of 10,000", "ms", None),
    less("list_all", "session list: all 10,000, in pages of 1,000", "ms", Some(50.0)),
    less("open_page", "10,000-message session: newest 200 messages", "ms", None),
    less("open_all", "10,000-message session: all of it", "ms", Some(300.0)),
    less(
        "list_first",
        "session list of 10,000: first page of a new process",
        "ms",
        Some(50.0),
    ),
    less("search_fill", "10,000 sessions read into the search, in the background", "s", None),
    less(
        "search_rare",
        "search over 10,000 sessions: a word of few messages",
        "ms",
        Some(100.0),
    ),
    less(
        "search_common",
        "search: three words that stand in every message",
        "ms",
        Some(100.0),
    ),
    less("search_begin", "search: a beginning of words of every message", "ms", Some(100.0)),
    less(
        "open_cold",
        "10,000-message session, new process: newest 200 messages",
        "ms",
        Some(300.0),
    ),
    less("open_back", "10,000-message session: the 200 messages before", "ms", None),
    less("library_pss", "memory after that, whole tree (PSS)", "MB", None),
    less("rest_serve_ready", "`kata serve`: start to ready", "s", None),
    less("rest_serve_pss", "`kata serve`: memory at rest (PSS)", "MB", None),
    less("rest_window_shown", "app: start to its window", "s", None),
    less("rest_open_pss", "app, window open: memory of the tree (PSS)", "MB", None),
    less("rest_closed_pss", "app, window closed: memory of the tree (PSS)", "MB", None),
    less("rest_hidden_ready", "app, hidden: start to ready", "s", None),
    less("rest_hidden_pss", "app, never opened: memory of the tree (PSS)", "MB", None),
    less("rest_serve_wakeups", "`kata serve`, left alone: wake-ups", "/s", None),
    less("rest_serve_cpu", "`kata serve`, left alone: CPU of one core", "%", None),
    less(
        "rest_serve_after",
        "`kata serve`: memory after that (PSS, beside the app)",
        "MB",
        None,
    ),
    less("rest_hidden_wakeups", "app, hidden and left alone: wake-ups", "/s", None),
    less("rest_hidden_cpu", "app, hidden and left alone: CPU of one core", "%", None),
    less(
        "rest_hidden_after",
        "app, hidden: memory after that (PSS, beside the other)",
        "MB",
        None,
    ),
];

/// What was measured.
pub(crate) struct Report {
    head: Vec<(String, String)>,
    ours: BTreeMap<&'static str, Vec<f64>>,
    peer: BTreeMap<&'static str, Vec<f64>>,
    plots: Vec<Plot>,
    notes: Vec<String>,
    failures: Vec<String>,
}

impl Report {
    /// A report with the lines of its head.
    pub(crate) fn new(head: Vec<(String, String)>) -> Self {
        Self {
            head,
            ours: BTreeMap::new(),
            peer: BTreeMap::new(),
            plots: Vec::new(),
            notes: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// A figure of ours.
    pub(crate) fn ours(&mut self, key: &'static str, value: f64) {
        crate::say(&format!("  kata     {key} = {}", number(value)));
        self.ours.entry(key).or_default().push(value);
    }

    /// A figure of the peer's.
    pub(crate) fn peer(&mut self, key: &'static str, value: f64) {
        crate::say(&format!("  openclaw {key} = {}", number(value)));
        self.peer.entry(key).or_default().push(value);
    }

    /// Something a reader must know.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        crate::say(&format!("  {note}"));
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// A curve.
    pub(crate) fn plot(&mut self, plot: Plot) {
        self.plots.push(plot);
    }

    /// A part that could not be measured.
    pub(crate) fn failed(&mut self, part: &str, error: &anyhow::Error) {
        crate::say(&format!("  {part} FAILED: {error:#}"));
        self.failures.push(format!("{part}: {error:#}"));
    }

    /// Parts that could not be measured.
    pub(crate) fn failures(&self) -> &[String] {
        &self.failures
    }

    /// The whole report.
    pub(crate) fn markdown(&self, bench: &Bench) -> String {
        let mut text = String::from("# Benchmarks\n\n");
        text.push_str(
            "Written by `cargo xtask bench`; do not edit. Kata Agents and OpenClaw in one run on one machine. Compare the two columns ",
        );
        text.push_str("and read the ratio; a time alone says something about a machine, not about a program.\n\n");
        for (name, value) in &self.head {
            let _ = writeln!(text, "- {name}: {value}");
        }
        let _ = writeln!(text, "- load after: {}", machine::load());
        let _ = writeln!(
            text,
            "\n| what | Kata Agents | OpenClaw | better by | target | met |\n|---|---:|---:|---:|---:|---|"
        );
        for row in ROWS {
            self.row(&mut text, row);
        }
        let _ = writeln!(text, "\n{}", method(bench));
        for plot in &self.plots {
            plot.markdown(&mut text);
        }
        self.list(&mut text, "Notes of this run", &self.notes);
        self.list(&mut text, "Not measured in this run", &self.failures);
        let _ = writeln!(text, "\n## Every repetition\n\n| what | Kata Agents | OpenClaw |\n|---|---|---|");
        for row in ROWS {
            let (ours, peer) = (self.all(&self.ours, row), self.all(&self.peer, row));
            if !(ours.is_empty() && peer.is_empty()) {
                let _ = writeln!(text, "| {} ({}) | {ours} | {peer} |", row.what, row.unit);
            }
        }
        text
    }

    fn row(&self, text: &mut String, row: &Row) {
        let ours = self.ours.get(row.key).map(|samples| median(samples));
        let peer = self.peer.get(row.key).map(|samples| median(samples));
        if ours.is_none() && peer.is_none() {
            return;
        }
        let cell = |value: Option<f64>| value.map_or_else(|| "–".into(), |v| format!("{} {}", number(v), row.unit));
        let ratio = ours
            .zip(peer)
            .map(|(ours, peer)| if row.better == Better::Less { peer / ours } else { ours / peer });
        let ratio = ratio
            .filter(|r| r.is_finite())
            .map_or_else(|| "–".into(), |r| format!("{}×", number(r)));
        let sign = if row.better == Better::Less { "≤" } else { "≥" };
        let target = row
            .target
            .map_or_else(|| "–".into(), |t| format!("{sign} {} {}", number(t), row.unit));
        let met = match (ours, row.target, row.better) {
            (Some(ours), Some(target), Better::Less) => yes(ours <= target),
            (Some(ours), Some(target), Better::More) => yes(ours >= target),
            _ => "–",
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {ratio} | {target} | {met} |",
            row.what,
            cell(ours),
            cell(peer)
        );
    }

    fn all(&self, side: &BTreeMap<&'static str, Vec<f64>>, row: &Row) -> String {
        let samples = side.get(row.key).map(Vec::as_slice).unwrap_or_default();
        samples.iter().map(|v| number(*v)).collect::<Vec<_>>().join(" · ")
    }

    fn list(&self, text: &mut String, title: &str, lines: &[String]) {
        if !lines.is_empty() {
            let _ = writeln!(text, "\n## {title}\n");
            for line in lines {
                let _ = writeln!(text, "- {line}");
            }
        }
    }
}

fn yes(met: bool) -> &'static str {
    if met { "yes" } else { "**no**" }
}

/// Three significant digits, thousands with commas.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        v if v >= 100.0 || v == 0.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::new();
    for (n, digit) in whole.chars().enumerate() {
        if n > 0 && (whole.len() - n).is_multiple_of(3) && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

fn method(bench: &Bench) -> String {
    let Bench { repeat, window, rest, .. } = bench;
    format!(
        "## Method\n\n\
         - `cargo xtask bench` builds for release and runs `tests/bench`. One client, single-threaded, speaks to both gateways over loopback. \
         The two programs take turns within each repetition; each cell is the median of {repeat} repetition(s), all of which stand below.\n\
         - Start: from spawn until `GET /readyz` answers 200, asked every 2 ms. CPU is user and system time of the whole tree. Ours has 8 plugins on \
         (echo, telegram, six small ones); its readiness waits for no plugin, so the time until all are loaded stands beside it. OpenClaw has its default set.\n\
         - Memory at rest: PSS of every process of the tree, {} s after ready. A further plugin: the same with 16 plugins, difference by 8.\n\
         - Size: sum of file lengths. Ours: stripped `kata`, the built window, what ships of the plugins. OpenClaw: `node_modules` and Node's program.\n\
         - Round trips: one after the other on one connection. Requests/s: {} s on one connection; the next request leaves when an answer is in.\n\
         - Message turn: ours from `session.submit` until the fact `turn_ended`; the scripted demo agent answers at once, every row is durable before it is \
         said, and a session is left for a fresh one after 100 messages. OpenClaw from `chat.send` until the `chat` event with state `final`, answered by a plugin before any \
         model, in sessions that are warm. Both have one plugin that listens to the messages' hooks. `message_sent` belongs to channels and is not part of either path's wait. \
         A session that takes one message after the other waits for the disk in each turn, so its rate has a ceiling that the durable append in the same table shows; \
         with 24 on their way in each session many turns share one wait. OpenClaw steers a second message into the running turn, so that row is ours alone.\n\
         - Bad plugin: the same eight faults in both; a fault that needs time comes 3 s after the service starts. For 12 s `/healthz` is asked every 250 ms and an operation \
         every second, each with 1 s to answer; at the end a new client must get in and be answered. Survived = ready within 40 s, no probe lost, process alive. Ours is \
         also asked for a message turn every 10 ms in another session, for the p99 beside the bad plugin.\n\
         - Reload under load: a channel plugin polls a platform of the tests, 400 people write in turn, the file is written whole each second; the watcher, its quiet \
         time, compiling and swapping are in the figure. Broken are saves that do not parse and saves that throw.\n\
         - Neighbours: message turns through one plugin and `system.status` beside them, while another plugin is loaded three times a second and attacks at once; the hook's \
         time is that of the newest 200 traces.\n\
         - Hooks: the plugin host alone in a process; the Node child is one process that answers the same event over its standard streams, a line of JSON each way.\n\
         - Sessions: files on disk as the older program writes them; times are until the whole answer is with the client. The window's own painting is not in it.\n\
         - Run it on a quiet machine; the load before and after stands above.",
        rest.as_secs(),
        window.as_secs(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let all = [0.0, 0.1234, 1.234, 12.34, 123.4, 1234.0, 1_234_567.0].map(number);
        assert_eq!(all, ["0", "0.123", "1.23", "12.3", "123", "1,234", "1,234,567"]);
    }

    #[test]
    fn every_row_has_its_own_key() {
        for (n, row) in ROWS.iter().enumerate() {
            assert!(ROWS[n + 1..].iter().all(|other| other.key != row.key), "{} stands twice", row.key);
        }
    }
}
