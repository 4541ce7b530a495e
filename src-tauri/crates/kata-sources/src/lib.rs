//! Floor 2: sources that files set up. Servers of the Model Context Protocol, HTTP APIs and folders, each with its own state, its
//! tools on offer while it works, and its errors told on it alone.
//!
//! [`Sources`] holds them all; [`Folder`] reads one from disk; [`Questions`] are what servers ask the person. Neighbours:
//! kata-core's ports above, the SDK of the protocol below, which no other crate names. Deliberately absent: writing files,
//! keeping secrets, who may call what (kata-tools), and the sign-in itself (kata-oauth).

mod api;
mod config;
mod folder;
mod live;
mod local;
mod log;
mod mcp;
mod ports;
mod questions;
mod seat;
mod trouble;
mod web;

#[cfg(test)]
mod testing;

pub use config::{Api, ApiAuth, Config, Kind, Local, Mcp, McpAuth, TestEndpoint, is_slug};
pub use folder::{Folder, permission_errors};
pub use ports::{Listener, SourceSecrets};
pub use questions::{PATIENCE, Questions};
pub use trouble::{Next, Trouble};
pub use web::Web;

use kata_core::ports::{AccountRef, Accounts, Clock, Entropy, SignInPlace, ToolOutcome, ToolRequest};
use kata_core::tasks::Tasks;
use kata_protocol::{ErrorCode, LogRecord, Probe, SourceId, Status, ToolInfo, WireError, WorkspaceId};
use mcp::Named;
use seat::{Seat, Spec};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Longest guide that the model is given, bytes.
const GUIDE: usize = 8 * 1024;
/// Longest guides of a workspace together, bytes.
const GUIDES: usize = 32 * 1024;

/// What sources work with.
pub struct SourcesDeps {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Spreads retries, and names questions.
    pub entropy: Arc<dyn Entropy>,
    /// Tasks.
    pub tasks: Tasks,
    /// Where it is told how they stand.
    pub listener: Arc<dyn Listener>,
    /// Secrets a person typed in.
    pub secrets: Arc<dyn SourceSecrets>,
    /// Accounts somebody signed in with.
    pub accounts: Arc<dyn Accounts>,
    /// Questions for the person.
    pub questions: Arc<Questions>,
    /// The person's home folder.
    pub user_home: PathBuf,
    /// HTTP for servers and APIs.
    pub web: Web,
}

/// The tools a source was seen to have, and by which way of reaching it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    mark: String,
    #[serde(with = "seen_tools")]
    tools: Vec<Named>,
}

mod seen_tools {
    use super::Named;
    use kata_protocol::ToolInfo;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(tools: &[Named], to: S) -> Result<S::Ok, S::Error> {
        tools.iter().map(|t| (&t.server, &t.info)).collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Named>, D::Error> {
        let tools = Vec::<(String, ToolInfo)>::deserialize(from)?;
        Ok(tools.into_iter().map(|(server, info)| Named { server, info }).collect())
    }
}

/// All sources.
pub struct Sources {
    deps: Arc<SourcesDeps>,
    seats: Mutex<BTreeMap<SourceId, Arc<Seat>>>,
}

impl Sources {
    /// None.
    pub fn new(deps: SourcesDeps) -> Self {
        Self {
            deps: Arc::new(deps),
            seats: Mutex::default(),
        }
    }

    /// Adds a source, or changes it to what its files say now. One that is switched on is brought up, behind this call.
    pub fn put(&self, id: &SourceId, workspace: &WorkspaceId, home: &Path, folder: &Folder, seen: Option<Seen>) {
        let mark = folder
            .config
            .as_ref()
            .map_or_else(|errors| errors.join("\n"), |c| format!("{:?}", c.kind));
        let digest = Sha256::digest(format!("{}\n{mark}", folder.slug));
        let spec = Spec {
            config: folder.config.clone(),
            guide: folder.guide.clone(),
            beside: folder.beside.clone(),
            slug: folder.slug.clone(),
            home: home.to_owned(),
            mark: digest.iter().take(8).map(|b| format!("{b:02x}")).collect(),
        };
        let mut seats = self.lock();
        match seats.get(id) {
            Some(seat) => seat.set(spec),
            None => {
                let seat = Seat::open(id.clone(), workspace.clone(), spec, seen, &self.deps);
                seats.insert(id.clone(), seat);
            }
        }
    }

