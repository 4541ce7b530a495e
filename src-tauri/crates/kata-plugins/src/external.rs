//! Programs of their own as plugins: taken in, their channels' messages and states, and what happens when their connection
//! ends. A program is one generation of its plugin, with calls that go out ([`crate::far`]) instead of to a thread, so that
//! registry, doors, parts and faults are the same for both.
//!
//! Deliberately absent: who may bring which plugin, and what is remembered of one that is away (the engine's).

use crate::capability::{self, Grants};
use crate::engine::{decode_draft, without_values};
use crate::far::{Far, Handle, cursor_key};
use crate::generation::Generation;
use crate::host::PluginHost;
use crate::manifest::valid_id;
use crate::network::NetworkPolicy;
use crate::parts::AWAY;
use crate::plugin::{Plugin, lock};
use crate::ports::{Report, Reporter};
use crate::register::{Registrations, Rules};
use crate::registry::Member;
use crate::standing::Standing;
use kata_core::lifecycle::Happening;
use kata_core::ports::{Claim, Outlet, PluginPart};
use kata_protocol::{
    ChannelCapabilities, ChannelId, Contributes, ErrorCode, ExternalClient, ExternalPlugin, IngressAnswer, Json, MAX_EXTERNAL_CHANNELS,
    MAX_EXTERNAL_HOOKS, MAX_EXTERNAL_TOOLS, PluginId, PluginLimits, PluginManifest, PluginOrigin, RunState, Status, StreamMode, WireError,
};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Longest name, version, and description of a program's plugin, bytes.
const WORDS: usize = 500;
/// Time of a tool that says nothing about it.
const TOOL_TIME: Duration = Duration::from_secs(30);
/// Longest time a tool may ask for, milliseconds.
const TOOL_TIME_MOST: u32 = 600_000;
/// Longest mark of how far a platform was read, bytes.
const CURSOR: usize = 16 << 10;

/// What a person is told of a plugin, or a channel, whose program is not there.
pub fn away() -> String {
    "Its program is not connected. Start it again; replies wait for it, and nothing is lost.".into()
}

/// Reads what a program brings. The error names the field and no value.
///
/// # Errors
/// [`ErrorCode::Invalid`].
pub fn decode(plugin: Json) -> Result<ExternalPlugin, WireError> {
    serde_path_to_error::deserialize(plugin.0).map_err(|e| {
        let field = e.path().to_string();
        let field = if field == "." {
            "plugin".to_owned()
        } else {
            format!("plugin.{field}")
        };
        WireError::invalid(format!("{field}: {}", without_values(&e.inner().to_string())))
    })
}

/// A program's plugin as a manifest, so that lists and settings need not tell it from others.
pub fn manifest_of(plugin: &ExternalPlugin) -> PluginManifest {
    let mut capabilities: Vec<String> = plugin
        .hooks
        .iter()
        .filter_map(|hook| capability::of_hook(hook.event))
        .map(str::to_owned)
        .collect();
    capabilities.sort();
    capabilities.dedup();
    PluginManifest {
        schema: None,
        id: plugin.id.clone(),
        name: plugin.name.clone(),
        version: plugin.version.clone(),
        description: plugin.description.clone(),
        icon: None,
        api: "1".into(),
        main: None,
        contributes: Contributes {
            tools: plugin.tools.iter().map(|tool| tool.name.clone()).collect(),
            hooks: plugin.hooks.iter().map(|hook| hook.event).collect(),
            channels: plugin.channels.iter().map(|channel| channel.id.clone()).collect(),
            ..Contributes::default()
        },
        capabilities,
        settings: None,
        limits: PluginLimits::default(),
    }
}

/// A program that is connected.
pub struct External {
    host: Arc<PluginHost>,
    plugin: Arc<Plugin>,
    generation: Arc<Generation>,
    far: Arc<Far>,
    channels: Vec<ChannelId>,
}

impl PluginHost {
    /// Takes a program in. What it brings is there when this returns.
    ///
    /// # Errors
    /// What does not fit, by field; or who has one of its names already.
    pub async fn attach(
        self: &Arc<Self>,
        wanted: &ExternalPlugin,
        client: ExternalClient,
        outlet: Arc<dyn Outlet>,
    ) -> Result<External, WireError> {
        check_program(wanted)?;
        let known = self.known(&wanted.id).is_some();
        let joined = self.join(wanted, client, outlet).await;
        if joined.is_err() && !known {
            // Nothing of one that was never there is kept.
            lock(&self.plugins).remove(&wanted.id);
        }
        joined
    }

