//! `Host` and `Origin`, before anything else is looked at. A web page may reach loopback (DNS rebinding, a form, a script);
//! it cannot choose these two headers.
//!
//! Besides this machine's own names the person may name others (`gateway.hosts`) under which a tunnel brings requests here. A page
//! of such a name must come by `https`, unless the name is loopback itself: a plain page could be anybody's on the way.

use axum::http::{HeaderMap, Uri, header};
use std::sync::{Arc, PoisonError, RwLock};

/// Other names, at most.
const MAX_HOSTS: usize = 16;

/// A name under which a tunnel may bring requests: `phone.tailnet.ts.net`, `box.example:8443`, `localhost:8080`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayHost(String);

/// Why a name is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHost {
    /// Every name, or a part of one.
    #[error("“{0}”: a star would let every web page in; write each name out")]
    Star(String),
    /// Something besides name and port.
    #[error(
        "“{0}” is no name: write it as a browser's address bar shows it, without https:// and path, such as box.example or box.example:8443"
    )]
    Shape(String),
    /// Too many.
    #[error("more than {MAX_HOSTS} names")]
    Many,
}

impl GatewayHost {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, BadHost> {
        let text = text.trim().to_ascii_lowercase();
        if text.contains('*') {
            return Err(BadHost::Star(text));
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !name.is_empty() && (!name.contains(':') || name.ends_with(']')) => (name, Some(port)),
            _ => (text.as_str(), None),
        };
        let plain = |name: &str| {
            let part = |part: &str| {
                let ends = part.starts_with('-') || part.ends_with('-');
                !part.is_empty() && !ends && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            };
            name.len() <= 253 && name.split('.').all(part)
        };
        let port_fits = port.is_none_or(|p| p.parse::<u16>().is_ok_and(|n| n > 0 && n.to_string() == p));
        if port_fits && (name == "[::1]" || plain(name)) {
            return Ok(Self(text));
        }
        Err(BadHost::Shape(text))
    }

    /// Reads a list: the names that are, and what is wrong with the others.
    pub fn list(texts: &[String]) -> (Vec<Self>, Vec<BadHost>) {
        let (mut hosts, mut bad) = (Vec::new(), Vec::new());
        for text in texts {
            match Self::parse(text) {
                Ok(host) if hosts.contains(&host) => {}
                Ok(_) if hosts.len() >= MAX_HOSTS => {
                    bad.push(BadHost::Many);
                    break;
                }
                Ok(host) => hosts.push(host),
                Err(error) => bad.push(error),
            }
        }
        (hosts, bad)
    }

    /// As `Host` says it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is this machine for the one who asks, as with `ssh -L`.
    fn is_loopback(&self) -> bool {
        let name = self.0.rsplit_once(':').map_or(self.0.as_str(), |(name, _)| name);
        name == "localhost" || name.ends_with(".localhost") || name == "127.0.0.1" || self.0.starts_with("[::1]")
    }

    /// Origin of a page that was fetched under this name.
    pub fn origin(&self) -> String {
        let scheme = if self.is_loopback() { "http" } else { "https" };
        format!("{scheme}://{}", self.0)
    }
}

/// Which hosts and origins are ours.
#[derive(Debug)]
pub(crate) struct Guard {
    hosts: [String; 3],
    origins: Vec<String>,
    others: RwLock<Arc<[GatewayHost]>>,
}

impl Guard {
    pub(crate) fn new(port: u16, allowed_origins: &[String]) -> Self {
        let hosts = ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{port}"));
        let mut origins: Vec<String> = hosts.iter().map(|host| format!("http://{host}")).collect();
        origins.extend(allowed_origins.iter().map(|o| o.trim_end_matches('/').to_owned()));
        Self {
            hosts,
            origins,
            others: RwLock::new(Arc::from([])),
        }
    }

    /// Takes other names, from now on these.
    pub(crate) fn serve_hosts(&self, hosts: Vec<GatewayHost>) {
        *self.others.write().unwrap_or_else(PoisonError::into_inner) = hosts.into();
    }

    /// Other names in force.
    pub(crate) fn others(&self) -> Arc<[GatewayHost]> {
        Arc::clone(&self.others.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Why a request is refused, if it is.
    pub(crate) fn refuses(&self, uri: &Uri, headers: &HeaderMap) -> Option<&'static str> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Some("one Host header is needed");
        };
        let others = self.others();
        let ours = |host: &[u8]| self.is_ours(host, &others);
        if !ours(host.as_bytes()) || uri.authority().is_some_and(|a| !ours(a.as_str().as_bytes())) {
            return Some("this Host is not served here");
        }
        let foreign = headers.get_all(header::ORIGIN).iter().any(|origin| {
            let same = |o: &str| o.as_bytes() == origin.as_bytes();
            !self.origins.iter().any(|o| same(o)) && !others.iter().any(|host| same(&host.origin()))
        });
        foreign.then_some("this Origin may not talk to the gateway")
    }

