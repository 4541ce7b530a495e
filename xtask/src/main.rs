//! `cargo xtask …`: the project's commands, in plain Rust without dependencies so that they start in a second anywhere.
//!
//! [`setup`] installs, [`build`] names the one way this project is compiled, [`generate`] writes what is generated,
//! [`checks`] is `test` and `lint`, [`desktop`] runs the real app, [`suites`] runs the longer suites, [`tidy`] holds the
//! rules that no compiler checks, [`package`], [`latest`] and [`updates`] make packages, lists of them, and try an update,
//! [`elsewhere`] looks at the code for other systems. Deliberately absent: keys; what needs one takes it from the environment.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program talks on the terminal"
)]

mod build;
mod checks;
mod desktop;
mod disk;
mod elsewhere;
mod generate;
mod latest;
mod package;
mod process;
mod setup;
mod suites;
mod tidy;
mod updates;
mod views;

use process::Failure;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <command>

  run [--headless]      install what is needed, build, and open the app (without a display: the engine, with a hint)
  test                  everything that needs no network: generated files, lint, unit, integration and desktop tests
  lint                  formatting, clippy, tidy rules, TypeScript
  tidy                  the rules that no compiler checks; part of lint, without a build
  gen [--check]         write the generated files, or fail where they differ
  e2e                   the real app under Xvfb, driven by WebDriver
  views                 every view of the window in Chromium: pictures, and what axe-core finds
  faults [N]            the fault matrix with 10,000 messages (or N)
  kills [N]             kill -9 fifty times (or N) at random under load, under its own unit and systemd
  rest [--minutes N]    memory, start, and wake-ups at rest, an hour long; KATA_BIN and KATA_APP name other programs than a release
  peers [NAME]          our code against programs we did not write: telegram, slack, discord, matrix, email, webhook, whatsapp, mqtt, mcp, google, oauth, phone, python, window, judges, web or all (default)
  bench [ARGS]          measurements beside a peer, release build
  package [--debug]     the Debian and RPM packages, into target/package/out; signed where TAURI_SIGNING_PRIVATE_KEY is set
  latest FOLDER --url U the list of a release for the updater, from signed packages (--version V, --notes FILE, --beta)
  updates [prepare|play] a signed update end to end on this machine, and what can go wrong (needs root); or only one half of it
  check-macos           types of the code for macOS and Windows, where those targets can be added
  setup                 only install what the build and the tests need
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = repository();
    let outcome = match words.as_slice() {
        ["run"] => desktop::run(&root, false),
        ["run", "--headless"] => desktop::run(&root, true),
        ["test"] => checks::test(&root),
        ["lint"] => checks::lint(&root),
        ["tidy"] => tidy::check(&root),
        ["gen"] => generate::write(&root),
        ["gen", "--check"] => generate::check(&root),
        ["e2e"] => desktop::end_to_end(&root).map(drop),
        ["views"] => views::all(&root),
        ["peers"] => suites::peers(&root, "all"),
        ["peers", name] => suites::peers(&root, name),
        ["bench", rest @ ..] => suites::bench(&root, rest),
        ["faults"] => suites::faults(&root, "10000"),
        ["faults", messages] => suites::faults(&root, messages),
        ["kills"] => suites::kills(&root, "50"),
        ["kills", times] => suites::kills(&root, times),
        ["rest", rest @ ..] => suites::rest(&root, rest),
        ["package"] => package::command_line(&root, false),
        ["package", "--debug"] => package::command_line(&root, true),
        ["latest", rest @ ..] => latest::command_line(&root, rest),
        ["updates"] => updates::run_all(&root),
        ["updates", "prepare"] => updates::prepare(&root),
        ["updates", "play"] => updates::play(&root),
        ["check-macos"] => elsewhere::macos(&root),
        ["setup"] => setup::everything(&root),
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => Err(Failure::new(format!("unknown command: {}\n\n{USAGE}", words.join(" ")))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nerror: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// The folder that holds this package's folder.
pub(crate) fn repository() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_path_buf()
}
