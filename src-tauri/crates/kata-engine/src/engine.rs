//! Starts and stops everything, in order.

use crate::accounts::{AccountDesk, Browser};
use crate::attention::AttentionDesk;
use crate::backend::Backend;
use crate::board::Board;
use crate::devices::{DeskParts, DeviceDesk};
use crate::life::{Life, Restart, SAFE_AFTER};
use crate::lock::HomeLock;
use crate::logging::{self, LogRing};
use crate::models::ModelBoard;
use crate::plugins::{Plugins, Programs, ServiceTools};
use crate::settings::SettingsFile;
use crate::sources::{FileSources, FileSourcesDeps};
use crate::tools::{AllTools, Permit};
use crate::traces::Traces;
use crate::updates::{Shelf, Updater, Updates};
use crate::workspaces::{Person, Skills};
use crate::{EngineError, NotificationSettings, Options, OsEntropy, Secrets, SystemClock, prompt, watch};
use arc_swap::ArcSwap;
use kata_agent::{Catalog, ModelOptions};
use kata_core::EventHub;
use kata_core::conversations::Conversations;
use kata_core::exchanges::Exchanges;
use kata_core::hooks::Dispatcher;
use kata_core::ingress::{ChannelRules, Ingress, IngressDeps};
use kata_core::letters::Letters;
use kata_core::operations::Operations;
use kata_core::outbox::{Outbox, OutboxDeps};
use kata_core::path::{Path as MessagePath, PathDeps};
use kata_core::pause::{Pause, Quieted};
use kata_core::persist::{Persist, Trouble};
use kata_core::ports::{Clock, Entropy, MediaStore};
use kata_core::router::{Bindings, Defaults};
use kata_core::session::{Approvals, SessionDeps, Sessions};
use kata_core::tasks::Tasks;
use kata_core::trace::Tracer;
use kata_gateway::{Gateway, GatewayOptions};
use kata_plugins::{HostOptions, PluginHost};
use kata_protocol::{
    ChannelId, ConfigChange, Fact, GatewayStart, GatewayStop, HookName, HygieneRules, Ms, Notice, SessionEvent, SourceId, SourceKind,
    WorkspaceId,
};
use kata_store::{FileTranscripts, HomePaths, MediaFolder, SqliteStore};
use secrecy::ExposeSecret;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch as watch_channel};
use tokio_util::sync::CancellationToken;

/// Model streams at once.
const MODEL_STREAMS: usize = 8;
/// Ports tried from the first one on.
const PORT_TRIES: u16 = 20;
/// Time turns get to end when the program quits.
const DRAIN: Duration = Duration::from_secs(7);
/// Time between two counts of the sessions that work.
const HEALTH_EVERY: Duration = Duration::from_millis(100);
/// Notice that is up while something cannot be written.
const DISK_TROUBLE: &str = "disk-trouble";
/// Account of the token that the CLI and a paired browser of this machine use.
const LOCAL_TOKEN: &str = "gateway/local";

/// A running engine.
pub struct Engine {
    inner: Arc<Inner>,
    gateway: tokio::sync::Mutex<Option<Gateway>>,
    port: u16,
    _lock: HomeLock,
}

/// What the operations work with.
pub(crate) struct Inner {
    pub options: Options,
    pub home: HomePaths,
    pub media: Arc<dyn MediaStore>,
    pub settings: Arc<SettingsFile>,
    pub secrets: Arc<Secrets>,
    pub accounts: AccountDesk,
    pub store: Arc<SqliteStore>,
    pub transcripts: Arc<FileTranscripts>,
    pub models: ModelBoard,
    pub sessions: Arc<Sessions>,
    pub tools: Arc<AllTools>,
    pub sources: Arc<FileSources>,
    pub skills: Arc<Skills>,
    pub permit: Permit,
    pub hooks: Arc<Dispatcher>,
    pub traces: Traces,
    pub plugins: Arc<Plugins>,
    pub board: Arc<Board>,
    pub devices: Arc<DeviceDesk>,
    pub events: Arc<EventHub>,
    pub tasks: Tasks,
    pub log: LogRing,
    pub clock: Arc<dyn Clock>,
    pub notices: Arc<Mutex<Vec<Notice>>>,
    pub rules: Arc<ArcSwap<HashMap<ChannelId, ChannelRules>>>,
    pub rules_changed: Arc<tokio::sync::Notify>,
    pub bindings: Arc<ArcSwap<Bindings>>,
    pub conversations: Conversations,
    pub hygiene: Arc<ArcSwap<HygieneRules>>,
    pub letters: Letters,
    pub updates: Updates,
    pub path: Arc<MessagePath>,
    pub outbox: Arc<Outbox>,
    pub pause: Pause,
    pub pause_changed: tokio::sync::Notify,
    pub attention: AttentionDesk,
    pub woke: Mutex<Option<u64>>,
    pub started_at: Ms,
    pub ready_after_ms: OnceLock<u32>,
    pub port: OnceLock<u16>,
    pub quit: CancellationToken,
    pub life: Arc<Life>,
    draining: CancellationToken,
}