    fn is_ours(&self, host: &[u8], others: &[GatewayHost]) -> bool {
        let mut names = self.hosts.iter().map(String::as_str).chain(others.iter().map(GatewayHost::as_str));
        names.any(|ours| ours.as_bytes().eq_ignore_ascii_case(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused_by(guard: &Guard, host: &[&str], origin: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for h in host {
            headers.append(header::HOST, h.parse().unwrap());
        }
        for o in origin {
            headers.append(header::ORIGIN, o.parse().unwrap());
        }
        guard.refuses(&Uri::from_static("/ws"), &headers).is_some()
    }

    fn refused(host: &[&str], origin: &[&str]) -> bool {
        refused_by(&Guard::new(18790, &["tauri://localhost".into()]), host, origin)
    }

    #[test]
    fn only_loopback_with_our_port_is_our_host() {
        for ours in ["127.0.0.1:18790", "localhost:18790", "LOCALHOST:18790", "[::1]:18790"] {
            assert!(!refused(&[ours], &[]), "{ours}");
        }
        for other in [
            "127.0.0.1",
            "localhost:80",
            "evil.example:18790",
            "127.0.0.1.evil.example:18790",
            "0.0.0.0:18790",
            "",
        ] {
            assert!(refused(&[other], &[]), "{other}");
        }
        assert!(refused(&[], &[]), "no Host at all");
        assert!(refused(&["localhost:18790", "evil.example"], &[]), "two of them");
    }

    #[test]
    fn a_page_of_another_origin_is_refused() {
        let host = &["127.0.0.1:18790"];
        for ours in [
            "http://127.0.0.1:18790",
            "http://localhost:18790",
            "http://[::1]:18790",
            "tauri://localhost",
        ] {
            assert!(!refused(host, &[ours]), "{ours}");
        }
        for other in [
            "null",
            "http://127.0.0.1:3000",
            "https://evil.example",
            "http://localhost:18790.evil.example",
            "https://localhost:18790",
            "",
        ] {
            assert!(refused(host, &[other]), "{other}");
        }
        assert!(
            refused(host, &["http://localhost:18790", "https://evil.example"]),
            "one of two is foreign"
        );
    }

    #[test]
    fn an_absolute_request_line_cannot_name_another_host() {
        let guard = Guard::new(18790, &[]);
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, "localhost:18790".parse().unwrap());
        assert!(guard.refuses(&Uri::from_static("http://evil.example/ws"), &headers).is_some());
    }

    #[test]
    fn a_name_of_a_tunnel_is_served_as_a_whole_and_by_https_only() {
        let guard = Guard::new(18790, &[]);
        let name = "box.tail1234.ts.net";
        assert!(refused_by(&guard, &[name], &[]), "before anybody named it");
        guard.serve_hosts(
            ["Box.tail1234.ts.net", "localhost:8080"]
                .map(|h| GatewayHost::parse(h).unwrap())
                .to_vec(),
        );
        assert!(!refused_by(&guard, &[name], &["https://box.tail1234.ts.net"]));
        assert!(!refused_by(&guard, &["localhost:8080"], &["http://localhost:8080"]));
        for (host, origin) in [
            (name, "http://box.tail1234.ts.net"),
            (name, "https://box.tail1234.ts.net.evil.example"),
            ("other.tail1234.ts.net", "https://other.tail1234.ts.net"),
            ("box.tail1234.ts.net:8443", "https://box.tail1234.ts.net"),
            ("x.box.tail1234.ts.net", "https://box.tail1234.ts.net"),
        ] {
            assert!(refused_by(&guard, &[host], &[origin]), "{host} {origin}");
        }
        guard.serve_hosts(Vec::new());
        assert!(refused_by(&guard, &[name], &[]), "and no longer");
    }

    #[test]
    fn a_star_an_address_with_a_scheme_and_nonsense_are_no_names() {
        for good in [
            "box.example",
            "box.example:8443",
            "localhost:8080",
            "[::1]:8080",
            "127.0.0.1:9",
            "BOX.example",
        ] {
            assert!(GatewayHost::parse(good).is_ok(), "{good}");
        }
        assert!(matches!(GatewayHost::parse("*.example"), Err(BadHost::Star(_))));
        for bad in [
            "",
            "https://box.example",
            "box.example/x",
            "box example",
            "box..example",
            "-x.example",
            "box:0",
            "box:99999",
            "box:",
            ":80",
            "a:b:c",
            "[::2]",
            "ü.example",
            "user@box",
        ] {
            assert!(matches!(GatewayHost::parse(bad), Err(BadHost::Shape(_))), "{bad}");
        }
    }
}
