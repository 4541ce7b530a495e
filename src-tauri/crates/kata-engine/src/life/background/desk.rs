//! Writes what starts the program at login, asks the system's own programs, and says how things stand. Blocks.

use super::seal::{self, Whose};
use super::{BackgroundError, Launch, Starts, agent, entry, registry, unit};
use kata_protocol::Background;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a program said, where it did what it was asked.
pub(in crate::life) type Said = Result<String, Refusal>;

/// What a program said where it did not.
#[derive(Debug)]
pub(in crate::life) struct Refusal(pub(in crate::life) String);

/// Runs a program of the system to its end.
pub(in crate::life) type Run = Box<dyn Fn(&str, &[&str]) -> Said + Send + Sync>;

/// Who starts programs on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Systemd,
    Autostart,
    Launchd,
    Registry,
}

impl Who {
    fn word(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Autostart => "autostart",
            Self::Launchd => "launchd",
            Self::Registry => "registry",
        }
    }
    /// Whether it starts a program again after a crash.
    fn restarts(self) -> bool {
        matches!(self, Self::Systemd | Self::Launchd)
    }
}

/// Where things are on this machine, and how its programs are run.
pub struct Desk {
    system: &'static str,
    /// `~/.config`, or what `XDG_CONFIG_HOME` says.
    config: PathBuf,
    user_home: PathBuf,
    run: Run,
}

impl Desk {
    /// This machine's; `None` where the account has no home folder.
    pub fn of_this_machine() -> Option<Self> {
        let user_home = std::env::home_dir()?;
        let config = std::env::var_os("XDG_CONFIG_HOME").filter(|v| !v.is_empty()).map(PathBuf::from);
        Some(Self {
            system: std::env::consts::OS,
            config: config.unwrap_or_else(|| user_home.join(".config")),
            user_home,
            run: Box::new(said),
        })
    }

    #[cfg(test)]
    pub(in crate::life) fn fake(system: &'static str, folder: &Path, run: Run) -> Self {
        Self {
            system,
            config: folder.join(".config"),
            user_home: folder.to_owned(),
            run,
        }
    }

    /// How it stands.
    pub fn status(&self, launch: &Launch) -> Background {
        let Some(who) = self.present(launch) else {
            return Background {
                at_login: false,
                restarts: false,
                by: None,
                entry: None,
                starts: Some(launch.starts.word().into()),
                reason: Some(self.nobody(launch).to_string()),
            };
        };
        let (at_login, mut reason) = match who {
            Who::Registry => {
                let line = self.registered(launch);
                let other = line.as_ref().filter(|line| **line != registry::command_line(launch));
                let reason = other.map(|line| format!("the registry starts something else: {line}"));
                (line.is_some(), reason)
            }
            _ => {
                let path = self.path(who, launch);
                match std::fs::read_to_string(&path) {
                    Ok(text) => {
                        let whose = seal::whose(&text);
                        let reason =
                            (whose != Whose::Ours).then(|| format!("{} {}; it is not changed from here", path.display(), whose.words()));
                        (who != Who::Systemd || self.enabled(launch), reason)
                    }
                    Err(_) => (false, None),
                }
            }
        };
        let written = self.written(who, launch);
        let starts = written.as_deref().map_or(launch.starts, starts_of);
        if reason.is_none() && at_login && starts == launch.starts && written.is_some_and(|text| text != self.wanted(who, launch)) {
            reason = Some("what is started at login is not this program; switch it off and on again to change that".into());
        }
        Background {
            at_login,
            restarts: at_login && who.restarts(),
            by: Some(who.word().into()),
            entry: Some(match who {
                Who::Registry => format!(r"{}\{}", registry::KEY, registry::value_name(launch)),
                _ => self.path(who, launch).display().to_string(),
            }),
            starts: Some(starts.word().into()),
            reason,
        }
    }

