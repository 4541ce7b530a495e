//! Who may come in: the tokens and device keys in force, and the lockout after too many wrong ones.
//!
//! Tokens are made and stored elsewhere; here lie only their SHA-256 hashes, which are what is compared. A token has 256 random
//! bits, so its hash needs no salt and no slowness.

use crate::devices::DeviceKey;
use aws_lc_rs::digest;
use kata_protocol::{Ms, Scope};
use secrecy::{ExposeSecret, SecretString};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use tokio::sync::watch;

/// Wrong proofs within [`WINDOW_MS`] after which nothing but a right token or signature comes in for as long.
const FAILURES: usize = 10;
/// Milliseconds.
const WINDOW_MS: u64 = 60_000;

/// SHA-256 of a token.
pub type TokenHash = [u8; 32];

/// The hash under which a token is kept and compared.
pub fn token_hash(token: &str) -> TokenHash {
    let mut hash = [0; 32];
    let whole = digest::digest(&digest::SHA256, token.as_bytes());
    for (to, from) in hash.iter_mut().zip(whole.as_ref()) {
        *to = *from;
    }
    hash
}

/// How somebody proves who they are.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// By a token with this hash.
    Token(TokenHash),
    /// By a signature that this key checks.
    Key(DeviceKey),
}

/// Somebody who may come in. `Debug` shows name and scope only.
#[derive(Clone)]
pub struct Token {
    name: String,
    device: Option<String>,
    proof: Proof,
    scope: Scope,
    expires_at: Option<Ms>,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token")
            .field("name", &self.name)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl Token {
    /// A token that opens with `secret`, is called `name` in the log, and never ends.
    pub fn new(name: impl Into<String>, secret: impl Into<SecretString>, scope: Scope) -> Self {
        Self {
            name: name.into(),
            device: None,
            proof: Proof::Token(token_hash(secret.into().expose_secret())),
            scope,
            expires_at: None,
        }
    }

    /// A paired device.
    pub fn device(id: impl Into<String>, name: impl Into<String>, proof: Proof, scope: Scope, expires_at: Option<Ms>) -> Self {
        Self {
            name: name.into(),
            device: Some(id.into()),
            proof,
            scope,
            expires_at,
        }
    }

    fn ended(&self, now: Ms) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// What a right proof gives.
#[derive(Clone)]
pub(crate) struct Grant {
    pub(crate) token: String,
    pub(crate) device: Option<String>,
    pub(crate) scope: Scope,
    pub(crate) expires_at: Option<Ms>,
    proof: Proof,
}

impl From<&Token> for Grant {
    fn from(token: &Token) -> Self {
        Self {
            token: token.name.clone(),
            device: token.device.clone(),
            scope: token.scope,
            expires_at: token.expires_at,
            proof: token.proof.clone(),
        }
    }
}

/// Why a proof does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shut {
    /// It is not right, or never was anybody's.
    Wrong,
    /// It is right, and its time is over.
    Expired,
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

    /// Compares with every token, always with all of them, so the time says nothing about which one was nearly right.
    pub(crate) fn check_token(&self, presented: &str, now: Ms) -> Result<Grant, Shut> {
        let entries = self.entries();
        let presented = token_hash(presented);
        let (mut found, mut any) = (u64::MAX, Choice::from(0));
        for (i, entry) in (0u64..).zip(entries.iter()) {
            let Proof::Token(hash) = &entry.proof else { continue };
            let same = hash.as_slice().ct_eq(presented.as_slice());
            found.conditional_assign(&i, same);
            any |= same;
        }
        if !bool::from(any) {
            return Err(Shut::Wrong);
        }
        let entry = usize::try_from(found).ok().and_then(|i| entries.get(i)).ok_or(Shut::Wrong)?;
        if entry.ended(now) { Err(Shut::Expired) } else { Ok(entry.into()) }
    }

    /// Checks a device's signature over the nonce of its connection.
    pub(crate) fn check_signature(&self, device: &str, signature: &str, nonce: &str, now: Ms) -> Result<Grant, Shut> {
        let entries = self.entries();
        let mut ours = entries.iter().filter(|e| e.device.as_deref() == Some(device));
        let found = ours.find_map(|e| match &e.proof {
            Proof::Key(key) => Some((e, key)),
            Proof::Token(_) => None,
        });
        let (entry, key) = found.ok_or(Shut::Wrong)?;
        if !key.signed(nonce, device, signature) {
            return Err(Shut::Wrong);
        }
        if entry.ended(now) { Err(Shut::Expired) } else { Ok(entry.into()) }
    }

    /// Whether what was granted still stands; its end in time is another matter.
    pub(crate) fn still_grants(&self, grant: &Grant) -> bool {
        let same = |e: &Token| e.name == grant.token && e.device == grant.device && e.scope == grant.scope && e.proof == grant.proof;
        self.entries().iter().any(same)
    }

    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}

fn usable(entries: Vec<Token>) -> Arc<[Token]> {
    let empty = Proof::Token(token_hash(""));
    entries.into_iter().filter(|e| e.proof != empty).collect()
}

/// Counts wrong tokens, signatures and codes. One count for everybody: all peers are loopback and look the same.
///
/// What is right comes in also while it is shut: otherwise any stranger could keep the owner out. Nothing is lost by that, for a
/// token or key cannot be guessed; what could be (a code, 50 bits) is not looked at while it is shut.
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
    /// Seconds for which it is shut, if it is.
    pub(crate) fn shut_for(&self, now: Ms) -> Option<u64> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.until > now.0).then(|| (state.until - now.0).div_ceil(1000))
    }

    /// A wrong one came.
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
            Token::device("dev_1", "tablet", Proof::Token(token_hash("dddd")), Scope::Read, Some(Ms(100))),
        ])
    }

    #[test]
    fn only_a_whole_token_opens_and_gives_its_own_scope() {
        let tokens = tokens();
        let grant = tokens.check_token("bbbb", Ms(1)).ok().unwrap();
        assert_eq!((grant.token.as_str(), grant.scope), ("phone", Scope::Chat));
        assert_eq!(tokens.check_token("aaaa", Ms(1)).ok().map(|g| g.scope), Some(Scope::Admin));
        for wrong in ["", "bbb", "bbbbb", "BBBB", "cccc"] {
            assert_eq!(tokens.check_token(wrong, Ms(1)).err(), Some(Shut::Wrong), "{wrong}");
        }
    }

    #[test]
    fn a_device_comes_in_until_its_end_and_not_with_another_ones_proof() {
        let tokens = tokens();
        let grant = tokens.check_token("dddd", Ms(99)).ok().unwrap();
        assert_eq!(grant.device.as_deref(), Some("dev_1"));
        assert_eq!(tokens.check_token("dddd", Ms(100)).err(), Some(Shut::Expired));
        assert_eq!(
            tokens.check_signature("dev_1", "", "nonce", Ms(1)).err(),
            Some(Shut::Wrong),
            "it has no key"
        );
    }

    #[test]
    fn a_replaced_token_opens_no_longer() {
        let tokens = tokens();
        let grant = tokens.check_token("bbbb", Ms(1)).ok().unwrap();
        assert!(tokens.still_grants(&grant));
        tokens.replace(vec![Token::new("phone", "another", Scope::Chat)]);
        assert_eq!(tokens.check_token("bbbb", Ms(1)).err(), Some(Shut::Wrong));
        assert!(!tokens.still_grants(&grant), "the same name with another token is another");
    }

    #[test]
    fn debug_never_shows_a_token() {
        let shown = format!("{:?}", tokens());
        assert!(!shown.contains("aaaa") && !shown.contains("Token("), "{shown}");
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
