//! Every attack on the plugin host, each in a process of its own: whatever a plugin does, the host goes on, the innocent
//! plugin answers during and after it, the guilty one is named, and the process does not grow.
//!
//! The attacks are data: `tests/hostile/attacks`. One test a class; within a class one after the other, so that no more run
//! at once than there are test threads.

use serde_json::Value;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The program that plays one attack; cargo builds it before this test.
const HOSTILE: &str = env!("CARGO_BIN_EXE_hostile");
/// A process that says nothing for so long is taken for dead. Its own steps have limits of half a minute each.
const PATIENCE: Duration = Duration::from_secs(150);

fn listed(class: &str) -> Vec<String> {
    let output = Command::new(HOSTILE).args(["list", class]).output().expect("the list is printed");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// What was wrong with one attack; `None` when it was contained.
async fn wrong(class: &str, attack: &str) -> Option<String> {
    let child = tokio::process::Command::new(HOSTILE)
        .args(["run", class, attack])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .output();
    let output = match tokio::time::timeout(PATIENCE, child).await {
        Ok(output) => output.expect("the process can be run"),
        Err(_) => return Some(format!("{attack}: the process hangs")),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let report: Option<Value> = text.lines().last().and_then(|line| serde_json::from_str(line).ok());
    match report {
        Some(report) if output.status.success() && report["contained"] == true => None,
        Some(report) => Some(format!("{attack}: {report:#}")),
        None => Some(format!(
            "{attack}: {}: {text}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

async fn all_contained(class: &str, at_least: usize) {
    let attacks = listed(class);
    assert!(attacks.len() >= at_least, "only {} attacks in {class}", attacks.len());
    let mut found = Vec::new();
    for attack in &attacks {
        found.extend(wrong(class, attack).await);
    }
    assert!(
        found.is_empty(),
        "{} of {} were not contained:\n{}",
        found.len(),
        attacks.len(),
        found.join("\n")
    );
}

#[tokio::test]
async fn code_without_an_end_is_contained_at_every_door() {
    all_contained("loops", 40).await;
}

#[tokio::test]
async fn native_loops_are_contained_the_fourteen_that_the_engine_does_not_stop_among_them() {
    all_contained("natives", 45).await;
}

#[tokio::test]
async fn memory_without_an_end_is_contained() {
    all_contained("memory", 30).await;
}

#[tokio::test]
async fn depth_without_an_end_is_contained_in_calls_data_source_and_patterns() {
    all_contained("recursion", 40).await;
}

#[tokio::test]
async fn promises_that_breed_hang_or_fail_unheard_are_contained() {
    all_contained("promises", 25).await;
}

#[tokio::test]
async fn floods_of_what_is_allowed_are_contained() {
    all_contained("floods", 35).await;
}

#[tokio::test]
async fn lies_at_the_border_are_contained() {
    all_contained("results", 28).await;
}

#[tokio::test]
async fn hands_on_what_everybody_shares_are_contained() {
    all_contained("tampering", 40).await;
}

#[tokio::test]
async fn modules_of_every_shape_and_size_are_contained() {
    all_contained("modules", 22).await;
}

#[tokio::test]
async fn a_plugin_that_fails_at_any_step_of_its_life_is_contained() {
    all_contained("life", 22).await;
}
