//! The longer suites: programs we did not write as peers, and measurements.

use crate::process::{Failure, command, run};
use crate::{build, setup};
use std::path::Path;

/// Our plugins, models and fakes against programs from npm: `telegram`, `judges` or `all`.
pub(crate) fn peers(root: &Path, name: &str) -> Result<(), Failure> {
    setup::for_run(root)?;
    setup::npm_packages(root, Path::new("tests/peers"))?;
    setup::npm_packages(root, Path::new("tests/peers/judges"))?;
    build::everything(root)?;
    let mut test = command(root, "cargo test --workspace --test peers -- --nocapture --test-threads=1");
    if name != "all" {
        test.arg(name);
    }
    run("peers", test.env("KATA_BIN", build::program(root, "debug", "kata")))
}

/// The load program, release build; what follows `bench` goes to it.
pub(crate) fn bench(root: &Path, rest: &[&str]) -> Result<(), Failure> {
    setup::for_run(root)?;
    let compile = "cargo build --release --workspace --bin kata-agents --bin kata --bin bench --bin plugin-bench";
    run("compile for release", &mut command(root, compile))?;
    let program = build::program(root, "release", "bench");
    let mut bench = command(root, &program.to_string_lossy());
    bench.args(rest);
    bench
        .env("KATA_BIN", build::program(root, "release", "kata"))
        .env("KATA_APP", build::program(root, "release", "kata-agents"));
    run("bench", &mut bench)
}
