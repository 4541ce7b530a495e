//! Floor 2: the tools every agent has (read, glob, grep, write, edit, bash, web_fetch), how a call is judged, and how a command
//! is shut in.
//!
//! [`Builtin`] implements the core's `Tools`, [`Rules`] its `Permissions`; both look at a path through [`Scope`], so that what
//! is judged and what is run are the same. Neighbours: kata-core's ports above, the file system and the system's sandbox below.
//!
//! Deliberately absent: who is asked and how the answer comes back (kata-core), and tools of plugins (kata-plugins).

mod always;
mod bash;
mod door;
mod find;
mod html;
mod paths;
mod rules;
mod sandbox;
mod scope;
mod secret;
mod tools;
mod why;

pub use bash::{Line, Simple, parse};
pub use find::{MOST_FOUND, find_files};
pub use paths::plain;
pub use rules::{Explained, Rules};
pub use sandbox::Sandbox;
pub use scope::{FindWorkspace, Places, Scope};
pub use tools::{Builtin, NAMES};
pub use why::Why;

#[cfg(test)]
mod tests;
