//! `check-macos`: whether our code for macOS and for Windows has right types. Nothing is linked, signed or run.
//!
//! Crates with C in them call a C compiler for the target, which this machine does not have. Types do not need what it makes, so a
//! program that makes empty files stands in for it. Not part of CI: the targets come from rustup over the network.

use crate::process::{Failure, command, output, run};
use crate::setup;
use std::fs;
use std::path::Path;

/// macOS whole; of Windows the engine and the command line, since the desktop program wants a compiler of resources there.
pub(crate) fn macos(root: &Path) -> Result<(), Failure> {
    // Cryptography for Windows is put together by an assembler of its own.
    setup::system_packages(root, &["nasm"])?;
    let mac = types(
        root,
        "aarch64-apple-darwin",
        "--package kata-agents --package kata-cli --bins --lib",
    );
    let windows = types(root, "x86_64-pc-windows-gnu", "--package kata-cli --bins --lib");
    for (target, outcome) in [("aarch64-apple-darwin", &mac), ("x86_64-pc-windows-gnu", &windows)] {
        match outcome {
            Ok(()) => println!("{target}: types are right (nothing was linked or run)"),
            Err(failure) => println!("{target}: {failure}"),
        }
    }
    mac.and(windows)
}

fn types(root: &Path, target: &str, what: &str) -> Result<(), Failure> {
    let installed = output(&mut command(root, "rustup target list --installed")).unwrap_or_default();
    if !installed.lines().any(|line| line == target) {
        run("add the target", &mut command(root, &format!("rustup target add {target}")))?;
    }
    let stand_in = stand_in(root)?;
    let name = target.replace('-', "_");
    let mut check = command(root, &format!("cargo check {what} --target {target} --target-dir target/elsewhere"));
    for tool in ["CC", "CXX", "AR"] {
        check.env(format!("{tool}_{name}"), &stand_in);
    }
    // Sizes and layouts come from the headers of the target's SDK, which is not here either.
    check
        .env(format!("CFLAGS_{name}"), "")
        .env("AWS_LC_SYS_CMAKE_BUILDER", "0")
        .env("AWS_LC_SYS_NO_ASM", "1");
    run(&format!("types for {target}"), &mut check)
}

/// A program that takes any compiler's or archiver's arguments and makes the file they name.
fn stand_in(root: &Path) -> Result<std::path::PathBuf, Failure> {
    let folder = root.join("target/elsewhere");
    fs::create_dir_all(&folder)?;
    let path = folder.join("compiler");
    put(
        &path,
        "#!/bin/sh\n\
         # Stands in for a C compiler and an archiver: makes what is asked for, empty.\n\
         out=; next=\n\
         for word in \"$@\"; do\n\
         \x20 [ -n \"$next\" ] && { out=$word; next=; }\n\
         \x20 case $word in -o) next=1;; -o*) out=${word#-o};; *.a) [ -z \"$out\" ] && out=$word;; esac\n\
         done\n\
         case \"$*\" in *--version*|*-dumpversion*) echo 'clang version 17.0.0';; *-E*) cat /dev/null;; esac\n\
         [ -n \"$out\" ] && : > \"$out\"\n\
         exit 0\n",
    )?;
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    Ok(path)
}

#[expect(clippy::disallowed_methods, reason = "made anew each time")]
fn put(path: &Path, text: &str) -> Result<(), Failure> {
    Ok(fs::write(path, text)?)
}
