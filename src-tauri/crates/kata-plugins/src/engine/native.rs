//! The host's side of the prelude: the functions JavaScript calls. Closures own an `Rc` of [`Core`] and never a JavaScript
//! value, so nothing can outlive the runtime.

use super::inbox::{CallFault, Reply, Settled, Thrown};
use super::loader::Positions;
use super::ops::{self, Op};
use super::slice::Watch;
use super::{Link, web};
use crate::ports::{Reach, Report};
use crate::register::{Refused, Registrations, Rules};
use bytes::Bytes;
use kata_protocol::{ChannelId, SourcePosition, UserAction};
use rquickjs::function::{Func, Opt};
use rquickjs::{Ctx, Exception, Object, Result, TypedArray, Value};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

/// Frames of a stack that go into a fault's words.
const FRAMES: usize = 160;
/// Longest argument with a file in it.
const MAX_FILE: usize = kata_core::ports::MAX_FILE as usize + 4096;
/// Bytes of an error's name and of its message that go into them; a plugin chooses both.
const NAME: usize = 100;
const MESSAGE: usize = 2_000;

/// The beginning of a text, at a character's edge.
fn cut(text: &str, max: usize) -> &str {
    let mut at = text.len().min(max);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    &text[..at]
}

/// What the prelude says was thrown; a plugin may have had its hands in that.
pub(crate) fn thrown(json: &str) -> Thrown {
    let mut thrown: Thrown = serde_json::from_str(json).unwrap_or_default();
    thrown.name = cut(&thrown.name, NAME).to_owned();
    thrown.message = cut(&thrown.message, MESSAGE).to_owned();
    thrown
}

/// State of one plugin's thread. No JavaScript value in it.
pub(crate) struct Core {
    pub(crate) link: Arc<Link>,
    pub(crate) reach: Arc<Reach>,
    pub(crate) rules: Rules,
    pub(crate) positions: Positions,
    pub(crate) staging: RefCell<Registrations>,
    pub(crate) channels: RefCell<Vec<ChannelId>>,
    pub(crate) sealed: Cell<bool>,
    pub(crate) booted: Cell<Option<std::result::Result<(), CallFault>>>,
    pub(crate) calls: RefCell<HashMap<u32, Reply>>,
    /// Those that are open, and whether each merely waits for something to come.
    pub(crate) operations: RefCell<HashMap<u32, (CancellationToken, bool)>>,
    pub(crate) next_operation: Cell<u32>,
    pub(crate) timers: RefCell<Timers>,
    pub(crate) rejections: RefCell<HashMap<u64, (String, Option<SourcePosition>)>>,
    pub(crate) lines: RefCell<LineBudget>,
    /// Looked at by natives that a loop may call faster than the engine polls.
    pub(crate) watch: Rc<Watch>,
    pub(crate) cancel: CancellationToken,
    /// Set when the engine ran out of memory or stack; the runtime is replaced after the batch.
    pub(crate) exhausted: Cell<Option<&'static str>>,
}

#[derive(Default)]
pub(crate) struct Timers {
    due: BTreeSet<(Instant, u32)>,
    by_id: HashMap<u32, Instant>,
}

impl Timers {
    fn set(&mut self, id: u32, at: Instant) {
        if let Some(before) = self.by_id.insert(id, at) {
            self.due.remove(&(before, id));
        }
        self.due.insert((at, id));
    }
    fn clear(&mut self, id: u32) {
        if let Some(at) = self.by_id.remove(&id) {
            self.due.remove(&(at, id));
        }
    }
    pub(crate) fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<u32> {
        let &(at, id) = self.due.first().filter(|(at, _)| *at <= now)?;
        self.due.remove(&(at, id));
        self.by_id.remove(&id);
        Some(id)
    }
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }
}

/// Log lines of the present minute. A flood would otherwise grow the host's memory, not the plugin's.
pub(crate) struct LineBudget {
    began: Instant,
    written: u32,
    dropped: u64,
    /// Dropped in the minute before.
    last: u32,
}

impl Default for LineBudget {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            written: 0,
            dropped: 0,
            last: 0,
        }
    }
}