    /// Program that is started at login, as it was written; nothing where none is, or it is not ours.
    pub fn started_program(&self, launch: &Launch) -> Option<PathBuf> {
        let who = self.present(launch)?;
        let text = self.written(who, launch)?;
        let line = match who {
            Who::Registry => text,
            Who::Launchd => text.lines().skip_while(|l| !l.contains("ProgramArguments")).nth(2)?.to_owned(),
            Who::Systemd | Who::Autostart => text.lines().find(|l| l.starts_with("Exec"))?.to_owned(),
        };
        let inside = match who {
            Who::Launchd => line.split("<string>").nth(1)?.split("</string>").next()?,
            // The last word in quotes: those before it are of the environment.
            _ => line.rsplit('"').nth(1)?,
        };
        // One that had to be written otherwise is not read back.
        (!inside.contains(['\\', '&']) || self.system == "windows").then(|| PathBuf::from(inside.replace("%%", "%")))
    }

    /// Starts it at login from now on. With `now` it is started at once, where somebody watches over it. What is there already
    /// is written anew if it is ours.
    pub fn switch_on(&self, launch: &Launch, now: bool) -> Result<(), BackgroundError> {
        let who = self.who(launch).ok_or_else(|| self.nobody(launch))?;
        if who == Who::Registry {
            if !launch.environment.is_empty() {
                return Err(BackgroundError::Nobody(
                    "Windows starts programs at login without an environment, so it would open the usual home and not this one".into(),
                ));
            }
            return self.ask("reg", &strs(&registry::add(launch))).map(drop);
        }
        let path = self.path(who, launch);
        self.may_change(&path)?;
        if let Some(other) = self.present(launch).filter(|other| *other != who) {
            // One of the two is enough.
            self.may_change(&self.path(other, launch))?;
            self.switch_off(launch)?;
        }
        write(&path, &self.wanted(who, launch))?;
        match who {
            Who::Systemd => {
                self.systemctl(&["daemon-reload"])?;
                // Another target than before leaves its link otherwise.
                self.systemctl(&["reenable", &unit::file_name(launch)])?;
                if now {
                    self.systemctl(&["reset-failed", &unit::file_name(launch)]).ok();
                    self.systemctl(&["start", &unit::file_name(launch)])?;
                }
            }
            Who::Launchd if now => {
                let (domain, path) = (self.domain()?, path.display().to_string());
                let _ = (self.run)("launchctl", &["bootout", &format!("{domain}/{}", agent::label(launch))]);
                self.ask("launchctl", &["bootstrap", &domain, &path])?;
            }
            Who::Launchd | Who::Autostart | Who::Registry => {}
        }
        Ok(())
    }

    /// Starts it at login no longer. What runs goes on.
    pub fn switch_off(&self, launch: &Launch) -> Result<(), BackgroundError> {
        let Some(who) = self.present(launch) else { return Ok(()) };
        if who == Who::Registry {
            if self.registered(launch).is_some() {
                self.ask("reg", &strs(&registry::delete(launch)))?;
            }
            return Ok(());
        }
        let path = self.path(who, launch);
        if !path.exists() {
            return Ok(());
        }
        self.may_change(&path)?;
        if who == Who::Systemd {
            self.systemctl(&["disable", &unit::file_name(launch)])?;
        }
        std::fs::remove_file(&path).map_err(|e| failed(&path, e))?;
        if who == Who::Systemd {
            self.systemctl(&["daemon-reload"])?;
        }
        // launchd keeps what it has loaded until the person logs out: a bootout would end the program that is asking.
        Ok(())
    }

    /// systemd for what it can start: `kata serve` always, the app where the desktop tells systemd that there is a screen.
    fn who(&self, launch: &Launch) -> Option<Who> {
        match self.system {
            "macos" => Some(Who::Launchd),
            "windows" => Some(Who::Registry),
            "linux" => {
                let systemd = self.systemctl(&["show", "--property=Version"]).is_ok();
                match launch.starts {
                    Starts::Serve => systemd.then_some(Who::Systemd),
                    Starts::App => {
                        let screen = systemd && self.systemctl(&["is-active", "graphical-session.target"]).is_ok();
                        Some(if screen { Who::Systemd } else { Who::Autostart })
                    }
                }
            }
            _ => None,
        }
    }

    /// Who starts it at login now; where nobody does, who would.
    fn present(&self, launch: &Launch) -> Option<Who> {
        let written = |who: &Who| self.system == "linux" && self.path(*who, launch).exists();
        [Who::Systemd, Who::Autostart]
            .into_iter()
            .find(written)
            .or_else(|| self.who(launch))
    }

