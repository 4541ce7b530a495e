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

mod archive;
mod asks;
mod body;
mod budget;
mod capability;
mod contents;
mod copies;
mod dial;
mod discover;
mod doors;
mod engine;
mod error;
mod external;
mod far;
mod faults;
mod fetch;
mod files;
mod generation;
mod host;
mod inject;
mod jobs;
mod manifest;
mod media;
mod meter;
mod network;
mod options;
mod outgoing;
mod pace;
mod parts;
mod payload;
mod plugin;
mod ports;
mod register;
mod registry;
mod reserve;
mod review;
mod routes;
mod script;
mod seats;
mod services;
mod share;
mod signature;
mod socket;
mod standing;
mod surface;
mod tcp;
mod usage;
mod watchdog;

pub use archive::{ArchiveError, lay_out, pack};
pub use asks::SignIn;
pub use capability::{Denied, Grants, Meaning, meaning, sign_in_at};
pub use contents::{Contents, ContentsError, EDITOR_FOLDER, MAX_BYTES, MAX_FILES, Pins, left_out, sha256_hex};
pub use copies::{CopyError, copy_of, original_of};
pub use discover::{Candidate, Choice, Discovery, Dropped, Root, discover, discover_with, inspect, look};
pub use engine::sdk::is_of_the_sdk;
pub use error::PluginError;
pub use external::{External, away, check_program, decode as decode_external, manifest_of};
pub use host::PluginHost;
pub use manifest::{ManifestError, parse_manifest, valid_id};
pub use network::NetworkPolicy;
pub use options::HostOptions;
pub use payload::{Payload, complaint};
pub use review::{FreeName, Unreadable, free_names};
pub use seats::{Seat, Seats};
pub use signature::{KEY_FILE, SIGNATURE_FILE, Signed, check_signature};
