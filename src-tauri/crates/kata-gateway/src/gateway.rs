//! Start and end of the gateway: port, `gateway.json`, the server, draining.

use crate::connection::{Client, ClientInfo, MAX_SOCKETS};
use crate::devices::Devices;
use crate::file::{self, GatewayFile, GatewayFileError};
use crate::frames::EventTexts;
use crate::guard::{GatewayHost, Guard};
use crate::hooks;
use crate::http;
use crate::listener::{Door, Meter, Strangers};
use crate::tokens::{Lockout, Tokens};
use kata_core::EventHub;
use kata_core::operations::Operations;
use kata_core::ports::{Clock, Entropy, ExternalPlugins, Routes};
use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What the engine chooses.
#[derive(Clone, Debug)]
pub struct GatewayOptions {
    /// Port that is tried first; 0 lets the system choose.
    pub port: u16,
    /// How many ports are tried, the first included; at least one.
    pub tries: u16,
    /// `gateway.json`.
    pub file: PathBuf,
    /// Built window; without it a browser gets a short text.
    pub ui_dir: Option<PathBuf>,
    /// Origins besides our own (`tauri://localhost`, a development server).
    pub allowed_origins: Vec<String>,
}

/// Why the gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Every port that was tried is taken.
    #[error("the ports {first} to {last} on 127.0.0.1 are all taken: {source}")]
    NoPort {
        /// First port.
        first: u16,
        /// Last port.
        last: u16,
        /// What the system said of the last one.
        source: io::Error,
    },
    /// The system does not let us listen.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// Port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// `gateway.json` could not be written.
    #[error("{0}")]
    File(#[from] GatewayFileError),
}

/// What every connection shares.
pub(crate) struct Shared {
    pub(crate) operations: Arc<dyn Operations>,
    pub(crate) events: Arc<EventHub>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) readiness: watch::Receiver<bool>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) boot: String,
    pub(crate) port: u16,
    pub(crate) ui_dir: Option<PathBuf>,
    pub(crate) guard: Guard,
    pub(crate) lockout: Lockout,
    pub(crate) texts: EventTexts,
    pub(crate) clients: Mutex<BTreeMap<u64, Arc<Client>>>,
    pub(crate) next_client: AtomicU64,
    /// Told when a client came or went.
    pub(crate) clients_changed: watch::Sender<()>,
    /// Where devices are kept, once somebody does.
    pub(crate) devices: OnceLock<Arc<dyn Devices>>,
    /// Connections nobody knows yet.
    pub(crate) strangers: Arc<Strangers>,
    /// Places for sockets, strangers included.
    pub(crate) sockets: Arc<Semaphore>,
    /// Plugins' own paths, once somebody has them.
    pub(crate) routes: OnceLock<Arc<dyn Routes>>,
    /// Takes plugins in, once somebody does.
    pub(crate) plugins: OnceLock<Arc<dyn ExternalPlugins>>,
    /// Places for requests to them.
    pub(crate) hooks: Semaphore,
    /// Connections and the requests that outlive their first poll.
    pub(crate) tasks: TaskTracker,
    /// The program ends: say goodbye.
    pub(crate) stop: CancellationToken,
    /// The time for goodbyes is over.
    pub(crate) kill: CancellationToken,
}

impl Shared {
    /// Sixteen random bytes as text.
    pub(crate) fn nonce(&self) -> String {
        nonce(&*self.entropy)
    }

    fn client_infos(&self) -> Vec<ClientInfo> {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.values().map(|client| client.info()).collect()
    }
}

fn nonce(entropy: &dyn Entropy) -> String {
    format!("{:016x}{:016x}", entropy.next_u64(), entropy.next_u64())
}

/// The running gateway. Dropping it without [`Gateway::shutdown`] ends it at once and leaves the file, which is then stale.
pub struct Gateway {
    shared: Arc<Shared>,
    file: PathBuf,
    server: tokio::task::JoinHandle<()>,
}

