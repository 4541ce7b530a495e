//! The board: every source with its state, and the line of health made of them.

use kata_core::EventHub;
use kata_protocol::{Fact, Health, Ms, RunState, SourceId, SourceKind, SourceSummary, Status, WireError};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// States kept per source.
const TIMELINE: usize = 50;
/// `last_activity` is told to clients at most this often per source, milliseconds.
const ACTIVITY_EVERY: u64 = 1000;

/// Every source.
pub(crate) struct Board {
    events: Arc<EventHub>,
    entries: Mutex<BTreeMap<SourceId, Entry>>,
    health: Mutex<Health>,
    /// Grows with every change of a row.
    turn: AtomicU64,
    /// Something cannot be written at present.
    trouble: AtomicBool,
    /// What the line says of a pause of all channels.
    paused: Mutex<Option<String>>,
    /// How many things wait for the person.
    waiting: AtomicU32,
}

struct Entry {
    summary: SourceSummary,
    timeline: VecDeque<Status>,
}

impl Board {
    /// An empty board.
    pub(crate) fn new(events: Arc<EventHub>) -> Self {
        Self {
            events,
            entries: Mutex::default(),
            health: Mutex::default(),
            turn: AtomicU64::new(0),
            trouble: AtomicBool::new(false),
            paused: Mutex::default(),
            waiting: AtomicU32::new(0),
        }
    }

    /// Adds a source, or changes everything but its state and timeline.
    pub(crate) fn put(&self, mut summary: SourceSummary) {
        {
            let mut entries = self.lock();
            match entries.get_mut(&summary.id) {
                Some(entry) => {
                    summary.status = entry.summary.status.clone();
                    summary.last_activity = entry.summary.last_activity;
                    if entry.summary == summary {
                        return;
                    }
                    entry.summary = summary.clone();
                }
                None => {
                    let timeline = VecDeque::from([summary.status.clone()]);
                    entries.insert(
                        summary.id.clone(),
                        Entry {
                            summary: summary.clone(),
                            timeline,
                        },
                    );
                }
            }
        }
        self.turn.fetch_add(1, Ordering::AcqRel);
        self.events.publish(Fact::SourceChanged { source: summary });
        self.refresh_health(None);
    }

    /// Takes away the sources that `keep` refuses.
    pub(crate) fn retain(&self, keep: impl Fn(&SourceSummary) -> bool) {
        self.lock().retain(|_, entry| keep(&entry.summary));
        self.turn.fetch_add(1, Ordering::AcqRel);
        self.refresh_health(None);
    }

    /// A source's state. A source that is not on the board is ignored: its plugin has just gone.
    pub(crate) fn status(&self, id: &SourceId, status: Status) {
        let changed = self.lock().get_mut(id).and_then(|entry| {
            let before = &entry.summary.status;
            if (&before.state, &before.code, &before.message) == (&status.state, &status.code, &status.message) {
                return None;
            }
            entry.summary.status = status.clone();
            entry.timeline.push_front(status);
            entry.timeline.truncate(TIMELINE);
            Some(entry.summary.clone())
        });
        if let Some(source) = changed {
            self.turn.fetch_add(1, Ordering::AcqRel);
            self.events.publish(Fact::SourceChanged { source });
            self.refresh_health(None);
        }
    }

    /// Something came in or went out.
    pub(crate) fn activity(&self, id: &SourceId, now: Ms) {
        let told = self.lock().get_mut(id).and_then(|entry| {
            let last = entry.summary.last_activity.unwrap_or_default();
            entry.summary.last_activity = Some(now);
            (now.0 >= last.0 + ACTIVITY_EVERY).then(|| entry.summary.clone())
        });
        if let Some(source) = told {
            self.events.publish(Fact::SourceChanged { source });
        }
    }

    /// Rows by kind, then name.
    pub(crate) fn list(&self) -> Vec<SourceSummary> {
        let mut rows: Vec<_> = self.lock().values().map(|e| e.summary.clone()).collect();
        rows.sort_by_cached_key(|row| (order(row.kind), row.name.to_lowercase()));
        rows
    }

    /// A row with its timeline, newest first.
    pub(crate) fn get(&self, id: &SourceId) -> Result<(SourceSummary, Vec<Status>), WireError> {
        let entries = self.lock();
        let entry = entries
            .get(id)
            .ok_or_else(|| WireError::not_found("source", id).hint("`kata sources list` shows them"))?;
        Ok((entry.summary.clone(), entry.timeline.iter().cloned().collect()))
    }

    /// Changes whenever a row has changed.
    pub(crate) fn turn(&self) -> u64 {
        self.turn.load(Ordering::Acquire)
    }

