//! Devices and the gateway as text.

use super::channels::qr;
use super::{ago, line, table, word};
use kata_protocol::{Device, DeviceOffer, GatewayState, Ms};
use std::fmt::Write;

pub(crate) fn devices(devices: &[Device], now: Ms) -> String {
    let rows: Vec<_> = devices
        .iter()
        .map(|d| {
            vec![
                d.id.clone(),
                line(&d.name, 40),
                word(&d.scope),
                if d.keyed { "key".into() } else { "token".into() },
                standing(d, now),
                d.expires_at.map(|at| until(at, now)).unwrap_or_default(),
            ]
        })
        .collect();
    table(
        &["device", "name", "may", "by", "last here", "until"],
        &rows,
        "no devices; `kata devices pair` lets one in",
    )
}

fn standing(device: &Device, now: Ms) -> String {
    match (device.connected, device.seen_at) {
        (true, _) => "connected".into(),
        (false, Some(at)) => ago(at, now),
        (false, None) => "never".into(),
    }
}

fn until(at: Ms, now: Ms) -> String {
    match at.0.checked_sub(now.0) {
        None | Some(0) => "over; pair it again".into(),
        Some(left) => format!("{} more days", left.div_ceil(24 * 60 * 60 * 1000)),
    }
}

/// What a person scans, and what they type where they cannot.
pub(crate) fn offer(offer: &DeviceOffer) -> String {
    let mut text = format!("\n{}\n", qr(&offer.url));
    let _ = writeln!(text, "Scan it, or open {}", line(&offer.url, 400));
    let _ = writeln!(text, "Code: {}   (ten minutes, for one device)", line(&offer.code, 40));
    if offer.reach == "loopback" {
        let _ = writeln!(
            text,
            "This address is this machine's own. For a phone bring a tunnel here and name it in `gateway.hosts`: docs/gateway/remote.md"
        );
    }
    text
}

pub(crate) fn gateway(state: &GatewayState, now: Ms) -> String {
    let mut text = String::new();
    for url in &state.urls {
        let _ = writeln!(text, "{}", line(url, 300));
    }
    if state.urls.is_empty() {
        text += "the gateway does not listen\n";
    }
    if let Some(seconds) = state.locked_out_for {
        let _ = writeln!(text, "! too many wrong tokens or codes: nobody new gets in for {seconds} s");
    }
    let rows: Vec<_> = state
        .clients
        .iter()
        .map(|c| {
            vec![
                line(&c.name, 32),
                line(&c.token, 40),
                word(&c.scope),
                ago(c.since, now),
                line(&c.plugins.join(", "), 60),
            ]
        })
        .collect();
    text + "\n" + &table(&["client", "came in as", "may", "since", "plugins"], &rows, "nobody is connected")
}

#[cfg(test)]
mod tests {
    use super::*;
    use kata_protocol::Scope;

    #[test]
    fn a_device_says_how_it_stands_and_no_name_reaches_the_terminal_as_it_is() {
        let device = |connected, seen_at, expires_at| Device {
            id: "dev_1".into(),
            name: "ph\u{1b}[2Jone".into(),
            scope: Scope::Approve,
            keyed: true,
            paired_at: Ms(0),
            seen_at,
            expires_at,
            connected,
        };
        let day = 24 * 60 * 60 * 1000;
        let text = devices(
            &[
                device(true, None, None),
                device(false, None, Some(Ms(3 * day))),
                device(false, Some(Ms(0)), Some(Ms(1))),
            ],
            Ms(day),
        );
        assert!(!text.contains('\u{1b}'), "{text}");
        for words in ["connected", "never", "2 more days", "over; pair it again", "approve"] {
            assert!(text.contains(words), "{words}: {text}");
        }
    }

    #[test]
    fn an_offer_of_this_machine_says_what_a_phone_needs() {
        let offer = |reach: &str| DeviceOffer {
            code: "ABCDE-FGHJK".into(),
            url: "http://127.0.0.1:1/#/pair/ABCDEFGHJK".into(),
            reach: reach.into(),
            expires_at: Ms(1),
        };
        assert!(super::offer(&offer("loopback")).contains("gateway.hosts"));
        let text = super::offer(&offer("box.example"));
        assert!(!text.contains("gateway.hosts") && text.contains("ABCDE-FGHJK") && text.contains('█'));
    }
}
