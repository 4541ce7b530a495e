//! Tests of the store against its ports and of the files on disk. One binary.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod conformance;
mod damage;
mod ledger;
mod samples;
mod sessions;
mod sqlite;
mod world;
