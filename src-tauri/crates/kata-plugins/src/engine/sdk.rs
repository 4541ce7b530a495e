//! Modules the host serves itself: the SDK; what plugins share, behind `@kata-agents/plugin-sdk/` `markdown`, `sending`, `mail` and
//! `google`; and the contract kit behind `@kata-agents/plugin-sdk/testing`, so that `kata plugins check` runs the very cases that
//! vitest runs.

/// The SDK's specifier.
pub(super) const SDK: &str = "@kata-agents/plugin-sdk";
/// Folders of modules below it; each has an `index.ts`.
const FOLDERS: &[&str] = &["google", "mail", "markdown", "sending", "testing"];

macro_rules! modules {
    ($($folder:literal: $($file:literal),*;)*) => {
        &[$($((
            concat!("@kata-agents/plugin-sdk/", $folder, "/", $file),
            include_str!(concat!("../../../../../plugins/sdk/src/", $folder, "/", $file)),
        )),*),*]
    };
}

const MODULES: &[(&str, &str)] = modules! {
    "google": "api.ts", "failures.ts", "index.ts", "json.ts", "quota.ts";
    "mail": "bytes.ts", "charset.ts", "compose.ts", "headers.ts", "html.ts", "index.ts", "judge.ts", "quote.ts";
    "markdown": "ast.ts", "blocks.ts", "dialect.ts", "flow.ts", "grapheme.ts", "index.ts", "inline.ts", "render.ts", "swap.ts", "table.ts";
    "sending": "backoff.ts", "clock.ts", "index.ts", "names.ts", "partial.ts", "request.ts";
    "testing": "channel.ts", "clock.ts", "contract.ts", "fetch.ts", "host.ts", "index.ts", "jobs.ts", "load.ts", "looks.ts", "service.ts", "socket.ts", "talks.ts", "tcp.ts", "tool.ts";
};

/// The host's own module that `name` means in module `base`.
pub(super) fn resolve(base: &str, name: &str) -> Option<String> {
    if name == SDK {
        return Some(SDK.to_owned());
    }
    if let Some(folder) = name.strip_prefix(SDK).and_then(|rest| rest.strip_prefix('/')) {
        return FOLDERS.contains(&folder).then(|| format!("{name}/index.ts"));
    }
    // Within a folder its modules name each other.
    let folder = base.strip_prefix(SDK)?.strip_prefix('/')?.split('/').next()?;
    Some(format!("{SDK}/{folder}/{}", name.strip_prefix("./")?))
}

/// Whether a plugin may import this name from the host.
pub fn is_of_the_sdk(specifier: &str) -> bool {
    let folder = specifier.strip_prefix(SDK).map(|rest| rest.strip_prefix('/').unwrap_or(rest));
    folder.is_some_and(|folder| specifier == SDK || FOLDERS.contains(&folder))
}

/// TypeScript of the host's own module.
pub(super) fn source(name: &str) -> Option<&'static str> {
    if name == SDK {
        return Some(include_str!("js/sdk.js"));
    }
    MODULES.iter().find(|(known, _)| *known == name).map(|(_, source)| *source)
}
