//! What the host remembers of one plugin over all its generations: state, faults, what it was activated with.

use crate::budget::{Budget, Limits};
use crate::discover::Candidate;
use crate::far::{Breaker, is_blamed};
use crate::faults::FaultLog;
use crate::generation::Generation;
use crate::jobs::Unplanned;
use crate::network::NetworkPolicy;
use crate::options::HostOptions;
use crate::pace::Pace;
use crate::parts::{Part, STATES_A_MINUTE};
use crate::ports::{Report, Reporter};
use crate::reserve::Reserve;
use crate::share::Share;
use crate::standing::Standing;
use kata_core::lifecycle::{Happening, Lifecycle};
use kata_core::ports::{Clock, Entropy, PluginBackend, PluginPart};
use kata_protocol::{ExternalClient, Ms, PluginFault, PluginId, SourcePosition};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::watch;

/// Threads of one plugin that may be stuck in native code before it is not loaded again: each keeps its memory.
const MOST_STUCK: usize = 3;

/// What a plugin was activated with; a restart uses it again.
#[derive(Clone)]
pub(crate) struct Activation {
    pub(crate) candidate: Candidate,
    pub(crate) settings: serde_json::Value,
    pub(crate) granted: Vec<String>,
    pub(crate) network: NetworkPolicy,
}

