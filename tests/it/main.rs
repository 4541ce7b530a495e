//! The whole engine with the real JavaScript engine and SQLite in a temporary home, the scripted agent, fake platforms, and
//! the real `kata` program where a process has to die. One binary, so that it links once.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cli;
mod crash;
mod hostile;
mod existing_home;
mod message;
mod models;
mod secrecy_of_logs;
