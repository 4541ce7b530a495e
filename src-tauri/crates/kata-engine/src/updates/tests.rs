//! The whole of it over a server and an installation that do as they are told, and a clock that moves when told.

use super::*;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::watch;

struct ManualClock(watch::Sender<u64>);

impl ManualClock {
    fn advance(&self, by: Duration) {
        self.0.send_modify(|us| *us += by.as_micros() as u64);
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Ms {
        Ms(*self.0.borrow() / 1000)
    }
    fn monotonic_us(&self) -> u64 {
        *self.0.borrow()
    }
    async fn sleep(&self, duration: Duration) {
        let until = *self.0.borrow() + duration.as_micros() as u64;
        let _ = self.0.subscribe().wait_for(|now| *now >= until).await;
    }
}

#[derive(Default)]
struct Script {
    unavailable: Option<String>,
    /// What a look finds.
    found: Mutex<Option<Result<Option<Release>, UpdateFault>>>,
    fetching: Mutex<Option<UpdateFault>>,
    putting: Mutex<Option<UpdateFault>>,
    asks: Mutex<Option<String>>,
    servers: Mutex<Vec<(UpdateChannel, Option<String>)>>,
    looks: AtomicU32,
    fetched: Mutex<Vec<String>>,
    put_in: watch::Sender<Vec<String>>,
}

#[async_trait]
impl Updater for Script {
    fn version(&self) -> String {
        "1.0.0".into()
    }
    fn unavailable(&self) -> Option<String> {
        self.unavailable.clone()
    }
    async fn look(&self, channel: UpdateChannel, server: Option<&str>) -> Result<Option<Release>, UpdateFault> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.servers.lock().unwrap().push((channel, server.map(str::to_owned)));
        self.found.lock().unwrap().clone().unwrap_or(Ok(None))
    }
    async fn fetch(&self, version: &str, progress: Progress<'_>) -> Result<(), UpdateFault> {
        progress(50, Some(100));
        progress(100, Some(100));
        if let Some(fault) = self.fetching.lock().unwrap().clone() {
            return Err(fault);
        }
        self.fetched.lock().unwrap().push(version.into());
        Ok(())
    }
    async fn asks(&self) -> Option<String> {
        self.asks.lock().unwrap().clone()
    }
    async fn put_in(&self, version: &str) -> Result<(), UpdateFault> {
        if let Some(fault) = self.putting.lock().unwrap().clone() {
            return Err(fault);
        }
        self.put_in.send_modify(|versions| versions.push(version.into()));
        Ok(())
    }
}

struct World {
    updates: Updates,
    script: Arc<Script>,
    clock: Arc<ManualClock>,
    busy: Arc<AtomicU32>,
    ground: Ground,
    home: tempfile::TempDir,
}

impl World {
    fn new(script: Script) -> Self {
        let home = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock(watch::channel(1_772_323_200_000_000).0));
        let settings = Arc::new(SettingsFile::open(home.path(), Ms(1)).unwrap().0);
        let updates = Updates::new(Arc::clone(&clock) as _, Arc::default(), settings, Shelf::of(home.path()));
        let (script, busy) = (Arc::new(script), Arc::new(AtomicU32::new(0)));
        updates.join(Arc::clone(&script) as _);
        let counted = Arc::clone(&busy);
        let ground = Ground {
            busy: Box::new(move || counted.load(Ordering::Relaxed)),
            stopping: CancellationToken::new(),
        };
        Self {
            updates,
            script,
            clock,
            busy,
            ground,
            home,
        }
    }

    /// Runs until it was handed over.
    async fn put_in(&self, version: &str) {
        tokio::select! {
            _ = async { self.script.put_in.subscribe().wait_for(|all| all == &[version]).await.map(drop) } => {}
            () = self.updates.go_on(&self.ground) => unreachable!("nobody ends it"),
        }
        assert!(matches!(self.updates.state().stage, UpdateStage::Draining { .. }));
    }

    /// Runs until a condition holds; time passes only in `then`.
    async fn until(&self, mut holds: impl FnMut(&UpdateState) -> bool) -> UpdateState {
        let mut facts = self.updates.events.subscribe();
        let seen = async {
            loop {
                let state = self.updates.state();
                if holds(&state) {
                    return state;
                }
                let _ = facts.recv().await;
            }
        };
        tokio::select! {
            state = seen => state,
            () = self.updates.go_on(&self.ground) => unreachable!("nobody ends it"),
        }
    }
}

fn release(version: &str) -> Release {
    Release {
        version: version.into(),
        notes: Some("*Better.*".into()),
        published_at: None,
    }
}

fn finds(version: &str) -> Script {
    Script {
        found: Mutex::new(Some(Ok(Some(release(version))))),
        ..Script::default()
    }
}

