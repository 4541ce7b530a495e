//! What is written, word by word, and what is done with it on a machine whose programs only say what they were asked.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use super::desk::Desk;
use super::{BackgroundError, Launch, Starts, agent, entry, registry, unit};
use std::path::Path;
use std::sync::{Arc, Mutex};

fn launch(program: &str, starts: Starts) -> Launch {
    Launch {
        program: program.into(),
        starts,
        environment: Vec::new(),
        name: "kata-agents".into(),
    }
}

/// Spaces, quotes, a percent sign, a dollar sign, a backslash, a backtick, an ampersand and Unicode.
const ODD: &str = "/opt/Ünï \"x\" 100% $HOME `id` \\n & <b>/kata-agents";

fn without_seal(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.contains("sha256:")).collect()
}

#[test]
fn the_unit_of_the_app_is_this_text() {
    let text = without_seal(&unit::text(&launch("/usr/bin/kata-agents", Starts::App)));
    assert_eq!(
        text,
        "[Unit]\n\
         Description=Kata Agents\n\
         After=graphical-session.target\n\
         PartOf=graphical-session.target\n\
         StartLimitIntervalSec=60\n\
         StartLimitBurst=20\n\
         \n\
         [Service]\n\
         Type=exec\n\
         ExecStart=\"/usr/bin/kata-agents\" --hidden\n\
         Restart=on-failure\n\
         RestartSec=1\n\
         RestartPreventExitStatus=2 4\n\
         TimeoutStopSec=20\n\
         KillMode=mixed\n\
         OOMPolicy=continue\n\
         \n\
         [Install]\n\
         WantedBy=graphical-session.target\n"
    );
}

#[test]
fn a_unit_quotes_odd_paths_as_systemd_reads_them() {
    let mut odd = launch(ODD, Starts::Serve);
    odd.environment = vec![("KATA_CONFIG_DIR".into(), "/tmp/50% \"off\"".into())];
    let text = unit::text(&odd);
    assert!(
        text.contains(
            "ExecStart=/bin/sh -c \"exec \\\"$$0\\\" \\\"$$@\\\"\" \"/opt/Ünï \\\"x\\\" 100%% $$HOME `id` \\\\n & <b>/kata-agents\" serve --no-open\n"
        ),
        "{text}"
    );
    let plain = unit::text(&launch("/opt/ü b 5% $HOME/kata", Starts::Serve));
    assert!(plain.contains("ExecStart=\"/opt/ü b 5%% $HOME/kata\" serve --no-open\n"), "{plain}");
    assert!(text.contains("Environment=\"KATA_CONFIG_DIR=/tmp/50%% \\\"off\\\"\"\n"), "{text}");
    assert!(text.contains("WantedBy=default.target\n") && !text.contains("graphical"), "{text}");
}

#[test]
fn an_autostart_entry_quotes_odd_paths_as_the_specification_says() {
    let mut odd = launch(ODD, Starts::App);
    odd.environment = vec![("KATA_PORT".into(), "1".into())];
    let text = without_seal(&entry::text(&odd));
    let exec = "Exec=env \"KATA_PORT=1\" \"/opt/Ünï \\\\\"x\\\\\" 100%% \\\\$HOME \\\\`id\\\\` \\\\\\\\n & <b>/kata-agents\" --hidden\n";
    assert!(text.starts_with("[Desktop Entry]\nType=Application\nName=Kata Agents\n"), "{text}");
    assert!(text.contains(exec), "{text}\n{exec}");
}

#[test]
fn a_launch_agent_is_this_text() {
    let mut odd = launch("/Applications/A & B <c>/kata-agents", Starts::App);
    odd.environment = vec![("KATA_SECRETS".into(), "file".into())];
    assert_eq!(
        without_seal(&agent::text(&odd)),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
         <plist version=\"1.0\">\n<dict>\n\
         \x20 <key>Label</key>\n  <string>com.kata-agents</string>\n\
         \x20 <key>ProgramArguments</key>\n  <array>\n\
         \x20   <string>/Applications/A &amp; B &lt;c&gt;/kata-agents</string>\n\
         \x20   <string>--hidden</string>\n  </array>\n\
         \x20 <key>EnvironmentVariables</key>\n  <dict>\n    <key>KATA_SECRETS</key>\n    <string>file</string>\n  </dict>\n\
         \x20 <key>LimitLoadToSessionType</key>\n  <string>Aqua</string>\n\
         \x20 <key>ProcessType</key>\n  <string>Interactive</string>\n\
         \x20 <key>RunAtLoad</key>\n  <true/>\n\
         \x20 <key>KeepAlive</key>\n  <dict>\n    <key>SuccessfulExit</key>\n    <false/>\n  </dict>\n\
         </dict>\n</plist>\n"
    );
}

