//! Beginning again: the same program with the same arguments, in the place of this one, after the drain.
//!
//! On Unix the process stays (`execve`), so that whoever watches over it sees no end; elsewhere a new one is started.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Command;

/// The argument that keeps plugins off.
pub const SAFE: &str = "--safe";

/// How to begin again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restart {
    /// With plugins off.
    pub safe: bool,
}

impl Restart {
    /// Begins again; returns only where that failed, or where a new process was started and this one should end (`Ok`).
    ///
    /// Call it last: nothing is dropped on Unix.
    ///
    /// # Errors
    /// The program cannot be found or started.
    pub fn now(self) -> io::Result<()> {
        self.without(&[])
    }

    /// As [`Self::now`], without some of the arguments.
    ///
    /// # Errors
    /// As [`Self::now`].
    pub fn without(self, dropped: &[&str]) -> io::Result<()> {
        let mut command = Command::new(program()?);
        let before = std::env::args_os()
            .skip(1)
            .filter(|argument| !dropped.iter().any(|d| argument == *d));
        command.args(arguments(before, self.safe));
        #[cfg(unix)]
        {
            Err(std::os::unix::process::CommandExt::exec(&mut command))
        }
        #[cfg(not(unix))]
        {
            command.spawn().map(drop)
        }
    }
}

/// This program's file. One that an update replaced while it ran is named “… (deleted)” by Linux; the new one has its name.
fn program() -> io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    Ok(match path.to_str().and_then(|text| text.strip_suffix(" (deleted)")) {
        Some(text) => PathBuf::from(text),
        None => path,
    })
}

/// The same arguments, with or without the one that keeps plugins off.
fn arguments(before: impl Iterator<Item = OsString>, safe: bool) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = before.filter(|argument| argument != SAFE).collect();
    if safe {
        arguments.push(SAFE.into());
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_stay_and_safe_comes_or_goes() {
        let before = || ["serve", "--safe", "--port", "0"].into_iter().map(OsString::from);
        assert_eq!(arguments(before(), false), ["serve", "--port", "0"]);
        assert_eq!(arguments(before(), true), ["serve", "--port", "0", "--safe"]);
    }
}
