//! The way to a running engine: `gateway.json` says where, the token opens, and every operation of the table is a method.

use crate::engine;
use crate::failure::{Exit, Failure};
use futures::{SinkExt, StreamExt};
use kata_gateway::{FoundGateway, GatewayFile, close, read_gateway_file};
use kata_protocol::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Time for connection and handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Events that wait while an answer is read. Older ones are dropped, and the reader is told to ask again.
const KEPT: usize = 4096;

/// A file comes in one frame.
fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_frame_size(Some(32 << 20))
        .max_message_size(Some(32 << 20))
}

/// Something the engine says by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// A fact.
    Fact(Box<Fact>),
    /// Facts were missed; ask for the state again.
    Resync,
}

/// A connected client. One request at a time.
pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next: u64,
    told: VecDeque<Told>,
    goodbye: Option<String>,
}

impl Client {
    /// Connects to the engine of a home. `topics` are the facts it will be told; none is the usual.
    pub async fn connect(home: &Path, topics: &[Topic]) -> Result<Self, Failure> {
        let found = read_gateway_file(&home.join("gateway.json"))
            .map_err(|e| Failure::new(Exit::NotRunning, e.to_string()).hint("restart the app, or `kata serve`; it writes the file anew"))?;
        let file = match found {
            FoundGateway::Live(file) => file,
            FoundGateway::Absent => return Err(Failure::not_running(format!("no engine runs for {}", home.display()))),
            FoundGateway::Stale(file) => {
                return Err(Failure::not_running(format!(
                    "the engine of {} (process {}) has ended",
                    home.display(),
                    file.pid
                )));
            }
        };
        let token = engine::token(home).await?;
        match tokio::time::timeout(HANDSHAKE, Self::shake_hands(&file, token, topics)).await {
            Ok(client) => client,
            Err(_) => Err(
                Failure::new(Exit::Failure, format!("the engine on port {} does not answer", file.port))
                    .hint("`kata logs` of a second try may say why; restart it if it hangs"),
            ),
        }
    }

    async fn shake_hands(file: &GatewayFile, token: String, topics: &[Topic]) -> Result<Self, Failure> {
        let url = format!("ws://127.0.0.1:{}/ws", file.port);
        let (socket, _) = tokio_tungstenite::connect_async_with_config(url, Some(limits()), false)
            .await
            .map_err(|e| Failure::not_running(format!("nothing speaks the gateway's language on port {}: {e}", file.port)))?;
        let mut client = Self {
            socket,
            next: 1,
            told: VecDeque::new(),
            goodbye: None,
        };
        let ServerFrame::Hello { versions, .. } = client.frame().await? else {
            return Err(Failure::not_running(format!("another program has port {}", file.port)));
        };
        if !versions.contains(&GATEWAY_VERSION) {
            return Err(Failure::new(
                Exit::Failure,
                format!("the engine speaks {versions:?}, this program {GATEWAY_VERSION}"),
            )
            .hint("install the same version of both"));
        }
        client
            .send(&ClientFrame::Connect {
                version: GATEWAY_VERSION,
                token: Some(token),
                device: None,
                signature: None,
                client: "cli".into(),
                boot: None,
                last_seq: None,
                topics: Some(topics.to_vec()),
            })
            .await?;
        match client.frame().await? {
            ServerFrame::Welcome { boot, .. } if boot == file.boot => Ok(client),
            ServerFrame::Welcome { .. } => Err(Failure::not_running(format!(
                "port {} belongs to the engine of another home",
                file.port
            ))),
            _ => Err(Failure::new(Exit::Failure, "the engine did not welcome this program")),
        }
    }

    async fn send(&mut self, frame: &ClientFrame) -> Result<(), Failure> {
        let text = serde_json::to_string(frame).map_err(std::io::Error::from)?;
        self.socket.send(Frame::text(text)).await.map_err(|_| self.lost())
    }

