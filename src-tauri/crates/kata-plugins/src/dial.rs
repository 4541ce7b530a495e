//! A TCP connection to where the allow-list lets a plugin go: a name that was only granted may resolve to public addresses alone.
//!
//! Neighbours: `socket` and `tcp` connect with it; `network` says how far a request may reach.

use crate::network::{Blocked, Reach, is_public};
use tokio::net::TcpStream;

/// Why there is no connection.
pub(crate) enum Undialled {
    Blocked(Blocked),
    Unknown,
    Refused,
}

/// Connects. `host` may stand in brackets.
pub(crate) async fn dial(host: &str, port: u16, how: Reach) -> Result<TcpStream, Undialled> {
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((name, port)).await.map_err(|_| Undialled::Unknown)?;
    let addresses: Vec<_> = found.collect();
    if how == Reach::Public && addresses.iter().any(|a| !is_public(a.ip())) {
        return Err(Undialled::Blocked(Blocked::Local(host.to_owned())));
    }
    let stream = TcpStream::connect(&addresses[..]).await.map_err(|_| Undialled::Refused)?;
    let _ = stream.set_nodelay(true);
    Ok(stream)
}
