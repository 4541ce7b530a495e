//! The `kata` program as a child process.

use crate::TestHome;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

/// The built program; `cargo xtask test` builds it first.
pub fn kata_binary() -> PathBuf {
    let test = std::env::current_exe().expect("the test has a path");
    let target = test
        .parent()
        .and_then(|deps| deps.parent())
        .expect("tests lie in target/<profile>/deps");
    let kata = target.join(format!("kata{}", std::env::consts::EXE_SUFFIX));
    assert!(
        kata.is_file(),
        "{} is not built: run `cargo build -p kata-cli` or `cargo xtask test`",
        kata.display()
    );
    kata
}

/// Runs `kata` over a home.
pub struct Kata<'a>(pub &'a TestHome);

impl Kata<'_> {
    /// A command with the home's environment.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(kata_binary());
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.0.dir.path())
            .env("KATA_CONFIG_DIR", self.0.path())
            .env("KATA_PLUGINS_DIR", self.0.plugins())
            .env("KATA_SECRETS", "file")
            .env("KATA_DEMO_PACE", "0")
            .env("KATA_PORT", "0");
        if self.0.ca().is_file() {
            // As a person would add it to the system's roots.
            command.env("SSL_CERT_FILE", self.0.ca());
        }
        command
    }

    /// Runs to the end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).stdin(Stdio::null()).output().expect("kata can be run")
    }

    /// Runs with `--json`, expects success, and parses what was printed.
    pub fn json(&self, args: &[&str]) -> Value {
        let output = self.run(&[&["--json"], args].concat());
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success(),
            "kata {args:?}: {}{text}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("kata {args:?} printed no JSON ({e}): {text}"))
    }

    /// Starts `kata serve` and waits until it is ready. `crash_at` names a fault point.
    pub async fn serve(&self, crash_at: Option<&str>) -> Serve {
        let fault: Vec<_> = crash_at.map(|point| ("KATA_CRASH_AT", point)).into_iter().collect();
        self.serve_with(&fault).await
    }

    /// The same with variables of its own.
    pub async fn serve_with(&self, variables: &[(&str, &str)]) -> Serve {
        let mut serve = self.starting_with(variables);
        let file = self.0.path().join("gateway.json");
        crate::eventually("kata serve is ready", async || {
            if variables.is_empty() {
                assert!(
                    serve.0.try_wait().expect("the child can be asked").is_none(),
                    "kata serve ended at once"
                );
            }
            file.is_file().then_some(())
        })
        .await;
        serve
    }

    /// Starts `kata serve` and does not wait for it: it may never be ready.
    pub fn starting_with(&self, variables: &[(&str, &str)]) -> Serve {
        let _ = std::fs::remove_file(self.0.path().join("gateway.json"));
        let mut command = self.command(&["serve"]);
        let child = command
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Serve(child.expect("kata can be run"))
    }
}

/// A running `kata serve`; killed when dropped.
pub struct Serve(Child);

impl Serve {
    /// Waits until the process has died by itself.
    pub async fn died(&mut self) {
        crate::eventually("the process dies at the fault point", async || {
            self.0.try_wait().expect("the child can be asked")
        })
        .await;
    }

    /// Ends it as a person would with Ctrl-C, and waits.
    pub async fn stop(mut self) {
        let pid = self.0.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().expect("kill can be run");
        crate::eventually("the process ends", async || self.0.try_wait().expect("the child can be asked")).await;
    }

    /// Ends it as a power cut would, wherever it is, and waits until it is gone.
    pub fn cut(mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
