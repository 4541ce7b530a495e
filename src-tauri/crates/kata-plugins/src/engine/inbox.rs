//! What the host sends a plugin's thread. Bounded: calls by the queue's length (a full one refuses), settlements by the
//! host calls in flight, aborts by the calls that are open.

use super::ops::OpError;
use crate::far::Far;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::oneshot;

/// What to call. The order of fields is that of `kinds` in core.js.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Hook,
    Tool,
    Command,
    Route,
    Send,
    Edit,
    Stream,
    Delete,
    React,
    Typing,
    Download,
    Connect,
    Disconnect,
    /// A question about a channel: its set-up, its sign-in, its platform.
    Ask,
    Start,
    Stop,
    /// A planned piece of work of a service.
    Job,
    /// The module's `dispose`; has no handle.
    Dispose,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Hook => "hook",
            Self::Tool => "tool",
            Self::Command => "command",
            Self::Route => "route",
            Self::Send => "send",
            Self::Edit => "edit",
            Self::Stream => "stream",
            Self::Delete => "delete",
            Self::React => "react",
            Self::Typing => "typing",
            Self::Download => "download",
            Self::Connect => "connect",
            Self::Disconnect => "disconnect",
            Self::Ask => "ask",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Job => "job",
            Self::Dispose => "dispose",
        }
    }

    /// Whether it is a channel's or a service's part that is at work: what it holds up can wait.
    pub(crate) fn is_part(self) -> bool {
        matches!(
            self,
            Self::Send | Self::Typing | Self::Connect | Self::Disconnect | Self::Start | Self::Stop | Self::Job
        )
    }
}

/// What JavaScript threw, as far as it can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Thrown {
    pub(crate) name: String,
    pub(crate) message: String,
    pub(crate) stack: String,
    pub(crate) code: Option<String>,
    #[serde(deserialize_with = "whole_ms")]
    pub(crate) retry_after_ms: Option<u32>,
    pub(crate) certain: bool,
    /// Where, in the author's source.
    #[serde(skip)]
    pub(crate) position: Option<kata_protocol::SourcePosition>,
}

/// A wait as JavaScript writes it: any number; what is none is no wait.
fn whole_ms<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<u32>, D::Error> {
    let number: Option<f64> = serde::Deserialize::deserialize(d)?;
    Ok(number
        .filter(|n| n.is_finite() && *n >= 0.0)
        .map(|n| n.min(f64::from(u32::MAX)) as u32))
}

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallFault {
    /// The handler threw or its promise was rejected; the position is the author's.
    #[error("{0}")]
    Threw(String, Box<Thrown>),
    /// The runtime ended during the call.
    #[error("{0}")]
    Ended(String),
    /// The call never reached the plugin.
    #[error("{0}")]
    NotStarted(String),
    /// The host stopped waiting.
    #[error("no answer within {0:?}")]
    Timeout(std::time::Duration),
    /// The caller stopped waiting.
    #[error("cancelled")]
    Cancelled,
    /// The answer is too large or too deep for the host.
    #[error("{0}")]
    BadResult(String),
}

pub(crate) type Reply = oneshot::Sender<Result<Option<String>, CallFault>>;

/// One call into the plugin.
pub(crate) struct Call {
    pub(crate) id: u32,
    pub(crate) kind: Kind,
    pub(crate) handle: u32,
    pub(crate) payload: Option<Arc<str>>,
    /// Time after which nobody waits; the caller keeps it.
    pub(crate) limit: Option<std::time::Duration>,
    pub(crate) reply: Reply,
}

/// What a host call came to.
pub(crate) struct Settled {
    pub(crate) id: u32,
    /// Text for JavaScript, with bytes where there are some.
    pub(crate) result: Result<(Option<String>, Option<Vec<u8>>), OpError>,
}

pub(crate) enum Command {
    Call(Call),
    Settle(Settled),
    /// The call's signal is aborted; `true`: nobody waits for its answer either.
    Abort(u32, bool),
    Quit,
}

#[derive(Default)]
struct Lanes {
    calls: VecDeque<Call>,
    settled: VecDeque<Settled>,
    aborts: VecDeque<(u32, bool)>,
    quit: bool,
    closed: bool,
}

/// The queue of one generation.
pub(crate) struct Inbox {
    lanes: Mutex<Lanes>,
    wake: Condvar,
    calls: usize,
    /// The program that takes the calls, where there is no thread.
    far: Option<Arc<Far>>,
}

impl Inbox {
    pub(crate) fn new(calls: usize) -> Self {
        Self {
            lanes: Mutex::default(),
            wake: Condvar::new(),
            calls,
            far: None,
        }
    }

    /// One whose calls go to a program of its own; nothing is queued here.
    pub(crate) fn to(far: Arc<Far>) -> Self {
        Self {
            far: Some(far),
            ..Self::new(0)
        }
    }

