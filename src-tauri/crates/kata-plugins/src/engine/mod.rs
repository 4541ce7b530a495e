//! One plugin's thread: a QuickJS runtime, one context, and an event loop of our own over the synchronous API.
//!
//! The whole loop runs inside one `Context::with`, so the prelude's functions are plain locals: nothing of JavaScript is
//! kept past the runtime, which would abort the process when it is freed. Jobs run under a deadline, and between them the
//! loop looks at the clock, because microtasks that breed never return by themselves.
//!
//! Deliberately absent: rquickjs' async runtime, `Persistent`, and any wait for the host while JavaScript runs.

mod account;
mod codec;
mod crypto;
mod heap;
mod inbox;
mod loader;
mod native;
mod ops;
mod priority;
mod scripts;
pub(crate) mod sdk;
mod slice;
mod talk;
mod web;

use crate::error::LoadFault;
use crate::meter::Minute;
use crate::network::Clients;
use crate::options::HostOptions;
use crate::pace::Pace;
use crate::ports::{Reach, Reporter};
use crate::register::{Registrations, Rules};
use crate::standing::Standing;
use inbox::Command;
pub(crate) use inbox::{Call, CallFault, Inbox, Kind, Reply, Thrown};
use loader::{Folder, Positions, Sources};
pub(crate) use loader::{ResolveError, entry};
use native::Core;
pub(crate) use native::thrown;
pub(crate) use ops::{Op, decode_draft, without_values};
pub(crate) use priority::give_up;
use rquickjs::{CatchResultExt, CaughtError, Context, Ctx, Function, Object, Runtime};
use slice::{Tripped, Watch, Work};
use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// The thread's stack. JavaScript may use [`HostOptions::stack_kb`] of it; the rest is for what it calls at its deepest.
const THREAD_STACK: usize = 2 << 20;
/// How long the heap figure may be out of date while the plugin works; counting walks the heap.
const COUNT_HEAP: Duration = Duration::from_secs(5);

/// The host's end of a plugin's thread.
pub(crate) struct Link {
    pub(crate) inbox: Inbox,
    /// Thrown: JavaScript stops at the next poll and the runtime ends.
    pub(crate) kill: Arc<AtomicBool>,
    /// Call whose first batch runs right now; 0 when none.
    pub(crate) running: AtomicU32,
    /// Odd while JavaScript runs; grows with every batch.
    pub(crate) pulse: AtomicU64,
    pub(crate) memory: AtomicU64,
    pub(crate) cpu_ms: AtomicU32,
    pub(crate) timers: AtomicU32,
    pub(crate) operations: AtomicU32,
    pub(crate) sockets: AtomicU32,
    /// HTTP requests and sockets begun.
    pub(crate) requests: Minute,
    /// Log lines dropped in the present minute or the one before, whichever were more.
    pub(crate) lines_dropped: AtomicU32,
    /// The thread's id with the system, for lowering it when it is stuck; 0 once it has ended.
    pub(crate) thread: AtomicU32,
}

impl Link {
    /// To whoever reads `inbox`; there is no thread yet.
    pub(crate) fn new(inbox: Inbox) -> Self {
        Self {
            inbox,
            kill: Arc::default(),
            running: AtomicU32::new(0),
            pulse: AtomicU64::new(0),
            memory: AtomicU64::new(0),
            cpu_ms: AtomicU32::new(0),
            timers: AtomicU32::new(0),
            operations: AtomicU32::new(0),
            sockets: AtomicU32::new(0),
            requests: Minute::default(),
            lines_dropped: AtomicU32::new(0),
            thread: AtomicU32::new(0),
        }
    }
}

/// How a thread ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It was asked to.
    Quit,
    /// Over a limit.
    Fault {
        kind: &'static str,
        message: String,
        /// Where, in the author's source.
        position: Option<kata_protocol::SourcePosition>,
    },
}