impl Engine {
    /// Starts. Ready when it returns: the gateway answers and sessions take input; plugins are still being loaded.
    pub async fn start(options: Options) -> Result<Self, EngineError> {
        Self::start_by(Arc::new(SystemClock::default()), options).await
    }

    /// The same by another clock, for tests.
    pub async fn start_by(clock: Arc<dyn Clock>, options: Options) -> Result<Self, EngineError> {
        let entropy: Arc<dyn Entropy> = Arc::new(OsEntropy);
        let started_at = clock.now();
        let began = clock.monotonic_us();
        let home_failed = |e: std::io::Error| EngineError::Home {
            path: options.home.clone(),
            reason: e.to_string(),
        };
        kata_store::private_dir(&options.home).map_err(home_failed)?;
        let lock = HomeLock::take(&options.home)?;
        let log = logging::start(&options.home, (options.env)("KATA_LOG"));
        crate::life::fault::set_points(options.env);
        let life = Arc::new(Life::begin(&options.home, &clock, &log).map_err(home_failed)?);

        let user_home = std::env::home_dir().unwrap_or_else(|| options.home.clone());
        let home = HomePaths::new(&options.home, user_home);
        let first = {
            let home = home.clone();
            tokio::task::spawn_blocking(move || crate::backup::at_first_open(&home, started_at)).await
        };
        let mut notices: Vec<Notice> = first.ok().flatten().into_iter().collect();
        notices.extend(kata_store::open_home(&home, started_at).map_err(home_failed)?);
        let (settings, notice) = if life.distrusts_settings(&options.home) {
            SettingsFile::open_last_good(&options.home, started_at)?
        } else {
            SettingsFile::open(&options.home, started_at)?
        };
        notices.extend(notice);
        life.judge(options.safe, settings.get().crashes.safe_mode_after.unwrap_or(SAFE_AFTER));
        notices.extend(life.notices());
        if cfg!(debug_assertions) && settings.is_new() {
            kata_core::fault::point("starting_with_new_settings");
        }
        let settings = Arc::new(settings);
        let secrets = {
            let (path, in_file) = (options.home.clone(), options.secrets_in_file);
            tokio::task::spawn_blocking(move || Secrets::open(&path, in_file, started_at)).await
        };
        let secrets = Arc::new(secrets.map_err(|e| EngineError::Keychain(e.to_string()))??);
        if let Some(aside) = &secrets.set_aside {
            notices.push(Notice {
                id: "secrets-damaged".into(),
                at: started_at,
                message: "The file of secrets cannot be read. Models and channels need their keys again; nothing was deleted.".into(),
                hint: Some(format!("The damaged file is kept as {}.", aside.display())),
            });
        }
        let (store, notice) = SqliteStore::open_or_set_aside(&home.database(), started_at)?;
        notices.extend(notice);
        let events = Arc::new(EventHub::default());
        let tasks = Tasks::default();
        let transcripts = FileTranscripts::open(home.clone(), Arc::clone(&store), Arc::clone(&clock), Arc::clone(&entropy)).await?;
        notices.extend(transcripts.notices());
        match transcripts.rebuild_keys().await? {
            0 => {}
            count => tracing::info!(count, "conversations found their sessions again"),
        }

        let media = MediaFolder::open(home.media(), Arc::clone(&transcripts), Arc::clone(&store)).await;
        let media: Arc<dyn MediaStore> = Arc::new(media.map_err(|e| home_failed(std::io::Error::other(e.to_string())))?);

        let board = Arc::new(Board::new(Arc::clone(&events)));
        let accounts = AccountDesk::new(
            Arc::clone(&settings),
            Arc::clone(&secrets),
            Arc::clone(&clock),
            Arc::clone(&entropy),
            tasks.clone(),
        );
        let backend = Arc::new(Backend {
            store: Arc::clone(&store),
            secrets: Arc::clone(&secrets),
            accounts: accounts.accounts(),
            board: Arc::clone(&board),
            events: Arc::clone(&events),
            clock: Arc::clone(&clock),
            path: OnceLock::new(),
            home: home.clone(),
            media: Arc::clone(&media),
            transcripts: Arc::clone(&transcripts) as _,
            sessions: OnceLock::new(),
            port: OnceLock::new(),
            statuses: Mutex::default(),
            notices: Arc::new(Mutex::new(notices)),
        });
        let notices = Arc::clone(&backend.notices);
        let host = PluginHost::new(
            Arc::clone(&backend) as _,
            Arc::clone(&clock),
            Arc::clone(&entropy),
            HostOptions {
                seats: Some(life.seats()),
                ..HostOptions::default()
            },
        );
        let demo_pause = if options.demo_pace {
            ModelOptions::default().demo_pause
        } else {
            Duration::ZERO
        };
        let catalog = Arc::new(Catalog::new(
            Arc::clone(&clock),
            Arc::clone(&entropy),
            ModelOptions {
                demo_pause,
                ..ModelOptions::default()
            },
        )?);
        let models = ModelBoard::new(
            Arc::clone(&catalog),
            Arc::clone(&settings),
            Arc::clone(&secrets),
            Arc::clone(&clock),
            Arc::clone(&events),
            &options,
        );
        let tracer = Arc::new(Tracer::new(
            Arc::clone(&clock),
            Arc::clone(&entropy),
            Arc::clone(&store) as _,
            Arc::clone(&events),
        ));
        let (traces, notice) = Traces::start(Arc::clone(&tracer), &settings, started_at);
        locked(&notices).extend(notice);
        let persist = {
            let persist_clock = Arc::clone(&clock);
            let (board, notices, clock) = (Arc::clone(&board), Arc::clone(&notices), Arc::clone(&clock));
            let tell = move |reason: Option<String>| disk_trouble(&board, &notices, clock.now(), reason);
            Persist::new(persist_clock, tasks.stopping(), Trouble::new(Arc::new(tell)))
        };
        let hooks = Arc::new(Dispatcher::new(Arc::clone(&host) as _, Arc::clone(&clock)));
        let exchanges = Arc::new(Exchanges::default());
        let activity = {
            let (board, clock, exchanges) = (Arc::clone(&board), Arc::clone(&clock), Arc::clone(&exchanges));
            Arc::new(move |route: &kata_protocol::ReplyRoute| {
                exchanges.replied(route);
                if let Ok(id) = SourceId::new(format!("channel:{}", route.channel)) {
                    board.activity(&id, clock.now());
                }
            })
        };
        let pause = Pause::new(Arc::clone(&clock));
        crate::pause::take_up(&settings, &pause);
        let outbox = Outbox::new(OutboxDeps {
            store: Arc::clone(&store) as _,
            channels: Arc::clone(&host) as _,
            pause: pause.clone(),
            hooks: Arc::clone(&hooks),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            tasks: tasks.clone(),
            tracer: Arc::clone(&tracer),
            persist: persist.clone(),
            events: Arc::clone(&events),
            activity,
        });
        let draining = CancellationToken::new();
        let person = Person::new(&options.home);
        let skills = Arc::new(Skills::new(home.clone()));
        let skilled = Arc::clone(&skills);
        let date_clock = Arc::clone(&clock);
        let permit = Permit::new(&home);
        let sources = FileSources::new(FileSourcesDeps {
            home: home.clone(),
            board: Arc::clone(&board),
            events: Arc::clone(&events),
            secrets: Arc::clone(&secrets),
            settings: Arc::clone(&settings),
            accounts: accounts.accounts(),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            tasks: tasks.clone(),
        });
        let _ = accounts.places.set(Arc::clone(&sources) as _);
        let tools = Arc::new(AllTools::new(
            &permit,
            Arc::clone(&host),
            Arc::clone(&sources),
            Arc::clone(&notices),
            Arc::clone(&clock),
            ServiceTools::new(Arc::clone(&host), Arc::clone(&board), Arc::clone(&settings)),
        ));
        let bindings = Arc::new(ArcSwap::from_pointee(Bindings::plain(Defaults::new(active_workspace(&home)))));
        let (profiles, prompts, guided) = (Arc::clone(&bindings), Arc::clone(&bindings), Arc::clone(&sources));
        let rules = Arc::new(ArcSwap::from_pointee(HashMap::new()));
        let sessions = Sessions::new(SessionDeps {
            rules: Arc::clone(&rules),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            transcripts: Arc::clone(&transcripts) as _,
            messages: Arc::clone(&store) as _,
            models: catalog,
            tools: Arc::clone(&tools) as _,
            permissions: Arc::new(permit.rules.clone()),
            approvals: Approvals::new(Arc::clone(&store) as _, Arc::clone(&clock), Arc::clone(&events)),
            plans: Arc::clone(&store) as _,
            media: Arc::clone(&media),
            channels: Arc::new(Quieted {
                channels: Arc::clone(&host) as _,
                pause: pause.clone(),
            }),
            hooks: Arc::clone(&hooks),
            outbox: Arc::clone(&outbox),
            events: Arc::clone(&events),
            tasks: tasks.clone(),
            tracer: Arc::clone(&tracer),
            persist: persist.clone(),
            profiles: Arc::new(move |id| profiles.load().profile(id).cloned()),
            system_prompt: Arc::new(move |session| {
                let bindings = prompts.load();
                let profile = session.profile.as_deref().and_then(|id| bindings.profile(id));
                let guides = guided.running.guides(&session.workspace);
                let prompt = prompt::system(&person.told(), session, profile);
                prompt::with_skills(prompt::with_guides(prompt, &guides), skilled.told(&session.workspace))
            }),
            context: Arc::new(move || prompt::date(date_clock.now())),
            model_permits: Arc::new(Semaphore::new(MODEL_STREAMS)),
            draining: draining.clone(),
        });
        let rules_changed = Arc::new(tokio::sync::Notify::new());
        let ingress = Ingress::new(IngressDeps {
            messages: Arc::clone(&store) as _,
            pairing: Arc::clone(&store) as _,
            outbox: Arc::clone(&outbox),
            rules: Arc::clone(&rules),
            exchanges,
            pause: pause.clone(),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            events: Arc::clone(&events),
        });
        let conversations = Conversations::new(Arc::clone(&store) as _, Arc::clone(&transcripts) as _);
        let hygiene = Arc::new(ArcSwap::from_pointee(settings.get().hygiene.rules()));
        let path = Arc::new(MessagePath::new(PathDeps {
            ingress,
            messages: Arc::clone(&store) as _,
            keys: Arc::clone(&store) as _,
            conversations: conversations.clone(),
            hygiene: Arc::clone(&hygiene),
            rules_changed: Arc::clone(&rules_changed),
            pause: pause.clone(),
            clock: Arc::clone(&clock),
            bindings: Arc::clone(&bindings),
            sessions: Arc::clone(&sessions),
            commands: Arc::clone(&host) as _,
            tracer,
            persist,
            tasks: tasks.clone(),
        }));
        path.hold();
        // Set once, here; nothing else can have set it before.
        let _ = backend.path.set(Arc::clone(&path));
        let _ = backend.sessions.set(Arc::clone(&sessions));
        let plugins = Plugins::new(host, backend, Arc::clone(&settings), home.clone(), options.plugins_dir.clone());
        if life.safe_mode().is_some() {
            plugins.stay_off();
        }

        let devices = DeviceDesk::open(DeskParts {
            store: Arc::clone(&store),
            settings: Arc::clone(&settings),
            notices: Arc::clone(&notices),
            events: Arc::clone(&events),
            clock: Arc::clone(&clock),
            tasks: tasks.clone(),
        });
        let devices = devices.await.map_err(|e| home_failed(std::io::Error::other(e.to_string())))?;

        let letters = Letters {
            store: Arc::clone(&store) as _,
            outbox: Arc::clone(&outbox),
            path: Arc::clone(&path),
            events: Arc::clone(&events),
            clock: Arc::clone(&clock),
        };
        let updates = Updates::new(
            Arc::clone(&clock),
            Arc::clone(&events),
            Arc::clone(&settings),
            Shelf::of(&options.home),
        );
        locked(&notices).extend(updates.notice(started_at));
        let inner = Arc::new(Inner {
            updates,
            accounts,
            conversations,
            hygiene,
            letters,
            home,
            media,
            settings,
            secrets,
            store,
            transcripts,
            models,
            sessions,
            tools,
            sources,
            skills,
            permit,
            hooks,
            traces,
            plugins,
            board,
            devices,
            events,
            tasks,
            log,
            clock,
            notices,
            rules,
            rules_changed,
            bindings,
            path: Arc::clone(&path),
            outbox: Arc::clone(&outbox),
            pause,
            pause_changed: tokio::sync::Notify::new(),
            attention: AttentionDesk::default(),
            woke: Mutex::default(),
            started_at,
            ready_after_ms: OnceLock::new(),
            port: OnceLock::new(),
            quit: CancellationToken::new(),
            life,
            draining,
            options,
        });
        inner.accounts.join(&inner);
        inner.plugins.find();
        inner.refresh_files();
        inner.skills.refresh();
        let routes_stand = inner.apply_rules();
        let (gateway, port) = open_gateway(&inner, entropy).await?;
        let took = inner.clock.monotonic_us().saturating_sub(began) / 1000;
        let _ = inner.ready_after_ms.set(u32::try_from(took).unwrap_or(u32::MAX));
        let _ = inner.port.set(port);
        let _ = inner.plugins.backend.port.set(port);
        // A table that cannot stand takes no good one's place.
        if routes_stand {
            inner.settings.keep_as_good();
        }
        inner.tell_changes();
        inner.run_background(path, outbox);
        inner.run_upkeep();
        inner.run_pause();
        inner.run_machine(crate::machine::networks());
        inner.run_attention();
        inner.run_power(crate::power::of_this_machine());
        inner.run_crash_watch();
        inner.life.ready();
        kata_core::fault::point("ready");
        inner.tasks.spawn("updates", Updates::run(Arc::clone(&inner)));
        tracing::info!(port, ready_after_ms = took, "ready");
        Ok(Self {
            inner,
            gateway: tokio::sync::Mutex::new(Some(gateway)),
            port,
            _lock: lock,
        })
    }

