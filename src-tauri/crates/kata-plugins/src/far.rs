//! Calls to a program of its own, where a plugin in a folder has a thread. What it answers is checked here as the prelude and
//! the thread check an answer of JavaScript, so that whoever called cannot tell the two apart.
//!
//! Neighbours: `generation` counts and limits the calls, `external` lets programs in and out. Deliberately absent: sockets and
//! frames (the gateway's, behind [`Outlet`]).

use crate::engine::{Call, CallFault, Kind, Reply, Thrown};
use crate::plugin::{Plugin, lock};
use kata_core::lifecycle::{Happening, Policy};
use kata_core::ports::{Claim, Clock, Outlet, OutletCall, PluginBackend, ToolRequest};
use kata_core::tasks::Tasks;
use kata_protocol::{ChannelId, ErrorCode, ExternalCall, HookName, Json, Ms, PluginId, WireError};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Calls of one program at a time; one more is refused.
const IN_FLIGHT: usize = 64;
/// Calls nobody waits for any longer whose late answers are known as such.
const LATE: usize = 256;
/// Longest message of an error that is passed on, bytes.
const MESSAGE: usize = 2_000;

/// What a handle of its registrations stands for.
#[derive(Clone, Debug)]
pub(crate) enum Handle {
    Tool,
    Hook(HookName),
    Channel(ChannelId),
}

struct Waiting {
    id: u32,
    kind: Kind,
    reply: Reply,
}

#[derive(Default)]
struct Open {
    by_number: HashMap<u64, Waiting>,
    numbers: HashMap<u32, u64>,
    late: VecDeque<u64>,
    /// Why nothing is taken any more.
    closed: Option<String>,
}

/// One program, for as long as it is connected.
pub(crate) struct Far {
    pub(crate) plugin: PluginId,
    pub(crate) outlet: Arc<dyn Outlet>,
    pub(crate) handles: Vec<Handle>,
    pub(crate) payload_bytes: usize,
    /// Time a channel gets to begin.
    pub(crate) start_limit: Duration,
    pub(crate) backend: Arc<dyn PluginBackend>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tasks: Tasks,
    /// The breaker's: until when it is asked nothing.
    held: watch::Receiver<Option<Ms>>,
    open: Mutex<Open>,
    ended: CancellationToken,
}

/// What goes with a tool call; a program has no `ctx` to ask for the session.
pub(crate) fn tool_params(request: &ToolRequest) -> String {
    json!({ "name": request.name, "params": request.params, "session": request.session }).to_string()
}

/// Name of the state that keeps how far a channel's platform was read.
pub(crate) fn cursor_key(channel: &ChannelId) -> String {
    format!("cursor:{channel}")
}

impl Far {
    pub(crate) fn new(
        plugin: &Plugin,
        outlet: Arc<dyn Outlet>,
        handles: Vec<Handle>,
        payload_bytes: usize,
        start_limit: Duration,
        backend: Arc<dyn PluginBackend>,
        tasks: Tasks,
    ) -> Arc<Self> {
        Arc::new(Self {
            plugin: plugin.id.clone(),
            outlet,
            handles,
            payload_bytes,
            start_limit,
            backend,
            clock: Arc::clone(&plugin.clock),
            tasks,
            held: plugin.breaker.until.subscribe(),
            open: Mutex::default(),
            ended: CancellationToken::new(),
        })
    }

    /// Whether its connection is gone.
    pub(crate) fn gone(&self) -> bool {
        lock(&self.open).closed.is_some()
    }

    /// Calls that wait for it.
    pub(crate) fn in_flight(&self) -> u32 {
        u32::try_from(lock(&self.open).by_number.len()).unwrap_or(u32::MAX)
    }

