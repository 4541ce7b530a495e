//! Rule `floors`: edges between our crates point downward, and each heavy dependency sits behind exactly one crate.

use super::{Finding, Source, Tree};

const RULE: &str = "floors";

/// Our crates by floor. Two on the same floor never see each other.
const FLOORS: &[(&str, u8)] = &[
    ("kata-protocol", 0),
    ("kata-core", 1),
    ("kata-plugins", 2),
    ("kata-agent", 2),
    ("kata-store", 2),
    ("kata-tools", 2),
    ("kata-sources", 2),
    ("kata-gateway", 2),
    ("kata-oauth", 2),
    ("kata-engine", 3),
    ("kata-cli", 4),
    ("kata-agents", 4),
    ("kata-tests", 5),
    ("kata-fuzz", 5),
];

/// A dependency, who may name it in what ships, and who may name it in tests or behind an optional feature.
const HEAVY: &[(&str, &[&str], &[&str])] = &[
    ("tauri", &["kata-agents"], &[]),
    ("rquickjs", &["kata-plugins"], &[]),
    ("oxc", &["kata-plugins"], &[]),
    ("rusqlite", &["kata-store"], &[]),
    ("rusqlite_migration", &["kata-store"], &[]),
    // kata-agent serves scripted fakes of model providers to the tests (feature `fake`, never in a program).
    (
        "axum",
        &["kata-gateway"],
        &["kata-agent", "kata-oauth", "kata-plugins", "kata-sources", "kata-tools"],
    ),
    ("oauth2", &["kata-oauth"], &[]),
    // The gateway checks what a device signs, and hashes tokens; an app with a key signs who it is.
    ("aws-lc-rs", &["kata-gateway", "kata-oauth", "kata-plugins"], &[]),
    ("keyring-core", &["kata-engine"], &[]),
    ("rmcp", &["kata-sources"], &[]),
    ("yaml-rust2", &["kata-engine"], &[]),
    ("tree-sitter", &["kata-tools"], &[]),
    ("landlock", &["kata-tools"], &[]),
    ("seccompiler", &["kata-tools"], &[]),
];

/// One line of a manifest's dependency tables.
#[derive(Debug, PartialEq, Eq)]
struct Dependency {
    name: String,
    line: usize,
    /// Does not ship: a dev-dependency, or optional behind a feature.
    apart: bool,
}

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree
        .files
        .iter()
        .filter(|f| f.path == "Cargo.toml" || f.path.ends_with("/Cargo.toml"))
    {
        let Some(package) = package_name(&file.text) else { continue };
        for dependency in dependencies(&file.text) {
            findings.extend(edge(file, &package, &dependency));
            findings.extend(heavy(file, &package, &dependency));
        }
    }
    findings
}

fn edge(file: &Source, package: &str, dependency: &Dependency) -> Option<Finding> {
    if !dependency.name.starts_with("kata-") {
        return None;
    }
    let refuse = |words: String| Some(Finding::new(RULE, &file.path, dependency.line, words));
    let (Some(from), Some(to)) = (floor(package), floor(&dependency.name)) else {
        return refuse(format!(
            "{package} → {}: give both a floor in xtask/src/tidy/floors.rs",
            dependency.name
        ));
    };
    if to < from {
        None
    } else {
        refuse(format!(
            "{package} (floor {from}) may not depend on {} (floor {to})",
            dependency.name
        ))
    }
}

fn heavy(file: &Source, package: &str, dependency: &Dependency) -> Option<Finding> {
    let name = if dependency.name.starts_with("tauri") {
        "tauri"
    } else {
        dependency.name.as_str()
    };
    let (_, ships, apart) = HEAVY.iter().find(|(heavy, _, _)| *heavy == name)?;
    let allowed = ships.contains(&package) || package == "kata-tests" && name != "tauri" || dependency.apart && apart.contains(&package);
    (!allowed).then(|| {
        Finding::new(
            RULE,
            &file.path,
            dependency.line,
            format!("only {} may name {}", ships.join(", "), dependency.name),
        )
    })
}

fn floor(package: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == package).map(|(_, floor)| *floor)
}

