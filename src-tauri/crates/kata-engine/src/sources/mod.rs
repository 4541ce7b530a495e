//! Sources that files of the workspaces set up, joined to the engine: rows on the board, tools in the palette, secrets and
//! accounts, questions for the person, and what the window and the command line do with them.
//!
//! Neighbours: kata-sources runs them, `files` reads and writes their folders, `trying` judges and tries their tools. A file that
//! changes on disk is looked at by [`FileSources::refresh`], which the watch calls.

mod files;
mod trying;

use crate::Secrets;
use crate::board::Board;
use crate::settings::SettingsFile;
use async_trait::async_trait;
use kata_core::EventHub;
use kata_core::ports::{AccountRef, Accounts, Clock, Entropy, SignInPlace, SignInPlaces};
use kata_core::tasks::Tasks;
use kata_protocol::{Fact, Ms, RunState, SecretState, SourceDetail, SourceId, SourceKind, SourceSummary, Status, WireError};
use kata_sources::{Config, Folder, Kind, Listener, Questions, Seen, SourceSecrets, Sources, SourcesDeps};
use kata_store::{HomePaths, atomic_write, home::workspace_folders};
use secrecy::SecretString;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// File that remembers which tools sources had, so that their programs need not be started to know it.
const SEEN: &str = "sources-seen.json";
/// Largest such file, bytes.
const SEEN_LARGEST: u64 = 16 * 1024 * 1024;

/// Sources of the workspaces.
pub(crate) struct FileSources {
    pub(crate) running: Sources,
    pub(crate) questions: Arc<Questions>,
    accounts: Arc<dyn Accounts>,
    told: Arc<Told>,
    home: HomePaths,
    board: Arc<Board>,
    secrets: Arc<Secrets>,
    settings: Arc<SettingsFile>,
    clock: Arc<dyn Clock>,
}

/// What sources are made with.
pub(crate) struct FileSourcesDeps {
    pub(crate) home: HomePaths,
    pub(crate) board: Arc<Board>,
    pub(crate) events: Arc<EventHub>,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) settings: Arc<SettingsFile>,
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) tasks: Tasks,
}

impl FileSources {
    /// None yet; [`FileSources::refresh`] finds them.
    pub(crate) fn new(deps: FileSourcesDeps) -> Arc<Self> {
        let told = Arc::new(Told {
            board: Arc::clone(&deps.board),
            events: Arc::clone(&deps.events),
            clock: Arc::clone(&deps.clock),
            tasks: deps.tasks.clone(),
            version: AtomicU64::new(0),
            seen: Mutex::new(read_seen(&deps.home)),
            file: deps.home.root().join(SEEN),
            writing: Arc::default(),
        });
        let events = Arc::clone(&deps.events);
        let questions = Questions::new(
            Arc::clone(&deps.clock),
            Arc::clone(&deps.entropy),
            Arc::new(move || events.publish(Fact::ElicitationsChanged {})),
        );
        let (questions, accounts) = (Arc::new(questions), deps.accounts);
        let typed = Typed {
            secrets: Arc::clone(&deps.secrets),
            home: deps.home.clone(),
        };
        let running = Sources::new(SourcesDeps {
            clock: Arc::clone(&deps.clock),
            entropy: deps.entropy,
            tasks: deps.tasks,
            listener: Arc::clone(&told) as _,
            secrets: Arc::new(typed),
            accounts: Arc::clone(&accounts),
            questions: Arc::clone(&questions),
            user_home: deps.home.user_home().to_owned(),
            web: kata_sources::Web::default(),
        });
        Arc::new(Self {
            running,
            questions,
            accounts,
            told,
            home: deps.home,
            board: deps.board,
            secrets: deps.secrets,
            settings: deps.settings,
            clock: deps.clock,
        })
    }

    /// Changes with the tools of any source.
    pub(crate) fn version(&self) -> u64 {
        self.told.version.load(Ordering::Acquire)
    }

    /// Whether a row of the board is one of these.
    pub(crate) fn has(&self, source: &SourceSummary) -> bool {
        source.plugin.is_none() && matches!(source.kind, SourceKind::Mcp | SourceKind::Api | SourceKind::Local)
    }

    /// Looks at the folders of every workspace, and brings up, changes and takes away accordingly. What is as it was is left
    /// alone.
    pub(crate) fn refresh(&self) {
        let now = self.clock.now();
        let mut ids = BTreeSet::new();
        for workspace in workspace_folders(&self.home) {
            for path in kata_store::home::source_folders(&workspace) {
                let Some(folder) = Folder::read(&path) else { continue };
                let kind = self.kind(&folder, workspace.id.as_str());
                let Ok(id) = SourceId::new(format!("{}:{}:{}", prefix(kind), workspace.id, folder.slug)) else {
                    continue;
                };
                ids.insert(id.clone());
                self.board.put(row(&id, kind, &workspace.id, &folder, now));
                let seen = self.told.seen(&id);
                self.running.put(&id, &workspace.id, &workspace.path, &folder, seen);
            }
        }
        self.running.keep(&ids);
        self.board.retain(|s| !self.has(s) || ids.contains(&s.id));
    }

