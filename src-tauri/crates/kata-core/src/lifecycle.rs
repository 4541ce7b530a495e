//! The one transition function over [`RunState`], with exponential backoff and a circuit breaker.
//!
//! Channels, services, plugins, MCP sources, models and the gateway all move through it, so that one panel can show them
//! all. Pure: the time and the random bits come in with each happening, nothing sleeps here. Whoever supervises the thing
//! reads `until` from the new state and comes back with [`Happening::Due`].
//!
//! Deliberately absent: timers, tasks, publishing, and the debouncing of transient states (that is display).

use kata_protocol::{Ms, RunState, Status, UserAction};
use std::collections::VecDeque;

/// How faults are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Wait before the first retry, milliseconds.
    pub first_delay_ms: u64,
    /// Longest wait before jitter, milliseconds.
    pub max_delay_ms: u64,
    /// Faults within [`Policy::window_ms`] that open the breaker.
    pub faults: usize,
    /// Window the faults are counted in, milliseconds.
    pub window_ms: u64,
    /// How long an open breaker holds the thing back, milliseconds.
    pub cooldown_ms: u64,
    /// How long it must run before its past is forgotten, milliseconds.
    pub stable_ms: u64,
}

impl Default for Policy {
    /// 1 s doubling to 60 s; five faults in ten minutes quarantine for ten; a minute of running forgets.
    fn default() -> Self {
        Self {
            first_delay_ms: 1_000,
            max_delay_ms: 60_000,
            faults: 5,
            window_ms: 600_000,
            cooldown_ms: 600_000,
            stable_ms: 60_000,
        }
    }
}

impl Policy {
    /// Wait before retry `attempt` (from 1): doubles each time up to the cap, then spread over 75 % to 125 % by `random`,
    /// so that things that failed together do not come back together.
    pub fn delay_ms(&self, attempt: u32, random: u64) -> u64 {
        let doublings = attempt.saturating_sub(1).min(32);
        let base = self.first_delay_ms.saturating_mul(1 << doublings).min(self.max_delay_ms).max(1);
        let spread = base / 2;
        base - base / 4 + if spread == 0 { 0 } else { random % (spread + 1) }
    }
}

/// What happened to a thing that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A person or start-up wants it up. Forgets earlier faults.
    Start,
    /// The wait of [`RunState::Backoff`] or [`RunState::Quarantined`] is over.
    Due,
    /// It began to talk to the other side.
    Connecting,
    /// It works.
    Running,
    /// It works, with something wrong.
    Degraded,
    /// It cannot go on without a person.
    NeedsUser(UserAction),
    /// It failed in a way that may pass.
    Fault,
    /// It failed in a way that trying again at once would make worse: the breaker opens without counting.
    Stuck,
    /// It failed in a way that will not pass by itself.
    Broken {
        /// Whether a restart by hand can help.
        recoverable: bool,
    },
    /// A person or shutdown wants it down.
    Stop,
    /// It is down; answers [`Happening::Stop`].
    Ended,
}

/// A happening that does not fit the state: news of a run that was already given up. It changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{happening:?} does not fit {state:?}")]
pub struct Unfitting {
    /// State it came in.
    pub state: RunState,
    /// What came.
    pub happening: Happening,
}

/// A running thing's state with its memory of faults.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    policy: Policy,
    status: Status,
    attempt: u32,
    faults: VecDeque<Ms>,
    /// The breaker was open and has not been proved closed again: the next fault opens it at once.
    on_probation: bool,
    up_since: Option<Ms>,
}

impl Lifecycle {
    /// A thing that does not run yet.
    pub fn new(policy: Policy, now: Ms) -> Self {
        Self {
            policy,
            status: Status::plain(RunState::Stopped, now),
            attempt: 0,
            faults: VecDeque::new(),
            on_probation: false,
            up_since: None,
        }
    }

    /// Where it stands.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// When [`Happening::Due`] is expected, if at all.
    pub fn due(&self) -> Option<Ms> {
        match self.status.state {
            RunState::Backoff { until, .. } | RunState::Quarantined { until } => Some(until),
            _ => None,
        }
    }

    /// The transition function. `code` and `message` are the reason the new state shows. `random` spreads a backoff.
    ///
    /// # Errors
    /// [`Unfitting`] when the happening does not fit the state; nothing has changed then.
    pub fn apply(&mut self, what: Happening, code: &str, message: &str, now: Ms, random: u64) -> Result<&Status, Unfitting> {
        let Some(next) = self.next(&what, now, random) else {
            return Err(Unfitting {
                state: self.status.state.clone(),
                happening: what,
            });
        };
        match next {
            RunState::Running | RunState::Degraded => self.up_since = self.up_since.or(Some(now)),
            _ => self.up_since = None,
        }
        let same = self.status.state == next;
        let since = if same { self.status.since } else { now };
        self.status = Status {
            state: next,
            code: code.to_owned(),
            message: message.to_owned(),
            since,
        };
        Ok(&self.status)
    }