    async fn join(
        self: &Arc<Self>,
        wanted: &ExternalPlugin,
        client: ExternalClient,
        outlet: Arc<dyn Outlet>,
    ) -> Result<External, WireError> {
        let id = &wanted.id;
        let plugin = self.plugin(id);
        let turn = plugin.turn.lock().await;
        if let Some(holder) = plugin.client() {
            let words = format!(
                "plugin “{id}” is connected already, by “{}” (token “{}”)",
                holder.name, holder.token
            );
            return Err(WireError::new(ErrorCode::Conflict, words).hint("end that program, or give this plugin another id"));
        }
        if plugin.live.borrow().is_some() {
            return Err(
                WireError::new(ErrorCode::Conflict, format!("plugin “{id}” runs from a folder already"))
                    .hint("give this plugin another id"),
            );
        }
        // Of its last connection.
        let leaving = std::mem::take(&mut *lock(&plugin.leaving));
        for part in leaving {
            part.ended.cancelled().await;
        }
        let manifest = manifest_of(wanted);
        let grants = Grants::new(&manifest.capabilities, &manifest.capabilities);
        let rules = Rules {
            plugin: id.clone(),
            manifest,
            lone: true,
            account: None,
            grants: grants.clone(),
        };
        let (registrations, handles) = registrations(&rules, wanted)?;
        let options = self.options();
        let far = Far::new(
            &plugin,
            outlet,
            handles,
            options.payload_bytes,
            options.send_timeout,
            Arc::clone(&self.backend),
            self.tasks.clone(),
        );
        let generation = Generation::of_program(
            Arc::clone(&far),
            plugin.next_generation(),
            plugin.stands(Standing::new(grants, NetworkPolicy::default())),
            Arc::clone(&self.clock),
            Arc::clone(&plugin) as Arc<dyn Reporter>,
            self.tasks.clone(),
            options.stuck,
        );
        let channels = registrations.channels.iter().map(|channel| channel.id.clone()).collect();
        let member = Member {
            origin: PluginOrigin::Gateway,
            generation: Arc::clone(&generation),
            registrations,
            faults: Arc::clone(&plugin) as Arc<dyn Reporter>,
        };
        if let Err(taken) = self.put(id, Some(Arc::new(member))) {
            return Err(WireError::new(ErrorCode::Conflict, format!("plugin “{id}”: {taken}")).hint("give it another name"));
        }
        *lock(&plugin.client) = Some(client);
        plugin.moved(Happening::Start, "", "");
        plugin.moved(Happening::Running, "", "");
        plugin.breaker.show(&plugin);
        plugin.live.send_replace(Some(Arc::clone(&generation)));
        let (watched, ended, stopping) = (Arc::clone(&plugin), generation.dead.clone(), self.tasks.stopping());
        self.tasks.spawn("external plugin", async move {
            tokio::select! {
                () = stopping.cancelled() => {}
                () = watched.breaker.run(&watched, &ended) => {}
            }
        });
        drop(turn);
        Ok(External {
            host: Arc::clone(self),
            plugin,
            generation,
            far,
            channels,
        })
    }

    /// The connection a program's plugin came by, while it is there.
    pub fn client(&self, id: &PluginId) -> Option<ExternalClient> {
        self.known(id)?.client()
    }

    /// Lets a program that was held back go on. False where it was not.
    pub fn forgive(&self, id: &PluginId) -> bool {
        self.known(id).is_some_and(|plugin| plugin.breaker.forgive(&plugin))
    }

    /// Ends a program's connection, with the reason it is told. False where it is not there.
    pub fn disconnect(&self, id: &PluginId, reason: &str) -> bool {
        let live = self.known(id).and_then(|plugin| plugin.live.borrow().clone());
        let far = live.as_ref().and_then(|generation| generation.far());
        far.inspect(|far| far.outlet.close(reason)).is_some()
    }
}

impl External {
    /// Its id.
    pub fn id(&self) -> &PluginId {
        &self.plugin.id
    }

    /// Its channels.
    pub fn channels(&self) -> &[ChannelId] {
        &self.channels
    }

