//! Updates of the program: looked for, fetched, verified, and handed over to be put in, by rules the person has set.
//!
//! [`rules`] decides what is next, [`shelf`] keeps what outlives the process, [`fault`] has the words for what goes wrong. What
//! speaks to a server and knows packages is an [`Updater`], which the shell brings; without one (`kata serve`, tests) the state
//! says why nothing updates itself. Deliberately absent: the swap itself, the restart and the way back; the engine is down then.

mod fault;
mod rules;
mod shelf;
#[cfg(test)]
mod tests;

pub use fault::UpdateFault;
pub use rules::UpdateSettings;
pub use shelf::{AtStart, Pending, STARTS, Shelf};

use crate::attention;
use crate::engine::Inner;
use crate::settings::SettingsFile;
use async_trait::async_trait;
use kata_core::EventHub;
use kata_core::ports::Clock;
use kata_core::quiet::Quiet;
use kata_protocol::{
    Attention, Count, ErrorCode, Fact, Ms, Notice, UpdateChannel, UpdateInstall, UpdateOffer, UpdateRules, UpdateStage, UpdateState,
    WireError,
};
use rules::{Facts, Next};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Before the first look of a start.
const FIRST_LOOK: Duration = Duration::from_secs(120);
/// Notice that an update was undone.
const UNDONE: &str = "update-undone";
/// How long that is told.
const TOLD_FOR: Duration = Duration::from_secs(3 * 24 * 3600);

/// A version that a server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Version.
    pub version: String,
    /// Notes, Markdown.
    pub notes: Option<String>,
    /// When it was published.
    pub published_at: Option<Ms>,
}

/// Told how far a download is: bytes so far, and of how many.
pub type Progress<'a> = &'a (dyn Fn(u64, Option<u64>) + Send + Sync);

/// What speaks to the server and knows how this program was installed.
#[async_trait]
pub trait Updater: Send + Sync + 'static {
    /// Version that runs.
    fn version(&self) -> String;
    /// Why this program cannot update itself.
    fn unavailable(&self) -> Option<String>;
    /// Asks for a newer version than the one that runs.
    async fn look(&self, channel: UpdateChannel, server: Option<&str>) -> Result<Option<Release>, UpdateFault>;
    /// Fetches the package of what was last found, verifies it, and keeps it. Nothing to do where it is kept already.
    async fn fetch(&self, version: &str, progress: Progress<'_>) -> Result<(), UpdateFault>;
    /// Why a person has to be there when it is put in.
    async fn asks(&self) -> Option<String>;
    /// Makes sure that there is a way back, and begins to put it in: drains the engine, swaps, starts again. Returns when the drain
    /// begins; how it ended stands on the [`Shelf`].
    async fn put_in(&self, version: &str) -> Result<(), UpdateFault>;
}

/// What goes on in the engine meanwhile.
pub(crate) struct Ground {
    /// Sessions in the middle of a turn.
    pub busy: Box<dyn Fn() -> u32 + Send + Sync>,
    /// The engine ends.
    pub stopping: CancellationToken,
}

impl Ground {
    fn of(inner: &Arc<Inner>) -> Self {
        let sessions = Arc::clone(&inner.sessions);
        Self {
            busy: Box::new(move || sessions.busy()),
            stopping: inner.tasks.stopping(),
        }
    }
}

/// Everything about updates.
pub(crate) struct Updates {
    clock: Arc<dyn Clock>,
    events: Arc<EventHub>,
    settings: Arc<SettingsFile>,
    shelf: Shelf,
    updater: OnceLock<Arc<dyn Updater>>,
    now: Mutex<Now>,
    kick: Notify,
    /// One piece of work at a time.
    work: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Now {
    stage: UpdateStage,
    looked: Option<(Ms, bool)>,
    release: Option<Release>,
    /// When that was first seen.
    found: Option<Ms>,
    bytes: Option<u64>,
    fetched: bool,
    asks: Option<String>,
    /// Version a person wants now.
    wanted: Option<String>,
}

impl Updates {
    pub(crate) fn new(clock: Arc<dyn Clock>, events: Arc<EventHub>, settings: Arc<SettingsFile>, shelf: Shelf) -> Self {
        Self {
            clock,
            events,
            settings,
            shelf,
            updater: OnceLock::new(),
            now: Mutex::new(Now {
                stage: UpdateStage::Idle {},
                looked: None,
                release: None,
                found: None,
                bytes: None,
                fetched: false,
                asks: None,
                wanted: None,
            }),
            kick: Notify::new(),
            work: tokio::sync::Mutex::default(),
        }
    }

