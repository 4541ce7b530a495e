//! Floor 2: signing in at providers, and tokens that renew themselves. The only crate that names `oauth2`.
//!
//! [`provider`] has where people sign in, [`exchange`] speaks with a provider over [`http`], [`fresh`] decides when a token is
//! renewed, [`tokens`] answers the port [`kata_core::ports::Accounts`], [`listener`] takes the browser's answer, [`sign_in`]
//! leads a person through.
//!
//! Deliberately absent: where secrets are kept (a port), opening a browser, plugins and sources (the engine).

mod assertion;
mod exchange;
mod failure;
mod fresh;
mod http;
mod kept;
mod listener;
mod page;
mod presets;
mod provider;
mod sign_in;
mod tokens;

pub use exchange::Exchange;
pub use failure::Failure;
pub use listener::Listener;
pub use presets::presets;
pub use provider::{Edit, Misfit, Provider, valid_id};
pub use sign_in::{Begin, SignIns, Way};
pub use tokens::{Outcome, Tokens};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests;
