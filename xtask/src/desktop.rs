//! Starting the real app: for a person (`run`), and for the WebDriver test (`e2e`).

use crate::checks::{Count, count};
use crate::process::{self, Failure, command, exists, run_and_read};
use crate::{build, setup};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Builds and opens the app; without a display, or when asked, the engine without a window.
pub(crate) fn run(root: &Path, headless: bool) -> Result<(), Failure> {
    setup::for_run(root)?;
    build::programs(root)?;
    let display = !cfg!(target_os = "linux") || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if display && !headless {
        return process::run(
            "Kata Agents",
            &mut command(root, &build::program(root, "debug", "kata-agents").to_string_lossy()),
        );
    }
    let kata = build::program(root, "debug", "kata");
    if !headless {
        println!("\nNo display here, so this is the engine without a window. Talk to it from another terminal:");
    } else {
        println!("\nThe engine without a window. Talk to it from another terminal:");
    }
    println!("  {0} status\n  {0} chat -m \"hello\"", kata.display());
    process::run("engine", command(root, &kata.to_string_lossy()).arg("serve"))
}

/// The WebDriver test of the real app, on a screen of its own.
pub(crate) fn end_to_end(root: &Path) -> Result<Count, Failure> {
    setup::for_tests(root)?;
    // crabline stands in for Telegram in one of the stories.
    setup::npm_packages(root, Path::new("tests/peers"))?;
    build::everything(root)?;
    let stage = Stage::open(root)?;
    let mut test = stage.command(root, "cargo test --workspace --test desktop -- --nocapture --test-threads=1");
    let (lines, outcome) = run_and_read("desktop under WebDriver", &mut test);
    outcome.map(|()| count(&lines))
}

/// A screen with a window manager, for as long as it is held.
pub(crate) struct Stage {
    screen: Screen,
    _windows: Running,
}

impl Stage {
    pub(crate) fn open(root: &Path) -> Result<Self, Failure> {
        if !cfg!(target_os = "linux") {
            return Err(Failure::new(
                "the desktop test needs WebKitWebDriver and Xvfb, which exist on Linux only",
            ));
        }
        for program in ["Xvfb", "dbus-run-session", "WebKitWebDriver", "openbox"] {
            if !exists(program) {
                return Err(Failure::new(format!(
                    "“{program}” is needed for the desktop test and is not installed"
                )));
            }
        }
        let screen = Screen::open()?;
        let mut manager = command(root, "openbox");
        let windows = Running(
            manager
                .env("DISPLAY", &screen.name)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?,
        );
        Ok(Self { screen, _windows: windows })
    }

    /// A command that finds the screen, a session bus of its own, the app, and the place for pictures.
    pub(crate) fn command(&self, root: &Path, line: &str) -> Command {
        let mut test = command(root, &format!("dbus-run-session -- {line}"));
        test.env("DISPLAY", &self.screen.name)
            .env_remove("WAYLAND_DISPLAY")
            .env("GDK_BACKEND", "x11")
            .env("CARGO_TERM_COLOR", "never")
            .env("KATA_E2E", "1")
            .env("KATA_E2E_APP", build::program(root, "debug", "kata-agents"))
            .env("KATA_E2E_SCREENSHOTS", build::target(root).join("screenshots"));
        test
    }
}

/// A virtual screen that closes when it is dropped.
struct Screen {
    name: String,
    _server: Running,
}

impl Screen {
    /// Xvfb chooses a free number and writes it when it accepts clients.
    fn open() -> Result<Self, Failure> {
        let mut xvfb = command(Path::new("/"), "Xvfb -displayfd 1 -screen 0 1600x1000x24 -nolisten tcp");
        let mut server = Running(xvfb.stdout(Stdio::piped()).stderr(Stdio::null()).stdin(Stdio::null()).spawn()?);
        let mut number = String::new();
        if let Some(stdout) = server.0.stdout.take() {
            BufReader::new(stdout).read_line(&mut number)?;
        }
        match number.trim() {
            "" => Err(Failure::new("Xvfb did not start")),
            number => Ok(Self {
                name: format!(":{number}"),
                _server: server,
            }),
        }
    }
}

/// A program that ends with us.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
