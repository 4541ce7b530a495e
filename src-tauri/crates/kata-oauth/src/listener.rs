//! Takes the browser's answer: on 127.0.0.1, a port of the moment, one path, one answer (RFC 8252 §7.3). Whatever is not that
//! answer (a foreign Host, another path or method, another state) gets a page that says nothing and ends nothing: any web page may
//! knock here.

use crate::page::{self, Page};
use kata_core::ports::Clock;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};

/// Longest request head, bytes: a code may be long.
const MAX_HEAD: usize = 16 << 10;
/// For one request to be read.
const READ: Duration = Duration::from_secs(10);
/// Connections that are read at once; further ones wait.
const AT_ONCE: usize = 16;
/// The path.
const PATH: &str = "/callback";

/// A door for one answer.
pub struct Listener {
    socket: TcpListener,
    port: u16,
    host: &'static str,
}

/// What a provider answered.
#[derive(Debug)]
pub(crate) enum Said {
    /// A code for tokens, and who says so.
    Code { code: SecretString, issuer: Option<String> },
    /// No, by its own word.
    No { error: String },
}

/// An answer, and the browser that waits for its page.
pub(crate) struct Arrived {
    pub(crate) said: Said,
    stream: TcpStream,
}

impl Arrived {
    /// Shows the page and closes.
    pub(crate) async fn finish(mut self, page: Page) {
        write(&mut self.stream, page).await;
    }
}

impl Listener {
    /// Opens the door. `by_name`: the browser is to come by `localhost`.
    ///
    /// # Errors
    /// [`std::io::Error`]: no port is free.
    pub async fn open(by_name: bool) -> std::io::Result<Self> {
        let socket = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = socket.local_addr()?.port();
        let host = if by_name { "localhost" } else { "127.0.0.1" };
        Ok(Self { socket, port, host })
    }

    /// Where the provider sends the browser.
    pub fn redirect(&self) -> String {
        format!("http://{}:{}{PATH}", self.host, self.port)
    }

    /// The same door by another name.
    #[must_use]
    pub fn named(mut self, by_name: bool) -> Self {
        self.host = if by_name { "localhost" } else { "127.0.0.1" };
        self
    }

    /// Waits for the answer to this state. Dropping the future shuts the door.
    pub(crate) async fn answer(&self, state: &SecretString, clock: &Arc<dyn Clock>) -> std::io::Result<Arrived> {
        let (found, mut answers) = mpsc::channel::<Arrived>(1);
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let mut readers = tokio::task::JoinSet::new();
        loop {
            tokio::select! {
                biased;
                Some(arrived) = answers.recv() => return Ok(arrived),
                Some(_) = readers.join_next() => {}
                accepted = self.socket.accept() => {
                    let Ok((stream, _)) = accepted else {
                        // Out of descriptors, or the other side is gone already.
                        clock.sleep(Duration::from_millis(50)).await;
                        continue;
                    };
                    let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else { continue };
                    let (found, state, clock, port) = (found.clone(), state.clone(), Arc::clone(clock), self.port);
                    readers.spawn(async move {
                        let _permit = permit;
                        tokio::select! {
                            () = read(stream, port, &state, &found) => {}
                            () = clock.sleep(READ) => {}
                        }
                    });
                }
            }
        }
    }
}

/// Reads one request and either hands it on or shows that there is nothing.
async fn read(mut stream: TcpStream, port: u16, state: &SecretString, found: &mpsc::Sender<Arrived>) {
    let mut head = Vec::new();
    let mut piece = [0; 2048];
    while !head.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut piece).await {
            Ok(n) if n > 0 && head.len() + n <= MAX_HEAD => head.extend_from_slice(&piece[..n]),
            // A connection that a browser opened ahead, or something that is no browser.
            _ => return,
        }
    }
    match understand(&head, port, state) {
        Some(said) => {
            if let Err(late) = found.try_send(Arrived { said, stream }) {
                late.into_inner().finish(Page::Unknown).await;
            }
        }
        None => write(&mut stream, Page::Unknown).await,
    }
}