    /// The operations, for the desktop.
    pub fn operations(&self) -> Arc<dyn Operations> {
        Arc::clone(&self.inner) as _
    }

    /// Says how pages are opened for a sign-in; the first word counts. Without one a person opens them from what they are told.
    pub fn open_pages_with(&self, browser: Arc<dyn Browser>) {
        let _ = self.inner.accounts.browser.set(browser);
    }

    /// Says what can update this program; the first word counts. Without one nothing updates itself.
    pub fn update_with(&self, updater: Arc<dyn Updater>) {
        self.inner.updates.join(updater);
    }

    /// How an update ended stands on the shelf anew.
    pub fn update_settled(&self) {
        self.inner.updates.tell();
    }

    /// Facts.
    pub fn events(&self) -> Arc<EventHub> {
        Arc::clone(&self.inner.events)
    }

    /// Port of the gateway.
    pub fn gateway_port(&self) -> Option<u16> {
        Some(self.port)
    }

    /// Makes the store refuse writes as on a disk that may only be read; for tests, in debug builds only.
    #[cfg(debug_assertions)]
    pub fn refuse_writes(&self, refuse: bool) {
        self.inner.store.read_only(refuse);
    }

    /// Returns when a client has asked the program to end.
    pub async fn quit_requested(&self) {
        self.inner.quit.cancelled().await;
    }