    /// Health as it is.
    pub(crate) fn health(&self) -> Health {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Something cannot be written, or can again.
    pub(crate) fn disk_trouble(&self, now: bool) {
        self.trouble.store(now, Ordering::Relaxed);
        self.refresh_health(None);
    }

    /// All channels are paused, in these words, or go on.
    pub(crate) fn paused(&self, words: Option<String>) {
        *self.paused.lock().unwrap_or_else(PoisonError::into_inner) = words;
        self.refresh_health(None);
    }

    /// So many things wait for the person.
    pub(crate) fn waiting(&self, count: u32) {
        if self.waiting.swap(count, Ordering::Relaxed) != count {
            self.refresh_health(None);
        }
    }

    /// Counts again and tells a change. `busy` is the number of sessions in a turn, where the caller knows it.
    pub(crate) fn refresh_health(&self, busy: Option<u32>) {
        let mut next = Health::default();
        let (mut channels, mut services) = (0, 0);
        for entry in self.lock().values().filter(|e| e.summary.enabled) {
            match entry.summary.status.state {
                RunState::Running => {
                    next.running += 1;
                    channels += u32::from(entry.summary.kind == SourceKind::Channel);
                    services += u32::from(entry.summary.kind == SourceKind::Service);
                }
                // Counted once: what works with a problem is a problem.
                RunState::Degraded => next.failing += 1,
                RunState::NeedsUser { .. } => next.needs_user += 1,
                RunState::Backoff { .. } | RunState::Failed { .. } | RunState::Quarantined { .. } => next.failing += 1,
                RunState::Stopped | RunState::Starting | RunState::Connecting | RunState::Stopping => {}
            }
        }
        let paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        next.paused = paused.is_some();
        next.waiting = self.waiting.load(Ordering::Relaxed);
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        next.busy_sessions = busy.unwrap_or(health.busy_sessions);
        next.line = line(&next, paused, channels, services, self.trouble.load(Ordering::Relaxed));
        if *health != next {
            *health = next.clone();
            drop(health);
            self.events.publish(Fact::HealthChanged { health: next });
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SourceId, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn order(kind: SourceKind) -> u8 {
    match kind {
        SourceKind::Channel => 0,
        SourceKind::Service => 1,
        SourceKind::Mcp => 2,
        SourceKind::Api => 3,
        SourceKind::Local => 4,
    }
}

fn line(health: &Health, paused: Option<String>, channels: u32, services: u32, trouble: bool) -> String {
    let mut parts = Vec::new();
    let running = if paused.is_some() { "connected" } else { "running" };
    parts.extend(paused);
    if trouble {
        parts.push("the disk does not take what is written".to_owned());
    }
    for (count, what, how) in [(channels, "channel", running), (services, "service", "running")] {
        if count > 0 {
            parts.push(format!("{count} {what}{} {how}", if count == 1 { "" } else { "s" }));
        }
    }
    if health.failing > 0 {
        parts.push(format!("{} with a problem", health.failing));
    }
    // Sources that need somebody are among what waits; until that was counted, they are what is known of it.
    let waiting = health.waiting.max(health.needs_user);
    if waiting > 0 {
        parts.push(format!("{waiting} need{} you", if waiting == 1 { "s" } else { "" }));
    }
    if health.busy_sessions > 0 {
        parts.push(format!("{} working", health.busy_sessions));
    }
    if parts.is_empty() { "Ready".into() } else { parts.join(" · ") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use kata_protocol::UserAction;

    fn source(id: &str, kind: SourceKind, state: RunState) -> SourceSummary {
        SourceSummary {
            id: SourceId::new(id).unwrap(),
            kind,
            name: id.into(),
            tagline: None,
            icon: None,
            workspace: None,
            plugin: None,
            enabled: true,
            status: Status::plain(state, Ms(0)),
            last_activity: None,
        }
    }

    #[test]
    fn health_says_in_one_line_what_runs_and_who_needs_a_person() {
        let board = Board::new(Arc::new(EventHub::default()));
        assert_eq!(board.health().line, "");
        board.put(source("a", SourceKind::Channel, RunState::Running));
        board.put(source(
            "b",
            SourceKind::Channel,
            RunState::NeedsUser {
                action: UserAction::Relogin,
            },
        ));
        assert_eq!(board.health().line, "1 channel running · 1 needs you");
        board.status(
            &SourceId::new("a").unwrap(),
            Status::plain(RunState::Backoff { attempt: 1, until: Ms(9) }, Ms(1)),
        );
        assert_eq!(board.health().line, "1 with a problem · 1 needs you");
        board.status(&SourceId::new("a").unwrap(), Status::plain(RunState::Degraded, Ms(2)));
        assert_eq!(board.health().line, "1 with a problem · 1 needs you");
        board.put(source("c", SourceKind::Service, RunState::Running));
        assert_eq!(board.health().line, "1 service running · 1 with a problem · 1 needs you");
    }

    #[test]
    fn a_pause_stands_first_in_the_line_and_everything_that_waits_is_counted_once() {
        let board = Board::new(Arc::new(EventHub::default()));
        board.put(source("a", SourceKind::Channel, RunState::Running));
        let action = UserAction::Relogin;
        board.put(source("b", SourceKind::Channel, RunState::NeedsUser { action }));
        board.waiting(3);
        board.paused(Some("paused until 18:30".into()));
        let health = board.health();
        assert_eq!(health.line, "paused until 18:30 · 1 channel connected · 3 need you");
        assert_eq!((health.paused, health.waiting), (true, 3));
        board.paused(None);
        assert_eq!(board.health().line, "1 channel running · 3 need you");
    }

    #[test]
    fn the_same_state_told_twice_is_one_entry() {
        let board = Board::new(Arc::new(EventHub::default()));
        let id = SourceId::new("a").unwrap();
        board.put(source("a", SourceKind::Channel, RunState::Stopped));
        for at in 1..4 {
            board.status(&id, Status::plain(RunState::Running, Ms(at)));
        }
        let (row, timeline) = board.get(&id).unwrap();
        assert_eq!((timeline.len(), row.status.since), (2, Ms(1)));
    }
}
