//! Tests at the boundary of the crate: a [`kata_core::ports::Model`] asked against the scripted provider, the pure builders,
//! the catalog. Time is the test's own; no test sleeps.

mod cancel;
mod catalog;
mod demo;
mod history;
mod kit;
mod openai;
mod secrets;
mod survival;