    /// The next frame. Safe to drop while it waits.
    async fn frame(&mut self) -> Result<ServerFrame, Failure> {
        loop {
            let text = match self.socket.next().await {
                Some(Ok(Frame::Text(text))) => text,
                Some(Ok(Frame::Close(reason))) => return Err(self.closed(reason.map(|r| r.code.into()))),
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return Err(self.lost()),
            };
            match serde_json::from_str(&text) {
                Ok(ServerFrame::Goodbye { reason }) => self.goodbye = Some(reason),
                Ok(frame) => return Ok(frame),
                Err(e) => {
                    return Err(
                        Failure::new(Exit::Failure, format!("the engine sent what this program does not understand: {e}"))
                            .hint("install the same version of both"),
                    );
                }
            }
        }
    }

    fn closed(&self, code: Option<u16>) -> Failure {
        let reason = self.goodbye.clone().unwrap_or_else(|| "it gave no reason".into());
        match code {
            Some(close::UNAUTHORIZED | close::REVOKED) => Failure::new(Exit::Refused, format!("the engine refuses this program: {reason}"))
                .hint(format!(
                    "was it started with another secret store? Restart it, or check {}",
                    engine::TOKEN_VARIABLE
                )),
            Some(close::LOCKED_OUT) => Failure::new(Exit::Refused, format!("the engine refuses this program: {reason}")).hint(format!(
                "its token is not this engine's; restart the engine, or check {}",
                engine::TOKEN_VARIABLE
            )),
            _ => self.lost(),
        }
    }

    fn lost(&self) -> Failure {
        match &self.goodbye {
            Some(reason) => Failure::not_running(format!("the engine ended the connection: {reason}")),
            None => Failure::not_running("the connection to the engine was lost"),
        }
    }

    /// Asks, and keeps for later what is told in between.
    pub async fn call<R: DeserializeOwned>(&mut self, op: &str, params: &impl Serialize) -> Result<R, Failure> {
        let id = Count(self.next);
        self.next += 1;
        let params = Json(serde_json::to_value(params).map_err(std::io::Error::from)?);
        self.send(&ClientFrame::Request {
            id,
            op: op.to_owned(),
            params,
        })
        .await?;
        loop {
            match self.frame().await? {
                ServerFrame::Response {
                    id: answered,
                    result,
                    error,
                } if answered == id => {
                    if let Some(error) = error {
                        return Err(error.into());
                    }
                    return serde_json::from_value(result.unwrap_or_default().0).map_err(|e| {
                        Failure::new(Exit::Failure, format!("the answer to “{op}” is not understood: {e}"))
                            .hint("install the same version of engine and program")
                    });
                }
                frame => self.keep(frame)?,
            }
        }
    }

    /// What the engine says next. Safe to drop while it waits.
    pub async fn listen(&mut self) -> Result<Told, Failure> {
        loop {
            if let Some(told) = self.told.pop_front() {
                return Ok(told);
            }
            let frame = self.frame().await?;
            self.keep(frame)?;
        }
    }

    fn keep(&mut self, frame: ServerFrame) -> Result<(), Failure> {
        match frame {
            ServerFrame::Event { fact, .. } => {
                if self.told.len() >= KEPT {
                    self.told.clear();
                    self.told.push_back(Told::Resync);
                }
                // A fact that a newer engine knows and this program does not is not for it.
                if let Ok(fact) = serde_json::from_value(fact.0) {
                    self.told.push_back(Told::Fact(Box::new(fact)));
                }
            }
            ServerFrame::Resync { .. } => self.told.push_back(Told::Resync),
            _ => {}
        }
        Ok(())
    }

    /// Waits until the engine has ended the connection.
    pub async fn until_gone(&mut self) {
        while self.frame().await.is_ok() {}
    }
}

macro_rules! operations {
    ($($(#[$doc:meta])* $method:ident $name:literal ($params:ty) -> $result:ty, $scope:ident, [$($topic:ident),*];)*) => {
        impl Client {
            $($(#[$doc])* pub async fn $method(&mut self, params: $params) -> Result<$result, Failure> {
                self.call($name, &params).await
            })*
        }
    };
}
kata_protocol::with_operations!(operations);
