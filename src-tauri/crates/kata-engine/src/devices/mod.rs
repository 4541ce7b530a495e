//! Devices that come in through the gateway: offered a place, paired, listed, shut out. Keeps what `kata_gateway::Tokens` lets in
//! equal to what the store says, so a change is in force at once and after a restart.
//!
//! Deliberately absent: frames and signatures (kata-gateway), and who may call an operation (the table).

mod offers;

use crate::engine::locked;
use crate::settings::SettingsFile;
use async_trait::async_trait;
use kata_core::EventHub;
use kata_core::operations::Caller;
use kata_core::ports::{Clock, StoreError};
use kata_core::tasks::Tasks;
use kata_gateway::{DeviceKey, Devices, GatewayHost, GatewayView, NotPaired, PairAsk, Paired, Proof, Token, Tokens, token_hash};
use kata_protocol::*;
use kata_store::{AuditRecord, SqliteStore, StoredDevice, StoredProof};
use offers::{Offers, Place, Shown};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

/// Devices at a time.
const MOST: usize = 100;
/// Longest name, characters.
const NAME: usize = 64;
/// Days a device may be paired for.
const DAYS: std::ops::RangeInclusive<u32> = 1..=3650;
/// Milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// Least time between two facts about who is connected.
const CALM: Duration = Duration::from_millis(500);
/// Notice of an offer that ended by wrong codes.
pub(crate) const GUESSED: &str = "device-offer-ended";
/// Notice of names in `gateway.hosts` that are none.
const BAD_HOSTS: &str = "gateway-hosts";

/// What it works with.
pub(crate) struct DeskParts {
    pub store: Arc<SqliteStore>,
    pub settings: Arc<SettingsFile>,
    pub notices: Arc<Mutex<Vec<Notice>>>,
    pub events: Arc<EventHub>,
    pub clock: Arc<dyn Clock>,
    pub tasks: Tasks,
}

/// Everything about devices.
pub(crate) struct DeviceDesk {
    parts: DeskParts,
    /// What the gateway lets in.
    pub(crate) tokens: Arc<Tokens>,
    local: OnceLock<Token>,
    known: Mutex<Vec<StoredDevice>>,
    offers: tokio::sync::Mutex<Offers>,
    gateway: OnceLock<(GatewayView, u16)>,
}

impl DeviceDesk {
    /// Reads who may come in.
    pub(crate) async fn open(parts: DeskParts) -> Result<Arc<Self>, StoreError> {
        let known = parts.store.devices().await?;
        Ok(Arc::new(Self {
            parts,
            tokens: Arc::new(Tokens::new(Vec::new())),
            local: OnceLock::new(),
            known: Mutex::new(known),
            offers: tokio::sync::Mutex::default(),
            gateway: OnceLock::new(),
        }))
    }

    /// The token of this machine's own clients. From now on it and the devices may come in.
    pub(crate) fn let_in(&self, local: SecretString) {
        let _ = self.local.set(Token::new("local", local, Scope::Admin));
        self.put_in_force();
    }

    /// The gateway listens.
    pub(crate) fn join(self: &Arc<Self>, view: GatewayView, port: u16) {
        let changes = view.client_changes();
        let _ = self.gateway.set((view, port));
        self.apply_hosts();
        let Some(mut changes) = changes else { return };
        let (events, clock, stopping) = (
            Arc::clone(&self.parts.events),
            Arc::clone(&self.parts.clock),
            self.parts.tasks.stopping(),
        );
        self.parts.tasks.spawn("who is connected", async move {
            loop {
                tokio::select! {
                    biased;
                    () = stopping.cancelled() => return,
                    changed = changes.changed() => if changed.is_err() { return },
                }
                events.publish(Fact::DevicesChanged {});
                tokio::select! {
                    biased;
                    () = stopping.cancelled() => return,
                    () = clock.sleep(CALM) => {}
                }
            }
        });
    }

    /// Takes `gateway.hosts` as the settings say it now; what is no name is left out and told.
    pub(crate) fn apply_hosts(&self) {
        let (hosts, bad) = GatewayHost::list(&self.parts.settings.get().gateway.hosts);
        if let Some((view, _)) = self.gateway.get() {
            view.serve_hosts(hosts);
        }
        let words: Vec<String> = bad.iter().map(ToString::to_string).collect();
        self.notice(
            BAD_HOSTS,
            (!bad.is_empty()).then(|| {
                (
                    format!("gateway.hosts: {}.", words.join("; ")),
                    "Mend `gateway.hosts` in settings.json.".into(),
                )
            }),
        );
        self.parts.events.publish(Fact::DevicesChanged {});
    }

