//! Sizes on disk: what a person's machine holds after an installation.

use crate::report::Report;
use crate::{Bench, kata, plugins};
use anyhow::{Context, Result};
use std::path::Path;
use tokio::process::Command;

/// Fills the rows of size.
pub(crate) async fn run(bench: &Bench, report: &mut Report) -> Result<()> {
    if let Some(program) = &bench.kata {
        // Put together as a package would hold it.
        let package = bench.work.path().join("package");
        std::fs::create_dir_all(&package)?;
        for plugin in kata::BUNDLED {
            plugins::copy(&bench.root.join("plugins").join(plugin), &package.join("plugins").join(plugin))?;
        }
        let window = bench.root.join("ui/dist");
        if window.is_dir() {
            done(Command::new("cp").arg("-r").arg(&window).arg(package.join("ui")), "cp").await?;
        } else {
            report.note("The window was not built; it is missing in the sizes.");
        }
        stripped(program, &package.join("kata")).await?;
        report.ours("size", bytes(&package) / 1e6);
        report.ours("size_packed", packed(&package).await? / 1e6);
        if let Some(app) = &bench.app {
            stripped(app, &package.join("kata-agents")).await?;
            report.ours("size_desktop", bytes(&package) / 1e6);
        }
    }
    if let Some(peer) = &bench.peer {
        let node = std::fs::metadata(peer.node()).context("Node's program")?.len();
        #[expect(clippy::cast_precision_loss, reason = "a size to three digits")]
        report.peer("size", (bytes(&peer.modules()) + node as f64) / 1e6);
    }
    Ok(())
}

/// A copy without symbols. A release build has none; a debug build is cut here so that the figure is of the right kind.
async fn stripped(program: &Path, to: &Path) -> Result<()> {
    done(Command::new("strip").arg("-o").arg(to).arg(program), "strip").await
}

async fn packed(folder: &Path) -> Result<f64> {
    let archive = folder.with_extension("tar.gz");
    done(Command::new("tar").arg("-czf").arg(&archive).arg("-C").arg(folder).arg("."), "tar").await?;
    #[expect(clippy::cast_precision_loss, reason = "a size to three digits")]
    Ok(std::fs::metadata(archive)?.len() as f64)
}

async fn done(command: &mut Command, name: &str) -> Result<()> {
    let status = command.status().await.with_context(|| format!("{name} cannot be run"))?;
    anyhow::ensure!(status.success(), "{name} failed");
    Ok(())
}

/// Sum of the lengths of all files below, links not followed.
fn bytes(folder: &Path) -> f64 {
    let mut sum = 0_u64;
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                waiting.push(entry.path());
            } else {
                sum += metadata.len();
            }
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a size to three digits")]
    let sum = sum as f64;
    sum
}
