//! Devices that may come in.

use super::finding;
use kata_protocol::{Device, Finding, Ms, Scope, Severity};

/// Not seen for that long, it is likely lost.
const LONG_MS: u64 = 30 * 24 * 3600 * 1000;

pub(super) fn judge(devices: &[Device], now: Ms) -> Vec<Finding> {
    let mut all = Vec::new();
    for device in devices {
        let seen = device.seen_at.unwrap_or(device.paired_at);
        let mend = format!("`kata devices revoke {}`", device.id);
        if device.scope == Scope::Admin && !device.connected && seen.0 + LONG_MS < now.0 {
            let days = (now.0 - seen.0) / (24 * 3600 * 1000);
            let message = format!("It may do everything here and was not seen for {days} days.");
            all.push(finding("device.not_seen", Severity::Warning, &device.name, message, &mend));
        }
        if device.scope == Scope::Admin && device.expires_at.is_none() && !device.keyed {
            let message = "It may do everything here, for good, with a token that can be copied.";
            all.push(finding("device.token_without_end", Severity::Warning, &device.name, message, &mend));
        }
    }
    all
}