async fn write(stream: &mut TcpStream, page: Page) {
    let _ = stream.write_all(&page::answer(page)).await;
    let _ = stream.shutdown().await;
}

/// The answer in a request, if it is the one that is waited for.
fn understand(head: &[u8], port: u16, state: &SecretString) -> Option<Said> {
    let text = std::str::from_utf8(head).ok()?;
    let mut lines = text.split("\r\n");
    let mut request = lines.next()?.split(' ');
    let (method, target) = (request.next()?, request.next()?);
    if method != "GET" || !request.next()?.starts_with("HTTP/1.") {
        return None;
    }
    let mut hosts = lines
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, value)| value.trim());
    let host = hosts.next()?;
    let here = host == format!("127.0.0.1:{port}") || host.eq_ignore_ascii_case(&format!("localhost:{port}"));
    if !here || hosts.next().is_some() {
        return None;
    }
    let (path, query) = target.split_once('?')?;
    if path != PATH {
        return None;
    }
    let mut fields = std::collections::HashMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        // RFC 6749 §3.1: a parameter stands once.
        if fields.insert(name.into_owned(), value.into_owned()).is_some() {
            return None;
        }
    }
    let given = fields.get("state")?;
    if !bool::from(given.as_bytes().ct_eq(state.expose_secret().as_bytes())) {
        return None;
    }
    if let Some(error) = fields.remove("error") {
        return Some(Said::No { error });
    }
    let code = fields.remove("code").filter(|code| !code.is_empty())?;
    Some(Said::Code {
        code: code.into(),
        issuer: fields.remove("iss"),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn said(request: &str) -> Option<Said> {
        let head = format!("{request}\r\n\r\n").replace('\n', "\r\n").replace("\r\r", "\r");
        understand(head.as_bytes(), 4000, &"right".to_owned().into())
    }

    #[test]
    fn only_the_answer_that_is_waited_for_is_taken() {
        let good = said("GET /callback?state=right&code=c%2F1&iss=https%3A%2F%2Fop HTTP/1.1\nHost: 127.0.0.1:4000");
        match good.unwrap() {
            Said::Code { code, issuer } => {
                assert_eq!(code.expose_secret(), "c/1");
                assert_eq!(issuer.as_deref(), Some("https://op"));
            }
            Said::No { .. } => panic!("that was a yes"),
        }
        let no = said("GET /callback?error=access_denied&state=right HTTP/1.1\nhost: localhost:4000");
        assert!(matches!(no, Some(Said::No { error }) if error == "access_denied"));
        for (why, bad) in [
            ("a foreign host", "GET /callback?state=right&code=c HTTP/1.1\nHost: evil.example"),
            ("another port", "GET /callback?state=right&code=c HTTP/1.1\nHost: 127.0.0.1:4001"),
            ("no host", "GET /callback?state=right&code=c HTTP/1.1\nAccept: */*"),
            (
                "two hosts",
                "GET /callback?state=right&code=c HTTP/1.1\nHost: 127.0.0.1:4000\nHost: evil.example",
            ),
            ("another path", "GET /callback/x?state=right&code=c HTTP/1.1\nHost: 127.0.0.1:4000"),
            ("another method", "POST /callback?state=right&code=c HTTP/1.1\nHost: 127.0.0.1:4000"),
            ("another state", "GET /callback?state=wrong&code=c HTTP/1.1\nHost: 127.0.0.1:4000"),
            ("no state", "GET /callback?code=c HTTP/1.1\nHost: 127.0.0.1:4000"),
            (
                "two states",
                "GET /callback?state=right&state=wrong&code=c HTTP/1.1\nHost: 127.0.0.1:4000",
            ),
            ("no code", "GET /callback?state=right HTTP/1.1\nHost: 127.0.0.1:4000"),
            (
                "an error without the state",
                "GET /callback?error=access_denied HTTP/1.1\nHost: 127.0.0.1:4000",
            ),
        ] {
            assert!(said(bad).is_none(), "{why}");
        }
    }
}
