//! The longer suites: programs we did not write as peers, and measurements.

use crate::desktop::Stage;
use crate::process::{Failure, command, run};
use crate::{build, setup};
use std::fs;
use std::path::Path;
use std::process::Stdio;

/// What `peers web` fetches: suites that others wrote, and clients and a server for the web globals.
const WEB_CRATES: &str = "url = \"=2.5.8\"\nwycheproof = \"=0.6.0\"\n";
const WEB_PACKAGES: &str = "ws@8.23.0 reconnecting-websocket@4.4.0 eventsource@5.1.5 eventsource-parser@4.1.3";

/// Each suite of `peers` by its name; `all` is every one.
const PEERS: &[&str] = &[
    "telegram", "slack", "discord", "matrix", "email", "webhook", "whatsapp", "mqtt", "mcp", "google", "oauth", "phone", "python",
    "window", "judges", "web", "all",
];

/// Our plugins, models and fakes against programs that others wrote: one of [`PEERS`].
pub(crate) fn peers(root: &Path, name: &str) -> Result<(), Failure> {
    if !PEERS.contains(&name) {
        return Err(Failure::new(format!("peers has no suite “{name}”; it has: {}", PEERS.join(", "))));
    }
    setup::for_run(root)?;
    setup::npm_packages(root, Path::new("tests/peers"))?;
    setup::npm_packages(root, Path::new("tests/peers/judges"))?;
    if matches!(name, "whatsapp" | "all") {
        let place = Path::new("external/whatsapp-linked");
        setup::npm_packages(root, place)?;
        run(
            "WhatsApp as a linked device",
            &mut setup::npm(&root.join(place), "run --silent build"),
        )?;
        run("its own tests", &mut setup::npm(&root.join(place), "test --silent"))?;
        run(
            "it and crabline, without the app",
            &mut command(root, "node --test tests/peers/whatsapp/linked.mjs"),
        )?;
    }
    if matches!(name, "discord" | "all") {
        setup::npm_packages(root, Path::new("tests/peers/discord"))?;
        fetch_python(root, "discord")?;
        build_serenity(root)?;
    }
    if matches!(name, "email" | "all") {
        setup::system_packages(root, &["dovecot-imapd", "dovecot-lmtpd"])?;
        fetch_python(root, "email")?;
    }
    if matches!(name, "mqtt" | "all") {
        setup::system_packages(root, &["mosquitto", "mosquitto-clients"])?;
    }
    if matches!(name, "python" | "all") {
        fetch_python(root, "python")?;
        setup::npm_packages(root, Path::new("clients/typescript"))?;
        run(
            "build the TypeScript client",
            &mut setup::npm(&root.join("clients/typescript"), "run build --silent"),
        )?;
    }
    if matches!(name, "mcp" | "all") {
        setup::npm_packages(root, Path::new("tests/peers/mcp"))?;
        fetch_python(root, "mcp")?;
    }
    if matches!(name, "google" | "all") {
        setup::npm_packages(root, Path::new("tests/peers/google"))?;
        fetch_python(root, "google")?;
    }
    if matches!(name, "oauth" | "all") {
        setup::npm_packages(root, Path::new("tests/peers/oauth"))?;
    }
    if matches!(name, "phone" | "all") {
        setup::npm_packages(root, Path::new("tests/peers/phone"))?;
        setup::system_packages(root, &["chromium"])?;
    }
    if matches!(name, "web" | "all") {
        fetch_web(root)?;
    }
    if matches!(name, "matrix" | "window" | "all") {
        fetch_python(root, "matrix")?;
    }
    if matches!(name, "slack" | "window" | "all") {
        setup::npm_packages(root, Path::new("tests/peers/slack"))?;
        fetch_python(root, "slack")?;
    }
    if matches!(name, "telegram" | "all") {
        setup::npm_packages(root, Path::new("tests/peers/telegram"))?;
        fetch_python(root, "telegram")?;
        fetch_bot_api(root)?;
    }
    build::everything(root)?;
    let line = "cargo test --workspace --test peers -- --nocapture --test-threads=1";
    // One suite works in the window.
    let stage = matches!(name, "window" | "all").then(|| Stage::open(root)).transpose()?;
    let mut test = match &stage {
        Some(stage) => stage.command(root, line),
        None => command(root, line),
    };
    if name != "all" {
        // `telegram` means both of its files, `web` is not `webhook`, and other suites speak of Python too. The window has a suite of its own.
        test.arg(if matches!(name, "web" | "window" | "python") {
            format!("{name}::")
        } else {
            name.to_owned()
        });
        if name != "window" {
            test.args(["--skip", "window::"]);
        }
    }
    run("peers", test.env("KATA_BIN", build::program(root, "debug", "kata")))
}

