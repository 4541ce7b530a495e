//! A connection to a server of the Model Context Protocol: opening it within a time, its tools, calls, and noticing its end.
//!
//! Facts about the SDK that this file works around, each seen: `serve` waits for ever for a server that does not answer;
//! `is_closed` stays false when the process is dead; an unknown tool is an error of the protocol with some servers and a result
//! with others. Neighbours: `program` (processes), `sse` and `signed` (HTTP), `handler` (what a server asks of us).

mod answer;
mod handler;
mod origin;
mod program;
mod sign_in;
mod signed;
mod sse;

#[cfg(test)]
mod tests;

use crate::config::{Mcp, McpAuth};
use crate::log::Lines;
use crate::questions::{Answer as Answered, Ask, Questions};
use crate::trouble::{Next, Trouble};
use handler::{Handler, Shared};
use kata_core::ports::{AccountRef, Accounts, Clock, ToolOutcome};
use kata_core::tasks::Tasks;
use kata_protocol::{Json, SourceId, ToolInfo};
use program::{Program, STDERR};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rmcp::ServiceError;
use rmcp::model::{CallToolRequestParams, PaginatedRequestParams, ProtocolVersion, ServerNotification, SubscriptionFilter, Tool};
use rmcp::service::{
    ClientInitializeError, ClientLifecycleMode, RoleClient, RunningService, RxJsonRpcMessage, TxJsonRpcMessage, serve_client_with_lifecycle,
};
use rmcp::transport::streamable_http_client::{StreamableHttpClientTransport, StreamableHttpClientTransportConfig};
use rmcp::transport::{IntoTransport, Transport};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
pub(crate) use sign_in::{Wanted, discover};
pub(crate) use signed::Challenges;
use signed::Signed;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Time a program gets to answer `initialize`: `npx` may have to fetch it first.
const PROGRAM_ANSWERS: Duration = Duration::from_secs(60);
/// Time a server in the network gets.
const SERVER_ANSWERS: Duration = Duration::from_secs(20);
/// Time it gets for the newest protocol's first question, before it is asked as servers were asked before (`initialize`). Servers that
/// do not know the question answer it with nonsense or not at all.
const NEWEST_ANSWERS: Duration = Duration::from_secs(10);
/// A call of which nothing is heard for so long is given up.
const CALL_SILENT: Duration = Duration::from_secs(300);
/// The longest call.
const CALL_LONGEST: Duration = Duration::from_secs(3600);
/// A pipe closes a moment before its process is gone.
const MOMENT: Duration = Duration::from_secs(2);
/// Pages of tools that are read.
const PAGES: usize = 50;
/// Tools that are taken from one server.
const TOOLS: usize = 256;
/// Longest name of a tool that every model takes, characters.
const NAME: usize = 64;
/// Longest description that is handed on, characters.
const DESCRIPTION: usize = 4_000;
/// A URL has to be visited before the call can be done (MCP 2025-11-25, `URLElicitationRequiredError`).
const URL_FIRST: i32 = -32042;

/// What a connection is made with.
#[derive(Clone)]
pub(crate) struct Making {
    pub(crate) source: SourceId,
    pub(crate) slug: String,
    pub(crate) name: String,
    /// Folder a program is started in.
    pub(crate) folder: PathBuf,
    pub(crate) http: reqwest::Client,
    pub(crate) questions: Arc<Questions>,
    pub(crate) lines: Arc<Lines>,
    pub(crate) tasks: Tasks,
    pub(crate) accounts: Arc<dyn Accounts>,
    /// The account of a source that signs in.
    pub(crate) account: Option<AccountRef>,
    /// The token of one that has a token.
    pub(crate) token: Option<SecretString>,
    pub(crate) clock: Arc<dyn Clock>,
    /// What its server asked for when it refused a request.
    pub(crate) challenges: Challenges,
}

/// A connection.
pub(crate) struct Server {
    service: RunningService<RoleClient, Handler>,
    shared: Arc<Shared>,
    ended: CancellationToken,
    program: Option<Program>,
    challenges: Challenges,
    clock: Arc<dyn Clock>,
    slug: String,
    name: String,
    source: SourceId,
}

