//! The tray, over the session bus: what it shows, that it keeps the program, and that Quit drains and ends it.

use crate::app::{environment, program, until, within};
use std::process::Stdio;
use tokio::process::{Child, Command};

const ITEM: &str = "/org/ayatana/NotificationItem/tray_icon_tray_app_kata/Menu";

/// The line of health is in the tray, closing the window leaves the program, Quit ends it.
#[tokio::test]
async fn the_tray_shows_health_outlives_the_window_and_quits() {
    let home = tempfile::tempdir().expect("a home for the app");
    let mut app = Command::new(program())
        .envs(environment(&home))
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the app starts; run this with `cargo xtask e2e`");
    let bus = within(async || owner_of_the_tray().await)
        .await
        .expect("the tray item is on the session bus");

    until("the tray shows the line of health", async || {
        let labels = labels(&menu(&bus).await);
        labels.len() == 3 && labels.iter().all(|(_, label)| !label.is_empty() && label != "Starting…")
    })
    .await;

    until("the window is open", async || windows().await.contains("Kata Agents")).await;
    let closed = Command::new("wmctrl")
        .args(["-c", "Kata Agents"])
        .status()
        .await
        .expect("wmctrl runs");
    assert!(closed.success());
    until("the window is closed", async || !windows().await.contains("Kata Agents")).await;
    assert!(still_runs(&mut app), "closing the window leaves the program");

    choose(&bus, "Open Kata Agents").await;
    until("the window is open again", async || windows().await.contains("Kata Agents")).await;

    choose(&bus, "Quit").await;
    let ended = within(async || owner_of_the_tray().await.is_none().then_some(())).await;
    assert!(ended.is_some(), "Quit takes the tray item away");
    let status = app.wait().await.expect("the app ends");
    assert!(status.success(), "Quit ends it well: {status}");
}

fn still_runs(app: &mut Child) -> bool {
    matches!(app.try_wait(), Ok(None))
}

async fn windows() -> String {
    said(Command::new("wmctrl").arg("-l")).await
}

async fn owner_of_the_tray() -> Option<String> {
    let bus = [
        "--session",
        "-d",
        "org.freedesktop.DBus",
        "-o",
        "/org/freedesktop/DBus",
        "-m",
        "org.freedesktop.DBus.ListNames",
    ];
    let names = said(Command::new("gdbus").args(["call", "--timeout", "2"]).args(bus)).await;
    for name in names.split('\'').filter(|name| name.starts_with(":1.")) {
        if !labels(&menu(name).await).is_empty() {
            return Some(name.to_owned());
        }
    }
    None
}

async fn menu(bus: &str) -> String {
    let layout = [
        "--session",
        "-d",
        bus,
        "-o",
        ITEM,
        "-m",
        "com.canonical.dbusmenu.GetLayout",
        "--",
        "0",
        "-1",
        "['label']",
    ];
    said(Command::new("gdbus").args(["call", "--timeout", "2"]).args(layout)).await
}

async fn choose(bus: &str, label: &str) {
    let labels = labels(&menu(bus).await);
    let (id, _) = labels
        .iter()
        .find(|(_, found)| found == label)
        .unwrap_or_else(|| panic!("“{label}” is not in {labels:?}"));
    let event = [
        "--session",
        "-d",
        bus,
        "-o",
        ITEM,
        "-m",
        "com.canonical.dbusmenu.Event",
        "--",
        id,
        "clicked",
        "<''>",
        "0",
    ];
    said(Command::new("gdbus").args(["call", "--timeout", "2"]).args(event)).await;
}

/// Ids and labels in what `gdbus` prints of a menu: `<(3, {'label': <'Quit'>}, @av [])>`.
fn labels(layout: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in layout.split("<(").skip(1) {
        let id: String = entry.chars().take_while(char::is_ascii_digit).collect();
        if let Some((_, rest)) = entry.split_once("'label': <'")
            && let Some((label, _)) = rest.split_once('\'')
        {
            found.push((id, label.to_owned()));
        }
    }
    found
}

async fn said(command: &mut Command) -> String {
    let output = command
        .stderr(Stdio::null())
        .output()
        .await
        .expect("the desktop's own tools are installed (`cargo xtask setup`)");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
