//! Tests of the store against its ports and of the files on disk. One binary.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod approvals;
mod commits;
mod conformance;
mod credentials;
mod damage;
mod devices;
mod edit;
mod home;
mod ledger;
mod media;
mod samples;
mod search;
mod sessions;
mod sqlite;
mod upkeep;
mod usage;
mod world;