/// Everything a generation begins with.
pub(crate) struct Spec {
    pub(crate) generation: u32,
    pub(crate) folder: PathBuf,
    pub(crate) entry: String,
    pub(crate) pins: Option<Arc<crate::contents::Pins>>,
    pub(crate) settings: serde_json::Value,
    pub(crate) rules: Rules,
    pub(crate) standing: Arc<Standing>,
    pub(crate) options: HostOptions,
    pub(crate) reporter: Arc<dyn Reporter>,
    pub(crate) backend: Arc<dyn kata_core::ports::PluginBackend>,
    pub(crate) clients: Clients,
    pub(crate) tasks: kata_core::tasks::Tasks,
    pub(crate) workspace: Option<kata_protocol::WorkspaceId>,
    pub(crate) pool: tokio::runtime::Handle,
    /// What the plugin's own work may take, over all generations.
    pub(crate) share: Arc<crate::share::Share>,
    /// The pace of its requests, over all generations.
    pub(crate) pace: Arc<Pace>,
    /// What its manifest lets it use, over all generations.
    pub(crate) budget: Arc<crate::budget::Budget>,
    pub(crate) clock: Arc<dyn kata_core::ports::Clock>,
}

/// A thread that was begun.
pub(crate) struct Begun {
    pub(crate) link: Arc<Link>,
    /// What it registered, or why it could not be loaded.
    pub(crate) boot: oneshot::Receiver<Result<Registrations, LoadFault>>,
    pub(crate) exit: oneshot::Receiver<Exit>,
}

/// Begins a plugin's thread.
pub(crate) fn begin(spec: Spec) -> std::io::Result<Begun> {
    let link = Arc::new(Link::new(Inbox::new(spec.options.queue)));
    link.thread.store(u32::MAX, Ordering::Release);
    let (boot_tx, boot) = oneshot::channel();
    let (exit_tx, exit) = oneshot::channel();
    let thread_link = Arc::clone(&link);
    std::thread::Builder::new()
        .name(format!("plugin {}", spec.rules.plugin))
        .stack_size(THREAD_STACK)
        .spawn(move || {
            #[cfg(target_os = "linux")]
            thread_link
                .thread
                .store(rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs(), Ordering::Release);
            // Host calls are spawned from here.
            let pool = spec.pool.clone();
            let _entered = pool.enter();
            let exit = run(spec, &thread_link, boot_tx);
            // Its id may be another thread's soon.
            thread_link.thread.store(0, Ordering::Release);
            let _ = exit_tx.send(exit);
        })?;
    Ok(Begun { link, boot, exit })
}

fn run(spec: Spec, link: &Arc<Link>, boot: oneshot::Sender<Result<Registrations, LoadFault>>) -> Exit {
    let (folder, pins, entry, settings, slices) = (spec.folder, spec.pins, spec.entry, spec.settings, Slices::of(&spec.options));
    let positions = Positions::default();
    let watch = Rc::new(Watch::new(
        Arc::clone(&link.kill),
        Arc::clone(&spec.share),
        spec.options.cpu_ms_per_minute,
        spec.options.seats.as_ref().and_then(|seats| seats.take(spec.rules.plugin.as_str())),
    ));
    let cancel = CancellationToken::new();
    let core = Rc::new(Core {
        link: Arc::clone(link),
        reach: Arc::new(Reach {
            plugin: spec.rules.plugin.clone(),
            generation: spec.generation,
            backend: spec.backend,
            reporter: spec.reporter,
            standing: spec.standing,
            clients: spec.clients,
            options: spec.options.clone(),
            tasks: spec.tasks,
            workspace: spec.workspace,
            emitted: Minute::default(),
            pace: spec.pace,
            share: spec.share,
            budget: spec.budget,
            clock: spec.clock,
            bodies: Default::default(),
            sockets: Default::default(),
            connections: Default::default(),
            stop: cancel.clone(),
        }),
        watch: Rc::clone(&watch),
        rules: spec.rules,
        positions: positions.clone(),
        staging: Default::default(),
        channels: Default::default(),
        sealed: Cell::new(false),
        booted: Cell::new(None),
        calls: Default::default(),
        operations: Default::default(),
        next_operation: Cell::new(0),
        timers: Default::default(),
        rejections: Default::default(),
        lines: Default::default(),
        cancel,
        exhausted: Cell::new(None),
    });
    let exit = match runtime(&spec.options, &watch, &core, folder, pins) {
        Err(e) => Exit::Fault {
            kind: "memory",
            message: format!("the engine did not start: {e}"),
            position: None,
        },
        Ok((_runtime, context)) => {
            let exit = context.with(|ctx| {
                Loop {
                    ctx,
                    core: &core,
                    watch: &watch,
                    slices,
                    broke: Cell::new(None),
                }
                .run(&entry, &settings, boot)
            });
            watch.ending();
            exit
        }
    };
    core.cancel.cancel();
    core.tell_dropped(&mut core.lines.borrow_mut());
    let words = match &exit {
        Exit::Quit => "the plugin was stopped".to_owned(),
        Exit::Fault { message, .. } => message.clone(),
    };
    for (_, reply) in core.calls.borrow_mut().drain() {
        let _ = reply.send(Err(CallFault::Ended(words.clone())));
    }
    for call in link.inbox.close() {
        let _ = call.reply.send(Err(CallFault::NotStarted(words.clone())));
    }
    exit
}