impl Core {
    pub(crate) fn log(&self, level: &str, text: &str) {
        // What it says is heard at the next poll; here the thread rests where it should.
        let _ = self.watch.over();
        let mut lines = self.lines.borrow_mut();
        if lines.began.elapsed() >= Duration::from_secs(60) {
            let last = u32::try_from(lines.dropped).unwrap_or(u32::MAX);
            self.tell_dropped(&mut lines);
            *lines = LineBudget {
                last,
                ..LineBudget::default()
            };
        }
        if lines.written >= self.reach.options.log_lines_per_minute {
            lines.dropped += 1;
        }
        let dropped = u32::try_from(lines.dropped).unwrap_or(u32::MAX).max(lines.last);
        self.link.lines_dropped.store(dropped, Ordering::Relaxed);
        if lines.dropped > 0 {
            return;
        }
        lines.written += 1;
        self.reach.backend.log(&self.reach.plugin, level, text);
    }

    pub(crate) fn tell_dropped(&self, lines: &mut LineBudget) {
        if lines.dropped > 0 {
            let said = format!(
                "{} more log lines were dropped: a plugin may write {} a minute",
                lines.dropped, self.reach.options.log_lines_per_minute
            );
            self.reach.backend.log(&self.reach.plugin, "warn", &said);
            lines.dropped = 0;
        }
    }

    /// Words for an exception, at the author's lines.
    pub(crate) fn words(&self, thrown: &Thrown) -> String {
        let frames = self.positions.rewrite(&thrown.stack);
        let frames: String = frames.chars().take(FRAMES).collect();
        let (name, message) = (cut(&thrown.name, NAME), cut(&thrown.message, MESSAGE));
        match frames.is_empty() {
            true => format!("{name}: {message}"),
            false => format!("{name}: {message} ({})", frames.trim()),
        }
    }

