//! A plugin's allow-list: which hosts it may talk to, checked on every request, every redirect and every address the
//! resolver gives.
//!
//! Neighbours: `fetch` asks here before each hop. Deliberately absent: prompting, and any way around the list.

use crate::capability::{Denied, Grants};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use url::{Host, Url};

/// Hosts the person's own settings name, beside the manifest's: `host` or `host:port` for HTTP, `tcp:host:port` for TCP. They
/// may be local.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkPolicy {
    /// e.g. `127.0.0.1:43211`, so that a base-URL setting can point at a server of one's own.
    pub extra_hosts: Vec<String>,
}

/// Why a request may not leave.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Blocked {
    #[error("only http and https can be fetched")]
    Scheme,
    #[error("a host and a port from 1 to 65535 are needed")]
    Address,
    #[error("a URL with a user name or password is refused")]
    UserInfo,
    #[error("the URL names no host")]
    NoHost,
    #[error("{host}: {denied}")]
    Capability { host: String, denied: Denied },
    #[error("the plugin ends")]
    Ended,
    #[error("{0} is an address of this machine or network; a plugin reaches it only where a capability names it")]
    Local(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    host: String,
    wildcard: bool,
    port: Option<u16>,
}

impl Target {
    fn parse(text: &str) -> Option<Self> {
        let (wildcard, rest) = match text.strip_prefix("*.") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        // The URL parser makes one spelling of every host: case, punycode, decimal and octal addresses.
        if rest.is_empty() || rest.contains(['/', '@', '\\', '?', '#', '*', ' ', '%']) {
            return None;
        }
        let bare_v6 = rest.parse::<Ipv6Addr>().is_ok();
        let url = Url::parse(&if bare_v6 {
            format!("kata://[{rest}]/")
        } else {
            format!("kata://{rest}/")
        })
        .ok()?;
        let port = url.port();
        let host = normal(&Url::parse(&format!("http://{}/", url.host_str()?)).ok()?)?;
        if wildcard && (host.parse::<IpAddr>().is_ok() || !host.contains('.')) {
            return None;
        }
        Some(Self { host, wildcard, port })
    }

    fn matches(&self, host: &str, port: u16) -> bool {
        let host_fits = if self.wildcard {
            host.strip_suffix(&self.host)
                .is_some_and(|head| head.len() > 1 && head.ends_with('.'))
        } else {
            host == self.host
        };
        host_fits && self.port.map_or(port == 443 || port == 80, |p| p == port)
    }
}

/// Whether `tcp:{target}` is well formed: a host, and always a port.
pub(crate) fn valid_tcp(target: &str) -> bool {
    Target::parse(target).is_some_and(|t| t.port.is_some_and(|port| port != 0))
}

/// Where a TCP connection goes, in the one spelling the list knows.
pub(crate) fn tcp_url(host: &str, port: u16) -> Result<Url, Blocked> {
    let bare_v6 = host.parse::<Ipv6Addr>().is_ok();
    let host = if bare_v6 { format!("[{host}]") } else { host.to_owned() };
    if port == 0 || host.is_empty() || host.contains(['/', '@', '\\', '?', '#', ' ', '%']) {
        return Err(Blocked::Address);
    }
    let as_http = Url::parse(&format!("http://{host}/")).map_err(|_| Blocked::Address)?;
    if as_http.port().is_some() {
        return Err(Blocked::Address);
    }
    let host = normal(&as_http).filter(|h| !h.is_empty()).ok_or(Blocked::NoHost)?;
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Url::parse(&format!("tcp://{host}:{port}")).map_err(|_| Blocked::Address)
}

/// Whether `net:{target}` is well formed.
pub(crate) fn valid_target(target: &str) -> bool {
    Target::parse(target).is_some()
}

/// The host in one spelling, without a trailing dot and without brackets.
fn normal(url: &Url) -> Option<String> {
    Some(match url.host()? {
        Host::Domain(name) => name.trim_end_matches('.').to_ascii_lowercase(),
        Host::Ipv4(ip) => ip.to_string(),
        Host::Ipv6(ip) => match ip.to_ipv4_mapped() {
            Some(v4) => v4.to_string(),
            None => ip.to_string(),
        },
    })
}

/// Which way a permitted request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Every address the name resolves to must be public.
    Public,
    /// The person or the manifest named this very host; it may be local.
    Named,
}

/// One plugin's list.
#[derive(Clone, Debug)]
pub(crate) struct AllowList {
    declared: Vec<(Target, String, bool)>,
    extra: Vec<(Target, bool)>,
}

impl AllowList {
    pub(crate) fn new(grants: &Grants, policy: &NetworkPolicy) -> Self {
        Self {
            declared: grants
                .networks()
                .filter_map(|(c, granted)| Some((Target::parse(c.split_once(':')?.1)?, c.to_owned(), granted)))
                .collect(),
            extra: policy
                .extra_hosts
                .iter()
                .filter_map(|t| match t.strip_prefix("tcp:") {
                    Some(t) => Some((Target::parse(t)?, true)),
                    None => Some((Target::parse(t)?, false)),
                })
                .collect(),
        }
    }