    fn channel(&self, name: &str) -> Result<&ChannelId, WireError> {
        let found = self.channels.iter().find(|channel| channel.as_str() == name);
        found.ok_or_else(|| {
            let words = format!("plugin “{}” has not registered a channel of that name", self.plugin.id);
            WireError::new(ErrorCode::NotFound, words).hint("`channel` is the id of one of the plugin's channels")
        })
    }

    /// Takes a message of one of its channels. Durable, or refused, when it resolves.
    ///
    /// # Errors
    /// What does not fit, by field; a channel it has not, or that is switched off.
    pub async fn inbound(&self, channel: &str, message: Json) -> Result<IngressAnswer, WireError> {
        let channel = self.channel(channel)?.clone();
        let part = PluginPart::Channel(channel.clone());
        if !lock(&self.plugin.parts).contains_key(&part) {
            return Err(
                WireError::new(ErrorCode::Conflict, format!("channel “{channel}” is switched off")).hint(format!(
                    "`kata sources enable channel:{channel}`, or switch it on in the window; then hand the message in again"
                )),
            );
        }
        let draft = decode_draft(&channel, message.0).map_err(|error| {
            self.plugin.fault("bad_result", error.to_string());
            WireError::invalid(error.to_string())
        })?;
        self.host.backend.ingest(&self.plugin.id, &channel, draft).await
    }

    /// One of its channels says how it stands. The mark is kept before this resolves.
    pub async fn report(&self, channel: &str, status: Status, cursor: Option<String>) {
        let Ok(channel) = self.channel(channel).cloned() else {
            return self.stray("a state of a channel that it has not registered");
        };
        let report = match status.state {
            RunState::Running => Report::Running,
            RunState::Starting | RunState::Connecting => Report::Connecting,
            RunState::NeedsUser { action } => Report::NeedsUser(action),
            _ => Report::Degraded,
        };
        if let Some(cursor) = cursor {
            if cursor.len() > CURSOR {
                return self.stray("a cursor over 16 KiB");
            }
            let kept = self
                .host
                .backend
                .state_set(&self.plugin.id, &cursor_key(&channel), Some(Json(cursor.into())))
                .await;
            if let Err(error) = kept {
                tracing::error!(plugin = %self.plugin.id, %channel, %error, "a cursor was not kept");
            }
        }
        let (code, message) = (cut(&status.code, 64), cut(&status.message, WORDS));
        self.plugin
            .part(self.generation.number, PluginPart::Channel(channel), report, code, message);
    }

    /// Takes an answer.
    pub fn answer(&self, number: u64, answer: Result<Option<Json>, WireError>) -> Claim {
        self.far.answer(number, answer)
    }

    /// It sent something that belongs nowhere.
    pub fn stray(&self, what: &str) {
        self.plugin.fault("stray", format!("it sent {what}"));
    }

    /// Its connection is gone. Tools, hooks and channels are, when this returns; channels are brought down behind it.
    pub fn detach(&self) {
        let (host, plugin) = (&self.host, &self.plugin);
        let mine = |member: &Arc<Member>| Arc::ptr_eq(&member.generation, &self.generation);
        if host.registry.load().members.get(&plugin.id).is_some_and(mine) {
            // Taking out cannot conflict.
            let _ = host.put(&plugin.id, None);
        }
        let was = plugin.live.send_if_modified(|live| {
            let mine = live.as_ref().is_some_and(|generation| Arc::ptr_eq(generation, &self.generation));
            if mine {
                *live = None;
            }
            mine
        });
        let mut leaving = Vec::new();
        if was {
            for (_, part) in lock(&plugin.parts).drain() {
                let _ = part.away.set(away());
                part.stop.cancel();
                leaving.push(part);
            }
        }
        self.far
            .close(&format!("the program of plugin “{}” is not connected any more", plugin.id));
        self.generation.dead.cancel();
        if was {
            lock(&plugin.leaving).extend(leaving);
            plugin.moved(Happening::Start, "", "");
            plugin.moved(Happening::Broken { recoverable: true }, AWAY, &away());
            *lock(&plugin.client) = None;
        }
    }
}

