//! The plugin host: activates, reloads, restarts and ends plugins, and is the tools, hooks and channels of the core.

use crate::budget::Limits;
use crate::capability::Grants;
use crate::discover::Candidate;
use crate::engine::{self, Exit, Spec};
use crate::error::PluginError;
use crate::generation::{Generation, Loaded};
use crate::manifest;
use crate::network::{Clients, NetworkPolicy};
use crate::options::HostOptions;
use crate::parts::{Common, Part};
use crate::plugin::{Activation, Plugin, lock};
use crate::ports::Reporter;
use crate::register::Rules;
use crate::registry::{Member, Registry, Taken};
use crate::standing::Standing;
use crate::watchdog::Watchdog;
use arc_swap::ArcSwap;
use futures::future::BoxFuture;
use kata_core::lifecycle::Happening;
use kata_core::ports::{Clock, Entropy, PluginBackend, PluginPart};
use kata_core::tasks::Tasks;
use kata_protocol::{ChannelId, ErrorCode, PluginFault, PluginId, RunState, WireError};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The host. Methods are called from within a tokio runtime, whose pool does the plugins' host calls.
pub struct PluginHost {
    pub(crate) backend: Arc<dyn PluginBackend>,
    pub(crate) clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    options: HostOptions,
    pub(crate) tasks: Tasks,
    clients: Clients,
    pub(crate) plugins: Mutex<BTreeMap<PluginId, Arc<Plugin>>>,
    pub(crate) registry: ArcSwap<Registry>,
    /// Held while a registry is built from the present one.
    swap: Mutex<()>,
    watchdog: Arc<Watchdog>,
    watching: AtomicBool,
    pub(crate) common: Common,
    pub(crate) ticking: AtomicBool,
    /// Services in the order in which they were started; they are stopped the other way round.
    pub(crate) started: Mutex<Vec<(PluginId, String)>>,
}

impl PluginHost {
    /// A host without plugins.
    pub fn new(backend: Arc<dyn PluginBackend>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>, options: HostOptions) -> Arc<Self> {
        Arc::new(Self {
            backend,
            clock,
            entropy,
            options,
            tasks: Tasks::default(),
            clients: Clients::default(),
            plugins: Mutex::default(),
            registry: ArcSwap::from_pointee(Registry::default()),
            swap: Mutex::new(()),
            watchdog: Arc::default(),
            watching: AtomicBool::new(false),
            common: Common::default(),
            ticking: AtomicBool::new(false),
            started: Mutex::default(),
        })
    }

    /// Begins to watch the plugins' threads, with the first one.
    fn watch(&self) {
        if !self.watching.swap(true, Ordering::AcqRel) {
            let (clock, stuck, stopping) = (Arc::clone(&self.clock), self.options.stuck, self.tasks.stopping());
            self.tasks
                .spawn("plugin watchdog", Arc::clone(&self.watchdog).run(clock, stuck, stopping));
        }
    }