fn runtime(
    options: &HostOptions,
    watch: &Rc<Watch>,
    core: &Rc<Core>,
    folder: PathBuf,
    pins: Option<Arc<crate::contents::Pins>>,
) -> rquickjs::Result<(Runtime, Context)> {
    let runtime = Runtime::new_with_alloc(heap::Heap::new(watch))?;
    runtime.set_memory_limit((options.memory_mb as usize) << 20);
    runtime.set_max_stack_size((options.stack_kb as usize) << 10);
    let (parser, loaded) = (Rc::clone(watch), Rc::clone(core));
    runtime.set_loader(
        Folder { root: folder.clone() },
        Sources {
            root: folder,
            positions: core.positions.clone(),
            pins,
            parsed: Box::new(move |spent| {
                // A load has limits of its own.
                if loaded.sealed.get() {
                    parser.charge(spent);
                }
            }),
        },
    );
    let over = Rc::clone(watch);
    runtime.set_interrupt_handler(Some(Box::new(move || over.over())));
    let seen = Rc::clone(core);
    runtime.set_host_promise_rejection_tracker(Some(Box::new(move |_, promise, reason, handled| {
        let mut hash = DefaultHasher::new();
        promise.hash(&mut hash);
        let key = hash.finish();
        if handled {
            seen.rejections.borrow_mut().remove(&key);
        } else if seen.rejections.borrow().len() < 16 {
            // Described before the map is borrowed: a getter on the reason may run and reject something itself.
            let thrown = native::describe(&reason);
            seen.note_exhausted(&thrown);
            let told = (seen.words(&thrown), seen.positions.place(&thrown));
            seen.rejections.borrow_mut().insert(key, told);
        }
    })));
    let context = Context::full(&runtime)?;
    Ok((runtime, context))
}

#[derive(Clone, Copy)]
struct Slices {
    batch: Duration,
    call: Duration,
    load: Duration,
    load_timeout: Duration,
}

impl Slices {
    fn of(options: &HostOptions) -> Self {
        Self {
            batch: options.slice,
            call: options.call_slice,
            load: options.load_slice,
            load_timeout: options.load_timeout,
        }
    }
}

struct Loop<'a, 'js> {
    ctx: Ctx<'js>,
    core: &'a Rc<Core>,
    watch: &'a Watch,
    slices: Slices,
    /// What the last entry into JavaScript threw past the prelude.
    broke: Cell<Option<String>>,
}

/// The prelude's functions.
struct Dispatch<'js> {
    call: Function<'js>,
    settle: Function<'js>,
    abort: Function<'js>,
    fire: Function<'js>,
    boot: Function<'js>,
    dispose: Function<'js>,
}

