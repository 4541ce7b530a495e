//! Who may come in: the tokens in force, and the lockout after too many wrong ones.
//!
//! Tokens are made and stored elsewhere; here they only lie in memory (zeroed when dropped) and are compared.

use kata_protocol::{Ms, Scope};
use secrecy::{ExposeSecret, SecretString};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use tokio::sync::watch;

/// Wrong tokens within [`WINDOW_MS`] after which nobody comes in for as long.
const FAILURES: usize = 10;
/// Milliseconds.
const WINDOW_MS: u64 = 60_000;

/// One token. `Debug` shows name and scope only.
#[derive(Clone, Debug)]
pub struct Token {
    name: String,
    secret: SecretString,
    scope: Scope,
}

impl Token {
    /// A token that opens with `secret` and is called `name` in the log.
    pub fn new(name: impl Into<String>, secret: impl Into<SecretString>, scope: Scope) -> Self {
        Self {
            name: name.into(),
            secret: secret.into(),
            scope,
        }
    }
}

/// What a right token gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) token: String,
    pub(crate) scope: Scope,
}

/// The tokens in force. Replaceable at any time: connections whose token is gone are closed.
#[derive(Debug)]
pub struct Tokens {
    entries: RwLock<Arc<[Token]>>,
    changed: watch::Sender<()>,
}

impl Tokens {
    /// Tokens in force from now on. An empty secret is never accepted.
    pub fn new(entries: Vec<Token>) -> Self {
        Self {
            entries: RwLock::new(usable(entries)),
            changed: watch::Sender::new(()),
        }
    }

    /// Replaces all of them.
    pub fn replace(&self, entries: Vec<Token>) {
        *self.entries.write().unwrap_or_else(PoisonError::into_inner) = usable(entries);
        self.changed.send_replace(());
    }

    fn entries(&self) -> Arc<[Token]> {
        Arc::clone(&self.entries.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Compares with every entry, always with all of them, so the time says nothing about which one was nearly right.
    pub(crate) fn check(&self, presented: &str) -> Option<Grant> {
        let entries = self.entries();
        let (mut found, mut any) = (u64::MAX, Choice::from(0));
        for (i, entry) in (0u64..).zip(entries.iter()) {
            let same = entry.secret.expose_secret().as_bytes().ct_eq(presented.as_bytes());
            found.conditional_assign(&i, same);
            any |= same;
        }
        if !bool::from(any) {
            return None;
        }
        let entry = entries.get(usize::try_from(found).ok()?)?;
        Some(Grant {
            token: entry.name.clone(),
            scope: entry.scope,
        })
    }

    /// Whether what was granted still stands.
    pub(crate) fn still_grants(&self, grant: &Grant) -> bool {
        self.entries().iter().any(|e| e.name == grant.token && e.scope == grant.scope)
    }

    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}

fn usable(entries: Vec<Token>) -> Arc<[Token]> {
    entries.into_iter().filter(|e| !e.secret.expose_secret().is_empty()).collect()
}

/// Counts wrong tokens. One count for everybody: all peers are loopback and look the same.
#[derive(Debug, Default)]
pub(crate) struct Lockout {
    state: Mutex<LockoutState>,
}

#[derive(Debug, Default)]
struct LockoutState {
    failures: VecDeque<u64>,
    until: u64,
}

impl Lockout {
    /// Seconds for which nobody comes in, if it is shut.
    pub(crate) fn shut_for(&self, now: Ms) -> Option<u64> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.until > now.0).then(|| (state.until - now.0).div_ceil(1000))
    }

    /// A wrong token came.
    pub(crate) fn failed(&self, now: Ms) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures.retain(|at| at.saturating_add(WINDOW_MS) > now.0);
        state.failures.push_back(now.0);
        if state.failures.len() >= FAILURES {
            state.failures.clear();
            state.until = now.0.saturating_add(WINDOW_MS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        Tokens::new(vec![
            Token::new("desktop", "aaaa", Scope::Admin),
            Token::new("phone", "bbbb", Scope::Chat),
            Token::new("empty", "", Scope::Admin),
        ])
    }

    #[test]
    fn only_a_whole_token_opens_and_gives_its_own_scope() {
        let tokens = tokens();
        assert_eq!(
            tokens.check("bbbb"),
            Some(Grant {
                token: "phone".into(),
                scope: Scope::Chat
            })
        );
        assert_eq!(tokens.check("aaaa").map(|g| g.scope), Some(Scope::Admin));
        for wrong in ["", "bbb", "bbbbb", "BBBB", "cccc"] {
            assert_eq!(tokens.check(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_replaced_token_opens_no_longer() {
        let tokens = tokens();
        let grant = tokens.check("bbbb").unwrap();
        tokens.replace(vec![Token::new("desktop", "aaaa", Scope::Admin)]);
        assert_eq!(tokens.check("bbbb"), None);
        assert!(!tokens.still_grants(&grant));
    }

    #[test]
    fn debug_never_shows_a_token() {
        assert!(!format!("{:?}", tokens()).contains("aaaa"));
    }

    #[test]
    fn ten_failures_within_a_minute_shut_the_door_for_a_minute() {
        let lockout = Lockout::default();
        for i in 0..9 {
            lockout.failed(Ms(1_000 + i));
        }
        assert_eq!(lockout.shut_for(Ms(1_009)), None);
        lockout.failed(Ms(2_000));
        assert_eq!(lockout.shut_for(Ms(2_000)), Some(60));
        assert_eq!(lockout.shut_for(Ms(61_999)), Some(1));
        assert_eq!(lockout.shut_for(Ms(62_000)), None);
    }

    #[test]
    fn failures_spread_over_more_than_a_minute_do_not() {
        let lockout = Lockout::default();
        for i in 0..40 {
            lockout.failed(Ms(i * 7_000));
            assert_eq!(lockout.shut_for(Ms(i * 7_000)), None);
        }
    }
}