    /// Passes a call on. It never waits.
    pub(crate) fn call(self: &Arc<Self>, call: Call) -> Result<(), (Call, CallFault)> {
        if call.kind == Kind::Dispose {
            // The end of its connection is all that a program learns.
            let _ = call.reply.send(Ok(None));
            return Ok(());
        }
        let Some(kind) = external(call.kind) else {
            let words = format!("a program over the gateway is not asked to {}", call.kind.as_str());
            return Err((call, CallFault::NotStarted(words)));
        };
        if let Some(words) = self.refuses(call.kind) {
            return Err((call, CallFault::NotStarted(words)));
        }
        let number = self.outlet.number();
        let Call {
            id,
            kind: of,
            handle,
            payload,
            limit,
            reply,
        } = call;
        let params = self.params(handle, payload.as_deref());
        {
            let mut open = lock(&self.open);
            open.by_number.insert(number, Waiting { id, kind: of, reply });
            open.numbers.insert(id, number);
        }
        let deadline = limit.unwrap_or(self.start_limit);
        if of == Kind::Connect {
            self.start(number, handle, deadline);
            return Ok(());
        }
        let sent = self.send(number, kind, params, deadline);
        if !sent && let Some(waiting) = lock(&self.open).take(number, false) {
            let fault = CallFault::NotStarted(format!("the program of plugin “{}” reads nothing at present", self.plugin));
            let _ = waiting.reply.send(Err(fault));
        }
        Ok(())
    }

    fn send(&self, number: u64, kind: ExternalCall, params: String, deadline: Duration) -> bool {
        self.outlet.call(OutletCall {
            number,
            plugin: self.plugin.clone(),
            kind,
            params,
            deadline,
        })
    }

    /// Why it is asked nothing now.
    fn refuses(&self, kind: Kind) -> Option<String> {
        let open = lock(&self.open);
        if let Some(words) = &open.closed {
            return Some(words.clone());
        }
        // A channel is brought up and down all the same: that is no use of it.
        let held = !matches!(kind, Kind::Connect | Kind::Disconnect) && self.held.borrow().is_some();
        if held {
            return Some(format!(
                "plugin “{}” is held back, because it did not answer as it should",
                self.plugin
            ));
        }
        (open.by_number.len() >= IN_FLIGHT)
            .then(|| format!("the program of plugin “{}” is busy: {IN_FLIGHT} calls wait already", self.plugin))
    }

    fn params(&self, handle: u32, payload: Option<&str>) -> String {
        let place = usize::try_from(handle).ok().and_then(|at| self.handles.get(at));
        let payload = payload.unwrap_or("null");
        match place {
            Some(Handle::Hook(event)) => format!("{{\"event\":\"{}\",\"input\":{payload}}}", event.as_str()),
            Some(Handle::Channel(id)) => {
                let id = Value::from(id.as_str());
                match payload {
                    "null" => format!("{{\"channel\":{id}}}"),
                    message => format!("{{\"channel\":{id},\"message\":{message}}}"),
                }
            }
            Some(Handle::Tool) | None => payload.to_owned(),
        }
    }

    /// Begins a channel: where it was read up to is looked up first, and an answer is waited for so long and no longer.
    fn start(self: &Arc<Self>, number: u64, handle: u32, limit: Duration) {
        let place = usize::try_from(handle).ok().and_then(|at| self.handles.get(at)).cloned();
        let Some(Handle::Channel(channel)) = place else { return };
        let this = Arc::clone(self);
        self.tasks.spawn("external channel", async move {
            let cursor = this.backend.state_get(&this.plugin, &cursor_key(&channel)).await;
            let cursor = match cursor {
                Ok(cursor) => cursor,
                Err(error) => {
                    let words = format!("where it was read up to is not known: {}", error.message);
                    return this.settle(number, Err(CallFault::NotStarted(words)));
                }
            };
            let params = json!({ "channel": channel, "cursor": cursor }).to_string();
            if !this.send(number, ExternalCall::Start, params, limit) {
                let words = "its program reads nothing at present".to_owned();
                return this.settle(number, Err(CallFault::NotStarted(words)));
            }
            tokio::select! {
                () = this.ended.cancelled() => {}
                () = this.clock.sleep(limit) => this.settle(number, Err(CallFault::Timeout(limit))),
            }
        });
    }

