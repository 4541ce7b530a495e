//! The profile for `sandbox-exec` on macOS. Written, and its text tested; nobody has run it.

use super::{Mount, Shut};
use std::fmt::Write;
use std::path::Path;

/// Later rules win, as later layers do.
pub(super) fn profile(shut: &Shut) -> String {
    let mut text = String::from("(version 1)\n(allow default)\n(deny file-write*)\n(allow file-write* (subpath \"/dev\"))\n");
    if !shut.network {
        text.push_str("(deny network*)\n");
    }
    let mut rule = |words: &str, path: &Path| {
        let path = path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
        let _ = writeln!(text, "({words} (subpath \"{path}\"))");
    };
    for mount in &shut.mounts {
        let path = mount.path();
        match mount {
            Mount::Read(_) => {
                rule("allow file-read*", path);
                rule("deny file-write*", path);
            }
            Mount::Write(_) => {
                rule("allow file-read*", path);
                rule("allow file-write*", path);
            }
            Mount::Hide(_) => {
                rule("deny file-read*", path);
                rule("deny file-write*", path);
            }
            Mount::Guard(_) | Mount::GuardIfPossible(_) => rule("deny file-write*", path),
        }
    }
    if let Some(folder) = &shut.temporary {
        rule("allow file-read*", folder);
        rule("allow file-write*", folder);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_for_macos_says_the_layers_in_order_and_shuts_the_network() {
        let shut = Shut {
            mounts: vec![
                Mount::Write("/u/project".into()),
                Mount::Hide("/u/.ssh".into()),
                Mount::Guard("/u/project/\"x\"".into()),
            ],
            network: false,
            temporary: None,
        };
        let text = profile(&shut);
        let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words} is not in {text}"));
        assert!(at("(deny file-write*)") < at("(allow file-write* (subpath \"/u/project\"))"));
        assert!(at("(deny network*)") < at("(deny file-read* (subpath \"/u/.ssh\"))"));
        at("(deny file-write* (subpath \"/u/project/\\\"x\\\"\"))");
        assert!(!profile(&Shut { network: true, ..shut }).contains("network"));
    }
}
