//! `Host` and `Origin`, before anything else is looked at. A web page may reach loopback (DNS rebinding, a form, a script);
//! it cannot choose these two headers.

use axum::http::{HeaderMap, Uri, header};

/// Which hosts and origins are ours.
#[derive(Debug)]
pub(crate) struct Guard {
    hosts: [String; 3],
    origins: Vec<String>,
}

impl Guard {
    pub(crate) fn new(port: u16, allowed_origins: &[String]) -> Self {
        let hosts = ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("{host}:{port}"));
        let mut origins: Vec<String> = hosts.iter().map(|host| format!("http://{host}")).collect();
        origins.extend(allowed_origins.iter().map(|o| o.trim_end_matches('/').to_owned()));
        Self { hosts, origins }
    }

    /// Why a request is refused, if it is.
    pub(crate) fn refuses(&self, uri: &Uri, headers: &HeaderMap) -> Option<&'static str> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Some("one Host header is needed");
        };
        if !self.is_ours(host.as_bytes()) || uri.authority().is_some_and(|a| !self.is_ours(a.as_str().as_bytes())) {
            return Some("this Host is not served here");
        }
        let foreign = headers
            .get_all(header::ORIGIN)
            .iter()
            .any(|origin| !self.origins.iter().any(|o| o.as_bytes() == origin.as_bytes()));
        foreign.then_some("this Origin may not talk to the gateway")
    }

    fn is_ours(&self, host: &[u8]) -> bool {
        self.hosts.iter().any(|ours| ours.as_bytes().eq_ignore_ascii_case(host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(host: &[&str], origin: &[&str]) -> bool {
        let guard = Guard::new(18790, &["tauri://localhost".into()]);
        let mut headers = HeaderMap::new();
        for h in host {
            headers.append(header::HOST, h.parse().unwrap());
        }
        for o in origin {
            headers.append(header::ORIGIN, o.parse().unwrap());
        }
        guard.refuses(&Uri::from_static("/ws"), &headers).is_some()
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
}