    fn settle(&self, number: u64, result: Result<Option<String>, CallFault>) {
        let waiting = lock(&self.open).take(number, true);
        if let Some(waiting) = waiting {
            let _ = waiting.reply.send(result);
        }
    }

    /// Nobody waits for a call any longer.
    pub(crate) fn give_up(&self, id: u32) {
        let given_up = {
            let mut open = lock(&self.open);
            let number = open.numbers.get(&id).copied();
            number.and_then(|number| Some((number, open.take(number, true)?)))
        };
        if let Some((number, waiting)) = given_up {
            self.outlet.cancel(number);
            // Whoever merely said that it may leave hears of it.
            let _ = waiting.reply.send(Err(CallFault::Cancelled));
        }
    }

    /// Takes an answer of the program.
    pub(crate) fn answer(&self, number: u64, answer: Result<Option<Json>, WireError>) -> Claim {
        let waiting = {
            let mut open = lock(&self.open);
            match open.take(number, false) {
                Some(waiting) => waiting,
                None if open.late.contains(&number) => return Claim::Late,
                None => return Claim::Unknown,
            }
        };
        let result = match answer {
            Ok(value) => self.fitting(waiting.kind, value.map(|json| json.0)),
            Err(error) => Err(threw(waiting.kind, error)),
        };
        let _ = waiting.reply.send(result);
        Claim::Taken
    }

    /// An answer as the callers of a plugin in a folder get it.
    fn fitting(&self, kind: Kind, value: Option<Value>) -> Result<Option<String>, CallFault> {
        let value = value.unwrap_or(Value::Null);
        let text = match kind {
            Kind::Hook if value.is_null() => return Ok(None),
            Kind::Connect | Kind::Disconnect => return Ok(None),
            Kind::Tool => {
                let Some(said) = value.get("text").and_then(Value::as_str) else {
                    return Err(CallFault::BadResult("its answer is no `{text}`: a tool answers a text".into()));
                };
                json!({ "text": said, "isError": value.get("isError").and_then(Value::as_bool).unwrap_or(false) }).to_string()
            }
            _ => value.to_string(),
        };
        if text.len() > self.payload_bytes {
            return Err(CallFault::BadResult(format!("its answer is over {} bytes", self.payload_bytes)));
        }
        Ok(Some(text))
    }

    /// It is gone, or was stopped: what waits ends now, and nothing more is taken.
    pub(crate) fn close(&self, words: &str) {
        let waiting: Vec<Waiting> = {
            let mut open = lock(&self.open);
            open.closed.get_or_insert_with(|| words.to_owned());
            open.numbers.clear();
            open.by_number.drain().map(|(_, waiting)| waiting).collect()
        };
        self.ended.cancel();
        for each in waiting {
            let _ = each.reply.send(Err(CallFault::Ended(words.to_owned())));
        }
    }
}

impl Open {
    /// Takes a call out. `late`: the program does not know that, and may answer yet.
    fn take(&mut self, number: u64, late: bool) -> Option<Waiting> {
        let waiting = self.by_number.remove(&number)?;
        self.numbers.remove(&waiting.id);
        if late {
            if self.late.len() == LATE {
                self.late.pop_front();
            }
            self.late.push_back(number);
        }
        Some(waiting)
    }
}

fn external(kind: Kind) -> Option<ExternalCall> {
    match kind {
        Kind::Tool => Some(ExternalCall::Tool),
        Kind::Hook => Some(ExternalCall::Hook),
        Kind::Send => Some(ExternalCall::Send),
        Kind::Connect => Some(ExternalCall::Start),
        Kind::Disconnect => Some(ExternalCall::Stop),
        _ => None,
    }
}

