//! A LaunchAgent for macOS (launchd.plist(5)). It comes back after a crash: `KeepAlive` with `SuccessfulExit` false.

use super::{Launch, Starts, seal};

/// Label of the agent.
pub(crate) fn label(launch: &Launch) -> String {
    format!("com.{}", launch.name)
}

/// File name of the agent.
pub(crate) fn file_name(launch: &Launch) -> String {
    format!("{}.plist", label(launch))
}

/// The agent's text. The app belongs to a session with a screen (`Aqua`).
pub(crate) fn text(launch: &Launch) -> String {
    let string = |text: &str| format!("<string>{}</string>", escaped(text));
    let program = launch.program();
    let arguments: String = std::iter::once(program.as_str())
        .chain(launch.starts.arguments().iter().copied())
        .map(|word| format!("    {}\n", string(word)))
        .collect();
    let mut environment = String::new();
    if !launch.environment.is_empty() {
        let rows: String = launch
            .environment
            .iter()
            .map(|(key, value)| format!("    <key>{}</key>\n    {}\n", escaped(key), string(value)))
            .collect();
        environment = format!("  <key>EnvironmentVariables</key>\n  <dict>\n{rows}  </dict>\n");
    }
    let session = match launch.starts {
        Starts::App => {
            "  <key>LimitLoadToSessionType</key>\n  <string>Aqua</string>\n  <key>ProcessType</key>\n  <string>Interactive</string>\n"
        }
        Starts::Serve => "",
    };
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n";
    let body = format!(
        "<plist version=\"1.0\">\n<dict>\n\
         \x20 <key>Label</key>\n  {label}\n\
         \x20 <key>ProgramArguments</key>\n  <array>\n{arguments}  </array>\n\
         {environment}{session}\
         \x20 <key>RunAtLoad</key>\n  <true/>\n\
         \x20 <key>KeepAlive</key>\n  <dict>\n    <key>SuccessfulExit</key>\n    <false/>\n  </dict>\n\
         </dict>\n</plist>\n",
        label = string(&label(launch)),
    );
    let sealed = seal::line("<!-- ", &format!("{head}{body}"), " -->");
    format!("{head}{sealed}{body}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