    /// What a source is; where its file does not say so any more, what it was.
    fn kind(&self, folder: &Folder, workspace: &str) -> SourceKind {
        let named = |text: Option<&str>| match text {
            Some("mcp") => Some(SourceKind::Mcp),
            Some("api") => Some(SourceKind::Api),
            Some("local") => Some(SourceKind::Local),
            _ => None,
        };
        let before = || {
            [SourceKind::Mcp, SourceKind::Api, SourceKind::Local].into_iter().find(|kind| {
                let id = SourceId::new(format!("{}:{workspace}:{}", prefix(*kind), folder.slug));
                id.is_ok_and(|id| self.board.get(&id).is_ok())
            })
        };
        let config = folder.config.as_ref().ok().map(|c| match c.kind {
            Kind::Mcp(_) => SourceKind::Mcp,
            Kind::Api(_) => SourceKind::Api,
            Kind::Local(_) => SourceKind::Local,
        });
        config
            .or_else(|| named(folder.document.get("type").and_then(Value::as_str)))
            .or_else(before)
            .unwrap_or(SourceKind::Mcp)
    }

    /// Adds what is known of such a source to its page.
    pub(crate) async fn fill_in(&self, detail: &mut SourceDetail) {
        let id = detail.summary.id.clone();
        detail.tools = self.running.tools_of(&id).into_iter().map(|t| t.name).collect();
        detail.log = self.running.log(&id);
        let names = self.running.secrets(&id);
        let typed = Typed {
            secrets: Arc::clone(&self.secrets),
            home: self.home.clone(),
        };
        for name in names {
            let set = typed.secret(&id, &name).await.is_some();
            detail.secrets.push(SecretState { name, set });
        }
    }

    /// Sets or removes a secret, and starts the source anew.
    pub(crate) async fn set_secret(&self, source: &SourceSummary, name: &str, value: Option<String>) -> Result<(), WireError> {
        let names = self.running.secrets(&source.id);
        if !names.iter().any(|n| n == name) {
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(
                WireError::invalid(format!("“name”: “{}” has no secret “{name}”; it has: {known}", source.name))
                    .hint("authType in config.json says which; others are written as ${secret:NAME} in env or headers"),
            );
        }
        self.keep_secret(&source.id, name, value.map(SecretString::from)).await?;
        self.running.restart(&source.id);
        Ok(())
    }

    async fn keep_secret(&self, id: &SourceId, name: &str, value: Option<SecretString>) -> Result<(), WireError> {
        let (secrets, account) = (Arc::clone(&self.secrets), account_of(id, name));
        tokio::task::spawn_blocking(move || secrets.set(&account, value))
            .await
            .map_err(|_| WireError::internal("the secret store failed"))??;
        Ok(())
    }
}

#[async_trait]
impl SignInPlaces for FileSources {
    async fn place(&self, source: &SourceId, redirect: Option<&str>) -> Result<Option<SignInPlace>, WireError> {
        let granted = match self.running.account(source) {
            Some(account) => self.accounts.token(&account, &[]).await.map(|t| t.scopes).unwrap_or_default(),
            None => Vec::new(),
        };
        let settings = self.settings.get();
        let published = settings.oauth.client_metadata.as_deref();
        self.running.sign_in_place(source, redirect, &granted, published).await
    }

    fn account_of(&self, source: &SourceId) -> Option<AccountRef> {
        self.running.account(source)
    }

    async fn changed(&self, source: &SourceId) {
        self.running.restart(source);
    }
}

/// Beginning of a source's id.
fn prefix(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Api => "api",
        SourceKind::Local => "local",
        SourceKind::Mcp | SourceKind::Channel | SourceKind::Service => "mcp",
    }
}

/// A row as its files say; where it stands is told by what runs.
fn row(id: &SourceId, kind: SourceKind, workspace: &kata_protocol::WorkspaceId, folder: &Folder, now: Ms) -> SourceSummary {
    let config: Option<&Config> = folder.config.as_ref().ok();
    let text = |key: &str| folder.document.get(key).and_then(Value::as_str).map(str::to_owned);
    SourceSummary {
        id: id.clone(),
        kind,
        name: config
            .map(|c| c.name.clone())
            .or_else(|| text("name"))
            .unwrap_or_else(|| folder.slug.clone()),
        tagline: text("tagline"),
        icon: text("icon"),
        workspace: Some(workspace.clone()),
        plugin: None,
        enabled: config.is_none_or(|c| c.enabled),
        status: Status::plain(RunState::Stopped, now),
        last_activity: None,
    }
}

