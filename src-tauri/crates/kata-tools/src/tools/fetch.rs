//! `web_fetch`: one page over http or https. Addresses of this machine and its network are refused, those a name resolves to as
//! well, at every redirect; mode allow-all may reach them, except where machines keep their credentials (link-local).

use crate::html;
use crate::why::{Why, why};
use futures::StreamExt;
use kata_protocol::PermissionMode;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// Most of a page that is read, bytes.
const LARGEST: usize = 4 * 1024 * 1024;
/// Redirects followed.
const REDIRECTS: u32 = 5;
/// Time for the whole.
const LIMIT: Duration = Duration::from_secs(30);

/// Whether an address may be reached.
fn may_reach(address: IpAddr, near: bool) -> bool {
    let v4 = match address {
        IpAddr::V4(v4) => v4,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4,
            None => {
                let first = v6.segments()[0];
                let never = v6.is_unspecified() || v6.is_multicast() || first & 0xffc0 == 0xfe80;
                // Unique local; and ways of writing IPv4 in IPv6 (NAT64, 6to4, compatible).
                let private =
                    v6.is_loopback() || first & 0xfe00 == 0xfc00 || first == 0x64 || first == 0x2002 || v6.segments()[..6] == [0; 6];
                return !never && (near || !private);
            }
        },
    };
    let [a, b, ..] = v4.octets();
    let never = v4.is_unspecified()
        || v4.is_broadcast()
        || v4.is_multicast()
        || v4.is_link_local()
        || a >= 240
        || v4 == Ipv4Addr::new(168, 63, 129, 16);
    let shared = a == 100 && (64..128).contains(&b) || a == 0 || a == 192 && b == 0 || a == 198 && (b == 18 || b == 19);
    !never && (near || !(v4.is_loopback() || v4.is_private() || shared))
}

/// Resolves names, and leaves out what may not be reached.
struct Resolver {
    near: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let near = self.near;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let fine: Vec<SocketAddr> = found.filter(|a| may_reach(a.ip(), near)).collect();
            if fine.is_empty() {
                return Err(why(format!("{} leads to this machine or its network", name.as_str())).into());
            }
            Ok(Box::new(fine.into_iter()) as Addrs)
        })
    }
}

pub(super) async fn fetch(address: &str, mode: PermissionMode) -> Result<String, Why> {
    let near = mode == PermissionMode::AllowAll;
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .dns_resolver(Arc::new(Resolver { near }))
        .no_proxy()
        .timeout(LIMIT)
        .user_agent(concat!("KataAgents/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| why(format!("no page can be fetched: {e}")))?;
    let mut url = Url::parse(address).map_err(|e| why(format!("“{address}” is no address: {e}")))?;
    for _ in 0..=REDIRECTS {
        check(&url, near)?;
        let answer = client.get(url.clone()).send().await.map_err(|e| told(&e))?;
        if !answer.status().is_redirection() {
            return page(&url, answer).await;
        }
        let to = answer.headers().get("location").and_then(|to| to.to_str().ok());
        let to = to.ok_or_else(|| why(format!("{url} answers {} without saying where to", answer.status())))?;
        url = url
            .join(to)
            .map_err(|e| why(format!("{url} leads to “{to}”, which is no address: {e}")))?;
    }
    Err(why(format!("{address} leads on more than {REDIRECTS} times")))
}

fn check(url: &Url, near: bool) -> Result<(), Why> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(why(format!("{url}: only http and https are fetched")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address with a name or password in it is not fetched".into());
    }
    let literal = match url.host() {
        Some(Host::Ipv4(v4)) => Some(IpAddr::V4(v4)),
        Some(Host::Ipv6(v6)) => Some(IpAddr::V6(v6)),
        Some(Host::Domain(_)) => None,
        None => return Err(why(format!("{url} names no host"))),
    };
    match literal {
        Some(ip) if !may_reach(ip, near) => Err(why(format!("{url} leads to this machine or its network"))),
        _ => Ok(()),
    }
}

/// The innermost reason says the most.
fn told(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    format!("the page could not be fetched: {inner}")
}

async fn page(url: &Url, answer: reqwest::Response) -> Result<String, Why> {
    let status = answer.status();
    let kind = answer
        .headers()
        .get("content-type")
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default()
        .to_lowercase();
    let (mut bytes, mut cut) = (Vec::new(), false);
    let mut body = answer.bytes_stream();
    while let Some(part) = body.next().await {
        let part = part.map_err(|e| told(&e))?;
        let room = LARGEST - bytes.len();
        bytes.extend_from_slice(&part[..part.len().min(room)]);
        if part.len() > room {
            cut = true;
            break;
        }
    }
    let text = if kind.contains("html") {
        html::text(&String::from_utf8_lossy(&bytes))
    } else if kind.starts_with("text/") || kind.contains("json") || kind.contains("xml") || kind.contains("javascript") || kind.is_empty() {
        if bytes.contains(&0) {
            return Err(why(format!("{url} is no text")));
        }
        String::from_utf8_lossy(&bytes).into_owned()
    } else {
        return Err(why(format!("{url} is {kind}, no text")));
    };
    let note = if cut { "\n[cut: the page is longer than what is read]" } else { "" };
    let whole = format!("{url} ({status})\n\n{text}{note}");
    if status.is_success() { Ok(whole) } else { Err(whole.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_and_network_are_refused_however_they_are_written() {
        for text in [
            "127.0.0.1",
            "127.9.9.9",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "0.1.2.3",
            "::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert!(!may_reach(text.parse().unwrap(), false), "{text}");
        }
        assert!(may_reach("93.184.216.34".parse().unwrap(), false));
        assert!(may_reach("127.0.0.1".parse().unwrap(), true));
        for text in [
            "169.254.169.254",
            "fe80::1",
            "::ffff:169.254.169.254",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "168.63.129.16",
        ] {
            assert!(!may_reach(text.parse().unwrap(), true), "{text} is refused in every mode");
        }
        for text in [
            "http://2130706433/",
            "http://0x7f.1/",
            "http://127.1/",
            "http://[::ffff:7f00:1]/",
            "file:///etc/passwd",
            "http://u:p@example.org/",
        ] {
            assert!(check(&Url::parse(text).unwrap(), false).is_err(), "{text}");
        }
    }
}
