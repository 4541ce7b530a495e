//! Why something is not done, in words for the model and the person: what is refused here is told, not branched on.

/// A reason, as a sentence or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why(pub String);

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Why {}

impl From<String> for Why {
    fn from(words: String) -> Self {
        Self(words)
    }
}

impl From<&str> for Why {
    fn from(words: &str) -> Self {
        Self(words.to_owned())
    }
}

/// Says a reason; for errors of others.
pub(crate) fn why(words: impl Into<String>) -> Why {
    Why(words.into())
}

impl From<Why> for String {
    fn from(why: Why) -> Self {
        why.0
    }
}
