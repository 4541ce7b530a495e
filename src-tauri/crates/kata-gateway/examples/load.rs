//! How fast the gateway is by itself: requests a second with 64 in flight, and one round trip at a time, over a real socket
//! with an engine that answers at once. Client and gateway share the process and its cores.
//!
//! `cargo run --release -p kata-gateway --example load`
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::result_large_err)]

use async_trait::async_trait;
use futures::{FutureExt, SinkExt, StreamExt};
use kata_core::EventHub;
use kata_core::operations::{Caller, Operations};
use kata_core::ports::{Clock, Entropy};
use kata_gateway::{Gateway, GatewayOptions, Token, Tokens};
use kata_protocol::*;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message as Frame;

const IN_FLIGHT: usize = 64;
const ROUND_TRIPS: usize = 20_000;

struct Instantly(SystemStatus);

macro_rules! engine {
    ($($(#[$doc:meta])* $method:ident $name:literal ($params:ty) -> $result:ty, $scope:ident, [$($topic:ident),*];)*) => {
        #[async_trait]
        impl Operations for Instantly {
            $(async fn $method(&self, _: &Caller, _: $params) -> Result<$result, WireError> {
                engine!(@answer self $method $name)
            })*
        }
    };
    (@answer $self:ident system_status $name:literal) => { Ok($self.0.clone()) };
    (@answer $self:ident $method:ident $name:literal) => { Err(WireError::not_found("answer", $name)) };
}
kata_protocol::with_operations!(engine);

struct System(Instant);

#[async_trait]
impl Clock for System {
    fn now(&self) -> Ms {
        Ms(self.monotonic_us() / 1000)
    }
    fn monotonic_us(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap()
    }
    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

struct Fixed;

impl Entropy for Fixed {
    fn next_u64(&self) -> u64 {
        7
    }
}

fn request(id: usize) -> Frame {
    Frame::text(format!(r#"{{"type":"request","id":{id},"op":"system.status","params":{{}}}}"#))
}

#[tokio::main]
async fn main() {
    // Few where the build is not optimised: `cargo run … -- 20000`.
    let requests: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(400_000);
    let home = tempfile::tempdir().unwrap();
    let status = SystemStatus {
        version: "0.1.0".into(),
        home: "/home/someone/.kata-agents".into(),
        gateway_port: Some(18790),
        started_at: Ms(1),
        ready_after_ms: 200,
        health: Health {
            line: "3 channels running".into(),
            ..Health::default()
        },
        model: None,
        secret_store: "keychain".into(),
        notices: Vec::new(),
        ledger: Ledger::default(),
        pause: PauseState {
            paused: false,
            until: None,
        },
        safe_mode: None,
    };
    let options = GatewayOptions {
        port: 0,
        tries: 1,
        file: home.path().join("gateway.json"),
        ui_dir: None,
        allowed_origins: Vec::new(),
    };
    let ready = watch::Sender::new(true);
    let gateway = Gateway::start(
        options,
        Arc::new(Instantly(status)),
        Arc::new(EventHub::default()),
        Arc::new(Tokens::new(vec![Token::new("load", "load", Scope::Read)])),
        ready.subscribe(),
        Arc::new(System(Instant::now())),
        Arc::new(Fixed),
    )
    .await
    .unwrap();

    let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://127.0.0.1:{}/ws", gateway.port()))
        .await
        .unwrap();
    if let tokio_tungstenite::MaybeTlsStream::Plain(stream) = socket.get_ref() {
        stream.set_nodelay(true).unwrap();
    }
    socket
        .send(Frame::text(r#"{"type":"connect","version":1,"token":"load","client":"load"}"#))
        .await
        .unwrap();
    for _ in 0..2 {
        socket.next().await.unwrap().unwrap();
    }

    let mut took = Vec::with_capacity(ROUND_TRIPS);
    for id in 0..ROUND_TRIPS {
        let began = Instant::now();
        socket.send(request(id)).await.unwrap();
        socket.next().await.unwrap().unwrap();
        took.push(began.elapsed());
    }
    took.sort_unstable();
    let at = |share: usize| took[(ROUND_TRIPS - 1) * share / 100].as_micros();
    println!("round trip, one at a time: p50 {} µs, p99 {} µs", at(50), at(99));

    let (mut sink, mut stream) = socket.split();
    let began = Instant::now();
    let (mut sent, mut answered) = (0, 0);
    while answered < requests {
        while sent - answered < IN_FLIGHT && sent < requests {
            sink.feed(request(sent)).await.unwrap();
            sent += 1;
        }
        sink.flush().await.unwrap();
        // Takes every answer that has come before asking again, as a busy client would. Pings are not answers.
        answered += usize::from(stream.next().await.unwrap().unwrap().is_text());
        while let Some(Some(Ok(frame))) = stream.next().now_or_never() {
            answered += usize::from(frame.is_text());
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{IN_FLIGHT} in flight: {:.0} requests/s ({requests} in {seconds:.2} s)",
        requests as f64 / seconds
    );
    gateway.shutdown(Duration::from_secs(2)).await;
}
