//! Floor 2: the loopback front door. One WebSocket for clients (`/ws`), `/healthz`, `/readyz`, and the window's files for a
//! browser. The only crate that names axum.
//!
//! It hands every request to [`kata_core::operations::dispatch`] and passes the facts of [`kata_core::EventHub`] on. It trusts
//! nobody before the handshake: `Host` and `Origin` are checked before the upgrade, the token in constant time, and no token
//! ever stands in a URL.
//!
//! Deliberately absent: what an operation does, where tokens are kept, any address but loopback.

mod connection;
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
pub use file::{FoundGateway, GatewayFile, GatewayFileError, read_gateway_file};
pub use gateway::{Gateway, GatewayError, GatewayOptions};
pub use tokens::{Token, Tokens};
