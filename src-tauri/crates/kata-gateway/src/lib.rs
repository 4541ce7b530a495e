//! Floor 2: the loopback front door. One WebSocket for clients (`/ws`), `/healthz`, `/readyz`, and the window's files for a
//! browser. The only crate that names axum.
//!
//! It hands every request to [`kata_core::operations::dispatch`] and passes the facts of [`kata_core::EventHub`] on. It trusts
//! nobody before the handshake: `Host` and `Origin` are checked before the upgrade, the token in constant time, and no token
//! ever stands in a URL. Whoever is not known yet has little time and little room, and makes way for the next ([`listener`]).
//!
//! Deliberately absent: what an operation does, where tokens are kept, any address but loopback.

mod connection;
mod devices;
mod external;
mod feed;
mod file;
mod frames;
mod gateway;
mod guard;
mod handshake;
mod hooks;
mod http;
mod listener;
mod requests;
mod tokens;
mod ui;
mod writer;

pub use connection::{ClientInfo, close};
pub use devices::{DeviceKey, Devices, NotPaired, PairAsk, Paired};
pub use file::{FoundGateway, GatewayFile, GatewayFileError, read_gateway_file};
pub use gateway::{Gateway, GatewayError, GatewayOptions, GatewayView};
pub use guard::{BadHost, GatewayHost};
pub use tokens::{Proof, Token, TokenHash, Tokens, token_hash};

/// What the fuzz targets try; nothing else uses it.
#[doc(hidden)]
pub mod fuzzing {
    /// What a refusal says.
    #[derive(Debug, PartialEq, Eq)]
    pub struct Refused(pub String);

    /// Reads a client's frame as the gateway does, before anybody is trusted: its kind, or what a refusal says.
    pub fn read_frame(text: &str) -> Result<&'static str, Refused> {
        use crate::frames::Incoming;
        match crate::frames::parse(text) {
            Ok(Incoming::Connect(_)) => Ok("connect"),
            Ok(Incoming::Pair(_)) => Ok("pair"),
            Ok(Incoming::Request { .. }) => Ok("request"),
            Ok(Incoming::Subscribe(_)) => Ok("subscribe"),
            Ok(Incoming::Ack(_)) => Ok("ack"),
            #[allow(unreachable_patterns, reason = "frames of plugins are read elsewhere")]
            Ok(_) => Ok("plugin"),
            Err(bad) => Err(Refused(bad.reason)),
        }
    }
}
