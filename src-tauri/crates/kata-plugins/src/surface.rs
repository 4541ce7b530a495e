//! What people and clients ask of running plugins by hand: commands, what was registered, and taking a capability back.

use crate::capability;
use crate::engine::{CallFault, Kind};
use crate::host::PluginHost;
use crate::plugin::lock;
use crate::registry::report;
use async_trait::async_trait;
use kata_core::hooks::limit;
use kata_core::ports::Commands;
use kata_protocol::{CommandInfo, ErrorCode, HookName, PluginId, Registered, RegisteredHook, RouteInfo, WireError};
use std::sync::{Arc, Weak};

#[async_trait]
impl Commands for PluginHost {
    fn list(&self) -> Vec<CommandInfo> {
        self.commands()
    }
    async fn run(&self, name: &str, args: &str) -> Result<String, WireError> {
        self.run_command(name, args).await
    }
}

impl PluginHost {
    /// Commands of all plugins that serve, in order of name.
    pub fn commands(&self) -> Vec<CommandInfo> {
        let registry = self.registry.load();
        let command = |(name, command): (&String, &crate::registry::CommandRef)| CommandInfo {
            name: name.clone(),
            description: command.description.clone(),
            plugin: command.generation.plugin.clone(),
        };
        registry.commands.iter().map(command).collect()
    }

    /// Runs a command. `args` is everything after its name.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::Timeout`], or [`ErrorCode::Upstream`] with what the plugin threw.
    pub async fn run_command(&self, name: &str, args: &str) -> Result<String, WireError> {
        let registry = self.registry.load_full();
        let found = registry.commands.get(name).ok_or_else(|| WireError::not_found("command", name))?;
        let payload: Arc<str> = serde_json::Value::from(args).to_string().into();
        let wait = Some(self.options().tool_timeout);
        let result = found.generation.call(Kind::Command, found.handle, Some(payload), wait, None).await;
        match result {
            Ok(None) => Ok(String::new()),
            Ok(Some(json)) => Ok(match serde_json::from_str(&json) {
                Ok(serde_json::Value::String(text)) => text,
                _ => json,
            }),
            Err(fault) => {
                report(&*found.faults, &format!("command {name}"), &fault);
                let code = if matches!(fault, CallFault::Timeout(_)) {
                    ErrorCode::Timeout
                } else {
                    ErrorCode::Upstream
                };
                Err(WireError::new(code, format!("plugin “{}”: {fault}", found.generation.plugin)))
            }
        }
    }

    /// What the version that serves has registered; `None` when none does.
    pub fn registered(&self, id: &PluginId) -> Option<Registered> {
        self.known(id)?.live.borrow().as_ref()?;
        let registry = self.registry.load();
        let all = &registry.members.get(id)?.registrations;
        let mut hooks = Vec::new();
        for event in HookName::ALL {
            let handlers = registry.handlers(event);
            let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            for (place, handler) in handlers.iter().enumerate().filter(|(_, h)| h.plugin == *id) {
                let own = handler.timeout.filter(|own| *own < limit(event.kind()));
                hooks.push(RegisteredHook {
                    event,
                    kind: event.kind(),
                    priority: handler.priority,
                    position: count(place + 1),
                    of: count(handlers.len()),
                    timeout_ms: own.map(|own| u32::try_from(own.as_millis()).unwrap_or(u32::MAX)),
                });
            }
        }
        let command = |c: &crate::register::CommandEntry| CommandInfo {
            name: c.name.clone(),
            description: c.description.clone(),
            plugin: id.clone(),
        };
        let route = |r: &crate::register::RouteEntry| RouteInfo {
            path: format!("/hooks/{id}/{}", r.path),
            methods: r.methods.clone(),
        };
        Some(Registered {
            tools: all.tools.iter().map(|t| t.info.clone()).collect(),
            hooks,
            channels: all.channels.iter().map(|c| c.info.clone()).collect(),
            services: all.services.iter().map(|(name, _)| name.clone()).collect(),
            commands: all.commands.iter().map(command).collect(),
            routes: all.routes.iter().map(route).collect(),
        })
    }

    /// Takes a capability from a plugin at once, also from a version that is being drained: what rests on it (a request, a
    /// socket, a hook) is ended, every later use is denied, and a restart does not bring it back.
    pub fn revoke(&self, id: &PluginId, capability: &str) {
        let Some(plugin) = self.known(id) else { return };
        if let Some(activation) = lock(&plugin.activation).as_mut() {
            activation.granted.retain(|g| g != capability);
        }
        for standing in lock(&plugin.standings).iter().filter_map(Weak::upgrade) {
            standing.revoke(capability);
        }
        if HookName::ALL.iter().any(|event| capability::of_hook(*event) == Some(capability)) {
            self.rebuild();
        }
    }
}
