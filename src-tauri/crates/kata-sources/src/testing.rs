//! Fakes for this crate's tests: a clock that moves when told, accounts and secrets that are told what to say,
//! and a listener that keeps what it heard.

use crate::ports::{Listener, SourceSecrets};
use crate::questions::Questions;
use crate::{Seen, Sources, SourcesDeps};
use async_trait::async_trait;
use kata_core::ports::{AccountError, AccountRef, AccountToken, Accounts, Clock, Entropy};
use kata_core::tasks::Tasks;
use kata_protocol::{Ms, SourceId, Status};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// A clock that stands still until [`ManualClock::advance`].
pub(crate) struct ManualClock(watch::Sender<u64>);

impl Default for ManualClock {
    fn default() -> Self {
        Self(watch::Sender::new(1_700_000_000_000_000))
    }
}

impl ManualClock {
    /// Moves time and wakes the sleepers that are due.
    pub(crate) fn advance(&self, by: Duration) {
        self.0.send_modify(|us| *us += by.as_micros() as u64);
    }

    /// Waits until somebody sleeps.
    pub(crate) async fn slept_on(&self, sleepers: usize) {
        while self.0.receiver_count() < sleepers {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Ms {
        Ms(*self.0.borrow() / 1000)
    }
    fn monotonic_us(&self) -> u64 {
        *self.0.borrow()
    }
    async fn sleep(&self, duration: Duration) {
        let until = *self.0.borrow() + duration.as_micros() as u64;
        let _ = self.0.subscribe().wait_for(|now| *now >= until).await;
    }
}

#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Entropy for Counting {
    fn next_u64(&self) -> u64 {
        self.0
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_add(1)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

/// Accounts: the token of each, and what was refused.
#[derive(Default)]
pub(crate) struct Tokens {
    pub(crate) current: Mutex<Vec<String>>,
    pub(crate) refused: Mutex<Vec<String>>,
}

#[async_trait]
impl Accounts for Tokens {
    async fn token(&self, _: &AccountRef, _: &[String]) -> Result<AccountToken, AccountError> {
        let current = self.current.lock().unwrap().first().cloned();
        let access = current.ok_or_else(|| AccountError::NeedsUser {
            code: "signed_out",
            message: "Nobody has signed in.".into(),
        })?;
        Ok(AccountToken {
            access: access.into(),
            expires_at: None,
            scopes: Vec::new(),
            account: None,
        })
    }
    async fn refused(&self, _: &AccountRef, access: &SecretString) -> Result<(), AccountError> {
        self.refused.lock().unwrap().push(access.expose_secret().to_owned());
        let mut current = self.current.lock().unwrap();
        if current.first().is_some_and(|c| c == access.expose_secret()) {
            current.remove(0);
        }
        Ok(())
    }
}

#[derive(Default)]
pub(crate) struct Typed(pub(crate) Mutex<BTreeMap<String, String>>);

#[async_trait]
impl SourceSecrets for Typed {
    async fn secret(&self, _: &SourceId, name: &str) -> Option<SecretString> {
        self.0.lock().unwrap().get(name).cloned().map(SecretString::from)
    }
}

pub(crate) struct Heard {
    pub(crate) statuses: watch::Sender<Vec<(SourceId, Status)>>,
    pub(crate) tools: watch::Sender<u64>,
    pub(crate) seen: Mutex<BTreeMap<SourceId, Seen>>,
}

impl Default for Heard {
    fn default() -> Self {
        Self {
            statuses: watch::Sender::new(Vec::new()),
            tools: watch::Sender::new(0),
            seen: Mutex::default(),
        }
    }
}

impl Listener for Heard {
    fn status(&self, source: &SourceId, status: Status) {
        self.statuses.send_modify(|s| s.push((source.clone(), status)));
    }
    fn tools_changed(&self, _: &SourceId) {
        self.tools.send_modify(|n| *n += 1);
    }
    fn activity(&self, _: &SourceId) {}
    fn seen(&self, source: &SourceId, seen: Seen) {
        self.seen.lock().unwrap().insert(source.clone(), seen);
    }
}

/// Sources over fakes.
pub(crate) struct Stage {
    pub(crate) sources: Sources,
    pub(crate) heard: Arc<Heard>,
    pub(crate) typed: Arc<Typed>,
    pub(crate) clock: Arc<ManualClock>,
}

impl Stage {
    pub(crate) fn new(user_home: &Path) -> Self {
        let clock = Arc::new(ManualClock::default());
        let entropy = Arc::new(Counting::default());
        let (heard, accounts, typed) = (Arc::new(Heard::default()), Arc::new(Tokens::default()), Arc::new(Typed::default()));
        let questions = Arc::new(Questions::new(Arc::clone(&clock) as _, Arc::clone(&entropy) as _, Arc::new(|| {})));
        let tasks = Tasks::default();
        let sources = Sources::new(SourcesDeps {
            clock: Arc::clone(&clock) as _,
            entropy,
            tasks,
            listener: Arc::clone(&heard) as _,
            secrets: Arc::clone(&typed) as _,
            accounts,
            questions,
            user_home: user_home.to_owned(),
            web: crate::Web::default(),
        });
        Self {
            sources,
            heard,
            typed,
            clock,
        }
    }

    /// Waits until a source stands as `wanted` says.
    pub(crate) async fn until(&self, id: &SourceId, wanted: impl Fn(&Status) -> bool) -> Status {
        let mut statuses = self.heard.statuses.subscribe();
        let all = statuses.wait_for(|all| all.iter().rfind(|(of, _)| of == id).is_some_and(|(_, s)| wanted(s)));
        let all = tokio::time::timeout(Duration::from_secs(100), all).await;
        let all = all
            .unwrap_or_else(|_| panic!("{id} stands as {:?}", self.sources.status(id)))
            .unwrap();
        all.iter().rfind(|(of, _)| of == id).unwrap().1.clone()
    }
}

/// The address `/mcp` of a server that has these documents, by path, and nothing else. `{}` in them is its own origin.
pub(crate) async fn documents(all: &[(&str, serde_json::Value)]) -> url::Url {
    use axum::http::{StatusCode, Uri};
    use axum::response::IntoResponse;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = format!("http://{}", listener.local_addr().unwrap());
    let all: BTreeMap<String, String> = all
        .iter()
        .map(|(path, document)| (path.to_string(), document.to_string().replace("{}", &own)))
        .collect();
    let router = axum::Router::new().fallback(move |uri: Uri| {
        let found = all.get(uri.path()).cloned();
        async move { found.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |document| document.into_response()) }
    });
    Tasks::default().spawn("server", async move { axum::serve(listener, router).await.unwrap() });
    url::Url::parse(&format!("{own}/mcp")).unwrap()
}
