//! The planned work of one service while it runs: waits for what is due, calls it, keeps when it ran last.
//!
//! What is due is `kata_core::planner`'s; time comes from the clock port, and whoever notices that the clock jumped says
//! [`Jobs::look_again`]. Deliberately absent: what a failed service comes to (`parts`).

use crate::budget::Budget;
use crate::engine::{CallFault, Kind};
use crate::generation::Generation;
use crate::plugin::lock;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use kata_core::planner::{Due, Kept, Planner, Unfit};
use kata_core::ports::{Clock, Entropy, PluginBackend};
use kata_protocol::{Json, Ms, PluginId, SourceJob};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// Keys of a plugin's state that begin like this are the host's own.
pub(crate) const HOST_KEY: &str = "host:";
/// When intervals ran last is kept this often at most, milliseconds.
const KEEP_EVERY: u64 = 30_000;
/// After a run that came to nothing, milliseconds.
const AGAIN: u64 = 5_000;

/// The jobs of a service.
pub(crate) struct Jobs {
    plugin: PluginId,
    service: String,
    backend: Arc<dyn PluginBackend>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// `None` while the service does not run.
    planner: Mutex<Option<Planner>>,
    /// What is kept, and since when.
    written: Mutex<(BTreeMap<String, Kept>, Ms)>,
    changed: Notify,
}

/// Why work is not planned; for the plugin's author.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unplanned {
    #[error("schedule: the service has ended")]
    Ended,
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

/// What a run came to.
enum Ran {
    Done,
    Failed(String),
    /// It never began, or the plugin ended.
    Nothing,
}

impl Jobs {
    pub(crate) fn new(
        plugin: PluginId,
        service: String,
        backend: Arc<dyn PluginBackend>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self {
            plugin,
            service,
            backend,
            clock,
            entropy,
            planner: Mutex::default(),
            written: Mutex::new((BTreeMap::new(), Ms(0))),
            changed: Notify::new(),
        }
    }

    fn key(&self) -> String {
        format!("{HOST_KEY}jobs:{}", self.service)
    }

    /// The service is about to start: it may plan from now on.
    pub(crate) async fn open(&self, saving: bool) {
        let kept = match self.backend.state_get(&self.plugin, &self.key()).await {
            Ok(kept) => kept.and_then(|json| serde_json::from_value(json.0).ok()).unwrap_or_default(),
            Err(error) => {
                let words = format!("service {}: when its jobs ran last cannot be read: {}", self.service, error.message);
                self.backend.log(&self.plugin, "warn", &words);
                BTreeMap::new()
            }
        };
        let (now, zone) = (self.clock.now(), self.clock.time_zone());
        let mut planner = Planner::new(BTreeMap::clone(&kept), zone.as_deref(), self.clock.utc_offset_s(now), now);
        planner.save_power(saving, now);
        *lock(&self.written) = (kept, now);
        *lock(&self.planner) = Some(planner);
    }

    /// The service has ended, and its jobs with it; what is to be kept of them is.
    pub(crate) async fn close(&self) {
        self.keep(true).await;
        lock(&self.planner).take();
    }

    /// Plans one.
    pub(crate) fn schedule(&self, json: &str) -> Result<(), Unplanned> {
        let random = self.entropy.next_u64();
        let planned = self.with(|planner, now| planner.schedule(json, now, random));
        Ok(planned.ok_or(Unplanned::Ended)??)
    }

    pub(crate) fn unschedule(&self, id: &str) {
        self.with(|planner, _| planner.unschedule(id));
    }

    /// Somebody needs the service.
    pub(crate) fn busy(&self) {
        self.with(Planner::busy);
    }

    pub(crate) fn save_power(&self, saving: bool) {
        self.with(|planner, now| planner.save_power(saving, now));
    }

    /// The clock is not where it should be: the machine slept, or somebody set it.
    pub(crate) fn look_again(&self) {
        self.changed.notify_one();
    }

    pub(crate) fn shown(&self) -> Vec<SourceJob> {
        lock(&self.planner).as_ref().map(Planner::shown).unwrap_or_default()
    }

    fn with<T>(&self, change: impl FnOnce(&mut Planner, Ms) -> T) -> Option<T> {
        let changed = lock(&self.planner).as_mut().map(|planner| change(planner, self.clock.now()));
        self.changed.notify_one();
        changed
    }

