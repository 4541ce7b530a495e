//! Floor 4: the program `kata`. `kata serve` is the engine without a window; every other command is a client of a running
//! engine, over the gateway's socket like any other program.
//!
//! [`args`] is what a person types, [`commands`] what is done about it, [`render`] what they read, [`client`] the way to the
//! engine. Standard output carries results only, so that it can be piped; everything else goes to standard error.
//!
//! Deliberately absent: any decision of the engine, and any way to it besides the gateway.

pub mod args;
mod browser;
pub mod client;
mod commands;
mod engine;
mod failure;
mod interrupts;
mod render;
mod screen;
mod setting;

pub use failure::{Exit, Failure};

use clap::Parser;
use screen::Screen;
use std::process::ExitCode;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are such “errors” too; they go to standard output and count as success.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8));
        }
    };
    let screen = Screen::new(cli.global.json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => {
            return screen.fail(&Failure::new(
                Exit::Failure,
                format!("the program could not start its threads: {e}"),
            ));
        }
    };
    let done = runtime.block_on(commands::run(cli, &screen));
    // A thread may still wait for a line of standard input; nobody needs it any more.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => screen.fail(&failure),
    }
}
