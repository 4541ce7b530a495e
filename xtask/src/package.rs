//! `package`: the Debian and the RPM package, with everything in them that a person needs, and a look whether it is there.
//!
//! The programs are compiled as always, stripped, and handed to `tauri bundle`, which `packaging/package.json` pins. With a key in
//! `TAURI_SIGNING_PRIVATE_KEY` each package is signed for its version; `KATA_UPDATE_PUBKEY` is the key that the program will know
//! updates by. Neighbour: [`crate::latest`] makes the list of a release from what lies here. Deliberately absent: what only its own
//! system can make (dmg, nsis, msi; `.github/workflows/release.yml`), and a key.

use crate::process::{Failure, command, output, run};
use crate::{build, setup};
use std::fs;
use std::path::{Path, PathBuf};

/// What is to be made.
pub(crate) struct Order<'a> {
    /// Unoptimised, for tests.
    pub(crate) debug: bool,
    /// Another version than that of the sources.
    pub(crate) version: Option<&'a str>,
    /// Public key for updates; absent: the one in the environment, or none.
    pub(crate) key: Option<&'a str>,
    /// Packages: `deb`, `rpm`.
    pub(crate) kinds: &'a [&'a str],
    /// The programs are compiled already; a debug build reads its version from a file in the package.
    pub(crate) compiled: bool,
}

/// Files that have to be in a package, besides the plugins.
const WANTED: &[&str] = &[
    "/usr/bin/kata",
    "/usr/bin/kata-agents",
    "/usr/lib/Kata Agents/bundled/ui/index.html",
    "/usr/lib/Kata Agents/bundled/plugins/echo/index.ts",
    "/usr/share/applications/Kata Agents.desktop",
    "/usr/share/icons/hicolor/16x16/apps/kata-agents.png",
    "/usr/share/icons/hicolor/32x32/apps/kata-agents.png",
    "/usr/share/icons/hicolor/48x48/apps/kata-agents.png",
    "/usr/share/icons/hicolor/128x128/apps/kata-agents.png",
    "/usr/share/icons/hicolor/512x512/apps/kata-agents.png",
    "/usr/share/icons/hicolor/scalable/apps/kata-agents.svg",
];

/// Optional files of the command line, by where they come from and where they go.
const COMMAND_LINE: &[(&str, &str)] = &[
    ("docs/man/kata.1", "/usr/share/man/man1/kata.1"),
    ("packaging/completions/kata.bash", "/usr/share/bash-completion/completions/kata"),
    ("packaging/completions/_kata", "/usr/share/zsh/site-functions/_kata"),
    ("packaging/completions/kata.fish", "/usr/share/fish/vendor_completions.d/kata.fish"),
];

/// `cargo xtask package`.
pub(crate) fn command_line(root: &Path, debug: bool) -> Result<(), Failure> {
    let kinds: &[&str] = if crate::process::exists("rpm") || !debug {
        &["deb", "rpm"]
    } else {
        &["deb"]
    };
    let order = Order {
        debug,
        version: None,
        key: None,
        kinds,
        compiled: false,
    };
    setup::for_run(root)?;
    for package in make(root, &order)? {
        let bytes = fs::metadata(&package)?.len();
        println!("{}  {:.1} MB", package.display(), bytes as f64 / 1e6);
    }
    Ok(())
}