/// Name under which a source's secret is kept.
fn account_of(id: &SourceId, name: &str) -> String {
    format!("source/{id}/{name}")
}

/// Hears of sources and tells the board and the clients.
struct Told {
    board: Arc<Board>,
    events: Arc<EventHub>,
    clock: Arc<dyn Clock>,
    tasks: Tasks,
    version: AtomicU64,
    seen: Mutex<BTreeMap<SourceId, Seen>>,
    file: PathBuf,
    /// One writer at a time; the last one writes what is true then.
    writing: Arc<tokio::sync::Mutex<()>>,
}

impl Told {
    fn seen(&self, id: &SourceId) -> Option<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }
}

impl Listener for Told {
    fn status(&self, source: &SourceId, status: Status) {
        self.board.status(source, status);
    }

    fn tools_changed(&self, source: &SourceId) {
        self.version.fetch_add(1, Ordering::AcqRel);
        if let Ok((source, _)) = self.board.get(source) {
            self.events.publish(Fact::SourceChanged { source });
        }
    }

    fn activity(&self, source: &SourceId) {
        self.board.activity(source, self.clock.now());
    }

    fn seen(&self, source: &SourceId, seen: Seen) {
        let all = {
            let mut all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            all.insert(source.clone(), seen);
            all.iter()
                .map(|(id, seen)| (id.to_string(), seen.clone()))
                .collect::<BTreeMap<_, _>>()
        };
        let (file, writing) = (self.file.clone(), Arc::clone(&self.writing));
        self.tasks.spawn("remember tools of sources", async move {
            let _writing = writing.lock().await;
            let written = tokio::task::spawn_blocking(move || {
                let bytes = serde_json::to_vec(&all).unwrap_or_default();
                atomic_write(&file, &bytes, 0o600)
            });
            if let Ok(Err(error)) = written.await {
                tracing::warn!(%error, "the tools of sources were not remembered; their programs are started at the next start");
            }
        });
    }
}

fn read_seen(home: &HomePaths) -> BTreeMap<SourceId, Seen> {
    let file = home.root().join(SEEN);
    if std::fs::metadata(&file).is_ok_and(|meta| meta.len() > SEEN_LARGEST) {
        return BTreeMap::new();
    }
    let text = std::fs::read(file).unwrap_or_default();
    let all: BTreeMap<String, Seen> = serde_json::from_slice(&text).unwrap_or_default();
    all.into_iter()
        .filter_map(|(id, seen)| Some((SourceId::new(id).ok()?, seen)))
        .collect()
}

/// Secrets a person typed in; and those of the earlier app, as they were taken over.
struct Typed {
    secrets: Arc<Secrets>,
    home: HomePaths,
}

#[async_trait]
impl SourceSecrets for Typed {
    async fn secret(&self, source: &SourceId, name: &str) -> Option<SecretString> {
        let (secrets, home) = (Arc::clone(&self.secrets), self.home.clone());
        let (source, name) = (source.clone(), name.to_owned());
        let found = tokio::task::spawn_blocking(move || {
            secrets
                .get(&account_of(&source, &name))
                .or_else(|| of_the_earlier_app(&secrets, &home, &source, &name))
        });
        found.await.ok().flatten()
    }
}

/// The earlier app's accounts are `source_KIND::{name of the workspace's folder}::{slug}`.
fn of_the_earlier_app(secrets: &Secrets, home: &HomePaths, source: &SourceId, name: &str) -> Option<SecretString> {
    use secrecy::ExposeSecret;
    let (_, workspace, slug) = parts(source)?;
    let workspace = workspace_folders(home).into_iter().find(|w| w.id.as_str() == workspace)?;
    let folder = workspace.path.file_name()?.to_str()?.to_owned();
    let old = |kind: &str| secrets.get(&format!("imported/source_{kind}::{folder}::{slug}"));
    match name {
        "token" => old("bearer").or_else(|| old("apikey")),
        "username" | "password" => {
            let both: Value = serde_json::from_str(old("basic")?.expose_secret()).ok()?;
            both.get(name).and_then(Value::as_str).map(|v| SecretString::from(v.to_owned()))
        }
        _ => None,
    }
}

/// Kind, workspace and slug of an id that was made here.
fn parts(id: &SourceId) -> Option<(&str, &str, &str)> {
    let mut parts = id.as_str().splitn(3, ':');
    Some((parts.next()?, parts.next()?, parts.next()?))
}
