//! Channels and services while they run: brought up, watched, retried with a growing wait, moved to the next generation on
//! a reload, brought down.

use crate::budget::goes_on_at;
use crate::engine::{CallFault, Kind};
use crate::generation::Generation;
use crate::jobs::Jobs;
use crate::options::HostOptions;
use crate::plugin::{Plugin, lock};
use crate::ports::{Report, Reporter};
use kata_core::lifecycle::{Happening, Lifecycle};
use kata_core::ports::{Clock, Entropy, PluginBackend, PluginPart};
use kata_protocol::{Ms, RunState, UserAction};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// States one part may report within a minute; each is a fact for every client.
pub(crate) const STATES_A_MINUTE: u32 = 120;

/// Code of the state of a plugin and its channels whose program is not connected.
pub(crate) const AWAY: &str = "not_connected";

/// Code of the state of a part whose plugin has used a budget up.
pub(crate) const BUDGET: &str = "budget";

/// States reported in the present minute.
#[derive(Default)]
struct Said {
    minute: Ms,
    states: u32,
    last: Option<(Report, String, String)>,
}

/// One channel or service that a person has switched on.
pub(crate) struct Part {
    pub(crate) part: PluginPart,
    pub(crate) stop: CancellationToken,
    /// Cancelled when it was told to start for the first time.
    pub(crate) begun: CancellationToken,
    /// Cancelled when it is down.
    pub(crate) ended: CancellationToken,
    /// Set when its program is gone: what a person is told instead of a mere end.
    pub(crate) away: std::sync::OnceLock<String>,
    life: Mutex<Lifecycle>,
    /// Generation that runs it now; what others say is old news.
    on: AtomicU32,
    /// Set by the first report of a run.
    reported: std::sync::atomic::AtomicBool,
    said: Mutex<Said>,
    plugin: kata_protocol::PluginId,
    /// Planned work; of a channel it stays empty.
    pub(crate) jobs: Jobs,
    /// Whether the machine saves power.
    saving: Arc<AtomicBool>,
    /// Until when a budget is used up.
    held: watch::Sender<Option<Ms>>,
    backend: Arc<dyn PluginBackend>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// What all parts of a host share.
#[derive(Clone, Default)]
pub(crate) struct Common {
    /// Whether the machine saves power.
    pub(crate) saving: Arc<AtomicBool>,
}

/// Why one run ended.
enum Ended {
    /// Asked to.
    Stopped,
    /// A newer generation serves.
    Moved,
    /// The generation does not provide it.
    Gone,
    /// It threw.
    Fault(String),
    /// Nobody is signed in, or the provider took the account back.
    SignedOut(String),
    /// Its generation crashed.
    Crashed,
}

impl Part {
    pub(crate) fn new(
        part: PluginPart,
        plugin: &Plugin,
        backend: Arc<dyn PluginBackend>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        options: &HostOptions,
        common: &Common,
    ) -> Self {
        let life = Lifecycle::new(options.policy, clock.now());
        let service = match &part {
            PluginPart::Service(id) => id.clone(),
            _ => String::new(),
        };
        let (b, c, e) = (Arc::clone(&backend), Arc::clone(&clock), Arc::clone(&entropy));
        Self {
            part,
            stop: CancellationToken::new(),
            begun: CancellationToken::new(),
            ended: CancellationToken::new(),
            away: std::sync::OnceLock::new(),
            life: Mutex::new(life),
            on: AtomicU32::new(0),
            reported: false.into(),
            said: Mutex::default(),
            plugin: plugin.id.clone(),
            jobs: Jobs::new(plugin.id.clone(), service, b, c, e),
            saving: Arc::clone(&common.saving),
            held: watch::Sender::new(None),
            backend,
            clock,
            entropy,
        }
    }

    fn moved(&self, what: Happening, code: &str, message: &str) {
        let mut life = lock(&self.life);
        let before = life.status().clone();
        if let Ok(status) = life.apply(what, code, message, self.clock.now(), self.entropy.next_u64())
            && *status != before
        {
            self.backend.status(&self.plugin, self.part.clone(), status.clone());
        }
    }

    /// Whether that generation runs it.
    pub(crate) fn is_on(&self, generation: u32) -> bool {
        self.on.load(Ordering::Acquire) == generation
    }

    /// Whether it is up, with or without a problem.
    pub(crate) fn runs(&self) -> bool {
        matches!(self.state(), RunState::Running | RunState::Degraded)
    }

    /// A budget is used up until then.
    pub(crate) fn hold(&self, message: &str, until: Ms) {
        // Said once, however often it is asked meanwhile.
        let known = self.held.borrow().is_some_and(|before| before.0.abs_diff(until.0) < 1_000);
        if !known && self.runs() && self.on.load(Ordering::Acquire) != 0 {
            self.held.send_replace(Some(until));
            self.moved(Happening::Degraded, BUDGET, &format!("{message}; {}", goes_on_at(until)));
        }
    }

