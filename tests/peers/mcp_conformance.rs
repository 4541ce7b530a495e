//! The conformance suite of the Model Context Protocol's own project, its scenarios for clients, with the whole program as the client:
//! `mcp/conformance.mjs` adds the suite's server as a source, signs in and tries its tools, as a person would.

use kata_tests::kata_binary;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Scenarios that the suite does not pass, and why.
const SHORT: &[(&str, &str)] = &[(
    "auth/cross-app-access-complete-flow",
    "an extension: an identity provider of a company vouches for the person",
)];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/mcp")
}

/// The suite needs a newer Node than the system may have.
fn suite(args: &[&str]) -> String {
    let node = folder().join("../node_modules/node/bin/node");
    let output = Command::new(node)
        .current_dir(folder())
        .arg("node_modules/@modelcontextprotocol/conformance/dist/index.js")
        .args(args)
        .env("KATA_BIN", kata_binary())
        .output()
        .expect("node runs; `cargo xtask peers mcp` installs the rest");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Checks that passed.
fn passed(said: &str) -> Option<u32> {
    let line = said.lines().find_map(|line| line.trim().strip_prefix("Passed: "))?;
    line.split_once('/')?.0.parse().ok()
}

#[test]
fn mcp_the_conformance_suite_of_the_protocol_passes_but_for_what_is_named() {
    let list = suite(&["list"]);
    let clients = list
        .split("Client scenarios")
        .nth(1)
        .expect("the suite lists its scenarios for clients");
    let names: Vec<&str> = clients
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- ")?.split_whitespace().next())
        .collect();
    assert!(names.len() >= 26, "{list}");
    let node = folder().join("../node_modules/node/bin/node");
    let command = format!("{} {}", node.display(), folder().join("conformance.mjs").display());
    let mut wrong = Vec::new();
    for name in names {
        let said = suite(&["client", "--command", &command, "--scenario", name, "--timeout", "90000"]);
        // A scenario without a check shows nothing, and a warning is a “should” that was not done.
        let passes = said.contains("OVERALL: PASSED") && passed(&said).is_some_and(|count| count > 0);
        println!("{name}: {:?} passed{}", passed(&said), if passes { "" } else { " (short)" });
        if passes == SHORT.iter().any(|(short, _)| *short == name) {
            wrong.push(format!("{name}: {said}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