/// Makes packages and looks into them. Their paths.
pub(crate) fn make(root: &Path, order: &Order<'_>) -> Result<Vec<PathBuf>, Failure> {
    setup::npm_packages(root, Path::new("packaging"))?;
    let version = match order.version {
        Some(version) => version.to_owned(),
        None => version_of(&fs::read_to_string(root.join("tauri.conf.json"))?)?,
    };
    let environment_key = std::env::var("KATA_UPDATE_PUBKEY").unwrap_or_default();
    let key = order.key.unwrap_or(&environment_key);
    let compiled_in = format!("{{\"version\":\"{version}\",\"plugins\":{{\"updater\":{{\"pubkey\":\"{key}\"}}}}}}");
    let profile = if order.debug { "debug" } else { "release" };
    let mut line = "cargo build --workspace --bin kata-agents --bin kata".to_owned();
    if !order.debug {
        line.push_str(" --release");
    }
    if !order.compiled {
        run(
            &format!("compile version {version}"),
            command(root, &line).env("TAURI_CONFIG", &compiled_in),
        )?;
    }
    // A folder of its own, where the bundler finds the stripped programs, and writes into one of them which package it is for.
    let stage = build::target(root).join("package");
    fs::create_dir_all(stage.join(profile))?;
    for name in ["kata", "kata-agents"] {
        let (from, to) = (build::program(root, profile, name), stage.join(profile).join(name));
        let mut strip = command(root, "strip -o");
        run("strip", strip.arg(to).arg(from))?;
    }
    let config = stage.join("bundle.json");
    let mut files = vec![format!("\"/usr/bin/kata\":\"{}\"", stage.join(profile).join("kata").display())];
    if order.debug && order.version.is_some() {
        put(&stage.join("version"), &version)?;
        files.push(format!(
            "\"/usr/lib/Kata Agents/bundled/version\":\"{}\"",
            stage.join("version").display()
        ));
    }
    put(&config, &bundle_config(root, &version, files))?;
    let mut bundle = setup::npm(root, "exec --prefix packaging -- tauri bundle --ci --no-sign -b");
    bundle
        .args(order.kinds)
        .arg("--config")
        .arg(&config)
        .env("CARGO_TARGET_DIR", &stage);
    if order.debug {
        bundle.arg("--debug");
    }
    run("bundle", &mut bundle)?;
    let mut made = Vec::new();
    for kind in order.kinds {
        let package = collect(&stage.join(profile).join("bundle").join(kind), kind, &version, &stage.join("out"))?;
        look_into(root, &package)?;
        made.push(package);
    }
    if std::env::var_os("TAURI_SIGNING_PRIVATE_KEY").is_some() {
        for package in &made {
            sign(root, package, &version)?;
        }
    }
    Ok(made)
}

/// Signs a file for a version, with the key in the environment; the signature lies beside it.
pub(crate) fn sign(root: &Path, file: &Path, version: &str) -> Result<(), Failure> {
    let mut sign = setup::npm(root, "exec --prefix packaging -- tauri signer sign --app-version");
    run("sign", sign.arg(version).arg(file))
}

/// Puts a text where the bundler reads it.
#[expect(clippy::disallowed_methods, reason = "made anew each time, and read by nobody else")]
fn put(path: &Path, text: &str) -> Result<(), Failure> {
    Ok(fs::write(path, text)?)
}

/// What the bundler is told besides `tauri.conf.json`.
fn bundle_config(root: &Path, version: &str, mut files: Vec<String>) -> String {
    let there = COMMAND_LINE.iter().filter(|(from, _)| root.join(from).is_file());
    files.extend(there.map(|(from, to)| format!("\"{to}\":\"{from}\"")));
    let files = files.join(",");
    format!(
        "{{\"version\":\"{version}\",\"bundle\":{{\"linux\":{{\"deb\":{{\"files\":{{{files}}}}},\"rpm\":{{\"files\":{{{files}}}}}}}}}}}"
    )
}

/// Takes the made package under a name without spaces.
fn collect(folder: &Path, kind: &str, version: &str, out: &Path) -> Result<PathBuf, Failure> {
    fs::create_dir_all(out)?;
    let here = |name: &str| name.contains(version) && name.ends_with(&format!(".{kind}"));
    let made = fs::read_dir(folder)?
        .flatten()
        .find(|entry| here(&entry.file_name().to_string_lossy()));
    let made = made.ok_or_else(|| Failure::new(format!("no {kind} of version {version} lies in {}", folder.display())))?;
    let name = made.file_name().to_string_lossy().replace("Kata Agents", "kata-agents");
    let target = out.join(name);
    fs::copy(made.path(), &target)?;
    Ok(target)
}