#[test]
fn the_registry_gets_a_quoted_path_and_reads_it_back() {
    let windows = launch(r"C:\Program Files\Kata Agents\kata-agents.exe", Starts::App);
    let line = registry::command_line(&windows);
    assert_eq!(line, "\"C:\\Program Files\\Kata Agents\\kata-agents.exe\" --hidden");
    let printed = format!("\r\n{}\r\n    kata-agents    REG_SZ    {line}\r\n\r\n", registry::KEY);
    assert_eq!(registry::read(&printed), Some(line));
}

#[test]
fn another_home_has_a_name_of_its_own_and_what_the_present_start_was_given_goes_with_it() {
    let env = |key: &str| (key == "KATA_SECRETS").then(|| "file".to_owned());
    let usual = Launch::of(Path::new("/k"), Starts::App, Path::new("/h"), Path::new("/h"), &|_| None);
    assert_eq!((usual.name.as_str(), usual.environment.len()), ("kata-agents", 0));
    let other = Launch::of(Path::new("/k"), Starts::App, Path::new("/other"), Path::new("/h"), &env);
    assert!(other.name.starts_with("kata-agents-") && other.name.len() == 20, "{}", other.name);
    let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
    assert_eq!(other.environment, [pair("KATA_CONFIG_DIR", "/other"), pair("KATA_SECRETS", "file")]);
    let image = |key: &str| (key == "APPIMAGE").then(|| "/home/ada/Kata.AppImage".to_owned());
    let image = Launch::of(Path::new("/tmp/.mount_x/k"), Starts::App, Path::new("/h"), Path::new("/h"), &image);
    assert_eq!(
        image.program,
        Path::new("/home/ada/Kata.AppImage"),
        "not the place it is mounted at for now"
    );
}

/// A machine whose programs do as they are told and remember it; those whose line begins with one of `refused` refuse.
fn machine(system: &'static str, folder: &Path, refused: &'static [&'static str]) -> (Desk, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let run = move |program: &str, arguments: &[&str]| {
        let line = format!("{program} {}", arguments.join(" "));
        heard.lock().unwrap().push(line.clone());
        if refused.iter().any(|r| line.starts_with(r)) {
            return Err(super::desk::Refusal("no".into()));
        }
        Ok(if program == "id" { "501\n".to_owned() } else { String::new() })
    };
    (Desk::fake(system, folder, Box::new(run)), asked)
}

#[test]
fn with_systemd_and_a_screen_the_app_gets_a_unit_and_comes_back_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, asked) = machine("linux", folder.path(), &[]);
    let app = launch("/usr/bin/kata-agents", Starts::App);
    desk.switch_on(&app, false).unwrap();
    let path = folder.path().join(".config/systemd/user/kata-agents.service");
    let status = desk.status(&app);
    assert!(status.at_login && status.restarts && status.reason.is_none(), "{status:?}");
    assert_eq!((status.by.as_deref(), status.starts.as_deref()), (Some("systemd"), Some("app")));
    assert_eq!(status.entry, Some(path.display().to_string()));
    assert_eq!(desk.started_program(&app).unwrap(), Path::new("/usr/bin/kata-agents"));
    let lines = asked.lock().unwrap().join("\n");
    assert!(
        lines.contains("systemctl --user daemon-reload") && lines.contains("systemctl --user reenable kata-agents.service"),
        "{lines}"
    );
    assert!(!lines.contains("--user start"), "it runs already: {lines}");
    // Again, and by a newer program: written anew.
    let newer = launch("/opt/kata-agents", Starts::App);
    assert!(desk.status(&newer).reason.unwrap().contains("not this program"));
    desk.switch_on(&newer, false).unwrap();
    desk.switch_on(&newer, false).unwrap();
    assert_eq!(desk.status(&newer).reason, None);
    desk.switch_off(&newer).unwrap();
    desk.switch_off(&newer).unwrap();
    assert!(!path.exists());
    assert!(!desk.status(&newer).at_login);
}

