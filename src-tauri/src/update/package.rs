//! How this program was installed, how a package is put in with the rights it needs, and how the version that runs is kept.
//!
//! Linux packages go through the system's own package manager; a program that is one file (AppImage) is replaced by a rename.
//! Deliberately absent: verifying. Whoever calls has done that, on the very bytes.

use kata_engine::updates::UpdateFault;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// How the program was installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Debian package.
    Deb,
    /// RPM package.
    Rpm,
    /// One file: an AppImage.
    File(PathBuf),
    /// A macOS application.
    Bundle(PathBuf),
    /// A Windows installer, which ends and starts the program itself.
    Installer,
}

impl Kind {
    /// Of the running program; nothing where it was not installed from a package of ours.
    pub(crate) fn of_this_program() -> Option<Self> {
        use tauri::utils::config::BundleType;
        match tauri::utils::platform::bundle_type()? {
            BundleType::Deb => Some(Self::Deb),
            BundleType::Rpm => Some(Self::Rpm),
            BundleType::AppImage => std::env::var_os("APPIMAGE").map(|path| Self::File(path.into())),
            BundleType::App | BundleType::Dmg => {
                let program = std::env::current_exe().ok()?;
                program
                    .ancestors()
                    .find(|path| path.extension().is_some_and(|e| e == "app"))
                    .map(|path| Self::Bundle(path.to_path_buf()))
            }
            BundleType::Msi | BundleType::Nsis => Some(Self::Installer),
        }
    }

    /// Ending of its packages on the shelf.
    pub(crate) fn ending(&self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::File(_) | Self::Bundle(_) | Self::Installer => "bin",
        }
    }

    /// As it stands in the note.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::File(_) => "file",
            Self::Bundle(_) => "folder",
            Self::Installer => "none",
        }
    }
}

/// Why a person has to be there when a package is put in.
pub(crate) fn asks(kind: &Kind) -> Option<String> {
    let package = matches!(kind, Kind::Deb | Kind::Rpm);
    (package && rights() == Rights::Asking).then(|| "installing asks for the password of this machine".to_owned())
}

/// Installs a package file of the system's package manager. Older over newer is fine.
pub(crate) fn install(kind: &str, package: &Path) -> Result<(), UpdateFault> {
    let line: Vec<OsString> = match kind {
        "deb" => vec!["dpkg".into(), "-i".into(), package.into()],
        "rpm" => vec![
            "rpm".into(),
            "-U".into(),
            "--oldpackage".into(),
            "--replacepkgs".into(),
            package.into(),
        ],
        other => return Err(UpdateFault::Other(format!("“{other}” is no kind of package"))),
    };
    let output = as_root(&line)?;
    if output.status.success() {
        return Ok(());
    }
    let said = said(&output);
    tracing::error!(status = %output.status, said, "a package was not installed");
    if said.contains("No space left on device") {
        return Err(UpdateFault::DiskFull("the system has no room for its files".into()));
    }
    Err(UpdateFault::Refused(last_line(&said).unwrap_or_else(|| output.status.to_string())))
}

/// Puts one file in another's place; the old one is what runs, so it is never written into.
pub(crate) fn replace_file(target: &Path, with: &Path) -> io::Result<()> {
    let beside = target.with_extension("kata-new");
    let copied = std::fs::copy(with, &beside)
        .and_then(|_| std::fs::set_permissions(&beside, std::fs::metadata(target)?.permissions()))
        .and_then(|()| std::fs::File::open(&beside)?.sync_all())
        .and_then(|()| std::fs::rename(&beside, target));
    if copied.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    copied
}

/// Keeps the version that runs at `place`, unless its own package lies there already.
pub(crate) fn keep(kind: &Kind, program: &Path, place: &Path) -> Result<(), UpdateFault> {
    if place.exists() {
        return Ok(());
    }
    let lost = |e: io::Error| UpdateFault::NoWayBack(e.to_string());
    match kind {
        Kind::Deb => pack_again(program, place),
        Kind::File(file) => std::fs::copy(file, place).map(drop).map_err(lost),
        Kind::Bundle(folder) => {
            let copied = Command::new("/usr/bin/ditto").arg(folder).arg(place).output().map_err(lost)?;
            if copied.status.success() {
                Ok(())
            } else {
                Err(UpdateFault::NoWayBack(said(&copied)))
            }
        }
        // rpm cannot make a package of what is installed; the first one that was fetched is the first way back.
        Kind::Rpm | Kind::Installer => Ok(()),
    }
}

