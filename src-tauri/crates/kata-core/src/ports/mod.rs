//! What the core needs from outside, as operations. One file per neighbour; adapters live on floors 2 and 3.

mod accounts;
mod approvals;
mod commands;
mod external;
mod grants;
mod letters;
mod media;
mod model;
mod network;
mod permission;
mod plans;
mod plugins;
mod power;
mod routes;
mod store;
mod time;
mod tools;
mod transcript;

pub use accounts::*;
pub use approvals::*;
pub use commands::*;
pub use external::*;
pub use grants::*;
pub use letters::*;
pub use media::*;
pub use model::*;
pub use network::*;
pub use permission::*;
pub use plans::*;
pub use plugins::*;
pub use power::*;
pub use routes::*;
pub use store::*;
pub use time::*;
pub use tools::*;
pub use transcript::*;