    /// Takes away those that are not named.
    pub fn keep(&self, ids: &BTreeSet<SourceId>) {
        let gone: Vec<_> = {
            let mut seats = self.lock();
            let gone = seats.keys().filter(|id| !ids.contains(*id)).cloned().collect::<Vec<_>>();
            gone.iter().filter_map(|id| seats.remove(id)).collect()
        };
        for seat in &gone {
            seat.remove();
        }
    }

    /// Tools on offer in a workspace, by source and in the source's own order.
    pub fn tools(&self, workspace: &WorkspaceId) -> Vec<ToolInfo> {
        let seats: Vec<_> = self.lock().values().filter(|s| s.workspace == *workspace).cloned().collect();
        seats
            .iter()
            .flat_map(|s| s.tools().iter().map(|t| t.info.clone()).collect::<Vec<_>>())
            .collect()
    }

    /// Tools on offer in any workspace.
    pub fn all_tools(&self) -> Vec<ToolInfo> {
        let seats: Vec<_> = self.lock().values().cloned().collect();
        seats
            .iter()
            .flat_map(|s| s.tools().iter().map(|t| t.info.clone()).collect::<Vec<_>>())
            .collect()
    }

    /// One source's tools on offer.
    pub fn tools_of(&self, id: &SourceId) -> Vec<ToolInfo> {
        let seat = self.seat(id);
        seat.map(|s| s.tools().iter().map(|t| t.info.clone()).collect()).unwrap_or_default()
    }

    /// Runs a tool of the request's workspace. Always answers.
    pub async fn call(&self, request: &ToolRequest) -> ToolOutcome {
        let seats: Vec<_> = self.lock().values().filter(|s| s.workspace == request.workspace).cloned().collect();
        let found = seats.into_iter().find_map(|seat| {
            let tools = seat.tools();
            let tool = tools.iter().find(|t| t.info.name == request.name)?;
            Some((seat, tool.server.clone()))
        });
        match found {
            Some((seat, tool)) => seat.call(&tool, request).await,
            None => ToolOutcome {
                text: format!(
                    "There is no tool “{}” now: its source is switched off, or does not work.",
                    request.name
                ),
                is_error: true,
            },
        }
    }

    /// Guides of the sources whose tools are on offer, for the model; what is too long is cut and says so.
    pub fn guides(&self, workspace: &WorkspaceId) -> Vec<String> {
        let seats: Vec<_> = self.lock().values().filter(|s| s.workspace == *workspace).cloned().collect();
        let mut left = GUIDES;
        let mut guides = Vec::new();
        for seat in seats.iter().filter(|s| !s.tools().is_empty()) {
            let spec = seat.spec();
            let Some(guide) = spec.guide.as_deref().map(str::trim).filter(|g| !g.is_empty()) else {
                continue;
            };
            let mut at = guide.len().min(GUIDE).min(left);
            while !guide.is_char_boundary(at) {
                at -= 1;
            }
            left -= at;
            let cut = if at < guide.len() { "\n[Cut: the guide is longer.]" } else { "" };
            guides.push(format!(
                "Guide of the source “{}” (its tools begin with mcp__{}__):\n{}{cut}",
                seat.name(),
                spec.slug,
                &guide[..at]
            ));
        }
        guides
    }

    /// How a source stands.
    pub fn status(&self, id: &SourceId) -> Option<Status> {
        self.seat(id).map(|s| s.status())
    }

