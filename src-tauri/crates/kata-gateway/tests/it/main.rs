//! The gateway over real sockets, with an engine that answers what a test wants and a clock that moves when a test says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::result_large_err)]

mod attacks;
mod events;
mod external;
mod hooks;
mod http;
mod life;
mod requests;
mod strangers;
mod support;
