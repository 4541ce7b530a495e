//! How a command fails: an exit code a script can branch on, a sentence, and what to do about it.

use kata_protocol::{ErrorCode, WireError};

/// Exit codes, as `kata --help` documents them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It did not work.
    Failure = 1,
    /// The arguments do not fit.
    Usage = 2,
    /// No engine runs.
    NotRunning = 3,
    /// Refused, or a person has to do something first.
    Refused = 4,
}

/// Why a command ended without doing what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// The reader of our output went away (`kata logs | head`): not worth a word.
    pub(crate) silent: bool,
}

impl Failure {
    /// A failure without a hint.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            hint: None,
            silent: false,
        }
    }
    /// Adds what the person can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
    /// No engine runs for this home.
    pub(crate) fn not_running(why: impl Into<String>) -> Self {
        Self::new(Exit::NotRunning, why).hint("start the app, or run `kata serve`")
    }
    /// The arguments do not fit.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }
    /// Its exit code.
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl From<WireError> for Failure {
    fn from(error: WireError) -> Self {
        let exit = match error.code {
            ErrorCode::Invalid => Exit::Usage,
            ErrorCode::Forbidden | ErrorCode::Unauthorized | ErrorCode::NeedsUser => Exit::Refused,
            _ => Exit::Failure,
        };
        Self {
            exit,
            message: error.message,
            hint: error.hint,
            silent: false,
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let silent = error.kind() == std::io::ErrorKind::BrokenPipe;
        Self {
            silent,
            ..Self::new(Exit::Failure, format!("the terminal: {error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_can_tell_refusal_from_bad_arguments_from_failure() {
        let exit = |code| Failure::from(WireError::new(code, "x")).exit();
        assert_eq!(exit(ErrorCode::Invalid), Exit::Usage);
        assert_eq!(exit(ErrorCode::NeedsUser), Exit::Refused);
        assert_eq!(exit(ErrorCode::Forbidden), Exit::Refused);
        assert_eq!(exit(ErrorCode::NotFound), Exit::Failure);
        assert_eq!(exit(ErrorCode::Internal), Exit::Failure);
    }

    #[test]
    fn the_hint_of_the_engine_survives() {
        let failure = Failure::from(WireError::new(ErrorCode::NeedsUser, "no model").hint("add one"));
        assert_eq!((failure.message.as_str(), failure.hint.as_deref()), ("no model", Some("add one")));
    }
}
