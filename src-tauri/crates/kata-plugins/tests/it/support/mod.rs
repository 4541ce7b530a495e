//! A host with a fake engine behind it, and plugins written into a temporary folder.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, dead_code, unreachable_pub)]

use async_trait::async_trait;
use kata_core::lifecycle::Policy;
use kata_core::ports::{
    AccountError, AccountToken, Clock, Content, Entropy, FilesRoot, HookFault, Hooks, MediaError, NewMedia, PluginBackend, PluginPart,
    ToolOutcome, ToolRequest, Tools,
};
use kata_plugins::{Candidate, Discovery, HostOptions, NetworkPolicy, PluginError, PluginHost, discover};
use kata_protocol::{
    AccountId, ButtonPress, CallId, ChannelId, ChannelNotice, ChatType, ConversationId, DirectMessage, ErrorCode, HookName, InboundDraft,
    IngressAnswer, Json, KnownConversation, Media, Ms, PluginFault, PluginId, PluginOrigin, PressAnswer, RunState, SessionId, Status,
    TurnId, WireError,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub struct RealClock(Instant);

#[async_trait]
impl Clock for RealClock {
    fn now(&self) -> Ms {
        Ms(1_000_000 + u64::try_from(self.0.elapsed().as_millis()).unwrap())
    }
    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap()
    }
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

pub struct Zero;

impl Entropy for Zero {
    fn next_u64(&self) -> u64 {
        0
    }
}

/// Plugin, session, text, key.
pub type Submitted = (String, String, String, Option<String>);

/// Plugin, channel, message and key of what was sent to a conversation.
pub type Directed = (String, String, DirectMessage, Option<String>);

/// What plugins did, and what they get.
#[derive(Default)]
pub struct Backend {
    pub drafts: Mutex<Vec<(ChannelId, InboundDraft)>>,
    pub state: Mutex<BTreeMap<String, Value>>,
    pub secrets: Mutex<BTreeMap<String, String>>,
    pub statuses: Mutex<Vec<(PluginId, PluginPart, Status)>>,
    pub logs: Mutex<Vec<(String, String)>>,
    pub faults: Mutex<Vec<(PluginId, PluginFault)>>,
    pub submitted: Mutex<Vec<Submitted>>,
    pub presses: Mutex<Vec<ButtonPress>>,
    pub notices: Mutex<Vec<ChannelNotice>>,
    /// Plugin, channel, message, key.
    pub directed: Mutex<Vec<Directed>>,
    pub emitted: Mutex<Vec<(String, String, Value)>>,
    /// Files on their way.
    pub media: Mutex<Vec<(Media, Vec<u8>)>>,
    /// Folder that holds `services` and `workspace`.
    pub files: Mutex<Option<PathBuf>>,
    pub changed: Notify,
    /// Tokens by provider.
    pub accounts: Mutex<BTreeMap<String, String>>,
}

#[async_trait]
impl PluginBackend for Backend {
    async fn ingest(&self, _plugin: &PluginId, channel: &ChannelId, draft: InboundDraft) -> Result<IngressAnswer, WireError> {
        self.drafts.lock().unwrap().push((channel.clone(), draft));
        self.changed.notify_waiters();
        Ok(IngressAnswer::Admitted)
    }
    async fn press(&self, _plugin: &PluginId, channel: &ChannelId, press: ButtonPress) -> Result<PressAnswer, WireError> {
        let text = format!("{channel}: {}", press.button);
        self.presses.lock().unwrap().push(press);
        Ok(PressAnswer { text, done: true })
    }
    async fn notice(&self, _plugin: &PluginId, _channel: &ChannelId, notice: ChannelNotice) -> Result<(), WireError> {
        self.notices.lock().unwrap().push(notice);
        Ok(())
    }
    async fn conversations(&self, _plugin: &PluginId, channel: &ChannelId) -> Result<Vec<KnownConversation>, WireError> {
        Ok(vec![KnownConversation {
            account: AccountId::new("a").unwrap(),
            id: ConversationId::new("C1").unwrap(),
            name: format!("general of {channel}"),
            chat_type: ChatType::Group,
        }])
    }
    async fn direct(&self, plugin: &PluginId, channel: &ChannelId, message: DirectMessage, key: Option<String>) -> Result<(), WireError> {
        let refused = |code| Err(WireError::new(code, format!("not to “{}”", message.to)));
        match message.to.as_str() {
            "stranger" => return refused(ErrorCode::Forbidden),
            "twice" => return refused(ErrorCode::Conflict),
            _ => {}
        }
        let directed = (plugin.to_string(), channel.to_string(), message, key);
        self.directed.lock().unwrap().push(directed);
        Ok(())
    }
    async fn state_get(&self, plugin: &PluginId, key: &str) -> Result<Option<Json>, WireError> {
        Ok(self.state.lock().unwrap().get(&format!("{plugin}/{key}")).cloned().map(Json))
    }
    async fn state_set(&self, plugin: &PluginId, key: &str, value: Option<Json>) -> Result<(), WireError> {
        let mut state = self.state.lock().unwrap();
        let key = format!("{plugin}/{key}");
        match value {
            Some(value) => state.insert(key, value.0),
            None => state.remove(&key),
        };
        Ok(())
    }
    async fn secret(&self, plugin: &PluginId, name: &str) -> Result<Option<String>, WireError> {
        Ok(self.secrets.lock().unwrap().get(&format!("{plugin}/{name}")).cloned())
    }
    async fn secret_set(&self, plugin: &PluginId, name: &str, value: Option<String>) -> Result<(), WireError> {
        let mut secrets = self.secrets.lock().unwrap();
        let key = format!("{plugin}/{name}");
        match value {
            Some(value) => secrets.insert(key, value),
            None => secrets.remove(&key),
        };
        Ok(())
    }
    async fn oauth_token(&self, _plugin: &PluginId, provider: &str, scopes: &[String]) -> Result<AccountToken, AccountError> {
        let account = self.accounts.lock().unwrap().get(provider).cloned();
        let access = account.ok_or_else(|| AccountError::NeedsUser {
            code: "signed_out",
            message: format!("nobody is signed in at {provider}"),
        })?;
        Ok(AccountToken {
            access: access.into(),
            expires_at: Some(Ms(7)),
            scopes: scopes.to_vec(),
            account: None,
        })
    }
    async fn oauth_refused(&self, plugin: &PluginId, provider: &str, access: SecretString) -> Result<(), AccountError> {
        let mut accounts = self.accounts.lock().unwrap();
        if accounts.get(provider).is_some_and(|token| token == access.expose_secret()) {
            accounts.insert(provider.to_owned(), format!("renewed for {plugin}"));
        }
        Ok(())
    }
    fn route_url(&self, plugin: &PluginId, path: &str) -> Option<String> {
        Some(format!("http://127.0.0.1:1/hooks/{plugin}/{path}"))
    }
    async fn sessions(&self, _plugin: &PluginId) -> Result<Vec<kata_protocol::SessionSummary>, WireError> {
        Ok(Vec::new())
    }
    async fn submit(
        &self,
        plugin: &PluginId,
        session: &SessionId,
        text: String,
        key: Option<String>,
    ) -> Result<kata_protocol::SessionSubmitted, WireError> {
        let mut submitted = self.submitted.lock().unwrap();
        submitted.push((plugin.to_string(), session.to_string(), text, key));
        Ok(serde_json::from_value(json!({ "message": "m1", "trace": "t1" })).unwrap())
    }
    async fn media_put(&self, _plugin: &PluginId, info: NewMedia, mut content: Content, most: u64) -> Result<Media, MediaError> {
        let mut bytes = Vec::new();
        while let Some(piece) = futures::StreamExt::next(&mut content).await {
            bytes.extend(piece?);
            if bytes.len() as u64 > most {
                return Err(MediaError::TooLarge { limit: most });
            }
        }
        let mut media = self.media.lock().unwrap();
        let mime = kata_core::files::mime_of(&info.name, info.mime.as_deref(), &bytes);
        let kept = Media {
            id: kata_protocol::MediaId::new(format!("m{}", media.len())).unwrap(),
            kind: info.kind.unwrap_or_else(|| kata_core::files::kind_of(&mime)),
            name: info.name,
            mime,
            bytes: kata_protocol::Count(bytes.len() as u64),
        };
        media.push((kept.clone(), bytes));
        Ok(kept)
    }
    async fn media_read(&self, _plugin: &PluginId, id: &kata_protocol::MediaId) -> Result<Vec<u8>, MediaError> {
        let media = self.media.lock().unwrap();
        let found = media.iter().find(|(kept, _)| kept.id == *id);
        found
            .map(|(_, bytes)| bytes.clone())
            .ok_or_else(|| MediaError::NotFound(id.to_string()))
    }
    fn emit(&self, plugin: &PluginId, name: &str, payload: Json) {
        self.emitted.lock().unwrap().push((plugin.to_string(), name.to_owned(), payload.0));
    }
    fn folder(&self, plugin: &PluginId, root: FilesRoot) -> Result<PathBuf, WireError> {
        let home = self.files.lock().unwrap().clone().unwrap();
        Ok(match root {
            FilesRoot::State => home.join("services").join(plugin.as_str()),
            FilesRoot::Workspace(_) => home.join("workspace"),
        })
    }
    fn status(&self, plugin: &PluginId, part: PluginPart, status: Status) {
        self.statuses.lock().unwrap().push((plugin.clone(), part, status));
        self.changed.notify_waiters();
    }
    fn log(&self, _plugin: &PluginId, level: &str, message: &str) {
        self.logs.lock().unwrap().push((level.to_owned(), message.to_owned()));
        self.changed.notify_waiters();
    }
    fn fault(&self, plugin: &PluginId, fault: PluginFault) {
        self.faults.lock().unwrap().push((plugin.clone(), fault));
        self.changed.notify_waiters();
    }
}

pub struct Bench {
    pub host: Arc<PluginHost>,
    pub backend: Arc<Backend>,
    pub home: tempfile::TempDir,
}

/// Limits for tests: a retry comes soon, and a stuck thread is given up soon.
pub fn quick() -> HostOptions {
    HostOptions {
        policy: Policy {
            first_delay_ms: 40,
            max_delay_ms: 200,
            ..Policy::default()
        },
        stop_timeout: Duration::from_secs(2),
        drain: Duration::from_secs(3),
        load_timeout: Duration::from_secs(5),
        stuck: Duration::from_secs(5),
        ..HostOptions::default()
    }
}

impl Bench {
    pub fn new() -> Self {
        Self::with(quick())
    }

    pub fn with(options: HostOptions) -> Self {
        let backend = Arc::new(Backend::default());
        let host = PluginHost::new(
            Arc::clone(&backend) as Arc<dyn PluginBackend>,
            Arc::new(RealClock(Instant::now())),
            Arc::new(Zero),
            options,
        );
        Self {
            host,
            backend,
            home: tempfile::tempdir().unwrap(),
        }
    }

    pub fn root(&self) -> PathBuf {
        self.home.path().canonicalize().unwrap()
    }

    /// Writes a plugin's files and looks it up.
    pub fn write(&self, id: &str, manifest: &Value, files: &[(&str, &str)]) -> Candidate {
        let folder = self.root().join(id);
        std::fs::create_dir_all(&folder).unwrap();
        if !manifest.is_null() {
            std::fs::write(folder.join("kata-plugin.json"), manifest.to_string()).unwrap();
        }
        for (name, text) in files {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let found = self.discover();
        let dropped: Vec<String> = found
            .dropped
            .iter()
            .map(|d| format!("{}: {}", d.path.display(), d.reason))
            .collect();
        found
            .found
            .into_iter()
            .find(|c| c.folder == folder)
            .unwrap_or_else(|| panic!("{id} was not found: {dropped:?}"))
    }

    pub fn discover(&self) -> Discovery {
        discover(&[(PluginOrigin::Global, self.root())])
    }

    /// Activates with everything it asks for granted.
    pub async fn activate(&self, candidate: Candidate) -> Result<(), PluginError> {
        let granted = candidate.manifest.capabilities.clone();
        self.host.activate(candidate, json!({}), granted, NetworkPolicy::default()).await
    }

    /// A plugin whose whole module is `body`, with one tool named like the plugin allowed, and every hook.
    pub async fn run(&self, id: &str, body: &str) -> Result<(), PluginError> {
        let candidate = self.write(id, &manifest(id), &[("index.ts", body)]);
        self.activate(candidate).await
    }

    pub async fn tool(&self, name: &str, params: Value) -> ToolOutcome {
        self.host.call(request(name, params)).await
    }

    /// Calls the hooks of an event in order, as the core would; the answers.
    pub async fn hooks(&self, event: HookName, payload: Value, limit: Duration) -> Vec<(String, Result<Option<String>, HookFault>)> {
        let mut out = Vec::new();
        for handler in self.host.handlers(event).iter() {
            let answer = handler.invoke.invoke(payload.to_string().into(), limit).await;
            out.push((handler.plugin.to_string(), answer));
        }
        out
    }

    /// Waits until something the backend saw makes `seen` true.
    pub async fn until(&self, what: &str, seen: impl Fn(&Backend) -> bool) {
        let wait = async {
            loop {
                let changed = self.backend.changed.notified();
                if seen(&self.backend) {
                    return;
                }
                changed.await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(20), wait).await.is_err() {
            let faults = self.backend.faults.lock().unwrap();
            let statuses = self.backend.statuses.lock().unwrap();
            panic!("never came: {what}\nfaults: {faults:#?}\nstatuses: {statuses:#?}");
        }
    }

    pub async fn fault(&self, kind: &str) -> PluginFault {
        self.until(&format!("fault {kind}"), |b| {
            b.faults.lock().unwrap().iter().any(|(_, f)| f.kind == kind)
        })
        .await;
        let faults = self.backend.faults.lock().unwrap();
        faults.iter().rev().find(|(_, f)| f.kind == kind).map(|(_, f)| f.clone()).unwrap()
    }

    pub async fn state_of(&self, part: PluginPart, wanted: fn(&RunState) -> bool) {
        self.until(&format!("a state of {part:?}"), |b| {
            b.statuses
                .lock()
                .unwrap()
                .iter()
                .rev()
                .find(|s| s.1 == part)
                .is_some_and(|s| wanted(&s.2.state))
        })
        .await;
    }

    /// The newest state of a part.
    pub fn state(&self, part: PluginPart) -> Option<RunState> {
        let statuses = self.backend.statuses.lock().unwrap();
        statuses.iter().rev().find(|s| s.1 == part).map(|s| s.2.state.clone())
    }

    pub fn fault_kinds(&self) -> Vec<String> {
        self.backend.faults.lock().unwrap().iter().map(|(_, f)| f.kind.clone()).collect()
    }
}

pub fn id(text: &str) -> PluginId {
    PluginId::new(text).unwrap()
}

pub fn channel(text: &str) -> ChannelId {
    ChannelId::new(text).unwrap()
}

pub fn request(name: &str, params: Value) -> ToolRequest {
    ToolRequest {
        workspace: kata_protocol::WorkspaceId::new("w").unwrap(),
        working_directory: None,
        mode: kata_protocol::PermissionMode::AllowAll,
        session: SessionId::new("260101-a-b").unwrap(),
        turn: TurnId::new("t").unwrap(),
        call_id: CallId::new("c").unwrap(),
        name: name.to_owned(),
        params,
        cancel: CancellationToken::new(),
    }
}

/// A manifest that contributes a tool, a channel, a service and a command named like the plugin, and every hook.
pub fn manifest(id: &str) -> Value {
    json!({
        "id": id, "name": id, "version": "1.0.0", "api": "1",
        "contributes": {
            "tools": [id], "channels": [id], "services": [id], "commands": [id],
            "hooks": HookName::ALL.map(HookName::as_str),
        },
        "capabilities": ["hooks:conversation", "hooks:gate", "secret:token"],
    })
}

/// A module with one tool whose body is `body`.
pub fn tool_module(id: &str, body: &str) -> String {
    format!(
        "export default (api) => {{ api.registerTool({{ name: '{id}', description: 'd', parameters: {{ type: 'object' }},\n\
         execute(args, ctx) {{ {body} }} }}); }};"
    )
}

/// A module with the channel `c`, whose `connect` is `body`.
pub fn channel_module(body: &str) -> String {
    format!(
        "export default (api) => {{ api.registerChannel({{ id: 'c', meta: {{ label: 'C' }}, capabilities: {{}}, outbound: {{ send() {{}} }},\n\
         messaging: {{ async connect(ctx) {{ {body} }} }} }}); }};"
    )
}

pub fn write_into(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}
