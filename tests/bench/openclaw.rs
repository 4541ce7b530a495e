//! OpenClaw as the peer: installed from npm into `.peers/openclaw` (never committed), run under Node 24, loopback only.
//!
//! Its two plugins for the measurements, a hook listener and one that misbehaves, lie in `tests/bench/openclaw/plugins`.

use crate::Bench;
use crate::plugins::write_file;
use crate::process::{Program, Start, free_port};
use crate::wire::Wire;
use anyhow::{Context, Result, ensure};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

/// Version that is measured.
pub(crate) const VERSION: &str = "2026.9.6";
/// Major version of Node that it asks for.
const NODE: &str = "24";
/// Token of the gateway. It opens nothing but a throw-away process on loopback.
const TOKEN: &str = "bench-token-0123456789abcdef";

/// An installation.
pub(crate) struct OpenClaw {
    folder: PathBuf,
}

impl OpenClaw {
    /// Finds the installation, or makes it.
    pub(crate) async fn installed(root: &Path) -> Result<Self> {
        let peer = Self {
            folder: root.join(".peers/openclaw"),
        };
        for (place, package) in [("node", format!("node@{NODE}")), ("app", format!("openclaw@{VERSION}"))] {
            let name = package.split('@').next().unwrap_or_default();
            let folder = peer.folder.join(place);
            if folder.join("node_modules").join(name).join("package.json").is_file() {
                continue;
            }
            crate::say(&format!("installing {package}"));
            write_file(&folder.join("package.json"), r#"{"private":true}"#)?;
            let status = Command::new("npm")
                .args(["install", "--no-audit", "--no-fund", "--loglevel=error", &package])
                .env("PATH", peer.path())
                .current_dir(&folder)
                .status()
                .await
                .context("npm cannot be run")?;
            ensure!(status.success(), "npm could not install {package}");
        }
        Ok(peer)
    }

    /// Node's own program.
    pub(crate) fn node(&self) -> PathBuf {
        self.folder.join("node/node_modules/node/bin/node")
    }

    /// What npm installed.
    pub(crate) fn modules(&self) -> PathBuf {
        self.folder.join("app/node_modules")
    }

    fn path(&self) -> std::ffi::OsString {
        let mut path = self.folder.join("node/node_modules/node/bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
        path
    }

    /// Starts a gateway. Without a plugin it has its default set; with one (a folder of `tests/bench/openclaw/plugins`) only
    /// that. `mode` is what the misbehaving plugin does.
    pub(crate) fn spawn(&self, bench: &Bench, name: &str, plugin: Option<&str>, mode: &str) -> Result<Gateway> {
        let folder = bench.work.path().join(name);
        let state = folder.join("state");
        std::fs::create_dir_all(&state)?;
        if let Some(plugin) = plugin {
            let source = bench.root.join("tests/bench/openclaw/plugins").join(plugin);
            let entry = json!({"enabled": true, "hooks": {"allowConversationAccess": true}});
            let plugins = json!({"load": {"paths": [source]}, "allow": [plugin], "entries": {plugin: entry}});
            write_file(
                &state.join("openclaw.json"),
                &json!({"gateway": {"mode": "local"}, "plugins": plugins}).to_string(),
            )?;
        }
        let port = free_port()?;
        let mut command = Command::new(self.node());
        command
            .arg(self.modules().join("openclaw/openclaw.mjs"))
            .args(["gateway", "run", "--bind", "loopback", "--auth", "token", "--allow-unconfigured"])
            .args(["--token", TOKEN, "--port", &port.to_string()])
            .env_clear()
            .env("PATH", self.path())
            .env("HOME", &folder)
            .env("OPENCLAW_STATE_DIR", &state)
            .env("OPENCLAW_GATEWAY_TOKEN", TOKEN)
            .env("CRASH_MODE", mode)
            .current_dir(&folder);
        Ok(Gateway {
            program: Program::spawn(command, port, &folder.join("gateway.log"))?,
        })
    }

    /// Starts a gateway and waits until it is ready.
    pub(crate) async fn serve(&self, bench: &Bench, name: &str, plugin: Option<&str>) -> Result<(Gateway, Start)> {
        let mut gateway = self.spawn(bench, name, plugin, "none")?;
        let start = gateway.program.ready(Duration::from_secs(180)).await.context("OpenClaw")?;
        Ok((gateway, start))
    }
}

/// A running gateway.
pub(crate) struct Gateway {
    /// Its process.
    pub(crate) program: Program,
}

impl Gateway {
    /// A client with every right.
    pub(crate) async fn client(&self) -> Result<Wire> {
        Wire::openclaw(self.program.port, TOKEN).await
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        self.program.stop().await;
    }
}
