//! Floor 1: the domain. Ingress, router, hooks, sessions, outbox, status, supervision.
//!
//! Everything outside comes in through [`ports`]; time and randomness too, so a test can drive both.
//!
//! Deliberately absent: files, sockets, SQL, JavaScript, Tauri, and reading any clock.

mod commands;
pub mod conversations;
mod direct;
pub mod events;
pub mod exchanges;
pub mod fault;
pub mod files;
pub mod hooks;
pub mod hygiene;
pub mod ingress;
pub mod letters;
pub mod lifecycle;
mod names;
mod notices;
pub mod operations;
pub mod orders;
pub mod outbox;
pub mod path;
pub mod pause;
pub mod persist;
pub mod planner;
pub mod ports;
mod presses;
pub mod quiet;
mod rate;
pub mod router;
pub mod session;
pub mod tasks;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod testing;
pub mod trace;
pub mod wake;

pub use events::EventHub;
pub use names::quoted as quoted_name;