impl<'js> Loop<'_, 'js> {
    fn run(self, entry: &str, settings: &serde_json::Value, boot: oneshot::Sender<Result<Registrations, LoadFault>>) -> Exit {
        let mut boot = Boot(Some(boot));
        self.watch.begin(self.slices.load, Work::Load);
        let dispatch = match self.prelude(settings).catch(&self.ctx) {
            Ok(dispatch) => dispatch,
            Err(e) => {
                boot.end(Err(LoadFault::Prelude(e.to_string())));
                return Exit::Quit;
            }
        };
        let started = Instant::now();
        if let Some(exit) = self.batch(self.slices.load, Work::Load, "loading", || {
            dispatch.boot.call::<_, ()>((format!("./{entry}"), 0))
        }) {
            boot.end(Err(LoadFault::OverLimit(words_of(&exit))));
            return exit;
        }
        let mut heap_counted = Instant::now();
        self.publish(true);
        let mut booted = false;
        loop {
            if !booted {
                match self.core.booted.take() {
                    None if started.elapsed() > self.slices.load_timeout => {
                        boot.end(Err(LoadFault::Unended(self.slices.load_timeout)));
                        return Exit::Quit;
                    }
                    None => {}
                    Some(Err(fault)) => {
                        boot.end(Err(LoadFault::Register(fault)));
                        return Exit::Quit;
                    }
                    Some(Ok(())) => {
                        booted = true;
                        self.core.sealed.set(true);
                        boot.end(Ok(self.core.staging.take()));
                    }
                }
            }
            let rest = self.watch.resting();
            let mut until = self.core.timers.borrow().next();
            let held = self.held();
            if let Some(held) = held {
                until = until.map(|u| u.max(held));
            }
            if let Some(rest) = rest {
                until = Some(until.map_or(rest, |u| u.max(rest)));
            }
            if !booted {
                let end = started + self.slices.load_timeout + Duration::from_millis(1);
                until = Some(until.map_or(end, |u| u.min(end)));
            }
            let exit = match self.core.link.inbox.next(until, rest) {
                Some(Command::Quit) => return Exit::Quit,
                Some(Command::Abort(id, forget)) => {
                    if forget {
                        self.core.calls.borrow_mut().remove(&id);
                    }
                    self.batch(self.slices.batch, Work::Own, "an abort", || dispatch.abort.call::<_, ()>((id,)))
                }
                Some(Command::Settle(settled)) => self.settle(&dispatch, settled),
                Some(Command::Call(call)) => self.call(&dispatch, call),
                None => {
                    let due = match self.held() {
                        None => self.core.timers.borrow_mut().take_due(Instant::now()),
                        Some(_) => None,
                    };
                    if due.is_some() {
                        self.core.reach.budget.wakeup();
                    }
                    due.and_then(|id| self.batch(self.slices.batch, Work::Own, "a timer", || dispatch.fire.call::<_, ()>((id,))))
                }
            };
            let count = heap_counted.elapsed() > COUNT_HEAP;
            self.publish(count);
            if count {
                heap_counted = Instant::now();
            }
            if let Some(exit) = exit {
                boot.end(Err(LoadFault::OverLimit(words_of(&exit))));
                return exit;
            }
        }
    }

    /// Until when no timer fires, because the minute's wake-ups are used up; the person is told where one is due.
    fn held(&self) -> Option<Instant> {
        let reach = &self.core.reach;
        let wait = reach.budget.held()?;
        let until = Instant::now() + wait / reach.options.timer_speed.max(1);
        if self.core.timers.borrow().next().is_some_and(|due| due < until) {
            reach.reporter.over_budget(&reach.budget.no_wakeups(), wait);
        }
        Some(until)
    }

    fn prelude(&self, settings: &serde_json::Value) -> rquickjs::Result<Dispatch<'js>> {
        let ctx = &self.ctx;
        let natives = native::object(ctx, self.core)?;
        scripts::BOUNDS.evaluate::<Function<'_>>(ctx)?.call::<_, ()>((natives.clone(),))?;
        let config = ctx.json_parse(settings.to_string())?;
        let made: Object<'_> = scripts::CORE.evaluate::<Function<'_>>(ctx)?.call((natives, config))?;
        Ok(Dispatch {
            call: made.get("call")?,
            settle: made.get("settle")?,
            abort: made.get("abort")?,
            fire: made.get("fire")?,
            boot: made.get("boot")?,
            dispose: made.get("dispose")?,
        })
    }

    fn call(&self, dispatch: &Dispatch<'js>, call: Call) -> Option<Exit> {
        let Call {
            id,
            kind,
            handle,
            payload,
            reply,
            ..
        } = call;
        if reply.is_closed() {
            return None;
        }
        self.core.calls.borrow_mut().insert(id, reply);
        let slice = if matches!(kind, Kind::Hook | Kind::Typing) {
            self.slices.batch
        } else {
            self.slices.call
        };
        self.core.link.running.store(id, Ordering::Release);
        let work = if kind.is_part() { Work::Part } else { Work::Asked };
        if kind == Kind::Send {
            self.watch.earn();
        }
        let exit = self.batch(slice, work, kind.as_str(), || match kind {
            Kind::Dispose => dispatch.dispose.call::<_, ()>((id,)),
            _ => dispatch.call.call::<_, ()>((kind.as_str(), handle, id, payload.as_deref())),
        });
        self.core.link.running.store(0, Ordering::Release);
        // A plugin that broke the prelude's own tools gets no answer out; its caller must not wait for one.
        if let Some(words) = self.broke.take()
            && let Some(reply) = self.core.calls.borrow_mut().remove(&id)
        {
            let _ = reply.send(Err(CallFault::Ended(words)));
        }
        exit
    }

    fn settle(&self, dispatch: &Dispatch<'js>, settled: inbox::Settled) -> Option<Exit> {
        // One that was cancelled meanwhile is not waited for any more.
        self.core.operations.borrow_mut().remove(&settled.id)?;
        self.batch(self.slices.batch, Work::Own, "a host call's answer", || match settled.result {
            Err(error) => dispatch.settle.call::<_, ()>((settled.id, false, error.to_json())),
            Ok((text, None)) => dispatch.settle.call::<_, ()>((settled.id, true, text)),
            Ok((text, Some(bytes))) => {
                if let Some(error) = self.no_room_for(bytes.len()) {
                    return dispatch.settle.call::<_, ()>((settled.id, false, error.to_json()));
                }
                let bytes = rquickjs::TypedArray::<u8>::new_copy(self.ctx.clone(), bytes)?;
                dispatch.settle.call::<_, ()>((settled.id, true, text, bytes))
            }
        })
    }

    /// Why so many bytes cannot be given to the plugin: it is told so, where it would else be ended for its memory.
    fn no_room_for(&self, bytes: usize) -> Option<ops::OpError> {
        const SMALL: usize = 1 << 20;
        let limit = self.core.reach.options.memory_mb;
        let fits = bytes <= SMALL || heap_bytes(&self.ctx) + bytes as u64 + SMALL as u64 <= u64::from(limit) << 20;
        (!fits).then(|| ops::OpError::too_large(format!("{bytes} bytes do not fit into the plugin's memory of {limit} MB")))
    }

    /// Runs one entry into JavaScript and every job it leaves behind, under one deadline. `Some` ends the runtime.
    fn batch(&self, slice: Duration, work: Work, what: &str, enter: impl FnOnce() -> rquickjs::Result<()>) -> Option<Exit> {
        let link = &self.core.link;
        link.pulse.fetch_add(1, Ordering::AcqRel);
        self.watch.begin(slice, work);
        let (mut place, mut position) = (String::new(), None);
        self.broke.set(None);
        if let Err(error) = enter().catch(&self.ctx) {
            let thrown = match &error {
                CaughtError::Exception(e) => native::describe(e.as_object().as_value()),
                CaughtError::Value(v) => native::describe(v),
                CaughtError::Error(e) => inbox::Thrown {
                    name: "Error".into(),
                    message: e.to_string(),
                    ..Default::default()
                },
            };
            match self.watch.tripped() {
                // The stack of what was interrupted says where.
                Some(_) => {
                    place = self.core.positions.rewrite(&thrown.stack);
                    position = self.core.positions.place(&thrown);
                }
                None => {
                    self.core.note_exhausted(&thrown);
                    let words = self.core.words(&thrown);
                    let place = self.core.positions.place(&thrown);
                    self.core.reach.reporter.fault_at("throw", words.clone(), place);
                    self.broke.set(Some(words));
                }
            }
        }
        let mut jobs = 0u32;
        while self.watch.tripped().is_none() && self.ctx.execute_pending_job() {
            jobs = jobs.wrapping_add(1);
            if jobs.is_multiple_of(16) {
                self.watch.over();
            }
        }
        self.watch.end();
        link.pulse.fetch_add(1, Ordering::AcqRel);
        if self.watch.tells() {
            let message = "it works more by itself than its share of the CPU; beyond it, it does so slowly, with rests";
            self.core.reach.reporter.fault("busy", message.into());
        }
        let unheard: Vec<_> = self.core.rejections.borrow_mut().drain().map(|(_, told)| told).collect();
        for (words, place) in unheard {
            self.core.reach.reporter.fault_at("unhandled_rejection", words, place);
        }
        if let Some(tripped) = self.watch.tripped() {
            let place = place.split_whitespace().take(4).collect::<Vec<_>>().join(" ");
            let at = if place.is_empty() { String::new() } else { format!(" ({place})") };
            return Some(match tripped {
                Tripped::Slice(limit) => Exit::Fault {
                    kind: "cpu",
                    message: format!("{what} ran for more than {limit:?} without a pause{at}"),
                    position: position.clone(),
                },
                Tripped::Minute(ms) => Exit::Fault {
                    kind: "cpu",
                    message: format!("more than {ms} ms of CPU within a minute, the last in {what}{at}"),
                    position: position.clone(),
                },
                Tripped::Endless => Exit::Fault {
                    kind: "cpu",
                    message: format!("it has worked beyond its share of the CPU for five minutes without a pause, the last in {what}{at}"),
                    position: position.clone(),
                },
                Tripped::Killed => Exit::Fault {
                    kind: "timeout",
                    message: format!("{what} was interrupted{at}"),
                    position: position.clone(),
                },
            });
        }
        let exhausted = self.core.exhausted.take()?;
        let limit = self.core.reach.options.memory_mb;
        Some(Exit::Fault {
            kind: exhausted,
            message: format!("more than {limit} MB of memory, in {what}"),
            position: None,
        })
    }

    fn publish(&self, count_heap: bool) {
        let link = &self.core.link;
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        link.timers.store(small(self.core.timers.borrow().len()), Ordering::Relaxed);
        let going = self.core.operations.borrow().values().filter(|(_, waits)| !waits).count();
        link.operations.store(small(going), Ordering::Relaxed);
        link.sockets.store(self.core.reach.sockets.open(), Ordering::Relaxed);
        link.cpu_ms.store(self.watch.cpu_ms(), Ordering::Relaxed);
        if count_heap {
            link.memory.store(heap_bytes(&self.ctx), Ordering::Relaxed);
        }
    }
}

