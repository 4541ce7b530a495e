//! A unit for systemd's user instance (systemd.service(5), systemd.unit(5), systemd.syntax(7)).

use super::{Launch, Starts, seal};

/// File name of the unit.
pub(crate) fn file_name(launch: &Launch) -> String {
    format!("{}.service", launch.name)
}

/// The unit's text.
///
/// It comes back after a crash, not after it ended well; not after 2 (no display) and 4 (another one has the home). It is given
/// up when it fails twenty times within a minute; systemd 254 and newer waits longer each time instead.
pub(crate) fn text(launch: &Launch) -> String {
    let (after, wanted_by) = match launch.starts {
        Starts::App => (
            "After=graphical-session.target\nPartOf=graphical-session.target\n",
            "graphical-session.target",
        ),
        Starts::Serve => ("", "default.target"),
    };
    let environment: String = launch
        .environment
        .iter()
        .map(|(key, value)| format!("Environment={}\n", quoted(&format!("{key}={value}"))))
        .collect();
    let arguments = launch.starts.arguments().join(" ");
    let rest = format!(
        "[Unit]\n\
         Description=Kata Agents\n\
         {after}\
         StartLimitIntervalSec=60\n\
         StartLimitBurst=20\n\
         \n\
         [Service]\n\
         Type=exec\n\
         ExecStart={program} {arguments}\n\
         {environment}\
         Restart=on-failure\n\
         RestartSec=1\n\
         RestartPreventExitStatus=2 4\n\
         TimeoutStopSec=20\n\
         KillMode=mixed\n\
         OOMPolicy=continue\n\
         \n\
         [Install]\n\
         WantedBy={wanted_by}\n",
        program = program(&launch.program()),
    );
    seal::line("# ", &rest, "") + &rest
}

/// What is run. systemd refuses a program whose path has quotes, a backslash or control characters, however they are written; a
/// shell then takes its own place by it. Arguments, unlike the program's path, are searched for variables.
fn program(path: &str) -> String {
    if !path.contains(['"', '\'', '\\']) && !path.contains(char::is_control) {
        return quoted(path);
    }
    format!("/bin/sh -c \"exec \\\"$$0\\\" \\\"$$@\\\"\" {}", quoted(path).replace('$', "$$"))
}

/// One word: in quotes, with `%` doubled since it begins a specifier. A dollar sign is left: neither the program's path nor
/// `Environment=` is searched for variables.
fn quoted(word: &str) -> String {
    let mut text = String::from("\"");
    for c in word.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '%' => text.push_str("%%"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            c => text.push(c),
        }
    }
    text.push('"');
    text
}