fn this(version: &str) -> UpdateInstall {
    UpdateInstall { version: version.into() }
}

fn rules(automatic: bool) -> UpdateRules {
    UpdateRules {
        channel: UpdateChannel::Stable,
        automatic,
        quiet_hours: None,
    }
}

#[tokio::test]
async fn an_automatic_update_is_found_after_the_start_fetched_and_put_in_once_nothing_is_busy() {
    let world = World::new(finds("2.0.0"));
    world.busy.store(2, Ordering::Relaxed);
    world.clock.advance(Duration::ZERO);
    let waiting = {
        let run = world.until(|state| matches!(&state.stage, UpdateStage::Ready { waits_for } if waits_for.contains("sessions")));
        let time = async {
            tokio::task::yield_now().await;
            world.clock.advance(FIRST_LOOK);
            std::future::pending::<()>().await;
        };
        tokio::select! { state = run => state, () = time => unreachable!() }
    };
    assert_eq!(waiting.offer.as_ref().unwrap().bytes, Some(Count(100)));
    assert_eq!(waiting.offer.unwrap().notes.as_deref(), Some("*Better.*"));
    assert!(world.script.put_in.borrow().is_empty(), "two sessions work");
    world.busy.store(0, Ordering::Relaxed);
    world.updates.kick.notify_one();
    world.put_in("2.0.0").await;
}

#[tokio::test]
async fn where_a_person_wants_to_be_asked_nothing_is_put_in_before_they_say_so_and_only_what_they_saw() {
    let world = World::new(finds("2.0.0"));
    world.updates.configure(&rules(false)).unwrap();
    let state = world.updates.check().await.unwrap();
    assert_eq!((state.stage, state.offer.unwrap().version), (UpdateStage::Idle {}, "2.0.0".into()));
    assert!(world.script.fetched.lock().unwrap().is_empty());
    let waits = world.updates.waits().unwrap();
    let answers: Vec<_> = waits.actions.iter().map(|action| action.id.as_str()).collect();
    assert_eq!((waits.id.as_str(), waits.since), ("update:2.0.0", world.clock.now()));
    assert_eq!(answers, ["install", "dismiss"]);
    let other = world.updates.offered(&this("1.9.0")).unwrap_err();
    assert_eq!((other.code, other.message.contains("2.0.0")), (ErrorCode::Conflict, true));
    world.updates.install(&this("2.0.0")).unwrap();
    world.put_in("2.0.0").await;
}

#[tokio::test]
async fn an_update_waits_for_the_person_where_nothing_else_puts_it_in_until_it_is_put_off() {
    let world = World::new(finds("2.0.0"));
    world.updates.check().await.unwrap();
    assert_eq!(world.updates.waits(), None, "it is put in by itself");
    *world.script.asks.lock().unwrap() = Some("your password is needed".into());
    world.updates.check().await.unwrap();
    let waits = world.updates.waits().unwrap();
    assert_eq!(waits.detail.as_deref(), Some("your password is needed"));
    world.updates.dismiss(&this("2.0.0")).unwrap();
    assert_eq!(world.updates.waits(), None);
}

#[tokio::test]
async fn what_was_put_off_is_not_put_in_by_itself_and_a_newer_one_is() {
    let world = World::new(finds("2.0.0"));
    world.updates.check().await.unwrap();
    let state = world.updates.dismiss(&this("2.0.0")).unwrap();
    assert!(state.offer.unwrap().dismissed);
    assert!(matches!(world.updates.next(0), Next::Rest(_)));
    *world.script.found.lock().unwrap() = Some(Ok(Some(release("2.0.1"))));
    world.updates.check().await.unwrap();
    assert_eq!(world.updates.next(0), Next::Fetch);
}