/// Why a call was not waited for.
struct GivenUp(String);

/// A tool under the name that models have for it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Named {
    /// As the server calls it.
    pub(crate) server: String,
    /// As models see it.
    pub(crate) info: ToolInfo,
}

impl Server {
    /// Connects, or says why not. Never waits longer than a server may take.
    pub(crate) async fn connect(config: &Mcp, making: Making) -> Result<Self, Trouble> {
        match config {
            Mcp::Stdio { command, args, env } => Self::start(command, args, env, making).await,
            Mcp::Remote { url, sse, auth, headers } => {
                let mut last = None;
                for (url, way) in places(url, *sse) {
                    let mut reached = Self::reach(&url, way, auth, headers, &making).await;
                    // Its own time to say nothing at all is over after this one.
                    if way == Way::Newest && reached.as_ref().is_err_and(|trouble| trouble.code == "silent") {
                        reached = Self::reach(&url, Way::Initialize, auth, headers, &making).await;
                    }
                    match reached {
                        Err(trouble) if trouble.code == "protocol" => last = last.or(Some(trouble)),
                        done => return done,
                    }
                }
                Err(last.unwrap_or_else(|| Trouble::again("unreachable", "The server does not answer.")))
            }
        }
    }

    async fn start(command: &str, args: &[String], env: &BTreeMap<String, String>, making: Making) -> Result<Self, Trouble> {
        let lines = Arc::clone(&making.lines);
        let (program, stdout, stdin) = Program::start(command, args, env, &making.folder, Arc::clone(&lines), &making.tasks)?;
        let serving = Self::over((stdout, stdin), ClientLifecycleMode::Initialize, &making);
        let said = || match lines.tail(STDERR, 3) {
            said if said.is_empty() => String::new(),
            said => format!(" It said: {said}"),
        };
        let served = tokio::select! {
            biased;
            served = within(&*making.clock, PROGRAM_ANSWERS, serving) => served,
            how = program.ended() => return Err(Trouble::again("ended", format!("The server {how} before it answered.{}", said()))),
        };
        match served {
            Some(Ok(server)) => Ok(Self {
                program: Some(program),
                ..server
            }),
            // Whatever failed first: where it has ended, that is the reason.
            Some(Err(error)) => Err(match within(&*making.clock, MOMENT, program.ended()).await {
                Some(how) => Trouble::again("ended", format!("The server {how} before it answered.{}", said())),
                None => Trouble::again("protocol", format!("The server cannot be talked to: {error}.{}", said())),
            }),
            None => Err(Trouble::again(
                "silent",
                format!("The server did not answer within {} s.{}", PROGRAM_ANSWERS.as_secs(), said()),
            )),
        }
    }