/// An error of the program, as one that JavaScript threw. Of a send its `details` say how sure it is; without them nobody is.
fn threw(kind: Kind, error: WireError) -> CallFault {
    let details = error.details.map(|json| json.0).unwrap_or_default();
    let mut message = error.message;
    let end = message.char_indices().map(|(at, _)| at).find(|at| *at >= MESSAGE);
    message.truncate(end.unwrap_or(message.len()));
    let mut thrown = Thrown {
        message: message.clone(),
        ..Thrown::default()
    };
    if kind == Kind::Send {
        let code = details.get("code").and_then(Value::as_str);
        thrown.name = "SendError".into();
        thrown.code = Some(code.unwrap_or_else(|| send_code(error.code)).to_owned());
        thrown.certain = details.get("certain").and_then(Value::as_bool).unwrap_or(false);
        thrown.retry_after_ms = details
            .get("retryAfterMs")
            .and_then(Value::as_u64)
            .and_then(|ms| u32::try_from(ms).ok());
    }
    CallFault::Threw(message, Box::new(thrown))
}

fn send_code(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Invalid => "invalid",
        ErrorCode::NotFound => "not_found",
        ErrorCode::Forbidden => "forbidden",
        ErrorCode::Unauthorized | ErrorCode::NeedsUser => "unauthorized",
        ErrorCode::Busy => "rate_limited",
        _ => "unreachable",
    }
}

/// Whether a fault of a program counts towards holding it back: it gave no answer, or one that is none.
pub(crate) fn is_blamed(kind: &str) -> bool {
    matches!(kind, "timeout" | "bad_result")
}

/// Counts what a program did not answer, over all its connections: a thread can be ended, a program can only be left alone.
pub(crate) struct Breaker {
    policy: Policy,
    faults: Mutex<VecDeque<Ms>>,
    /// Until when it is asked nothing.
    pub(crate) until: watch::Sender<Option<Ms>>,
}

impl Breaker {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            policy,
            faults: Mutex::default(),
            until: watch::Sender::new(None),
        }
    }

    /// One more fault. With as many as the policy bears within its time, the program is held back.
    pub(crate) fn blame(&self, plugin: &Plugin) {
        let now = plugin.clock.now();
        let most = self.policy.faults.max(1);
        {
            let mut faults = lock(&self.faults);
            faults.retain(|at| now.0.saturating_sub(at.0) < self.policy.window_ms);
            faults.push_back(now);
            if faults.len() < most {
                return;
            }
            faults.clear();
        }
        self.until.send_replace(Some(Ms(now.0.saturating_add(self.policy.cooldown_ms))));
        self.show(plugin);
    }

    /// Says that it is held back, where it is.
    pub(crate) fn show(&self, plugin: &Plugin) {
        if self.until.borrow().is_some() {
            let words = format!(
                "It gave no proper answer {} times; it is asked nothing until the cool-down ends or you start it again",
                self.policy.faults.max(1)
            );
            plugin.moved(Happening::Stuck, "unresponsive", &words);
        }
    }

    /// Ends it; false where it was not held back.
    pub(crate) fn forgive(&self, plugin: &Plugin) -> bool {
        if self.until.send_replace(None).is_none() {
            return false;
        }
        lock(&self.faults).clear();
        plugin.moved(Happening::Start, "", "");
        plugin.moved(Happening::Running, "", "");
        true
    }

    /// Lets a program that is held back go on when its time has come; runs until `ended`.
    pub(crate) async fn run(&self, plugin: &Plugin, ended: &CancellationToken) {
        let mut until = self.until.subscribe();
        loop {
            let now = *until.borrow_and_update();
            let wait = async {
                match now {
                    Some(until) => {
                        plugin
                            .clock
                            .sleep(Duration::from_millis(until.0.saturating_sub(plugin.clock.now().0)))
                            .await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = ended.cancelled() => return,
                changed = until.changed() => if changed.is_err() { return },
                () = wait => { self.forgive(plugin); }
            }
        }
    }
}
