//! The HTTP clients and the limits that go with them.
//!
//! Two clients: one for the world, which follows the system's proxy settings, and one for this machine, which never does
//! (a proxy cannot reach the Ollama on this desk). Redirects are never followed: a key must not travel to another host.

use reqwest::{Client, ClientBuilder, redirect::Policy};
use std::sync::{Arc, OnceLock};
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
    local: Client,
    /// Made when first needed: reading the system's certificates takes longer than all of the rest of a start.
    world: Arc<OnceLock<Option<Client>>>,
    connect: Duration,
}

impl Http {
    /// Makes what it needs for this machine; nothing is connected yet.
    pub fn new(options: &ModelOptions) -> Result<Self, HttpError> {
        // Plain HTTP or a tunnel's end: there is no public certificate for a loopback address to check against.
        let local = builder(options.connect).no_proxy().tls_certs_only([]).build()?;
        Ok(Self {
            local,
            world: Arc::default(),
            connect: options.connect,
        })
    }

    /// The client for this address; nothing where this machine's TLS setup does not allow one.
    pub(crate) fn client(&self, url: &Url) -> Option<&Client> {
        if is_loopback(url) {
            return Some(&self.local);
        }
        self.world.get_or_init(|| builder(self.connect).build().ok()).as_ref()
    }
}

fn builder(connect: Duration) -> ClientBuilder {
    Client::builder()
        .redirect(Policy::none())
        .connect_timeout(connect)
        .user_agent(concat!("kata-agents/", env!("CARGO_PKG_VERSION")))
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
