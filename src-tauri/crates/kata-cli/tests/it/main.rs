//! The program `kata` against a real gateway whose engine answers what a test wants.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::result_large_err)]

mod commands;
mod parity;
mod plugins;
mod support;
mod talk;