/// Makes a package of what is installed, as dpkg knows it: for a version that came from elsewhere than our server.
fn pack_again(program: &Path, place: &Path) -> Result<(), UpdateFault> {
    let lost = |what: String| UpdateFault::NoWayBack(what);
    let owner = query(&["-S", &program.to_string_lossy()])?;
    let name = owner.split(':').next().unwrap_or_default().trim().to_owned();
    let tree = place.with_extension("tree");
    let _ = std::fs::remove_dir_all(&tree);
    let outcome = (|| {
        for path in query(&["-L", &name])?.lines().map(Path::new) {
            let Ok(inside) = path.strip_prefix("/") else { continue };
            let target = tree.join(inside);
            let kind = std::fs::symlink_metadata(path).map_err(|e| lost(format!("{}: {e}", path.display())))?;
            let copied = if kind.is_dir() {
                std::fs::create_dir_all(&target)
            } else if kind.is_symlink() {
                link(path, &target)
            } else {
                std::fs::copy(path, &target).map(drop)
            };
            copied.map_err(|e| lost(format!("{}: {e}", path.display())))?;
        }
        let control: String = query(&["-s", &name])?
            .lines()
            .filter(|line| !line.starts_with("Status:") && !line.starts_with("Conffiles:"))
            .map(|line| format!("{line}\n"))
            .collect();
        let debian = tree.join("DEBIAN");
        std::fs::create_dir_all(&debian).map_err(|e| lost(e.to_string()))?;
        for script in ["preinst", "postinst", "prerm", "postrm"] {
            let from = PathBuf::from(format!("/var/lib/dpkg/info/{name}.{script}"));
            if from.is_file() {
                std::fs::copy(&from, debian.join(script)).map_err(|e| lost(e.to_string()))?;
            }
        }
        write_new(&debian.join("control"), control.as_bytes()).map_err(|e| lost(e.to_string()))?;
        let mut build = Command::new("dpkg-deb");
        build.args(["--root-owner-group", "-Zgzip", "-z1", "-b"]).arg(&tree).arg(place);
        let built = build.stdin(Stdio::null()).output().map_err(|e| lost(e.to_string()))?;
        if built.status.success() {
            Ok(())
        } else {
            Err(lost(last_line(&said(&built)).unwrap_or_default()))
        }
    })();
    let _ = std::fs::remove_dir_all(&tree);
    if outcome.is_err() {
        let _ = std::fs::remove_file(place);
    }
    outcome
}

/// A new file in a folder of ours that nobody reads before it is whole.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use io::Write as _;
    let mut file = std::fs::File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn link(path: &Path, target: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(std::fs::read_link(path)?, target)
}

#[cfg(not(unix))]
fn link(path: &Path, target: &Path) -> io::Result<()> {
    std::fs::copy(path, target).map(drop)
}

fn query(arguments: &[&str]) -> Result<String, UpdateFault> {
    let asked = Command::new("dpkg-query").env("LC_ALL", "C").args(arguments).output();
    match asked {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => Err(UpdateFault::NoWayBack(last_line(&said(&output)).unwrap_or_default())),
        Err(e) => Err(UpdateFault::NoWayBack(format!("dpkg-query: {e}"))),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rights {
    Root,
    Sudo,
    Asking,
}

/// How a package can be installed by this account.
fn rights() -> Rights {
    #[cfg(unix)]
    if rustix::process::geteuid().is_root() {
        return Rights::Root;
    }
    let quiet = Command::new("sudo")
        .args(["-n", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if quiet.is_ok_and(|status| status.success()) {
        Rights::Sudo
    } else {
        Rights::Asking
    }
}

fn as_root(line: &[OsString]) -> Result<Output, UpdateFault> {
    let before: &[&str] = match rights() {
        Rights::Root => &[],
        Rights::Sudo => &["sudo", "-n"],
        // Asks in a window of the desktop's own.
        Rights::Asking => &["pkexec"],
    };
    let mut words = before.iter().map(OsString::from).chain(line.iter().cloned());
    let program = words.next().unwrap_or_default();
    let mut command = Command::new(&program);
    command
        .args(words)
        .env("LC_ALL", "C")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null());
    match command.output() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(UpdateFault::NoRights(format!(
            "“{}” is not on this machine, and there is no sudo without a password",
            program.to_string_lossy()
        ))),
        Err(e) => Err(UpdateFault::Refused(e.to_string())),
        // pkexec(1): 126 when it was not given, 127 when it could not be asked for.
        Ok(output) if before == ["pkexec"] && output.status.code() == Some(126) => {
            Err(UpdateFault::NoRights("the password was not given".into()))
        }
        Ok(output) if before == ["pkexec"] && output.status.code() == Some(127) => {
            Err(UpdateFault::NoRights("there was nobody to ask for the password".into()))
        }
        Ok(output) => Ok(output),
    }
}

fn said(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stdout));
    text
}

fn last_line(text: &str) -> Option<String> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let told = lines().find(|line| line.contains("error"));
    told.or_else(|| lines().next_back()).map(str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_anothers_place_whole_with_its_rights_or_not_at_all() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (target, new) = (folder.path().join("app"), folder.path().join("new"));
        std::fs::write(&target, "old").unwrap();
        std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(replace_file(&target, &new).is_err());
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "old");
        std::fs::write(&new, "new").unwrap();
        replace_file(&target, &new).unwrap();
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o755);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_a_package_manager_says_is_shown_by_its_line_of_the_error() {
        let text = "Selecting package\ndpkg: error processing archive x.deb (--install):\n unexpected end of file\nErrors were encountered";
        assert_eq!(last_line(text).unwrap(), "dpkg: error processing archive x.deb (--install):");
        assert_eq!(last_line("a\n\n b \n").unwrap(), "b");
        assert_eq!(last_line("\n"), None);
    }
}