    /// Brings what can update this program; the first word counts.
    pub(crate) fn join(&self, updater: Arc<dyn Updater>) {
        let _ = self.updater.set(updater);
        self.tell();
    }

    /// How the last update ended has changed on the shelf.
    pub(crate) fn tell(&self) {
        self.events.publish(Fact::UpdateChanged {});
    }

    /// What a start tells of an update that did not work.
    pub(crate) fn notice(&self, now: Ms) -> Option<Notice> {
        let last = self.shelf.last()?;
        let fresh = u128::from(now.0.saturating_sub(last.at.0)) < TOLD_FOR.as_millis();
        (!last.ok && fresh).then(|| Notice {
            id: UNDONE.into(),
            at: last.at,
            message: last.message,
            hint: Some("Settings → Updates has what there is to know; a version that did not work is not tried again by itself.".into()),
        })
    }

    /// Version that runs.
    pub(crate) fn version(&self) -> String {
        let updater = self.updater.get();
        updater.map_or_else(|| env!("CARGO_PKG_VERSION").into(), |updater| updater.version())
    }

    pub(crate) fn state(&self) -> UpdateState {
        let now = self.now().clone();
        let settings = self.settings.get();
        let dismissed = settings.updates.dismissed.clone();
        let updater = self.updater.get();
        UpdateState {
            current: self.version(),
            rules: settings.updates.rules(),
            unavailable: match updater {
                Some(updater) => updater.unavailable(),
                None => Some("The engine without a window does not update itself: update the package, or run the app once.".into()),
            },
            checked_at: now.looked.map(|(at, _)| at),
            offer: now.release.map(|release| UpdateOffer {
                dismissed: dismissed.as_ref() == Some(&release.version),
                version: release.version,
                notes: release.notes,
                published_at: release.published_at,
                bytes: now.bytes.map(Count),
            }),
            stage: now.stage,
            last: self.shelf.last(),
        }
    }

    /// An offer that waits for the person: nothing puts it in by itself, or somebody has to be there. One that was undone is told by
    /// [`Self::notice`].
    pub(crate) fn waits(&self) -> Option<Attention> {
        let state = self.state();
        let Now { found, asks, .. } = self.now().clone();
        let offer = state.offer.filter(|offer| state.unavailable.is_none() && !offer.dismissed)?;
        if state.rules.automatic && asks.is_none() || state.last.is_some_and(|last| !last.ok && last.version == offer.version) {
            return None;
        }
        let detail = match state.stage {
            UpdateStage::Failed { message } => message,
            UpdateStage::Idle {} | UpdateStage::Ready { .. } => asks.unwrap_or_else(|| format!("{} runs now", state.current)),
            UpdateStage::Checking {} | UpdateStage::Downloading { .. } | UpdateStage::Draining { .. } | UpdateStage::Installing {} => {
                return None;
            }
        };
        Some(Attention {
            detail: Some(detail),
            actions: vec![attention::action("install", "Put in"), attention::action("dismiss", "Put off")],
            ..attention::entry(
                "update",
                &offer.version,
                format!("Version {} of Kata Agents can be put in", offer.version),
                found.unwrap_or_default(),
                "/settings/updates".into(),
            )
        })
    }

    /// Looks now.
    pub(crate) async fn check(&self) -> Result<UpdateState, WireError> {
        let updater = self.able()?;
        let _work = self.work.try_lock().map_err(|_| self.at_work())?;
        self.look(&*updater).await?;
        self.kick.notify_one();
        Ok(self.state())
    }

    /// Fetches what the person saw, if need be, and puts it in. Answers when that is on its way.
    pub(crate) fn install(&self, params: &UpdateInstall) -> Result<UpdateState, WireError> {
        self.able()?;
        let version = self.offered(params)?;
        let _work = self.work.try_lock().map_err(|_| self.at_work())?;
        let fetched = {
            let mut now = self.now();
            now.wanted = Some(version);
            now.fetched
        };
        if !fetched {
            self.stage(UpdateStage::Downloading {
                done: Count(0),
                total: None,
            });
        }
        self.kick.notify_one();
        Ok(self.state())
    }