    async fn reach(url: &url::Url, way: Way, auth: &McpAuth, headers: &BTreeMap<String, String>, making: &Making) -> Result<Self, Trouble> {
        let mut sent = HeaderMap::new();
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str())) {
                sent.insert(name, value);
            }
        }
        if *auth == McpAuth::Bearer {
            let Some(token) = &making.token else {
                return Err(Trouble::missing("token", format!("“{}” needs its token.", making.name)));
            };
            let value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()));
            let mut value = value.map_err(|_| Trouble::missing("token", "The token has characters that no token has; set it again."))?;
            value.set_sensitive(true);
            sent.insert(reqwest::header::AUTHORIZATION, value);
        }
        let account = match auth {
            McpAuth::Oauth { .. } => making.account.clone().map(|account| (Arc::clone(&making.accounts), account)),
            McpAuth::None | McpAuth::Bearer => None,
        };
        let challenges = making.challenges.clone();
        challenges.asking(url);
        let serving = async {
            if way == Way::Sse {
                let transport = sse::SseTransport::open(making.http.clone(), url, sent, account).await;
                let transport = transport.map_err(|error| match error {
                    sse::SseTrouble::AuthRequired(_) => self::refused(making, auth),
                    sse::SseTrouble::Http(error) => Trouble::again("unreachable", format!("The server cannot be reached: {error}.")),
                    error => Trouble::again("protocol", format!("The server cannot be talked to: {error}.")),
                })?;
                Self::over(transport, ClientLifecycleMode::Initialize, making).await
            } else {
                let client = Signed {
                    http: making.http.clone(),
                    account,
                    challenges: challenges.clone(),
                };
                let mut config = StreamableHttpClientTransportConfig::with_uri(url.as_str());
                config.custom_headers = sent.iter().map(|(n, v)| (n.clone(), v.clone())).collect::<HashMap<_, _>>();
                let transport = StreamableHttpClientTransport::with_client(client, config);
                let lifecycle = match way {
                    Way::Initialize | Way::Sse => ClientLifecycleMode::Initialize,
                    Way::Newest => ClientLifecycleMode::Auto {
                        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
                        legacy_version: Some(ProtocolVersion::V_2025_11_25),
                    },
                };
                Self::over(transport, lifecycle, making).await
            }
            .map_err(|error| {
                let lacks = challenges.last().is_some_and(|c| c.lacks_scope);
                if lacks || error.auth_challenge().is_some() || error.is_authorization_required() {
                    return self::refused(making, auth);
                }
                let why = reason(&error);
                let all = chain(&error).join(": ").to_lowercase();
                let unreachable = ["error sending request", "connection", "dns"].iter().any(|w| all.contains(w));
                match unreachable {
                    true => Trouble::again("unreachable", format!("The server cannot be reached: {why}.")),
                    false => Trouble::again("protocol", format!("The server cannot be talked to: {why}.")),
                }
            })
        };
        let limit = if way == Way::Newest { NEWEST_ANSWERS } else { SERVER_ANSWERS };
        let served = within(&*making.clock, limit, serving).await;
        let server = served.unwrap_or_else(|| {
            Err(Trouble::again(
                "silent",
                format!("The server did not answer within {} s.", limit.as_secs()),
            ))
        })?;
        server.listen(making).await;
        Ok(server)
    }

    /// Speaks the protocol over any transport.
    pub(crate) async fn over<T, E, A>(transport: T, lifecycle: ClientLifecycleMode, making: &Making) -> Result<Self, ClientInitializeError>
    where
        T: IntoTransport<RoleClient, E, A>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let shared = Shared::new(making.source.clone(), Arc::clone(&making.questions), Arc::clone(&making.lines));
        let (shared, ended) = (Arc::new(shared), CancellationToken::new());
        let watched = Watched {
            inner: transport.into_transport(),
            ended: ended.clone(),
        };
        let service = serve_client_with_lifecycle(Handler(Arc::clone(&shared)), watched, lifecycle).await?;
        Ok(Self {
            service,
            shared,
            ended,
            program: None,
            challenges: making.challenges.clone(),
            clock: Arc::clone(&making.clock),
            slug: making.slug.clone(),
            name: making.name.clone(),
            source: making.source.clone(),
        })
    }

    /// With the version of 2026 a server tells of changed tools only where it was asked to.
    async fn listen(&self, making: &Making) {
        let modern = self
            .service
            .peer_info()
            .is_some_and(|info| info.protocol_version == ProtocolVersion::V_2026_07_28);
        let tells = self.service.peer_info().is_some_and(|info| {
            let tools = info.capabilities.tools.as_ref();
            tools.is_some_and(|t| t.list_changed == Some(true))
        });
        if !modern || !tells {
            return;
        }
        let mut filter = SubscriptionFilter::default();
        filter.tools_list_changed = Some(true);
        let (peer, shared, ended) = (self.service.peer().clone(), Arc::clone(&self.shared), self.ended.clone());
        making.tasks.spawn("source's changes", async move {
            let Ok(mut subscription) = peer.listen(filter).await else { return };
            loop {
                let told = tokio::select! {
                    biased;
                    () = ended.cancelled() => return,
                    told = subscription.next() => told,
                };
                match told {
                    Ok(Some(ServerNotification::ToolListChangedNotification(_))) => shared.tools.send_modify(|n| *n += 1),
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => return,
                }
            }
        });
    }

    /// Its tools as models may call them.
    pub(crate) async fn tools(&self) -> Result<Vec<Named>, Trouble> {
        let unreadable = |error: ServiceError| Trouble::again("protocol", format!("The server's tools could not be read: {error}."));
        if self.service.peer_info().is_some_and(|info| info.capabilities.tools.is_none()) {
            return Ok(Vec::new());
        }
        let (mut tools, mut cursor) = (Vec::new(), None);
        for _ in 0..PAGES {
            let params = cursor.take().map(|c| PaginatedRequestParams::default().with_cursor(Some(c)));
            let page = within(&*self.clock, SERVER_ANSWERS, self.service.list_tools(params)).await;
            let page = page
                .ok_or_else(|| Trouble::again("silent", "The server did not say which tools it has."))?
                .map_err(unreadable)?;
            tools.extend(page.tools);
            cursor = page.next_cursor;
            if cursor.is_none() || tools.len() >= TOOLS {
                break;
            }
        }
        tools.truncate(TOOLS);
        Ok(named(&self.slug, &self.source, &tools))
    }

    /// Changes when its tools are others.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.shared.tools.subscribe()
    }

    /// Resolves with the reason when it is gone.
    pub(crate) async fn gone(&self) -> Trouble {
        let how = match &self.program {
            Some(program) => tokio::select! {
                how = program.ended() => how,
                () = self.ended.cancelled() => self.how_it_ended().await,
            },
            None => {
                self.ended.cancelled().await;
                "closed the connection".into()
            }
        };
        let said = match &self.program {
            Some(_) => self.shared.lines.tail(STDERR, 3),
            None => String::new(),
        };
        let said = if said.is_empty() { said } else { format!(" It said: {said}") };
        Trouble::again("ended", format!("The server {how}.{said}"))
    }

    async fn how_it_ended(&self) -> String {
        match &self.program {
            // The pipe closes a moment before the process is gone.
            Some(program) => within(&*self.clock, MOMENT, program.ended())
                .await
                .unwrap_or_else(|| "closed its output".into()),
            None => "closed the connection".into(),
        }
    }

    /// What the server asked for when it refused a request.
    pub(crate) fn lacks_scope(&self) -> bool {
        self.challenges.last().is_some_and(|c| c.lacks_scope)
    }

    /// Calls a tool by the server's name for it. Always answers: with what came of it, or why nothing did.
    /// With the trouble of the source, where the call showed one.
    pub(crate) async fn call(&self, tool: &str, params: &Value, cancel: &CancellationToken) -> (ToolOutcome, Option<Trouble>) {
        let error = |text: String| (ToolOutcome { text, is_error: true }, None);
        let mut call = CallToolRequestParams::new(tool.to_owned());
        call.arguments = params.as_object().cloned();
        let result = match self.once(call.clone(), cancel).await {
            Ok(Err(ServiceError::McpError(refused))) if refused.code.0 == URL_FIRST => match self.visit(refused.data.as_ref()).await {
                true => self.once(call, cancel).await,
                false => return error(format!("“{}” wants the person to open a page first, and they did not.", self.name)),
            },
            result => result,
        };
        match result {
            Err(GivenUp(why)) => error(why),
            Ok(Ok(result)) => {
                let (text, is_error) = answer::result(&result);
                (ToolOutcome { text, is_error }, None)
            }
            Ok(Err(ServiceError::TransportClosed)) => {
                let how = self.how_it_ended().await;
                error(format!(
                    "The server of “{}” {how} in the middle of the call. It is being started again.",
                    self.name
                ))
            }
            Ok(Err(failed)) if failed.auth_challenge().is_some() => {
                let trouble = match self.lacks_scope() {
                    true => Trouble {
                        next: Next::Limp,
                        code: "needs_scope",
                        message: format!("“{}” needs a permission that was not given. Sign in again to give it.", self.name),
                    },
                    false => Trouble::sign_in(format!("“{}” has to be signed in again.", self.name)),
                };
                let text = format!("{} A person has to do it.", trouble.message);
                (ToolOutcome { text, is_error: true }, Some(trouble))
            }
            Ok(Err(failed)) => error(answer::failed(&failed)),
        }
    }

    /// One call. The error is why it was not waited for.
    async fn once(
        &self,
        call: CallToolRequestParams,
        cancel: &CancellationToken,
    ) -> Result<Result<rmcp::model::CallToolResult, ServiceError>, GivenUp> {
        let late = || GivenUp(format!("“{}” did not answer in time; the call was given up.", self.name));
        let calling = self.service.call_tool(call);
        tokio::pin!(calling);
        let mut progress = self.shared.progress.subscribe();
        let longest = self.clock.sleep(CALL_LONGEST);
        tokio::pin!(longest);
        let mut silent = self.clock.sleep(CALL_SILENT);
        // Dropping the call tells the server that nobody waits any more (`notifications/cancelled`).
        loop {
            tokio::select! {
                biased;
                result = &mut calling => return Ok(result),
                () = self.ended.cancelled() => return Ok(Err(ServiceError::TransportClosed)),
                () = cancel.cancelled() => return Err(GivenUp("The call was stopped.".into())),
                Ok(()) = progress.changed() => silent = self.clock.sleep(CALL_SILENT),
                () = &mut longest => return Err(late()),
                () = &mut silent => {
                    // The person thinks about a question of this very server.
                    if self.shared.asking.load(Ordering::Relaxed) == 0 {
                        return Err(late());
                    }
                    silent = self.clock.sleep(CALL_SILENT);
                }
            }
        }
    }

    /// Sends the person to the pages that a refusal names. Answers whether they went.
    async fn visit(&self, data: Option<&Value>) -> bool {
        let pages = data.and_then(|d| d.get("elicitations")).and_then(Value::as_array);
        let mut went = false;
        for page in pages.into_iter().flatten().take(4) {
            let text = |key: &str| page.get(key).and_then(Value::as_str).unwrap_or_default();
            let answer = self.shared.ask(text("message"), Ask::Page(text("url").to_owned())).await;
            went = matches!(answer, Answered::Accept(_));
            if !went {
                break;
            }
        }
        went
    }

    /// Ends the connection; what is in flight fails.
    pub(crate) fn close(&self) {
        self.ended.cancel();
        self.service.cancellation_token().cancel();
        if let Some(program) = &self.program {
            program.end();
        }
    }
}

