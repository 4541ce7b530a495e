//! The value under `HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Run`. Windows starts it at login and never again,
//! and gives it no environment of its own.

use super::Launch;

/// The key.
pub(crate) const KEY: &str = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Run";

/// Name of the value.
pub(crate) fn value_name(launch: &Launch) -> String {
    launch.name.clone()
}

/// The command line. A path on Windows has no quotes in it.
pub(crate) fn command_line(launch: &Launch) -> String {
    format!("\"{}\" {}", launch.program(), launch.starts.arguments().join(" "))
}

/// Arguments of `reg.exe` that write it.
pub(crate) fn add(launch: &Launch) -> Vec<String> {
    let line = command_line(launch);
    ["add", KEY, "/v", &value_name(launch), "/t", "REG_SZ", "/d", &line, "/f"]
        .map(str::to_owned)
        .into()
}

/// Arguments of `reg.exe` that take it away.
pub(crate) fn delete(launch: &Launch) -> Vec<String> {
    ["delete", KEY, "/v", &value_name(launch), "/f"].map(str::to_owned).into()
}

/// Arguments of `reg.exe` that read it.
pub(crate) fn query(launch: &Launch) -> Vec<String> {
    ["query", KEY, "/v", &value_name(launch)].map(str::to_owned).into()
}

/// The value in what `reg query` printed: `    NAME    REG_SZ    VALUE`.
pub(crate) fn read(said: &str) -> Option<String> {
    said.lines()
        .find_map(|line| line.split_once("REG_SZ").map(|(_, value)| value.trim().to_owned()))
}
