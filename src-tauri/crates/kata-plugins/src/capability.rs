//! Capabilities and their two keys: a plugin may do what its manifest asks for AND the person granted.

use kata_protocol::HookName;
use std::collections::BTreeSet;

/// Why something was refused; names the key that is missing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The first key.
    #[error("the manifest does not list the capability “{0}”")]
    NotDeclared(String),
    /// The second key.
    #[error("the capability “{0}” has not been granted")]
    NotGranted(String),
}

/// What one plugin may do.
#[derive(Clone, Debug, Default)]
pub struct Grants {
    declared: BTreeSet<String>,
    granted: BTreeSet<String>,
}

impl Grants {
    /// From the manifest's list and the person's.
    pub fn new(declared: &[String], granted: &[String]) -> Self {
        Self {
            declared: declared.iter().cloned().collect(),
            granted: granted.iter().cloned().collect(),
        }
    }

    /// Whether both keys are there.
    ///
    /// # Errors
    /// [`Denied`] with the missing key.
    pub fn check(&self, capability: &str) -> Result<(), Denied> {
        if !self.declared.contains(capability) {
            return Err(Denied::NotDeclared(capability.to_owned()));
        }
        if !self.granted.contains(capability) {
            return Err(Denied::NotGranted(capability.to_owned()));
        }
        Ok(())
    }

    /// Scopes a plugin may use at a provider: those of every `oauth:PROVIDER:SCOPES` that has both keys.
    ///
    /// # Errors
    /// [`Denied`] with the missing key, where there is not one.
    pub(crate) fn scopes_at(&self, provider: &str) -> Result<Vec<String>, Denied> {
        let mut ungranted = None;
        let mut scopes = None::<Vec<String>>;
        for capability in &self.declared {
            let Some((at, more)) = sign_in_at(capability).filter(|(at, _)| *at == provider) else {
                continue;
            };
            debug_assert_eq!(at, provider);
            if self.granted.contains(capability) {
                scopes.get_or_insert_default().extend(more);
            } else {
                ungranted = Some(capability.clone());
            }
        }
        scopes.ok_or_else(|| ungranted.map_or_else(|| Denied::NotDeclared(format!("oauth:{provider}:SCOPES")), Denied::NotGranted))
    }

    /// Without one of the person's keys.
    pub(crate) fn without(&self, capability: &str) -> Self {
        let mut grants = self.clone();
        grants.granted.remove(capability);
        grants
    }

    /// `net:` and `tcp:` capabilities with their keys: `(capability, granted)`.
    pub(crate) fn networks(&self) -> impl Iterator<Item = (&str, bool)> {
        let reaching = |c: &&String| c.starts_with("net:") || c.starts_with("tcp:");
        self.declared
            .iter()
            .filter(reaching)
            .map(|c| (c.as_str(), self.granted.contains(c)))
    }
}

/// The provider and the scopes of an `oauth:` capability. Scopes stand with `,` between them; they may be addresses.
pub fn sign_in_at(capability: &str) -> Option<(&str, Vec<String>)> {
    let rest = capability.strip_prefix("oauth:")?;
    let (provider, scopes) = rest.split_once(':').unwrap_or((rest, ""));
    let scopes = scopes.split(',').map(str::trim).filter(|s| !s.is_empty()).map(str::to_owned);
    Some((provider, scopes.collect()))
}

/// The capability a hook needs, if any.
pub(crate) fn of_hook(event: HookName) -> Option<&'static str> {
    match event {
        HookName::MessageReceived
        | HookName::MessageSending
        | HookName::BeforeAgentStart
        | HookName::AfterToolCall
        | HookName::PlanSubmitted => Some("hooks:conversation"),
        HookName::BeforeToolCall => Some("hooks:gate"),
        HookName::MessageSent
        | HookName::SessionStart
        | HookName::SessionEnd
        | HookName::AgentEnd
        | HookName::GatewayStart
        | HookName::GatewayStop
        | HookName::OauthOpen
        | HookName::ConfigChange => None,
    }
}

