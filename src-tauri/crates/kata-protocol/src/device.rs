//! Devices and programs that come in through the gateway: how they are paired, what they may do, who is connected.

use crate::{Count, Ms, Scope};
use serde::{Deserialize, Serialize};

macro_rules! device {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type, schemars::JsonSchema)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty),* }
    )*};
}

device! {
    /// `device.pair`: offers a place to one device.
    DevicePair {
        /// Name to show in the list, at most 64 characters.
        name: String,
        /// What it may do.
        scope: Scope,
        /// Days after which it has to be paired again, 1 to 3,650; never when absent.
        expires_after_days: Option<u32>,
    }
    /// An offer. Whoever shows the code first is the device; nobody is after ten minutes, or after a wrong code was tried five times.
    DeviceOffer {
        /// Code, in groups a person can read out.
        code: String,
        /// Page that takes the code by itself. The code stands behind `#`, so no server and no log ever sees it.
        url: String,
        /// What of this machine's network the page is reached over: `loopback`, or the name of `gateway.hosts` that was taken.
        reach: String,
        /// When the code ends.
        expires_at: Ms,
    }
    /// Names a device.
    DeviceRef {
        /// Device.
        id: String,
    }
    /// A device that may come in.
    Device {
        /// Device.
        id: String,
        /// Name.
        name: String,
        /// What it may do.
        scope: Scope,
        /// It proves itself with a key that never leaves it; otherwise with a token.
        keyed: bool,
        /// Since when.
        paired_at: Ms,
        /// When it last came in.
        seen_at: Option<Ms>,
        /// When it has to be paired again.
        expires_at: Option<Ms>,
        /// It is connected now.
        connected: bool,
    }
    /// A connection to the gateway.
    GatewayClient {
        /// Name it gave.
        name: String,
        /// Name of the token or device it came in with.
        token: String,
        /// Device, where it is one.
        device: Option<String>,
        /// What it may do.
        scope: Scope,
        /// Since when.
        since: Ms,
        /// Newest event it said it has.
        acked: Count,
        /// Plugins it brings.
        plugins: Vec<String>,
    }
    /// How the gateway stands.
    GatewayState {
        /// Port.
        port: Option<u16>,
        /// Addresses, the one for this machine first.
        urls: Vec<String>,
        /// Names other than this machine's own under which it may be asked (`gateway.hosts`), for a tunnel.
        hosts: Vec<String>,
        /// Connections.
        clients: Vec<GatewayClient>,
        /// Seconds for which nobody gets in, after too many wrong tokens.
        locked_out_for: Option<u32>,
    }
}
