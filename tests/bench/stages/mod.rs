//! What is measured, a file for each.

pub(crate) mod faults;
pub(crate) mod growth;
pub(crate) mod hooks;
pub(crate) mod hostile;
pub(crate) mod library;
pub(crate) mod reload;
pub(crate) mod rest;
pub(crate) mod rpc;
pub(crate) mod sessions;
pub(crate) mod size;
pub(crate) mod start;
pub(crate) mod tide;
pub(crate) mod turns;
