//! Asking a server for a newer version and fetching its package, with Tauri's updater; every failure in our own words.
//!
//! A package counts only where it was signed with the key that was built in, for exactly the version the server announces
//! (`requireSignedVersion`). Another server can be named (in the settings, or in debug builds by `KATA_UPDATE_SERVER`); another key
//! cannot.

use kata_engine::updates::{Progress, Release, Shelf, UpdateFault};
use kata_protocol::{Ms, UpdateChannel};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;
use tauri::{AppHandle, Url};
use tauri_plugin_updater::{Error, Update, UpdaterExt as _};

/// Time for the answer what is new.
const LOOK: Duration = Duration::from_secs(30);
/// Time in which a server has to be reached, and in which something has to come in a download.
const SILENCE: Duration = Duration::from_secs(45);
/// Files with the newest release, one per channel.
const FILES: [(UpdateChannel, &str); 2] = [(UpdateChannel::Stable, "latest.json"), (UpdateChannel::Beta, "latest-beta.json")];

/// A version that a server offers.
#[derive(Clone)]
pub(super) struct Found(Update);

/// Public key that packages have to be signed with; empty where this build has none.
pub(super) fn key(app: &AppHandle) -> String {
    let config = app.config().plugins.0.get("updater");
    let key = config.and_then(|config| config.get("pubkey")?.as_str());
    key.unwrap_or_default().to_owned()
}

/// Asks.
pub(super) async fn look(app: &AppHandle, channel: UpdateChannel, server: Option<&str>) -> Result<Option<Found>, UpdateFault> {
    let mut builder = app.updater_builder().timeout(LOOK);
    if let Some(address) = address(app, channel, server)? {
        builder = builder.endpoints(vec![address]).map_err(|e| words(&e))?;
    }
    let builder = builder.configure_client(|client| client.connect_timeout(SILENCE).read_timeout(SILENCE));
    let found = builder.build().map_err(|e| words(&e))?.check().await.map_err(|e| words(&e))?;
    Ok(found.map(Found))
}

/// Address of a channel's newest release: of a server that was named, else of those that were built in, in the order of [`FILES`].
fn address(app: &AppHandle, channel: UpdateChannel, server: Option<&str>) -> Result<Option<Url>, UpdateFault> {
    let (index, file) = FILES
        .iter()
        .enumerate()
        .find(|(_, (of, _))| *of == channel)
        .map_or((0, FILES[0].1), |(index, (_, file))| (index, *file));
    let tested = std::env::var("KATA_UPDATE_SERVER").ok().filter(|_| cfg!(debug_assertions));
    if let Some(server) = tested.as_deref().or(server) {
        return below(server, file).map(Some);
    }
    let config = app.config().plugins.0.get("updater");
    let built_in = config.and_then(|config| config.get("endpoints")?.get(index)?.as_str());
    Ok(built_in.and_then(|address| address.parse().ok()))
}

/// A file in the folder of a server.
fn below(server: &str, file: &str) -> Result<Url, UpdateFault> {
    let bad = || UpdateFault::Unreachable(format!("“{server}” in the settings is no address of a folder"));
    let mut folder: Url = server.parse().map_err(|_| bad())?;
    if !folder.path().ends_with('/') {
        folder.set_path(&format!("{}/", folder.path()));
    }
    folder.join(file).map_err(|_| bad())
}

impl Found {
    pub(super) fn version(&self) -> &str {
        &self.0.version
    }

    pub(super) fn release(&self) -> Release {
        Release {
            version: self.0.version.clone(),
            notes: self.0.body.clone().filter(|notes| !notes.trim().is_empty()),
            published_at: self
                .0
                .date
                .and_then(|date| u64::try_from(date.unix_timestamp()).ok())
                .map(|seconds| Ms(seconds * 1000)),
        }
    }

    pub(super) fn verify(&self, bytes: &[u8]) -> Result<(), UpdateFault> {
        self.0.verify(bytes).map_err(|e| words(&e))
    }

    /// Where the updater knows better than a package manager how: macOS and Windows.
    pub(super) fn install(&self, bytes: &[u8]) -> Result<(), UpdateFault> {
        self.0.install(bytes).map_err(|e| words(&e))
    }

    /// Fetches the package to `place`; one that lies there whole already is not fetched again.
    pub(super) async fn fetch(&self, shelf: &Shelf, place: &Path, progress: Progress<'_>) -> Result<(), UpdateFault> {
        if std::fs::read(place).is_ok_and(|bytes| self.verify(&bytes).is_ok()) {
            return Ok(());
        }
        shelf.make().map_err(|e| room(&e, place))?;
        let mut done = 0;
        let mut said = None;
        let fetched = self.0.download(
            |chunk, total| {
                done += chunk as u64;
                said = total;
                progress(done, total);
            },
            || {},
        );
        let bytes = match fetched.await {
            Ok(bytes) => bytes,
            Err(error) => {
                return Err(match (&error, said) {
                    (Error::Reqwest(_), Some(total)) => UpdateFault::Cut(format!("{done} of {total} bytes came")),
                    (Error::Reqwest(e), None) if done > 0 => UpdateFault::Cut(root(e)),
                    _ => words(&error),
                });
            }
        };
        keep(place, &bytes, &self.0.signature).map_err(|e| room(&e, place))
    }
}

