//! What a person types about devices that come in through the gateway.

use clap::{Args, Subcommand, ValueEnum};
use kata_protocol::Scope;

/// `kata devices`.
#[derive(Debug, Subcommand)]
pub enum Devices {
    /// List devices that may come in.
    List,
    /// Offer a place to one device: shows a code to scan, and waits until it is there.
    Pair(PairDevice),
    /// Shut a device out, at once.
    Revoke {
        /// Device: its id, or its name where only one is called so.
        device: String,
    },
}

/// `kata devices pair`.
#[derive(Debug, Args)]
pub struct PairDevice {
    /// Name in the list.
    #[arg(long, default_value = "phone")]
    pub name: String,
    /// What it may do; each contains the ones before it, but for `plugin`, which only brings plugins.
    #[arg(long, value_enum, default_value_t = DeviceScope::Approve)]
    pub scope: DeviceScope,
    /// Days after which it has to be paired again [default: never].
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub expires_days: Option<u32>,
    /// Show the code and do not wait.
    #[arg(long)]
    pub no_wait: bool,
}

/// What a device may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DeviceScope {
    /// Bring plugins, and nothing else.
    Plugin,
    /// Look.
    Read,
    /// Write to sessions.
    Chat,
    /// Answer approvals and let people in.
    Approve,
    /// Change everything.
    Admin,
}

impl From<DeviceScope> for Scope {
    fn from(scope: DeviceScope) -> Self {
        match scope {
            DeviceScope::Plugin => Self::Plugin,
            DeviceScope::Read => Self::Read,
            DeviceScope::Chat => Self::Chat,
            DeviceScope::Approve => Self::Approve,
            DeviceScope::Admin => Self::Admin,
        }
    }
}
