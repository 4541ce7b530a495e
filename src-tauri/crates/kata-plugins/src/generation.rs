//! One loaded copy of a plugin: its thread, and calls into it with the host's own time limit.
//!
//! A call holds the generation it began on, so a reload lets it finish there.

use crate::engine::{self, Call, CallFault, Exit, Inbox, Kind, Link, Spec};
use crate::error::LoadFault;
use crate::far::Far;
use crate::ports::Reporter;
use crate::register::Registrations;
use crate::standing::Standing;
use kata_core::ports::Clock;
use kata_core::tasks::Tasks;
use kata_protocol::{Count, PluginId, PluginUsage};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

/// How long a replaced version may stay in one piece of its own work before it is ended.
const PATIENCE: Duration = Duration::from_millis(200);

/// One loaded copy.
pub(crate) struct Generation {
    pub(crate) plugin: PluginId,
    pub(crate) number: u32,
    /// What it may do right now.
    pub(crate) standing: Arc<Standing>,
    link: Arc<Link>,
    clock: Arc<dyn Clock>,
    reporter: Arc<dyn Reporter>,
    tasks: Tasks,
    stuck: Duration,
    next_call: AtomicU32,
    in_flight: AtomicUsize,
    idle: Notify,
    /// Cancelled when the thread has ended or was given up.
    pub(crate) dead: CancellationToken,
    /// Cancelled when the thread was given up: it does not answer and cannot be stopped.
    pub(crate) abandoned: CancellationToken,
}

/// Counts a call in flight, also when its future is dropped.
struct InFlight(Arc<Generation>);

impl InFlight {
    fn of(generation: &Arc<Generation>) -> Self {
        generation.in_flight.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(generation))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.0.in_flight.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

/// Tells the thread that nobody waits, also when the caller's future is dropped.
struct Waiting<'a> {
    generation: &'a Generation,
    id: u32,
    done: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.generation.link.inbox.abort(self.id);
        }
    }
}

/// A call that lasts as long as its part is up. Its signal stays unaborted, also after it has answered, until it is told
/// to leave or dropped.
pub(crate) struct OpenCall {
    in_flight: InFlight,
    id: u32,
    answer: oneshot::Receiver<Result<Option<String>, CallFault>>,
}

impl OpenCall {
    /// Its answer. Not to be asked again after it was given.
    pub(crate) async fn ended(&mut self) -> Result<(), CallFault> {
        let answer = (&mut self.answer).await;
        answer
            .unwrap_or_else(|_| Err(CallFault::Ended("the plugin ended".into())))
            .map(|_| ())
    }

    /// Aborts its signal.
    pub(crate) fn leave(&self) {
        self.in_flight.0.link.inbox.signal(self.id);
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.in_flight.0.link.inbox.abort(self.id);
    }
}

/// What came of starting one.
pub(crate) struct Loaded {
    pub(crate) generation: Arc<Generation>,
    pub(crate) registrations: Registrations,
    pub(crate) exit: oneshot::Receiver<Exit>,
}

impl Generation {
    /// Loads a copy and lets it register. Nothing of it is reachable before the caller puts it into the registry.
    ///
    /// # Errors
    /// [`LoadFault`], in words with the author's position.
    pub(crate) async fn load(spec: Spec, clock: Arc<dyn Clock>) -> Result<Loaded, LoadFault> {
        let (plugin, number, tasks, reporter) = (
            spec.rules.plugin.clone(),
            spec.generation,
            spec.tasks.clone(),
            Arc::clone(&spec.reporter),
        );
        // The thread has a limit of its own; this one is for a thread that is stuck in native code.
        let limit = spec.options.load_timeout + Duration::from_secs(1);
        let stuck = spec.options.stuck;
        let standing = Arc::clone(&spec.standing);
        let begun = engine::begin(spec).map_err(LoadFault::NoThread)?;
        let generation = Arc::new(Self {
            plugin,
            number,
            standing,
            link: begun.link,
            clock,
            reporter,
            tasks,
            stuck,
            next_call: AtomicU32::new(1),
            in_flight: AtomicUsize::new(0),
            idle: Notify::new(),
            dead: CancellationToken::new(),
            abandoned: CancellationToken::new(),
        });
        let booted = tokio::select! {
            booted = begun.boot => booted.unwrap_or(Err(LoadFault::ThreadEnded)),
            () = generation.clock.sleep(limit) => Err(LoadFault::Stuck),
        };
        match booted {
            Ok(registrations) => Ok(Loaded {
                generation,
                registrations,
                exit: begun.exit,
            }),
            Err(fault) => {
                generation.discard(begun.exit);
                Err(fault)
            }
        }
    }

