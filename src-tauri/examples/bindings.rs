//! Writes the window's commands and events as TypeScript below the given folder (the repository): `cargo xtask gen`.

use anyhow::Context;
use std::path::PathBuf;

fn main() -> anyhow::Result<()> {
    let root = PathBuf::from(std::env::args().nth(1).context("usage: bindings REPOSITORY")?);
    let path = root.join("ui/src/generated/tauri.ts");
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    kata_agents::write_bindings(&path)
}