/// One plugin.
pub(crate) struct Plugin {
    pub(crate) id: PluginId,
    backend: Arc<dyn PluginBackend>,
    pub(crate) clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    life: Mutex<Lifecycle>,
    faults: Mutex<FaultLog>,
    generations: AtomicU32,
    /// Restarts after a fault.
    pub(crate) restarts: AtomicU32,
    /// What its own work may take.
    pub(crate) share: Arc<Share>,
    /// The pace of its requests.
    pub(crate) pace: Arc<Pace>,
    /// What its manifest lets it use.
    pub(crate) budget: Arc<Budget>,
    /// Generations whose threads were given up.
    stuck: Mutex<Vec<Arc<Generation>>>,
    /// Counts activations by a person or by an edit: what waits out a fault of an earlier version need not go on waiting.
    pub(crate) renewed: watch::Sender<u32>,
    /// The generation that serves; `None` while there is none.
    pub(crate) live: watch::Sender<Option<Arc<Generation>>>,
    /// `None` once deactivated: nothing restarts it then.
    pub(crate) activation: Mutex<Option<Activation>>,
    pub(crate) parts: Mutex<HashMap<PluginPart, Arc<Part>>>,
    /// The version before, for as long as the one that serves is on trial.
    pub(crate) reserve: Mutex<Option<Reserve>>,
    /// Held while the version before is put back.
    pub(crate) rolling_back: Mutex<()>,
    /// What its generations may do, those that are being drained included.
    pub(crate) standings: Mutex<Vec<Weak<Standing>>>,
    /// One activation, restart or deactivation at a time.
    pub(crate) turn: tokio::sync::Mutex<()>,
    /// The connection its program came by, while it is there.
    pub(crate) client: Mutex<Option<ExternalClient>>,
    /// Holds its program back when it does not answer as it should.
    pub(crate) breaker: Breaker,
    /// Channels of a program that is gone, which are being brought down.
    pub(crate) leaving: Mutex<Vec<Arc<Part>>>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Plugin {
    pub(crate) fn new(
        id: PluginId,
        backend: Arc<dyn PluginBackend>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        options: &HostOptions,
    ) -> Self {
        let life = Lifecycle::new(options.policy, clock.now());
        let budget = Budget::new(id.clone(), Arc::clone(&backend), Arc::clone(&clock), Limits::of(options));
        let budget = Arc::new(budget);
        Self {
            id,
            backend,
            clock,
            entropy,
            life: Mutex::new(life),
            faults: Mutex::default(),
            generations: AtomicU32::new(0),
            restarts: AtomicU32::new(0),
            share: Arc::default(),
            pace: Arc::new(Pace::new(options.requests_per_second, options.request_burst)),
            budget,
            stuck: Mutex::default(),
            renewed: watch::Sender::new(0),
            live: watch::Sender::new(None),
            activation: Mutex::new(None),
            parts: Mutex::default(),
            reserve: Mutex::default(),
            rolling_back: Mutex::default(),
            standings: Mutex::default(),
            turn: tokio::sync::Mutex::new(()),
            client: Mutex::default(),
            breaker: Breaker::new(options.policy),
            leaving: Mutex::default(),
        }
    }

    pub(crate) fn next_generation(&self) -> u32 {
        self.generations.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Number of the generation that serves, or of the last that did.
    pub(crate) fn generation(&self) -> u32 {
        self.live
            .borrow()
            .as_ref()
            .map_or_else(|| self.generations.load(Ordering::Acquire), |g| g.number)
    }

    pub(crate) fn faults(&self) -> Vec<PluginFault> {
        lock(&self.faults).newest()
    }

    /// The connection its program came by, while it is there.
    pub(crate) fn client(&self) -> Option<ExternalClient> {
        lock(&self.client).clone()
    }

    /// Remembers a thread that was given up.
    pub(crate) fn gave_up(&self, generation: &Arc<Generation>) {
        lock(&self.stuck).push(Arc::clone(generation));
    }

    /// Threads that were given up and still run.
    pub(crate) fn lingering(&self) -> usize {
        let mut stuck = lock(&self.stuck);
        stuck.retain(|g| g.lingers());
        stuck.len()
    }

    /// Whether so many threads are stuck that another one is not begun.
    pub(crate) fn worn_out(&self) -> bool {
        self.lingering() >= MOST_STUCK
    }

    /// Whether another generation serves than this one.
    pub(crate) fn moved_on(&self, generation: u32) -> bool {
        self.live.borrow().as_ref().is_some_and(|g| g.number != generation)
    }

    /// Moves the plugin's own state and tells the engine.
    pub(crate) fn moved(&self, what: Happening, code: &str, message: &str) {
        let mut life = lock(&self.life);
        if let Ok(status) = life.apply(what, code, message, self.clock.now(), self.entropy.next_u64()) {
            self.backend.status(&self.id, PluginPart::Plugin, status.clone());
        }
    }

    /// Remembers what a new generation may do.
    pub(crate) fn stands(&self, standing: Standing) -> Arc<Standing> {
        let standing = Arc::new(standing);
        let mut all = lock(&self.standings);
        all.retain(|s| s.strong_count() > 0);
        all.push(Arc::downgrade(&standing));
        standing
    }

    /// When it tries again, if it does.
    pub(crate) fn due(&self) -> Option<Ms> {
        lock(&self.life).due()
    }
}

impl Reporter for Plugin {
    fn fault_at(&self, kind: &str, message: String, position: Option<SourcePosition>) {
        let fault = PluginFault {
            at: self.clock.now(),
            kind: kind.to_owned(),
            message,
            position,
        };
        let told = lock(&self.faults).note(fault, self.generations.load(Ordering::Acquire));
        if let Some(fault) = told {
            self.backend.fault(&self.id, fault);
        }
        if is_blamed(kind) && self.client().is_some() {
            self.breaker.blame(self);
        }
    }

    fn part(&self, generation: u32, part: PluginPart, report: Report, code: &str, message: &str) {
        let known = lock(&self.parts).get(&part).cloned();
        if let Some(known) = known
            && !known.said(generation, report, code, message)
        {
            self.fault(
                "flood",
                format!(
                    "{}: more than {STATES_A_MINUTE} states within a minute; the rest are dropped",
                    known.name()
                ),
            );
        }
    }

    fn schedule(&self, generation: u32, service: &str, json: &str) -> Result<(), Unplanned> {
        match self.service(service).filter(|part| part.is_on(generation)) {
            Some(part) => part.jobs.schedule(json),
            None => Err(Unplanned::Ended),
        }
    }

    fn unschedule(&self, generation: u32, service: &str, id: &str) {
        if let Some(part) = self.service(service).filter(|part| part.is_on(generation)) {
            part.jobs.unschedule(id);
        }
    }

    fn busy(&self, service: Option<&str>) {
        for part in self.parts_now() {
            match &part.part {
                PluginPart::Service(id) if service.is_none_or(|wanted| wanted == id) => part.jobs.busy(),
                _ => {}
            }
        }
    }

    fn over_budget(&self, message: &str, wait: Duration) {
        let until = self
            .clock
            .now()
            .0
            .saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        for part in self.parts_now() {
            part.hold(message, Ms(until));
        }
    }
}

impl Plugin {
    fn service(&self, id: &str) -> Option<Arc<Part>> {
        lock(&self.parts).get(&PluginPart::Service(id.to_owned())).cloned()
    }

    /// Its channels and services that are switched on.
    pub(crate) fn parts_now(&self) -> Vec<Arc<Part>> {
        lock(&self.parts).values().cloned().collect()
    }
}