    fn next(&mut self, what: &Happening, now: Ms, random: u64) -> Option<RunState> {
        use Happening as H;
        use RunState as S;
        let state = &self.status.state;
        let up = matches!(state, S::Starting | S::Connecting | S::Running | S::Degraded);
        match what {
            H::Start if up => None,
            H::Start if *state == S::Stopping => None,
            H::Start => {
                self.forget();
                Some(S::Starting)
            }
            H::Due => match self.due() {
                Some(until) if now >= until => Some(S::Starting),
                _ => None,
            },
            H::Connecting if up => Some(S::Connecting),
            H::Running if up => Some(S::Running),
            H::Degraded if up => Some(S::Degraded),
            H::NeedsUser(action) if up => Some(S::NeedsUser { action: action.clone() }),
            H::Broken { recoverable } if up => Some(S::Failed { recoverable: *recoverable }),
            H::Fault if up => Some(self.fault(now, random)),
            H::Stuck if up => Some(self.quarantine(now)),
            H::Stop if *state == S::Stopped => None,
            H::Stop => Some(S::Stopping),
            H::Ended if *state == S::Stopping => Some(S::Stopped),
            _ => None,
        }
    }

    fn fault(&mut self, now: Ms, random: u64) -> RunState {
        if self
            .up_since
            .is_some_and(|since| now.0.saturating_sub(since.0) >= self.policy.stable_ms)
        {
            self.attempt = 0;
            self.on_probation = false;
        }
        self.faults.retain(|at| now.0.saturating_sub(at.0) < self.policy.window_ms);
        self.faults.push_back(now);
        // The list needs no more than what opens the breaker.
        while self.faults.len() > self.policy.faults.max(1) {
            self.faults.pop_front();
        }
        if self.on_probation || self.faults.len() >= self.policy.faults.max(1) {
            return self.quarantine(now);
        }
        self.attempt = self.attempt.saturating_add(1);
        let wait = self.policy.delay_ms(self.attempt, random).max(1);
        RunState::Backoff {
            attempt: self.attempt,
            until: Ms(now.0.saturating_add(wait)),
        }
    }

    fn quarantine(&mut self, now: Ms) -> RunState {
        self.on_probation = true;
        self.faults.clear();
        RunState::Quarantined {
            until: Ms(now.0.saturating_add(self.policy.cooldown_ms.max(1))),
        }
    }