    /// One whose code is a program of its own. There is nothing to load, and nothing to watch: it cannot be stuck here.
    pub(crate) fn of_program(
        far: Arc<Far>,
        number: u32,
        standing: Arc<Standing>,
        clock: Arc<dyn Clock>,
        reporter: Arc<dyn Reporter>,
        tasks: Tasks,
        stuck: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            plugin: far.plugin.clone(),
            number,
            standing,
            link: Arc::new(Link::new(Inbox::to(far))),
            clock,
            reporter,
            tasks,
            stuck,
            next_call: AtomicU32::new(1),
            in_flight: AtomicUsize::new(0),
            idle: Notify::new(),
            dead: CancellationToken::new(),
            abandoned: CancellationToken::new(),
        })
    }

    /// The program behind it, where it is one.
    pub(crate) fn far(&self) -> Option<&Arc<Far>> {
        self.link.inbox.far()
    }

    /// Ends one that never served; its thread is still waited for.
    pub(crate) fn discard(self: &Arc<Self>, exit: oneshot::Receiver<Exit>) {
        self.kill();
        let this = Arc::clone(self);
        self.tasks.spawn("plugin exit", async move {
            if let Exit::Fault {
                kind: "stuck", message, ..
            } = this.ended(exit).await
            {
                this.reporter.fault("stuck", message);
            }
        });
    }

    /// Waits until the thread has ended or was given up. Afterwards it is dead for everybody.
    pub(crate) async fn ended(&self, exit: oneshot::Receiver<Exit>) -> Exit {
        let exit = tokio::select! {
            biased;
            exit = exit => exit.unwrap_or(Exit::Fault { kind: "stuck", message: "its thread ended without a word".into(), position: None }),
            () = self.abandoned.cancelled() => Exit::Fault {
                kind: "stuck",
                message: format!(
                    "native code of its JavaScript engine has not come back for {:?}; the thread was put at the least priority and \
                     given up: restart the app to end it",
                    self.stuck
                ),
                position: None,
            },
        };
        self.dead.cancel();
        exit
    }

    /// Odd while JavaScript runs; grows with every batch.
    pub(crate) fn pulse(&self) -> u64 {
        self.link.pulse.load(Ordering::Acquire)
    }

    /// Whether the thread was given up and is still there.
    pub(crate) fn lingers(&self) -> bool {
        self.abandoned.is_cancelled() && self.link.thread.load(Ordering::Acquire) != 0
    }

    /// Calls into the plugin. `limit` is the host's own; `None` waits until `cancel`.
    pub(crate) async fn call(
        self: &Arc<Self>,
        kind: Kind,
        handle: u32,
        payload: Option<Arc<str>>,
        limit: Option<Duration>,
        cancel: Option<&CancellationToken>,
    ) -> Result<Option<String>, CallFault> {
        let _in_flight = InFlight::of(self);
        let id = self.next_call.fetch_add(1, Ordering::Relaxed);
        let (reply, mut answer) = oneshot::channel();
        self.link
            .inbox
            .call(Call {
                id,
                kind,
                handle,
                payload,
                limit,
                reply,
            })
            .map_err(|(_, fault)| fault)?;
        let mut waiting = Waiting {
            generation: self,
            id,
            done: false,
        };
        let cancelled = async {
            match cancel {
                Some(token) => token.cancelled().await,
                None => std::future::pending().await,
            }
        };
        let late = async {
            match limit {
                Some(limit) => self.clock.sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            answered = &mut answer => {
                waiting.done = true;
                answered.unwrap_or_else(|_| Err(CallFault::Ended("the plugin ended".into())))
            }
            () = self.dead.cancelled() => {
                // The thread answers every open call before it ends; only one that was given up does not.
                answer.try_recv().unwrap_or_else(|_| Err(CallFault::Ended("the plugin ended".into())))
            }
            () = cancelled => Err(CallFault::Cancelled),
            () = late => {
                self.interrupt(id);
                Err(CallFault::Timeout(limit.unwrap_or_default()))
            }
        }
    }

    /// Begins a call without a time limit.
    pub(crate) fn open(self: &Arc<Self>, kind: Kind, handle: u32) -> Result<OpenCall, CallFault> {
        let in_flight = InFlight::of(self);
        let id = self.next_call.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        self.link
            .inbox
            .call(Call {
                id,
                kind,
                handle,
                payload: None,
                limit: None,
                reply,
            })
            .map_err(|(_, fault)| fault)?;
        Ok(OpenCall { in_flight, id, answer })
    }

    /// The host has stopped waiting for `id`. If its JavaScript runs at this moment it is in a loop: the runtime ends.
    fn interrupt(self: &Arc<Self>, id: u32) {
        if self.link.running.load(Ordering::Acquire) == id {
            self.kill();
        }
    }

    /// Ends the runtime at the engine's next poll, and gives the thread up if there is none.
    pub(crate) fn kill(self: &Arc<Self>) {
        if let Some(far) = self.far() {
            far.close("the plugin was stopped");
            return self.dead.cancel();
        }
        self.link.kill.store(true, Ordering::Release);
        self.link.inbox.quit();
        let this = Arc::clone(self);
        self.tasks.spawn("plugin watchdog", async move {
            tokio::select! {
                () = this.dead.cancelled() => {}
                () = this.clock.sleep(this.stuck) => this.abandon(),
            }
        });
    }

    fn abandon(&self) {
        crate::engine::give_up(self.link.thread.load(Ordering::Acquire));
        self.abandoned.cancel();
        self.dead.cancel();
    }

    /// Waits until no call is in flight, at most `limit`; then lets it dispose, and ends its thread.
    pub(crate) async fn retire(self: &Arc<Self>, limit: Duration, dispose: Duration) {
        let drained = async {
            loop {
                let idle = self.idle.notified();
                if self.in_flight.load(Ordering::Acquire) == 0 {
                    return;
                }
                idle.await;
            }
        };
        tokio::select! {
            () = drained => {}
            () = self.dead.cancelled() => return,
            () = self.clock.sleep(limit) => {}
        }
        tokio::select! {
            biased;
            _ = self.call(Kind::Dispose, 0, None, Some(dispose), None) => {}
            () = self.hangs() => {}
        }
        self.kill();
    }

    /// Until its thread has been in one and the same piece of its own work for [`PATIENCE`]. It would come to its `dispose` at the end
    /// of the rests that are due in the middle of that, seconds later, and work on beside the version that has taken its place.
    async fn hangs(&self) {
        loop {
            let pulse = self.pulse();
            self.clock.sleep(PATIENCE).await;
            let own = self.link.running.load(Ordering::Acquire) == 0;
            if pulse % 2 == 1 && pulse == self.pulse() && own {
                return;
            }
        }
    }

    /// What it uses now.
    pub(crate) fn usage(&self) -> PluginUsage {
        PluginUsage {
            memory_bytes: Count(self.link.memory.load(Ordering::Relaxed)),
            cpu_ms_last_minute: self.link.cpu_ms.load(Ordering::Relaxed),
            timers: self.link.timers.load(Ordering::Relaxed),
            calls_in_flight: match self.far() {
                Some(far) => far.in_flight(),
                None => self.link.operations.load(Ordering::Relaxed),
            },
            queue_depth: u32::try_from(self.link.inbox.waiting()).unwrap_or(u32::MAX),
            log_lines_dropped: self.link.lines_dropped.load(Ordering::Relaxed),
            sockets: self.link.sockets.load(Ordering::Relaxed),
            requests_last_minute: self.link.requests.figure(),
            ..PluginUsage::default()
        }
    }
}