    /// Puts an offer off: it is not shown and not put in by itself.
    pub(crate) fn dismiss(&self, params: &UpdateInstall) -> Result<UpdateState, WireError> {
        let version = self.offered(params)?;
        self.settings.change(|settings| settings.updates.dismissed = Some(version))?;
        self.tell();
        Ok(self.state())
    }

    /// Sets rules.
    pub(crate) fn configure(&self, rules: &UpdateRules) -> Result<UpdateState, WireError> {
        if let Some(hours) = &rules.quiet_hours {
            Quiet::new(hours).map_err(|e| WireError::invalid(e.to_string()))?;
        }
        let before = self.settings.get().updates.rules();
        self.settings.change(|settings| settings.updates.take(rules))?;
        if before.channel != rules.channel || !before.automatic && rules.automatic {
            // Another list of versions, or a wish to be kept up to date: what was seen counts no longer.
            let mut now = self.now();
            now.looked = None;
            if before.channel != rules.channel && !self.is_at_work(&now) {
                (now.release, now.fetched, now.bytes, now.stage) = (None, false, None, UpdateStage::Idle {});
            }
        }
        self.kick.notify_one();
        self.tell();
        Ok(self.state())
    }

    /// Does what the rules say until the engine ends.
    pub(crate) async fn run(inner: Arc<Inner>) {
        inner.updates.go_on(&Ground::of(&inner)).await;
    }

    async fn go_on(&self, ground: &Ground) {
        let mut rest = FIRST_LOOK;
        loop {
            tokio::select! {
                biased;
                () = ground.stopping.cancelled() => return,
                () = self.kick.notified() => {}
                () = self.clock.sleep(rest) => {}
            }
            rest = match self.updater.get().filter(|updater| updater.unavailable().is_none()) {
                Some(updater) => self.step(ground, &**updater).await,
                None => rules::LOOK_EVERY,
            };
        }
    }

    /// Goes on as far as it goes now; answers when to look again.
    async fn step(&self, ground: &Ground, updater: &dyn Updater) -> Duration {
        let Ok(_work) = self.work.try_lock() else {
            return rules::ASK_EVERY;
        };
        let wanted = self.now().wanted.take();
        if let Some(version) = wanted {
            if self.fetch(updater, &version).await.is_ok() {
                self.hand_over(ground, updater, &version).await;
            }
            return rules::ASK_EVERY;
        }
        loop {
            match self.next((ground.busy)()) {
                Next::Look => drop(self.look(updater).await),
                Next::Fetch => {
                    let version = self.now().release.as_ref().map(|r| r.version.clone()).unwrap_or_default();
                    drop(self.fetch(updater, &version).await);
                }
                Next::PutIn => {
                    let version = self.now().release.as_ref().map(|r| r.version.clone()).unwrap_or_default();
                    self.hand_over(ground, updater, &version).await;
                    return rules::LOOK_EVERY;
                }
                Next::Wait(waits_for) => {
                    self.stage(UpdateStage::Ready { waits_for });
                    return rules::ASK_EVERY;
                }
                Next::Rest(time) => return time,
            }
        }
    }

    fn next(&self, busy: u32) -> Next {
        let settings = self.settings.get();
        let rules = settings.updates.rules();
        let now = self.now().clone();
        let version = now.release.as_ref().map(|release| release.version.as_str());
        let last = self.shelf.last().filter(|last| !last.ok);
        rules::next(&Facts {
            rules: &rules,
            stage: &now.stage,
            looked: now.looked,
            offer: version.filter(|version| settings.updates.dismissed.as_deref() != Some(version)),
            fetched: now.fetched,
            failed: last.as_ref().map(|last| last.version.as_str()),
            asks: now.asks.as_deref(),
            busy,
            now: self.clock.now(),
            offset_s: self.clock.utc_offset_s(self.clock.now()),
        })
    }