/// Sources of the crates and packages of `peers web` into `target/peers-web`, by the registries' own clients.
#[expect(
    clippy::disallowed_methods,
    reason = "what was cut off is fetched again: the note that all is there comes last"
)]
fn fetch_web(root: &Path) -> Result<(), Failure> {
    let place = root.join("target/peers-web");
    let done = place.join("fetched");
    let wanted = format!("{WEB_CRATES}{WEB_PACKAGES}");
    if fs::read_to_string(&done).is_ok_and(|had| had == wanted) {
        return Ok(());
    }
    fs::create_dir_all(place.join("src"))?;
    fs::write(place.join("src/lib.rs"), "")?;
    let head = "[package]\nname = \"peers-web\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n";
    fs::write(place.join("Cargo.toml"), format!("{head}{WEB_CRATES}"))?;
    run(
        "suites from crates.io",
        command(&place, "cargo vendor --quiet vendor").stdout(Stdio::null()),
    )?;
    let install = format!("install --no-audit --no-fund --loglevel=error --prefix . {WEB_PACKAGES}");
    run("clients and server from npm", &mut setup::npm(&place, &install))?;
    fs::write(done, wanted)?;
    Ok(())
}

/// serenity as a judge: a workspace of its own, so that nothing of it stands in the app's lock file.
fn build_serenity(root: &Path) -> Result<(), Failure> {
    let line =
        "cargo build --quiet --locked --manifest-path tests/peers/judges/serenity/Cargo.toml --target-dir target/peers-discord/serenity";
    run("serenity as a judge", &mut command(root, line))
}

/// What `tests/peers/NAME/requirements.txt` names into `target/peers-NAME`, by pip.
#[expect(
    clippy::disallowed_methods,
    reason = "what was cut off is fetched again: the note that all is there comes last"
)]
fn fetch_python(root: &Path, name: &str) -> Result<(), Failure> {
    let place = root.join(format!("target/peers-{name}"));
    let list = root.join(format!("tests/peers/{name}/requirements.txt"));
    let done = place.join("fetched");
    let wanted = fs::read_to_string(&list)?;
    if fs::read_to_string(&done).is_ok_and(|had| had == wanted) {
        return Ok(());
    }
    fs::create_dir_all(&place)?;
    run("a place for Python packages", &mut command(&place, "python3 -m venv v"))?;
    let mut install = command(&place, "v/bin/python -m pip install --quiet --disable-pip-version-check -r");
    run("packages from PyPI", install.arg(list))?;
    fs::write(done, wanted)?;
    Ok(())
}

/// The Bot API's description, which lies in aiogram's source archive and in none of its wheels, into `target/peers-telegram`.
fn fetch_bot_api(root: &Path) -> Result<(), Failure> {
    let place = root.join("target/peers-telegram");
    if place.join("aiogram-3.31.0/.butcher/schema/schema.json").is_file() {
        return Ok(());
    }
    let download = "v/bin/python -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: aiogram==3.31.0";
    run("the Bot API's description from PyPI", &mut command(&place, download))?;
    run("unpack it", &mut command(&place, "tar xzf aiogram-3.31.0.tar.gz"))
}

/// The fault matrix of `tests/it/faults.rs` with more messages than CI has time for.
pub(crate) fn faults(root: &Path, messages: &str) -> Result<(), Failure> {
    build::everything(root)?;
    let mut test = command(root, "cargo test --workspace --test it -- --nocapture --test-threads=1 faults::");
    run("faults", test.env("KATA_FAULT_MESSAGES", messages))
}

/// `kill -9` at random under load, under the program's own unit and the real systemd, more often than CI has time for.
pub(crate) fn kills(root: &Path, kills: &str) -> Result<(), Failure> {
    setup::for_tests(root)?;
    build::everything(root)?;
    let serve = "cargo test --workspace --test it -- --nocapture --test-threads=1 supervised::";
    run("kata serve is killed", command(root, serve).env("KATA_KILLS", kills))?;
    let stage = Stage::open(root)?;
    let app = "cargo test --workspace --test desktop -- --nocapture --test-threads=1 started_at_login";
    run("the app is killed", stage.command(root, app).env("KATA_KILLS", kills))
}

/// Memory and wake-ups at rest, on a screen of its own: the programs that `KATA_BIN` and `KATA_APP` name, else a release build.
pub(crate) fn rest(root: &Path, arguments: &[&str]) -> Result<(), Failure> {
    setup::for_tests(root)?;
    let given = ["KATA_BIN", "KATA_APP"].iter().all(|name| std::env::var_os(name).is_some());
    let (profile, flag) = if given { ("debug", "") } else { ("release", " --release") };
    let compile = format!("cargo build{flag} --workspace --bin kata-agents --bin kata --bin bench");
    run("compile", &mut command(root, &compile))?;
    let stage = Stage::open(root)?;
    let program = build::program(root, profile, "bench");
    let mut bench = stage.command(root, &program.to_string_lossy());
    bench.args(["--only", "rest", "--no-peer"]).args(arguments);
    if !given {
        bench
            .env("KATA_BIN", build::program(root, profile, "kata"))
            .env("KATA_APP", build::program(root, profile, "kata-agents"));
    }
    run("rest", &mut bench)
}

/// The load program, release build; what follows `bench` goes to it.
pub(crate) fn bench(root: &Path, rest: &[&str]) -> Result<(), Failure> {
    setup::for_run(root)?;
    let compile = "cargo build --release --workspace --bin kata-agents --bin kata --bin bench --bin plugin-bench";
    run("compile for release", &mut command(root, compile))?;
    let program = build::program(root, "release", "bench");
    let mut bench = command(root, &program.to_string_lossy());
    bench.args(rest);
    bench
        .env("KATA_BIN", build::program(root, "release", "kata"))
        .env("KATA_APP", build::program(root, "release", "kata-agents"));
    run("bench", &mut bench)
}
