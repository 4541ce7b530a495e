//! Modules the host serves itself: the SDK, and the contract kit behind `@kata-agents/plugin-sdk/testing`, so that
//! `kata plugins check` runs the very cases that vitest runs.

/// The SDK's specifier.
pub(super) const SDK: &str = "@kata-agents/plugin-sdk";
const TESTING: &str = "@kata-agents/plugin-sdk/testing";

macro_rules! kit {
    ($($file:literal),*) => {
        &[$((concat!("@kata-agents/plugin-sdk/testing/", $file), include_str!(concat!("../../../../../plugins/sdk/src/testing/", $file)))),*]
    };
}

const KIT: &[(&str, &str)] = kit!(
    "channel.ts",
    "clock.ts",
    "contract.ts",
    "fetch.ts",
    "host.ts",
    "index.ts",
    "load.ts",
    "service.ts",
    "socket.ts",
    "tool.ts"
);

/// The host's own module that `name` means in module `base`.
pub(super) fn resolve(base: &str, name: &str) -> Option<String> {
    match name {
        SDK => Some(SDK.to_owned()),
        TESTING => Some(format!("{TESTING}/index.ts")),
        _ if base.starts_with(TESTING) => Some(format!("{TESTING}/{}", name.strip_prefix("./")?)),
        _ => None,
    }
}

/// TypeScript of the host's own module.
pub(super) fn source(name: &str) -> Option<&'static str> {
    if name == SDK {
        return Some(include_str!("js/sdk.js"));
    }
    KIT.iter().find(|(known, _)| *known == name).map(|(_, source)| *source)
}
