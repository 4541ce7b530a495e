//! The HTTP clients and the limits that go with them.
//!
//! Two clients: one for the world, which follows the system's proxy settings, and one for this machine, which never does
//! (a proxy cannot reach the Ollama on this desk). Redirects are never followed: a key must not travel to another host.

use reqwest::{Client, redirect::Policy};
use std::time::Duration;
use url::{Host, Url};

/// Limits of every provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelOptions {
    /// How often a failed attempt is asked again before the failure is shown.
    pub retries: u32,
    /// Longest silence, from sending the request on; anything the provider sends starts it anew.
    pub idle: Duration,
    /// Longest wait for a connection.
    pub connect: Duration,
    /// Pause between two pieces of the demo's text, so that a person sees it stream. Zero in tests and benchmarks.
    pub demo_pause: Duration,
}

impl Default for ModelOptions {
    fn default() -> Self {
        Self {
            retries: 4,
            idle: Duration::from_secs(90),
            connect: Duration::from_secs(15),
            demo_pause: Duration::from_millis(12),
        }
    }
}

/// The TLS or connection setup of this machine does not allow a client.
#[derive(Debug, thiserror::Error)]
#[error("no HTTP client can be made: {0}")]
pub struct HttpError(#[from] reqwest::Error);

/// Connections to providers, shared by all of them.
#[derive(Clone, Debug)]
pub struct Http {
    world: Client,
    local: Client,
}

impl Http {
    /// Makes the clients; nothing is connected yet.
    pub fn new(options: &ModelOptions) -> Result<Self, HttpError> {
        let builder = || {
            Client::builder()
                .redirect(Policy::none())
                .connect_timeout(options.connect)
                .user_agent(concat!("kata-agents/", env!("CARGO_PKG_VERSION")))
        };
        Ok(Self {
            world: builder().build()?,
            local: builder().no_proxy().build()?,
        })
    }

    /// The client for this address.
    pub(crate) fn client(&self, url: &Url) -> &Client {
        if is_loopback(url) { &self.local } else { &self.world }
    }
}

/// Whether an address is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}