/// Where a server is, as far as its file says.
pub(crate) fn first_place(url: &url::Url, sse: bool) -> url::Url {
    places(url, sse).swap_remove(0).0
}

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The newest protocol first, and what it falls back to by itself.
    Newest,
    /// As before the version of 2026: there are servers that answer a request they do not know with nonsense instead of an error.
    Initialize,
    /// The old transport.
    Sse,
}

/// Where a server may be, in the order it is tried: as the file says; below `/mcp` as the earlier app took it; without the newest
/// protocol; and by the old transport.
fn places(url: &url::Url, sse: bool) -> Vec<(url::Url, Way)> {
    if sse {
        return vec![(url.clone(), Way::Sse)];
    }
    let by = |way: Way| (url.clone(), way);
    let below = || {
        let mut below = url.clone();
        below.set_path(&format!("{}/mcp", url.path().trim_end_matches('/')));
        (below, Way::Newest)
    };
    match url.path().trim_end_matches('/') {
        "" => vec![below(), by(Way::Newest), by(Way::Initialize), by(Way::Sse)],
        path if path.ends_with("/mcp") => vec![by(Way::Newest), by(Way::Initialize), by(Way::Sse)],
        _ => vec![by(Way::Newest), below(), by(Way::Initialize), by(Way::Sse)],
    }
}

