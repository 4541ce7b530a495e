//! A gateway in a temporary home, a client, and the clock.

use async_trait::async_trait;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::BoxFuture;
use futures::{SinkExt, StreamExt};
use kata_core::EventHub;
use kata_core::operations::{Caller, Operations};
use kata_core::ports::{Clock, Entropy};
use kata_gateway::{DeviceKey, Devices, Gateway, GatewayOptions, NotPaired, PairAsk, Paired, Token, Tokens};
use kata_protocol::*;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Time in which anything that happens at all has happened; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that must happen.
pub(crate) async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|_| panic!("did not happen: {what}"))
}

/// A clock that stands still until it is moved.
pub(crate) struct ManualClock {
    now: watch::Sender<u64>,
    /// Sleeps that were begun.
    sleepers: watch::Sender<Vec<Duration>>,
}

impl ManualClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.now.send_modify(|now| *now += u64::try_from(by.as_millis()).unwrap());
    }
    /// How often somebody has slept for exactly `time`.
    pub(crate) fn sleeps(&self, time: Duration) -> usize {
        self.sleepers.borrow().iter().filter(|t| **t == time).count()
    }
    /// Returns once somebody has slept for exactly `time` more than `times` times.
    pub(crate) async fn sleeper_after(&self, time: Duration, times: usize) {
        let mut seen = self.sleepers.subscribe();
        let more = seen.wait_for(|all| all.iter().filter(|t| **t == time).count() > times);
        soon("a sleep begins", more).await.unwrap();
    }
    /// Returns once somebody sleeps for exactly `time`.
    pub(crate) async fn sleeper(&self, time: Duration) {
        let mut seen = self.sleepers.subscribe();
        soon("a sleep begins", seen.wait_for(|all| all.contains(&time))).await.unwrap();
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Ms {
        Ms(*self.now.borrow())
    }
    fn monotonic_us(&self) -> u64 {
        *self.now.borrow() * 1000
    }
    async fn sleep(&self, duration: Duration) {
        let mut now = self.now.subscribe();
        let until = *now.borrow() + u64::try_from(duration.as_millis()).unwrap();
        self.sleepers.send_modify(|all| all.push(duration));
        let _ = now.wait_for(|now| *now >= until).await;
    }
}

