//! A provider as strict as the strict ones are: refresh tokens are replaced at every use, and one that is used twice ends the grant. And
//! a clock, a vault and a place to write down who was told what.

use crate::{Exchange, Provider, Tokens};
use async_trait::async_trait;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use kata_core::ports::{AccountError, AccountRef, AccountVault, Clock, Entropy};
use kata_core::tasks::Tasks;
use kata_protocol::{Ms, PluginId};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// Stands still until it is moved; whoever sleeps is counted, so that a test moves it when there is somebody to wake.
pub(super) struct TestClock {
    us: watch::Sender<u64>,
    back_ms: AtomicU64,
    sleepers: watch::Sender<usize>,
}

impl Default for TestClock {
    fn default() -> Self {
        Self {
            us: watch::channel(1_800_000_000_000_000).0,
            back_ms: AtomicU64::new(0),
            sleepers: watch::channel(0).0,
        }
    }
}

impl TestClock {
    pub(super) fn pass(&self, by: Duration) {
        self.us.send_modify(|us| *us += by.as_micros() as u64);
    }
    /// Sets the clock on the wall back.
    pub(super) fn set_back(&self, by: Duration) {
        self.back_ms.fetch_add(by.as_millis() as u64, Ordering::SeqCst);
    }
    /// Returns when somebody sleeps.
    pub(super) async fn somebody_sleeps(&self, count: usize) {
        self.sleepers.subscribe().wait_for(|n| *n >= count).await.unwrap();
    }
}

struct Asleep<'a>(&'a TestClock);

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        self.0.sleepers.send_modify(|n| *n -= 1);
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Ms {
        Ms(*self.us.borrow() / 1000 - self.back_ms.load(Ordering::SeqCst))
    }
    fn monotonic_us(&self) -> u64 {
        *self.us.borrow()
    }
    async fn sleep(&self, duration: Duration) {
        let until = *self.us.borrow() + duration.as_micros() as u64;
        let mut us = self.us.subscribe();
        self.sleepers.send_modify(|n| *n += 1);
        let _asleep = Asleep(self);
        us.wait_for(|now| *now >= until).await.unwrap();
    }
}

#[derive(Default)]
pub(super) struct Counting(AtomicU64);

