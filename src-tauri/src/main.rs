//! The program `kata-agents`: the desktop app. Everything is in the library beside it.
// No console window on Windows in a release.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

fn main() -> std::process::ExitCode {
    kata_agents::main()
}