    /// Whether to begin again once it is shut down ([`Restart::now`]).
    pub fn restart(&self) -> Option<Restart> {
        self.inner.life.restart()
    }

    /// Sessions in the middle of a turn, for the question before quitting.
    pub fn busy(&self) -> u32 {
        self.inner.sessions.busy()
    }

    /// Names of the sessions that a drain would wait for now.
    pub fn waits_for(&self) -> Vec<String> {
        self.inner.sessions.busy_names()
    }

    /// What may be told by notifications.
    pub fn notifications(&self) -> NotificationSettings {
        self.inner.settings.get().notifications.clone()
    }

    /// The machine woke up from sleep, as the system says. Told or not, it is noticed within seconds.
    pub fn woke_up(&self) {
        self.inner.woke_up("the system says so");
    }

    /// Lets turns end (up to seven seconds), then stops plugins, gateway and tasks. What is not done by then is on disk and is
    /// taken up at the next start. A second call does nothing.
    pub async fn shutdown(&self) {
        let Some(gateway) = self.gateway.lock().await.take() else { return };
        let inner = &self.inner;
        tracing::info!(busy = inner.sessions.busy(), "stopping");
        inner.draining.cancel();
        let mut facts = inner.events.subscribe();
        let ended = async {
            while inner.sessions.busy() > 0 {
                let _ = facts.recv().await;
            }
            // With the turns done; both within the time the turns have.
            inner.sessions.end_all().await;
        };
        let told = inner.hooks.observe(
            GatewayStop {
                deadline_ms: u32::try_from(DRAIN.as_millis()).unwrap_or(u32::MAX),
            },
            None,
        );
        tokio::select! {
            ((), ()) = async { tokio::join!(ended, told) } => {}
            () = inner.clock.sleep(DRAIN) => tracing::warn!(busy = inner.sessions.busy(), "turns are still running; they go on at the next start"),
        }
        inner.plugins.host.shutdown(Duration::from_secs(2)).await;
        gateway.shutdown(Duration::from_secs(1)).await;
        let late = inner.tasks.shutdown(&*inner.clock, Duration::from_secs(1)).await;
        if !late.is_empty() {
            tracing::warn!(?late, "tasks did not end in time");
        }
        inner.life.ended();
    }
}