#[test]
fn without_systemd_there_is_an_autostart_entry_and_it_says_that_nobody_starts_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, _) = machine("linux", folder.path(), &["systemctl"]);
    let app = launch("/usr/bin/kata-agents", Starts::App);
    desk.switch_on(&app, false).unwrap();
    let status = desk.status(&app);
    assert!(status.at_login && !status.restarts, "{status:?}");
    assert_eq!(status.by.as_deref(), Some("autostart"));
    assert!(folder.path().join(".config/autostart/kata-agents.desktop").is_file());
    let elsewhere = tempfile::tempdir().unwrap();
    let (desk, _) = machine("linux", elsewhere.path(), &["systemctl"]);
    let serve = launch("/usr/bin/kata", Starts::Serve);
    assert!(matches!(desk.switch_on(&serve, false), Err(BackgroundError::Nobody(_))));
    assert!(desk.status(&serve).reason.unwrap().contains("systemd does not run"));
}

#[test]
fn a_desktop_that_tells_systemd_of_no_screen_starts_the_app_by_its_autostart() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, _) = machine("linux", folder.path(), &["systemctl --user is-active"]);
    assert_eq!(desk.status(&launch("/a", Starts::App)).by.as_deref(), Some("autostart"));
    assert_eq!(desk.status(&launch("/a", Starts::Serve)).by.as_deref(), Some("systemd"));
}

#[test]
fn a_file_that_somebody_wrote_or_edited_is_neither_overwritten_nor_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, _) = machine("linux", folder.path(), &[]);
    let app = launch("/usr/bin/kata-agents", Starts::App);
    desk.switch_on(&app, false).unwrap();
    let path = folder.path().join(".config/systemd/user/kata-agents.service");
    let edited = std::fs::read_to_string(&path).unwrap().replace("RestartSec=1", "RestartSec=7");
    for (text, whose) in [
        (edited.as_str(), "was edited"),
        ("[Service]\nExecStart=/bin/true\n", "somebody else"),
    ] {
        std::fs::write(&path, text).unwrap();
        for done in [desk.switch_on(&app, false), desk.switch_off(&app)] {
            let error = done.unwrap_err();
            assert!(error.to_string().contains(whose), "{error}");
            assert!(kata_protocol::WireError::from(error).hint.unwrap().contains("mv '"));
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        assert!(desk.status(&app).reason.unwrap().contains(whose));
    }
}

#[test]
fn what_a_program_of_the_system_says_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, _) = machine("linux", folder.path(), &["systemctl --user reenable"]);
    let error = desk.switch_on(&launch("/k", Starts::Serve), true).unwrap_err();
    assert_eq!(error.to_string(), "“systemctl --user reenable kata-agents.service” said: no");
}

#[test]
fn macos_and_windows_are_asked_in_their_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let (desk, asked) = machine("macos", folder.path(), &[]);
    let app = launch("/Applications/Kata Agents.app/Contents/MacOS/kata-agents", Starts::App);
    desk.switch_on(&app, true).unwrap();
    let plist = folder.path().join("Library/LaunchAgents/com.kata-agents.plist");
    assert!(plist.is_file());
    let lines = asked.lock().unwrap().join("\n");
    assert!(lines.contains("launchctl bootout gui/501/com.kata-agents"), "{lines}");
    assert!(
        lines.contains(&format!("launchctl bootstrap gui/501 {}", plist.display())),
        "{lines}"
    );
    assert_eq!(desk.started_program(&app), Some(app.program.clone()));
    desk.switch_off(&app).unwrap();
    assert!(!plist.exists());

    let (desk, asked) = machine("windows", folder.path(), &[]);
    let app = launch(r"C:\k\kata-agents.exe", Starts::App);
    desk.switch_on(&app, false).unwrap();
    let lines = asked.lock().unwrap().join("\n");
    assert!(
        lines.contains("/v kata-agents /t REG_SZ /d \"C:\\k\\kata-agents.exe\" --hidden /f"),
        "{lines}"
    );
    let mut other = app;
    other.environment.push(("KATA_PORT".into(), "1".into()));
    assert!(
        desk.switch_on(&other, false)
            .unwrap_err()
            .to_string()
            .contains("without an environment")
    );
}