    /// Whether a request to `url` may leave, and how far it may reach.
    pub(crate) fn check(&self, url: &Url) -> Result<Reach, Blocked> {
        let kind = match url.scheme() {
            "http" | "https" => "net",
            "tcp" => "tcp",
            _ => return Err(Blocked::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Blocked::UserInfo);
        }
        let host = normal(url).filter(|h| !h.is_empty()).ok_or(Blocked::NoHost)?;
        let port = url.port_or_known_default().ok_or(Blocked::NoHost)?;
        let named = |(t, tcp): &(Target, bool)| *tcp == (kind == "tcp") && !t.wildcard && t.matches(&host, port);
        if self.extra.iter().any(named) {
            return Ok(Reach::Named);
        }
        let mut refused = None;
        for (target, capability, granted) in &self.declared {
            if !capability.starts_with(kind) || !target.matches(&host, port) {
                continue;
            }
            if !granted {
                refused = Some(Denied::NotGranted(capability.clone()));
                continue;
            }
            let local_name = is_local_name(&host) || host.parse::<IpAddr>().is_ok_and(|ip| !is_public(ip));
            return match (local_name, target.wildcard) {
                (false, _) => Ok(Reach::Public),
                (true, false) => Ok(Reach::Named),
                (true, true) => Err(Blocked::Local(host)),
            };
        }
        let wanted = if kind == "tcp" {
            format!("tcp:{host}:{port}")
        } else {
            format!("net:{host}")
        };
        let denied = refused.unwrap_or(Denied::NotDeclared(wanted));
        Err(Blocked::Capability { host, denied })
    }
}

fn is_local_name(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

/// Whether an address is somewhere on the public internet.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => {
            if let Some(v4) = ip.to_ipv4_mapped() {
                return is_public_v4(v4);
            }
            let s = ip.segments();
            let embedded = |hi: u16, lo: u16| Ipv4Addr::from((u32::from(hi) << 16) | u32::from(lo));
            match s[0] {
                0x0064 if s[1] == 0xff9b => is_public_v4(embedded(s[6], s[7])),
                0x2002 => is_public_v4(embedded(s[1], s[2])),
                0x2001 if s[1] == 0x0db8 || s[1] == 0 => false,
                // Global unicast is 2000::/3; loopback, unspecified, unique local, link-local and multicast are outside it.
                first => first & 0xe000 == 0x2000,
            }
        }
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_unspecified()
        || ip.is_broadcast()
        || ip.is_documentation()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19)))
}

/// A resolver that gives public addresses only; a name with one that is not public is refused whole.
#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.iter().any(|a| !is_public(a.ip())) {
                return Err(Blocked::Local(name.as_str().to_owned()).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The two HTTP clients all plugins share: one that cannot connect to a local address, and one for hosts that were named. Each is
/// made when a plugin first needs it: the system's roots of trust are read for it, which takes memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clients {
    public: Made,
    named: Made,
}

/// Nothing inside where this machine has no TLS that can be used.
type Made = std::sync::Arc<std::sync::OnceLock<Option<reqwest::Client>>>;

impl Clients {
    /// The client for such a host; nothing where this machine has no TLS that can be used.
    pub(crate) fn for_reach(&self, reach: Reach) -> Option<&reqwest::Client> {
        // Without the system's proxy, because a proxy would resolve the name and the addresses would go unseen.
        let base = || {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("kata-agents/", env!("CARGO_PKG_VERSION")))
                .pool_max_idle_per_host(4)
                .no_proxy()
        };
        let (made, builder): (_, fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder) = match reach {
            Reach::Public => (&self.public, |base| base.dns_resolver(std::sync::Arc::new(PublicOnly))),
            Reach::Named => (&self.named, |base| base),
        };
        let client = made.get_or_init(|| {
            let built = builder(base()).build();
            if let Err(error) = &built {
                tracing::error!(%error, "no HTTP client for plugins");
            }
            built.ok()
        });
        client.as_ref()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn list(capabilities: &[&str], extra: &[&str]) -> AllowList {
        let caps: Vec<String> = capabilities.iter().map(|c| (*c).to_owned()).collect();
        let policy = NetworkPolicy {
            extra_hosts: extra.iter().map(|e| (*e).to_owned()).collect(),
        };
        AllowList::new(&Grants::new(&caps, &caps), &policy)
    }

