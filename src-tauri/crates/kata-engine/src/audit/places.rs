//! Files of the home: who else may read them, where secrets lie, old copies.

use super::finding;
use kata_protocol::{Backup, Finding, Ms, Severity};
use kata_store::HomePaths;
use std::path::Path;

/// A copy older than this is one nobody thinks of any more.
const OLD_MS: u64 = 90 * 24 * 3600 * 1000;
/// Files with secrets, or with what opens them.
const SECRET: &[&str] = &["secrets.enc", "secrets.key", "credentials.enc", "gateway.json"];
/// Files with what was written.
const PRIVATE: &[&str] = &["kata.db", "sessions.wal", "settings.json"];

pub(super) fn judge(home: &HomePaths, in_file: bool, backups: &[Backup], now: Ms) -> Vec<Finding> {
    let root = home.root();
    let mut all = Vec::new();
    if let Some(mode) = open_to_others(root) {
        all.push(finding(
            "home.readable",
            Severity::Warning,
            root.display().to_string(),
            format!("Other people of this machine can look into the folder with your sessions (mode {mode:o})."),
            format!("`chmod 700 {}`", root.display()),
        ));
    }
    for (names, severity) in [(SECRET, Severity::Critical), (PRIVATE, Severity::Warning)] {
        for path in names.iter().map(|name| root.join(name)) {
            if let Some(mode) = open_to_others(&path) {
                let what = if severity == Severity::Critical {
                    "secrets"
                } else {
                    "what was written"
                };
                all.push(finding(
                    "file.readable",
                    severity,
                    path.display().to_string(),
                    format!("Other people of this machine may be able to read {what} in it (mode {mode:o})."),
                    format!("`chmod 600 {}`", path.display()),
                ));
            }
        }
    }
    if in_file {
        all.push(finding(
            "secrets.in_file",
            Severity::Warning,
            root.join("secrets.enc").display().to_string(),
            "Secrets are in a file whose key lies beside it: whoever can read your files can read them.",
            "unlock or set up the system's keychain and start again without KATA_SECRETS=file; secrets have to be given anew then",
        ));
    }
    let old: Vec<&Backup> = backups.iter().filter(|b| b.at.0 + OLD_MS < now.0).collect();
    if let Some(oldest) = old.last() {
        all.push(finding(
            "backup.old",
            Severity::Info,
            &oldest.path,
            format!(
                "{} copies of your home are older than 90 days; secrets in them are still good where they were not changed.",
                old.len()
            ),
            "delete those you do not need",
        ));
    }
    for backup in backups {
        if let Some(mode) = open_to_others(Path::new(&backup.path)) {
            let told = format!("Other people of this machine may be able to read this copy of your home (mode {mode:o}).");
            all.push(finding(
                "file.readable",
                Severity::Critical,
                &backup.path,
                told,
                format!("`chmod 600 {}`", backup.path),
            ));
        }
    }
    all
}

/// Its mode, where others than the owner may read or write it.
#[cfg(unix)]
fn open_to_others(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_to_others(_: &Path) -> Option<u32> {
    None
}