    fn notice(&self, id: &str, words: Option<(String, String)>) {
        let mut notices = locked(&self.parts.notices);
        notices.retain(|n| n.id != id);
        notices.extend(words.map(|(message, hint)| Notice {
            id: id.into(),
            at: self.parts.clock.now(),
            message,
            hint: Some(hint),
        }));
    }

    fn put_in_force(&self) {
        let known = locked(&self.known);
        let devices = known.iter().filter_map(|device| {
            let proof = match &device.proof {
                StoredProof::TokenHash(hash) => Proof::Token(hash.as_slice().try_into().ok()?),
                StoredProof::PublicKey(key) => Proof::Key(DeviceKey::from_bytes(key)?),
            };
            Some(Token::device(&device.id, &device.name, proof, device.scope, device.expires_at))
        });
        self.tokens.replace(self.local.get().cloned().into_iter().chain(devices).collect());
    }

    /// `device.pair`.
    pub(crate) async fn offer(&self, caller: &Caller, wanted: DevicePair) -> Result<DeviceOffer, WireError> {
        let name = wanted.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME || name.chars().any(char::is_control) {
            return Err(WireError::invalid(format!("“name”: 1 to {NAME} characters that can be read")).hint("such as “Anna's phone”"));
        }
        if wanted.expires_after_days.is_some_and(|days| !DAYS.contains(&days)) {
            return Err(WireError::invalid("“expiresAfterDays”: 1 to 3650").hint("leave it out for a device that stays"));
        }
        if locked(&self.known).len() >= MOST {
            return Err(WireError::new(ErrorCode::Conflict, format!("{MOST} devices are paired already"))
                .hint("shut one out that is no longer used: `kata devices revoke`"));
        }
        let Some((view, port)) = self.gateway.get() else {
            return Err(WireError::internal("the gateway does not listen yet"));
        };
        let code = offers::code(random()?);
        let place = Place {
            name: name.clone(),
            scope: wanted.scope,
            expires_after_days: wanted.expires_after_days,
        };
        let expires_at = self.offers.lock().await.open(&code, place, self.parts.clock.now());
        self.notice(GUESSED, None);
        self.audit(&caller.name, "device.pair", &name).await;
        tracing::info!(device = name, scope = ?wanted.scope, "a place is offered to a device");
        let (origin, reach) = match view.hosts().first() {
            Some(host) => (host.origin(), host.as_str().to_owned()),
            None => (own_origin(*port), "loopback".to_owned()),
        };
        Ok(DeviceOffer {
            url: format!("{origin}/#/pair/{code}"),
            code: offers::grouped(&code),
            reach,
            expires_at,
        })
    }

    /// `device.list`.
    pub(crate) fn list(&self) -> Vec<Device> {
        let clients = self.gateway.get().map(|(view, _)| view.clients()).unwrap_or_default();
        let connected = |id: &str| clients.iter().any(|c| c.device.as_deref() == Some(id));
        let known = locked(&self.known);
        known
            .iter()
            .map(|d| Device {
                id: d.id.clone(),
                name: d.name.clone(),
                scope: d.scope,
                keyed: matches!(d.proof, StoredProof::PublicKey(_)),
                paired_at: d.paired_at,
                seen_at: d.seen_at,
                expires_at: d.expires_at,
                connected: connected(&d.id),
            })
            .collect()
    }

    /// `device.revoke`: the device's connections are told and end at once.
    pub(crate) async fn revoke(&self, caller: &Caller, id: &str) -> Result<Empty, WireError> {
        let gone = self.parts.store.revoke_device(id, self.parts.clock.now()).await;
        if !gone.map_err(|e| WireError::internal(e.to_string()).hint("it is still in; is the disk full?"))? {
            return Err(WireError::not_found("device", id).hint("`kata devices list` names them"));
        }
        locked(&self.known).retain(|d| d.id != id);
        self.put_in_force();
        self.audit(&caller.name, "device.revoke", id).await;
        tracing::info!(device = id, "a device was shut out");
        self.parts.events.publish(Fact::DevicesChanged {});
        Ok(Empty {})
    }

