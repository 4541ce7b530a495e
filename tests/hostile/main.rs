//! One attack in a process of its own: the real plugin host, an innocent plugin, and a hostile one. Prints one line of JSON
//! that says whether the attack stayed where it began, and what was seen.
//!
//! `hostile list CLASS` prints the names of a class, `hostile run CLASS NAME` runs one. `tests/it/hostile_suite.rs` runs
//! them all: a process that dies, hangs or grows takes no test with it. Deliberately absent: times as verdicts; how much an
//! attack slows its neighbours is measured by `cargo xtask bench`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::print_stdout)]

mod attacks;
mod scene;
#[path = "../../src-tauri/crates/kata-plugins/tests/it/support/mod.rs"]
mod support;

use attacks::CLASSES;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let class = |name: &str| CLASSES.iter().find(|(class, _)| *class == name).map(|(_, attacks)| *attacks);
    match words.as_slice() {
        ["list", name] => {
            for (attack, ..) in class(name).unwrap_or_default() {
                println!("{attack}");
            }
            ExitCode::SUCCESS
        }
        ["run", name, attack] => {
            let Some(attack) = class(name).and_then(|all| all.iter().find(|(known, ..)| known == attack)) else {
                println!("there is no attack “{attack}” in “{name}”");
                return ExitCode::from(2);
            };
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("a runtime");
            let report = runtime.block_on(scene::play(attack));
            println!("{report}");
            // What is still stuck in native code is not waited for.
            runtime.shutdown_background();
            if report["contained"] == true {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        _ => {
            let names: Vec<&str> = CLASSES.iter().map(|(name, _)| *name).collect();
            println!("usage: hostile list CLASS | hostile run CLASS NAME; classes: {}", names.join(", "));
            ExitCode::from(2)
        }
    }
}