/// Counts up; every nonce differs.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Entropy for Counting {
    fn next_u64(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// What a test's engine does with an operation.
pub(crate) type Answer = Box<dyn Fn(Caller, &'static str, Value) -> BoxFuture<'static, Result<Value, WireError>> + Send + Sync>;

pub(crate) struct Fake(Answer);

impl Fake {
    pub(crate) fn new(answer: Answer) -> Self {
        Self(answer)
    }
}

macro_rules! fake {
    ($($(#[$doc:meta])* $method:ident $name:literal ($params:ty) -> $result:ty, $scope:ident, [$($topic:ident),*];)*) => {
        #[async_trait]
        impl Operations for Fake {
            $(async fn $method(&self, caller: &Caller, params: $params) -> Result<$result, WireError> {
                let result = (self.0)(caller.clone(), $name, serde_json::to_value(params).unwrap()).await?;
                Ok(serde_json::from_value(result).unwrap())
            })*
        }
    };
}
kata_protocol::with_operations!(fake);

/// Answers everything with nothing.
pub(crate) fn quiet() -> Answer {
    answering(|_, _, _| Ok(json!([])))
}

pub(crate) fn answering(f: impl Fn(Caller, &'static str, Value) -> Result<Value, WireError> + Send + Sync + 'static) -> Answer {
    Box::new(move |caller, op, params| Box::pin(std::future::ready(f(caller, op, params))))
}

/// The one code that is right, once.
pub(crate) const RIGHT_CODE: &str = "7K3QZ-M9XWB";

/// Knows one code.
#[derive(Default)]
pub(crate) struct OneCode {
    asked: AtomicU64,
    used: std::sync::atomic::AtomicBool,
    came: Mutex<Vec<String>>,
}

impl OneCode {
    pub(crate) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Relaxed)
    }
    pub(crate) fn came(&self) -> Vec<String> {
        self.came.lock().unwrap().clone()
    }
}

#[async_trait]
impl Devices for OneCode {
    async fn pair(&self, ask: PairAsk) -> Result<Paired, NotPaired> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if ask.code != RIGHT_CODE || self.used.swap(true, Ordering::Relaxed) {
            return Err(NotPaired::Code);
        }
        Ok(Paired {
            device: "dev_made".into(),
            token: ask.key.is_none().then(|| "token-that-was-made".into()),
            scope: Scope::Approve,
            expires_at: None,
        })
    }
    fn came(&self, device: &str) {
        self.came.lock().unwrap().push(device.to_owned());
    }
}

/// A device's key, as a phone keeps it.
pub(crate) struct Pocket {
    device: &'static str,
    pair: EcdsaKeyPair,
}

impl Pocket {
    pub(crate) fn new(device: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { device, pair }
    }
    pub(crate) fn public(&self) -> String {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().unwrap();
        URL_SAFE_NO_PAD.encode(der.as_ref())
    }
    pub(crate) fn key(&self) -> DeviceKey {
        DeviceKey::parse(&self.public()).unwrap()
    }
    /// Fields of `connect` on the connection with this nonce.
    pub(crate) fn signs(&self, nonce: &str) -> Value {
        let text = format!("kata-connect-1\n{nonce}\n{}", self.device);
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        json!({"token": null, "device": self.device, "signature": URL_SAFE_NO_PAD.encode(signature)})
    }
}

/// Everything that is logged, from `debug` on, as text.
#[derive(Clone, Default)]
pub(crate) struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// Until the guard is dropped, in this thread.
    pub(crate) fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let (to, max) = (self.clone(), tracing::Level::DEBUG);
        let subscriber = tracing_subscriber::fmt().with_max_level(max).with_ansi(false);
        tracing::subscriber::set_default(subscriber.with_writer(move || to.clone()).finish())
    }
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl std::io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A running gateway and everything a test turns.
pub(crate) struct House {
    pub(crate) home: tempfile::TempDir,
    pub(crate) gateway: Gateway,
    pub(crate) hub: Arc<EventHub>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) devices: Arc<OneCode>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) ready: watch::Sender<bool>,
}

pub(crate) const ADMIN: &str = "token-of-the-admin";
pub(crate) const READER: &str = "token-of-the-reader";

/// Tokens in force at the beginning.
pub(crate) fn usual() -> Vec<Token> {
    vec![Token::new("desktop", ADMIN, Scope::Admin), Token::new("phone", READER, Scope::Read)]
}

pub(crate) fn options(home: &Path) -> GatewayOptions {
    GatewayOptions {
        port: 0,
        tries: 1,
        file: home.join("gateway.json"),
        ui_dir: Some(home.join("ui")),
        allowed_origins: vec!["tauri://localhost".into()],
    }
}

pub(crate) async fn house(answer: Answer) -> House {
    house_with(answer, |_| {}).await
}

pub(crate) async fn house_with(answer: Answer, change: impl FnOnce(&mut GatewayOptions)) -> House {
    let home = tempfile::tempdir().unwrap();
    let mut options = options(home.path());
    change(&mut options);
    let hub = Arc::new(EventHub::default());
    let tokens = Arc::new(Tokens::new(usual()));
    let devices = Arc::new(OneCode::default());
    let clock = Arc::new(ManualClock {
        now: watch::Sender::new(1_000_000),
        sleepers: watch::Sender::new(Vec::new()),
    });
    let ready = watch::Sender::new(false);
    let gateway = Gateway::start(
        options,
        Arc::new(Fake(answer)),
        Arc::clone(&hub),
        Arc::clone(&tokens),
        ready.subscribe(),
        Arc::clone(&clock) as Arc<dyn Clock>,
        Arc::new(Counting::default()),
    )
    .await
    .unwrap();
    gateway.serve_devices(Arc::clone(&devices) as _);
    House {
        home,
        gateway,
        hub,
        tokens,
        devices,
        clock,
        ready,
    }
}