    fn forget(&mut self) {
        self.attempt = 0;
        self.faults.clear();
        self.on_probation = false;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(life: &mut Lifecycle, what: Happening, now: u64) -> RunState {
        life.apply(what, "", "", Ms(now), 0).unwrap().state.clone()
    }

    #[test]
    fn a_thing_that_comes_up_and_goes_down_passes_every_state_in_between() {
        let mut life = Lifecycle::new(Policy::default(), Ms(0));
        assert_eq!(at(&mut life, Happening::Start, 1), RunState::Starting);
        assert_eq!(at(&mut life, Happening::Connecting, 2), RunState::Connecting);
        assert_eq!(at(&mut life, Happening::Running, 3), RunState::Running);
        assert_eq!(at(&mut life, Happening::Degraded, 4), RunState::Degraded);
        assert_eq!(at(&mut life, Happening::Running, 5), RunState::Running);
        assert_eq!(at(&mut life, Happening::Stop, 6), RunState::Stopping);
        assert_eq!(at(&mut life, Happening::Ended, 7), RunState::Stopped);
    }

    #[test]
    fn waits_double_up_to_the_cap_and_the_fifth_fault_in_the_window_quarantines() {
        let policy = Policy {
            faults: 5,
            ..Policy::default()
        };
        let mut life = Lifecycle::new(policy, Ms(0));
        let mut now = 0;
        at(&mut life, Happening::Start, now);
        for attempt in 1..=4u32 {
            let RunState::Backoff { attempt: got, until } = at(&mut life, Happening::Fault, now) else {
                panic!("not backing off")
            };
            assert_eq!(got, attempt);
            assert_eq!(until.0 - now, (1_000 << (attempt - 1)) * 3 / 4);
            now = until.0;
            at(&mut life, Happening::Due, now);
        }
        assert_eq!(
            at(&mut life, Happening::Fault, now),
            RunState::Quarantined {
                until: Ms(now + policy.cooldown_ms)
            }
        );
    }

    #[test]
    fn after_a_quarantine_one_fault_is_enough_until_it_has_proved_stable() {
        let policy = Policy {
            faults: 1,
            ..Policy::default()
        };
        let mut life = Lifecycle::new(policy, Ms(0));
        at(&mut life, Happening::Start, 0);
        let RunState::Quarantined { until } = at(&mut life, Happening::Fault, 0) else {
            panic!("not quarantined")
        };
        life.policy.faults = 5;
        at(&mut life, Happening::Due, until.0);
        at(&mut life, Happening::Running, until.0);
        assert!(matches!(
            life.clone().next(&Happening::Fault, Ms(until.0 + 1), 0),
            Some(RunState::Quarantined { .. })
        ));
        let later = Ms(until.0 + policy.stable_ms);
        assert!(matches!(
            life.next(&Happening::Fault, later, 0),
            Some(RunState::Backoff { attempt: 1, .. })
        ));
    }

    #[test]
    fn news_of_a_run_that_was_given_up_changes_nothing() {
        let mut life = Lifecycle::new(Policy::default(), Ms(0));
        assert!(life.apply(Happening::Running, "", "", Ms(1), 0).is_err(), "never started");
        at(&mut life, Happening::Start, 1);
        at(&mut life, Happening::Stop, 2);
        assert!(life.apply(Happening::Fault, "", "", Ms(3), 0).is_err());
        assert_eq!(life.status().state, RunState::Stopping);
    }

    const HAPPENINGS: [Happening; 11] = [
        Happening::Start,
        Happening::Due,
        Happening::Connecting,
        Happening::Running,
        Happening::Degraded,
        Happening::NeedsUser(UserAction::Relogin),
        Happening::Fault,
        Happening::Stuck,
        Happening::Broken { recoverable: true },
        Happening::Stop,
        Happening::Ended,
    ];

    /// A hundred thousand lives of up to forty happenings; faults are more frequent in some than in others, so that the breaker
    /// opens, is proved, and opens again.
    #[test]
    fn whatever_happens_in_a_hundred_thousand_lives_the_machine_and_its_breaker_keep_their_promises() {
        let policy = Policy::default();
        let mut opened = 0;
        for life_no in 0..100_000_u64 {
            let mut seed = life_no;
            let mut draw = |below: u64| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 33) % below
            };
            let mut life = Lifecycle::new(policy, Ms(0));
            let (mut now, mut faults) = (0, Vec::new());
            for step in 0..1 + draw(40) {
                let what = match (step, life_no % 3, draw(3)) {
                    (0, _, _) => Happening::Start,
                    (_, 0, 0) => Happening::Fault,
                    (_, 0, 1) => Happening::Due,
                    _ => HAPPENINGS[draw(11) as usize].clone(),
                };
                now += if draw(4) == 0 { draw(700_000) } else { draw(20_000) };
                let (before, due, random) = (life.status().clone(), life.due(), draw(u64::MAX >> 33));
                let context = || format!("life {life_no}, step {step}: {what:?} at {now} in {before:?}");
                let Ok(after) = life.apply(what.clone(), "", "", Ms(now), random).cloned() else {
                    assert_eq!(life.status(), &before, "a refused happening changes nothing: {}", context());
                    continue;
                };
                assert!(after.since.0 <= now, "{}", context());
                if before.state == RunState::Stopped {
                    assert_eq!(what, Happening::Start, "only a start leaves Stopped: {}", context());
                }
                if after.state == RunState::Stopped {
                    assert_eq!(before.state, RunState::Stopping, "only Stopping leads to Stopped: {}", context());
                }
                if what == Happening::Due {
                    assert!(
                        due.is_some_and(|until| now >= until.0),
                        "nothing restarts before its time: {}",
                        context()
                    );
                }
                match what {
                    Happening::Start => faults.clear(),
                    Happening::Fault => faults.push(now),
                    _ => {}
                }
                match after.state {
                    RunState::Backoff { until, attempt } => {
                        assert!(
                            until.0 > now && until.0 - now <= policy.max_delay_ms * 5 / 4 && attempt >= 1,
                            "{}",
                            context()
                        );
                        let recent = faults.iter().filter(|at| now - **at < policy.window_ms).count();
                        let forgotten = life.faults.len() < recent;
                        assert!(
                            recent < policy.faults || forgotten,
                            "the breaker stays shut after {recent} faults: {}",
                            context()
                        );
                    }
                    RunState::Quarantined { until } => {
                        opened += u32::from(before.state != after.state);
                        assert_eq!(until.0, now + policy.cooldown_ms, "{}", context());
                    }
                    _ => {}
                }
                assert!(life.faults.len() <= policy.faults, "memory is bounded: {}", context());
            }
            if life.status().state != RunState::Stopped {
                life.apply(Happening::Stop, "", "", Ms(now), 0).unwrap();
                assert_eq!(life.apply(Happening::Ended, "", "", Ms(now), 0).unwrap().state, RunState::Stopped);
            }
        }
        assert!(opened > 10_000, "the breaker opened {opened} times");
    }

    proptest! {
        #[test]
        fn a_wait_stays_within_a_quarter_of_its_base(attempt in 1u32..1000, random in any::<u64>()) {
            let policy = Policy::default();
            let base = policy.first_delay_ms.saturating_mul(1 << attempt.saturating_sub(1).min(32)).min(policy.max_delay_ms);
            let wait = policy.delay_ms(attempt, random);
            prop_assert!(wait >= base * 3 / 4 && wait <= base * 5 / 4);
        }
    }
}