    /// Says that it goes on, whenever a budget has room again.
    async fn goes_on(&self) {
        let mut held = self.held.subscribe();
        loop {
            let until = *held.borrow_and_update();
            let Some(until) = until else {
                if held.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
                continue;
            };
            let wait = Duration::from_millis(until.0.saturating_sub(self.clock.now().0));
            tokio::select! {
                changed = held.changed() => if changed.is_err() { std::future::pending::<()>().await },
                () = self.clock.sleep(wait) => {
                    self.held.send_replace(None);
                    let still = lock(&self.life).status().code == BUDGET;
                    if still {
                        self.moved(Happening::Running, "", "");
                    }
                }
            }
        }
    }

    /// The plugin says how it stands. False the first time in a minute that it said so too often.
    pub(crate) fn said(&self, generation: u32, report: Report, code: &str, message: &str) -> bool {
        if self.on.load(Ordering::Acquire) != generation {
            return true;
        }
        {
            let (mut said, now) = (lock(&self.said), self.clock.now());
            let state = Some((report.clone(), code.to_owned(), message.to_owned()));
            if now.0.saturating_sub(said.minute.0) >= 60_000 {
                said.minute = now;
                said.states = 0;
            }
            if said.last != state {
                said.states = said.states.saturating_add(1);
                if said.states > STATES_A_MINUTE {
                    return said.states != STATES_A_MINUTE + 1;
                }
                said.last = state;
            }
        }
        self.reported.store(true, Ordering::Release);
        let what = match report {
            Report::Connecting => Happening::Connecting,
            Report::Running => Happening::Running,
            Report::Degraded => Happening::Degraded,
            Report::NeedsUser(action) => Happening::NeedsUser(action),
        };
        // A channel that mended itself after it needed a person goes on.
        if matches!(lock(&self.life).status().state, RunState::NeedsUser { .. }) && !matches!(what, Happening::NeedsUser(_)) {
            self.moved(Happening::Start, "", "");
        }
        self.moved(what, code, message);
        true
    }

    /// Runs until it is stopped. `find` gives the part's handle in a generation, or nothing when it is not in there. `failed` is
    /// told of a generation that could not bring it up, and answers whether the version before has taken over.
    pub(crate) async fn supervise(
        self: Arc<Self>,
        plugin: &Arc<Plugin>,
        find: impl Fn(&Generation) -> Option<u32> + Send + Sync,
        failed: impl Fn(&Arc<Generation>, &str) -> bool + Send + Sync,
        options: HostOptions,
    ) {
        let mut live = plugin.live.subscribe();
        let mut renewed = plugin.renewed.subscribe();
        loop {
            renewed.mark_unchanged();
            if matches!(
                self.state(),
                RunState::Stopped
                    | RunState::NeedsUser { .. }
                    | RunState::Failed { .. }
                    | RunState::Backoff { .. }
                    | RunState::Quarantined { .. }
            ) {
                self.moved(Happening::Start, "", "");
            }
            let generation = tokio::select! {
                () = self.stop.cancelled() => break,
                found = live.wait_for(|g| g.as_ref().is_some_and(|g| !g.dead.is_cancelled())) => match found {
                    Ok(found) => found.clone(),
                    Err(_) => break,
                },
            };
            let Some(generation) = generation else { continue };
            let ended = match find(&generation) {
                Some(handle) => self.run(&generation, handle, &mut live, plugin, &options).await,
                None => Ended::Gone,
            };
            self.on.store(0, Ordering::Release);
            // A version on trial that cannot bring it up is no fault of the part: the version before takes over again.
            let ended = match ended {
                // One that has come up once has proved itself: what fails then may be the platform.
                Ended::Fault(message)
                    if !self.reported.load(Ordering::Acquire) && failed(&generation, &format!("{}: {message}", self.name())) =>
                {
                    Ended::Moved
                }
                Ended::Gone if failed(&generation, &format!("{} is gone", self.name())) => Ended::Moved,
                Ended::Crashed if failed(&generation, "it ended over a limit") || plugin.moved_on(generation.number) => Ended::Moved,
                other => other,
            };
            // What the version before waited for a person with may be what the person has given: the new one begins afresh.
            let moved = matches!(ended, Ended::Moved);
            match ended {
                Ended::Stopped => break,
                Ended::Moved => self.moved(Happening::Connecting, "reload", "moving to another version of the plugin"),
                Ended::Gone => self.moved(Happening::Broken { recoverable: true }, "gone", "the plugin no longer provides it"),
                Ended::Crashed => self.moved(Happening::Fault, "plugin_restart", "the plugin is being restarted"),
                Ended::Fault(message) => self.moved(Happening::Fault, "failed", &message),
                Ended::SignedOut(message) => self.moved(Happening::NeedsUser(UserAction::Relogin), "relogin", &message),
            }
            let stays = !moved && matches!(self.state(), RunState::NeedsUser { .. } | RunState::Failed { .. });
            if stays {
                // A person or a new version has to come first.
                tokio::select! {
                    () = self.stop.cancelled() => break,
                    changed = live.changed() => if changed.is_err() { break },
                }
            } else if !self.wait_until_due(&mut renewed).await {
                break;
            }
        }
        match self.away.get() {
            Some(words) => {
                // Whatever it waited for, it is there no more.
                self.moved(Happening::Start, "", "");
                self.moved(Happening::Broken { recoverable: true }, AWAY, words);
            }
            None => {
                self.moved(Happening::Stop, "", "");
                self.moved(Happening::Ended, "", "");
            }
        }
        self.ended.cancel();
    }

