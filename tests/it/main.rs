//! The whole engine with the real JavaScript engine and SQLite in a temporary home, the scripted agent, fake platforms, and
//! the real `kata` program where a process has to die. One binary, so that it links once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, prepares files as other programs would, and spawns what it aborts itself"
)]

mod accounts;
mod approvals;
mod attachments;
mod attention;
mod author;
mod channels;
mod cli;
mod clock_jumps;
mod crash;
mod damaged_index;
mod devices;
mod disk;
mod electron_defects_channels;
mod electron_defects_routing;
mod electron_defects_storage;
mod existing_home;
mod external;
mod faults;
mod first_run;
mod guide;
mod hook_outcomes;
mod hooks;
mod hostile;
mod hostile_suite;
mod install;
mod invariants;
mod life;
mod message;
mod models;
mod permissions;
mod plans;
mod reload;
mod routes;
mod routing;
mod secrecy_of_logs;
mod services;
mod sources;
#[cfg(target_os = "linux")]
mod supervised;
mod traces;
mod trust;
mod upkeep;
mod workspaces;
mod wrong_recipient;
