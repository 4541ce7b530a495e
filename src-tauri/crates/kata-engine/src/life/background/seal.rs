//! Tells a file that we wrote from one that somebody else wrote, or that somebody edited: its first comment has a hash of the rest.

use sha2::{Digest, Sha256};

const WORDS: &str = "Written by Kata Agents; “kata background off” takes it away, and an edited one is left alone.";

/// Whose a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// We wrote exactly this.
    Ours,
    /// We wrote it, and somebody changed it.
    Edited,
    /// Somebody else's.
    Foreign,
}

impl Whose {
    /// In words, for one that is not ours.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Ours => "is ours",
            Self::Edited => "was edited",
            Self::Foreign => "was written by somebody else",
        }
    }
}

/// SHA-256 in hexadecimal.
pub(super) fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One line for a comment, to stand somewhere in a file whose other lines are `rest`.
pub(super) fn line(open: &str, rest: &str, close: &str) -> String {
    format!("{open}{WORDS} sha256:{}{close}\n", digest(rest))
}

/// Whose a file is.
pub(super) fn whose(text: &str) -> Whose {
    let Some(sealed) = text.lines().find(|line| line.contains(WORDS)) else {
        return Whose::Foreign;
    };
    let rest: String = text.split_inclusive('\n').filter(|line| !line.contains(WORDS)).collect();
    let hash = sealed.split("sha256:").nth(1).unwrap_or_default();
    if hash.get(..64) == Some(digest(&rest).as_str()) {
        Whose::Ours
    } else {
        Whose::Edited
    }
}