    /// Waits out a backoff or quarantine, or until there is a new version, whose past is another; false when it was stopped
    /// meanwhile.
    async fn wait_until_due(&self, renewed: &mut tokio::sync::watch::Receiver<u32>) -> bool {
        loop {
            let due = lock(&self.life).due();
            let Some(until) = due else { return !self.stop.is_cancelled() };
            let wait = until.0.saturating_sub(self.clock.now().0);
            if wait == 0 {
                self.moved(Happening::Due, "", "");
                return !self.stop.is_cancelled();
            }
            tokio::select! {
                () = self.stop.cancelled() => return false,
                () = self.clock.sleep(Duration::from_millis(wait)) => {}
                changed = renewed.changed() => return changed.is_ok(),
            }
        }
    }

    async fn run(
        &self,
        generation: &Arc<Generation>,
        handle: u32,
        live: &mut tokio::sync::watch::Receiver<Option<Arc<Generation>>>,
        plugin: &Plugin,
        options: &HostOptions,
    ) -> Ended {
        let (up, down) = match self.part {
            PluginPart::Channel(_) => (Kind::Connect, Kind::Disconnect),
            _ => (Kind::Start, Kind::Stop),
        };
        self.on.store(generation.number, Ordering::Release);
        self.reported.store(false, Ordering::Release);
        self.held.send_replace(None);
        self.moved(Happening::Connecting, "", "");
        let is_service = matches!(self.part, PluginPart::Service(_));
        if is_service {
            self.jobs.open(self.saving.load(Ordering::Acquire)).await;
        }
        let mut call = match generation.open(up, handle) {
            Ok(call) => call,
            Err(fault) => {
                self.jobs.close().await;
                return Ended::Fault(fault.to_string());
            }
        };
        self.begun.cancel();
        let mut open = true;
        let ended = {
            let replaced = live.wait_for(|g| g.as_ref().is_some_and(|g| g.number != generation.number));
            let over = |wait: Duration| plugin.over_budget(&plugin.budget.no_wakeups(), wait);
            let jobs = self.jobs.drive(generation, handle, &plugin.budget, options.job_timeout, over);
            let goes_on = self.goes_on();
            tokio::pin!(replaced, jobs, goes_on);
            loop {
                tokio::select! {
                    biased;
                    () = self.stop.cancelled() => break Ended::Stopped,
                    _ = &mut replaced => break Ended::Moved,
                    () = generation.dead.cancelled() => break Ended::Crashed,
                    fault = &mut jobs, if is_service => {
                        let fault = CallFault::BadResult(fault);
                        crate::registry::report(plugin, &self.name(), &fault);
                        break Ended::Fault(fault.to_string());
                    }
                    () = &mut goes_on => {}
                    result = call.ended(), if open => match result {
                        Ok(()) => {
                            open = false;
                            if !self.reported.load(Ordering::Acquire) {
                                self.moved(Happening::Running, "", "");
                            }
                        }
                        Err(CallFault::Ended(_)) => break Ended::Crashed,
                        // What `ctx.oauth.token` rejects with: trying again changes nothing.
                        Err(CallFault::Threw(_, thrown)) if thrown.code.as_deref() == Some("needs_user") => {
                            open = false;
                            break Ended::SignedOut(thrown.message);
                        }
                        Err(fault) => {
                            open = false;
                            crate::registry::report(plugin, &self.name(), &fault);
                            break Ended::Fault(fault.to_string());
                        }
                    },
                }
            }
        };
        self.jobs.close().await;
        if !matches!(ended, Ended::Crashed) {
            call.leave();
            if open {
                // Its signal is aborted; it gets a moment to leave in order.
                tokio::select! {
                    answer = call.ended() => if matches!(answer, Err(CallFault::NotStarted(_))) {
                        return ended;
                    },
                    () = self.clock.sleep(options.stop_timeout) => {}
                }
            }
            if let Err(fault) = generation.call(down, handle, None, Some(options.stop_timeout), None).await {
                crate::registry::report(plugin, &self.name(), &fault);
            }
        }
        ended
    }

    /// In words.
    pub(crate) fn name(&self) -> String {
        match &self.part {
            PluginPart::Plugin => "plugin".into(),
            PluginPart::Channel(id) => format!("channel {id}"),
            PluginPart::Service(id) => format!("service {id}"),
        }
    }

    /// Where it stands.
    pub(crate) fn state(&self) -> RunState {
        lock(&self.life).status().state.clone()
    }
}
