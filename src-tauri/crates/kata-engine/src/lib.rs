//! Floor 3: the composition root. Puts the core, the plugin host, the gateway, the store and the models together over one
//! home folder, and answers the operations.
//!
//! `engine` starts and stops; `operations` answers clients; `plugins`, `models`, `board`, `settings`, `secrets` each keep one
//! thing; `backend` is what plugins get; [`author`] is what their authors get.
//!
//! Deliberately absent: rules of the domain (kata-core) and anything of Tauri.

mod accounts;
mod attachments;
mod attention;
mod audit;
pub mod author;
mod backend;
mod backup;
mod board;
mod clock;
mod devices;
mod engine;
mod error;
mod import;
pub mod life;
mod lock;
mod logging;
mod machine;
mod models;
mod notifications;
mod operations;
mod options;
mod otlp;
mod pause;
mod plans;
mod plugins;
mod power;
mod prompt;
mod routing;
mod secrets;
mod settings;
mod sources;
mod tools;
mod traces;
pub mod updates;
mod upkeep;
mod watch;
mod workspaces;

pub use accounts::{Browser, NoBrowser};
pub use clock::{OsEntropy, SystemClock};
pub use engine::{Engine, local_token};
pub use error::EngineError;
pub use kata_core::files::safe_name;
pub use kata_core::ports::{MAX_FILE, MAX_FILES};
pub use notifications::NotificationSettings;
pub use options::Options;
pub use secrets::Secrets;
pub use settings::{Settings, SettingsFile};
