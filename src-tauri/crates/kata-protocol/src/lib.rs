//! Floor 0: every type that crosses a boundary, and the one table of operations.
//!
//! A boundary is the desktop IPC, the gateway socket, a plugin, a file that another program reads, or the CLI.
//! The desktop commands, the gateway's dispatch, the TypeScript for `ui/` and the SDK, and the JSON Schema under
//! `docs/schema` are all generated from what stands here (`cargo xtask gen`).
//!
//! Deliberately absent: tokio, IO, clocks, SQL, and any behaviour beyond parsing and validating.

pub mod attachment;
pub mod background;
pub mod channel;
pub mod device;
pub mod error;
pub mod event;
pub mod external;
pub mod gateway;
pub mod generate;
pub mod hook;
pub mod ids;
pub mod import;
pub mod interaction;
pub mod json;
pub mod model;
pub mod oauth;
pub mod ops;
pub mod params;
pub mod permission;
pub mod plan;
pub mod plugin;
pub mod plugin_detail;
pub mod routing;
pub mod session;
pub mod setup;
pub mod source;
pub mod status;
pub mod system;
pub mod trace;
pub mod update;
pub mod upkeep;
pub mod workspace;

pub use attachment::*;
pub use background::*;
pub use channel::*;
pub use device::*;
pub use error::*;
pub use event::*;
pub use external::*;
pub use gateway::*;
pub use hook::*;
pub use ids::*;
pub use import::*;
pub use interaction::*;
pub use json::*;
pub use model::*;
pub use oauth::*;
pub use params::*;
pub use permission::*;
pub use plan::*;
pub use plugin::*;
pub use plugin_detail::*;
pub use routing::*;
pub use session::*;
pub use setup::*;
pub use source::*;
pub use status::*;
pub use system::*;
pub use trace::*;
pub use update::*;
pub use upkeep::*;
pub use workspace::*;
