//! One WebSocket client for both gateways. Frames are written beforehand and answers are recognised by their first bytes,
//! because this client runs on the cores of what it measures.

use anyhow::{Context, Result, bail, ensure};
use futures::{FutureExt, SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// Time for an answer.
const LIMIT: Duration = Duration::from_secs(60);
/// Frames written beforehand for one throughput measurement, each with an id of its own.
const FRAMES: u64 = 512;

/// Whose frames are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `{"type":"request","id":1,"op":…,"params":…}`.
    Kata,
    /// `{"type":"req","id":"1","method":…,"params":…}`.
    OpenClaw,
}

impl Dialect {
    /// A request as text.
    pub(crate) fn request(self, id: u64, op: &str, params: &Value) -> Utf8Bytes {
        match self {
            Self::Kata => format!(r#"{{"type":"request","id":{id},"op":"{op}","params":{params}}}"#),
            Self::OpenClaw => format!(r#"{{"type":"req","id":"{id}","method":"{op}","params":{params}}}"#),
        }
        .into()
    }

    /// Id of the request that a frame answers.
    pub(crate) fn answered(self, frame: &str) -> Option<u64> {
        let rest = match self {
            Self::Kata => frame.strip_prefix(r#"{"type":"response","id":"#)?,
            Self::OpenClaw => frame.strip_prefix(r#"{"type":"res","id":""#)?,
        };
        rest.bytes()
            .take_while(u8::is_ascii_digit)
            .try_fold(0_u64, |n, digit| n.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
    }

    /// Whether an answer is a failure.
    fn failed(self, frame: &str) -> bool {
        match self {
            Self::Kata => !frame.ends_with(r#","error":null}"#),
            Self::OpenClaw => frame.get(..64).unwrap_or(frame).contains(r#""ok":false"#),
        }
    }
}

/// A connection past its handshake.
pub(crate) struct Wire {
    socket: WebSocketStream<TcpStream>,
    /// Whose frames are spoken.
    pub(crate) dialect: Dialect,
    next: u64,
}

impl Wire {
    /// Connects to `kata serve`. `topics` are the facts it shall be told.
    pub(crate) async fn kata(port: u16, token: &str, topics: &[&str]) -> Result<Self> {
        let mut wire = Self::open(port, "/ws", Dialect::Kata).await?;
        let hello = wire.frame().await?;
        ensure!(hello.contains(r#""type":"hello""#), "no gateway of Kata Agents on port {port}");
        let connect = json!({"type": "connect", "version": 1, "token": token, "client": "bench", "topics": topics});
        wire.socket.send(Message::text(connect.to_string())).await?;
        let welcome = wire.frame().await?;
        ensure!(
            welcome.contains(r#""type":"welcome""#),
            "the gateway did not welcome the client: {welcome}"
        );
        Ok(wire)
    }

    /// Connects to an OpenClaw gateway as a local backend client.
    pub(crate) async fn openclaw(port: u16, token: &str) -> Result<Self> {
        let mut wire = Self::open(port, "/", Dialect::OpenClaw).await?;
        let challenge = wire.frame().await?;
        ensure!(challenge.contains("connect.challenge"), "no OpenClaw gateway on port {port}");
        let connect = json!({
            "minProtocol": 4, "maxProtocol": 4, "role": "operator", "caps": [],
            "client": {"id": "gateway-client", "version": "bench", "platform": "linux", "mode": "backend"},
            "scopes": ["operator.read", "operator.write", "operator.admin"], "auth": {"token": token},
        });
        wire.call("connect", &connect).await.context("the peer refused the client")?;
        Ok(wire)
    }

    async fn open(port: u16, path: &str, dialect: Dialect) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let (socket, _) = tokio::time::timeout(
            LIMIT,
            tokio_tungstenite::client_async(format!("ws://127.0.0.1:{port}{path}"), stream),
        )
        .await??;
        Ok(Self { socket, dialect, next: 1 })
    }

    /// The next text frame.
    pub(crate) async fn frame(&mut self) -> Result<Utf8Bytes> {
        tokio::time::timeout(LIMIT, async {
            loop {
                match self.socket.next().await.context("the connection ended")?? {
                    Message::Text(text) => return Ok(text),
                    Message::Close(reason) => bail!("the gateway closed the connection: {reason:?}"),
                    _ => {}
                }
            }
        })
        .await
        .context("no frame came in a minute")?
    }

    /// A text frame that is there already.
    pub(crate) fn ready(&mut self) -> Option<Utf8Bytes> {
        loop {
            match self.socket.next().now_or_never()?? {
                Ok(Message::Text(text)) => return Some(text),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// A number for a request.
    pub(crate) fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Puts a frame into the next write.
    pub(crate) async fn feed(&mut self, frame: Utf8Bytes) -> Result<()> {
        Ok(self.socket.feed(Message::Text(frame)).await?)
    }

    /// Writes what was fed.
    pub(crate) async fn flush(&mut self) -> Result<()> {
        Ok(self.socket.flush().await?)
    }

    /// Asks, and gives the result.
    pub(crate) async fn call(&mut self, op: &str, params: &Value) -> Result<Value> {
        let (_, answer) = self.timed(op, params).await?;
        let mut answer: Value = serde_json::from_str(&answer)?;
        Ok(match self.dialect {
            Dialect::Kata => answer["result"].take(),
            Dialect::OpenClaw => answer["payload"].take(),
        })
    }

    /// Asks, and says how long it took until the whole answer was here.
    pub(crate) async fn timed(&mut self, op: &str, params: &Value) -> Result<(Duration, Utf8Bytes)> {
        let id = self.id();
        let frame = self.dialect.request(id, op, params);
        let began = Instant::now();
        self.socket.send(Message::Text(frame)).await?;
        loop {
            let answer = self.frame().await?;
            if self.dialect.answered(&answer) == Some(id) {
                let took = began.elapsed();
                if self.dialect.failed(&answer) {
                    bail!("“{op}” failed: {}", answer.chars().take(300).collect::<String>());
                }
                return Ok((took, answer));
            }
        }
    }

    /// Answers a second with `in_flight` requests always on their way.
    pub(crate) async fn throughput(&mut self, op: &str, in_flight: u32, window: Duration) -> Result<f64> {
        let frames: Vec<Utf8Bytes> = (0..FRAMES).map(|n| self.dialect.request(1_000_000 + n, op, &json!({}))).collect();
        let mut frames = frames.iter().cycle();
        let mut next = || frames.next().cloned().unwrap_or_default();
        for _ in 0..in_flight {
            self.feed(next()).await?;
        }
        self.flush().await?;
        let began = Instant::now();
        let mut answers = 0_u32;
        while began.elapsed() < window {
            let mut frame = Some(self.frame().await?);
            while let Some(answer) = frame {
                if self.dialect.answered(&answer).is_some() {
                    ensure!(
                        !self.dialect.failed(&answer),
                        "“{op}” failed: {}",
                        answer.chars().take(300).collect::<String>()
                    );
                    answers += 1;
                    self.feed(next()).await?;
                }
                frame = self.ready();
            }
            self.flush().await?;
        }
        let per_second = f64::from(answers) / began.elapsed().as_secs_f64();
        let mut left = in_flight;
        while left > 0 {
            if self.dialect.answered(&self.frame().await?).is_some() {
                left -= 1;
            }
        }
        Ok(per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_known_by_its_first_bytes_in_both_dialects() {
        let (ours, theirs) = (Dialect::Kata, Dialect::OpenClaw);
        assert_eq!(ours.answered(r#"{"type":"response","id":42,"result":{},"error":null}"#), Some(42));
        assert_eq!(theirs.answered(r#"{"type":"res","id":"42","ok":true,"payload":{}}"#), Some(42));
        assert_eq!(ours.answered(r#"{"type":"resync","seq":42}"#), None);
        assert!(ours.failed(r#"{"type":"response","id":1,"result":null,"error":{"code":"busy"}}"#));
        assert!(theirs.failed(r#"{"type":"res","id":"1","ok":false,"error":{}}"#));
    }
}