    pub(crate) fn far(&self) -> Option<&Arc<Far>> {
        self.far.as_ref()
    }

    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a call; gives it back when the queue is full or the thread is gone.
    pub(crate) fn call(&self, call: Call) -> Result<(), (Call, CallFault)> {
        if let Some(far) = &self.far {
            return far.call(call);
        }
        let mut lanes = self.lanes();
        if lanes.closed || lanes.quit {
            return Err((call, CallFault::NotStarted("the plugin is not running".into())));
        }
        if lanes.calls.len() >= self.calls {
            return Err((
                call,
                CallFault::NotStarted(format!("the plugin is busy: {} calls wait already", self.calls)),
            ));
        }
        lanes.calls.push_back(call);
        drop(lanes);
        self.wake.notify_one();
        Ok(())
    }

    /// Calls that have not begun.
    pub(crate) fn waiting(&self) -> usize {
        self.lanes().calls.len()
    }

    pub(crate) fn settle(&self, settled: Settled) {
        let mut lanes = self.lanes();
        if !lanes.closed {
            lanes.settled.push_back(settled);
            drop(lanes);
            self.wake.notify_one();
        }
    }

    /// The caller of `id` no longer waits. A call that has not begun is taken out again.
    pub(crate) fn abort(&self, id: u32) {
        if let Some(far) = &self.far {
            return far.give_up(id);
        }
        let mut lanes = self.lanes();
        if lanes.closed {
            return;
        }
        let before = lanes.calls.len();
        lanes.calls.retain(|c| c.id != id);
        if lanes.calls.len() == before {
            lanes.aborts.push_back((id, true));
            drop(lanes);
            self.wake.notify_one();
        }
    }

    /// Aborts the signal of a call whose answer is still waited for. One that has not begun does not begin: it would come after
    /// its own abort and never hear of it.
    pub(crate) fn signal(&self, id: u32) {
        if let Some(far) = &self.far {
            return far.give_up(id);
        }
        let mut lanes = self.lanes();
        if lanes.closed {
            return;
        }
        let queued = lanes.calls.iter().position(|c| c.id == id);
        if let Some(call) = queued.and_then(|at| lanes.calls.remove(at)) {
            drop(lanes);
            let _ = call.reply.send(Err(CallFault::NotStarted("it was stopped before it began".into())));
            return;
        }
        lanes.aborts.push_back((id, false));
        drop(lanes);
        self.wake.notify_one();
    }

    pub(crate) fn quit(&self) {
        self.lanes().quit = true;
        self.wake.notify_one();
    }

    /// The thread is gone: nothing is taken any more, and what waited was never begun.
    pub(crate) fn close(&self) -> Vec<Call> {
        let mut lanes = self.lanes();
        lanes.closed = true;
        lanes.settled.clear();
        lanes.aborts.clear();
        lanes.calls.drain(..).collect()
    }

    /// The next command; `None` when `until` passes first. Settlements and aborts go before new calls, so that work in
    /// progress ends before more is begun. Until `rest` has passed only calls are given: somebody waits for them.
    pub(crate) fn next(&self, until: Option<Instant>, rest: Option<Instant>) -> Option<Command> {
        let mut lanes = self.lanes();
        loop {
            if lanes.quit {
                return Some(Command::Quit);
            }
            let now = Instant::now();
            if rest.is_none_or(|rest| rest <= now) {
                if let Some((id, forget)) = lanes.aborts.pop_front() {
                    return Some(Command::Abort(id, forget));
                }
                if let Some(settled) = lanes.settled.pop_front() {
                    return Some(Command::Settle(settled));
                }
            }
            // A timer that is due goes before a new call, else a stream of calls would starve it.
            if until.is_some_and(|until| until <= now) {
                return None;
            }
            if let Some(call) = lanes.calls.pop_front() {
                return Some(Command::Call(call));
            }
            // What came in during the rest is given when it ends, however far off the next timer is.
            let resting = rest.filter(|rest| *rest > now);
            let wait = resting.map_or(until, |rest| Some(until.map_or(rest, |until| until.min(rest))));
            lanes = match wait {
                None => self.wake.wait(lanes).unwrap_or_else(PoisonError::into_inner),
                Some(end) => self.wake.wait_timeout(lanes, end - now).unwrap_or_else(PoisonError::into_inner).0,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    /// A request's own limit is a timer, half a minute off: whatever came in during a rest waited for it once.
    #[test]
    fn what_came_in_during_a_rest_is_given_at_its_end_and_not_when_the_next_timer_is_due() {
        let inbox = Arc::new(Inbox::new(1));
        inbox.settle(Settled {
            id: 7,
            result: Ok((None, None)),
        });
        let (given, got) = mpsc::sync_channel(1);
        let thread = Arc::clone(&inbox);
        std::thread::spawn(move || {
            let now = Instant::now();
            let next = thread.next(Some(now + Duration::from_secs(3600)), Some(now + Duration::from_millis(5)));
            given.send(matches!(next, Some(Command::Settle(Settled { id: 7, .. }))))
        });
        assert_eq!(got.recv_timeout(Duration::from_secs(20)), Ok(true));
    }
}