    fn check(list: &AllowList, url: &str) -> Result<Reach, Blocked> {
        list.check(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_named_host_is_reached_and_no_neighbour_of_its_name() {
        let list = list(&["net:api.telegram.org", "net:*.slack.com"], &[]);
        for good in [
            "https://api.telegram.org/x",
            "https://API.Telegram.org./x",
            "https://a.slack.com",
            "https://a.b.slack.com",
        ] {
            assert_eq!(check(&list, good), Ok(Reach::Public), "{good}");
        }
        for bad in [
            "https://api.telegram.org.evil.com",
            "https://evilapi.telegram.org",
            "https://slack.com",
            "https://evilslack.com",
            "https://api.telegram.org:8443",
            "https://evil.com/api.telegram.org",
            "https://evil.com#@api.telegram.org",
            "https://evil.com\\@api.telegram.org",
        ] {
            assert!(matches!(check(&list, bad), Err(Blocked::Capability { .. })), "{bad}");
        }
    }

    #[test]
    fn userinfo_and_other_schemes_are_refused_even_for_a_named_host() {
        let list = list(&["net:api.telegram.org"], &[]);
        assert_eq!(check(&list, "https://api.telegram.org@api.telegram.org/"), Err(Blocked::UserInfo));
        assert_eq!(check(&list, "https://u:p@api.telegram.org/"), Err(Blocked::UserInfo));
        assert_eq!(check(&list, "ftp://api.telegram.org/"), Err(Blocked::Scheme));
        assert_eq!(check(&list, "file:///etc/passwd"), Err(Blocked::Scheme));
    }

    #[test]
    fn no_spelling_of_a_local_address_passes_unless_it_is_named() {
        let wide = list(&["net:*.example.com"], &[]);
        let named = list(&["net:127.0.0.1:8080"], &[]);
        for spelling in [
            "127.0.0.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "[::ffff:127.0.0.1]",
            "[::1]",
            "localhost",
        ] {
            assert!(check(&wide, &format!("http://{spelling}:8080/")).is_err(), "{spelling}");
        }
        for same in ["127.0.0.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]"] {
            assert_eq!(check(&named, &format!("http://{same}:8080/")), Ok(Reach::Named), "{same}");
        }
        assert!(check(&named, "http://127.0.0.1:8081/").is_err(), "another port");
        assert!(check(&named, "http://127.0.0.2:8080/").is_err(), "another address");
    }

    #[test]
    fn a_host_from_the_settings_is_reached_on_its_port_alone() {
        let list = list(&[], &["127.0.0.1:43211", "bot.internal:8081", "::1"]);
        assert_eq!(check(&list, "http://127.0.0.1:43211/bot"), Ok(Reach::Named));
        assert_eq!(check(&list, "http://bot.internal:8081/"), Ok(Reach::Named));
        assert_eq!(check(&list, "http://[::1]/"), Ok(Reach::Named));
        assert!(check(&list, "http://127.0.0.1:43212/").is_err());
    }

    #[test]
    fn tcp_is_a_door_of_its_own_with_a_port_that_was_named() {
        let list = list(
            &["net:web.example", "tcp:Mail.Example.org:993", "tcp:*.example.net:25"],
            &["tcp:127.0.0.1:1143", "127.0.0.1:8080"],
        );
        let tcp = |host: &str, port: u16| list.check(&tcp_url(host, port)?);
        assert_eq!(tcp("mail.example.org", 993), Ok(Reach::Public));
        assert_eq!(tcp("MAIL.example.org.", 993), Ok(Reach::Public));
        assert_eq!(tcp("mx.example.net", 25), Ok(Reach::Public));
        assert_eq!(tcp("127.0.0.1", 1143), Ok(Reach::Named));
        assert_eq!(tcp("2130706433", 1143), Ok(Reach::Named), "another spelling of the same");
        for (host, port) in [
            ("mail.example.org", 143),
            ("example.net", 25),
            ("web.example", 443),
            ("web.example", 80),
            ("127.0.0.1", 8080),
            ("127.0.0.2", 1143),
            ("localhost", 1143),
        ] {
            assert!(matches!(tcp(host, port), Err(Blocked::Capability { .. })), "{host}:{port}");
        }
        assert!(
            check(&list, "http://127.0.0.1:1143/").is_err(),
            "what is named for TCP is not open to HTTP"
        );
        for (host, port) in [("", 25), ("a@b", 25), ("a:25", 25), ("a/b", 25), ("mail.example.org", 0)] {
            assert!(tcp_url(host, port).is_err(), "{host}:{port}");
        }
        let said = tcp("evil.example", 25).unwrap_err().to_string();
        assert!(said.contains("does not list the capability “tcp:evil.example:25”"), "{said}");
    }

    #[test]
    fn addresses_of_this_machine_and_network_are_not_public() {
        for local in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert!(!is_public(local.parse().unwrap()), "{local}");
        }
        for public in ["1.1.1.1", "149.154.167.220", "2606:4700::1111", "64:ff9b::101:101"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn a_denial_names_the_missing_key() {
        let declared = vec!["net:a.com".to_owned()];
        let ungranted = AllowList::new(&Grants::new(&declared, &[]), &NetworkPolicy::default());
        assert!(
            check(&ungranted, "https://a.com")
                .unwrap_err()
                .to_string()
                .contains("has not been granted")
        );
        assert!(
            check(&ungranted, "https://b.com")
                .unwrap_err()
                .to_string()
                .contains("the manifest does not list")
        );
    }
}