/// Bytes the runtime has allocated. The safe call for it takes the runtime's lock, which the loop holds for its whole life.
#[expect(unsafe_code, reason = "one read-only call into the engine; see the comment")]
fn heap_bytes(ctx: &Ctx<'_>) -> u64 {
    let mut usage = std::mem::MaybeUninit::<rquickjs::qjs::JSMemoryUsage>::zeroed();
    // SAFETY: `ctx` is a live context on this thread, so its runtime is live; the call walks the heap, runs no JavaScript
    // and fills the whole of `usage`, which is plain integers and was zeroed before.
    let usage = unsafe {
        let runtime = rquickjs::qjs::JS_GetRuntime(ctx.as_raw().as_ptr());
        rquickjs::qjs::JS_ComputeMemoryUsage(runtime, usage.as_mut_ptr());
        usage.assume_init()
    };
    u64::try_from(usage.malloc_size).unwrap_or(0)
}

/// The answer to whoever loads the plugin, given once.
struct Boot(Option<oneshot::Sender<Result<Registrations, LoadFault>>>);

impl Boot {
    fn end(&mut self, result: Result<Registrations, LoadFault>) {
        if let Some(boot) = self.0.take() {
            // A host that no longer wants this generation has dropped its end and will quit it.
            let _ = boot.send(result);
        }
    }
}

fn words_of(exit: &Exit) -> String {
    match exit {
        Exit::Quit => "it was stopped".into(),
        Exit::Fault { message, .. } => message.clone(),
    }
}