    /// Starts a source anew; earlier faults are forgotten.
    pub fn restart(&self, id: &SourceId) {
        if let Some(seat) = self.seat(id) {
            seat.restart();
        }
    }

    /// A source's newest lines, newest first.
    pub fn log(&self, id: &SourceId) -> Vec<LogRecord> {
        self.seat(id).map(|s| s.lines.newest()).unwrap_or_default()
    }

    /// The account a source signs in with, where it does.
    pub fn account(&self, id: &SourceId) -> Option<AccountRef> {
        self.seat(id).and_then(|s| s.account())
    }

    /// Scopes that an API's file names.
    pub fn scopes(&self, id: &SourceId) -> Vec<String> {
        let spec = self.seat(id).map(|s| s.spec());
        match spec.as_ref().and_then(|s| s.config.as_ref().ok()).map(|c| &c.kind) {
            Some(Kind::Api(Api {
                auth: ApiAuth::Oauth { scopes, .. },
                ..
            })) => scopes.clone(),
            _ => Vec::new(),
        }
    }

    /// Names of the secrets a source needs.
    pub fn secrets(&self, id: &SourceId) -> Vec<String> {
        let spec = self.seat(id).map(|s| s.spec());
        spec.and_then(|s| s.config.as_ref().ok().map(secrets_of)).unwrap_or_default()
    }

    /// Asks the other side whether the source could work, apart from what runs.
    pub async fn test(&self, id: &SourceId) -> Result<Probe, WireError> {
        let seat = self.seat(id).ok_or_else(|| WireError::not_found("source", id))?;
        let spec = seat.spec();
        let began = self.deps.clock.monotonic_us();
        let tried = match &spec.config {
            Err(errors) => Err(Trouble::stay("bad_file", errors.join("; "))),
            Ok(config) => self.tried(&seat, config, &spec).await,
        };
        let took = self.deps.clock.monotonic_us().saturating_sub(began) / 1000;
        Ok(Probe {
            ok: tried.is_ok(),
            latency_ms: u32::try_from(took).unwrap_or(u32::MAX),
            message: tried.unwrap_or_else(|trouble| trouble.message),
        })
    }

    async fn tried(&self, seat: &Arc<Seat>, config: &Config, spec: &Spec) -> Result<String, Trouble> {
        let live = Arc::new(seat.connect(config, spec).await?);
        let told = match &*live {
            live::Live::Api(door) => door.test().await,
            _ => live
                .tools(&spec.slug, &config.name, &seat.id)
                .await
                .map(|tools| format!("It answers, with {} tool{}.", tools.len(), if tools.len() == 1 { "" } else { "s" })),
        };
        live.close();
        told
    }

