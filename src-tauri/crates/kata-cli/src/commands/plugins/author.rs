//! What an author does without a running engine: a new plugin, a check, a package.

use super::types;
use crate::commands::connect;
use crate::failure::{Exit, Failure};
use crate::render;
use crate::screen::Screen;
use kata_engine::author;
use kata_protocol::{PluginCreate, PluginId, PluginTemplate};
use serde_json::json;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A plugin that is to be.
pub(super) struct New {
    pub(super) id: PluginId,
    pub(super) template: PluginTemplate,
    pub(super) name: Option<String>,
    pub(super) dir: Option<PathBuf>,
}

/// Writes a new plugin into a folder of the person's choice.
pub(super) fn write(screen: &Screen, new: &New) -> Result<(), Failure> {
    let folder = new.dir.clone().unwrap_or_else(|| PathBuf::from(new.id.as_str()));
    let failed = |path: &Path, e: std::io::Error| Failure::new(Exit::Failure, format!("{}: {e}", path.display()));
    let taken = fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken || folder.is_file() {
        return Err(Failure::new(Exit::Failure, format!("{} exists already", folder.display())).hint("--dir names another folder"));
    }
    let files = author::new_plugin(new.template, &new.id, new.name.as_deref());
    for file in &files {
        let path = folder.join(file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| failed(parent, e))?;
        }
        // Only ever a file that was not there: nothing of the person's can be lost.
        let mut opened = fs::File::create_new(&path).map_err(|e| failed(&path, e))?;
        opened.write_all(file.text.as_bytes()).map_err(|e| failed(&path, e))?;
    }
    let names: Vec<&str> = files.iter().map(|f| f.path).collect();
    let shown = folder.display().to_string();
    screen.result(&json!({"id": new.id, "folder": shown, "files": names}), |_| {
        let visible = names.iter().filter(|n| !n.starts_with('.'));
        let list: String = visible.map(|n| format!("  {n}\n")).collect();
        format!("{shown}\n{list}\nkata plugins check {shown}   looks it over\nkata plugins dev {shown}     runs it while you write\n")
    })
}

/// Has the engine write it into its extensions folder.
pub(super) async fn create(screen: &Screen, home: &Path, new: New) -> Result<(), Failure> {
    let create = PluginCreate {
        id: new.id,
        template: new.template,
        name: new.name,
    };
    let detail = connect(home).await?.plugin_create(create).await?;
    screen.result(&detail, |d| {
        let (id, path) = (&d.summary.id, render::line(&d.summary.path, 200));
        format!("{path}\n\n{id} runs; saving a file loads it again\nkata plugins dev {path}   shows what comes of it\n")
    })
}

/// Packs a folder; beside it where the person stands in it.
pub(super) fn pack(screen: &Screen, folder: &Path, out: Option<&Path>) -> Result<(), Failure> {
    let here = std::env::current_dir()?;
    let own = folder.canonicalize().ok().filter(|folder| here.starts_with(folder));
    let place = own.as_deref().and_then(Path::parent).unwrap_or(&here);
    let packed = author::pack(folder, out, place).map_err(|unfit| Failure::new(Exit::Failure, unfit.reason).hint(unfit.hint))?;
    screen.result(&packed, |p| {
        let files: String = p
            .files
            .iter()
            .map(|f| format!("  {:>8}  {}\n", f.bytes.0, render::line(&f.path, 120)))
            .collect();
        format!("{}\n{files}  sha256    {}\n", p.path.display(), p.hash)
    })
}

/// Checks a folder. The exit code is 1 when something must be mended.
pub(super) async fn check(screen: &Screen, folder: &Path) -> Result<(), Failure> {
    let mut report = screen.working("checking", author::check(folder)).await;
    let source_stands = !report
        .findings
        .iter()
        .any(|f| f.verdict == author::Verdict::Error && f.step <= author::Step::Source);
    if source_stands {
        report.findings.extend(types::check(folder).await);
        report.findings.sort_by_key(|f| f.step);
    }
    screen.result(&report, render::report)?;
    if report.failed() {
        let errors = report.findings.iter().filter(|f| f.verdict == author::Verdict::Error).count();
        return Err(Failure::new(
            Exit::Failure,
            format!("{errors} thing{} must be mended", if errors == 1 { "" } else { "s" }),
        ));
    }
    Ok(())
}