impl Inner {
    /// Sources and channels that come from files of the workspaces.
    pub(crate) fn refresh_files(&self) {
        let listed = kata_store::file_channels(&self.home, self.clock.now());
        let ids: Vec<_> = listed.iter().map(|s| s.id.clone()).collect();
        self.board
            .retain(|s| s.plugin.is_some() || s.kind != SourceKind::Channel || ids.contains(&s.id));
        for source in listed {
            self.board.put(source);
        }
        self.sources.refresh();
    }

    /// Says to plugins which settings have changed.
    fn tell_changes(self: &Arc<Self>) {
        let (hooks, tasks) = (Arc::clone(&self.hooks), self.tasks.clone());
        let devices = Arc::downgrade(&self.devices);
        self.settings.on_change(move |keys| {
            if let (true, Some(devices)) = (keys.iter().any(|key| key.starts_with("gateway.hosts")), devices.upgrade()) {
                devices.apply_hosts();
            }
            if hooks.listened(HookName::ConfigChange) {
                let hooks = Arc::clone(&hooks);
                tasks.spawn(
                    "config_change hooks",
                    async move { hooks.observe(ConfigChange { keys }, None).await },
                );
            }
        });
    }

    fn run_background(self: &Arc<Self>, path: Arc<MessagePath>, outbox: Arc<Outbox>) {
        let inner = Arc::clone(self);
        self.tasks.spawn("start plugins, then take up what was left", async move {
            if let Err(error) = outbox.resume().await {
                tracing::error!(%error, "replies of the last run could not be read");
            }
            inner.plugins.start_all().await;
            // Beside what follows: a plugin that thinks long about it holds nobody up.
            let (hooks, version) = (Arc::clone(&inner.hooks), env!("CARGO_PKG_VERSION").to_owned());
            inner.tasks.spawn("gateway_start hooks", async move {
                hooks.observe(GatewayStart { version }, None).await;
            });
            match inner.sessions.resume().await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "calls wait for a person since the last run"),
                Err(error) => tracing::error!(%error, "calls that wait for a person could not be read"),
            }
            inner.resume_plans().await;
            match path.recover().await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "messages of the last run were taken up"),
                Err(error) => tracing::error!(%error, "messages of the last run could not be read"),
            }
        });
        let inner = Arc::clone(self);
        self.tasks.spawn("import secrets", async move { inner.import_credentials().await });
        let export = self.traces.exporter().run(Arc::clone(&self.clock), self.tasks.stopping());
        self.tasks.spawn("export traces", export);
        self.tasks.spawn("watch folders", watch::run(Arc::clone(self)));
        let inner = Arc::clone(self);
        self.tasks.spawn("health", async move {
            let (mut facts, stopping) = (inner.events.subscribe(), inner.tasks.stopping());
            inner.board.refresh_health(Some(0));
            loop {
                let fact = tokio::select! {
                    biased;
                    () = stopping.cancelled() => return,
                    fact = facts.recv() => fact,
                };
                // After a gap in the facts the count is taken anew as well.
                let gap = fact.is_err();
                let counts = |event: &SessionEvent| matches!(event, SessionEvent::TurnStarted { .. } | SessionEvent::TurnEnded { .. });
                if !gap && !fact.is_ok_and(|f| matches!(&f.fact, Fact::Session { event, .. } if counts(event))) {
                    continue;
                }
                inner.board.refresh_health(Some(inner.sessions.busy()));
                // Turns come and go by the thousand; the line is told a few times a second, and the last word is the truth.
                tokio::select! {
                    biased;
                    () = stopping.cancelled() => return,
                    () = inner.clock.sleep(HEALTH_EVERY) => {}
                }
                facts = inner.events.subscribe();
                inner.board.refresh_health(Some(inner.sessions.busy()));
            }
        });
        let inner = Arc::clone(self);
        self.tasks.spawn("retention", async move {
            let stopping = inner.tasks.stopping();
            loop {
                if let Err(error) = inner.store.prune(inner.clock.now()).await {
                    tracing::warn!(%error, "old rows were not removed");
                }
                match inner.media.tidy(inner.clock.now()).await {
                    Ok(0) => {}
                    Ok(gone) => tracing::info!(gone, "files that nothing needed any more were removed"),
                    Err(error) => tracing::warn!(%error, "files that nothing needs were not removed"),
                }
                tokio::select! {
                    biased;
                    () = stopping.cancelled() => return,
                    () = inner.clock.sleep(Duration::from_secs(24 * 3600)) => {}
                }
            }
        });
    }
}

