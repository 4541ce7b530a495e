//! Installs what the build and the tests need, asking nothing. Fast when everything is there: it looks before it installs.
//!
//! Deliberately absent: Rust itself, and Node where the system's packages are too old; it says so instead.

use crate::process::{Failure, command, exists, output, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// Oldest Node that builds the window.
const NODE_MAJOR: u32 = 20;

/// Debian packages the build needs.
const BUILD: &[&str] = &[
    "build-essential",
    "pkg-config",
    "libwebkit2gtk-4.1-dev",
    "libayatana-appindicator3-dev",
    "librsvg2-dev",
    "libssl-dev",
    "libdbus-1-dev",
    "libxdo-dev",
];

/// Debian packages the tests need besides: the sandbox of commands, and what the desktop test takes.
const TEST: &[&str] = &[
    "bubblewrap",
    "xvfb",
    "dbus",
    "dbus-x11",
    "openbox",
    "wmctrl",
    "imagemagick",
    "x11-utils",
    "webkit2gtk-driver",
    "libglib2.0-bin",
    "gnome-keyring",
    "systemd",
];

/// Text in the page that `build.rs` of the shell writes when the window was never built.
const UNBUILT: &str = "kata:window-not-built";

/// For the build, the tests and every npm folder.
pub(crate) fn everything(root: &Path) -> Result<(), Failure> {
    for_tests(root)
}

/// For `run`: libraries, the window's packages and the built window.
pub(crate) fn for_run(root: &Path) -> Result<(), Failure> {
    system_packages(root, BUILD)?;
    node(root)?;
    npm_packages(root, Path::new("ui"))?;
    window(root)
}

/// For `test` and `e2e`.
pub(crate) fn for_tests(root: &Path) -> Result<(), Failure> {
    let all: Vec<&str> = BUILD.iter().chain(TEST).copied().collect();
    system_packages(root, &all)?;
    node(root)?;
    npm_packages(root, Path::new("ui"))?;
    for folder in plugin_packages(root) {
        npm_packages(root, &folder)?;
    }
    window(root)
}

/// Folders below `plugins/` (and itself), and the client, with a test script of their own.
pub(crate) fn plugin_packages(root: &Path) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("plugins"), PathBuf::from("clients/typescript")];
    if let Ok(entries) = fs::read_dir(root.join("plugins")) {
        folders.extend(entries.flatten().map(|e| Path::new("plugins").join(e.file_name())));
    }
    folders.sort();
    folders.retain(|folder| fs::read_to_string(root.join(folder).join("package.json")).is_ok_and(|text| text.contains("\"test\":")));
    folders
}

/// `npm ci`, where the lock file is newer than what is installed.
pub(crate) fn npm_packages(root: &Path, folder: &Path) -> Result<(), Failure> {
    let place = root.join(folder);
    let lock = place.join("package-lock.json");
    if !lock.exists() || is_newer(&place.join("node_modules/.package-lock.json"), &lock) {
        return Ok(());
    }
    let what = format!("packages of {}", folder.display());
    run(&what, &mut npm(&place, "ci --no-audit --no-fund --loglevel=error"))
}

/// An npm call; npm is a script on Windows.
pub(crate) fn npm(place: &Path, arguments: &str) -> Command {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    command(place, &format!("{program} {arguments}"))
}

/// Builds the window where a source of it is newer than the last build.
fn window(root: &Path) -> Result<(), Failure> {
    let ui = root.join("ui");
    let page = ui.join("dist/index.html");
    let built = fs::read_to_string(&page).is_ok_and(|text| !text.contains(UNBUILT));
    if built && newest_source(&ui).is_some_and(|newest| modified(&page).is_some_and(|page| page >= newest)) {
        return Ok(());
    }
    run("build the window", &mut npm(&ui, "run build --silent"))
}

fn newest_source(ui: &Path) -> Option<SystemTime> {
    let mut newest = None;
    let mut waiting = vec![ui.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).ok()?.flatten() {
            let name = entry.file_name();
            if name == "node_modules" || name == "dist" || name.to_string_lossy().starts_with('.') {
                continue;
            }
            let path = entry.path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                newest = newest.max(modified(&path));
            }
        }
    }
    newest
}

