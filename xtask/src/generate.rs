//! Generated files: written from the one table of operations, or compared with it.
//!
//! The generators are two example programs: `gen` of kata-protocol (types, schemas) and `bindings` of the shell (the
//! window's commands and events), and after them `plugins/sdk/scripts/docs.mjs` (the SDK's reference and its types in one
//! file). All write below the folder they are given, so a check writes elsewhere and compares.

use crate::process::{Failure, command, run};
use crate::{build, setup};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders in which every file is generated.
const FOLDERS: &[&str] = &["ui/src/generated", "clients/typescript/src/generated", "docs/schema"];
/// Generated files that stand among written ones.
const FILES: &[&str] = &[
    "plugins/sdk/src/generated.ts",
    "plugins/sdk/kata-plugin-sdk.d.ts",
    "docs/plugins/reference.md",
    "docs/gateway/protocol.md",
    "docs/gateway/operations.md",
];

/// Writes them into the repository.
pub(crate) fn write(root: &Path) -> Result<(), Failure> {
    build::everything(root)?;
    generate(root, root)
}

/// Fails where the repository differs from what would be written.
pub(crate) fn check(root: &Path) -> Result<(), Failure> {
    build::everything(root)?;
    let fresh = build::target(root).join("xtask/generated");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    fs::create_dir_all(&fresh)?;
    generate(root, &fresh)?;
    let stale = differences(root, &fresh);
    if stale.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "generated files differ; run `cargo xtask gen` and commit:\n  {}",
        stale.join("\n  ")
    )))
}

fn generate(root: &Path, into: &Path) -> Result<(), Failure> {
    for example in ["gen", "bindings"] {
        let program = build::program(root, "debug/examples", example);
        run(
            &format!("generate ({example})"),
            command(root, &program.to_string_lossy()).arg(into),
        )?;
    }
    sdk_documents(root, into)
}

/// From the SDK's own declarations, which TypeScript's compiler takes out of its source.
fn sdk_documents(root: &Path, into: &Path) -> Result<(), Failure> {
    setup::npm_packages(root, Path::new("plugins"))?;
    let declarations = build::target(root).join("xtask/sdk");
    if declarations.exists() {
        fs::remove_dir_all(&declarations)?;
    }
    let mut compiler = command(root, "node plugins/node_modules/typescript/lib/tsc.js -p plugins/sdk --outDir");
    run("declarations of the SDK", compiler.arg(&declarations))?;
    let mut writer = command(root, "node plugins/sdk/scripts/docs.mjs");
    run("reference of the SDK", writer.arg(&declarations).arg(into))
}

fn differences(root: &Path, fresh: &Path) -> Vec<String> {
    let mut names: BTreeSet<String> = FILES.iter().map(|f| (*f).to_owned()).collect();
    for folder in FOLDERS {
        for place in [root, fresh] {
            names.extend(files_in(&place.join(folder)).into_iter().map(|name| format!("{folder}/{name}")));
        }
    }
    let read = |place: &Path, name: &String| fs::read_to_string(place.join(name)).ok();
    names.into_iter().filter(|name| read(root, name) != read(fresh, name)).collect()
}

fn files_in(folder: &PathBuf) -> Vec<String> {
    let entries = fs::read_dir(folder)
        .map(|entries| entries.flatten().collect())
        .unwrap_or_else(|_| Vec::new());
    entries
        .iter()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "test files need no safe replacement")]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_appeared_or_vanished_is_a_difference() {
        let place = std::env::temp_dir().join(format!("xtask-generate-{}", std::process::id()));
        let (ours, fresh) = (place.join("ours"), place.join("fresh"));
        for side in [&ours, &fresh] {
            fs::create_dir_all(side.join("docs/schema")).unwrap();
            fs::write(side.join("docs/schema/same.json"), "1").unwrap();
        }
        fs::write(ours.join("docs/schema/changed.json"), "1").unwrap();
        fs::write(fresh.join("docs/schema/changed.json"), "2").unwrap();
        fs::write(ours.join("docs/schema/gone.json"), "1").unwrap();
        fs::write(fresh.join("docs/schema/new.json"), "1").unwrap();
        let found = differences(&ours, &fresh);
        fs::remove_dir_all(&place).unwrap();
        assert_eq!(found, ["docs/schema/changed.json", "docs/schema/gone.json", "docs/schema/new.json"]);
    }
}