/// Says that something cannot be written, or that it can again.
fn disk_trouble(board: &Board, notices: &Mutex<Vec<Notice>>, now: Ms, reason: Option<String>) {
    let failing = reason.is_some();
    {
        let mut notices = locked(notices);
        notices.retain(|notice| notice.id != DISK_TROUBLE);
        notices.extend(reason.map(|reason| Notice {
            id: DISK_TROUBLE.into(),
            at: now,
            message: format!("Something cannot be written: {reason}. It is tried again until it can; nothing is lost."),
            hint: Some("Is the disk full, or the folder read-only? Messages go on by themselves when there is room again.".into()),
        }));
    }
    board.disk_trouble(failing);
}

async fn open_gateway(inner: &Arc<Inner>, entropy: Arc<dyn Entropy>) -> Result<(Gateway, u16), EngineError> {
    let port = inner
        .options
        .port
        .or(inner.settings.get().gateway.port)
        .unwrap_or_else(Options::default_port);
    let secrets = Arc::clone(&inner.secrets);
    let token = tokio::task::spawn_blocking(move || secrets.get_or_make_token(LOCAL_TOKEN)).await;
    let token = token.map_err(|e| EngineError::Keychain(e.to_string()))??;
    inner.devices.let_in(token);
    // Ready as soon as it listens: readiness waits for no plugin.
    let (_, ready) = watch_channel::channel(true);
    let gateway = Gateway::start(
        GatewayOptions {
            port,
            tries: PORT_TRIES,
            file: inner.options.home.join("gateway.json"),
            ui_dir: inner.options.ui_dir.clone(),
            allowed_origins: vec!["tauri://localhost".into()],
        },
        Arc::clone(inner) as _,
        Arc::clone(&inner.events),
        Arc::clone(&inner.devices.tokens),
        ready,
        Arc::clone(&inner.clock),
        entropy,
    )
    .await?;
    gateway.serve_routes(Arc::clone(&inner.plugins.host) as _);
    gateway.serve_devices(Arc::clone(&inner.devices) as _);
    gateway.serve_plugins(Arc::new(Programs(Arc::clone(&inner.plugins))));
    let port = gateway.port();
    inner.devices.join(gateway.view(), port);
    Ok((gateway, port))
}

/// The token of this machine's own clients (the CLI, a browser that a person pairs). Blocks.
pub fn local_token(home: &Path) -> Result<String, EngineError> {
    let in_file = Options::from_env().secrets_in_file;
    let secrets = Secrets::open(home, in_file, Ms(0))?;
    match secrets.get(LOCAL_TOKEN) {
        Some(token) => Ok(token.expose_secret().to_owned()),
        None => Err(EngineError::Keychain(
            "there is no token for this home yet; start Kata Agents once".into(),
        )),
    }
}

pub(crate) fn active_workspace(home: &HomePaths) -> WorkspaceId {
    let active = kata_store::workspaces(home).into_iter().find(|w| w.active).map(|w| w.id);
    let workspace = active.or_else(|| WorkspaceId::new("my-workspace").ok());
    workspace.unwrap_or_else(|| unreachable!("a literal name is a valid workspace"))
}

/// Locks a list that is only ever replaced as a whole.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
