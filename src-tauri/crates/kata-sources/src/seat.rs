//! One source with everything that is known of it while this program runs, and the task that brings it up and keeps it up.
//!
//! Every move goes through the one transition function (`kata_core::lifecycle`). A program that was seen to have tools before is
//! not started before one of them is used (it sleeps), and sleeps again when nobody has used it for a while; its tools stay on
//! offer. What a server in the network, an API or a folder needs is little, so those are up from the beginning.

use crate::api::Door;
use crate::config::{ApiAuth, Config, Kind, Mcp, McpAuth};
use crate::live::Live;
use crate::local::Shelf;
use crate::log::Lines;
use crate::mcp::{Challenges, Making, Named, Server};
use crate::trouble::{Next, Trouble};
use crate::{Seen, SourcesDeps};
use arc_swap::ArcSwap;
use kata_core::lifecycle::{Happening, Lifecycle, Policy};
use kata_core::ports::{AccountRef, ToolOutcome, ToolRequest};
use kata_protocol::{RunState, SourceId, Status, WorkspaceId};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How faults are answered: the first retry comes soon, since a server that was killed is often back at once.
const POLICY: Policy = Policy {
    first_delay_ms: 500,
    max_delay_ms: 60_000,
    faults: 5,
    window_ms: 600_000,
    cooldown_ms: 600_000,
    stable_ms: 60_000,
};
/// A program that nobody uses for so long is ended; the next call starts it.
const SLEEPS_AFTER: Duration = Duration::from_secs(900);
/// A call waits so long for a source that is about to be tried again.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time between two looks at tools that change without pause.
const TOOLS_EVERY: Duration = Duration::from_millis(200);
/// Troubles that calls may have told before they are looked at; more of them say the same.
const TROUBLES: usize = 4;

/// What a source is set up as.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) config: Result<Config, Vec<String>>,
    pub(crate) guide: Option<String>,
    /// What is wrong with the files beside `config.json`.
    pub(crate) beside: Vec<String>,
    pub(crate) slug: String,
    /// The workspace's folder.
    pub(crate) home: PathBuf,
    /// Changes where the way it is reached does.
    pub(crate) mark: String,
}

/// What is wanted of a source.
#[derive(Clone)]
struct Want {
    spec: Arc<Spec>,
    restarts: u64,
    wakes: u64,
    gone: bool,
}

/// A source.
pub(crate) struct Seat {
    pub(crate) id: SourceId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) lines: Arc<Lines>,
    pub(crate) challenges: Challenges,
    want: watch::Sender<Want>,
    status: watch::Sender<Status>,
    live: watch::Sender<Option<Arc<Live>>>,
    tools: ArcSwap<Vec<Named>>,
    troubles: mpsc::Sender<Trouble>,
    calls: AtomicU32,
    used_at: AtomicU64,
    deps: Arc<SourcesDeps>,
}

impl Seat {
    /// Sets a source up and begins to look after it.
    pub(crate) fn open(id: SourceId, workspace: WorkspaceId, spec: Spec, seen: Option<Seen>, deps: &Arc<SourcesDeps>) -> Arc<Self> {
        let (troubles, told) = mpsc::channel(TROUBLES);
        let seat = Arc::new(Self {
            id,
            workspace,
            lines: Arc::new(Lines::new(Arc::clone(&deps.clock))),
            challenges: Challenges::default(),
            want: watch::Sender::new(Want {
                spec: Arc::new(spec),
                restarts: 0,
                wakes: 0,
                gone: false,
            }),
            status: watch::Sender::new(Status::plain(RunState::Stopped, deps.clock.now())),
            live: watch::Sender::new(None),
            tools: ArcSwap::default(),
            troubles,
            calls: AtomicU32::new(0),
            used_at: AtomicU64::new(deps.clock.now().0),
            deps: Arc::clone(deps),
        });
        let looked_after = Arc::clone(&seat);
        deps.tasks
            .spawn("source", async move { Keeper::new(looked_after, told, seen).run().await });
        seat
    }

    /// Changes what it is set up as. A guide alone restarts nothing.
    pub(crate) fn set(&self, spec: Spec) {
        self.want.send_if_modified(|want| {
            let same = want.spec.mark == spec.mark && want.spec.config == spec.config;
            if same && want.spec.guide == spec.guide && want.spec.beside == spec.beside {
                return false;
            }
            let beside = want.spec.beside != spec.beside;
            want.spec = Arc::new(spec);
            !same || beside
        });
    }

    pub(crate) fn restart(&self) {
        self.want.send_modify(|want| want.restarts += 1);
    }

