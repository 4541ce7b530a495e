//! Floor 1: the domain. Ingress, router, hooks, sessions, outbox, status, supervision.
//!
//! Everything outside comes in through [`ports`]; time and randomness too, so a test can drive both.
//!
//! Deliberately absent: files, sockets, SQL, JavaScript, Tauri, and reading any clock.

pub mod events;
pub mod fault;
pub mod operations;
pub mod ports;

pub use events::EventHub;