    /// Notes an exhausted limit that JavaScript itself could have caught.
    pub(crate) fn note_exhausted(&self, thrown: &Thrown) -> Option<&'static str> {
        let kind = match (thrown.name.as_str(), thrown.message.as_str()) {
            ("InternalError", "out of memory") => "memory",
            ("RangeError" | "InternalError", m) if m.contains("call stack") || m.contains("stack overflow") => "stack",
            _ => return None,
        };
        if kind == "memory" {
            self.exhausted.set(Some(kind));
        }
        Some(kind)
    }

    fn reply(&self, id: u32, ok: bool, text: Option<String>) {
        let max = self.reach.options.payload_bytes;
        let result = match text {
            Some(text) if text.len() > max => Err(CallFault::BadResult(format!(
                "the result has {} bytes, over the limit of {max}",
                text.len()
            ))),
            text if ok => Ok(text),
            text => {
                let mut thrown = thrown(text.as_deref().unwrap_or_default());
                thrown.position = self.positions.place(&thrown);
                self.note_exhausted(&thrown);
                Err(CallFault::Threw(self.words(&thrown), Box::new(thrown)))
            }
        };
        if id == 0 {
            return self.booted.set(Some(result.map(|_| ())));
        }
        if let Some(reply) = self.calls.borrow_mut().remove(&id) {
            // Nobody waiting any more is no fault.
            let _ = reply.send(result);
        }
    }

    pub(crate) fn throw_fault(&self, kind: &str, json: &str) {
        let thrown = thrown(json);
        let kind = self.note_exhausted(&thrown).unwrap_or(kind);
        self.reach
            .reporter
            .fault_at(kind, self.words(&thrown), self.positions.place(&thrown));
    }

    fn declare(&self, kind: &str, handle: u32, json: &str) -> std::result::Result<(), Refused> {
        if self.sealed.get() {
            return Err(Refused::Late);
        }
        let mut staging = self.staging.borrow_mut();
        staging.declare(&self.rules, kind, handle, json)?;
        *self.channels.borrow_mut() = staging.channels.iter().map(|c| c.id.clone()).collect();
        Ok(())
    }

    fn operation(self: &Rc<Self>, ctx: &Ctx<'_>, name: &str, args: String, body: Option<&Value<'_>>) -> Result<u32> {
        let options = &self.reach.options;
        // A socket waits for its next message as long as it is open; that is no call that is in flight.
        let waits = matches!(name, "socket_next" | "tcp_read");
        let going = self.operations.borrow().values().filter(|(_, waits)| !waits).count();
        if !waits && going >= options.host_calls {
            return Err(Exception::throw_range(
                ctx,
                &format!("{name}: {} host calls are in flight already", options.host_calls),
            ));
        }
        let body = match body.filter(|body| !body.is_undefined()) {
            None => None,
            Some(body) => Some(match body.as_string() {
                Some(text) => Bytes::from(text.to_string()?),
                None => Bytes::from(web::copied(&TypedArray::<u8>::from_value(body.clone())?)),
            }),
        };
        let size = args.len() + body.as_ref().map_or(0, Bytes::len);
        // A file a plugin has is larger than what it says otherwise.
        let (room, said) = match name {
            "media_put" => (MAX_FILE, MAX_FILE),
            _ => (options.payload_bytes * 2, options.payload_bytes),
        };
        if size > room || args.len() > options.payload_bytes {
            return Err(Exception::throw_range(ctx, &format!("{name}: the argument is over {said} bytes")));
        }
        if matches!(name, "fetch" | "media_fetch" | "socket_open" | "tcp_open") {
            self.link.requests.count();
        }
        let id = self.next_operation.get() + 1;
        self.next_operation.set(id);
        let token = self.cancel.child_token();
        self.operations.borrow_mut().insert(id, (token.clone(), waits));
        let decoded = Op::decode(name, args, body, &self.channels.borrow(), &self.reach.bodies);
        let (reach, link) = (Arc::clone(&self.reach), Arc::clone(&self.link));
        match decoded {
            Err(error) => link.inbox.settle(Settled { id, result: Err(error) }),
            Ok(op) => reach.tasks.clone().spawn("plugin host call", async move {
                tokio::select! {
                    () = token.cancelled() => {}
                    settled = ops::settle(id, op, &reach) => link.inbox.settle(settled),
                }
            }),
        }
        Ok(id)
    }

    fn cancel_operation(&self, id: u32) {
        if let Some((token, _)) = self.operations.borrow_mut().remove(&id) {
            token.cancel();
        }
    }

    fn timer(&self, ctx: &Ctx<'_>, id: u32, ms: f64) -> Result<()> {
        let mut timers = self.timers.borrow_mut();
        if timers.len() >= self.reach.options.timers {
            return Err(Exception::throw_range(
                ctx,
                &format!("{} timers are set already", self.reach.options.timers),
            ));
        }
        let wait = Duration::from_secs_f64((ms / 1000.0).clamp(0.0, 2_147_483.647));
        timers.set(id, Instant::now() + wait / self.reach.options.timer_speed.max(1));
        Ok(())
    }

    fn status(&self, ctx: &Ctx<'_>, kind: &str, name: &str, json: &str) -> Result<()> {
        #[derive(serde::Deserialize)]
        struct Said {
            state: String,
            #[serde(default)]
            code: Option<String>,
            #[serde(default)]
            message: Option<String>,
            #[serde(default)]
            action: Option<UserAction>,
        }
        let bad = |why: &str| Exception::throw_type(ctx, &format!("status: {why}"));
        let said: Said = serde_json::from_str(json).map_err(|e| bad(&e.to_string()))?;
        let Some(part) = ops::part(kind, name) else {
            return Err(bad("only a channel or a service has a status of its own"));
        };
        let code: String = said.code.unwrap_or_default().chars().take(64).collect();
        let message: String = said.message.unwrap_or_default().chars().take(500).collect();
        let report = match said.state.as_str() {
            "connecting" => Report::Connecting,
            "running" => Report::Running,
            "degraded" => Report::Degraded,
            "needs_user" => Report::NeedsUser(match said.action {
                Some(action @ (UserAction::Configure { .. } | UserAction::Relogin)) => action,
                Some(_) => return Err(bad("action: a plugin can ask for `configure` and `relogin`")),
                None => return Err(bad("action: is missing")),
            }),
            _ => return Err(bad("state: one of connecting, running, degraded, needs_user")),
        };
        self.reach.reporter.part(self.reach.generation, part, report, &code, &message);
        Ok(())
    }
}

/// Text for a promise that was rejected with nobody listening.
pub(crate) fn describe(reason: &Value<'_>) -> Thrown {
    // The engine throws null when there is no memory left for an error. Nobody else does.
    if reason.is_null() {
        return Thrown {
            name: "InternalError".into(),
            message: "out of memory".into(),
            ..Thrown::default()
        };
    }
    let Some(object) = reason.as_object() else {
        let message = reason
            .as_string()
            .and_then(|s| s.to_string().ok())
            .unwrap_or_else(|| format!("a {}", reason.type_name()));
        return Thrown {
            name: "Error".into(),
            message,
            ..Thrown::default()
        };
    };
    let text = |key: &str| object.get::<_, Option<String>>(key).ok().flatten().unwrap_or_default();
    let mut message = text("message");
    if message.len() > 2000 {
        message = message.chars().take(2000).collect();
    }
    Thrown {
        name: Some(text("name")).filter(|n| !n.is_empty()).unwrap_or_else(|| "Error".into()),
        message,
        stack: text("stack"),
        ..Thrown::default()
    }
}

