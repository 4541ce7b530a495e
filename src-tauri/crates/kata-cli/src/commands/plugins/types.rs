//! Types, which only TypeScript's compiler knows: it is asked where it is installed, and said to be skipped where it is not.

use kata_engine::author::{Finding, Step, Verdict};
use kata_protocol::SourcePosition;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// Time the compiler gets.
const PATIENCE: Duration = Duration::from_secs(120);
/// Most findings shown.
const MAX: usize = 50;

/// What the compiler says of a folder.
pub(super) async fn check(folder: &Path) -> Vec<Finding> {
    let Ok(folder) = folder.canonicalize() else { return Vec::new() };
    if !folder.join("tsconfig.json").is_file() {
        return skipped("there is no tsconfig.json", "`kata plugins new` shows one that fits");
    }
    let Some(compiler) = find(&folder) else {
        return skipped(
            "TypeScript's compiler is not installed",
            "`npm install --global typescript`, or `npm install --save-dev typescript` in the folder; the plugin itself needs neither",
        );
    };
    let run = Command::new(&compiler)
        .args(["--noEmit", "--pretty", "false", "-p"])
        .arg(&folder)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(PATIENCE, run).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return skipped(&format!("{} cannot be run: {error}", compiler.display()), "reinstall TypeScript"),
        Err(_) => return skipped("TypeScript's compiler did not end", "run `tsc --noEmit` yourself"),
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found: Vec<Finding> = text.lines().filter_map(finding).take(MAX).collect();
    if output.status.success() {
        return vec![Finding::new(Step::Types, Verdict::Ok, format!("{} agrees", compiler.display()))];
    }
    if found.is_empty() {
        let words = text.lines().next().unwrap_or("it gave no reason").to_owned();
        return vec![Finding::new(
            Step::Types,
            Verdict::Error,
            format!("{} failed: {words}", compiler.display()),
        )];
    }
    found
}

fn skipped(why: &str, hint: &str) -> Vec<Finding> {
    let mut finding = Finding::new(Step::Types, Verdict::Skipped, why);
    finding.hint = Some(hint.to_owned());
    vec![finding]
}

/// `tsc` of the nearest `node_modules`, else the one in PATH.
fn find(folder: &Path) -> Option<PathBuf> {
    let names: &[&str] = if cfg!(windows) { &["tsc.cmd", "tsc.exe"] } else { &["tsc"] };
    let near = folder.ancestors().map(|place| place.join("node_modules/.bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = near.chain(std::env::split_paths(&path).collect::<Vec<_>>());
    all.flat_map(|place| names.iter().map(move |name| place.join(name)))
        .find(|p| p.is_file())
}

/// `index.ts(3,14): error TS2322: …`
fn finding(line: &str) -> Option<Finding> {
    let (place, rest) = line.split_once("): ")?;
    let (file, numbers) = place.rsplit_once('(')?;
    let (row, column) = numbers.split_once(',')?;
    let message = rest.strip_prefix("error ")?;
    let mut finding = Finding::new(Step::Types, Verdict::Error, message);
    finding.at = Some(SourcePosition {
        file: file.to_owned(),
        line: row.parse().ok()?,
        column: column.parse().ok()?,
    });
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_compiler_keeps_its_place() {
        let found = finding("lib/a.ts(3,14): error TS2322: Type 'string' is not assignable to type 'number'.").unwrap();
        let at = found.at.unwrap();
        assert_eq!((at.file.as_str(), at.line, at.column), ("lib/a.ts", 3, 14));
        assert_eq!(found.message, "TS2322: Type 'string' is not assignable to type 'number'.");
        assert_eq!(finding("  Types of property 'a' are incompatible."), None);
    }
}
