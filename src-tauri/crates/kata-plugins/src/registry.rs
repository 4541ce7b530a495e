//! Everything plugins have registered, as one immutable value. A reload builds a new one and swaps one pointer.

use crate::engine::{CallFault, Kind};
use crate::generation::Generation;
use crate::register::{ChannelEntry, Registrations};
use async_trait::async_trait;
use kata_core::ports::{HookFault, HookHandler, HookInvoke};
use kata_protocol::{ChannelId, HookName, PluginId, PluginOrigin, ToolInfo};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// One plugin's part of the registry.
pub(crate) struct Member {
    pub(crate) origin: PluginOrigin,
    pub(crate) generation: Arc<Generation>,
    pub(crate) registrations: Registrations,
    pub(crate) faults: Arc<dyn crate::ports::Reporter>,
}

pub(crate) struct ToolRef {
    pub(crate) generation: Arc<Generation>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) handle: u32,
    pub(crate) arguments: Arc<jsonschema::Validator>,
    pub(crate) faults: Arc<dyn crate::ports::Reporter>,
}

pub(crate) struct ChannelRef {
    pub(crate) generation: Arc<Generation>,
    pub(crate) entry: ChannelEntry,
    pub(crate) faults: Arc<dyn crate::ports::Reporter>,
}

pub(crate) struct CommandRef {
    pub(crate) generation: Arc<Generation>,
    pub(crate) handle: u32,
    pub(crate) description: String,
    pub(crate) faults: Arc<dyn crate::ports::Reporter>,
}

/// Two plugins want the same name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {kind} “{name}” is provided by plugin “{by}” already")]
pub(crate) struct Taken {
    kind: &'static str,
    name: String,
    by: PluginId,
    /// Who came after it in the order of ids, which says nothing about who was there first.
    other: PluginId,
}

impl Taken {
    /// The same for the one that has just come: it is the other one that holds the name.
    pub(crate) fn told_to(mut self, newcomer: &PluginId) -> Self {
        if self.by == *newcomer {
            std::mem::swap(&mut self.by, &mut self.other);
        }
        self
    }
}

/// The registry.
#[derive(Default)]
pub(crate) struct Registry {
    pub(crate) members: BTreeMap<PluginId, Arc<Member>>,
    pub(crate) tool_list: Option<Arc<[ToolInfo]>>,
    pub(crate) tools: HashMap<String, ToolRef>,
    /// By the event's place in its enum, so that an event nobody hooks costs a look into a list.
    hooks: Vec<Arc<[HookHandler]>>,
    pub(crate) channels: BTreeMap<ChannelId, ChannelRef>,
    /// By name; the name is unique among all plugins, because a person types nothing else.
    pub(crate) commands: BTreeMap<String, CommandRef>,
}