impl Entropy for Counting {
    fn next_u64(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// Keeps in memory; refuses to when told.
#[derive(Default)]
pub(super) struct TestVault {
    pub(super) kept: Mutex<BTreeMap<String, SecretString>>,
    pub(super) full: Mutex<bool>,
    pub(super) saves: AtomicU64,
}

#[async_trait]
impl AccountVault for TestVault {
    async fn load(&self, key: &str) -> Result<Option<SecretString>, AccountError> {
        Ok(self.kept.lock().unwrap().get(key).cloned())
    }
    async fn save(&self, key: &str, value: Option<SecretString>) -> Result<(), AccountError> {
        if *self.full.lock().unwrap() {
            return Err(AccountError::Store("the keychain is locked".into()));
        }
        self.saves.fetch_add(1, Ordering::SeqCst);
        let mut kept = self.kept.lock().unwrap();
        match value {
            Some(value) => kept.insert(key.to_owned(), value),
            None => kept.remove(key),
        };
        Ok(())
    }
}

/// What the server answers next, before anything else.
pub(super) type Scripted = (u16, Vec<(&'static str, String)>, String);

#[derive(Default)]
pub(super) struct Book {
    /// Requests by grant type, in order.
    pub(super) asked: Vec<String>,
    pub(super) forms: Vec<HashMap<String, String>>,
    pub(super) scripted: VecDeque<Scripted>,
    live: BTreeSet<String>,
    spent: BTreeSet<String>,
    next: u64,
    /// Used twice: the grant is gone.
    pub(super) reused: u32,
    pub(super) life: Value,
    pub(super) rotates: bool,
    pub(super) scope: Option<String>,
    pub(super) revoked: Vec<String>,
    pub(super) account: Value,
    /// Held answers: they go out when this is let go.
    pub(super) gate: Option<Arc<tokio::sync::Semaphore>>,
}

pub(super) struct Server {
    pub(super) url: String,
    pub(super) book: Arc<Mutex<Book>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Shared = Arc<Mutex<Book>>;

impl Server {
    #[allow(clippy::disallowed_methods, reason = "a test ends its own server")]
    pub(super) async fn start() -> Self {
        let book: Shared = Arc::new(Mutex::new(Book {
            life: json!(3600),
            rotates: true,
            account: json!({"email": "ada@example.org"}),
            ..Book::default()
        }));
        let app = Router::new()
            .route("/token", post(token))
            .route("/device", post(device))
            .route("/revoke", post(revoke))
            .route("/me", get(me))
            .with_state(Arc::clone(&book));
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(socket, app).await.unwrap() });
        Self { url, book, task }
    }

    pub(super) fn provider(&self) -> Provider {
        Provider {
            name: "Fake".into(),
            authorization_url: format!("{}/authorize?tenant=1", self.url),
            token_url: format!("{}/token", self.url),
            device_url: Some(format!("{}/device", self.url)),
            revocation_url: Some(format!("{}/revoke", self.url)),
            userinfo_url: Some(format!("{}/me", self.url)),
            client_id: Some("app".into()),
            client_secret: Some("app-secret".to_owned().into()),
            parameters: [("access_type".to_owned(), "offline".to_owned())].into(),
            ..Provider::own("fake")
        }
    }

    pub(super) fn script(&self, status: u16, body: Value) {
        self.book.lock().unwrap().scripted.push_back((status, Vec::new(), body.to_string()));
    }

    pub(super) fn asked(&self, grant: &str) -> usize {
        self.book.lock().unwrap().asked.iter().filter(|g| *g == grant).count()
    }
}

fn form(body: &str) -> HashMap<String, String> {
    url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

async fn token(State(book): State<Shared>, body: String) -> impl IntoResponse {
    let form = form(&body);
    let gate = book.lock().unwrap().gate.clone();
    if let Some(gate) = gate {
        gate.acquire().await.unwrap().forget();
    }
    let mut book = book.lock().unwrap();
    let grant = form.get("grant_type").cloned().unwrap_or_default();
    book.asked.push(grant.clone());
    book.forms.push(form.clone());
    if let Some((status, headers, body)) = book.scripted.pop_front() {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(name, value.parse().unwrap());
        }
        return (StatusCode::from_u16(status).unwrap(), map, body);
    }
    let no = |code: &str| (StatusCode::BAD_REQUEST, HeaderMap::new(), json!({ "error": code }).to_string());
    if form.get("client_id").map(String::as_str) != Some("app") {
        return no("invalid_client");
    }
    if grant == "refresh_token" {
        let given = form["refresh_token"].clone();
        if book.spent.contains(&given) {
            book.reused += 1;
            book.live.clear();
            return no("invalid_grant");
        }
        if !book.live.contains(&given) {
            return no("invalid_grant");
        }
        if book.rotates {
            book.live.remove(&given);
            book.spent.insert(given);
        }
    }
    book.next += 1;
    let n = book.next;
    let mut answer = json!({ "access_token": format!("access-{n}"), "token_type": "Bearer", "expires_in": book.life });
    if book.rotates || grant != "refresh_token" {
        answer["refresh_token"] = json!(format!("refresh-{n}"));
        book.live.insert(format!("refresh-{n}"));
    }
    if let Some(scope) = &book.scope {
        answer["scope"] = json!(scope);
    }
    (StatusCode::OK, HeaderMap::new(), answer.to_string())
}

async fn device(State(book): State<Shared>, body: String) -> impl IntoResponse {
    let form = form(&body);
    book.lock().unwrap().forms.push(form);
    Json(json!({
        "device_code": "device-1", "user_code": "ABCD-EFGH", "verification_uri": "http://127.0.0.1/device",
        "expires_in": 300, "interval": 5,
    }))
}

async fn revoke(State(book): State<Shared>, body: String) -> impl IntoResponse {
    let form = form(&body);
    book.lock()
        .unwrap()
        .revoked
        .push(format!("{} {}", form["token_type_hint"], form["token"]));
    StatusCode::OK
}

async fn me(State(book): State<Shared>) -> impl IntoResponse {
    Json(book.lock().unwrap().account.clone())
}

/// Everything around a provider.
pub(super) struct Scene {
    pub(super) server: Server,
    pub(super) clock: Arc<TestClock>,
    pub(super) vault: Arc<TestVault>,
    pub(super) tokens: Arc<Tokens>,
    pub(super) tasks: Tasks,
    pub(super) told: Arc<AtomicU64>,
}

pub(super) fn account() -> AccountRef {
    AccountRef::of_plugin(&PluginId::new("mail").unwrap(), "fake")
}

impl Scene {
    pub(super) async fn new() -> Self {
        let server = Server::start().await;
        let (clock, vault, told) = (Arc::new(TestClock::default()), Arc::new(TestVault::default()), Arc::default());
        let tasks = Tasks::default();
        let tokens = make(&clock, &vault, &tasks, &told);
        Self {
            server,
            clock,
            vault,
            tokens,
            tasks,
            told,
        }
    }

    /// As after a restart: nothing in memory.
    pub(super) fn again(&mut self) {
        self.tokens = make(&self.clock, &self.vault, &self.tasks, &self.told);
    }

    /// Somebody has signed in.
    pub(super) async fn signed_in(&self) {
        let provider = self.server.provider();
        let verifier = "v".repeat(43).into();
        let given = self
            .tokens
            .exchange
            .code(&provider, "code", &verifier, "http://127.0.0.1:1/callback");
        let given = given.await.unwrap();
        let scopes = given.scopes.clone().unwrap_or_else(|| vec!["mail".into()]);
        self.tokens
            .put(&account(), provider, given, scopes, Some("ada@example.org".into()))
            .await
            .unwrap();
    }
}

fn make(clock: &Arc<TestClock>, vault: &Arc<TestVault>, tasks: &Tasks, told: &Arc<AtomicU64>) -> Arc<Tokens> {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
    let told = Arc::clone(told);
    Tokens::new(
        Arc::clone(vault) as _,
        Exchange::new(Arc::clone(&clock)),
        clock,
        Arc::new(Counting::default()),
        tasks.clone(),
        Box::new(move |_| {
            told.fetch_add(1, Ordering::SeqCst);
        }),
    )
}
