//! A panic leaves a report: where, in which thread and task, and how it came there. What it said is left out, since a panic may
//! quote what it worked on.

use super::reports::{Panic, Reports};
use crate::logging::LogRing;
use kata_core::ports::Clock;
use kata_protocol::Ms;
use std::backtrace::Backtrace;
use std::collections::HashMap;
use std::panic::PanicHookInfo;
use std::sync::{Arc, Mutex, Once, OnceLock};
use tokio::sync::Notify;

/// A place that panics again within this time leaves no further report, milliseconds.
const AGAIN: u64 = 10 * 60 * 1000;
/// Places that are remembered.
const PLACES: usize = 64;

/// Told after each report.
pub(super) static PANICKED: Notify = Notify::const_new();

struct Watcher {
    reports: Arc<Reports>,
    log: LogRing,
    clock: Arc<dyn Clock>,
    last: HashMap<String, Ms>,
}

static WATCHER: OnceLock<Mutex<Option<Watcher>>> = OnceLock::new();

/// From now on panics of this process are reported there.
pub(super) fn watch(reports: &Arc<Reports>, log: &LogRing, clock: &Arc<dyn Clock>) {
    static INSTALLED: Once = Once::new();
    let watcher = Watcher {
        reports: Arc::clone(reports),
        log: log.clone(),
        clock: Arc::clone(clock),
        last: HashMap::new(),
    };
    *crate::engine::locked(WATCHER.get_or_init(Mutex::default)) = Some(watcher);
    INSTALLED.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            report(info);
            told(info, &*before);
        }));
    });
}

/// The words on standard error: a system's journal may keep them, so that what is released says the place only.
#[allow(clippy::print_stderr, reason = "what a panic says belongs there")]
fn told(info: &PanicHookInfo<'_>, before: &dyn Fn(&PanicHookInfo<'_>)) {
    if cfg!(debug_assertions) {
        before(info);
    } else {
        eprintln!(
            "a part of Kata Agents stopped unexpectedly at {}; a report is in crashes/",
            place(info)
        );
    }
}

fn place(info: &PanicHookInfo<'_>) -> String {
    info.location()
        .map_or_else(|| "an unknown place".into(), |at| format!("{}:{}", at.file(), at.line()))
}

fn report(info: &PanicHookInfo<'_>) {
    // Never waits: whoever panics may hold what is waited for.
    let Some(Ok(mut watcher)) = WATCHER.get().map(Mutex::try_lock) else {
        return;
    };
    let Some(watcher) = watcher.as_mut() else { return };
    let (place, now) = (place(info), watcher.clock.now());
    let lately = watcher.last.get(&place).is_some_and(|at| now.0.saturating_sub(at.0) < AGAIN);
    if lately || watcher.last.len() >= PLACES && !watcher.last.contains_key(&place) {
        return;
    }
    watcher.last.insert(place.clone(), now);
    let thread = std::thread::current();
    let panic = Panic {
        at: now,
        place: &place,
        thread: thread.name().unwrap_or("without a name"),
        task: kata_core::tasks::present(),
        backtrace: &Backtrace::force_capture().to_string(),
        log: &watcher.log.try_tail(super::reports::LINES),
    };
    if watcher.reports.panicked(&panic).is_ok() {
        PANICKED.notify_one();
    }
}