/// A WebSocket message out of text or bytes.
fn message(data: &Value<'_>) -> Message {
    match TypedArray::<u8>::from_value(data.clone()) {
        Ok(array) => Message::Binary(web::copied(&array).into()),
        Err(_) => Message::text(data.as_string().and_then(|s| s.to_string().ok()).unwrap_or_default()),
    }
}

/// The object the prelude gets as `n`.
pub(crate) fn object<'js>(ctx: &Ctx<'js>, core: &Rc<Core>) -> Result<Object<'js>> {
    let n = Object::new(ctx.clone())?;
    n.set("account", core.rules.account.clone())?;
    let with = || Rc::clone(core);
    n.set("genuine", Func::from(|v: Value<'_>| v.is_array() && !v.is_proxy()))?;
    n.set("proxy", Func::from(|v: Value<'_>| v.is_proxy()))?;
    let c = with();
    n.set(
        "declare",
        Func::from(move |kind: String, handle: u32, json: String| c.declare(&kind, handle, &json).err().map(|e| e.to_string())),
    )?;
    let c = with();
    n.set(
        "reply",
        Func::from(move |id: u32, ok: bool, text: Opt<Option<String>>| c.reply(id, ok, text.0.flatten())),
    )?;
    let c = with();
    let op = move |ctx: Ctx<'_>, name: String, args: String, body: Opt<Value<'_>>| c.operation(&ctx, &name, args, body.0.as_ref());
    n.set("op", Func::from(op))?;
    let c = with();
    n.set("cancel", Func::from(move |id: u32| c.cancel_operation(id)))?;
    let c = with();
    n.set("timer", Func::from(move |ctx: Ctx<'_>, id: u32, ms: f64| c.timer(&ctx, id, ms)))?;
    let c = with();
    n.set("clear", Func::from(move |id: f64| c.timers.borrow_mut().clear(id as u32)))?;
    let c = with();
    n.set("log", Func::from(move |level: String, text: String| c.log(&level, &text)))?;
    let c = with();
    n.set("fault", Func::from(move |kind: String, json: String| c.throw_fault(&kind, &json)))?;
    let c = with();
    let status = move |ctx: Ctx<'_>, _call: u32, kind: String, name: String, json: String| c.status(&ctx, &kind, &name, &json);
    n.set("status", Func::from(status))?;
    let c = with();
    let schedule = move |service: String, json: String| {
        let planned = c.reach.reporter.schedule(c.reach.generation, &service, &json);
        planned.err().map(|why| why.to_string())
    };
    n.set("schedule", Func::from(schedule))?;
    let c = with();
    let unschedule = move |service: String, id: String| c.reach.reporter.unschedule(c.reach.generation, &service, &id);
    n.set("unschedule", Func::from(unschedule))?;
    let c = with();
    n.set("busy", Func::from(move |service: String| c.reach.reporter.busy(Some(&service))))?;
    let c = with();
    n.set("bodyEnd", Func::from(move |id: u32| c.reach.bodies.end(id)))?;
    let c = with();
    n.set(
        "uploadEnd",
        Func::from(move |id: u32, whole: bool| c.reach.bodies.written(id, whole)),
    )?;
    let c = with();
    n.set(
        "socketSend",
        Func::from(move |id: u32, data: Value<'_>| c.reach.sockets.send(id, message(&data), c.reach.options.fetch_bytes)),
    )?;
    let c = with();
    n.set("socketBuffered", Func::from(move |id: u32| c.reach.sockets.buffered(id)))?;
    let c = with();
    let close = move |id: u32, code: Option<u16>, reason: String| c.reach.sockets.close(id, code, &reason);
    n.set("socketClose", Func::from(close))?;
    let c = with();
    n.set("socketEnd", Func::from(move |id: u32| c.reach.sockets.end(id)))?;
    let c = with();
    n.set("tcpEnd", Func::from(move |id: u32| c.reach.connections.end(id)))?;
    web::install(ctx, &n)?;
    Ok(n)
}
