//! What the machine says of itself, as values, so that a test can have another one.

use kata_protocol::Ms;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// One machine.
pub(super) struct Machine {
    /// Time now.
    pub now: Ms,
    /// Free bytes on the disk of a folder.
    pub free: fn(&Path) -> Option<u64>,
    /// When a file of the home was changed last.
    pub newest_file: Option<Ms>,
    /// Files a process may have open.
    pub open_files: Option<u64>,
    /// Folders that may be watched.
    pub watches: Option<u64>,
    /// Where authorities are listed; nothing where the system keeps them itself.
    pub authorities: Option<Vec<PathBuf>>,
}

/// Where distributions keep the certificates of authorities in one file.
const AUTHORITIES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

impl Machine {
    /// This one, with the home of the present start.
    pub(super) fn this(home: &Path) -> Self {
        let authorities = std::env::var_os("SSL_CERT_FILE").map(|file| vec![PathBuf::from(file)]);
        let authorities = authorities.unwrap_or_else(|| AUTHORITIES.iter().map(PathBuf::from).collect());
        let changed = home.join("kata.db").metadata().and_then(|file| file.modified()).ok();
        Self {
            now: ms(SystemTime::now()),
            free,
            newest_file: changed.map(ms),
            open_files: open_files(),
            watches: number("/proc/sys/fs/inotify/max_user_watches"),
            authorities: cfg!(target_os = "linux").then_some(authorities),
        }
    }

    /// Authorities that are known; nothing where the system keeps them itself.
    pub(super) fn authorities(&self) -> Option<usize> {
        let files = self.authorities.as_ref()?;
        let text = files.iter().find_map(|file| std::fs::read_to_string(file).ok());
        Some(text.map_or(0, |text| text.matches("BEGIN CERTIFICATE").count()))
    }
}

fn ms(time: SystemTime) -> Ms {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ms(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn number(path: &str) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn free(folder: &Path) -> Option<u64> {
    fs4::available_space(folder).ok()
}

#[cfg(unix)]
fn open_files() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn open_files() -> Option<u64> {
    None
}
