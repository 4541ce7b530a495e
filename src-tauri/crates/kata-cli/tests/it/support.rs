//! A gateway in a temporary home, and the program run beside it.

use async_trait::async_trait;
use kata_core::EventHub;
use kata_core::operations::{Caller, Operations};
use kata_core::ports::{Clock, Entropy};
use kata_gateway::{Gateway, GatewayOptions, Token, Tokens};
use kata_protocol::*;
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::watch;

/// Time in which a run of the program ends; only a failing test waits that long.
const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const TOKEN: &str = "token-of-the-test";

/// What a test's engine does with an operation.
pub(crate) type Answer = Box<dyn Fn(&EventHub, &'static str, Value) -> Result<Value, WireError> + Send + Sync>;

struct Fake {
    answer: Answer,
    hub: Arc<EventHub>,
}

macro_rules! fake {
    ($($(#[$doc:meta])* $method:ident $name:literal ($params:ty) -> $result:ty, $scope:ident, [$($topic:ident),*];)*) => {
        #[async_trait]
        impl Operations for Fake {
            $(async fn $method(&self, _caller: &Caller, params: $params) -> Result<$result, WireError> {
                let result = (self.answer)(&self.hub, $name, serde_json::to_value(params).unwrap())?;
                Ok(serde_json::from_value(result).unwrap())
            })*
        }
    };
}
kata_protocol::with_operations!(fake);

struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Ms {
        Ms(u64::try_from(SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap())
    }
    fn monotonic_us(&self) -> u64 {
        self.now().0 * 1000
    }
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn next_u64(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// A running gateway.
pub(crate) struct House {
    pub(crate) home: tempfile::TempDir,
    pub(crate) gateway: Gateway,
    _ready: watch::Sender<bool>,
}

pub(crate) async fn house(answer: impl Fn(&EventHub, &'static str, Value) -> Result<Value, WireError> + Send + Sync + 'static) -> House {
    let home = tempfile::tempdir().unwrap();
    let hub = Arc::new(EventHub::default());
    let ready = watch::Sender::new(true);
    let options = GatewayOptions {
        port: 0,
        tries: 1,
        file: home.path().join("gateway.json"),
        ui_dir: None,
        allowed_origins: Vec::new(),
    };
    let operations = Arc::new(Fake {
        answer: Box::new(answer),
        hub: Arc::clone(&hub),
    });
    let tokens = Arc::new(Tokens::new(vec![Token::new("test", TOKEN, Scope::Admin)]));
    let entropy = Arc::new(Counting(AtomicU64::new(1)));
    let gateway = Gateway::start(options, operations, hub, tokens, ready.subscribe(), Arc::new(SystemClock), entropy)
        .await
        .unwrap();
    House {
        home,
        gateway,
        _ready: ready,
    }
}

/// What a run of the program gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

/// Runs `kata` with the words of `line`.
pub(crate) async fn kata(home: &Path, line: &str) -> Ran {
    run(home, TOKEN, &line.split_whitespace().collect::<Vec<_>>(), "").await
}

pub(crate) async fn run(home: &Path, token: &str, arguments: &[&str], input: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_kata"))
        .args(arguments)
        .env_clear()
        .env("KATA_CONFIG_DIR", home)
        .env("KATA_TOKEN", token)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that ends without reading its input is fine.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output())
        .await
        .expect("the program ends")
        .unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
