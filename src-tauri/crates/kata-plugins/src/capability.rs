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

    /// Without one of the person's keys.
    pub(crate) fn without(&self, capability: &str) -> Self {
        let mut grants = self.clone();
        grants.granted.remove(capability);
        grants
    }

    /// `net:` targets with their keys: `(target, granted)`.
    pub(crate) fn networks(&self) -> impl Iterator<Item = (&str, bool)> {
        self.declared
            .iter()
            .filter_map(|c| c.strip_prefix("net:").map(|target| (target, self.granted.contains(c))))
    }
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

/// Whether a manifest may list it.
pub(crate) fn known(capability: &str) -> bool {
    match capability.split_once(':') {
        Some(("net", target)) => crate::network::valid_target(target),
        Some(("secret" | "oauth" | "route", name)) => !name.is_empty(),
        Some(("sessions", what)) => matches!(what, "read" | "submit"),
        Some(("files", what)) => matches!(what, "state" | "workspace:ro" | "workspace:rw"),
        Some(("hooks", what)) => matches!(what, "conversation" | "gate"),
        _ => false,
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
    fn a_manifest_cannot_list_what_does_not_exist() {
        for good in [
            "net:api.telegram.org",
            "net:*.slack.com:443",
            "net:127.0.0.1:8080",
            "secret:token",
            "hooks:gate",
        ] {
            assert!(known(good), "{good}");
        }
        for bad in [
            "net:",
            "net:*",
            "net:*.*.com",
            "net:http://x",
            "net:a@b",
            "net:host:99999",
            "secret:",
            "everything",
            "hooks:all",
        ] {
            assert!(!known(bad), "{bad}");
        }
    }
}