/// What a kind of capability looks like.
const FORMS: [(&str, &str); 8] = [
    ("net", "net:api.example.com” or “net:*.example.com:443"),
    ("tcp", "tcp:mail.example.com:993"),
    ("secret", "secret:botToken"),
    ("oauth", "oauth:google:calendar.readonly"),
    ("sessions", "sessions:read” or “sessions:submit"),
    ("files", "files:state”, “files:workspace:ro” or “files:workspace:rw"),
    ("route", "route:push"),
    ("hooks", "hooks:conversation” or “hooks:gate"),
];

/// What to write instead of a capability that does not exist.
pub(crate) type Fix = String;

/// Whether a manifest may list it; what to write instead otherwise.
pub(crate) fn known(capability: &str) -> Result<(), Fix> {
    let (kind, rest) = capability.split_once(':').unwrap_or((capability, ""));
    let good = match kind {
        "net" => crate::network::valid_target(rest),
        "tcp" => crate::network::valid_tcp(rest),
        "oauth" => valid_sign_in(rest),
        "secret" => !rest.is_empty() && !rest.chars().any(char::is_whitespace),
        "route" => valid_route(rest),
        "sessions" => matches!(rest, "read" | "submit"),
        "files" => matches!(rest, "state" | "workspace:ro" | "workspace:rw"),
        "hooks" => matches!(rest, "conversation" | "gate"),
        _ => false,
    };
    if good {
        return Ok(());
    }
    let near = FORMS
        .iter()
        .map(|(k, form)| (strsim::normalized_damerau_levenshtein(kind, k), *form));
    let near = near.filter(|(score, _)| *score >= 0.5).max_by(|a, b| a.0.total_cmp(&b.0));
    Err(match near {
        Some((_, form)) => format!("write “{form}”"),
        None => format!("there are {}", FORMS.map(|(kind, _)| format!("{kind}:")).join(", ")),
    })
}

/// `PROVIDER` or `PROVIDER:SCOPE,SCOPE`.
fn valid_sign_in(rest: &str) -> bool {
    let (provider, scopes) = rest.split_once(':').unwrap_or((rest, "-"));
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !provider.is_empty() && provider.bytes().all(good) && !scopes.is_empty() && !scopes.chars().any(char::is_whitespace)
}

/// A path below `/hooks/<plugin>/`: parts of letters, digits, `-` and `_`, with `/` between them, as `registerRoute` takes it.
fn valid_route(path: &str) -> bool {
    let good = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    path.len() <= 256 && path.split('/').all(good)
}

/// What a capability allows, for a person who decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// In words.
    pub text: String,
    /// Whether it can read what people write, change what the agent does, or change files.
    pub sensitive: bool,
}

/// What a capability of a plugin allows.
pub fn meaning(plugin: &str, capability: &str) -> Meaning {
    let (kind, rest) = capability.split_once(':').unwrap_or((capability, ""));
    let (text, sensitive) = match (kind, rest) {
        ("net", target) => (reach(target), false),
        ("secret", name) => (
            format!("Read the secret “{name}”, once you have entered it here; keep one there that a sign-in gave it; forget it."),
            false,
        ),
        ("tcp", target) => (format!("{} By any protocol, not only HTTP.", reach(target)), false),
        ("oauth", rest) => {
            let (provider, scopes) = rest.split_once(':').unwrap_or((rest, ""));
            let scopes = if scopes.is_empty() {
                "whatever it asks for when you sign in"
            } else {
                scopes
            };
            (
                format!("Act in your name at {provider}, after you have signed in there: {scopes}."),
                true,
            )
        }
        ("sessions", "read") => ("See the list of your sessions: titles, times and states.".into(), true),
        ("sessions", "submit") => ("Write into your sessions as you do; the agent acts on it.".into(), true),
        ("files", "state") => ("Keep files of its own in its own folder.".into(), false),
        ("files", "workspace:ro") => ("Read the files of your workspaces.".into(), true),
        ("files", "workspace:rw") => ("Read, change and delete the files of your workspaces.".into(), true),
        ("route", path) => (
            format!("Take requests of other programs at /hooks/{plugin}/{path} of the gateway on this machine."),
            false,
        ),
        ("hooks", "conversation") => ("Read, and change, every message you and the agent write.".into(), true),
        ("hooks", "gate") => (
            "See every tool call of the agent before it runs, change it or block it.".into(),
            true,
        ),
        _ => ("Nothing: this version does not know it.".into(), false),
    };
    Meaning { text, sensitive }
}