    fn nobody(&self, launch: &Launch) -> BackgroundError {
        BackgroundError::Nobody(match (self.system, launch.starts) {
            ("linux", Starts::Serve) => {
                "systemd does not run for this account, and without a screen nothing else starts programs at login".into()
            }
            (system, _) => format!("nothing is known that starts programs at login on {system}"),
        })
    }

    fn path(&self, who: Who, launch: &Launch) -> PathBuf {
        match who {
            Who::Systemd => self.config.join("systemd/user").join(unit::file_name(launch)),
            Who::Autostart => self.config.join("autostart").join(entry::file_name(launch)),
            Who::Launchd | Who::Registry => self.user_home.join("Library/LaunchAgents").join(agent::file_name(launch)),
        }
    }

    fn wanted(&self, who: Who, launch: &Launch) -> String {
        match who {
            Who::Systemd => unit::text(launch),
            Who::Autostart => entry::text(launch),
            Who::Launchd => agent::text(launch),
            Who::Registry => registry::command_line(launch),
        }
    }

    /// What stands there, where it is ours.
    fn written(&self, who: Who, launch: &Launch) -> Option<String> {
        if who == Who::Registry {
            return self.registered(launch);
        }
        let text = std::fs::read_to_string(self.path(who, launch)).ok()?;
        (seal::whose(&text) == Whose::Ours).then_some(text)
    }

    fn may_change(&self, path: &Path) -> Result<(), BackgroundError> {
        match std::fs::read_to_string(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(e) if e.kind() != std::io::ErrorKind::InvalidData => Err(failed(path, e)),
            read => match read.map_or(Whose::Foreign, |text| seal::whose(&text)) {
                Whose::Ours => Ok(()),
                whose => Err(BackgroundError::Foreign {
                    path: path.to_owned(),
                    whose: whose.words(),
                }),
            },
        }
    }

    fn enabled(&self, launch: &Launch) -> bool {
        self.systemctl(&["is-enabled", &unit::file_name(launch)]).is_ok()
    }

    fn registered(&self, launch: &Launch) -> Option<String> {
        let said = (self.run)("reg", &strs(&registry::query(launch))).ok()?;
        registry::read(&said)
    }

    /// launchd's domain of this person's session.
    fn domain(&self) -> Result<String, BackgroundError> {
        let id = self.ask("id", &["-u"])?;
        Ok(format!("gui/{}", id.trim()))
    }

    fn systemctl(&self, arguments: &[&str]) -> Result<String, BackgroundError> {
        let all: Vec<&str> = std::iter::once("--user").chain(arguments.iter().copied()).collect();
        self.ask("systemctl", &all)
    }

    fn ask(&self, program: &str, arguments: &[&str]) -> Result<String, BackgroundError> {
        (self.run)(program, arguments).map_err(|Refusal(said)| BackgroundError::Refused {
            command: format!("{program} {}", arguments.join(" ")),
            said,
        })
    }
}

/// Which of the two programs a text of ours starts.
fn starts_of(text: &str) -> Starts {
    if text.contains("--hidden") { Starts::App } else { Starts::Serve }
}

fn strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

fn failed(path: &Path, error: std::io::Error) -> BackgroundError {
    BackgroundError::File {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}

fn write(path: &Path, text: &str) -> Result<(), BackgroundError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| failed(path, e))?;
    }
    // Others may read what starts at login; there is no secret in it.
    kata_store::atomic_write(path, text.as_bytes(), 0o644).map_err(|e| failed(path, e))
}

fn said(program: &str, arguments: &[&str]) -> Said {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    // No console window flashes up (CREATE_NO_WINDOW).
    #[cfg(windows)]
    std::os::windows::process::CommandExt::creation_flags(&mut command, 0x0800_0000);
    match command.output() {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => {
            let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            let nothing = words.is_empty().then(|| format!("nothing, and ended with {}", output.status));
            Err(Refusal(nothing.unwrap_or(words)))
        }
        Err(error) => Err(Refusal(format!("it cannot be run: {error}"))),
    }
}