    /// `gateway.state`.
    pub(crate) fn state(&self) -> GatewayState {
        let gateway = self.gateway.get();
        let hosts = gateway.map(|(view, _)| view.hosts()).unwrap_or_default();
        let own = gateway.map(|(_, port)| own_origin(*port));
        let clients = gateway.map(|(view, _)| view.clients()).unwrap_or_default();
        GatewayState {
            port: gateway.map(|(_, port)| *port),
            urls: own.into_iter().chain(hosts.iter().map(GatewayHost::origin)).collect(),
            hosts: hosts.iter().map(|h| h.as_str().to_owned()).collect(),
            clients: clients
                .into_iter()
                .map(|c| GatewayClient {
                    name: c.name,
                    token: c.token,
                    device: c.device,
                    scope: c.scope,
                    since: c.since,
                    acked: c.acked,
                    plugins: Vec::new(),
                })
                .collect(),
            locked_out_for: gateway
                .and_then(|(view, _)| view.locked_out_for())
                .map(|s| u32::try_from(s).unwrap_or(u32::MAX)),
        }
    }

    async fn audit(&self, actor: &str, action: &str, subject: &str) {
        let line = AuditRecord {
            at: self.parts.clock.now(),
            actor: actor.to_owned(),
            action: action.to_owned(),
            subject: subject.to_owned(),
        };
        if let Err(error) = self.parts.store.record_audit(line).await {
            tracing::warn!(%error, action, "not in the audit");
        }
    }

    /// Nobody was paired by a code; the offers that ended by it are told.
    fn guessed(&self, ended: &[Place]) {
        if ended.is_empty() {
            return;
        }
        let names: Vec<&str> = ended.iter().map(|p| p.name.as_str()).collect();
        tracing::warn!(offers = ?names, "wrong codes ended offers");
        self.notice(
            GUESSED,
            Some((
                format!("A wrong code was tried five times, so the offer for {} ended.", names.join(", ")),
                "If it was not you, somebody reaches the gateway: look at Gateway. Otherwise pair again.".into(),
            )),
        );
        self.parts.events.publish(Fact::DevicesChanged {});
    }
}

#[async_trait]
impl Devices for DeviceDesk {
    async fn pair(&self, ask: PairAsk) -> Result<Paired, NotPaired> {
        // Held until the device is kept: a code makes one device, also when two show it at once.
        let mut offers = self.offers.lock().await;
        let now = self.parts.clock.now();
        let (code, place) = match offers.show(&ask.code, now) {
            Shown::Right(code, place) => (code, place),
            Shown::Wrong(ended) => {
                self.guessed(&ended);
                return Err(NotPaired::Code);
            }
        };
        let failed = |e: WireError| NotPaired::Failed(e.message);
        let id = format!("dev_{}", hex(&random::<12>().map_err(failed)?));
        let (proof, token) = match ask.key {
            Some(key) => (StoredProof::PublicKey(key.as_bytes().to_vec()), None),
            None => {
                let token = SecretString::from(hex(&random::<32>().map_err(failed)?));
                (StoredProof::TokenHash(token_hash(token.expose_secret()).to_vec()), Some(token))
            }
        };
        let device = StoredDevice {
            id: id.clone(),
            name: place.name,
            scope: place.scope,
            proof,
            paired_at: now,
            seen_at: None,
            expires_at: place
                .expires_after_days
                .map(|days| Ms(now.0.saturating_add(u64::from(days) * DAY_MS))),
        };
        let kept = self.parts.store.add_device(&device).await;
        kept.map_err(|e| NotPaired::Failed(e.to_string()))?;
        offers.close(&code);
        let expires_at = device.expires_at;
        tracing::info!(device = device.name, id, keyed = token.is_none(), "a device was paired");
        locked(&self.known).push(device);
        self.put_in_force();
        drop(offers);
        self.audit(&ask.client, "device.paired", &id).await;
        self.parts.events.publish(Fact::DevicesChanged {});
        Ok(Paired {
            device: id,
            token,
            scope: place.scope,
            expires_at,
        })
    }

    fn came(&self, device: &str) {
        let now = self.parts.clock.now();
        if let Some(known) = locked(&self.known).iter_mut().find(|d| d.id == device) {
            known.seen_at = Some(now);
        }
        let (store, id) = (Arc::clone(&self.parts.store), device.to_owned());
        self.parts.tasks.spawn("note a device", async move {
            if let Err(error) = store.device_seen(&id, now).await {
                tracing::warn!(%error, "when a device came in was not kept");
            }
        });
    }
}

fn own_origin(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn random<const N: usize>() -> Result<[u8; N], WireError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| WireError::internal(format!("the system gives no randomness: {e}")))?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests;
