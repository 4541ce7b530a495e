//! What a plugin registers, checked against what its manifest says it contributes and against its grants.

use crate::capability::{self, Denied, Grants};
use crate::copies::{channel_name, tool_name};
use crate::manifest::schema_options;
use kata_protocol::{ChannelCapabilities, ChannelId, ChannelInfo, HookName, Json, PluginId, PluginManifest, ToolInfo};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Most registrations of one plugin.
const MAX_ITEMS: usize = 256;
/// Largest JSON Schema of a tool, bytes.
const MAX_SCHEMA: usize = 64 << 10;

/// Largest registration in all, bytes.
const MAX_DECLARED: usize = 128 << 10;

/// Why a registration is refused; the plugin's `register` call throws it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("register{what}: “{name}” is not in the manifest's contributes.{list}")]
    NotContributed {
        what: &'static str,
        name: String,
        list: &'static str,
    },
    #[error("register{what}: “{name}”: {denied}")]
    Denied { what: &'static str, name: String, denied: Denied },
    #[error("register{what}: {field}: {reason}")]
    Field { what: &'static str, field: String, reason: String },
    #[error("register{what}: “{name}” is registered twice")]
    Twice { what: &'static str, name: String },
    #[error("a plugin registers at most {MAX_ITEMS} things")]
    TooMany,
    #[error("one registration has at most {} KB of name, description, schema and abilities", MAX_DECLARED >> 10)]
    TooLarge,
    #[error("things are registered inside register(api) only")]
    Late,
}

pub(crate) struct ToolEntry {
    pub(crate) info: ToolInfo,
    /// Its own time limit; the host's when absent.
    pub(crate) timeout: Option<Duration>,
    pub(crate) handle: u32,
    pub(crate) arguments: Arc<jsonschema::Validator>,
}

pub(crate) struct HookEntry {
    pub(crate) event: HookName,
    pub(crate) priority: i32,
    pub(crate) timeout: Option<Duration>,
    pub(crate) order: u32,
    pub(crate) handle: u32,
}

#[derive(Clone)]
pub(crate) struct ChannelEntry {
    pub(crate) id: ChannelId,
    pub(crate) info: ChannelInfo,
    pub(crate) handle: u32,
    pub(crate) connects: bool,
    pub(crate) types: bool,
    pub(crate) has: Has,
}

/// A slash command.
pub(crate) struct CommandEntry {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) handle: u32,
}

/// A path of the gateway.
pub(crate) struct RouteEntry {
    pub(crate) path: String,
    pub(crate) methods: Vec<String>,
    pub(crate) handle: u32,
}

/// Everything one generation registered.
#[derive(Default)]
pub(crate) struct Registrations {
    pub(crate) tools: Vec<ToolEntry>,
    pub(crate) hooks: Vec<HookEntry>,
    pub(crate) channels: Vec<ChannelEntry>,
    pub(crate) services: Vec<(String, u32)>,
    pub(crate) commands: Vec<CommandEntry>,
    pub(crate) routes: Vec<RouteEntry>,
}

/// What a plugin may register.
pub(crate) struct Rules {
    pub(crate) plugin: PluginId,
    pub(crate) manifest: PluginManifest,
    /// A lone module declares nothing: it may register anything that needs no capability.
    pub(crate) lone: bool,
    /// The account a further copy is for.
    pub(crate) account: Option<String>,
    pub(crate) grants: Grants,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToolMeta {
    name: String,
    description: String,
    parameters: Value,
    #[serde(default)]
    read_only: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HookMeta {
    event: HookName,
    #[serde(default)]
    priority: Option<i32>,
    #[serde(default)]
    timeout_ms: Option<u32>,
}

#[derive(Deserialize)]
struct ChannelMeta {
    id: ChannelId,
    meta: Label,
    #[serde(default)]
    capabilities: ChannelCapabilities,
    has: Has,
}

#[derive(Deserialize)]
struct Label {
    label: String,
}

/// Parts a channel has.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Has {
    connect: bool,
    typing: bool,
    pub(crate) edit: bool,
    pub(crate) stream: bool,
    pub(crate) delete: bool,
    pub(crate) react: bool,
    pub(crate) setup: bool,
    pub(crate) validate: bool,
    pub(crate) logout: bool,
    pub(crate) probe: bool,
    pub(crate) warnings: bool,
    #[serde(rename = "self")]
    pub(crate) me: bool,
    pub(crate) peers: bool,
    pub(crate) groups: bool,
    pub(crate) download: bool,
}

#[derive(Deserialize)]
struct Named {
    #[serde(alias = "id")]
    name: String,
}

#[derive(Deserialize)]
struct RouteMeta {
    path: String,
    methods: Vec<String>,
}

#[derive(Deserialize)]
struct CommandMeta {
    name: String,
    #[serde(default)]
    description: String,
}

impl Registrations {
    /// Takes one registration.
    ///
    /// # Errors
    /// [`Refused`], naming what is wrong with it; nothing is taken then.
    pub(crate) fn declare(&mut self, rules: &Rules, kind: &str, handle: u32, json: &str) -> Result<(), Refused> {
        let count =
            self.tools.len() + self.hooks.len() + self.channels.len() + self.services.len() + self.commands.len() + self.routes.len();
        if count >= MAX_ITEMS {
            return Err(Refused::TooMany);
        }
        // The host keeps all of it.
        if json.len() > MAX_DECLARED {
            return Err(Refused::TooLarge);
        }
        match kind {
            "tool" => self.tool(rules, handle, json),
            "hook" => self.hook(rules, handle, json),
            "channel" => self.channel(rules, handle, json),
            "route" => self.route(rules, handle, json),
            "service" => {
                let Named { name } = decode("Service", json)?;
                rules.contributes("Service", "services", &name, &rules.manifest.contributes.services)?;
                unique("Service", &name, self.services.iter().any(|(n, _)| *n == name))?;
                self.services.push((name, handle));
                Ok(())
            }
            _ => {
                let CommandMeta { name, description } = decode("Command", json)?;
                let name = tool_name(&name, rules.account.as_deref());
                rules.contributes("Command", "commands", &name, &rules.manifest.contributes.commands)?;
                unique("Command", &name, self.commands.iter().any(|c| c.name == name))?;
                self.commands.push(CommandEntry { name, description, handle });
                Ok(())
            }
        }
    }

    fn tool(&mut self, rules: &Rules, handle: u32, json: &str) -> Result<(), Refused> {
        let what = "Tool";
        let mut meta: ToolMeta = decode(what, json)?;
        meta.name = tool_name(&meta.name, rules.account.as_deref());
        let bad = |field: &str, reason: String| Refused::Field {
            what,
            field: field.to_owned(),
            reason,
        };
        // What every provider takes as a tool name.
        if !(1..=64).contains(&meta.name.len()) || !meta.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
            return Err(bad("name", "must be 1 to 64 of a-z, A-Z, 0-9, _ and -".into()));
        }
        rules.contributes(what, "tools", &meta.name, &rules.manifest.contributes.tools)?;
        unique(what, &meta.name, self.tools.iter().any(|t| t.info.name == meta.name))?;
        if !meta.parameters.is_object() || json.len() > MAX_SCHEMA {
            return Err(bad(
                "parameters",
                format!("must be a JSON Schema object of at most {} KB", MAX_SCHEMA >> 10),
            ));
        }
        let arguments = schema_options()
            .build(&meta.parameters)
            .map_err(|e| bad("parameters", format!("is not a JSON Schema: {e}")))?;
        self.tools.push(ToolEntry {
            info: ToolInfo {
                name: meta.name,
                description: meta.description,
                parameters: Json(meta.parameters),
                read_only: meta.read_only,
                plugin: Some(rules.plugin.clone()),
                source: None,
            },
            timeout: None,
            handle,
            arguments: Arc::new(arguments),
        });
        Ok(())
    }

    fn hook(&mut self, rules: &Rules, handle: u32, json: &str) -> Result<(), Refused> {
        let what = "Hook";
        let meta: HookMeta = decode(what, json)?;
        // The plugin itself is asked; a copy would change each message once more.
        if rules.account.is_some() {
            return Ok(());
        }
        let name = meta.event.as_str();
        if !rules.lone && !rules.manifest.contributes.hooks.contains(&meta.event) {
            return Err(Refused::NotContributed {
                what,
                name: name.to_owned(),
                list: "hooks",
            });
        }
        if let Some(needed) = capability::of_hook(meta.event) {
            rules.grants.check(needed).map_err(|denied| Refused::Denied {
                what,
                name: name.to_owned(),
                denied,
            })?;
        }
        self.hooks.push(HookEntry {
            event: meta.event,
            priority: meta.priority.unwrap_or(0),
            timeout: meta.timeout_ms.map(|ms| Duration::from_millis(u64::from(ms.max(1)))),
            order: u32::try_from(self.hooks.len()).unwrap_or(u32::MAX),
            handle,
        });
        Ok(())
    }

    fn route(&mut self, rules: &Rules, handle: u32, json: &str) -> Result<(), Refused> {
        let what = "Route";
        let RouteMeta { path, methods } = decode(what, json)?;
        rules.contributes(what, "routes", &path, &rules.manifest.contributes.routes)?;
        let bad = |field: &str, reason: &str| Refused::Field {
            what,
            field: field.to_owned(),
            reason: reason.to_owned(),
        };
        let fine = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !path.split('/').all(fine) {
            return Err(bad(
                "path",
                "must be of letters, digits, “-” and “_”, with “/” between, e.g. “github” or “v1/events”",
            ));
        }
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
        if methods.is_empty() || !methods.iter().all(|m| known.contains(&m.as_str())) {
            return Err(bad("methods", "must be some of GET, HEAD, POST, PUT, PATCH, DELETE"));
        }
        rules.grants.check(&format!("route:{path}")).map_err(|denied| Refused::Denied {
            what,
            name: path.clone(),
            denied,
        })?;
        unique(what, &path, self.routes.iter().any(|r| r.path == path))?;
        self.routes.push(RouteEntry { path, methods, handle });
        Ok(())
    }

    fn channel(&mut self, rules: &Rules, handle: u32, json: &str) -> Result<(), Refused> {
        let what = "Channel";
        let mut meta: ChannelMeta = decode(what, json)?;
        if rules.account.is_some() {
            let own = channel_name(meta.id.as_str(), rules.account.as_deref());
            meta.id = ChannelId::new(own).map_err(|e| Refused::Field {
                what,
                field: "id".into(),
                reason: e.to_string(),
            })?;
        }
        rules.contributes(what, "channels", meta.id.as_str(), &rules.manifest.contributes.channels)?;
        unique(what, meta.id.as_str(), self.channels.iter().any(|c| c.id == meta.id))?;
        let info = ChannelInfo {
            id: meta.id.as_str().to_owned(),
            label: meta.meta.label,
            capabilities: meta.capabilities,
        };
        self.channels.push(ChannelEntry {
            id: meta.id,
            info,
            handle,
            connects: meta.has.connect,
            types: meta.has.typing,
            has: meta.has,
        });
        Ok(())
    }
}

impl Rules {
    fn contributes(&self, what: &'static str, list: &'static str, name: &str, declared: &[String]) -> Result<(), Refused> {
        if name.is_empty() || name.len() > 64 {
            return Err(Refused::Field {
                what,
                field: "name".into(),
                reason: "must be 1 to 64 bytes".into(),
            });
        }
        if self.lone || declared.iter().any(|d| d == name) {
            return Ok(());
        }
        Err(Refused::NotContributed {
            what,
            name: name.to_owned(),
            list,
        })
    }
}

fn unique(what: &'static str, name: &str, taken: bool) -> Result<(), Refused> {
    if taken {
        Err(Refused::Twice {
            what,
            name: name.to_owned(),
        })
    } else {
        Ok(())
    }
}

fn decode<'a, T: Deserialize<'a>>(what: &'static str, json: &'a str) -> Result<T, Refused> {
    let mut reader = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut reader).map_err(|e| {
        let field = e.path().to_string();
        Refused::Field {
            what,
            field: if field == "." { "argument".into() } else { field },
            reason: e.inner().to_string(),
        }
    })
}
