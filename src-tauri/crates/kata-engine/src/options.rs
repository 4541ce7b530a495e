//! What a start is given. The one place of this crate that reads the environment.

use kata_protocol::gateway::DEFAULT_PORT;
use std::path::{Path, PathBuf};

/// How to start an engine.
#[derive(Clone, Debug)]
pub struct Options {
    /// Home folder.
    pub home: PathBuf,
    /// Port that is tried first; absent: settings, then 18790.
    pub port: Option<u16>,
    /// Folder with the built web UI, for browsers; absent: none is served.
    pub ui_dir: Option<PathBuf>,
    /// Folder with the bundled plugins; absent: none.
    pub plugins_dir: Option<PathBuf>,
    /// Whether secrets go to the encrypted file even where a keychain exists (tests, headless machines).
    pub secrets_in_file: bool,
    /// Whether the demo agent paces its answer for the eye.
    pub demo_pace: bool,
    /// Whether plugins stay off this time.
    pub safe: bool,
    /// Environment variables by name, for keys that the person keeps there.
    pub env: fn(&str) -> Option<String>,
}

impl Options {
    /// From the environment: `KATA_CONFIG_DIR` (or `CRAFT_CONFIG_DIR`, or `~/.kata-agents`), `KATA_PORT`, `KATA_UI_DIR`,
    /// `KATA_PLUGINS_DIR`, `KATA_SECRETS=file`, `KATA_DEMO_PACE=0`.
    pub fn from_env() -> Self {
        let home = env("KATA_CONFIG_DIR")
            .or_else(|| env("CRAFT_CONFIG_DIR"))
            .map_or_else(default_home, PathBuf::from);
        Self {
            home,
            port: env("KATA_PORT").and_then(|p| p.parse().ok()),
            ui_dir: env("KATA_UI_DIR")
                .map(PathBuf::from)
                .or_else(|| beside_program("bundled/ui", "ui/dist")),
            plugins_dir: env("KATA_PLUGINS_DIR")
                .map(PathBuf::from)
                .or_else(|| beside_program("bundled/plugins", "plugins")),
            secrets_in_file: env("KATA_SECRETS").as_deref() == Some("file"),
            demo_pace: env("KATA_DEMO_PACE").as_deref() != Some("0"),
            safe: false,
            env,
        }
    }

    /// The home where nothing says otherwise.
    pub fn usual_home() -> PathBuf {
        default_home()
    }

    /// Port to try first when neither option nor settings say.
    pub fn default_port() -> u16 {
        DEFAULT_PORT
    }
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn default_home() -> PathBuf {
    std::env::home_dir().unwrap_or_else(|| PathBuf::from(".")).join(".kata-agents")
}

/// A folder that is shipped beside the program (`../lib/kata-agents/…` on Linux, `../Resources/…` on macOS, next to it on
/// Windows), or, in a build from source, the one in the repository.
fn beside_program(shipped: &str, source: &str) -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?.canonicalize().ok()?;
    let folder = program.parent()?;
    let mut places = vec![
        folder.join("../lib/kata-agents").join(shipped),
        folder.join("../lib/Kata Agents").join(shipped),
        folder.join("../Resources").join(shipped),
        folder.join(shipped),
    ];
    if cfg!(debug_assertions) || program.components().any(|c| c.as_os_str() == "target") {
        places.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(source));
    }
    places.into_iter().find(|p| p.is_dir()).and_then(|p| p.canonicalize().ok())
}