fn node(root: &Path) -> Result<(), Failure> {
    let version = || output(&mut command(root, "node --version")).and_then(|v| major(&v));
    if version().is_none() && exists("apt-get") {
        apt_install(root, &["nodejs", "npm"])?;
    }
    match version() {
        Some(found) if found >= NODE_MAJOR => Ok(()),
        Some(found) => Err(Failure::new(format!(
            "Node {NODE_MAJOR} or newer is needed to build the window, this is {found}: install it from https://nodejs.org"
        ))),
        None => Err(Failure::new(format!(
            "Node {NODE_MAJOR} or newer is needed to build the window: install it from https://nodejs.org"
        ))),
    }
}

fn major(version: &str) -> Option<u32> {
    version.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}

/// Debian packages that are not there yet.
pub(crate) fn system_packages(root: &Path, wanted: &[&str]) -> Result<(), Failure> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    if !exists("dpkg-query") || !exists("apt-get") {
        return other_linux(root);
    }
    let missing = missing_packages(root, wanted);
    if missing.is_empty() {
        return Ok(());
    }
    println!("missing system packages: {}", missing.join(" "));
    apt_install(root, &missing)?;
    let still = missing_packages(root, wanted);
    if still.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(format!("apt-get did not install {}", still.join(" "))))
    }
}

fn missing_packages<'a>(root: &Path, wanted: &[&'a str]) -> Vec<&'a str> {
    let mut query = Command::new("dpkg-query");
    // dpkg-query exits with 1 when one of them is unknown, and still lists the others.
    query
        .args(["--show", "--showformat=${db:Status-Abbrev}${Package}\n"])
        .args(wanted)
        .current_dir(root);
    let listed = query
        .output()
        .map(|o| String::from_utf8_lossy(&o.stdout).into_owned())
        .unwrap_or_default();
    let installed: Vec<&str> = listed.lines().filter_map(|line| line.strip_prefix("ii ")).map(str::trim).collect();
    wanted.iter().filter(|name| !installed.contains(name)).copied().collect()
}

fn apt_install(root: &Path, packages: &[&str]) -> Result<(), Failure> {
    let by_hand = format!("apt-get install --yes --no-install-recommends {}", packages.join(" "));
    let is_root = output(&mut command(root, "id -u")).is_some_and(|id| id.trim() == "0");
    let sudo = if is_root {
        ""
    } else if output(&mut command(root, "sudo -n true")).is_some() {
        "sudo -n --preserve-env=DEBIAN_FRONTEND "
    } else {
        return Err(Failure::new(format!(
            "cannot install without a password; run this once yourself:\n  sudo {by_hand}"
        )));
    };
    let quiet = |line: String| {
        let mut apt = command(root, &line);
        apt.env("DEBIAN_FRONTEND", "noninteractive").stdin(std::process::Stdio::null());
        apt
    };
    run(
        "refresh the package list",
        &mut quiet(format!("{sudo}apt-get update --quiet --quiet")),
    )?;
    run("install system packages", &mut quiet(format!("{sudo}{by_hand} --quiet --quiet"))).map_err(|_| {
        Failure::new(format!(
            "the system packages could not be installed; run this once yourself:\n  sudo {by_hand}"
        ))
    })
}

fn other_linux(root: &Path) -> Result<(), Failure> {
    if output(&mut command(
        root,
        "pkg-config --exists webkit2gtk-4.1 ayatana-appindicator3-0.1 librsvg-2.0",
    ))
    .is_some()
    {
        return Ok(());
    }
    Err(Failure::new(
        "WebKitGTK 4.1, Ayatana AppIndicator 3, librsvg and their headers are needed; this system has no apt-get.\n  \
         Fedora: dnf install webkit2gtk4.1-devel libappindicator-gtk3-devel librsvg2-devel openssl-devel dbus-devel libxdo-devel\n  \
         Arch:   pacman -S webkit2gtk-4.1 libappindicator-gtk3 librsvg openssl dbus xdotool base-devel",
    ))
}

fn is_newer(path: &Path, than: &Path) -> bool {
    matches!((modified(path), modified(than)), (Some(a), Some(b)) if a >= b)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|m| m.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_node_prints() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("nonsense"), None);
    }

    #[test]
    fn a_package_that_is_not_installed_is_missing() {
        if exists("dpkg-query") {
            let root = std::env::temp_dir();
            assert_eq!(
                missing_packages(&root, &["dpkg", "there-is-no-such-package"]),
                ["there-is-no-such-package"]
            );
        }
    }

    #[test]
    fn a_file_that_does_not_exist_is_not_newer() {
        assert!(!is_newer(Path::new("/there/is/no/such/file"), Path::new("/")));
    }
}
