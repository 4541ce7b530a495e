//! Where this machine gets its power from, and telling the plugin host, which stretches intervals while it is saved.
//!
//! Linux says it in files, macOS through `pmset`, Windows through PowerShell's WMI. Only Linux has been run.

use crate::engine::Inner;
use kata_core::ports::{Power, PowerSupply};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(if cfg!(windows) { 300 } else { 60 });

/// Linux: `/sys/class/power_supply` (Documentation/ABI/testing/sysfs-class-power), and the platform profile.
#[derive(Debug)]
pub(crate) struct SysPower {
    supplies: PathBuf,
    profile: PathBuf,
}

impl Default for SysPower {
    fn default() -> Self {
        Self {
            supplies: "/sys/class/power_supply".into(),
            profile: "/sys/firmware/acpi/platform_profile".into(),
        }
    }
}

impl PowerSupply for SysPower {
    fn read(&self) -> Power {
        let text = |path: PathBuf| std::fs::read_to_string(path).map(|t| t.trim().to_owned()).unwrap_or_default();
        let (mut mains, mut draining, mut percent) = (false, false, None);
        for supply in std::fs::read_dir(&self.supplies).into_iter().flatten().flatten() {
            let of = |name: &str| text(supply.path().join(name));
            match of("type").as_str() {
                "Mains" | "USB" => mains |= of("online") == "1",
                // A mouse has a battery too.
                "Battery" if of("scope") != "Device" => {
                    draining |= of("status") == "Discharging";
                    percent = percent.or_else(|| of("capacity").parse().ok());
                }
                _ => {}
            }
        }
        Power {
            battery: draining && !mains,
            percent,
            saver: text(self.profile.clone()) == "low-power",
        }
    }
}

/// macOS: what `pmset -g batt` and `pmset -g` say.
#[derive(Debug, Default)]
pub(crate) struct Pmset;

impl PowerSupply for Pmset {
    fn read(&self) -> Power {
        pmset(&said("/usr/bin/pmset", &["-g", "batt"]), &said("/usr/bin/pmset", &["-g"]))
    }
}

/// Reads `pmset`'s words: “Now drawing from 'Battery Power'”, “ -InternalBattery-0 …  87%; discharging; …”, “ lowpowermode 1”.
fn pmset(battery: &str, settings: &str) -> Power {
    let percent = battery.split_once('%').and_then(|(before, _)| {
        let digits = before.rsplit(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    });
    let saver = settings.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some("lowpowermode") && words.next() == Some("1")
    });
    Power {
        battery: battery.contains("'Battery Power'"),
        percent,
        saver,
    }
}

/// Windows: `Win32_Battery` (BatteryStatus 1 is discharging, 4 low, 5 critical) through PowerShell.
#[derive(Debug, Default)]
pub(crate) struct Wmi;

impl PowerSupply for Wmi {
    fn read(&self) -> Power {
        let ask = "$b = Get-CimInstance Win32_Battery | Select-Object -First 1; if ($b) { \"$($b.BatteryStatus) $($b.EstimatedChargeRemaining)\" }";
        win32(&said("powershell.exe", &["-NoProfile", "-NonInteractive", "-Command", ask]))
    }
}

fn win32(said: &str) -> Power {
    let mut numbers = said.split_whitespace().map(|n| n.parse::<u8>().ok());
    let status = numbers.next().flatten();
    Power {
        battery: matches!(status, Some(1 | 4 | 5)),
        percent: numbers.next().flatten(),
        saver: false,
    }
}

/// What a program says; nothing where it cannot be run.
fn said(program: &str, arguments: &[&str]) -> String {
    let mut command = std::process::Command::new(program);
    command.args(arguments);
    // No console window flashes up (CREATE_NO_WINDOW).
    #[cfg(windows)]
    std::os::windows::process::CommandExt::creation_flags(&mut command, 0x0800_0000);
    let output = command.output();
    output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default()
}

/// This machine's.
pub(crate) fn of_this_machine() -> Arc<dyn PowerSupply> {
    if cfg!(target_os = "macos") {
        Arc::new(Pmset)
    } else if cfg!(windows) {
        Arc::new(Wmi)
    } else {
        Arc::new(SysPower::default())
    }
}

impl Inner {
    /// Looks now and then whether power is saved.
    pub(crate) fn run_power(self: &Arc<Self>, supply: Arc<dyn PowerSupply>) {
        let (inner, stopping) = (Arc::clone(self), self.tasks.stopping());
        self.tasks.spawn("power", async move {
            let mut before = None;
            loop {
                let supply = Arc::clone(&supply);
                let Ok(power) = tokio::task::spawn_blocking(move || supply.read()).await else {
                    return;
                };
                if before.replace(power.saves()) != Some(power.saves()) {
                    tracing::info!(battery = power.battery, percent = power.percent, saver = power.saver, "power");
                    inner.plugins.host.save_power(power.saves());
                }
                tokio::select! {
                    () = stopping.cancelled() => return,
                    () = inner.clock.sleep(LOOK) => {}
                }
            }
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::disallowed_methods)]
mod tests {
    use super::*;

    #[test]
    fn linux_says_in_files_what_the_machine_runs_on() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("supplies");
        let put = |supply: &str, file: &str, text: &str| {
            std::fs::create_dir_all(root.join(supply)).unwrap();
            std::fs::write(root.join(supply).join(file), format!("{text}\n")).unwrap();
        };
        let power = SysPower {
            supplies: root.clone(),
            profile: folder.path().join("profile"),
        };
        assert_eq!(power.read(), Power::default(), "a machine that says nothing runs on the mains");
        put("AC", "type", "Mains");
        put("AC", "online", "1");
        put("BAT0", "type", "Battery");
        put("BAT0", "status", "Charging");
        put("BAT0", "capacity", "87");
        put("mouse", "type", "Battery");
        put("mouse", "scope", "Device");
        put("mouse", "status", "Discharging");
        assert_eq!((power.read().saves(), power.read().percent), (false, Some(87)));
        put("AC", "online", "0");
        put("BAT0", "status", "Discharging");
        assert!(power.read().battery && power.read().saves());
        put("AC", "online", "1");
        std::fs::write(folder.path().join("profile"), "low-power\n").unwrap();
        assert!(!power.read().battery && power.read().saves());
    }

    #[test]
    fn what_other_systems_say_is_read() {
        let words = "Now drawing from 'Battery Power'\n -InternalBattery-0 (id=123)\t87%; discharging; 4:12 remaining present: true\n";
        assert_eq!(
            pmset(words, " lowpowermode         1\n"),
            Power {
                battery: true,
                percent: Some(87),
                saver: true
            }
        );
        assert_eq!(pmset("Now drawing from 'AC Power'\n", " lowpowermode 0\n"), Power::default());
        assert_eq!(
            (win32("1 42\r\n").battery, win32("1 42").percent, win32("2 99").battery),
            (true, Some(42), false)
        );
        assert_eq!(win32(""), Power::default());
    }
}
