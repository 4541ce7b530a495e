//! The one way this project is compiled.
//!
//! Every cargo call selects the whole workspace and picks targets by name: features then resolve the same way each time, and
//! nothing is compiled twice (`-p crate` alone would resolve fewer features and compile hundreds of crates again).

use crate::process::{Failure, command, output, run};
use std::path::{Path, PathBuf};

/// Programs, tests and examples, once: with the features that tests and generators need, which are more than those of the
/// programs alone. Whatever runs tests or generators builds like this, so that nothing is compiled a second time.
pub(crate) fn everything(root: &Path) -> Result<(), Failure> {
    run(
        "compile everything",
        &mut command(root, "cargo build --workspace --all-targets --quiet"),
    )
}

/// The two programs, for a person who wants to use them and not to test them.
pub(crate) fn programs(root: &Path) -> Result<(), Failure> {
    run(
        "compile the app and the engine",
        &mut command(root, "cargo build --workspace --bin kata-agents --bin kata"),
    )
}

/// Where cargo puts what it builds.
pub(crate) fn target(root: &Path) -> PathBuf {
    let asked = output(&mut command(root, "cargo metadata --no-deps --offline --format-version 1"));
    asked.as_deref().and_then(target_directory).unwrap_or_else(|| root.join("target"))
}

/// A built program.
pub(crate) fn program(root: &Path, profile: &str, name: &str) -> PathBuf {
    target(root).join(profile).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

fn target_directory(metadata: &str) -> Option<PathBuf> {
    let key = "\"target_directory\":\"";
    let start = metadata.find(key)? + key.len();
    let length = metadata.get(start..)?.find('"')?;
    Some(PathBuf::from(metadata.get(start..start + length)?.replace("\\\\", "\\")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_folder_is_read_from_cargo_s_answer() {
        assert_eq!(
            target_directory(r#"{"a":1,"target_directory":"/x/y","b":2}"#),
            Some(PathBuf::from("/x/y"))
        );
        assert_eq!(target_directory("{}"), None);
    }
}
