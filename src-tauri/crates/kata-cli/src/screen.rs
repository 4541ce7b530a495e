//! Where output goes: results to standard output, everything else to standard error.

use crate::failure::Failure;
use serde::Serialize;
use serde_json::json;
use std::io::{IsTerminal, Write, stderr, stdin, stdout};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The terminal, or what stands in its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// Results are JSON.
    pub(crate) json: bool,
}

impl Screen {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// A result: JSON, or the text that `render` makes of it.
    pub(crate) fn result<T: Serialize>(&self, value: &T, render: impl FnOnce(&T) -> String) -> Result<(), Failure> {
        if !self.json {
            return self.text(&render(value));
        }
        let text = serde_json::to_string_pretty(value).map_err(std::io::Error::from)?;
        self.text(&(text + "\n"))
    }

    /// One line of JSON, for results that come one by one.
    pub(crate) fn json_line(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(std::io::Error::from)?;
        self.text(&(text + "\n"))
    }

    /// Text as it is, at once.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        let mut out = stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        Ok(())
    }

    /// A word to the person; never part of a result.
    pub(crate) fn note(&self, text: &str) {
        // A closed standard error is no reason to fail.
        let _ = writeln!(stderr().lock(), "{text}");
    }

    /// A prompt without a line end, where a person can see it.
    pub(crate) fn prompt(&self, text: &str) {
        if self.is_interactive() {
            let mut err = stderr().lock();
            let _ = write!(err, "{text}");
            let _ = err.flush();
        }
    }

    /// One line from the person; `None` at the end of the input.
    pub(crate) fn line(&self, prompt: &str) -> Result<Option<String>, Failure> {
        self.prompt(prompt);
        let mut text = String::new();
        let read = stdin().read_line(&mut text)?;
        Ok((read > 0).then(|| text.trim_end_matches(['\n', '\r']).to_owned()))
    }

    /// One line from the person, not shown while it is typed.
    pub(crate) fn hidden(&self, prompt: &str) -> Result<String, Failure> {
        self.prompt(prompt);
        Ok(rpassword::read_password()?)
    }

    /// Whether a person types and reads.
    pub(crate) fn is_interactive(&self) -> bool {
        stdin().is_terminal() && stderr().is_terminal()
    }

    /// Says how a command failed and gives the exit code.
    pub(crate) fn fail(&self, failure: &Failure) -> ExitCode {
        if failure.silent {
            return ExitCode::SUCCESS;
        }
        if self.json {
            let error = json!({"error": {"message": failure.message, "hint": failure.hint, "exit": failure.exit as u8}});
            self.note(&error.to_string());
        } else {
            self.note(&format!("error: {}", failure.message));
            if let Some(hint) = &failure.hint {
                self.note(&format!("hint: {hint}"));
            }
        }
        ExitCode::from(failure.exit as u8)
    }

    /// Shows that something takes long, on a terminal only and only when it does.
    pub(crate) async fn working<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        if !stderr().is_terminal() {
            return work.await;
        }
        let begun = Instant::now();
        let mut work = std::pin::pin!(work);
        let mut tick = tokio::time::interval(Duration::from_millis(200));
        let mut shown = false;
        loop {
            tokio::select! {
                biased;
                value = &mut work => {
                    if shown {
                        let _ = write!(stderr().lock(), "\r\x1b[2K");
                    }
                    return value;
                }
                _ = tick.tick() => {
                    if begun.elapsed() > Duration::from_millis(350) {
                        let mut err = stderr().lock();
                        let _ = write!(err, "\r\x1b[2K{what} … {} s", begun.elapsed().as_secs());
                        let _ = err.flush();
                        shown = true;
                    }
                }
            }
        }
    }
}