    /// Runs what is due, until a job has failed too often; answers with its words then. `over` is told when the budget of wake-ups
    /// is used up, and how long for.
    pub(crate) async fn drive(
        &self,
        generation: &Arc<Generation>,
        handle: u32,
        budget: &Budget,
        limit: Duration,
        over: impl Fn(Duration) + Send + Sync,
    ) -> String {
        let mut runs = FuturesUnordered::new();
        loop {
            let mut held = budget.held();
            let due = match held {
                None => self.with_quietly(|planner, now| planner.due(now)).unwrap_or_default(),
                Some(_) => Vec::new(),
            };
            for run in due {
                held = budget.held();
                if let Some(wait) = held {
                    let until = later(self.clock.now(), wait);
                    self.with_quietly(|planner, _| planner.put_off(&run, until));
                    continue;
                }
                budget.wakeup();
                runs.push(self.run(generation, handle, run, limit));
            }
            let now = self.clock.now();
            let next = self.with_quietly(|planner, _| planner.next()).flatten();
            let wait = next.map(|next| Duration::from_millis(next.0.saturating_sub(now.0)).max(held.unwrap_or_default()));
            if let Some(held) = held
                && next.is_some_and(|next| next.0 <= later(now, held).0)
            {
                over(held);
            }
            tokio::select! {
                () = self.changed.notified() => {}
                () = self.clock.sleep(wait.unwrap_or_default()), if wait.is_some() => {}
                Some((run, ran)) = runs.next() => {
                    let fault = self.with_quietly(|planner, now| match ran {
                        Ran::Done => planner.ended(&run, None, now),
                        Ran::Failed(error) => planner.ended(&run, Some(error), now),
                        Ran::Nothing => {
                            planner.put_off(&run, Ms(now.0 + AGAIN));
                            None
                        }
                    });
                    if let Some(fault) = fault.flatten() {
                        return fault;
                    }
                }
            }
            self.keep(false).await;
        }
    }

    /// As [`Self::with`], from within [`Self::drive`], which looks anyway.
    fn with_quietly<T>(&self, change: impl FnOnce(&mut Planner, Ms) -> T) -> Option<T> {
        lock(&self.planner).as_mut().map(|planner| change(planner, self.clock.now()))
    }

    async fn run(&self, generation: &Arc<Generation>, handle: u32, run: Due, limit: Duration) -> (Due, Ran) {
        let payload: Arc<str> = serde_json::json!([run.id, run.due.0]).to_string().into();
        let called = generation.call(Kind::Job, handle, Some(payload), Some(limit), None).await;
        let ran = match called {
            Ok(_) => Ran::Done,
            Err(CallFault::Ended(_) | CallFault::NotStarted(_) | CallFault::Cancelled) => Ran::Nothing,
            Err(fault) => {
                let words = format!("service {}: job “{}”: {fault}", self.service, run.id);
                self.backend.log(&self.plugin, "warn", &words);
                Ran::Failed(match fault {
                    CallFault::Threw(_, thrown) => format!("{}: {}", thrown.name, thrown.message),
                    fault => fault.to_string(),
                })
            }
        };
        (run, ran)
    }

    /// Keeps what has changed: single times and times of the clock at once, intervals not too often.
    async fn keep(&self, all: bool) {
        let now = self.clock.now();
        let kept = {
            let planner = lock(&self.planner);
            let Some(planner) = planner.as_ref() else { return };
            let (kept, written) = (planner.kept(), lock(&self.written));
            let soon = all || now.0.saturating_sub(written.1.0) >= KEEP_EVERY;
            let differs = |(id, job): (&String, &Kept)| written.0.get(id) != Some(job) && (soon || !planner.is_interval(id));
            if !kept.iter().any(differs) && (!soon || kept.len() == written.0.len()) {
                return;
            }
            kept.clone()
        };
        let json = serde_json::to_value(&kept).map(Json).ok();
        *lock(&self.written) = (kept, now);
        if let Err(error) = self.backend.state_set(&self.plugin, &self.key(), json).await {
            let words = format!("service {}: when its jobs ran is not kept: {}", self.service, error.message);
            self.backend.log(&self.plugin, "warn", &words);
        }
    }
}

fn later(now: Ms, wait: Duration) -> Ms {
    Ms(now.0.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
}
