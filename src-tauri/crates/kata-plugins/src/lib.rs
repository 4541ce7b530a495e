//! Floor 2: the plugin host; the only crate that names the JavaScript engine.
//!
//! A plugin is a folder with a manifest and a TypeScript or JavaScript module. Each runs on a thread of its own in a
//! QuickJS runtime of its own ([`engine`]), sees nothing of other plugins, and can be torn down. The core reaches plugins
//! through three ports that [`PluginHost`] implements from one registry, swapped as a whole, so a reload never shows half
//! a plugin.
//!
//! This is fault isolation and a capability model for what the host does on a plugin's behalf. It is no security boundary
//! against a memory bug in the engine's C code.
//!
//! Deliberately absent: trust prompts, file watching, where state and secrets are kept (the engine's, behind
//! `PluginBackend`), Node's API, async runtimes inside the JavaScript engine, and any JavaScript value that outlives its
//! event loop.

mod capability;
mod discover;
mod doors;
mod engine;
mod error;
mod fetch;
mod generation;
mod host;
mod manifest;
mod network;
mod options;
mod parts;
mod plugin;
mod ports;
mod register;
mod registry;
mod script;
mod standing;
mod surface;

pub use capability::{Denied, Grants};
pub use discover::{Candidate, Discovery, Dropped, discover};
pub use error::PluginError;
pub use host::PluginHost;
pub use network::NetworkPolicy;
pub use options::HostOptions;