impl Registry {
    /// A registry of these members.
    ///
    /// # Errors
    /// [`Taken`] when two provide the same tool, channel or command.
    pub(crate) fn build(members: BTreeMap<PluginId, Arc<Member>>) -> Result<Self, Taken> {
        let mut out = Self::default();
        let mut list = Vec::new();
        let mut hooks: Vec<Vec<HookHandler>> = HookName::ALL.iter().map(|_| Vec::new()).collect();
        for (id, member) in &members {
            let all = &member.registrations;
            for tool in &all.tools {
                let made = ToolRef {
                    generation: Arc::clone(&member.generation),
                    timeout: tool.timeout,
                    handle: tool.handle,
                    arguments: Arc::clone(&tool.arguments),
                    faults: Arc::clone(&member.faults),
                };
                if let Some(first) = out.tools.insert(tool.info.name.clone(), made) {
                    return Err(Taken {
                        kind: "tool",
                        name: tool.info.name.clone(),
                        by: first.generation.plugin.clone(),
                        other: id.clone(),
                    });
                }
                list.push(tool.info.clone());
            }
            for channel in &all.channels {
                let made = ChannelRef {
                    generation: Arc::clone(&member.generation),
                    entry: channel.clone(),
                    faults: Arc::clone(&member.faults),
                };
                if let Some(first) = out.channels.insert(channel.id.clone(), made) {
                    return Err(Taken {
                        kind: "channel",
                        name: channel.id.to_string(),
                        by: first.generation.plugin.clone(),
                        other: id.clone(),
                    });
                }
            }
            for command in &all.commands {
                let made = CommandRef {
                    generation: Arc::clone(&member.generation),
                    handle: command.handle,
                    description: command.description.clone(),
                    faults: Arc::clone(&member.faults),
                };
                if let Some(first) = out.commands.insert(command.name.clone(), made) {
                    return Err(Taken {
                        kind: "command",
                        name: command.name.clone(),
                        by: first.generation.plugin.clone(),
                        other: id.clone(),
                    });
                }
            }
            for hook in &all.hooks {
                // One whose capability was taken back is not asked any more.
                if !may_hook(&member.generation, hook.event) {
                    continue;
                }
                let Some(handlers) = hooks.get_mut(hook.event as usize) else {
                    continue;
                };
                handlers.push(HookHandler {
                    plugin: id.clone(),
                    origin: member.origin,
                    priority: hook.priority,
                    order: hook.order,
                    timeout: hook.timeout,
                    invoke: Arc::new(Invoke {
                        generation: Arc::clone(&member.generation),
                        handle: hook.handle,
                        event: hook.event,
                        faults: Arc::clone(&member.faults),
                    }),
                });
            }
        }
        list.sort_by(|a, b| a.name.cmp(&b.name));
        out.tool_list = Some(list.into());
        for handlers in &mut hooks {
            handlers.sort_by(|a, b| order_of(a).cmp(&order_of(b)));
        }
        out.hooks = hooks.into_iter().map(Arc::from).collect();
        out.members = members;
        Ok(out)
    }

    /// Handlers of an event, in order.
    pub(crate) fn handlers(&self, event: HookName) -> Arc<[HookHandler]> {
        self.hooks.get(event as usize).cloned().unwrap_or_default()
    }
}

/// Whether a generation may still hook an event.
fn may_hook(generation: &Generation, event: HookName) -> bool {
    crate::capability::of_hook(event).is_none_or(|needed| generation.standing.check(needed).is_ok())
}

/// The total order: priority, origin, plugin, registration.
fn order_of(h: &HookHandler) -> (std::cmp::Reverse<i32>, PluginOrigin, &PluginId, u32) {
    (std::cmp::Reverse(h.priority), h.origin, &h.plugin, h.order)
}

struct Invoke {
    generation: Arc<Generation>,
    handle: u32,
    event: HookName,
    faults: Arc<dyn crate::ports::Reporter>,
}

#[async_trait]
impl HookInvoke for Invoke {
    async fn invoke(&self, payload: Arc<str>, limit: Duration) -> Result<Option<String>, HookFault> {
        // The core may hold a list from before its capability was taken back, or from before its program went.
        if !may_hook(&self.generation, self.event) || self.generation.far().is_some_and(|far| far.gone()) {
            return Ok(None);
        }
        let result = self
            .generation
            .call(Kind::Hook, self.handle, Some(payload), Some(limit), None)
            .await;
        let plugin = &self.generation.plugin;
        result.map_err(|fault| {
            report(&*self.faults, &format!("hook {}", self.event.as_str()), &fault);
            match fault {
                CallFault::Timeout(limit) => HookFault::Timeout(limit),
                fault => HookFault::Failed(format!("plugin “{plugin}”: {fault}")),
            }
        })
    }
}

/// Tells of a call's fault. One that ended the runtime is told by its thread, one that never began is no fault of the plugin.
pub(crate) fn report(faults: &dyn crate::ports::Reporter, what: &str, fault: &CallFault) {
    let kind = match fault {
        CallFault::Threw(..) => "throw",
        CallFault::Timeout(_) => "timeout",
        CallFault::BadResult(_) => "bad_result",
        CallFault::Ended(_) | CallFault::NotStarted(_) | CallFault::Cancelled => return,
    };
    let position = match fault {
        CallFault::Threw(_, thrown) => thrown.position.clone(),
        _ => None,
    };
    faults.fault_at(kind, format!("{what}: {fault}"), position);
}
