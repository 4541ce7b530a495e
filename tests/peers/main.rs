//! The real `kata` program against programs we did not write: crabline as Telegram, aimock as the model, the official SDKs
//! as judges of our scripted provider. `cargo xtask peers` installs them and runs this.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, prepares files as other programs would, and spawns what it aborts itself"
)]

mod discord;
mod discord_approvals;
mod discord_judges;
mod email;
mod google;
mod google_faults;
mod judges;
mod lines;
mod matrix;
mod mcp;
mod mcp_conformance;
mod mqtt;
mod oauth;
mod phone;
mod python;
mod slack;
mod telegram;
mod telegram_weather;
mod web;
mod webhook;
mod whatsapp;
mod whatsapp_linked;
mod window;