impl Gateway {
    /// Listens on 127.0.0.1 and writes `gateway.json`. Ready for clients when it returns.
    pub async fn start(
        options: GatewayOptions,
        operations: Arc<dyn Operations>,
        events: Arc<EventHub>,
        tokens: Arc<Tokens>,
        readiness: watch::Receiver<bool>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, GatewayError> {
        let (listener, port) = bind(options.port, options.tries).await?;
        let boot = nonce(&*entropy);
        let content = GatewayFile {
            port,
            pid: std::process::id(),
            boot: boot.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: clock.now(),
        };
        file::write(&options.file, &content)?;
        let shared = Arc::new(Shared {
            operations,
            events,
            tokens,
            readiness,
            clock,
            entropy,
            boot,
            port,
            ui_dir: options.ui_dir,
            guard: Guard::new(port, &options.allowed_origins),
            lockout: Lockout::default(),
            texts: EventTexts::new(),
            clients: Mutex::default(),
            clients_changed: watch::Sender::new(()),
            devices: OnceLock::new(),
            strangers: Arc::default(),
            next_client: AtomicU64::new(1),
            sockets: Arc::new(Semaphore::new(MAX_SOCKETS)),
            routes: OnceLock::new(),
            plugins: OnceLock::new(),
            hooks: Semaphore::new(hooks::AT_ONCE),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            kill: CancellationToken::new(),
        });
        let app = http::router(Arc::clone(&shared)).into_make_service_with_connect_info::<Meter>();
        let stop = shared.stop.clone();
        let door = Door::new(listener, Arc::clone(&shared.strangers), Arc::clone(&shared.clock));
        let server = shared.tasks.spawn(async move {
            if let Err(e) = axum::serve(door, app).with_graceful_shutdown(stop.cancelled_owned()).await {
                tracing::error!(error = %e, "the gateway stopped listening");
            }
        });
        tracing::info!(port, "gateway listens on 127.0.0.1");
        Ok(Self {
            shared,
            file: options.file,
            server,
        })
    }

    /// Serves plugins' own paths below `/hooks/`. Before this is called, nothing is there.
    pub fn serve_routes(&self, routes: Arc<dyn Routes>) {
        // The first one stays; there is one engine to a gateway.
        let _ = self.shared.routes.set(routes);
    }

    /// Takes codes of devices. Before this is called, no code is right.
    pub fn serve_devices(&self, devices: Arc<dyn Devices>) {
        // The first one stays; there is one engine to a gateway.
        let _ = self.shared.devices.set(devices);
    }

    /// What those who do not own the gateway may see and set.
    pub fn view(&self) -> GatewayView {
        GatewayView(Arc::downgrade(&self.shared))
    }

    /// Takes plugins in that come over sockets. Before this is called, none is taken.
    pub fn serve_plugins(&self, plugins: Arc<dyn ExternalPlugins>) {
        let _ = self.shared.plugins.set(plugins);
    }

    /// Port in use.
    pub fn port(&self) -> u16 {
        self.shared.port
    }

    /// Nonce of this boot, as the welcome frame and `gateway.json` say it.
    pub fn boot(&self) -> &str {
        &self.shared.boot
    }

    /// Clients that are connected, oldest first.
    pub fn clients(&self) -> Vec<ClientInfo> {
        self.shared.client_infos()
    }

    /// Says goodbye to every client, lets requests that run finish, and takes `gateway.json` away. What is not done after
    /// `deadline` is dropped.
    pub async fn shutdown(self, deadline: Duration) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        tokio::select! {
            () = self.shared.tasks.wait() => {}
            () = self.shared.clock.sleep(deadline) => tracing::warn!("the gateway's clients did not end in time"),
        }
        if let Err(e) = file::remove(&self.file, &self.shared.boot) {
            tracing::warn!(error = %e, "gateway.json stays");
        }
    }
}

/// The gateway as others see it; it does not keep it alive.
#[derive(Clone)]
pub struct GatewayView(Weak<Shared>);

impl GatewayView {
    /// Clients that are connected, oldest first.
    pub fn clients(&self) -> Vec<ClientInfo> {
        self.0.upgrade().map(|shared| shared.client_infos()).unwrap_or_default()
    }

    /// Told when a client came or went; `None` once the gateway is gone.
    pub fn client_changes(&self) -> Option<watch::Receiver<()>> {
        Some(self.0.upgrade()?.clients_changed.subscribe())
    }

    /// Seconds for which nothing but a right token or signature comes in.
    pub fn locked_out_for(&self) -> Option<u64> {
        let shared = self.0.upgrade()?;
        shared.lockout.shut_for(shared.clock.now())
    }

    /// Takes requests under these names too, from now on; those of before that are not among them no longer.
    pub fn serve_hosts(&self, hosts: Vec<GatewayHost>) {
        if let Some(shared) = self.0.upgrade() {
            shared.guard.serve_hosts(hosts);
        }
    }

    /// Other names in force.
    pub fn hosts(&self) -> Vec<GatewayHost> {
        self.0.upgrade().map(|shared| shared.guard.others().to_vec()).unwrap_or_default()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        self.shared.kill.cancel();
        self.server.abort();
    }
}

async fn bind(first: u16, tries: u16) -> Result<(TcpListener, u16), GatewayError> {
    let last = first.saturating_add(tries.max(1) - 1);
    for port in first..=last {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(listener) => {
                let port = listener
                    .local_addr()
                    .map_err(|source| GatewayError::Listen { port, source })?
                    .port();
                return Ok((listener, port));
            }
            // Windows says "permission denied" of ports that it keeps for itself.
            Err(e) if matches!(e.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied) && port < last => {
                tracing::info!(port, "taken; trying the next port");
            }
            Err(source) if port == last && last > first => return Err(GatewayError::NoPort { first, last, source }),
            Err(source) => return Err(GatewayError::Listen { port, source }),
        }
    }
    Err(GatewayError::Listen {
        port: first,
        source: io::ErrorKind::AddrNotAvailable.into(),
    })
}