#[tokio::test]
async fn whatever_goes_wrong_is_said_in_a_sentence_of_its_own_and_the_version_that_runs_stays() {
    let faults = [
        UpdateFault::Unreachable("connection refused".into()),
        UpdateFault::NoRelease("no JSON".into()),
        UpdateFault::NoPackage("linux-x86_64-deb".into()),
        UpdateFault::Insecure,
        UpdateFault::Tampered,
        UpdateFault::Inflated {
            signed: "1.0.0".into(),
            announced: "9.0.0".into(),
        },
        UpdateFault::Unversioned,
        UpdateFault::Cut("12 of 30 MB".into()),
        UpdateFault::DiskFull("/home/updates".into()),
        UpdateFault::NoRights("the password was not given".into()),
        UpdateFault::Refused("dpkg: error".into()),
        UpdateFault::NoWayBack("no room".into()),
        UpdateFault::NoBackup("no room".into()),
        UpdateFault::Other("?".into()),
    ];
    let mut said = std::collections::BTreeSet::new();
    for fault in faults {
        let world = World::new(finds("2.0.0"));
        world.updates.check().await.unwrap();
        *world.script.fetching.lock().unwrap() = Some(fault.clone());
        world.updates.install(&this("2.0.0")).unwrap();
        let failed = world.until(|state| matches!(state.stage, UpdateStage::Failed { .. })).await;
        let UpdateStage::Failed { message } = failed.stage else {
            unreachable!()
        };
        assert!(
            message.starts_with(&fault.to_string()) && message.len() > fault.to_string().len() + 10,
            "{message}"
        );
        assert!(world.script.put_in.borrow().is_empty());
        assert!(said.insert(fault.to_string()));
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_tried_again_after_an_hour_and_then_it_goes_on() {
    let world = World::new(Script {
        found: Mutex::new(Some(Err(UpdateFault::Unreachable("refused".into())))),
        ..Script::default()
    });
    let error = world.updates.check().await.unwrap_err();
    assert!(error.message.contains("refused") && error.hint.is_some(), "{error:?}");
    assert!(matches!(world.updates.state().stage, UpdateStage::Failed { .. }));
    assert!(matches!(world.updates.next(0), Next::Rest(time) if time <= rules::LOOK_AGAIN));
    world.clock.advance(rules::LOOK_AGAIN);
    assert_eq!(world.updates.next(0), Next::Look);
    *world.script.found.lock().unwrap() = Some(Ok(Some(release("2.0.0"))));
    world.updates.check().await.unwrap();
    assert_eq!(world.updates.next(0), Next::Fetch);
}

#[tokio::test]
async fn without_a_way_back_the_engine_is_not_drained() {
    let world = World::new(finds("2.0.0"));
    world.updates.check().await.unwrap();
    *world.script.putting.lock().unwrap() = Some(UpdateFault::NoWayBack("the disk is full".into()));
    world.updates.install(&this("2.0.0")).unwrap();
    let failed = world.until(|state| matches!(state.stage, UpdateStage::Failed { .. })).await;
    assert!(matches!(failed.stage, UpdateStage::Failed { message } if message.contains("the disk is full")));
}

#[tokio::test]
async fn another_channel_forgets_what_the_first_one_offered_and_a_mirror_is_asked_where_one_is_set() {
    let world = World::new(finds("2.0.0"));
    let server = Some("https://mirror.example/kata/".to_owned());
    world
        .updates
        .settings
        .change(|settings| settings.updates.server = server.clone())
        .unwrap();
    world.updates.check().await.unwrap();
    let beta = UpdateRules {
        channel: UpdateChannel::Beta,
        ..rules(true)
    };
    assert_eq!(world.updates.configure(&beta).unwrap().offer, None);
    world.updates.check().await.unwrap();
    let asked = world.script.servers.lock().unwrap().clone();
    assert_eq!(asked, [(UpdateChannel::Stable, server.clone()), (UpdateChannel::Beta, server)]);
    let hours = UpdateRules {
        quiet_hours: Some(kata_protocol::QuietHours {
            from: "2".into(),
            until: "05:00".into(),
        }),
        ..rules(true)
    };
    assert!(world.updates.configure(&hours).unwrap_err().message.contains("quietHours.from"));
}

#[tokio::test]
async fn what_cannot_update_itself_says_why() {
    let world = World::new(Script {
        unavailable: Some("This program was built from source.".into()),
        ..finds("2.0.0")
    });
    assert_eq!(
        world.updates.check().await.unwrap_err().message,
        "This program was built from source."
    );
    assert_eq!(world.script.looks.load(Ordering::Relaxed), 0);
    let alone = Updates::new(
        Arc::clone(&world.clock) as _,
        Arc::default(),
        Arc::clone(&world.updates.settings),
        Shelf::of(world.home.path()),
    );
    assert!(alone.state().unavailable.unwrap().contains("without a window"));
}

#[test]
fn an_update_that_was_undone_is_told_for_three_days_and_not_tried_again_by_itself() {
    let world = World::new(finds("2.0.0"));
    let pending = Pending {
        from: "1.0.0".into(),
        to: "2.0.0".into(),
        began: world.clock.now(),
        starts: 1,
        way_back: "/x.deb".into(),
        kind: "deb".into(),
    };
    let now = world.clock.now();
    world
        .updates
        .shelf
        .settle(&pending.ended(now, false, "2.0.0 did not become ready".into()))
        .unwrap();
    assert_eq!(world.updates.notice(now).unwrap().message, "2.0.0 did not become ready");
    assert!(world.updates.notice(Ms(now.0 + TOLD_FOR.as_millis() as u64)).is_none());
    assert!(!world.updates.state().last.unwrap().ok);
}