/// Names what is missing in a package.
fn look_into(root: &Path, package: &Path) -> Result<(), Failure> {
    let is_deb = package.extension().is_some_and(|e| e == "deb");
    let mut list = command(root, if is_deb { "dpkg-deb -c" } else { "rpm -qpl" });
    let listed = output(list.arg(package)).ok_or_else(|| Failure::new(format!("{} cannot be read", package.display())))?;
    let missing = missing(&listed, &bundled_plugins(root)?);
    if missing.is_empty() {
        println!("    {} has all that belongs in it", package.display());
        return Ok(());
    }
    Err(Failure::new(format!("{} lacks {}", package.display(), missing.join(", "))))
}

/// Ids of the plugins that come with the app.
fn bundled_plugins(root: &Path) -> Result<Vec<String>, Failure> {
    let entries = fs::read_dir(root.join("plugins"))?.flatten();
    let mut ids: Vec<_> = entries
        .filter(|entry| entry.path().join("kata-plugin.json").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    ids.sort();
    Ok(ids)
}

/// What a listing (of `dpkg-deb -c` or `rpm -qpl`) does not have.
fn missing(listed: &str, plugins: &[String]) -> Vec<String> {
    let mut wanted: Vec<String> = WANTED.iter().map(|path| (*path).to_owned()).collect();
    let of = |id: &String| format!("/usr/lib/Kata Agents/bundled/plugins/{id}/kata-plugin.json");
    wanted.extend(plugins.iter().map(of));
    let has = |path: &String| {
        listed.lines().any(|line| {
            line == path || line.ends_with(&format!(" {}", path.trim_start_matches('/'))) || line.ends_with(&format!(" .{path}"))
        })
    };
    wanted.retain(|path| !has(path));
    wanted
}

/// The version in `tauri.conf.json`.
pub(crate) fn version_of(config: &str) -> Result<String, Failure> {
    let line = config.lines().find(|line| line.trim_start().starts_with("\"version\":"));
    let version = line.and_then(|line| line.split('"').nth(3));
    version
        .map(str::to_owned)
        .ok_or_else(|| Failure::new("tauri.conf.json has no version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(path: impl Fn(&str) -> String) -> String {
        WANTED.iter().map(|wanted| path(wanted)).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_a_package_lacks_is_named_in_both_kinds_of_listing() {
        let rpm = listing(str::to_owned);
        let deb = listing(|path| format!("-rw-r--r-- 0/0  1 2026-11-26 18:19 {}", path.trim_start_matches('/')));
        for listed in [&rpm, &deb] {
            assert_eq!(missing(listed, &[]), [""; 0]);
            assert_eq!(
                missing(listed, &["slack".into()]),
                ["/usr/lib/Kata Agents/bundled/plugins/slack/kata-plugin.json"]
            );
        }
        let without = deb
            .lines()
            .filter(|line| !line.ends_with("usr/bin/kata"))
            .collect::<Vec<_>>()
            .join("\n");
        assert_eq!(missing(&without, &[]), ["/usr/bin/kata"]);
    }

    #[test]
    fn every_plugin_that_comes_with_the_app_and_every_icon_stands_in_the_configuration() {
        let root = crate::repository();
        let config = fs::read_to_string(root.join("tauri.conf.json")).unwrap();
        let plugins = bundled_plugins(&root).unwrap();
        assert!(plugins.len() > 10, "{plugins:?}");
        for id in plugins {
            let place = format!("\"bundled/plugins/{id}/kata-plugin.json\"");
            assert!(config.contains(&place), "{id} is not in bundle.resources");
        }
        for icon in config.split('"').filter(|text| text.starts_with("icons/")) {
            assert!(root.join(icon).is_file(), "{icon}");
        }
        assert!(config.contains("\"requireSignedVersion\": true"));
    }

    #[test]
    fn the_template_of_the_menu_entry_takes_links_and_hands_them_over() {
        let template = fs::read_to_string(crate::repository().join("packaging/linux/kata-agents.desktop")).unwrap();
        assert!(template.contains("Exec={{exec}} %u\n") && template.contains("MimeType=x-scheme-handler/kata;\n"));
    }

    #[test]
    fn the_version_is_the_one_of_the_workspace() {
        let root = crate::repository();
        let version = version_of(&fs::read_to_string(root.join("tauri.conf.json")).unwrap()).unwrap();
        let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
        assert!(
            manifest.contains(&format!("[workspace.package]\nversion = \"{version}\"")),
            "{version}"
        );
    }
}
