//! Test support as a product: a whole engine over a temporary home, a fake platform that checks invariants by itself, and
//! the `kata` program as a child process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, prepares files as other programs would, and spawns what it aborts itself"
)]

mod engine;
mod peers;
mod platform;
mod program;
mod storm;
#[cfg(target_os = "linux")]
mod supervisor;

pub use engine::{TestEngine, TestHome, caller, eventually, eventually_within, fixture};
pub use peers::Peers;
pub use platform::{FakePlatform, Sent};
pub use program::{Kata, Serve, kata_binary};
pub use storm::{Asked, Storm, balanced, settled};
#[cfg(target_os = "linux")]
pub use supervisor::UserSystemd;