    async fn look(&self, updater: &dyn Updater) -> Result<(), UpdateFault> {
        let settings = self.settings.get();
        self.stage(UpdateStage::Checking {});
        let found = updater
            .look(settings.updates.rules().channel, settings.updates.server.as_deref())
            .await;
        let asks = updater.asks().await;
        let (stage, outcome) = {
            let mut now = self.now();
            now.looked = Some((self.clock.now(), found.is_ok()));
            now.asks = asks;
            match found {
                Ok(release) => {
                    if release.as_ref().map(|r| &r.version) != now.release.as_ref().map(|r| &r.version) {
                        (now.fetched, now.bytes) = (false, None);
                        now.found = release.is_some().then(|| self.clock.now());
                    }
                    now.release = release;
                    (UpdateStage::Idle {}, Ok(()))
                }
                Err(fault) => (UpdateStage::Failed { message: fault.words() }, Err(fault)),
            }
        };
        if let Err(fault) = &outcome {
            tracing::warn!(%fault, "no update was found");
        }
        self.stage(stage);
        outcome
    }

    async fn fetch(&self, updater: &dyn Updater, version: &str) -> Result<(), UpdateFault> {
        if self.now().fetched {
            return Ok(());
        }
        self.stage(UpdateStage::Downloading {
            done: Count(0),
            total: None,
        });
        let told = Mutex::new(0);
        let progress = |done: u64, total: Option<u64>| {
            let percent = total.filter(|total| *total > 0).map_or(done >> 20, |total| done * 100 / total);
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            // A download of megabytes comes in thousands of pieces; a person sees hundreds.
            if *told != percent {
                *told = percent;
                self.stage(UpdateStage::Downloading {
                    done: Count(done),
                    total: total.map(Count),
                });
            }
        };
        let outcome = updater.fetch(version, &progress).await;
        match &outcome {
            Ok(()) => {
                let mut now = self.now();
                if let UpdateStage::Downloading { done, .. } = now.stage {
                    now.bytes = Some(done.0).filter(|bytes| *bytes > 0);
                }
                now.fetched = true;
                drop(now);
                self.stage(UpdateStage::Ready {
                    waits_for: "a moment".into(),
                });
            }
            Err(fault) => {
                tracing::warn!(%fault, version, "an update was not fetched");
                // It is looked for again as after a look that failed.
                let mut now = self.now();
                now.looked = now.looked.map(|(at, _)| (at, false));
                drop(now);
                self.stage(UpdateStage::Failed { message: fault.words() });
            }
        }
        outcome
    }

    /// Hands over to the shell, and says while the engine still stands what is waited for.
    async fn hand_over(&self, ground: &Ground, updater: &dyn Updater, version: &str) {
        let mut facts = self.events.subscribe();
        let mut busy = (ground.busy)();
        tracing::info!(version, busy, "an update is being put in");
        self.stage(UpdateStage::Draining { busy });
        if let Err(fault) = updater.put_in(version).await {
            tracing::warn!(%fault, version, "an update was not put in");
            return self.stage(UpdateStage::Failed { message: fault.words() });
        }
        loop {
            tokio::select! {
                biased;
                () = ground.stopping.cancelled() => return,
                _ = facts.recv() => {}
            }
            let now = (ground.busy)();
            if now != busy {
                busy = now;
                self.stage(match busy {
                    0 => UpdateStage::Installing {},
                    busy => UpdateStage::Draining { busy },
                });
            }
        }
    }

    fn able(&self) -> Result<Arc<dyn Updater>, WireError> {
        let state = self.state();
        match (self.updater.get(), state.unavailable) {
            (Some(updater), None) => Ok(Arc::clone(updater)),
            (_, reason) => Err(WireError::new(ErrorCode::Conflict, reason.unwrap_or_default())),
        }
    }

    fn offered(&self, params: &UpdateInstall) -> Result<String, WireError> {
        match &self.now().release {
            Some(release) if release.version == params.version => Ok(release.version.clone()),
            Some(release) => Err(WireError::new(
                ErrorCode::Conflict,
                format!("{} is offered now, and not {}", release.version, params.version),
            )
            .hint("look at the newer one, then try again")),
            None => Err(WireError::not_found("offered version", &params.version)),
        }
    }

    fn at_work(&self) -> WireError {
        WireError::new(ErrorCode::Conflict, "an update is being looked for, fetched or put in already")
            .hint("`kata update` shows how far it is")
    }

    fn is_at_work(&self, now: &Now) -> bool {
        !matches!(
            now.stage,
            UpdateStage::Idle {} | UpdateStage::Ready { .. } | UpdateStage::Failed { .. }
        )
    }

    fn stage(&self, stage: UpdateStage) {
        let changed = {
            let mut now = self.now();
            let changed = now.stage != stage;
            now.stage = stage;
            changed
        };
        if changed {
            self.tell();
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