fn reach(target: &str) -> String {
    let (host, port) = match target.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => (host, Some(port)),
        _ => (target, None),
    };
    let at = port.map(|p| format!(", port {p}")).unwrap_or_default();
    match host.strip_prefix("*.") {
        Some(domain) => format!("Send data to, and get data from, every host below {domain}{at}."),
        None => format!("Send data to, and get data from, {host}{at}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_names_the_key_that_is_missing() {
        let grants = Grants::new(&["secret:a".into(), "secret:b".into()], &["secret:a".into(), "secret:c".into()]);
        assert_eq!(grants.check("secret:a"), Ok(()));
        assert_eq!(grants.check("secret:b"), Err(Denied::NotGranted("secret:b".into())));
        assert_eq!(
            grants.check("secret:c"),
            Err(Denied::NotDeclared("secret:c".into())),
            "a grant alone opens nothing"
        );
    }

    #[test]
    fn a_token_needs_both_keys_for_its_provider_and_has_the_scopes_of_those_alone() {
        let declared = [
            "oauth:google:mail,calendar".to_owned(),
            "oauth:google:drive".to_owned(),
            "oauth:github:repo".to_owned(),
        ];
        let grants = Grants::new(&declared, &declared[..1]);
        assert_eq!(grants.scopes_at("google"), Ok(vec!["mail".to_owned(), "calendar".to_owned()]));
        assert_eq!(grants.scopes_at("github"), Err(Denied::NotGranted("oauth:github:repo".into())));
        assert_eq!(grants.scopes_at("goo"), Err(Denied::NotDeclared("oauth:goo:SCOPES".into())));
    }

    #[test]
    fn a_manifest_cannot_list_what_does_not_exist() {
        for good in [
            "net:api.telegram.org",
            "net:*.slack.com:443",
            "net:127.0.0.1:8080",
            "tcp:mail.example.com:993",
            "tcp:*.example.com:25",
            "tcp:[::1]:143",
            "secret:token",
            "hooks:gate",
            "route:push/v1",
            "oauth:google:calendar.readonly",
            "oauth:google:https://www.googleapis.com/auth/gmail.modify,email",
            "oauth:my-idp",
        ] {
            assert_eq!(known(good), Ok(()), "{good}");
        }
        for bad in [
            "net:",
            "net:*",
            "net:*.*.com",
            "net:http://x",
            "net:a@b",
            "net:host:99999",
            "tcp:mail.example.com",
            "tcp:*:993",
            "tcp:imaps://mail.example.com:993",
            "tcp:mail.example.com:0",
            "secret:",
            "oauth:",
            "oauth:Google:mail",
            "oauth:google:",
            "oauth:google:a b",
            "everything",
            "hooks:all",
            "route:/push",
            "route:../x",
            "route:a//b",
        ] {
            assert!(known(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_person_is_asked_says_whom_it_reaches_and_what_is_grave() {
        let asked = |capability: &str| meaning("x", capability);
        assert!(asked("net:*.slack.com:443").text.contains("every host below slack.com, port 443"));
        assert!(
            asked("tcp:mail.example.com:993")
                .text
                .contains("mail.example.com, port 993. By any protocol")
        );
        assert!(asked("route:push").text.contains("/hooks/x/push"));
        let grave = ["hooks:gate", "hooks:conversation", "files:workspace:rw", "sessions:submit"];
        assert!(grave.iter().all(|c| asked(c).sensitive));
        assert!(["net:a.b", "secret:a", "files:state"].iter().all(|c| !asked(c).sensitive));
    }
}