/// Writes a package with its signature beside it; half of one never lies under its name.
fn keep(place: &Path, bytes: &[u8], signature: &str) -> io::Result<()> {
    let part = place.with_extension("part");
    let written = (|| {
        let mut file = std::fs::File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        let mut file = std::fs::File::create(place.with_extension("sig"))?;
        file.write_all(signature.as_bytes())?;
        std::fs::rename(&part, place)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    written
}

fn room(error: &io::Error, place: &Path) -> UpdateFault {
    let folder = place.parent().unwrap_or(place).display();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => UpdateFault::DiskFull(format!("{folder} is on a full disk")),
        _ => UpdateFault::Other(format!("{folder}: {error}")),
    }
}

/// What the updater says, as a reason of ours.
fn words(error: &Error) -> UpdateFault {
    match error {
        Error::Minisign(_) | Error::Base64(_) | Error::SignatureUtf8(_) => UpdateFault::Tampered,
        Error::SignedVersionMismatch { signed, announced } => UpdateFault::Inflated {
            signed: signed.clone(),
            announced: announced.clone(),
        },
        Error::MissingSignedVersion => UpdateFault::Unversioned,
        Error::InsecureTransportProtocol => UpdateFault::Insecure,
        Error::TargetNotFound(target) => UpdateFault::NoPackage(target.clone()),
        Error::TargetsNotFound(targets) => UpdateFault::NoPackage(targets.join(", ")),
        Error::Serialization(e) => UpdateFault::NoRelease(e.to_string()),
        Error::Semver(e) => UpdateFault::NoRelease(e.to_string()),
        Error::ReleaseNotFound => UpdateFault::NoRelease("it has no file of that name".into()),
        Error::Network(what) => UpdateFault::Cut(what.clone()),
        Error::Reqwest(e) if e.is_decode() && !e.is_body() => UpdateFault::NoRelease(root(e)),
        Error::Reqwest(e) if e.is_body() => UpdateFault::Cut(root(e)),
        Error::Reqwest(e) => UpdateFault::Unreachable(root(e)),
        Error::Io(e) if e.kind() == io::ErrorKind::StorageFull => UpdateFault::DiskFull(e.to_string()),
        Error::Io(e) if e.kind() == io::ErrorKind::PermissionDenied => UpdateFault::NoRights(e.to_string()),
        Error::AuthenticationFailed => UpdateFault::NoRights("the password was not given".into()),
        other => UpdateFault::Other(other.to_string()),
    }
}

/// The innermost reason; what stands around it repeats the address.
fn root(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_folder_with_a_file_for_each_channel() {
        assert_eq!(
            below("https://x.example/kata", "latest.json").unwrap().as_str(),
            "https://x.example/kata/latest.json"
        );
        assert_eq!(
            below("https://x.example/kata/", "latest-beta.json").unwrap().as_str(),
            "https://x.example/kata/latest-beta.json"
        );
        assert!(matches!(below("kata", "latest.json"), Err(UpdateFault::Unreachable(_))));
    }

    #[test]
    fn what_the_updater_refuses_is_said_in_our_words() {
        let mismatch = Error::SignedVersionMismatch {
            signed: "1.0.0".into(),
            announced: "9.0.0".into(),
        };
        assert_eq!(
            words(&mismatch),
            UpdateFault::Inflated {
                signed: "1.0.0".into(),
                announced: "9.0.0".into()
            }
        );
        assert_eq!(words(&Error::MissingSignedVersion), UpdateFault::Unversioned);
        assert_eq!(words(&Error::InsecureTransportProtocol), UpdateFault::Insecure);
        assert!(
            matches!(words(&Error::TargetsNotFound(vec!["linux-x86_64-deb".into()])), UpdateFault::NoPackage(what) if what.contains("deb"))
        );
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert!(matches!(room(&full, Path::new("/home/updates/a.deb")), UpdateFault::DiskFull(what) if what.contains("/home/updates")));
    }

    #[test]
    fn the_list_of_a_release_is_read_by_the_updater_itself() {
        let text = include_str!("../../../tests/fixtures/latest.json");
        let release: tauri_plugin_updater::RemoteRelease = serde_json::from_str(text).unwrap();
        assert_eq!((release.version.to_string(), release.pub_date.is_some()), ("0.2.0".into(), true));
        for (target, ending) in [
            ("linux-x86_64-deb", "_amd64.deb"),
            ("linux-x86_64-rpm", ".x86_64.rpm"),
            ("darwin-aarch64-app", "Kata%20Agents.app.tar.gz"),
            ("darwin-x86_64-app", "Kata%20Agents.app.tar.gz"),
            ("windows-x86_64-nsis", "_x64-setup.exe"),
        ] {
            let url = release.download_url(target).unwrap();
            assert!(
                url.as_str().ends_with(ending) && !release.signature(target).unwrap().is_empty(),
                "{url}"
            );
        }
    }

    #[test]
    fn a_package_that_was_half_written_never_lies_under_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("kata-agents-2.0.0.deb");
        keep(&place, b"package", "signature").unwrap();
        assert_eq!(std::fs::read(&place).unwrap(), b"package");
        assert_eq!(std::fs::read(place.with_extension("sig")).unwrap(), b"signature");
        assert!(!place.with_extension("part").exists());
    }
}
