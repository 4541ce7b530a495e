//! Which files hold secrets, by where they lie and what they are called. A person is asked before one is read, and mode safe
//! refuses. The list is about what a program keeps in places known to everybody; it cannot know a secret in any other file.

use std::path::{Component, Path};

/// Folders whose whole contents are secret, wherever they are.
const FOLDERS: &[&str] = &[
    ".ssh",
    ".gnupg",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".password-store",
    "keyrings",
    "keychains",
    ".mozilla",
    ".thunderbird",
];

/// The same below a person's own folder, with their parents.
const BELOW_HOME: &[&str] = &[
    ".config/gcloud",
    ".config/gh",
    ".config/op",
    ".config/google-chrome",
    ".config/chromium",
    ".config/git/credentials",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".claude/.credentials.json",
    ".claude.json",
    ".codex/auth.json",
    ".bash_history",
    ".zsh_history",
    ".psql_history",
    ".mysql_history",
    ".node_repl_history",
    ".python_history",
];

/// File names, in lower case.
const NAMES: &[&str] = &[
    ".env",
    ".envrc",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".yarnrc.yml",
    ".pypirc",
    ".pgpass",
    ".my.cnf",
    ".git-credentials",
    ".htpasswd",
    ".vault-token",
    ".dockercfg",
    "credentials",
    "credentials.enc",
    "credentials.json",
    "credentials.toml",
    "credentials.yml",
    "credentials.yaml",
    "client_secret.json",
    "secrets.json",
    "secrets.yml",
    "secrets.yaml",
    "secrets.toml",
    "secrets.enc",
    "token.json",
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_ed25519_sk",
];

/// Endings of file names, in lower case.
const ENDINGS: &[&str] = &[".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk", ".asc"];

/// Files of the system.
const SYSTEM: &[&str] = &["/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/sudoers.d", "/etc/ssl/private"];

/// Whether a plain path is one of a secret.
pub(crate) fn is_secret(path: &Path, user_home: &Path) -> bool {
    let name = |part: &Component<'_>| part.as_os_str().to_string_lossy().to_lowercase();
    let parts: Vec<String> = path.components().map(|part| name(&part)).collect();
    if parts.iter().any(|part| FOLDERS.contains(&part.as_str())) || SYSTEM.iter().any(|place| path.starts_with(place)) {
        return true;
    }
    if BELOW_HOME.iter().any(|place| path.starts_with(user_home.join(place))) {
        return true;
    }
    // What a running program was started with, and its memory.
    let last = parts.last().map(String::as_str).unwrap_or_default();
    if path.starts_with("/proc") && matches!(last, "environ" | "mem" | "cmdline" | "maps" | "kcore") {
        return true;
    }
    let example = [".example", ".sample", ".template", ".dist"].iter().any(|end| last.ends_with(end));
    NAMES.contains(&last)
        || (last.starts_with(".env.") && !example)
        || (last.starts_with("service-account") && last.ends_with(".json"))
        || ENDINGS.iter().any(|end| last.ends_with(end))
}

/// Folders and files of the person that are secret as a whole, for the sandbox.
pub(crate) fn places(user_home: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    FOLDERS
        .iter()
        .chain(BELOW_HOME)
        .chain(NAMES)
        .chain(&[".local/share/keyrings", "Library/Keychains"])
        .map(move |place| user_home.join(place))
}