fn package_name(manifest: &str) -> Option<String> {
    let package = manifest
        .lines()
        .skip_while(|l| l.trim() != "[package]")
        .skip(1)
        .take_while(|l| !l.starts_with('['));
    package
        .filter_map(|l| l.strip_prefix("name"))
        .find_map(|rest| rest.split('"').nth(1).map(str::to_owned))
}

fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    let mut table = String::new();
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            table = header.trim_end_matches(']').to_owned();
            // `[dependencies.name]` is one dependency written as a table.
            if let Some((kind, name)) = table.rsplit_once("dependencies.") {
                found.push(Dependency {
                    name: name.to_owned(),
                    line: index + 1,
                    apart: kind.ends_with("dev-"),
                });
            }
            continue;
        }
        if !table.ends_with("dependencies") || table.starts_with("workspace") || line.starts_with('#') {
            continue;
        }
        if let Some((left, right)) = line.split_once('=') {
            let name = left.trim().split('.').next().unwrap_or_default().trim_matches('"').to_owned();
            let apart = table.ends_with("dev-dependencies") || right.contains("optional = true");
            found.push(Dependency {
                name,
                line: index + 1,
                apart,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, manifest: &str) -> Vec<String> {
        check(&Tree::of(&[(path, manifest)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_edge_that_points_up_or_sideways_is_refused() {
        let up = found(
            "c/Cargo.toml",
            "[package]\nname = \"kata-core\"\n[dependencies]\nkata-engine.workspace = true\n",
        );
        assert_eq!(
            up,
            ["c/Cargo.toml:4 [floors] kata-core (floor 1) may not depend on kata-engine (floor 3)"]
        );
        let sideways = found(
            "c/Cargo.toml",
            "[package]\nname = \"kata-plugins\"\n[dependencies]\nkata-gateway.workspace = true\n",
        );
        assert_eq!(sideways.len(), 1);
        let down = found(
            "c/Cargo.toml",
            "[package]\nname = \"kata-engine\"\n[dependencies]\nkata-core.workspace = true\n",
        );
        assert_eq!(down, [""; 0]);
    }

    #[test]
    fn a_crate_without_a_floor_is_refused() {
        let manifest = "[package]\nname = \"kata-new\"\n[dependencies]\nkata-core.workspace = true\n";
        assert_eq!(found("n/Cargo.toml", manifest).len(), 1);
    }

    #[test]
    fn nothing_below_floor_4_names_tauri_in_any_table() {
        for table in [
            "dependencies",
            "dev-dependencies",
            "build-dependencies",
            "target.'cfg(unix)'.dependencies",
        ] {
            let manifest = format!("[package]\nname = \"kata-engine\"\n[{table}]\ntauri-plugin-shell = \"2\"\n");
            assert_eq!(found("e/Cargo.toml", &manifest).len(), 1, "{table}");
        }
        let table = "[package]\nname = \"kata-cli\"\n[dependencies.tauri]\nversion = \"2\"\n";
        assert_eq!(found("e/Cargo.toml", table).len(), 1);
        let shell = "[package]\nname = \"kata-agents\"\n[dependencies]\ntauri.workspace = true\n";
        assert_eq!(found("Cargo.toml", shell), [""; 0]);
    }

    #[test]
    fn a_heavy_dependency_sits_behind_one_crate() {
        let with = |package: &str, line: &str| {
            found(
                "x/Cargo.toml",
                &format!("[package]\nname = \"{package}\"\n[dependencies]\n{line}\n"),
            )
            .len()
        };
        assert_eq!(with("kata-engine", "rusqlite.workspace = true"), 1);
        assert_eq!(with("kata-core", "rquickjs.workspace = true"), 1);
        assert_eq!(with("kata-engine", "axum = { workspace = true }"), 1);
        assert_eq!(with("kata-gateway", "axum = { workspace = true }"), 0);
        assert_eq!(with("kata-agent", "axum = { workspace = true }"), 1, "a fake never ships");
        assert_eq!(with("kata-agent", "axum = { workspace = true, optional = true }"), 0);
    }

    #[test]
    fn the_list_of_versions_in_the_workspace_is_no_edge() {
        assert_eq!(
            found(
                "Cargo.toml",
                "[workspace.dependencies]\nrusqlite = \"1\"\n[package]\nname = \"kata-agents\"\n"
            ),
            [""; 0]
        );
    }
}