    /// Where a remote server signs people in, found by asking it; and this app's id there: what the file names, else the address at
    /// which the app is `published` where the server takes such, else one that is registered now. `None` for every other source.
    ///
    /// # Errors
    /// The server does not say, or takes nobody in.
    pub async fn sign_in_place(
        &self,
        id: &SourceId,
        redirect: Option<&str>,
        granted: &[String],
        published: Option<&str>,
    ) -> Result<Option<SignInPlace>, WireError> {
        let Some(seat) = self.seat(id) else { return Ok(None) };
        let spec = seat.spec();
        let Ok(config) = &spec.config else { return Ok(None) };
        let Kind::Mcp(Mcp::Remote {
            url,
            sse,
            auth: McpAuth::Oauth {
                client_id,
                machine,
                issuer,
            },
            ..
        }) = &config.kind
        else {
            return Ok(None);
        };
        let Some(account) = seat.account() else { return Ok(None) };
        let server = seat.challenges.asked().unwrap_or_else(|| mcp::first_place(url, *sse));
        let challenge = seat.challenges.last().map(|c| c.header);
        let secret = |name: &'static str| self.deps.secrets.secret(id, name);
        let client_key = if *machine { secret("clientKey").await } else { None };
        let client_secret: Option<SecretString> = match client_id {
            Some(_) if client_key.is_none() => secret("clientSecret").await,
            _ => None,
        };
        if *machine && client_secret.is_none() && client_key.is_none() {
            let message = format!("“{}” signs in by its id and secret, and its secret is not there", config.name);
            let hint = format!("`kata sources secret {id} clientSecret`, or clientKey where the server knows its public key");
            return Err(WireError::new(ErrorCode::NeedsUser, message).hint(hint));
        }
        let found = mcp::discover(mcp::Wanted {
            http: &self
                .deps
                .web
                .client()
                .map_err(|trouble| WireError::new(ErrorCode::Upstream, trouble.message))?,
            server: &server,
            name: &config.name,
            challenge: challenge.as_deref(),
            granted,
            client_id: client_id.as_deref(),
            client_secret,
            published,
            redirect,
        })
        .await?;
        // The server says by itself who signs in for it; whoever stands in it could name somebody who gathers secrets.
        if let Some(ours) = issuer.as_deref().map(|ours| ours.trim_end_matches('/'))
            && found.issuer.as_deref().map(|theirs| theirs.trim_end_matches('/')) != Some(ours)
        {
            let theirs = found.issuer.unwrap_or_else(|| "nobody by name".to_owned());
            let message = format!("“{}” signs in at {theirs}, and its id belongs to {ours}", config.name);
            return Err(WireError::new(ErrorCode::NeedsUser, message).hint("if that is right, change mcp.issuer in its config.json"));
        }
        Ok(Some(SignInPlace {
            account,
            name: config.name.clone(),
            authorization_url: found.authorization_url,
            token_url: found.token_url,
            device_url: found.device_url,
            revocation_url: found.revocation_url,
            client_id: found.client_id,
            client_secret: found.client_secret,
            client_key,
            secret_in_header: found.secret_in_header,
            // A machine is always there: it asks for a token when it needs one.
            scopes: found.scopes.into_iter().filter(|s| !*machine || s != "offline_access").collect(),
            resource: Some(found.resource),
            issuer: found.issuer,
            parameters: BTreeMap::new(),
            machine: *machine,
        }))
    }

    fn seat(&self, id: &SourceId) -> Option<Arc<Seat>> {
        self.lock().get(id).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SourceId, Arc<Seat>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names of the secrets a source needs, by what its file says.
pub fn secrets_of(config: &Config) -> Vec<String> {
    let mut names = Vec::new();
    let mut tables: Vec<&BTreeMap<String, String>> = Vec::new();
    match &config.kind {
        Kind::Mcp(Mcp::Stdio { env, .. }) => tables.push(env),
        Kind::Mcp(Mcp::Remote { auth, headers, .. }) => {
            tables.push(headers);
            match auth {
                McpAuth::Bearer => names.push("token".to_owned()),
                McpAuth::Oauth { machine: true, .. } => names.extend(["clientSecret".to_owned(), "clientKey".to_owned()]),
                McpAuth::Oauth { client_id: Some(_), .. } => names.push("clientSecret".to_owned()),
                McpAuth::Oauth { client_id: None, .. } | McpAuth::None => {}
            }
        }
        Kind::Api(api) => {
            tables.push(&api.headers);
            match &api.auth {
                ApiAuth::Bearer { .. } | ApiAuth::Header { .. } | ApiAuth::Query { .. } => names.push("token".to_owned()),
                ApiAuth::Basic => names.extend(["username".to_owned(), "password".to_owned()]),
                ApiAuth::None | ApiAuth::Oauth { .. } => {}
            }
        }
        Kind::Local(_) => {}
    }
    for value in tables.into_iter().flat_map(|t| t.values()) {
        for name in seat::secret_names_in(value) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

#[cfg(test)]
mod tests;