/// A server refused to talk without a sign-in, or with this one.
fn refused(making: &Making, auth: &McpAuth) -> Trouble {
    match auth {
        McpAuth::Oauth { .. } => Trouble::sign_in(format!("“{}” has to be signed in.", making.name)),
        McpAuth::Bearer => Trouble::missing("token", format!("“{}” refused its token. Set another one.", making.name)),
        McpAuth::None => Trouble::stay(
            "needs_auth",
            format!("“{}” wants a sign-in; set mcp.authType to oauth or bearer.", making.name),
        ),
    }
}

/// What comes of a future within a time.
async fn within<T>(clock: &dyn Clock, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = future => Some(done),
        () = clock.sleep(limit) => None,
    }
}

/// What an error says, and what each error inside it says.
fn chain(error: &(dyn std::error::Error + 'static)) -> Vec<String> {
    std::iter::successors(Some(error), |one| one.source())
        .map(ToString::to_string)
        .collect()
}

/// The reasons of an error in one line, without what the library says of its own types.
fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let mut told = chain(error);
    // Each often repeats what is inside it.
    let mut text = String::new();
    for words in told.iter().filter(|words| !words.contains("::")) {
        if !text.contains(words.as_str()) {
            text = if text.is_empty() {
                words.clone()
            } else {
                format!("{text}: {words}")
            };
        }
    }
    let text = if text.is_empty() { told.pop().unwrap_or_default() } else { text };
    text.trim_end_matches('.').chars().take(500).collect()
}

