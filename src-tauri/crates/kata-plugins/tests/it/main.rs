//! The host from outside, in one program: plugins in temporary folders, the real JavaScript engine, a backend that remembers.
//!
//! One file per story; `support` is what they share. `tests/lives.rs` is a program of its own, because it weighs the process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)]

mod archive;
mod boundary;
mod containment;
mod context;
mod discovery;
mod endings;
mod fetch;
mod host;
mod markdown;
mod media;
mod positions;
mod routes;
mod services;
mod sockets;
mod streaming;
mod supervision;
mod support;
mod surface;
mod talk;
mod tcp;
mod web;
