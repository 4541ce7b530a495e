//! Floor 4: the desktop shell. Wiring only: what lives here cannot be tested without a window.
//!
//! [`app`] is the life of the process, [`host`] holds the engine, [`ipc`] joins the window to it, [`window`] and [`tray`] are
//! what a person sees, [`update`] changes the version. The same engine runs without a window in `kata serve` (kata-cli).
//!
//! Deliberately absent: any decision about messages, sessions, plugins or settings, and any state but “which window is open”.

mod app;
mod follow;
mod host;
mod ipc;
mod links;
mod places;
mod tell;
mod tray;
mod update;
mod wake;
mod window;

pub use app::main;
pub use ipc::write_bindings;
