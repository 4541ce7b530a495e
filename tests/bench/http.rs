//! The one thing asked over plain HTTP: does `/healthz` or `/readyz` answer 200?

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Whether `GET path` answers 200 within `limit`.
pub(crate) async fn answers(port: u16, path: &str, limit: Duration) -> bool {
    matches!(tokio::time::timeout(limit, status(port, path)).await, Ok(Ok(200)))
}

async fn status(port: u16, path: &str) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    // `HTTP/1.1 200`
    let mut line = [0_u8; 12];
    stream.read_exact(&mut line).await?;
    Ok(std::str::from_utf8(&line[9..])
        .ok()
        .and_then(|code| code.parse().ok())
        .unwrap_or_default())
}
