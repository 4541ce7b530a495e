//! `kata serve` as the measured program: a home of its own, a folder of bundled plugins, the token that opens it.

use crate::Bench;
use crate::plugins::{self, write_file};
use crate::process::{Program, Start, free_port};
use crate::wire::Wire;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

/// Bundled plugins of the repository that are on in every measurement.
pub(crate) const BUNDLED: &[&str] = &["echo", "telegram"];
/// Plugins of the default set.
pub(crate) const PLUGINS: usize = 8;

/// A home folder with its bundled plugins.
pub(crate) struct Home {
    program: PathBuf,
    ui: PathBuf,
    folder: PathBuf,
    /// Folder of the bundled plugins.
    pub(crate) plugins: PathBuf,
}

impl Home {
    /// An empty home named `name` without plugins.
    pub(crate) fn empty(bench: &Bench, name: &str) -> Result<Self> {
        let program = bench.kata.clone().context("Kata Agents is left out")?;
        let folder = bench.work.path().join(name);
        let plugins = folder.join("bundled");
        std::fs::create_dir_all(&plugins)?;
        Ok(Self {
            program,
            ui: bench.root.join("ui/dist"),
            folder,
            plugins,
        })
    }

    /// A home with the bundled plugins and copies of a small one, `count` in all.
    pub(crate) fn with_plugins(bench: &Bench, name: &str, count: usize) -> Result<Self> {
        let home = Self::empty(bench, name)?;
        for plugin in BUNDLED {
            plugins::copy(&bench.root.join("plugins").join(plugin), &home.plugins.join(plugin))?;
        }
        for n in 1..=count.saturating_sub(BUNDLED.len()) {
            plugins::small(&home.plugins, &format!("bench-{n}"), "echo")?;
        }
        Ok(home)
    }

    /// The home folder itself.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// Writes `settings.json`.
    pub(crate) fn settings(&self, settings: &Value) -> Result<()> {
        write_file(&self.path().join("settings.json"), &settings.to_string())
    }

    /// Variables with which any of the programs works in this home.
    pub(crate) fn environment(&self, port: u16) -> Vec<(&'static str, std::ffi::OsString)> {
        let mut all = vec![
            ("KATA_CONFIG_DIR", self.path().into()),
            ("KATA_PLUGINS_DIR", self.plugins.clone().into()),
            ("KATA_SECRETS", "file".into()),
            ("KATA_DEMO_PACE", "0".into()),
            ("KATA_PORT", port.to_string().into()),
        ];
        // `kata` finds the built window by itself where it lies in a target folder; elsewhere it is told.
        if self.ui.is_dir() {
            all.push(("KATA_UI_DIR", self.ui.clone().into()));
        }
        all
    }

    fn command(&self, arguments: &[&str], port: u16) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.folder)
            .envs(self.environment(port));
        command
    }

    /// Starts the engine and waits until it is ready.
    pub(crate) async fn serve(&self) -> Result<(Kata, Start)> {
        let port = free_port()?;
        let log = self.folder.join("serve.log");
        let mut program = Program::spawn(self.command(&["serve", "--no-open"], port), port, &log)?;
        let start = program
            .ready(Duration::from_secs(60))
            .await
            .with_context(|| format!("kata serve: {}", tail(&log)))?;
        let output = self.command(&["token"], port).output().await?;
        let token = String::from_utf8(output.stdout)?.trim().to_owned();
        ensure!(
            output.status.success() && !token.is_empty(),
            "kata token: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok((Kata { program, token }, start))
    }
}

/// A running engine.
pub(crate) struct Kata {
    /// Its process.
    pub(crate) program: Program,
    token: String,
}

impl Kata {
    /// A client that is told nothing by itself.
    pub(crate) async fn client(&self) -> Result<Wire> {
        self.listener(&[]).await
    }

    /// A client that is told these facts.
    pub(crate) async fn listener(&self, topics: &[&str]) -> Result<Wire> {
        Wire::kata(self.program.port, &self.token, topics).await
    }

    /// Waits until `count` plugins are loaded, and gives time and CPU since the start.
    pub(crate) async fn plugins_up(&self, count: usize) -> Result<Start> {
        let mut client = self.client().await?;
        loop {
            let list = client.call("plugin.list", &json!({})).await?;
            let list = list.as_array().context("plugin.list gives no list")?;
            let up = list
                .iter()
                .filter(|plugin| plugin["generation"].as_u64() > Some(0) && plugin["status"]["state"]["kind"] != "starting")
                .count();
            if up >= count {
                return Ok(self.program.since_start());
            }
            ensure!(
                self.program.since_start().wall < 60.0,
                "only {up} of {count} plugins are up after a minute: {list:?}"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// New sessions.
    pub(crate) async fn sessions(&self, count: usize) -> Result<Vec<String>> {
        let mut client = self.client().await?;
        let mut ids = Vec::with_capacity(count);
        for _ in 0..count {
            // Absent parameters are null on purpose: every field of an operation may be left out.
            let session = client.call("session.create", &json!({})).await?;
            ids.push(session["id"].as_str().context("session.create gives no id")?.to_owned());
        }
        Ok(ids)
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        self.program.stop().await;
    }
}

/// The end of a log, for an error message.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}
