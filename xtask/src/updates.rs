//! `updates`: a signed update end to end on this machine. Not part of CI: it installs packages, needs root, and takes a quarter of
//! an hour where everything has to be compiled.
//!
//! Two versions are made of one program (a debug build reads its version from a file in its package, a release build does not), signed
//! with a key made on the spot, and two more that are broken on purpose. `tests/updates` does the rest on the installed program.

use crate::desktop::Stage;
use crate::package::{self, Order};
use crate::process::{Failure, command, exists, output, run};
use crate::{build, setup};
use std::fs;
use std::path::{Path, PathBuf};

/// Versions of the stories, as `tests/updates` has them.
const N: &str = "0.1.0";
const N1: &str = "0.1.1";
/// Versions that are broken: what stands in the place of the program.
const BROKEN: &[(&str, &str, &str)] = &[
    ("never", "0.1.2", "#!/bin/sh\n# Never becomes ready.\nexec sleep 600\n"),
    ("dies", "0.1.3", "#!/bin/sh\n# Ends at once.\nexit 1\n"),
];

/// Makes the packages and compiles the stories, then plays them.
pub(crate) fn run_all(root: &Path) -> Result<(), Failure> {
    able(root)?;
    prepare(root)?;
    play(root)
}

fn able(root: &Path) -> Result<(), Failure> {
    if !exists("dpkg") || output(&mut command(root, "id -u")).is_none_or(|id| id.trim() != "0") {
        return Err(Failure::new(
            "this installs packages: it needs root on a system with dpkg (a container, best)",
        ));
    }
    if output(&mut command(root, "dpkg-query -W kata-agents")).is_some_and(|known| known.split_whitespace().nth(1).is_some()) {
        return Err(Failure::new(
            "kata-agents is installed here; `dpkg -P kata-agents` first, this must not change a real installation",
        ));
    }
    Ok(())
}

/// The packages of every story, into `target/updates`, and the stories compiled.
pub(crate) fn prepare(root: &Path) -> Result<(), Failure> {
    setup::for_tests(root)?;
    setup::npm_packages(root, Path::new("packaging"))?;
    let place = place(root);
    fs::create_dir_all(&place)?;
    let key = Key::make(root, &place)?;
    // One and the same program: a debug build reads its version from a file in the package.
    for (name, version, compiled) in [("n", N, false), ("n1", N1, true)] {
        let order = Order {
            debug: true,
            version: Some(version),
            key: Some(&key.public),
            kinds: &["deb"],
            compiled,
        };
        let made = package::make(root, &order)?;
        let target = place.join(format!("{name}.deb"));
        fs::rename(&made[0], &target)?;
        key.sign(root, &target, version)?;
    }
    for (name, version, program) in BROKEN {
        let target = place.join(format!("{name}.deb"));
        broken(root, &place.join("n1.deb"), &target, version, program)?;
        key.sign(root, &target, version)?;
    }
    let compile = "cargo build --workspace --bin kata --test updates";
    run("compile the stories", &mut command(root, compile))
}

/// The stories, on a screen of their own; the package is gone afterwards.
pub(crate) fn play(root: &Path) -> Result<(), Failure> {
    able(root)?;
    let stage = Stage::open(root)?;
    let line = "cargo test --workspace --test updates -- --nocapture --test-threads=1";
    let outcome = run("updates", stage.command(root, line).env("KATA_UPDATES", place(root)));
    let removed = run("take the package away", &mut command(root, "dpkg -P kata-agents"));
    outcome.and(removed)
}

fn place(root: &Path) -> PathBuf {
    build::target(root).join("updates")
}

/// A key pair for this run.
struct Key {
    private: String,
    public: String,
}

impl Key {
    fn make(root: &Path, place: &Path) -> Result<Self, Failure> {
        let path = place.join("updates.key");
        let mut generate = setup::npm(root, "exec --prefix packaging -- tauri signer generate --ci --force -w");
        generate.arg(&path).args(["-p", ""]).stdout(std::process::Stdio::null());
        run("make a key", &mut generate)?;
        Ok(Self {
            private: fs::read_to_string(&path)?.trim().to_owned(),
            public: fs::read_to_string(path.with_extension("key.pub"))?.trim().to_owned(),
        })
    }

    fn sign(&self, root: &Path, file: &Path, version: &str) -> Result<(), Failure> {
        let mut sign = setup::npm(root, "exec --prefix packaging -- tauri signer sign --app-version");
        sign.arg(version).arg(file).stdout(std::process::Stdio::null());
        sign.env("TAURI_SIGNING_PRIVATE_KEY", &self.private)
            .env("TAURI_SIGNING_PRIVATE_KEY_PASSWORD", "");
        run("sign", &mut sign)
    }
}

/// A package of another version, with another program in it.
fn broken(root: &Path, from: &Path, to: &Path, version: &str, program: &str) -> Result<(), Failure> {
    let tree: PathBuf = to.with_extension("tree");
    let _ = fs::remove_dir_all(&tree);
    run("open a package", command(root, "dpkg-deb -R").arg(from).arg(&tree))?;
    put(&tree.join("usr/bin/kata-agents"), program)?;
    let control = tree.join("DEBIAN/control");
    let text = fs::read_to_string(&control)?.replace(&format!("Version: {N1}"), &format!("Version: {version}"));
    put(&control, &text)?;
    // Their sums are of other files now.
    let _ = fs::remove_file(tree.join("DEBIAN/md5sums"));
    let mut close = command(root, "dpkg-deb --root-owner-group -Zgzip -z1 -b");
    let outcome = run("close it", close.arg(&tree).arg(to));
    fs::remove_dir_all(&tree)?;
    outcome
}

#[expect(clippy::disallowed_methods, reason = "files of a test's package, made anew each time")]
fn put(path: &Path, text: &str) -> Result<(), Failure> {
    Ok(fs::write(path, text)?)
}