/// What no single registration can say of itself: whether what a program brings has the form it must have. The error names the field.
///
/// # Errors
/// [`ErrorCode::Invalid`].
pub fn check_program(plugin: &ExternalPlugin) -> Result<(), WireError> {
    let bad = |field: &str, reason: String| Err(WireError::invalid(format!("plugin.{field}: {reason}")));
    let id = plugin.id.as_str();
    if !valid_id(id) || id.len() > 64 {
        return bad("id", "must be 1 to 64 of a-z, 0-9 and -".into());
    }
    if plugin.name.trim().is_empty() {
        return bad("name", "must not be empty".into());
    }
    for (field, words) in [
        ("name", &plugin.name),
        ("version", &plugin.version),
        ("description", &plugin.description),
    ] {
        if words.len() > WORDS {
            return bad(field, format!("has at most {WORDS} bytes"));
        }
    }
    for (field, count, most) in [
        ("tools", plugin.tools.len(), MAX_EXTERNAL_TOOLS),
        ("hooks", plugin.hooks.len(), MAX_EXTERNAL_HOOKS),
        ("channels", plugin.channels.len(), MAX_EXTERNAL_CHANNELS),
    ] {
        if count > most {
            return bad(field, format!("{count} are too many; a plugin over the gateway has at most {most}"));
        }
    }
    for (n, tool) in plugin.tools.iter().enumerate() {
        if tool.timeout_ms.is_some_and(|ms| ms == 0 || ms > TOOL_TIME_MOST) {
            return bad(&format!("tools[{n}].timeoutMs"), format!("must be 1 to {TOOL_TIME_MOST}"));
        }
    }
    for (n, channel) in plugin.channels.iter().enumerate() {
        if let Some(field) = channel.capabilities.as_ref().and_then(needs_more) {
            let field = format!("channels[{n}].capabilities.{field}");
            return bad(
                &field,
                "a plugin over the gateway is asked to send and to nothing more; leave it out".into(),
            );
        }
    }
    Ok(())
}

/// An ability that needs a call which is not there.
fn needs_more(can: &ChannelCapabilities) -> Option<&'static str> {
    let all = [
        ("edit", can.edit),
        ("delete", can.delete),
        ("reactions", can.reactions),
        ("buttons", can.buttons > 0),
        ("filesIn", can.files_in),
        ("filesOut", can.files_out),
        ("typingTtlMs", can.typing_ttl_ms > 0),
        ("stream", can.stream != StreamMode::None),
    ];
    all.into_iter().find(|(_, wanted)| *wanted).map(|(field, _)| field)
}

/// What it brings, checked as what a plugin in a folder registers.
fn registrations(rules: &Rules, plugin: &ExternalPlugin) -> Result<(Registrations, Vec<Handle>), WireError> {
    let (mut all, mut handles) = (Registrations::default(), Vec::new());
    let mut declare = |all: &mut Registrations, kind: &str, place: String, what: serde_json::Value, handle: Handle| {
        let number = u32::try_from(handles.len()).unwrap_or(u32::MAX);
        all.declare(rules, kind, number, &what.to_string())
            .map_err(|refused| WireError::invalid(format!("plugin.{place}: {refused}")))?;
        handles.push(handle);
        Ok::<_, WireError>(())
    };
    for (n, tool) in plugin.tools.iter().enumerate() {
        let meta = json!({ "name": tool.name, "description": tool.description, "parameters": tool.parameters, "readOnly": tool.read_only });
        declare(&mut all, "tool", format!("tools[{n}]"), meta, Handle::Tool)?;
        if let Some(entry) = all.tools.last_mut() {
            let own = tool.timeout_ms.map(|ms| Duration::from_millis(u64::from(ms)));
            entry.timeout = Some(own.unwrap_or(TOOL_TIME));
        }
    }
    for (n, hook) in plugin.hooks.iter().enumerate() {
        let meta = json!({ "event": hook.event, "priority": hook.priority, "timeoutMs": hook.timeout_ms });
        declare(&mut all, "hook", format!("hooks[{n}]"), meta, Handle::Hook(hook.event))?;
    }
    for (n, channel) in plugin.channels.iter().enumerate() {
        let id = ChannelId::new(channel.id.clone()).map_err(|e| WireError::invalid(format!("plugin.channels[{n}].id: {e}")))?;
        let meta = json!({
            "id": channel.id,
            "meta": { "label": channel.name },
            "capabilities": channel.capabilities.clone().unwrap_or_default(),
            "has": { "connect": true },
        });
        declare(&mut all, "channel", format!("channels[{n}]"), meta, Handle::Channel(id))?;
    }
    Ok((all, handles))
}

/// At most `most` bytes, at a character's edge.
fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