/// Tools under names that every model takes. Two that would have one name: the second is told apart by a number.
fn named(slug: &str, source: &SourceId, tools: &[Tool]) -> Vec<Named> {
    let mut taken = std::collections::BTreeSet::new();
    let mut all = Vec::new();
    for tool in tools {
        let mut name = full_name(slug, &tool.name);
        for n in 2.. {
            if taken.insert(name.clone()) {
                break;
            }
            name = full_name(slug, &format!("{}_{n}", tool.name));
        }
        // The one tool of an API source is judged by method and path; no server's tool may pass for it.
        if tool.name == format!("api_{slug}") {
            continue;
        }
        let hints = tool.annotations.as_ref();
        let title = tool.title.as_deref().or(hints.and_then(|a| a.title.as_deref())).unwrap_or_default();
        let description = tool.description.as_deref().unwrap_or(title);
        all.push(Named {
            server: tool.name.to_string(),
            info: ToolInfo {
                name,
                description: description.chars().take(DESCRIPTION).collect(),
                parameters: Json(Value::Object((*tool.input_schema).clone())),
                read_only: hints.is_some_and(|a| a.read_only_hint == Some(true) && a.destructive_hint != Some(true)),
                plugin: None,
                source: Some(source.clone()),
            },
        });
    }
    all
}

/// `mcp__{slug}__{tool}` of letters, digits, `_` and `-`, at most 64 characters; what is longer ends in a hash of the whole.
pub(crate) fn full_name(slug: &str, tool: &str) -> String {
    let plain: String = tool
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
                c
            } else {
                '_'
            }
        })
        .collect();
    let name = format!("mcp__{slug}__{plain}");
    if name.len() <= NAME {
        return name;
    }
    let digest = <sha2::Sha256 as sha2::Digest>::digest(format!("{slug}/{tool}"));
    let hash: String = digest.iter().take(4).map(|b| format!("{b:02x}")).collect();
    let mut at = NAME - 9;
    while !name.is_char_boundary(at) {
        at -= 1;
    }
    format!("{}_{hash}", &name[..at])
}

/// A transport that tells when nothing more will come. The SDK's own signs of that come late or not at all.
struct Watched<T> {
    inner: T,
    ended: CancellationToken,
}

impl<T: Transport<RoleClient>> Transport<RoleClient> for Watched<T> {
    type Error = T::Error;

    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn send(&mut self, item: TxJsonRpcMessage<RoleClient>) -> impl Future<Output = Result<(), T::Error>> + Send + 'static {
        self.inner.send(item)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        let next = self.inner.receive().await;
        if next.is_none() {
            self.ended.cancel();
        }
        next
    }

    async fn close(&mut self) -> Result<(), T::Error> {
        self.ended.cancel();
        self.inner.close().await
    }
}