    pub(crate) fn remove(&self) {
        self.want.send_modify(|want| want.gone = true);
    }

    pub(crate) fn spec(&self) -> Arc<Spec> {
        Arc::clone(&self.want.borrow().spec)
    }

    pub(crate) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Its tools, while they are on offer.
    pub(crate) fn tools(&self) -> Arc<Vec<Named>> {
        self.tools.load_full()
    }

    /// The account it signs in with, where it does.
    pub(crate) fn account(&self) -> Option<AccountRef> {
        let spec = self.spec();
        match &spec.config.as_ref().ok()?.kind {
            Kind::Mcp(Mcp::Remote {
                auth: McpAuth::Oauth { .. },
                ..
            }) => Some(AccountRef::of_source(&self.id, "mcp")),
            Kind::Api(api) => match &api.auth {
                ApiAuth::Oauth { provider, .. } => Some(AccountRef::of_source(&self.id, provider)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Runs a tool. Starts the source where it sleeps.
    pub(crate) async fn call(&self, tool: &str, request: &ToolRequest) -> ToolOutcome {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let _calls = Counted(self);
        self.used_at.store(self.deps.clock.now().0, Ordering::Relaxed);
        let live = tokio::select! {
            biased;
            () = request.cancel.cancelled() => return ToolOutcome { text: "The call was stopped.".into(), is_error: true },
            live = self.up() => live,
        };
        let live = match live {
            Ok(live) => live,
            Err(NotUp(text)) => return ToolOutcome { text, is_error: true },
        };
        let began = self.deps.clock.monotonic_us();
        let (outcome, trouble) = live.call(tool, &request.params, &request.cancel).await;
        let took = self.deps.clock.monotonic_us().saturating_sub(began) / 1000;
        let how = if outcome.is_error { "failed" } else { "done" };
        self.lines.add("INFO", "call", &format!("{}: {how} after {took} ms", request.name));
        if let Some(trouble) = trouble {
            // A full queue holds the same trouble already.
            let _ = self.troubles.try_send(trouble);
        }
        self.deps.listener.activity(&self.id);
        outcome
    }

    /// The source as it runs, once it does; or why it does not.
    async fn up(&self) -> Result<Arc<Live>, NotUp> {
        let name = self.name();
        let (mut live, mut status) = (self.live.subscribe(), self.status.subscribe());
        let mut waited = false;
        loop {
            if let Some(live) = live.borrow_and_update().clone() {
                return Ok(live);
            }
            let now = status.borrow_and_update().clone();
            let wait = match &now.state {
                RunState::Starting | RunState::Connecting | RunState::Running | RunState::Degraded => true,
                RunState::Stopped if now.code == SLEEPING => {
                    self.want.send_modify(|want| want.wakes += 1);
                    true
                }
                RunState::Backoff { until, .. } => until.0.saturating_sub(self.deps.clock.now().0) <= PATIENCE.as_millis() as u64,
                _ => false,
            };
            if !wait || waited && matches!(now.state, RunState::Backoff { .. }) && now.code != "ended" {
                let about = if now.message.is_empty() {
                    "It does not run.".to_owned()
                } else {
                    now.message
                };
                return Err(NotUp(format!("The source “{name}” cannot be used now. {about}")));
            }
            waited = true;
            tokio::select! {
                Ok(()) = live.changed() => {}
                Ok(()) = status.changed() => {}
                else => return Err(NotUp(format!("The source “{name}” is gone."))),
            }
        }
    }

    /// Time until it has been unused for long enough.
    fn may_sleep_in(&self) -> Duration {
        let unused = self.deps.clock.now().0.saturating_sub(self.used_at.load(Ordering::Relaxed));
        SLEEPS_AFTER.saturating_sub(Duration::from_millis(unused))
    }

    pub(crate) fn name(&self) -> String {
        let spec = self.spec();
        spec.config
            .as_ref()
            .map_or_else(|_| spec.slug.clone(), |config| config.name.clone())
    }

    /// Brings it up, apart from what runs.
    pub(crate) async fn connect(&self, config: &Config, spec: &Spec) -> Result<Live, Trouble> {
        match &config.kind {
            Kind::Local(local) => {
                let (local, home) = (local.clone(), self.deps.user_home.clone());
                let opened = tokio::task::spawn_blocking(move || Shelf::open(&local, &home)).await;
                opened
                    .unwrap_or_else(|_| Err(Trouble::again("no_folder", "The folder could not be looked at.")))
                    .map(Live::Local)
            }
            Kind::Api(api) => {
                let mut api = api.clone();
                api.headers = self.filled(&api.headers).await?;
                let door = Door {
                    config: api,
                    source: self.id.clone(),
                    name: config.name.clone(),
                    http: self.deps.web.client()?,
                    secrets: Arc::clone(&self.deps.secrets),
                    accounts: Arc::clone(&self.deps.accounts),
                    account: self.account(),
                };
                door.ready().await?;
                Ok(Live::Api(Box::new(door)))
            }
            Kind::Mcp(mcp) => {
                let mcp = match mcp {
                    Mcp::Stdio { command, args, env } => Mcp::Stdio {
                        command: command.clone(),
                        args: args.clone(),
                        env: self.filled(env).await?,
                    },
                    Mcp::Remote { url, sse, auth, headers } => Mcp::Remote {
                        url: url.clone(),
                        sse: *sse,
                        auth: auth.clone(),
                        headers: self.filled(headers).await?,
                    },
                };
                let token = match &mcp {
                    Mcp::Remote { auth: McpAuth::Bearer, .. } => self.deps.secrets.secret(&self.id, "token").await,
                    _ => None,
                };
                let making = Making {
                    source: self.id.clone(),
                    slug: spec.slug.clone(),
                    name: config.name.clone(),
                    folder: spec.home.clone(),
                    http: self.deps.web.client()?,
                    questions: Arc::clone(&self.deps.questions),
                    lines: Arc::clone(&self.lines),
                    tasks: self.deps.tasks.clone(),
                    accounts: Arc::clone(&self.deps.accounts),
                    account: self.account(),
                    token,
                    clock: Arc::clone(&self.deps.clock),
                    challenges: self.challenges.clone(),
                };
                Ok(Live::Mcp(Box::new(Server::connect(&mcp, making).await?)))
            }
        }
    }

    /// Values with `${secret:NAME}` filled in.
    async fn filled(&self, table: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Trouble> {
        let mut filled = BTreeMap::new();
        for (key, value) in table {
            let mut value = SecretString::from(value.clone());
            for name in secret_names_in(value.expose_secret()) {
                let Some(secret) = self.deps.secrets.secret(&self.id, &name).await else {
                    return Err(Trouble::missing(
                        &name,
                        format!("“{}” needs the secret {name} for {key}.", self.name()),
                    ));
                };
                value = value
                    .expose_secret()
                    .replace(&format!("${{secret:{name}}}"), secret.expose_secret())
                    .into();
            }
            filled.insert(key.clone(), value.expose_secret().to_owned());
        }
        Ok(filled)
    }
}

/// Why a source is not up; for the model.
struct NotUp(String);

/// Counts a call while it runs.
struct Counted<'a>(&'a Seat);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
        self.0.used_at.store(self.0.deps.clock.now().0, Ordering::Relaxed);
    }
}

/// Names in `${secret:NAME}` of a text.
pub(crate) fn secret_names_in(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in text.split("${secret:").skip(1) {
        if let Some((name, _)) = part.split_once('}')
            && !name.is_empty()
            && !names.iter().any(|n| n == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

/// Code of a source that is started when it is used.
pub(crate) const SLEEPING: &str = "sleeping";

/// Why a run of a source is over.
enum Over {
    /// Something else is wanted of it.
    Wanted,
    /// It failed.
    Trouble(Trouble),
    /// Nobody uses it.
    Unused,
}

/// Looks after one seat.
struct Keeper {
    seat: Arc<Seat>,
    life: Lifecycle,
    want: watch::Receiver<Want>,
    troubles: mpsc::Receiver<Trouble>,
    seen: Option<Seen>,
}

impl Keeper {
    fn new(seat: Arc<Seat>, troubles: mpsc::Receiver<Trouble>, seen: Option<Seen>) -> Self {
        Self {
            life: Lifecycle::new(POLICY, seat.deps.clock.now()),
            want: seat.want.subscribe(),
            seat,
            troubles,
            seen,
        }
    }

    async fn run(mut self) {
        let stopping = self.seat.deps.tasks.stopping();
        tokio::select! {
            biased;
            () = stopping.cancelled() => {}
            () = self.keep() => {}
        }
        if let Some(live) = self.seat.live.send_replace(None) {
            live.close();
        }
    }

    /// Until the source is taken away.
    async fn keep(&mut self) {
        let mut begun: Option<Want> = None;
        loop {
            let want = self.want.borrow_and_update().clone();
            if want.gone {
                self.offer(Vec::new());
                return;
            }
            let same_files = begun.as_ref().is_some_and(|b| b.spec.mark == want.spec.mark);
            let asked = begun.as_ref().is_some_and(|b| (b.restarts, b.wakes) != (want.restarts, want.wakes));
            begun = Some(want.clone());
            if !same_files && begun.is_some() && self.seen.as_ref().is_some_and(|s| s.mark != want.spec.mark) {
                self.seen = None;
            }
            let config = match &want.spec.config {
                Ok(config) if config.enabled => config,
                Ok(_) => {
                    self.offer(Vec::new());
                    self.rest("disabled", "Switched off.");
                    if self.want.changed().await.is_err() {
                        return;
                    }
                    continue;
                }
                Err(errors) => {
                    self.offer(Vec::new());
                    self.begin();
                    self.apply(Happening::Broken { recoverable: false }, "bad_file", &errors.join("; "));
                    if self.want.changed().await.is_err() {
                        return;
                    }
                    continue;
                }
            };
            let sleeps = matches!(config.kind, Kind::Mcp(Mcp::Stdio { .. }));
            if let (true, false, Some(seen)) = (sleeps, asked, &self.seen) {
                let tools = seen.tools.clone();
                self.offer(tools);
                self.rest(SLEEPING, "Starts when it is used.");
                if self.want.changed().await.is_err() {
                    return;
                }
                continue;
            }
            self.begin();
            loop {
                match self.once(config, &want).await {
                    Over::Wanted => break,
                    Over::Unused => {
                        self.rest(SLEEPING, "Starts when it is used.");
                        if self.want.changed().await.is_err() {
                            return;
                        }
                        break;
                    }
                    Over::Trouble(trouble) => {
                        self.stumble(&trouble);
                        if !self.may_try_again().await {
                            break;
                        }
                    }
                }
            }
        }
    }

    /// One run, from connecting to its end.
    async fn once(&mut self, config: &Config, want: &Want) -> Over {
        while self.troubles.try_recv().is_ok() {}
        let seat = Arc::clone(&self.seat);
        if matches!(config.kind, Kind::Mcp(_)) {
            self.apply(Happening::Connecting, "", "");
        }
        let connected = async {
            let live = seat.connect(config, &want.spec).await?;
            let tools = live.tools(&want.spec.slug, &config.name, &seat.id).await?;
            Ok::<_, Trouble>((live, tools))
        };
        let connected = tokio::select! {
            biased;
            () = other_than(&mut self.want, want) => return Over::Wanted,
            connected = connected => connected,
        };
        let (live, tools) = match connected {
            Ok((live, tools)) => (Arc::new(live), tools),
            Err(trouble) => return Over::Trouble(trouble),
        };
        let mut changes = live.changes();
        self.saw(want, &tools);
        self.offer(tools);
        self.works();
        seat.live.send_replace(Some(Arc::clone(&live)));
        let over = self.running(config, want, &live, &mut changes).await;
        seat.live.send_replace(None);
        live.close();
        over
    }

    async fn running(&mut self, config: &Config, want: &Want, live: &Arc<Live>, changes: &mut Option<watch::Receiver<u64>>) -> Over {
        let seat = Arc::clone(&self.seat);
        let sleeps = matches!(config.kind, Kind::Mcp(Mcp::Stdio { .. }));
        seat.used_at.store(seat.deps.clock.now().0, Ordering::Relaxed);
        let mut files = seat.want.subscribe();
        loop {
            let left = seat.may_sleep_in();
            tokio::select! {
                biased;
                () = other_than(&mut self.want, want) => return Over::Wanted,
                () = beside(&mut files) => self.works(),
                trouble = live.gone() => return Over::Trouble(trouble),
                Some(trouble) = self.troubles.recv() => match trouble.next {
                    Next::Limp => self.apply(Happening::Degraded, trouble.code, &trouble.message),
                    _ => return Over::Trouble(trouble),
                },
                () = changed(changes) => {
                    match live.tools(&want.spec.slug, &config.name, &seat.id).await {
                        Ok(tools) => {
                            self.saw(want, &tools);
                            self.offer(tools);
                        }
                        Err(trouble) => seat.lines.add("WARN", "tools", &trouble.message),
                    }
                    seat.deps.clock.sleep(TOOLS_EVERY).await;
                }
                () = seat.deps.clock.sleep(left.max(Duration::from_secs(1))), if sleeps => {
                    let busy = seat.calls.load(Ordering::Relaxed) > 0 || seat.deps.questions.waits(&seat.id);
                    if seat.may_sleep_in().is_zero() && !busy {
                        return Over::Unused;
                    }
                }
            }
        }
    }

    /// After a trouble: waits until it is time to try again. Answers whether it is; else something else is wanted.
    async fn may_try_again(&mut self) -> bool {
        let clock = Arc::clone(&self.seat.deps.clock);
        let Some(due) = self.life.due() else {
            // The next round looks at what is wanted then.
            let _ = self.want.changed().await;
            return false;
        };
        let want = self.want.borrow().clone();
        let left = Duration::from_millis(due.0.saturating_sub(clock.now().0));
        tokio::select! {
            biased;
            () = other_than(&mut self.want, &want) => false,
            () = clock.sleep(left) => {
                self.apply(Happening::Due, "", "");
                true
            }
        }
    }

    /// It works; what is wrong with its other files is said.
    fn works(&mut self) {
        let wrong = self.seat.spec().beside.join("; ");
        match wrong.is_empty() {
            true => self.apply(Happening::Running, "", ""),
            false => self.apply(Happening::Degraded, "bad_file", &wrong),
        }
    }

    fn stumble(&mut self, trouble: &Trouble) {
        let what = match &trouble.next {
            Next::Person(action) => Happening::NeedsUser(action.clone()),
            Next::Again => Happening::Fault,
            Next::Limp => Happening::Degraded,
            Next::Stay => Happening::Broken { recoverable: true },
        };
        self.seat.lines.add("WARN", "state", &trouble.message);
        self.apply(what, trouble.code, &trouble.message);
        // While it is tried again its tools stay: a call waits, or is told how it stands.
        if !matches!(self.life.status().state, RunState::Backoff { .. }) {
            self.offer(Vec::new());
        }
    }

    /// From wherever it is to `Starting`.
    fn begin(&mut self) {
        let up = !matches!(
            self.life.status().state,
            RunState::Stopped
                | RunState::Backoff { .. }
                | RunState::Quarantined { .. }
                | RunState::Failed { .. }
                | RunState::NeedsUser { .. }
        );
        if up {
            self.apply(Happening::Stop, "", "");
            self.apply(Happening::Ended, "", "");
        }
        self.apply(Happening::Start, "", "");
    }

    /// Down, with a reason that is no fault.
    fn rest(&mut self, code: &'static str, message: &str) {
        if self.life.status().state != RunState::Stopped {
            self.apply(Happening::Stop, "", "");
            self.apply(Happening::Ended, code, message);
            return;
        }
        let status = Status {
            state: RunState::Stopped,
            code: code.into(),
            message: message.into(),
            since: self.life.status().since,
        };
        self.tell(status);
    }

    fn apply(&mut self, what: Happening, code: &str, message: &str) {
        let (now, random) = (self.seat.deps.clock.now(), self.seat.deps.entropy.next_u64());
        if let Ok(status) = self.life.apply(what, code, message, now, random) {
            let status = status.clone();
            self.tell(status);
        }
    }

    fn tell(&self, status: Status) {
        self.seat.status.send_replace(status.clone());
        self.seat.deps.listener.status(&self.seat.id, status);
    }

    /// Puts tools on offer, or takes them away.
    fn offer(&self, tools: Vec<Named>) {
        if **self.seat.tools.load() != tools {
            self.seat.tools.store(Arc::new(tools));
            self.seat.deps.listener.tools_changed(&self.seat.id);
        }
    }

    /// Remembers tools for the time when the source sleeps.
    fn saw(&mut self, want: &Want, tools: &[Named]) {
        let seen = Seen {
            mark: want.spec.mark.clone(),
            tools: tools.to_vec(),
        };
        if self.seen.as_ref() != Some(&seen) {
            self.seat.deps.listener.seen(&self.seat.id, seen.clone());
            self.seen = Some(seen);
        }
    }
}

/// Resolves when something else is wanted than `want`; that somebody uses a source that is up is nothing else.
async fn other_than(wanted: &mut watch::Receiver<Want>, want: &Want) {
    loop {
        {
            let now = wanted.borrow_and_update();
            let same = now.spec.mark == want.spec.mark && now.spec.config == want.spec.config;
            if !same || now.restarts != want.restarts || now.gone {
                return;
            }
        }
        if wanted.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Resolves when the files beside `config.json` are others.
async fn beside(files: &mut watch::Receiver<Want>) {
    let before = files.borrow_and_update().spec.beside.clone();
    loop {
        if files.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        if files.borrow_and_update().spec.beside != before {
            return;
        }
    }
}

async fn changed(changes: &mut Option<watch::Receiver<u64>>) {
    if let Some(changes) = changes
        && changes.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}