impl House {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.gateway.port())
    }
    /// A socket that has said nothing yet.
    pub(crate) async fn stranger(&self) -> Client {
        Client::open(self.gateway.port()).await
    }
    /// A client that has been welcomed.
    pub(crate) async fn client(&self, token: &str) -> Client {
        let mut client = self.stranger().await;
        client.connect(json!({"token": token})).await;
        client
    }
}

/// A client as another program would write it.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Of `hello`.
    pub(crate) nonce: String,
    pub(crate) welcome: Option<ServerFrame>,
    /// Events that were dropped while an answer was waited for.
    pub(crate) events_seen: u32,
}

impl Client {
    pub(crate) async fn open(port: u16) -> Self {
        let (socket, _) = tokio_tungstenite::connect_async(format!("ws://127.0.0.1:{port}/ws")).await.unwrap();
        let mut client = Self {
            socket,
            nonce: String::new(),
            welcome: None,
            events_seen: 0,
        };
        let ServerFrame::Hello { nonce, versions } = client.frame().await else {
            panic!()
        };
        assert_eq!(versions, [GATEWAY_VERSION]);
        client.nonce = nonce;
        client
    }

    pub(crate) async fn send(&mut self, frame: Value) {
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// The next frame; a closed socket fails the test.
    pub(crate) async fn frame(&mut self) -> ServerFrame {
        self.next()
            .await
            .unwrap_or_else(|code| panic!("the socket was closed with {code:?}"))
    }

    /// The next frame, or the code of the close.
    pub(crate) async fn next(&mut self) -> Result<ServerFrame, Option<u16>> {
        loop {
            match soon("a frame", self.socket.next()).await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).expect("a frame of the protocol")),
                Some(Ok(Message::Close(close))) => return Err(close.map(|c| c.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Sends `connect` with the usual fields unless given, and takes the welcome.
    pub(crate) async fn connect(&mut self, fields: Value) {
        self.introduce(fields).await;
        let frame = self.frame().await;
        assert!(matches!(frame, ServerFrame::Welcome { .. }), "{frame:?}");
        self.welcome = Some(frame);
    }

    pub(crate) async fn introduce(&mut self, fields: Value) {
        let mut connect = json!({"type": "connect", "version": GATEWAY_VERSION, "token": ADMIN, "client": "test"});
        connect.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.send(connect).await;
    }

    /// One request and its answer; events in between are dropped.
    pub(crate) async fn ask(&mut self, id: u64, op: &str, params: Value) -> Result<Value, WireError> {
        self.send(json!({"type": "request", "id": id, "op": op, "params": params})).await;
        loop {
            match self.frame().await {
                ServerFrame::Response {
                    id: answered,
                    result,
                    error,
                } => {
                    assert_eq!(answered.0, id);
                    return match (result, error) {
                        (_, Some(error)) => Err(error),
                        (Some(result), None) => Ok(result.0),
                        (None, None) => Ok(Value::Null),
                    };
                }
                ServerFrame::Event { .. } => self.events_seen += 1,
                _ => {}
            }
        }
    }

    /// Number of the next event.
    pub(crate) async fn event(&mut self) -> u64 {
        match self.frame().await {
            ServerFrame::Event { seq, .. } => seq.0,
            other => panic!("{other:?} instead of an event"),
        }
    }

    /// Everything until the close: the reason of the goodbye and the code.
    pub(crate) async fn ending(&mut self) -> (String, Option<u16>) {
        let mut reason = String::new();
        loop {
            match self.next().await {
                Ok(ServerFrame::Goodbye { reason: said }) => reason = said,
                Ok(_) => {}
                Err(code) => return (reason, code),
            }
        }
    }
}