    pub(crate) fn options(&self) -> &HostOptions {
        &self.options
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Activates a plugin, or replaces the version that serves: the new one is built beside it and takes over in one step
    /// when all of it succeeded. Calls in flight end on the version they began on.
    ///
    /// # Errors
    /// [`PluginError`]; a version that served before goes on serving.
    pub async fn activate(
        self: &Arc<Self>,
        candidate: Candidate,
        settings: serde_json::Value,
        granted: Vec<String>,
        network: NetworkPolicy,
    ) -> Result<(), PluginError> {
        let plugin = self.plugin(&candidate.manifest.id);
        let _turn = plugin.turn.lock().await;
        self.watch();
        if let Some(client) = plugin.client() {
            return Err(PluginError::Conflict {
                plugin: plugin.id.clone(),
                reason: format!("the program “{}” has this id over the gateway; end it first", client.name),
            });
        }
        if plugin.worn_out() {
            return Err(PluginError::Stuck {
                plugin: plugin.id.clone(),
                threads: plugin.lingering(),
            });
        }
        let serving = plugin.live.borrow().is_some();
        if !serving {
            plugin.moved(Happening::Start, "", "");
        }
        let activation = Activation {
            candidate,
            settings,
            granted,
            network,
        };
        match self.load_and_swap(&plugin, &activation).await {
            Ok(()) => {
                plugin.renewed.send_modify(|n| *n = n.wrapping_add(1));
                Ok(())
            }
            Err(error) => {
                plugin.fault_at("load", error.to_string(), error.position());
                let (what, code) = if serving {
                    (Happening::Degraded, "reload_failed")
                } else {
                    (Happening::Broken { recoverable: true }, "load_failed")
                };
                plugin.moved(what, code, &error.to_string());
                Err(error)
            }
        }
    }

    async fn load_and_swap(self: &Arc<Self>, plugin: &Arc<Plugin>, activation: &Activation) -> Result<(), PluginError> {
        let spec = self.spec(plugin, activation)?;
        plugin.budget.begin(Limits::of(&spec.options)).await;
        let Loaded {
            generation,
            registrations,
            exit,
        } = Generation::load(spec, Arc::clone(&self.clock))
            .await
            .map_err(|fault| PluginError::Load {
                plugin: plugin.id.clone(),
                reason: fault.to_string(),
                position: fault.position(),
            })?;
        let member = Member {
            origin: activation.candidate.origin,
            generation: Arc::clone(&generation),
            registrations,
            faults: Arc::clone(plugin) as Arc<dyn Reporter>,
        };
        let old = self.registry.load().members.get(&plugin.id).cloned();
        if let Err(taken) = self.put(&plugin.id, Some(Arc::new(member))) {
            generation.discard(exit);
            return Err(PluginError::Conflict {
                plugin: plugin.id.clone(),
                reason: taken.to_string(),
            });
        }
        plugin.moved(Happening::Running, "", "");
        let past = lock(&plugin.activation).replace(activation.clone());
        // Kept before the new one is seen to serve: it may fail at once.
        let serving = plugin.live.borrow().clone();
        if let Some(((old, past), serving)) = old.zip(past).zip(serving)
            && Arc::ptr_eq(&old.generation, &serving)
        {
            self.keep(plugin, generation.number, old, past);
        }
        plugin.live.send_replace(Some(Arc::clone(&generation)));
        let (host, watched, new) = (Arc::clone(self), Arc::clone(plugin), Arc::clone(&generation));
        self.watchdog.watch(&generation);
        self.tasks.spawn("plugin exit", async move {
            let exit = new.ended(exit).await;
            host.exited(&watched, &new, exit).await;
        });
        Ok(())
    }

    fn spec(&self, plugin: &Arc<Plugin>, activation: &Activation) -> Result<Spec, PluginError> {
        let Activation {
            candidate,
            settings,
            granted,
            network,
        } = activation;
        let manifest = candidate.manifest.clone();
        let id = || plugin.id.clone();
        let entry = engine::entry(&candidate.folder, manifest.main.as_deref()).map_err(|e| PluginError::Entry {
            plugin: id(),
            reason: format!("main: {e}"),
        })?;
        if let Some(schema) = &manifest.settings {
            let schema = manifest::schema_options().build(&schema.0);
            let schema = schema.map_err(|e| PluginError::Settings {
                plugin: id(),
                field: String::new(),
                reason: e.to_string(),
            })?;
            if let Some(error) = schema.iter_errors(settings).next() {
                let reason = error.masked().to_string();
                return Err(PluginError::Settings {
                    plugin: id(),
                    field: error.instance_path().to_string(),
                    reason,
                });
            }
        }
        let grants = Grants::new(&manifest.capabilities, granted);
        Ok(Spec {
            generation: plugin.next_generation(),
            folder: candidate.folder.clone(),
            entry,
            pins: candidate.pins.clone(),
            settings: settings.clone(),
            standing: plugin.stands(Standing::new(grants.clone(), network.clone())),
            options: self.options.lowered(&manifest.limits),
            rules: Rules {
                plugin: id(),
                lone: manifest::is_lone(&candidate.folder),
                account: candidate.account.clone(),
                manifest,
                grants,
            },
            reporter: Arc::clone(plugin) as Arc<dyn Reporter>,
            backend: Arc::clone(&self.backend),
            clients: self.clients.clone(),
            tasks: self.tasks.clone(),
            workspace: candidate.workspace.clone(),
            pool: tokio::runtime::Handle::current(),
            share: Arc::clone(&plugin.share),
            pace: Arc::clone(&plugin.pace),
            budget: Arc::clone(&plugin.budget),
            clock: Arc::clone(&self.clock),
        })
    }

    /// A thread has ended. The one that serves is restarted after a wait; one that was replaced is only noted.
    /// Boxed, because a restart watches its own thread's end in turn.
    fn exited<'a>(self: &'a Arc<Self>, plugin: &'a Arc<Plugin>, generation: &'a Arc<Generation>, exit: Exit) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Exit::Fault { kind, message, position } = exit {
                if kind == "stuck" {
                    plugin.gave_up(generation);
                }
                plugin.fault_at(kind, message.clone(), position);
                self.crashed(plugin, generation, kind, &message).await;
            }
        })
    }

    async fn crashed(self: &Arc<Self>, plugin: &Arc<Plugin>, generation: &Arc<Generation>, kind: &str, message: &str) {
        if self.roll_back(plugin, generation, message) {
            return;
        }
        let served = plugin.live.send_if_modified(|live| {
            let is_this = live.as_ref().is_some_and(|g| Arc::ptr_eq(g, generation));
            if is_this {
                *live = None;
            }
            is_this
        });
        if !served {
            return;
        }
        // What it registered stays in the registry: a gate whose plugin is down must go on blocking.
        let what = if kind == "stuck" { Happening::Stuck } else { Happening::Fault };
        plugin.moved(what, kind, message);
        self.restart(plugin).await;
    }

    async fn restart(self: &Arc<Self>, plugin: &Arc<Plugin>) {
        let stopping = self.tasks.stopping();
        loop {
            let Some(until) = plugin.due() else { return };
            let wait = Duration::from_millis(until.0.saturating_sub(self.clock.now().0));
            tokio::select! {
                () = stopping.cancelled() => return,
                () = self.clock.sleep(wait) => {}
            }
            let _turn = plugin.turn.lock().await;
            // Meanwhile it may have been deactivated or activated by hand.
            let activation = lock(&plugin.activation).clone();
            let Some(activation) = activation.filter(|_| plugin.live.borrow().is_none()) else {
                return;
            };
            if plugin.due().is_none_or(|due| due > self.clock.now()) {
                continue;
            }
            plugin.moved(Happening::Due, "", "");
            if plugin.lingering() > 0 {
                // Begun again by itself it would get stuck again, and each time a thread and its memory would be gone.
                plugin.moved(
                    Happening::Stuck,
                    "stuck",
                    "a thread of it is still stuck in native code; restart the app to end it",
                );
                continue;
            }
            plugin.restarts.fetch_add(1, Ordering::Relaxed);
            match self.load_and_swap(plugin, &activation).await {
                Ok(()) => return,
                Err(error) => {
                    plugin.fault_at("load", error.to_string(), error.position());
                    plugin.moved(Happening::Fault, "load_failed", &error.to_string());
                }
            }
        }
    }

    /// Takes a plugin out: its channels and services are brought down, its registrations go, calls in flight get to end.
    pub async fn deactivate(self: &Arc<Self>, id: &PluginId) {
        let Some(plugin) = lock(&self.plugins).get(id).cloned() else {
            return;
        };
        let parts: Vec<Arc<Part>> = lock(&plugin.parts).drain().map(|(_, part)| part).collect();
        for part in &parts {
            part.stop.cancel();
        }
        for part in &parts {
            part.ended.cancelled().await;
        }
        let _turn = plugin.turn.lock().await;
        lock(&plugin.activation).take();
        self.drain(lock(&plugin.reserve).take());
        plugin.moved(Happening::Stop, "", "");
        // Taking out cannot conflict.
        let _ = self.put(id, None);
        if let Some(generation) = plugin.live.send_replace(None) {
            generation.retire(self.options.drain, self.options.stop_timeout).await;
        }
        plugin.budget.settle().await;
        lock(&self.started).retain(|(started, _)| started != id);
        plugin.moved(Happening::Ended, "", "");
    }

    /// Takes a plugin out as [`Self::deactivate`] does, and remembers nothing of it: neither faults nor budgets.
    pub async fn forget(self: &Arc<Self>, id: &PluginId) {
        self.deactivate(id).await;
        lock(&self.plugins).remove(id);
    }

    /// Builds the registry anew from the same members, after what one of them may do has changed.
    pub(crate) fn rebuild(&self) {
        let _swap = lock(&self.swap);
        let members = self.registry.load().members.clone();
        // The same names as before cannot conflict.
        if let Ok(registry) = Registry::build(members) {
            self.registry.store(Arc::new(registry));
        }
    }

    pub(crate) fn put(&self, id: &PluginId, member: Option<Arc<Member>>) -> Result<(), Taken> {
        let _swap = lock(&self.swap);
        let mut members = self.registry.load().members.clone();
        match member {
            Some(member) => members.insert(id.clone(), member),
            None => members.remove(id),
        };
        let registry = Registry::build(members).map_err(|taken| taken.told_to(id))?;
        self.registry.store(Arc::new(registry));
        Ok(())
    }

    pub(crate) fn plugin(&self, id: &PluginId) -> Arc<Plugin> {
        let mut plugins = lock(&self.plugins);
        let made = || {
            let (backend, clock, entropy) = (Arc::clone(&self.backend), Arc::clone(&self.clock), Arc::clone(&self.entropy));
            Arc::new(Plugin::new(id.clone(), backend, clock, entropy, &self.options))
        };
        Arc::clone(plugins.entry(id.clone()).or_insert_with(made))
    }

    pub(crate) fn known(&self, id: &PluginId) -> Option<Arc<Plugin>> {
        lock(&self.plugins).get(id).cloned()
    }

    /// Plugins that serve now, in order of id.
    pub fn running(&self) -> Vec<PluginId> {
        lock(&self.plugins)
            .values()
            .filter(|p| p.live.borrow().is_some())
            .map(|p| p.id.clone())
            .collect()
    }

    /// A plugin's newest faults, newest first, at most 20.
    pub fn faults(&self, id: &PluginId) -> Vec<PluginFault> {
        self.known(id).map(|p| p.faults()).unwrap_or_default()
    }

    /// Loads since start; 0 for a plugin that was never activated.
    pub fn generation(&self, id: &PluginId) -> u32 {
        self.known(id).map_or(0, |p| p.generation())
    }

    /// Brings a channel up and keeps it up. How it goes is told through [`PluginBackend::status`], never by return.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] when no plugin provides it.
    pub async fn start_channel(self: &Arc<Self>, channel: &ChannelId) -> Result<(), WireError> {
        let registry = self.registry.load();
        let found = registry
            .channels
            .get(channel)
            .ok_or_else(|| WireError::not_found("channel", channel))?;
        if !found.entry.connects {
            return Ok(());
        }
        let plugin = found.generation.plugin.clone();
        self.start(&plugin, PluginPart::Channel(channel.clone()))
    }

    /// Brings a channel down; returns when it is.
    pub async fn stop_channel(&self, channel: &ChannelId) {
        let part = PluginPart::Channel(channel.clone());
        let plugins: Vec<Arc<Plugin>> = lock(&self.plugins).values().cloned().collect();
        for plugin in plugins {
            self.stop(&plugin, &part).await;
        }
    }

    /// Brings a service up and keeps it up.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] when the plugin does not provide it.
    pub async fn start_service(self: &Arc<Self>, plugin: &PluginId, service: &str) -> Result<(), WireError> {
        let registry = self.registry.load();
        let has = registry
            .members
            .get(plugin)
            .is_some_and(|m| m.registrations.services.iter().any(|(id, _)| id == service));
        if !has {
            return Err(WireError::not_found("service", service));
        }
        self.start(plugin, PluginPart::Service(service.to_owned()))
    }

    /// Brings a service down; returns when it is.
    pub async fn stop_service(&self, plugin: &PluginId, service: &str) {
        if let Some(plugin) = self.known(plugin) {
            self.stop(&plugin, &PluginPart::Service(service.to_owned())).await;
        }
    }

    #[allow(
        clippy::result_large_err,
        reason = "the wire's own error type, on a path that is taken once per channel"
    )]
    fn start(self: &Arc<Self>, id: &PluginId, part: PluginPart) -> Result<(), WireError> {
        let plugin = self.known(id).ok_or_else(|| WireError::not_found("plugin", id))?;
        let mut parts = lock(&plugin.parts);
        if let Some(running) = parts.get(&part) {
            // One that waits for a person or has given up is brought up anew by stopping it first.
            let up = !running.ended.is_cancelled() && !running.stop.is_cancelled();
            return if up && running.state() != RunState::Stopped {
                Ok(())
            } else {
                Err(conflict(&part))
            };
        }
        let (backend, clock, entropy) = (Arc::clone(&self.backend), Arc::clone(&self.clock), Arc::clone(&self.entropy));
        let made = Arc::new(Part::new(
            part.clone(),
            &plugin,
            backend,
            clock,
            entropy,
            &self.options,
            &self.common,
        ));
        if let PluginPart::Service(service) = &part {
            lock(&self.started).push((id.clone(), service.clone()));
            self.tick();
        }
        parts.insert(part.clone(), Arc::clone(&made));
        drop(parts);
        let (host, wanted, options, plugin) = (Arc::clone(self), part, self.options.clone(), Arc::clone(&plugin));
        self.tasks.spawn("plugin part", async move {
            let find = |generation: &Generation| host.handle_of(generation, &wanted);
            let failed = |generation: &Arc<Generation>, reason: &str| host.roll_back(&plugin, generation, reason);
            made.supervise(&plugin, find, failed, options).await;
        });
        Ok(())
    }

    async fn stop(&self, plugin: &Plugin, part: &PluginPart) {
        let found = lock(&plugin.parts).remove(part);
        if let Some(found) = found {
            found.stop.cancel();
            found.ended.cancelled().await;
        }
        if let PluginPart::Service(service) = part {
            lock(&self.started).retain(|(id, name)| *id != plugin.id || name != service);
        }
    }

    /// The part's handle in a generation, as long as that is the one in the registry.
    fn handle_of(&self, generation: &Generation, part: &PluginPart) -> Option<u32> {
        let registry = self.registry.load();
        let member = registry
            .members
            .get(&generation.plugin)
            .filter(|m| m.generation.number == generation.number)?;
        match part {
            PluginPart::Channel(id) => member
                .registrations
                .channels
                .iter()
                .find(|c| c.id == *id && c.connects)
                .map(|c| c.handle),
            PluginPart::Service(id) => member
                .registrations
                .services
                .iter()
                .find(|(name, _)| name == id)
                .map(|(_, handle)| *handle),
            PluginPart::Plugin => None,
        }
    }

    /// Ends everything, services in the reverse of the order in which they were started, then all plugins at once, at most
    /// `deadline`; what has not ended then is cut off.
    pub async fn shutdown(self: &Arc<Self>, deadline: Duration) {
        let plugins: Vec<PluginId> = lock(&self.plugins).keys().cloned().collect();
        let all = async {
            self.stop_services().await;
            futures::future::join_all(plugins.iter().map(|id| self.deactivate(id))).await
        };
        tokio::select! {
            _ = all => {}
            () = self.clock.sleep(deadline) => {
                let late: Vec<Arc<Plugin>> = lock(&self.plugins).values().cloned().collect();
                for plugin in late {
                    if let Some(generation) = plugin.live.send_replace(None) {
                        generation.kill();
                    }
                }
            }
        }
        self.tasks.stopping().cancel();
    }
}

fn conflict(part: &PluginPart) -> WireError {
    let name = match part {
        PluginPart::Plugin => "the plugin".to_owned(),
        PluginPart::Channel(id) => format!("channel “{id}”"),
        PluginPart::Service(id) => format!("service “{id}”"),
    };
    WireError::new(ErrorCode::Conflict, format!("{name} is being brought down")).hint("try again in a moment")
}
