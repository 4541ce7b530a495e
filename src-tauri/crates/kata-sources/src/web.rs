//! The HTTP client of servers and APIs: one, made when a source first needs it. Reading the system's roots of trust takes memory and
//! time that a home without such a source never pays.

use crate::Trouble;
use reqwest::{Client, Url, redirect::Policy};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Time for a connection.
const CONNECT: Duration = Duration::from_secs(15);
/// Redirects that are followed.
const HOPS: usize = 5;

/// The client of all sources. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Web(Arc<OnceLock<Option<Client>>>);

impl Web {
    /// The client.
    ///
    /// # Errors
    /// This machine has no TLS that can be used.
    pub(crate) fn client(&self) -> Result<Client, Trouble> {
        let made = self.0.get_or_init(|| {
            let built = build();
            if let Err(error) = &built {
                tracing::error!(%error, "no HTTP client for sources");
            }
            built.ok()
        });
        made.clone().ok_or_else(|| {
            Trouble::stay(
                "no_tls",
                "This machine has no certificates of authorities (package ca-certificates), so nothing can be asked safely.",
            )
        })
    }
}

/// A client that follows redirects on one host only: headers with keys go along with them.
fn build() -> Result<Client, reqwest::Error> {
    let same = |a: &Url, b: &Url| a.origin() == b.origin();
    let policy = Policy::custom(move |attempt| {
        let first = attempt.previous().first().cloned();
        match first {
            Some(first) if same(&first, attempt.url()) && attempt.previous().len() <= HOPS => attempt.follow(),
            _ => attempt.stop(),
        }
    });
    Client::builder()
        .redirect(policy)
        .user_agent(concat!("kata-agents/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .build()
}
